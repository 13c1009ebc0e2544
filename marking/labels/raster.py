"""Labels as pictures of one bit a dot: the same drawing as the PDF, rendered at the printer's own resolution.

A page is as large as the stock, in whole dots, so that every module of every symbol is a square of whole pixels.
"""

import io
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import BinaryIO

import pypdfium2 as pdfium
from PIL import Image

from marking.labels.drawing import Drawn, Fonts, Label, Print, draw_labels
from marking.labels.geometry import MM_PER_INCH, Profile

# Lighter than this is paper: between the grey that edges of letters have and black.
PAPER = 150
PAGES_AT_ONCE = 200


def whole_dots(profile: Profile, dpi: int) -> Profile:
    """The same stock on a page of whole printer dots; a hundredth of a dot less, which is rounded up when drawn."""
    return replace(
        profile,
        page_width=(page_dots(profile.page_width, dpi) - 0.01) * MM_PER_INCH / dpi,
        page_height=(page_dots(profile.page_height, dpi) - 0.01) * MM_PER_INCH / dpi,
    )


def page_dots(millimetres: float, dpi: int) -> int:
    """Dots that a page of this size takes."""
    return math.ceil(millimetres * dpi / MM_PER_INCH - 0.01)


def raster_pages(
    profile: Profile, labels: Iterable[Label], fonts: Fonts, *, how: Print, start: int = 1
) -> Iterator[tuple[Image.Image, Sequence[Label]]]:
    """Each page as a picture of black and white, with the labels on it; few pages are in memory at once.

    Raises LabelError naming the first label that cannot be printed.
    """
    stock, coming = whole_dots(profile, how.dpi), iter(labels)
    room = profile.per_page * max(PAGES_AT_ONCE // profile.per_page, 1) - (start - 1)
    while some := list(islice(coming, room)):
        out = io.BytesIO()
        drawn = draw_labels(out, stock, some, fonts, how=how, title="", language="", start=start)
        document = pdfium.PdfDocument(out.getvalue())
        try:
            first, on_page = 0, profile.per_page - (start - 1)
            for page in range(drawn.pages):
                grey = document[page].render(scale=how.dpi / 72, grayscale=True).to_pil()
                yield grey.point(lambda level: 255 * (level >= PAPER), "1"), some[first : first + on_page]
                first, on_page = first + on_page, profile.per_page
        finally:
            document.close()
        start, room = 1, profile.per_page * max(PAGES_AT_ONCE // profile.per_page, 1)


def draw_png(
    out: BinaryIO,
    profile: Profile,
    labels: Iterable[Label],
    fonts: Fonts,
    *,
    how: Print,
    start: int = 1,
    on_page: Callable[[int], None] | None = None,
) -> Drawn:
    """Write every page as a PNG into a zip, or a single page as itself; names follow the order of printing.

    The pictures say their resolution, so that they print in true size. Raises LabelError.
    """
    count = pages = 0
    single = b""
    archive: zipfile.ZipFile | None = None
    for picture, on in raster_pages(profile, labels, fonts, how=how, start=start):
        pages, count = pages + 1, count + len(on)
        encoded = io.BytesIO()
        picture.save(encoded, "PNG", dpi=(how.dpi, how.dpi))
        if pages == 1:
            single = encoded.getvalue()
        else:
            if archive is None:
                archive = zipfile.ZipFile(out, "w", zipfile.ZIP_STORED)
                archive.writestr(_entry(1), single)
            archive.writestr(_entry(pages), encoded.getvalue())
        if on_page is not None:
            on_page(count)
    if archive is None:
        out.write(single)
    else:
        archive.close()
    return Drawn(count, pages)


def _entry(page: int) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{page:06d}.png")


def open_png(content: bytes, page: int) -> Image.Image:
    """The picture of a page, counted from 0, of what `draw_png` wrote."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return Image.open(io.BytesIO(archive.read(_entry(page + 1).filename)))
    return Image.open(io.BytesIO(content))
