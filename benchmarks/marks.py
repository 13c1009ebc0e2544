"""Issuing 10,000 marks against a COPY of as many rows of the same table; and the whole act that registers them.

The twin tables have the columns, indexes and checks of the real ones, and are filled with the very rows that the act
wrote: marks alone for issuing; items, derivatives, postings, holdings and marks for the whole act. The twins of issuing
have no triggers, as the bare COPY would have none. Each figure is the median of pairs, each pair measured back to back.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_most
from benchmarks.goods import Reception, open_reception
from marking.services.issue import Markable, issue_marks, lines_to_mark, register_and_mark
from registry.models import Intake
from registry.services import register_intake

HORNS = 10_000
ROUNDS = 5
FEW = 10

# Each table with the rows of one intake.
OF_INTAKE = "SELECT item_id FROM registry_derivative WHERE intake_id = %s"
WRITTEN = {
    "ledger_item": f"id IN ({OF_INTAKE})",
    "registry_derivative": "intake_id = %s",
    "ledger_posting": f"item_id IN ({OF_INTAKE})",
    "ledger_holding": f"item_id IN ({OF_INTAKE})",
    "marking_mark": f"derivative_id IN ({OF_INTAKE})",
}


def measure(n: int | None) -> Iterable[Figure]:
    count = n or HORNS
    reception = open_reception()
    ratios = []
    issuing = []
    for _round in range(ROUNDS):
        intake = reception.weigh(count)
        registered = _timed(partial(_register, reception, intake))
        ratios.append(registered / _copy_again(intake, WRITTEN))
        bare = reception.weigh(count)
        register_intake(
            actor=reception.inspector,
            at=datetime.now(UTC),
            intake=bare,
            confirm_band=True,
            band_reason="Weighed again on another scale",
        )
        bare.refresh_from_db()
        lines = lines_to_mark(bare)
        issued = _timed(partial(_issue, reception, lines))
        issuing.append(issued / _copy_again(bare, {"marking_mark": WRITTEN["marking_mark"]}))
    yield at_most(f"marks.{count}_issued", statistics.median(issuing), "x COPY", 5)
    yield at_most(f"marks.{count}_registered_and_marked", statistics.median(ratios), "x COPY", 8)
    few, many = reception.weigh(FEW), reception.weigh(count)
    with CaptureQueriesContext(connection) as of_few:
        _register(reception, few)
    with CaptureQueriesContext(connection) as of_many:
        _register(reception, many)
    yield at_most("marks.more_statements_for_many", len(of_many) - len(of_few), "statements", 0)


def _register(reception: Reception, intake: Intake) -> None:
    register_and_mark(
        actor=reception.inspector,
        at=datetime.now(UTC),
        intake=intake,
        confirm_band=True,
        band_reason="Weighed again on another scale",
    )


def _issue(reception: Reception, lines: Sequence[Markable]) -> None:
    issue_marks(actor=reception.inspector, at=datetime.now(UTC), derivatives=lines)


def _copy_again(intake: Intake, written: Mapping[str, str]) -> float:
    """Seconds for a COPY of all rows that were written for the intake into tables like theirs, commit included."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    columns: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table, condition in written.items():
            cursor.execute(f"DROP TABLE IF EXISTS bench_{table}")
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(f"SELECT * FROM {table} WHERE {condition}", [intake.pk])
            columns[table] = ", ".join(column.name for column in cursor.description)
            rows[table] = cursor.fetchall()

        def copy() -> None:
            with transaction.atomic():
                for table in written:
                    with cursor.copy(f"COPY bench_{table} ({columns[table]}) FROM STDIN") as into:
                        for row in rows[table]:
                            into.write_row(row)

        return _timed(copy)


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
