"""Draws labels into a PDF: each symbol as a mask of one bit a module, the texts around it.

Every module is a whole number of printer dots and every symbol begins on a dot, counted from the page's top
left corner, so that a printer of that resolution prints each module equally wide.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import zxingcpp

from marking.labels.geometry import (
    BARS_MODULE_MM,
    MM_PER_INCH,
    POINTS_PER_MM,
    QUIET,
    Face,
    Kind,
    Line,
    Profile,
    Room,
    lay_out,
    module_dots,
)
from marking.labels.masks import MASKS, penalty
from marking.labels.pdf import Font, MissingGlyphError, PdfWriter

_ELLIPSIS = "…"
_TO_BITS = bytes([0x30]) + bytes([0x31]) * 255  # a dark module, 0, is the digit 0; a mask paints its zeros


# Points by which a symbol stays inside its dots: less than any printer sees, more than numbers are rounded by, so that
# no program that draws the page takes it for a dot wider.
_INSIDE = 0.003


@dataclass(frozen=True, slots=True)
class Label:
    """One label as printed. `symbol` is the text of the main symbol; `sscc` the eighteen digits of a box.

    The others are what people read: `term` in the first language of the label, `second` in the second; `hidden` is the
    code for under the flap, on stock that has one.
    """

    symbol: str
    code: str
    number: str
    term: str
    mass: str
    dated: str
    caption: str = ""
    second: str = ""
    sscc: str = ""
    hidden: str = ""

    @property
    def said(self) -> str:
        """The number under the bars, as people read it."""
        return f"(00) {self.sscc}" if self.sscc else ""

    def text_of(self, room: Room) -> str:
        """What the symbol of this room carries; empty where this label has none."""
        if room.kind == "bars":
            return f"(00){self.sscc}" if self.sscc else ""
        return self.code.replace("-", "") if room.code_alone else self.symbol


@dataclass(frozen=True, slots=True)
class Print:
    """How labels are printed: dots an inch, which symbols, and by how many millimetres the printer is to be moved."""

    dpi: int
    symbols: str = "qr"
    move_x: float = 0.0
    move_y: float = 0.0

    def dots(self, millimetres: float) -> int:
        """The nearest whole number of printer dots."""
        return round(millimetres * self.dpi / MM_PER_INCH)


@dataclass(frozen=True, slots=True)
class Fonts:
    """Font files, TrueType with the letters of every language in use."""

    regular: Path
    bold: Path
    mono: Path
    mono_bold: Path


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was written."""

    labels: int
    pages: int


class LabelError(ValueError):
    """`label` cannot be printed; `reason` says why: symbol, room, glyph, unreadable or key."""

    def __init__(self, label: Label, reason: str, detail: str = "") -> None:
        super().__init__(f"{label.number}: {reason} {detail}".strip())
        self.label = label
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol without quiet zone: its modules, and rows packed to whole bytes, dark modules 0."""

    width: int
    height: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """A symbol at its place on a label: its upper left module and its size, all in printer dots."""

    room: Room
    text: str
    symbol: Symbol
    x: int
    y: int
    dots: int
    height: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text as it fits its line: size in points, left edge and width in millimetres."""

    text: str
    size: float
    left: float
    width: float


def draw_symbol(text: str, kind: Kind, error_correction: str = "") -> Symbol:
    """The symbol of this text (ISO/IEC 18004, 16022, GS1-128). ValueError when the text does not fit any symbol."""
    if kind == "qr":
        level = {"ec_level": error_correction}
        drawn = [_modules(text, zxingcpp.BarcodeFormat.QRCode, **level, data_mask=mask) for mask in MASKS]
        digits, height, width = min(drawn, key=lambda one: penalty(one[0], one[1]))
    elif kind == "datamatrix":
        digits, height, width = _modules(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    else:
        digits, _height, width = _modules(text, zxingcpp.BarcodeFormat.Code128, gs1=True)
        height = 1
    padding = b"1" * (-width % 8)
    bits = b"".join([digits[at : at + width] + padding for at in range(0, width * height, width)])
    return Symbol(width, height, int(bits, 2).to_bytes(len(bits) // 8, "big"))


def _modules(text: str, form: zxingcpp.BarcodeFormat, **options: Any) -> tuple[bytes, int, int]:
    """The modules row by row, dark "0" and light "1", and how many rows and columns they are."""
    image = zxingcpp.create_barcode(text, form, **options).to_image(scale=1, add_quiet_zones=False)
    height, width = image.shape
    # The image has the buffer protocol, though its type does not say so.
    return bytes(cast("memoryview", image)).translate(_TO_BITS), height, width


def place_symbols(label: Label, profile: Profile, how: Print) -> list[Placed]:
    """Every symbol of a label at its place, in dots from the label's corner. Raises LabelError."""
    placed = []
    for room in lay_out(profile, how.symbols, bilingual=bool(label.second)).rooms:
        text = label.text_of(room)
        if not text:
            continue
        try:
            symbol = draw_symbol(text, room.kind, profile.error_correction)
        except ValueError as error:
            raise LabelError(label, "symbol", str(error)) from None
        placed.append(_place(label, room, text, symbol, how.dpi))
    return placed


def _place(label: Label, room: Room, text: str, symbol: Symbol, dpi: int) -> Placed:
    quiet = QUIET[room.kind]
    width, left = room.width, room.left
    if room.kind == "bars":
        width = min(room.width, BARS_MODULE_MM * (symbol.width + 2 * quiet))
        left += (room.width - width) / 2
    dots = module_dots(width, symbol.width, quiet, dpi)
    if not dots:
        raise LabelError(label, "room", str(symbol.width))
    per_mm = dpi / MM_PER_INCH
    height = round(room.height * per_mm) if room.kind == "bars" else dots * symbol.height
    x = round(left * per_mm) + int((width * per_mm - dots * symbol.width) / 2)
    y = round(room.top * per_mm) + int((room.height * per_mm - height) / 2)
    return Placed(room, text, symbol, x, y, dots, height)


def draw_labels(
    out: BinaryIO,
    profile: Profile,
    labels: Iterable[Label],
    fonts: Fonts,
    *,
    how: Print,
    title: str,
    language: str,
    start: int = 1,
    on_page: Callable[[int], None] | None = None,
) -> Drawn:
    """Write the labels as one PDF and return what was written; memory does not grow with their number.

    `start` is the first free position of a used sheet, from 1. `on_page` is told after each page how many
    labels are drawn. Raises LabelError naming the first label that cannot be printed; the file is then
    incomplete.
    """
    if not 1 <= start <= profile.per_page:
        raise ValueError("the start position is not on the sheet")
    pencil = Pencil(out, profile, fonts, how=how, title=title, language=language)
    position, drawn = start - 1, 0
    parts: list[bytes] = []
    for label in labels:
        if position == profile.per_page:
            pencil.finish_page(parts)
            if on_page is not None:
                on_page(drawn)
            position, parts = 0, []
        parts.append(pencil.draw(label, position))
        position += 1
        drawn += 1
    if parts:
        pencil.finish_page(parts)
    pencil.document.close()
    if on_page is not None and parts:
        on_page(drawn)
    return Drawn(drawn, pencil.document.pages)


class Pencil:
    """Turns labels into content operators of one document."""

    def __init__(self, out: BinaryIO, profile: Profile, fonts: Fonts, *, how: Print, title: str, language: str) -> None:
        size = (profile.page_width * POINTS_PER_MM, profile.page_height * POINTS_PER_MM)
        self.document = PdfWriter(out, size, title=title, language=language)
        self._profile = profile
        self._how = how
        self._dot = 72 / how.dpi
        self._paths = {
            "regular": fonts.regular,
            "bold": fonts.bold,
            "mono": fonts.mono,
            "mono_bold": fonts.mono_bold,
        }
        layout = lay_out(profile, how.symbols, bilingual=True)
        used = {line.face for line in layout.lines}
        down = -how.dots(layout.fold) * self._dot
        across = profile.label_width * POINTS_PER_MM
        # A hair of one dot shows where the cover begins.
        self._fold = b"%.3f w 0 %.3f m %.3f %.3f l S\n" % (self._dot, down, across, down) if layout.fold else b""
        self._fonts: dict[Face, Font] = {
            face: self.document.add_font(path) for face, path in cast("Any", self._paths).items() if face in used
        }
        self._written = lru_cache(maxsize=4096)(self.write_line)
        self._repeated: dict[tuple[Line, str], str] = {}

    def finish_page(self, parts: list[bytes]) -> None:
        self.document.add_page(b"".join(parts))

    def draw(self, label: Label, position: int) -> bytes:
        """The operators of one label; the origin is moved to its top left corner."""
        left, top = self._profile.corner(position)
        # Whole dots from the page's top left corner.
        x = (self._how.dots(left) + self._how.dots(self._how.move_x)) * self._dot
        down = self._how.dots(top) + self._how.dots(self._how.move_y)
        y = self._profile.page_height * POINTS_PER_MM - down * self._dot
        symbols = b"".join([self._paint(placed) for placed in place_symbols(label, self._profile, self._how)])
        lines = lay_out(self._profile, self._how.symbols, bilingual=bool(label.second)).lines
        try:
            text = "".join([self._write(line, getattr(label, line.field)) for line in lines])
        except MissingGlyphError as missing:
            raise LabelError(label, "glyph", missing.character) from None
        return b"q 1 0 0 1 %.3f %.3f cm\n%b%b%bQ\n" % (x, y, symbols, self._fold, text.encode("ascii"))

    def _paint(self, placed: Placed) -> bytes:
        symbol = placed.symbol
        width, height = placed.dots * symbol.width * self._dot, placed.height * self._dot
        return b"q %.3f 0 0 %.3f %.3f %.3f cm BI/W %d/H %d/BPC 1/IM true/L %d ID %b\nEI Q\n" % (
            width - 2 * _INSIDE, height - 2 * _INSIDE,
            placed.x * self._dot + _INSIDE, -placed.y * self._dot - height + _INSIDE,
            symbol.width, symbol.height, len(symbol.packed), symbol.packed,
        )  # fmt: skip

    def _write(self, line: Line, text: str) -> str:
        """The operators of one line: its own, or a reference to the same text written before."""
        if not text:
            return ""
        if not line.repeated:
            return self._written(line, text)
        name = self._repeated.get((line, text))
        if name is None:
            height = -self._profile.label_height * POINTS_PER_MM
            box = (0, height, self._profile.label_width * POINTS_PER_MM, 0)
            name = self.document.add_form(box, self._written(line, text).encode("ascii"))
            self._repeated[line, text] = name
        return f"{name} Do\n"

    def write_line(self, line: Line, text: str) -> str:
        """The operators that show this text, shrunk and cut until it fits the line. Raises MissingGlyphError."""
        fitted = self.fit(line, text)
        font = self._fonts[line.face]
        x, y = fitted.left * POINTS_PER_MM, -line.baseline * POINTS_PER_MM
        return f"BT{font.resource} {fitted.size:g} Tf {x:.2f} {y:.2f} Td{font.encode(fitted.text)}Tj ET\n"

    def fit(self, line: Line, text: str) -> Fitted:
        """The text as it fits the line. Raises MissingGlyphError."""
        font = self._fonts[line.face]
        room = (line.right - line.left) * POINTS_PER_MM
        width = font.width(text, 1)
        size = min(line.size, max(line.least, int(room / width * 20) / 20))
        while width * size > room and len(text) > 1:
            text = text.removesuffix(_ELLIPSIS)[:-1].rstrip() + _ELLIPSIS
            width = font.width(text, 1)
        left = line.right - width * size / POINTS_PER_MM if line.flush_right else line.left
        return Fitted(text, size, left, width * size / POINTS_PER_MM)
