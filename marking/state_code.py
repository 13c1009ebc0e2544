"""What else an item carries, as scanners send it: the state operator's code, a seal's number, an RFID chip's TID.

The state code is a GS1 DataMatrix (GS1 General Specifications, section 7.8): element strings 01 GTIN, 21 serial, 91
key, 92 check value (88 characters or 44), in some groups 93. Element strings of variable length are ended by the sign
GS (0x1D), which keyboards have no key for: scanners send something else, or nothing. What stands for GS is normalised
only where it can mean nothing else; otherwise the person is asked. No length is assumed. Knows no Django.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from biip import ParseError
from biip.gs1_messages import GS1Message

GS = "\x1d"
LONGEST = 600
SHOWN_GS = "\u241d"
"""The picture of the sign GS, which is no data character of GS1: pages write it where the keyboard has none."""
SYMBOLOGY = "]d2"
# What scanners are known to be set to. Some may be data too, and which one it is only the person can say.
SUBSTITUTES = ("<GS>", "{GS}", "[GS]", "(GS)", "\\x1D", "\\u001d", "\\F", "^]", "|", "~", "^", "#", "@", "§", "è", "È")
PARTS = ("01", "21", "91", "92", "93")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_TID = re.compile(r"[0-9A-F]+")
# Bits of the TIDs that tags have (GS1 EPC Tag Data Standard; ISO/IEC 15963), in hexadecimal digits.
TID_LENGTHS = frozenset({16, 24, 28, 32, 40, 48})
_SEAL = re.compile(r"\w[\w./-]{2,38}\w")
# One seal is one number, whichever keyboard wrote it.
_LATIN = str.maketrans("АВСЕНКМОРТХУІ", "ABCEHKMOPTXYI")


class Fault(StrEnum):
    """Why a text is not what else an item carries."""

    EMPTY = "empty"
    SYMBOLOGY = "symbology"
    LAYOUT = "layout"
    SEPARATOR = "separator"
    CONTENT = "content"
    GTIN = "gtin"
    INCOMPLETE = "incomplete"
    FORM = "form"


class CarrierError(ValueError):
    """Not usable; `fault` says why. `candidates` are the signs that may stand for GS in this text (SEPARATOR only)."""

    def __init__(self, fault: Fault, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.candidates = candidates


@dataclass(frozen=True, slots=True)
class StateCode:
    """A state code: the raw text with GS, without the symbology identifier, and every part of it by its AI."""

    raw: str
    parts: Mapping[str, str]

    @property
    def gtin(self) -> str:
        return self.parts["01"]

    @property
    def serial(self) -> str:
        return self.parts["21"]

    @property
    def identity(self) -> str:
        """What names the thing: two codes with one identity are one code, whatever their check values say."""
        return f"01{self.gtin}21{self.serial}"


def looks_like_state_code(text: str) -> bool:
    """Whether the text begins as a state code does: 01, fourteen digits, 21."""
    return re.match(r"01\d{14}21", _without_head(text)) is not None


# As people read it and as the page prints it; and as a gun sends it that has no key for GS.
_IN_BRACKETS = re.compile(r"\(01\)\s*(\d{14})\s*\(21\)\s*([^\s\x1d\u241d]{1,20}?)\s*(?:[\x1d\u241d(].*)?", re.DOTALL)
_RUN_TOGETHER = re.compile(r"01(\d{14})21([^\s\x1d\u241d]+)", re.DOTALL)
LONGEST_SERIAL = 20


def identities_without_gs(text: str) -> list[str]:
    """What a state code may be named whose text has lost its GS: to look it up, never to bind it."""
    head = _without_head(text)
    if match := _IN_BRACKETS.fullmatch(head):
        return [f"01{match[1]}21{match[2]}"]
    if match := _RUN_TOGETHER.fullmatch(head):
        return [f"01{match[1]}21{match[2][:length]}" for length in range(1, min(len(match[2]), LONGEST_SERIAL) + 1)]
    return []


def parse_state_code(text: str, *, separator: str = "") -> StateCode:
    """The state code in what a scanner sent. `separator` is what that scanner sends for GS, where it was asked.

    Raises CarrierError.
    """
    head = _without_head(text)
    if not head:
        raise CarrierError(Fault.EMPTY)
    if len(head) > LONGEST:
        raise CarrierError(Fault.CONTENT)
    if head.startswith("]"):
        raise CarrierError(Fault.SYMBOLOGY)
    if _CYRILLIC.search(head):
        raise CarrierError(Fault.LAYOUT)
    raw = head.replace(SHOWN_GS, GS)
    if separator and GS not in raw:
        raw = raw.replace(separator, GS)
    raw = raw.strip(GS)
    # A code has a serial of variable length with something behind it: without GS nothing says where it ends.
    if GS not in raw:
        if not looks_like_state_code(raw):
            raise CarrierError(Fault.CONTENT)
        raise CarrierError(Fault.SEPARATOR, candidates(raw))
    return _parse_raw(raw)


def candidates(text: str) -> tuple[str, ...]:
    """The signs that, read as GS, would make a whole state code of this text."""
    found = []
    for sign in SUBSTITUTES:
        if sign not in text:
            continue
        try:
            _parse_raw(text.replace(sign, GS).strip(GS))
        except CarrierError:
            continue
        found.append(sign)
    return tuple(found)


def _without_head(text: str) -> str:
    """Without white space around, the symbology identifier of GS1 DataMatrix, and the GS that some send for FNC1."""
    tidy = text.strip(" \t\r\n\u00a0\ufeff")
    return tidy.lstrip(GS + SHOWN_GS).removeprefix(SYMBOLOGY).lstrip(GS + SHOWN_GS)


def _parse_raw(raw: str) -> StateCode:
    try:
        elements = GS1Message.parse(raw).element_strings
    except (ParseError, ValueError):
        raise CarrierError(Fault.CONTENT) from None
    parts: dict[str, str] = {}
    for element in elements:
        ai = element.ai.ai
        if ai in parts:
            raise CarrierError(Fault.CONTENT)
        parts[ai] = element.value
        if ai == "01" and element.gtin is None:
            raise CarrierError(Fault.GTIN)
    if not {"01", "21"} <= parts.keys():
        raise CarrierError(Fault.CONTENT)
    if not {"92", "93"} & parts.keys():
        raise CarrierError(Fault.INCOMPLETE)
    return StateCode(raw, parts)


def parse_seal(text: str) -> str:
    """The number of a seal: upper case, without spaces, letters that look Latin as Latin. Raises CarrierError."""
    tidy = "".join(text.upper().split()).translate(_LATIN)
    if not tidy:
        raise CarrierError(Fault.EMPTY)
    if not _SEAL.fullmatch(tidy) or not bare(tidy):
        raise CarrierError(Fault.FORM)
    return tidy


def bare_seal(text: str) -> str:
    """The number of a seal without what stands between: “seal t1” is SEAL-T1 for whoever looks. Raises CarrierError."""
    return bare(parse_seal(text))


def bare(number: str) -> str:
    """One seal is one number, whatever people write between its signs."""
    return re.sub(r"[-./_]", "", number)


def parse_tid(text: str) -> str:
    """The TID of an RFID chip in hexadecimal: upper case, without spaces, colons and hyphens. Raises CarrierError."""
    tidy = re.sub(r"[\s:-]", "", text.upper()).removeprefix("0X")
    if not tidy:
        raise CarrierError(Fault.EMPTY)
    if not _TID.fullmatch(tidy) or len(tidy) not in TID_LENGTHS or not tidy.strip("0") or not tidy.strip("F"):
        raise CarrierError(Fault.FORM)
    return tidy
