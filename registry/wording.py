"""What is wrong with a table, and what its columns are called, in words."""

from collections.abc import Collection
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from registry.fields import FIELDS, HORN, Field, Kind, field_of
from registry.importing import MAX_ROWS, FileRefused, Problem
from registry.measures import MAX_LENGTH_MM, MAX_MASS_G, MAX_NOTE

PROBLEMS: dict[str, StrOrPromise] = {
    "mass_missing": _("The mass is missing."),
    "mass_not_number": _("The mass is not a number."),
    "mass_out_of_range": _("The mass must be from 1 g to %(mass)d g."),
    "length_not_number": _("The length is not a number."),
    "length_out_of_range": _("The length must be from 1 mm to %(length)d mm."),
    "length_missing": _("The length is missing."),
    "count_missing": _("The number is missing."),
    "count_not_number": _("This is not a whole number."),
    "count_out_of_range": _("The number must not be above %(most)d."),
    "side_not_known": _("The side must be left, right or unknown."),
    "condition_not_known": _("The condition must be whole, cracked, broken or decayed."),
    "choice_missing": _("Choose one: %(choices)s."),
    "choice_not_known": _("Choose one: %(choices)s."),
    "note_too_long": _("The note is longer than %(note)d characters."),
    "note_not_text": _("The note holds characters that cannot be shown."),
    "text_missing": _("Fill this in."),
    "text_too_long": _("This is longer than %(most)d characters."),
    "text_not_text": _("This holds characters that cannot be shown."),
    "day_missing": _("The day is missing."),
    "day_not_date": _("This is not a day such as 31.12.2026."),
    "day_out_of_range": _("This day cannot be right."),
    "pair_not_known": _("Name the paired horn by its row, or by a number such as KZ25-0000123."),
    "pair_itself": _("A horn is not its own pair."),
    "pair_not_there": _("The row of the paired horn is not there."),
    "pair_sides": _("A pair is a left and a right horn."),
    "pair_taken": _("The paired horn has another pair."),
    "straight_is_longer": _("The straight length is greater than the outer length."),
    "gross_below_net": _("The gross mass is less than the net mass."),
    "use_by_before_made": _("It cannot go off before it was made."),
    "formula": _("The cell holds a formula. Put its value there."),
    "cell_error": _("The cell holds an error of the spreadsheet."),
    "not_expected": _("The cell holds a date or a yes/no value."),
    "too_many_cells": _("There is a value outside the named columns: perhaps a comma inside a number."),
    "total_row": _("This looks like a line of totals, not like a horn."),
}
LIMITS = {"mass": MAX_MASS_G, "length": MAX_LENGTH_MM, "note": MAX_NOTE, "rows": MAX_ROWS}

REFUSALS: dict[str, StrOrPromise] = {
    "empty": _("The file is empty."),
    "too_large": _("The file is too large. Send at most 20 MB."),
    "old_excel": _("This is an old Excel file (.xls). Save it as .xlsx or .csv and send it again."),
    "not_a_table": _("This is not a table. Send a .csv or .xlsx file."),
    "not_readable": _("The file is damaged or protected and cannot be read."),
    "broken_quotes": _("Quotation marks are not closed near line %(detail)s."),
    "no_mass_column": _("No column is named “mass”. The first line must name the columns, as in the sample file."),
    "no_column": _("No column is named “%(detail)s”. The first line must name the columns, as in the sample file."),
    "column_twice": _("The column “%(detail)s” is there twice."),
    "too_many_rows": _("The file has more than %(rows)d rows. Split it."),
    "no_rows": _("There is no row below the names of the columns."),
}


def column_in_words(key: str, term: str = HORN) -> str:
    """What a column of a table is called, in the reader's language, as a word inside a line."""
    field = field_of(term, key)
    name = field.name(get_language() or "kk") if field else ""
    return name[:1].lower() + name[1:]


def words_of_problem(code: str, key: str, term: str) -> str:
    """What is wrong with a cell, for a person."""
    field = field_of(term, key)
    facts: dict[str, Any] = {**LIMITS, "most": field.most if field else 0, "choices": ""}
    if field is not None and field.kind == Kind.MASS:
        facts["mass"] = field.most
    if field is not None and field.choices:
        language = get_language() or "kk"
        facts["choices"] = ", ".join(field.choice_name(choice, language) for choice in field.choices)
    return str(PROBLEMS[code]) % facts


def problem_in_words(problem: Problem, term: str = HORN) -> str:
    """Why this line is not taken, for a person."""
    return words_of_problem(problem.code, problem.column, term)


def refusal_in_words(refusal: FileRefused) -> str:
    """Why the file cannot be read, for a person."""
    return str(REFUSALS[refusal.code]) % {**LIMITS, "detail": refusal.detail}


def value_in_words(field: Field, value: Any) -> str:
    """A measure with its unit, in the reader's language; empty where nothing is known."""
    if value is None or value == "":
        return ""
    language = get_language() or "kk"
    match field.kind:
        case Kind.CHOICE:
            return field.choice_name(str(value), language)
        case Kind.MASS if field.unit == "kg":
            return _g("%(amount)s kg") % {"amount": number_format(value / 1000, decimal_pos=3, force_grouping=True)}
        case Kind.MASS | Kind.LENGTH | Kind.COUNT:
            unit = field.heading(language).removeprefix(field.name(language)).removeprefix(", ")
            return f"{number_format(value, force_grouping=True)} {unit}".strip()
        case Kind.DAY:
            return date_format(value, "SHORT_DATE_FORMAT")
        case _:
            return str(value)


def facts_of(thing: Any, term: str, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """What is known of a row or a derivative of this term, name by name, in the reader's language; no empty ones."""
    language = get_language() or "kk"
    found = []
    for field in FIELDS[term]:
        if field.kind == Kind.PAIR or field.column in without:
            continue
        words = value_in_words(field, getattr(thing, field.column))
        if words:
            found.append((field.name(language), words))
    return found
