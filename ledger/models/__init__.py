"""Where things are. Knows items and accounts; no species, no marks, no permits.

Postings are the truth. Holdings and totals are kept by a trigger of the same statement that posts, so that writes
around the services keep them too; `manage.py check_ledger` rebuilds and compares.
"""

from ledger.models.accounts import PHYSICAL, AccountKind, CustodyAccount, CustodyAccountQuerySet
from ledger.models.boxes import (
    Box,
    BoxQuerySet,
    Packing,
    PackingQuerySet,
    Placement,
    PlacementQuerySet,
    Shelf,
)
from ledger.models.handovers import Handover, HandoverLine, HandoverQuerySet
from ledger.models.holds import Hold, HoldQuerySet, Reservation, ReservationQuerySet
from ledger.models.movements import AccountTotal, Holding, Item, Movement, MovementKind, PeriodClose, Posting

__all__ = [
    "PHYSICAL",
    "AccountKind",
    "AccountTotal",
    "Box",
    "BoxQuerySet",
    "CustodyAccount",
    "CustodyAccountQuerySet",
    "Handover",
    "HandoverLine",
    "HandoverQuerySet",
    "Hold",
    "HoldQuerySet",
    "Holding",
    "Item",
    "Movement",
    "MovementKind",
    "Packing",
    "PackingQuerySet",
    "PeriodClose",
    "Placement",
    "PlacementQuerySet",
    "Posting",
    "Reservation",
    "ReservationQuerySet",
    "Shelf",
]
