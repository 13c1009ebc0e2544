"""Every write of the ledger. Set-based: a movement of 10,000 items is a handful of statements.

Lock order of the whole system: the thing acted on (permit, application, intake, hand-over) · the store it goes to ·
holdings by item · totals by account and class · boxes by key. A number series is taken by one kind of act only, so its
lock can stand before or after the totals.
"""

from ledger.services.boxes import (
    begin_boxes,
    count_content,
    open_seal,
    pack_items,
    seal_box,
    stack_box,
    unpack_items,
    unstack_box,
)
from ledger.services.handovers import accept_handover, cancel_handover, dispatch_items, scan_received, unscan_received
from ledger.services.holding import lift_hold, place_hold, release_items, reserve_items
from ledger.services.moving import (
    Arrival,
    enter_items,
    move_items,
    open_items,
    reclassify_items,
    reverse_movement,
)
from ledger.services.periods import close_period
from ledger.services.refusals import (
    AlreadyPacked,
    BackDated,
    BoxIsEmpty,
    BoxIsSealed,
    ItemsNotThere,
    ItemsOnHold,
    ItemsReserved,
    KeyReused,
    NotInBox,
    NotInHandover,
    SealKnown,
    SecondPersonNeeded,
    ShelfKnown,
    StoreClosed,
    StoreKnown,
    StoreNotEmpty,
)
from ledger.services.shelves import add_shelves, place_box, place_items
from ledger.services.stores import close_store, open_store, reopen_store

__all__ = [
    "AlreadyPacked",
    "Arrival",
    "BackDated",
    "BoxIsEmpty",
    "BoxIsSealed",
    "ItemsNotThere",
    "ItemsOnHold",
    "ItemsReserved",
    "KeyReused",
    "NotInBox",
    "NotInHandover",
    "SealKnown",
    "SecondPersonNeeded",
    "ShelfKnown",
    "StoreClosed",
    "StoreKnown",
    "StoreNotEmpty",
    "accept_handover",
    "add_shelves",
    "begin_boxes",
    "cancel_handover",
    "close_period",
    "close_store",
    "count_content",
    "dispatch_items",
    "enter_items",
    "lift_hold",
    "move_items",
    "open_items",
    "open_seal",
    "open_store",
    "pack_items",
    "place_box",
    "place_hold",
    "place_items",
    "reclassify_items",
    "release_items",
    "reopen_store",
    "reserve_items",
    "reverse_movement",
    "scan_received",
    "seal_box",
    "stack_box",
    "unpack_items",
    "unscan_received",
    "unstack_box",
]
