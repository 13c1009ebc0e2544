"""Forms take what people and scales type, and say what is wrong where it is wrong."""

import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from core.base.forms import DayField, DecimalCommaField, GramsField, KilogramsField, NumberText, read_number


class Weighing(forms.Form):
    on = DayField(label="Day", help_text="When it was weighed.")
    mass = GramsField(label="Mass", max_value=100_000)
    length = DecimalCommaField(label="Length", unit="mm", required=False)
    side = forms.ChoiceField(label="Side", choices=[("L", "Left"), ("R", "Right")], widget=forms.RadioSelect)
    seen = forms.BooleanField(label="Seen")


@pytest.fixture(autouse=True)
def _in_english() -> None:
    translation.activate("en")


@pytest.mark.parametrize("typed", ["1234.5", "1234,5", "1 234,5", "1\u00a0234,5", " 1\u202f234.5 ", "+1234,5"])
def test_one_number_is_read_however_it_is_typed(typed: str) -> None:
    assert read_number(typed) == Decimal("1234.5")


@pytest.mark.parametrize("typed", ["", ",", "1,2,3", "1e5", "12g", "NaN", "Infinity", "0x1F", "--5", "1.2,3"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidOperation):
        read_number(typed)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_refused_in_words(typed: str) -> None:
    for field in (GramsField(required=False), KilogramsField(required=False), DecimalCommaField(required=False)):
        with suppress(ValidationError):
            value = field.clean(typed)
            assert value is None or Decimal(value) == value


@given(st.integers(0, 10**9))
def test_kilograms_are_kept_as_the_grams_they_were(grams: int) -> None:
    kilograms = f"{grams // 1000},{grams % 1000:03}"

    assert KilogramsField().clean(kilograms) == grams
    assert GramsField().clean(f"{grams},0") == grams


def test_a_part_of_a_gram_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValidationError, match="whole grams"):
        GramsField().clean("215,5")
    with pytest.raises(ValidationError, match="three places"):
        KilogramsField().clean("0,2155")


def test_what_was_kept_is_shown_as_it_was_typed() -> None:
    with translation.override("kk"):
        field = KilogramsField()

        assert NumberText().format_value(field.prepare_value(12_345)) == "12,345"


def test_a_form_with_errors_tells_them_on_top_with_links_that_lead_somewhere() -> None:
    html = str(Weighing({"mass": "a lot"}))

    links = re.findall(r'<a href="#([^"]+)"', html)
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    assert len(links) == 4
    assert set(links) <= ids


def test_every_description_that_a_field_points_at_is_there() -> None:
    html = str(Weighing({"mass": "a lot"}))

    ids = set(re.findall(r'\bid="([^"]+)"', html))
    pointed = {name for names in re.findall(r'aria-describedby="([^"]+)"', html) for name in names.split()}
    assert {"id_on_helptext", "id_on_error", "id_mass_error"} <= pointed
    assert pointed <= ids
    assert html.count('aria-invalid="true"') >= 3


def test_every_field_has_a_label_and_required_ones_say_so() -> None:
    html = str(Weighing())

    inputs = re.findall(r'<input type="(?:text|date)"[^>]*id="([^"]+)"', html)
    assert set(inputs) <= set(re.findall(r'<label class="form-label" for="([^"]+)"', html))
    assert html.count('<span class="field-required">required</span>') == 4


def test_a_unit_stands_inside_its_field_and_is_spoken_with_the_label() -> None:
    html = str(Weighing()["length"].as_field_group())

    assert '<span class="input-group-text" aria-hidden="true">mm</span>' in html
    assert 'Length<span class="visually-hidden">, mm</span>' in html
    assert "data-unit" not in html


def test_a_day_comes_from_the_calendar_or_by_hand() -> None:
    assert DayField().clean("2026-03-05") == DayField().clean("05.03.2026")
