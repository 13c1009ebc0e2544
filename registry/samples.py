"""Empty table files to fill in, in the three languages. Knows no Django."""

import io

import xlsxwriter

from registry.fields import CONDITIONS, FIELDS, HORN, MAX_ROWS, SIDES, Field, Kind

LANGUAGES = ("kk", "ru", "en")
HEADERS = {language: tuple(field.heading(language) for field in FIELDS[HORN]) for language in LANGUAGES}
SIDE_WORDS = {language: tuple(side.names[place] for side in SIDES.values()) for place, language in enumerate(LANGUAGES)}
CONDITION_WORDS = {
    language: tuple(condition.names[place] for condition in CONDITIONS.values())
    for place, language in enumerate(LANGUAGES)
}


def csv_sample(language: str, term: str = HORN) -> bytes:
    """The names of the columns alone, as a spreadsheet of the region opens them: UTF-8 with its mark, semicolons."""
    names = (_quoted(field.heading(language)) for field in FIELDS[term])
    return (";".join(names) + "\r\n").encode("utf-8-sig")


def xlsx_sample(language: str, term: str = HORN) -> bytes:
    """The same as XLSX, with lists to choose from and limits on the numbers."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    fields = FIELDS[term]
    mass = next(field for field in fields if field.key == "mass")
    sheet = book.add_worksheet(mass.name(language))
    bold = book.add_format({"bold": True, "bottom": 1})
    for place, field in enumerate(fields):
        sheet.set_column(place, place, 40 if field.key == "note" else max(12, len(field.heading(language)) + 2))
        sheet.write(0, place, field.heading(language), bold)
        if limits := _limits(field, language):
            sheet.data_validation(1, place, MAX_ROWS, place, limits)
    sheet.freeze_panes(1, 0)
    book.close()
    return file.getvalue()


def _limits(field: Field, language: str) -> dict[str, object]:
    """What a cell of this field takes."""
    if field.choices:
        return {"validate": "list", "source": [field.choice_name(code, language) for code in field.choices]}
    if field.kind in (Kind.MASS, Kind.LENGTH, Kind.COUNT):
        most = field.most / 1000 if field.unit == "kg" else field.most
        return {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": most}
    return {}


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name or ";" in name else name
