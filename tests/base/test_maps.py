"""The outlines of the regions, and where a place lies on them."""

import pytest
from django import forms
from django.template import Context, Template

from core.base.forms import LatitudeField, LongitudeField
from core.base.maps import picture, region_at


def test_every_region_is_drawn_with_three_names() -> None:
    drawn = picture()

    assert len(drawn.outlines) == 20
    assert all(set(outline.names) == {"kk", "ru", "en"} and outline.path.endswith("Z") for outline in drawn.outlines)
    assert 400 < drawn.height < 800


@pytest.mark.parametrize(
    ("longitude", "latitude", "iso"),
    [
        (51.37, 51.22, "KZ-27"),  # Oral
        (76.90, 43.24, "KZ-75"),  # Almaty
        (71.43, 51.13, "KZ-71"),  # Astana
        (69.59, 42.34, "KZ-79"),  # Shymkent
        (51.15, 43.65, "KZ-47"),  # Aktau
        (37.62, 55.75, None),  # Moscow
    ],
)
def test_a_place_lies_in_its_region(longitude: float, latitude: float, iso: str | None) -> None:
    assert region_at(longitude, latitude) == iso


def test_the_picker_has_fields_that_can_be_typed() -> None:
    class Place(forms.Form):
        latitude = LatitudeField(label="Latitude")
        longitude = LongitudeField(label="Longitude")

    form = Place({"latitude": "51,22", "longitude": "51.37"})
    page = Template("{% load maps %}{% place_picker form.latitude form.longitude %}").render(Context({"form": form}))

    assert form.is_valid()
    assert page.count('class="region"') == 20
    # Nothing that only a script can do is shown without one.
    assert "data-zooms hidden" in page
    assert 'name="latitude"' in page
    assert 'name="longitude"' in page
    assert not Place({"latitude": "91", "longitude": "181"}).is_valid()
