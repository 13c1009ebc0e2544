"""Labels in ZPL II, the language of Zebra printers and of most label printers that speak like them.

Two ways. By commands: the printer draws the symbols itself (^BQ, ^BX, ^BC) and writes plain Latin text in its own font
(^A0 under ^CI28); a text with a letter outside ASCII, Kazakh letters among them, is sent as a small picture, because
which letters the printer's font has depends on its firmware. As a picture: the whole label, dot for dot (^GFA), for
printers whose symbols are not to be trusted.
"""

import base64
import binascii
import io
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import BinaryIO, Literal

import pypdfium2 as pdfium
from PIL import Image, ImageChops

from marking.labels.drawing import Drawn, Fonts, Label, LabelError, Pencil, Placed, Print, place_symbols
from marking.labels.geometry import MM_PER_INCH, POINTS_PER_MM, Line, Profile, lay_out
from marking.labels.pdf import MissingGlyphError
from marking.labels.raster import PAPER, page_dots, raster_pages, whole_dots

ZplWay = Literal["commands", "picture"]


def draw_zpl(
    out: BinaryIO,
    profile: Profile,
    labels: Iterable[Label],
    fonts: Fonts,
    *,
    how: Print,
    way: ZplWay = "commands",
    start: int = 1,
    on_page: Callable[[int], None] | None = None,
) -> Drawn:
    """Write one format (^XA … ^XZ) for each page of the roll. Raises LabelError; ValueError for sheets."""
    if not profile.is_roll:
        raise ValueError("a printer of labels takes rolls")
    head = head_of(profile, how)
    drawn = pages = 0
    if way == "picture":
        for picture, on in raster_pages(profile, labels, fonts, how=how, start=start):
            _write(out, head, ["^FO0,0" + graphic(picture)])
            drawn, pages = drawn + len(on), pages + 1
            if on_page is not None:
                on_page(drawn)
        return Drawn(drawn, pages)
    typist = _Typist(profile, fonts, how)
    position, fields = start - 1, list[str]()
    for label in labels:
        if position == profile.per_page:
            _write(out, head, fields)
            pages, position, fields = pages + 1, 0, []
            if on_page is not None:
                on_page(drawn)
        fields += typist.fields(label, position)
        position, drawn = position + 1, drawn + 1
    if fields:
        _write(out, head, fields)
        pages += 1
        if on_page is not None:
            on_page(drawn)
    return Drawn(drawn, pages)


def head_of(profile: Profile, how: Print) -> str:
    """^CI28: texts are UTF-8; ^PW and ^LL: width and length in dots; ^LH, ^LS and ^LT: nothing left from before."""
    width, length = page_dots(profile.page_width, how.dpi), page_dots(profile.page_height, how.dpi)
    return f"^XA^CI28^PW{width}^LL{length}^LH0,0^LS0^LT0\n"


def _write(out: BinaryIO, head: str, fields: list[str]) -> None:
    out.write((head + "\n".join(fields) + "\n^PQ1^XZ\n").encode())


def graphic(picture: Image.Image) -> str:
    """A picture as ^GFA: rows of whole bytes, a dark dot 1, packed by zlib and in base 64 with its CRC-16 (Z64)."""
    rows = (picture.width + 7) // 8
    padded = Image.new("1", (rows * 8, picture.height), 1)
    padded.paste(picture, (0, 0))
    bits = ImageChops.invert(padded.convert("L")).convert("1").tobytes()
    coded = base64.b64encode(zlib.compress(bits, 9))
    return f"^GFA,{len(bits)},{len(bits)},{rows},:Z64:{coded.decode()}:{binascii.crc_hqx(coded, 0):04X}^FS"


class _Typist:
    """Turns labels into fields of one kind of stock."""

    def __init__(self, profile: Profile, fonts: Fonts, how: Print) -> None:
        self._profile, self._fonts, self._how = profile, fonts, how
        self._per_mm = how.dpi / MM_PER_INCH
        # The printer's font is narrower than ours: what fits in ours fits in it.
        self._pencil = Pencil(io.BytesIO(), profile, fonts, how=how, title="", language="")
        self._typed = lru_cache(maxsize=4096)(self._type)

    def fields(self, label: Label, position: int) -> list[str]:
        left, top = self._profile.corner(position)
        x = self._how.dots(left) + self._how.dots(self._how.move_x)
        y = self._how.dots(top) + self._how.dots(self._how.move_y)
        made = [self._symbol(placed, x, y) for placed in place_symbols(label, self._profile, self._how)]
        layout = lay_out(self._profile, self._how.symbols, bilingual=bool(label.second))
        if layout.fold:
            made.append(
                f"^FO{x},{y + self._how.dots(layout.fold)}^GB{self._how.dots(self._profile.label_width)},1,1^FS"
            )
        try:
            for line in layout.lines:
                if text := getattr(label, line.field):
                    across, down, coded = self._typed(line, text)
                    made.append(f"^FO{x + across},{y + down}{coded}")
        except MissingGlyphError as missing:
            raise LabelError(label, "glyph", missing.character) from None
        return made

    def _symbol(self, placed: Placed, x: int, y: int) -> str:
        at = f"^FO{x + placed.x},{y + placed.y}"
        if placed.room.kind == "qr":
            return f"{at}^BQN,2,{placed.dots}^FD{self._profile.error_correction}A,{placed.text}^FS"
        if placed.room.kind == "datamatrix":
            return f"{at}^BXN,{placed.dots},200^FD{placed.text}^FS"
        digits = placed.text.replace("(", "").replace(")", "")
        # >; begins in digits by twos, >8 is FNC1.
        return f"{at}^BY{placed.dots}^BCN,{placed.height},N,N,N,N^FD>;>8{digits}^FS"

    def _type(self, line: Line, text: str) -> tuple[int, int, str]:
        """Where a line begins in dots from the label's corner, and its field: written by the printer, or a picture."""
        fitted = self._pencil.fit(line, text)
        if fitted.text.isascii() and not set(fitted.text) & set("^~\\_"):
            high = round(fitted.size / POINTS_PER_MM * self._per_mm)
            across, down = round(fitted.left * self._per_mm), round(line.baseline * self._per_mm - high * 0.76)
            return (
                across,
                down,
                f"^A0N,{high},{_narrow(fitted.text, fitted.width, high, self._per_mm)}^FD{fitted.text}^FS",
            )
        picture, across, down = self._picture(line, text)
        return across, down, graphic(picture)

    def _picture(self, line: Line, text: str) -> tuple[Image.Image, int, int]:
        stock = whole_dots(self._profile, self._how.dpi)
        out = io.BytesIO()
        pencil = Pencil(out, stock, self._fonts, how=self._how, title="", language="")
        height = stock.page_height * POINTS_PER_MM
        pencil.finish_page([b"1 0 0 1 0 %.3f cm\n" % height, pencil.write_line(line, text).encode("ascii")])
        pencil.document.close()
        document = pdfium.PdfDocument(out.getvalue())
        try:
            grey = document[0].render(scale=self._how.dpi / 72, grayscale=True).to_pil()
        finally:
            document.close()
        ink = grey.point(lambda level: 255 * (level < PAPER)).getbbox() or (0, 0, 1, 1)
        return grey.crop(ink).point(lambda level: 255 * (level >= PAPER), "1"), ink[0], ink[1]


def _narrow(text: str, width: float, high: int, per_mm: float) -> int:
    """The width of a letter of font 0 for a text that must not be wider than ours: at most as its height says."""
    return max(1, min(high, int(width * per_mm / len(text) / 0.5)))
