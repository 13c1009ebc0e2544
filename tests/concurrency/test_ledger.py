"""Two people at once. Each race has a twin that shows what the lock is for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from core.accounts.models import User
from core.base.clock import day_of
from ledger import services
from ledger.models import CustodyAccount, Handover, Holding, Movement, MovementKind, Reservation
from ledger.selectors import find_differences
from ledger.services import moving
from tests.goods import Enter
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def reception(annex: CustodyAccount) -> CustodyAccount:
    """Of the same keeper as the central store, for goods that go without a hand-over."""
    return annex


def test_one_item_dispatched_twice_leaves_once(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, *[200] * 50)

    def dispatch(key: str) -> Callable[[], Handover]:
        return lambda: services.dispatch_items(
            carried_by="A courier", actor=inspector, at=now, key=key, source=reception, target=central, item_ids=items
        )

    results = at_once(*(dispatch(f"k{n}") for n in range(6)))

    assert len(winners(results)) == 1
    assert all(isinstance(r, services.ItemsNotThere) for r in results if isinstance(r, Exception))
    assert Handover.objects.count() == 1
    assert find_differences() == {}


def test_without_the_lock_only_the_constraint_stands_between_two_dispatches(
    enter: Enter,
    inspector: User,
    now: datetime,
    reception: CustodyAccount,
    central: CustodyAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: with the lock taken out people get database errors instead of a sentence; still nothing leaks."""
    items = enter(reception, 200)
    barrier = threading.Barrier(2)

    @contextmanager
    def unlocked(*args: Any, **kwargs: Any) -> Iterator[None]:
        barrier.wait(10)
        yield

    monkeypatch.setattr(moving, "leaving", unlocked)

    def dispatch(key: str) -> Callable[[], Handover]:
        return lambda: services.dispatch_items(
            carried_by="A courier", actor=inspector, at=now, key=key, source=reception, target=central, item_ids=items
        )

    results = at_once(dispatch("a"), dispatch("b"))

    assert any(isinstance(result, DatabaseError) for result in results)
    assert find_differences() == {}
    assert Holding.objects.filter(item__in=items, pieces__gt=0).count() == 1


def test_one_key_sent_many_times_makes_one_movement(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 200, 210)

    def move() -> Movement:
        return services.move_items(
            actor=inspector,
            at=now,
            key="once",
            kind=MovementKind.TRANSFER,
            item_ids=items,
            source=reception,
            target=central,
            effective_on=day_of(now),
        )

    results = at_once(*[move] * 6)

    assert {movement.pk for movement in winners(results)} == {Movement.objects.get(key="once").pk}
    assert len(winners(results)) == 6


def test_one_balance_is_not_overdrawn_by_hand(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    """Two writers around the services take the same 200 g; the database lets one."""
    (item,) = enter(reception, 200)

    def take(key: str) -> Callable[[], None]:
        def write() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                movement = Movement.objects.create(kind="transfer", key=key, actor=inspector, effective_on=day_of(now))
                cursor.execute(
                    "INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams) VALUES"
                    " (%(m)s, %(s)s, %(i)s, 'HOR:removal', -1, -200), (%(m)s, %(t)s, %(i)s, 'HOR:removal', 1, 200)",
                    {"m": movement.pk, "s": reception.pk, "t": central.pk, "i": item},
                )

        return write

    results = at_once(take("a"), take("b"), take("c"))

    assert len(winners(results)) == 1
    assert find_differences() == {}


def test_acceptance_against_return_has_one_outcome(
    enter: Enter,
    inspector: User,
    storekeeper: User,
    auditor: User,
    now: datetime,
    reception: CustodyAccount,
    central: CustodyAccount,
) -> None:
    items = enter(reception, 200, 210)
    handover = services.dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d", source=reception, target=central, item_ids=items
    )
    for item in items:
        services.scan_received(actor=storekeeper, at=now, handover=handover, item_id=item)

    results = at_once(
        lambda: services.accept_handover(actor=storekeeper, at=now, handover=handover),
        lambda: services.turn_back(
            actor=auditor, at=now, handover=handover, reason="back, as told", despite_scans=True
        ),
    )

    assert len(winners(results)) == 1
    handover.refresh_from_db()
    assert Holding.objects.filter(item__in=items, account=central).count() == (2 if handover.state == "accepted" else 0)
    assert find_differences() == {}


def test_two_rights_never_promise_one_item(enter: Enter, now: datetime, reception: CustodyAccount) -> None:
    items = enter(reception, *[200] * 20)

    results = at_once(
        *(
            lambda reference=f"permit:{n}": services.reserve_items(at=now, item_ids=items, reference=reference)
            for n in range(5)
        )
    )

    assert len(winners(results)) == 1
    assert Reservation.objects.active().count() == len(items)


def test_opposite_movements_do_not_deadlock(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    here, there = enter(reception, *[200] * 100), enter(central, *[200] * 100)

    def move(key: str, items: list[int], source: CustodyAccount, target: CustodyAccount) -> Callable[[], Movement]:
        return lambda: services.move_items(
            actor=inspector,
            at=now,
            key=key,
            kind=MovementKind.TRANSFER,
            item_ids=items,
            source=source,
            target=target,
            effective_on=day_of(now),
        )

    results = at_once(
        *(move(f"f{n}", here[n * 20 : n * 20 + 20], reception, central) for n in range(5)),
        *(move(f"b{n}", there[n * 20 : n * 20 + 20], central, reception) for n in range(5)),
    )

    assert len(winners(results)) == 10
    assert find_differences() == {}
