"""Whether the system lives and whether it works, for supervisors, proxies and people."""

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.base.heartbeat import count_alive, open_redis
from core.base.triggers import led_astray, may_look_away


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The web server answers; says nothing about what stands behind it."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, Redis and a worker all work, else 503; each part is named with what ails it."""
    parts = {"database": check_database(), "redis": check_redis(), "worker": check_worker()}
    ready = all(part == "ok" for part in parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


def check_database() -> str:
    """'ok', or why not: no answer, tables that are not of this version, or triggers that can be silenced."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        silenced = may_look_away()
        astray = led_astray()
    except Error:
        return "does not answer"
    if waiting:
        return f"migrations to apply: {len(waiting)}"
    if silenced:
        return "triggers can be told to look away: run migrate"
    return f"functions that a temporary table leads astray: {len(astray)}: run migrate" if astray else "ok"


def check_redis() -> str:
    try:
        with open_redis(settings.REDIS_URL) as client:
            client.ping()
    except redis.RedisError:
        return "does not answer"
    return "ok"


def check_worker() -> str:
    """'ok' when some worker has shown life in the last seconds."""
    try:
        with open_redis(settings.REDIS_URL) as client:
            alive = count_alive(client, "worker")
    except redis.RedisError:
        return "unknown"
    return "ok" if alive else "none is running"
