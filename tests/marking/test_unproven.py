"""After a key was declared compromised: which labels hang under it, store by store, and having them printed anew."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.jobs.services import execute_job
from core.notices.models import Notice
from ledger.models import CustodyAccount
from marking.models import LabelReel, Mark, MarkRequest, SigningKey
from marking.selectors_keys import unproven_by_store, unproven_marks, unproven_reels
from marking.services.issue import register_and_mark
from marking.services.keys import create_key
from marking.services.labels import print_labels
from marking.services.orders import LabelOrder
from marking.services.reprints import order_reprints, settle_idle_reprints
from marking.services.requests import approve_request, ask_for_mark
from registry.models import Intake
from tests.builders import Receive
from tests.marks import decide_key
from tests.races import at_once, winners

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = LabelOrder("roll-50x25")


@pytest.fixture(autouse=True)
def _run_jobs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.services.after_commit", lambda *args: None)


@pytest.fixture
def store(
    marks: list[Mark], open_intake: Intake, inspector: User, administrator: User, authority_head: User
) -> CustodyAccount:
    """A store whose labels were printed before their key was declared compromised; another key is in use."""
    run = print_labels(actor=inspector, at=timezone.now(), intake=open_intake, order=ORDER)
    execute_job(run.job_id)
    now = timezone.now()
    decide_key(SigningKey.objects.get(), "compromise", asker=administrator, second=authority_head, at=now)
    fresh = create_key(actor=administrator, at=now)
    decide_key(fresh, "use", asker=administrator, second=authority_head, at=now)
    return open_intake.store


def test_it_lists_printed_labels_by_store_and_reception(
    store: CustodyAccount, marks: list[Mark], open_intake: Intake, inspector: User, authority_head: User, trader: User
) -> None:
    for person in (inspector, authority_head):
        (found,) = unproven_by_store(person)
        (row,) = found.intakes
        assert (found.store, row.intake, row.count, row.is_at_once) == (store, open_intake, len(marks), True)
    assert unproven_by_store(trader) == []


def test_what_was_never_printed_is_not_listed(
    marks: list[Mark], signing_key: SigningKey, administrator: User, authority_head: User
) -> None:
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=timezone.now())

    assert not unproven_marks(authority_head).exists()


def test_blank_labels_are_listed_by_reel(
    reel: LabelReel, signing_key: SigningKey, inspector: User, administrator: User, authority_head: User
) -> None:
    assert unproven_reels(inspector) == []
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=timezone.now())

    assert [(one.reel, one.count) for one in unproven_reels(inspector)] == [(reel, reel.size)]


def test_the_authority_orders_once_and_the_last_new_label_settles_it(
    store: CustodyAccount,
    open_intake: Intake,
    inspector: User,
    storekeeper: User,
    authority_officer: User,
    authority_head: User,
) -> None:
    now = timezone.now()
    until = day_of(now) + timedelta(days=14)
    with pytest.raises(NotAllowed):
        order_reprints(actor=inspector, at=now, store=store, due_on=until)
    with pytest.raises(BadInput):
        order_reprints(actor=authority_officer, at=now, store=store, due_on=day_of(now) - timedelta(days=1))
    assert not Notice.objects.filter(code="labels.reprint_ordered").exists()

    notice = order_reprints(actor=authority_officer, at=now, store=store, due_on=until)

    assert (notice.organisation_id, notice.due_on, notice.params["count"]) == (store.custodian_id, until, 6)
    assert Event.objects.filter(verb="labels.reprint_ordered", actor_id=authority_officer.pk).exists()
    with pytest.raises(InvalidTransition):
        order_reprints(actor=authority_head, at=now, store=store, due_on=until)
    asked = ask_for_mark(
        actor=inspector,
        at=timezone.now(),
        kind=MarkRequest.Kind.REPRINT,
        intake=open_intake,
        reason="The key was compromised",
        order=ORDER,
    )
    assert [row.is_asked for row in unproven_by_store(inspector)[0].intakes] == [True]
    notice.refresh_from_db()
    assert notice.is_open
    approve_request(actor=authority_officer, at=timezone.now(), asked=asked)
    notice.refresh_from_db()
    assert (notice.is_open, notice.outcome) == (False, "settled")
    assert unproven_by_store(authority_head) == []
    with pytest.raises(InvalidTransition):
        order_reprints(actor=authority_head, at=timezone.now(), store=store, due_on=until)


@pytest.mark.race
def test_two_who_order_at_once_order_once(store: CustodyAccount, authority_officer: User, authority_head: User) -> None:
    now = timezone.now()
    until = day_of(now) + timedelta(days=14)

    results = at_once(
        lambda: order_reprints(actor=authority_officer, at=now, store=store, due_on=until),
        lambda: order_reprints(actor=authority_head, at=now, store=store, due_on=until),
    )

    assert len(winners(results)) == 1
    assert Notice.objects.filter(code="labels.reprint_ordered").count() == 1


def test_pages_table_and_programs_tell_the_same(
    store: CustodyAccount,
    marks: list[Mark],
    open_intake: Intake,
    inspector: User,
    authority_officer: User,
    trader: User,
    client: Client,
) -> None:
    until = (day_of(timezone.now()) + timedelta(days=9)).isoformat()
    client.force_login(authority_officer)
    assert open_intake.number in client.get("/keys/labels/").content.decode()
    table = b"".join(client.get("/keys/labels.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert table.count("\r\n") == 1 + len(marks)
    assert all(mark.pk in table and mark.item.number in table for mark in marks)
    order = f"/keys/labels/{store.pk}/order/"
    assert client.get(order).status_code == 200
    assert client.post(order, {"due_on": "2020-01-01"}).status_code == 422
    asked = client.post(
        "/api/v1/keys/labels/", {"store": store.code, "due_on": until}, "application/json",
        headers={"Idempotency-Key": "one"},
    )  # fmt: skip
    assert (asked.status_code, asked.json()["due_on"]) == (201, until)
    assert client.post(order, {"due_on": until}).status_code == 422
    client.force_login(inspector)
    said = client.get("/api/v1/keys/labels/").json()
    assert said == [
        {
            "store": store.code,
            "intake": open_intake.number,
            "labels": len(marks),
            "reprint_asked": False,
            "ordered_until": until,
        }
    ]
    assert f"/intakes/{open_intake.pk}/reprint/" in client.get("/keys/labels/").content.decode()
    assert client.get(order).status_code == 403
    again = client.post("/api/v1/keys/labels/", {"store": store.code, "due_on": until}, "application/json")
    assert again.status_code == 403
    client.force_login(trader)
    assert [client.get(path).status_code for path in ("/keys/labels/", "/keys/labels.csv", order)] == [403] * 3


def _print(intake: Intake, *, actor: User) -> None:
    register_and_mark(actor=actor, at=timezone.now(), intake=intake)
    execute_job(print_labels(actor=actor, at=timezone.now(), intake=intake, order=ORDER).job_id)


def _lose(key: SigningKey, *, asker: User, second: User) -> None:
    """Declare a key compromised and take another one into use."""
    now = timezone.now()
    decide_key(key, "compromise", asker=asker, second=second, at=now)
    decide_key(create_key(actor=asker, at=now), "use", asker=asker, second=second, at=now)


def test_it_costs_the_same_for_many(
    store: CustodyAccount,
    other_reception_store: CustodyAccount,
    receive: Receive,
    inspector: User,
    administrator: User,
    authority_head: User,
) -> None:
    def cost() -> int:
        person = User.objects.get(pk=authority_head.pk)
        person.can(Can.SEE_EVERYTHING)
        with CaptureQueriesContext(connection) as asked:
            unproven_by_store(person)
        return len(asked)

    assert cost() == 6
    for place in (store, other_reception_store):
        _print(receive(store=place), actor=inspector)
    _lose(SigningKey.objects.get(state=SigningKey.State.IN_USE), asker=administrator, second=authority_head)
    assert [len(one.intakes) for one in unproven_by_store(authority_head)] == [2, 1]
    assert cost() == 6


def test_nothing_is_asked_of_marks_while_no_key_is_lost(marks: list[Mark], authority_head: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert unproven_by_store(authority_head) == []
        assert unproven_reels(authority_head) == []
    assert not [one["sql"] for one in asked if "marking_mark" in one["sql"]]


def test_marks_of_a_key_are_found_without_reading_all(marks: list[Mark]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        try:
            plan = Mark.objects.filter(state=Mark.State.BLANK, key__in=[marks[0].key_id]).order_by().explain()
        finally:
            cursor.execute("RESET enable_seqscan")
    assert "mark_in_use_of_key" in plan


def test_an_approval_asks_only_about_its_own_store(
    store: CustodyAccount,
    other_reception_store: CustodyAccount,
    marks: list[Mark],
    receive: Receive,
    inspector: User,
    administrator: User,
    authority_officer: User,
    authority_head: User,
) -> None:
    far = receive(store=other_reception_store)
    _print(far, actor=inspector)
    _lose(SigningKey.objects.get(state=SigningKey.State.IN_USE), asker=administrator, second=authority_head)
    now = timezone.now()
    until = day_of(now) + timedelta(days=14)
    ordered = order_reprints(actor=authority_officer, at=now, store=other_reception_store, due_on=until)

    def approve(kind: MarkRequest.Kind, mark: Mark) -> list[str]:
        asked = ask_for_mark(
            actor=inspector,
            at=timezone.now(),
            kind=kind,
            mark=mark,
            reason="Torn off by the wind",
            order=None if kind == MarkRequest.Kind.VOID else ORDER,
        )
        with CaptureQueriesContext(connection) as sent:
            approve_request(actor=authority_officer, at=timezone.now(), asked=asked)
        return [one["sql"] for one in sent if "marking_signingkey" in one["sql"] and "compromised" in one["sql"]]

    here, there = marks[0], Mark.objects.active().filter(derivative__intake=far).order_by("pk")[0]
    assert approve(MarkRequest.Kind.REPRINT, here) == []
    assert approve(MarkRequest.Kind.VOID, there) == []
    assert len(approve(MarkRequest.Kind.REPRINT, Mark.objects.active().filter(derivative__intake=far)[0])) == 1
    ordered.refresh_from_db()
    assert ordered.is_open


def test_an_order_ends_when_the_last_label_is_gone_otherwise(
    store: CustodyAccount, marks: list[Mark], inspector: User, authority_officer: User, authority_head: User
) -> None:
    now = timezone.now()
    until = day_of(now) + timedelta(days=14)
    notice = order_reprints(actor=authority_officer, at=now, store=store, due_on=until)
    assert settle_idle_reprints(at=now) == 0
    for mark in marks:
        asked = ask_for_mark(
            actor=inspector, at=timezone.now(), kind=MarkRequest.Kind.VOID, mark=mark, reason="Torn off by the wind"
        )
        approve_request(actor=authority_officer, at=timezone.now(), asked=asked)
    notice.refresh_from_db()
    assert notice.is_open

    assert settle_idle_reprints(at=timezone.now()) == 1
    notice.refresh_from_db()
    assert (notice.is_open, notice.outcome, notice.decided_by) == (False, "settled", None)
    assert settle_idle_reprints(at=timezone.now()) == 0
    event = Event.objects.filter(verb="notice.decided").order_by("-pk")[0]
    assert (event.actor_id, event.facts["notice"]) == (None, notice.pk)
