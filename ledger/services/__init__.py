"""Every write of the ledger. Set-based: a movement of 10,000 items is a handful of statements.

Lock order of the whole system: the thing acted on (permit, application, intake, hand-over) · the store it goes to ·
holdings by item · totals by account and class. A number series is taken by one kind of act only, so its lock can stand
before or after the totals.
"""

from ledger.services.handovers import accept_handover, cancel_handover, dispatch_items, scan_received, unscan_received
from ledger.services.holding import lift_hold, place_hold, release_items, reserve_items
from ledger.services.moving import Arrival, enter_items, move_items, open_items, reverse_movement
from ledger.services.periods import close_period
from ledger.services.refusals import (
    BackDated,
    ItemsNotThere,
    ItemsOnHold,
    ItemsReserved,
    KeyReused,
    NotInHandover,
    SecondPersonNeeded,
    StoreClosed,
    StoreKnown,
    StoreNotEmpty,
)
from ledger.services.stores import close_store, open_store, reopen_store

__all__ = [
    "Arrival",
    "BackDated",
    "ItemsNotThere",
    "ItemsOnHold",
    "ItemsReserved",
    "KeyReused",
    "NotInHandover",
    "SecondPersonNeeded",
    "StoreClosed",
    "StoreKnown",
    "StoreNotEmpty",
    "accept_handover",
    "cancel_handover",
    "close_period",
    "close_store",
    "dispatch_items",
    "enter_items",
    "lift_hold",
    "move_items",
    "open_items",
    "open_store",
    "place_hold",
    "release_items",
    "reopen_store",
    "reserve_items",
    "reverse_movement",
    "scan_received",
    "unscan_received",
]
