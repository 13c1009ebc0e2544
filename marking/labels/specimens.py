"""Labels that show what will be printed and are none: no symbol of theirs is ours to accept. No Django here.

A picture of genuine symbols is a print of them, so every picture before an order is made of these.
"""

from dataclasses import replace
from math import atan2, degrees
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from marking.labels.drawing import Label, Print
from marking.labels.geometry import Profile
from marking.labels.reading import render_page

# No code: its check character is wrong.
CODE = "SPECIMENSPEC"
# As many characters as a signed statement, so that the symbol is as large; its first byte is no version of ours.
STATEMENT = "SPECIMEN" * 17
STAMP = "ҮЛГІ · ОБРАЗЕЦ · SPECIMEN"
_RED = (200, 30, 30, 150)
# How much of the way from corner to corner the word takes.
_SHARE = 0.9
_LEAST_LETTERS = 6
_WHITE = 255


def as_specimen(label: Label, profile: Profile, prefix: str) -> Label:
    """The same label, as long and as large, with a symbol and a code that every check refuses."""
    grouped = "-".join(CODE[at : at + 4] for at in range(0, len(CODE), 4))
    return replace(label, symbol=prefix + (CODE if profile.short else STATEMENT), code=grouped)


def render_specimens(pdf: bytes, profile: Profile, font: Path, *, dpi: int, how: Print | None = None) -> Image.Image:
    """The first page with the word across every label on it, in colours."""
    grey = render_page(pdf, dpi=dpi)
    page = grey.convert("RGB")
    per_mm = dpi / 25.4
    move = (how.move_x, how.move_y) if how else (0.0, 0.0)
    width, height = round(profile.label_width * per_mm), round(profile.label_height * per_mm)
    stamp = _stamp(width, height, font)
    for position in range(profile.per_page):
        left, top = profile.corner(position)
        x, y = round((left + move[0]) * per_mm), round((top + move[1]) * per_mm)
        darkest, _lightest = grey.crop((x, y, x + width, y + height)).getextrema()
        if darkest != _WHITE:
            page.paste(stamp, (x, y), stamp)
    return page


def _stamp(width: int, height: int, font: Path) -> Image.Image:
    """The word from corner to corner of a label, on nothing."""
    long = (width**2 + height**2) ** 0.5 * _SHARE
    sized = ImageFont.truetype(font, 100)
    letters = max(_LEAST_LETTERS, int(long / sized.getlength(STAMP) * 100))
    written = ImageFont.truetype(font, letters)
    left, top, right, bottom = written.getbbox(STAMP)
    word = Image.new("RGBA", (round(right - left) + 2, round(bottom - top) + 2))
    ImageDraw.Draw(word).text((1 - left, 1 - top), STAMP, font=written, fill=_RED)
    turned = word.rotate(degrees(atan2(height, width)), expand=True, resample=Image.Resampling.BICUBIC)
    stamp = Image.new("RGBA", (width, height))
    stamp.paste(turned, ((width - turned.width) // 2, (height - turned.height) // 2))
    return stamp
