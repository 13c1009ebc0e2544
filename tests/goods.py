"""Accounts and goods for the ledger's own tests: the ledger needs no species."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from core.accounts.models import Organisation, Region, User
from core.base.clock import day_of
from ledger.models import AccountKind, CustodyAccount, Handover, HandoverLine, Holding
from ledger.services import Arrival, accept_handover, enter_items, open_items, scan_received, turn_back

Enter = Callable[..., list[int]]


def make_account(
    code: str, kind: AccountKind, custodian: Organisation | None, region: Region | None = None
) -> CustodyAccount:
    names = {"name_kk": f"{code} қоймасы", "name_ru": f"Склад {code}", "name_en": code}
    return CustodyAccount.objects.create(code=code, kind=kind, custodian=custodian, region=region, **names)


@pytest.fixture
def reception(inspectorate: Organisation) -> CustodyAccount:
    make_account("T-REC", AccountKind.TRANSIT, inspectorate)
    return make_account("REC", AccountKind.STORE, inspectorate)


@pytest.fixture
def central(okhotzooprom: Organisation) -> CustodyAccount:
    make_account("T-CEN", AccountKind.TRANSIT, okhotzooprom)
    return make_account("CEN", AccountKind.STORE, okhotzooprom)


@pytest.fixture
def annex(okhotzooprom: Organisation, central: CustodyAccount) -> CustodyAccount:
    """A second store of the keeper of the central one: between the two goods go without a hand-over."""
    return make_account("ANX", AccountKind.STORE, okhotzooprom)


@pytest.fixture
def ledger_alone(db: None) -> None:
    """Without the triggers that upper rooms put on the ledger's tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgrelid::regclass::text, t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE t.tgrelid::regclass::text LIKE 'ledger_%%' AND NOT t.tgisinternal"
            " AND p.prosrc ~ '(registry|custody|permits)_'"
        )
        for table, trigger in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{trigger}"')


@pytest.fixture
def removal(db: None) -> CustodyAccount:
    return CustodyAccount.objects.boundary(AccountKind.REMOVAL)


@pytest.fixture
def sold(db: None) -> CustodyAccount:
    return CustodyAccount.objects.boundary(AccountKind.DOMESTIC_SALE)


@pytest.fixture
def without_intakes(db: None) -> Iterator[None]:
    """Goods come in with no intake, which an upper room asks for."""
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE '%%intake_movement_has_its_intake%%'")
        ((name,),) = cursor.fetchall()
        cursor.execute(f'ALTER TABLE ledger_movement DISABLE TRIGGER "{name}"')
    yield
    if not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE ledger_movement ENABLE TRIGGER "{name}"')


@pytest.fixture
def enter(without_intakes: None, inspector: User, removal: CustodyAccount, now: datetime) -> Enter:
    """Bring items of the given masses into an account, a day ago."""
    seizure = CustodyAccount.objects.boundary(AccountKind.SEIZURE)

    def bring(target: CustodyAccount, *grams: int, stock_class: str = "HOR:removal") -> list[int]:
        yesterday = now - timedelta(days=1)
        with transaction.atomic():
            items = open_items(len(grams))
            enter_items(
                actor=inspector,
                at=now,
                key=uuid.uuid4().hex,
                source=seizure if target.kind == AccountKind.EVIDENCE else removal,
                target=target,
                arrivals=[Arrival(item, stock_class, 1, mass) for item, mass in zip(items, grams, strict=True)],
                effective_on=day_of(yesterday),
            )
        return items

    return bring


def bring_back(handover: Handover, *, turned_by: User, counted_by: User, at: datetime) -> Handover:
    """A load that is turned back and counted, whole, where it came from."""
    turned = turn_back(actor=turned_by, at=at, handover=handover, reason="The road is closed.")
    for item in HandoverLine.objects.filter(handover=turned).values_list("item_id", flat=True):
        scan_received(actor=counted_by, at=at, handover=turned, item_id=item)
    return accept_handover(actor=counted_by, at=at, handover=turned)


def put_into(item: int, place: CustodyAccount) -> None:
    """Let an item be in a place, whatever act takes it there."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_holding DISABLE TRIGGER USER")
        Holding.objects.filter(item=item, pieces__gt=0).update(account=place, is_physical=place.is_physical)
        cursor.execute("ALTER TABLE ledger_holding ENABLE TRIGGER USER")
