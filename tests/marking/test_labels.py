"""Printed labels: every symbol is read back from the rasterised sheet, every text from the file."""

import io
import itertools
import re
import secrets
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from marking import codes
from marking.labels import (
    PROFILES,
    Fonts,
    Label,
    LabelError,
    Print,
    Profile,
    check_sample,
    draw_labels,
    find_faults,
    lay_out,
    render_page,
    with_flap,
)
from marking.labels.drawing import _TO_BITS, draw_symbol
from marking.labels.geometry import LEAST_MODULE_MM, MM_PER_INCH, QUIET_MODULES, module_dots
from marking.labels.masks import MASKS, penalty
from marking.labels.reading import _cut, read_symbols
from marking.payload import to_address

VENDOR = Path(__file__).resolve().parents[2] / "static/vendor"
FONTS = Fonts(
    regular=VENDOR / "noto-sans/noto-sans-400.ttf",
    bold=VENDOR / "noto-sans/noto-sans-700.ttf",
    mono=VENDOR / "noto-sans-mono/noto-sans-mono-400.ttf",
    mono_bold=VENDOR / "noto-sans-mono/noto-sans-mono-700.ttf",
)
KAZAKH = "Әә Ғғ Ққ Ңң Өө Ұұ Үү Һһ Іі"
PREFIX = "HTTPS://SAIGA.GOV.KZ/M/"

every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def make_labels(count: int, **changes: str) -> list[Label]:
    made = []
    for serial in range(count):
        code = codes.new_code()
        label = Label(
            symbol=to_address(PREFIX, secrets.token_bytes(21), secrets.token_bytes(64)),
            code=codes.group(code),
            number=f"KZ26-{serial + 1:07d}",
            term="Киік мүйізі",
            mass=f"{180 + serial % 60} г",
            dated="12.11.2025",
            caption="Киік туындыларының тізілімі",
        )
        made.append(replace(label, **changes))
    return made


def print_labels(profile: Profile, labels: list[Label], *, dpi: int = 300, start: int = 1) -> bytes:
    out = io.BytesIO()
    draw_labels(out, profile, labels, FONTS, how=Print(dpi), title="Белгілер", language="kk", start=start)
    return out.getvalue()


def rasterise(pdf: bytes, folder: Path, dpi: int) -> list[Image.Image]:
    """Pages as the common PDF tool of Linux prints them."""
    if shutil.which("pdftoppm") is None:
        pytest.fail("pdftoppm is missing: install poppler-utils")
    (folder / "labels.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", str(dpi), "-gray", "labels.pdf", "page"]
    subprocess.run(command, cwd=folder, check=True, timeout=120)
    return [Image.open(path) for path in sorted(folder.glob("page*.pgm"))]


@every_profile
@pytest.mark.parametrize("dpi", [203, 300])
def test_it_prints_symbols_that_are_all_read(profile: Profile, dpi: int, tmp_path: Path) -> None:
    count = profile.per_page * 2 if profile.per_page > 1 else 12
    labels = make_labels(count)

    pages = rasterise(print_labels(profile, labels, dpi=dpi), tmp_path, dpi)

    assert len(pages) == count / profile.per_page
    found = [text for page in pages for text in read_symbols(page)]
    assert len(found) == len(set(found))
    # Among 65 symbols in one picture a decoder now and then overlooks one: a person holds the scanner over one label.
    for serial, label in enumerate(labels):
        page, position = divmod(serial, profile.per_page)
        if label.symbol not in found:
            found += read_symbols(_cut(pages[page].convert("L"), profile, position + 1, Print(dpi)))
    assert sorted(found) == sorted(label.symbol for label in labels)


@every_profile
def test_it_prints_for_one_printer_and_reads_from_another(profile: Profile, tmp_path: Path) -> None:
    labels = make_labels(profile.per_page + 1)

    pages = rasterise(print_labels(profile, labels, dpi=300), tmp_path, 203)

    found = {text for page in pages for text in read_symbols(page)}
    assert found == {label.symbol for label in labels}


@every_profile
def test_it_writes_the_texts_so_that_they_can_be_searched(profile: Profile) -> None:
    labels = make_labels(profile.per_page + 2)

    reader = PdfReader(io.BytesIO(print_labels(profile, labels)))

    assert len(reader.pages) == (2 if profile.per_page > 1 else 3)
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert text.count("Киік мүйізі") == len(labels)
    for label in labels:
        for written in (label.code, label.number, label.mass, label.dated):
            assert written in text
    assert reader.metadata is not None
    assert reader.metadata.title == "Белгілер"


def test_it_writes_every_kazakh_letter() -> None:
    pdf = print_labels(PROFILES["a4-21"], make_labels(1, term=KAZAKH[:13], caption=KAZAKH[13:]))

    text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()

    assert KAZAKH[:13].strip() in text
    assert KAZAKH[13:].strip() in text


@every_profile
@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_it_makes_a_module_of_whole_dots_not_too_fine(profile: Profile, dpi: int) -> None:
    modules = draw_symbol(make_labels(1)[0].symbol, "qr", profile.error_correction).width

    dots = module_dots(profile.symbol, modules, QUIET_MODULES, dpi)

    side = dots * (modules + 2 * QUIET_MODULES) * MM_PER_INCH / dpi
    assert modules == profile.modules("qr")
    assert dots * MM_PER_INCH / dpi >= LEAST_MODULE_MM
    assert side <= profile.symbol
    assert dots * MM_PER_INCH / dpi >= 0.33 or dpi == 203


@every_profile
@pytest.mark.parametrize("symbols", ["qr", "datamatrix", "both"])
@pytest.mark.parametrize("flap", [False, True])
def test_it_keeps_texts_away_from_symbols_and_from_the_edge(profile: Profile, symbols: str, flap: bool) -> None:
    profile = with_flap(profile) if flap else profile
    layout = lay_out(profile, symbols, bilingual=True)
    if flap:
        assert not find_faults(profile, symbols, 300)
        below_fold = [line.field for line in layout.lines if line.baseline > layout.fold]
        assert below_fold == ["hidden"]
        assert all(room.top + room.height <= layout.fold + 0.01 for room in layout.rooms)

    bottom = 0.0
    for line in layout.lines:
        height = line.size * MM_PER_INCH / 72
        above, below = line.baseline - height * 0.75, line.baseline + height * 0.25
        assert line.left < line.right <= profile.label_width - 0.5
        assert above >= 0.3
        assert below <= profile.label_height - 0.3
        for room in layout.rooms:
            beside = line.left >= room.left + room.width or line.right <= room.left
            assert beside or line.baseline <= room.top or above >= room.top + room.height
        if not line.flush_right:
            assert above >= bottom - 0.2
            bottom = line.baseline
    for room in layout.rooms:
        assert room.left >= 0
        assert room.left + room.width <= profile.label_width + 0.01
        assert 0 <= room.top <= profile.label_height - room.height


@every_profile
def test_it_puts_all_labels_on_the_page_without_overlap(profile: Profile) -> None:
    corners = [profile.corner(position) for position in range(profile.per_page)]

    assert len(set(corners)) == profile.per_page
    assert profile.pitch_x >= profile.label_width
    assert profile.pitch_y >= profile.label_height
    for left, top in corners:
        assert 0 <= left <= profile.page_width - profile.label_width + 0.01
        assert 0 <= top <= profile.page_height - profile.label_height + 0.01


@every_profile
def test_it_shrinks_and_cuts_texts_that_are_too_long(profile: Profile) -> None:
    long = make_labels(1, term="Киіктің тұтас мүйізі, " * 6, mass="16 777 215 г", number="KZ26-0012345678901")
    short = make_labels(1, term="", mass="", number="", code="", dated="", caption="")

    page = render_page(print_labels(profile, long), dpi=300)
    empty = render_page(print_labels(profile, short), dpi=300)

    left, top = profile.corner(0)
    edges = (left, top, left + profile.label_width, top + profile.label_height)
    label = tuple(round(edge * 300 / MM_PER_INCH) for edge in edges)
    ink = Image.eval(page, lambda level: 255 - level).getbbox()
    assert ink is not None
    assert (min(label[0], ink[0]), min(label[1], ink[1])) == label[:2]
    assert (max(label[2], ink[2]), max(label[3], ink[3])) == label[2:]
    # The symbol with its quiet zone has no ink but its own.
    inset = module_dots(profile.symbol, profile.modules("qr"), QUIET_MODULES, 300) * QUIET_MODULES
    main = lay_out(profile).rooms[0]
    room = (main.left + left, main.top + top)
    size = round(profile.symbol * 300 / MM_PER_INCH)
    corner = tuple(round(edge * 300 / MM_PER_INCH) for edge in room)
    strip = (corner[0] + size - inset, corner[1], corner[0] + size, corner[1] + size)
    assert page.crop(strip).getextrema() == (255, 255)
    assert empty.crop(strip).getextrema() == (255, 255)


def test_it_starts_at_any_position_of_a_used_sheet() -> None:
    profile = PROFILES["a4-65"]
    labels = make_labels(4)

    pdf = print_labels(profile, labels, start=64)

    assert len(PdfReader(io.BytesIO(pdf)).pages) == 2
    left, top = profile.corner(63)
    ink = Image.eval(render_page(pdf, 0, dpi=100), lambda level: 255 - level).getbbox()
    assert ink is not None
    assert ink[0] >= left * 100 / MM_PER_INCH
    assert ink[1] >= top * 100 / MM_PER_INCH
    assert check_sample(pdf, profile, labels, how=Print(300), start=64) == 4
    with pytest.raises(ValueError, match="start position"):
        print_labels(profile, labels, start=66)


def test_it_falls_back_to_the_short_symbol_where_the_label_says_so() -> None:
    profile = replace(PROFILES["a4-65"], symbol=11, short=True)
    label = make_labels(1)[0]
    short = replace(label, symbol="HTTPS://SAIGA.GOV.KZ/M/" + label.code.replace("-", "")[:6])

    assert draw_symbol(short.symbol, "qr", profile.error_correction).width == 25
    assert check_sample(print_labels(profile, [short]), profile, [short], how=Print(300)) == 1
    with pytest.raises(LabelError) as caught:
        print_labels(profile, [label])
    assert caught.value.reason == "room"


def test_it_stops_at_the_label_that_cannot_be_printed_and_names_it() -> None:
    labels = make_labels(5)
    no_glyph = [*labels[:3], replace(labels[3], term="Мүйіз 羚"), labels[4]]
    too_long = [*labels[:2], replace(labels[2], symbol="A" * 5000)]

    with pytest.raises(LabelError) as caught:
        print_labels(PROFILES["roll-50x25"], no_glyph)
    assert (caught.value.label, caught.value.reason, caught.value.detail) == (no_glyph[3], "glyph", "羚")
    with pytest.raises(LabelError) as caught:
        print_labels(PROFILES["roll-50x25"], too_long)
    assert (caught.value.label, caught.value.reason) == (too_long[2], "symbol")


@every_profile
def test_it_notices_a_symbol_that_says_something_else(profile: Profile) -> None:
    labels = make_labels(profile.per_page)
    pdf = print_labels(profile, labels)

    with pytest.raises(LabelError) as caught:
        check_sample(pdf, profile, [*labels[:-1], make_labels(1)[0]], how=Print(300))

    assert caught.value.reason == "unreadable"


def test_it_writes_as_many_pages_as_needed() -> None:
    for count in (1, 255, 256, 257, 600):
        pdf = print_labels(PROFILES["roll-50x25"], make_labels(count))
        reader = PdfReader(io.BytesIO(pdf), strict=True)
        assert len(reader.pages) == count
        assert "KZ26-" in reader.pages[count - 1].extract_text()
        assert len(pdf) < 40_000 + 800 * count


def test_it_says_after_each_page_how_many_are_drawn() -> None:
    told: list[int] = []

    draw_labels(
        io.BytesIO(), PROFILES["a4-21"], make_labels(50), FONTS,
        how=Print(300), title="", language="kk", on_page=told.append,
    )  # fmt: skip

    assert told == [21, 42, 50]


def penalty_by_hand(rows: list[str]) -> int:
    """ISO/IEC 18004, table 11, as it is written; 0 is dark."""
    side = len(rows)
    points = 0
    for lines in (rows, ["".join(column) for column in zip(*rows, strict=True)]):
        for line in lines:
            points += sum(len(run) - 2 for run in re.findall(r"0{5,}|1{5,}", line))
            finders = ("01000101111", "11110100010")
            points += 40 * sum(line[at : at + 11] in finders for at in range(side - 10))
    for y, x in itertools.product(range(side - 1), repeat=2):
        points += 3 * (len({rows[y][x], rows[y][x + 1], rows[y + 1][x], rows[y + 1][x + 1]}) == 1)
    light = sum(row.count("1") for row in rows) / side**2
    return points + 10 * int(abs(light * 100 - 50) / 5)


def test_the_penalty_of_a_mask_is_that_of_the_standard() -> None:
    for _again in range(20):
        rows = ["".join(secrets.choice("000111011110100010") for _x in range(33)) for _y in range(33)]
        assert penalty("".join(rows).encode(), 33) == penalty_by_hand(rows)


def test_the_better_of_two_masks_is_drawn() -> None:
    text = make_labels(1)[0].symbol
    drawn = {}
    for mask in MASKS:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=mask)
        image = cast("memoryview", code.to_image(scale=1, add_quiet_zones=False))
        digits = bytes(image).translate(_TO_BITS)
        drawn[penalty(digits, 45)] = int(
            "".join(f"{digits[at : at + 45].decode():1<48}" for at in range(0, 2025, 45)), 2
        )

    assert int.from_bytes(draw_symbol(text, "qr", "M").packed, "big") == drawn[min(drawn)]
