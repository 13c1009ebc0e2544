"""What the registry speaks of: each kind of subject with its name, its page, who may know one and add files to it.

Every room gives its own kinds as it starts (`AppConfig.ready`). Files, alerts, the journal and the search ask here, so
that no lower room needs to know an upper one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse
from django_stubs_ext import StrOrPromise

from core.accounts.models import User

KnownTo = Callable[[User], QuerySet[Any]]
Asked = Callable[[User, str], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said to have been: degrees north and east, and the words for it."""

    lat: float
    lon: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind. `page` shows one of them to those who may `see` it; numbers are `prefix`YY-serial.

    `known_to` names all that a person may know, for lists; `page_key` is the field that the page is asked by.
    """

    label: StrOrPromise
    page: str = ""
    known_to: KnownTo | None = None
    everything: Callable[[], QuerySet[Any]] | None = None
    prefix: str = ""
    digits: int = 6
    page_key: str = "pk"
    see: Asked | None = None
    add: Asked | None = None
    place: Callable[[str], Place | None] | None = None
    keeps: Callable[[str], datetime | None] | None = None
    hold: Callable[[str], None] | None = None


SUBJECTS: dict[str, Subject] = {}


def register_subject(
    kind: str,
    *,
    label: StrOrPromise = "",
    url_name: str = "",
    known_to: KnownTo | None = None,
    see: Asked | None = None,
    add: Asked | None = None,
    place: Callable[[str], Place | None] | None = None,
    keeps: Callable[[str], datetime | None] | None = None,
    hold: Callable[[str], None] | None = None,
    everything: Callable[[], QuerySet[Any]] | None = None,
    prefix: str = "",
    digits: int = 6,
    page_key: str = "pk",
) -> None:
    """Make a kind of subject known. Keys come as text; without `see`, whoever has it in `known_to` may see it.

    Nobody adds files to it where `add` is not given; whoever adds must also see it. `keeps` says since when one is
    signed or closed: files that it had then are part of it, and none of them is withdrawn any more. `hold` shares its
    row until the end of the transaction, so that it is not signed or closed while a file comes or goes.
    """
    SUBJECTS[kind] = Subject(
        label=label or kind,
        page=url_name,
        known_to=known_to,
        everything=everything,
        prefix=prefix,
        digits=digits,
        page_key=page_key,
        see=see,
        add=add,
        place=place,
        keeps=keeps,
        hold=hold,
    )


def may_see(user: User, kind: str, key: object) -> bool:
    """Whether the person may know this one; no for a kind or a key that is none."""
    subject = SUBJECTS.get(kind)
    if subject is None:
        return False
    if subject.see is not None:
        return subject.see(user, str(key))
    if subject.known_to is None:
        return False
    known = subject.known_to(user)
    keys = _keys_of(known, [str(key)])
    return bool(keys) and known.filter(pk__in=keys).exists()


def may_add(user: User, kind: str, key: object) -> bool:
    """Whether the person may add files to this one."""
    subject = SUBJECTS.get(kind)
    return subject is not None and subject.add is not None and may_see(user, kind, key) and subject.add(user, str(key))


def kept_since(kind: str, key: object) -> datetime | None:
    """Since when this one is signed or closed; the files that it had then are not withdrawn any more."""
    subject = SUBJECTS.get(kind)
    return subject.keeps(str(key)) if subject is not None and subject.keeps is not None else None


def hold_still(kind: str, key: object) -> None:
    """Have nobody sign or close this one until the end of the transaction; nothing for a kind that is never closed."""
    subject = SUBJECTS.get(kind)
    if subject is not None and subject.hold is not None:
        subject.hold(str(key))


def place_of(kind: str, key: object) -> Place | None:
    """Where this one is said to have been, if that is known."""
    subject = SUBJECTS.get(kind)
    return subject.place(str(key)) if subject is not None and subject.place is not None else None


def page_of(kind: str, key: object) -> str:
    """The address of its page, without asking who may open it; nothing where it has none."""
    subject = SUBJECTS.get(kind)
    return reverse(subject.page, args=[key]) if subject is not None and subject.page else ""


def label_of(kind: str) -> StrOrPromise:
    """What this kind is called."""
    return SUBJECTS[kind].label if kind in SUBJECTS else kind


def by_prefix() -> dict[str, str]:
    """The kinds that have numbers, by the letters these begin with."""
    return {subject.prefix: kind for kind, subject in SUBJECTS.items() if subject.prefix}


def pages_of(reader: User, subjects: Iterable[tuple[str, object]]) -> dict[tuple[str, str], str]:
    """The page of each subject that has one which the reader may open.

    One query for each kind among the subjects, whatever their number.
    """
    keys: dict[str, set[str]] = {}
    for kind, key in subjects:
        keys.setdefault(kind, set()).add(str(key))
    pages: dict[tuple[str, str], str] = {}
    for kind, wanted in keys.items():
        subject = SUBJECTS.get(kind)
        if subject is None or not subject.page:
            continue
        if subject.known_to is None:
            seen = [(key, key) for key in sorted(wanted) if may_see(reader, kind, key)]
        else:
            known = subject.known_to(reader)
            seen = list(known.filter(pk__in=_keys_of(known, wanted)).values_list("pk", subject.page_key))
        for pk, key in seen:
            pages[kind, str(pk)] = reverse(subject.page, args=[key])
    return pages


def _keys_of(known: QuerySet[Any], texts: Iterable[str]) -> list[Any]:
    """The texts that can be keys of these things at all."""
    field = known.model._meta.pk
    found = []
    for text in texts:
        try:
            found.append(field.to_python(text))
        except (ValidationError, ValueError, OverflowError):
            continue
    # Past the largest key of the database nothing is, and asking for it would be an error.
    return [key for key in found if not isinstance(key, int) or 0 <= key < 2**63]
