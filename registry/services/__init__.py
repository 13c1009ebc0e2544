"""Every write of the registry room: opening intakes, their weighing tables, registration.

Lock order: the intake, then what the ledger locks, in the ledger's order.
"""

from registry.services.cases import (
    CaseChanged,
    CaseFacts,
    CaseKnown,
    DecisionFacts,
    DecisionWaits,
    GoodsNotHeld,
    add_person,
    confirm_decision,
    count_goods,
    look_at_persons,
    note_facts,
    open_case,
    receive_expertise,
    record_decision,
    request_expertise,
    withdraw_decision,
)
from registry.services.opening import (
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
    "CaseChanged",
    "CaseFacts",
    "CaseKnown",
    "DecisionFacts",
    "DecisionWaits",
    "ExplanationNeeded",
    "GoodsNotHeld",
    "NothingToRegister",
    "SheetAdded",
    "TableChanged",
    "add_person",
    "add_sheet_rows",
    "attach_photo",
    "cancel_intake",
    "confirm_decision",
    "correct_removal_intake",
    "count_goods",
    "look_at_persons",
    "note_facts",
    "open_case",
    "open_removal_intake",
    "open_seizure_intake",
    "receive_expertise",
    "record_decision",
    "register_intake",
    "request_expertise",
    "save_rows",
    "withdraw_decision",
]
