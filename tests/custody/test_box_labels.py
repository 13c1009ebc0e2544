"""Printed labels of boxes and shelves are read again by a scanner."""

from collections.abc import Callable
from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp
from reportlab.pdfgen.canvas import Canvas

from custody import box_labels
from custody.box_forms import LabelUnreadable, draw_box_labels_as, draw_shelves
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


@pytest.mark.parametrize("form", ["pdf", "zpl", "png"])
def test_labels_of_boxes_are_read_back_in_every_form(form: str) -> None:
    boxes = [replace(LABEL, sscc=make_sscc("487000000", number)) for number in range(1, 5)]

    content, ending = draw_box_labels_as(boxes, form=form, dpi=203)

    assert ending == ("zip" if form == "png" else form)
    assert content


def spoil(monkeypatch: pytest.MonkeyPatch, name: str, spoilt: Callable[..., None]) -> None:
    monkeypatch.setattr(box_labels, name, spoilt)


def test_a_box_whose_symbol_says_another_number_is_withheld_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real, other = box_labels._qr, make_sscc("487000000", 99)

    def say_another(canvas: Canvas, text: str, *place: float) -> None:
        real(canvas, f"00{other}" if text == f"00{SSCC}" else text, *place)

    spoil(monkeypatch, "_qr", say_another)
    sound = replace(LABEL, sscc=make_sscc("487000000", 7), shown="the seventh")
    with pytest.raises(LabelUnreadable, match=LABEL.shown.replace("(", r"\(").replace(")", r"\)")):
        draw_box_labels_as([sound, LABEL], form="pdf", dpi=203)
    assert draw_box_labels_as([sound], form="pdf", dpi=203)[1] == "pdf"


def test_bars_that_came_out_too_fine_are_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_labels, "MODULE", 0.05)

    with pytest.raises(LabelUnreadable):
        draw_box_labels_as([LABEL], form="pdf", dpi=203)


def test_a_shelf_that_cannot_be_read_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = ShelfLabel("Орталық қойма", "A-03-2", "1-бөлме, 3-сөре", "SHELF-000012")
    assert draw_shelves([shelf] * 3).startswith(b"%PDF")

    spoil(monkeypatch, "_qr", lambda *_given: None)
    with pytest.raises(LabelUnreadable, match="A-03-2"):
        draw_shelves([shelf])


def test_of_many_a_sample_is_read_the_first_and_the_last_among_it(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [replace(LABEL, sscc=make_sscc("487000000", number), shown=f"No. {number}") for number in range(1, 31)]
    real = box_labels._qr

    def spare_the_last(canvas: Canvas, text: str, *place: float) -> None:
        if text != f"00{boxes[-1].sscc}":
            real(canvas, text, *place)

    spoil(monkeypatch, "_qr", spare_the_last)
    with pytest.raises(LabelUnreadable, match=r"No\. 30"):
        draw_box_labels_as(boxes, form="pdf", dpi=203)
