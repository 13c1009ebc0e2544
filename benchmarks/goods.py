"""Goods and places of the benchmarks' own, so that each of them finds them whatever else is in the database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from django.db import connection, transaction

from core.accounts.bin import bin_from
from core.accounts.models import Appointment, Organisation, Region, User
from core.accounts.roles import Role
from core.accounts.triggers import deciding_role_is_given_by_two
from core.base.clock import day_of
from ledger.models import AccountKind, CustodyAccount, Item
from ledger.services import Arrival, enter_items, open_items
from marking.services.keys import ensure_signing_key
from registry.measures import TableRow
from registry.models import Brigade, Intake, IntakeMovement, Population, RemovalPermit, Season
from registry.services import open_removal_intake, save_rows
from registry.triggers import intake_movement_has_its_intake

REGION = "27"
STEP = 50_000  # items that enter at once
FULL = int(os.environ.get("REGISTER", "1000000"))  # items of a full register
LONG_AGO = datetime(2025, 1, 10, tzinfo=UTC)


@dataclass
class Reception:
    """An inspector at a reception point, with what is needed to take horns in."""

    inspector: User
    store: CustodyAccount
    permit: RemovalPermit
    brigade: Brigade

    def open(self, males: int) -> Intake:
        """An open intake with an empty table, for the horns of so many males."""
        now = datetime.now(UTC)
        return open_removal_intake(
            actor=self.inspector,
            at=now,
            store=self.store,
            permit=self.permit,
            brigade=self.brigade,
            on=day_of(now),
            males=males,
            females=males,
            young=0,
            carcasses=2 * males,
        )

    def weigh(self, horns: int) -> Intake:
        """An open intake with so many plausible horns on its table."""
        now = datetime.now(UTC)
        intake = self.open(horns)
        rows = [
            TableRow(row=row, side="LR"[row % 2], mass_g=180 + row * 7 % 51, length_mm=220 + row * 11 % 71)
            for row in range(1, horns + 1)
        ]
        return save_rows(actor=self.inspector, at=now, intake=intake, version=intake.version, rows=rows)


def open_reception() -> Reception:
    """The reception point, made at its first use."""
    ensure_signing_key(at=LONG_AGO)
    inspector = User.objects.filter(username="bench-inspector").first()
    if inspector is None:
        return _make_reception()
    permit = RemovalPermit.objects.get(number="BENCH-1")
    brigade = Brigade.objects.get(contract_number="BENCH-1")
    return Reception(inspector, CustodyAccount.objects.get(code="BENCH-RP"), permit, brigade)


def _make_reception() -> Reception:
    """Written past the services that appoint people, so that the demo's own first administrator can still come."""
    name = {"name_kk": "Өлшем", "name_ru": "Замер", "name_en": "Measure"}
    region = Region.objects.get(pk=REGION)
    inspection = Organisation.objects.create(
        bin=bin_from("12034000099"), kind=Organisation.Kind.INSPECTORATE, region=region, **name
    )
    inspector = User.objects.create(username="bench-inspector")
    with appointed_alone():
        Appointment.objects.create(
            user=inspector,
            organisation=inspection,
            role=Role.INSPECTOR,
            valid_from=LONG_AGO.date(),
            appointed_by=User.objects.create(username="bench-appointer"),
        )
    today = day_of(datetime.now(UTC))
    season = Season.objects.create(starts_on=date(today.year - 1, 1, 1), ends_on=today + timedelta(days=60), **name)
    return Reception(
        inspector,
        CustodyAccount.objects.create(
            kind=AccountKind.STORE,
            code="BENCH-RP",
            custodian=inspection,
            region=region,
            is_reception_point=True,
            **name,
        ),
        RemovalPermit.objects.create(
            number="BENCH-1",
            issued_on=season.starts_on,
            season=season,
            population=Population.URAL,
            region=region,
            holder=inspection,
            animals_limit=10_000_000,
        ),
        Brigade.objects.create(name="Өлшем", season=season, region=region, contract_number="BENCH-1"),
    )


def enter_goods(actor: User, store: CustodyAccount, count: int) -> list[int]:
    """So many items of the ledger alone, of one piece and a horn's mass each, into a store."""
    now = datetime.now(UTC)
    with transaction.atomic(), _without_intakes():
        items = open_items(count)
        enter_items(
            actor=actor,
            at=now,
            key=uuid4().hex,
            source=CustodyAccount.objects.boundary(AccountKind.REMOVAL),
            target=store,
            arrivals=[Arrival(item, "HOR:removal", 1, 180 + item % 60) for item in items],
            effective_on=day_of(now),
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_posting, ledger_holding")
    return items


@contextmanager
def appointed_alone() -> Iterator[None]:
    """Roles that decide are given without a second person, by the owner of the tables alone."""
    trigger = deciding_role_is_given_by_two().get_pgid(Appointment)  # type: ignore[arg-type]  # of the class
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE accounts_appointment DISABLE TRIGGER "{trigger}"')
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f'ALTER TABLE accounts_appointment ENABLE TRIGGER "{trigger}"')


@contextmanager
def _without_intakes() -> Iterator[None]:
    """Goods of the ledger alone come in with no intake; only who owns the tables may let them."""
    trigger = intake_movement_has_its_intake().get_pgid(IntakeMovement)  # type: ignore[arg-type]  # of the class
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE ledger_movement DISABLE TRIGGER "{trigger}"')
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f'ALTER TABLE ledger_movement ENABLE TRIGGER "{trigger}"')


def full_register() -> None:
    """Let what is measured be measured in a full register; the first benchmark of a run that asks fills it for all."""
    name = {"name_kk": "Толық", "name_ru": "Полный", "name_en": "Full"}
    keeper, _is_new = Organisation.objects.get_or_create(
        bin=bin_from("95114000056"), defaults={"kind": Organisation.Kind.ENTERPRISE, **name}
    )
    store, _is_new = CustodyAccount.objects.get_or_create(
        code="BENCH-1", defaults={"kind": AccountKind.STORE, "custodian": keeper, **name}
    )
    fill_register(User.objects.get_or_create(username="bench")[0], store, FULL)


def fill_register(actor: User, store: CustodyAccount, count: int) -> None:
    """Let the register have `count` items at least; what is short enters the store, and what that left is done."""
    while (missing := count - Item.objects.count()) > 0:
        enter_goods(actor, store, min(missing, STEP))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
