"""Tables of marks and what their items carry: CSV (RFC 4180 and its cousins) and XLSX, bytes to rows. Knows no Django.

The first line that is not empty names the columns, in Kazakh, Russian or English, in any order. The sign GS stands in a
CSV as itself, in an XLSX as `_x001D_` (ECMA-376, part 1, 22.9.2.19); what stands for it otherwise, the person says.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineWorkbook

from marking.state_code import GS

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 400 * 1024 * 1024
MAX_ROWS = 100_000
MARK, STATE_CODE, SEAL, RFID = "mark", "state_code", "seal", "rfid"
COLUMNS = (MARK, STATE_CODE, SEAL, RFID)
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCODINGS = ("utf-8-sig", "cp1251")
_DELIMITERS = (";", "\t", ",")
_NAMES: dict[str, str] = {
    **dict.fromkeys(("mark", "code", "our mark", "item", "number", "таңба", "біздің таңба", "нөмір"), MARK),
    **dict.fromkeys(("метка", "марка", "маркировка", "код метки", "номер"), MARK),
    **dict.fromkeys(("state code", "datamatrix", "data matrix", "мемлекеттік код", "датаматрикс"), STATE_CODE),
    **dict.fromkeys(("государственный код", "код маркировки", "км", "таңбалау коды"), STATE_CODE),
    **dict.fromkeys(("seal", "seal number", "пломба", "пломба нөмірі", "номер пломбы"), SEAL),
    **dict.fromkeys(("rfid", "rfid tid", "tid", "rfid чип", "чип"), RFID),
}


class TableRefused(ValueError):
    """The file cannot be read as such a table at all; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Row:
    """One line as the spreadsheet numbers it, and what stands in our columns."""

    line: int
    cells: dict[str, str]


def read_table(content: bytes) -> list[Row]:
    """The rows in which anything stands. Raises TableRefused."""
    if not content.strip():
        raise TableRefused("empty")
    if len(content) > MAX_BYTES:
        raise TableRefused("too_large")
    if content.startswith(_OLD_EXCEL):
        raise TableRefused("old_excel")
    lines = _xlsx_lines(content) if content.startswith(_ZIP) else _csv_lines(content)
    return _rows(lines)


def _rows(lines: Iterable[tuple[int, Sequence[str]]]) -> list[Row]:
    places: dict[str, int] | None = None
    rows: list[Row] = []
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if places is None:
            places = _header(cells)
            continue
        row = {key: cells[place] if place < len(cells) else "" for key, place in places.items()}
        if any(cell.strip() for cell in row.values()):
            rows.append(Row(number, row))
        if len(rows) > MAX_ROWS:
            raise TableRefused("too_many_rows")
    if places is None:
        raise TableRefused("empty")
    if not rows:
        raise TableRefused("no_rows")
    return rows


def _header(cells: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, cell in enumerate(cells):
        key = _NAMES.get(" ".join(re.findall(r"[^\W_]+", cell.casefold())))
        if key in places:
            raise TableRefused("column_twice")
        if key:
            places[key] = place
    if MARK not in places or len(places) < 2:
        raise TableRefused("no_column")
    return places


def _csv_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise TableRefused("encoding")
    if "\0" in text:
        raise TableRefused("encoding")
    first = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    # Not splitlines(), for which GS ends a line.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error:
        raise TableRefused("broken") from None


def _xlsx_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
                raise TableRefused("too_large")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        for number, cells in enumerate(sheet.to_python(skip_empty_area=False), 1):
            yield number, [_text(cell) for cell in cells]
    except (CalamineError, zipfile.BadZipFile, OSError, IndexError):
        raise TableRefused("broken") from None


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return re.sub("_x001[dD]_", GS, str(cell))
