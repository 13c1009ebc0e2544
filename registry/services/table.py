"""Writing the weighing table of an open intake. Set-based: a change of ten thousand rows is a handful of statements."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from django.core.files.base import File
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput, DomainError
from core.documents.models import Document
from core.documents.services import keep_document
from registry.fields import FIELDS, MAX_ROWS, Field, Kind, foreign_columns
from registry.measures import ROW_COLUMNS, TableRow, contradictions
from registry.models import Intake, IntakeRow, IntakeSheet, RowPhoto
from registry.services.locking import lock_open_intake
from registry.wording import PROBLEMS, words_of_problem

MOST_ROWS = MAX_ROWS
MOST_PHOTOS = 12  # of one row
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
    _refuse_wrong(intake.term, rows)
    numbers = [row.row for row in rows]
    leaving = intake.rows.exclude(row__in=numbers) if whole else intake.rows.filter(row__in=removed)
    told = [f"{row}: {mass_g} g → –" for row, mass_g in leaving.values_list("row", "mass_g")]
    if told:
        RowPhoto.objects.filter(intake=intake, row__in=leaving.values("row")).delete()
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
    numbered = _numbered_on(rows, last)
    _refuse_wrong(intake.term, numbered)
    if intake.rows.count() + len(numbered) > MOST_ROWS:
        raise BadInput(_("One reception holds at most %(most)s rows.") % {"most": MOST_ROWS})
    _append(intake, numbered)
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
def attach_photo(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    row: int,
    name: str,
    content: bytes | File,
    has_scale_bar: bool = False,
) -> Document:
    """Keep a photo of what lies in a saved row, beside those it has. `has_scale_bar`: a measure lies in the picture.

    Raises NotAllowed, InvalidTransition, BadInput (the row is not saved yet, it has enough, or the file is no photo).
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    if not intake.rows.filter(row=row).exists():
        raise BadInput(fields={f"rows.{row}.photo": _("Save the row before its photo.")})
    if RowPhoto.objects.filter(intake=intake, row=row).count() >= MOST_PHOTOS:
        raise BadInput(fields={f"rows.{row}.photo": _("A row has at most %(most)d photos.") % {"most": MOST_PHOTOS}})
    photo = keep_document(actor=actor, at=at, kind=Document.Kind.PHOTO, name=name, content=content)
    RowPhoto.objects.create(intake=intake, row=row, document=photo, has_scale_bar=has_scale_bar)
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


@transaction.atomic
def change_photo(
    *, actor: User, at: datetime, intake: Intake, document: Document, has_scale_bar: bool, removed: bool = False
) -> None:
    """Say whether a measure lies in a picture, or take the picture off its row; the file itself is kept.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    photo = RowPhoto.objects.filter(intake=intake, document=document).first()
    if photo is None:
        raise BadInput(_("This photo is on no row of the table."))
    if removed:
        photo.delete()
    elif photo.has_scale_bar == has_scale_bar:
        return
    else:
        photo.has_scale_bar = has_scale_bar
        photo.save(update_fields=["has_scale_bar"])
    record(
        "intake.photo_removed" if removed else "intake.photo_described",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        note=f"№ {photo.row}",
        document=str(document.pk),
        sha256=document.sha256,
    )


def _numbered_on(rows: Sequence[TableRow], last: int) -> list[TableRow]:
    """The rows numbered from `last` on, in their order; rows that name each other keep doing so."""
    if last == 0 and all(row.row == place for place, row in enumerate(rows, start=1)):
        return list(rows)
    new = {str(row.row): str(place) for place, row in enumerate(rows, start=last + 1)}
    columns = attrgetter(*ROW_COLUMNS)
    pair = ROW_COLUMNS.index("pair")
    numbered = []
    for place, row in enumerate(rows, start=last + 1):
        values = columns(row)
        if named := values[pair]:
            values = (*values[:pair], new.get(named, named), *values[pair + 1 :])
        numbered.append(TableRow(place, *values))
    return numbered


def _refuse_wrong(term: str, rows: Sequence[TableRow]) -> None:
    """Say which cells cannot be kept, all at once."""
    wrong: dict[str, StrOrPromise] = {}
    seen: set[int] = set()
    checks = [(field, attrgetter(field.column)) for field in FIELDS[term]]
    foreign = foreign_columns(term)
    plain = attrgetter(*foreign) if foreign else None
    nothing = plain(TableRow(0)) if plain else ()
    for line in rows:
        if not 1 <= line.row <= 10 * MOST_ROWS:
            wrong[f"rows.{line.row}.row"] = _("Rows are numbered from 1.")
        if line.row in seen:
            wrong[f"rows.{line.row}.row"] = _("This number is used twice.")
        seen.add(line.row)
        for field, value_of in checks:
            if problem := _fault(field, value_of(line)):
                wrong[f"rows.{line.row}.{field.column}"] = words_of_problem(problem, field.key, term)
        if plain and plain(line) != nothing:
            for column in foreign:
                if getattr(line, column) != getattr(TableRow(0), column):
                    wrong[f"rows.{line.row}.{column}"] = _("This kind of derivative has no such field.")
        if line.straight_mm or line.gross_g or line.use_by:
            for key, code in contradictions(line):
                column = next(field.column for field in FIELDS[term] if field.key == key)
                wrong[f"rows.{line.row}.{column}"] = PROBLEMS[code]
    wrong |= _own_pairs(rows)
    if wrong:
        raise BadInput(fields=wrong)


def _own_pairs(rows: Sequence[TableRow]) -> dict[str, StrOrPromise]:
    """Rows that name themselves; whether another row fits is known when all of them are there."""
    return {
        f"rows.{line.row}.pair": PROBLEMS["pair_itself"]
        for line in rows
        if line.pair and line.pair.isdecimal() and int(line.pair) == line.row
    }


def _fault(field: Field, value: Any) -> str:
    """The code of what is wrong with a value; empty for a good one."""
    if value is None or value == "":
        return f"{field.kind.value}_missing" if field.required else ""
    if field.kind in (Kind.MASS, Kind.LENGTH, Kind.COUNT):
        least = 0 if field.kind == Kind.COUNT and not field.required else 1
        good = isinstance(value, int) and least <= value <= field.most
        return "" if good else f"{field.kind.value}_out_of_range"
    if field.kind == Kind.CHOICE:
        return "" if value in (field.choices or {}) else f"{field.kind.value}_not_known"
    if field.kind == Kind.DAY:
        return "" if isinstance(value, date) else "day_not_date"
    if field.kind == Kind.TEXT:
        if len(value) > field.most:
            return "text_too_long"
        return "text_not_text" if "\x00" in value else ""
    is_pair = value.isdecimal() or (value.startswith("KZ") and len(value) <= 16 and value.isprintable())
    return "" if is_pair else "pair_not_known"


def _corrections(intake: Intake, rows: Sequence[TableRow]) -> list[str]:
    """Saved rows whose mass or side is about to change, in words of the journal."""
    new = {line.row: line for line in rows}
    saved = intake.rows.filter(row__in=list(new)).values_list("row", "side", "mass_g")
    return [
        f"{row}: {side} {mass_g} g → {new[row].side} {new[row].mass_g} g"
        for row, side, mass_g in saved
        if (side, mass_g) != (new[row].side, new[row].mass_g)
    ]


_TYPES = {
    field.name: {
        "PositiveIntegerField": "int",
        "DateField": "date",
    }.get(field.get_internal_type(), "text")
    for field in IntakeRow._meta.concrete_fields
}
_COLUMNS = ", ".join(f'"{column}"' for column in ROW_COLUMNS)


def _write(intake: Intake, rows: Sequence[TableRow]) -> None:
    """One statement, whatever the count."""
    if not rows:
        return
    arrays = ", ".join(f"%s::{_TYPES[column]}[]" for column in ("row", *ROW_COLUMNS))
    changes = ", ".join(f'"{column}" = excluded."{column}"' for column in ROW_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO registry_intakerow (intake_id, "row", {_COLUMNS})
            SELECT %s, r."row", {", ".join(f'r."{column}"' for column in ROW_COLUMNS)}
            FROM unnest({arrays}) AS r ("row", {_COLUMNS})
            ON CONFLICT (intake_id, row) DO UPDATE SET {changes}
            """,  # noqa: S608  names of our own columns
            [intake.pk, *([getattr(line, column) for line in rows] for column in ("row", *ROW_COLUMNS))],
        )


def _append(intake: Intake, rows: Sequence[TableRow]) -> None:
    """New rows by one COPY: the trigger that guards the table sees the whole set at once."""
    values = attrgetter("row", *ROW_COLUMNS)
    statement = f'COPY registry_intakerow (intake_id, "row", {_COLUMNS}) FROM STDIN'
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in rows:
            copy.write_row((intake.pk, *values(line)))
