"""Labels of boxes and shelves as files: every one, or a sample of many, is read back before anybody gets it.

A file has two hundred labels at most and is drawn while the person waits, so it needs no run in the background; runs of
labels belong to marks, and a box has none. The check is the same.
"""

import io
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from core.base.errors import DomainError
from custody.box_labels import BoxLabel, ShelfLabel, draw_box_labels, draw_shelf_labels
from marking.labels import PROFILES, Label, LabelError, Print, check_sample, draw_png, draw_zpl, find_unreadable
from marking.services.labels import FONTS

STOCK = PROFILES["roll-100x150"]
MEDIA = {"pdf": "application/pdf", "zpl": "application/zpl", "png": "image/png", "zip": "application/zip"}


class LabelUnreadable(DomainError):
    """A symbol could not be read back; the file is withheld."""

    code = "label-unreadable"

    def __init__(self, what: str) -> None:
        super().__init__(_("The label of %(what)s could not be read back, so nothing was given out.") % {"what": what})


def draw_box_labels_as(labels: Sequence[BoxLabel], *, form: str, dpi: int) -> tuple[bytes, str]:
    """The labels as `pdf`, `zpl` or `png`, and how the file's name ends: pdf, zpl, png, or zip for several pictures.

    Raises LabelUnreadable naming the first box whose symbols do not say its number.
    """
    if form == "pdf":
        content = draw_box_labels(labels)
        wanted = [(f"00{one.sscc}", f"(00){one.sscc}") for one in labels]
        if (page := find_unreadable(content, wanted)) is not None:
            raise LabelUnreadable(labels[page].shown)
        return content, "pdf"
    made = [_as_label(one) for one in labels]
    out, how = io.BytesIO(), Print(dpi)
    try:
        if form == "zpl":
            draw_zpl(out, STOCK, made, FONTS, how=how)
            check_sample(out.getvalue(), STOCK, made, how=how, form="zpl", pages=len(made))
            return out.getvalue(), "zpl"
        drawn = draw_png(out, STOCK, made, FONTS, how=how)
        check_sample(out.getvalue(), STOCK, made, how=how, form="png", pages=len(made))
    except LabelError as error:
        raise LabelUnreadable(error.label.said) from error
    return out.getvalue(), "png" if drawn.pages == 1 else "zip"


def draw_shelves(labels: Sequence[ShelfLabel]) -> bytes:
    """The labels of shelves as PDF. Raises LabelUnreadable naming the first that does not say its number."""
    content = draw_shelf_labels(labels)
    if (page := find_unreadable(content, [(one.number,) for one in labels])) is not None:
        raise LabelUnreadable(labels[page].code)
    return content


def _as_label(box: BoxLabel) -> Label:
    said = [f"{name}: {text}" for name, text in box.lines]
    return Label(
        symbol=f"00{box.sscc}",
        code="",
        number=said[-2] if len(said) > 1 else "",
        term=box.kind,
        second=box.keeper,
        mass=said[0],
        dated=box.lines[-1][1],
        caption=box.registry,
        sscc=box.sscc,
    )
