"""Printed labels of boxes and shelves are read again by a scanner."""

import pypdfium2
import zxingcpp

from custody.box_labels import BoxLabel, ShelfLabel, draw_box_labels, draw_shelf_labels
from ledger.sscc import make_sscc, parse_sscc, show_sscc

SSCC = make_sscc("487000000", 42)
LABEL = BoxLabel(
    registry="Киік дериваттарының тізілімі",
    kind="Жәшік",
    sscc=SSCC,
    shown=show_sscc(SSCC),
    keeper="Батыс Қазақстан облыстық орман шаруашылығы және жануарлар дүниесі аумақтық инспекциясы",
    lines=[("Ішінде", "15 дана, 3,240 кг"), ("Пломба", "К27001"), ("Түрі", "Мүйіз, заңды алып қою")],
)


def test_both_symbols_of_a_box_say_its_number() -> None:
    page = pypdfium2.PdfDocument(draw_box_labels([LABEL]))[0].render(scale=3).to_pil()

    found = {str(code.format): code for code in zxingcpp.read_barcodes(page)}

    assert len(found) == 2
    assert {parse_sscc(code.text) for code in found.values()} == {SSCC}
    assert any(code.symbology_identifier == "]C1" for code in found.values())


def test_a_long_name_stays_on_the_label() -> None:
    document = pypdfium2.PdfDocument(draw_box_labels([LABEL, LABEL]))

    assert len(document) == 2
    assert "15 дана" in document[1].get_textpage().get_text_range()


def test_a_shelf_says_its_number() -> None:
    content = draw_shelf_labels([ShelfLabel("Орталық қойма", "A-03-2", "1-бөлме, 3-сөре", "SHELF-000012")])
    page = pypdfium2.PdfDocument(content)[0].render(scale=3).to_pil()

    assert [code.text for code in zxingcpp.read_barcodes(page)] == ["SHELF-000012"]
