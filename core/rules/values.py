"""What the value of each rule looks like, and how it is said in words. The only such table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.base.errors import BadInput
from core.rules.models import Rule, RuleCode


class Sort(StrEnum):
    """What kind of thing one part of a value is."""

    WHOLE = auto()  # a whole number
    GRAMS = auto()  # a whole number of grams; people give kilograms where it is large
    KILOGRAMS = auto()
    YES_NO = auto()
    TERMS = auto()  # a list of term codes, three capital letters each
    GTIN = auto()  # fourteen digits, the last of which is the check digit of GS1


@dataclass(frozen=True)
class Part:
    """One part of a rule's value: its key in the JSON, what people call it, and its bounds."""

    key: str
    label: StrOrPromise
    sort: Sort
    minimum: int = 0
    maximum: int = 10**12
    unit: StrOrPromise = ""


PARTS: dict[RuleCode, tuple[Part, ...]] = {
    RuleCode.MARKING_COMPULSORY: (Part("terms", _("Kinds of derivatives that must be marked"), Sort.TERMS),),
    RuleCode.HORN_MASS_BAND: (
        Part("min_g", _("At least"), Sort.GRAMS, 1, 10_000, _("g")),
        Part("max_g", _("At most"), Sort.GRAMS, 1, 10_000, _("g")),
    ),
    RuleCode.HORN_PER_MALE: (Part("max", _("Horns per male at most"), Sort.WHOLE, 0, 10),),
    RuleCode.EXPORT_QUOTA: (Part("grams", _("Quota for each year"), Sort.KILOGRAMS, unit=_("kg")),),
    RuleCode.MRP: (Part("tenge", _("Amount"), Sort.WHOLE, 1, 10**7, "₸"),),
    RuleCode.STATE_TRANSFER: (Part("allowed", _("Allowed"), Sort.YES_NO),),
    RuleCode.DOMESTIC_SALE: (Part("allowed", _("Allowed"), Sort.YES_NO),),
    RuleCode.DISCREPANCY_DAYS: (Part("days", _("Days"), Sort.WHOLE, 0, 365),),
    RuleCode.APPLICATION_DAYS: (Part("working_days", _("Working days"), Sort.WHOLE, 0, 365),),
    RuleCode.REMOVAL_TOLERANCE: (
        Part("carcasses", _("Carcasses"), Sort.WHOLE, 0, 1000),
        Part("horns", _("Horns"), Sort.WHOLE, 0, 1000),
    ),
    RuleCode.HORN_LENGTH_BAND: (
        Part("min_mm", _("At least"), Sort.WHOLE, 1, 2000, _("mm")),
        Part("max_mm", _("At most"), Sort.WHOLE, 1, 2000, _("mm")),
    ),
    RuleCode.HORN_BASE_BAND: (
        Part("min_mm", _("At least"), Sort.WHOLE, 1, 1000, _("mm")),
        Part("max_mm", _("At most"), Sort.WHOLE, 1, 1000, _("mm")),
    ),
    RuleCode.DAMAGE_RATES: (
        Part("male", _("A male"), Sort.WHOLE, 0, 10**6, _("MRP")),
        Part("female", _("A female"), Sort.WHOLE, 0, 10**6, _("MRP")),
        Part("young", _("A young animal"), Sort.WHOLE, 0, 10**6, _("MRP")),
        Part("horn", _("A horn"), Sort.WHOLE, 0, 10**6, _("MRP")),
    ),
    RuleCode.DRYING_CURVE: (
        Part("days_30", _("In 30 days"), Sort.WHOLE, 0, 100, "%"),
        Part("days_90", _("In 90 days"), Sort.WHOLE, 0, 100, "%"),
        Part("days_365", _("In a year"), Sort.WHOLE, 0, 100, "%"),
        Part("ever", _("Ever"), Sort.WHOLE, 0, 100, "%"),
    ),
    RuleCode.PROCESSING_LOSS: (Part("percent", _("At most"), Sort.WHOLE, 0, 100, "%"),),
    RuleCode.UNDER_CERTIFICATE: (Part("terms", _("Kinds of derivatives"), Sort.TERMS),),
    RuleCode.HANDOVER_MASS: (Part("percent", _("At most"), Sort.WHOLE, 0, 100, "%"),),
    RuleCode.HANDOVER_TERM: (
        Part("hours", _("Where nobody says otherwise"), Sort.WHOLE, 1, 8760, _("h")),
        Part("most_hours", _("At most"), Sort.WHOLE, 1, 8760, _("h")),
    ),
    RuleCode.STOCKTAKE_COMMISSION: (Part("persons", _("Persons at least"), Sort.WHOLE, 2, 20),),
    RuleCode.DESTRUCTION_COMMISSION: (Part("persons", _("Persons at least"), Sort.WHOLE, 3, 20),),
    RuleCode.DESTRUCTION_MASS: (Part("percent", _("At most"), Sort.WHOLE, 0, 100, "%"),),
    RuleCode.LOSS_SEARCH: (Part("days", _("Days"), Sort.WHOLE, 0, 365),),
    RuleCode.STORE_CLIMATE: (
        Part("min_c", _("Temperature at least"), Sort.WHOLE, -60, 60, "°C"),
        Part("max_c", _("Temperature at most"), Sort.WHOLE, -60, 60, "°C"),
        Part("max_humidity", _("Relative humidity at most"), Sort.WHOLE, 0, 100, "%"),
    ),
    RuleCode.STATE_GTIN: (Part("gtin", _("GTIN"), Sort.GTIN),),
    RuleCode.PHOTO_DISTANCE: (Part("km", _("At most"), Sort.WHOLE, 0, 3000, _("km")),),
    RuleCode.COPY_FAR: (
        Part("km", _("Farther apart than"), Sort.WHOLE, 20, 5000, _("km")),
        Part("km_h", _("Faster than"), Sort.WHOLE, 10, 2000, _("km/h")),
    ),
    RuleCode.COPY_GONE: (
        Part("export_days", _("Days after export, inside the country"), Sort.WHOLE, 0, 3650),
        Part("days", _("Days after destruction or use"), Sort.WHOLE, 0, 3650),
    ),
    RuleCode.COPY_BLANK: (Part("checks", _("Public checks at least"), Sort.WHOLE, 1, 10_000),),
    RuleCode.COPY_BURST: (
        Part("checks", _("Public checks at least"), Sort.WHOLE, 2, 10_000),
        Part("minutes", _("Within minutes"), Sort.WHOLE, 1, 1440),
    ),
    RuleCode.COPY_MANY: (
        Part("checks", _("Public checks at least"), Sort.WHOLE, 2, 100_000),
        Part("days", _("Within days"), Sort.WHOLE, 1, 366),
    ),
    RuleCode.COPY_STORE: (Part("hours", _("Hours after it came there"), Sort.WHOLE, 0, 8760),),
    RuleCode.COPY_OLD_PRINT: (
        Part("checks", _("Checks at least"), Sort.WHOLE, 1, 10_000),
        Part("days", _("Days after it was replaced"), Sort.WHOLE, 0, 366),
    ),
    RuleCode.CHECK_UNKNOWN: (
        Part("checks", _("Checks at least"), Sort.WHOLE, 10, 100_000),
        Part("minutes", _("Within minutes"), Sort.WHOLE, 1, 1440),
    ),
    RuleCode.CHECK_REFUSED: (
        Part("checks", _("Checks at least"), Sort.WHOLE, 10, 10_000_000),
        Part("minutes", _("Within minutes"), Sort.WHOLE, 10, 1440),
    ),
    RuleCode.CHECK_FORGED: (
        Part("checks", _("Checks at least"), Sort.WHOLE, 1, 10_000),
        Part("days", _("Within days"), Sort.WHOLE, 1, 366),
    ),
    RuleCode.INDEPENDENCE: (Part("days", _("Days after one had the other's account in hand"), Sort.WHOLE, 7, 3650),),
}
# Rules that hold for one term only, and need it said.
SCOPED = frozenset({RuleCode.EXPORT_QUOTA, RuleCode.PROCESSING_LOSS, RuleCode.STATE_GTIN})
# What is at least, and what is at most; the second lies above the first.
_BOUNDS = {
    RuleCode.HORN_MASS_BAND: ("min_g", "max_g"),
    RuleCode.HORN_LENGTH_BAND: ("min_mm", "max_mm"),
    RuleCode.HORN_BASE_BAND: ("min_mm", "max_mm"),
    RuleCode.STORE_CLIMATE: ("min_c", "max_c"),
    RuleCode.HANDOVER_TERM: ("hours", "most_hours"),
}

TERM_WORDS: dict[str, StrOrPromise] = {}


def register_terms(words: Mapping[str, StrOrPromise]) -> None:
    """Give people's words for term codes; the room that knows the terms calls this as it starts."""
    TERM_WORDS.update(words)


def term_in_words(code: str) -> str:
    """A term in the reader's language; its code where nobody said more."""
    return str(TERM_WORDS.get(code, code))


def check_value(code: RuleCode, value: Mapping[str, Any]) -> dict[str, Any]:
    """The value with exactly the parts of this rule, each of its kind and in its bounds; raises BadInput."""
    faults = {part.key: fault for part in PARTS[code] if (fault := _fault(part, value.get(part.key))) is not None}
    if not faults and code in _BOUNDS:
        least, most = _BOUNDS[code]
        if value[least] >= value[most]:
            faults[most] = _("The upper bound is not above the lower.")
    if faults:
        raise BadInput(fields=faults)
    return {part.key: value[part.key] for part in PARTS[code]}


def check_scope(code: RuleCode, scope: str) -> str:
    """The term a rule holds for, or nothing for rules that hold for all; raises BadInput."""
    if code in SCOPED and not _is_term(scope):
        raise BadInput(fields={"scope": _("Say for which kind of derivative: three capital letters, such as HOR.")})
    if code not in SCOPED and scope:
        raise BadInput(fields={"scope": _("This rule holds for all kinds of derivatives.")})
    return scope


def in_words(rule: Rule) -> str:
    """What the rule says, as one would say it: "at most 2 horns per male"."""
    value, code = rule.value, RuleCode(rule.code)
    match code:
        case RuleCode.MARKING_COMPULSORY:
            terms = ", ".join(term_in_words(term) for term in value["terms"])
            return gettext("Compulsory for: %(terms)s") % {"terms": terms} if terms else gettext("Voluntary")
        case RuleCode.HORN_MASS_BAND:
            return gettext("From %(least)s to %(most)s g; a horn outside is asked about, not refused") % {
                "least": _number(value["min_g"]),
                "most": _number(value["max_g"]),
            }
        case RuleCode.HORN_PER_MALE:
            words = ngettext("At most %(count)d horn per male", "At most %(count)d horns per male", value["max"])
            return words % {"count": value["max"]}
        case RuleCode.EXPORT_QUOTA:
            return gettext("%(kilograms)s kg a year") % {"kilograms": _number(value["grams"] / 1000)}
        case RuleCode.MRP:
            return gettext("%(amount)s ₸") % {"amount": _number(value["tenge"])}
        case RuleCode.DISCREPANCY_DAYS:
            words = ngettext("Within %(count)d day", "Within %(count)d days", value["days"])
            return words % {"count": value["days"]}
        case RuleCode.APPLICATION_DAYS:
            count = value["working_days"]
            return ngettext("Within %(count)d working day", "Within %(count)d working days", count) % {"count": count}
        case RuleCode.STATE_TRANSFER | RuleCode.DOMESTIC_SALE:
            return gettext("Allowed") if value["allowed"] else gettext("Not allowed")
        case RuleCode.UNDER_CERTIFICATE:
            return ", ".join(term_in_words(term) for term in value["terms"]) or gettext("None")
        case RuleCode.STATE_GTIN:
            return str(value["gtin"])
        case _:
            return "; ".join(f"{part.label}: {_number(value[part.key])} {part.unit}".strip() for part in PARTS[code])


def _fault(part: Part, given: Any) -> StrOrPromise | None:
    match part.sort:
        case Sort.YES_NO:
            return None if isinstance(given, bool) else _("Say yes or no.")
        case Sort.TERMS:
            good = isinstance(given, list) and all(_is_term(term) for term in given)
            return None if good else _("Term codes are three capital letters each, such as HOR.")
        case Sort.GTIN:
            return None if isinstance(given, str) and _is_gtin(given) else _("A GTIN has fourteen digits; check them.")
        case _:
            good = isinstance(given, int) and not isinstance(given, bool)
            if good and part.minimum <= given <= part.maximum:
                return None
            return _("Enter a whole number from %(least)s to %(most)s.") % {
                "least": part.minimum,
                "most": part.maximum,
            }


def _is_term(text: Any) -> bool:
    return isinstance(text, str) and len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _is_gtin(text: str) -> bool:
    """Fourteen digits whose sum, every other one three times, ends in 0 (GS1 General Specifications, 7.9)."""
    if len(text) != 14 or not (text.isascii() and text.isdigit()):
        return False
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(text)) % 10 == 0


def _number(amount: float) -> str:
    return number_format(int(amount) if amount == int(amount) else amount, use_l10n=True, force_grouping=True)
