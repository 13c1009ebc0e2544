"""Movements: items come in, go from place to place, and a mistake is corrected by its counter-movement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition
from core.documents.models import Document
from ledger.models import (
    AccountKind,
    CustodyAccount,
    Holding,
    Movement,
    MovementKind,
    PeriodClose,
    goes,
)
from ledger.services.locking import leaving, lock_leaving, lock_open, lock_there
from ledger.services.refusals import (
    BackDated,
    KeyReused,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item entering the system: its stock class, pieces and mass in grams."""

    item_id: int
    stock_class: str
    pieces: int
    grams: int


@transaction.atomic
def open_items(count: int) -> list[int]:
    """Make `count` items that are nowhere yet; the caller brings them in by `enter_items` in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_item (id) SELECT nextval(series.name)"
            " FROM (SELECT pg_get_serial_sequence('ledger_item', 'id')::regclass AS name OFFSET 0) series,"
            " generate_series(1, %s) RETURNING id",
            [count],
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def enter_items(
    *,
    actor: User,
    key: str,
    source: CustodyAccount,
    target: CustodyAccount,
    arrivals: Sequence[Arrival],
    effective_on: date,
    at: datetime,
    reference: str = "",
    kind: MovementKind = MovementKind.INTAKE,
) -> Movement:
    """Bring items from a boundary account into a physical one.

    A repeated `key` returns the first movement. Raises KeyReused, BackDated.
    """
    if source.is_physical or not target.is_physical:
        raise BadInput(_("Goods enter from a boundary into a store."))
    _require_way(kind, source, target)
    lock_open(target)
    movement, is_new = open_movement(
        key=key, kind=kind, actor=actor, effective_on=effective_on, at=at, reference=reference
    )
    if is_new:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)
                SELECT %(movement)s, side.account, a.item, a.class, side.sign * a.pieces, side.sign * a.grams
                FROM unnest(%(items)s::bigint[], %(classes)s::text[], %(pieces)s::int[], %(grams)s::bigint[])
                    AS a (item, class, pieces, grams),
                    (VALUES (%(source)s::bigint, -1), (%(target)s::bigint, 1)) AS side (account, sign)
                """,
                {
                    "movement": movement.pk,
                    "items": [a.item_id for a in arrivals],
                    "classes": [a.stock_class for a in arrivals],
                    "pieces": [a.pieces for a in arrivals],
                    "grams": [a.grams for a in arrivals],
                    "source": source.pk,
                    "target": target.pk,
                },
            )
    return movement


@transaction.atomic
def move_items(
    *,
    actor: User,
    at: datetime,
    key: str,
    kind: MovementKind,
    item_ids: Sequence[int],
    source: CustodyAccount,
    target: CustodyAccount,
    effective_on: date,
    reference: str = "",
    under: str = "",
    document: Document | None = None,
    gave: User | None = None,
    accepted: User | None = None,
) -> Movement:
    """Move whole items, with all they weigh, from one account to another.

    A repeated `key` with the same items returns the first movement. Raises ItemsNotThere, ItemsOnHold, ItemsReserved,
    BackDated, KeyReused; then nothing has changed.
    """
    wanted = sorted(set(item_ids))
    if not wanted:
        raise BadInput(_("Choose at least one item."))
    _require_way(kind, source, target)
    movement, is_new = open_movement(
        key=key,
        kind=kind,
        actor=actor,
        effective_on=effective_on,
        at=at,
        reference=reference,
        under=under,
        document=document,
        gave=gave,
        accepted=accepted,
    )
    if not is_new:
        _refuse_other_items(movement, source, wanted)
        return movement
    with (
        leaving(wanted, source=source, effective_on=effective_on, under=under),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            """
            INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)
            SELECT %s, side.account, h.item_id, h.stock_class, side.sign * h.pieces, side.sign * h.grams
            FROM unnest(%s::bigint[]) AS wanted (item) CROSS JOIN LATERAL (
                SELECT * FROM ledger_holding WHERE item_id = wanted.item AND pieces > 0 OFFSET 0
            ) h, (VALUES (%s::bigint, -1), (%s::bigint, 1)) AS side (account, sign)
            WHERE h.account_id = %s
            """,
            [movement.pk, wanted, source.pk, target.pk, source.pk],
        )
    return movement


@transaction.atomic
def reclassify_items(
    *,
    actor: User,
    at: datetime,
    key: str,
    account: CustodyAccount,
    classes: Mapping[int, str],
    effective_on: date,
    reference: str = "",
    document: Document | None = None,
) -> Movement:
    """Make another kind of stock of items by a decision; they stay where they are. `classes`: the new class by item.

    A repeated `key` with the same items returns the first movement. Raises what `move_items` raises.
    """
    wanted = sorted(classes)
    if not wanted:
        raise BadInput(_("Choose at least one item."))
    movement, is_new = open_movement(
        key=key,
        kind=MovementKind.DECISION,
        actor=actor,
        effective_on=effective_on,
        at=at,
        reference=reference,
        document=document,
    )
    if not is_new:
        _refuse_other_items(movement, account, wanted)
        return movement
    lock_leaving(wanted, source=account, effective_on=effective_on, under="")
    held = Holding.objects.filter(account=account, item__in=wanted).values_list("item_id", "stock_class")
    if any(classes[item] == stock_class for item, stock_class in held):
        raise InvalidTransition(_("Some of these items are of this kind already."))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)
            SELECT %s, h.account_id, h.item_id, side.class, side.sign * h.pieces, side.sign * h.grams
            FROM unnest(%s::bigint[], %s::text[]) AS wanted (item, class)
            CROSS JOIN LATERAL (
                SELECT * FROM ledger_holding WHERE item_id = wanted.item AND pieces > 0 OFFSET 0
            ) h, LATERAL (VALUES (h.stock_class, -1), (wanted.class, 1)) AS side (class, sign)
            WHERE h.account_id = %s
            """,
            [movement.pk, wanted, [classes[item] for item in wanted], account.pk],
        )
    return movement


def open_movement(
    *, key: str, kind: MovementKind, actor: User, effective_on: date, at: datetime, **facts: object
) -> tuple[Movement, bool]:
    """A new movement, or the one that this key already made.

    Two requests with one key meet at the unique index: the second waits for the first to commit and gets its movement.
    """
    require_open_day(effective_on, at=at)
    Movement.objects.bulk_create(
        [opened := Movement(key=key, kind=kind, actor=actor, effective_on=effective_on, **facts)],
        ignore_conflicts=True,
    )
    movement = Movement.objects.get(key=key)
    is_new = movement.transaction == _this_transaction() and not movement.postings.exists()
    if not is_new and (movement.kind, movement.effective_on) != (opened.kind, opened.effective_on):
        raise KeyReused
    return movement, is_new


def _require_way(kind: MovementKind, source: CustodyAccount, target: CustodyAccount) -> None:
    near = (source.custodian_id, source.region_id) == (target.custodian_id, target.region_id)
    is_way = goes(kind, AccountKind(source.kind), AccountKind(target.kind))
    if not is_way or (kind == MovementKind.TRANSFER and not near):
        raise BadInput(_("Goods do not go this way by such an act."))


def require_open_day(day: date, *, at: datetime) -> None:
    """Refuse tomorrow, and a day in a closed period. Raises BackDated."""
    if day > day_of(at):
        raise BackDated(_("The day lies in the future."))
    if PeriodClose.objects.filter(until__gte=day).exists():
        raise BackDated(_("The period is closed for new entries: %(day)s.") % {"day": day.isoformat()})


def _this_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _refuse_other_items(movement: Movement, source: CustodyAccount, wanted: list[int]) -> None:
    moved = movement.postings.filter(account=source, pieces__lt=0).order_by("item_id").values_list("item_id", flat=True)
    if list(moved) != wanted:
        raise KeyReused


@transaction.atomic
def reverse_movement(*, actor: User, at: datetime, key: str, movement: Movement, effective_on: date) -> Movement:
    """Correct a movement by its counter-movement; both stay. Raises InvalidTransition if it was reversed before.

    Possible only while the items are still where the movement put or weighed them: ItemsNotThere otherwise.
    """
    Movement.objects.select_for_update(no_key=True).get(pk=movement.pk)
    earlier = Movement.objects.filter(reverses=movement).first()
    if earlier is not None:
        if earlier.key == key:
            return earlier
        raise InvalidTransition(_("This movement was corrected before."))
    is_weighing = movement.kind == MovementKind.WEIGHING
    for account_id, item_ids in _left_behind(movement):
        account = CustodyAccount.objects.get(pk=account_id)
        if account.is_physical and is_weighing:
            # Grams come back, the item stays: what binds it there does not matter.
            lock_there(item_ids, account=account, effective_on=effective_on)
            _refuse_other_class(movement)
        elif account.is_physical:
            lock_leaving(item_ids, source=account, effective_on=effective_on, under=movement.under)
    counter, is_new = open_movement(
        key=key,
        kind=MovementKind.REVERSAL,
        actor=actor,
        effective_on=effective_on,
        at=at,
        reference=movement.reference,
        under=movement.under,
        reverses=movement,
    )
    if not is_new:
        raise KeyReused
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)"
            " SELECT %s, account_id, item_id, stock_class, -pieces, -grams FROM ledger_posting WHERE movement_id = %s",
            [counter.pk, movement.pk],
        )
    record(
        "ledger.movement_reversed",
        actor=actor,
        at=at,
        subject=("movement", movement.pk),
        by_movement=counter.pk,
    )
    return counter


def _left_behind(movement: Movement) -> list[tuple[int, list[int]]]:
    """Accounts that the movement filled, each with the items it put or weighed there, in lock order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, array_agg(item_id ORDER BY item_id) FROM ledger_posting"
            " WHERE movement_id = %s AND pieces >= 0 GROUP BY account_id ORDER BY min(item_id)",
            [movement.pk],
        )
        return [(account, list(items)) for account, items in cursor.fetchall()]


def _refuse_other_class(weighing: Movement) -> None:
    """Grams go back to the kind of stock they were taken from."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM ledger_posting p JOIN ledger_holding h USING (account_id, item_id)"
            " WHERE p.movement_id = %s AND h.is_physical AND h.stock_class <> p.stock_class LIMIT 1",
            [weighing.pk],
        )
        if cursor.rowcount:
            raise InvalidTransition(_("A court decided on these items since they were weighed."))
