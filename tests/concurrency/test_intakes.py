"""Two people at one weighing table. Each race has a twin that shows what the lock is for."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import transaction

from core.accounts.models import Organisation, User
from core.base.errors import InvalidTransition
from ledger.models import CustodyAccount
from ledger.selectors import find_differences
from registry.measures import TableRow
from registry.models import Case, Derivative, Intake
from registry.services import (
    CaseFacts,
    CaseKnown,
    TableChanged,
    cancel_intake,
    open_seizure_intake,
    register_intake,
    save_rows,
)
from registry.services import registration as registration_module
from tests.builders import Receive
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_one_intake_is_registered_once(receive: Receive, inspector: User, now: datetime) -> None:
    intake = receive(rows=40)

    results = at_once(*[lambda: register_intake(actor=inspector, at=now, intake=intake)] * 4)

    assert len(winners(results)) == 1
    assert all(isinstance(r, InvalidTransition) for r in results if isinstance(r, Exception))
    assert Derivative.objects.count() == 40
    assert find_differences() == {}


def test_without_the_lock_the_database_still_lets_one_registration_through(
    receive: Receive, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: with the lock taken out people get database errors instead of a sentence; nothing is there twice."""
    intake = receive(rows=10)
    barrier = threading.Barrier(2)

    def unlocked(*, actor: User, intake: Intake) -> Intake:
        found = Intake.objects.select_related("store", "case").get(pk=intake.pk)
        barrier.wait(10)
        return found

    monkeypatch.setattr(registration_module, "lock_open_intake", unlocked)

    results = at_once(*[lambda: register_intake(actor=inspector, at=now, intake=intake)] * 2)

    assert len(winners(results)) == 1
    assert not any(isinstance(r, InvalidTransition) for r in results)
    assert Derivative.objects.count() == 10
    assert find_differences() == {}


def test_registration_and_cancellation_exclude_each_other(receive: Receive, inspector: User, now: datetime) -> None:
    for _ in range(3):
        intake = receive(rows=5)

        results = at_once(
            lambda intake=intake: register_intake(actor=inspector, at=now, intake=intake),  # type: ignore[misc]
            lambda intake=intake: cancel_intake(  # type: ignore[misc]
                actor=inspector, at=now, intake=intake, reason="Opened twice."
            ),
        )

        assert len(winners(results)) == 1
        intake.refresh_from_db()
        there = Derivative.objects.filter(intake=intake).count()
        assert (intake.state, there) in (("registered", 5), ("cancelled", 0))


def test_a_row_saved_at_the_last_moment_is_registered_or_refused(
    receive: Receive, inspector: User, now: datetime
) -> None:
    for _ in range(3):
        intake = receive(rows=5, males=9)
        row = [TableRow(6, "L", 200)]

        at_once(
            lambda intake=intake: register_intake(actor=inspector, at=now, intake=intake),  # type: ignore[misc]
            lambda intake=intake, row=row: save_rows(  # type: ignore[misc]
                actor=inspector, at=now, intake=intake, version=intake.version, rows=row
            ),
        )

        intake.refresh_from_db()
        assert intake.pieces == Derivative.objects.filter(intake=intake).count()
        assert intake.pieces in (5, 6)
        assert intake.rows.count() == 0


def test_two_people_who_saw_one_table_do_not_write_over_each_other(
    receive: Receive, inspector: User, now: datetime
) -> None:
    intake = receive(rows=2)

    def write(mass_g: int) -> Callable[[], Intake]:
        rows = [TableRow(3, "L", mass_g)]
        return lambda: save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=rows)

    results = at_once(write(201), write(202), write(203))

    assert len(winners(results)) == 1
    assert all(isinstance(r, TableChanged) for r in results if isinstance(r, Exception))
    assert intake.rows.count() == 3


def test_one_case_is_entered_once(
    inspector: User, now: datetime, evidence_room: CustodyAccount, police: Organisation
) -> None:
    day = now.date()
    facts = CaseFacts("17/2025", day, "252700121000345", police, "Жәнібек", day)

    def enter() -> Intake:
        with transaction.atomic():
            return open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=day, case=facts)

    results = at_once(*[enter] * 4)

    assert len(winners(results)) == 1
    assert all(isinstance(r, CaseKnown) for r in results if isinstance(r, Exception))
    assert (Case.objects.count(), Intake.objects.count()) == (1, 1)
