"""How one item dried: every weighing of it, and a small drawing."""

from typing import Any

from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from core.base.clock import ALMATY
from core.base.templatetags import fmt
from custody.lines import Mark, Point, draw_line
from ledger.models import WeighIn


def weigh_history(item_id: int) -> dict[str, Any]:
    """What the item's page shows of its weighings, newest first: one query."""
    found = list(WeighIn.objects.filter(item=item_id).select_related("weighing").order_by("-pk")[:50])
    if not found:
        return {"weigh_ins": [], "weigh_chart": None}
    oldest = found[-1]
    points = [Point(oldest.first_on.toordinal(), oldest.first_g)]
    for one in reversed(found):
        day = one.weighing.weighed_at.astimezone(ALMATY)
        points.append(Point(day.toordinal() + day.hour / 24, one.grams, fmt.grams(one.grams)))
    marks = [
        Mark(points[0].x, oldest.first_on.strftime("%d.%m.%Y")),
        Mark(points[-1].x, found[0].weighing.on.strftime("%d.%m.%Y")),
    ]
    drawing = draw_line(
        points,
        name="weigh-ins-chart",
        title=_("Mass over time"),
        description=_("From %(first)s to %(now)s.")
        % {
            "first": fmt.grams(oldest.first_g),
            "now": fmt.grams(found[0].grams),
        },
        unit=_("g"),
        marks=marks if points[-1].x > points[0].x else marks[:1],
    )
    return {"weigh_ins": found, "weigh_chart": mark_safe(drawing)}  # noqa: S308  drawn from numbers, words escaped
