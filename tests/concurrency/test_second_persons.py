"""Two people who decide one thing at the same moment: one decides. Each race has a twin without the lock."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError

from core.accounts.models import Region, User
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition
from custody.models import Correction
from custody.services import corrections
from ledger import services
from ledger.models import Box, CustodyAccount, Handover, HandoverQuerySet, HandoverSeal, Holding, Movement, MovementKind
from ledger.selectors import find_differences
from ledger.services import handovers
from registry.models import Derivative, Intake, Processing, RemovalPermit, Sale, Season
from registry.services import (
    Package,
    approve_processing,
    correct_removal_intake,
    open_removal_intake,
    opening,
    papers,
    register_intake,
    register_processing,
    sales,
)
from registry.services import processing as runs
from registry.services.papers import withdraw_removal_permit
from tests.builders import build_brigade, build_removal_permit
from tests.goods import Enter
from tests.races import at_once, winners
from tests.registry.test_origins import certificate, meat_intake, sale_allowed, sell, veterinary  # noqa: F401  fixtures
from tests.registry.test_processing import begin, keys, mass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def sealed_load(
    enter: Enter, storekeeper: User, auditor: User, now: datetime, central: CustodyAccount, reception: CustodyAccount
) -> Handover:
    """Two items in a sealed box under a seal of the load, all in hand."""
    items = enter(central, 200, 210)
    (box,) = services.begin_boxes(actor=storekeeper, at=now, account=central)
    services.pack_items(actor=storekeeper, at=now, box=box, item_ids=items)
    services.seal_box(actor=storekeeper, at=now, box=box, seal_number="K-1")
    sent = services.dispatch_items(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="sealed",
        source=central,
        target=reception,
        item_ids=items,
        seals="S-1",
    )
    services.scan_box_received(actor=auditor, at=now, handover=sent, box=Box.objects.get())
    return sent


@pytest.fixture
def accept_both(sealed_load: Handover, inspector: User, auditor: User, now: datetime) -> list[Callable[[], Handover]]:
    seals = dict.fromkeys(sealed_load.seal_checks.values_list("pk", flat=True), HandoverSeal.State.INTACT)

    def accepting(actor: User) -> Callable[[], Handover]:
        return lambda: services.accept_handover(actor=actor, at=now, handover=sealed_load, seals=seals)

    return [accepting(inspector), accepting(auditor)]


def test_of_two_who_accept_a_sealed_load_one_does(accept_both: list[Callable[[], Handover]], reception: Any) -> None:
    results = at_once(*accept_both)

    assert len(winners(results)) == 1
    assert [type(one) for one in results if isinstance(one, Exception)] == [InvalidTransition]
    assert Box.objects.get().account_id == reception.pk
    assert find_differences() == {}


def test_two_who_share_the_load_before_they_accept_it_stand_in_each_others_way(
    accept_both: list[Callable[[], Handover]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: with a share lock taken first, as scans take it, both wait for each other and the database ends it."""
    barrier = threading.Barrier(2)
    accept = services.accept_handover.__wrapped__  # type: ignore[attr-defined]

    def shared(**kwargs: Any) -> Handover:
        handovers._receivable(kwargs["handover"], kwargs["actor"])
        barrier.wait(10)
        done: Handover = accept(**kwargs)
        return done

    monkeypatch.setattr(services, "accept_handover", handovers.transaction.atomic(shared))

    results = at_once(*accept_both)

    assert any(isinstance(one, DatabaseError) for one in results)
    assert len(winners(results)) <= 1
    assert find_differences() == {}


@pytest.fixture
def decide_both(
    horns: list[Derivative],
    storekeeper: User,
    authority_officer: User,
    authority_head: User,
    now: datetime,
    reception_store: CustodyAccount,
    other_reception_store: CustodyAccount,
) -> list[Callable[[], Correction]]:
    """One person confirms the correction of a mistaken movement, another refuses it."""
    mistake = services.move_items(
        actor=storekeeper,
        at=now,
        key="wrong",
        kind=MovementKind.TRANSFER,
        item_ids=[horns[0].pk],
        source=reception_store,
        target=other_reception_store,
        effective_on=day_of(now),
    )
    asked = corrections.ask_correction(actor=authority_officer, at=now, movement=mistake, reason="The wrong store")
    return [
        lambda: corrections.confirm_correction(actor=authority_head, at=now, correction=asked),
        lambda: corrections.refuse_correction(actor=authority_officer, at=now, correction=asked, reason="It was right"),
    ]


def test_a_correction_is_confirmed_or_refused(
    decide_both: list[Callable[[], Correction]], horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    results = at_once(*decide_both)

    assert len(winners(results)) == 1
    assert [type(one) for one in results if isinstance(one, Exception)] == [InvalidTransition]
    correction = Correction.objects.get()
    came_back = Holding.objects.filter(item=horns[0].pk, account=reception_store, pieces__gt=0).exists()
    assert came_back == (correction.state == "confirmed") == Movement.objects.filter(kind="reversal").exists()


def test_without_the_lock_the_database_takes_one_decision_of_a_correction(
    decide_both: list[Callable[[], Correction]],
    horns: list[Derivative],
    reception_store: CustodyAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: both read the question while it is open; the second gets a database error, and nothing is half done."""
    barrier = threading.Barrier(2)

    def unlocked(correction: Correction) -> Correction:
        found = Correction.objects.select_related("movement").get(pk=correction.pk)
        barrier.wait(10)
        return found

    monkeypatch.setattr(corrections, "_lock", unlocked)

    results = at_once(*decide_both)

    assert len(winners(results)) == 1
    assert any(isinstance(one, DatabaseError) for one in results)
    correction = Correction.objects.get()
    came_back = Holding.objects.filter(item=horns[0].pk, account=reception_store, pieces__gt=0).exists()
    assert came_back == (correction.state == "confirmed") == Movement.objects.filter(kind="reversal").exists()


@pytest.fixture
def approve_both(
    storekeeper: User,
    authority_officer: User,
    authority_head: User,
    now: datetime,
    reception_store: CustodyAccount,
    horns: list[Derivative],
) -> list[Callable[[], list[Derivative]]]:
    """A run that loses more than the norm waits, and two people of the authority approve it."""
    run = begin(storekeeper, now, reception_store, keys(horns), Package(1, mass(horns) // 2))
    register_processing(
        actor=storekeeper,
        at=now,
        run=run,
        loss_g=mass(horns) - mass(horns) // 2,
        explanation="The horns were rotten inside.",
    )
    waiting = Processing.objects.get(pk=run.pk)
    assert waiting.is_awaiting

    def approving(actor: User) -> Callable[[], list[Derivative]]:
        return lambda: approve_processing(actor=actor, at=now, run=waiting, reason="Looked at on the spot")

    return [approving(authority_officer), approving(authority_head)]


def test_a_waiting_run_is_approved_once(approve_both: list[Callable[[], list[Derivative]]]) -> None:
    results = at_once(*approve_both)

    assert len(winners(results)) == 1
    assert all(isinstance(one, DomainError) for one in results if isinstance(one, Exception))
    assert Movement.objects.filter(kind="consumption").count() == 1
    assert find_differences() == {}


def test_without_the_lock_a_run_is_consumed_once_all_the_same(
    approve_both: list[Callable[[], list[Derivative]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: both see it waiting; what the second would consume is gone."""
    barrier = threading.Barrier(2)

    def unlocked(run: Processing) -> Processing:
        found = Processing.objects.select_related("store").get(pk=run.pk)
        barrier.wait(10)
        return found

    monkeypatch.setattr(runs, "_lock_awaiting", unlocked)

    results = at_once(*approve_both)

    assert len(winners(results)) == 1
    assert Movement.objects.filter(kind="consumption").count() == 1
    assert find_differences() == {}


@pytest.fixture
def sell_it(
    request: pytest.FixtureRequest,
    permit_to_remove: RemovalPermit,
    reception_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> Callable[[], Sale]:
    """A batch of meat, and how it is sold; each time under the same key."""
    request.getfixturevalue("sale_allowed")
    intake = meat_intake(
        request.getfixturevalue("certificate"), permit_to_remove, reception_store, inspector, now, 96_500
    )
    (batch,) = register_intake(actor=inspector, at=now, intake=intake)
    return lambda: sell(batch, inspector, reception_store, now)


@pytest.fixture
def correction_and_withdrawal(
    inspector: User,
    authority_officer: User,
    now: datetime,
    season: Season,
    region: Region,
    reception_store: CustodyAccount,
    permit_to_remove: RemovalPermit,
) -> list[Callable[[], Any]]:
    """A reception is put under another permit while that one is withdrawn."""
    brigade = build_brigade(season, region)
    figures = {"males": 2, "females": 0, "young": 0, "carcasses": 2}
    facts: dict[str, Any] = {"actor": inspector, "at": now, "brigade": brigade, "on": now.date()} | figures
    intake = open_removal_intake(store=reception_store, permit=permit_to_remove, **facts)
    other = build_removal_permit(season, region, permit_to_remove.holder, number="OTHER")
    return [
        lambda: correct_removal_intake(intake=intake, permit=other, **facts),
        lambda: withdraw_removal_permit(actor=authority_officer, at=now, permit=other, reason="Not needed any more"),
    ]


def test_no_reception_comes_under_a_permit_withdrawn_at_the_same_moment(
    correction_and_withdrawal: list[Callable[[], Any]],
) -> None:
    results = at_once(*correction_and_withdrawal)

    assert len(winners(results)) == 1
    assert all(isinstance(one, BadInput | InvalidTransition) for one in results if isinstance(one, Exception))
    other = RemovalPermit.objects.get(number="OTHER")
    assert other.is_withdrawn != Intake.objects.filter(permit=other).exists()


def test_without_the_lock_the_database_still_keeps_the_reception_out(
    correction_and_withdrawal: list[Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the permit is read while it stands, and the reception written under it when it is withdrawn."""
    barrier = threading.Barrier(2)
    recorded = papers._record

    def unlocked(pk: int) -> RemovalPermit:
        found = RemovalPermit.objects.get(pk=pk)
        barrier.wait(10)
        return found

    def withdrawn(*args: Any, **facts: Any) -> None:
        barrier.wait(10)
        recorded(*args, **facts)

    monkeypatch.setattr(opening, "lock_permit", unlocked)
    monkeypatch.setattr(papers, "_record", withdrawn)

    results = at_once(*correction_and_withdrawal)

    assert [type(result) for result in results] == [IntegrityError, RemovalPermit]
    assert not Intake.objects.filter(permit__number="OTHER").exists()


def test_of_two_who_sell_one_batch_under_one_key_both_hold_one_sale(sell_it: Callable[[], Sale]) -> None:
    results = at_once(sell_it, sell_it)

    assert len({sale.pk for sale in winners(results)}) == 1
    assert len(winners(results)) == 2
    assert Sale.objects.count() == Movement.objects.filter(kind="sale").count() == 1


def test_without_the_lock_only_the_index_stands_between_two_sales_of_one_key(
    sell_it: Callable[[], Sale], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: nobody waits for the goods; one sale stands all the same."""
    barrier = threading.Barrier(2)
    monkeypatch.setattr(sales, "lock_items", lambda items: barrier.wait(10))

    results = at_once(sell_it, sell_it)

    assert winners(results)
    assert Sale.objects.count() == Movement.objects.filter(kind="sale").count() == 1
    assert find_differences() == {}


def test_without_the_lock_the_database_still_accepts_a_load_or_turns_it_back(
    sealed_load: Handover, inspector: User, auditor: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the load is turned back after acceptance has read it; the database refuses the second of the two."""
    seals = dict.fromkeys(sealed_load.seal_checks.values_list("pk", flat=True), HandoverSeal.State.INTACT)
    monkeypatch.setattr(HandoverQuerySet, "select_for_update", lambda self, **_options: self)
    look, turned = handovers.lock_open, []

    def meanwhile(*stores: CustodyAccount) -> None:
        monkeypatch.setattr(handovers, "lock_open", look)
        turned.extend(
            at_once(
                lambda: services.turn_back(
                    actor=auditor, at=now, handover=sealed_load, reason="Back, as told", despite_scans=True
                )
            )
        )
        look(*stores)

    monkeypatch.setattr(handovers, "lock_open", meanwhile)

    with pytest.raises((DatabaseError, DomainError)):
        services.accept_handover(actor=inspector, at=now, handover=sealed_load, seals=seals)

    assert len(winners(turned)) == 1
    sealed_load.refresh_from_db()
    assert sealed_load.state == "returning"
    assert find_differences() == {}
