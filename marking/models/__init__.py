"""What identifies: signing keys, marks, label runs.

A mark is a code that is never issued twice, bound to one derivative for good; until then it is a blank label, which is
stock too. What a mark says of itself is signed; what has become of its derivative, the ledger says.
"""

from marking.models.carriers import Carrier, CarrierQuerySet
from marking.models.checks import (
    Check,
    CheckQuerySet,
    CopyAlert,
    CopyAlertQuerySet,
    CopyEvidence,
    CopyWatch,
    OnceCode,
    RefusedAsking,
)
from marking.models.field import FieldDevice, FieldPhoto, FieldPiece, FieldRecord
from marking.models.keys import KeyRequest, SigningKey, SigningKeyQuerySet
from marking.models.marks import CODE_PATTERN, Mark, MarkQuerySet
from marking.models.printing import OWN, OwnStock, OwnStockQuerySet, Printer, PrinterQuerySet, Symbols
from marking.models.requests import MarkRequest
from marking.models.runs import OWN_PROFILE, LabelPart, LabelRun, LabelRunEnd, LabelRunMark, LabelRunQuerySet
from marking.models.snapshots import Snapshot
from marking.models.stock import (
    LabelApplication,
    LabelCount,
    LabelDestruction,
    LabelDestructionLine,
    LabelEntry,
    LabelHolding,
    LabelMovement,
    LabelPlace,
    LabelReel,
    LabelReport,
    LabelSeries,
    LabelShipment,
    LabelShipmentLine,
    RowLabel,
)
from marking.models.tips import Tip, TipQuerySet

__all__ = [
    "CODE_PATTERN",
    "OWN",
    "OWN_PROFILE",
    "Carrier",
    "CarrierQuerySet",
    "Check",
    "CheckQuerySet",
    "CopyAlert",
    "CopyAlertQuerySet",
    "CopyEvidence",
    "CopyWatch",
    "FieldDevice",
    "FieldPhoto",
    "FieldPiece",
    "FieldRecord",
    "KeyRequest",
    "LabelApplication",
    "LabelCount",
    "LabelDestruction",
    "LabelDestructionLine",
    "LabelEntry",
    "LabelHolding",
    "LabelMovement",
    "LabelPart",
    "LabelPlace",
    "LabelReel",
    "LabelReport",
    "LabelRun",
    "LabelRunEnd",
    "LabelRunMark",
    "LabelRunQuerySet",
    "LabelSeries",
    "LabelShipment",
    "LabelShipmentLine",
    "Mark",
    "MarkQuerySet",
    "MarkRequest",
    "OnceCode",
    "OwnStock",
    "OwnStockQuerySet",
    "Printer",
    "PrinterQuerySet",
    "RefusedAsking",
    "RowLabel",
    "SigningKey",
    "SigningKeyQuerySet",
    "Snapshot",
    "Symbols",
    "Tip",
    "TipQuerySet",
]
