"""The calibration page of a printer: a cross, two rulers, the corners of every label, symbols of one to six dots.

A person measures how far the cross is from the edges of the paper and how long the rulers came out.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium

from marking.labels.drawing import Fonts, Print, draw_symbol
from marking.labels.geometry import MM_PER_INCH, POINTS_PER_MM, QUIET_MODULES, Profile
from marking.labels.pdf import Font, PdfWriter
from marking.labels.raster import PAPER, whole_dots
from marking.labels.zpl import graphic, head_of

# Said by the test symbols: short, so that they stay small.
TEST_TEXT = "SAIGA TEST"


@dataclass(frozen=True, slots=True)
class Due:
    """Where the cross should be from the paper's left and upper edge, and how long the rulers should be, in mm."""

    left: int
    top: int
    x: int
    y: int


def due_on(profile: Profile) -> Due:
    """What the calibration page of this stock measures when the printer is true."""
    large = min(profile.page_width, profile.page_height) >= 90
    left = top = 20 if large else 5
    x = int((profile.page_width - left - 3) // 10 * 10)
    y = int((profile.page_height - top - 3) // 10 * 10)
    return Due(left, top, min(x, 150), min(y, 200))


def draw_calibration(profile: Profile, fonts: Fonts, *, how: Print, said: Sequence[str], language: str) -> bytes:
    """The page as PDF, printed with the offsets in force; `said` are the lines written on it."""
    out = io.BytesIO()
    size = (profile.page_width * POINTS_PER_MM, profile.page_height * POINTS_PER_MM)
    document = PdfWriter(out, size, title=said[0] if said else "", language=language)
    font = document.add_font(fonts.regular)
    due = due_on(profile)
    dot = 72 / how.dpi
    x, y = how.dots(how.move_x) * dot, size[1] - how.dots(how.move_y) * dot
    parts = [f"1 0 0 1 {x:.3f} {y:.3f} cm 0.25 w\n", *_corners(profile), *_rulers(due, font)]
    contents = "".join(parts).encode("ascii")
    if profile.page_width >= 90:
        contents += _symbols(due, how)
    contents += "".join(_texts(due, profile, font, said)).encode("ascii")
    document.add_page(contents)
    document.close()
    return out.getvalue()


def draw_calibration_zpl(profile: Profile, fonts: Fonts, *, how: Print, said: Sequence[str], language: str) -> bytes:
    """The same page for a label printer, as one picture."""
    pdf = draw_calibration(whole_dots(profile, how.dpi), fonts, how=how, said=said, language=language)
    document = pdfium.PdfDocument(pdf)
    try:
        grey = document[0].render(scale=how.dpi / 72, grayscale=True).to_pil()
    finally:
        document.close()
    picture = grey.point(lambda level: 255 * (level >= PAPER), "1")
    return f"{head_of(profile, how)}^FO0,0{graphic(picture)}\n^PQ1^XZ\n".encode()


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line between two points in millimetres from the upper left corner."""
    return "{:.3f} {:.3f} m {:.3f} {:.3f} l S\n".format(
        *(edge * sign * POINTS_PER_MM for edge, sign in ((x1, 1), (y1, -1), (x2, 1), (y2, -1)))
    )


def _corners(profile: Profile) -> list[str]:
    """Marks of 2 mm at the corners of every label."""
    made = []
    for position in range(profile.per_page):
        left, top = profile.corner(position)
        for x, across in ((left, 2), (left + profile.label_width, -2)):
            for y, down in ((top, 2), (top + profile.label_height, -2)):
                made += [_line(x, y, x + across, y), _line(x, y, x, y + down)]
    return made


def _rulers(due: Due, font: Font) -> list[str]:
    """A cross, and from it a ruler to the right and one downwards, with a stroke at each millimetre."""
    made = [
        _line(due.left - 4, due.top, due.left + due.x, due.top),
        _line(due.left, due.top - 4, due.left, due.top + due.y),
    ]
    for at in range(due.x + 1):
        long = 3 if at % 10 == 0 else 2 if at % 5 == 0 else 1
        made.append(_line(due.left + at, due.top, due.left + at, due.top + long))
        if at % 10 == 0 and at:
            made.append(_write(font, str(at), 5, due.left + at - 1.8, due.top + 5))
    for at in range(due.y + 1):
        long = 3 if at % 10 == 0 else 2 if at % 5 == 0 else 1
        made.append(_line(due.left, due.top + at, due.left + long, due.top + at))
        if at % 10 == 0 and at:
            made.append(_write(font, str(at), 5, due.left + 3.4, due.top + at + 0.6))
    return made


def _symbols(due: Due, how: Print) -> bytes:
    """The test symbol with modules of two to six dots: the smallest that a phone reads is the finest to print."""
    symbol = draw_symbol(TEST_TEXT, "qr", "M")
    dot, x, made = 72 / how.dpi, float(due.left + 10), b""
    for dots in range(2, 7):
        side = dots * symbol.width * dot
        left = how.dots(x) * dot
        top = how.dots(due.top + 34) * dot
        made += b"q %.3f 0 0 %.3f %.3f %.3f cm BI/W %d/H %d/BPC 1/IM true/L %d ID %b\nEI Q\n" % (
            side, side, left, -top - side, symbol.width, symbol.height, len(symbol.packed), symbol.packed,
        )  # fmt: skip
        x += dots * (symbol.width + 2 * QUIET_MODULES) * MM_PER_INCH / how.dpi
    return made


def _texts(due: Due, profile: Profile, font: Font, said: Sequence[str]) -> list[str]:
    left, room = due.left + 8, profile.page_width - due.left - 10
    small = profile.page_width < 90
    made, y = [], due.top + (9.0 if small else 13.0)
    for line in said:
        size = min(4.6 if small else 9, room * POINTS_PER_MM / max(font.width(line, 1), 0.1))
        if y < profile.page_height - 1:
            made.append(_write(font, line, size, left, y))
        y += size / POINTS_PER_MM * 1.4
    return made


def _write(font: Font, text: str, size: float, x: float, y: float) -> str:
    at = f"{x * POINTS_PER_MM:.2f} {-y * POINTS_PER_MM:.2f}"
    return f"BT{font.resource} {size:.2f} Tf {at} Td{font.encode(text)}Tj ET\n"
