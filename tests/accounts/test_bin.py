"""The check digit of BIN, after the published rule, and the database's own copy of it."""

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.bin import bin_from, check_digit, is_valid_bin
from core.accounts.models import Organisation

eleven_digits = st.text("0123456789", min_size=11, max_size=11)
# Twelve digits of the form of a BIN, right and wrong alike.
bins = st.from_regex(r"[0-9]{4}[456][0-9]{7}", fullmatch=True)
valid_bins = (
    st.from_regex(r"[0-9]{4}[456][0-9]{6}", fullmatch=True)
    .filter(lambda first: check_digit(first) is not None)
    .map(lambda first: f"{first}{check_digit(first)}")
)


def by_the_book(first_eleven: str) -> int | None:
    """The rule of the Ministry of Justice, written out once more: weights 1..11, then 3..11, 1, 2, both modulo 11."""
    digits = [int(digit) for digit in first_eleven]
    first = sum(digits[i] * (i + 1) for i in range(11)) % 11
    if first != 10:
        return first
    second = sum(digits[i] * ((i + 2) % 11 + 1) for i in range(11)) % 11
    return second if second != 10 else None


@given(eleven_digits)
def test_check_digit_follows_the_published_rule(digits: str) -> None:
    assert check_digit(digits) == by_the_book(digits)


# Real state bodies whose numbers are public.
@pytest.mark.parametrize("number", ["960240000124", "941240001151", "980540003397"])
def test_it_takes_numbers_whose_digits_agree(number: str) -> None:
    assert is_valid_bin(number) == (by_the_book(number[:11]) == int(number[11]))


# The eleventh digit weighs eleven, which is nothing modulo eleven: the rule itself does not protect it.
@given(valid_bins, st.sampled_from([*range(10), 11]), st.integers(1, 9))
def test_it_finds_every_single_mistyped_digit_that_the_first_weights_can(number: str, place: int, shift: int) -> None:
    digit = str((int(number[place]) + shift) % 10)
    mistyped = number[:place] + digit + number[place + 1 :]

    # Sums modulo 11 see any change of one digit, unless the second weights came in.
    first = sum(int(d) * (i + 1) for i, d in enumerate(number[:11])) % 11
    changed = sum(int(d) * (i + 1) for i, d in enumerate(mistyped[:11])) % 11
    if 10 not in (first, changed):
        assert not is_valid_bin(mistyped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "96024000012",
        "9602400001245",
        "96024000012x",
        "٩٦٠٢٤٠٠٠٠١٢٤",
        "960240 00124",
        "960140000124",
        "960740000124",
    ],
)
def test_it_refuses_what_is_no_bin(text: str) -> None:
    assert not is_valid_bin(text)


def test_it_makes_a_bin_of_eleven_digits() -> None:
    assert bin_from("96024000012") == "960240000124"
    with pytest.raises(ValueError):
        bin_from("96021000012")  # the fifth digit is of no kind of organisation


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["960240000125", "960140000124", "96024000012", "96024000012x"])
def test_the_database_itself_refuses_a_wrong_bin(number: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Organisation.objects.create(bin=number, kind="trader", name_kk="х", name_ru="х", name_en="x")

    assert not Organisation.objects.exists()


@pytest.mark.django_db
def test_the_database_agrees_with_the_code_on_a_thousand_numbers() -> None:
    """All numbers with two running places; those the code takes are taken, the rest refused one by one."""
    candidates = [
        f"{middle:04d}4{middle * 7 % 10**6:06d}{digit}" for middle in range(0, 1000, 10) for digit in range(10)
    ]
    good = [number for number in candidates if is_valid_bin(number)]
    bad = [number for number in candidates if not is_valid_bin(number)]

    Organisation.objects.bulk_create(
        Organisation(bin=number, kind="trader", name_kk="х", name_ru="х", name_en="x") for number in good
    )
    taken = Organisation.objects.count()
    for number in bad[::23]:
        with pytest.raises(IntegrityError), transaction.atomic():
            Organisation.objects.create(bin=number, kind="trader", name_kk="х", name_ru="х", name_en="x")

    assert taken == len(good) > 50
