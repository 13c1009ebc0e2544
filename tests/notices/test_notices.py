"""Notices: raised with their cause, decided once with a reason, seen by those they concern."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.accounts.models import Organisation, User
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput
from core.notices.models import Notice
from core.notices.selectors import notices_waiting
from core.notices.services import AlreadyDecided, decide_notice, raise_notice
from core.notices.texts import TEXTS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS, "test.missing", "%(missing)d of %(sent)d missing in %(number)s")


@pytest.fixture
def raised(trader_company: Organisation, now: datetime) -> Callable[..., Notice]:
    def make(organisation: Organisation = trader_company, **facts: Any) -> Notice:
        given: dict[str, Any] = {
            "kind": Notice.Kind.DISCREPANCY,
            "code": "test.missing",
            "subject": ("handover", 4),
            "missing": 1,
            "sent": 40,
            "number": "HO25-000004",
        }
        return raise_notice(at=now, organisation=organisation, **(given | facts))

    return make


def as_person(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.cookies["django_language"] = "en"
    return client


def test_it_says_what_is_wrong_and_stands_in_the_journal_of_its_subject(raised: Callable[..., Notice]) -> None:
    notice = raised()

    assert notice.text == "1 of 40 missing in HO25-000004"
    event = Event.objects.about(("handover", 4)).get()
    assert (event.verb, event.facts["notice"], event.actor_name) == ("notice.raised", notice.pk, "")


def test_a_sentence_nobody_gave_or_a_place_nobody_filled_is_a_defect(raised: Callable[..., Notice]) -> None:
    with pytest.raises(KeyError):
        raised(code="test.unknown")
    organisation = raised().organisation
    with pytest.raises(KeyError), transaction.atomic():
        raise_notice(
            at=timezone.now(),
            kind=Notice.Kind.ALERT,
            code="test.missing",
            organisation=organisation,
            subject=("handover", 5),
            missing=1,
        )

    assert Notice.objects.count() == 1


def test_it_is_decided_with_a_reason_once(
    raised: Callable[..., Notice], trader: User, authority_head: User, later: Callable[..., datetime]
) -> None:
    notice = decide_notice(
        actor=trader,
        at=later(hours=1),
        notice=raised(),
        outcome="other",
        decision=" Found ",
        reason=" Act 7 of the store ",
    )

    assert (notice.state, notice.decision, notice.reason) == ("decided", "Found", "Act 7 of the store")
    assert (notice.decided_by, notice.decided_at) == (trader, later(hours=1))
    with pytest.raises(AlreadyDecided):
        decide_notice(
            actor=authority_head,
            at=later(hours=2),
            notice=notice,
            outcome="other",
            decision="x",
            reason="What the act says.",
        )


@pytest.mark.parametrize(
    ("decision", "reason", "fields"),
    [
        ("", "", {"decision", "reason"}),
        ("x", "  ", {"reason"}),
        ("x" * 201, "What the act says.", {"decision"}),
        ("x", "short", {"reason"}),
    ],
)
def test_both_must_be_said(
    raised: Callable[..., Notice], trader: User, now: datetime, decision: str, reason: str, fields: set[str]
) -> None:
    notice = raised()

    with pytest.raises(BadInput) as caught:
        decide_notice(actor=trader, at=now, notice=notice, outcome="other", decision=decision, reason=reason)

    notice.refresh_from_db()
    assert set(caught.value.fields) == fields
    assert notice.is_open


def test_it_is_seen_and_decided_by_those_it_concerns(
    raised: Callable[..., Notice],
    trader: User,
    other_trader: User,
    auditor: User,
    authority_officer: User,
    administrator: User,
    stranger: User,
) -> None:
    notice = raised()

    people = (trader, other_trader, auditor, authority_officer, administrator, stranger)
    sees = [notice in Notice.objects.visible_to(person) for person in people]
    decides = [notice in Notice.objects.decidable_by(person) for person in people]

    assert sees == [True, False, True, True, False, False]
    assert decides == [True, False, False, True, False, False]


def test_what_waits_is_counted_for_the_first_page(
    raised: Callable[..., Notice], trader: User, today: date, django_assert_num_queries: Any
) -> None:
    for days in (-1, 3, 5, None):
        raised(due_on=today + timedelta(days=days) if days is not None else None)
    decided = raised(due_on=today)
    decide_notice(
        actor=trader, at=timezone.now(), notice=decided, outcome="other", decision="x", reason="What the act says."
    )
    assert trader.roles

    with django_assert_num_queries(2):
        waiting = notices_waiting(trader, today)

    assert (waiting.open, waiting.overdue, waiting.next_due_on) == (4, 1, today + timedelta(days=3))


# Pages


def test_the_inbox_shows_open_ones_the_nearest_day_first(raised: Callable[..., Notice], trader: User) -> None:
    today = day_of(timezone.now())
    without, late, soon = raised(), raised(due_on=today - timedelta(days=2)), raised(due_on=today + timedelta(days=2))
    decided = raised()
    decide_notice(
        actor=trader, at=timezone.now(), notice=decided, outcome="other", decision="x", reason="What the act says."
    )
    client = as_person(trader)

    def shown(**query: str) -> list[Notice]:
        return list(client.get(reverse("notices:inbox"), query).context["page"])

    assert shown() == [late, soon, without]
    assert shown(due="overdue") == [late]
    assert shown(due="week") == [soon]
    assert shown(due="none") == [without]
    assert shown(state="decided") == [decided]
    assert shown(kind="alert") == []
    assert len(shown(state="all")) == 4


@pytest.mark.parametrize(
    ("who", "inbox", "page"),
    [
        ("trader", 200, 200),
        ("other_trader", 200, 404),
        ("auditor", 200, 200),
        ("authority_head", 200, 200),
        ("administrator", 403, 403),
        ("stranger", 403, 403),
        ("customs_officer", 403, 403),
    ],
)
def test_each_role_on_each_page(
    raised: Callable[..., Notice], request: pytest.FixtureRequest, who: str, inbox: int, page: int
) -> None:
    notice = raised()
    client = as_person(request.getfixturevalue(who))

    assert client.get(reverse("notices:inbox")).status_code == inbox
    assert client.get(reverse("notices:notice", args=[notice.pk])).status_code == page


def test_it_is_decided_on_its_page(raised: Callable[..., Notice], trader: User) -> None:
    notice = raised()
    client, address = as_person(trader), reverse("notices:notice", args=[notice.pk])

    empty = client.post(address, {"outcome": "other", "decision": "", "reason": ""})
    assert empty.context["form"].errors.keys() == {"decision", "reason"}

    assert (
        client.post(address, {"outcome": "found", "decision": "Found", "reason": "Act 7 of the store."}).status_code
        == 302
    )
    page = client.get(address).content.decode()
    assert "Found" in page
    assert "<textarea" not in page
    again = client.post(address, {"outcome": "other", "decision": "Lost", "reason": "Act 8 of the store."}, follow=True)
    assert "decided already" in again.content.decode()
    notice.refresh_from_db()
    assert notice.decision == "Found"


def test_an_auditor_reads_but_does_not_decide(raised: Callable[..., Notice], auditor: User) -> None:
    notice = raised()
    client, address = as_person(auditor), reverse("notices:notice", args=[notice.pk])

    assert "<textarea" not in client.get(address).content.decode()
    assert (
        client.post(address, {"outcome": "found", "decision": "Found", "reason": "Act 7 of the store."}).status_code
        == 403
    )
    notice.refresh_from_db()
    assert notice.is_open


# Around the services


@pytest.mark.parametrize(
    "change",
    [
        {"state": "decided"},
        {"decision": "x"},
        {"params": {}},
        {"code": "other"},
        {"subject_id": "5"},
        {"raised_at": "2020-01-01T00:00Z"},
    ],
)
def test_the_database_refuses_half_decisions_and_other_causes(
    raised: Callable[..., Notice], change: dict[str, Any]
) -> None:
    raised()
    before = list(Notice.objects.values())

    with pytest.raises(Error), transaction.atomic():
        Notice.objects.update(**change)

    assert list(Notice.objects.values()) == before


def test_the_database_keeps_a_decision_and_deletes_nothing(
    raised: Callable[..., Notice], trader: User, now: datetime
) -> None:
    decide_notice(actor=trader, at=now, notice=raised(), outcome="other", decision="x", reason="What the act says.")

    for change in ({"decision": "z"}, {"reason": "z"}, {"state": "open", "decided_by": None}):
        with pytest.raises(Error), transaction.atomic():
            Notice.objects.update(**change)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM notices_notice")

    assert Notice.objects.get().decision == "x"
