"""Dispatch and acceptance of 10,000 items against a COPY of as many posting rows, in a register of N items.

Two ways in one run: loose items, and the same number in sealed boxes of fifteen. A hand-over writes four posting rows
an item, two as it is sent and two as it is taken in; the twin table has their columns and indexes and takes them by
COPY. The scans between are the receiver's work and are not measured here. Each figure is the median of the hand-overs
over the median of the COPYs, of rounds in which one follows the other.
"""

import statistics
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.goods import FULL, enter_goods, fill_register
from benchmarks.movement import copy_again, ground, timed
from core.accounts.models import User
from ledger.models import AccountKind, CustodyAccount, Handover, HandoverLine, HandoverSeal, Item
from ledger.services import accept_handover, begin_boxes, dispatch_items, pack_items, seal_box

ITEMS = 10_000
A_BOX = 15
ROUNDS = 7


def measure(n: int | None) -> Iterable[Figure]:
    sender, here, there = ground()
    receiver = User.objects.get_or_create(username="bench-receiver")[0]
    _open_transit(here)
    fill_register(sender, here, n or FULL)
    yield at_least("handovers.register", Item.objects.count(), "items", n or FULL)

    loose = enter_goods(sender, here, ITEMS)
    yield at_most(f"handovers.{ITEMS}_loose", _ratio(sender, receiver, loose, here, there), "x COPY", 5)
    boxed = enter_goods(sender, here, ITEMS)
    _box(sender, here, boxed)
    yield at_most(f"handovers.{ITEMS}_boxed", _ratio(sender, receiver, boxed, here, there), "x COPY", 5)

    counts = []
    for items in (enter_goods(sender, here, 10), enter_goods(sender, here, ITEMS)):
        with CaptureQueriesContext(connection) as queries:
            _hand_over(sender, receiver, items, here, there)
        counts.append(len(queries))
    yield at_most("handovers.more_statements_for_many", counts[1] - counts[0], "statements", 0)


def _ratio(sender: User, receiver: User, items: list[int], here: CustodyAccount, there: CustodyAccount) -> float:
    ours, copies = [], []
    for _round in range(ROUNDS):
        taken = timed(partial(_send, sender, items, here, there))
        sent = Handover.objects.latest("pk")
        _scan_all(sent, receiver)
        taken += timed(partial(accept_handover, actor=receiver, at=datetime.now(UTC), handover=sent))
        movements = [sent.dispatch_movement, sent.dispatch_movement.__class__.objects.get(key=f"accept:{sent.pk}")]
        ours.append(taken)
        copies.append(sum(copy_again(movement) for movement in movements))
        here, there = there, here
    return statistics.median(ours) / statistics.median(copies)


def _hand_over(sender: User, receiver: User, items: list[int], here: CustodyAccount, there: CustodyAccount) -> Handover:
    """Dispatch, have every item in hand, accept."""
    sent = _send(sender, items, here, there)
    _scan_all(sent, receiver)
    return accept_handover(actor=receiver, at=datetime.now(UTC), handover=sent)


def _send(sender: User, items: list[int], here: CustodyAccount, there: CustodyAccount) -> Handover:
    return dispatch_items(
        carried_by="A courier",
        actor=sender,
        at=datetime.now(UTC),
        key=uuid4().hex,
        source=here,
        target=there,
        item_ids=items,
    )


def _scan_all(sent: Handover, receiver: User) -> None:
    """Every item is in hand, as scans of sealed boxes note it, and every seal was looked at."""
    now = datetime.now(UTC)
    HandoverSeal.objects.filter(handover=sent).update(
        state=HandoverSeal.State.INTACT, checked_by=receiver, checked_at=now
    )
    HandoverLine.objects.filter(handover=sent).update(
        outcome=HandoverLine.Outcome.RECEIVED, scanned_by=receiver, scanned_at=now
    )


def _box(actor: User, store: CustodyAccount, items: list[int]) -> None:
    now = datetime.now(UTC)
    for start in range(0, len(items), A_BOX):
        (box,) = begin_boxes(actor=actor, at=now, account=store)
        pack_items(actor=actor, at=now, box=box, item_ids=items[start : start + A_BOX])
        seal_box(actor=actor, at=now, box=box, seal_number=uuid4().hex[:20])
    # As it is known of boxes that were packed on another day.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_box, ledger_packing")


def _open_transit(store: CustodyAccount) -> None:
    """The account of goods on their way, which a keeper's first store opens where services made it."""
    CustodyAccount.objects.get_or_create(
        kind=AccountKind.TRANSIT,
        custodian=store.custodian,
        defaults={"code": "BENCH-TR", "name_kk": "Жолда", "name_ru": "В пути", "name_en": "In transit"},
    )
