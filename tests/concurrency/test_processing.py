"""One horn in two runs at once: one run consumes it. The twin shows what the lock is for."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime

import pytest

from core.accounts.models import User
from ledger.models import CustodyAccount, Holding, Movement
from ledger.selectors import find_differences
from ledger.services import ItemsNotThere, moving
from registry.models import Derivative, Intake, Processing
from registry.services import InputsRefused, Package, register_processing
from tests.races import at_once, winners
from tests.registry.test_processing import begin, keys, mass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def register_both(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> list[Callable[[], list[Derivative]]]:
    """Two drafts with the same horns, and how each is registered."""
    runs = [begin(storekeeper, now, reception_store, keys(horns), Package(1, mass(horns) - 1)) for _each in range(2)]

    def registering(run: Processing) -> Callable[[], list[Derivative]]:
        return lambda: register_processing(actor=storekeeper, at=now, run=run, loss_g=1)

    return [registering(run) for run in runs]


def one_run_stands(horns: list[Derivative]) -> None:
    assert Processing.objects.filter(state="done").count() == 1
    assert Movement.objects.filter(kind="consumption").count() == 1
    assert Intake.objects.exclude(processing=None).count() == 1
    held = Holding.objects.filter(is_physical=True, pieces__gt=0)
    assert sum(held.values_list("grams", flat=True)) == mass(horns) - 1
    assert find_differences() == {}


def test_one_horn_goes_into_one_of_two_runs(
    register_both: list[Callable[[], list[Derivative]]], horns: list[Derivative]
) -> None:
    results = at_once(*register_both)

    assert len(winners(results)) == 1
    assert [type(result) for result in results if isinstance(result, Exception)] == [InputsRefused]
    one_run_stands(horns)


def test_without_the_lock_only_the_constraint_stands_between_two_runs(
    register_both: list[Callable[[], list[Derivative]]], horns: list[Derivative], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: without the lock a person is told of a mass that differs, not what happened; still nothing leaks."""
    # The number series lets one after the other through; the second then takes what is there no more.
    monkeypatch.setattr(moving, "leaving", lambda *args, **kwargs: nullcontext())

    results = at_once(*register_both)

    assert len(winners(results)) == 1
    assert not any(isinstance(result, ItemsNotThere) for result in results)
    one_run_stands(horns)
