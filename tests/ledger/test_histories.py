"""Random histories: whatever people do, in whatever order, every invariant of the ledger holds."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.models import User
from core.base.clock import day_of
from core.base.errors import DomainError
from ledger.models import AccountTotal, CustodyAccount, Handover, Hold, Holding, Movement, MovementKind
from ledger.selectors import as_of, find_differences, positions
from ledger.services import (
    accept_handover,
    cancel_handover,
    dispatch_items,
    lift_hold,
    move_items,
    place_hold,
    release_items,
    reserve_items,
    reverse_movement,
    scan_received,
)
from tests.goods import Enter

Act = Callable[[datetime, list[int], int, str], object]


@pytest.fixture
def act_of(
    inspector: User, storekeeper: User, reception: CustodyAccount, central: CustodyAccount, export: CustodyAccount
) -> dict[str, Act]:
    """What people may try, each with a moment, some items, a number that chooses among variants, and a key."""
    stores = [reception, central]

    def move(at: datetime, wanted: list[int], which: int, key: str, target: CustodyAccount | None = None) -> None:
        move_items(
            actor=inspector,
            at=at,
            key=key,
            kind=MovementKind.TRANSFER,
            item_ids=wanted,
            source=stores[which % 2],
            target=target or stores[(which + 1) % 2],
            effective_on=day_of(at),
            under="permit:1" if which > 1 else "",
        )

    def dispatch(at: datetime, wanted: list[int], which: int, key: str) -> None:
        dispatch_items(
            actor=inspector,
            at=at,
            key=key,
            source=stores[which % 2],
            target=stores[(which + 1) % 2],
            item_ids=wanted,
            under="permit:1" if which > 1 else "",
        )

    def with_handover(act: Callable[[Handover, datetime, int], object]) -> Act:
        def on_latest(at: datetime, wanted: list[int], which: int, key: str) -> None:
            handover = Handover.objects.filter(lines__item=wanted[0]).first()
            if handover is not None:
                act(handover, at, wanted[0])

        return on_latest

    def reverse(at: datetime, wanted: list[int], which: int, key: str) -> None:
        movement = Movement.objects.filter(postings__item=wanted[0]).first()
        if movement is not None and movement.kind != MovementKind.INTAKE:
            reverse_movement(actor=inspector, at=at, key=key, movement=movement, effective_on=day_of(at))

    dispute = Hold.Kind.DISPUTE
    return {
        "move": move,
        "export": partial(move, target=export),
        "dispatch": dispatch,
        "scan": with_handover(lambda h, at, item: scan_received(actor=storekeeper, at=at, handover=h, item_id=item)),
        "accept": with_handover(
            lambda h, at, item: accept_handover(actor=storekeeper, at=at, handover=h, difference_reason="one short")
        ),
        "cancel": with_handover(lambda h, at, item: cancel_handover(actor=inspector, at=at, handover=h, reason="back")),
        "hold": lambda at, wanted, which, key: place_hold(
            actor=inspector, at=at, item_ids=wanted, kind=dispute, reference="d"
        ),
        "lift": lambda at, wanted, which, key: lift_hold(
            actor=inspector, at=at, item_ids=wanted, kind=dispute, reason="settled"
        ),
        "reserve": lambda at, wanted, which, key: reserve_items(at=at, item_ids=wanted, reference="permit:1"),
        "release": lambda at, wanted, which, key: release_items(at=at, reference="permit:1"),
        "reverse": reverse,
    }


MASSES = (200, 210, 220, 230, 240, 250)
NAMES = ["move", "export", "dispatch", "scan", "accept", "cancel", "hold", "lift", "reserve", "release", "reverse"]
HISTORY = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sets(st.integers(0, 5), min_size=1), st.integers(0, 3)),
    min_size=5,
    max_size=25,
)


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(history=HISTORY)
def test_every_history_keeps_the_invariants(
    history: list[tuple[str, set[int], int]],
    act_of: dict[str, Act],
    enter: Enter,
    now: datetime,
    reception: CustodyAccount,
) -> None:
    items = enter(reception, *MASSES)

    for number, (name, chosen, which) in enumerate(history):
        wanted = [items[index] for index in sorted(chosen)]
        with suppress(DomainError):
            act_of[name](now + timedelta(minutes=number), wanted, which, f"{items[0]}:{number}")

    assert find_differences() == {}
    assert sum(AccountTotal.objects.values_list("pieces", flat=True)) == 0
    assert sum(AccountTotal.objects.values_list("grams", flat=True)) == 0
    somewhere = Holding.objects.filter(item__in=items, pieces__gt=0).order_by("item_id")
    assert list(somewhere.values_list("item_id", "grams")) == list(zip(items, MASSES, strict=True))
    everything = list(CustodyAccount.objects.all())
    assert as_of(everything, day_of(now)) == positions(everything)
