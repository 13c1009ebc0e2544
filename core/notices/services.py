"""Raising and deciding notices."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.errors import BadInput, InvalidTransition
from core.notices.models import Notice

TEXTS: dict[str, StrOrPromise] = {}


def register_notice_codes(texts: dict[str, StrOrPromise]) -> None:
    """Give the sentence for each of a room's notice codes, with %(name)s places for its params."""
    TEXTS.update(texts)


def text_of(notice: Notice) -> str:
    """What the notice says, in the reader's language."""
    return str(TEXTS[notice.code]) % notice.params


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
    """Open a notice for an organisation; the same transaction carries whatever caused it."""
    str(TEXTS[code]) % params
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
        "notice.raised", actor=actor, at=at, subject=subject, organisation_id=organisation.pk, notice=notice.pk, code=code
    )
    return notice


@transaction.atomic
def decide_notice(*, actor: User, at: datetime, notice: Notice, decision: str, reason: str) -> Notice:
    """Close an open notice with what was decided and why; both are required.

    Raises BadInput, or InvalidTransition when somebody decided first.
    """
    missing = {name: _("Say it.") for name, text in (("decision", decision), ("reason", reason)) if not text.strip()}
    if missing:
        raise BadInput(fields=missing)
    # Update-where: of two people deciding at once only one succeeds.
    changed = Notice.objects.open().filter(pk=notice.pk).update(
        state=Notice.State.DECIDED, decision=decision.strip(), reason=reason.strip(), decided_by=actor, decided_at=at
    )
    if not changed:
        raise InvalidTransition
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
