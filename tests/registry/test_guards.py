"""What the database refuses when somebody goes around the services."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import DatabaseError, connection, transaction

from core.accounts.models import User
from ledger.models import CustodyAccount, Hold, Item
from ledger.services import open_items
from registry.models import Derivative, Intake, IntakeRow
from tests.builders import register


def refused(act: Callable[[], object], reason: str) -> None:
    """The act fails at the latest when its constraints are asked, and leaves nothing."""
    with pytest.raises(DatabaseError, match=reason):
        _do_and_commit(act)


@transaction.atomic
def _do_and_commit(act: Callable[[], object]) -> None:
    act()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def a_derivative(intake: Intake, number: str = "KZ25-0999999") -> Derivative:
    (item,) = open_items(1)
    return Derivative(
        item_id=item,
        number=number,
        term="HOR",
        origin=intake.origin,
        intake=intake,
        row=500,
        side="L",
        mass_g=200,
        registered_at=intake.opened_at,
    )


def close(intake: Intake, closer: User, at: datetime, pieces: int, grams: int) -> None:
    Intake.objects.filter(pk=intake.pk).update(
        state="registered", closed_by=closer, closed_at=at, pieces=pieces, grams=grams
    )


def test_a_derivative_comes_by_registration_only(open_intake: Intake, inspector: User, now: datetime) -> None:
    refused(lambda: a_derivative(open_intake).save(force_insert=True), "derivatives_come_by_registration|registration")
    register(open_intake, actor=inspector, at=now)
    refused(lambda: a_derivative(open_intake).save(force_insert=True), "registration")

    assert Derivative.objects.count() == 6


def test_a_registered_intake_is_whole(open_intake: Intake, inspector: User, now: datetime) -> None:
    refused(lambda: close(open_intake, inspector, now, 6, 1200), "not what its derivatives say")

    open_intake.refresh_from_db()
    assert open_intake.is_open


def test_derivatives_that_are_nowhere_are_refused(open_intake: Intake, inspector: User, now: datetime) -> None:
    def register_without_a_movement() -> None:
        IntakeRow.objects.filter(intake=open_intake).delete()
        close(open_intake, inspector, now, 1, 200)
        a_derivative(open_intake).save(force_insert=True)

    refused(register_without_a_movement, "not in its store")
    assert open_intake.rows.count() == 6


def test_seized_goods_without_a_hold_are_refused(
    open_seizure: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.services.registration.place_hold", lambda **_facts: 0)

    refused(lambda: register(open_seizure, actor=inspector, at=now), "not held as evidence")

    assert not Hold.objects.exists()
    assert not Derivative.objects.exists()


def test_seized_goods_go_into_evidence_only(open_seizure: Intake, reception_store: CustodyAccount) -> None:
    values = Intake.objects.filter(pk=open_seizure.pk).values().get() | {
        "id": None,
        "number": "IN25-900000",
        "store_id": reception_store.pk,
    }

    refused(lambda: Intake.objects.create(**values), "does not go into an account of kind store")


def test_rows_of_a_closed_intake_stay_as_they_are(open_intake: Intake, inspector: User, now: datetime) -> None:
    Intake.objects.filter(pk=open_intake.pk).update(
        state="cancelled", closed_by=inspector, closed_at=now, cancel_reason="Opened twice."
    )
    row = IntakeRow(intake=open_intake, row=99, side="L", mass_g=1)

    refused(lambda: row.save(), "is closed")
    refused(lambda: IntakeRow.objects.filter(intake=open_intake).update(mass_g=1), "is closed")
    refused(lambda: IntakeRow.objects.filter(intake=open_intake).delete(), "is closed")


def test_what_is_registered_is_a_fact(open_intake: Intake, inspector: User, now: datetime) -> None:
    horn = register(open_intake, actor=inspector, at=now)[0]

    refused(lambda: Derivative.objects.filter(pk=horn.pk).update(mass_g=1), "Cannot update")
    refused(lambda: Derivative.objects.filter(pk=horn.pk).delete(), "Cannot delete|still referenced")
    refused(lambda: Item.objects.filter(pk=horn.pk).delete(), "Cannot delete|still referenced")
    refused(lambda: Intake.objects.filter(pk=open_intake.pk).update(state="open"), "Cannot update")
    refused(lambda: Intake.objects.filter(pk=open_intake.pk).update(males=99), "Cannot update")


@pytest.mark.parametrize(
    "changes",
    [
        {"permit": None},
        {"brigade": None},
        {"males": None},
        {"state": "registered"},
        {"state": "cancelled"},
        {"number": "IN25-777777"},
        {"origin": "found"},
    ],
)
def test_an_open_intake_keeps_its_papers(changes: dict[str, object], open_intake: Intake) -> None:
    refused(lambda: Intake.objects.filter(pk=open_intake.pk).update(**changes), "violates check|Cannot update")
