"""Weighing tables from files: CSV (RFC 4180 and its cousins) and XLSX, bytes to rows or to reasons. Knows no Django.

The first line that is not empty names the columns, in Kazakh, Russian or English, in any order; which there are and
which must be there, `registry.fields` says for each term. Nothing is guessed silently: a row that cannot be read whole
is a problem with its line, column and reason.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from registry.fields import FIELDS, HORN, MAX_ROWS, Kind
from registry.measures import Reader, TableRow, Unreadable, Value, contradictions, pair_problems, reader

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 400 * 1024 * 1024
MAX_COLUMNS = 60
DELIMITERS = (";", ",", "\t")
ENCODINGS = ("utf-8-sig", "cp1251", "kz1048")
TOLD_EVERY = 5_000

_ROW_NAMES = ("no", "n", "row", "number", "nr", "р с", "қатар", "п п", "строка", "номер")
_UNITS = frozenset({"g", "gram", "grams", "kg", "mm", "cm", "mg", "г", "гр", "кг", "мм", "см", "мг"})
_WRITTEN_UNITS = {"g": "g", "gram": "g", "grams": "g", "г": "g", "гр": "g", "kg": "kg", "кг": "kg"} | {
    "mm": "mm",
    "мм": "mm",
    "cm": "cm",
    "см": "cm",
}
_TOTALS = frozenset({"total", "sum", "барлығы", "жиыны", "итого", "всего"})
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
# A formula, or an error, as a sheet of an archive writes them.
_NOT_PLAIN = re.compile(rb"<f[ >/]|t=\"e\"")

Tell = Callable[[int, int], object]


def _words(text: str) -> str:
    return " ".join(word for word in re.findall(r"[^\W_]+", text.casefold()) if word not in _UNITS)


def columns_of(term: str) -> dict[str, str]:
    """Every heading that a column of this term may have, with its key; empty for the number of the row."""
    known = dict.fromkeys(_ROW_NAMES, "")
    for one in FIELDS[term]:
        for name in (*one.names, *one.headings, one.key, one.column):
            known[_words(name)] = one.key
    return known


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


class _Bad(str):  # noqa: SLOT000  it holds one thing more than its text
    """A cell that may not be used as it stands: its text, and why not."""

    problem: str

    def __new__(cls, text: str, problem: str) -> "_Bad":
        made = super().__new__(cls, text)
        made.problem = problem
        return made


# Cells are plain texts; a `_Bad` one says why it may not be used.
_Line = tuple[int, list[str]]


def read_sheet(content: bytes, term: str = HORN, *, tell: Tell = lambda _done, _of: None) -> Sheet:
    """All rows and all problems of a table file. Raises FileRefused when it is no table that can be read.

    `tell` hears how many lines were read, of how many; 0 while nobody knows.
    """
    if not content.strip():
        raise FileRefused("empty")
    if len(content) > MAX_BYTES:
        raise FileRefused("too_large")
    if content.startswith(_OLD_EXCEL):
        raise FileRefused("old_excel")
    if content.startswith(_ZIP):
        return _read_lines(_xlsx_lines(content), term, tell)
    return _read_csv(content, term, tell)


# --- columns --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Header:
    """Where each column stands and what reads it, and which are not ours."""

    places: dict[str, int]
    readers: list[tuple[str, str, int, Reader, bool]]  # key, column, place, how it is read, is it a day
    numbers: int | None
    ignored: list[str]
    width: int


def _read_header(cells: Sequence[str], term: str, known: dict[str, str]) -> _Header:
    places: dict[str, int] = {}
    units: dict[str, str] = {}
    ignored: list[str] = []
    numbers: int | None = None
    width = 0
    for place, cell in enumerate(cells):
        if not cell.strip():
            continue
        words = re.findall(r"[^\W_]+", cell.casefold())
        width = place + 1
        key = known.get(_words(cell))
        if key is None:
            if words:
                ignored.append(cell.strip()[:60])
        elif not key:
            numbers = place
        else:
            if key in places:
                raise FileRefused("column_twice", cell.strip()[:60])
            places[key] = place
            units[key] = next((_WRITTEN_UNITS[word] for word in words if word in _WRITTEN_UNITS), "")
    readers = []
    for one in FIELDS[term]:
        unit = units.get(one.key, "")
        read = reader(one, unit, is_horn=term == HORN and unit in ("", "g"))
        if one.key in places:
            readers.append((one.key, one.column, places[one.key], read, one.kind == Kind.DAY))
    return _Header(places, readers, numbers, ignored, width)


# --- rows -----------------------------------------------------------------------------------------------------


def _read_lines(lines: Iterable[_Line], term: str, tell: Tell, of: int = 0) -> Sheet:
    """Rows and problems of numbered lines, the first of which that is not empty is the header."""
    sheet = Sheet()
    header: _Header | None = None
    known = columns_of(term)
    taken = 0
    labels: dict[str, int] = {}
    for number, cells in lines:
        if header is None and not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _read_header(cells, term, known)
            _refuse_missing(header, term)
            sheet.ignored_columns = header.ignored
            continue
        row, problems = _read_line(number, cells, header)
        if row is None and not problems:
            continue
        taken += 1
        if taken % TOLD_EVERY == 0 or taken > MAX_ROWS:
            _go_on(taken, number, of, tell)
        if problems:
            sheet.problems.extend(problems)
        elif row is not None:
            sheet.rows.append(row)
            if "pair" in header.places:
                labels[_label(cells, header, number)] = number
    if header is None:
        raise FileRefused("empty")
    if not taken:
        raise FileRefused("no_rows")
    if labels:
        _pair_up(sheet, labels)
    return sheet


def _go_on(taken: int, number: int, of: int, tell: Tell) -> None:
    if taken > MAX_ROWS:
        raise FileRefused("too_many_rows")
    tell(number, max(of, number))


def _refuse_missing(header: _Header, term: str) -> None:
    for one in FIELDS[term]:
        if one.required and one.key not in header.places:
            raise FileRefused("no_mass_column" if one.key == "mass" and term == HORN else "no_column", one.names[2])


def _label(cells: Sequence[str], header: _Header, number: int) -> str:
    """By what another row of the file names this one: its own number column, or the line of the spreadsheet."""
    if header.numbers is None or header.numbers >= len(cells):
        return str(number)
    text = cells[header.numbers].strip()
    return str(int(text)) if text.isascii() and text.isdigit() else str(number)


def _pair_up(sheet: Sheet, labels: dict[str, int]) -> None:
    """Pairs by lines of the file; rows whose pair cannot be right become problems, and then those who named them."""
    named = {row.row: row.pair for row in sheet.rows}
    for place, row in enumerate(sheet.rows):
        if row.pair.isdigit() and (line := str(labels.get(row.pair, 0))) != row.pair:
            sheet.rows[place] = replace(row, pair=line)
    while wrong := pair_problems((row.row, row.side, row.pair) for row in sheet.rows):
        sheet.problems.extend(Problem(row, "pair", code, named[row]) for row, code in wrong.items())
        sheet.rows = [row for row in sheet.rows if row.row not in wrong]
    sheet.problems.sort(key=lambda problem: problem.line)


def _read_line(number: int, cells: Sequence[str], header: _Header) -> tuple[TableRow | None, list[Problem]]:
    """One line: its row, or everything that is wrong with it, or neither when nothing is written in our columns."""
    count = len(cells)
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    is_empty = True
    unread: list[Problem] = []
    for key, column, place, read, is_day in header.readers:
        text = cells[place] if place < count else ""
        if is_empty and text and text.strip():
            is_empty = False
        if type(text) is _Bad and not (is_day and text.problem == "not_expected"):
            is_empty = False
            problems.append(Problem(number, key, text.problem, str(text[:60])))
            continue
        try:
            value: Value = read(text)
        except Unreadable as reason:
            unread.append(Problem(number, key, reason.code, text.strip()[:60]))
        else:
            values[column] = value
    beyond = [cell for cell in cells[header.width :] if cell.strip()] if count > header.width else []
    if (unread or problems or is_empty) and any(
        " ".join(cell.casefold().split()).rstrip(":") in _TOTALS for cell in cells
    ):
        return None, [Problem(number, "", "total_row")]
    if is_empty and not beyond:
        return None, []
    if beyond:
        problems.append(Problem(number, "", "too_many_cells", beyond[0].strip()[:60]))
    problems += unread
    if problems:
        return None, problems
    row = TableRow(row=number, **values)
    if (row.straight_mm or row.gross_g or row.use_by) and (wrong := contradictions(row)):
        return None, [Problem(number, key, code) for key, code in wrong]
    return row, []


# --- CSV ------------------------------------------------------------------------------------------------------


def _read_csv(content: bytes, term: str, tell: Tell) -> Sheet:
    """The first encoding and delimiter under which the header makes sense."""
    texts = _decoded(content)
    if not texts:
        raise FileRefused("not_a_table")
    for text in texts:
        delimiter = _delimiter(text, term)
        if delimiter:
            return _read_lines(_csv_lines(text, delimiter), term, tell, text.count("\n"))
    # No header was understood: the refusal comes from reading it, so that it says what is missing.
    return _read_lines(_csv_lines(texts[0], ";"), term, tell)


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


def _delimiter(text: str, term: str) -> str:
    """The delimiter under which the header names a mass and most columns of ours; empty when there is none."""
    best, most = "", 0
    known = columns_of(term)
    for delimiter in DELIMITERS:
        try:
            _number, cells = next(line for line in _csv_lines(text, delimiter) if any(c.strip() for c in line[1]))
            places = _read_header(cells, term, known).places
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
            if len(record) > MAX_COLUMNS:
                del record[MAX_COLUMNS:]
            for place, value in enumerate(record):
                if value[:1] in _SUSPECT and value.lstrip().startswith(("=", "@")):
                    record[place] = _Bad(value, "formula")
            yield number, record
    except csv.Error as error:
        raise FileRefused("broken_quotes", str(number + 1)) from error


_SUSPECT = frozenset("=@ \t\r\n\v\f")


# --- XLSX -----------------------------------------------------------------------------------------------------


def _xlsx_lines(content: bytes) -> Iterator[_Line]:
    """The lines of the first visible sheet. Whatever the libraries stumble over is a file that cannot be read.

    A sheet without formulas is read by calamine, several times as fast; one with formulas by openpyxl, which tells a
    formula from a value.
    """
    try:
        _refuse_bomb(content)
        yield from _plain_lines(content) if _is_plain(content) else _careful_lines(content)
    except (FileRefused, GeneratorExit):
        raise
    except Exception as error:
        raise FileRefused("not_readable") from error


def _is_plain(content: bytes) -> bool:
    """No sheet of the archive has a formula or an error in it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.filename.startswith("xl/worksheets/") or not entry.filename.endswith(".xml"):
                continue
            with archive.open(entry) as sheet:
                tail = b""
                while piece := sheet.read(1 << 20):
                    if _NOT_PLAIN.search(tail + piece):
                        return False
                    tail = piece[-8:]
    return True


def _plain_lines(content: bytes) -> Iterator[_Line]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    name = next(
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    )
    sheet = book.get_sheet_by_name(name)
    row, column = sheet.start or (0, 0)
    before = [""] * column
    for number, values in enumerate(sheet.iter_rows(), start=row + 1):
        yield number, before + [_cell_text(value) for value in values[:MAX_COLUMNS]]


def _careful_lines(content: bytes) -> Iterator[_Line]:
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        sheet = next(s for s in book.worksheets if s.sheet_state == "visible")
        if isinstance(sheet, ReadOnlyWorksheet):
            sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            yield number, [_xlsx_cell(cell) for cell in cells[:MAX_COLUMNS]]
    finally:
        book.close()


def _refuse_bomb(content: bytes) -> None:
    """A small archive may unpack into a large one."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
            raise FileRefused("too_large")


def _xlsx_cell(cell: Cell | ReadOnlyCell | EmptyCell | MergedCell) -> str:
    if cell.value is not None and cell.data_type == "f":
        return _Bad(str(cell.value), "formula")
    if cell.value is not None and cell.data_type == "e":
        return _Bad(str(cell.value), "cell_error")
    return _cell_text(cell.value)


def _cell_text(value: Any) -> str:
    """A value of a spreadsheet as the text a person would have typed."""
    if value is None or value == "":
        return ""
    if type(value) is str:
        return value
    if type(value) is float:
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return _Bad(value.date().isoformat() if value.time() == time() else str(value), "not_expected")
    if isinstance(value, bool | date | time | timedelta):
        return _Bad(str(value), "not_expected")
    return str(value)
