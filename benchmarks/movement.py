"""Moving items: 10,000 at once against a COPY of as many posting rows, and a constant number of statements.

The twin table has the columns and indexes of the postings, filled with the very rows the movement wrote. Each
figure is the median of five pairs, each pair measured back to back.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_most
from core.accounts.bin import bin_from
from core.accounts.models import Organisation, User
from core.base.clock import day_of
from ledger.models import AccountKind, CustodyAccount, Movement, MovementKind
from ledger.services import Arrival, enter_items, move_items, open_items

ITEMS = 10_000
ROUNDS = 5


def measure(n: int | None) -> Iterable[Figure]:
    count = n or ITEMS
    actor, here, there = _ground()
    items, few = _enter(actor, here, count), _enter(actor, here, 10)
    ratios = []
    for _round in range(ROUNDS):
        moved = _timed(partial(_move, actor, items, here, there))
        copied = _copy_again(Movement.objects.latest("pk"))
        ratios.append(moved / copied)
        here, there = there, here
    yield at_most(f"movement.{count}_items", statistics.median(ratios), "x COPY", 5)

    with CaptureQueriesContext(connection) as of_many:
        _move(actor, items, here, there)
    with CaptureQueriesContext(connection) as of_few:
        _move(actor, few, *CustodyAccount.objects.filter(code__startswith="BENCH-"))
    yield at_most("movement.more_statements_for_many", len(of_many) - len(of_few), "statements", 0)


def _ground() -> tuple[User, CustodyAccount, CustodyAccount]:
    name = {"name_kk": "Өлшем", "name_ru": "Замер", "name_en": "Measure"}
    keeper, _is_new = Organisation.objects.get_or_create(
        bin=bin_from("95114000056"), defaults={"kind": Organisation.Kind.ENTERPRISE, **name}
    )
    here, there = (
        CustodyAccount.objects.get_or_create(
            code=f"BENCH-{number}", defaults={"kind": AccountKind.STORE, "custodian": keeper, **name}
        )[0]
        for number in (1, 2)
    )
    return User.objects.get_or_create(username="bench")[0], here, there


def _enter(actor: User, target: CustodyAccount, count: int) -> list[int]:
    now = datetime.now(UTC)
    with transaction.atomic():
        items = open_items(count)
        enter_items(
            actor=actor,
            at=now,
            key=uuid4().hex,
            source=CustodyAccount.objects.boundary(AccountKind.REMOVAL),
            target=target,
            arrivals=[Arrival(item, "HOR:removal", 1, 180 + item % 60) for item in items],
            effective_on=day_of(now),
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_posting, ledger_holding")
    return items


def _move(actor: User, items: list[int], source: CustodyAccount, target: CustodyAccount) -> Movement:
    now = datetime.now(UTC)
    return move_items(
        actor=actor,
        at=now,
        key=uuid4().hex,
        kind=MovementKind.TRANSFER,
        item_ids=items,
        source=source,
        target=target,
        effective_on=day_of(now),
    )


def _copy_again(movement: Movement) -> float:
    """Seconds for a COPY of the movement's rows into a table like the postings, commit included."""
    columns = "movement_id, account_id, item_id, stock_class, pieces, grams"
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS bench_posting; CREATE TABLE bench_posting (LIKE ledger_posting INCLUDING ALL)"
        )
        cursor.execute(f"SELECT {columns} FROM ledger_posting WHERE movement_id = %s", [movement.pk])
        rows = cursor.fetchall()

        def copy() -> None:
            with transaction.atomic(), cursor.copy(f"COPY bench_posting ({columns}) FROM STDIN") as into:
                for row in rows:
                    into.write_row(row)

        return _timed(copy)


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
