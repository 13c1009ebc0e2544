"""Line charts as SVG text. Pure: no Django, numbers and words in, markup out.

One line over time, with the band it should stay in behind it. Widths are percentages and texts keep their size, so that
the same drawing is read on a phone and on a wide screen; colours come from the style sheet by class. `title` and `desc`
speak to a screen reader (SVG 2, 5.8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

PLOT = 150
HEAD = 20
FOOT = 22
SIDE = 1000  # units of the plot's own width


@dataclass(frozen=True, slots=True)
class Point:
    """One reading: where it is in time (any number), its value, and both in words."""

    x: float
    y: float
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A label under the axis."""

    x: float
    label: str


def draw_line(
    points: Sequence[Point],
    *,
    name: str,
    title: str,
    description: str,
    unit: str,
    marks: Sequence[Mark] = (),
    low: float | None = None,
    high: float | None = None,
    gap: float | None = None,
) -> str:
    """A line through the points in the order of x. It breaks where two are further apart than `gap`.

    `low` and `high` are the bounds it should keep; each is drawn as a line with its value. ValueError without points.
    """
    if not points:
        raise ValueError("a line needs points")
    first, last = points[0].x, points[-1].x
    values = [point.y for point in points] + [bound for bound in (low, high) if bound is not None]
    least, most = min(values), max(values)
    room = (most - least) * 0.08 or 1
    least, most = least - room, most + room

    def across(x: float) -> float:
        return SIDE * (x - first) / (last - first) if last > first else SIDE / 2

    def down(y: float) -> float:
        return HEAD + PLOT * (most - y) / (most - least)

    head = (
        f'<svg class="chart chart-lines" role="img" width="100%" height="{HEAD + PLOT + FOOT}" '
        f'aria-labelledby="{escape(name)}-title {escape(name)}-desc">'
        f'<title id="{escape(name)}-title">{escape(title)}</title>'
        f'<desc id="{escape(name)}-desc">{escape(description)}</desc>'
    )
    parts = [head]
    for bound in filter(lambda bound: bound is not None, (low, high)):
        at = down(bound or 0)
        words = escape(f"{_number(bound or 0)} {unit}")
        parts += [
            f'<line class="chart-bound" x1="0" x2="100%" y1="{at:.1f}" y2="{at:.1f}"/>',
            f'<text class="chart-label" x="0" y="{at - 4:.1f}">{words}</text>',
        ]
    parts.append(
        f'<svg x="0" y="0" width="100%" height="{HEAD + PLOT + FOOT}" '
        f'viewBox="0 0 {SIDE} {HEAD + PLOT + FOOT}" preserveAspectRatio="none">'
    )
    for run in _runs(points, gap):
        path = " ".join(f"{across(point.x):.1f},{down(point.y):.1f}" for point in run)
        if len(run) == 1:
            path += f" {across(run[0].x) + 0.5:.1f},{down(run[0].y):.1f}"
        parts.append(f'<polyline class="chart-line" points="{path}"/>')
    parts.append("</svg>")
    end = points[-1]
    parts.append(
        f'<text class="chart-value" x="100%" y="12" text-anchor="end">'
        f"{escape(end.shown or _number(end.y))}</text>"
        f'<line class="chart-axis" x1="0" x2="100%" y1="{HEAD + PLOT}" y2="{HEAD + PLOT}"/>'
    )
    for index, mark in enumerate(marks):
        share = across(mark.x) / SIDE * 100
        anchor = "start" if share < 6 else "end" if share > 94 else "middle"
        wide = " chart-wide" if index % 2 and len(marks) > 2 else ""
        parts.append(
            f'<text class="chart-label{wide}" x="{share:.2f}%" y="{HEAD + PLOT + 16}" '
            f'text-anchor="{anchor}">{escape(mark.label)}</text>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _runs(points: Sequence[Point], gap: float | None) -> list[list[Point]]:
    runs: list[list[Point]] = []
    for point in points:
        if runs and (gap is None or point.x - runs[-1][-1].x <= gap):
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "\u2212")
