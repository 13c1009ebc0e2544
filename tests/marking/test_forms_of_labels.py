"""Labels as ZPL and as pictures: the same label at the same dots, read back from what was written."""

import io
import zipfile
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from marking.labels import PROFILES, LabelError, Print, Profile, check_sample, draw_png, draw_zpl, find_faults
from marking.labels.calibration import draw_calibration, draw_calibration_zpl, due_on
from marking.labels.reading import read_all, render_page
from marking.labels.zpl import graphic
from marking.labels.zpl_reading import ZplError, draw_format, split_formats
from tests.marking.test_labels import FONTS, make_labels

SSCC = "340123450000000018"
ROLLS = {name: profile for name, profile in PROFILES.items() if profile.is_roll}
every_roll = pytest.mark.parametrize("profile", ROLLS.values(), ids=ROLLS)


def zpl_of(profile: Profile, count: int = 2, **how: object) -> tuple[bytes, list, Print]:
    out, labels = io.BytesIO(), make_labels(count, second="Рог сайгака", sscc=SSCC if profile.bars else "")
    way = how.pop("way", "commands")
    printed = Print(**({"dpi": 203} | how))  # type: ignore[arg-type]
    draw_zpl(out, profile, labels, FONTS, how=printed, way=way)  # type: ignore[arg-type]
    return out.getvalue(), labels, printed


@every_roll
@pytest.mark.parametrize("way", ["commands", "picture"])
@pytest.mark.parametrize("symbols", ["qr", "datamatrix", "both"])
@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_zpl_is_read_back(profile: Profile, way: str, symbols: str, dpi: int) -> None:
    zpl, labels, how = zpl_of(profile, dpi=dpi, symbols=symbols, way=way)

    assert check_sample(zpl, profile, labels, how=how, form="zpl") == 2


def test_zpl_says_what_a_printer_needs() -> None:
    zpl, (label, _other), _how = zpl_of(PROFILES["roll-58x40"], symbols="both")
    text = zpl.decode("ascii")

    assert text.count("^XA^CI28^PW464^LL320^LH0,0") == text.count("^PQ1^XZ") == 2
    assert f"^BQN,2,3^FDMA,{label.symbol}^FS" in text
    assert f"^BXN,4,200^FD{label.code.replace('-', '')}^FS" in text
    assert f"^FD{label.code}^FS" in text
    # Kazakh letters are sent as pictures; the printer's own font writes the rest.
    assert "мүйізі" not in text
    assert text.count("^GFA,") == 2 * 4


@every_roll
def test_a_label_looks_the_same_in_zpl_and_as_a_picture(profile: Profile) -> None:
    commands, labels, how = zpl_of(profile, 1, dpi=300, symbols="both")
    out = io.BytesIO()
    draw_png(out, profile, labels, FONTS, how=how)

    by_printer = draw_format(split_formats(commands)[0])
    by_us = Image.open(out).convert("L")

    assert by_printer.size == by_us.size
    # What our reader draws, the picture has at the same dots; it leaves out texts in the printer's own font.
    only_by_printer = ImageChops.subtract(by_us, by_printer)
    assert only_by_printer.getbbox() is None


def test_a_damaged_or_foreign_zpl_is_refused() -> None:
    zpl, labels, how = zpl_of(PROFILES["roll-50x25"])
    text = zpl.decode()
    start = text.index(":Z64:") + 12
    broken = text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :]
    coded = graphic(Image.new("1", (8, 8)))

    assert coded.startswith("^GFA,8,8,1,:Z64:")
    for wrong in (broken, text.replace("^PQ1", "^JUS", 1), "rubbish" + text):
        with pytest.raises(ZplError):
            check_sample(wrong.encode(), PROFILES["roll-50x25"], labels, how=how, form="zpl")
    swapped = text.replace(labels[0].symbol, labels[1].symbol).encode()
    with pytest.raises(LabelError):
        check_sample(swapped, PROFILES["roll-50x25"], labels, how=how, form="zpl")


def test_sheets_are_not_for_label_printers() -> None:
    with pytest.raises(ValueError, match="rolls"):
        zpl_of(PROFILES["a4-65"])


def test_a_label_with_a_letter_of_no_font_stops_the_zpl_and_names_itself() -> None:
    labels = [*make_labels(1), *make_labels(1, term="羚")]

    for way in ("commands", "picture"):
        with pytest.raises(LabelError) as caught:
            draw_zpl(io.BytesIO(), PROFILES["roll-50x25"], labels, FONTS, how=Print(203), way=way)
        assert (caught.value.label, caught.value.reason) == (labels[1], "glyph")


@pytest.mark.parametrize("name", ["roll-50x25", "a4-65"])
def test_pictures_are_one_file_or_a_zip_in_order(name: str) -> None:
    profile = PROFILES[name]
    labels = make_labels(profile.per_page + 1)
    out, one = io.BytesIO(), io.BytesIO()

    drawn = draw_png(out, profile, labels, FONTS, how=Print(300))
    draw_png(one, profile, labels[:1], FONTS, how=Print(300))

    assert (drawn.labels, drawn.pages) == (len(labels), 2)
    assert zipfile.ZipFile(out).namelist() == ["000001.png", "000002.png"]
    picture = Image.open(one)
    assert picture.mode == "1"
    assert [round(number) for number in picture.info["dpi"]] == [300, 300]
    assert check_sample(out.getvalue(), profile, labels, how=Print(300), form="png") == len(labels)
    assert check_sample(one.getvalue(), profile, labels[:1], how=Print(300), form="png") == 1


def test_pictures_begin_at_any_position_and_move_with_the_printer() -> None:
    profile, labels = PROFILES["a4-21"], make_labels(3)
    out = io.BytesIO()
    how = Print(203, "both", move_x=1.5, move_y=-2)

    draw_png(out, profile, labels, FONTS, how=how, start=20)

    assert check_sample(out.getvalue(), profile, labels, how=how, form="png", start=20) == 3
    first = Image.open(io.BytesIO(zipfile.ZipFile(out).read("000001.png"))).convert("L")
    left, top = profile.corner(19)
    ink = ImageChops.invert(first).getbbox()
    assert ink is not None
    assert ink[1] >= how.dots(top - 2)
    assert ink[0] >= how.dots(left + 1.5)


@pytest.mark.parametrize("form", ["pdf", "zpl"])
def test_moving_a_printer_moves_whole_dots(form: str) -> None:
    profile, labels = PROFILES["roll-58x40"], make_labels(1)
    boxes = []
    for move in (0.0, 2.0):
        out = io.BytesIO()
        draw_zpl(out, profile, labels, FONTS, how=Print(203, move_x=move, move_y=move), way="picture")
        boxes.append(ImageChops.invert(draw_format(split_formats(out.getvalue())[0])).getbbox())

    (before, after) = boxes
    assert before is not None
    assert after is not None
    assert (after[0] - before[0], after[1] - before[1]) == (16, 16)


def test_a_box_label_carries_its_sscc_as_gs1_128() -> None:
    profile = PROFILES["roll-100x150"]
    for dpi in (203, 300, 600):
        zpl, _labels, _how = zpl_of(profile, 1, dpi=dpi)
        assert f"(00){SSCC}" in read_all(draw_format(split_formats(zpl)[0]))
        assert f">;>800{SSCC}" in zpl.decode()


@pytest.mark.parametrize(
    ("changes", "symbols", "dpi", "field", "reason"),
    [
        ({"page_width": 30}, "qr", 300, "page_width", "page"),
        ({"columns": 2, "pitch_x": 40, "page_width": 120}, "qr", 300, "pitch_x", "overlap"),
        ({"symbol": 13}, "qr", 300, "symbol", "module"),
        ({"symbol": 10}, "datamatrix", 300, "symbol", "module"),
        ({"symbol": 26}, "qr", 300, "symbol", "symbol"),
        ({"label_width": 30, "page_width": 30, "label_height": 25, "symbol": 20}, "qr", 300, "label_height", "text"),
    ],
)
def test_a_stock_that_cannot_be_printed_well_is_at_fault(
    changes: dict[str, float], symbols: str, dpi: int, field: str, reason: str
) -> None:
    stock = replace(PROFILES["roll-50x25"], **changes)  # type: ignore[arg-type]

    faults = [(fault.field, fault.reason) for fault in find_faults(stock, symbols, dpi)]

    assert (field, reason) in faults
    assert find_faults(PROFILES["roll-50x25"], symbols, dpi) == []


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("dpi", [203, 600])
def test_a_calibration_page_is_true(name: str, dpi: int) -> None:
    profile, due = PROFILES[name], due_on(PROFILES[name])

    pdf = draw_calibration(profile, FONTS, how=Print(dpi), said=["Калибрлеу"], language="kk")

    page = render_page(pdf, dpi=254)  # ten pixels a millimetre
    across = page.crop((due.left * 10 + 60, due.top * 10 - 1, page.width, due.top * 10 + 2))
    ink = ImageChops.invert(across).getbbox()
    assert ink is not None
    assert ink[2] / 10 + 6 == pytest.approx(due.x, abs=0.35)
    if profile.page_width >= 90:
        assert "SAIGA TEST" in read_all(render_page(pdf, dpi=600))


def test_a_calibration_page_for_label_printers_is_a_picture_of_the_same() -> None:
    profile = PROFILES["roll-58x40"]

    zpl = draw_calibration_zpl(profile, FONTS, how=Print(203), said=["Калибрлеу"], language="kk")

    assert draw_format(split_formats(zpl)[0]).size == (464, 320)
