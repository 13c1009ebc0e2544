"""Rows → CSV, XLSX, PDF: the same figures in all three, typed, guarded, readable in three languages."""

import csv
import io
import re
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import polib
import pypdf
import pytest
import zxingcpp
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.base.fonts import ROOT
from reports.tables import (
    Column,
    Fact,
    Fonts,
    Formats,
    Kind,
    Report,
    Row,
    Seal,
    Signature,
    Table,
    Words,
    missing_glyphs,
    write_csv,
    write_pdf,
    write_xlsx,
)
from reports.tables.csv_file import guard_formula
from reports.tables.model import column_groups, text_of
from reports.tables.xlsx_file import TooManyRowsError, sheet_name

# Keys of a keyboard are named on pages only.
KEYS = re.compile(r"<kbd>.*?</kbd>")
KAZAKH = "АӘБВГҒДЕЁЖЗИЙКҚЛМНҢОӨПРСТУҰҮФХҺЦЧШЩЪЫІЬЭЮЯаәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
WORDS = Words(
    registry="Киік дериваттарының мемлекеттік тізілімі",
    page="Page %(page)d of %(pages)d",
    total="Total",
    empty="Nothing to show.",
    kilograms="kg",
    grams="g",
    check_code="Check code",
    signature="signature",
    signed_on="date",
)
COLUMNS = (
    Column("Day", Kind.DAY),
    Column("Recorded", Kind.MOMENT),
    Column("Number", Kind.CODE),
    Column("Store", weight=3),
    Column("pieces", Kind.NUMBER, group="In", total=True),
    Column("mass", Kind.GRAMS, group="In", total=True),
)
MOMENT = datetime(2026, 1, 5, 19, 30, tzinfo=UTC)
ROWS: list[Row] = [
    (date(2026, 1, 5), MOMENT, "KZ26-0012345", "Орал", 3, 650),
    (date(2026, 1, 6), None, "KZ26-0012346", "=HYPERLINK(0)", 1, 1_234_567),
    (None, MOMENT, "007", "-2+3", None, None),
]


def table_of(rows: Callable[[], Iterator[Row]], columns: tuple[Column, ...] = COLUMNS) -> Table:
    return Table("Movements", columns, rows)


def report_of(*tables: Table, seal: bool = True, landscape: bool = False, page: str = WORDS.page) -> Report:
    return Report(
        title="Stock statement",
        subtitle="Central store",
        tables=tables,
        words=Words(**{name: getattr(WORDS, name) for name in WORDS.__slots__} | {"page": page}),
        formats=Formats(),
        facts=(Fact("Store", "Almaty"), Fact("Period", "01.01.2026 – 31.01.2026")),
        footer="Made from the ledger.",
        signatures=(Signature("Storekeeper", "Т. Өмірбек"), Signature("Auditor")),
        seal=Seal("ST26-000001", "7H4Q-9TX2-MW8H", "https://registry.example.kz/statements/1/") if seal else None,
        landscape=landscape,
    )


def as_csv(table: Table) -> bytes:
    return b"".join(write_csv(table, words=WORDS, formats=Formats()))


def many(count: int) -> Callable[[], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        for number in range(count):
            yield (
                date(2026, 1, 1),
                MOMENT,
                f"KZ26-{number:07d}",
                f"Қойма {number % 7}",
                number % 5,
                200 + number % 90,
            )

    return rows


def test_csv_reads_the_same_everywhere() -> None:
    content = as_csv(table_of(lambda: iter(ROWS)))

    assert content.startswith(b"\xef\xbb\xbf")
    head, *rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert head == ["Day", "Recorded", "Number", "Store", "In: pieces", "In: mass, g"]
    assert rows[0] == ["2026-01-05", "2026-01-06T00:30:00+05:00", "KZ26-0012345", "Орал", "3", "650"]
    assert rows[2] == ["", "2026-01-06T00:30:00+05:00", "007", "'-2+3", "", ""]


@given(st.text(max_size=40))
def test_csv_cell_is_never_a_formula(text: str) -> None:
    guarded = guard_formula(text)

    assert guarded.lstrip(" ")[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}
    assert guarded.removeprefix("'") == text.removeprefix("'")


def test_csv_comes_in_pieces_and_tells_its_progress() -> None:
    told: list[int] = []

    pieces = list(write_csv(table_of(many(2500)), words=WORDS, formats=Formats(), progress=told.append))

    assert len(pieces) == 4
    assert told == [1000, 2000, 2500]


def test_xlsx_cells_are_typed_and_totals_are_the_sum_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"

    write_xlsx(report_of(table_of(lambda: iter(ROWS))), path)

    shown = openpyxl.load_workbook(path, data_only=True).active
    written = openpyxl.load_workbook(path).active
    assert shown is not None
    assert written is not None
    head = next(row[0].row for row in shown.iter_rows() if row[0].value == "Day")
    first = [cell.value for cell in shown[head + 1]]
    assert first == [datetime(2026, 1, 5), datetime(2026, 1, 6, 0, 30), "KZ26-0012345", "Орал", 3, 0.65]  # noqa: DTZ001
    assert written.cell(head + 2, 4).data_type == "s"
    assert shown.cell(head + 3, 3).value == "007"
    assert [shown.cell(head + 4, column).value for column in (1, 5, 6)] == ["Total", 4, 1235.217]
    assert str(written.cell(head + 4, 6).value).startswith("=SUBTOTAL(109,")
    assert written.freeze_panes == f"A{head + 1}"
    assert written.auto_filter.ref == f"A{head}:F{head + 3}"


def test_xlsx_refuses_more_rows_than_a_sheet_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("reports.tables.xlsx_file.SHEET_ROWS", 50)

    with pytest.raises(TooManyRowsError):
        write_xlsx(report_of(table_of(many(60))), tmp_path / "long.xlsx")


def test_sheet_names_are_such_as_excel_accepts() -> None:
    taken: set[str] = set()

    names = [
        sheet_name("Қор: 01/2026 [Орал] – қабылдау пункті, аудан", 1, taken),
        sheet_name("Movements", 2, taken),
        sheet_name("movements", 3, taken),
        sheet_name("???", 4, taken),
    ]

    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
    assert len({name.casefold() for name in names}) == 4


def test_pdf_repeats_head_and_seal_and_counts_its_pages(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"

    pages = write_pdf(report_of(table_of(many(150))), path)

    document = pypdf.PdfReader(path)
    texts = [page.extract_text() for page in document.pages]
    assert pages == len(texts) > 2
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of" in " ".join(text.split())
        assert "7H4Q-9TX2-MW8H" in text
        assert "Recorded" in text
    assert sum(text.count("KZ26-") for text in texts) == 150
    assert "Т. Өмірбек" in texts[-1]
    assert document.metadata is not None
    assert document.metadata.title == "Stock statement"


@pytest.mark.parametrize("page", ["Page %(page)d of %(pages)d", "%(pages)d беттің %(page)d-беті"])
def test_pdf_page_number_follows_the_order_of_the_language(page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"

    write_pdf(report_of(table_of(many(60)), page=page), path)

    texts = [" ".join(found.extract_text().split()) for found in pypdf.PdfReader(path).pages]
    for part in (page % {"page": 2, "pages": len(texts)}).split():
        assert part in texts[1]


def test_pdf_totals_equal_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"

    write_pdf(report_of(table_of(many(400)), seal=False, landscape=True), path)

    rows = list(many(400)())
    last = pypdf.PdfReader(path).pages[-1].extract_text().replace("\u00a0", " ")
    pieces = sum(row[4] for row in rows if isinstance(row[4], int))
    grams = sum(row[5] for row in rows if isinstance(row[5], int))
    assert f"{pieces:,}".replace(",", " ") in last
    assert text_of(grams, Kind.GRAMS, Formats()).replace("\u00a0", " ") in last


def test_pdf_of_an_empty_table_says_so(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"

    write_pdf(report_of(table_of(lambda: iter(()))), path)

    assert "Nothing to show." in pypdf.PdfReader(path).pages[0].extract_text()


def test_pdf_keeps_a_long_word_inside_its_column(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    row: Row = (date(2026, 1, 1), MOMENT, "K" * 80, "Ы" * 600, 1, 10**15)

    write_pdf(report_of(table_of(lambda: iter([row]))), path)

    assert "…" in pypdf.PdfReader(path).pages[0].extract_text()


def test_pdf_qr_is_read_from_every_page(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    pages = write_pdf(report_of(table_of(many(60))), path)

    subprocess.run(["pdftoppm", "-r", "150", "-png", str(path), str(tmp_path / "page")], check=True)

    pictures = sorted(tmp_path.glob("page*.png"))
    assert len(pictures) == pages
    for picture in pictures:
        with Image.open(picture) as image:
            found = zxingcpp.read_barcodes(image)
        assert [code.text for code in found] == ["https://registry.example.kz/statements/1/"]


def test_every_kazakh_letter_is_drawn_and_copied_back(tmp_path: Path) -> None:
    path = tmp_path / "letters.pdf"
    table = Table("", (Column("Letters"),), lambda: iter([(KAZAKH,)]))

    write_pdf(report_of(table), path)

    text = "".join(pypdf.PdfReader(path).pages[0].extract_text().split())
    assert not set(KAZAKH) - set(text)
    assert not missing_glyphs(KAZAKH + "₸№«»–—…·−0123456789", Fonts().regular)
    assert not missing_glyphs(KAZAKH + "₸№«»–—…·−0123456789", Fonts().bold)


def catalogues() -> list[Path]:
    """Those of the languages of papers; Chinese is said on a page alone."""
    return [ROOT / "locale" / language / "LC_MESSAGES/django.po" for language, _name in settings.LANGUAGES]


def test_every_character_of_the_catalogues_is_in_the_printed_fonts() -> None:
    for catalogue in catalogues():
        for entry in polib.pofile(str(catalogue)):
            texts = [entry.msgid, entry.msgid_plural, entry.msgstr, *entry.msgstr_plural.values()]
            printed = KEYS.sub("", "".join(texts))
            for font in (Fonts().regular, Fonts().bold):
                missing = missing_glyphs(printed, font)
                assert not missing, f"{catalogue}: {missing} in {entry.msgid!r} is not in {font.name}"


def test_a_font_without_the_letter_is_found_out() -> None:
    assert missing_glyphs("Қ鹿", Fonts().regular) == {"鹿"}


def test_kilograms_are_exact() -> None:
    formats = Formats()

    assert formats.kilograms(12_345_678) == "12\u00a0345,678"
    assert formats.kilograms(-5) == "\u22120,005"
    assert formats.number(-1_234) == "\u22121\u00a0234"
    with pytest.raises(ValueError, match="zone"):
        formats.local(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_text_column_has_no_total() -> None:
    with pytest.raises(ValueError, match="no total"):
        Column("Store", total=True)


def test_neighbours_of_one_group_share_a_head() -> None:
    assert column_groups(COLUMNS) == [(0, 1, ""), (1, 2, ""), (2, 3, ""), (3, 4, ""), (4, 6, "In")]


def test_a_long_pdf_is_made_row_by_row(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()

    pages = write_pdf(report_of(table_of(many(20_000)), landscape=True), tmp_path / "long.pdf")

    assert pages > 400
    assert time.perf_counter() - started < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 80 * 1024
