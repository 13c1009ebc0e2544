"""Business and individual identification numbers of Kazakhstan: 12 digits, the last one a check digit."""

from datetime import date

_FIRST = range(1, 12)
_SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)


def check_digit(first_eleven: str) -> int | None:
    """The 12th digit for eleven digits, or None where the rule gives none and the number cannot exist.

    Weights 1..11 modulo 11; if that is 10, weights 3..11, 1, 2; if it is 10 again the number is invalid.
    """
    for weights in (_FIRST, _SECOND):
        remainder = sum(int(digit) * weight for digit, weight in zip(first_eleven, weights, strict=True)) % 11
        if remainder < 10:
            return remainder
    return None


def is_valid_bin(value: str) -> bool:
    """True for a well-formed BIN: twelve digits, the fifth 4, 5 or 6, and the check digit right."""
    if len(value) != 12 or not value.isascii() or not value.isdigit() or value[4] not in "456":
        return False
    return check_digit(value[:11]) == int(value[11])


def is_valid_iin(value: str) -> bool:
    """True for a well-formed IIN: twelve digits that begin with a birth date, and the check digit right."""
    if len(value) != 12 or not value.isascii() or not value.isdigit() or value[6] not in "0123456":
        return False
    try:
        date(2000 + int(value[:2]), int(value[2:4]), int(value[4:6]))
    except ValueError:
        return False
    return check_digit(value[:11]) == int(value[11])


def bin_from(first_eleven: str) -> str:
    """A valid BIN made of eleven digits and their check digit; ValueError where no such number can exist."""
    digit = check_digit(first_eleven)
    if digit is None or not is_valid_bin(f"{first_eleven}{digit}"):
        raise ValueError(first_eleven)
    return f"{first_eleven}{digit}"
