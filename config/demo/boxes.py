"""Shelves, boxes and a pallet in the central store: some sealed and put away, one still open."""

from datetime import datetime, timedelta

from config.demo.cast import Cast
from ledger.models import Box, Hold, Holding, Reservation
from ledger.services import (
    add_shelves,
    begin_boxes,
    open_seal,
    pack_items,
    place_box,
    place_items,
    seal_box,
    stack_box,
)

A_BOX = 15


def pack_boxes(cast: Cast, now: datetime) -> list[Box]:
    """Five boxes of fifteen horns: two on a pallet, two on shelves, one open; a seal that was opened once."""
    store, keeper = cast.places["CS-75"], cast.people["storekeeper"]
    at = now - timedelta(days=20)
    shelves = add_shelves(
        actor=keeper,
        at=at,
        account=store,
        codes=[f"A-0{rack}-{shelf}" for rack in (1, 2) for shelf in range(1, 5)],
        name="1-камера, А қатары",
    )
    bound = Hold.objects.active().values("item").union(Reservation.objects.active().values("item"))
    free = Holding.objects.filter(account=store, pieces__gt=0, stock_class="HOR:removal").exclude(item__in=bound)
    items = list(free.order_by("item_id").values_list("item_id", flat=True)[: 5 * A_BOX + 8])
    boxes = begin_boxes(actor=keeper, at=at, account=store, count=5)
    for number, box in enumerate(boxes):
        inside = items[number * A_BOX : (number + 1) * A_BOX]
        pack_items(actor=keeper, at=at + timedelta(minutes=20 * number), box=box, item_ids=inside)
    for number, box in enumerate(boxes[:4]):
        seal_box(actor=keeper, at=at + timedelta(hours=3), box=box, seal_number=f"К{41200 + number}")
    (pallet,) = begin_boxes(actor=keeper, at=at, account=store, kind=Box.Kind.PALLET)
    for box in boxes[:2]:
        stack_box(actor=keeper, at=at + timedelta(hours=4), pallet=pallet, box=box)
    place_box(actor=keeper, at=at + timedelta(hours=5), shelf=shelves[0], box=pallet)
    place_box(actor=keeper, at=at + timedelta(hours=5), shelf=shelves[1], box=boxes[2])
    place_box(actor=keeper, at=at + timedelta(hours=5), shelf=shelves[2], box=boxes[3])
    place_items(actor=keeper, at=at + timedelta(hours=6), shelf=shelves[4], item_ids=items[5 * A_BOX :])
    open_seal(actor=keeper, at=at + timedelta(days=9), box=boxes[3], reason="Түгендеу: мүйіздер қайта саналды")
    seal_box(actor=keeper, at=at + timedelta(days=9, hours=1), box=boxes[3], seal_number="К41310")
    return boxes
