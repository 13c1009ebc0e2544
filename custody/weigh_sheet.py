"""Sheets of a weighing: CSV and XLSX with a number or mark and a mass in each row. Pure: bytes in, rows out.

The first line names the columns, in Kazakh, Russian or English, in any order. A row that cannot be read is a problem
with its line and what stood there; nothing is guessed.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl import load_workbook

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000
MAX_UNPACKED = 100 * 1024 * 1024
_ITEM = frozenset({"number", "item", "mark", "code", "нөмір", "нөмірі", "таңба", "номер", "марка", "код", "предмет"})
_MASS = frozenset({"mass", "weight", "grams", "масса", "массасы", "салмақ", "салмағы", "вес", "граммы"})
_UNITS = frozenset({"g", "г", "гр", "kg", "кг"})
_KILOGRAMS = frozenset({"kg", "кг"})


class SheetRefused(ValueError):
    """The file is no table with these two columns; `code` says why: empty, large, columns, unreadable."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: the line as the spreadsheet numbers it, the number or mark, whole grams."""

    line: int
    text: str
    grams: int


@dataclass(slots=True)
class WeighSheet:
    """What the file says: rows that can be read, and lines that cannot with what stood there."""

    rows: list[SheetRow] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read_weigh_sheet(content: bytes) -> WeighSheet:
    """All rows and all problems of a sheet. Raises SheetRefused."""
    if not content.strip():
        raise SheetRefused("empty")
    if len(content) > MAX_BYTES:
        raise SheetRefused("large")
    lines = _xlsx(content) if content.startswith(b"PK\x03\x04") else _csv(content)
    sheet, columns, in_kilograms = WeighSheet(), None, False
    for number, cells in lines:
        if not any(cells):
            continue
        if columns is None:
            columns = _columns(cells)
            in_kilograms = bool(_KILOGRAMS & set(_tidy(cells[columns[1]]).split()))
            continue
        if len(sheet.rows) + len(sheet.problems) >= MAX_ROWS:
            raise SheetRefused("large")
        text, mass = (cells[index] if index < len(cells) else "" for index in columns)
        grams = _grams(mass, in_kilograms=in_kilograms)
        if text and grams is not None:
            sheet.rows.append(SheetRow(number, text, grams))
        else:
            sheet.problems.append((number, f"{text} {mass}".strip()))
    if columns is None:
        raise SheetRefused("empty")
    return sheet


def _columns(cells: Sequence[str]) -> tuple[int, int]:
    item = mass = None
    for index, cell in enumerate(cells):
        words = set(_tidy(cell).split()) - _UNITS
        if item is None and words & _ITEM:
            item = index
        elif mass is None and words & _MASS:
            mass = index
    if item is None or mass is None:
        raise SheetRefused("columns")
    return item, mass


def _tidy(text: str) -> str:
    return "".join(letter if letter.isalnum() else " " for letter in text.lower())


def _grams(text: str, *, in_kilograms: bool) -> int | None:
    tidy = "".join(text.split()).replace(",", ".")
    try:
        value = float(tidy) * (1000 if in_kilograms else 1)
    except ValueError:
        return None
    whole = round(value) if value == value and abs(value) < 1e9 else 0
    return whole if whole > 0 and abs(value - whole) < 1e-6 else None


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SheetRefused("unreadable")
    head = text.splitlines()[0]
    delimiter = max(";,\t", key=head.count)
    for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), start=1):
        yield number, [cell.strip() for cell in cells]


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                raise SheetRefused("large")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet: Any = book.worksheets[0]
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield number, [_cell(value) for value in row]
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError, OSError) as error:
        if isinstance(error, SheetRefused):
            raise
        raise SheetRefused("unreadable") from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
