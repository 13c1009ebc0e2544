"""Hearts of the background processes, kept in Redis: who beats is alive.

    python -m core.base.heartbeat worker     exit status 0 when this machine's worker lives; likewise: beat

Knows no Django, so that a container's health check costs little; REDIS_URL comes from the environment.
"""

import os
import socket
import sys
import time
from collections.abc import Callable

import redis
from celery.signals import beat_init, before_task_publish, heartbeat_sent, worker_shutting_down

DEAD_AFTER = {"worker": 15.0, "beat": 60.0}  # seconds; a worker beats every two, beat whenever it sends a task
TIMEOUT = 1.0  # seconds; a health check must not hold a web worker


def open_redis(url: str) -> redis.Redis:
    """A connection that gives up soon."""
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)


def count_alive(client: redis.Redis, role: str) -> int:
    """How many processes of this role have shown life lately."""
    return int(client.zcount(_key(role), time.time() - DEAD_AFTER[role], "+inf"))


def watch_celery(url: Callable[[], str]) -> None:
    """Have Celery's worker or beat in this process show its life from now on."""

    def worker_beats(**_: object) -> None:
        _show_life(url(), "worker")

    def worker_ends(**_: object) -> None:
        _forget(url(), "worker")

    def beat_starts(**_: object) -> None:
        _show_life(url(), "beat")
        before_task_publish.connect(beat_sends, weak=False)

    def beat_sends(**_: object) -> None:
        _show_life(url(), "beat")

    heartbeat_sent.connect(worker_beats, weak=False)
    worker_shutting_down.connect(worker_ends, weak=False)
    beat_init.connect(beat_starts, weak=False)


def main() -> int:
    role = sys.argv[1]
    oldest = time.time() - DEAD_AFTER[role]
    try:
        with open_redis(os.environ["REDIS_URL"]) as client:
            alive = client.zrangebyscore(_key(role), oldest, "+inf")
    except redis.RedisError as error:
        print(error)
        return 1
    return 0 if any(name.decode().startswith(f"{socket.gethostname()}:") for name in alive) else 1


def _show_life(url: str, role: str) -> None:
    """A Redis that is away is found out by others."""
    now = time.time()
    try:
        with open_redis(url) as client:
            client.zadd(_key(role), {_name(): now})
            client.zremrangebyscore(_key(role), "-inf", now - DEAD_AFTER[role])
    except redis.RedisError:
        return


def _forget(url: str, role: str) -> None:
    try:
        with open_redis(url) as client:
            client.zrem(_key(role), _name())
    except redis.RedisError:
        return


def _key(role: str) -> str:
    return f"heartbeat:{role}"


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


if __name__ == "__main__":
    sys.exit(main())
