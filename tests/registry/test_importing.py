"""Table files: every encoding and delimiter people send, and a reason for every row that is not taken."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from registry import importing
from registry.importing import FileRefused, Problem, Sheet, read_sheet
from registry.measures import TableRow
from registry.wording import problem_in_words, refusal_in_words


def xlsx(*lines: list[Any], hidden_first: bool = False) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    if hidden_first:
        sheet.sheet_state = "hidden"
        sheet = book.create_sheet("shown")
    for line in lines:
        sheet.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(content: bytes) -> Sheet | FileRefused:
    """What the file says, or why it says nothing."""
    try:
        return read_sheet(content)
    except FileRefused as refusal:
        return refusal


def assert_all_is_told(found: Sheet | FileRefused) -> None:
    """Every line is a row or has a reason, and every reason has words."""
    if isinstance(found, FileRefused):
        assert refusal_in_words(found)
        return
    assert not {row.row for row in found.rows} & set(found.bad_lines)
    assert all(problem_in_words(problem) for problem in found.problems)


EXPECTED = [TableRow(2, "L", 215, 245, "whole", ""), TableRow(3, "R", 198, None, "broken", "tip; gone")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_every_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    lines = [["side", "mass_g", "length_mm", "condition", "note"], ["L", "215", "245", "", ""]]
    lines.append(["R", '"0,198"', "", "broken", '"tip; gone"'])
    text = "\r\n".join(delimiter.join(line) for line in lines)

    assert read_sheet(text.encode(encoding)).rows == EXPECTED


def test_russian_csv_of_an_old_spreadsheet_is_read() -> None:
    text = "№;Сторона;Масса, г;Длина (мм);Состояние;Примечание\n1;левый;215;245;целый;\n2;П;0,198;;сломан;tip, gone\n"

    sheet = read_sheet(text.encode("cp1251"))

    assert [(r.side, r.mass_g, r.condition) for r in sheet.rows] == [("L", 215, "whole"), ("R", 198, "broken")]


@pytest.mark.parametrize("encoding", ["utf-8", "kz1048"])
def test_kazakh_csv_is_read(encoding: str) -> None:
    text = "Жағы;Салмағы, г;Сыртқы ұзындығы, мм;Күйі;Ескертпе\nсол;215;245;бүтін;\nоң;198;;сынған;ұшы жоқ\n"

    sheet = read_sheet(text.encode(encoding))

    assert [(r.side, r.mass_g, r.note) for r in sheet.rows] == [("L", 215, ""), ("R", 198, "ұшы жоқ")]


def test_columns_stand_in_any_order_and_say_their_units() -> None:
    sheet = read_sheet(b'Note,Weight (kg),Length cm,SIDE\nsmall,"0,215",24.5,r\n')

    assert sheet.rows == [TableRow(2, "R", 215, 245, "whole", "small")]


def test_xlsx_is_read_from_the_first_visible_sheet() -> None:
    content = xlsx(
        ["Side", "Mass, g", "Length, mm", "Condition", "Note"],
        ["L", 215, 245, None, None],
        ["R", 0.198, None, "broken", "tip; gone"],
        hidden_first=True,
    )

    assert read_sheet(content).rows == EXPECTED


def test_every_bad_row_is_listed_with_its_reason() -> None:
    content = xlsx(
        ["side", "mass_g", "length_mm", "condition"],
        ["L", 215, 245, "whole"],
        ["both", "heavy", 245, "whole"],
        ["L", "=B2*2", 245, "whole"],
        [None, None, None, None],
        ["R", None, -3, "nice"],
        ["Итого", 645, None, None],
        ["R", 100_000, 99_999, None],
    )

    sheet = read_sheet(content)

    assert [row.row for row in sheet.rows] == [2]
    assert sheet.bad_lines == [3, 4, 6, 7, 8]
    assert [(p.line, p.column, p.code) for p in sheet.problems] == [
        (3, "side", "side_not_known"),
        (3, "mass", "mass_not_number"),
        (4, "mass", "formula"),
        (6, "mass", "mass_missing"),
        (6, "length", "length_out_of_range"),
        (6, "condition", "condition_not_known"),
        (7, "", "total_row"),
        (8, "mass", "mass_out_of_range"),
        (8, "length", "length_out_of_range"),
    ]
    assert all(problem_in_words(problem) for problem in sheet.problems)


def test_a_decimal_comma_that_splits_a_row_is_noticed() -> None:
    sheet = read_sheet(b"side,mass_g\nL,0,215\nR,198\n")

    assert sheet.problems[0] == Problem(2, "", "too_many_cells", "215")
    assert [row.mass_g for row in sheet.rows] == [198]


def test_a_formula_in_csv_is_refused() -> None:
    sheet = read_sheet(b"side;mass_g;note\nL;215;=HYPERLINK(1)\nR;=2+2;\n")

    assert [(p.line, p.column, p.code) for p in sheet.problems] == [(2, "note", "formula"), (3, "mass", "formula")]


def test_numbered_but_unfilled_lines_of_the_sample_are_no_rows() -> None:
    sheet = read_sheet("№;side;mass_g\n1;L;215\n2;;\n3;;\n".encode())

    assert len(sheet.rows) == 1
    assert sheet.problems == []


def test_columns_that_are_not_ours_are_told() -> None:
    sheet = read_sheet(b"mass;colour;side\n215;brown;L\n")

    assert sheet.ignored_columns == ["colour"]
    assert sheet.rows == [TableRow(2, "L", 215)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "old_excel"),
        (b"PK\x03\x04 not really", "not_readable"),
        (b"%PDF-1.7 \x00\x98", "not_a_table"),
        (b"side;length\nL;200\n", "no_mass_column"),
        (b"215\n198\n", "no_mass_column"),
        (b"mass;mass_g\n1;2\n", "column_twice"),
        (b"mass;side\n", "no_rows"),
        (b'mass;note\n215;"open\n', "broken_quotes"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read_sheet(content)

    assert refusal.value.code == code
    assert refusal_in_words(refusal.value)


def test_limits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_ROWS", 2)
    with pytest.raises(FileRefused, match="too_many_rows"):
        read_sheet(b"mass\n1\n2\n3\n")
    monkeypatch.setattr(importing, "MAX_UNPACKED", 100)
    with pytest.raises(FileRefused, match="too_large"):
        read_sheet(xlsx(["mass"], [1]))
    monkeypatch.setattr(importing, "MAX_BYTES", 3)
    with pytest.raises(FileRefused, match="too_large"):
        read_sheet(b"mass\n1\n")


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    assert_all_is_told(read(content))


@given(st.text(max_size=300), st.sampled_from(["utf-8", "utf-16", "cp1251"]))
@settings(max_examples=300, deadline=None)
def test_any_text_below_a_header_is_read_or_has_a_reason(text: str, encoding: str) -> None:
    content = f"side;mass;length;condition;note\n{text}".encode(encoding, errors="replace")

    assert_all_is_told(read(content))


cells = st.one_of(
    st.none(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20),
)


@given(st.lists(st.lists(cells, max_size=7), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_cells_of_a_spreadsheet_are_read_or_have_a_reason(lines: list[list[Any]]) -> None:
    content = xlsx(["side", "mass_g", "length_mm", "condition", "note"], *lines)

    assert_all_is_told(read(content))


@given(
    st.lists(
        st.builds(
            TableRow,
            row=st.just(0),
            side=st.sampled_from("LRU"),
            mass_g=st.integers(10, 99_999),
            length_mm=st.one_of(st.none(), st.integers(1, 9_999)),
            condition=st.sampled_from(["whole", "cracked", "broken", "decayed"]),
            note=st.text(alphabet="абвқң хyz,;", max_size=20).map(str.strip),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_what_is_read(rows: list[TableRow]) -> None:
    header = ["side", "mass_g", "length_mm", "condition", "note"]
    lines = [[row.side, row.mass_g, row.length_mm, row.condition, row.note] for row in rows]

    sheet = read_sheet(xlsx(header, *lines))

    assert sheet.problems == []
    found = [(r.side, r.mass_g, r.length_mm, r.condition, r.note) for r in sheet.rows]
    assert found == [(r.side, r.mass_g, r.length_mm, r.condition, r.note) for r in rows]
