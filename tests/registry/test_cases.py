"""Seizure cases: entered from the road, filled in, counted, decided by two persons."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from core.accounts.models import Organisation, Region, User
from core.audit.models import Event
from core.audit.templatetags.journal import facts_in_words
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.documents.models import Document
from core.documents.pictures import UnusableFile
from core.documents.services import keep_document
from core.notices.models import Notice
from core.notices.services import decide_notice
from ledger.models import AccountKind, AccountTotal, CustodyAccount, Hold, Holding, Movement, MovementKind, Posting
from ledger.selectors import find_differences
from ledger.services import (
    ItemsOnHold,
    SecondPersonNeeded,
    count_again,
    dispatch_items,
    end_counting,
    lift_hold,
    move_items,
    open_stocktake,
    take_scan,
)
from registry import services
from registry.models import (
    Case,
    CasePerson,
    CaseWord,
    Country,
    CourtDecision,
    DecidedItem,
    Derivative,
    Intake,
    Outcome,
    ReturnAct,
    SeizedCount,
    Stage,
    Term,
)
from registry.selectors_cases import NAMED, compare_counts, damage_of, owners_of, standing_goods
from registry.services import CaseFacts, DecisionFacts
from tests.builders import build_seizure, register, some_rows
from tests.files import dot, picture, scanned, scrawl
from tests.registry.test_table import photo

Later = Callable[..., datetime]


@pytest.fixture
def facts(police: Organisation, now: datetime) -> CaseFacts:
    """What an inspector knows on the road: no ERDR number yet."""
    return CaseFacts(
        protocol_number="№ 41",
        protocol_on=now.date(),
        erdr_number="",
        agency=police,
        place="Жәнібек ауданы, 214-шақырым",
        seized_on=now.date(),
        horns=5,
    )


@pytest.fixture
def case(facts: CaseFacts, inspector: User, region: Region, now: datetime) -> Case:
    return services.open_case(actor=inspector, at=now, facts=facts, region=region)


@pytest.fixture
def evidence(open_seizure: Intake, inspector: User, now: datetime) -> list[Derivative]:
    """Four seized horns in the evidence room, held."""
    return register(open_seizure, actor=inspector, at=now)


@pytest.fixture
def held_case(evidence: list[Derivative]) -> Case:
    return Case.objects.get(intakes__derivatives=evidence[0])


@pytest.fixture
def paper(now: datetime) -> DecisionFacts:
    return DecisionFacts(
        "Орал қалалық соты", "1-118/2025", now.date(), now.date(), returned_to="Жақсылықов Нұрлан Серікұлы"
    )


@pytest.fixture
def decision(
    held_case: Case, evidence: list[Derivative], paper: DecisionFacts, inspector: User, now: datetime
) -> CourtDecision:
    """Two horns confiscated, one returned, one to be destroyed; recorded, not confirmed."""
    keys = [horn.pk for horn in evidence]
    outcomes = {Outcome.CONFISCATED: keys[:2], Outcome.RETURNED: keys[2:3], Outcome.DESTROY: keys[3:]}
    return services.record_decision(
        actor=inspector, at=now, case=held_case, facts=paper, outcomes=outcomes, content=scanned(1), name="decision.jpg"
    )


def refused(write: Callable[[], object], by: str) -> None:
    with pytest.raises(DatabaseError) as refusal:
        _try_whole(write)
    diagnosis = getattr(refusal.value.__cause__, "diag", None)
    assert by in f"{getattr(diagnosis, 'constraint_name', '')} {refusal.value}"


def _try_whole(write: Callable[[], object]) -> None:
    with transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


# Entering


def test_a_case_begins_without_its_erdr_number(case: Case, inspector: User, later: Later) -> None:
    assert case.number == "SZ25-000001"
    assert case.name == "SZ25-000001"
    assert Case.objects.with_stage().get(pk=case.pk).stage == Stage.OPENED  # type: ignore[attr-defined]

    noted = services.note_facts(
        actor=inspector, at=later(hours=3), case=case, version=0, facts={}, erdr_number=" 2527 00121 000345 "
    )

    assert noted.name == "252700121000345"
    with pytest.raises(BadInput):
        services.note_facts(actor=inspector, at=later(hours=4), case=case, version=1, facts={}, erdr_number="1")
    refused(lambda: Case.objects.filter(pk=case.pk).update(erdr_number="252700121000346"), "Cannot update")


def test_only_those_who_seize_in_the_region_enter_a_case(
    facts: CaseFacts, inspector_elsewhere: User, trader: User, region: Region, now: datetime
) -> None:
    with pytest.raises(BadInput):
        services.open_case(actor=inspector_elsewhere, at=now, facts=facts, region=region)
    with pytest.raises(NotAllowed):
        services.open_case(actor=trader, at=now, facts=facts, region=region)
    assert not Case.objects.exists()


def test_two_cases_never_have_one_erdr_number(case: Case, facts: CaseFacts, inspector: User, now: datetime) -> None:
    services.note_facts(actor=inspector, at=now, case=case, version=0, facts={}, erdr_number="252700121000377")

    again = replace(facts, erdr_number="252700121000377", protocol_number="№ 42")
    with pytest.raises(services.CaseKnown):
        services.open_case(actor=inspector, at=now, facts=again, region=case.region)
    assert Case.objects.count() == 1


def test_facts_are_written_as_they_become_known(case: Case, inspector: User, now: datetime) -> None:
    detection = CaseWord.objects.get(list="detection", code="patrol")
    china = Country.objects.get(pk="CN")

    services.note_facts(
        actor=inspector,
        at=now,
        case=case,
        version=0,
        facts={"detection": detection, "destination_country": china, "articles": "ҚР ҚК 339-бап", "males": 2},
        transit_countries=[Country.objects.get(pk="KG")],
    )

    case.refresh_from_db()
    assert (case.detection, case.destination_country, case.males) == (detection, china, 2)
    assert [country.pk for country in case.transit_countries.all()] == ["KG"]
    with pytest.raises(services.CaseChanged):
        services.note_facts(actor=inspector, at=now, case=case, version=0, facts={"males": 3})
    assert Event.objects.get(verb="case.facts_noted").facts["changed"] == [
        "detection",
        "destination_country",
        "articles",
        "males",
        "transit_countries",
    ]


def test_a_word_of_another_list_is_refused(case: Case, inspector: User, now: datetime) -> None:
    wrong = CaseWord.objects.get(list="transport", code="road")

    with pytest.raises(BadInput):
        services.note_facts(actor=inspector, at=now, case=case, version=0, facts={"detection": wrong})
    refused(lambda: Case.objects.filter(pk=case.pk).update(detection=wrong), "case_words_are_of_their_lists")


def test_a_difference_between_protocol_and_scale_becomes_a_discrepancy(
    case: Case, inspector: User, evidence_room: CustodyAccount, now: datetime
) -> None:
    intake = services.open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=now.date(), case=case)
    rows = some_rows(4)
    intake = services.save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=rows)

    register(intake, actor=inspector, at=now)

    (line,) = compare_counts(case)
    assert (line.counted, line.taken, line.difference) == (5, 4, -1)
    notice = Notice.objects.get(code="case.counts_differ")
    assert notice.kind == Notice.Kind.DISCREPANCY
    assert (notice.params["counted"], notice.params["taken"]) == (5, 4)


def test_damage_is_counts_times_rates_times_the_mrp_of_the_day(case: Case, inspector: User, now: datetime) -> None:
    services.note_facts(actor=inspector, at=now, case=case, version=0, facts={"males": 1, "females": 2})
    case.refresh_from_db()

    damage = damage_of(case, compare_counts(case))

    assert damage is not None
    assert damage.mrp == 3932  # 2025
    assert [(charge.what, charge.count, charge.units) for charge in damage.charges] == [
        ("male", 1, 500),
        ("female", 2, 700),
        ("horn", 3, 1350),  # five counted, two of them belong to the male
    ]
    assert damage.tenge == (500 + 700 + 1350) * 3932


def test_an_offence_from_before_the_mrp_is_known_is_asked_about(case: Case, inspector: User, now: datetime) -> None:
    for day in (date(1990, 1, 1), date(2023, 12, 31)):
        with translation.override("en"), pytest.raises(BadInput) as refusal:
            services.note_facts(actor=inspector, at=now, case=case, version=case.version, facts={"offence_on": day})
        assert set(refusal.value.fields) == {"offence_on"}
        assert "1 January 2024" in str(refusal.value.fields["offence_on"])
    # Of an earlier version: what was written stays, and is sent again with the rest.
    Case.objects.filter(pk=case.pk).update(offence_on=date(2023, 12, 31))
    kept = {"offence_on": date(2023, 12, 31), "males": 1}
    noted = services.note_facts(actor=inspector, at=now, case=case, version=case.version, facts=kept)
    assert noted.males == 1
    assert damage_of(noted, compare_counts(noted)) is None

    said = {"offence_on": date(2024, 1, 1)}
    noted = services.note_facts(actor=inspector, at=now, case=noted, version=noted.version, facts=said)

    damage = damage_of(noted, compare_counts(noted))
    assert damage is not None
    assert damage.mrp == 3692


def test_one_protocol_of_an_agency_is_one_case(case: Case, facts: CaseFacts, inspector: User, now: datetime) -> None:
    again = replace(facts, protocol_number="  №  41 ", place="Elsewhere")

    with pytest.raises(services.CaseKnown) as refusal:
        services.open_case(actor=inspector, at=now, facts=again, region=case.region)
    assert case.number in str(refusal.value.fields["protocol_number"])
    of_another_day = replace(again, protocol_on=now.date(), seized_on=now.date() - timedelta(days=1))
    with pytest.raises(services.CaseKnown):
        services.open_case(actor=inspector, at=now, facts=of_another_day, region=case.region)
    assert Case.objects.count() == 1
    copied = Case(**{field.attname: getattr(case, field.attname) for field in Case._meta.concrete_fields})
    copied.pk, copied.number = None, "SZ25-000999"
    refused(copied.save, "one_case_of_a_protocol")


def test_an_erdr_number_has_15_digits(facts: CaseFacts, case: Case, inspector: User, now: datetime) -> None:
    for text in ("abc", "25270012100034", "2527001210003456"):
        with pytest.raises(BadInput) as refusal:
            services.open_case(
                actor=inspector,
                at=now,
                facts=replace(facts, protocol_number="№ 43", erdr_number=text),
                region=case.region,
            )
        assert set(refusal.value.fields) == {"erdr_number"}
        with pytest.raises(BadInput):
            services.note_facts(actor=inspector, at=now, case=case, version=0, facts={}, erdr_number=text)
    refused(lambda: Case.objects.filter(pk=case.pk).update(erdr_number="abc"), "erdr_number_has_15_digits")


def test_a_place_outside_the_region_is_asked_about(
    facts: CaseFacts, case: Case, inspector: User, region: Region, now: datetime
) -> None:
    new = replace(facts, protocol_number="№ 44", latitude=Decimal(0), longitude=Decimal(0))
    with pytest.raises(services.PlaceNotConfirmed) as refusal:
        services.open_case(actor=inspector, at=now, facts=new, region=region)
    assert set(refusal.value.fields) == {"confirm_place"}
    almaty = {"latitude": Decimal("43.25"), "longitude": Decimal("76.9")}
    with pytest.raises(services.PlaceNotConfirmed):
        services.note_facts(actor=inspector, at=now, case=case, version=0, facts=almaty)

    opened = services.open_case(actor=inspector, at=now, facts=replace(new, confirm_place=True), region=region)
    here = {"latitude": Decimal("49.42"), "longitude": Decimal("46.85")}
    noted = services.note_facts(actor=inspector, at=now, case=case, version=0, facts=here)

    assert (opened.latitude, noted.longitude) == (Decimal(0), Decimal("46.85"))


# Persons


def test_every_look_at_persons_is_journalled_and_most_may_not_look(
    case: Case, inspector: User, auditor: User, authority_officer: User, authority_head: User, now: datetime
) -> None:
    services.add_person(actor=inspector, at=now, case=case, full_name="Сейтқали Асан", part=CasePerson.Part.SUSPECT)

    assert [p.full_name for p in services.look_at_persons(actor=authority_head, at=now, case=case)] == ["Сейтқали Асан"]
    for person in (auditor, authority_officer):
        with pytest.raises(NotAllowed):
            services.look_at_persons(actor=person, at=now, case=case)
    looks = Event.objects.filter(verb="case.persons_seen")
    assert [(look.actor_id, look.facts["persons"]) for look in looks] == [(authority_head.pk, 1)]
    assert "Сейтқали" not in str([event.facts for event in Event.objects.all()])


def test_the_database_keeps_the_persons_of_a_case(case: Case, inspector: User, now: datetime) -> None:
    services.add_person(actor=inspector, at=now, case=case, full_name="Сейтқали Асан", part=CasePerson.Part.SUSPECT)

    refused(lambda: CasePerson.objects.filter(case=case)._raw_delete("default"), "delete rows")
    refused(lambda: CasePerson.objects.filter(case=case).update(full_name="A. B."), "update or delete")

    assert case.persons.get().full_name == "Сейтқали Асан"


def test_an_iin_is_checked(case: Case, inspector: User, now: datetime) -> None:
    with pytest.raises(BadInput) as refusal:
        services.add_person(
            actor=inspector, at=now, case=case, full_name="Асан А.", part=CasePerson.Part.WITNESS, iin="123456789012"
        )
    assert set(refusal.value.fields) == {"iin"}


def test_an_expertise_is_asked_for_and_answered_once(case: Case, inspector: User, now: datetime) -> None:
    asked = services.request_expertise(
        actor=inspector, at=now, case=case, institution="Сот сараптамасы орталығы", requested_on=now.date()
    )

    done = services.receive_expertise(
        actor=inspector, at=now, expertise=asked, number="312", done_on=now.date(), expert="", finding="Saiga tatarica"
    )

    assert done.finding == "Saiga tatarica"
    with pytest.raises(InvalidTransition):
        services.receive_expertise(
            actor=inspector, at=now, expertise=asked, number="313", done_on=now.date(), expert="", finding="-"
        )
    refused(lambda: type(done).objects.filter(pk=done.pk).update(finding="-"), "Cannot update")


# The court


def test_a_decision_changes_nothing_until_another_person_confirms_it(
    decision: CourtDecision, evidence: list[Derivative], inspector: User, evidence_room: CustodyAccount, now: datetime
) -> None:
    assert Hold.objects.active().filter(kind="evidence").count() == 4
    assert Notice.objects.open().filter(code="case.decision_waits").count() == 1
    with pytest.raises(SecondPersonNeeded):
        services.confirm_decision(actor=inspector, at=now, decision=decision)
    assert Hold.objects.active().filter(kind="evidence").count() == 4
    refused(
        lambda: CourtDecision.objects.filter(pk=decision.pk).update(
            state="confirmed", closed_by=inspector, closed_at=now
        ),
        "decision_needs_two_persons",
    )


def test_a_confirmed_decision_lets_the_evidence_go_and_makes_of_it_what_the_court_said(
    decision: CourtDecision,
    evidence: list[Derivative],
    held_case: Case,
    authority_officer: User,
    evidence_room: CustodyAccount,
    now: datetime,
) -> None:
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)

    keys = [horn.pk for horn in evidence]
    assert not Hold.objects.active().filter(kind="evidence").exists()
    there = dict(Holding.objects.filter(account=evidence_room).values_list("item_id", "stock_class"))
    confiscated = dict.fromkeys([keys[0], keys[1], keys[3]], "HOR:confiscated")
    assert there == confiscated | {keys[2]: "HOR:seizure"}  # the owner's horn waits for its act of return
    courts = Hold.objects.active().filter(item__in=keys[2:])
    assert [(hold.kind, hold.reference) for hold in courts] == [("court", "1-118/2025")] * 2
    assert AccountTotal.objects.get(account=evidence_room, stock_class="HOR:seizure").pieces == 1
    assert {movement.kind for movement in Movement.objects.exclude(kind="intake")} == {MovementKind.DECISION}
    assert find_differences() == {}
    assert not Notice.objects.open().filter(code="case.decision_waits").exists()
    assert Case.objects.with_stage().get(pk=held_case.pk).stage == Stage.DECIDED  # type: ignore[attr-defined]
    outcomes = {(line.outcome, line.pieces) for line in standing_goods(held_case)}
    assert outcomes == {("confiscated", 2), ("returned", 1), ("destroy", 1)}


def test_a_decision_that_is_not_in_force_waits(
    held_case: Case,
    evidence: list[Derivative],
    paper: DecisionFacts,
    inspector: User,
    authority_officer: User,
    now: datetime,
    later: Later,
) -> None:
    tomorrow = replace(paper, in_force_on=later(days=1).date())
    decision = services.record_decision(
        actor=inspector, at=now, case=held_case, facts=tomorrow, outcomes={Outcome.DESTROY: [evidence[0].pk]}
    )

    with pytest.raises(InvalidTransition):
        services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    assert Hold.objects.active().filter(kind="evidence").count() == 4
    services.confirm_decision(actor=authority_officer, at=later(days=1), decision=decision)
    assert Hold.objects.active().filter(kind="evidence").count() == 3


def test_the_alert_of_a_decision_is_not_explained_away_while_it_waits(
    decision: CourtDecision, inspector: User, authority_officer: User, now: datetime
) -> None:
    waits = Notice.objects.get(code="case.decision_waits")

    with pytest.raises(InvalidTransition):
        decide_notice(
            actor=authority_officer,
            at=now,
            notice=waits,
            outcome="explained",
            decision="Seen",
            reason="It will be done",
        )
    waits.refresh_from_db()
    assert waits.is_open

    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    waits.refresh_from_db()
    assert (waits.state, waits.outcome) == ("decided", "settled")


def test_one_decision_waits_at_a_time_and_can_be_taken_back(
    decision: CourtDecision,
    held_case: Case,
    evidence: list[Derivative],
    paper: DecisionFacts,
    inspector: User,
    authority_officer: User,
    now: datetime,
) -> None:
    outcomes = {Outcome.CONFISCATED: [evidence[0].pk]}
    other = replace(paper, number="1-119/2025")
    with pytest.raises(services.DecisionWaits):
        services.record_decision(actor=inspector, at=now, case=held_case, facts=other, outcomes=outcomes)

    services.withdraw_decision(actor=authority_officer, at=now, decision=decision, reason="Another number")

    services.record_decision(actor=inspector, at=now, case=held_case, facts=other, outcomes=outcomes)
    with pytest.raises(InvalidTransition):
        services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    assert Hold.objects.active().filter(kind="evidence").count() == 4


def test_a_court_decides_of_goods_of_its_case_only(
    held_case: Case,
    paper: DecisionFacts,
    horns: list[Derivative],
    evidence: list[Derivative],
    inspector: User,
    inspector_elsewhere: User,
    now: datetime,
) -> None:
    with pytest.raises(services.GoodsNotHeld):
        services.record_decision(
            actor=inspector, at=now, case=held_case, facts=paper, outcomes={Outcome.CONFISCATED: [horns[0].pk]}
        )
    with pytest.raises(NotAllowed):
        services.record_decision(
            actor=inspector_elsewhere, at=now, case=held_case, facts=paper, outcomes={Outcome.DESTROY: [evidence[0].pk]}
        )
    assert not CourtDecision.objects.exists()


def test_a_decision_is_not_older_than_the_seizure(
    held_case: Case, evidence: list[Derivative], paper: DecisionFacts, inspector: User, now: datetime
) -> None:
    old = replace(paper, decided_on=date(2019, 1, 1), in_force_on=date(2019, 1, 1))
    outcomes = {Outcome.CONFISCATED: [evidence[0].pk]}

    with pytest.raises(BadInput) as refusal:
        services.record_decision(actor=inspector, at=now, case=held_case, facts=old, outcomes=outcomes)

    assert set(refusal.value.fields) == {"decided_on"}
    facts = {"court": "C", "number": "77", "decided_on": date(2019, 1, 1), "in_force_on": date(2019, 1, 1)}
    refused(
        lambda: CourtDecision.objects.create(case=held_case, recorded_by=inspector, recorded_at=now, **facts),
        "decision_is_after_the_seizure",
    )


def test_goods_go_back_by_a_scanned_decision_that_another_office_confirms(
    held_case: Case, evidence: list[Derivative], paper: DecisionFacts, inspector: User, second_inspector: User,
    authority_officer: User, now: datetime,
) -> None:  # fmt: skip
    outcomes = {Outcome.RETURNED: [evidence[0].pk]}
    said = {"actor": inspector, "at": now, "case": held_case, "facts": paper, "outcomes": outcomes}
    with pytest.raises(BadInput) as refusal:
        services.record_decision(**said)  # type: ignore[arg-type]
    assert set(refusal.value.fields) == {"scan"}
    decision = services.record_decision(**said, content=scanned(1), name="decision.jpg")  # type: ignore[arg-type]

    with pytest.raises(SecondPersonNeeded):
        services.confirm_decision(actor=second_inspector, at=now, decision=decision)
    confirmed = {"state": "confirmed", "closed_by": second_inspector, "closed_at": now}
    refused(lambda: CourtDecision.objects.filter(pk=decision.pk).update(**confirmed), "release_is_confirmed_elsewhere")
    refused(
        lambda: CourtDecision.objects.filter(pk=decision.pk).update(
            **confirmed | {"closed_by": authority_officer, "document": None}
        ),
        "release_has_its_scan",
    )
    assert Hold.objects.active().filter(kind="evidence").count() == 4
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    assert Hold.objects.active().get(item=evidence[0].pk).kind == "court"


def test_the_counts_are_settled_before_a_decision_takes_effect(
    held_case: Case, evidence: list[Derivative], decision: CourtDecision, inspector: User, authority_officer: User,
    authority_head: User, now: datetime,
) -> None:  # fmt: skip
    services.count_goods(actor=inspector, at=now, case=held_case, counts={Term.HORN: (5, None)})
    notice = Notice.objects.get(code="case.counts_differ")

    with pytest.raises(services.CountsNotSettled):
        services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    refused(
        lambda: CourtDecision.objects.filter(pk=decision.pk).update(
            state="confirmed", closed_by=authority_officer, closed_at=now
        ),
        "counts_are_settled_before_the_decision",
    )
    why = "One horn lies broken in two"
    services.count_goods(actor=inspector, at=now, case=held_case, counts={Term.HORN: (4, None)}, reason=why)
    lowered = Notice.objects.get(code="case.count_lowered")
    for waiting in (notice, lowered):
        with pytest.raises(services.CountsNotSettled):  # the one who counts settles nothing by another number
            services.confirm_decision(actor=authority_officer, at=now, decision=decision)
        refused(
            lambda: CourtDecision.objects.filter(pk=decision.pk).update(
                state="confirmed", closed_by=authority_officer, closed_at=now
            ),
            "counts_are_settled_before_the_decision",
        )
        decide_notice(
            actor=authority_head, at=now, notice=waiting, outcome="corrected", decision="Miscounted",
            reason="Broken in two.",
        )  # fmt: skip

    services.confirm_decision(actor=authority_officer, at=now, decision=decision)

    assert Hold.objects.active().filter(kind="evidence").count() == 0


def test_a_count_is_lowered_with_a_reason_that_the_authority_judges(
    held_case: Case, inspector: User, second_inspector: User, authority_head: User, now: datetime
) -> None:
    services.count_goods(actor=inspector, at=now, case=held_case, counts={Term.HORN: (5, None)})
    differs = Notice.objects.get(code="case.counts_differ")
    for words in ("", "xxxxxxxxxx"):
        with pytest.raises(BadInput) as refusal:
            services.count_goods(actor=inspector, at=now, case=held_case, counts={Term.HORN: (4, None)}, reason=words)
        assert set(refusal.value.fields) == {"reason"}
    with pytest.raises(BadInput):
        services.count_goods(actor=inspector, at=now, case=held_case, counts={Term.HORN: (0, None)})
    refused(lambda: SeizedCount.objects.filter(case=held_case).update(pieces=4), "lower_count_is_told")
    refused(lambda: SeizedCount.objects.filter(case=held_case).delete(), "lower_count_is_told")
    assert held_case.counts.get().pieces == 5

    services.count_goods(
        actor=inspector, at=now, case=held_case, counts={Term.HORN: (4, None)}, reason="One horn lies broken in two"
    )

    lowered = Notice.objects.get(code="case.count_lowered")
    assert (lowered.params["before"], lowered.params["after"]) == (5, 4)
    for notice in (differs, lowered):
        assert notice.decides == "authority"
        for person, outcome, error in (
            (second_inspector, "corrected", NotAllowed),
            (authority_head, "explained", BadInput),
        ):
            with pytest.raises(error):
                decide_notice(
                    actor=person, at=now, notice=notice, outcome=outcome, decision="All is well",
                    reason="It was miscounted there",
                )  # fmt: skip


def test_the_facts_of_a_decided_case_stay(
    held_case: Case, decision: CourtDecision, inspector: User, authority_officer: User, now: datetime
) -> None:
    services.note_facts(actor=inspector, at=now, case=held_case, version=0, facts={"males": 1})
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    before = Case.objects.get(pk=held_case.pk)

    def note(**facts: object) -> Case:
        return services.note_facts(actor=inspector, at=now, case=held_case, version=before.version, facts=facts)

    for changed in ({"males": 3}, {"young": 1}, {"place": "Elsewhere"}, {"offence_on": date(2025, 1, 1)}):
        with pytest.raises(services.DecidedCase) as refusal:
            note(**changed)
        assert set(refusal.value.fields) == set(changed)
        refused(partial(Case.objects.filter(pk=held_case.pk).update, **changed), "decided_case_stays")
    with pytest.raises(services.DecidedCase):
        services.count_goods(actor=inspector, at=now, case=held_case, counts={Term.HORN: (9, None)})
    refused(lambda: held_case.counts.create(term=Term.HORN, pieces=9), "decided_counts_stay")
    assert Case.objects.get(pk=held_case.pk).males == 1

    noted = note(sanction="A fine", detection=CaseWord.objects.get(list="detection", code="patrol"))
    with pytest.raises(services.DecidedCase):
        services.note_facts(
            actor=inspector,
            at=now,
            case=held_case,
            version=noted.version,
            facts={"detection": CaseWord.objects.filter(list="detection").exclude(code="patrol").first()},
        )


OWNER = services.Receiver(name="Жақсылықов Нұрлан", document="ЖК № 045871236, ІІМ 12.03.2021")


def test_goods_leave_the_books_with_the_act_of_return_and_not_before(
    decision: CourtDecision, evidence: list[Derivative], inspector: User, second_inspector: User,
    authority_officer: User, trader: User, now: datetime,
) -> None:  # fmt: skip
    horn = evidence[2].pk
    give = {"at": now, "decision": decision, "item_ids": [horn], "receiver": OWNER, "picture": scrawl()}
    give["second"] = inspector
    with pytest.raises(InvalidTransition):
        services.return_goods(actor=second_inspector, **give)  # type: ignore[arg-type]
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    with pytest.raises(NotAllowed):
        services.return_goods(actor=trader, **give)  # type: ignore[arg-type]
    nobody = services.Receiver(name=" ", document="")
    with pytest.raises(BadInput) as refusal:
        services.return_goods(actor=second_inspector, **give | {"receiver": nobody, "picture": None})  # type: ignore[arg-type]
    assert set(refusal.value.fields) == {"receiver_name", "receiver_document", "receipt"}
    with pytest.raises(services.GoodsNotHeld):
        services.return_goods(actor=second_inspector, **give | {"item_ids": [evidence[0].pk]})  # type: ignore[arg-type]

    blank = {"receiver": services.Receiver(name="Жақсылықов Нұрлан", document="document x"), "picture": photo(2)}
    with pytest.raises(BadInput) as refusal:
        services.return_goods(actor=second_inspector, **give | blank)  # type: ignore[arg-type]
    assert set(refusal.value.fields) == {"receiver_document", "signature"}
    for alone in ((inspector, second_inspector), (second_inspector, second_inspector), (second_inspector, trader)):
        with pytest.raises(SecondPersonNeeded):
            services.return_goods(actor=alone[0], **give | {"second": alone[1]})  # type: ignore[arg-type]
    assert Holding.objects.get(item=horn, pieces__gt=0).account.kind == "evidence"

    act = services.return_goods(actor=second_inspector, **give)  # type: ignore[arg-type]

    assert act.number == "RT25-000001"
    assert [paper.file.read()[:5] for paper in (act.paper_kk, act.paper_ru)] == [b"%PDF-"] * 2
    assert Holding.objects.get(item=horn, pieces__gt=0).account.kind == "returned"
    assert not Hold.objects.active().filter(item=horn).exists()
    assert find_differences() == {}
    with pytest.raises(services.GoodsNotHeld):
        services.return_goods(actor=second_inspector, **give)  # type: ignore[arg-type]
    assert "Жақсылықов" not in str([event.facts for event in Event.objects.all()])
    refused(lambda: ReturnAct.objects.filter(pk=act.pk).update(receiver_name="-"), "Cannot update")


def test_goods_go_back_only_to_whom_the_case_or_the_decision_names(
    held_case: Case, evidence: list[Derivative], paper: DecisionFacts, inspector: User, second_inspector: User,
    authority_officer: User, now: datetime,
) -> None:  # fmt: skip
    decision = services.record_decision(
        actor=inspector, at=now, case=held_case, facts=replace(paper, returned_to=""), content=scanned(),
        name="decision.jpg", outcomes={Outcome.RETURNED: [horn.pk for horn in evidence]},
    )  # fmt: skip
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    friend = services.Receiver(name="Иванов Иван Иванович", document="ЖК № 044444444")

    def give(receiver: services.Receiver, horn: int) -> ReturnAct:
        return services.return_goods(
            actor=second_inspector, second=inspector, at=now, decision=decision, item_ids=[evidence[horn].pk],
            receiver=receiver, picture=scrawl(),
        )  # fmt: skip

    def enter(by: User, part: CasePerson.Part) -> None:
        services.add_person(actor=by, at=now, case=held_case, full_name=friend.name, part=part)

    with pytest.raises(BadInput) as refusal:
        give(friend, 0)
    assert set(refusal.value.fields) == {"receiver_name"}
    enter(inspector, CasePerson.Part.WITNESS)
    with pytest.raises(BadInput):
        give(friend, 0)
    enter(second_inspector, CasePerson.Part.OWNER)
    with pytest.raises(SecondPersonNeeded):  # entered by the one who hands over
        give(friend, 0)
    assert not ReturnAct.objects.exists()

    services.add_person(
        actor=inspector, at=now, case=held_case, full_name="Жақсылықов Нұрлан Серікұлы", part=CasePerson.Part.CLAIMANT
    )
    owner = CasePerson.objects.get(part="claimant")
    assert give(OWNER, 0).owner == owner
    son = services.Receiver(
        name="Жақсылықов Асан Нұрланұлы", document="ЖК № 044444444", for_whom=str(owner.pk),
        on_behalf="№ 17, 03.11.2025, нотариус",
    )  # fmt: skip
    witness = str(CasePerson.objects.get(part="witness").pk)
    for wrong, field in (
        ({"for_whom": ""}, "for_whom"),
        ({"for_whom": "", "on_behalf": "Жақсылықов Нұрлан Серікұлы, № 17"}, "for_whom"),
        ({"for_whom": witness}, "for_whom"),
        ({"for_whom": "decision"}, "for_whom"),
        ({"on_behalf": ""}, "on_behalf"),
        ({"on_behalf": "нотариус"}, "on_behalf"),
    ):
        with pytest.raises(BadInput) as refusal:
            give(replace(son, **wrong), 1)
        assert set(refusal.value.fields) == {field}
    with pytest.raises(SecondPersonNeeded):  # entered by the one who hands over
        give(replace(son, for_whom=str(CasePerson.objects.get(part="owner").pk)), 1)
    assert ReturnAct.objects.count() == 1
    assert give(son, 1).owner == owner
    kept = keep_document(actor=inspector, at=now, kind=Document.Kind.PHOTO, name="a.jpg", content=photo(1))
    for nobody in (None, CasePerson.objects.get(part="witness"), CasePerson.objects.get(part="owner")):
        refused(
            lambda nobody=nobody: ReturnAct.objects.create(  # type: ignore[misc]
                number="RT25-9", decision=decision, owner=nobody, receiver_name="A", receiver_document="B",
                receipt=kept, paper_kk=kept, paper_ru=kept, handed_by=second_inspector, handed_at=now,
                second=inspector,
            ),
            "goods_go_back_to_whom_the_case_names",
        )  # fmt: skip


def test_goods_are_received_for_whom_the_decision_names_by_a_power_of_attorney(
    decision: CourtDecision, evidence: list[Derivative], inspector: User, second_inspector: User,
    authority_officer: User, now: datetime,
) -> None:  # fmt: skip
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    sent = services.Receiver(
        name="Жақсылықов Асан Нұрланұлы", document="ЖК № 044444444", on_behalf="№ 17", for_whom=NAMED
    )

    act = services.return_goods(
        actor=second_inspector, second=inspector, at=now, decision=decision, item_ids=[evidence[2].pk],
        receiver=sent, picture=scrawl(),
    )  # fmt: skip

    assert owners_of(decision) == {NAMED: "Жақсылықов Нұрлан Серікұлы"}
    assert (act.owner, act.receiver_name, act.on_behalf) == (None, sent.name, "№ 17")


@pytest.mark.parametrize("scan", [dot(), picture(), scanned(size=(300, 900))])
def test_a_picture_that_nobody_can_read_is_no_scan_of_a_decision(
    held_case: Case, evidence: list[Derivative], paper: DecisionFacts, inspector: User, now: datetime, scan: bytes
) -> None:
    with pytest.raises(UnusableFile):
        services.record_decision(
            actor=inspector, at=now, case=held_case, facts=paper, content=scan, name="decision.png",
            outcomes={Outcome.RETURNED: [evidence[0].pk]},
        )  # fmt: skip

    assert not CourtDecision.objects.exists()


def test_the_database_wants_two_persons_to_give_goods_back(
    decision: CourtDecision, inspector: User, second_inspector: User, authority_officer: User, now: datetime
) -> None:
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    kept = keep_document(actor=inspector, at=now, kind=Document.Kind.PHOTO, name="a.jpg", content=photo(1))

    def write(handed_by: User, second: User | None) -> object:
        return ReturnAct.objects.create(
            number="RT25-9", decision=decision, receiver_name="A", receiver_document="B", receipt=kept,
            paper_kk=kept, paper_ru=kept, handed_by=handed_by, handed_at=now, second=second,
        )  # fmt: skip

    for pair in ((second_inspector, None), (inspector, second_inspector), (second_inspector, second_inspector)):
        refused(lambda pair=pair: write(*pair), "goods_go_back_by_two_persons")  # type: ignore[misc]


def test_the_database_lets_nothing_go_back_without_an_act(
    decision: CourtDecision, evidence: list[Derivative], evidence_room: CustodyAccount, inspector: User,
    authority_officer: User, now: datetime,
) -> None:  # fmt: skip
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    horn = evidence[2].pk
    lift_hold(actor=inspector, at=now, item_ids=[horn], kind=Hold.Kind.COURT, reason="By the back door")

    refused(
        lambda: move_items(
            actor=inspector,
            at=now,
            key="out",
            kind=MovementKind.DECISION,
            item_ids=[horn],
            source=evidence_room,
            target=CustodyAccount.objects.boundary(AccountKind.RETURNED),
            effective_on=now.date(),
        ),
        "decision_moves_what_was_decided",
    )
    assert Holding.objects.get(item=horn, pieces__gt=0).account == evidence_room


def test_what_is_missing_does_not_keep_a_court_waiting(
    held_case: Case, evidence: list[Derivative], paper: DecisionFacts, inspector: User, authority_officer: User,
    evidence_room: CustodyAccount, now: datetime, later: Later,
) -> None:  # fmt: skip
    keys = [horn.pk for horn in evidence]
    commission = [inspector, authority_officer]
    count = open_stocktake(actor=inspector, at=now, account=evidence_room, commission=commission)
    for key in keys[1:]:
        take_scan(actor=inspector, at=now, stocktake=count, item_id=key, text=str(key))
    end_counting(actor=inspector, at=now, stocktake=count)
    decision = services.record_decision(
        actor=inspector, at=now, case=held_case, facts=paper, outcomes={Outcome.CONFISCATED: keys}
    )

    services.confirm_decision(actor=authority_officer, at=now, decision=decision)

    classes = dict(Holding.objects.filter(account=evidence_room).values_list("item_id", "stock_class"))
    assert classes == dict.fromkeys(keys[1:], "HOR:confiscated") | {keys[0]: "HOR:seizure"}
    assert services.carry_out_waiting(at=later(days=1)) == 0
    count_again(actor=inspector, at=later(days=1), stocktake=count, reason="It lay behind the scale")
    assert services.carry_out_waiting(at=later(days=1)) == 1
    assert Holding.objects.get(item=keys[0], account=evidence_room).stock_class == "HOR:confiscated"
    assert not Hold.objects.active().exists()
    assert services.carry_out_waiting(at=later(days=2)) == 0


# Around the services


def test_the_database_keeps_evidence_held_without_a_confirmed_decision(
    decision: CourtDecision, evidence: list[Derivative], inspector: User, now: datetime
) -> None:
    keys = [horn.pk for horn in evidence]
    lift = {"actor": inspector, "at": now, "kind": Hold.Kind.EVIDENCE, "reason": "Found a buyer"}

    refused(lambda: lift_hold(item_ids=keys[:1], **lift), "evidence_is_lifted_by_decision")  # type: ignore[arg-type]
    refused(lambda: Hold.objects.filter(item=keys[0]).update(kind="dispute"), "Cannot update")
    refused(lambda: Hold.objects.filter(item=keys[0])._raw_delete("default"), "delete rows")
    refused(lambda: DecidedItem.objects.filter(decision=decision).update(is_confirmed=True), "items_are_decided_with")
    assert Hold.objects.active().filter(kind="evidence").count() == 4


def test_the_database_lets_nobody_change_what_was_decided(
    decision: CourtDecision, evidence: list[Derivative], horns: list[Derivative], authority_officer: User, now: datetime
) -> None:
    refused(lambda: decision.items.update(outcome="returned"), "Cannot update")
    refused(
        lambda: DecidedItem.objects.create(decision=decision, item_id=horns[0].pk, outcome="confiscated"),
        "items_are_decided_with_their_decision",
    )
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)
    refused(lambda: CourtDecision.objects.filter(pk=decision.pk).update(state="withdrawn"), "Cannot update")


def test_the_database_changes_the_class_of_stock_by_a_decision_only(
    decision: CourtDecision,
    evidence: list[Derivative],
    horns: list[Derivative],
    evidence_room: CustodyAccount,
    reception_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> None:
    def launder(kind: str, item: int, account: CustodyAccount, old: str, new: str) -> Callable[[], None]:
        def write() -> None:
            grams = Holding.objects.get(item=item, account=account).grams
            movement = Movement.objects.create(kind=kind, key=f"{kind}{item}", actor=inspector, effective_on=now.date())
            Posting.objects.bulk_create(
                Posting(
                    movement=movement, account=account, item_id=item, stock_class=stock, pieces=sign, grams=sign * grams
                )
                for stock, sign in ((old, -1), (new, 1))
            )

        return write

    refused(
        launder("transfer", horns[0].pk, reception_store, "HOR:removal", "HOR:old_stock"),
        "only_a_decision_changes_the_class",
    )
    refused(
        launder("decision", horns[0].pk, reception_store, "HOR:removal", "HOR:confiscated"),
        "decision_moves_what_was_decided",
    )
    refused(launder("transfer", evidence[0].pk, evidence_room, "HOR:seizure", "HOR:removal"), "held_item_does_not_move")
    assert find_differences() == {}


def test_evidence_does_not_leave_and_confiscated_goods_may(
    decision: CourtDecision, evidence: list[Derivative], evidence_room: CustodyAccount, authority_officer: User,
    central_store: CustodyAccount, inspector: User, now: datetime,
) -> None:  # fmt: skip
    send = {"actor": inspector, "at": now, "source": evidence_room, "target": central_store}
    with pytest.raises(ItemsOnHold):
        dispatch_items(carried_by="A courier", key="a", item_ids=[evidence[0].pk], **send)  # type: ignore[arg-type]
    services.confirm_decision(actor=authority_officer, at=now, decision=decision)

    handover = dispatch_items(carried_by="A courier", key="b", item_ids=[evidence[0].pk], **send)  # type: ignore[arg-type]

    assert handover.lines.count() == 1
    with pytest.raises(ItemsOnHold):
        dispatch_items(carried_by="A courier", key="c", item_ids=[evidence[3].pk], **send)  # type: ignore[arg-type]


def test_a_decision_costs_the_same_for_many_goods(
    inspector: User, authority_officer: User, evidence_room: CustodyAccount, police: Organisation, now: datetime,
    django_assert_max_num_queries: Callable[..., object],
) -> None:  # fmt: skip
    intake = build_seizure(actor=inspector, at=now, store=evidence_room, agency=police, rows=60)
    goods = register(intake, actor=inspector, at=now)
    assert intake.case is not None
    paper = DecisionFacts("Court", "1", date(2025, 11, 9), date(2025, 11, 10))
    outcomes = {Outcome.CONFISCATED: [horn.pk for horn in goods[:30]], Outcome.DESTROY: [h.pk for h in goods[30:]]}
    decision = services.record_decision(actor=inspector, at=now, case=intake.case, facts=paper, outcomes=outcomes)

    with django_assert_max_num_queries(45):  # type: ignore[attr-defined]
        services.confirm_decision(actor=authority_officer, at=now, decision=decision)

    assert Term.HORN in {line.term for line in standing_goods(intake.case)}


def test_the_journal_counts_in_the_readers_language(
    held_case: Case, decision: CourtDecision, inspector: User, now: datetime
) -> None:
    services.count_goods(actor=inspector, at=now, case=held_case, counts={Term.HORN: (9, None)})
    told = {
        verb: Event.objects.get(verb=verb, subject_id=str(held_case.pk))
        for verb in ("case.decision_recorded", "case.goods_counted")
    }

    for language in ("kk", "ru", "en"):
        with translation.override(language):
            said = {verb: facts_in_words(event)[-1].value for verb, event in told.items()}
            assert said["case.goods_counted"] == f"{str(Term.HORN.label).capitalize()}: 9"
            assert said["case.decision_recorded"].startswith(tuple(str(outcome.label) for outcome in Outcome))
            assert "_" not in said["case.decision_recorded"]
