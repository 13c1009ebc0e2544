"""Label stock that organisations describe themselves; what could not be printed well is refused in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from marking.labels import PROFILES, Profile, find_faults
from marking.labels.geometry import Fault
from marking.models import OWN, OwnStock, Symbols
from marking.words import STOCK

KNOWN_DPI = (203, 300, 600)


@dataclass(frozen=True, slots=True)
class StockShape:
    """A stock as a person describes it; millimetres from the top left corner."""

    name: str
    page_width: Decimal
    page_height: Decimal
    label_width: Decimal
    label_height: Decimal
    symbol: Decimal
    columns: int = 1
    rows: int = 1
    margin_left: Decimal = Decimal()
    margin_top: Decimal = Decimal()
    pitch_x: Decimal = Decimal()
    pitch_y: Decimal = Decimal()
    inset: Decimal = Decimal("1.5")
    symbols: str = Symbols.QR
    short: bool = False
    fields: Sequence[str] = ("caption", "term", "number", "mass", "dated")
    dpi: int = 300

    def as_stock(self) -> OwnStock:
        """The row it would be, not saved; with one column or row the pitch is the label itself."""
        return OwnStock(
            **{name: getattr(self, name) for name in (*OwnStock.GEOMETRY, "name", "columns", "rows", "symbols")}
            | {
                "short": self.short,
                "fields": list(self.fields),
                "dpi": self.dpi,
                "pitch_x": self.pitch_x if self.columns > 1 else self.label_width,
                "pitch_y": self.pitch_y if self.rows > 1 else self.label_height,
            }
        )


@transaction.atomic
def add_stock(
    *, actor: User, at: datetime, organisation: Organisation, shape: StockShape, former: OwnStock | None = None
) -> OwnStock:
    """Keep a stock that every label can be printed on well; `former` is the one it replaces, which ends.

    Raises BadInput with a sentence for each field that is wrong, NotAllowed, InvalidTransition.
    """
    _require_own(actor, organisation.pk)
    if former is not None:
        _end(actor, at, former)
    stock = shape.as_stock()
    check_stock(stock)
    # The unique index closes the race of two stocks of one name; this is its message.
    if OwnStock.objects.in_use().filter(organisation=organisation, name=stock.name.strip()).exists():
        raise BadInput(fields={"name": _("There is a label of this name already.")})
    stock.name = stock.name.strip()
    stock.organisation, stock.former, stock.added_by, stock.added_at = organisation, former, actor, at
    stock.save(force_insert=True)
    record(
        "stock.described",
        actor=actor,
        at=at,
        subject=("label_stock", stock.pk),
        subject_name=stock.name,
        organisation_id=organisation.pk,
        former=former.pk if former else None,
    )
    return stock


@transaction.atomic
def end_stock(*, actor: User, at: datetime, stock: OwnStock) -> OwnStock:
    """Offer this stock no longer; runs that were ordered on it end as they began. Raises InvalidTransition."""
    _require_own(actor, stock.organisation_id)
    ended = _end(actor, at, stock)
    record(
        "stock.ended",
        actor=actor,
        at=at,
        subject=("label_stock", stock.pk),
        subject_name=stock.name,
        organisation_id=stock.organisation_id,
    )
    return ended


def _end(actor: User, at: datetime, stock: OwnStock) -> OwnStock:
    # The row lock closes the race of two changes of one stock.
    locked = OwnStock.objects.select_for_update(of=("self",)).get(pk=stock.pk)
    if locked.ended_at is not None or locked.organisation_id != stock.organisation_id:
        raise InvalidTransition(_("This label was changed or put away by somebody else."))
    locked.ended_by, locked.ended_at = actor, at
    locked.save(update_fields=["ended_by", "ended_at"])
    return locked


def _require_own(actor: User, organisation_id: int) -> None:
    if organisation_id not in actor.organisation_ids(Can.PRINT_LABELS):
        raise NotAllowed


def check_stock(stock: OwnStock) -> None:
    """Raise BadInput with a sentence for each field that keeps labels of this stock from being printed well."""
    wrong: dict[str, StrOrPromise] = {}
    if not stock.name.strip():
        wrong["name"] = _("Give this label a name.")
    if stock.dpi not in KNOWN_DPI:
        wrong["dpi"] = _("Choose the resolution of your printer.")
    if stock.symbols not in Symbols.values:
        wrong["symbols"] = _("Choose which symbols are printed.")
    if unknown := set(stock.fields) - set(PROFILES["roll-50x25"].fields):
        wrong["fields"] = _("A label has no field %(field)s.") % {"field": sorted(unknown)[0]}
    for name, least, most in (("columns", 1, 20), ("rows", 1, 60)):
        if not least <= getattr(stock, name) <= most:
            wrong[name] = _("From %(least)d to %(most)d.") % {"least": least, "most": most}
    for name in OwnStock.GEOMETRY:
        least = 10 if name in ("label_width", "label_height", "page_width", "page_height") else 0
        if not least <= getattr(stock, name) <= (450 if name.startswith("page") else 320):
            wrong[name] = _("From %(least)d to %(most)d mm.") % {
                "least": least,
                "most": 450 if name.startswith("page") else 320,
            }
    if not wrong:
        wrong = {
            fault.field: say_fault(fault, stock.dpi) for fault in find_faults(stock.profile, stock.symbols, stock.dpi)
        }
    if wrong:
        raise BadInput(fields=wrong)


def say_fault(fault: Fault, dpi: int) -> StrOrPromise:
    """What is wrong with a stock, and what would be right."""
    need = number_format(Decimal(str(fault.need)).quantize(Decimal("0.01")), use_l10n=True)
    sentences: Mapping[str, StrOrPromise] = {
        "page": _("The labels do not fit this page: they need %(need)s mm."),
        "overlap": _("The labels would lie on one another: from one to the next it is at least %(need)s mm."),
        "symbol": _("The symbol is larger than the label: at most %(need)s mm."),
        "module": _(
            "At %(dpi)d dots an inch this symbol needs at least %(need)s mm with its white edge; a smaller one could "
            "not be read. Make its room larger, or print the code alone."
        ),
        "text": _("There is not enough room left for the code in letters that can be read."),
    }
    return sentences[fault.reason] % {"need": need, "dpi": dpi}


def stocks_of(user: User) -> dict[str, StrOrPromise]:
    """Every stock that the person may print on, by its key: ours, and those of the own organisations."""
    own = OwnStock.objects.in_use().visible_to(user)
    return {**STOCK, **{stock.key: stock.name for stock in own}}


def profile_of(user: User, key: str) -> Profile:
    """The geometry of the stock of this key that the person may print on. Raises BadInput."""
    if key in PROFILES:
        return PROFILES[key]
    number = key.removeprefix(OWN)
    if number != key and number.isdecimal():
        own = OwnStock.objects.in_use().visible_to(user).filter(pk=int(number[:9])).first()
        if own is not None:
            return own.profile
    raise BadInput(fields={"stock": _("Choose the labels you print on.")})
