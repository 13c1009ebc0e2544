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
}
# Rules that hold for one term only, and need it said.
SCOPED = frozenset({RuleCode.EXPORT_QUOTA})

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
    if not faults and code == RuleCode.HORN_MASS_BAND and value["min_g"] >= value["max_g"]:
        faults["max_g"] = _("The upper bound is not above the lower.")
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


def _fault(part: Part, given: Any) -> StrOrPromise | None:
    match part.sort:
        case Sort.YES_NO:
            return None if isinstance(given, bool) else _("Say yes or no.")
        case Sort.TERMS:
            good = isinstance(given, list) and all(_is_term(term) for term in given)
            return None if good else _("Term codes are three capital letters each, such as HOR.")
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


def _number(amount: float) -> str:
    return number_format(int(amount) if amount == int(amount) else amount, use_l10n=True, force_grouping=True)
