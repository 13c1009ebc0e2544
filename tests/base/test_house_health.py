import time
from collections.abc import Callable
from io import StringIO

import pytest
import redis
from celery.signals import heartbeat_sent, worker_shutting_down
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client, RequestFactory, override_settings

from core.base import health
from core.base.heartbeat import DEAD_AFTER, count_alive, open_redis
from core.base.proxies import ClientAddressMiddleware
from core.base.triggers import led_astray

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def hearts() -> redis.Redis:
    client = open_redis(settings.REDIS_URL)
    client.delete("heartbeat:worker", "heartbeat:beat")
    return client


def test_it_is_alive_without_asking_anything(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_it_is_ready_when_every_part_works(client: Client, hearts: redis.Redis) -> None:
    heartbeat_sent.send(sender=None)

    answer = client.get("/readyz")

    assert answer.json() == {"status": "ready", "database": "ok", "redis": "ok", "worker": "ok"}
    assert answer.status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_without_a_worker(client: Client, hearts: redis.Redis) -> None:
    heartbeat_sent.send(sender=None)
    worker_shutting_down.send(sender=None)

    answer = client.get("/readyz")

    assert answer.json() == {
        "status": "not ready",
        "database": "ok",
        "redis": "ok",
        "worker": "none is running",
    }
    assert answer.status_code == 503


@pytest.mark.django_db
def test_it_is_not_ready_without_redis(client: Client) -> None:
    with override_settings(REDIS_URL=NOBODY):
        answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["redis"] == "does not answer"
    assert answer.json()["worker"] == "unknown"


@pytest.mark.django_db
def test_it_is_not_ready_with_tables_of_an_older_version(client: Client, hearts: redis.Redis) -> None:
    heartbeat_sent.send(sender=None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["database"] == "migrations to apply: 1"


@pytest.mark.django_db
def test_it_is_not_ready_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = connection.copy()
    lost.settings_dict = lost.settings_dict | {"HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {}}
    monkeypatch.setattr(health, "connection", lost)

    assert health.check_database() == "does not answer"


def test_a_heart_that_has_stopped_is_not_counted(hearts: redis.Redis) -> None:
    now = time.time()
    hearts.zadd("heartbeat:worker", {"here:1": now, "there:2": now - DEAD_AFTER["worker"] - 1})

    assert count_alive(hearts, "worker") == 1


@pytest.mark.parametrize(
    ("count", "header", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "203.0.113.7, 10.0.0.9", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "", "10.0.0.1"),
    ],
)
def test_only_our_own_proxies_say_who_the_visitor_is(count: int, header: str, expected: str) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header}, REMOTE_ADDR="10.0.0.1")

    with override_settings(TRUSTED_PROXY_COUNT=count):
        ClientAddressMiddleware(lambda request: health.healthz(request))(request)

    assert request.META["REMOTE_ADDR"] == expected


@pytest.mark.django_db
def test_triggers_that_can_be_silenced_are_told_until_migrate_has_run(client: Client) -> None:
    call_command("pgtrigger", "install", "accounts.Appointment:two_who_give_roles_remain")
    assert "look away" in client.get("/readyz").json()["database"]

    with pytest.raises(CommandError):
        call_command("migrate", "accounts", "9999", verbosity=0)

    assert client.get("/readyz").json()["database"] == "ok"


@pytest.mark.django_db
def test_functions_that_a_temporary_table_leads_astray_are_told_until_migrate_has_run(client: Client) -> None:
    assert led_astray() == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER FUNCTION accounts_in_one_hand(bigint, bigint, timestamptz) RESET search_path")
        cursor.execute("CREATE FUNCTION another() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    assert "astray: 2" in client.get("/readyz").json()["database"]

    call_command("migrate", "rules", verbosity=0)

    assert client.get("/readyz").json()["database"] == "ok"


@pytest.mark.django_db
def test_what_failed_in_migrate_is_what_it_says() -> None:
    """Not what failed afterwards, as all does where the database has gone."""
    told = StringIO()

    def gone(execute: Callable[..., object], statement: str, *rest: object) -> object:
        if "pg_proc" in statement:
            raise OperationalError("the database has gone")
        return execute(statement, *rest)

    with connection.execute_wrapper(gone), pytest.raises(CommandError, match="9999"):
        call_command("migrate", "accounts", "9999", verbosity=0, stderr=told)

    assert "the database has gone" in told.getvalue()
