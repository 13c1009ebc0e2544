"""Acts on paper: A4, drawn as the State writes them. Words come translated; nothing here knows Django's messages.

An act is a title with its number, the parties, facts, a table of items that flows over pages, text, and signatures.
Every page carries the number, its own number out of all, and the check code; the QR leads to the act in the register.
`draw_act` is pure: dataclasses in, bytes out. `save_act` keeps the bytes as a document.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, Literal, cast
from xml.sax.saxutils import escape

import zxingcpp
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)

from core.accounts.models import User
from core.base.fonts import Fonts, load_font
from core.documents.models import Document
from core.documents.services import keep_document

Language = Literal["kk", "ru", "en"]

INK = HexColor("#1d2b2a")
QUIET = HexColor("#5c6664")
RULE = HexColor("#b9b3a6")
HEAD = HexColor("#e9efec")
MARGIN = 18 * mm
FOOT = 27 * mm
QR_SIDE = 16 * mm
# Rows of one block: the flow measures what is left of a block on every page. Each block begins with the head.
ROWS_A_BLOCK = 1000
# The name of a table stands with its head and its first row, else it goes to the next page.
ROOM_FOR_A_TABLE = 32 * mm

# What every page says by itself, in the languages of acts.
PAGE_OF = {"kk": "{page}-бет, барлығы {pages}", "ru": "Стр. {page} из {pages}", "en": "Page {page} of {pages}"}
CHECK = {"kk": "Тексеру коды: {check}", "ru": "Код проверки: {check}", "en": "Check code: {check}"}
TOTAL = {"kk": "Барлығы", "ru": "Итого", "en": "Total"}
NO_PEN = {
    "kk": "Жүйеде қол қойылды: {moment}",
    "ru": "Подписано в системе: {moment}",
    "en": "Signed in the system: {moment}",
}
NOT_SIGNED = {"kk": "қолы", "ru": "подпись", "en": "signature"}


@dataclass(frozen=True, slots=True)
class Party:
    """One side of an act: what it is ("Sender"), its name, and what else is said of it, line by line."""

    role: str
    name: str
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the table of facts."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the item table; `share` is its part of the width, `flush_right` is for quantities."""

    label: str
    share: float
    flush_right: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """One table: title, columns, rows of texts, and the last row with totals, if any."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    totals: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs: what as, name and post; the drawn signature as a PNG, and the moment it was signed in the system.

    Without `signed` a line is left for a pen.
    """

    role: str
    name: str
    post: str = ""
    signed: str = ""
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """An act, its words already in the language it is drawn in."""

    title: str
    number: str
    dated: str
    place: str = ""
    issuer: str = ""
    parties: Sequence[Party] = ()
    facts: Sequence[Fact] = ()
    intro: Sequence[str] = ()
    tables: Sequence[Rows] = ()
    text: Sequence[str] = ()
    pictures: Sequence[tuple[bytes, str]] = ()  # JPEG or PNG, and what it shows
    signatories: Sequence[Signatory] = ()
    check: str = ""
    link: str = ""
    landscape: bool = field(default=False)


def draw_act(act: Act, language: Language) -> bytes:
    """The act as a PDF. Fonts are embedded, text can be copied and searched."""
    out = BytesIO()
    size = landscape(A4) if act.landscape else A4
    document = BaseDocTemplate(
        out, pagesize=size, title=f"{act.title} {act.number}", author=act.issuer, lang=language, pageCompression=1
    )
    frame = Frame(
        MARGIN, FOOT, size[0] - 2 * MARGIN, size[1] - FOOT - 14 * mm,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    document.addPageTemplates([PageTemplate(id="act", frames=[frame])])
    story = list(_story(act, language, size[0] - 2 * MARGIN))
    document.build(story, canvasmaker=_canvas_of(act, language))
    return out.getvalue()


def save_act(*, actor: User, at: datetime, name: str, content: bytes) -> Document:
    """Keep a drawn act byte for byte, with its SHA-256."""
    return keep_document(actor=actor, at=at, kind=Document.Kind.REPORT, name=name, content=content)


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, str]:
    """Names of the plain and the bold font, and of their family."""
    plain, bold = load_font(Fonts().regular).fontName, load_font(Fonts().bold).fontName
    pdfmetrics.registerFontFamily(plain, normal=plain, bold=bold, italic=plain, boldItalic=bold)
    return plain, bold


def _style(size: float = 9, *, bold: bool = False, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        "act",
        fontName=_fonts()[bold],
        fontSize=size,
        leading=size * 1.35,
        **{"textColor": INK, **more},
    )


def _p(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


def _story(act: Act, language: Language, width: float) -> Sequence[Flowable]:
    story: list[Flowable] = []
    if act.issuer:
        story.append(_p(act.issuer, _style(9, textColor=QUIET, alignment=TA_CENTER, spaceAfter=3 * mm)))
    story.append(_p(f"{act.title} № {act.number}", _style(14, bold=True, alignment=TA_CENTER, spaceAfter=2 * mm)))
    if act.dated or act.place:
        row = [[_p(act.dated, _style()), _p(act.place, _style(alignment=TA_RIGHT))]]
        story += [LongTable(row, colWidths=[width / 2] * 2, style=_bare()), Spacer(1, 3 * mm)]
    if act.parties:
        story += [_parties(act.parties, width), Spacer(1, 3 * mm)]
    if act.facts:
        facts = [[_p(fact.label, _style(8.5, textColor=QUIET)), _p(fact.text, _style())] for fact in act.facts]
        story += [LongTable(facts, colWidths=[width * 0.3, width * 0.7], style=_bare()), Spacer(1, 3 * mm)]
    story += [_p(text, _style(spaceAfter=2 * mm)) for text in act.intro]
    for table in act.tables:
        story += _table(table, width, language)
    text: list[Flowable] = [_p(text, _style(spaceAfter=2 * mm)) for text in act.text]
    pictures = [_picture(content, caption, width) for content, caption in act.pictures]
    if not act.signatories:
        return [*story, *text, *pictures]
    signed: list[Flowable] = [Spacer(1, 4 * mm), _signatures(act.signatories, width, language)]
    # Nobody signs a page that says nothing: the last words go with the signatures.
    if pictures:
        return [*story, *text, *pictures, KeepTogether(signed)]
    return [*story, KeepTogether([*text, *signed])]


def _bare() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
    )


def _parties(parties: Sequence[Party], width: float) -> LongTable:
    cells = [
        [_p(side.role, _style(8.5, textColor=QUIET)), _p(side.name, _style(10, bold=True))]
        + [_p(line, _style(9)) for line in side.lines]
        for side in parties
    ]
    style: list[Any] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOX", (0, 0), (-1, -1), 0.5, RULE)]
    style.append(("LINEBEFORE", (1, 0), (-1, -1), 0.5, RULE))
    return LongTable([cells], colWidths=[width / len(cells)] * len(cells), style=TableStyle(style))


def _table(table: Rows, width: float, language: Language) -> list[Flowable]:
    """The table, with its head on every page it flows over."""
    shares = sum(column.share for column in table.columns)
    widths = [width * column.share / shares for column in table.columns]
    head = [
        _p(column.label, _style(8, bold=True, alignment=TA_RIGHT if column.flush_right else 0))
        for column in table.columns
    ]
    cell = [_style(8.5, alignment=TA_RIGHT if column.flush_right else 0) for column in table.columns]
    strong = [_style(8.5, bold=True, alignment=TA_RIGHT if column.flush_right else 0) for column in table.columns]
    # Short cells are drawn as plain strings: a thousand rows cost a tenth of what paragraphs do.
    fits = [share / 6.2 for share in widths]
    made: list[Flowable] = []
    if table.title:
        made.append(CondPageBreak(ROOM_FOR_A_TABLE))
        made.append(_p(table.title, _style(10.5, bold=True, spaceBefore=2 * mm, spaceAfter=1.5 * mm)))
    right = [number for number, column in enumerate(table.columns) if column.flush_right]
    blocks = [table.rows[at : at + ROWS_A_BLOCK] for at in range(0, len(table.rows), ROWS_A_BLOCK)] or [[]]
    for number, block in enumerate(blocks):
        body: list[list[Any]] = [
            [
                text if len(text) < fit and "\n" not in text else _p(text, style)
                for text, fit, style in zip(row, fits, cell, strict=True)
            ]
            for row in block
        ]
        style: list[Any] = [
            ("FONT", (0, 0), (-1, -1), _fonts()[0], 8.5, 11.5),
            ("TEXTCOLOR", (0, 0), (-1, -1), INK),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 1.6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
            ("BACKGROUND", (0, 0), (-1, 0), HEAD),
            *(("ALIGN", (column, 1), (column, -1), "RIGHT") for column in right),
            # Words after a quantity keep their distance from it.
            *(("LEFTPADDING", (number + 1, 0), (number + 1, -1), 9) for number in right if number + 1 not in right),
        ]
        if table.totals and number == len(blocks) - 1:
            totals: list[Any] = [_p(text, style_) for text, style_ in zip(table.totals, strong, strict=True)]
            for column in right:
                # A sum is longer than what it sums: an empty cell before it lends its room.
                if column and table.totals[column] and not table.totals[column - 1]:
                    totals[column - 1] = totals[column]
                    style.append(("SPAN", (column - 1, -1), (column, -1)))
            body.append(totals)
            style.append(("LINEABOVE", (0, -1), (-1, -1), 0.9, INK))
        made.append(LongTable([head, *body], colWidths=widths, repeatRows=1, style=TableStyle(style)))
    made.append(Spacer(1, 3 * mm))
    return made


def _picture(content: bytes, caption: str, width: float) -> Flowable:
    wide, high = ImageReader(BytesIO(content)).getSize()
    scale = min(width * 0.7 / wide, 90 * mm / high)
    picture = Image(BytesIO(content), wide * scale, high * scale)
    return KeepTogether([picture, _p(caption, _style(8, textColor=QUIET, alignment=TA_CENTER, spaceAfter=3 * mm))])


def _signatures(signatories: Sequence[Signatory], width: float, language: Language) -> LongTable:
    """Who signs, beneath one another: what as, the signature over its line, the name and post."""
    rows = []
    for one in signatories:
        signed: list[Flowable] = []
        if one.picture:
            wide, high = ImageReader(BytesIO(one.picture)).getSize()
            scale = min(width * 0.26 / wide, 14 * mm / high)
            signed.append(Image(BytesIO(one.picture), wide * scale, high * scale, mask="auto"))
        said = NO_PEN[language].format(moment=one.signed) if one.signed else NOT_SIGNED[language]
        signed.append(_p(said, _style(7.5, textColor=QUIET, alignment=TA_CENTER)))
        name = [_p(one.name or "_" * 24, _style(9, bold=True))]
        if one.post:
            name.append(_p(one.post, _style(8, textColor=QUIET)))
        rows.append([_p(one.role, _style(9)), signed, name])
    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 16),
        ("LINEBELOW", (1, 0), (1, -1), 0.6, INK),
        ("LEFTPADDING", (2, 0), (2, -1), 10),
    ]
    return LongTable(rows, colWidths=[width * 0.28, width * 0.32, width * 0.4], style=TableStyle(style))


def _canvas_of(act: Act, language: Language) -> type[Canvas]:
    """A canvas that draws the foot of every page once it knows how many there are."""

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802
            self._kept.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]

        def save(self) -> None:
            pages = len(self._kept)
            for page, kept in enumerate(self._kept, 1):
                self.__dict__.update(kept)
                _draw_foot(self, act, language, page, pages)
                super().showPage()
            super().save()

    return Numbered


def _draw_foot(canvas: Canvas, act: Act, language: Language, page: int, pages: int) -> None:
    width = landscape(A4)[0] if act.landscape else A4[0]
    right = width - MARGIN
    if act.link:
        _draw_qr(canvas, act.link, right - QR_SIDE, 8 * mm)
        right -= QR_SIDE + 3 * mm
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, FOOT - 3 * mm, right, FOOT - 3 * mm)
    canvas.setFont(_fonts()[0], 7.5)
    canvas.setFillColor(QUIET)
    canvas.drawString(MARGIN, FOOT - 7 * mm, f"{act.title} № {act.number}"[:90])
    canvas.drawRightString(right, FOOT - 7 * mm, PAGE_OF[language].format(page=page, pages=pages))
    if act.check:
        canvas.drawString(MARGIN, FOOT - 11 * mm, CHECK[language].format(check=act.check))


def _draw_qr(canvas: Canvas, text: str, left: float, bottom: float) -> None:
    image = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(
        scale=1, add_quiet_zones=False
    )
    modules = image.shape[0]
    # The image has the buffer protocol, though its type does not say so.
    dark = memoryview(cast("Any", image)).cast("B")
    side = QR_SIDE / modules
    canvas.setFillColor(INK)
    for row in range(modules):
        start = None
        for column in range(modules + 1):
            is_dark = column < modules and not dark[row * modules + column]
            if is_dark and start is None:
                start = column
            elif not is_dark and start is not None:
                y = bottom + (modules - 1 - row) * side
                canvas.rect(left + start * side, y, (column - start) * side, side, stroke=0, fill=1)
                start = None
