"""How much a thing may have lost by drying. Pure: numbers in, numbers out.

The curve is a rule: the share of the first mass lost in 30, 90 and 365 days, and ever; straight lines between these
days, from nothing on the first day, and the last share after three years.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

EVER = 3 * 365  # days


@dataclass(frozen=True, slots=True)
class Judged:
    """What a weighing says: `floor_g` is the least mass the curve explains, `ceiling_g` the most the scale does."""

    verdict: str
    floor_g: int
    ceiling_g: int


def loss_percent(curve: Mapping[str, int], days: int) -> float:
    """The part of the first mass, in per cent, that may be lost within so many days."""
    points = [(0, 0), (30, curve["days_30"]), (90, curve["days_90"]), (365, curve["days_365"]), (EVER, curve["ever"])]
    for (day, share), (next_day, next_share) in pairwise(points):
        if days <= next_day:
            return share + (next_share - share) * max(days - day, 0) / (next_day - day)
    return float(curve["ever"])


def judge(
    *,
    first_g: int,
    before_g: int,
    now_g: int,
    days: int,
    curve: Mapping[str, int],
    tolerance_percent: int,
    days_before: int = 0,
) -> Judged:
    """Whether a new mass is explained: not below what the curve leaves of the first mass and of the mass before, nor
    above the mass before. `days` is the age at this weighing, `days_before` that at the one before.

    Both bounds give way by a whole gram; the upper one by the tolerance of scales too. Both are judged by the first
    mass as well, so that many small losses, or gains, do not pass where one large one would not. The lower one is
    judged by the mass before too: a horn that was dry after a year does not lose in a day what a year explains.
    """
    left = 100 - loss_percent(curve, days)
    left_before = 100 - loss_percent(curve, min(days_before, days))
    by_first = first_g * left / 100
    # What scales showed too much before is not asked back as a loss.
    by_before = min(before_g, first_g) * (left / left_before if left_before else 0)
    floor_g = int(max(by_first, by_before)) - 1
    ceiling_g = min(with_tolerance(before_g, tolerance_percent), with_tolerance(first_g, tolerance_percent))
    # What was explained before stays explained: a mass that has not changed is never a new loss, nor a new gain.
    floor_g, ceiling_g = max(min(floor_g, before_g), 0), max(ceiling_g, before_g)
    if now_g < floor_g:
        return Judged("loss", floor_g, ceiling_g)
    if now_g > ceiling_g:
        return Judged("gain", floor_g, ceiling_g)
    return Judged("dry", floor_g, ceiling_g)


def with_tolerance(grams: int, tolerance_percent: int) -> int:
    """The most that scales show of so many grams."""
    return grams + max(1, grams * tolerance_percent // 100)
