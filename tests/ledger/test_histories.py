"""Random histories: whatever people do, in whatever order, every invariant of the ledger holds.

Upper rooms ask more of some movements (a decision, a processing, an act): here the ledger is alone.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db.models import F, Q, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.models import User
from core.base.clock import day_of
from core.base.errors import DomainError
from ledger.models import (
    AccountKind,
    AccountTotal,
    Box,
    CustodyAccount,
    Handover,
    Hold,
    Holding,
    Movement,
    MovementKind,
    Packing,
    Posting,
)
from ledger.selectors import as_of, find_differences, positions
from ledger.services import (
    accept_handover,
    begin_boxes,
    dispatch_items,
    lift_hold,
    move_items,
    open_seal,
    pack_items,
    place_hold,
    reclassify_items,
    release_items,
    reserve_items,
    reverse_movement,
    scan_received,
    seal_box,
    stack_box,
    turn_back,
    unpack_items,
    weigh_items,
)
from tests.goods import Enter

History = list[tuple[str, set[int], int]]


@dataclass
class Acts:
    """What people may try, each with a moment, some items, a number that chooses among variants, and a key."""

    inspector: User
    storekeeper: User
    stores: list[CustodyAccount]

    def move(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        self._leave(at, wanted, which, key, MovementKind.TRANSFER, self.stores[(which + 1) % 2])

    def consume(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        self._retire(at, wanted, which, key, MovementKind.CONSUMPTION, AccountKind.PROCESSING)

    def lose(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        self._retire(at, wanted, which, key, MovementKind.WRITE_OFF, AccountKind.LOSS)

    def destroy(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        self._retire(at, wanted, which, key, MovementKind.DESTRUCTION, AccountKind.DESTRUCTION)

    def sell(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        self._retire(at, wanted, which, key, MovementKind.SALE, AccountKind.DOMESTIC_SALE)

    def _retire(
        self, at: datetime, wanted: list[int], which: int, key: str, kind: MovementKind, boundary: AccountKind
    ) -> None:
        self._leave(at, wanted, which, key, kind, CustodyAccount.objects.boundary(boundary))

    def _leave(
        self, at: datetime, wanted: list[int], which: int, key: str, kind: MovementKind, target: CustodyAccount
    ) -> None:
        move_items(
            actor=self.inspector,
            at=at,
            key=key,
            kind=kind,
            item_ids=wanted,
            source=self.stores[which % 2],
            target=target,
            effective_on=day_of(at),
            under="permit:1" if which > 1 else "",
        )

    def recover(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        move_items(
            actor=self.inspector,
            at=at,
            key=key,
            kind=MovementKind.RECOVERY,
            item_ids=wanted,
            source=CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=self.stores[which % 2].custodian),
            target=self.stores[which % 2],
            effective_on=day_of(at),
        )

    def weigh(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        masses = Holding.objects.filter(item__in=wanted, pieces__gt=0).values_list("item_id", "grams")
        now = {item: grams + which - 2 for item, grams in masses}
        weigh_items(actor=self.inspector, at=at, key=key, account=self.stores[which % 2], grams=now, confirmed=wanted)

    def decide(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        reclassify_items(
            actor=self.inspector,
            at=at,
            key=key,
            account=self.stores[which % 2],
            classes=dict.fromkeys(wanted, "HOR:confiscated" if which > 1 else "HOR:removal"),
            effective_on=day_of(at),
        )

    def dispatch(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        dispatch_items(
            carried_by="A courier",
            actor=self.inspector,
            at=at,
            key=key,
            source=self.stores[which % 2],
            target=self.stores[(which + 1) % 2],
            item_ids=wanted,
            under="permit:1" if which > 1 else "",
        )

    def scan(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        for handover in _handovers(wanted):
            scan_received(actor=self.storekeeper, at=at, handover=handover, item_id=wanted[0])

    def accept(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        for handover in _handovers(wanted):
            accept_handover(actor=self.storekeeper, at=at, handover=handover, difference_reason="one short, as told")

    def cancel(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        for handover in _handovers(wanted):
            turn_back(actor=self.inspector, at=at, handover=handover, reason="back, as told")

    def reverse(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        movement = Movement.objects.filter(postings__item=wanted[0]).first()
        if movement is not None and movement.kind != MovementKind.INTAKE:
            reverse_movement(actor=self.inspector, at=at, key=key, movement=movement, effective_on=day_of(at))

    def hold(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        place_hold(actor=self.inspector, at=at, item_ids=wanted, kind=Hold.Kind.DISPUTE, reference="d")

    def lift(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        lift_hold(actor=self.inspector, at=at, item_ids=wanted, kind=Hold.Kind.DISPUTE, reason="settled, as told")

    def reserve(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        reserve_items(at=at, item_ids=wanted, reference="permit:1")

    def release(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        release_items(at=at, reference="permit:1")

    def pack(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        store = self.stores[which % 2]
        box = Box.objects.filter(account=store, kind=Box.Kind.BOX, seal_number="").first()
        if box is None:
            (box,) = begin_boxes(actor=self.inspector, at=at, account=store)
        pack_items(actor=self.inspector, at=at, box=box, item_ids=wanted)

    def stack(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        for box in _boxes(wanted):
            (pallet,) = begin_boxes(actor=self.inspector, at=at, account=box.account, kind=Box.Kind.PALLET)
            stack_box(actor=self.inspector, at=at, pallet=pallet, box=box)

    def unpack(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        for box in _boxes(wanted):
            unpack_items(actor=self.inspector, at=at, box=box)

    def seal(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        for box in _boxes(wanted):
            seal_box(actor=self.inspector, at=at, box=box, seal_number=key)

    def open(self, at: datetime, wanted: list[int], which: int, key: str) -> None:
        for box in _boxes(wanted):
            open_seal(actor=self.inspector, at=at, box=box, reason="to look inside")


def _handovers(wanted: list[int]) -> list[Handover]:
    return list(Handover.objects.filter(lines__item=wanted[0])[:1])


def _boxes(wanted: list[int]) -> list[Box]:
    return list(Box.objects.filter(packings__item=wanted[0], packings__taken_out_at=None))


@pytest.fixture
def reception(annex: CustodyAccount) -> CustodyAccount:
    """Of the same keeper as the central store, for goods that go without a hand-over."""
    return annex


@pytest.fixture
def acts(
    ledger_alone: None, inspector: User, storekeeper: User, reception: CustodyAccount, central: CustodyAccount
) -> Acts:
    return Acts(inspector, storekeeper, [reception, central])


MASSES = (200, 210, 220, 230, 240, 250)
NAMES = [name for name in vars(Acts) if not name.startswith("_")]
MOVING = ["move", "recover", "dispatch", "consume", "lose", "destroy", "sell", "weigh", "decide"]
SOME, WHICH = st.sets(st.integers(0, 5), min_size=1), st.integers(0, 3)
HISTORY = st.lists(st.tuples(st.sampled_from(NAMES), SOME, WHICH), min_size=5, max_size=25)
LAST = st.tuples(st.sampled_from(MOVING), SOME, WHICH)


RANDOMLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _live(history: History, acts: Acts, items: list[int], start: datetime) -> None:
    for number, (name, chosen, which) in enumerate(history):
        wanted = [items[index] for index in sorted(chosen)]
        with suppress(DomainError):
            getattr(acts, name)(start + timedelta(minutes=number), wanted, which, f"{items[0]}:{number}")


def _held(items: list[int]) -> set[tuple[int, int, str, int, int]]:
    """What is where, whatever the day it came."""
    return set(
        Holding.objects.filter(item__in=items).values_list("item_id", "account_id", "stock_class", "pieces", "grams")
    )


@pytest.mark.django_db
@RANDOMLY
@given(history=HISTORY)
def test_every_history_keeps_the_invariants(
    history: History,
    acts: Acts,
    enter: Enter,
    now: datetime,
    reception: CustodyAccount,
) -> None:
    items = enter(reception, *MASSES)

    _live(history, acts, items, now)

    assert find_differences() == {}
    of_items = Posting.objects.filter(item__in=items).order_by("item_id").values_list("item_id")
    assert list(of_items.annotate(Sum("pieces"), Sum("grams"))) == [(item, 0, 0) for item in items]
    assert sum(AccountTotal.objects.values_list("pieces", flat=True)) == 0
    assert sum(AccountTotal.objects.values_list("grams", flat=True)) == 0
    assert not Holding.objects.filter(Q(pieces__lt=0) | Q(grams__lt=0), is_physical=True).exists()
    dried = CustodyAccount.objects.boundary(AccountKind.DRYING_LOSS)
    lost = dict(Holding.objects.filter(account=dried, item__in=items).values_list("item_id", "grams"))
    somewhere = Holding.objects.filter(item__in=items, pieces__gt=0).order_by("item_id")
    assert [(item, grams + lost.get(item, 0)) for item, grams in somewhere.values_list("item_id", "grams")] == list(
        zip(items, MASSES, strict=True)
    )
    astray = Packing.objects.present().exclude(item__holdings__account=F("box__account"))
    assert not astray.filter(item__in=items).exists()
    everything = list(CustodyAccount.objects.all())
    assert as_of(everything, day_of(now)) == positions(everything)


@pytest.mark.django_db
@RANDOMLY
@given(
    history=HISTORY, last=st.tuples(st.sampled_from(MOVING), st.sets(st.integers(0, 5), min_size=1), st.integers(0, 3))
)
def test_a_reversal_restores_what_was(
    history: History,
    last: tuple[str, set[int], int],
    acts: Acts,
    enter: Enter,
    now: datetime,
    reception: CustodyAccount,
    inspector: User,
) -> None:
    items = enter(reception, *MASSES)
    _live(history, acts, items, now)
    before = _held(items)
    newest = Movement.objects.latest("pk").pk
    at = now + timedelta(hours=1)

    _live([last], acts, items, at)

    movement = Movement.objects.filter(pk__gt=newest).first()
    if movement is not None:
        assert _held(items) != before
        reverse_movement(actor=inspector, at=at, key=f"{items[0]}:back", movement=movement, effective_on=day_of(at))
        assert _held(items) == before
