"""Tables → PDF on A4, drawn row by row on a canvas: 100,000 rows in seconds, one page of text in memory.

The head of a table is repeated on each page; every page carries its number out of all, and the seal: number,
check code and QR. Fonts are embedded subsets with a map back to Unicode: text can be copied and searched.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import zxingcpp
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFDocument, PDFName, PDFStream
from reportlab.pdfgen.canvas import Canvas

from core.base.fonts import Fonts, load_font
from reports.tables.ink import Ink
from reports.tables.model import (
    Column,
    Kind,
    Report,
    Row,
    Signature,
    Table,
    Value,
    add_to_totals,
    column_groups,
    text_of,
    title_of,
)

INK = HexColor("#1d2b2a")
QUIET = HexColor("#5c6664")
LINE = HexColor("#d8d2c5")
STRONG_LINE = HexColor("#1f5c5a")
HEAD_GROUND = HexColor("#e9efec")

MARGIN_X = 14 * mm
MARGIN_TOP = 14 * mm
MARGIN_BOTTOM = 24 * mm
QR_SIZE = 15 * mm
PAD = 1.4 * mm
SIZE = 8.0
LEADING = 10.4
HEAD_SIZE = 7.6
HEAD_LEADING = 9.4
ROW_PAD = 1.1 * mm
MAX_LINES = 4
SMALLEST = 5.0
PROGRESS_EVERY = 500

QUANTITIES = frozenset({Kind.NUMBER, Kind.GRAMS})
MINIMUM = {Kind.NUMBER: 13 * mm, Kind.GRAMS: 17 * mm, Kind.DAY: 18 * mm, Kind.MOMENT: 26 * mm}


def write_pdf(
    report: Report,
    out: Path | IO[bytes],
    *,
    fonts: Fonts | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Writes the file and returns the number of its pages. `progress` is told the rows written so far."""
    return _Sheet(report, out, fonts or Fonts(), progress).write()


@dataclass(frozen=True, slots=True)
class _Box:
    """Where one column stands on the page, in points from the left edge."""

    left: float
    right: float

    @property
    def width(self) -> float:
        return self.right - self.left - 2 * PAD


class _Sheet:
    """One document on its way to the paper: the canvas, where the pen is, what was written."""

    def __init__(
        self, report: Report, out: Path | IO[bytes], fonts: Fonts, progress: Callable[[int], None] | None
    ) -> None:
        self.report = report
        self.size = landscape(A4) if report.landscape else A4
        regular = load_font(fonts.regular)
        # The stubs know neither its document nor fractions of points in forms.
        self.canvas: Any = Canvas(
            str(out) if isinstance(out, Path) else out,
            pagesize=self.size,
            pageCompression=1,
            initialFontName=regular.fontName,  # type: ignore[arg-type]
        )
        document: PDFDocument = cast("Any", self.canvas)._doc
        self.regular = Ink(regular, document)
        self.bold = Ink(load_font(fonts.bold), document)
        self.canvas.setTitle(report.title)
        self.canvas.setAuthor(report.words.registry)
        self.canvas.setSubject(report.subtitle)
        self.left = MARGIN_X
        self.right = self.size[0] - MARGIN_X
        self.top = self.size[1] - MARGIN_TOP
        self.bottom = MARGIN_BOTTOM if report.seal else MARGIN_BOTTOM - 6 * mm
        self.y = self.top
        self.texts: list[str] = []
        self.rules: list[str] = []
        self.heads = 0
        self.page = 1
        self.written = 0
        self.progress = progress

    # The whole document

    def write(self) -> int:
        if self.report.seal:
            self._define_qr(self.report.seal.link)
        self._first_head()
        for table in self.report.tables:
            self._table(table)
        self._signatures(self.report.signatures)
        self._end_page()
        self._define_page_total()
        self.canvas.save()
        if self.progress:
            self.progress(self.written)
        return self.page

    # Pages

    def _end_page(self) -> None:
        self._dry()
        self._foot()
        self.canvas.showPage()
        self._pack_page()

    def _pack_page(self) -> None:
        """Compresses the finished page at once; the canvas would keep all pages as text until the end."""
        page = self.canvas._doc.Pages.pages[-1]
        stream = PDFStream(PDFDictionary({"Filter": PDFName("FlateDecode")}), zlib.compress(page.stream.encode()))
        page.Contents = stream
        page.stream = None

    def _new_page(self) -> None:
        self._end_page()
        self.page += 1
        self.y = self.top
        self._running_head()

    def _first_head(self) -> None:
        report = self.report
        self._text(self.left, self.y - 8, report.words.registry, self.regular, 8, QUIET)
        self.y -= 13
        self._rule(self.y, STRONG_LINE, 1.2)
        self.y -= 6
        for line in self.bold.wrap(report.title, 15, self.right - self.left):
            self.y -= 17
            self._text(self.left, self.y, line, self.bold, 15, INK)
        for line in self.regular.wrap(report.subtitle, 10, self.right - self.left) if report.subtitle else ():
            self.y -= 14
            self._text(self.left, self.y, line, self.regular, 10, INK)
        self.y -= 8
        self._facts()

    def _facts(self) -> None:
        """Labels and texts in two columns, each as deep as its longest text needs."""
        facts = self.report.facts
        if not facts:
            return
        half = (self.right - self.left) / 2
        label_width = min(max(self.regular.width(fact.label, 8.5) for fact in facts) + 4 * mm, half * 0.45)
        for start in range(0, len(facts), 2):
            depth = 1
            for place, fact in enumerate(facts[start : start + 2]):
                x = self.left + place * half
                labels = self.regular.wrap(fact.label, 8.5, label_width - 2 * mm)
                texts = self.bold.wrap(fact.text, 8.5, half - label_width - 4 * mm)
                for index, line in enumerate(labels):
                    self._text(x, self.y - 10 - 11 * index, line, self.regular, 8.5, QUIET)
                for index, line in enumerate(texts):
                    self._text(x + label_width, self.y - 10 - 11 * index, line, self.bold, 8.5, INK)
                depth = max(depth, len(labels), len(texts))
            self.y -= 11 * depth + 2
        self.y -= 4

    def _running_head(self) -> None:
        title = self.report.title
        if self.report.seal:
            title = f"{title} · {self.report.seal.number}"
        self._text(self.left, self.y - 8, self.regular.fit(title, 8, self.right - self.left), self.regular, 8, QUIET)
        self.y -= 12
        self._rule(self.y, LINE, 0.5)
        self.y -= 5

    def _foot(self) -> None:
        seal, words = self.report.seal, self.report.words
        base = 9 * mm
        x = self.left
        if seal:
            self._rule(base + QR_SIZE + 1.5 * mm, LINE, 0.5)
            self._place("qr", self.left, base)
            x += QR_SIZE + 3 * mm
            self._text(x, base + QR_SIZE - 9, seal.number, self.bold, 8, INK)
            self._text(x, base + QR_SIZE - 20, f"{words.check_code}: {seal.code}", self.regular, 8, INK)
        else:
            self._rule(base + 8 * mm, LINE, 0.5)
        room = self.right - x - 32 * mm
        for index, line in enumerate(self.regular.wrap(self.report.footer, 7, room)[:2]):
            self._text(x, base + (QR_SIZE - 30 - 9 * index if seal else 4 - 9 * index), line, self.regular, 7, QUIET)
        self._page_number(base)

    def _page_number(self, y: float) -> None:
        """“Page 3 of 12”: the total is drawn once, at the end; the language decides the order."""
        before, after, page_first = self._page_words()
        anchor = self.right - 14 * mm
        text = (before % {"page": self.page, "pages": 0}) if page_first else (after % {"page": self.page})
        if page_first:
            self._text_right(anchor, y, text, self.regular, 8, INK)
        else:
            self._text(anchor, y, text, self.regular, 8, INK)
        self._place("pages", anchor, y)

    def _page_words(self) -> tuple[str, str, bool]:
        """The template cut between its two numbers, and whether the page comes first."""
        template = self.report.words.page
        page, pages = template.index("%(page)d"), template.index("%(pages)d")
        cut = max(page, pages)
        return template[:cut], template[cut:], page < pages

    def _define_page_total(self) -> None:
        before, after, page_first = self._page_words()
        reach = 60 * mm
        self.canvas.beginForm("pages", -reach, -3 * mm, reach, 6 * mm)
        if page_first:
            self._text(0, 0, after % {"pages": self.page}, self.regular, 8, INK)
        else:
            self._text_right(0, 0, before % {"pages": self.page}, self.regular, 8, INK)
        self.canvas.endForm()

    def _define_qr(self, link: str) -> None:
        """The address as a QR at level M, drawn once as vectors and referred to by every page."""
        code = zxingcpp.create_barcode(link, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
        image: Any = zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=False)
        rows, columns = image.shape[0], image.shape[1]
        module = QR_SIZE / rows
        self.canvas.beginForm("qr", 0, 0, QR_SIZE, QR_SIZE)
        self.canvas.setFillColor(Color(0, 0, 0))
        path = self.canvas.beginPath()
        flat: Any = memoryview(image).tolist()
        for line in range(rows):
            start: int | None = None
            for place in range(columns + 1):
                dark = place < columns and flat[line][place] < 128
                if dark and start is None:
                    start = place
                elif not dark and start is not None:
                    path.rect(start * module, QR_SIZE - (line + 1) * module, (place - start) * module, module)
                    start = None
        self.canvas.drawPath(path, stroke=0, fill=1)
        self.canvas.endForm()

    # Tables

    def _table(self, table: Table) -> None:
        columns = table.columns
        boxes = self._boxes(columns)
        head = self._head_lines(columns, boxes)
        grouped = any(column.group for column in columns)
        depth = max(len(lines) for lines in head) * HEAD_LEADING + 2 * ROW_PAD + (HEAD_LEADING + 3 if grouped else 0)
        caption = 18 if table.caption else 4
        if self.y - caption - depth - 3 * LEADING < self.bottom:
            self._new_page()
        if table.caption:
            self.y -= 15
            self._text(self.left, self.y, table.caption, self.bold, 10, INK)
            self.y -= 5
        else:
            self.y -= 4
        self.heads += 1
        self._define_head(columns, boxes, head, grouped, depth)
        self._head(depth)

        totals = [0] * len(columns)
        count = 0
        for line in self._lines(table, boxes):
            if self.y - line.depth < self.bottom:
                self._new_page()
                self._head(depth)
            self._row(line, boxes, columns)
            add_to_totals(totals, columns, line.row)
            count += 1
            self.written += 1
            if self.progress and self.written % PROGRESS_EVERY == 0:
                self.progress(self.written)
        if count == 0:
            self.y -= LEADING + ROW_PAD
            self._text(self.left + PAD, self.y + 1, self.report.words.empty, self.regular, SIZE, QUIET)
            self.y -= ROW_PAD
        elif table.has_totals:
            self._totals(columns, boxes, depth, totals)
        self.y -= 6

    def _boxes(self, columns: Sequence[Column]) -> list[_Box]:
        """Shares the page's width by weight; a column of figures never gets less than its figures need."""
        whole = self.right - self.left
        least = [MINIMUM.get(column.kind, 12 * mm) for column in columns]
        free = whole - sum(least)
        if free < 0:
            least = [width * whole / sum(least) for width in least]
            free = 0
        weight = sum(column.weight for column in columns)
        boxes, x = [], self.left
        for column, minimum in zip(columns, least, strict=True):
            width = minimum + free * column.weight / weight
            boxes.append(_Box(x, x + width))
            x += width
        return boxes

    def _head_lines(self, columns: Sequence[Column], boxes: Sequence[_Box]) -> list[list[str]]:
        return [
            self.bold.wrap(title_of(column, self.report.words.kilograms, with_group=False), HEAD_SIZE, box.width)
            for column, box in zip(columns, boxes, strict=True)
        ]

    def _define_head(
        self,
        columns: tuple[Column, ...],
        boxes: Sequence[_Box],
        head: list[list[str]],
        grouped: bool,
        depth: float,
    ) -> None:
        """Draws the head of a table once, its foot at zero; each page refers to it."""
        canvas = self.canvas
        canvas.beginForm(f"head{self.heads}", 0, -1, self.size[0], depth)
        canvas.setFillColor(HEAD_GROUND)
        canvas.rect(self.left, 0, self.right - self.left, depth, stroke=0, fill=1)
        top = depth
        if grouped:
            top -= HEAD_LEADING + 3
            canvas.setStrokeColor(LINE)
            canvas.setLineWidth(0.5)
            for start, stop, title in column_groups(columns):
                if title:
                    left, right = boxes[start].left, boxes[stop - 1].right
                    shown = self.bold.fit(title, HEAD_SIZE, right - left)
                    self._text_middle((left + right) / 2, depth - HEAD_LEADING, shown, self.bold, HEAD_SIZE, INK)
                    canvas.line(left + PAD, top, right - PAD, top)
        top -= ROW_PAD
        for column, box, lines in zip(columns, boxes, head, strict=True):
            for index, text in enumerate(lines):
                y = top - HEAD_LEADING * (index + 1) + 2
                if column.kind in QUANTITIES:
                    self._text_right(box.right - PAD, y, text, self.bold, HEAD_SIZE, INK)
                else:
                    self._text(box.left + PAD, y, text, self.bold, HEAD_SIZE, INK)
        self._rule(0, STRONG_LINE, 0.8)
        canvas.endForm()

    def _head(self, depth: float) -> None:
        self.y -= depth
        self._place(f"head{self.heads}", 0, self.y)

    def _lines(self, table: Table, boxes: Sequence[_Box]) -> "Iterator[_Line]":
        formats = self.report.formats
        columns = table.columns
        places = list(zip(columns, boxes, strict=True))
        for row in table.rows():
            texts = [
                self._cell(value, column.kind, text_of(value, column.kind, formats), box.width)
                for value, (column, box) in zip(row, places, strict=True)
            ]
            deepest = max(len(lines) for lines in texts)
            yield _Line(row, texts, deepest * LEADING + 2 * ROW_PAD - 2)

    def _cell(self, value: Value, kind: Kind, text: str, room: float) -> list[str]:
        if not text or self.regular.width(text, SIZE) <= room or kind in QUANTITIES:
            return [text]
        lines = self.regular.wrap(text, SIZE, room)
        if len(lines) > MAX_LINES:
            lines = [*lines[: MAX_LINES - 1], self.regular.fit(" ".join(lines[MAX_LINES - 1 :]), SIZE, room)]
        return lines

    def _row(self, line: "_Line", boxes: Sequence[_Box], columns: Sequence[Column]) -> None:
        """Adds one row to what the page will show; the ink dries in `_dry`."""
        ink, texts = self.regular, self.texts
        first = self.y - ROW_PAD - LEADING + 2.6
        for column, box, lines in zip(columns, boxes, line.texts, strict=True):
            if column.kind in QUANTITIES:
                text = lines[0]
                width = ink.width(text, SIZE)
                if width <= box.width:
                    texts.append(f"1 0 0 1 {box.right - PAD - width:.2f} {first:.2f} Tm {ink.show(text, SIZE)}")
                else:
                    size = max(SMALLEST, SIZE * box.width / width)
                    x = box.right - PAD - ink.width(text, size)
                    shown = f"{ink.select(size)} {ink.show(text, size)} {ink.select(SIZE)}"
                    texts.append(f"1 0 0 1 {x:.2f} {first:.2f} Tm {shown}")
                continue
            x = box.left + PAD
            for index, text in enumerate(lines):
                texts.append(f"1 0 0 1 {x:.2f} {first - LEADING * index:.2f} Tm {ink.show(text, SIZE)}")
        self.y -= line.depth
        self.rules.append(f"{self.left:.2f} {self.y:.2f} m {self.right:.2f} {self.y:.2f} l")

    def _dry(self) -> None:
        """Puts the rows of this page on the canvas: all rules in one stroke, all texts in one text object."""
        if not self.texts:
            return
        canvas = self.canvas
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.35)
        canvas.addLiteral(f"n {' '.join(self.rules)} S")
        canvas.setFillColor(INK)
        canvas.addLiteral("\n".join(["BT", self.regular.select(SIZE), *self.texts, "ET"]))
        self.texts.clear()
        self.rules.clear()

    def _totals(
        self,
        columns: tuple[Column, ...],
        boxes: Sequence[_Box],
        head_depth: float,
        totals: Sequence[int],
    ) -> None:
        depth = LEADING + 2 * ROW_PAD
        if self.y - depth < self.bottom:
            self._new_page()
            self._head(head_depth)
        self._rule(self.y, STRONG_LINE, 0.8)
        y = self.y - ROW_PAD - LEADING + 2.6
        self._text(self.left + PAD, y, self.report.words.total, self.bold, SIZE, INK)
        for column, box, total in zip(columns, boxes, totals, strict=True):
            if column.total:
                text = text_of(total, column.kind, self.report.formats)
                width = self.bold.width(text, SIZE)
                size = SIZE if width <= box.width else max(SMALLEST, SIZE * box.width / width)
                self._text_right(box.right - PAD, y, text, self.bold, size, INK)
        self.y -= depth
        self._rule(self.y, STRONG_LINE, 0.8)

    def _signatures(self, signatures: Sequence[Signature]) -> None:
        words = self.report.words
        for index, signature in enumerate(signatures):
            if self.y - 40 < self.bottom:
                self._new_page()
            self.y -= 30 if index else 36
            whole = self.right - self.left
            line_from, line_to = self.left + whole * 0.46, self.left + whole * 0.74
            day_from = self.left + whole * 0.78
            who = f"{signature.capacity}: {signature.name}" if signature.name else signature.capacity
            for offset, text in enumerate(reversed(self.regular.wrap(who, 9, whole * 0.44)[:2])):
                self._text(self.left, self.y + 11 * offset, text, self.regular, 9, INK)
            self.canvas.setStrokeColor(INK)
            self.canvas.setLineWidth(0.5)
            self.canvas.line(line_from, self.y - 2, line_to, self.y - 2)
            self.canvas.line(day_from, self.y - 2, self.right, self.y - 2)
            self._text_middle((line_from + line_to) / 2, self.y - 10, words.signature, self.regular, 6.5, QUIET)
            self._text_middle((day_from + self.right) / 2, self.y - 10, words.signed_on, self.regular, 6.5, QUIET)

    # Ink

    def _text(self, x: float, y: float, text: str, ink: Ink, size: float, colour: Color) -> None:
        self.canvas.setFont(ink.name, size)
        self.canvas.setFillColor(colour)
        self.canvas.drawString(x, y, text)

    def _text_right(self, x: float, y: float, text: str, ink: Ink, size: float, colour: Color) -> None:
        self._text(x - ink.width(text, size), y, text, ink, size, colour)

    def _text_middle(self, x: float, y: float, text: str, ink: Ink, size: float, colour: Color) -> None:
        self._text(x - ink.width(text, size) / 2, y, text, ink, size, colour)

    def _place(self, form: str, x: float, y: float) -> None:
        self.canvas.saveState()
        self.canvas.translate(x, y)
        self.canvas.doForm(form)
        self.canvas.restoreState()

    def _rule(self, y: float, colour: Color, width: float) -> None:
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width)
        self.canvas.line(self.left, y, self.right, y)


@dataclass(slots=True)
class _Line:
    """One row made ready: its values, its texts line by line, its depth in points."""

    row: Row
    texts: list[list[str]]
    depth: float
