"""Several at once: a hidden code is used by one, a check is kept once, a copy is told once."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from core.accounts.models import Organisation, User
from core.base.heartbeat import open_redis
from core.notices.models import Notice
from marking.checklog import STREAM, Entry, note_check, send_waiting
from marking.models import Check, CopyAlert, Mark, OnceCode
from marking.selectors import check_text
from marking.services import checks
from marking.services.checks import keep_checks
from marking.services.copies import find_copies
from marking.services.once import Redeemed, Redemption, make_once_codes, once_texts, redeem_once
from tests.marking.test_checks import _empty_stream  # noqa: F401  every test begins with an empty stream
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_one_hidden_code_opened_by_many_has_one_first_owner(marks: list[Mark], inspector: User, now: datetime) -> None:
    code = marks[0].code
    make_once_codes(actor=inspector, at=now, codes=[code], subject=("label_run", 1))
    text = once_texts([code])[code]

    results: list[Redemption] = at_once(*[lambda: redeem_once(at=timezone.now(), code=code, text=text)] * 6)

    outcomes = [result.outcome for result in results]
    assert sorted(outcomes) == [Redeemed.FIRST] + [Redeemed.USED] * 5
    assert len({result.used_at for result in results}) == 1


def test_without_the_condition_of_the_update_several_would_be_first(
    marks: list[Mark], inspector: User, now: datetime
) -> None:
    code = marks[0].code
    make_once_codes(actor=inspector, at=now, codes=[code], subject=("label_run", 1))
    told: list[bool] = []

    def read_then_write() -> None:
        is_first = OnceCode.objects.get(pk=code).used_at is None
        told.append(is_first)
        while len(told) < 2:
            pass
        if is_first:
            OnceCode.objects.filter(pk=code).update(used_at=timezone.now())

    results = at_once(read_then_write, read_then_write)

    # Both are told that they are the first; only the trigger of the table keeps the second from being written.
    assert told == [True, True]
    assert sum(isinstance(result, DatabaseError) for result in results) == 1


@pytest.fixture
def streamed(marks: list[Mark]) -> int:
    answer = check_text(marks[0].code, own_hosts=())
    for _ in range(300):
        note_check(answer, "", at=timezone.now(), channel="web")
        send_waiting()
    return 300


def test_checks_taken_in_by_several_are_kept_once(streamed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "AT_ONCE", 70)

    results = at_once(*[keep_checks] * 4)

    assert winners(results) == results
    assert sum(results) == Check.objects.count() == streamed
    with open_redis(settings.REDIS_URL) as client:
        assert client.xlen(STREAM) == 0


def test_without_keys_of_their_own_they_would_be_kept_twice(streamed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read = checks.read_part

    def read_anew(kept: bytes) -> list[Entry]:
        return [one._replace(id=str(uuid.uuid4())) for one in read(kept)]

    monkeypatch.setattr(checks, "read_part", read_anew)
    with open_redis(settings.REDIS_URL) as client:
        entries: Any = client.xrange(STREAM)
    fields = [one for _key, one in entries]

    results = at_once(*[lambda: checks.keep_entries(list(checks._readable(fields)))] * 2)

    assert results == [streamed, streamed]


def test_two_looks_at_once_tell_a_copy_once(marks: list[Mark], committee: Organisation, now: datetime) -> None:
    Check.objects.create(
        at=now,
        code=marks[0].code,
        verdict="genuine_but",
        reasons=["blank"],
        channel="web",
        who="public",
        is_signed=True,
    )
    look: Callable[[], object] = lambda: find_copies(at=now)  # noqa: E731

    results = at_once(look, look, look)

    assert winners(results) == results
    assert CopyAlert.objects.count() == Notice.objects.filter(code="copy.blank").count() == 1
