"""What the checks of a label say of copies: each rule, its sentence, and that nothing is said twice."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import Organisation, User
from core.base.clock import day_of
from core.notices.models import Notice
from core.notices.services import decide_notice, table_of_codes
from core.notices.texts import outcomes_of
from core.rules.models import LegalBasis, Rule, RuleCode
from core.rules.services import draft_rule, enact_rule
from ledger.models import AccountKind, CustodyAccount
from marking.models import Check, CopyAlert, CopyEvidence, Mark, MarkRequest
from marking.selectors import Reason, check_text, check_texts
from marking.services import copies
from marking.services.checks import forget_old_checks, regions_about
from marking.services.copies import find_copies
from marking.services.orders import LabelOrder
from marking.services.requests import approve_request, ask_for_mark
from marking.services.snapshots import collect_state
from marking.snapshots import Status, look_up
from registry.models import Intake
from tests.goods import put_into

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("committee")]
ORAL, ALMATY, BEIJING = (51.2, 51.4), (43.2, 76.9), (39.9, 116.4)

See = Callable[..., Check]
Move = Callable[[Mark], None]


@pytest.fixture
def see(marks: list[Mark], now: datetime) -> See:
    """The mark (or another) is checked so many hours after three days from now: by another visitor, at a place."""
    visitors = cycle(range(256))

    def check(
        hours: float = 0,
        place: tuple[float, float] | None = None,
        *,
        mark: Mark = marks[0],
        who: str = "public",
        is_repeat: bool = False,
        reasons: tuple[str, ...] = (),
        verdict: str = "genuine",
        signed: bool = False,
        channel: str = "web",
        organisation: Organisation | None = None,
        visitor: int | None = None,
    ) -> Check:
        lat, lon = place or (None, None)
        if who == "public" and visitor is None:
            visitor = next(visitors)
        return Check.objects.create(
            at=now + timedelta(days=3, hours=hours),
            code=mark.code,
            verdict=verdict,
            reasons=list(reasons),
            is_signed=signed,
            channel=channel,
            who=who,
            organisation=organisation,
            is_repeat=is_repeat,
            lat=lat,
            lon=lon,
            regions=list(regions_about(*place)) if place else [],
            visitor=visitor,
        )

    return check


@pytest.fixture
def look(now: datetime) -> Callable[[], list[str]]:
    return lambda: [alert.rule for alert in find_copies(at=now + timedelta(days=4))]


@pytest.fixture
def leave() -> Callable[[Mark, AccountKind], None]:
    def move(mark: Mark, kind: AccountKind) -> None:
        put_into(mark.item.pk, CustodyAccount.objects.boundary(kind))

    return move


@pytest.fixture
def transport() -> Move:
    """The item is on its way from its store to another keeper."""

    def send(mark: Mark) -> None:
        store = mark.item.intake.store
        put_into(mark.item.pk, CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=store.custodian))

    return send


def only(code: str) -> CopyAlert:
    return CopyAlert.objects.get(rule=code)


def test_two_places_too_far_apart_are_told_with_their_evidence(
    see: See, look: Callable[[], list[str]], marks: list[Mark], leave: Callable[[Mark, AccountKind], None]
) -> None:
    leave(marks[0], AccountKind.DOMESTIC_SALE)
    first, second = see(0, ORAL), see(2, ALMATY)
    see(-9, ORAL)

    assert look() == ["copy.far"]
    alert = only("copy.far")
    assert set(alert.evidence.values_list("seen", flat=True)) == {first.pk, second.pk}
    assert alert.mark_id == marks[0].code
    text = alert.notice.text
    assert "51.2, 51.4" in text
    assert "43.2, 76.9" in text
    assert "120" in text
    assert 2_000 < int(str(alert.notice.params["km"])) < 2_150


@pytest.mark.parametrize(("hours", "place"), [(24, ALMATY), (0.1, (51.3, 51.4)), (0, ORAL), (9.5, ALMATY)], ids=str)
def test_what_one_label_can_do_is_no_copy(
    see: See,
    look: Callable[[], list[str]],
    marks: list[Mark],
    leave: Callable[[Mark, AccountKind], None],
    hours: float,
    place: tuple[float, float],
) -> None:
    leave(marks[0], AccountKind.DOMESTIC_SALE)
    see(0, ORAL)
    see(hours, place)

    assert look() == []


@pytest.mark.parametrize("kind", [AccountKind.EXPORT, AccountKind.DESTRUCTION])
def test_what_is_gone_is_not_seen_any_more(
    see: See,
    look: Callable[[], list[str]],
    leave: Callable[[Mark, AccountKind], None],
    marks: list[Mark],
    kind: AccountKind,
) -> None:
    leave(marks[0], kind)
    see(-60, ORAL)
    assert look() == []
    see(48, ORAL)

    assert look() == ["copy.gone"]
    assert "10.11.2025" in only("copy.gone").notice.text


def test_an_importer_may_check_what_was_exported(
    see: See, look: Callable[[], list[str]], leave: Callable[[Mark, AccountKind], None], marks: list[Mark]
) -> None:
    leave(marks[0], AccountKind.EXPORT)
    see(48, BEIJING)
    see(49)

    assert look() == []


def test_a_blank_label_is_not_seen_by_the_public(see: See, look: Callable[[], list[str]], marks: list[Mark]) -> None:
    see(0, who="inspectorate", reasons=("blank",), verdict="genuine_but")
    assert look() == []
    see(0.5, reasons=("blank",), verdict="genuine_but")
    assert look() == []  # a code that was typed says of no label where it is
    see(1, reasons=("blank",), verdict="genuine_but", signed=True)
    see(-24 * 4, mark=marks[1], verdict="unknown")

    assert look() == ["copy.blank", "copy.blank"]
    assert set(CopyAlert.objects.values_list("mark", flat=True)) == {marks[0].code, marks[1].code}


def test_a_burst_is_of_the_public_and_counts_no_repeat(see: See, look: Callable[[], list[str]]) -> None:
    for minute in range(19):
        see(minute / 200)
    for _ in range(5):
        see(0.1, who="police")
        see(0.1, is_repeat=True)
    assert look() == []
    see(0.16)

    assert look() == ["copy.burst"]
    assert only("copy.burst").evidence.count() == 20
    assert only("copy.burst").notice.params["count"] == 20


def test_many_public_checks_are_told(see: See, look: Callable[[], list[str]]) -> None:
    for hour in range(99):
        see(-hour / 2)
    assert look() == []
    see(-50)

    assert look() == ["copy.many"]
    assert only("copy.many").evidence.count() == 50


def test_a_label_is_seen_where_its_item_is_not(see: See, look: Callable[[], list[str]], marks: list[Mark]) -> None:
    see(-71, ALMATY)  # on the day it came
    see(0, ORAL)
    assert look() == []
    see(48, ALMATY)

    assert look() == ["copy.store"]
    alert = only("copy.store")
    assert marks[0].item.intake.store.code in alert.notice.text
    assert alert.evidence.count() == 1


def test_a_label_is_seen_abroad_while_its_item_is_in_a_store(
    see: See, look: Callable[[], list[str]], marks: list[Mark]
) -> None:
    see(0)  # who does not say where is nowhere
    see(-71, BEIJING)
    assert look() == []
    see(0, BEIJING, mark=marks[1])

    assert look() == ["copy.store"]
    alert = only("copy.store")
    assert alert.mark_id == marks[1].code
    assert alert.notice.code == "copy.abroad"
    assert marks[1].item.intake.store.code in alert.notice.text


def test_a_label_is_seen_abroad_while_its_item_travels_inside_the_country(
    see: See, look: Callable[[], list[str]], marks: list[Mark], transport: Move
) -> None:
    transport(marks[0])
    see(48, ALMATY)
    assert look() == []
    see(72, BEIJING)

    assert look() == ["copy.store"]
    assert only("copy.store").notice.code == "copy.abroad"


def test_an_old_print_and_a_replaced_mark_are_told(
    see: See, look: Callable[[], list[str]], marks: list[Mark], inspector: User, storekeeper: User, now: datetime
) -> None:
    from tests.marks import print_again

    print_again(marks[0], b"x", b"y", asker=inspector, approver=storekeeper, at=now)
    see(-60, reasons=("old_copy",), verdict="genuine_but")
    see(-60)
    assert look() == []
    see(0, reasons=("old_copy",), verdict="genuine_but")

    assert look() == ["copy.old_print"]


def test_an_old_print_is_told_when_all_labels_of_an_intake_were_printed_anew(
    see: See,
    look: Callable[[], list[str]],
    open_intake: Intake,
    inspector: User,
    storekeeper: User,
    marks: list[Mark],
    now: datetime,
) -> None:
    asked = ask_for_mark(
        actor=inspector,
        at=now,
        kind=MarkRequest.Kind.REPRINT,
        intake=open_intake,
        reason="The labels got wet",
        order=LabelOrder("roll-50x25"),
    )
    approve_request(actor=storekeeper, at=now, asked=asked)
    see(-60, reasons=("old_copy",), verdict="genuine_but")
    assert look() == []
    see(0, mark=marks[1], reasons=("old_copy",), verdict="genuine_but")

    assert look() == ["copy.old_print"]
    assert "10.11.2025" in only("copy.old_print").notice.text


def test_a_forged_symbol_says_nothing_of_the_label(see: See, look: Callable[[], list[str]]) -> None:
    see(0, ORAL, verdict="forged")
    see(1, ALMATY, verdict="forged")

    assert look() == []


def test_each_finding_is_told_once(
    see: See, look: Callable[[], list[str]], authority_officer: User, now: datetime
) -> None:
    see(0, ALMATY)
    assert look() == ["copy.store"]
    assert look() == []
    see(1, ALMATY)
    see(26, ALMATY)
    assert look() == []
    decide_notice(
        actor=authority_officer,
        at=now + timedelta(days=3, hours=50),
        notice=only("copy.store").notice,
        outcome="explained",
        decision="Shown at a fair",
        reason="The keeper showed it at the fair",
    )
    see(49, ALMATY)
    assert look() == []
    see(75, ALMATY)
    assert look() == ["copy.store"]
    assert CopyAlert.objects.count() == 2


def test_whoever_checks_is_told_while_it_waits_to_be_decided(
    see: See, look: Callable[[], list[str]], marks: list[Mark], authority_officer: User, now: datetime, client: Client
) -> None:
    see(0, ALMATY, signed=True)
    see(0.1, ALMATY, signed=True)
    look()

    assert check_text(marks[0].code, own_hosts=()).reasons == (Reason.COPIED,)
    assert "perhaps copied" in client.get(f"/m/{marks[0].code}", {"lang": "en"}).content.decode()
    said = client.get("/scan/check.json", {"text": marks[0].code, "lang": "en"}).json()
    other = client.get("/scan/check.json", {"text": marks[1].code, "lang": "en"}).json()
    assert (said["kind"], said["others"], other["kind"]) == ("copied", [], "")
    client.force_login(authority_officer)
    many = client.post(
        "/api/v1/marks/check/", {"texts": [mark.code for mark in marks[:2]]}, content_type="application/json"
    )
    assert [one["kind"] for one in many.json()["results"]] == ["copied", ""]
    state = collect_state()
    assert [found.status for mark in marks[:2] if (found := look_up(state, mark.code))] == [Status.ASK, Status.IN_ORDER]
    decide_notice(
        actor=authority_officer,
        at=now + timedelta(days=4),
        notice=Notice.objects.get(code="copy.store"),
        outcome="explained",
        decision="Shown at a fair",
        reason="The keeper showed it at the fair",
    )
    assert check_text(marks[0].code, own_hosts=()).reasons == ()


def told(mark: Mark) -> bool:
    """Whether everybody is told that this label may be copied, by the check of one, of many and in the snapshot."""
    mark.refresh_from_db()
    one = check_text(mark.code, own_hosts=()).reasons
    many = check_texts([mark.code], own_hosts=())[0].reasons
    found = look_up(collect_state(), mark.code)
    assert found
    answers = {Reason.COPIED in one, Reason.COPIED in many, found.status == Status.ASK}
    assert len(answers) == 1
    return answers.pop()


def decide(alert: CopyAlert, outcome: str, *, actor: User, at: datetime) -> None:
    decide_notice(
        actor=actor,
        at=at,
        notice=alert.notice,
        outcome=outcome,
        decision="Two labels lie side by side",
        reason="The inspector of the region compared both",
    )


def test_typed_codes_and_invented_places_are_a_question_to_the_authority_alone(
    see: See, look: Callable[[], list[str]], marks: list[Mark]
) -> None:
    see(0, ORAL)
    see(0.1, ALMATY)
    for mark in marks[1:3]:
        see(0, ALMATY, mark=mark, signed=True, who="trader", channel="api")
    for minute in range(20):
        see(minute / 200, mark=marks[3])

    assert sorted(look()) == ["copy.burst", "copy.far", "copy.store", "copy.store", "copy.store"]
    assert not CopyAlert.objects.filter(stands=True).exists()
    assert not any(told(mark) for mark in marks[:4])


def test_a_scanned_symbol_with_a_place_stands_beside_what_was_typed(
    see: See, look: Callable[[], list[str]], marks: list[Mark]
) -> None:
    see(0, ALMATY)
    assert look() == ["copy.store"]
    assert not told(marks[0])
    real = [see(1, ALMATY, signed=True), see(1.1, ALMATY, signed=True)]

    assert look() == ["copy.store"]
    assert told(marks[0])
    evidence = CopyAlert.objects.get(stands=True).evidence
    assert set(evidence.values_list("seen", flat=True)) == {one.pk for one in real}


@pytest.mark.parametrize("place", [ORAL, ALMATY])
def test_what_one_visitor_says_alone_is_a_question_to_the_authority(
    see: See, look: Callable[[], list[str]], marks: list[Mark], place: tuple[float, float]
) -> None:
    see(0, ORAL, signed=True, visitor=7)
    see(0.01, ALMATY, signed=True, visitor=7)
    for minute in range(25):
        see(0.02 + minute / 200, ALMATY, signed=True, visitor=7)
    assert set(look()) == {"copy.far", "copy.store", "copy.burst"}
    assert not CopyAlert.objects.filter(stands=True).exists()
    assert not told(marks[0])

    see(0.5, (51.2, 51.3) if place == ORAL else (43.3, 76.9), signed=True, visitor=8)

    assert look() == (["copy.far"] if place == ORAL else ["copy.store"])
    assert told(marks[0])


def test_a_check_of_an_earlier_version_vouches_for_nothing(
    see: See, look: Callable[[], list[str]], marks: list[Mark]
) -> None:
    for hour in (0, 1):
        Check.objects.create(
            at=see(hour).at, code=marks[0].code, verdict="genuine", channel="app", is_signed=True, who="public",
            lat=ALMATY[0], lon=ALMATY[1], regions=["75"],
        )  # fmt: skip

    assert look() == ["copy.store"]
    assert not told(marks[0])


def test_the_database_keeps_no_more_of_a_visitor_than_a_byte(see: See, committee: Organisation) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        see(0, visitor=256)
    with pytest.raises(IntegrityError), transaction.atomic():
        see(0, visitor=3, who=committee.kind, organisation=committee)


def test_what_a_body_of_the_state_saw_stands(
    see: See, look: Callable[[], list[str]], marks: list[Mark], committee: Organisation
) -> None:
    see(0, ALMATY, who=committee.kind, organisation=committee, channel="api")

    assert look() == ["copy.store"]
    assert told(marks[0])


def test_a_place_somebody_invented_does_not_hide_two_real_ones(
    see: See, look: Callable[[], list[str]], marks: list[Mark], leave: Callable[[Mark, AccountKind], None]
) -> None:
    leave(marks[0], AccountKind.DOMESTIC_SALE)
    see(0, ORAL, signed=True)
    for hour in (0.5, 1, 1.5):
        see(hour, (51.2 - hour * 4, 51.4 + hour * 12))
    see(2, ALMATY, signed=True)

    look()

    assert told(marks[0])


def test_a_blank_label_scanned_at_the_post_is_not_condemned(
    see: See, look: Callable[[], list[str]], marks: list[Mark]
) -> None:
    see(0, ORAL, reasons=("blank",), verdict="genuine_but", signed=True)

    assert look() == ["copy.blank"]
    assert not told(marks[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        CopyAlert.objects.create(
            mark=marks[1],
            rule="copy.blank",
            on=day_of(only("copy.blank").found_at),
            value={},
            notice=only("copy.blank").notice,
            found_at=only("copy.blank").found_at,
            stands=True,
        )


def test_the_authority_confirms_a_copy_and_a_new_print_ends_it(
    see: See,
    look: Callable[[], list[str]],
    marks: list[Mark],
    authority_officer: User,
    inspector: User,
    storekeeper: User,
    now: datetime,
) -> None:
    from tests.marks import print_again

    see(0, ALMATY)
    look()
    decide(only("copy.store"), Notice.Outcome.COPIED, actor=authority_officer, at=now + timedelta(days=4))
    assert told(marks[0])

    print_again(marks[0], b"x", b"y", asker=inspector, approver=storekeeper, at=now + timedelta(days=5))
    assert not told(marks[0])


def test_no_other_alert_ends_in_a_copy(authority_officer: User) -> None:
    assert "copied" in outcomes_of("copy.far")
    codes = {line.code for line in table_of_codes()}
    assert {code for code in codes if "copied" in outcomes_of(code)} == {code for code in codes if code[:5] == "copy."}


@pytest.mark.parametrize("signed", [False, True])
def test_a_flood_of_marks_is_one_notice_and_condemns_none(
    see: See,
    look: Callable[[], list[str]],
    marks: list[Mark],
    monkeypatch: pytest.MonkeyPatch,
    client: Client,
    auditor: User,
    *,
    signed: bool,
) -> None:
    monkeypatch.setattr(copies, "MANY_MARKS", 2)
    for mark in marks[:4]:
        see(0, ALMATY, mark=mark, signed=signed)
        see(0.1, ALMATY, mark=mark, signed=signed)

    assert look() == ["copy.store"] * 4
    for mark in marks[4:5]:
        see(1, ALMATY, mark=mark, signed=signed)
        see(1.1, ALMATY, mark=mark, signed=signed)
    assert look() == ["copy.store"]
    assert look() == []

    notice = Notice.objects.get(code__startswith="copy.")
    assert notice.code == "copy.flood"
    assert CopyAlert.objects.filter(notice=notice).count() == 5
    assert not any(told(mark) for mark in marks[:5])
    client.force_login(auditor)
    page = client.get(f"/copies/{notice.subject_id}/").content.decode()
    assert f"?all=1&amp;notice={notice.pk}" in page
    assert client.get("/copies/", {"all": "1", "notice": str(notice.pk)}).content.decode().count("<tr>") == 6


def test_typed_codes_of_many_marks_hide_no_real_copy(
    see: See, look: Callable[[], list[str]], marks: list[Mark], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "MANY_MARKS", 2)
    for mark in marks[:4]:
        see(0, ALMATY, mark=mark)
    look()
    see(1, ALMATY, signed=True)
    see(1.1, ALMATY, signed=True)

    assert look() == ["copy.store"]
    assert told(marks[0])


def test_rules_are_adjusted_by_two_persons(
    see: See, look: Callable[[], list[str]], authority_officer: User, authority_head: User, now: datetime
) -> None:
    rule = draft_rule(
        actor=authority_officer,
        at=now,
        code=RuleCode.COPY_BURST,
        value={"checks": 3, "minutes": 10},
        starts_on=day_of(now),
        ends_on=None,
        basis=LegalBasis.objects.latest("pk"),
    )
    for minute in range(3):
        see(minute / 60)
    assert look() == []
    enact_rule(actor=authority_head, at=now, rule=rule)
    see(0.05)

    assert look() == ["copy.burst"]
    assert only("copy.burst").value == {"checks": 3, "minutes": 10}


def test_a_rule_that_is_not_in_force_finds_nothing(see: See, look: Callable[[], list[str]], now: datetime) -> None:
    assert Rule.objects.filter(code__startswith="copy.").count() == len(CopyAlert.RULES)
    see(0, ALMATY)

    assert find_copies(at=now - timedelta(days=3650)) == []


def test_it_costs_the_same_however_many_marks_were_checked(
    see: See, look: Callable[[], list[str]], marks: list[Mark], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    look()
    counts = []
    for mark_count, checks in ((1, 1), (6, 12)):
        for mark in marks[:mark_count]:
            for hour in range(checks):
                see(hour, ORAL, mark=mark)
        with django_assert_max_num_queries(30) as captured:
            assert look() == []
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_evidence_outlives_the_time_of_checks(see: See, look: Callable[[], list[str]], now: datetime) -> None:
    kept = see(0, ALMATY)
    see(-48, ORAL)
    look()

    assert forget_old_checks(at=now + timedelta(days=3650)) == 1
    assert Check.objects.get().pk == kept.pk
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError), transaction.atomic():
        Check.objects.filter(pk=kept.pk)._raw_delete("default")


def test_the_database_keeps_alerts_as_they_were(see: See, look: Callable[[], list[str]], marks: list[Mark]) -> None:
    see(0, ALMATY)
    look()
    alert = only("copy.store")

    for act in (
        lambda: CopyAlert.objects.update(rule="copy.far"),
        lambda: CopyAlert.objects.all()._raw_delete("default"),
        lambda: CopyEvidence.objects.all()._raw_delete("default"),
        lambda: CopyAlert.objects.create(
            mark=marks[0], rule=alert.rule, on=alert.on, value={}, notice=alert.notice, found_at=alert.found_at
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_the_page_shows_map_checks_and_rule(
    see: See, look: Callable[[], list[str]], client: Client, auditor: User, inspector: User, marks: list[Mark]
) -> None:
    see(0, ALMATY)
    see(1, BEIJING)
    see(-71, ORAL)
    look()
    alert = only("copy.store")

    client.force_login(inspector)
    assert client.get(f"/copies/{alert.pk}/").status_code == 403
    client.force_login(auditor)
    page = client.get(f"/copies/{alert.pk}/").content.decode()
    assert alert.notice.text in page
    assert marks[0].item.number in page
    assert page.count('class="place"') == 2  # Beijing is not on the map
    assert "39.9, 116.4" in page
    assert page.count("<td><strong>") == 2  # two of the three are evidence
    listed = client.get("/copies/").content.decode()
    assert f"/copies/{alert.pk}/" in listed


def test_the_list_asks_the_database_as_often_for_many(
    see: See,
    look: Callable[[], list[str]],
    client: Client,
    auditor: User,
    marks: list[Mark],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(auditor)
    counts = []
    for some in (marks[:1], marks[1:]):
        for mark in some:
            see(0, ALMATY, mark=mark)
        look()
        with django_assert_max_num_queries(14) as captured:
            client.get("/copies/")
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_every_sentence_has_an_example(committee: Organisation) -> None:
    assert {line.code for line in table_of_codes()} >= {code.value for code in CopyAlert.RULES}
