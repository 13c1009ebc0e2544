"""The inbox: who acts, what was explained, judged, decided; letters once a day; what is late goes to the authority."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.letters import write_daily, write_to_responsible
from core.notices.models import BY_THE_CLOCK, Mailing, Notice, NoticeNote
from core.notices.selectors import notices_waiting
from core.notices.services import (
    AlreadyDecided,
    ExplanationFirst,
    NotResponsible,
    assign_notices,
    comment_notice,
    decide_notice,
    escalate_overdue,
    explain_notice,
    raise_notice,
    return_notice,
    settle_notice,
)
from core.notices.texts import ADVICE, DECIDERS, TEXTS, say, table_of_codes
from tests.cast import enter_person

pytestmark = pytest.mark.django_db

Raise = Callable[..., Notice]


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS, "test.own", "%(number)s: look into it")
    monkeypatch.setitem(TEXTS, "test.judged", "%(number)s: explain it")
    monkeypatch.setitem(DECIDERS, "test.judged", "authority")
    for code in ("test.own", "test.judged"):
        monkeypatch.setitem(ADVICE, code, "Look into it, and say what you found.")


@pytest.fixture
def raised(trader_company: Organisation, now: datetime) -> Raise:
    def make(code: str = "test.own", organisation: Organisation = trader_company, **facts: Any) -> Notice:
        given: dict[str, Any] = {"kind": Notice.Kind.ALERT, "subject": ("handover", 4), "number": "HO25-000004"}
        return raise_notice(at=now, code=code, organisation=organisation, **(given | facts))

    return make


def test_the_organisation_explains_and_the_authority_judges(
    raised: Raise, trader: User, authority_officer: User, now: datetime
) -> None:
    notice = raised("test.judged")
    assert list(Notice.objects.explainable_by(trader)) == [notice]
    assert not Notice.objects.decidable_by(trader).exists()

    explain_notice(actor=trader, at=now, notice=notice, explanation="Таразы бұзылған")
    assert notice.waits_for_authority
    assert not Notice.objects.waiting_for(trader).exists()
    return_notice(actor=authority_officer, at=now, notice=notice, reason="Акт жоқ, as told", due_on=date(2025, 11, 20))
    assert (notice.state, notice.explained_by, notice.due_on) == ("open", None, date(2025, 11, 20))
    explain_notice(actor=trader, at=now, notice=notice, explanation="Қойманың № 7 актісі")
    decide_notice(
        actor=authority_officer,
        at=now,
        notice=notice,
        outcome="other",
        decision="Қабылданды",
        reason="Қойманың № 7 актісі",
    )

    assert notice.state == "decided"
    assert list(notice.notes.values_list("kind", flat=True)) == ["explanation", "return", "explanation"]


def test_only_the_right_people_explain_return_and_judge(
    raised: Raise, trader: User, other_trader: User, auditor: User, authority_officer: User, now: datetime
) -> None:
    judged, own = raised("test.judged"), raised()

    for person in (other_trader, auditor, authority_officer):
        with pytest.raises(NotAllowed):
            explain_notice(actor=person, at=now, notice=judged, explanation="How it came about.")
    with pytest.raises(InvalidTransition):
        explain_notice(actor=trader, at=now, notice=own, explanation="How it came about.")
    with pytest.raises(ExplanationFirst):
        return_notice(actor=authority_officer, at=now, notice=judged, reason="As the act says")
    with pytest.raises(BadInput):
        explain_notice(actor=trader, at=now, notice=judged, explanation=" ")
    explain_notice(actor=trader, at=now, notice=judged, explanation="How it came about.")
    with pytest.raises(AlreadyDecided):
        explain_notice(actor=trader, at=now, notice=judged, explanation="How it came about, too.")
    with pytest.raises(NotAllowed):
        return_notice(actor=trader, at=now, notice=judged, reason="As the act says")
    with pytest.raises(NotAllowed):
        decide_notice(actor=trader, at=now, notice=judged, outcome="other", decision="x", reason="What the act says.")
    with pytest.raises(BadInput):
        return_notice(actor=authority_officer, at=now, notice=judged, reason="As the act says", due_on=date(2025, 1, 1))
    judged.refresh_from_db()
    assert judged.state == "explained"


def test_several_are_given_to_a_person_who_may_act(
    raised: Raise, trader: User, other_trader: User, auditor: User, authority_head: User, now: datetime
) -> None:
    notices = [raised(), raised("test.judged")]

    assert assign_notices(actor=trader, at=now, notices=notices, person=trader) == 2
    assert assign_notices(actor=trader, at=now, notices=notices, person=trader) == 0
    assert assign_notices(actor=trader, at=now, notices=notices, person=authority_head) == 2
    for person in (other_trader, auditor):
        with pytest.raises(NotResponsible):
            assign_notices(actor=trader, at=now, notices=notices, person=person)
        with pytest.raises(NotAllowed):
            assign_notices(actor=person, at=now, notices=notices, person=trader)
    decide_notice(actor=trader, at=now, notice=notices[0], outcome="other", decision="x", reason="What the act says.")
    with pytest.raises(AlreadyDecided):
        assign_notices(actor=trader, at=now, notices=notices, person=None)
    assert set(Notice.objects.values_list("assigned_to", flat=True)) == {authority_head.pk}


def test_what_is_late_is_passed_to_the_authority_once(
    raised: Raise, trader: User, authority_officer: User, now: datetime
) -> None:
    late, early = raised(due_on=day_of(now) - timedelta(days=1)), raised(due_on=day_of(now))

    assert escalate_overdue(at=now) == [late]
    assert escalate_overdue(at=now) == []

    late.refresh_from_db()
    early.refresh_from_db()
    assert (late.escalated_at, early.escalated_at) == (now, None)
    assert notices_waiting(trader, day_of(now)).overdue == 1


def test_many_pass_to_the_authority_in_a_constant_number_of_queries(
    raised: Raise, trader: User, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for _each in range(12):
        raised(due_on=day_of(now) - timedelta(days=1))

    with django_assert_max_num_queries(5):
        assert len(escalate_overdue(at=now)) == 12

    assert Event.objects.filter(verb="notice.escalated", facts__notice__gt=0).count() == 12


def test_a_person_gets_one_letter_a_day_in_the_own_language(
    raised: Raise, trader: User, authority_officer: User, now: datetime
) -> None:
    trader.language = "kk"
    trader.save(update_fields=["language"])
    first, second = raised(), raised("test.judged", due_on=day_of(now) - timedelta(days=1))

    assert write_to_responsible([first.pk], at=now) == 1
    assert write_to_responsible([second.pk], at=now + timedelta(hours=1)) == 0
    assert [letter.to for letter in mail.outbox] == [[trader.email]]
    assert "HO25-000004" in mail.outbox[0].body
    assert write_daily(at=now) == 0
    assert write_daily(at=now + timedelta(days=1)) == 1
    escalate_overdue(at=now + timedelta(days=1))
    assert write_to_responsible([second.pk], at=now + timedelta(days=1)) == 1
    assert mail.outbox[-1].to == [authority_officer.email]
    assert Mailing.objects.count() == 3


def test_no_letter_goes_to_whom_nothing_waits_for(raised: Raise, trader: User, now: datetime) -> None:
    notice = raised()
    decide_notice(actor=trader, at=now, notice=notice, outcome="other", decision="x", reason="What the act says.")

    assert write_to_responsible([notice.pk], at=now) == 0
    assert write_daily(at=now) == 0
    assert mail.outbox == []


def test_a_letter_that_did_not_go_is_tried_again(
    raised: Raise, trader: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = raised()

    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("core.notices.letters.send_mail", away)
        assert write_to_responsible([notice.pk], at=now) == 0
    assert not Mailing.objects.exists()
    assert write_to_responsible([notice.pk], at=now) == 1


def test_the_database_keeps_judge_and_explainer_apart(raised: Raise, trader: User, now: datetime) -> None:
    judged, own = raised("test.judged"), raised()
    explain_notice(actor=trader, at=now, notice=judged, explanation="How it came about.")
    note = NoticeNote.objects.get()
    decided = {"state": "decided", "decided_by": trader, "decided_at": now, "decision": "x", "reason": "y"}

    for change in (
        lambda: Notice.objects.filter(pk=judged.pk).update(**decided),
        lambda: Notice.objects.filter(pk=own.pk).update(state="explained"),
        lambda: Notice.objects.filter(pk=own.pk).update(explained_by=trader, explained_at=now),
        lambda: Notice.objects.filter(pk=judged.pk).update(decides="organisation"),
        lambda: NoticeNote.objects.filter(pk=note.pk).update(text="other"),
        lambda: NoticeNote.objects.filter(pk=note.pk).delete(),
        lambda: NoticeNote.objects.create(notice=own, kind="comment", text="", by=trader, at=now),
        lambda: [Mailing.objects.create(user=trader, on=day_of(now), at=now, notices=1) for _each in range(2)],
    ):
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            change()


def test_the_page_leads_through_explanation_return_and_decision(
    client: Client, raised: Raise, trader: User, authority_officer: User
) -> None:
    notice = raised("test.judged")
    page = reverse("notices:notice", args=[notice.pk])
    client.force_login(trader)

    assert client.post(page, {"outcome": "other", "decision": "x", "reason": "What the act says."}).status_code == 403
    assert client.post(reverse("notices:explain", args=[notice.pk]), {"explanation": ""}).status_code == 422
    assert (
        client.post(reverse("notices:explain", args=[notice.pk]), {"explanation": "Таразы бұзылған"})["Location"]
        == page
    )
    client.post(reverse("notices:comment", args=[notice.pk]), {"text": "Қосымша"})
    client.force_login(authority_officer)
    assert "Таразы" in client.get(page).content.decode()
    client.post(reverse("notices:return", args=[notice.pk]), {"reason": "Акт қайда?, as told"})
    client.post(reverse("notices:assign", args=[notice.pk]), {"person": str(trader.pk)})
    notice.refresh_from_db()
    assert (notice.state, notice.assigned_to) == ("open", trader)
    assert (
        client.post(page, {"outcome": "other", "decision": "Қабылданбады", "reason": "Акт әлі жоқ екен"})["Location"]
        == page
    )
    text = client.get(page).content.decode()
    for word in ("Таразы", "Қосымша", "Акт қайда?", "Қабылданбады"):
        assert word in text


def test_the_list_is_filtered_and_assigned_in_bulk(client: Client, raised: Raise, trader: User, now: datetime) -> None:
    notices = [raised(), raised("test.judged", subject=("case", 1))]
    decide_notice(actor=trader, at=now, notice=raised(), outcome="other", decision="x", reason="What the act says.")
    client.force_login(trader)
    inbox = reverse("notices:inbox")

    def found(**asked: str) -> int:
        answer = client.get(inbox, asked)
        assert answer.status_code == 200
        return len(answer.context["page"].rows)

    assert (found(), found(state="all"), found(whose="mine"), found(about="case")) == (2, 3, 0, 1)
    answer = client.post(
        reverse("notices:assign-many"),
        {"notice": [notice.pk for notice in notices], "person": str(trader.pk), "next": inbox},
    )
    assert answer["Location"] == inbox
    assert (found(whose="mine"), found(whose="nobody"), found(region="75"), found(region="27")) == (2, 0, 2, 0)
    assert "notices/" in client.get("/").content.decode()


def test_every_alert_of_the_system_has_its_line(client: Client, auditor: User) -> None:
    client.force_login(auditor)

    text = client.get(reverse("notices:codes")).content.decode()

    for line in table_of_codes():
        assert line.code in text
        assert escape(line.example) in text
        assert "%(" not in line.example
        assert line.advice, line.code
        assert escape(line.advice) in text
        assert line.about != line.code.partition(".")[0] or line.code.startswith("test.")  # in words, not by the code
    assert DECIDERS["processing.loss"] == "authority"


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_every_alert_says_what_to_do_in_every_language(language: str) -> None:
    with translation.override(language):
        advice = {line.code: str(line.advice) for line in table_of_codes()}

    assert set(ADVICE) >= {code for code in TEXTS if not code.startswith("test.")}
    assert all(said.endswith(".") and len(said) > 20 for said in advice.values())


def test_a_label_that_is_alone_is_one_label() -> None:
    with translation.override("en"):
        assert "1 label did not arrive" in say("labels.missing", {"number": "LT", "count": 1, "places": "1"})
        assert "2 labels of reel" in say("labels.lost", {"reel": "LS", "count": 2, "reason": "?"})


def test_each_sentence_agrees_with_its_count() -> None:
    with translation.override("en"):
        one = say("handover.missing", {"missing": 1, "sent": 40, "number": "HO25-000004", "reason": "?"})
        two = say("handover.missing", {"missing": 2, "sent": 40, "number": "HO25-000004", "reason": "?"})

    assert one.startswith("1 of 40 items is missing")
    assert two.startswith("2 of 40 items are missing")


def test_the_list_says_who_acts_and_what_it_is_about_in_words(
    client: Client,
    raised: Raise,
    trader: User,
    authority_officer: User,
    now: datetime,
) -> None:
    mine, anybodys, explained, alone = raised(), raised(), raised("test.judged"), raised(actor=trader)
    assign_notices(actor=trader, at=now, notices=[mine], person=trader)
    explain_notice(actor=trader, at=now, notice=explained, explanation="How it came about.")
    client.force_login(authority_officer)

    answer = client.get(reverse("notices:inbox"))
    acting = answer.context["acting"]
    assert acting[mine.pk].person == trader
    assert (acting[anybodys.pk].roles, acting[anybodys.pk].organisation) == ((Role.TRADER,), mine.organisation)
    for waiting in (explained, alone):
        assert acting[waiting.pk].roles == (Role.AUTHORITY_OFFICER,)
        assert acting[waiting.pk].organisation.kind == "ministry"
    about = [value for value, _label in answer.context["filter"].form.fields["about"].choices if value]
    assert about == ["handover"]


def test_programs_list_assign_explain_return_and_decide(
    client: Client, raised: Raise, trader: User, authority_officer: User
) -> None:
    notice = raised("test.judged")

    def send(address: str, **body: Any) -> Any:
        return client.post(f"/api/v1/notices/{address}", body, content_type="application/json")

    client.force_login(trader)
    assert client.get("/api/v1/notices/?state=open").json()["results"][0]["decides"] == "authority"
    assert send("assign/", notices=[notice.pk], person=trader.username).json() == {"assigned": 1}
    assert send("assign/", notices=[notice.pk, 10**9], person=None).status_code == 404
    assert send(f"{notice.pk}/explain/", explanation="Таразы бұзылған").json()["state"] == "explained"
    assert send(f"{notice.pk}/decide/", outcome="other", decision="x", reason="What the act says.").status_code == 403
    assert send(f"{notice.pk}/comment/", text="Қосымша").json()["notes"][-1]["kind"] == "comment"
    client.force_login(authority_officer)
    assert send(f"{notice.pk}/return/", reason="Акт табылды, қол қойылған").json()["state"] == "open"
    assert (
        send(f"{notice.pk}/decide/", outcome="other", decision="x", reason="What the act says.").json()["state"]
        == "decided"
    )


def test_a_comment_says_something(raised: Raise, trader: User, now: datetime) -> None:
    with pytest.raises(BadInput):
        comment_notice(actor=trader, at=now, notice=raised(), text=" ")


def test_nobody_decides_what_the_own_act_raised(
    client: Client,
    raised: Raise,
    trader: User,
    authority_officer: User,
    now: datetime,
    trader_company: Organisation,
    administrator: User,
) -> None:
    colleague = enter_person("colleague", "Пак Илья", Role.TRADER, trader_company, appointed_by=administrator)
    notice = raised(actor=trader)
    page = reverse("notices:notice", args=[notice.pk])
    given = {"outcome": "explained", "decision": "All is fine", "reason": "I looked and all of it is here"}

    with pytest.raises(NotAllowed):
        decide_notice(actor=trader, at=now, notice=notice, **given)
    client.force_login(trader)
    shown = client.get(page)
    with translation.override("en"):
        assert str(shown.context["refusal"]) == "Your own act raised this: another person decides."
    assert {colleague, authority_officer} <= set(shown.context["deciders"])
    assert trader not in shown.context["deciders"]
    assert client.post(page, given).status_code == 403
    answer = client.post(f"/api/v1/notices/{notice.pk}/decide/", given, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    with pytest.raises(NotResponsible):
        assign_notices(actor=trader, at=now, notices=[notice], person=trader)
    assert notices_waiting(trader, day_of(now)).open == 0
    assert write_to_responsible([notice.pk], at=now) == 1
    assert mail.outbox[0].to == [colleague.email]
    notice.refresh_from_db()
    assert notice.is_open
    client.force_login(colleague)
    assert client.post(page, given)["Location"] == page
    notice.refresh_from_db()
    assert (notice.outcome, notice.decided_by) == ("explained", colleague)


def test_who_raised_it_may_explain_it_to_the_authority(
    raised: Raise, trader: User, authority_officer: User, now: datetime
) -> None:
    notice = raised(actor=trader)

    explain_notice(actor=trader, at=now, notice=notice, explanation="The scale was not level")

    assert (notice.state, notice.decides) == ("explained", "authority")
    decide_notice(
        actor=authority_officer,
        at=now,
        notice=notice,
        outcome="explained",
        decision="Taken",
        reason="Act 12 of the scale",
    )
    assert notice.state == "decided"


def test_what_was_passed_to_the_authority_is_only_explained_here(
    raised: Raise, trader: User, authority_officer: User, now: datetime
) -> None:
    late = raised(due_on=day_of(now) - timedelta(days=1))
    escalate_overdue(at=now)
    given = {"outcome": "explained", "decision": "All is fine", "reason": "I looked and all of it is here"}

    with pytest.raises(NotAllowed):
        decide_notice(actor=trader, at=now, notice=late, **given)
    late.refresh_from_db()
    explain_notice(actor=trader, at=now, notice=late, explanation="The driver stood in the snow")
    return_notice(actor=authority_officer, at=now, notice=late, reason="Which snow?, as told", due_on=day_of(now))
    with pytest.raises(NotAllowed):
        decide_notice(actor=trader, at=now, notice=late, **given)

    assert decide_notice(actor=authority_officer, at=now, notice=late, **given).state == "decided"


def test_missing_goods_do_not_end_in_an_explanation(
    raised: Raise, trader: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = raised()
    said = {"decision": "Fine", "reason": "The act of the store says so"}
    monkeypatch.setattr("core.notices.texts.GOODS", {"test.own"})

    for outcome in ("explained", "settled", "", "sold"):
        with pytest.raises(BadInput) as refused:
            decide_notice(actor=trader, at=now, notice=notice, outcome=outcome, **said)
        assert set(refused.value.fields) == {"outcome"}

    assert decide_notice(actor=trader, at=now, notice=notice, outcome="found", **said).outcome == "found"


def test_a_later_act_settles_what_its_own_person_raised(raised: Raise, trader: User, now: datetime) -> None:
    notice = settle_notice(
        actor=trader, at=now, notice=raised(actor=trader), decision="Adds up", reason="Corrected, as told"
    )

    assert (notice.state, notice.outcome, notice.decided_by) == ("decided", "settled", trader)
    with pytest.raises(AlreadyDecided):
        settle_notice(actor=trader, at=now, notice=notice, decision="Adds up", reason="Corrected, as told")


@pytest.mark.parametrize("code", ["test.own", "removal.counts", "removal.sex", "intake.horns_per_male"])
def test_nobody_settles_nothing_but_what_the_clock_may(
    raised: Raise, monkeypatch: pytest.MonkeyPatch, trader: User, now: datetime, code: str
) -> None:
    monkeypatch.setitem(TEXTS, code, "%(number)s: look into it")
    monkeypatch.setitem(TEXTS, BY_THE_CLOCK[0], "%(number)s: look into it")
    asked, ordered = raised(code), raised(BY_THE_CLOCK[0])
    said = {"state": "decided", "outcome": "settled", "decided_at": now, "decision": "x", "reason": "y"}

    with pytest.raises(ValueError, match=code):
        settle_notice(actor=None, at=now, notice=asked, decision="x", reason="y")
    with pytest.raises(IntegrityError, match="notice_decision_all_or_none"), transaction.atomic():
        Notice.objects.filter(pk=asked.pk).update(**said)
    with pytest.raises(IntegrityError, match="the authority decides"), transaction.atomic():
        Notice.objects.filter(pk=ordered.pk).update(**(said | {"outcome": "other"}))

    assert Notice.objects.get(pk=asked.pk).is_open
    assert settle_notice(actor=None, at=now, notice=ordered, decision="x", reason="y").decided_by is None


def test_the_database_refuses_whoever_raised_it_and_the_organisation_of_a_judged_one(
    raised: Raise, trader: User, now: datetime
) -> None:
    own, judged = raised(actor=trader), raised("test.judged")
    said = {"state": "decided", "decided_by": trader, "decided_at": now, "decision": "x", "reason": "y"}

    for change in (
        lambda: Notice.objects.filter(pk=own.pk).update(**said, outcome="explained"),
        lambda: Notice.objects.filter(pk=own.pk).update(caused_by=None),
        lambda: Notice.objects.filter(pk=own.pk).update(escalated_at=now),
        lambda: Notice.objects.filter(pk=judged.pk).update(**said, outcome="explained"),
        lambda: Notice.objects.filter(pk=judged.pk).update(decides="organisation"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()

    assert Notice.objects.open().count() == 2


def test_programs_name_people_by_their_user_names(
    client: Client, raised: Raise, trader: User, authority_head: User
) -> None:
    notice = raised()
    client.force_login(trader)
    given = {"notices": [notice.pk], "person": authority_head.username}

    unknown = client.post("/api/v1/notices/assign/", given | {"person": "4"}, content_type="application/json")
    assigned = client.post("/api/v1/notices/assign/", given, content_type="application/json")

    assert (unknown.status_code, list(unknown.json()["fields"])) == (422, ["person"])
    assert assigned.json() == {"assigned": 1}
    assert client.get(f"/api/v1/notices/{notice.pk}/").json()["assigned_to"] == authority_head.username
