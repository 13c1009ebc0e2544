"""The cases of the demo are built by services alone."""

import random
from datetime import UTC, datetime
from typing import Any
from typing import cast as cast_to

import pytest

from config.demo.build import FOUNDED
from config.demo.cases import try_cases
from config.demo.cast import enter_cast
from custody.models import DestructionOrder
from ledger.selectors import find_differences
from marking.services.keys import ensure_signing_key
from registry.models import Case, Stage


@pytest.mark.django_db
def test_the_cases_of_the_demo_stand_as_they_should() -> None:
    cast = enter_cast(FOUNDED)
    ensure_signing_key(at=FOUNDED)

    try_cases(cast, random.Random(1), datetime(2026, 11, 20, 6, tzinfo=UTC))

    stages = sorted(cast_to("Any", case).stage for case in Case.objects.with_stage())
    assert stages == [Stage.DECIDED, Stage.DECIDED, Stage.EVIDENCE]
    assert DestructionOrder.objects.get().state == "executed"
    assert find_differences() == {}
