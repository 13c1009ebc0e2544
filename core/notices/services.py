"""Raising notices, saying who acts, explaining, judging, deciding."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import Told, record, record_many
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.queue import after_commit
from core.base.reasons import NO_REASON, is_reason, require_reason
from core.notices.models import BY_THE_CLOCK, Notice, NoticeNote, is_authority
from core.notices.selectors import may_act_on, refusal_to_decide
from core.notices.texts import (
    DECIDERS,
    OBSTACLES,
    SEQUELS,
    outcomes_of,
    parties_of,
    register_advice,
    register_notice_codes,
    register_obstacle,
    register_parties,
    register_sequel,
    say,
    table_of_codes,
    text_of,
)

__all__ = [
    "AlreadyDecided",
    "ExplanationFirst",
    "NotResponsible",
    "assign_notices",
    "comment_notice",
    "decide_notice",
    "escalate_overdue",
    "explain_notice",
    "raise_notice",
    "register_advice",
    "register_notice_codes",
    "register_obstacle",
    "register_parties",
    "register_sequel",
    "return_notice",
    "settle_notice",
    "settle_notices",
    "table_of_codes",
    "text_of",
]

LONGEST_TEXT = 4000
MOST_AT_ONCE = 500


class AlreadyDecided(InvalidTransition):
    """Somebody decided it first."""

    code = "notice-decided"
    message = _("This has been decided already. Reload the page to see how.")


class ExplanationFirst(InvalidTransition):
    """The organisation explains before the authority judges."""

    code = "notice-not-explained"
    message = _("There is no explanation to return.")


class NotResponsible(BadInput):
    """A notice is given to somebody who can act on it."""

    code = "not-responsible"
    message = _("This person cannot act on all of these. Choose another one.")


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
    caused_by: User | None = None,
    **params: object,
) -> Notice:
    """Open a notice for an organisation; the same transaction carries whatever caused it.

    `caused_by` is the person whose doing it is about, who will never decide it: the actor, if nobody else is named.
    The clock has no actor, but may know whom its notice concerns. Its people are written to after commit, at most once
    a day. A code nobody registered, or a place in its sentence without a param, is a defect: KeyError.
    """
    say(code, params)
    notice = Notice.objects.create(
        kind=kind,
        code=code,
        params=params,
        subject_kind=subject[0],
        subject_id=str(subject[1]),
        organisation=organisation,
        decides=DECIDERS.get(code, Notice.Decides.ORGANISATION),
        caused_by=caused_by or actor,
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
    _write_later([notice.pk])
    return notice


@transaction.atomic
def assign_notices(*, actor: User, at: datetime, notices: Iterable[Notice], person: User | None) -> int:
    """Say who acts on these, or nobody in particular; how many changed hands.

    Whoever may act on a notice may give it to another who may, or to one of the authority. Raises NotAllowed,
    NotResponsible, AlreadyDecided, BadInput; then nothing has changed.
    """
    keys = sorted({notice.pk for notice in notices})
    if not keys:
        raise BadInput(_("Choose at least one."))
    if len(keys) > MOST_AT_ONCE:
        raise BadInput(_("At most %(most)d at a time.") % {"most": MOST_AT_ONCE})
    # The lock closes the race of an assignment against a decision.
    locked = list(Notice.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=keys).order_by("pk"))
    if any(not notice.is_open for notice in locked):
        raise AlreadyDecided
    if not all(may_act_on(actor, notice) for notice in locked):
        raise NotAllowed
    if person is not None and not (person.is_active and all(_can_take(person, notice) for notice in locked)):
        raise NotResponsible(fields={"person": NotResponsible.message})
    changed = [notice for notice in locked if notice.assigned_to_id != (person.pk if person else None)]
    for notice in changed:
        notice.assigned_to = person
    Notice.objects.bulk_update(changed, ["assigned_to"])
    name = person.full_name if person else ""
    record_many("notice.assigned", [_told(notice, person=name) for notice in changed], actor=actor, at=at)
    if changed and person is not None:
        _write_later([notice.pk for notice in changed])
    return len(changed)


def _can_take(person: User, notice: Notice) -> bool:
    """Whom one may give it to: not the person who could neither decide nor explain it."""
    if notice.decides == Notice.Decides.ORGANISATION and notice.caused_by_id == person.pk:
        return False
    return may_act_on(person, notice)


@transaction.atomic
def comment_notice(*, actor: User, at: datetime, notice: Notice, text: str) -> NoticeNote:
    """Write something beside a notice, for all who see it. Raises BadInput."""
    note = _note(NoticeNote.Kind.COMMENT, notice, text, actor=actor, at=at)
    _record("notice.commented", notice, actor=actor, at=at, note=note.text)
    return note


@transaction.atomic
def explain_notice(*, actor: User, at: datetime, notice: Notice, explanation: str) -> Notice:
    """Say how it came about; the authority then accepts it or returns it. Raises NotAllowed, AlreadyDecided,
    BadInput.

    What the organisation decides itself is explained only by a person whose act raised it or who took part in what it
    is about, who thereby passes it to the authority.
    """
    if not Notice.objects.filter(pk=notice.pk, organisation__in=_own(actor)).exists():
        raise NotAllowed
    concerned = notice.caused_by_id == actor.pk or actor.pk in parties_of(notice)
    if notice.decides != Notice.Decides.AUTHORITY and not concerned:
        raise InvalidTransition(_("The organisation decides this itself."))
    if explanation.strip():
        require_reason(explanation, "explanation")
    note = _note(NoticeNote.Kind.EXPLANATION, notice, explanation, actor=actor, at=at, field="explanation")
    # Update-where: of two who explain at once only one is the explanation.
    changed = Notice.objects.filter(pk=notice.pk, state=Notice.State.OPEN).update(
        state=Notice.State.EXPLAINED, explained_by=actor, explained_at=at, decides=Notice.Decides.AUTHORITY
    )
    if not changed:
        raise AlreadyDecided(_("This was explained or decided already. Reload the page."))
    notice.refresh_from_db()
    _record("notice.explained", notice, actor=actor, at=at, note=note.text)
    return notice


@transaction.atomic
def return_notice(*, actor: User, at: datetime, notice: Notice, reason: str, due_on: date | None = None) -> Notice:
    """Not accept the explanation: it is open again, with a new day if one is named. Raises NotAllowed, BadInput,
    ExplanationFirst.
    """
    if not is_authority(actor) or notice.explained_by_id == actor.pk:
        raise NotAllowed
    if due_on is not None and due_on < day_of(at):
        raise BadInput(fields={"due_on": _("This day has passed.")})
    if reason.strip():
        require_reason(reason)
    note = _note(NoticeNote.Kind.RETURN, notice, reason, actor=actor, at=at, field="reason")
    new_day = {} if due_on is None else {"due_on": due_on, "escalated_at": None}
    # Update-where: it cannot be returned and accepted at once.
    changed = Notice.objects.filter(pk=notice.pk, state=Notice.State.EXPLAINED).update(
        state=Notice.State.OPEN, explained_by=None, explained_at=None, **new_day
    )
    if not changed:
        raise ExplanationFirst
    notice.refresh_from_db()
    _record("notice.returned", notice, actor=actor, at=at, reason=note.text)
    _write_later([notice.pk])
    return notice


@transaction.atomic
def decide_notice(*, actor: User, at: datetime, notice: Notice, outcome: str, decision: str, reason: str) -> Notice:
    """Close an open notice with its outcome, what was decided and why; all are required.

    Raises BadInput; NotAllowed for whoever raised or explained it, and for the organisation where the authority
    decides; AlreadyDecided when somebody was first.
    """
    limits = {"decision": 200, "reason": LONGEST_TEXT}
    given = {"decision": decision.strip(), "reason": reason.strip()}
    faults: dict[str, StrOrPromise] = {name: _("This must be said.") for name, text in given.items() if not text}
    if given["reason"] and not is_reason(reason):
        faults["reason"] = NO_REASON
    if outcome not in outcomes_of(notice.code):
        faults["outcome"] = _("Choose what came of it.")
    faults |= {
        name: _("At most %(most)d letters.") % {"most": limits[name]}
        for name, text in given.items()
        if len(text) > limits[name]
    }
    if faults:
        raise BadInput(fields=faults)
    # The lock closes the race against an escalation, which takes it from the organisation.
    locked = Notice.objects.select_for_update(no_key=True, of=("self",)).get(pk=notice.pk)
    if not locked.is_open:
        raise AlreadyDecided
    if refusal := refusal_to_decide(actor, locked):
        raise NotAllowed(refusal)
    require_independent(actor, locked.caused_by_id, at=at)
    ask = OBSTACLES.get(locked.code)
    if ask is not None and (obstacle := ask(locked.subject_id)):
        raise InvalidTransition(obstacle)
    return _close(notice, actor=actor, at=at, outcome=outcome, **given)


@transaction.atomic
def settle_notice(*, actor: User | None, at: datetime, notice: Notice, decision: str, reason: str) -> Notice:
    """Close a notice by an act after which nothing is left to judge: figures that add up after a correction, a
    question that its second person answered. Never by a person's own words: a door does not call this. Without an
    actor where the clock found that nothing is left: another code than BY_THE_CLOCK is a defect, ValueError.

    Raises AlreadyDecided.
    """
    if actor is None and notice.code not in BY_THE_CLOCK:
        raise ValueError(notice.code)
    settled = Notice.Outcome.SETTLED
    return _close(notice, actor=actor, at=at, outcome=settled, decision=decision[:200], reason=reason[:LONGEST_TEXT])


def settle_notices(
    *, actor: User, at: datetime, subject: tuple[str, object], decision: StrOrPromise, reason: str, code: str = ""
) -> int:
    """Settle what is open about this subject, of one code or of all; how many were."""
    waiting = Notice.objects.open().filter(subject_kind=subject[0], subject_id=str(subject[1]))
    if code:
        waiting = waiting.filter(code=code)
    for notice in waiting:
        settle_notice(actor=actor, at=at, notice=notice, decision=str(decision), reason=reason)
    return len(waiting)


def _close(notice: Notice, *, actor: User | None, at: datetime, outcome: str, decision: str, reason: str) -> Notice:
    # Update-where: of two people deciding at once only one succeeds.
    changed = (
        Notice.objects.open()
        .filter(pk=notice.pk)
        .update(
            state=Notice.State.DECIDED,
            decided_by=actor,
            decided_at=at,
            outcome=outcome,
            decision=decision,
            reason=reason,
        )
    )
    if not changed:
        raise AlreadyDecided
    notice.refresh_from_db()
    _record("notice.decided", notice, actor=actor, at=at, ended_in=str(outcome), decision=decision, reason=reason)
    if actor is not None and (act := SEQUELS.get(notice.code)):
        act(notice, actor, at)
    return notice


@transaction.atomic
def escalate_overdue(*, at: datetime) -> list[Notice]:
    """Pass to the authority whatever day has passed, each once for its day: from then on it alone decides. Safe to
    run again.
    """
    overdue = Notice.objects.overdue(day_of(at)).filter(escalated_at=None)
    # Locked rows are being acted on; the next run finds them.
    found = list(overdue.select_for_update(no_key=True, skip_locked=True, of=("self",)).order_by("pk")[:MOST_AT_ONCE])
    Notice.objects.filter(pk__in=[notice.pk for notice in found]).update(
        escalated_at=at, decides=Notice.Decides.AUTHORITY
    )
    record_many("notice.escalated", [_told(notice) for notice in found], actor=None, at=at)
    _write_later([notice.pk for notice in found])
    return found


def _own(user: User) -> frozenset[int]:
    return user.organisation_ids(Can.DECIDE_NOTICE)


def _note(
    kind: NoticeNote.Kind, notice: Notice, text: str, *, actor: User, at: datetime, field: str = "text"
) -> NoticeNote:
    text = text.strip()
    if not text:
        raise BadInput(fields={field: _("This must be said.")})
    if len(text) > LONGEST_TEXT:
        raise BadInput(fields={field: _("At most %(most)d letters.") % {"most": LONGEST_TEXT}})
    return NoticeNote.objects.create(notice=notice, kind=kind, text=text, by=actor, at=at)


def _write_later(notices: Sequence[int]) -> None:
    from core.notices.tasks import write_about

    if notices:
        after_commit(write_about, list(notices))


def _told(notice: Notice, **facts: object) -> Told:
    subject = (notice.subject_kind, notice.subject_id)
    return Told(subject, notice.organisation_id, {"notice": notice.pk} | facts)


def _record(verb: str, notice: Notice, *, actor: User | None, at: datetime, **facts: Any) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=(notice.subject_kind, notice.subject_id),
        organisation_id=notice.organisation_id,
        notice=notice.pk,
        **facts,
    )
