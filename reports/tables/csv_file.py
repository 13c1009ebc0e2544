"""Rows → CSV (RFC 4180), UTF-8 with a byte order mark, safe to open in a spreadsheet.

Days and moments are ISO 8601, masses whole grams: a file that reads the same in every language and locale.
Cells that a spreadsheet would take for a formula get an apostrophe in front (OWASP, CSV injection).
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from datetime import date, datetime

from reports.tables.model import Formats, Kind, Table, Value, Words, title_of

FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
ROWS_PER_PIECE = 1000


def guard_formula(text: str) -> str:
    """The same text, which no spreadsheet takes for a formula."""
    start = text.lstrip(" ")[:1]
    return f"'{text}" if start in FORMULA_STARTS and start else text


def cell_of(value: Value, kind: Kind, formats: Formats) -> str | int:
    """The value as a machine reads it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = formats.local(value)
        return local.date().isoformat() if kind is Kind.DAY else local.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return value
    return guard_formula(value)


def write_csv(
    table: Table,
    *,
    words: Words,
    formats: Formats,
    progress: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """Yields the file in pieces of about a thousand rows, ready for a streamed answer or a file."""
    piece = io.StringIO(newline="")
    writer = csv.writer(piece, lineterminator="\r\n")

    def take() -> bytes:
        text = piece.getvalue()
        piece.seek(0)
        piece.truncate()
        return text.encode()

    writer.writerow([guard_formula(title_of(column, words.grams)) for column in table.columns])
    yield codecs.BOM_UTF8 + take()
    kinds = [column.kind for column in table.columns]
    written = 0
    for row in table.rows():
        writer.writerow([cell_of(value, kind, formats) for value, kind in zip(row, kinds, strict=True)])
        written += 1
        if written % ROWS_PER_PIECE == 0:
            yield take()
            if progress:
                progress(written)
    if written % ROWS_PER_PIECE:
        yield take()
    if progress:
        progress(written)
