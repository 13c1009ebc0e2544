"""A label of nothing, for the picture of a stock that is being described, and the calibration page of a printer."""

import io

from django.utils import translation
from django.utils.translation import gettext

from core.base.templatetags.fmt import grams
from marking import words
from marking.labels import Label, Print, Profile, as_specimen, draw_labels
from marking.labels.calibration import draw_calibration, draw_calibration_zpl
from marking.models import OwnStock, Printer
from marking.services.labels import FONTS, symbol_prefix
from registry.models import Term

SSCC = "000000000000000000"


def sample_label(profile: Profile, language: str) -> Label:
    """A label as long as real ones, whose symbol is checked as nothing."""
    with translation.override(language):
        label = Label(
            symbol="",
            code="",
            number="KZ00-0000000",
            term=str(words.THINGS[Term.HORN]),
            mass=grams(214),
            dated="01.01.2000",
            caption=gettext("Registry of saiga derivatives"),
            sscc=SSCC if profile.bars else "",
        )
    return as_specimen(label, profile, symbol_prefix())


def draw_stock(stock: OwnStock, language: str) -> bytes:
    """The first page of this stock, full of sample labels, as PDF. Raises LabelError."""
    profile = stock.profile
    label = sample_label(profile, language)
    out = io.BytesIO()
    how = Print(stock.dpi, stock.symbols)
    draw_labels(out, profile, [label] * profile.per_page, FONTS, how=how, title=stock.name, language=language)
    return out.getvalue()


def draw_calibration_of(printer: Printer, profile: Profile, language: str, *, form: str) -> bytes:
    """The calibration page of a printer on this stock, with the offsets in force, as PDF or ZPL."""
    how = Print(printer.dpi, move_x=float(printer.move_x), move_y=float(printer.move_y))
    with translation.override(language):
        said = [
            gettext("Calibration of the printer %(name)s") % {"name": _printable(printer.name)},
            gettext("%(dots)d dots an inch") % {"dots": printer.dpi},
            gettext("Moved by %(x)s mm to the right and %(y)s mm downwards")
            % {"x": printer.move_x, "y": printer.move_y},
        ]
    if form == Printer.Language.ZPL:
        return draw_calibration_zpl(profile, FONTS, how=how, said=said, language=language)
    return draw_calibration(profile, FONTS, how=how, said=said, language=language)


def _printable(name: str) -> str:
    """The name without what the label font may lack."""
    return "".join(letter if letter.isalnum() or letter in " .,-№()" else " " for letter in name)
