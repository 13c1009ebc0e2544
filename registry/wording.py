"""What is wrong with a table file, in words."""

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from registry.importing import MAX_ROWS, FileRefused, Problem
from registry.measures import MAX_LENGTH_MM, MAX_MASS_G, MAX_NOTE

COLUMNS: dict[str, StrOrPromise] = {
    "side": _("side"),
    "mass": _("mass"),
    "length": _("length"),
    "condition": _("condition"),
    "note": _("note"),
    "": "",
}

PROBLEMS: dict[str, StrOrPromise] = {
    "mass_missing": _("The mass is missing."),
    "mass_not_number": _("The mass is not a number."),
    "mass_out_of_range": _("The mass must be from 1 g to %(mass)d g."),
    "length_missing": _("The length is missing."),
    "length_not_number": _("The length is not a number."),
    "length_out_of_range": _("The length must be from 1 mm to %(length)d mm."),
    "side_not_known": _("The side must be left, right or unknown."),
    "condition_not_known": _("The condition must be whole, cracked, broken or decayed."),
    "note_too_long": _("The note is longer than %(note)d characters."),
    "note_not_text": _("The note holds characters that cannot be shown."),
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
    "column_twice": _("The column “%(detail)s” is there twice."),
    "too_many_rows": _("The file has more than %(rows)d rows. Split it."),
    "no_rows": _("There is no row below the names of the columns."),
}


def problem_in_words(problem: Problem) -> str:
    """Why this line is not taken, for a person."""
    return str(PROBLEMS[problem.code]) % LIMITS


def refusal_in_words(refusal: FileRefused) -> str:
    """Why the file cannot be read, for a person."""
    return str(REFUSALS[refusal.code]) % {**LIMITS, "detail": refusal.detail}
