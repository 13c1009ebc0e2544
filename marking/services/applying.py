"""Binding blank labels: to an item by itself, with a photo, or to the rows of a weighing table as it is registered."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.core.files.base import File
from django.db import IntegrityError, connection, transaction
from django.db.models import Min
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import Told, record, record_many
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.documents.models import Document
from core.documents.services import keep_document
from core.notices.models import Notice
from core.notices.services import raise_notice
from ledger.models import Holding
from marking.codes import group
from marking.limits import check_many_counted
from marking.models import LabelApplication, LabelHolding, LabelMovement, LabelPlace, LabelReel, Mark, RowLabel
from marking.models.stock import offices_of
from marking.selectors import Answer
from marking.services.stock import Change, lock_reels, move_labels, record_reel
from marking.verdicts import SLOW_DOWN, say
from registry.models import Derivative, DerivativePhoto, Intake
from registry.services.locking import lock_open_intake

Fields = dict[str, StrOrPromise]


class AlreadyMarked(InvalidTransition):
    """One of the derivatives has an active mark."""

    code = "already-marked"
    message = _("Some of these items have a mark already.")


class MarkedBefore(InvalidTransition):
    """The item had a mark that was ended: the next takes a second person, as replacing one does."""

    code = "marked-before"
    message = _("This item had a mark before. Ask for a new one: another person looks at the photo and approves it.")


class LabelRefused(DomainError):
    """The label is not one that may be bound: it was used, spoiled, lost or destroyed. `mark` is what was shown."""

    code = "label-refused"
    message = _("This label must not be used.")

    def __init__(self, mark: Mark) -> None:
        said = {"code": group(mark.code), "state": str(mark.get_state_display()).lower()}
        words = _("Label %(code)s must not be used: %(state)s.")
        if mark.derivative is not None:
            said["item"] = mark.derivative.number
            words = _("Label %(code)s must not be used: %(state)s. It is the mark of %(item)s.")
            if mark.state == Mark.State.ACTIVE:
                words = _("Label %(code)s cannot be used again: it is the mark of %(item)s.")
        super().__init__(words % said)
        self.mark = mark


class LabelNotHere(InvalidTransition):
    """The reel is not in an office: not printed, or on its way."""

    code = "label-not-received"
    message = _("The reel of this label has not been received by an office. Receive it first.")


class ForeignLabel(BadInput):
    """The label belongs to another office: asked about before it is bound."""

    code = "label-of-another-office"
    message = _("This label belongs to another office. Confirm that it is right.")


@contextmanager
def telling_refused(actor: User, at: datetime) -> Iterator[None]:
    """Tell the authority of a refused label, in a transaction of its own: a refusal alone would leave no trace."""
    try:
        yield
    except LabelRefused as refusal:
        reel = refusal.mark.reel
        if reel is not None:
            with transaction.atomic():
                _tell_refused(actor, at, refusal.mark, reel)
        raise


def _tell_refused(actor: User, at: datetime, mark: Mark, reel: LabelReel) -> None:
    told = Notice.objects.open().filter(code="labels.refused", subject_kind="label_reel", subject_id=str(reel.pk))
    if told.filter(params__label=group(mark.code)).exists():
        return
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="labels.refused",
        organisation=reel.series.office,
        subject=("label_reel", reel.pk),
        actor=actor,
        label=group(mark.code),
        reel=reel.number,
    )


def read_label(text: str, *, actor: User, own_hosts: Collection[str]) -> str:
    """The code of a label of ours, from whatever was scanned or typed. Raises BadInput saying what it is instead."""
    (answer,) = _checked([text], actor, own_hosts)
    if not answer.is_genuine:
        raise BadInput(fields={"label": say(answer).text})
    return answer.code


def _checked(texts: Sequence[str], actor: User, own_hosts: Collection[str]) -> list[Answer]:
    """What they are, in two queries; codes that do not exist are counted as on every other page. Raises BadInput."""
    answers = check_many_counted(texts, visitor=f"person-{actor.pk}", own_hosts=own_hosts)
    if answers is None:
        raise BadInput(fields={"label": SLOW_DOWN.text})
    return answers


def can_bind(user: User) -> bool:
    return user.can(Can.PRINT_LABELS) or user.can(Can.OPEN_INTAKE)


@transaction.atomic
def apply_blank(
    *,
    actor: User,
    at: datetime,
    code: str,
    derivative: Derivative,
    photo: File | Document,
    confirm_foreign: bool = False,
) -> Mark:
    """Bind a blank label to an item that never had a mark, with a photo that shows it there.

    A mark after another is asked for (`ask_for_mark`). What was returned, sold, consumed or destroyed gets none.
    Raises NotAllowed, InvalidTransition, AlreadyMarked, MarkedBefore, LabelRefused, LabelNotHere, ForeignLabel unless
    confirmed, UnusableFile.
    """
    if not can_bind(actor) or not Derivative.objects.visible_to(actor).filter(pk=derivative.pk).exists():
        raise NotAllowed
    if not Holding.objects.filter(item=derivative.pk, is_physical=True, pieces__gt=0).exists():
        raise InvalidTransition(_("It is not in the hands of anybody of the registry any more."))
    take_blank(code)
    if Mark.objects.active().filter(derivative=derivative).exists():
        raise AlreadyMarked
    if Mark.objects.filter(derivative=derivative).exists():
        raise MarkedBefore
    mark, holding, is_foreign = take_blank_of(actor, code, confirm_foreign=confirm_foreign)
    document = keep_label_photo(actor=actor, at=at, derivative=derivative, photo=photo)
    _bind(actor, at, [(mark, derivative.pk, document.pk, is_foreign)], {holding.reel_id: holding})
    record_reel(
        "labels.applied",
        holding.reel,
        actor,
        at,
        organisation=holding.organisation_id,
        count=1,
        code=mark.code,
        item=derivative.number,
    )
    mark.refresh_from_db()
    return mark


def take_blank(code: str) -> Mark:
    """The blank label of this code, its reel locked. Raises BadInput, LabelRefused."""
    mark = Mark.objects.select_related("reel__series").filter(pk=code).first()
    if mark is None or mark.reel_id is None:
        raise BadInput(fields={"label": _("This is not a blank label.")})
    # The lock closes the races of two bindings of one label, and of binding against sending the reel.
    lock_reels([mark.reel_id])
    mark.refresh_from_db(fields=["state", "derivative"])
    if mark.state != Mark.State.BLANK:
        raise LabelRefused(mark)
    return mark


def take_blank_of(actor: User, code: str, *, confirm_foreign: bool) -> tuple[Mark, LabelHolding, bool]:
    """The blank label of this code, where it is kept, and whether that is another office than the person's.

    Its reel is locked. Raises BadInput, LabelRefused, LabelNotHere, ForeignLabel unless confirmed.
    """
    mark = take_blank(code)
    if mark.reel is None:
        raise LabelNotHere
    holding = _at_office(mark.reel)
    is_foreign = holding.organisation_id not in offices_of(actor)
    if is_foreign and not confirm_foreign:
        raise ForeignLabel(fields={"confirm_foreign": ForeignLabel.message})
    return mark, holding, is_foreign


def keep_label_photo(*, actor: User, at: datetime, derivative: Derivative, photo: File | Document) -> Document:
    """The photo of a label on an item, kept with the item. Raises UnusableFile."""
    if isinstance(photo, Document):
        return photo
    document = keep_document(
        actor=actor, at=at, kind=Document.Kind.PHOTO, name=str(photo.name or "label.jpg"), content=photo
    )
    DerivativePhoto.objects.create(derivative=derivative, document=document)
    return document


def bind_in_place(*, asker: User, second: User, at: datetime, code: str, item: int, photo: Document) -> Mark:
    """Bind a blank label to an item whose former mark was ended, under the words of two persons.

    Called in the transaction of the approval. Raises LabelRefused, LabelNotHere, AlreadyMarked.
    """
    mark, holding, is_foreign = take_blank_of(asker, code, confirm_foreign=True)
    _bind(asker, at, [(mark, item, photo.pk, is_foreign)], {holding.reel_id: holding}, second=second)
    record_reel(
        "labels.applied",
        holding.reel,
        asker,
        at,
        organisation=holding.organisation_id,
        count=1,
        code=mark.code,
        second=second.pk,
    )
    mark.refresh_from_db()
    return mark


def _at_office(reel: LabelReel) -> LabelHolding:
    found = (
        LabelHolding.objects.filter(reel=reel, place=LabelPlace.OFFICE, pieces__gt=0)
        .select_related("organisation", "reel__series")
        .first()
    )
    if found is None:
        raise LabelNotHere
    return found


# A mark, its derivative, the photo, and whether the label is another office's.
_Bound = tuple[Mark, int, object, bool]


def _bind(
    actor: User,
    at: datetime,
    bound: list[_Bound],
    holdings: Mapping[int, LabelHolding],
    *,
    second: User | None = None,
) -> None:
    """Write the movement, the applications, the marks and the story of each item: a fixed number of statements.

    Notices go to other offices whose labels were used.
    """
    by_reel = Counter(mark.reel_id for mark, *_rest in bound if mark.reel_id is not None)
    changes: list[Change] = []
    for reel, pieces in sorted(by_reel.items()):
        office = holdings[reel].organisation_id
        changes.append(Change(reel, LabelPlace.OFFICE, office, -pieces))
        changes.append(Change(reel, LabelPlace.APPLIED, office, pieces))
    move_labels(actor=actor, at=at, kind=LabelMovement.Kind.APPLIED, changes=changes, second=second)
    LabelApplication.objects.bulk_create(
        [
            LabelApplication(
                mark=mark,
                derivative_id=derivative,
                office_id=holdings[mark.reel_id or 0].organisation_id,
                photo_id=photo,  # type: ignore[misc]
                is_foreign=foreign,
                applied_by=actor,
                applied_at=at,
            )
            for mark, derivative, photo, foreign in bound
        ]
    )
    ordered = sorted((mark.code, derivative) for mark, derivative, *_rest in bound)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE marking_mark m SET state = 'active', derivative_id = n.derivative
                FROM unnest(%s::text[], %s::bigint[]) AS n (code, derivative)
                WHERE m.code = n.code AND m.state = 'blank'
                """,
                [[code for code, _item in ordered], [item for _code, item in ordered]],
            )
            if cursor.rowcount != len(ordered):
                raise LabelRefused(bound[0][0])
    except IntegrityError as error:
        raise AlreadyMarked from error
    _tell_items(actor, at, bound, holdings, second)
    foreign_by_reel = Counter(mark.reel_id for mark, _item, _photo, foreign in bound if foreign)
    reels = {mark.reel_id: mark.reel for mark, *_rest in bound}
    for foreign_reel, count in foreign_by_reel.items():
        reel_found = reels[foreign_reel]
        if reel_found is None:
            continue
        raise_notice(
            at=at,
            kind=Notice.Kind.ALERT,
            code="labels.foreign",
            organisation=holdings[reel_found.pk].organisation,
            subject=("label_reel", reel_found.pk),
            actor=actor,
            count=count,
            reel=reel_found.number,
        )


def _tell_items(
    actor: User, at: datetime, bound: list[_Bound], holdings: Mapping[int, LabelHolding], second: User | None
) -> None:
    """Into the story of each item: which label of which reel was bound to it, and who agreed."""
    numbers = dict(Derivative.objects.filter(pk__in=[item for _mark, item, *_ in bound]).values_list("pk", "number"))
    told = [
        Told(
            ("derivative", item),
            holdings[mark.reel_id or 0].organisation_id,
            {
                "label": group(mark.code),
                "reel": mark.reel.number if mark.reel else "",
                "place": mark.place_on_reel,
                "second_person": second.full_name if second else "",
            },
            str(numbers[item]),
        )
        for mark, item, *_ in bound
    ]
    record_many("label.bound", told, actor=actor, at=at)


@transaction.atomic
def name_row_labels(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    labels: Mapping[int, str],
    own_hosts: Collection[str],
    confirm_foreign: bool = False,
) -> int:
    """Say which blank labels are tied to the horns of these rows; an empty text takes a label off its row.

    Registering the table binds them. Returns how many rows of the table are named now. Raises what `lock_open_intake`
    raises, BadInput naming the rows, LabelRefused, ForeignLabel unless confirmed.
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    codes = _read_rows(intake, labels, actor, own_hosts)
    RowLabel.objects.filter(intake=intake, row__in=labels).delete()
    found = Mark.objects.select_related("reel__series").in_bulk(codes.values())
    reels = {mark.reel_id for mark in found.values() if mark.reel_id is not None}
    lock_reels(reels)
    at_office = _offices_of_reels(reels)
    offices = offices_of(actor)
    elsewhere = {
        other.mark_id: other
        for other in RowLabel.objects.filter(mark__in=found).select_related("intake").select_for_update(of=("self",))
    }
    wrong: Fields = {}
    named: list[RowLabel] = []
    for row, code in sorted(codes.items()):
        mark = found[code]
        if (refusal := _not_to_be_named(mark, at_office, elsewhere.get(code))) is not None:
            wrong[f"rows.{row}.label"] = refusal
            continue
        foreign = at_office[mark.reel_id or 0].organisation_id not in offices
        named.append(RowLabel(intake=intake, row=row, mark=mark, is_foreign=foreign, named_by=actor, named_at=at))
    if wrong:
        raise BadInput(fields=wrong)
    strange = [one.row for one in named if one.is_foreign]
    if strange and not confirm_foreign:
        raise ForeignLabel(fields={f"rows.{row}.label": ForeignLabel.message for row in strange})
    RowLabel.objects.filter(mark__in=found).delete()  # of tables that are closed, and of rows that are gone
    RowLabel.objects.bulk_create(named)
    count = RowLabel.objects.filter(intake=intake, row__in=intake.rows.values("row")).count()
    record(
        "row.label_named",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        count=len(named),
    )
    return count


def _read_rows(intake: Intake, labels: Mapping[int, str], actor: User, own_hosts: Collection[str]) -> dict[int, str]:
    """The code for each row that names one. Raises BadInput naming the rows."""
    rows = set(intake.rows.filter(row__in=labels).values_list("row", flat=True))
    wrong: Fields = {f"rows.{row}.label": _("There is no such row.") for row in labels if row not in rows}
    named = {row: text for row, text in labels.items() if row in rows and text.strip()}
    codes: dict[int, str] = {}
    answers = _checked(list(named.values()), actor, own_hosts) if named else []
    for row, answer in zip(named, answers, strict=True):
        if answer.is_genuine:
            codes[row] = answer.code
        else:
            wrong[f"rows.{row}.label"] = say(answer).text
    counts = Counter(codes.values())
    wrong |= {
        f"rows.{row}.label": _("This label is named in two rows.") for row, one in codes.items() if counts[one] > 1
    }
    if wrong:
        raise BadInput(fields=wrong)
    return codes


def _not_to_be_named(mark: Mark, at_office: Mapping[int, LabelHolding], other: RowLabel | None) -> StrOrPromise | None:
    """Why a row must not name this label; raises LabelRefused for one that nobody may use."""
    if mark.reel_id is None:
        return _("This is not a blank label.")
    if mark.state != Mark.State.BLANK:
        raise LabelRefused(mark)
    if mark.reel_id not in at_office:
        return LabelNotHere.message
    if other is not None and other.intake.is_open and other.intake.rows.filter(row=other.row).exists():
        place = {"row": other.row, "number": other.intake.number}
        return _("Row %(row)s of %(number)s names this label.") % place
    return None


def _offices_of_reels(reels: Collection[int]) -> dict[int, LabelHolding]:
    found = LabelHolding.objects.filter(reel__in=reels, place=LabelPlace.OFFICE, pieces__gt=0)
    return {holding.reel_id: holding for holding in found.select_related("organisation")}


def bind_row_labels(*, actor: User, at: datetime, intake: Intake) -> set[int]:
    """Bind the labels that the rows of a table just registered named; the keys of the derivatives that have one now.

    Called in the transaction of the registration. Raises BadInput naming rows without a photo or with a label that
    left its office since, LabelRefused.
    """
    derivatives = dict(intake.derivatives.filter(row__in=intake.row_labels.values("row")).values_list("row", "pk"))
    if not derivatives:
        return set()
    named = list(intake.row_labels.filter(row__in=derivatives).select_related("named_by"))
    codes = [one.mark_id for one in named]
    reels = {mark.reel_id for mark in Mark.objects.filter(pk__in=codes).only("reel") if mark.reel_id is not None}
    lock_reels(reels)
    marks = Mark.objects.select_related("reel__series").in_bulk(codes)
    at_office = _offices_of_reels(reels)
    photos = dict(
        DerivativePhoto.objects.filter(derivative__in=derivatives.values())
        .order_by("derivative")
        .values_list("derivative")
        .annotate(first=Min("pk"))
    )
    documents = dict(DerivativePhoto.objects.filter(pk__in=photos.values()).values_list("derivative", "document"))
    wrong: Fields = {}
    bound: list[_Bound] = []
    # Whose the labels are is asked now, under the lock of their reels: a reel may have gone on since they were named.
    own = {person: offices_of(person) | offices_of(actor) for person in {one.named_by for one in named}}
    for one in named:
        row, mark, item = one.row, marks[one.mark_id], derivatives[one.row]
        if mark.state != Mark.State.BLANK:
            raise LabelRefused(mark)
        if mark.reel_id not in at_office:
            wrong[f"rows.{row}.label"] = LabelNotHere.message
        elif item not in documents:
            wrong[f"rows.{row}.label"] = _("Take a photo that shows the label on the horn.")
        else:
            foreign = at_office[mark.reel_id].organisation_id not in own[one.named_by]
            bound.append((mark, item, documents[item], foreign))
    if wrong:
        raise BadInput(_("Some labels cannot be bound. Correct the rows that are named."), fields=wrong)
    _bind(actor, at, bound, at_office)
    intake.row_labels.all().delete()
    record(
        "labels.applied",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        count=len(bound),
    )
    return {item for _mark, item, _photo, _foreign in bound}
