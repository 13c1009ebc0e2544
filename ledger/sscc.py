"""The number of a box or a pallet: SSCC-18 of the GS1 General Specifications (application identifier 00).

Extension digit, company prefix, serial number, check digit: eighteen digits, printed as (00)… and read by a scanner as
"00" with the eighteen digits behind it.
"""

import re

# A scanner may say which symbol it read (ISO/IEC 15424): ]C1 for GS1-128, ]d2 for GS1 DataMatrix, ]Q3 for GS1 QR.
_SYMBOL = re.compile(r"^\](?:C1|C0|d2|Q3|e0)")
_SPACES = re.compile(r"[\s()\u001d-]+")


class SsccError(ValueError):
    """These digits are no SSCC."""


def check_digit(digits: str) -> int:
    """The GS1 check digit of the digits before it: weights 3 and 1 from the right, modulo 10."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def make_sscc(prefix: str, serial: int, *, extension: int = 0) -> str:
    """Eighteen digits for a serial number under a GS1 company prefix of 7 to 10 digits. Raises SsccError."""
    if not (prefix.isascii() and prefix.isdigit() and 7 <= len(prefix) <= 10):
        raise SsccError("a GS1 company prefix has 7 to 10 digits")
    if not 0 <= extension <= 9:
        raise SsccError("the extension is one digit")
    room = 16 - len(prefix)
    if not 0 < serial < 10**room:
        raise SsccError("the serial number does not fit")
    body = f"{extension}{prefix}{serial:0{room}d}"
    return f"{body}{check_digit(body)}"


def is_sscc(digits: str) -> bool:
    """True for eighteen digits with their right check digit."""
    if not (len(digits) == 18 and digits.isascii() and digits.isdigit()):
        return False
    return check_digit(digits[:-1]) == int(digits[-1])


def parse_sscc(text: str) -> str:
    """The eighteen digits in what a person or a scanner typed: "(00) 0 4870 …", "]C100…". Raises SsccError."""
    digits = _SPACES.sub("", _SYMBOL.sub("", text.strip()))
    if len(digits) == 20 and digits.startswith("00"):
        digits = digits[2:]
    if not is_sscc(digits):
        raise SsccError("no SSCC")
    return digits


def show_sscc(sscc: str) -> str:
    """As people read it, in groups of four: (00) 0 4870 0000 0000 0000 1 7."""
    return f"(00) {sscc[0]} {sscc[1:5]} {sscc[5:9]} {sscc[9:13]} {sscc[13:17]} {sscc[17:]}"
