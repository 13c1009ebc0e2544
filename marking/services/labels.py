"""Printing labels: an order, drawn in the background in parts, each read back before it is kept."""

import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.templatetags.fmt import grams, short_day
from core.documents.models import Document
from core.documents.services import keep_document
from core.jobs.models import Job
from core.jobs.services import Progress, start_job
from marking import words
from marking.codes import group
from marking.labels import PROFILES, Fonts, Label, LabelError, Profile, check_sample, draw_labels
from marking.models import LabelPart, LabelRun, Mark, MarkQuerySet
from marking.payload import to_address
from registry.models import Intake

JOB_KIND = "marking.print_labels"
# Labels in one file: what a person still opens at once, and what a worker draws in a few seconds.
PART_LABELS = 5_000
# One label in a hundred is rendered and read back, and never fewer than three pages of a part.
READ_BACK_ONE_IN = 100
LEAST_PAGES_READ = 3
TELL_EVERY = 500

_FONTS = Path(settings.ROOT) / "static" / "vendor"
FONTS = Fonts(
    regular=_FONTS / "noto-sans" / "noto-sans-400.ttf",
    bold=_FONTS / "noto-sans" / "noto-sans-700.ttf",
    mono=_FONTS / "noto-sans-mono" / "noto-sans-mono-400.ttf",
    mono_bold=_FONTS / "noto-sans-mono" / "noto-sans-mono-700.ttf",
)


class NothingToPrint(DomainError):
    """The intake has no active marks."""

    code = "nothing-to-print"
    message = _("There is nothing to print: register the horns first.")


class LabelFailed(DomainError):
    """One label cannot be printed or read back; the whole part is withheld."""

    code = "label-failed"


@dataclass(frozen=True, slots=True)
class LabelOrder:
    """How labels are to be printed. `start` is the first free position of a used sheet, from 1."""

    profile: str
    dpi: int = 300
    start: int = 1
    language: str = "kk"
    reason: str = ""


@transaction.atomic
def print_labels(*, actor: User, at: datetime, intake: Intake, order: LabelOrder) -> LabelRun:
    """Order the labels of all active marks of an intake; the job that draws them starts after commit.

    Labels printed before are printed again only with a reason. Raises BadInput, NothingToPrint, InvalidTransition.
    """
    profile = known_profile(order)
    _require_printer(actor, intake)
    # The row lock closes the race of two first orders for one intake.
    locked = Intake.objects.select_for_update(of=("self",), no_key=True).select_related("store").get(pk=intake.pk)
    if locked.state != Intake.State.REGISTERED:
        raise InvalidTransition(_("Register the horns first."))
    if not order.reason.strip() and was_printed(locked):
        raise BadInput(fields={"reason": _("These labels were ordered before. Say why they are printed again.")})
    count = marks_to_print(locked).count()
    if not count:
        raise NothingToPrint
    run = LabelRun.objects.create(
        intake=locked,
        store=locked.store,
        profile=profile.key,
        dpi=order.dpi,
        start=order.start,
        language=order.language,
        count=count,
        reason=order.reason.strip(),
        ordered_by=actor,
        ordered_at=at,
        job=start_job(actor=actor, at=at, kind=JOB_KIND, params={"intake": locked.number}),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marking_labelrunmark (run_id, place, mark_id, generation)
            SELECT %s, row_number() OVER (ORDER BY d.row), m.code, m.generation
            FROM marking_mark m JOIN registry_derivative d ON d.item_id = m.derivative_id
            -- A label that came from a reel is on its horn already.
            WHERE d.intake_id = %s AND m.state = 'active' AND (m.reel_id IS NULL OR m.generation > 1)
            """,
            [run.pk, locked.pk],
        )
    record(
        "labels.ordered",
        actor=actor,
        at=at,
        subject=("intake", locked.pk),
        subject_name=locked.number,
        organisation_id=locked.store.custodian_id,
        run=run.pk,
        profile=profile.key,
        count=count,
        reason=run.reason,
    )
    return run


def _require_printer(actor: User, intake: Intake) -> None:
    """Labels are printed by those who keep the store, or by the inspection of its region."""
    store = intake.store
    own = store.custodian_id in actor.organisation_ids(Can.PRINT_LABELS)
    if not own and store.region_id not in actor.region_codes(Can.OPEN_INTAKE):
        raise NotAllowed


def known_profile(order: LabelOrder) -> Profile:
    """The stock of an order whose every choice is possible. Raises BadInput."""
    profile = PROFILES.get(order.profile)
    if profile is None:
        raise BadInput(fields={"profile": _("Choose the labels you print on.")})
    if order.dpi not in dict(LabelRun._meta.get_field("dpi").flatchoices):
        raise BadInput(fields={"dpi": _("Choose the resolution of your printer.")})
    if order.language not in dict(settings.LANGUAGES):
        raise BadInput(fields={"language": _("Choose a language.")})
    if not 1 <= order.start <= profile.per_page:
        raise BadInput(fields={"start": _("This sheet has positions 1 to %(last)d.") % {"last": profile.per_page}})
    return profile


def marks_to_print(intake: Intake) -> MarkQuerySet:
    """Active marks of an intake whose labels come from this system's printer, not from a reel of blank labels."""
    return Mark.objects.active().filter(Q(reel=None) | Q(generation__gt=1), derivative__intake=intake)


def was_printed(intake: Intake) -> bool:
    """Whether labels of this intake were ordered before, by an order that neither failed nor was cancelled."""
    spoiled = (Job.State.FAILED, Job.State.CANCELLED)
    return LabelRun.objects.filter(intake=intake).exclude(job__state__in=spoiled).exists()


@dataclass(frozen=True, slots=True)
class Part:
    """Which labels of a run one file holds: from `first` (counted from 0) up to, not including, `last`."""

    number: int
    first: int
    last: int
    start: int


@dataclass(frozen=True, slots=True)
class _DrawnPart:
    pdf: bytes
    pages: int
    read_back: int


def draw_run(run: LabelRun, *, clock: Callable[[], datetime], progress: Progress) -> list[LabelPart]:
    """Draw what is not drawn yet, part by part, and keep each part once its sample was read back.

    Safe to run again: finished parts are left as they are. Raises LabelFailed naming the label that cannot be
    printed or read; then its part is not kept. Raises JobCancelled. Must not be called inside a transaction.
    """
    parts = parts_of(PROFILES[run.profile], run.count, run.start)
    kept = {part.part: part for part in run.parts.select_related("document")}
    for part in parts:
        if part.number not in kept:
            drawn = _draw_part(run, part, progress)
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


def _draw_part(run: LabelRun, part: Part, progress: Progress) -> _DrawnPart:
    """The PDF of a part, rendered and read back in a sample."""
    profile = PROFILES[run.profile]
    told = part.first
    progress(told, run.count)

    def tell(drawn: int) -> None:
        nonlocal told
        if part.first + drawn - told >= TELL_EVERY:
            told = part.first + drawn
            progress(told, run.count)

    labels = labels_of(run, part)
    title = gettext("Labels %(number)s") % {"number": run.intake or run.reel or run.pk}
    pages_read = max(LEAST_PAGES_READ, math.ceil(len(labels) / READ_BACK_ONE_IN / profile.per_page))
    out = io.BytesIO()
    try:
        drawn = draw_labels(
            out,
            profile,
            labels,
            FONTS,
            dpi=run.dpi,
            title=title,
            language=run.language,
            start=part.start,
            on_page=tell,
        )
        pdf = out.getvalue()
        read_back = check_sample(pdf, profile, labels, dpi=run.dpi, start=part.start, pages=pages_read)
    except LabelError as error:
        raise LabelFailed(_words_of(error)) from error
    progress(part.last, run.count)
    return _DrawnPart(pdf, drawn.pages, read_back)


def _words_of(error: LabelError) -> str:
    reasons = {
        "symbol": _("its symbol would be too long"),
        "room": _("its symbol does not fit this label at this resolution"),
        "glyph": _("its text has a letter that cannot be printed"),
        "unreadable": _("its symbol could not be read back"),
    }
    return gettext("Label %(number)s was not printed: %(reason)s. The run was stopped.") % {
        "number": error.label.number,
        "reason": reasons[error.reason],
    }


@transaction.atomic
def _keep_part(run: LabelRun, part: Part, drawn: _DrawnPart, *, at: datetime, of: int, progress: Progress) -> LabelPart:
    progress.hold()
    suffix = f"-{part.number}" if of > 1 else ""
    document = keep_document(
        actor=run.ordered_by,
        at=at,
        kind=Document.Kind.LABELS,
        name=f"{run.intake or run.reel or run.pk}-labels-{run.pk}{suffix}.pdf".replace("/", "-"),
        content=drawn.pdf,
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


def labels_of(run: LabelRun, part: Part) -> list[Label]:
    """The labels of one part of a run."""
    marks = Mark.objects.filter(run_marks__run=run, run_marks__place__gt=part.first, run_marks__place__lte=part.last)
    return make_labels(marks.select_related("derivative__intake", "reel").order_by("run_marks__place"), run.language)


def make_labels(marks: Iterable[Mark], language: str) -> list[Label]:
    """Labels as printed, in this language; marks come with their derivatives and intakes, or with their reels.

    A blank label says where it stands on its reel in place of what it is on.
    """
    prefix = symbol_prefix()
    with translation.override(language):
        caption = gettext("Registry of saiga derivatives")
        things = {term: str(thing) for term, thing in words.THINGS.items()}
        return [
            Label(
                symbol=to_address(prefix, bytes(mark.payload), bytes(mark.signature)),
                code=group(mark.code),
                number=item.number if item else f"{mark.reel} · {mark.place_on_reel}",
                term=things[item.term] if item else "",
                mass=grams(item.mass_g) if item else "",
                dated=short_day(item.intake.on) if item else "",
                caption=caption,
            )
            for mark in marks
            for item in [mark.derivative]
        ]


def preview_sheet(*, intake: Intake, order: LabelOrder) -> bytes:
    """The first page of what `print_labels` would print for this order, as PDF. Raises BadInput, NothingToPrint."""
    profile = known_profile(order)
    marks = marks_to_print(intake).select_related("derivative__intake")
    room = profile.per_page - (order.start - 1)
    labels = make_labels(marks.order_by("derivative__row")[:room], order.language)
    if not labels:
        raise NothingToPrint
    out = io.BytesIO()
    draw_labels(out, profile, labels, FONTS, dpi=order.dpi, title="", language=order.language, start=order.start)
    return out.getvalue()


def symbol_prefix() -> str:
    """The address of the public check as printed: upper case, so that symbols stay small."""
    return f"HTTPS://{settings.PUBLIC_HOST}/M/".upper()
