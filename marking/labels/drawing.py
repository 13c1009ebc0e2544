"""Draws labels into a PDF: the symbol as a mask of one bit a module, the texts around it.

Every module is a whole number of printer dots and every symbol begins on a dot, counted from the page's top
left corner, so that a printer of that resolution prints each module equally wide.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import zxingcpp

from marking.labels.geometry import MM_PER_INCH, QUIET_MODULES, Face, Line, Profile, module_dots
from marking.labels.pdf import Font, MissingGlyphError, PdfWriter

POINTS_PER_MM = 72 / MM_PER_INCH
_ELLIPSIS = "…"
_TO_BITS = bytes([0x30]) + bytes([0x31]) * 255  # a dark module, 0, is the digit 0; a mask paints its zeros


@dataclass(frozen=True, slots=True)
class Label:
    """One label as printed. `symbol` is the text of the QR symbol; the others are what people read."""

    symbol: str
    code: str
    number: str
    term: str
    mass: str
    dated: str
    caption: str = ""


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
    """`label` cannot be printed; `reason` says why: symbol, room, glyph or unreadable."""

    def __init__(self, label: Label, reason: str, detail: str = "") -> None:
        super().__init__(f"{label.number}: {reason} {detail}".strip())
        self.label = label
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Symbol:
    """A QR symbol without quiet zone: modules a side, and rows packed to whole bytes, dark modules 0."""

    modules: int
    packed: bytes


def draw_symbol(text: str, error_correction: str) -> Symbol:
    """The QR symbol of this text (ISO/IEC 18004). ValueError when the text does not fit any symbol."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=error_correction)
    image = barcode.to_image(scale=1, add_quiet_zones=False)
    modules: int = image.shape[0]
    # The image has the buffer protocol, though its type does not say so.
    digits = bytes(cast("memoryview", image)).translate(_TO_BITS)
    padding = b"1" * (-modules % 8)
    bits = b"".join([digits[at : at + modules] + padding for at in range(0, modules * modules, modules)])
    return Symbol(modules, int(bits, 2).to_bytes(len(bits) // 8, "big"))


def draw_labels(
    out: BinaryIO,
    profile: Profile,
    labels: Iterable[Label],
    fonts: Fonts,
    *,
    dpi: int,
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
    pencil = _Pencil(out, profile, fonts, dpi=dpi, title=title, language=language)
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


class _Pencil:
    """Turns labels into content operators of one document."""

    def __init__(self, out: BinaryIO, profile: Profile, fonts: Fonts, *, dpi: int, title: str, language: str) -> None:
        size = (profile.page_width * POINTS_PER_MM, profile.page_height * POINTS_PER_MM)
        self.document = PdfWriter(out, size, title=title, language=language)
        self._profile = profile
        self._dpi = dpi
        self._dot = 72 / dpi
        used = {line.face for line in profile.lines}
        self._fonts: dict[Face, Font] = {
            face: self.document.add_font(path)
            for face, path in (
                ("regular", fonts.regular),
                ("bold", fonts.bold),
                ("mono", fonts.mono),
                ("mono_bold", fonts.mono_bold),
            )
            if face in used
        }
        self._fit = lru_cache(maxsize=4096)(self._fit_line)
        self._repeated: dict[tuple[Line, str], str] = {}

    def finish_page(self, parts: list[bytes]) -> None:
        self.document.add_page(b"".join(parts))

    def draw(self, label: Label, position: int) -> bytes:
        """The operators of one label; the origin is moved to its top left corner."""
        left, top = self._profile.corner(position)
        # Whole dots from the page's top left corner.
        x = round(left * POINTS_PER_MM / self._dot) * self._dot
        y = self._profile.page_height * POINTS_PER_MM - round(top * POINTS_PER_MM / self._dot) * self._dot
        symbol = self._draw_symbol(label)
        try:
            text = "".join([self._write(line, getattr(label, line.field)) for line in self._profile.lines])
        except MissingGlyphError as missing:
            raise LabelError(label, "glyph", missing.character) from None
        return b"q 1 0 0 1 %.3f %.3f cm\n%b%bQ\n" % (x, y, symbol, text.encode("ascii"))

    def _draw_symbol(self, label: Label) -> bytes:
        try:
            symbol = draw_symbol(label.symbol, self._profile.error_correction)
        except ValueError as error:
            raise LabelError(label, "symbol", str(error)) from None
        dots = module_dots(self._profile, symbol.modules, self._dpi)
        if not dots:
            raise LabelError(label, "room", str(symbol.modules))
        room = self._profile.room * POINTS_PER_MM / self._dot
        inset = int((room - dots * (symbol.modules + 2 * QUIET_MODULES)) / 2) + dots * QUIET_MODULES
        side = dots * symbol.modules * self._dot
        x = (round(self._profile.room_left * POINTS_PER_MM / self._dot) + inset) * self._dot
        y = -(round(self._profile.room_top * POINTS_PER_MM / self._dot) + inset) * self._dot - side
        return b"q %.3f 0 0 %.3f %.3f %.3f cm BI/W %d/H %d/BPC 1/IM true/L %d ID %b\nEI Q\n" % (
            side, side, x, y, symbol.modules, symbol.modules, len(symbol.packed), symbol.packed,
        )  # fmt: skip

    def _write(self, line: Line, text: str) -> str:
        """The operators of one line: its own, or a reference to the same text written before."""
        if not text:
            return ""
        if not line.repeated:
            return self._fit(line, text)
        name = self._repeated.get((line, text))
        if name is None:
            height = -self._profile.label_height * POINTS_PER_MM
            box = (0, height, self._profile.label_width * POINTS_PER_MM, 0)
            name = self.document.add_form(box, self._fit(line, text).encode("ascii"))
            self._repeated[line, text] = name
        return f"{name} Do\n"

    def _fit_line(self, line: Line, text: str) -> str:
        """The operators that show this text, shrunk and cut until it fits the line."""
        font = self._fonts[line.face]
        room = (line.right - line.left) * POINTS_PER_MM
        width = font.width(text, 1)
        size = min(line.size, max(line.least, int(room / width * 20) / 20))
        while width * size > room and len(text) > 1:
            text = text.removesuffix(_ELLIPSIS)[:-1].rstrip() + _ELLIPSIS
            width = font.width(text, 1)
        x = (line.right * POINTS_PER_MM - width * size) if line.flush_right else line.left * POINTS_PER_MM
        y = -line.baseline * POINTS_PER_MM
        return f"BT{font.resource} {size:g} Tf {x:.2f} {y:.2f} Td{font.encode(text)}Tj ET\n"
