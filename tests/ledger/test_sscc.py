"""Numbers of boxes: the check digit of GS1, and every way a scanner says them."""

import pytest

from ledger.sscc import SsccError, check_digit, is_sscc, make_sscc, parse_sscc


def test_the_check_digit_is_that_of_the_standard() -> None:
    # The example of the GS1 General Specifications, section 7.9.
    assert check_digit("37610425002123456") == 9
    assert is_sscc("376104250021234569")


def test_it_makes_eighteen_digits_and_reads_them_back() -> None:
    made = make_sscc("487000000", 12, extension=1)

    assert made.startswith("1487000000")
    assert len(made) == 18
    assert parse_sscc(made) == made


@pytest.mark.parametrize(
    "text",
    [
        "376104250021234569",
        "00376104250021234569",
        "(00)376104250021234569",
        "(00) 3 7610 4250 0212 3456 9",
        "]C100376104250021234569",
        "]d200376104250021234569",
    ],
)
def test_it_reads_what_scanners_say(text: str) -> None:
    assert parse_sscc(text) == "376104250021234569"


@pytest.mark.parametrize("text", ["", "376104250021234560", "37610425002123456", "KZ26-0000001", "٣٧٦١٠٤٢٥٠٠٢١٢٣٤٥٦٩"])
def test_it_refuses_what_is_none(text: str) -> None:
    with pytest.raises(SsccError):
        parse_sscc(text)


@pytest.mark.parametrize(
    ("prefix", "serial"), [("48700", 1), ("48700000000", 1), ("487000000", 0), ("4870000000", 10**6)]
)
def test_it_refuses_what_does_not_fit(prefix: str, serial: int) -> None:
    with pytest.raises(SsccError):
        make_sscc(prefix, serial)
