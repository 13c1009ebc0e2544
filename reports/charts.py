"""Bar charts as SVG text. Pure: no Django, numbers and words in, markup out.

Zero-based bars, each labelled with its value; one colour per meaning, given by a class and defined in the
style sheet, so that dark mode and print follow. Widths are percentages and texts keep their size: the same
drawing is read on a phone and on a wide screen. `title` and `desc` speak to a screen reader (SVG 2, 5.8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

ROW = 46
LINE = 18
LETTERS_A_LINE = 34  # label and value beside each other, on a screen of 360 px
BAR = 16
TOP = 2
PLOT = 160
FOOT = 22
HEAD = 18
LABELS_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `shown` is the value with its unit; `tone` is its colour class; a link makes it a door."""

    label: str
    value: int
    shown: str
    tone: str = "main"
    link: str = ""


def draw_bars(bars: Sequence[Bar], *, name: str, title: str, description: str) -> str:
    """Horizontal bars, one below another, label and value above each: for kinds, places, states.

    `name` makes the ids of this drawing unique on its page. Values are not negative.
    """
    longest = _longest(bars)
    labels = [wrap(bar.label, max(LETTERS_A_LINE - len(bar.shown) - 1, 12)) or [""] for bar in bars]
    height = TOP + ROW * len(bars) + LINE * sum(len(lines) - 1 for lines in labels)
    parts = [_open(name, "bars", height, title, description, any(bar.link for bar in bars))]
    top = TOP
    for bar, lines in zip(bars, labels, strict=True):
        width = 100 * bar.value / longest if longest else 0
        label = " ".join(
            f'<tspan x="0" y="{top + 14 + LINE * number}">{escape(line)}</tspan>' for number, line in enumerate(lines)
        )
        top += LINE * (len(lines) - 1)
        inside = (
            f'<text class="chart-label">{label}</text>'
            f'<text class="chart-value" x="100%" y="{top + 14}" text-anchor="end">{escape(bar.shown)}</text>'
            f'<rect class="chart-track" x="0" y="{top + 20}" width="100%" height="{BAR}" rx="2"/>'
            f'<rect class="chart-bar chart-bar-{bar.tone}" x="0" y="{top + 20}" width="{width:.2f}%" '
            f'height="{BAR}" rx="2"/>'
        )
        parts.append(_linked(bar, inside))
        top += ROW
    parts.append("</svg>")
    return "".join(parts)


def draw_columns(bars: Sequence[Bar], *, name: str, title: str, description: str) -> str:
    """Upright bars side by side: for days, weeks, months in their order.

    Every value stands above its bar where there is room, and in its tooltip.
    """
    longest = _longest(bars)
    base = HEAD + PLOT
    parts = [_open(name, "columns", base + FOOT, title, description, any(bar.link for bar in bars))]
    step = 100 / max(len(bars), 1)
    every = -(-len(bars) // LABELS_AT_MOST) or 1
    for index, bar in enumerate(bars):
        height = PLOT * bar.value / longest if longest else 0
        left, middle = index * step + step * 0.14, index * step + step / 2
        inside = (
            f"<title>{escape(bar.label)}: {escape(bar.shown)}</title>"
            f'<rect class="chart-bar chart-bar-{bar.tone}" x="{left:.2f}%" y="{base - height:.1f}" '
            f'width="{step * 0.72:.2f}%" height="{height:.1f}" rx="2"/>'
        )
        # On a narrow screen the style sheet leaves out what is marked “wide”; the highest bar keeps its value.
        wide = "" if len(bars) <= LABELS_AT_MOST or (bar.value == longest and longest) else " chart-wide"
        inside += (
            f'<text class="chart-value{wide}" x="{middle:.2f}%" y="{base - height - 5:.1f}" '
            f'text-anchor="middle">{escape(bar.shown)}</text>'
        )
        wide = "" if index % every == 0 else " chart-wide"
        inside += (
            f'<text class="chart-label{wide}" x="{middle:.2f}%" y="{base + 16}" '
            f'text-anchor="middle">{escape(bar.label)}</text>'
        )
        parts.append(_linked(bar, inside))
    parts.append(f'<line class="chart-axis" x1="0" x2="100%" y1="{base}" y2="{base}"/></svg>')
    return "".join(parts)


def _longest(bars: Sequence[Bar]) -> int:
    if any(bar.value < 0 for bar in bars):
        raise ValueError("a bar starts at zero and is never negative")
    return max((bar.value for bar in bars), default=0)


def _open(name: str, kind: str, height: int, title: str, description: str, has_links: bool) -> str:
    """One picture to a screen reader, unless there are links inside that must be reached."""
    role = "group" if has_links else "img"
    return (
        f'<svg class="chart chart-{kind}" role="{role}" width="100%" height="{height}" '
        f'aria-labelledby="{escape(name)}-title {escape(name)}-desc">'
        f'<title id="{escape(name)}-title">{escape(title)}</title>'
        f'<desc id="{escape(name)}-desc">{escape(description)}</desc>'
    )


def _linked(bar: Bar, inside: str) -> str:
    return f'<a href="{escape(bar.link)}">{inside}</a>' if bar.link else f"<g>{inside}</g>"
