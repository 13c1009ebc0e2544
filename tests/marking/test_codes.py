"""The code and its check character: what is claimed in section "Marks" of docs/marks.md."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marking.codes import (
    ALPHABET,
    CODE_LENGTH,
    CodeError,
    Fault,
    check_character,
    from_number,
    group,
    is_code,
    new_code,
    parse,
    to_number,
)

codes = st.integers(min_value=0, max_value=2**55 - 1).map(from_number)


def test_it_computes_the_published_check_character() -> None:
    assert check_character("7H4Q9TX2MW8") == "H"
    assert is_code("7H4Q9TX2MW8H")
    assert group("7H4Q9TX2MW8H") == "7H4Q-9TX2-MW8H"


def test_it_makes_codes_of_the_alphabet_that_differ() -> None:
    made = {new_code() for _ in range(2000)}

    assert len(made) == 2000
    assert all(is_code(code) for code in made)
    assert {character for code in made for character in code} == set(ALPHABET)


@given(codes)
def test_it_goes_to_the_number_and_back(code: str) -> None:
    assert from_number(to_number(code)) == code


@pytest.mark.parametrize("number", [-1, 2**55])
def test_it_refuses_more_than_55_bits(number: int) -> None:
    with pytest.raises(ValueError, match="55 bits"):
        from_number(number)


@given(codes)
def test_it_catches_every_single_wrong_character(code: str) -> None:
    for position, character in itertools.product(range(CODE_LENGTH), ALPHABET):
        if character != code[position]:
            assert not is_code(code[:position] + character + code[position + 1 :])


@given(codes)
def test_it_catches_every_exchange_of_two_characters(code: str) -> None:
    for first, second in itertools.combinations(range(CODE_LENGTH), 2):
        exchanged = list(code)
        exchanged[first], exchanged[second] = code[second], code[first]
        assert code[first] == code[second] or not is_code("".join(exchanged))


@pytest.mark.parametrize(
    "text",
    [
        "7H4Q9TX2MW8H",
        "7h4q-9tx2-mw8h",
        "  7H4Q 9TX2\u00a0MW8H\n",
        "7H4Q\u20119TX2\u2013MW8H",
        "7Н4Q9ТХ2МW8Н",  # Cyrillic Н Т Х М
        "7н4q9тх2мw8н",
    ],
)
def test_it_reads_what_a_person_meant(text: str) -> None:
    assert parse(text) == "7H4Q9TX2MW8H"


def test_it_reads_every_look_alike() -> None:
    body = "ABCEHKM0PTX"
    code = body + check_character(body)
    assert parse("АВСЕНКМОРТХ" + code[-1]) == code
    assert parse("авсенкмортх" + code[-1]) == code
    tail = "Y1110000000"
    code = tail + check_character(tail)
    for text in ("УIlLoOоО000", "уiLl0000000", "YLIi00ooOо0"):
        assert parse(text + code[-1]) == code


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.EMPTY),
        (" -– \n", Fault.EMPTY),
        ("7H4Q-9TX2-MW8", Fault.LENGTH),
        ("7H4Q-9TX2-MW8HH", Fault.LENGTH),
        ("7H4Q-9TX2-MW8U", Fault.CHARACTER),
        ("7H4Q-9TX2-MWЖH", Fault.CHARACTER),
        ("7H4Q-9TX2-MW8J", Fault.CHECK),
        ("H74Q-9TX2-MW8H", Fault.CHECK),
    ],
)
def test_it_says_which_thing_is_wrong(text: str, fault: Fault) -> None:
    with pytest.raises(CodeError) as caught:
        parse(text)

    assert caught.value.fault is fault


def test_it_names_the_sign_and_the_length_that_are_wrong() -> None:
    with pytest.raises(CodeError) as caught:
        parse("7h4q-9жx2-mw8h")
    assert caught.value.character == "Ж"
    with pytest.raises(CodeError) as caught:
        parse("7h4q-9")
    assert caught.value.length == 5


@given(st.text())
def test_it_never_fails_on_other_text(text: str) -> None:
    with contextlib.suppress(CodeError):
        assert is_code(parse(text))


@given(codes, st.text(alphabet=" -\t\u00a0\u2013", max_size=3), st.integers(0, CODE_LENGTH), st.booleans())
def test_it_ignores_what_stands_between(code: str, between: str, position: int, lower: bool) -> None:
    written = code[:position] + between + code[position:]

    assert parse(written.lower() if lower else written) == code
