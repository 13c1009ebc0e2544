"""Outlines of the 20 regions as SVG paths, drawn once, and where a place lies on them. Knows no Django.

The file is static/vendor/kz-regions (TopoJSON: shared arcs, each a chain of steps on a grid). The projection is the
plain one of a small scale: degrees of longitude are narrowed by the cosine of the middle latitude, so that a click on
the picture can be turned into coordinates by two divisions.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "static/vendor/kz-regions/kz-regions.topojson"
WIDTH = 1000.0
MARGIN = 10.0

Point = tuple[float, float]
Ring = list[Point]


@dataclass(frozen=True, slots=True)
class Outline:
    """One region: its ISO 3166-2 code, names, rings (longitude, latitude), and path in the picture."""

    iso: str
    names: dict[str, str]
    rings: tuple[tuple[Point, ...], ...]
    path: str

    def holds(self, longitude: float, latitude: float) -> bool:
        """Whether the place lies inside, by counting crossings; a place on the border may fall on either side."""
        return sum(_crossings(ring, longitude, latitude) for ring in self.rings) % 2 == 1


@dataclass(frozen=True, slots=True)
class Picture:
    """The map: its size, and the corner and scale that turn degrees into points and back."""

    outlines: tuple[Outline, ...]
    west: float
    north: float
    across: float
    down: float
    height: float

    def point_of(self, longitude: float, latitude: float) -> Point:
        """Where the place lies in the picture."""
        x = MARGIN + (longitude - self.west) * self.across
        y = MARGIN + (self.north - latitude) * self.down
        return round(x, 1), round(y, 1)


@cache
def picture() -> Picture:
    """The map of the country, read once."""
    topology = json.loads(FILE.read_text(encoding="utf-8"))
    arcs = [list(_unfold(arc, topology["transform"])) for arc in topology["arcs"]]
    shapes = [
        (shape, [_ring(parts, arcs) for polygon in _polygons(shape) for parts in polygon])
        for shape in next(iter(topology["objects"].values()))["geometries"]
    ]
    everything = [point for _shape, rings in shapes for ring in rings for point in ring]
    west, east = min(x for x, _y in everything), max(x for x, _y in everything)
    south, north = min(y for _x, y in everything), max(y for _x, y in everything)
    across = (WIDTH - 2 * MARGIN) / (east - west)
    down = across / math.cos(math.radians((south + north) / 2))
    frame = Picture((), west, north, across, down, round((north - south) * down + 2 * MARGIN, 1))
    outlines = tuple(
        Outline(
            iso=shape["properties"]["iso"],
            names={language: shape["properties"][language] for language in ("kk", "ru", "en")},
            rings=tuple(tuple(ring) for ring in rings),
            path="".join(_draw(ring, frame) for ring in rings),
        )
        for shape, rings in shapes
    )
    return Picture(outlines, west, north, across, down, frame.height)


def region_at(longitude: float, latitude: float) -> str | None:
    """The ISO 3166-2 code of the region in which a place lies; None outside the country as drawn."""
    # The smaller ones first: cities lie inside the outlines of their regions.
    found = [outline for outline in picture().outlines if outline.holds(longitude, latitude)]
    return min(found, key=_area).iso if found else None


def _area(outline: Outline) -> float:
    return sum(abs(_twice_area(ring)) for ring in outline.rings)


def _twice_area(ring: Sequence[Point]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True))


def _unfold(arc: Sequence[Sequence[int]], transform: dict[str, Any]) -> Iterator[Point]:
    (across, up), (west, south) = transform["scale"], transform["translate"]
    x = y = 0
    for step in arc:
        x, y = x + step[0], y + step[1]
        yield x * across + west, y * up + south


def _polygons(shape: dict[str, Any]) -> list[Any]:
    return [shape["arcs"]] if shape["type"] == "Polygon" else list(shape["arcs"])


def _ring(parts: Sequence[int], arcs: Sequence[Ring]) -> Ring:
    """Arcs one after another; a number below zero is an arc walked backwards (~n), and joints are told once."""
    ring: Ring = []
    for number in parts:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring.extend(arc[1:] if ring else arc)
    return ring


def _draw(ring: Ring, frame: Picture) -> str:
    points = [frame.point_of(*point) for point in ring]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points[:-1]) + "Z"


def _crossings(ring: Sequence[Point], x: float, y: float) -> int:
    """How often a ray to the east meets the ring."""
    count = 0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            count += 1
    return count
