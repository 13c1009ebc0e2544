"""Destruction against dispatch, and two who approve one act. Each race has a twin that shows what the lock is for."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction

from core.accounts.models import User
from core.base.errors import DomainError, InvalidTransition
from custody.models import DestructionOrder, LossAct, LossReport
from custody.services import destruction, loss
from ledger.models import CustodyAccount, Handover, Hold, Movement
from ledger.selectors import find_differences
from ledger.services import ItemsNotThere, ItemsOnHold, dispatch_items
from registry.models import Derivative
from tests.builders import LOSS_TOLD
from tests.files import scanned
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_goods_are_listed_for_destruction_or_dispatched_never_both(
    marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount, central_store: CustodyAccount,
    now: datetime,
) -> None:  # fmt: skip
    items = [horn.pk for horn in marked]

    results = at_once(
        lambda: destruction.order_destruction(
            actor=storekeeper, at=now, store=reception_store, basis=DestructionOrder.Basis.SPOILAGE,
            basis_paper="Act 5", basis_file=ContentFile(scanned(), "act.png"), planned_on=now.date(), item_ids=items,
        ),
        lambda: dispatch_items(carried_by="A courier",
            actor=storekeeper, at=now, key="race", source=reception_store, target=central_store, item_ids=items
        ),
    )  # fmt: skip

    assert len(winners(results)) == 1
    (refused,) = (result for result in results if isinstance(result, Exception))
    assert isinstance(refused, (ItemsNotThere, ItemsOnHold))
    assert (DestructionOrder.objects.count(), Handover.objects.count()) in ((1, 0), (0, 1))
    assert Hold.objects.active().count() == len(items) * DestructionOrder.objects.count()
    assert find_differences() == {}


def test_without_the_lock_a_hold_comes_too_late_for_what_is_leaving(
    marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount, central_store: CustodyAccount,
    now: datetime,
) -> None:  # fmt: skip
    """The twin: holds written as rows, with no lock on the holdings; the goods leave under them."""
    items = [horn.pk for horn in marked]
    asked, gone = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Hold.objects.bulk_create(
                Hold(item_id=item, kind="to_destroy", reference="DE", placed_by=storekeeper, placed_at=now)
                for item in items
            )
            asked.set()
            gone.wait(10)

    def leave() -> None:
        asked.wait(10)
        try:
            dispatch_items(
                carried_by="A courier",
                actor=storekeeper,
                at=now,
                key="race",
                source=reception_store,
                target=central_store,
                item_ids=items,
            )
        finally:
            gone.set()

    at_once(hold, leave)

    assert Handover.objects.count() == 1
    assert Hold.objects.active().count() == len(items)


@pytest.fixture
def act(
    marked: list[Derivative], storekeeper: User, authority_officer: User, reception_store: CustodyAccount, now: datetime
) -> LossAct:
    report = loss.report_loss(
        actor=storekeeper, at=now, kind=LossReport.Kind.THEFT, account=reception_store,
        item_ids=[horn.pk for horn in marked[:2]], noticed_on=now.date(), last_seen_on=now.date(),
        police_number="KUI 7", **LOSS_TOLD,
    )  # fmt: skip
    return loss.propose_act(
        actor=storekeeper, at=now, report=report, kind=LossAct.Kind.WRITE_OFF,
        item_ids=[horn.pk for horn in marked[:2]], reason="Gone for good", early_reason="The river took the truck",
    )  # fmt: skip


def test_an_act_is_approved_once(
    act: LossAct, authority_officer: User, second_officer: User, later: Callable[..., datetime]
) -> None:
    def approve(person: User) -> Callable[[], LossAct]:
        return lambda: loss.approve_act(actor=person, at=later(hours=1), act=act)

    results = at_once(approve(authority_officer), approve(second_officer))

    assert len(winners(results)) == 1
    assert [type(result) for result in results if isinstance(result, DomainError)] == [InvalidTransition]
    assert Movement.objects.filter(kind="write_off").count() == 1
    assert find_differences() == {}


def test_without_the_lock_only_the_database_stops_the_second_approval(
    act: LossAct,
    authority_officer: User,
    second_officer: User,
    later: Callable[..., datetime],
) -> None:
    """The twin: both have read the act while it waited."""
    both_have_read = threading.Barrier(2)

    def approve(person: User) -> Callable[[], LossAct]:
        has_waited = False

        def unlocked(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            """Rows of losses are read without their locks; whoever has read the act waits for the other once."""
            nonlocal has_waited
            asked, lock, _rest = sql.partition(" FOR NO KEY UPDATE")
            is_of_loss = 'FROM "custody_loss' in asked
            read = execute(asked if is_of_loss else sql, params, many, context)
            if not lock and 'FROM "custody_lossact"' in asked and not has_waited:
                has_waited = True
                both_have_read.wait(10)
            return read

        def act_alone() -> LossAct:
            with connection.execute_wrapper(unlocked):
                return loss.approve_act(actor=person, at=later(hours=1), act=act)

        return act_alone

    results = at_once(approve(authority_officer), approve(second_officer))

    assert sum(isinstance(result, DatabaseError) for result in results) == 1
