"""Checks of no mark: what they say to the authority, and that they say nothing of any mark."""

import hashlib
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.notices.models import Notice
from core.notices.services import decide_notice, table_of_codes
from marking.codes import from_number, group
from marking.models import Check, CopyAlert, Mark
from marking.selectors import check_text
from marking.services import alarms
from marking.services.copies import find_copies
from marking.services.snapshots import make_edition
from marking.snapshots import head_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("committee")]

Ask = Callable[..., None]


@pytest.fixture
def ask(now: datetime) -> Ask:
    """So many checks with this verdict, one a second from so many minutes after now."""
    numbers = itertools.count(7 << 40)

    def checked(count: int, verdict: str, minutes: float = 0, *, code: str = "", regions: tuple[str, ...] = ()) -> None:
        Check.objects.bulk_create(
            Check(
                at=now + timedelta(minutes=minutes, seconds=second),
                code=code or from_number(next(numbers)),
                verdict=verdict,
                channel="web",
                who="public",
                regions=list(regions),
            )
            for second in range(count)
        )

    return checked


@pytest.fixture
def look(now: datetime) -> Callable[[], list[str]]:
    def codes() -> list[str]:
        before = set(Notice.objects.values_list("pk", flat=True))
        find_copies(at=now + timedelta(days=1))
        return sorted(Notice.objects.exclude(pk__in=before).values_list("code", flat=True))

    return codes


def decide(code: str, officer: User, at: datetime) -> None:
    decide_notice(
        actor=officer,
        at=at,
        notice=Notice.objects.get(code=code),
        outcome="other",
        decision="Told the operator of the network",
        reason="The addresses were blocked by their operator",
    )


def test_many_codes_nobody_issued_are_told_once_until_it_is_decided(
    ask: Ask, look: Callable[[], list[str]], authority_officer: User, now: datetime
) -> None:
    ask(150, "unknown", -120)
    ask(150, "unknown")
    assert look() == []  # fewer within any hour
    ask(50, "unknown", 10)

    assert look() == ["check.unknown"]
    notice = Notice.objects.get()
    assert (notice.params["count"], notice.params["minutes"]) == (200, 60)
    assert "200" in notice.text
    ask(300, "unknown", 20)
    assert look() == []
    decide("check.unknown", authority_officer, now + timedelta(minutes=26))
    ask(199, "unknown", 27)
    assert look() == []
    ask(1, "unknown", 33)
    assert look() == ["check.unknown"]


def test_a_market_that_mistypes_is_no_alarm(ask: Ask, look: Callable[[], list[str]]) -> None:
    for minute in range(0, 600, 10):
        ask(20, "unknown", minute)

    assert look() == []


def test_one_code_computed_from_the_snapshot_is_told(
    ask: Ask, look: Callable[[], list[str]], marks: list[Mark], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_edition(at=now)
    tried = from_number(11 << 40)
    ask(1, "unknown", code=tried)
    ask(5, "unknown")
    assert look() == []
    # Finding a code that shares its 36 bits with a mark takes minutes; the mark that it shares them with is made here.
    monkeypatch.setattr(
        "marking.snapshots.hashlib.sha256",
        lambda text: hashlib.new("sha256", marks[0].code.encode() if text == tried.encode() else text),
    )
    assert head_of(tried) == head_of(marks[0].code)
    ask(1, "unknown", 1, code=tried)

    assert look() == ["check.computed"]
    assert group(tried) in Notice.objects.get().text
    ask(1, "unknown", 2, code=tried)
    assert look() == []


def test_a_code_that_was_issued_right_after_it_was_asked_for_is_not_computed(
    ask: Ask, look: Callable[[], list[str]], marks: list[Mark], now: datetime
) -> None:
    make_edition(at=now)
    ask(1, "unknown", 60 * 24, code=marks[0].code)

    assert "check.computed" not in look()


def test_forged_symbols_are_told_and_say_nothing_of_the_mark_they_name(
    ask: Ask, look: Callable[[], list[str]], marks: list[Mark], authority_officer: User, now: datetime
) -> None:
    ask(2, "forged", code=marks[0].code, regions=("75",))
    assert look() == []
    ask(1, "forged", 60, code=marks[1].code)

    assert look() == ["check.forged"]
    text = Notice.objects.get().text
    assert group(marks[0].code) in text
    assert group(marks[1].code) in text
    assert "Алматы" in text
    assert not CopyAlert.objects.exists()
    assert check_text(marks[0].code, own_hosts=()).reasons == ()
    decide("check.forged", authority_officer, now + timedelta(hours=2))
    ask(2, "forged", 180, code=marks[0].code)
    assert look() == []
    ask(1, "forged", 181, code=marks[0].code)
    assert look() == ["check.forged"]


def test_it_asks_the_database_as_often_for_a_thousand_codes(
    ask: Ask, look: Callable[[], list[str]], signing_key: object, now: datetime,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    make_edition(at=now)
    look()
    counts = []
    for count in (3, 150):
        ask(count, "unknown", 24 * 60 * count)
        with django_assert_max_num_queries(40) as captured:
            assert look() == []
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_every_alarm_has_an_example_and_says_what_to_do() -> None:
    lines = {line.code: line for line in table_of_codes()}

    assert all(lines[code].advice for code in ("check.unknown", "check.forged", alarms.COMPUTED, "tip.many"))
