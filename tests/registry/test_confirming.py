"""Goods that come in on the word of one inspector, and who may be the second person."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.accounts.models import Appointment, Organisation, User
from core.accounts.roles import Role
from core.audit.services import record
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import decide_notice
from ledger.models import CustodyAccount, Hold, MovementKind
from ledger.services import ItemsOnHold, SecondPersonNeeded, move_items
from registry.measures import TableRow
from registry.models import (
    Confiscation,
    Derivative,
    Find,
    Importation,
    Intake,
    IntakeConfirmation,
    Origin,
    RemovalPermit,
    Term,
)
from registry.services import confirm_intake, register_intake, save_rows
from registry.services.origins import Scan, open_intake
from tests.cast import PASSWORD, give_role
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


# --- confiscated elsewhere, and imported ------------------------------------------------------------------------


def paper_of(origin: Origin, importer: Organisation, now: datetime) -> Any:
    day = now.date()
    if origin == Origin.CONFISCATED:
        return Confiscation(decision_number="2-114", decided_on=day, court="Орал қалалық соты", effective_on=day)
    return Importation(
        permit_number="CN-77", permit_on=day, country="CN", declaration_number="5/1", declared_on=day, importer=importer
    )


WORTHLESS = {
    Origin.CONFISCATED: {"decision_number": "-", "court": "-"},
    Origin.IMPORTED: {"permit_number": "P", "declaration_number": "D"},
}


@pytest.fixture(params=[Origin.CONFISCATED, Origin.IMPORTED])
def origin(request: pytest.FixtureRequest) -> Origin:
    chosen: Origin = request.param
    return chosen


@pytest.fixture
def goods(
    origin: Origin, inspector: User, reception_store: CustodyAccount, okhotzooprom: Organisation, now: datetime
) -> Intake:
    """Two horns with the scan of their paper, registered by one inspector."""
    intake = open_intake(
        actor=inspector, at=now, origin=origin, term=Term.HORN, store=reception_store, on=now.date(),
        paper=paper_of(origin, okhotzooprom, now), scan=Scan("paper.jpg", scanned()),
    )  # fmt: skip
    rows = [TableRow(1, "L", 215), TableRow(2, "R", 211)]
    save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=rows)
    register_intake(actor=inspector, at=now, intake=intake)
    return Intake.objects.get(pk=intake.pk)


def test_a_court_or_a_border_is_proved_by_a_scan_a_number_and_a_name(
    origin: Origin, inspector: User, reception_store: CustodyAccount, okhotzooprom: Organisation, now: datetime
) -> None:
    paper = paper_of(origin, okhotzooprom, now)
    for name, text in WORTHLESS[origin].items():
        setattr(paper, name, text)

    with pytest.raises(BadInput) as refusal:
        open_intake(
            actor=inspector, at=now, origin=origin, term=Term.HORN, store=reception_store, on=now.date(), paper=paper
        )

    assert set(refusal.value.fields) == {"scan", *WORTHLESS[origin]}
    assert not Intake.objects.exists()
    for name, text in WORTHLESS[origin].items():
        wrong = paper_of(origin, okhotzooprom, now)
        setattr(wrong, name, text)
        refused = "confiscation_names_its_court|importation_has_its_numbers"
        with pytest.raises(IntegrityError, match=refused), transaction.atomic():
            wrong.save(force_insert=True)


def test_goods_of_a_court_or_a_border_are_held_until_a_second_person_confirms_them(
    goods: Intake,
    inspector: User,
    second_inspector: User,
    inspector_elsewhere: User,
    inspectorate: Organisation,
    authority_officer: User,
    storekeeper: User,
    other_reception_store: CustodyAccount,
    now: datetime,
) -> None:
    notice = Notice.objects.get(code=f"intake.{goods.origin}_waits")
    assert (held_items(), notice.organisation) == (2, inspectorate)
    with pytest.raises(SecondPersonNeeded):
        confirm_intake(actor=inspector, at=now, intake=goods)
    for party in (storekeeper, inspector_elsewhere):
        with pytest.raises(NotAllowed):
            confirm_intake(actor=party, at=now, intake=goods)
    with pytest.raises(InvalidTransition):
        decide_notice(
            actor=authority_officer, at=now, notice=notice, outcome="other", decision="-", reason="The paper is right"
        )
    with pytest.raises(ItemsOnHold):
        move_items(
            actor=storekeeper,
            at=now,
            key="out",
            kind=MovementKind.TRANSFER,
            item_ids=list(Derivative.objects.values_list("pk", flat=True)),
            source=goods.store,
            target=other_reception_store,
            effective_on=now.date(),
        )
    for party in (inspector, storekeeper):
        with pytest.raises(IntegrityError, match="goods_are_confirmed_by_another"), transaction.atomic():
            confirm_in_the_database(goods, party, now)
        with pytest.raises(IntegrityError, match="goods_are_let_go_by_their_confirmation"), transaction.atomic():
            Hold.objects.update(lifted_by=party, lifted_at=now, lift_reason="Never mind")
    assert held_items() == 2

    confirm_intake(actor=second_inspector, at=now, intake=goods)

    notice.refresh_from_db()
    assert (held_items(), notice.state) == (0, "decided")


def test_the_database_registers_nothing_of_a_court_or_a_border_without_a_scan(
    origin: Origin, inspector: User, reception_store: CustodyAccount, okhotzooprom: Organisation, now: datetime
) -> None:
    assert reception_store.region_id
    paper = paper_of(origin, okhotzooprom, now)
    paper.save()
    proof = {"confiscation": paper} if origin == Origin.CONFISCATED else {"importation": paper}
    bare = Intake.objects.create(
        number="IN25-000099", origin=origin, term=Term.HORN, store=reception_store, on=now.date(),
        region_id=reception_store.region_id, opened_by=inspector, opened_at=now, **proof,
    )  # fmt: skip

    def register_bare() -> None:
        Intake.objects.filter(pk=bare.pk).update(
            state="registered", pieces=1, grams=200, closed_by=inspector, closed_at=now
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="goods_are_held_until_confirmed"), transaction.atomic():
        register_bare()


def test_goods_of_a_court_or_a_border_are_confirmed_on_their_page(
    client: Client, goods: Intake, inspector: User, second_inspector: User
) -> None:
    page, act = (reverse(f"registry:{name}", args=[goods.pk]) for name in ("intake", "intake-confirm"))
    client.force_login(inspector)
    assert act not in client.get(page).content.decode()
    client.force_login(second_inspector)
    shown = client.get(page + "?lang=en").content.decode()
    assert act in shown
    assert "scanned inventory sheet" not in shown

    assert client.post(act, {"password": PASSWORD})["Location"] == page

    assert held_items() == 0


def test_an_import_of_an_earlier_version_is_entered_once_more_with_its_scan(
    inspector: User, reception_store: CustodyAccount, okhotzooprom: Organisation, inspectorate: Organisation,
    now: datetime,
) -> None:  # fmt: skip
    paper_of(Origin.IMPORTED, okhotzooprom, now).save()

    def open_import(importer: Organisation) -> Intake:
        return open_intake(
            actor=inspector, at=now, origin=Origin.IMPORTED, term=Term.HORN, store=reception_store, on=now.date(),
            paper=paper_of(Origin.IMPORTED, importer, now), scan=Scan("paper.jpg", scanned()),
        )  # fmt: skip

    first, second = open_import(okhotzooprom), open_import(okhotzooprom)

    assert first.importation_id == second.importation_id
    assert Importation.objects.count() == 2
    with pytest.raises(BadInput) as refusal:
        open_import(inspectorate)
    assert set(refusal.value.fields) == {"declaration_number"}
