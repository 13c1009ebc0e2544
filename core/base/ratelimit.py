"""How often something may be asked, counted in Redis, for all servers together."""

import logging
import time
from functools import cache

import redis
from django.conf import settings

from core.base.heartbeat import open_redis

log = logging.getLogger(__name__)

_connection = cache(open_redis)


def allow(key: str, *, limit: int, seconds: int, cost: int = 1) -> bool:
    """Count `cost` more uses of `key`; False when it was used more than `limit` times in the present window.

    Windows start at whole multiples of `seconds`, so at worst twice the limit passes around a border. Fails open:
    while Redis is away everything is allowed, because a check page must not die with it. One round trip.
    """
    name = f"rate:{key}:{int(time.time() // seconds)}"
    try:
        with _connection(settings.REDIS_URL).pipeline(transaction=False) as commands:
            commands.incrby(name, cost)
            commands.expire(name, seconds)
            used: int = commands.execute()[0]
    except redis.RedisError:
        log.warning("rate limit of %s not counted", key, exc_info=True)
        return True
    return used <= limit
