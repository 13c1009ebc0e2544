"""The map of the regions on pages: to choose a place on, or to show one."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.translation import get_language

from core.base.maps import WIDTH, picture

register = template.Library()


@register.inclusion_tag("components/place_picker.html")
def place_picker(latitude: BoundField, longitude: BoundField) -> dict[str, Any]:
    """Two fields of a form (degrees) under a map of which a click, or the arrow keys, fill them.

    Without script the fields are typed. The page adds `<script type="module" src="js/map.js">`.
    """
    return _drawn(_degrees(latitude.value()), _degrees(longitude.value())) | {
        "latitude": latitude,
        "longitude": longitude,
    }


@register.inclusion_tag("components/place_map.html")
def place_map(latitude: Decimal | float | None, longitude: Decimal | float | None) -> dict[str, Any]:
    """A map with one place marked on it."""
    return _drawn(_degrees(latitude), _degrees(longitude))


@register.inclusion_tag("components/places_map.html")
def places_map(places: Iterable[tuple[str, float, float]], label: str, marked: Collection[str] = ()) -> dict[str, Any]:
    """A map with places numbered as in the list beside it (number, degrees north, degrees east), and regions marked.

    Places that lie outside the picture are left to the list.
    """
    drawn = _drawn(None, None) | {"label": label}
    frame = picture()
    points = [(number, *frame.point_of(lon, lat)) for number, lat, lon in places]
    inside = [(number, x, y) for number, x, y in points if 0 <= x <= WIDTH and 0 <= y <= frame.height]
    return drawn | {
        "regions": [
            (path, name, outline.iso.removeprefix("KZ-") in marked)
            for (path, name), outline in zip(drawn["regions"], frame.outlines, strict=True)
        ],
        "points": [(number, f"{x:g}", f"{y:g}") for number, x, y in inside],
    }


def _drawn(latitude: float | None, longitude: float | None) -> dict[str, Any]:
    drawn = picture()
    language = (get_language() or "kk")[:2]
    point = None if latitude is None or longitude is None else drawn.point_of(longitude, latitude)
    return {
        "regions": [(outline.path, outline.names.get(language, outline.names["kk"])) for outline in drawn.outlines],
        "width": f"{WIDTH:g}",
        "height": f"{drawn.height:g}",
        "frame": {name: f"{getattr(drawn, name):.6f}" for name in ("west", "north", "across", "down")},
        "x": None if point is None else f"{point[0]:g}",
        "y": None if point is None else f"{point[1]:g}",
    }


def _degrees(value: object) -> float | None:
    try:
        return None if value in (None, "") else float(str(value).replace(",", "."))
    except ValueError:
        return None
