"""Weighing tables from files: CSV (RFC 4180 and its cousins) and XLSX, bytes to rows or to reasons. Knows no Django.

The first line that is not empty names the columns, in Kazakh, Russian or English, in any order; only the mass must be
there. Nothing is guessed silently: a row that cannot be read whole is a problem with its line, column and reason.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from registry.measures import (
    TableRow,
    Unreadable,
    read_condition,
    read_length,
    read_mass,
    read_note,
    read_side,
)

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 400 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 60
DELIMITERS = (";", ",", "\t")
ENCODINGS = ("utf-8-sig", "cp1251", "kz1048")
COLUMNS = ("side", "mass", "length", "condition", "note")

_NAMES: dict[str, tuple[str, ...]] = {
    "side": ("side", "horn side", "жағы", "жақ", "мүйіз жағы", "сторона", "рог"),
    "mass": ("mass", "weight", "массасы", "масса", "салмағы", "салмақ", "вес"),
    "length": (
        "length",
        "outer length",
        "ұзындығы",
        "ұзындық",
        "сыртқы ұзындығы",
        "длина",
        "наружная длина",
        "длина наружная",
        "длина по наружной стороне",
    ),
    "condition": ("condition", "күйі", "жай күйі", "жағдайы", "состояние"),
    "note": ("note", "notes", "remark", "comment", "ескерту", "ескертпе", "примечание", "комментарий"),
    "": ("no", "n", "row", "number", "nr", "р с", "қатар", "п п", "строка", "номер"),
}
_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names}
_UNITS = frozenset({"g", "gram", "grams", "kg", "mm", "cm", "г", "гр", "кг", "мм", "см"})
_KILOGRAMS = frozenset({"kg", "кг"})
_CENTIMETRES = frozenset({"cm", "см"})
_TOTALS = frozenset({"total", "sum", "барлығы", "жиыны", "итого", "всего"})
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"


class FileRefused(ValueError):
    """The file cannot be read as a table at all; `code` is one of the keys of `registry.wording.REFUSALS`."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code, self.detail = code, detail
        super().__init__(f"{code} {detail}".strip())


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one line is not taken: the line as the spreadsheet numbers it, the column, the reason, what stood there."""

    line: int
    column: str
    code: str
    value: str = ""


@dataclass(slots=True)
class Sheet:
    """What a file says. A row's number is its line; every line with a problem has no row."""

    rows: list[TableRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)

    @property
    def bad_lines(self) -> list[int]:
        """Lines that are not taken, each once, in order."""
        return sorted({problem.line for problem in self.problems})


@dataclass(frozen=True, slots=True)
class _Text:
    """A cell as text; `problem` says why it has none that may be used."""

    text: str = ""
    problem: str = ""


EMPTY = _Text()
_Line = tuple[int, list[_Text]]


def read_sheet(content: bytes) -> Sheet:
    """All rows and all problems of a table file. Raises FileRefused when it is no table that can be read."""
    if not content.strip():
        raise FileRefused("empty")
    if len(content) > MAX_BYTES:
        raise FileRefused("too_large")
    if content.startswith(_OLD_EXCEL):
        raise FileRefused("old_excel")
    if content.startswith(_ZIP):
        return _read_lines(_xlsx_lines(content))
    return _read_csv(content)


# --- columns --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Header:
    """Where each column stands, in which unit, and which are not ours."""

    places: dict[str, int]
    in_kilograms: bool
    in_centimetres: bool
    ignored: list[str]
    width: int


def _read_header(cells: Sequence[_Text]) -> _Header:
    places: dict[str, int] = {}
    units: dict[str, frozenset[str]] = {}
    ignored: list[str] = []
    width = 0
    for place, cell in enumerate(cells):
        words = re.findall(r"[^\W_]+", cell.text.casefold())
        if not cell.text.strip():
            continue
        width = place + 1
        column = _COLUMN_OF.get(" ".join(word for word in words if word not in _UNITS))
        if column is None:
            if words:
                ignored.append(cell.text.strip()[:60])
        elif column:
            if column in places:
                raise FileRefused("column_twice", cell.text.strip()[:60])
            places[column] = place
            units[column] = frozenset(words) & _UNITS
    return _Header(
        places=places,
        in_kilograms=bool(units.get("mass", frozenset()) & _KILOGRAMS),
        in_centimetres=bool(units.get("length", frozenset()) & _CENTIMETRES),
        ignored=ignored,
        width=width,
    )


# --- rows -----------------------------------------------------------------------------------------------------


def _read_lines(lines: Iterable[_Line]) -> Sheet:
    """Rows and problems of numbered lines, the first of which that is not empty is the header."""
    sheet = Sheet()
    header: _Header | None = None
    taken = 0
    for number, cells in lines:
        if not any(cell.text.strip() or cell.problem for cell in cells):
            continue
        if header is None:
            header = _read_header(cells)
            if "mass" not in header.places:
                raise FileRefused("no_mass_column")
            sheet.ignored_columns = header.ignored
            continue
        row, problems = _read_line(number, cells, header)
        if row is None and not problems:
            continue
        taken += 1
        if taken > MAX_ROWS:
            raise FileRefused("too_many_rows")
        if problems:
            sheet.problems.extend(problems)
        elif row is not None:
            sheet.rows.append(row)
    if header is None:
        raise FileRefused("empty")
    if not taken:
        raise FileRefused("no_rows")
    return sheet


def _read_line(number: int, cells: Sequence[_Text], header: _Header) -> tuple[TableRow | None, list[Problem]]:
    """One line: its row, or everything that is wrong with it, or neither when nothing is written in our columns."""
    ours = {column: cells[place] if place < len(cells) else EMPTY for column, place in header.places.items()}
    if any(" ".join(cell.text.casefold().split()).rstrip(":") in _TOTALS for cell in cells):
        return None, [Problem(number, "", "total_row")]
    beyond = [cell for cell in cells[header.width :] if cell.text.strip()]
    if not any(cell.text.strip() or cell.problem for cell in ours.values()) and not beyond:
        return None, []
    problems = [Problem(number, name, c.problem, c.text[:60]) for name, c in ours.items() if c.problem]
    if beyond:
        problems.append(Problem(number, "", "too_many_cells", beyond[0].text.strip()[:60]))
    values: dict[str, str | int | None] = {}
    for column in COLUMNS:
        cell = ours.get(column, EMPTY)
        if cell.problem:
            continue
        try:
            values[column] = _read_cell(column, cell.text, header)
        except Unreadable as reason:
            problems.append(Problem(number, column, reason.code, cell.text.strip()[:60]))
    if problems:
        return None, problems
    return (
        TableRow(
            row=number,
            side=str(values["side"]),
            mass_g=int(values["mass"] or 0),
            length_mm=None if values["length"] is None else int(values["length"]),
            condition=str(values["condition"]),
            note=str(values["note"]),
        ),
        [],
    )


def _read_cell(column: str, text: str, header: _Header) -> str | int | None:
    if column == "side":
        return read_side(text)
    if column == "mass":
        return read_mass(text, in_kilograms=header.in_kilograms)
    if column == "length":
        return read_length(text, in_centimetres=header.in_centimetres)
    if column == "condition":
        return read_condition(text)
    return read_note(text)


# --- CSV ------------------------------------------------------------------------------------------------------


def _read_csv(content: bytes) -> Sheet:
    """The first encoding and delimiter under which the header makes sense."""
    texts = _decoded(content)
    if not texts:
        raise FileRefused("not_a_table")
    for text in texts:
        delimiter = _delimiter(text)
        if delimiter:
            return _read_lines(_csv_lines(text, delimiter))
    # No header was understood: the refusal comes from reading it, so that it says what is missing.
    return _read_lines(_csv_lines(texts[0], ";"))


def _decoded(content: bytes) -> list[str]:
    """The content in every encoding that can be meant, the likeliest first; none for what is not text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ENCODINGS
    texts = []
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            texts.append(text)
        if encoding == "utf-8-sig":
            break
    return texts


def _delimiter(text: str) -> str:
    """The delimiter under which the header names a mass and most columns of ours; empty when there is none."""
    best, most = "", 0
    for delimiter in DELIMITERS:
        try:
            _number, cells = next(line for line in _csv_lines(text, delimiter) if any(c.text.strip() for c in line[1]))
            places = _read_header(cells).places
        except (StopIteration, FileRefused):
            continue
        if "mass" in places and len(places) > most:
            best, most = delimiter, len(places)
    return best


def _csv_lines(text: str, delimiter: str) -> Iterator[_Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            yield number, [_csv_cell(value) for value in record[:MAX_COLUMNS]]
    except csv.Error as error:
        raise FileRefused("broken_quotes", str(number + 1)) from error


def _csv_cell(value: str) -> _Text:
    if value.lstrip().startswith(("=", "@")):
        return _Text(value, "formula")
    return _Text(value)


# --- XLSX -----------------------------------------------------------------------------------------------------


def _xlsx_lines(content: bytes) -> Iterator[_Line]:
    """The lines of the first visible sheet. Whatever the library stumbles over is a file that cannot be read."""
    try:
        _refuse_bomb(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            sheet = next(s for s in book.worksheets if s.sheet_state == "visible")
            if isinstance(sheet, ReadOnlyWorksheet):
                sheet.reset_dimensions()
            for number, cells in enumerate(sheet.iter_rows(), start=1):
                yield number, [_xlsx_cell(cell) for cell in cells[:MAX_COLUMNS]]
        finally:
            book.close()
    except (FileRefused, GeneratorExit):
        raise
    except Exception as error:
        raise FileRefused("not_readable") from error


def _refuse_bomb(content: bytes) -> None:
    """A small archive may unpack into a large one."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
            raise FileRefused("too_large")


def _xlsx_cell(cell: Cell | ReadOnlyCell | EmptyCell | MergedCell) -> _Text:
    value = cell.value
    if value is None:
        return EMPTY
    if cell.data_type == "f":
        return _Text(str(value), "formula")
    if cell.data_type == "e":
        return _Text(str(value), "cell_error")
    if isinstance(value, bool | date | datetime | time):
        return _Text(str(value), "not_expected")
    if isinstance(value, int):
        return _Text(str(value))
    if isinstance(value, float):
        return _Text(format(Decimal(repr(value)), "f"))
    return _Text(str(value))
