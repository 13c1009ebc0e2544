"""Labels of boxes, pallets and shelves, 100 x 150 mm, one a page: SSCC as GS1-128 and QR, the seal, what is inside.

Pure drawing: words come translated. The bars are those of the GS1 General Specifications, section 5.4: FNC1, the
application identifier 00 and eighteen digits, 0.5 mm a module, quiet zones on both sides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import zxingcpp
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from core.base.fonts import MONO as MONO_FILE
from core.base.fonts import Fonts, load_font

PLAIN, BOLD, MONO = (load_font(path).fontName for path in (Fonts().regular, Fonts().bold, MONO_FILE))
WIDTH, HEIGHT = 100 * mm, 150 * mm
LEFT, RIGHT = 6 * mm, WIDTH - 6 * mm
FNC1 = "\xf1"
# 13 mm of quiet zone and 156 modules of 0.5 mm lie inside the 100 mm.
MODULE = 0.5 * mm
BARS = 32 * mm


@dataclass(frozen=True, slots=True)
class BoxLabel:
    """What one label says. `kind` is "Box" or "Pallet"; `lines` are label and text of each fact."""

    registry: str
    kind: str
    sscc: str
    shown: str
    keeper: str
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ShelfLabel:
    """A shelf: its code large, its store, and the number that a scanner reads."""

    store: str
    code: str
    name: str
    number: str


def draw_box_labels(labels: Iterable[BoxLabel]) -> bytes:
    """One page for each label."""
    canvas, out = _canvas()
    for label in labels:
        _draw_box(canvas, label)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def draw_shelf_labels(labels: Iterable[ShelfLabel]) -> bytes:
    """One page for each shelf: read from a trolley as well as by hand."""
    canvas, out = _canvas()
    for label in labels:
        _text(canvas, label.store, LEFT, HEIGHT - 14 * mm, PLAIN, 11)
        _text(canvas, label.code, LEFT, HEIGHT - 42 * mm, BOLD, 54)
        _text(canvas, label.name, LEFT, HEIGHT - 54 * mm, PLAIN, 14)
        _qr(canvas, label.number, LEFT + 14 * mm, 22 * mm, 60 * mm)
        _text(canvas, label.number, LEFT, 10 * mm, MONO, 14)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _canvas() -> tuple[Canvas, BytesIO]:
    out = BytesIO()
    return Canvas(out, pagesize=(WIDTH, HEIGHT), pageCompression=1), out


def _draw_box(canvas: Canvas, label: BoxLabel) -> None:
    _text(canvas, label.registry, LEFT, HEIGHT - 9 * mm, PLAIN, 8)
    _text(canvas, label.kind, LEFT, HEIGHT - 20 * mm, BOLD, 24, RIGHT - LEFT - 36 * mm)
    _text(canvas, label.keeper, LEFT, HEIGHT - 41 * mm, PLAIN, 10)
    _qr(canvas, f"00{label.sscc}", RIGHT - 32 * mm, HEIGHT - 36 * mm, 32 * mm)
    canvas.setLineWidth(1)
    canvas.line(LEFT, HEIGHT - 44 * mm, RIGHT, HEIGHT - 44 * mm)
    y = HEIGHT - 51 * mm
    for name, said in label.lines[:8]:
        _text(canvas, name, LEFT, y, PLAIN, 8.5, 27 * mm)
        _text(canvas, said, LEFT + 29 * mm, y, BOLD, 10.5, RIGHT - LEFT - 29 * mm)
        y -= 6.4 * mm
    canvas.line(LEFT, 52 * mm, RIGHT, 52 * mm)
    bars = Code128(f"{FNC1}00{label.sscc}", barWidth=MODULE, barHeight=BARS, quiet=False, humanReadable=False)
    bars.drawOn(canvas, (WIDTH - cast("Any", bars).width) / 2, 16 * mm)
    _text(canvas, label.shown, None, 8 * mm, MONO, 13)


def _text(
    canvas: Canvas, text: str, left: float | None, y: float, font: str, size: float, room: float = RIGHT - LEFT
) -> None:
    """One line, shrunk to its room and cut where it is still too wide; in the middle where `left` is None."""
    width = pdfmetrics.stringWidth(text, font, size)
    if width > room:
        size = max(size * room / width, size * 0.6)
        while text and pdfmetrics.stringWidth(text + "…", font, size) > room:
            text = text[:-1]
            if pdfmetrics.stringWidth(text + "…", font, size) <= room:
                text += "…"
                break
    canvas.setFont(font, size)
    if left is None:
        canvas.drawCentredString(WIDTH / 2, y, text)
    else:
        canvas.drawString(left, y, text)


def _qr(canvas: Canvas, text: str, left: float, bottom: float, side: float) -> None:
    """The symbol with its quiet zone inside a square, dark runs as one rectangle each."""
    image = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(
        scale=1, add_quiet_zones=True
    )
    modules = image.shape[0]
    light = memoryview(cast("Any", image)).cast("B")
    module = side / modules
    for row in range(modules):
        start = None
        for column in range(modules + 1):
            dark = column < modules and not light[row * modules + column]
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                y = bottom + (modules - 1 - row) * module
                canvas.rect(left + start * module, y, (column - start) * module, module, stroke=0, fill=1)
                start = None
