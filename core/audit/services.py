"""Writing the journal."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from django_stubs_ext import StrOrPromise

from core.audit.models import Event


class Actor(Protocol):
    """Whoever acts: a person known by key and name."""

    pk: int

    @property
    def full_name(self) -> str: ...


VERBS: dict[str, StrOrPromise] = {}
FACTS: dict[str, tuple[StrOrPromise, Callable[[Any], str]]] = {}
OLD_WORDS: dict[tuple[str, str], dict[str, StrOrPromise]] = {}


def register_verbs(labels: dict[str, StrOrPromise]) -> None:
    """Give the human words for a room's verbs; called once by each app as it starts.

    A verb of another room is a defect: ValueError.
    """
    taken = VERBS.keys() & labels.keys()
    if any(VERBS[verb] != labels[verb] for verb in taken):
        raise ValueError(sorted(taken))
    VERBS.update(labels)


def register_facts(words: dict[str, tuple[StrOrPromise, Callable[[Any], str]]]) -> None:
    """Have facts of these names told to readers of the journal: what the fact is called, and how its value is said."""
    FACTS.update(words)


def register_old_words(words: dict[str, StrOrPromise], *, facts: Iterable[tuple[str, str]]) -> None:
    """Words of programs and of one language that earlier versions wrote into these facts, each named by the verb of its
    events and its key, with what readers are told. What a person wrote into any other fact is told as it was written.
    """
    for fact in facts:
        OLD_WORDS.setdefault(fact, {}).update(words)


def record(
    verb: str,
    *,
    actor: Actor | None,
    at: datetime,
    subject: tuple[str, object],
    subject_name: str = "",
    organisation_id: int | None = None,
    **facts: object,
) -> Event:
    """Write one event; the caller's transaction carries it, so the act and its proof live or die together.

    `actor` None means the system itself. `facts` hold JSON values. A verb nobody registered is a defect: KeyError.
    """
    _require(verb)
    told = Told(subject, organisation_id, facts, subject_name)
    return Event.objects.create(**_row(verb, actor, at, told))


@dataclass(frozen=True, slots=True)
class Told:
    """What one of several events of an act is about, and its facts."""

    subject: tuple[str, object]
    organisation_id: int | None
    facts: dict[str, object]
    subject_name: str = ""


def record_many(verb: str, told: Iterable[Told], *, actor: Actor | None, at: datetime) -> None:
    """Write an event for each subject of one act, as `record` does, in one statement."""
    _require(verb)
    Event.objects.bulk_create(Event(**_row(verb, actor, at, one)) for one in told)


def _require(verb: str) -> None:
    if verb not in VERBS:
        raise KeyError(verb)
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event is written in the transaction of its act")


def _row(verb: str, actor: Actor | None, at: datetime, told: Told) -> dict[str, Any]:
    return {
        "verb": verb,
        "at": at,
        "actor_id": actor.pk if actor else None,
        "actor_name": actor.full_name if actor else "",
        "organisation_id": told.organisation_id,
        "subject_kind": told.subject[0],
        "subject_id": str(told.subject[1]),
        "subject_name": told.subject_name,
        "facts": told.facts,
    }
