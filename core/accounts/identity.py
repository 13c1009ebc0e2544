"""How a person outside the register is known: by a full name, and by an IIN or the number of an identity document."""

import re

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.bin import is_valid_iin

LEAST_SIGNS = 6  # of the number of a document: ICAO 9303 gives nine places, older passports use six of them
LEAST_DIGITS = 4
IIN_DIGITS = 12

LEAST_LETTERS = 3  # different ones, of a full name

NO_NAME: StrOrPromise = _("Write the full name: family name and given name.")

_WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"[^\W\d_]+")
_WRITTEN_TOGETHER = re.compile(r"[\u3400-\u9fff\uac00-\ud7af]{2,}")  # Chinese and Korean: no blank between
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


def problem_of_name(text: str) -> StrOrPromise | None:
    """Why these words are no full name; None where they may be one. Of a given name its first letter is enough."""
    words = _NAME.findall(text)
    if any(_WRITTEN_TOGETHER.fullmatch(word) for word in words):
        return None
    letters = set("".join(words).casefold())
    is_name = len(words) > 1 and max(map(len, words)) > 1 and len(letters) >= LEAST_LETTERS
    return None if is_name else NO_NAME


def is_same_name(one: str, other: str) -> bool:
    """Whether two full names may be of one person: all words of the shorter stand in the longer, in any order."""
    first, second = (frozenset(_NAME.findall(text.casefold())) for text in (one, other))
    least = min(first, second, key=len)
    return problem_of_name(" ".join(least)) is None and (first <= second or second <= first)


def _is_number(word: str) -> bool:
    """Such as N12345678 or 041237765: mostly digits, and not one sign again and again."""
    digits = sum(sign.isdigit() for sign in word)
    return len(word) >= LEAST_SIGNS and digits >= LEAST_DIGITS and len(set(word)) > 1
