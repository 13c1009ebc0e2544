"""Understanding what a person typed, scanned or pasted: a mark, a number of ours, or words."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from core.accounts.models import User
from ledger.models import CustodyAccount, Handover
from marking.models import Mark
from marking.selectors import check_text
from permits.models import Application, Permit
from registry.models import Derivative, Intake
from reports.models import Statement

LONGEST_TEXT = 400
FOUND_AT_MOST = 20

_NUMBER = re.compile(r"^([A-Z]{2})\s*(\d{2})(?:[\s-]+0*(\d{1,9})|(\d{5,9}))$")
_LOOK_ALIKES = str.maketrans("АВСЕНІКМОРТХУ", "ABCEHIKMOPTXY")


@dataclass(frozen=True, slots=True)
class Match:
    """One thing the text names: its kind in the journal, its key, the page that shows it, its name."""

    kind: str
    pk: int
    url_name: str
    name: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What the text was taken for: a mark code, a number in its full form, or neither."""

    code: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A series of numbers: how many digits its serial has, what it counts, and what a person may know of it."""

    digits: int
    kind: str
    url_name: str
    everything: Callable[[], QuerySet[Any]]
    known_to: Callable[[User], QuerySet[Any]]


SERIES: dict[str, Series] = {
    "KZ": Series(7, "derivative", "reports:item", Derivative.objects.all, Derivative.objects.visible_to),
    "IN": Series(6, "intake", "registry:intake", Intake.objects.all, Intake.objects.visible_to),
    "HO": Series(6, "handover", "permits:handover", Handover.objects.all, Handover.objects.visible_to),
    "AP": Series(6, "application", "permits:application", Application.objects.all, Application.objects.visible_to),
    "PM": Series(6, "permit", "permits:permit", Permit.objects.all, Permit.objects.visible_to),
    "ST": Series(6, "report", "reports:statement", Statement.objects.all, Statement.objects.visible_to),
}


def understand(text: str, *, own_hosts: Collection[str] = ()) -> Understood:
    """Take the text for a number of ours or for a mark: any case, spaces, look-alike letters, a scanned symbol."""
    text = text.strip()[:LONGEST_TEXT]
    if number := full_number(text):
        return Understood(number=number)
    if not text:
        return Understood()
    return Understood(code=check_text(text, own_hosts=(settings.PUBLIC_HOST, *own_hosts)).code)


def full_number(text: str) -> str:
    """The number as it is kept: “kz26 12345” becomes “KZ26-0012345”; empty if it is not a number of ours."""
    found = _NUMBER.match(text.strip().upper().translate(_LOOK_ALIKES))
    series = SERIES.get(found[1]) if found else None
    if found is None or series is None:
        return ""
    return f"{found[1]}{found[2]}-{int(found[3] or found[4]):0{series.digits}d}"


def find_exactly(text: str) -> list[Match]:
    """The one thing that a number or a mark names, whoever asks; empty if there is none."""
    understood = understand(text)
    if understood.code:
        return _items(Mark.objects.filter(pk=understood.code))
    series = SERIES.get(understood.number[:2])
    return _matches(series, series.everything().filter(number=understood.number)) if series else []


def find_named(user: User, understood: Understood) -> list[Match]:
    """The same among the things that the person may know."""
    if understood.code:
        return _items(Mark.objects.visible_to(user).filter(pk=understood.code))
    series = SERIES.get(understood.number[:2])
    return _matches(series, series.known_to(user).filter(number=understood.number)) if series else []


def find_words(user: User, text: str) -> dict[str, list[Match]]:
    """Things that the person may know and whose number begins so, or whose paper or name says so, by kind."""
    words = text.strip()[:LONGEST_TEXT]
    if len(words) < 2:
        return {}
    start = words.upper().translate(_LOOK_ALIKES)
    found: dict[str, list[Match]] = {}
    for series in SERIES.values():
        wanted = Q(number__startswith=start)
        if series.kind == "intake":
            wanted |= Q(permit__number__istartswith=words) | Q(brigade__name__icontains=words)
            wanted |= Q(case__erdr_number__startswith=words) | Q(case__protocol_number__istartswith=words)
        elif series.kind == "derivative" and start[:2] != "KZ":
            continue
        things = series.known_to(user).filter(wanted).order_by("-pk")[:FOUND_AT_MOST]
        if matches := _matches(series, things):
            found[series.kind] = matches
    return found


def find_stores(user: User, text: str) -> list[CustodyAccount]:
    """Stores that the person may know, by name in any of the three languages or by code."""
    words = text.strip()
    if len(words) < 2:
        return []
    named = Q(code__iexact=words)
    for field in ("name_kk", "name_ru", "name_en"):
        named |= Q(**{f"{field}__icontains": words})
    return list(CustodyAccount.objects.visible_to(user).filter(named)[:FOUND_AT_MOST])


def _items(marks: QuerySet[Mark]) -> list[Match]:
    named = marks.values_list("derivative_id", "derivative__number")
    return [Match("derivative", pk, "reports:item", number) for pk, number in named]


def _matches(series: Series, things: QuerySet[Any]) -> list[Match]:
    named = things.values_list("pk", "number")
    return [Match(series.kind, pk, series.url_name, number) for pk, number in named]
