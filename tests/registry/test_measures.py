"""Reading what people and scales write."""

import pytest

from registry.measures import Unreadable, read_condition, read_length, read_mass, read_note, read_side


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("215", 215),
        (" 215 ", 215),
        ("215 g", 215),
        ("215г", 215),
        ("0,215", 215),
        ("0.215", 215),
        (".215", 215),
        ("0,215 кг", 215),
        ("1,2", 1200),
        ("215,4", 215),
        ("215,5", 216),
        ("1 215", 1215),
        ("1\u00a0215", 1215),
        ("+ 215", 215),
        ("7", 7),
        ("99999", 99_999),
    ],
)
def test_a_mass_is_read_in_grams(text: str, grams: int) -> None:
    assert read_mass(text) == grams


def test_a_column_in_kilograms_is_kilograms_whatever_its_size() -> None:
    assert read_mass("12", in_kilograms=True) == 12_000
    assert read_mass("215 g", in_kilograms=True) == 215


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "mass_missing"),
        ("   ", "mass_missing"),
        ("heavy", "mass_not_number"),
        ("1.2.3", "mass_not_number"),
        ("1e3", "mass_not_number"),
        ("٢١٥", "mass_not_number"),
        ("0", "mass_out_of_range"),
        ("-5", "mass_out_of_range"),
        ("0,0001", "mass_out_of_range"),
        ("100000", "mass_out_of_range"),
        ("9" * 400, "mass_out_of_range"),
        (".", "mass_missing"),
    ],
)
def test_what_is_no_mass_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_mass(text)

    assert refusal.value.code == code


@pytest.mark.parametrize(("text", "millimetres"), [("245", 245), ("24,5 см", 245), ("", None), ("245 мм", 245)])
def test_a_length_is_read_in_millimetres(text: str, millimetres: int | None) -> None:
    assert read_length(text) == millimetres


def test_a_length_of_nothing_or_of_kilometres_is_refused() -> None:
    for text in ("0", "-1", "10000", "99999999999999999999999"):
        with pytest.raises(Unreadable, match="length_out_of_range"):
            read_length(text)


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("L", "L"),
        ("r", "R"),
        ("С", "L"),
        ("О", "R"),
        ("C", "L"),
        ("O", "R"),
        ("Л", "L"),
        ("п", "R"),
        ("Сол", "L"),
        ("оң", "R"),
        ("левый", "L"),
        ("прав.", "R"),
        ("RIGHT", "R"),
        ("", "U"),
        ("?", "U"),
    ],
)
def test_a_side_is_known_in_three_languages(text: str, side: str) -> None:
    assert read_side(text) == side


def test_other_sides_and_conditions_are_refused() -> None:
    with pytest.raises(Unreadable, match="side_not_known"):
        read_side("both")
    with pytest.raises(Unreadable, match="condition_not_known"):
        read_condition("fine")


def test_a_condition_is_whole_unless_said() -> None:
    assert [read_condition(text) for text in ("", "Сынған", "с трещиной", "decayed")] == [
        "whole",
        "broken",
        "cracked",
        "decayed",
    ]


def test_a_note_is_short_and_printable() -> None:
    assert read_note("  tip missing ") == "tip missing"
    with pytest.raises(Unreadable, match="note_too_long"):
        read_note("x" * 201)
    with pytest.raises(Unreadable, match="note_not_text"):
        read_note("a\x00b")
