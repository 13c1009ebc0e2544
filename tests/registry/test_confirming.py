"""Goods that come in on the word of one inspector, and who may be the second person."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.accounts.models import Appointment, Organisation, User
from core.accounts.roles import Role
from core.audit.services import record
from core.base.errors import NotAllowed
from core.notices.models import Notice
from ledger.models import CustodyAccount, Hold
from registry.measures import TableRow
from registry.models import Find, Intake, IntakeConfirmation, Origin, RemovalPermit, Term
from registry.services import confirm_intake, register_intake, save_rows
from registry.services.origins import Scan, open_intake
from tests.cast import give_role
from tests.files import scanned


@pytest.fixture
def found(inspector: User, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, now: datetime) -> Intake:
    """Two found horns with the scan of their hand-in act, registered by one inspector."""
    day = now.date()
    paper = Find(
        place="Қазталов ауданы", found_on=day - timedelta(days=2), finder="Бисенов Асан", act_number="3", act_on=day
    )
    intake = open_intake(
        actor=inspector, at=now, origin=Origin.FOUND, term=Term.HORN, store=reception_store, on=day, paper=paper,
        scan=Scan("act.jpg", scanned()),
    )  # fmt: skip
    rows = [TableRow(1, "L", 215), TableRow(2, "R", 211)]
    save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=rows)
    register_intake(actor=inspector, at=now, intake=intake)
    return Intake.objects.get(pk=intake.pk)


def held_items() -> int:
    return Hold.objects.active().filter(kind=Hold.Kind.ORIGIN).count()


def confirm_in_the_database(intake: Intake, person: User, at: datetime) -> None:
    IntakeConfirmation.objects.create(intake=intake, confirmed_by=person, confirmed_at=at)


def test_the_head_of_the_authority_confirms_found_goods_and_no_other_of_it(
    found: Intake, authority_officer: User, authority_head: User, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        confirm_intake(actor=authority_officer, at=now, intake=found)
    assert held_items() == 2

    confirm_intake(actor=authority_head, at=now, intake=found)

    assert held_items() == 0


@pytest.fixture
def in_two_offices(inspectorate_elsewhere: Organisation, inspector: User, administrator: User) -> User:
    """The inspector, who has the role in an office of another region, too, which was entered first."""
    give_role(inspector, Role.INSPECTOR, inspectorate_elsewhere, by=administrator)
    return inspector


@pytest.mark.usefixtures("in_two_offices")
def test_the_office_of_the_region_is_told_of_goods_that_wait(inspectorate: Organisation, found: Intake) -> None:
    assert Notice.objects.get(code="intake.found_waits").organisation == inspectorate


def test_the_database_asks_of_now_whether_who_confirms_at_a_moment_to_come_is_independent(
    found: Intake, inspector: User, second_inspector: User
) -> None:
    today = timezone.now()
    record("user.password_link_made", actor=inspector, at=today, subject=("user", second_inspector.pk))

    with pytest.raises(IntegrityError, match="goods_are_confirmed_by_another"), transaction.atomic():
        confirm_in_the_database(found, second_inspector, today + timedelta(days=100))

    assert not IntakeConfirmation.objects.exists()


def test_the_database_takes_no_confirmation_of_a_closed_account_nor_from_before_the_role(
    found: Intake, second_inspector: User, now: datetime
) -> None:
    first = min(Appointment.objects.filter(user=second_inspector).values_list("valid_from", flat=True))
    with pytest.raises(IntegrityError, match="goods_are_confirmed_by_another"), transaction.atomic():
        confirm_in_the_database(found, second_inspector, now - (now.date() - first) - timedelta(days=2))
    User.objects.filter(pk=second_inspector.pk).update(is_active=False)
    with pytest.raises(IntegrityError, match="goods_are_confirmed_by_another"), transaction.atomic():
        confirm_in_the_database(found, second_inspector, now)

    User.objects.filter(pk=second_inspector.pk).update(is_active=True)
    confirm_in_the_database(found, second_inspector, now)
