"""What tests of the marking room begin with."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from core.accounts.models import User
from marking.models import Mark, SigningKey
from marking.services.issue import register_and_mark
from marking.services.keys import ensure_signing_key
from registry.models import Intake


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """All questions of a test are counted in one window, however slowly they are asked."""
    monkeypatch.setattr("core.base.ratelimit.time", SimpleNamespace(time=lambda: 1_762_750_800.0))


@pytest.fixture
def signing_key(db: None) -> SigningKey:
    """The system's first key, in use since long ago."""
    return ensure_signing_key(at=datetime(2025, 6, 1, tzinfo=UTC))


@pytest.fixture
def marks(signing_key: SigningKey, open_intake: Intake, inspector: User, now: datetime) -> list[Mark]:
    """The marks of six horns just registered, in the order of the weighing table."""
    register_and_mark(actor=inspector, at=now, intake=open_intake)
    return list(
        Mark.objects.filter(derivative__intake=open_intake)
        .select_related("derivative__intake")
        .order_by("derivative__row")
    )


@pytest.fixture
def seized_marks(signing_key: SigningKey, open_seizure: Intake, inspector: User, now: datetime) -> list[Mark]:
    """The marks of four seized horns in the evidence room."""
    register_and_mark(actor=inspector, at=now, intake=open_seizure)
    return list(
        Mark.objects.filter(derivative__intake=open_seizure)
        .select_related("derivative__intake")
        .order_by("derivative__row")
    )
