"""Two scans at once. Each race has a twin that shows what its guard is for."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import IntegrityError

from core.accounts.models import User
from core.base.errors import DomainError
from core.notices.models import Notice
from marking.models import Carrier, Mark
from marking.services.carriers import Pair, approve_end, ask_end, bind_carrier, read_carrier
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

CODE = "010487000000001221RACE\x1d91EE06\x1d92dGVzdA=="


def test_one_code_scanned_at_two_items_is_on_one_and_alarms(marks: list[Mark], inspector: User, now: datetime) -> None:
    raw = read_carrier("state_code", CODE)

    def bind(mark: Mark) -> Callable[[], Pair]:
        return lambda: bind_carrier(actor=inspector, at=now, mark=mark, raw=raw)

    pairs = at_once(*[bind(mark) for mark in marks[:4]])

    assert sum(pair.carrier is not None for pair in pairs) == 1
    assert sum(pair.alarm is not None for pair in pairs) == 3
    assert Carrier.objects.bound().count() == 1
    assert Notice.objects.filter(code="carrier.on_another_item").count() == 3


def test_one_seal_written_in_four_ways_is_on_one_item_and_alarms(
    marks: list[Mark], inspector: User, now: datetime
) -> None:
    def bind(mark: Mark, text: str) -> Callable[[], Pair]:
        raw = read_carrier("seal", text)
        return lambda: bind_carrier(actor=inspector, at=now, mark=mark, raw=raw)

    ways = ("K555-001", "K555001", "k555/001", "K555.001")
    pairs = at_once(*[bind(mark, text) for mark, text in zip(marks, ways, strict=False)])

    assert sum(pair.carrier is not None for pair in pairs) == 1
    assert sum(pair.alarm is not None for pair in pairs) == 3
    assert Carrier.objects.bound().count() == 1


def test_two_codes_scanned_at_one_item_leave_one_and_an_alarm(
    marks: list[Mark], inspector: User, now: datetime
) -> None:
    def bind(serial: str) -> Callable[[], Pair]:
        raw = read_carrier("state_code", CODE.replace("RACE", serial))
        return lambda: bind_carrier(actor=inspector, at=now, mark=marks[0], raw=raw)

    pairs = at_once(bind("A"), bind("B"))

    assert sum(pair.carrier is not None for pair in pairs) == 1
    assert Carrier.objects.bound().count() == 1


def test_without_the_second_look_one_of_two_scans_would_fail(
    marks: list[Mark], inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = read_carrier("state_code", CODE)
    monkeypatch.setattr("marking.services.carriers.mismatch_of", lambda *_given: None)

    def bind(mark: Mark) -> Callable[[], Pair]:
        return lambda: bind_carrier(actor=inspector, at=now, mark=mark, raw=raw)

    results = at_once(bind(marks[0]), bind(marks[1]))

    assert [type(result) for result in results].count(IntegrityError) == 1
    assert Carrier.objects.count() == 1


def test_two_who_take_one_off_at_once_do_it_once(
    marks: list[Mark], inspector: User, authority_officer: User, authority_head: User, now: datetime
) -> None:
    raw = read_carrier("state_code", CODE)
    carrier = bind_carrier(actor=inspector, at=now, mark=marks[0], raw=raw).carrier
    assert carrier is not None
    ask_end(actor=inspector, at=now, carrier=carrier, reason="Torn off by the wind")

    def approve(person: User) -> Callable[[], Pair]:
        return lambda: approve_end(actor=person, at=now, carrier=Carrier.objects.get(pk=carrier.pk))

    results = at_once(approve(authority_officer), approve(authority_head))

    assert len(winners(results)) == 1
    assert all(isinstance(result, DomainError | Pair) for result in results)


def test_two_who_ask_at_once_ask_once(marks: list[Mark], inspector: User, storekeeper: User, now: datetime) -> None:
    carrier = bind_carrier(actor=inspector, at=now, mark=marks[0], raw=read_carrier("seal", "A-0001")).carrier
    assert carrier is not None

    def ask(person: User) -> Callable[[], Carrier]:
        return lambda: ask_end(
            actor=person, at=now, carrier=Carrier.objects.get(pk=carrier.pk), reason="Broken on the way"
        )

    assert len(winners(at_once(ask(inspector), ask(storekeeper)))) == 1
    assert Notice.objects.filter(code="carrier.end_waits").count() == 1
