"""Correcting a movement that was a mistake: asked for by one person with a reason, confirmed by a second one.

Only what has no other way back is corrected here: every other act is undone where it was done. Lock order: the
movement, its correction, then what the ledger locks.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import DomainError, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from core.rules.selectors import discrepancy_due_on
from custody.models import Correction
from ledger.models import Movement, MovementKind
from ledger.services import SecondPersonNeeded, reverse_movement

Kind = MovementKind
State = Correction.State

CORRECTED_HERE = frozenset({Kind.WEIGHING, Kind.TRANSFER})
_ELSEWHERE: dict[str, StrOrPromise] = {
    Kind.INTAKE: _("A registration stays. What is not there is reported as lost and written off."),
    **dict.fromkeys(
        (Kind.DISPATCH, Kind.ACCEPT, Kind.RETURN, Kind.MISSING),
        _("Goods of a hand-over are taken back on its page, or sent back by another one."),
    ),
    **dict.fromkeys((Kind.CONSUMPTION, Kind.PRODUCTION), _("What processing consumed and made stays as its act says.")),
    Kind.DECISION: _("What a court decided is changed only by another decision."),
    **dict.fromkeys(
        (Kind.LOSS, Kind.WRITE_OFF, Kind.RECOVERY), _("Loss and write-off are settled by the acts of their report.")
    ),
    Kind.DESTRUCTION: _("What was destroyed cannot come back."),
    Kind.SALE: _("A sale is not taken back once the goods have left."),
    Kind.REVERSAL: _("This is a correction itself."),
}


class NotCorrectedHere(DomainError):
    """The movement belongs to an act that has its own way back, or none."""

    code = "not-corrected-here"


def may_see_movements(user: User) -> bool:
    """Those who oversee the whole ledger."""
    return user.can(Can.SEE_EVERYTHING) or user.can(Can.CORRECT_MOVEMENT)


def refusal_to_correct(movement: Movement) -> StrOrPromise:
    """Why this movement is not corrected here; empty when it may be asked for."""
    if movement.kind not in CORRECTED_HERE:
        return _ELSEWHERE[movement.kind]
    if Movement.objects.filter(reverses=movement).exists():
        return _("This movement was corrected before.")
    if Correction.objects.filter(movement=movement, state=State.ASKED).exists():
        return _("Its correction waits for a second person already.")
    return ""


@transaction.atomic
def ask_correction(*, actor: User, at: datetime, movement: Movement, reason: str) -> Correction:
    """Ask for the counter-movement of a mistake; nothing moves until another person confirms it.

    Raises NotAllowed, BadInput, NotCorrectedHere.
    """
    if not actor.can(Can.CORRECT_MOVEMENT):
        raise NotAllowed
    reason = require_reason(reason)
    # Two who ask at once meet at this lock: the second sees the first one's question.
    movement = Movement.objects.select_for_update(no_key=True).get(pk=movement.pk)
    if refusal := refusal_to_correct(movement):
        raise NotCorrectedHere(refusal)
    correction = Correction.objects.create(movement=movement, reason=reason.strip()[:500], asked_by=actor, asked_at=at)
    _record("correction.asked", correction, actor=actor, at=at, reason=correction.reason)
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="correction.waits",
        organisation=Organisation.objects.get(pk=min(actor.organisation_ids(Can.CORRECT_MOVEMENT))),
        subject=("movement", movement.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=movement.pk,
        reason=correction.reason,
    )
    return correction


@transaction.atomic
def confirm_correction(*, actor: User, at: datetime, correction: Correction) -> Correction:
    """Move everything back as the second person; both movements stay in the ledger.

    Raises SecondPersonNeeded, NotAllowed, InvalidTransition, and what the ledger raises when the items went on.
    """
    correction = _lock(correction)
    if not actor.can(Can.CORRECT_MOVEMENT):
        raise NotAllowed
    if correction.asked_by_id == actor.pk:
        raise SecondPersonNeeded(_("Another person must confirm this: you asked for it yourself."))
    require_independent(actor, correction.asked_by_id, at=at)
    counter = reverse_movement(
        actor=actor,
        at=at,
        key=f"correction:{correction.pk}",
        movement=correction.movement,
        effective_on=day_of(at),
    )
    correction.state, correction.decided_by, correction.decided_at = State.CONFIRMED, actor, at
    correction.counter = counter
    correction.save(update_fields=["state", "decided_by", "decided_at", "counter"])
    _record("correction.confirmed", correction, actor=actor, at=at, reason=correction.reason)
    _settle(correction, actor=actor, at=at)
    return correction


@transaction.atomic
def refuse_correction(*, actor: User, at: datetime, correction: Correction, reason: str) -> Correction:
    """Leave the movement as it is; the one who asked may take it back this way too.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    reason = require_reason(reason)
    correction = _lock(correction)
    if not actor.can(Can.CORRECT_MOVEMENT):
        raise NotAllowed
    correction.state, correction.decided_by, correction.decided_at = State.REFUSED, actor, at
    correction.decide_reason = reason.strip()[:500]
    correction.save(update_fields=["state", "decided_by", "decided_at", "decide_reason"])
    _record("correction.refused", correction, actor=actor, at=at, reason=correction.decide_reason)
    _settle(correction, actor=actor, at=at)
    return correction


def _lock(correction: Correction) -> Correction:
    """The correction as it stands once nobody else decides it."""
    Movement.objects.select_for_update(no_key=True).get(pk=correction.movement_id)
    locked = Correction.objects.select_for_update(of=("self",)).select_related("movement").get(pk=correction.pk)
    if locked.state != State.ASKED:
        raise InvalidTransition
    return locked


def _settle(correction: Correction, *, actor: User, at: datetime) -> None:
    settle_notices(
        actor=actor,
        at=at,
        subject=("movement", correction.movement_id),
        code="correction.waits",
        decision=State(correction.state).label,
        reason=correction.decide_reason or correction.reason,
    )


def _record(verb: str, correction: Correction, *, actor: User, at: datetime, reason: str) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("movement", correction.movement_id),
        subject_name=str(correction.movement_id),
        reason=reason,
    )
