"""Every write of this room, by act.

Lock order: permit · application, loading list or hand-over · holdings by item · number series · totals.
"""

from permits.services.applications import (
    LinesRefused,
    NotInStock,
    Wishes,
    add_lines,
    change_application,
    open_application,
    remove_lines,
    submit_application,
    withdraw_application,
)
from permits.services.decisions import (
    DeciderIsApplicant,
    approve_application,
    refuse_application,
    return_application,
    take_up_application,
)
from permits.services.goods import (
    NotCovered,
    PermitRevoked,
    accept_goods,
    dispatch_goods,
    is_receiver,
    is_sender,
    note_extra,
    require_receiver,
    return_goods,
    scan_goods,
    undo_last_scan,
)
from permits.services.loading import change_loading, dispatch_loading, load_items, open_loading, unload_items
from permits.services.permits import expire_permits, revoke_permit

__all__ = [
    "DeciderIsApplicant",
    "LinesRefused",
    "NotCovered",
    "NotInStock",
    "PermitRevoked",
    "Wishes",
    "accept_goods",
    "add_lines",
    "approve_application",
    "change_application",
    "change_loading",
    "dispatch_goods",
    "dispatch_loading",
    "expire_permits",
    "is_receiver",
    "is_sender",
    "load_items",
    "note_extra",
    "open_application",
    "open_loading",
    "refuse_application",
    "remove_lines",
    "require_receiver",
    "return_application",
    "return_goods",
    "revoke_permit",
    "scan_goods",
    "submit_application",
    "take_up_application",
    "undo_last_scan",
    "unload_items",
    "withdraw_application",
]
