"""Tables as data, and the three files made from them: CSV, XLSX and PDF. Pure: no Django, no database."""

from core.base.fonts import Fonts, missing_glyphs
from reports.tables.csv_file import write_csv
from reports.tables.model import (
    Column,
    Fact,
    Formats,
    Kind,
    Report,
    Row,
    Seal,
    Signature,
    Table,
    Value,
    Words,
)
from reports.tables.pdf_file import write_pdf
from reports.tables.xlsx_file import write_xlsx

__all__ = [
    "Column",
    "Fact",
    "Fonts",
    "Formats",
    "Kind",
    "Report",
    "Row",
    "Seal",
    "Signature",
    "Table",
    "Value",
    "Words",
    "missing_glyphs",
    "write_csv",
    "write_pdf",
    "write_xlsx",
]
