"""How often something may be asked, counted in Redis, for all servers together."""

import logging
import time
from collections.abc import Mapping
from functools import cache

import redis
from django.conf import settings

from core.base.heartbeat import open_redis

log = logging.getLogger(__name__)

_connection = cache(open_redis)


def allow(key: str, *, limit: int, seconds: int, cost: int = 1, beside: Mapping[str, int] | None = None) -> bool:
    """Count `cost` more uses of `key`; False when it was used more than `limit` times in the present window.

    `beside` names other counts with their limits: False as well when one of them is exceeded; nothing is added there.
    Windows start at whole multiples of `seconds`, so at worst twice the limit passes around a border. Fails open:
    while Redis is away everything is allowed, because a check page must not die with it. One round trip.
    """
    window = int(time.time() // seconds)
    name = f"rate:{key}:{window}"
    try:
        with _connection(settings.REDIS_URL).pipeline(transaction=False) as commands:
            commands.incrby(name, cost)
            commands.expire(name, seconds)
            if beside:
                commands.mget([f"rate:{other}:{window}" for other in beside])
            used, _expires, *others = commands.execute()
    except redis.RedisError:
        log.warning("rate limit of %s not counted", key, exc_info=True)
        return True
    if beside and any(int(one or 0) > most for one, most in zip(others[0], beside.values(), strict=True)):
        return False
    return int(used) <= limit
