"""Labels of boxes for label printers: the same SSCC as ZPL or pictures, in whole printer dots, read back when drawn."""

import io
from collections.abc import Sequence

from custody.box_labels import BoxLabel
from marking.labels import PROFILES, Label, Print, check_sample, draw_png, draw_zpl
from marking.services.labels import FONTS

STOCK = PROFILES["roll-100x150"]
MEDIA = {"zpl": "application/zpl", "png": "image/png", "zip": "application/zip"}


def draw_box_labels_as(labels: Sequence[BoxLabel], *, form: str, dpi: int) -> tuple[bytes, str]:
    """The labels as `zpl` or `png`, and how the file's name ends: zpl, png, or zip for several pictures.

    Every one of them was read back. Raises LabelError naming the first that was not.
    """
    made = [_as_label(one) for one in labels]
    out, how = io.BytesIO(), Print(dpi)
    if form == "zpl":
        draw_zpl(out, STOCK, made, FONTS, how=how)
        check_sample(out.getvalue(), STOCK, made, how=how, form="zpl", pages=len(made))
        return out.getvalue(), "zpl"
    drawn = draw_png(out, STOCK, made, FONTS, how=how)
    check_sample(out.getvalue(), STOCK, made, how=how, form="png", pages=len(made))
    return out.getvalue(), "png" if drawn.pages == 1 else "zip"


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
