"""How quantities, codes, moments and people are written on a page, in the reader's language."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

NOTHING = "—"

# A whole number; None when nobody knows, empty when a template names what is not there.
Amount = int | Literal[""] | None


class Named(Protocol):
    @property
    def full_name(self) -> str: ...


@register.filter
def kg(grams: Amount) -> str:
    """Grams as kilograms with three places: 12345 → "12.345 kg". Nothing known: a dash."""
    if grams is None or grams == "":
        return NOTHING
    amount = number_format(Decimal(grams) / 1000, decimal_pos=3, use_l10n=True, force_grouping=True)
    return _("%(amount)s kg") % {"amount": amount}


@register.filter
def grams(amount: Amount) -> str:
    """Whole grams: 215 → "215 g"."""
    if amount is None or amount == "":
        return NOTHING
    return _("%(amount)s g") % {"amount": number_format(amount, use_l10n=True, force_grouping=True)}


@register.filter
def millimetres(amount: Amount) -> str:
    """Whole millimetres: 245 → "245 mm"."""
    if amount is None or amount == "":
        return NOTHING
    return _("%(amount)s mm") % {"amount": number_format(amount, use_l10n=True, force_grouping=True)}


@register.filter
def pieces(count: Amount) -> str:
    """A count of things: 1234 → "1 234 pieces"."""
    if count is None or count == "":
        return NOTHING
    words = ngettext("%(count)s piece", "%(count)s pieces", count)
    return words % {"count": number_format(count, use_l10n=True, force_grouping=True)}


@register.filter
def count(amount: Amount) -> str:
    """A bare number with its thousands apart: 1234 → "1 234"."""
    if amount is None or amount == "":
        return NOTHING
    return number_format(amount, use_l10n=True, force_grouping=True)


@register.filter
def plain(value: object) -> str:
    """A value for an attribute or a program: no thousands, no translation. 1234 → "1234"."""
    return "" if value is None else str(value)


@register.filter
def grouped(code: object) -> str:
    """A mark code in fours: 7H4Q9TX2MW8H → 7H4Q-9TX2-MW8H. Already grouped text stays as it is."""
    text = str(code or "")
    if "-" in text:
        return text
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


@register.filter
def day(value: date | datetime | None) -> str:
    """A calendar day in the reader's words: "5 March 2026". A moment is taken in Almaty time."""
    if not value:
        return NOTHING
    if isinstance(value, datetime):
        value = _local(value)
    return date_format(value, "DATE_FORMAT", use_l10n=True)


@register.filter
def short_day(value: date | datetime | None) -> str:
    """A calendar day for narrow columns: "05.03.2026"."""
    if not value:
        return NOTHING
    if isinstance(value, datetime):
        value = _local(value)
    return date_format(value, "SHORT_DATE_FORMAT", use_l10n=True)


@register.filter
def moment(value: datetime | None) -> str:
    """A <time>: day and minute in sight, the exact second with its offset on hover and for programs."""
    if not value:
        return NOTHING
    local = _local(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S} UTC{local:%z}",
        date_format(local, "SHORT_DATETIME_FORMAT", use_l10n=True),
    )


@register.filter
def person(who: Named | None) -> str:
    """A person as acts name people; nobody means that the registry acted by itself."""
    return who.full_name if who else _("The registry itself")


@register.filter
def yes_no(value: bool | None) -> str:
    if value is None:
        return NOTHING
    return _("Yes") if value else _("No")


@register.simple_tag
def percent_of(part: int, whole: int) -> SafeString:
    """Whole percent, for people: 0 when there is nothing to divide."""
    share = 100 * part // whole if whole else 0
    return format_html("{}\u00a0%", number_format(share, use_l10n=True))


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value
