"""What counts as a signature drawn on a screen: a line, wide and high enough to be somebody's."""

import io

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise
from PIL import Image, UnidentifiedImageError

from core.base.errors import BadInput

LEAST_WIDTH, LEAST_HEIGHT = 40, 8  # dots of the pad, which is 600 wide
LEAST_INK = 100  # dots
MOST_INK = 0.6  # of the box that the line fills; more is a filled patch, not a line
NOT_DRAWN: StrOrPromise = _("This is no signature: draw it anew, larger, with a finger or a pen.")
MOST_DOTS = 4_000_000
DARK = 140  # of 255, on white paper


def is_drawn(content: bytes) -> bool:
    """True for a PNG that shows a line of dark ink on a light or empty ground."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.width * image.height > MOST_DOTS:
                return False
            drawn = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return False
    paper = Image.new("RGBA", drawn.size, "white")
    paper.alpha_composite(drawn)
    ink = paper.convert("L").point([255 if light < DARK else 0 for light in range(256)])
    box = ink.getbbox()
    if box is None:
        return False
    width, height = box[2] - box[0], box[3] - box[1]
    dots = ink.histogram()[255]
    long_side, short_side = max(width, height), min(width, height)
    return long_side >= LEAST_WIDTH and short_side >= LEAST_HEIGHT and LEAST_INK <= dots <= MOST_INK * width * height


def require_drawn(content: bytes, field: str = "signature") -> bytes:
    """The picture as it was given. Raises BadInput where nobody has drawn a signature."""
    if not is_drawn(content):
        raise BadInput(fields={field: NOT_DRAWN})
    return content
