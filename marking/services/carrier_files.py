"""Tables of marks and what their items carry: read whole and checked before anything is written; by a job."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, NotAllowed
from core.documents.models import Document
from core.documents.services import keep_document
from core.jobs.models import Job
from core.jobs.services import Progress, start_job
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.notices.texts import say as say_notice
from marking.carrier_table import MARK, Row, TableRefused, read_table
from marking.carrier_words import fault_in_words
from marking.codes import CodeError, parse
from marking.models import Carrier, Mark
from marking.selectors import without_address
from marking.services.carriers import Raw, bind_many, mismatch_of, read_carrier, standing_of
from marking.state_code import GS, SHOWN_GS, CarrierError

JOB_CHECK, JOB_BIND = "marking.check_carriers", "marking.bind_carriers"
MOST_SHOWN = 500
AT_ONCE = 5_000

REFUSALS: dict[str, StrOrPromise] = {
    "empty": gettext_lazy("The file is empty."),
    "too_large": gettext_lazy("The file is too large."),
    "old_excel": gettext_lazy("This is a file of an old Excel. Save it as XLSX."),
    "too_many_rows": gettext_lazy("The file has more than 100,000 rows. Divide it."),
    "no_rows": gettext_lazy("Under the names of the columns stands nothing."),
    "column_twice": gettext_lazy("One column stands there twice."),
    "no_column": gettext_lazy(
        "The first row must name the columns: mark, and one or more of: state code, seal, RFID TID."
    ),
    "encoding": gettext_lazy("The letters of this file cannot be read. Save it as UTF-8 or XLSX."),
    "broken": gettext_lazy("The file is damaged."),
}


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why one row is not taken: its line, the column, what stands there, the reason."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Checked:
    """What a file says: pairs to bind, how many are bound already, what is wrong, how many contradict the registry."""

    pairs: list[tuple[Mark, Raw]]
    bound: int
    faults: list[RowFault]
    contradictions: int


def keep_and_check(*, actor: User, at: datetime, name: str, content: bytes, separator: str) -> Job:
    """Keep the file and have it read in the background; nothing is bound. Raises NotAllowed, UnusableFile."""
    if not actor.can(Can.PRINT_LABELS):
        raise NotAllowed
    with transaction.atomic():
        document = keep_document(
            actor=actor, at=at, kind=Document.Kind.SHEET, name=name, content=content, media_type="text/csv"
        )
        params = {"document": str(document.pk), "name": document.name, "separator": separator}
        return start_job(actor=actor, at=at, kind=JOB_CHECK, params=params)


def start_binding(*, actor: User, at: datetime, checked: Job) -> Job:
    """Bind everything of a file that was read and found right. Raises BadInput."""
    result = checked.result or {}
    if checked.kind != JOB_CHECK or checked.owner_id != actor.pk or result.get("faults") or not result.get("pairs"):
        raise BadInput(_("This file cannot be bound as it is."))
    return start_job(actor=actor, at=at, kind=JOB_BIND, params=checked.params)


def run_checking(job: Job, progress: Progress) -> dict[str, Any]:
    checked = _read(job, progress)
    if isinstance(checked, str):
        return {"refused": checked}
    if checked.contradictions:
        _alarm(job, checked)
    return {
        "pairs": len(checked.pairs),
        "bound": checked.bound,
        "faults": len(checked.faults),
        "rows": [[one.line, one.column, one.value, one.reason] for one in checked.faults[:MOST_SHOWN]],
    }


def run_binding(job: Job, progress: Progress) -> dict[str, Any]:
    """All of it or nothing; a repeat finds it done."""
    checked = _read(job, progress)
    if isinstance(checked, str):
        raise DomainError(checked)
    if checked.faults:
        raise DomainError(_("The registry has changed since. Have the file read again: nothing was bound."))
    return {"count": bind_many(actor=job.owner, at=timezone.now(), pairs=checked.pairs), "bound": checked.bound}


def _read(job: Job, progress: Progress) -> Checked | str:
    document = Document.objects.get(pk=job.params["document"], uploaded_by=job.owner)
    try:
        with document.file.open("rb") as file:
            rows = read_table(file.read())
    except TableRefused as refusal:
        return str(REFUSALS[refusal.code])
    progress(0, len(rows))
    checked = check_rows(rows, actor=job.owner, at=timezone.now(), separator=job.params["separator"], tell=progress)
    progress(len(rows), len(rows))
    return checked


def check_rows(
    rows: Sequence[Row], *, actor: User, at: datetime, separator: str = "", tell: Any = lambda _done, _of: None
) -> Checked:
    """Every row against the rest of the file and against the registry; writes nothing. Seven queries for 5,000 rows."""
    checked = Checked([], 0, [], 0)
    seen: dict[tuple[str, str], int] = {}
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        marks = _marks_of(part, actor)
        read = [(row, marks.get(row.line), list(_carriers_of(row, separator, checked))) for row in part]
        items = [mark.item for _row, mark, _found in read if mark]
        standing = standing_of([raw for _row, _mark, found in read for _key, raw in found], items, on=day_of(at))
        for row, mark, found in read:
            if mark is None:
                checked.faults.append(
                    _fault(row, MARK, _("No item of yours has this mark in force. Compare it with the label."))
                )
                continue
            if not found and not any(fault.line == row.line for fault in checked.faults[-4:]):
                checked.faults.append(_fault(row, MARK, _("Beside the mark stands nothing to bind.")))
            for key, raw in found:
                if (earlier := _twice(seen, row.line, mark, raw)) is not None:
                    reason = _("Row %(row)s says otherwise of the same.") % {"row": earlier}
                    checked.faults.append(_fault(row, key, reason))
                elif wrong := mismatch_of(mark.item, raw, standing):
                    checked.contradictions += 1
                    checked.faults.append(_fault(row, key, say_notice(wrong.code, wrong.params)))
                elif (mark.item.pk, raw.kind) in standing.by_item:
                    checked.bound += 1
                else:
                    checked.pairs.append((mark, raw))
        tell(start + len(part), len(rows))
    checked.faults.sort(key=lambda fault: fault.line)
    return checked


def _marks_of(rows: Iterable[Row], actor: User) -> dict[int, Mark]:
    codes: dict[int, str] = {}
    numbers: dict[int, str] = {}
    for row in rows:
        text = row.cells[MARK].strip()
        try:
            codes[row.line] = parse(without_address(text, (settings.PUBLIC_HOST,)) or "")
        except CodeError:
            numbers[row.line] = text.upper()
    known = Mark.objects.active().visible_to(actor).select_related("derivative")
    by_code = {mark.pk: mark for mark in known.filter(pk__in=set(codes.values()))}
    by_number = {mark.item.number: mark for mark in known.filter(derivative__number__in=set(numbers.values()))}
    found = {line: by_code[code] for line, code in codes.items() if code in by_code}
    return found | {line: by_number[number] for line, number in numbers.items() if number in by_number}


def _carriers_of(row: Row, separator: str, checked: Checked) -> Iterable[tuple[str, Raw]]:
    for key, text in row.cells.items():
        if key == MARK or not text.strip():
            continue
        try:
            yield key, read_carrier(key, text, separator=separator)
        except CarrierError as error:
            checked.faults.append(_fault(row, key, str(fault_in_words(error))))


def _twice(seen: dict[tuple[str, str], int], line: int, mark: Mark, raw: Raw) -> int | None:
    """The row that named this carrier, or another one of this kind for the same item; remembers this row."""
    keys = ((f"carrier {raw.kind}", raw.name), (f"item {raw.kind}", mark.pk))
    earlier = next((seen[key] for key in keys if key in seen), None)
    for key in keys:
        seen.setdefault(key, line)
    return earlier


def _fault(row: Row, column: str, reason: str) -> RowFault:
    label = str(_("Mark")) if column == MARK else str(Carrier.Kind(column).label)
    return RowFault(row.line, label, row.cells.get(column, "")[:120].replace(GS, SHOWN_GS), reason)


@transaction.atomic
def _alarm(job: Job, checked: Checked) -> None:
    """One alarm for a file, however many of its rows contradict what is bound; told once, also when read twice."""
    office = Organisation.objects.filter(pk__in=job.owner.organisation_ids(Can.PRINT_LABELS)).order_by("pk").first()
    document = job.params["document"]
    told = Notice.objects.filter(code="carrier.file_contradicts", subject_kind="document", subject_id=document)
    if office is None or told.exists():
        return
    raise_notice(
        actor=job.owner,
        at=timezone.now(),
        kind=Notice.Kind.ALERT,
        code="carrier.file_contradicts",
        organisation=office,
        subject=("document", document),
        file=job.params["name"],
        count=checked.contradictions,
    )
