"""Reprint, end or replace a mark on an item: asked for by one person with a reason, approved by another.

Lock order: the request, its marks by code, then what issuing, binding and printing lock.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.jobs.services import start_job
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from ledger.models import Holding
from ledger.services import SecondPersonNeeded
from marking.codes import group
from marking.keyring import sign_bodies
from marking.models import LabelRun, Mark, MarkQuerySet, MarkRequest
from marking.payload import LARGEST_GENERATION, Statement, encode
from marking.services.applying import bind_in_place, keep_label_photo, take_blank_of
from marking.services.issue import issue_marks
from marking.services.keys import signing_key_in_use
from marking.services.labels import JOB_KIND, LEFT_OUT_NAMED, marks_at_hand, name_labels, require_printer
from marking.services.orders import LabelOrder, settle_order
from marking.services.reprints import settle_reprints
from registry.models import Derivative, Intake


class NothingAtHand(InvalidTransition):
    """A label for what has left would be a genuine label for something else."""

    code = "nothing-at-hand"
    message = _("These goods are not in the store any more. Whoever keeps them now asks for their labels.")


@dataclass(frozen=True, slots=True)
class TiedLabel:
    """A blank label that hangs on the item already, in place of a damaged one, and the photo that shows it there."""

    code: str
    photo: File
    confirm_foreign: bool = False


@transaction.atomic
def ask_for_mark(
    *,
    actor: User,
    at: datetime,
    kind: MarkRequest.Kind,
    reason: str,
    mark: Mark | None = None,
    intake: Intake | None = None,
    order: LabelOrder | None = None,
    label: TiedLabel | None = None,
) -> MarkRequest:
    """Ask for a reprint, an end or a new mark of one item; or for a reprint of all labels of an intake.

    A new mark is asked for also where the last one is void.

    What is printed, is printed by `order`; a new mark may be a blank `label` instead, which is tied to the item
    already. Raises NotAllowed, BadInput, InvalidTransition; for a label also LabelRefused, LabelNotHere, ForeignLabel,
    UnusableFile.
    """
    if not actor.can(Can.PRINT_LABELS):
        raise NotAllowed
    require_reason(reason)
    if label is not None or kind == MarkRequest.Kind.VOID:
        order = None
    elif order is None:
        raise BadInput(fields={"profile": _("Choose the labels you print on.")})
    else:
        settle_order(actor, order)
    mark, intake, what = _subject_of(actor, kind, mark, intake)
    tied = _take_tied(actor, at, kind, mark, label) if label else {}
    try:
        with transaction.atomic():
            asked = MarkRequest.objects.create(
                **tied,
                kind=kind,
                mark=mark,
                intake=intake,
                reason=reason.strip()[:200],
                order=asdict(order) if order else None,
                asked_by=actor,
                asked_at=at,
            )
    except IntegrityError as error:
        if "one_waiting_request_of" not in str(error):
            raise
        raise InvalidTransition(_("This was asked for already and waits for a second person.")) from error
    _record("mark.request_asked", asked, actor, at, reason=asked.reason)
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="marks.request_waits",
        organisation=_keeper(asked, actor),
        subject=("mark_request", asked.pk),
        actor=actor,
        what=what,
        reason=asked.reason,
    )
    return asked


def _subject_of(
    actor: User, kind: MarkRequest.Kind, mark: Mark | None, intake: Intake | None
) -> tuple[Mark | None, Intake | None, str]:
    """The one mark that is asked for, or the intake, and how people name it. Raises what `ask_for_mark` raises."""
    if mark is not None:
        mark = Mark.objects.select_related("derivative").get(pk=mark.pk)
        if not Mark.objects.filter(pk=mark.pk).filter(pk__in=_open_to(kind)).exists():
            raise InvalidTransition(_("This mark is not active any more. Reload the page."))
        if not Derivative.objects.visible_to(actor).filter(pk=mark.derivative_id).exists():
            raise NotAllowed
        return mark, None, mark.item.number
    if intake is None or kind != MarkRequest.Kind.REPRINT:
        raise BadInput(fields={"mark": _("Name one mark.")})
    require_printer(actor, intake)
    if not Mark.objects.active().filter(derivative__intake=intake).exists():
        raise InvalidTransition(_("There is nothing to print: register the horns first."))
    if not _known_to(marks_at_hand(intake), actor).exists():
        raise NothingAtHand
    return None, intake, intake.number


def _open_to(kind: str) -> MarkQuerySet:
    """Marks that this can be asked for: active ones; a new mark also for an item whose last mark is void."""
    return Mark.objects.renewable() if kind == MarkRequest.Kind.REPLACE else Mark.objects.active()


def _take_tied(
    actor: User, at: datetime, kind: MarkRequest.Kind, mark: Mark | None, label: TiedLabel
) -> dict[str, Any]:
    """The fields of a request that names a blank label. Raises BadInput and what `take_blank_of` raises."""
    if kind != MarkRequest.Kind.REPLACE or mark is None:
        raise BadInput(fields={"label": _("A blank label can take the place of one mark only.")})
    blank, _holding, is_foreign = take_blank_of(actor, label.code, confirm_foreign=label.confirm_foreign)
    photo = keep_label_photo(actor=actor, at=at, derivative=mark.item, photo=label.photo)
    return {"blank": blank, "photo": photo, "is_foreign": is_foreign}


def _keeper(asked: MarkRequest, actor: User) -> Organisation:
    """Whose people are told: the office of the person who asks, where colleagues can approve."""
    offices = actor.organisation_ids(Can.PRINT_LABELS)
    return Organisation.objects.filter(pk__in=offices).order_by("pk")[0]


def can_approve(user: User, asked: MarkRequest) -> bool:
    """Who may be the second person, whoever asked."""
    return user.can(Can.APPROVE_MARKS) and MarkRequest.objects.visible_to(user).filter(pk=asked.pk).exists()


@transaction.atomic
def approve_request(*, actor: User, at: datetime, asked: MarkRequest) -> MarkRequest:
    """Carry it out. A reprint keeps the code and raises the generation, so that the former print is an old copy.

    Raises SecondPersonNeeded, NotAllowed, InvalidTransition, NoSigningKey; LabelRefused, LabelNotHere for a blank label
    that was used, spoiled or sent away since.
    """
    locked = _take(asked)
    if locked.asked_by_id == actor.pk:
        raise SecondPersonNeeded(_("You asked for this; another person decides."))
    if not can_approve(actor, locked):
        raise NotAllowed
    require_independent(actor, locked.asked_by_id, at=at)
    locked.state, locked.decided_by, locked.decided_at = MarkRequest.State.APPROVED, actor, at
    locked.save(update_fields=["state", "decided_by", "decided_at"])
    marks = _lock_marks(locked, actor)
    left_out = _left_out(locked, marks)
    if locked.kind == MarkRequest.Kind.REPRINT:
        _raise_generation(marks)
        locked.run = _print(locked, marks)
        verb = "mark.reprinted"
    else:
        (mark,) = marks
        replaced = locked.kind == MarkRequest.Kind.REPLACE
        if mark.state == Mark.State.ACTIVE:
            _end(locked, mark, Mark.State.REPLACED if replaced else Mark.State.VOID)
        if locked.blank is not None and locked.photo is not None:
            locked.new_mark = bind_in_place(
                asker=locked.asked_by,
                second=actor,
                at=at,
                code=locked.blank.pk,
                item=mark.item.pk,
                photo=locked.photo,
            )
        elif replaced:
            (code,) = issue_marks(actor=actor, at=at, derivatives=[mark.item])
            locked.new_mark = Mark.objects.select_related("derivative__intake__store").get(pk=code)
            locked.run = _print(locked, [locked.new_mark])
        verb = "mark.replaced" if replaced else "mark.voided"
    MarkRequest.objects.filter(pk=locked.pk).update(run=locked.run, new_mark=locked.new_mark)
    _record(verb, locked, actor, at, reason=locked.reason, count=len(marks), left_out=left_out)
    if locked.kind != MarkRequest.Kind.VOID:
        settle_reprints(actor=actor, at=at, items=[mark.item.pk for mark in marks])
    locked.left_out = left_out
    settle_notices(
        actor=actor,
        at=at,
        subject=("mark_request", locked.pk),
        decision=locked.get_state_display(),
        reason=locked.refusal or locked.reason,
    )
    return locked


@transaction.atomic
def refuse_request(*, actor: User, at: datetime, asked: MarkRequest, reason: str) -> MarkRequest:
    """Not approve it; whoever asked may take it back so too. Raises NotAllowed, BadInput, InvalidTransition."""
    require_reason(reason)
    locked = _take(asked)
    if locked.asked_by_id != actor.pk and not can_approve(actor, locked):
        raise NotAllowed
    locked.state, locked.decided_by, locked.decided_at = MarkRequest.State.REFUSED, actor, at
    locked.refusal = reason.strip()[:200]
    locked.save(update_fields=["state", "decided_by", "decided_at", "refusal"])
    _record("mark.request_refused", locked, actor, at, reason=locked.refusal)
    settle_notices(
        actor=actor,
        at=at,
        subject=("mark_request", locked.pk),
        decision=locked.get_state_display(),
        reason=locked.refusal or locked.reason,
    )
    return locked


def _take(asked: MarkRequest) -> MarkRequest:
    # The lock closes the race of two who approve, and of approving against refusing.
    locked = (
        MarkRequest.objects.select_for_update(no_key=True, of=("self",))
        .select_related("mark__derivative__intake__store", "intake__store", "asked_by", "blank", "photo")
        .get(pk=asked.pk)
    )
    if locked.state != MarkRequest.State.ASKED:
        raise InvalidTransition(_("This was approved or refused already. Reload the page."))
    return locked


def _lock_marks(asked: MarkRequest, approver: User) -> list[Mark]:
    """The marks that the request is about. Of an intake only those whose items its keeper still has, and both know.

    Raises InvalidTransition, NothingAtHand.
    """
    if asked.intake is not None:
        marks = _marks_of_intake(asked.intake, asked.asked_by, approver)
    else:
        marks = _open_to(asked.kind).filter(pk=asked.mark_id)
    # The lock closes the race of two requests that change one mark.
    marks = marks.select_related("derivative__intake__store").order_by("code")
    locked = list(marks.select_for_update(no_key=True, of=("self",)))
    if not locked:
        if asked.intake is not None:
            raise NothingAtHand
        raise InvalidTransition(_("This mark is not active any more. Reload the page."))
    if asked.kind != MarkRequest.Kind.VOID and asked.mark is not None:
        here = Holding.objects.filter(item=locked[0].derivative_id, is_physical=True, pieces__gt=0)
        if not here.exists():
            raise NothingAtHand
    return sorted(locked, key=lambda mark: mark.item.row)


def _known_to(marks: MarkQuerySet, person: User) -> MarkQuerySet:
    return marks.filter(derivative__in=Derivative.objects.visible_to(person).values("pk"))


def left_out_of(asked: MarkRequest, approver: User) -> list[str]:
    """Numbers of the items whose labels a waiting reprint of an intake would leave alone, were this person to approve
    it: those that left the store. The first of them."""
    return _left_out(asked, list(_marks_of_intake(asked.intake, asked.asked_by, approver))) if asked.intake else []


def _marks_of_intake(intake: Intake, asker: User, approver: User) -> MarkQuerySet:
    return _known_to(_known_to(marks_at_hand(intake), asker), approver)


def _left_out(asked: MarkRequest, marks: Sequence[Mark]) -> list[str]:
    """Numbers of the first items of an intake that have marks and are not among these."""
    if asked.intake_id is None:
        return []
    rest = Mark.objects.active().filter(derivative__intake=asked.intake_id).exclude(pk__in=[mark.pk for mark in marks])
    numbers = rest.order_by("derivative__row").values_list("derivative__number", flat=True)
    return [str(number) for number in numbers[:LEFT_OUT_NAMED]]


def _raise_generation(marks: Sequence[Mark]) -> None:
    """New statements, signed with the key in use: one statement of SQL, whatever the count."""
    if any(mark.generation >= LARGEST_GENERATION for mark in marks):
        raise InvalidTransition(_("This label was printed too often. Give the item a new mark."))
    key, private_key = signing_key_in_use()
    bodies = [
        encode(
            Statement(
                key_id=bytes.fromhex(key.pk),
                code=mark.code,
                generation=mark.generation + 1,
                term=mark.item.term,
                origin=mark.item.origin,
                mass_g=mark.item.mass_g,
                dated_on=mark.item.dated_on,
            )
        )
        for mark in marks
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marking_mark m SET generation = m.generation + 1, key_id = %s, payload = n.payload,
                signature = n.signature
            FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) AS n (code, payload, signature)
            WHERE m.code = n.code
            """,
            [
                key.pk,
                [mark.code for mark in marks],
                bodies,
                sign_bodies(bodies, private_key),
            ],
        )


def _end(asked: MarkRequest, mark: Mark, state: Mark.State) -> None:
    mark.state = state
    mark.end_asked_by, mark.ended_by, mark.ended_at = asked.asked_by, asked.decided_by, asked.decided_at
    mark.end_reason = asked.reason
    mark.save(update_fields=["state", "end_asked_by", "ended_by", "ended_at", "end_reason"])


def _print(asked: MarkRequest, marks: Sequence[Mark]) -> LabelRun:
    """A run of these marks, ordered by whoever asked for it."""
    intake = marks[0].item.intake
    if asked.decided_at is None or asked.order is None:
        raise ValueError("an approved request to print says how")
    setting = settle_order(asked.asked_by, LabelOrder(**asked.order))
    run = LabelRun.objects.create(
        intake=intake,
        store=intake.store,
        count=len(marks),
        reason=asked.reason,
        ordered_by=asked.asked_by,
        ordered_at=asked.decided_at,
        job=start_job(actor=asked.asked_by, at=asked.decided_at, kind=JOB_KIND, params={"intake": intake.number}),
        **setting.as_run(),
    )
    name_labels(run, [mark.code for mark in marks])
    return run


def _record(verb: str, asked: MarkRequest, actor: User, at: datetime, **facts: object) -> None:
    if asked.intake is None and asked.mark is not None:
        subject, name = ("mark", asked.mark.code), group(asked.mark.code)
        holding = Holding.objects.filter(item=asked.mark.derivative_id, pieces__gt=0).select_related("account").first()
        keeper = holding.account.custodian_id if holding else None
    else:
        intake = Intake.objects.select_related("store").get(mark_requests=asked)
        subject, name, keeper = ("intake", str(intake.pk)), intake.number, intake.store.custodian_id
    record(
        verb, actor=actor, at=at, subject=subject, subject_name=name, organisation_id=keeper, request=asked.pk, **facts
    )
