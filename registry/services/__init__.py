"""Every write of the registry room: opening intakes, their weighing tables, registration.

Lock order: the intake, then what the ledger locks, in the ledger's order.
"""

from registry.services.opening import (
    CaseFacts,
    CaseKnown,
    cancel_intake,
    correct_removal_intake,
    open_removal_intake,
    open_seizure_intake,
)
from registry.services.registration import (
    BandNotConfirmed,
    ExplanationNeeded,
    NothingToRegister,
    register_intake,
)
from registry.services.table import SheetAdded, TableChanged, add_sheet_rows, attach_photo, save_rows

__all__ = [
    "BandNotConfirmed",
    "CaseFacts",
    "CaseKnown",
    "ExplanationNeeded",
    "NothingToRegister",
    "SheetAdded",
    "TableChanged",
    "add_sheet_rows",
    "attach_photo",
    "cancel_intake",
    "correct_removal_intake",
    "open_removal_intake",
    "open_seizure_intake",
    "register_intake",
    "save_rows",
]
