"""Checks of the demo: people ask of a horn in the central store, and one of them seems to hold another label."""

from datetime import datetime, timedelta

from marking.models import Check, CopyAlert, Mark
from marking.services.checks import regions_about
from marking.services.copies import find_copies

ALMATY, ORAL, BEIJING = (43.2, 76.9), (51.2, 51.4), (39.9, 116.4)


def check_labels(now: datetime) -> list[CopyAlert]:
    """A dozen checks of two labels in Almaty, where they are; one of the labels also far away, soon after."""
    there = Mark.objects.active().filter(derivative__item__holdings__account__code="CS-75")
    marks = list(there.filter(derivative__item__holdings__pieces__gt=0).order_by("code")[:2])
    seen = [(mark, now - timedelta(days=6 - number, hours=number), ALMATY) for mark in marks for number in range(5)]
    if marks:
        seen += [
            (marks[0], now - timedelta(days=1, hours=5), ALMATY),
            (marks[0], now - timedelta(days=1, hours=3), ORAL),
            (marks[0], now - timedelta(hours=20), BEIJING),
        ]
    Check.objects.bulk_create(
        Check(
            at=at,
            code=mark.code,
            verdict="genuine",
            is_signed=True,
            channel=Check.Channel.WEB,
            who=Check.PUBLIC,
            lat=place[0],
            lon=place[1],
            regions=list(regions_about(*place)),
        )
        for mark, at, place in seen
    )
    return find_copies(at=now)
