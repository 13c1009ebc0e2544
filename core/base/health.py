"""Whether the system lives and whether it works, for supervisors, proxies and people."""

import os
import socket
import time
from collections.abc import Callable

import redis
from celery.signals import heartbeat_sent, worker_shutting_down
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

WORKERS = "health:workers"  # sorted set in Redis: worker's name → moment of its last heartbeat
WORKER_DEAD_AFTER = 8.0  # seconds; a worker's heart beats every two
REDIS_TIMEOUT = 1.0  # seconds


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The web server answers; says nothing about what stands behind it."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, Redis and a worker all work, else 503; each part is named with what ails it."""
    checks: dict[str, Callable[[], str]] = {
        "database": check_database,
        "redis": check_redis,
        "worker": check_worker,
    }
    parts = {name: check() for name, check in checks.items()}
    ready = all(part == "ok" for part in parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


def check_database() -> str:
    """'ok', or why not: it does not answer, or its tables are not those of this version."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return "does not answer"
    return f"{len(waiting)} migrations to apply" if waiting else "ok"


def check_redis() -> str:
    try:
        with open_redis() as client:
            client.ping()
    except redis.RedisError:
        return "does not answer"
    return "ok"


def check_worker() -> str:
    """'ok' when some worker's heart has beaten in the last seconds."""
    try:
        with open_redis() as client:
            alive = client.zcount(WORKERS, time.time() - WORKER_DEAD_AFTER, "+inf")
    except redis.RedisError:
        return "unknown"
    return "ok" if alive else "none is running"


def open_redis() -> redis.Redis:
    """A connection that gives up soon: a health check must not hold a web worker."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT
    )


def note_heartbeat(**_: object) -> None:
    """Called in a Celery worker whenever its heart beats; an unreachable Redis is seen by others."""
    now = time.time()
    try:
        with open_redis() as client:
            client.zadd(WORKERS, {_worker_name(): now})
            client.zremrangebyscore(WORKERS, "-inf", now - WORKER_DEAD_AFTER)
            client.expire(WORKERS, int(WORKER_DEAD_AFTER))
    except redis.RedisError:
        return


def note_end(**_: object) -> None:
    """Called in a Celery worker that takes no more tasks."""
    try:
        with open_redis() as client:
            client.zrem(WORKERS, _worker_name())
    except redis.RedisError:
        return


def watch_worker() -> None:
    """Have Celery's worker in this process tell of its heartbeats."""
    heartbeat_sent.connect(note_heartbeat, dispatch_uid="health.note_heartbeat")
    worker_shutting_down.connect(note_end, dispatch_uid="health.note_end")


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
