"""Holds: each says what to do before its goods go anywhere."""

from ledger.models import Hold
from ledger.services.locking import WHY_HELD


def test_every_hold_says_what_to_do() -> None:
    assert set(WHY_HELD) == set(Hold.Kind)
