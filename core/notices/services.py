"""Raising and deciding notices."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.errors import BadInput, InvalidTransition
from core.notices.models import Notice
from core.notices.texts import TEXTS, register_notice_codes, text_of

__all__ = ["AlreadyDecided", "decide_notice", "raise_notice", "register_notice_codes", "text_of"]


class AlreadyDecided(InvalidTransition):
    """Somebody decided it first."""

    code = "notice-decided"
    message = _("This has been decided already. Reload the page to see how.")


@transaction.atomic
def raise_notice(
    *,
    at: datetime,
    kind: Notice.Kind,
    code: str,
    organisation: Organisation,
    subject: tuple[str, object],
    due_on: date | None = None,
    actor: User | None = None,
    **params: object,
) -> Notice:
    """Open a notice for an organisation; the same transaction carries whatever caused it.

    A code nobody registered, or a place in its sentence without a param, is a defect: KeyError.
    """
    _check_sentence(TEXTS[code], params)
    notice = Notice.objects.create(
        kind=kind,
        code=code,
        params=params,
        subject_kind=subject[0],
        subject_id=str(subject[1]),
        organisation=organisation,
        raised_at=at,
        due_on=due_on,
    )
    record(
        "notice.raised",
        actor=actor,
        at=at,
        subject=subject,
        organisation_id=organisation.pk,
        notice=notice.pk,
        code=code,
    )
    return notice


def _check_sentence(text: StrOrPromise, params: dict[str, object]) -> None:
    str(text) % params


@transaction.atomic
def decide_notice(*, actor: User, at: datetime, notice: Notice, decision: str, reason: str) -> Notice:
    """Close an open notice with what was decided and why; both are required.

    Raises BadInput, or AlreadyDecided when somebody was first.
    """
    limits = {"decision": 200, "reason": 4000}
    given = {"decision": decision.strip(), "reason": reason.strip()}
    faults: dict[str, StrOrPromise] = {name: _("This must be said.") for name, text in given.items() if not text}
    faults |= {
        name: _("At most %(most)d letters.") % {"most": limits[name]}
        for name, text in given.items()
        if len(text) > limits[name]
    }
    if faults:
        raise BadInput(fields=faults)
    # Update-where: of two people deciding at once only one succeeds.
    changed = (
        Notice.objects.open()
        .filter(pk=notice.pk)
        .update(state=Notice.State.DECIDED, decided_by=actor, decided_at=at, **given)
    )
    if not changed:
        raise AlreadyDecided
    notice.refresh_from_db()
    record(
        "notice.decided",
        actor=actor,
        at=at,
        subject=(notice.subject_kind, notice.subject_id),
        organisation_id=notice.organisation_id,
        notice=notice.pk,
        decision=notice.decision,
        reason=notice.reason,
    )
    return notice
