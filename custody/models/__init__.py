"""The papers of acts upon goods in hand: reports of loss, write-offs, destructions."""

from custody.models.corrections import Correction, SettledMovement
from custody.models.destruction import (
    CommissionMember,
    DestructionLine,
    DestructionOrder,
    DestructionOrderQuerySet,
)
from custody.models.loss import LossAct, LossLine, LossReport, LossReportQuerySet, MissingHold, WaitingHold

__all__ = [
    "CommissionMember",
    "Correction",
    "DestructionLine",
    "DestructionOrder",
    "DestructionOrderQuerySet",
    "LossAct",
    "LossLine",
    "LossReport",
    "LossReportQuerySet",
    "MissingHold",
    "SettledMovement",
    "WaitingHold",
]
