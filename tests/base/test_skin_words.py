"""Quantities, codes, days and people as the reader's language writes them."""

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from core.base.templatetags import fmt


@pytest.mark.parametrize(("language", "written"), [("kk", "12,345"), ("ru", "12,345"), ("en", "12.345")])
def test_kilograms_have_three_places_and_the_readers_comma(language: str, written: str) -> None:
    with translation.override(language):
        assert fmt.kg(12_345).split()[0] == written


def test_thousands_stand_apart_in_every_language() -> None:
    for language in ("kk", "ru", "en"):
        with translation.override(language):
            assert fmt.count(91_298) == "91\u00a0298"


def test_what_is_not_known_is_a_dash_and_nothing_is_not() -> None:
    with translation.override("en"):
        assert fmt.kg(None) == fmt.grams(None) == fmt.day(None) == fmt.moment(None) == "—"
        assert fmt.grams(0).startswith("0")


def test_a_mark_is_grouped_once() -> None:
    assert fmt.grouped("7H4Q9TX2MW8H") == "7H4Q-9TX2-MW8H"
    assert fmt.grouped("7H4Q-9TX2-MW8H") == "7H4Q-9TX2-MW8H"


def test_a_moment_is_told_in_almaty_time_with_the_second_on_hover() -> None:
    with translation.override("en"):
        html = fmt.moment(datetime(2026, 3, 4, 20, 30, 15, tzinfo=UTC))

    assert 'datetime="2026-03-05T01:30:15+05:00"' in html
    assert "2026-03-05 01:30:15 UTC+0500" in html
    assert ">05.03.2026 01:30</time>" in html


@pytest.mark.parametrize(("language", "written"), [("ru", "5 марта 2026 г."), ("en", "5 March 2026")])
def test_a_day_is_in_the_readers_words(language: str, written: str) -> None:
    with translation.override(language):
        assert fmt.day(date(2026, 3, 5)) == written


def test_a_kazakh_day_puts_the_year_first() -> None:
    with translation.override("kk"):
        assert fmt.day(date(2026, 3, 5)).lower() == "2026 ж. 5 наурыз"


def test_a_number_in_an_attribute_has_no_gaps() -> None:
    with translation.override("kk"):
        assert fmt.plain(1_234_567) == "1234567"
