"""Acts on paper: what they say can be read again, however long they are."""

import io
from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from core.documents.acts import Act, Column, Fact, Language, Party, Rows, Signatory, draw_act


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (60, 20), (20, 33, 61, 255)).save(out, "PNG")
    return out.getvalue()


ACT = Act(
    title="Қабылдау-тапсыру актісі",
    number="HO26-000012",
    dated="2026 ж. 23 қараша",
    parties=[Party("Тапсырды", "Батыс Қазақстан облыстық инспекциясы"), Party("Қабылдады", "«Охотзоопром»")],
    facts=[Fact("Көлік", "777 ABC 02 <&>")],
    tables=[
        Rows(
            [Column("№", 1, flush_right=True), Column("Нөмірі", 3), Column("Массасы", 2, flush_right=True)],
            [[str(number), f"KZ26-{number:07d}", "215 г"] for number in range(1, 121)],
            totals=["", "120", "25,8 кг"],
        )
    ],
    signatories=[
        Signatory("Тапсырды", "Ахметов С.", "қоймашы", "23.11.2026 14:05", _png()),
        Signatory("Қабылдады", ""),
    ],
    check="7F3A-22B1-9C0D",
    link="https://example.kz/handovers/12/",
)


def _texts(content: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content)]


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_it_says_on_every_page_what_it_is(language: Language) -> None:
    pages = _texts(draw_act(ACT, language))

    assert len(pages) > 1
    for page in pages:
        assert "HO26-000012" in page
        assert "7F3A-22B1-9C0D" in page
        assert "Нөмірі" in page
    assert "777 ABC 02 <&>" in pages[0]
    assert "25,8 кг" in pages[-1]


def test_its_code_leads_to_the_register() -> None:
    page = pypdfium2.PdfDocument(draw_act(ACT, "kk"))[0].render(scale=3).to_pil()

    assert [found.text for found in zxingcpp.read_barcodes(page)] == ["https://example.kz/handovers/12/"]


def test_ten_thousand_rows_are_all_there() -> None:
    rows = [[str(number), f"KZ26-{number:07d}", "215 г"] for number in range(1, 10_001)]
    long = replace(ACT, tables=[replace(ACT.tables[0], rows=rows)])

    text = "".join(_texts(draw_act(long, "ru")))

    assert text.count("KZ26-") == 10_000


@pytest.mark.parametrize("rows", range(24, 40))
def test_a_table_is_named_where_it_begins_and_signed_where_something_is_said(rows: int) -> None:
    columns = [Column("Пломба", 1), Column("Күйі", 1)]
    second = Rows(columns, [["K-1", "бүтін"]], title="Пломбалар тізімі")
    first = replace(ACT.tables[0], rows=ACT.tables[0].rows[:rows])
    act = replace(ACT, tables=[first, second], text=["Соңғы сөз."])

    pages = _texts(draw_act(act, "kk"))

    (named,) = [page for page in pages if "Пломбалар тізімі" in page]
    assert "K-1" in named
    assert "Соңғы сөз." in pages[-1]
    assert "қоймашы" in pages[-1]


def test_a_long_sum_stays_on_one_line() -> None:
    columns = [Column("№", 1), Column("Аты", 8), Column("Масса", 1, flush_right=True)]
    table = Rows(columns, [["1", "мүйіз", "9 г"]], totals=["", "", "1 234 567,890 кг"])

    (page,) = _texts(draw_act(replace(ACT, tables=[table]), "kk"))

    assert "1 234 567,890 кг" in page
