"""Tables → one workbook, a sheet each: typed cells, frozen head, filter, totals; memory stays flat."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from reports.tables.model import (
    Column,
    Kind,
    Report,
    Row,
    Table,
    Value,
    add_to_totals,
    column_groups,
    title_of,
)

SHEET_ROWS = 1_048_576
PROGRESS_EVERY = 1000
WIDTHS = {
    Kind.TEXT: 16.0,
    Kind.CODE: 16.0,
    Kind.NUMBER: 11.0,
    Kind.GRAMS: 13.0,
    Kind.DAY: 12.0,
    Kind.MOMENT: 17.0,
}
NUMBER_FORMATS = {
    Kind.TEXT: "@",
    Kind.CODE: "@",
    Kind.NUMBER: "#,##0",
    Kind.GRAMS: "#,##0.000",
    Kind.DAY: "dd.mm.yyyy",
    Kind.MOMENT: "dd.mm.yyyy hh:mm",
}
BASE = {"font_name": "Noto Sans", "font_size": 10, "font_color": "#1d2b2a"}
HEAD = {**BASE, "bold": True, "bg_color": "#e9efec", "border": 1, "border_color": "#c9c3b6"}


class TooManyRowsError(ValueError):
    """A worksheet holds at most 1,048,576 rows; such a table is offered as CSV."""


def write_xlsx(report: Report, out: Path | IO[bytes], *, progress: Callable[[int], None] | None = None) -> None:
    """Writes the workbook. Text stays text (never a formula, link or number); quantities are numbers.

    Raises TooManyRowsError. `progress` is told the rows written so far.
    """
    _Book(report, out, progress).write()


def sheet_name(caption: str, number: int, taken: set[str]) -> str:
    """A name that Excel accepts: at most 31 characters, none of `[]:*?/\\`, not taken in any case."""
    kept = "".join(" " if character in "[]:*?/\\" else character for character in caption)
    name = " ".join(kept.split())[:31].strip("' ") or str(number)
    if name.casefold() in taken:
        name = f"{name[:27].rstrip()} {number}"
    taken.add(name.casefold())
    return name


class _Book:
    """One workbook on its way to the disk: its formats, and how many rows were written."""

    def __init__(self, report: Report, out: Path | IO[bytes], progress: Callable[[int], None] | None) -> None:
        self.report = report
        self.book: Any = xlsxwriter.Workbook(
            str(out) if isinstance(out, Path) else out,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        add = self.book.add_format
        self.title = add({**BASE, "bold": True, "font_size": 14})
        self.plain = add(BASE)
        self.quiet = add({**BASE, "font_color": "#5c6664"})
        self.head = add({**HEAD, "text_wrap": True, "valign": "top"})
        self.head_quantity = add({**HEAD, "text_wrap": True, "valign": "top", "align": "right"})
        self.head_group = add({**HEAD, "align": "center"})
        self.cells = {kind: add({**BASE, "num_format": text}) for kind, text in NUMBER_FORMATS.items()}
        total = {**BASE, "bold": True, "top": 1}
        self.totals = {kind: add({**total, "num_format": text}) for kind, text in NUMBER_FORMATS.items()}
        self.progress = progress
        self.written = 0

    def write(self) -> None:
        words, report = self.report.words, self.report
        self.book.set_properties({"title": report.title, "subject": report.subtitle, "company": words.registry})
        taken: set[str] = set()
        for number, table in enumerate(report.tables, start=1):
            self._sheet(table, sheet_name(table.caption or report.title, number, taken))
        self.book.close()

    def _sheet(self, table: Table, name: str) -> None:
        sheet = self.book.add_worksheet(name)
        columns = table.columns
        for index, column in enumerate(columns):
            width = max(WIDTHS[column.kind], 10.0 * column.weight)
            sheet.set_column(index, index, width, self.cells[column.kind])
        if self.report.landscape:
            sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)

        head = self._head(sheet, columns, self._preamble(sheet, table))
        line = head
        totals = [0] * len(columns)
        for row in table.rows():
            line += 1
            if line >= SHEET_ROWS - 1:
                raise TooManyRowsError(table.caption)
            self._row(sheet, line, columns, row)
            add_to_totals(totals, columns, row)
        sheet.autofilter(head, 0, max(line, head + 1), len(columns) - 1)
        if table.has_totals and line > head:
            self._sums(sheet, head + 1, line, columns, totals)
        if self.progress:
            self.progress(self.written)

    def _preamble(self, sheet: Any, table: Table) -> int:
        """Title and facts above the table; returns the line its head may take."""
        report = self.report
        sheet.write_string(0, 0, report.title, self.title)
        line = 1
        for text in (report.subtitle, table.caption):
            if text and text != report.title:
                sheet.write_string(line, 0, text, self.plain)
                line += 1
        facts = [(fact.label, fact.text) for fact in report.facts]
        if report.seal:
            facts.append((report.words.check_code, f"{report.seal.number} · {report.seal.code}"))
        for label, text in facts:
            sheet.write_string(line, 0, label, self.quiet)
            sheet.write_string(line, 1, text, self.plain)
            line += 1
        if report.footer:
            sheet.write_string(line, 0, report.footer, self.quiet)
            line += 1
        return line + 1

    def _head(self, sheet: Any, columns: tuple[Column, ...], line: int) -> int:
        """The head of the table, two lines where columns share one; returns its last line."""
        if any(column.group for column in columns):
            for start, stop, title in column_groups(columns):
                if title and stop - start > 1:
                    sheet.merge_range(line, start, line, stop - 1, title, self.head_group)
                else:
                    sheet.write_string(line, start, title, self.head_group)
            line += 1
        for index, column in enumerate(columns):
            title = title_of(column, self.report.words.kilograms, with_group=False)
            style = self.head_quantity if column.kind.is_quantity else self.head
            sheet.write_string(line, index, title, style)
        sheet.freeze_panes(line + 1, 0)
        sheet.repeat_rows(line)
        return line

    def _row(self, sheet: Any, line: int, columns: tuple[Column, ...], row: Row) -> None:
        for index, (column, value) in enumerate(zip(columns, row, strict=True)):
            self._cell(sheet, line, index, value, column.kind)
        self.written += 1
        if self.progress and self.written % PROGRESS_EVERY == 0:
            self.progress(self.written)

    def _cell(self, sheet: Any, line: int, index: int, value: Value, kind: Kind) -> None:
        style = self.cells[kind]
        if value is None or value == "":
            return
        if isinstance(value, datetime):
            local = self.report.formats.local(value)
            sheet.write_datetime(line, index, local.replace(tzinfo=None), style)
        elif isinstance(value, date):
            sheet.write_datetime(line, index, value, style)
        elif isinstance(value, int) and kind.is_quantity:
            sheet.write_number(line, index, value / 1000 if kind is Kind.GRAMS else value, style)
        else:
            sheet.write_string(line, index, str(value), style)

    def _sums(self, sheet: Any, first: int, last: int, columns: tuple[Column, ...], totals: list[int]) -> None:
        """A row of totals that follows the filter; its stored values are the sums of what was written."""
        line = last + 1
        for index, column in enumerate(columns):
            style = self.totals[column.kind]
            if column.total:
                top, bottom = xl_rowcol_to_cell(first, index), xl_rowcol_to_cell(last, index)
                value = totals[index] / 1000 if column.kind is Kind.GRAMS else totals[index]
                sheet.write_formula(line, index, f"=SUBTOTAL(109,{top}:{bottom})", style, value)
            elif index == 0:
                sheet.write_string(line, index, self.report.words.total, style)
            else:
                sheet.write_blank(line, index, None, style)
