"""Reads printed labels back: pages are rendered as a printer would and their symbols decoded."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal

import pypdfium2 as pdfium
import zxingcpp
from PIL import Image

from marking.labels.drawing import Label, LabelError, Print
from marking.labels.geometry import MM_PER_INCH, Profile, lay_out
from marking.labels.raster import open_png
from marking.labels.zpl_reading import draw_format, split_formats

Form = Literal["pdf", "zpl", "png"]

_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_ALL = zxingcpp.BarcodeFormats(
    [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.BarcodeFormat.Code128]
)


def render_page(pdf: Path | bytes, page: int = 0, *, dpi: int) -> Image.Image:
    """One page, counted from 0, as a grey picture."""
    document = pdfium.PdfDocument(pdf)
    try:
        picture: Image.Image = document[page].render(scale=dpi / 72, grayscale=True).to_pil()
        return picture
    finally:
        document.close()


def read_symbols(picture: Image.Image) -> list[str]:
    """The texts of all QR symbols that can be read in the picture."""
    return [barcode.text for barcode in zxingcpp.read_barcodes(picture, formats=_QR)]


def read_all(picture: Image.Image) -> list[str]:
    """The texts of all symbols of any kind that labels carry."""
    return [barcode.text for barcode in zxingcpp.read_barcodes(picture, formats=_ALL)]


def labels_by_page(profile: Profile, count: int, start: int) -> Iterator[range]:
    """Which labels stand on each page, when the first of `count` goes to position `start` (from 1)."""
    first = 0
    room = profile.per_page - (start - 1)
    while first < count:
        yield range(first, min(first + room, count))
        first, room = first + room, profile.per_page


def check_sample(
    content: bytes,
    profile: Profile,
    labels: Sequence[Label],
    *,
    how: Print,
    form: Form = "pdf",
    start: int = 1,
    pages: int = 3,
) -> int:
    """Render up to `pages` pages, the first and the last among them, and read every symbol on them.

    Returns how many labels were read. Raises LabelError naming the first label of which a symbol cannot be read or
    says something else.
    """
    by_page = list(labels_by_page(profile, len(labels), start))
    last = len(by_page) - 1
    chosen = sorted({round(last * step / max(pages - 1, 1)) for step in range(pages)}) if by_page else []
    formats = split_formats(content) if form == "zpl" else []
    read = 0
    for page in chosen:
        if form == "zpl":
            picture = draw_format(formats[page])
        elif form == "png":
            picture = open_png(content, page).convert("L")
        else:
            picture = render_page(content, page, dpi=how.dpi)
        first = start - 1 if page == 0 else 0
        _check_page(picture, profile, [labels[index] for index in by_page[page]], how, first)
        read += len(by_page[page])
    return read


def find_unreadable(pdf: bytes, wanted: Sequence[Collection[str]], *, dpi: int = 203, most: int = 20) -> int | None:
    """The first page, counted from 0, on which a symbol of these texts cannot be read; None when all can.

    Pages drawn by others than us: whatever else stands on them is no matter. Of more than `most` pages as many are
    looked at, evenly, the first and the last among them.
    """
    last = len(wanted) - 1
    chosen = range(len(wanted)) if len(wanted) <= most else sorted({last * step // (most - 1) for step in range(most)})
    document = pdfium.PdfDocument(pdf)
    try:
        for page in chosen:
            picture = document[page].render(scale=dpi / 72, grayscale=True).to_pil()
            if not set(wanted[page]) <= set(read_all(picture)):
                return page
    finally:
        document.close()
    return None


def _check_page(picture: Image.Image, profile: Profile, labels: Sequence[Label], how: Print, first: int) -> None:
    """Read the page as a whole, and label by label what was not found so. Raises LabelError."""
    found = set(read_all(picture))
    for position, label in enumerate(labels, first):
        rooms = lay_out(profile, how.symbols, bilingual=bool(label.second)).rooms
        wanted = {text for room in rooms if (text := label.text_of(room))}
        if not wanted <= found and not wanted <= found | set(read_all(_cut(picture, profile, position, how))):
            raise LabelError(label, "unreadable")


def _cut(picture: Image.Image, profile: Profile, position: int, how: Print) -> Image.Image:
    """The label at this position, cut out of its page, on white."""
    left, top = profile.corner(position)
    x, y = how.dots(left + how.move_x), how.dots(top + how.move_y)
    width, height = how.dots(profile.label_width), how.dots(profile.label_height)
    edge = round(2 * how.dpi / MM_PER_INCH)
    cut = Image.new("L", (width + 2 * edge, height + 2 * edge), 255)
    cut.paste(picture.crop((x, y, x + width, y + height)), (edge, edge))
    return cut
