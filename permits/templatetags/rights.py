"""How states of applications, permits and hand-overs are shown: the tone that goes with each word."""

from django import template

from ledger.models import Handover, HandoverLine
from permits.machine import State
from permits.models import Permit

register = template.Library()

TONES: dict[str, str] = {
    State.DRAFT: "neutral",
    State.SUBMITTED: "wait",
    State.IN_REVIEW: "wait",
    State.RETURNED: "attention",
    State.APPROVED: "ok",
    State.REFUSED: "stop",
    State.WITHDRAWN: "neutral",
    Permit.State.NOT_YET: "wait",
    Permit.State.IN_FORCE: "ok",
    Permit.State.USED: "neutral",
    Permit.State.EXPIRED: "attention",
    Permit.State.REVOKED: "stop",
    Handover.State.DISPATCHED: "wait",
    Handover.State.ACCEPTED: "ok",
    Handover.State.RETURNING: "attention",
    Handover.State.RETURNED: "neutral",
    Handover.State.CANCELLED: "neutral",
    HandoverLine.Outcome.PENDING: "wait",
    HandoverLine.Outcome.RECEIVED: "ok",
    HandoverLine.Outcome.MISSING: "stop",
    HandoverLine.Outcome.LATER: "ok",
}


@register.filter
def tone(state: str) -> str:
    """The tone of a state; "neutral" for one that has none."""
    return TONES.get(state, "neutral")
