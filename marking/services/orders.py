"""What an order of labels means: the stock, the printer and the languages it names, and whether they fit together."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.base.errors import BadInput, DomainError
from marking.labels import PROFILES, Print, Profile, find_faults, suits_horns, with_flap
from marking.models import OWN, OWN_PROFILE, LabelRun, OwnStock, Printer, Symbols
from marking.services.printers import KNOWN_DPI, PrinterChangesSize
from marking.services.stocks import say_fault


@dataclass(frozen=True, slots=True)
class LabelOrder:
    """How labels are to be printed. `start` is the first free position of a used sheet, from 1.

    `profile` is the key of a stock of ours, or `own-` and the number of one's own. `second` is the second language of
    the label, empty for one language. A `printer` brings its own resolution, offsets and form of file. `hidden` prints
    a hidden code for under the flap on each label.
    """

    profile: str
    dpi: int = 300
    start: int = 1
    language: str = "kk"
    reason: str = ""
    second: str = ""
    form: str = LabelRun.Form.PDF.value
    symbols: str = Symbols.QR.value
    printer: int | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """An order that can be printed: what it names was found, and fits together."""

    stock: Profile
    own_stock: OwnStock | None
    printer: Printer | None
    how: Print
    form: str
    language: str
    second: str
    start: int
    hidden: bool

    @property
    def suits_horns(self) -> bool:
        """Whether these labels are read when they are stuck round a horn."""
        return suits_horns(self.stock, self.how.symbols, self.how.dpi)

    def as_run(self) -> dict[str, Any]:
        """The fields of a run that say how it is printed."""
        return {
            "profile": OWN_PROFILE if self.own_stock else self.stock.key,
            "own_stock": self.own_stock,
            "printer": self.printer,
            "form": self.form,
            "zpl_way": self.printer.zpl_way if self.printer else Printer.ZplWay.COMMANDS,
            "symbols": self.how.symbols,
            "dpi": self.how.dpi,
            "move_x": self.printer.move_x if self.printer else 0,
            "move_y": self.printer.move_y if self.printer else 0,
            "start": self.start,
            "language": self.language,
            "second": self.second,
            "hidden": self.hidden,
        }


def settle_order(actor: User, order: LabelOrder) -> Setting:
    """What the order means, with what the person may print on. Raises BadInput, PrinterChangesSize.

    Labels too small for their symbols at this resolution are refused here, before anything is drawn.
    """
    wrong = _wrong_words(order)
    own_stock = _own_stock(actor, order.profile)
    stock = own_stock.profile if own_stock else PROFILES.get(order.profile)
    if stock is not None and order.hidden:
        stock = with_flap(stock)
    printer = None
    if order.printer is not None:
        printer = Printer.objects.in_use().visible_to(actor).filter(pk=order.printer).first()
        if printer is None:
            wrong["printer"] = _("Choose a printer of your organisation.")
    form = order.form
    if printer and order.form != LabelRun.Form.PNG:
        form = printer.language
    dpi = printer.dpi if printer else order.dpi
    wrong |= _wrong_stock(stock, form, order, dpi)
    if wrong or stock is None:
        raise BadInput(fields=wrong)
    if printer and not printer.keeps_size:
        raise PrinterChangesSize
    move = (float(printer.move_x), float(printer.move_y)) if printer else (0.0, 0.0)
    how = Print(dpi, order.symbols, *move)
    return Setting(stock, own_stock, printer, how, form, order.language, order.second, order.start, order.hidden)


def _wrong_words(order: LabelOrder) -> dict[str, StrOrPromise]:
    """What is no word that this registry knows."""
    wrong: dict[str, StrOrPromise] = {}
    languages = dict(settings.LANGUAGES)
    if order.dpi not in KNOWN_DPI:
        wrong["dpi"] = _("Choose the resolution of your printer.")
    if order.language not in languages:
        wrong["language"] = _("Choose a language.")
    if order.second and (order.second not in languages or order.second == order.language):
        wrong["second"] = _("Choose another language than the first.")
    if order.form not in LabelRun.Form.values:
        wrong["form"] = _("Choose a form of file.")
    if order.symbols not in Symbols.values:
        wrong["symbols"] = _("Choose which symbols are printed.")
    return wrong


def _wrong_stock(stock: Profile | None, form: str, order: LabelOrder, dpi: int) -> dict[str, StrOrPromise]:
    """Why these labels cannot be printed so."""
    if stock is None:
        return {"profile": _("Choose the labels you print on.")}
    if not 1 <= order.start <= stock.per_page:
        return {"start": _("This sheet has positions 1 to %(last)d.") % {"last": stock.per_page}}
    if form == LabelRun.Form.ZPL and not stock.is_roll:
        return {"profile": _("A label printer takes rolls, not sheets.")}
    if order.symbols in Symbols.values and dpi in KNOWN_DPI:
        for fault in find_faults(stock, order.symbols, dpi):
            return {"profile": say_fault(fault, dpi)}
    return {}


def _own_stock(actor: User, key: str) -> OwnStock | None:
    number = key.removeprefix(OWN)
    if number == key or not number.isdecimal():
        return None
    return OwnStock.objects.in_use().visible_to(actor).filter(pk=int(number[:9])).first()


def usual_order(person: User) -> LabelOrder:
    """What the person chose last, from a new sheet; where that can be printed no more, the usual roll."""
    run = LabelRun.objects.filter(ordered_by=person).select_related("own_stock").first()
    if run is None:
        return LabelOrder(profile="roll-50x25")
    order = LabelOrder(
        profile=run.own_stock.key if run.own_stock else run.profile,
        dpi=run.dpi,
        language=run.language,
        second=run.second,
        form=run.form,
        symbols=run.symbols,
        printer=run.printer_id,
        hidden=run.hidden,
    )
    try:
        settle_order(person, order)
    except DomainError:
        return LabelOrder(profile="roll-50x25", language=run.language, second=run.second)
    return order
