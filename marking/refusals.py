"""Questions that were refused because they came too often: how many in ten minutes, at which door, to how many.

Counted in Redis, where a visitor leaves nothing but a trace in a HyperLogLog: nobody reads an address out of it.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import redis
from django.conf import settings

from core.base.heartbeat import open_redis

log = logging.getLogger(__name__)

WINDOW_SECONDS = 600
_WINDOWS = "refused"
_KEPT_SECONDS = 2 * 24 * 3600
_connection = cache(open_redis)


@dataclass(frozen=True, slots=True)
class Refused:
    """So many refusals at a door in the ten minutes that began then, of about so many visitors."""

    began_at: datetime
    door: str
    count: int
    visitors: int


def note_refusal(door: str, visitor: str) -> None:
    """Count a refusal. Never fails; one round trip, which only the refused wait for."""
    window = int(time.time() // WINDOW_SECONDS)
    counts, who = f"{_WINDOWS}:{window}", f"{_WINDOWS}:{window}:{door}"
    try:
        with _connection(settings.REDIS_URL).pipeline(transaction=False) as commands:
            commands.sadd(_WINDOWS, window)
            commands.hincrby(counts, door, 1)
            commands.pfadd(who, visitor)
            commands.expire(counts, _KEPT_SECONDS)
            commands.expire(who, _KEPT_SECONDS)
            commands.execute()
    except redis.RedisError:
        log.warning("a refusal at %s is not counted", door, exc_info=True)


def read_windows() -> Iterator[tuple[datetime, list[Refused]]]:
    """Ten minutes by ten minutes what is counted and not forgotten yet, the present ones as far as they have come."""
    with open_redis(settings.REDIS_URL) as client:
        for window in sorted(int(one) for one in client.smembers(_WINDOWS)):
            began_at = datetime.fromtimestamp(window * WINDOW_SECONDS, UTC)
            found = []
            for door, count in client.hgetall(f"{_WINDOWS}:{window}").items():
                visitors = client.pfcount(f"{_WINDOWS}:{window}:{door.decode()}")
                found.append(Refused(began_at, door.decode(), int(count), int(visitors)))
            yield began_at, found


def read_refusals() -> list[Refused]:
    """Everything that is counted and not forgotten yet."""
    return [one for _began_at, found in read_windows() for one in found]


def forget_window(began_at: datetime) -> None:
    """Forget these ten minutes: they are kept elsewhere."""
    window = int(began_at.timestamp()) // WINDOW_SECONDS
    with open_redis(settings.REDIS_URL) as client:
        doors = client.hkeys(f"{_WINDOWS}:{window}")
        client.delete(f"{_WINDOWS}:{window}", *(f"{_WINDOWS}:{window}:{door.decode()}" for door in doors))
        client.srem(_WINDOWS, window)
