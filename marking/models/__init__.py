"""What identifies: signing keys, marks, label runs.

A mark is a code that is never issued twice, bound to one derivative for good; until then it is a blank label, which is
stock too. What a mark says of itself is signed; what has become of its derivative, the ledger says.
"""

from marking.models.keys import SigningKey, SigningKeyQuerySet
from marking.models.marks import CODE_PATTERN, Mark, MarkQuerySet
from marking.models.runs import LabelPart, LabelRun, LabelRunMark, LabelRunQuerySet
from marking.models.snapshots import Snapshot

__all__ = [
    "CODE_PATTERN",
    "LabelPart",
    "LabelRun",
    "LabelRunMark",
    "LabelRunQuerySet",
    "Mark",
    "MarkQuerySet",
    "SigningKey",
    "SigningKeyQuerySet",
    "Snapshot",
]
