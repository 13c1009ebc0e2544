"""Printing labels: an order, drawn in the background in parts, each read back before it is kept."""

import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from PIL import Image

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import DomainError, InvalidTransition, NotAllowed
from core.base.templatetags.fmt import grams, short_day
from core.documents.models import Document
from core.documents.services import keep_document
from core.jobs.models import Job
from core.jobs.services import Progress, start_job
from ledger.models import AccountKind, CustodyAccount, Holding
from marking import words
from marking.codes import group
from marking.keyring import sign_bodies
from marking.labels import (
    Drawn,
    Fonts,
    Label,
    LabelError,
    Print,
    Profile,
    as_specimen,
    check_sample,
    draw_labels,
    draw_png,
    draw_zpl,
    render_specimens,
)
from marking.labels.reading import Form
from marking.labels.zpl import ZplWay
from marking.models import LabelPart, LabelRun, Mark, MarkQuerySet, Printer, SigningKey
from marking.payload import PayloadError, decode, encode, read, to_address, verify
from marking.services.keys import signing_key_in_use
from marking.services.once import make_once_codes, read_once_texts
from marking.services.orders import LabelOrder, Setting, settle_order
from registry.models import Intake

JOB_KIND = "marking.print_labels"
# Labels in one file: what a person still opens at once, and what a worker draws in a few seconds.
PART_LABELS = 5_000
# One label in a hundred is rendered and read back, and never fewer than three pages of a part.
READ_BACK_ONE_IN = 100
LEAST_PAGES_READ = 3
TELL_EVERY = 500
# So many items are named whose labels are left alone.
LEFT_OUT_NAMED = 50
# What previews show in place of a hidden code.
NOTHING_HIDDEN = "0000-0000"

_FONTS = Path(settings.ROOT) / "static" / "vendor"
FONTS = Fonts(
    regular=_FONTS / "noto-sans" / "noto-sans-400.ttf",
    bold=_FONTS / "noto-sans" / "noto-sans-700.ttf",
    mono=_FONTS / "noto-sans-mono" / "noto-sans-mono-400.ttf",
    mono_bold=_FONTS / "noto-sans-mono" / "noto-sans-mono-700.ttf",
)


class NothingToPrint(DomainError):
    """No label of the intake comes from a printer now; `nothing_to_print` says why."""

    code = "nothing-to-print"
    message = _("There is nothing to print: register the horns first.")


class PrintedBefore(InvalidTransition):
    """The labels of the intake were ordered before: two copies of one print must never be about."""

    code = "printed-before"
    message = _(
        "These labels were printed before. Ask for a reprint: another person approves it, and the former prints are"
        " answered as old copies."
    )


class LabelFailed(DomainError):
    """One label cannot be printed or read back; the whole part is withheld."""

    code = "label-failed"


@transaction.atomic
def print_labels(*, actor: User, at: datetime, intake: Intake, order: LabelOrder) -> LabelRun:
    """Order the labels of all active marks of an intake; the job that draws them starts after commit.

    Once: a reprint is asked for and approved (`services/requests.py`). Raises BadInput, NothingToPrint, PrintedBefore,
    InvalidTransition; NoSigningKey where no key is in use by which the labels could be signed when they are drawn.
    """
    setting = settle_order(actor, order)
    require_printer(actor, intake)
    # The row lock closes the race of two first orders for one intake.
    locked = Intake.objects.select_for_update(of=("self",), no_key=True).select_related("store").get(pk=intake.pk)
    if locked.state != Intake.State.REGISTERED:
        raise InvalidTransition(_("Register the horns first."))
    if was_printed(locked):
        raise PrintedBefore
    # In the order of rows; a label that came from a reel is on its horn already.
    codes = list(marks_to_print(locked).order_by("derivative__row").values_list("pk", flat=True))
    if refusal := nothing_to_print(locked):
        raise refusal
    left_out = left_out_of_print(locked)
    signing_key_in_use()
    run = LabelRun.objects.create(
        intake=locked,
        store=locked.store,
        count=len(codes),
        reason=order.reason.strip(),
        ordered_by=actor,
        ordered_at=at,
        job=start_job(actor=actor, at=at, kind=JOB_KIND, params={"intake": locked.number}),
        **setting.as_run(),
    )
    name_labels(run, codes)
    record(
        "labels.ordered",
        actor=actor,
        at=at,
        subject=("intake", locked.pk),
        subject_name=locked.number,
        organisation_id=locked.store.custodian_id,
        run=run.pk,
        profile=setting.stock.key,
        form=setting.form,
        printer=setting.printer.pk if setting.printer else None,
        count=run.count,
        reason=run.reason,
        left_out=left_out,
    )
    run.left_out = left_out
    return run


def name_labels(run: LabelRun, codes: Sequence[str]) -> None:
    """Which label stands at which place of a run, in the generation of this moment: one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marking_labelrunmark (run_id, place, mark_id, generation)
            SELECT %s, n.place, n.code, m.generation
            FROM unnest(%s::text[]) WITH ORDINALITY AS n (code, place) JOIN marking_mark m ON m.code = n.code
            """,
            [run.pk, list(codes)],
        )


def require_printer(actor: User, intake: Intake) -> None:
    """Labels are printed by those who keep the store, or by the inspection of its region."""
    store = intake.store
    own = store.custodian_id in actor.organisation_ids(Can.PRINT_LABELS)
    if not own and store.region_id not in actor.region_codes(Can.OPEN_INTAKE):
        raise NotAllowed


def marks_to_print(intake: Intake) -> MarkQuerySet:
    """Active marks of an intake whose labels come from this system's printer, not from a reel of blank labels."""
    return marks_at_hand(intake).filter(Q(reel=None) | Q(generation__gt=1))


def left_out_of_print(intake: Intake) -> list[str]:
    """Numbers of items whose labels are not printed with their intake, because they left its keeper: the first ones."""
    rest = Mark.objects.active().filter(Q(reel=None) | Q(generation__gt=1), derivative__intake=intake)
    rest = rest.exclude(pk__in=marks_at_hand(intake).values("pk"))
    numbers = rest.order_by("derivative__row").values_list("derivative__number", flat=True)
    return [str(number) for number in numbers[:LEFT_OUT_NAMED]]


def marks_at_hand(intake: Intake) -> MarkQuerySet:
    """Active marks of an intake whose items its keeper still has, in this store or another.

    A label for what has left would be a genuine label for something else.
    """
    stores = CustodyAccount.objects.filter(
        custodian=intake.store.custodian_id, kind__in=(AccountKind.STORE, AccountKind.EVIDENCE)
    )
    held = Holding.objects.filter(account__in=stores, pieces__gt=0)
    return Mark.objects.active().filter(derivative__intake=intake, derivative__in=held.values("item"))


def nothing_to_print(intake: Intake) -> NothingToPrint | None:
    """Why no label of this intake can be printed: not registered yet, all labels from a reel, or nothing there."""
    if intake.state != Intake.State.REGISTERED:
        return NothingToPrint()
    if marks_to_print(intake).exists():
        return None
    if marks_at_hand(intake).exists():
        return NothingToPrint(
            _(
                "There is nothing to print: what is here carries blank labels. A damaged one is replaced on the page"
                " of its item."
            )
        )
    return NothingToPrint(_("There is nothing to print: nothing of this reception is here with a mark in force."))


def was_printed(intake: Intake) -> bool:
    """Whether labels of this intake were ordered before, and drawn or being drawn."""
    return was_drawn(LabelRun.objects.filter(intake=intake))


def was_drawn(runs: QuerySet[LabelRun]) -> bool:
    """Whether any of these orders was drawn, in part or whole, or still will be.

    One that failed or was cancelled counts too once a part of it was kept.
    """
    spoiled = (Job.State.FAILED, Job.State.CANCELLED)
    return runs.filter(~Q(job__state__in=spoiled) | Q(parts__isnull=False)).exists()


@dataclass(frozen=True, slots=True)
class Part:
    """Which labels of a run one file holds: from `first` (counted from 0) up to, not including, `last`."""

    number: int
    first: int
    last: int
    start: int


@dataclass(frozen=True, slots=True)
class _DrawnPart:
    content: bytes
    pages: int
    read_back: int


def draw_run(run: LabelRun, *, clock: Callable[[], datetime], progress: Progress) -> list[LabelPart]:
    """Draw what is not drawn yet, part by part, and keep each part once its sample was read back.

    Safe to run again: finished parts are left as they are. Raises LabelFailed naming the label that cannot be
    printed or read; then its part is not kept. Raises JobCancelled. Must not be called inside a transaction.
    """
    parts = parts_of(run.stock, run.count, run.start)
    kept = {part.part: part for part in run.parts.select_related("document")}
    for part in parts:
        if part.number not in kept:
            drawn = _draw_part(run, part, progress, at=clock())
            kept[part.number] = _keep_part(run, part, drawn, at=clock(), of=len(parts), progress=progress)
    return [kept[part.number] for part in parts]


def parts_of(profile: Profile, count: int, start: int) -> list[Part]:
    """The parts of so many labels; every part but the last ends with a full page."""
    whole = max(PART_LABELS // profile.per_page, 1) * profile.per_page
    ends = [*range(whole - (start - 1), count, whole), count]
    return [
        Part(number, first, last, start if number == 1 else 1)
        for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False), 1)
    ]


def _draw_part(run: LabelRun, part: Part, progress: Progress, *, at: datetime) -> _DrawnPart:
    """The file of a part, rendered and read back in a sample."""
    profile = run.stock
    told = part.first
    progress(told, run.count)

    def tell(drawn: int) -> None:
        nonlocal told
        if part.first + drawn - told >= TELL_EVERY:
            told = part.first + drawn
            progress(told, run.count)

    labels = labels_of(run, part, at=at)
    title = gettext("Labels %(number)s") % {"number": run.intake or run.reel or run.pk}
    pages_read = max(LEAST_PAGES_READ, math.ceil(len(labels) / READ_BACK_ONE_IN / profile.per_page))
    out = io.BytesIO()
    try:
        drawn = _draw(out, run, labels, start=part.start, title=title, on_page=tell)
        content = out.getvalue()
        read_back = check_sample(
            content, profile, labels, how=run.how, form=_FORMS[run.form], start=part.start, pages=pages_read
        )
        if not profile.short:
            _check_signatures(labels)
    except LabelError as error:
        raise LabelFailed(_words_of(error)) from error
    progress(part.last, run.count)
    return _DrawnPart(content, drawn.pages, read_back)


_FORMS: dict[str, Form] = {"pdf": "pdf", "zpl": "zpl", "png": "png"}


def _draw(
    out: BinaryIO, run: LabelRun, labels: list[Label], *, start: int, title: str, on_page: Callable[[int], None]
) -> Drawn:
    if run.form == LabelRun.Form.ZPL:
        way: ZplWay = "picture" if run.zpl_way == Printer.ZplWay.PICTURE else "commands"
        return draw_zpl(out, run.stock, labels, FONTS, how=run.how, way=way, start=start, on_page=on_page)
    if run.form == LabelRun.Form.PNG:
        return draw_png(out, run.stock, labels, FONTS, how=run.how, start=start, on_page=on_page)
    return draw_labels(
        out, run.stock, labels, FONTS, how=run.how, title=title, language=run.language, start=start, on_page=on_page
    )


def _words_of(error: LabelError) -> str:
    reasons = {
        "symbol": _("its symbol would be too long"),
        "room": _("its symbol does not fit this label at this resolution"),
        "glyph": _("its text has a letter that cannot be printed"),
        "unreadable": _("its symbol could not be read back"),
        "key": _("the key that signed it is not in use any more"),
    }
    return gettext("Label %(number)s was not printed: %(reason)s. The run was stopped.") % {
        "number": error.label.number or error.label.code,
        "reason": reasons[error.reason],
    }


@transaction.atomic
def _keep_part(run: LabelRun, part: Part, drawn: _DrawnPart, *, at: datetime, of: int, progress: Progress) -> LabelPart:
    progress.hold()
    _require_as_ordered(run, part, lock=True)
    suffix = f"-{part.number}" if of > 1 else ""
    document = keep_document(
        actor=run.ordered_by,
        at=at,
        kind=Document.Kind.LABELS,
        name=f"{run.intake or run.reel or run.pk}-labels-{run.pk}{suffix}.{_ending(run, drawn)}".replace("/", "-"),
        content=drawn.content,
        media_type=_MEDIA[run.form],
    )
    kept = LabelPart.objects.create(
        run=run,
        part=part.number,
        document=document,
        labels=part.last - part.first,
        pages=drawn.pages,
        read_back=drawn.read_back,
        at=at,
    )
    if part.number == of:
        record(
            "labels.printed",
            actor=None,
            at=at,
            subject=("label_run", run.pk),
            organisation_id=run.organisation_id,
            count=run.count,
            parts=of,
        )
    return kept


_MEDIA = {"pdf": "application/pdf", "zpl": "application/zpl", "png": "image/png"}


def _ending(run: LabelRun, drawn: _DrawnPart) -> str:
    """Pictures of more than one page are packed together."""
    return "zip" if run.form == LabelRun.Form.PNG and drawn.pages > 1 else run.form


def labels_of(run: LabelRun, part: Part, *, at: datetime) -> list[Label]:
    """The labels of one part of a run as they were ordered; where hidden codes are printed, marks that have none get
    them now. What another key than the one in use had signed is signed anew: this is the first print of its generation.
    Raises LabelFailed naming a label that was printed anew or ended since; NoSigningKey.
    """
    _require_as_ordered(run, part)
    _sign_with_key_in_use(run, part, at=at)
    marks = Mark.objects.filter(run_marks__run=run, run_marks__place__gt=part.first, run_marks__place__lte=part.last)
    in_order = marks.select_related("derivative__intake", "reel").order_by("run_marks__place")
    hidden = _hidden_of(run, marks, at) if run.hidden else {}
    return make_labels(in_order, run.language, run.second, hidden=hidden, short=run.stock.short)


@transaction.atomic
def _sign_with_key_in_use(run: LabelRun, part: Part, *, at: datetime) -> None:
    """Labels leave the house under the key in use, whatever became of the one that signed them when they were issued.

    The database lets a statement be signed anew only while no print of its generation was kept.
    """
    key, signer = signing_key_in_use()
    places = run.run_marks.filter(place__gt=part.first, place__lte=part.last)
    # The lock closes the race with an approved reprint and with another run of the same labels.
    others = Mark.objects.filter(pk__in=places.values("mark")).exclude(key=key).order_by("pk")
    marks = list(others.select_for_update(no_key=True).only("pk", "payload"))
    if not marks:
        return
    bodies = [encode(replace(decode(bytes(mark.payload)), key_id=bytes.fromhex(key.pk))) for mark in marks]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marking_mark m SET key_id = %s, payload = n.payload, signature = n.signature
            FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) AS n (code, payload, signature)
            WHERE m.code = n.code
            """,
            [key.pk, [mark.pk for mark in marks], bodies, sign_bodies(bodies, signer)],
        )
    record(
        "labels.signed_anew",
        actor=None,
        at=at,
        subject=("label_run", run.pk),
        organisation_id=run.organisation_id,
        count=len(marks),
        key=key.pk,
    )


def _check_signatures(labels: Sequence[Label]) -> None:
    """A sample of what was drawn is signed by the key in use, as it is at this moment. Raises LabelError."""
    keys = {bytes.fromhex(key.pk): bytes(key.public_key) for key in SigningKey.objects.in_use()}
    for label in {*labels[::READ_BACK_ONE_IN], labels[-1]}:
        try:
            verify(read(label.symbol.removeprefix(symbol_prefix())), keys)
        except PayloadError as error:
            raise LabelError(label, "key") from error


def _require_as_ordered(run: LabelRun, part: Part, *, lock: bool = False) -> None:
    """Every mark of this part is what was ordered, in the generation that was ordered. Raises LabelFailed."""
    places = run.run_marks.filter(place__gt=part.first, place__lte=part.last)
    if lock:
        # The lock closes the race with an approved reprint and with another run of the same labels.
        list(
            Mark.objects.filter(pk__in=places.values("mark")).order_by("pk").select_for_update(no_key=True).values("pk")
        )
    as_ordered = Q(mark__generation=F("generation"), mark__state__in=(Mark.State.BLANK, Mark.State.ACTIVE))
    said = gettext("Label %(number)s was printed anew or ended after it was ordered. The run was stopped.")
    other = places.exclude(as_ordered).select_related("mark__derivative", "mark__reel").first()
    if other is None and lock:
        # Nobody ends the key before this transaction ends.
        key, _signer = signing_key_in_use()
        said = gettext("The key that signed label %(number)s is not in use any more. Order the run again.")
        other = places.exclude(mark__key=key).select_related("mark__derivative", "mark__reel").first()
    if other is None:
        return
    item = other.mark.derivative
    number = item.number if item else f"{other.mark.reel} · {other.mark.place_on_reel}"
    raise LabelFailed(said % {"number": number})


@transaction.atomic
def note_taken(*, actor: User, at: datetime, part: LabelPart) -> None:
    """Write down who took a file that shows hidden codes."""
    if part.run.hidden:
        subject = ("label_run", part.run_id)
        record("once_codes.read", actor=actor, at=at, subject=subject, count=part.labels, part=part.part)


@transaction.atomic
def _hidden_of(run: LabelRun, marks: MarkQuerySet, at: datetime) -> dict[str, str]:
    """What stands under the flap of each label; a mark that ended since it was ordered has nothing to hide."""
    codes = list(marks.filter(state__in=(Mark.State.BLANK, Mark.State.ACTIVE)).values_list("pk", flat=True))
    make_once_codes(actor=run.ordered_by, at=at, codes=codes, subject=("label_run", run.pk))
    return read_once_texts(actor=run.ordered_by, at=at, codes=codes, subject=("label_run", run.pk))


def make_labels(
    marks: Iterable[Mark],
    language: str,
    second: str = "",
    *,
    hidden: Mapping[str, str] | None = None,
    short: bool = False,
) -> list[Label]:
    """Labels as printed, in this language and perhaps a second; marks come with derivatives and intakes, or with reels.

    A blank label says where it stands on its reel in place of what it is on. `hidden` has the hidden codes by mark.
    `short` is for labels without room for the signed statement: their symbol is the address with the code alone.
    """
    under_flap = hidden or {}
    prefix = symbol_prefix()
    things_in_second: Mapping[str, str] = {}
    if second:
        with translation.override(second):
            things_in_second = {term: str(thing) for term, thing in words.THINGS.items()}
            unit = grams(0).removeprefix("0").strip()
    with translation.override(language):
        caption = gettext("Registry of saiga derivatives")
        things = {term: str(thing) for term, thing in words.THINGS.items()}
        labels = []
        for mark in marks:
            signed = bytes(mark.payload), bytes(mark.signature)
            symbol = prefix + mark.code if short else to_address(prefix, *signed)
            item = mark.derivative
            if item is None:
                number = f"{mark.reel} · {mark.place_on_reel}"
                below = under_flap.get(mark.code, "")
                labels.append(Label(symbol, group(mark.code), number, "", "", "", caption, hidden=below))
                continue
            mass = grams(item.mass_g)
            labels.append(
                Label(
                    symbol=symbol,
                    code=group(mark.code),
                    number=item.number,
                    term=things[item.term],
                    mass=mass if not second or mass.endswith(unit) else f"{mass} / {unit}",
                    dated=short_day(item.intake.on),
                    caption=caption,
                    second=things_in_second.get(item.term, ""),
                    hidden=under_flap.get(mark.code, ""),
                )
            )
        return labels


def preview_sheet(*, actor: User, intake: Intake, order: LabelOrder) -> tuple[bytes, Setting]:
    """The first page of what `print_labels` would print for this order, as PDF, and how it was understood.

    Specimens: a picture of genuine symbols is a print of them, without order, second person or journal.
    Raises BadInput, NothingToPrint, PrinterChangesSize.
    """
    setting = settle_order(actor, order)
    marks = marks_to_print(intake).select_related("derivative__intake")
    room = setting.stock.per_page - (setting.start - 1)
    shown = marks.order_by("derivative__row")[:room]
    # A picture on a page gives no hidden code away.
    hidden = {mark.pk: NOTHING_HIDDEN for mark in shown} if setting.hidden else {}
    labels = make_labels(shown, setting.language, setting.second, hidden=hidden)
    if not labels:
        raise nothing_to_print(intake) or NothingToPrint
    specimens = [as_specimen(label, setting.stock, symbol_prefix()) for label in labels]
    return draw_preview(setting, specimens), setting


def picture_of_sheet(pdf: bytes, stock: Profile, *, dpi: int, how: Print | None = None) -> Image.Image:
    """The first page of a preview, stamped as a specimen."""
    return render_specimens(pdf, stock, FONTS.bold, dpi=dpi, how=how)


def draw_preview(setting: Setting, labels: list[Label]) -> bytes:
    """These labels as PDF, in the way of the order. Raises BadInput naming the label that cannot be printed."""
    out = io.BytesIO()
    try:
        draw_labels(
            out,
            setting.stock,
            labels,
            FONTS,
            how=setting.how,
            title="",
            language=setting.language,
            start=setting.start,
        )
    except LabelError as error:
        raise LabelFailed(_words_of(error)) from error
    return out.getvalue()


def symbol_prefix() -> str:
    """The address of the public check as printed: upper case, so that symbols stay small."""
    return f"HTTPS://{settings.PUBLIC_HOST}/M/".upper()
