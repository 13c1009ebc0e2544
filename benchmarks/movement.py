"""Moving items in a register of 1,000,000: one, and 10,000 against a COPY of as many posting rows.

The twin table has the columns and indexes of the postings, filled with the very rows the movement wrote, and each
figure is the median of five pairs, each pair measured back to back. One item is moved in a young register of 10,000
and again in the full one. N is the size of the full register.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.goods import FULL, enter_goods, fill_register
from core.accounts.bin import bin_from
from core.accounts.models import Organisation, User
from core.base.clock import day_of
from ledger.models import AccountKind, CustodyAccount, Item, Movement, MovementKind
from ledger.services import move_items

ITEMS = 10_000
YOUNG = 10_000
ROUNDS = 5
SINGLES = 100


def measure(n: int | None) -> Iterable[Figure]:
    actor, here, there = ground()
    fill_register(actor, here, YOUNG)
    young = _single(actor, here, there)
    fill_register(actor, here, n or FULL)
    yield at_least("movement.register", Item.objects.count(), "items", n or FULL)
    yield at_most("movement.one_item", _single(actor, here, there) / young, f"x at {YOUNG}", 1.3)

    items, few = enter_goods(actor, here, ITEMS), enter_goods(actor, here, 10)
    ratios = []
    for _round in range(ROUNDS):
        moved = timed(partial(_move, actor, items, here, there))
        copied = copy_again(Movement.objects.latest("pk"))
        ratios.append(moved / copied)
        here, there = there, here
    yield at_most(f"movement.{ITEMS}_items", statistics.median(ratios), "x COPY", 5)

    with CaptureQueriesContext(connection) as of_many:
        _move(actor, items, here, there)
    with CaptureQueriesContext(connection) as of_few:
        _move(actor, few, *CustodyAccount.objects.filter(code__startswith="BENCH-").exclude(code="BENCH-RP"))
    yield at_most("movement.more_statements_for_many", len(of_many) - len(of_few), "statements", 0)


def _single(actor: User, here: CustodyAccount, there: CustodyAccount) -> float:
    """Seconds that one item takes from here to there, commit included: the quietest median of seven."""
    (item,) = enter_goods(actor, here, 1)
    medians = []
    for _round in range(7):
        taken = []
        for _time in range(SINGLES):
            taken.append(timed(partial(_move, actor, [item], here, there)))
            here, there = there, here
        medians.append(statistics.median(taken))
    return min(medians)


def ground() -> tuple[User, CustodyAccount, CustodyAccount]:
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


def copy_again(movement: Movement) -> float:
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

        return timed(copy)


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
