"""How a person outside the register is known: by an IIN, or by the number of an identity document."""

import re

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.bin import is_valid_iin

LEAST_SIGNS = 6  # of the number of a document: ICAO 9303 gives nine places, older passports use six of them
LEAST_DIGITS = 4
IIN_DIGITS = 12

_WORD = re.compile(r"[^\W_]+")
_DAY = re.compile(r"\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{4}-\d{2}-\d{2}\b")


def problem_of_identity(text: str) -> StrOrPromise | None:
    """Why these words identify nobody; None where they hold a valid IIN or the number of a document.

    What stands beside the number, its kind, who issued it and when, is free.
    """
    words = _WORD.findall(_DAY.sub(" ", text))
    numbers = [word for word in words if word.isdigit() and len(word) == IIN_DIGITS]
    if any(not is_valid_iin(number) for number in numbers):
        return _("This is not a valid IIN: check the 12 digits.")
    if numbers or any(_is_number(word) for word in words):
        return None
    return _("Give the 12 digits of the IIN, or the kind and number of an identity document (at least 6 signs).")


def _is_number(word: str) -> bool:
    """Such as N12345678 or 041237765: mostly digits, and not one sign again and again."""
    digits = sum(sign.isdigit() for sign in word)
    return len(word) >= LEAST_SIGNS and digits >= LEAST_DIGITS and len(set(word)) > 1
