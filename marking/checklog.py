"""Checks on their way to the table: from the page to Redis without anybody waiting, from Redis to PostgreSQL in bulk.

A page only puts its check on a list of its own process. A thread of the process sends the list to a stream in Redis
every fraction of a second; a periodic task copies the stream into the table (`marking.services.checks`). Every check
has its own key from the beginning, so whatever is sent twice is kept once. While Redis is away checks wait in the
process, at most WAITING of them, and the page answers as always.
"""

import atexit
import hashlib
import hmac
import json
import logging
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import NamedTuple

import redis
from django.conf import settings

from core.accounts.models import Organisation, User
from core.base.heartbeat import open_redis
from core.base.maps import picture
from marking.selectors import Answer

log = logging.getLogger(__name__)

STREAM = "checks"
WAITING = 20_000
IN_STREAM = 500_000  # parts; the oldest go when nobody has emptied it for days
# Seconds. Often, because a long list in hand holds up the pages of this process.
SEND_EVERY = 0.05
AT_ONCE = 200  # checks in a part

_connection = cache(open_redis)


class Asker(NamedTuple):
    """Who asks, as far as it is kept: "public", or the kind of the organisation, and itself if it is of the State."""

    who: str = "public"
    organisation: int | None = None


class Place(NamedTuple):
    """Roughly where: degrees north and east in tenths, or only the two digits of a region."""

    lat: float | None = None
    lon: float | None = None
    region: str = ""


NOWHERE = Place()
PUBLIC = Asker()


class Entry(NamedTuple):
    """A check as it travels."""

    id: str
    at: float
    code: str
    read_hash: str
    verdict: str
    reasons: list[str]
    is_signed: bool
    is_repeat: bool
    channel: str
    who: str
    organisation: int | None
    lat: float | None
    lon: float | None
    region: str
    visitor: int | None = None  # a part that an earlier version sent has none


class _Waiting(NamedTuple):
    at: float
    text: str
    answer: Answer
    channel: str
    asker: Asker
    place: Place
    is_repeat: bool
    visitor: str


_waiting: deque[_Waiting] = deque()
_unsent: deque[Entry] = deque()
_sending = threading.Lock()
_starting = threading.Lock()
_threads: set[int] = set()  # processes that have a sender: one that was forked has none


def note_check(
    answer: Answer,
    text: str,
    *,
    at: datetime,
    channel: str,
    asker: Asker = PUBLIC,
    place: Place = NOWHERE,
    is_repeat: bool = False,
    visitor: str = "",
) -> None:
    """Have a check kept. Never waits and never fails. `is_repeat`: asked again only to say where.

    `visitor` is the network of who asks; kept of it is what tells two visitors of one mark apart (`tag_of`).
    """
    note_checks(
        [(answer, text)], at=at, channel=channel, asker=asker, place=place, is_repeat=is_repeat, visitor=visitor
    )


def note_checks(
    answers: Iterable[tuple[Answer, str]],
    *,
    at: datetime,
    channel: str,
    asker: Asker = PUBLIC,
    place: Place = NOWHERE,
    is_repeat: bool = False,
    visitor: str = "",
) -> None:
    """Have many checks kept that were asked for at once."""
    if len(_waiting) + len(_unsent) >= WAITING:
        log.warning("checks are not kept: %d wait for Redis", len(_waiting) + len(_unsent))
        return
    moment = at.timestamp()
    _waiting.extend(
        _Waiting(moment, text, answer, channel, asker, place, is_repeat, visitor) for answer, text in answers
    )
    if (process := _process()) not in _threads:
        _start(process)


def send_waiting() -> None:
    """Send to Redis what waits in this process. Raises RedisError; then it waits on."""
    with _sending:
        while _waiting or _unsent:
            while _waiting and len(_unsent) < AT_ONCE:
                _unsent.append(_entry(_waiting.popleft()))
            part = json.dumps(list(_unsent))
            _connection(settings.REDIS_URL).xadd(STREAM, {"checks": part}, maxlen=IN_STREAM, approximate=True)
            _unsent.clear()


def asker_of(user: User) -> Asker:
    """What is kept of a person who is signed in: never who it is."""
    first = min(user.appointments_in_force, key=lambda one: one.pk, default=None)
    if first is None:
        return Asker("none")
    is_state = first.organisation.kind in Organisation.STATE_BODIES
    return Asker(first.organisation.kind, first.organisation_id if is_state else None)


def is_no_place(text: str) -> bool:
    """Whether something was said that is no place; a program should know that it was not understood."""
    text = text.strip()
    place = read_place(text)
    return bool(text) and (place == NOWHERE or place.region not in ("", *region_numbers()))


@cache
def region_numbers() -> frozenset[str]:
    return frozenset(outline.iso.removeprefix("KZ-") for outline in picture().outlines)


def read_place(text: str) -> Place:
    """ "51.23,51.37" rounded to a tenth of a degree, or the two digits of a region; NOWHERE for anything else."""
    text = text.strip()
    if len(text) == 2 and text.isascii() and text.isdigit():
        return Place(region=text)
    north, comma, east = text.partition(",")
    try:
        lat, lon = round(float(north), 1), round(float(east), 1)
    except ValueError:
        return NOWHERE
    return Place(lat, lon) if comma and abs(lat) <= 90 and abs(lon) <= 180 else NOWHERE


def entry_of(
    answer: Answer,
    text: str,
    *,
    at: datetime,
    channel: str,
    asker: Asker = PUBLIC,
    place: Place = NOWHERE,
    is_repeat: bool = False,
    visitor: str = "",
) -> Entry:
    """A check as it would travel, for whoever keeps it at once."""
    return _entry(_Waiting(at.timestamp(), text, answer, channel, asker, place, is_repeat, visitor))


def _entry(one: _Waiting) -> Entry:
    answer = one.answer
    return Entry(
        id=str(uuid.UUID(int=int(one.at * 1000) << 80 | secrets.randbits(80))),
        at=one.at,
        code=answer.code,
        read_hash="" if answer.code else _hash(one.text),
        verdict=answer.verdict.value,
        reasons=[reason.value for reason in answer.reasons],
        is_signed=answer.signed,
        is_repeat=one.is_repeat,
        channel=one.channel,
        who=one.asker.who,
        organisation=one.asker.organisation,
        lat=one.place.lat,
        lon=one.place.lon,
        region=one.place.region,
        visitor=tag_of(one.visitor, answer.code) if one.visitor and answer.code and one.asker == PUBLIC else None,
    )


def tag_of(visitor: str, code: str) -> int:
    """One byte: two that differ are two visitors of this mark, two that are alike may be.

    Sixteen million addresses share each, and the tags of one visitor for two marks have nothing in common: it names
    nobody and follows nobody.
    """
    return hmac.digest(_hash_key(settings.SECRET_KEY), f"visitor\0{code}\0{visitor}".encode(), "sha256")[0]


def read_part(kept: bytes) -> list[Entry]:
    """The checks of one part of the stream. ValueError for what is none."""
    try:
        return [Entry(*one) for one in json.loads(kept)]
    except TypeError as error:
        raise ValueError("no checks") from error


def moment_of(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.at, UTC)


def _hash(text: str) -> str:
    """Tells the same text from another, and nobody what it was."""
    return hmac.digest(_hash_key(settings.SECRET_KEY), text.strip().encode(), "sha256")[:8].hex()


@lru_cache(maxsize=1)
def _hash_key(secret: str) -> bytes:
    return hashlib.sha256(b"marking: what was read\0" + secret.encode()).digest()


def _process() -> int:
    return threading.main_thread().native_id or 0


def _start(process: int) -> None:
    with _starting:
        if process not in _threads:
            _threads.add(process)
            threading.Thread(target=_send_for_ever, name="checks", daemon=True).start()


def _send_for_ever() -> None:
    while True:
        time.sleep(SEND_EVERY)
        if _waiting or _unsent:
            _try_to_send()


def _try_to_send() -> None:
    try:
        send_waiting()
    except redis.RedisError:
        log.warning("%d checks wait for Redis", len(_waiting) + len(_unsent), exc_info=True)
        time.sleep(1)


atexit.register(lambda: _try_to_send() if _waiting or _unsent else None)
