"""What was refused because it came too often is counted, kept without addresses, and a flood of it is told."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from core.accounts.models import Organisation, User
from core.base.heartbeat import open_redis
from core.notices.models import Notice
from core.notices.services import decide_notice, say
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from marking import refusals
from marking.models import Mark, RefusedAsking
from marking.refusals import note_refusal, read_refusals
from marking.services.refusals import forget_old_refusals, keep_refusals, tell_refusals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    def empty() -> None:
        with open_redis(settings.REDIS_URL) as client:
            for key in client.scan_iter("refused*"):
                client.delete(key)

    empty()
    yield
    empty()


@pytest.mark.usefixtures("one_window")
def test_a_refused_check_is_counted_without_its_address(
    client: Client, marks: list[Mark], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marking.limits.CHECKS", 1)
    for address in ("198.51.100.61", "198.51.100.62"):
        statuses = [client.get(f"/m/{marks[0].pk}", REMOTE_ADDR=address).status_code for _ in range(3)]
        assert statuses == [200, 429, 429]

    keep_refusals(at=timezone.now())
    note_refusal("check", "198.51.100.61")
    keep_refusals(at=timezone.now())

    (kept,) = RefusedAsking.objects.all()
    assert (kept.door, kept.count, kept.visitors) == ("check", 5, 2)
    assert "198.51" not in str(list(RefusedAsking.objects.values()))
    with open_redis(settings.REDIS_URL) as redis:
        assert b"198.51" not in b"".join(redis.dump(key) for key in redis.scan_iter("refused*"))


def test_what_is_kept_is_forgotten_in_redis_once_its_ten_minutes_are_over(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    note_refusal("tip", "198.51.100.63")
    now = timezone.now()

    for at, left in ((now, 1), (now + timedelta(minutes=21), 0)):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            keep_refusals(at=at)
        assert len(read_refusals()) == left
    assert RefusedAsking.objects.get().count == 1


@pytest.mark.django_db(transaction=True)
def test_a_count_that_redis_has_lost_stays_as_it_was_kept() -> None:
    """A crash of Redis loses the last second; of two workers the slower one comes with the older reading."""
    now = timezone.now()
    for number in range(5):
        note_refusal("check", f"198.51.100.{number}")
    keep_refusals(at=now)
    (counted,) = read_refusals()
    window = int(counted.began_at.timestamp()) // refusals.WINDOW_SECONDS
    with open_redis(settings.REDIS_URL) as redis:
        redis.hset(f"refused:{window}", "check", 3)
        redis.delete(f"refused:{window}:check")
        redis.hset(f"refused:{window + 1}", "tip", 2)
        redis.sadd("refused", window + 1)

    for _ in range(2):
        assert keep_refusals(at=now + timedelta(hours=1)) in (2, 0)
    kept = RefusedAsking.objects.order_by("began_at").values_list("door", "count", "visitors")
    assert list(kept) == [("check", 5, 5), ("tip", 2, 0)]
    assert read_refusals() == []


@pytest.mark.django_db(transaction=True)
def test_ten_minutes_that_cannot_be_kept_do_not_undo_those_before() -> None:
    now = timezone.now()
    note_refusal("check", "198.51.100.65")
    window = int(now.timestamp()) // refusals.WINDOW_SECONDS
    with open_redis(settings.REDIS_URL) as redis:
        redis.hset(f"refused:{window + 1}", "tip", 0)
        redis.sadd("refused", window + 1)

    with pytest.raises(DatabaseError):
        keep_refusals(at=now + timedelta(hours=1))
    assert RefusedAsking.objects.get().door == "check"
    assert {one.door for one in read_refusals()} == {"tip"}


def test_the_page_answers_while_redis_is_away(
    client: Client, marks: list[Mark], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marking.limits.CHECKS", 0)
    with monkeypatch.context() as away:
        away.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
        note_refusal("check", "198.51.100.64")
        status = client.get(f"/m/{marks[0].pk}").status_code

    assert status in (200, 429)
    assert read_refusals() == []


def test_a_flood_is_told_once_until_it_is_decided(
    committee: Organisation, authority_officer: User, now: datetime
) -> None:
    most = in_force(RuleCode.CHECK_REFUSED, now.date()).value["checks"]

    def refused(minutes: int, count: int) -> None:
        RefusedAsking.objects.create(began_at=now + timedelta(minutes=minutes), door="check", count=count, visitors=3)

    refused(-200, most)
    refused(-20, most - 1)
    assert tell_refusals(at=now) is None
    refused(-10, 1)
    told = tell_refusals(at=now)
    assert told is not None
    assert (told.organisation, told.params["count"], told.params["visitors"]) == (committee, most, 3)
    assert str(most) in str(say(told.code, told.params))
    assert tell_refusals(at=now) is None
    decide_notice(
        actor=authority_officer,
        at=now,
        notice=told,
        outcome=Notice.Outcome.OTHER,
        decision="A program of a partner",
        reason="The partner has mended its program",
    )
    assert tell_refusals(at=now + timedelta(minutes=1)) is None
    refused(10, most)
    assert tell_refusals(at=now + timedelta(minutes=20)) is not None


def test_the_database_lets_a_count_only_grow(now: datetime) -> None:
    RefusedAsking.objects.create(began_at=now, door="check", count=7, visitors=3)
    RefusedAsking.objects.update(count=8)
    for change in ({"count": 7}, {"door": "tip"}, {"began_at": now - timedelta(hours=1)}, {"count": 0}):
        with pytest.raises(DatabaseError), transaction.atomic():
            RefusedAsking.objects.update(**change)

    assert forget_old_refusals(at=now + timedelta(days=settings.CHECKS_KEPT_DAYS)) == 0
    assert forget_old_refusals(at=now + timedelta(days=settings.CHECKS_KEPT_DAYS, minutes=1)) == 1
