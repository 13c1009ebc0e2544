"""How often something may be asked."""

import pytest
from pytest_django.fixtures import Settings

from core.base import ratelimit
from core.base.ratelimit import allow


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The present moment, to be turned by hand."""
    hands = [6_000.0]
    monkeypatch.setattr(ratelimit.time, "time", lambda: hands[0])
    return hands


def test_it_allows_so_many_in_a_window_and_again_in_the_next(clock: list[float]) -> None:
    asked = [allow("check:1", limit=3, seconds=60) for _ in range(5)]
    clock[0] += 60

    assert asked == [True, True, True, False, False]
    assert allow("check:1", limit=3, seconds=60)


def test_one_who_asks_too_often_does_not_stop_another(clock: list[float]) -> None:
    for _ in range(5):
        allow("check:1", limit=3, seconds=60)

    assert allow("check:2", limit=3, seconds=60)


def test_a_costly_question_counts_for_several(clock: list[float]) -> None:
    assert allow("find:1", limit=10, seconds=60, cost=8)
    assert not allow("find:1", limit=10, seconds=60, cost=8)


def test_while_redis_is_away_everything_is_allowed(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert all(allow("check:1", limit=1, seconds=60) for _ in range(3))
