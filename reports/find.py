"""Understanding what a person typed, scanned or pasted: a mark, a number of ours, or words."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.accounts.subjects import SUBJECTS, by_prefix, page_of
from ledger.models import CustodyAccount
from marking.carriers import find_carriers
from marking.models import Carrier, Mark
from marking.selectors import check_text
from registry.models import Case

SHORTEST_WORDS = 2
LONGEST_TEXT = 400
FOUND_AT_MOST = 20

_NUMBER = re.compile(r"^([A-Z]{2})\s*(\d{2})(?:[\s-]+0*(\d{1,9})|(\d{5,9}))$")
_LOOK_ALIKES = str.maketrans("АВСЕНІКМОРТХУ", "ABCEHIKMOPTXY")


@dataclass(frozen=True, slots=True)
class Match:
    """One thing the text names: its kind in the journal, its key, its name."""

    kind: str
    pk: int
    name: str

    @property
    def url(self) -> str:
        return page_of(self.kind, self.pk)


@dataclass(frozen=True, slots=True)
class Understood:
    """What the text was taken for: a mark code, a number in its full form, or neither; and what else an item may
    carry that it may name.
    """

    code: str = ""
    number: str = ""
    carriers: str = ""


def understand(text: str, *, own_hosts: Collection[str] = ()) -> Understood:
    """Take the text for a number of ours or for a mark: any case, spaces, look-alike letters, a scanned symbol."""
    text = text.strip()[:LONGEST_TEXT]
    if number := full_number(text):
        return Understood(number=number)
    if not text:
        return Understood()
    code = check_text(text, own_hosts=(settings.PUBLIC_HOST, *own_hosts)).code
    return Understood(code=code, carriers=text)


def full_number(text: str) -> str:
    """The number as it is kept: “kz26 12345” becomes “KZ26-0012345”; empty if it is not a number of ours."""
    found = _NUMBER.match(text.strip().upper().translate(_LOOK_ALIKES))
    kind = by_prefix().get(found[1]) if found else None
    if found is None or kind is None:
        return ""
    digits = SUBJECTS[kind].digits
    return f"{found[1]}{found[2]}-{int(found[3] or found[4]):0{digits}d}"


def find_exactly(text: str) -> list[Match]:
    """The one thing that a number or a mark names, whoever asks; empty if there is none."""
    understood = understand(text)
    if understood.code:
        return _items(Mark.objects.filter(pk=understood.code))
    kind = by_prefix().get(understood.number[:2], "")
    everything = SUBJECTS[kind].everything if kind else None
    return _numbered(kind, everything().filter(number=understood.number)) if everything else []


def find_named(user: User, understood: Understood) -> list[Match]:
    """The same among the things that the person may know."""
    if understood.code and (items := _items(Mark.objects.visible_to(user).filter(pk=understood.code))):
        return items
    if understood.carriers:
        known = find_carriers(Carrier.objects.visible_to(user).bound(), understood.carriers)
        named = known.values_list("derivative_id", "derivative__number").distinct()
        return [Match("derivative", pk, number) for pk, number in named]
    kind = by_prefix().get(understood.number[:2], "")
    known_to = SUBJECTS[kind].known_to if kind else None
    return _numbered(kind, known_to(user).filter(number=understood.number)) if known_to else []


def find_words(user: User, text: str) -> dict[str, list[Match]]:
    """Things that the person may know and whose number begins so, or whose paper or name says so, by kind."""
    words = text.strip()[:LONGEST_TEXT]
    if len(words) < SHORTEST_WORDS:
        return {}
    start = words.upper().translate(_LOOK_ALIKES)
    found: dict[str, list[Match]] = {}
    for prefix, kind in by_prefix().items():
        known_to = SUBJECTS[kind].known_to
        if known_to is None or (kind == "derivative" and not start.startswith(prefix)):
            continue
        wanted = Q(number__startswith=start)
        if kind == "intake":
            wanted |= Q(permit__number__istartswith=words) | Q(brigade__name__icontains=words)
        found[kind] = _numbered(kind, known_to(user).filter(wanted).order_by("-pk")[:FOUND_AT_MOST])
    cases = Case.objects.visible_to(user).filter(
        Q(erdr_number__startswith=words) | Q(protocol_number__istartswith=words)
    )
    found["case"] = [Match("case", case.pk, case.erdr_number) for case in cases[:FOUND_AT_MOST]]
    if user.can(Can.MANAGE_PEOPLE):
        people = User.objects.filter(Q(last_name__istartswith=words) | Q(username__iexact=words))
        found["user"] = [Match("user", person.pk, person.full_name) for person in people[:FOUND_AT_MOST]]
        bodies = Organisation.objects.filter(Q(bin=words) | _named(words))
        found["organisation"] = [Match("organisation", body.pk, body.name) for body in bodies[:FOUND_AT_MOST]]
    return {kind: matches for kind, matches in found.items() if matches}


def find_stores(user: User, text: str) -> list[CustodyAccount]:
    """Stores whose stock the person may know, by name in any of the three languages or by code."""
    words = text.strip()
    if len(words) < SHORTEST_WORDS or not user.can(Can.SEE_STOCK):
        return []
    stores = CustodyAccount.objects.visible_to(user)
    return list(stores.filter(Q(code__iexact=words) | _named(words))[:FOUND_AT_MOST])


def _named(words: str) -> Q:
    return Q(name_kk__icontains=words) | Q(name_ru__icontains=words) | Q(name_en__icontains=words)


def _items(marks: QuerySet[Mark]) -> list[Match]:
    named = marks.values_list("derivative_id", "derivative__number")
    return [Match("derivative", pk, number) for pk, number in named]


def _numbered(kind: str, things: QuerySet[Any]) -> list[Match]:
    return [Match(kind, pk, number) for pk, number in things.values_list("pk", "number")]
