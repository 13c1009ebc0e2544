"""Mark codes: eleven random characters and one check character.

Alphabet: Crockford base 32, `0-9A-Z` without I, L, O and U. The eleven characters carry 55 random bits. The
twelfth is a check character over GF(32) with the polynomial x^5 + x^2 + 1: starting from q = 0, every
character's value d gives q = 2 * (q xor d), and the check character is the one whose value is q. As 2
generates the field, the twelve characters have twelve different weights; so every wrong character and every
exchange of two characters, neighbours or not, is caught.
"""

import re
import secrets
from collections.abc import Iterator
from enum import StrEnum

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_LENGTH = 11
CODE_LENGTH = RANDOM_LENGTH + 1
RANDOM_BITS = 5 * RANDOM_LENGTH

_FORM = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
_AS_PYTHON = str.maketrans(ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUV")  # the digits of int(text, 32)
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_DOUBLED = tuple((value << 1) ^ (0b100101 if value & 0b10000 else 0) for value in range(32))

# What people and keyboards write instead: I, L and O; Cyrillic letters that look like Latin ones.
_READ_AS = str.maketrans("ILO" + "АВСЕНКМОРТХУ", "110" + "ABCEHKM0PTXY")
# Signs between groups: white space, hyphens and dashes of every kind.
_BETWEEN = dict.fromkeys(
    map(ord, " \t\r\n\v\f\u00a0\u2007\u2009\u202f\u200b\ufeff-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212")
)


class Fault(StrEnum):
    """What is wrong with a text that should be a mark code."""

    EMPTY = "empty"
    CHARACTER = "character"
    LENGTH = "length"
    CHECK = "check"


class CodeError(ValueError):
    """The text is not a mark code.

    `fault` says which thing is wrong; `character` is the first sign that no code contains (CHARACTER only);
    `length` is the number of characters read (LENGTH only).
    """

    def __init__(self, fault: Fault, *, character: str = "", length: int = 0) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.character = character
        self.length = length


def new_code() -> str:
    """A new code from the system's random source, check character included."""
    return from_number(secrets.randbits(RANDOM_BITS))


def new_codes() -> Iterator[str]:
    """New codes without end, each as random as `new_code`; not checked against each other."""
    while True:
        yield new_code()


def check_character(characters: str) -> str:
    """The check character of the eleven random ones. KeyError when a sign is not in the alphabet."""
    q = 0
    for character in characters:
        q = _DOUBLED[q ^ _VALUE[character]]
    return ALPHABET[q]


def is_code(text: str) -> bool:
    """Whether the text is a code exactly as stored: twelve characters, upper case, right check character."""
    return _FORM.fullmatch(text) is not None and check_character(text[:-1]) == text[-1]


def parse(text: str) -> str:
    """The code a person meant: any case, spaces and hyphens ignored, look-alikes read as what they look like.

    Raises CodeError. A wrong sign is told before a wrong length, and that before a wrong check character.
    """
    folded = fold(text)
    if not folded:
        raise CodeError(Fault.EMPTY)
    for character in folded:
        if character not in _VALUE:
            raise CodeError(Fault.CHARACTER, character=character)
    if len(folded) != CODE_LENGTH:
        raise CodeError(Fault.LENGTH, length=len(folded))
    if check_character(folded[:-1]) != folded[-1]:
        raise CodeError(Fault.CHECK)
    return folded


def fold(text: str) -> str:
    """The text in the letters of codes: upper case, nothing between, look-alikes as what they look like."""
    return text.upper().translate(_BETWEEN).translate(_READ_AS)


def group(code: str) -> str:
    """The code as people read it: `7H4Q9TX2MW8H` becomes `7H4Q-9TX2-MW8H`."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def to_number(code: str) -> int:
    """The 55 random bits of a valid code."""
    return int(code[:RANDOM_LENGTH].translate(_AS_PYTHON), 32)


def from_number(number: int) -> str:
    """The code with these 55 random bits. ValueError when they are more."""
    if not 0 <= number < 1 << RANDOM_BITS:
        raise ValueError("a mark code carries 55 bits")
    characters = "".join(ALPHABET[number >> shift & 31] for shift in range(RANDOM_BITS - 5, -1, -5))
    return characters + check_character(characters)
