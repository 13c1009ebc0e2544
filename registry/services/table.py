"""Writing the weighing table of an open intake. Set-based: a change of ten thousand rows is a handful of statements."""

from collections.abc import Sequence
from datetime import datetime

from django.core.files.base import File
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput, DomainError
from core.documents.models import Document
from core.documents.services import keep_document
from registry.measures import MAX_LENGTH_MM, MAX_MASS_G, MAX_NOTE, TableRow
from registry.models import Condition, Intake, IntakeSheet, Side
from registry.services.locking import lock_open_intake

MOST_ROWS = 100_000
MOST_TOLD = 20  # corrections that one event of the journal names


class TableChanged(DomainError):
    """The weighing table is not the one the person saw: somebody else has changed it meanwhile."""

    code = "table-changed"
    message = _("Somebody else changed this table meanwhile. Look at it again.")


class SheetAdded(DomainError):
    """The rows of this file are on a table already: the button was pressed twice."""

    code = "sheet-added"
    message = _("The rows of this file were added already.")


@transaction.atomic
def save_rows(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    version: int,
    rows: Sequence[TableRow],
    removed: Sequence[int] = (),
    whole: bool = False,
) -> Intake:
    """Write rows by number, new or changed, and take rows out. With `whole`, rows that are not given go out too.

    `version` is the table the person saw; a newer one is refused by TableChanged and nothing is written. A photo stays
    with its row. The journal tells what was corrected or taken out after it had been saved; new rows it tells at
    registration. Raises NotAllowed, InvalidTransition, and BadInput with fields named "rows.<number>.<column>".
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    if intake.version != version:
        raise TableChanged
    _refuse_wrong(rows)
    numbers = [row.row for row in rows]
    leaving = intake.rows.exclude(row__in=numbers) if whole else intake.rows.filter(row__in=removed)
    told = [f"{row}: {mass_g} g → –" for row, mass_g in leaving.values_list("row", "mass_g")]
    if told:
        leaving.delete()
    told += _corrections(intake, rows)
    _write(intake, rows)
    if intake.rows.count() > MOST_ROWS:
        raise BadInput(_("One reception holds at most %(most)s rows.") % {"most": MOST_ROWS})
    intake.version += 1
    intake.save(update_fields=["version"])
    if told:
        record(
            "intake.rows_corrected",
            actor=actor,
            at=at,
            subject=("intake", intake.pk),
            subject_name=intake.number,
            organisation_id=intake.store.custodian_id,
            number=intake.number,
            rows=len(told),
            note=told[:MOST_TOLD],
        )
    return intake


@transaction.atomic
def add_sheet_rows(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    document: Document,
    rows: Sequence[TableRow],
    rows_refused: int = 0,
) -> Intake:
    """Append the rows of a table file below those on the table, numbered on from the last; the file stays with it.

    The rows' own numbers give their order only; what others add to the table meanwhile is not touched.
    Raises SheetAdded, NotAllowed, InvalidTransition, BadInput.
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    if IntakeSheet.objects.filter(document=document).exists():
        raise SheetAdded
    if not rows:
        raise BadInput(_("There is no row to add."))
    last = intake.rows.order_by("-row").values_list("row", flat=True).first() or 0
    numbered = [
        TableRow(last + place, row.side, row.mass_g, row.length_mm, row.condition, row.note)
        for place, row in enumerate(rows, start=1)
    ]
    _refuse_wrong(numbered)
    if intake.rows.count() + len(numbered) > MOST_ROWS:
        raise BadInput(_("One reception holds at most %(most)s rows.") % {"most": MOST_ROWS})
    _write(intake, numbered)
    IntakeSheet.objects.create(
        intake=intake,
        document=document,
        rows_added=len(numbered),
        rows_refused=rows_refused,
        added_by=actor,
        added_at=at,
    )
    intake.version += 1
    intake.save(update_fields=["version"])
    record(
        "intake.sheet_added",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        pieces=len(numbered),
        grams=sum(row.mass_g for row in numbered),
        refused=rows_refused,
        document=str(document.pk),
        sha256=document.sha256,
    )
    return intake


@transaction.atomic
def attach_photo(*, actor: User, at: datetime, intake: Intake, row: int, name: str, content: bytes | File) -> Document:
    """Keep a photo of the horn in a saved row; it takes the place of the row's former photo, which is kept too.

    Raises NotAllowed, InvalidTransition, BadInput (the row is not saved yet, or the file is no photo).
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    line = intake.rows.filter(row=row).first()
    if line is None:
        raise BadInput(fields={f"rows.{row}.photo": _("Save the row before its photo.")})
    photo = keep_document(actor=actor, at=at, kind=Document.Kind.PHOTO, name=name, content=content)
    line.photo = photo
    line.save(update_fields=["photo"])
    record(
        "intake.photo_added",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        note=f"№ {row}",
        document=str(photo.pk),
        sha256=photo.sha256,
    )
    return photo


def _refuse_wrong(rows: Sequence[TableRow]) -> None:
    """Say which cells cannot be kept, all at once."""
    wrong: dict[str, StrOrPromise] = {}
    seen: set[int] = set()
    for line in rows:
        for column, problem in _wrong_cells(line):
            wrong[f"rows.{line.row}.{column}"] = problem
        if line.row in seen:
            wrong[f"rows.{line.row}.row"] = _("This number is used twice.")
        seen.add(line.row)
    if wrong:
        raise BadInput(fields=wrong)


def _wrong_cells(line: TableRow) -> list[tuple[str, StrOrPromise]]:
    wrong: list[tuple[str, StrOrPromise]] = []
    if not 1 <= line.row <= 10 * MOST_ROWS:
        wrong.append(("row", _("Rows are numbered from 1.")))
    if line.side not in Side.values:
        wrong.append(("side", _("Choose left, right or unknown.")))
    if not 1 <= line.mass_g <= MAX_MASS_G:
        wrong.append(("mass_g", _("Enter the mass in grams, from 1 to %(most)d.") % {"most": MAX_MASS_G}))
    if line.length_mm is not None and not 1 <= line.length_mm <= MAX_LENGTH_MM:
        wrong.append(("length_mm", _("Enter the length in millimetres, from 1 to %(most)d.") % {"most": MAX_LENGTH_MM}))
    if line.condition not in Condition.values:
        wrong.append(("condition", _("Choose one of the conditions.")))
    if len(line.note) > MAX_NOTE or "\x00" in line.note:
        wrong.append(("note", _("A note has at most %(most)d characters.") % {"most": MAX_NOTE}))
    return wrong


def _corrections(intake: Intake, rows: Sequence[TableRow]) -> list[str]:
    """Saved rows whose mass or side is about to change, in words of the journal."""
    new = {line.row: line for line in rows}
    saved = intake.rows.filter(row__in=list(new)).values_list("row", "side", "mass_g")
    return [
        f"{row}: {side} {mass_g} g → {new[row].side} {new[row].mass_g} g"
        for row, side, mass_g in saved
        if (side, mass_g) != (new[row].side, new[row].mass_g)
    ]


def _write(intake: Intake, rows: Sequence[TableRow]) -> None:
    """One statement, whatever the count."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO registry_intakerow (intake_id, row, side, mass_g, length_mm, condition, note)
            SELECT %s, r.row, r.side, r.mass_g, r.length_mm, r.condition, r.note
            FROM unnest(%s::int[], %s::text[], %s::int[], %s::int[], %s::text[], %s::text[])
                AS r (row, side, mass_g, length_mm, condition, note)
            ON CONFLICT (intake_id, row) DO UPDATE SET side = excluded.side, mass_g = excluded.mass_g,
                length_mm = excluded.length_mm, condition = excluded.condition, note = excluded.note
            """,
            [
                intake.pk,
                [line.row for line in rows],
                [line.side for line in rows],
                [line.mass_g for line in rows],
                [line.length_mm for line in rows],
                [line.condition for line in rows],
                [line.note for line in rows],
            ],
        )
