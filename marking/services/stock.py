"""Blank labels: ordered in series, drawn, printed in reels, written off. What moves them, moves them in the ledger.

Lock order: the act (series, hand-over, destruction, item), then reels by their key. Whoever holds the lock of a reel
may count on what is left of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.files import File
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import NO_REASON, is_reason
from core.documents.models import Document
from core.documents.services import keep_document, take_numbers
from core.jobs.models import Job
from core.jobs.services import Progress, start_job
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from marking.codes import group, new_codes
from marking.keyring import sign_bodies
from marking.labels import PROFILES
from marking.models import (
    LabelEntry,
    LabelHolding,
    LabelMovement,
    LabelPlace,
    LabelReel,
    LabelReport,
    LabelRun,
    LabelSeries,
    Mark,
    MarkRequest,
)
from marking.models.stock import LARGEST_REEL, MOST_IN_SERIES, MOST_REELS, keepers_of_labels, offices_of
from marking.payload import Statement, encode
from marking.places import PlacesError, read_places
from marking.selectors_stock import reels_that_differ
from marking.services.keys import signing_key_in_use
from marking.services.labels import JOB_KIND, was_drawn
from marking.services.orders import LabelOrder, settle_order

Fields = dict[str, StrOrPromise]
MAKE_KIND = "marking.make_series"
# So many labels are drawn while the person waits; of more, so many in one transaction of the background.
MADE_AT_ONCE = 2_000
MAKING_LABELS = 5_000
# So many reels of a series are ordered to be printed at once: each is a job of its own.
REELS_AT_ONCE = 50
# Who has blank labels printed.
OFFICES = (
    Organisation.Kind.INSPECTORATE,
    Organisation.Kind.ENTERPRISE,
    Organisation.Kind.MINISTRY,
    Organisation.Kind.SCIENTIFIC,
    Organisation.Kind.POLICE,
    Organisation.Kind.CUSTOMS,
    Organisation.Kind.TRADER,
    Organisation.Kind.PROCESSOR,
)
NOBODY_THERE = _("Nobody in this office may print or receive labels. Choose another one.")


def may_keep_labels(office: Organisation, at: datetime) -> bool:
    """Whether somebody of this office may print, receive and keep labels."""
    return keepers_of_labels(day_of(at)).filter(organisation=office).exists()


class LabelsNotThere(DomainError):
    """The labels are not in the person's office any more."""

    code = "labels-not-there"
    message = _("These labels are not in your office, or not blank any more. Reload the page.")


class NotPrintedYet(InvalidTransition):
    """The file of the reel is not ready."""

    code = "not-printed-yet"
    message = _("The labels of this reel have not been drawn yet. Wait for the run to finish.")


class ReelDrawnBefore(InvalidTransition):
    """Blank labels are worth as much as what they will hang on: none is printed twice."""

    code = "reel-drawn-before"
    message = _(
        "The labels of this reel were ordered before and are drawn once only. Take the file of that run. Labels that"
        " came out spoiled are named when the reel is declared printed; a new series takes their place."
    )


class Change(NamedTuple):
    """One line of a movement."""

    reel: int
    place: LabelPlace
    organisation: int
    pieces: int


def move_labels(
    *,
    actor: User,
    at: datetime,
    kind: LabelMovement.Kind,
    changes: Iterable[Change],
    second: User | None = None,
    reference: str = "",
    reason: str = "",
    run: LabelRun | None = None,
    device: str = "",
) -> LabelMovement:
    """Write one movement of labels; the database keeps holdings by it and refuses what does not add up."""
    movement = LabelMovement.objects.create(
        kind=kind, actor=actor, second=second, at=at, reference=reference, reason=reason, run=run, device=device
    )
    summed: Counter[tuple[int, LabelPlace, int]] = Counter()
    for change in changes:
        summed[change.reel, change.place, change.organisation] += change.pieces
    LabelEntry.objects.bulk_create(
        [
            LabelEntry(movement=movement, reel_id=reel, place=place, organisation_id=organisation, pieces=pieces)
            for (reel, place, organisation), pieces in summed.items()
            if pieces
        ]
    )
    return movement


def lock_reels(reels: Iterable[int]) -> list[LabelReel]:
    """Lock reels in the order of their keys. Closes the races of sending, applying and writing off."""
    locked = LabelReel.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=set(reels))
    return list(locked.select_related("series").order_by("pk"))


def blank_holding(reel: int) -> LabelHolding | None:
    """Where the blank labels of a reel are; None when none is left."""
    found = LabelHolding.objects.filter(
        reel=reel, place__in=(LabelPlace.TO_PRINT, LabelPlace.OFFICE, LabelPlace.TRANSIT), pieces__gt=0
    )
    return found.select_related("organisation").first()


@transaction.atomic
def order_series(
    *,
    actor: User,
    at: datetime,
    office: Organisation,
    printer: Organisation,
    purpose: str,
    profile: str,
    reel_count: int,
    reel_size: int,
) -> LabelSeries:
    """Order blank labels for an office, to be printed by another or the same. Raises NotAllowed, BadInput."""
    if not actor.can(Can.ORDER_LABELS):
        raise NotAllowed
    wrong: Fields = {}
    if not purpose.strip():
        wrong["purpose"] = _("Say what they are for.")
    if profile not in PROFILES:
        wrong["profile"] = _("Choose the labels you print on.")
    if not 1 <= reel_count <= MOST_REELS:
        wrong["reel_count"] = _("1 to %(most)d reels.") % {"most": MOST_REELS}
    if not 1 <= reel_size <= LARGEST_REEL:
        wrong["reel_size"] = _("1 to %(most)d labels on a reel.") % {"most": LARGEST_REEL}
    if not wrong and reel_count * reel_size > MOST_IN_SERIES:
        wrong["reel_count"] = _("At most %(most)d labels in a series.") % {"most": MOST_IN_SERIES}
    for name, organisation in (("office", office), ("printer", printer)):
        if not organisation.is_active or organisation.kind not in OFFICES:
            wrong[name] = _("Choose an office that works with labels.")
    if "printer" not in wrong and not may_keep_labels(printer, at):
        wrong["printer"] = NOBODY_THERE
    if wrong:
        raise BadInput(fields=wrong)
    year = day_of(at).year
    (serial,) = take_numbers(series="LS", year=year)
    series = LabelSeries.objects.create(
        number=f"LS{year % 100:02d}-{serial:04d}",
        office=office,
        printer=printer,
        purpose=purpose.strip()[:200],
        profile=profile,
        reel_count=reel_count,
        reel_size=reel_size,
        ordered_by=actor,
        ordered_at=at,
    )
    _record_series("label_series.ordered", series, actor, at)
    return series


@transaction.atomic
def cancel_series(*, actor: User, at: datetime, series: LabelSeries) -> LabelSeries:
    """Take back an order of which no code was drawn. Raises NotAllowed, InvalidTransition."""
    if not actor.can(Can.ORDER_LABELS):
        raise NotAllowed
    series = _take_series(series)
    series.state, series.ended_by, series.ended_at = LabelSeries.State.CANCELLED, actor, at
    series.save(update_fields=["state", "ended_by", "ended_at"])
    _record_series("label_series.cancelled", series, actor, at)
    return series


def _take_series(series: LabelSeries) -> LabelSeries:
    # The lock closes the race of two who draw the codes of one order.
    locked = LabelSeries.objects.select_for_update(no_key=True, of=("self",)).get(pk=series.pk)
    if locked.state != LabelSeries.State.ORDERED:
        raise InvalidTransition(_("The codes of this series were drawn, or it was cancelled. Reload the page."))
    return locked


@transaction.atomic
def make_series(
    *, actor: User, at: datetime, series: LabelSeries, codes: Iterator[str] | None = None
) -> list[LabelReel]:
    """Draw and sign the codes of an ordered series and lay out its reels: all of it or nothing, one COPY.

    A label's place on its reel says nothing of its code. Raises NotAllowed, InvalidTransition, NoSigningKey.
    """
    _require_maker(actor, series)
    series = _take_series(series)
    reels = _lay_out_reels(actor, at, series, 1, series.reel_count, codes)
    _end_making(actor, at, series)
    return reels


@transaction.atomic
def start_making(*, actor: User, at: datetime, series: LabelSeries) -> Job:
    """Have the codes of a large series drawn in the background; again where that was cancelled or failed.

    Reels that were laid out stay, and the work goes on behind them. Raises NotAllowed, InvalidTransition.
    """
    _require_maker(actor, series)
    # The lock closes the race of two who draw the codes of one order.
    series = LabelSeries.objects.select_for_update(no_key=True, of=("self",)).select_related("job").get(pk=series.pk)
    if not can_be_made(series):
        raise InvalidTransition(_("The codes of this series were drawn, or it was cancelled. Reload the page."))
    job = start_job(actor=actor, at=at, kind=MAKE_KIND, params={"series": series.pk, "number": series.number})
    series.state, series.job = LabelSeries.State.MAKING, job
    series.save(update_fields=["state", "job"])
    _record_series("label_series.making", series, actor, at)
    return job


def can_be_made(series: LabelSeries) -> bool:
    """Whether its codes may be drawn now: ordered, or begun by work that ended before its end."""
    if series.state == LabelSeries.State.MAKING:
        return series.job is None or series.job.is_finished
    return series.state == LabelSeries.State.ORDERED


def run_making(job: Job, progress: Progress, *, clock: Callable[[], datetime]) -> dict[str, Any]:
    """Lay out what is not laid out yet, some reels at a time: each part is a transaction of as many queries as any.

    Safe to run again: what was committed is counted and not drawn twice. Raises NoSigningKey, JobCancelled. Must not
    be called inside a transaction.
    """
    series = LabelSeries.objects.get(pk=job.params["series"])
    done = 0
    while done < series.reel_count:
        progress(series.reels.count() * series.reel_size, series.count)
        done = _make_part(job, progress, series, at=clock())
    progress(series.count, series.count)
    return {"series": series.pk, "reels": series.reel_count}


@transaction.atomic
def _make_part(job: Job, progress: Progress, series: LabelSeries, *, at: datetime) -> int:
    """The next reels of a series; how many it has now."""
    progress.hold()
    # The lock closes the race with whoever begins the work anew.
    series = LabelSeries.objects.select_for_update(no_key=True, of=("self",)).get(pk=series.pk)
    if series.state == LabelSeries.State.MADE:
        return series.reel_count
    done = series.reels.count()
    last = min(done + max(MAKING_LABELS // series.reel_size, 1), series.reel_count)
    _lay_out_reels(job.owner, at, series, done + 1, last, None)
    if last == series.reel_count:
        _end_making(job.owner, at, series)
    return last


def _require_maker(actor: User, series: LabelSeries) -> None:
    if series.printer_id not in offices_of(actor):
        raise NotAllowed(_("This series is printed by another office."))


def _lay_out_reels(
    actor: User, at: datetime, series: LabelSeries, first: int, last: int, codes: Iterator[str] | None
) -> list[LabelReel]:
    """These reels with their labels and the movement that issues them: a fixed number of queries."""
    reels = LabelReel.objects.bulk_create(
        [
            LabelReel(series=series, reel=reel, number=f"{series.number}/{reel:03d}", size=series.reel_size)
            for reel in range(first, last + 1)
        ]
    )
    _issue_blanks([(reel.pk, place) for reel in reels for place in range(1, reel.size + 1)], at, codes)
    office = series.printer_id
    changes = [Change(reel.pk, LabelPlace.ISSUED, office, -reel.size) for reel in reels]
    changes += [Change(reel.pk, LabelPlace.TO_PRINT, office, reel.size) for reel in reels]
    move_labels(actor=actor, at=at, kind=LabelMovement.Kind.ISSUED, changes=changes, reference=series.number)
    return reels


def _end_making(actor: User, at: datetime, series: LabelSeries) -> None:
    series.state, series.ended_by, series.ended_at = LabelSeries.State.MADE, actor, at
    series.save(update_fields=["state", "ended_by", "ended_at"])
    _record_series("label_series.made", series, actor, at)


# Code, reel, place, signed bytes, signature.
_Blank = tuple[str, int, int, bytes, bytes]


def _issue_blanks(places: Sequence[tuple[int, int]], at: datetime, codes: Iterator[str] | None) -> None:
    key, private_key = signing_key_in_use()
    source = codes or new_codes()
    key_id = bytes.fromhex(key.pk)

    def draw(waiting: Sequence[tuple[int, int]]) -> list[_Blank]:
        codes = [next(source) for _place in waiting]
        bodies = [encode(Statement(key_id, code)) for code in codes]
        signatures = sign_bodies(bodies, private_key)
        # In the order of codes, so that two transactions that drew the same ones wait for each other and never both.
        return sorted(
            (code, reel, place, body, signature)
            for code, (reel, place), body, signature in zip(codes, waiting, bodies, signatures, strict=True)
        )

    drawn = draw(places)
    try:
        with transaction.atomic():
            _copy_blanks(drawn, key.pk, at)
    except IntegrityError:
        _insert_free(drawn, draw, places, key.pk, at)


def _copy_blanks(drawn: list[_Blank], key: str, at: datetime) -> None:
    statement = (
        "COPY marking_mark (code, reel_id, place_on_reel, state, generation, key_id, payload, signature, issued_at,"
        " end_reason) FROM STDIN"
    )
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for code, reel, place, body, signature in drawn:
            copy.write_row((code, reel, place, Mark.State.BLANK.value, 1, key, body, signature, at, ""))


def _insert_free(
    drawn: list[_Blank],
    draw: Callable[[Sequence[tuple[int, int]]], list[_Blank]],
    places: Sequence[tuple[int, int]],
    key: str,
    at: datetime,
) -> None:
    """Insert labels whose codes are free and draw again for the rest."""
    filled: set[tuple[int, int]] = set()
    while drawn:
        codes, reels, spots, bodies, signatures = (list(column) for column in zip(*drawn, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO marking_mark
                    (code, reel_id, place_on_reel, state, generation, key_id, payload, signature, issued_at, end_reason)
                SELECT code, reel, place, 'blank', 1, %s, payload, signature, %s, ''
                FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::bytea[], %s::bytea[])
                    AS new (code, reel, place, payload, signature)
                ORDER BY code
                ON CONFLICT (code) DO NOTHING
                RETURNING reel_id, place_on_reel
                """,
                [key, at, codes, reels, spots, bodies, signatures],
            )
            filled.update(cursor.fetchall())
        drawn = draw([one for one in places if one not in filled])


@transaction.atomic
def print_reel(*, actor: User, at: datetime, reel: LabelReel, order: LabelOrder) -> LabelRun:
    """Order the labels of a reel; the job that draws them starts after commit.

    Once: what came out spoiled is written off, and a new series takes its place. Raises NotAllowed, BadInput,
    ReelDrawnBefore, InvalidTransition, NoSigningKey.
    """
    if reel.series.printer_id not in offices_of(actor):
        raise NotAllowed(_("This series is printed by another office."))
    setting = settle_order(actor, order)
    (locked,) = lock_reels([reel.pk])
    held = blank_holding(reel.pk)
    if held is None or held.place != LabelPlace.TO_PRINT:
        raise InvalidTransition(_("This reel has been printed. Declare a torn label spoiled and use another one."))
    if was_drawn(LabelRun.objects.filter(reel=locked)):
        raise ReelDrawnBefore
    signing_key_in_use()
    run = LabelRun.objects.create(
        reel=locked,
        count=held.pieces,
        reason=order.reason.strip(),
        ordered_by=actor,
        ordered_at=at,
        job=start_job(actor=actor, at=at, kind=JOB_KIND, params={"intake": locked.number}),
        **setting.as_run(),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marking_labelrunmark (run_id, place, mark_id, generation)
            SELECT %s, row_number() OVER (ORDER BY place_on_reel), code, generation
            FROM marking_mark WHERE reel_id = %s AND state = 'blank'
            """,
            [run.pk, locked.pk],
        )
    record_reel("labels.ordered", locked, actor, at, run=run.pk, profile=setting.stock.key, count=run.count)
    return run


@transaction.atomic
def print_series(*, actor: User, at: datetime, series: LabelSeries, order: LabelOrder) -> list[LabelRun]:
    """Order the labels of the reels of a series that nobody has ordered yet: the first of them, all or none.

    Raises what `print_reel` raises; then nothing is ordered.
    """
    waiting = series.reels.filter(label_runs=None, holdings__place=LabelPlace.TO_PRINT, holdings__pieces__gt=0)
    reels = waiting.select_related("series").order_by("pk")[:REELS_AT_ONCE]
    return [print_reel(actor=actor, at=at, reel=reel, order=order) for reel in reels]


@transaction.atomic
def confirm_printed(*, actor: User, at: datetime, reel: LabelReel, device: str, spoiled: str = "") -> LabelMovement:
    """The operator says that the reel came out of a printer, and which labels came out spoiled: now it is stock.

    Raises NotAllowed, BadInput, NotPrintedYet, InvalidTransition.
    """
    if reel.series.printer_id not in offices_of(actor):
        raise NotAllowed(_("This series is printed by another office."))
    if not device.strip():
        raise BadInput(fields={"device": _("Name the printer.")})
    places = places_from(spoiled, reel, field="spoiled")
    (locked,) = lock_reels([reel.pk])
    held = blank_holding(reel.pk)
    if held is None or held.place != LabelPlace.TO_PRINT:
        raise InvalidTransition(_("This reel was declared printed before. Reload the page."))
    run = LabelRun.objects.filter(reel=locked, job__state=Job.State.DONE).first()
    if run is None:
        raise NotPrintedYet
    movement = move_labels(
        actor=actor,
        at=at,
        kind=LabelMovement.Kind.PRINTED,
        changes=[
            Change(locked.pk, LabelPlace.TO_PRINT, held.organisation_id, -held.pieces),
            Change(locked.pk, LabelPlace.OFFICE, held.organisation_id, held.pieces),
        ],
        reference=locked.number,
        run=run,
        device=device.strip()[:100],
    )
    record_reel("labels.out_of_printer", locked, actor, at, count=held.pieces, run=run.pk, device=movement.device)
    if places:
        reason = str(_("Came out of the printer spoiled"))
        write_off(actor=actor, at=at, reel=locked, places=places, kind=LabelMovement.Kind.SPOILED, reason=reason)
    return movement


def places_from(text: str, reel: LabelReel, *, field: str) -> list[int]:
    """The places that a person named, "17, 40-52". Raises BadInput."""
    try:
        return read_places(text, last=reel.size)
    except PlacesError as error:
        raise BadInput(
            fields={
                field: _("“%(text)s”: name places of this reel from 1 to %(last)d, such as 17, 40-52.")
                % {"text": error.text, "last": reel.size}
            }
        ) from error


@transaction.atomic
def write_off(
    *,
    actor: User,
    at: datetime,
    reel: LabelReel,
    places: Sequence[int],
    kind: LabelMovement.Kind,
    reason: str,
    photo: File | None = None,
) -> LabelMovement:
    """Blank labels of the person's office are spoiled, or lost: from now on their marks are refused wherever shown.

    A spoiled label can be reported lost too; a request in which one waits as the new mark of an item is refused. The
    photo is kept once nothing else is refused. Raises NotAllowed, BadInput, LabelsNotThere, UnusableFile.
    """
    wrong: Fields = {}
    if not is_reason(reason):
        wrong["reason"] = NO_REASON
    if not places:
        wrong["places"] = _("Name at least one label.")
    if wrong:
        raise BadInput(fields=wrong)
    (locked,) = lock_reels([reel.pk])
    wanted = sorted(set(places))
    found = dict(Mark.objects.filter(reel=locked, place_on_reel__in=wanted).values_list("code", "state"))
    states = Counter(found.values())
    may_be = {Mark.State.BLANK, Mark.State.SPOILED} if kind == LabelMovement.Kind.LOST else {Mark.State.BLANK}
    if len(found) != len(wanted) or not set(states) <= may_be:
        raise LabelsNotThere
    changes: list[Change] = []
    target = LabelPlace(kind.value)
    if states[Mark.State.BLANK]:
        held = blank_holding(locked.pk)
        if held is None or held.place != LabelPlace.OFFICE or held.organisation_id not in offices_of(actor):
            raise LabelsNotThere
        office = held.organisation_id
        changes.append(Change(locked.pk, LabelPlace.OFFICE, office, -states[Mark.State.BLANK]))
        changes.append(Change(locked.pk, target, office, states[Mark.State.BLANK]))
    if states[Mark.State.SPOILED]:
        kept = LabelHolding.objects.filter(
            reel=locked, place=LabelPlace.SPOILED, organisation__in=offices_of(actor), pieces__gte=1
        ).first()
        if kept is None or kept.pieces < states[Mark.State.SPOILED]:
            raise LabelsNotThere
        office = kept.organisation_id
        changes.append(Change(locked.pk, LabelPlace.SPOILED, office, -states[Mark.State.SPOILED]))
        changes.append(Change(locked.pk, target, office, states[Mark.State.SPOILED]))
    kept_photo = None
    if photo is not None:
        kept_photo = keep_document(
            actor=actor, at=at, kind=Document.Kind.PHOTO, name=str(photo.name or "labels.jpg"), content=photo
        )
    movement = move_labels(
        actor=actor, at=at, kind=kind, changes=changes, reference=locked.number, reason=reason.strip()[:200]
    )
    end_labels(list(found), Mark.State(kind.value))
    _refuse_waiting(actor, at, list(found), office, reason.strip()[:200])
    LabelReport.objects.bulk_create(
        [
            LabelReport(
                mark_id=code,
                kind=target,
                reason=reason.strip()[:200],
                office_id=office,
                photo=kept_photo,
                reported_by=actor,
                reported_at=at,
            )
            for code in sorted(found)
        ]
    )
    verb = "labels.lost" if kind == LabelMovement.Kind.LOST else "labels.spoiled"
    record_reel(verb, locked, actor, at, count=len(found), reason=movement.reason, organisation=office)
    if kind == LabelMovement.Kind.LOST:
        raise_notice(
            at=at,
            kind=Notice.Kind.ALERT,
            code="labels.lost",
            organisation=Organisation.objects.get(pk=office),
            subject=("label_reel", locked.pk),
            actor=actor,
            reel=locked.number,
            count=len(found),
            reason=movement.reason,
        )
    return movement


def _refuse_waiting(actor: User, at: datetime, codes: Sequence[str], office: int, reason: str) -> None:
    """A spoiled or lost label takes no mark's place: requests that wait for just that are refused for the same reason.

    Their reels are locked, so nobody asks for one of these meanwhile.
    """
    waiting = MarkRequest.objects.filter(state=MarkRequest.State.ASKED, blank__in=codes).order_by("pk")
    for asked in waiting.select_for_update(no_key=True, of=("self",)):
        asked.state, asked.decided_by, asked.decided_at = MarkRequest.State.REFUSED, actor, at
        asked.refusal = reason
        asked.save(update_fields=["state", "decided_by", "decided_at", "refusal"])
        record(
            "mark.request_refused",
            actor=actor,
            at=at,
            subject=("mark", str(asked.mark_id)),
            subject_name=group(str(asked.mark_id)),
            organisation_id=office,
            request=asked.pk,
            reason=reason,
        )
        settle_notices(
            actor=actor,
            at=at,
            subject=("mark_request", asked.pk),
            decision=asked.get_state_display(),
            reason=reason,
        )


def end_labels(codes: Sequence[str], state: Mark.State) -> None:
    """Put marks of labels into another state, in the order of codes; the movement is the caller's."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE marking_mark SET state = %s WHERE code = ANY(%s)", [state.value, sorted(codes)])


def _record_series(verb: str, series: LabelSeries, actor: User, at: datetime) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("label_series", series.pk),
        subject_name=series.number,
        organisation_id=series.office_id,
        count=series.count,
        reels=series.reel_count,
        reason=series.purpose,
    )


def record_reel(
    verb: str, reel: LabelReel, actor: User, at: datetime, *, organisation: int | None = None, **facts: object
) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("label_reel", reel.pk),
        subject_name=reel.number,
        organisation_id=organisation or reel.series.printer_id,
        **facts,
    )


@transaction.atomic
def tell_what_differs(*, at: datetime) -> int:
    """Raise an alert for every reel whose ledger and marks differ, once while it is open; how many differ."""
    differing = reels_that_differ()
    for row in differing:
        told = Notice.objects.open().filter(
            code="labels.do_not_add_up", subject_kind="label_reel", subject_id=str(row.reel.pk)
        )
        if not told.exists():
            raise_notice(
                at=at,
                kind=Notice.Kind.ALERT,
                code="labels.do_not_add_up",
                organisation=row.holder.organisation if row.holder else row.reel.series.office,
                subject=("label_reel", row.reel.pk),
                reel=row.reel.number,
                ledger=row.balance.remaining,
                marks=row.balance.remaining_by_marks,
            )
    return len(differing)
