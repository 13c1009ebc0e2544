"""What people and scales write about one horn, read forgivingly and exactly. Knows no Django.

Masses are whole grams, lengths whole millimetres. Sides and conditions are known by their codes and by the words of
the three languages.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

MAX_MASS_G = 99_999
MAX_LENGTH_MM = 9_999
MAX_NOTE = 200

SIDES: dict[str, tuple[str, ...]] = {
    "L": ("l", "left", "с", "сол", "c", "л", "лев", "левый", "левая", "сол жақ"),
    "R": ("r", "right", "о", "оң", "o", "п", "прав", "правый", "правая", "оң жақ"),
    "U": (
        "u",
        "unknown",
        "?",
        "-",
        "—",
        "б",
        "белгісіз",
        "анықталмаған",
        "н",
        "неизвестно",
        "не установлено",
        "неизвестен",
        "не определена",
    ),
}
CONDITIONS: dict[str, tuple[str, ...]] = {
    "whole": ("whole", "intact", "бүтін", "целый", "целая"),
    "cracked": ("cracked", "жарылған", "жарықшақ", "треснувший", "треснут", "с трещиной", "трещина"),
    "broken": ("broken", "сынған", "сломан", "сломанный", "обломан", "обломанный"),
    "decayed": ("decayed", "шіріген", "бүлінген", "гнилой", "разрушен", "разрушенный", "испорчен"),
}
SIDE_OF = {word: code for code, words in SIDES.items() for word in words}
CONDITION_OF = {word: code for code, words in CONDITIONS.items() for word in words}
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", ",": "."})


class Unreadable(ValueError):
    """The text does not say what was asked; `code` is one of the keys of `registry.wording.PROBLEMS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of a weighing table: its number, and one horn as it was weighed and measured."""

    row: int
    side: str
    mass_g: int
    length_mm: int | None = None
    condition: str = "whole"
    note: str = ""


def read_mass(text: str, *, in_kilograms: bool = False) -> int:
    """Whole grams from "215", "215 g", "215,4" or, below ten and with a fraction, from kilograms: "0,215" is 215.

    Half a gram is rounded up. Raises Unreadable: mass_missing, mass_not_number, mass_out_of_range.
    """
    number, unit = _read_quantity(text, "mass", {"g": 1, "г": 1, "kg": 1000, "кг": 1000})
    if unit is None:
        # A scale set to kilograms writes 0,215; no horn weighs a fraction of ten grams.
        is_kilograms = in_kilograms or (number < 10 and number != number.to_integral_value())
        unit = 1000 if is_kilograms else 1
    grams = int((number * unit).to_integral_value(ROUND_HALF_UP))
    if not 1 <= grams <= MAX_MASS_G:
        raise Unreadable("mass_out_of_range")
    return grams


def read_length(text: str, *, in_centimetres: bool = False) -> int | None:
    """Whole millimetres from "245", "245 mm", "24,5 cm"; None when nothing is written.

    Raises Unreadable: length_not_number, length_out_of_range.
    """
    if not text.strip():
        return None
    number, unit = _read_quantity(text, "length", {"mm": 1, "мм": 1, "cm": 10, "см": 10})
    factor = unit or (10 if in_centimetres else 1)
    millimetres = int((number * factor).to_integral_value(ROUND_HALF_UP))
    if not 1 <= millimetres <= MAX_LENGTH_MM:
        raise Unreadable("length_out_of_range")
    return millimetres


def read_side(text: str) -> str:
    """L, R or U from a letter or a word of any of the languages; nothing written is U. Raises side_not_known."""
    return _look_up(text, SIDE_OF, "U", "side_not_known")


def read_condition(text: str) -> str:
    """whole, cracked, broken or decayed; nothing written is whole. Raises condition_not_known."""
    return _look_up(text, CONDITION_OF, "whole", "condition_not_known")


def read_note(text: str) -> str:
    """A note without line breaks at its ends. Raises note_too_long, note_not_text."""
    note = text.strip()
    if len(note) > MAX_NOTE:
        raise Unreadable("note_too_long")
    if any(not (character.isprintable() or character in "\t\n") for character in note):
        raise Unreadable("note_not_text")
    return note


def _look_up(text: str, words: dict[str, str], default: str, problem: str) -> str:
    word = " ".join(text.casefold().split()).rstrip(".")
    if not word:
        return default
    if word not in words:
        raise Unreadable(problem)
    return words[word]


def _read_quantity(text: str, name: str, units: dict[str, int]) -> tuple[Decimal, int | None]:
    """The number of a text and the factor of the unit behind it, if one is written."""
    tidy = "".join(text.casefold().split()).translate(_SIGNS).rstrip(".")
    if not tidy:
        raise Unreadable(f"{name}_missing")
    unit = next((unit for unit in sorted(units, key=len, reverse=True) if tidy.endswith(unit)), None)
    digits = tidy.removesuffix(unit) if unit else tidy
    digits = digits.removeprefix("+")
    unsigned = digits.removeprefix("-")
    if not (unsigned.replace(".", "", 1).isdecimal() and unsigned.isascii()):
        raise Unreadable(f"{name}_not_number")
    if len(digits) > 20:
        raise Unreadable(f"{name}_out_of_range")
    return Decimal(digits), units[unit] if unit else None
