"""Reads printed labels back: pages are rendered as a printer would and their symbols decoded."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pypdfium2 as pdfium
import zxingcpp
from PIL import Image

from marking.labels.drawing import Label, LabelError
from marking.labels.geometry import Profile

_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


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


def labels_by_page(profile: Profile, count: int, start: int) -> Iterator[range]:
    """Which labels stand on each page, when the first of `count` goes to position `start` (from 1)."""
    first = 0
    room = profile.per_page - (start - 1)
    while first < count:
        yield range(first, min(first + room, count))
        first, room = first + room, profile.per_page


def check_sample(
    pdf: Path | bytes, profile: Profile, labels: Sequence[Label], *, dpi: int, start: int = 1, pages: int = 3
) -> int:
    """Render up to `pages` pages, the first and the last among them, and read every symbol on them.

    Returns how many labels were read. Raises LabelError naming the first label whose symbol cannot be read or
    says something else.
    """
    by_page = list(labels_by_page(profile, len(labels), start))
    last = len(by_page) - 1
    chosen = sorted({round(last * step / max(pages - 1, 1)) for step in range(pages)}) if by_page else []
    read = 0
    for page in chosen:
        found = set(read_symbols(render_page(pdf, page, dpi=dpi)))
        for index in by_page[page]:
            if labels[index].symbol not in found:
                raise LabelError(labels[index], "unreadable")
            read += 1
    return read
