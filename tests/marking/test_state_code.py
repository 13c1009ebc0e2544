"""State codes, seals and chips as scanners send them: read, or asked about; never guessed."""

import re

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase.ttfonts import TTFontFile

from marking.state_code import (
    GS,
    SHOWN_GS,
    CarrierError,
    Fault,
    looks_like_state_code,
    parse_seal,
    parse_state_code,
    parse_tid,
)

GTIN = "04870000000012"
HEAD = f'01{GTIN}21hQ7%wXz.,9Bc"'
CHECK = "dGhpcyBpcyBub3QgYSByZWFsIGNoZWNrIHZhbHVlISE="
RAW = f"{HEAD}{GS}91EE06{GS}92{CHECK}"


def fault_of(text: str, **options: str) -> Fault:
    with pytest.raises(CarrierError) as refused:
        parse_state_code(text, **options)
    return refused.value.fault


def test_it_keeps_the_raw_text_and_every_part() -> None:
    code = parse_state_code(RAW)

    assert code.raw == RAW
    assert code.parts == {"01": GTIN, "21": 'hQ7%wXz.,9Bc"', "91": "EE06", "92": CHECK}
    assert code.identity == HEAD


@pytest.mark.parametrize(
    "raw",
    [
        f"{HEAD}{GS}93Ab1=",
        f"01{GTIN}21A{GS}91EE06{GS}92{CHECK}{CHECK}",
        f"01{GTIN}21ABCDEFGHIJKLMNOPQRST{GS}92x",
    ],
)
def test_it_assumes_no_length(raw: str) -> None:
    assert parse_state_code(raw).raw == raw


@pytest.mark.parametrize(
    "sent",
    [
        f"]d2{RAW}",
        f"{GS}{RAW}",
        f"]d2{GS}{RAW}",
        f"  {RAW}\r\n",
        RAW.replace(GS, SHOWN_GS),
        f"{RAW}{GS}",
    ],
)
def test_it_normalises_what_can_mean_one_thing_only(sent: str) -> None:
    assert parse_state_code(sent).raw == RAW


@pytest.mark.parametrize("sign", ["<GS>", "{GS}", "|", "~", "\\x1D", "^]", "#"])
def test_it_asks_what_another_sign_means_and_then_knows(sign: str) -> None:
    sent = RAW.replace(GS, sign)

    with pytest.raises(CarrierError) as refused:
        parse_state_code(sent)
    assert refused.value.fault == Fault.SEPARATOR
    assert sign in refused.value.candidates
    assert parse_state_code(sent, separator=sign).raw == RAW


def test_a_sign_of_the_serial_is_not_taken_for_gs_where_gs_is_sent() -> None:
    raw = f"01{GTIN}21AB<GS>CD{GS}91EE06{GS}92{CHECK}"

    assert parse_state_code(raw, separator="<GS>").serial == "AB<GS>CD"


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ("", Fault.EMPTY),
        (f"]Q3{RAW}", Fault.SYMBOLOGY),
        (RAW.replace("Q", "Й"), Fault.LAYOUT),
        (RAW.replace(GS, ""), Fault.SEPARATOR),
        (HEAD, Fault.SEPARATOR),
        (f"{HEAD}{GS}91EE06", Fault.INCOMPLETE),
        (RAW.replace(GTIN, "04870000000013"), Fault.GTIN),
        (f"21ABC{GS}92xx", Fault.CONTENT),
        (f"{RAW}{GS}92again", Fault.CONTENT),
        ("https://example.com/x", Fault.CONTENT),
        ("9" * 700, Fault.CONTENT),
    ],
)
def test_it_says_what_is_wrong(sent: str, fault: Fault) -> None:
    assert fault_of(sent) == fault


@given(st.text(max_size=200))
def test_whatever_is_scanned_is_read_or_refused(text: str) -> None:
    for parse in (parse_state_code, parse_seal, parse_tid):
        try:
            parse(text)
        except CarrierError:
            continue
    looks_like_state_code(text)


def test_a_seal_is_one_number_whichever_keyboard_wrote_it() -> None:
    assert parse_seal(" ав 0012345 ") == parse_seal("AB0012345") == "AB0012345"
    for wrong in ("", "ab", "-abc", "a" * 60, "a\x1db?c"):
        with pytest.raises(CarrierError):
            parse_seal(wrong)


def test_a_chip_has_as_many_bits_as_chips_have() -> None:
    assert parse_tid("e2 80:11-60600002 0a1b2c3d4e") == "E2801160600002" + "0A1B2C3D4E"
    assert len(parse_tid("E280116060000209A1B2C3D4E5F60718")) == 32
    for wrong in ("E280", "0" * 24, "F" * 24, "G" * 24, "E" * 25):
        with pytest.raises(CarrierError):
            parse_tid(wrong)


def test_pages_have_a_picture_of_the_sign_gs() -> None:
    theme = (settings.ROOT / "static/css/theme.css").read_text(encoding="utf-8")
    font = TTFontFile(str(settings.ROOT / "static/fonts/separator.ttf"))

    assert font.charToGlyph[ord(SHOWN_GS)]
    assert "unicode-range: U+241D" in theme
    for family in ("--tblr-font-sans-serif", "--tblr-font-monospace"):
        assert re.search(rf'{family}: "Saiga Separator", "Noto Sans', theme)
