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
    UsedSeal,
)
from ledger.models.climate import ClimateExcursion, ClimateReading, ClimateWatch
from ledger.models.handovers import (
    Handover,
    HandoverLine,
    HandoverPaper,
    HandoverQuerySet,
    HandoverSeal,
    HandoverSignature,
)
from ledger.models.holds import Hold, HoldQuerySet, Reservation, ReservationQuerySet
from ledger.models.movements import (
    MOST_GRAMS,
    WAYS,
    AccountTotal,
    Holding,
    Item,
    Movement,
    MovementKind,
    PeriodClose,
    Posting,
    goes,
)
from ledger.models.stocktakes import (
    StockTake,
    StockTakeLine,
    StockTakeMember,
    StockTakeNotice,
    StockTakeQuerySet,
    StockTakeScan,
    StockTakeTally,
)
from ledger.models.weighings import WeighIn, Weighing, WeighingMovement, WeighingQuerySet

__all__ = [
    "MOST_GRAMS",
    "PHYSICAL",
    "WAYS",
    "AccountKind",
    "AccountTotal",
    "Box",
    "BoxQuerySet",
    "ClimateExcursion",
    "ClimateReading",
    "ClimateWatch",
    "CustodyAccount",
    "CustodyAccountQuerySet",
    "Handover",
    "HandoverLine",
    "HandoverPaper",
    "HandoverQuerySet",
    "HandoverSeal",
    "HandoverSignature",
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
    "StockTake",
    "StockTakeLine",
    "StockTakeMember",
    "StockTakeNotice",
    "StockTakeQuerySet",
    "StockTakeScan",
    "StockTakeTally",
    "UsedSeal",
    "WeighIn",
    "Weighing",
    "WeighingMovement",
    "WeighingQuerySet",
    "goes",
]
