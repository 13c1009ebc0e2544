"""Empty table files to fill in, in the three languages. Knows no Django."""

import io

import xlsxwriter

from registry.importing import MAX_ROWS
from registry.measures import MAX_LENGTH_MM, MAX_MASS_G

HEADERS: dict[str, tuple[str, str, str, str, str]] = {
    "kk": ("Жағы", "Массасы, г", "Сыртқы ұзындығы, мм", "Жай-күйі", "Ескертпе"),
    "ru": ("Сторона", "Масса, г", "Наружная длина, мм", "Состояние", "Примечание"),
    "en": ("Side", "Mass, g", "Outer length, mm", "Condition", "Note"),
}
SIDE_WORDS = {
    "kk": ("сол", "оң", "анықталмаған"),
    "ru": ("левый", "правый", "не установлено"),
    "en": ("left", "right", "unknown"),
}
CONDITION_WORDS = {
    "kk": ("бүтін", "жарылған", "сынған", "шіріген"),
    "ru": ("целый", "треснувший", "сломанный", "разрушенный"),
    "en": ("whole", "cracked", "broken", "decayed"),
}


def csv_sample(language: str) -> bytes:
    """The names of the columns alone, as a spreadsheet of the region opens them: UTF-8 with its mark, semicolons."""
    return (";".join(_quoted(name) for name in HEADERS[language]) + "\r\n").encode("utf-8-sig")


def xlsx_sample(language: str) -> bytes:
    """The same as XLSX, with lists to choose sides and conditions from and limits on the numbers."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet(HEADERS[language][1].partition(",")[0])
    bold = book.add_format({"bold": True, "bottom": 1})
    for place, (name, width) in enumerate(zip(HEADERS[language], (12, 12, 24, 16, 40), strict=True)):
        sheet.set_column(place, place, width)
        sheet.write(0, place, name, bold)
    sheet.freeze_panes(1, 0)
    sheet.data_validation(1, 0, MAX_ROWS, 0, {"validate": "list", "source": list(SIDE_WORDS[language])})
    for place, most in ((1, MAX_MASS_G), (2, MAX_LENGTH_MM)):
        limits = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": most}
        sheet.data_validation(1, place, MAX_ROWS, place, limits)
    sheet.data_validation(1, 3, MAX_ROWS, 3, {"validate": "list", "source": list(CONDITION_WORDS[language])})
    book.close()
    return file.getvalue()


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name or ";" in name else name
