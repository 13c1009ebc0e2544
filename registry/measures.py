"""What people and scales write about one specimen, read forgivingly and exactly. Knows no Django.

Masses are whole grams, lengths whole millimetres. Sides, conditions and every other choice are known by their codes and
by the words of the three languages.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from registry.fields import CONDITIONS, FIELDS, HORN, MAX_LENGTH_MM, MAX_MASS_G, MAX_NOTE, SIDES, Choice, Field, Kind

__all__ = ["MAX_LENGTH_MM", "MAX_MASS_G", "MAX_NOTE", "TableRow", "Unreadable"]

_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", ",": "."})
_FACTORS = {"g": 1, "kg": 1000, "mm": 1, "mg": 1, "": 1}
FIRST_DAY = date(1990, 1, 1)
NUMBER_LETTERS = 16


class Unreadable(ValueError):
    """The text does not say what was asked; `code` is one of the keys of `registry.wording.PROBLEMS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of a weighing table: its number, and what was weighed, measured and said of it.

    `pair` is the number of another row, or the registration number of a horn.
    """

    row: int
    side: str = "U"
    mass_g: int = 0
    length_mm: int | None = None
    condition: str = "whole"
    note: str = ""
    straight_mm: int | None = None
    base_mm: int | None = None
    rings: int | None = None
    pair: str = ""
    package: str = ""
    gross_g: int | None = None
    count: int | None = None
    cut: str = ""
    treatment: str = ""
    made_on: date | None = None
    use_by: date | None = None
    width_mm: int | None = None
    right_length_mm: int | None = None
    right_base_mm: int | None = None
    spread_mm: int | None = None
    product: str = ""
    lot: str = ""
    dose_mg: int | None = None


ROW_COLUMNS = tuple(field.name for field in fields(TableRow) if field.name != "row")
"""The columns of a row, as the table in the database has them."""


def words_of(choices: dict[str, Choice]) -> dict[str, str]:
    """Every word of a list, small letters, with the code it means."""
    known = {code: code for code in choices} | {
        word.casefold(): code for code, choice in choices.items() for word in (*choice.names, *choice.others)
    }
    return {word.casefold(): code for word, code in known.items()}


SIDE_OF = words_of(SIDES)
CONDITION_OF = words_of(CONDITIONS)


def read_mass(text: str, *, in_kilograms: bool = False) -> int:
    """Whole grams of a horn from "215", "215 g", "215,4"; a fraction below ten is kilograms: "0,215" is 215.

    Half a gram is rounded up. Raises Unreadable: mass_missing, mass_not_number, mass_out_of_range.
    """
    found = reader(_HORN["mass"], "kg" if in_kilograms else "", is_horn=True)(text)
    return found if isinstance(found, int) else 0


def read_length(text: str, *, in_centimetres: bool = False) -> int | None:
    """Whole millimetres from "245", "245 mm", "24,5 cm"; None when nothing is written.

    Raises Unreadable: length_not_number, length_out_of_range.
    """
    found = reader(_HORN["length"], "cm" if in_centimetres else "")(text)
    return found if isinstance(found, int) else None


def read_side(text: str) -> str:
    """L, R or U from a letter or a word of any of the languages; nothing written is U. Raises side_not_known."""
    return str(reader(_HORN["side"])(text))


def read_condition(text: str) -> str:
    """whole, cracked, broken or decayed; nothing written is whole. Raises condition_not_known."""
    return str(reader(_HORN["condition"])(text))


def read_note(text: str) -> str:
    """A note without line breaks at its ends. Raises note_too_long, note_not_text."""
    return str(reader(_HORN["note"])(text))


_HORN = {field.key: field for field in FIELDS[HORN]}
_OWN_CODES = frozenset({"mass", "length", "side", "condition", "note"})


def _problem(field: Field, what: str) -> str:
    """The code of a problem: of the field's own, where it has words of its own, or of its kind."""
    return f"{field.key if field.key in _OWN_CODES else field.kind.value}_{what}"


Value = int | str | date | None
Reader = Callable[[str], Value]


def reader(field: Field, unit: str = "", *, is_horn: bool = False) -> Reader:
    """What reads the cells of a field; `unit` is what its column is headed by, if that is another unit."""
    read: Reader
    match field.kind:
        case Kind.CHOICE:
            read = _choice_reader(field)
        case Kind.MASS:
            read = _quantity_reader(field, unit, {"g": 1, "г": 1, "kg": 1000, "кг": 1000}, guess_kilograms=is_horn)
        case Kind.LENGTH:
            read = _quantity_reader(field, unit, {"mm": 1, "мм": 1, "cm": 10, "см": 10})
        case Kind.COUNT:
            read = _quantity_reader(field, unit, {"mg": 1, "мг": 1} if field.unit == "mg" else {})
        case Kind.DAY:
            read = _read_day
        case Kind.PAIR:
            read = _read_pair
        case _:
            read = _text_reader(field)
    if not field.required:
        return read

    def required(text: str) -> Value:
        value = read(text)
        if value in (None, ""):
            raise Unreadable(_problem(field, "missing"))
        return value

    return required


def _choice_reader(field: Field) -> Reader:
    known = words_of(dict(field.choices or {}))

    @cache
    def read(text: str) -> str:
        word = " ".join(text.casefold().split()).rstrip(".")
        if not word:
            return field.default
        if word not in known:
            raise Unreadable(_problem(field, "not_known"))
        return known[word]

    return read


def _quantity_reader(field: Field, unit: str, units: dict[str, int], *, guess_kilograms: bool = False) -> Reader:
    """Whole grams, millimetres or pieces. A scale set to kilograms writes 0,215: no horn weighs a part of ten grams."""
    base = units.get(unit) or _FACTORS[field.unit]
    plain_is_base = base == 1
    out_of_range, not_number = _problem(field, "out_of_range"), _problem(field, "not_number")
    least = 0 if field.kind == Kind.COUNT and not field.required else 1

    def read(text: str) -> int | None:
        if plain_is_base and text.isdigit() and text.isascii() and len(text) < 9:
            found = int(text)
        else:
            quantity = _read_quantity(text, units)
            if quantity is None:
                if field.required:
                    raise Unreadable(_problem(field, "missing"))
                return None
            number, said = quantity
            factor = said or base
            is_whole = number == number.to_integral_value()
            if said is None and guess_kilograms and number < 10 and not is_whole:
                factor = 1000
            if not units and not is_whole:
                raise Unreadable(not_number)
            found = int((number * factor).to_integral_value(ROUND_HALF_UP))
        if not least <= found <= field.most:
            raise Unreadable(out_of_range)
        return found

    def _read_quantity(text: str, known: dict[str, int]) -> tuple[Decimal, int | None] | None:
        """The number of a text and the factor of the unit behind it, if one is written; None for nothing."""
        tidy = "".join(text.casefold().split()).translate(_SIGNS).rstrip(".")
        if not tidy:
            return None
        written = next((word for word in sorted(known, key=len, reverse=True) if tidy.endswith(word)), None)
        digits = (tidy.removesuffix(written) if written else tidy).removeprefix("+")
        unsigned = digits.removeprefix("-")
        if not (unsigned.replace(".", "", 1).isdecimal() and unsigned.isascii()):
            raise Unreadable(not_number)
        if len(digits) > 20:
            raise Unreadable(out_of_range)
        return Decimal(digits), known[written] if written else None

    return read


def _read_day(text: str) -> date | None:
    """A day written 2026-12-31 or 31.12.2026."""
    tidy = text.strip()
    if not tidy:
        return None
    try:
        if "." in tidy:
            day, month, year = (int(part) for part in tidy.split("."))
            found = date(year, month, day)
        else:
            found = date.fromisoformat(tidy[:10])
    except ValueError:
        raise Unreadable("day_not_date") from None
    if not FIRST_DAY <= found <= date(2200, 1, 1):
        raise Unreadable("day_out_of_range")
    return found


def _read_pair(text: str) -> str:
    """The number of a row, or a registration number such as KZ25-0000123."""
    tidy = "".join(text.split()).upper().removeprefix("№")
    if not tidy:
        return ""
    if tidy.isascii() and tidy.isdigit() and len(tidy) < 9 and int(tidy):
        return str(int(tidy))
    head, dash, serial = tidy.partition("-")
    is_number = head[:2] == "KZ" and len(head) == 4 and head[2:].isdigit() and dash and serial.isdigit()
    if not is_number or not tidy.isascii() or len(tidy) > NUMBER_LETTERS:
        raise Unreadable("pair_not_known")
    return tidy


def _text_reader(field: Field) -> Reader:
    def read(text: str) -> str:
        said = text.strip()
        if len(said) > field.most:
            raise Unreadable(_problem(field, "too_long"))
        if not said.isprintable() and any(not (letter.isprintable() or letter in "\t\n") for letter in said):
            raise Unreadable(_problem(field, "not_text"))
        return said

    return read


def contradictions(row: TableRow) -> list[tuple[str, str]]:
    """Cells of one row that cannot both be right: the key of the cell, and the code of the problem."""
    found = []
    if row.straight_mm is not None and row.length_mm is not None and row.straight_mm > row.length_mm:
        found.append(("straight", "straight_is_longer"))
    if row.gross_g is not None and row.gross_g < row.mass_g:
        found.append(("gross", "gross_below_net"))
    if row.made_on is not None and row.use_by is not None and row.use_by < row.made_on:
        found.append(("use_by", "use_by_before_made"))
    return found


def pair_problems(rows: Iterable[tuple[int, str, str]]) -> dict[int, str]:
    """What is wrong with the pairs of a table: row numbers with codes. Rows come as (number, side, pair).

    Two horns of one animal are a left and a right one; who names a pair need not be named back, but by nobody else.
    Registration numbers are taken as they are: only the register knows them.
    """
    table = {row: (side, pair) for row, side, pair in rows}
    named: dict[str, int] = {}
    wrong: dict[int, str] = {}
    for row, (side, pair) in table.items():
        if not pair:
            continue
        if not pair.isdigit():
            if side not in ("L", "R"):
                wrong[row] = "pair_sides"
            elif pair in named:
                wrong[row] = wrong[named[pair]] = "pair_taken"
            named.setdefault(pair, row)
            continue
        other = int(pair)
        if other == row:
            wrong[row] = "pair_itself"
        elif other not in table:
            wrong[row] = "pair_not_there"
        elif {side, table[other][0]} != {"L", "R"}:
            wrong[row] = "pair_sides"
        elif table[other][1] not in ("", str(row)):
            wrong[row] = "pair_taken"
        elif pair in named:
            wrong[row] = wrong[named[pair]] = "pair_taken"
        named.setdefault(pair, row)
    return wrong


def as_text(field: Field, value: Any) -> str:
    """A kept value as people type it into its cell; a point before fractions of a kilogram."""
    if value is None or value == "" or (field.key == "side" and value == "U"):
        return ""
    if field.unit == "kg":
        whole, rest = divmod(int(value), 1000)
        return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") if rest else str(whole)
    return value.isoformat() if isinstance(value, date) else str(value)
