"""What counts as a reason, wherever words decide something: in an alert, a loss, a write-off, a refusal.

A reason is read by somebody who was not there. Ten letters or digits in two different words with five different letters
is little enough for any language of the register ("no tag on arrival", "заттаңба жоқ", "нет этикетки"), and more than a
hand that rests on one key gives.
"""

import re

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.base.errors import BadInput

LEAST_SIGNS = 10
LEAST_WORDS = 2
LEAST_LETTERS = 5  # different ones

NO_REASON: StrOrPromise = _("Say in your own words what happened and why: at least two words and ten letters.")

_WORD = re.compile(r"[^\W_]+")


def is_reason(text: str) -> bool:
    """True for words that say something."""
    words = _WORD.findall(text.casefold())
    letters = {sign for word in words for sign in word if sign.isalpha()}
    return sum(map(len, words)) >= LEAST_SIGNS and len(set(words)) >= LEAST_WORDS and len(letters) >= LEAST_LETTERS


def require_reason(text: str, field: str = "reason") -> str:
    """The reason without spaces around it. Raises BadInput that says what to write, beside its field."""
    if not is_reason(text):
        raise BadInput(fields={field: NO_REASON})
    return text.strip()
