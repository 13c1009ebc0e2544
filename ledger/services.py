"""Every write of the ledger. Set-based: a movement of 10,000 items is a handful of statements.

Lock order of the whole system: the thing acted on (permit, application, intake, hand-over) · the store it goes to ·
holdings by item · totals by account and class. A number series is taken by one kind of act only, so its lock can stand
before or after the totals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.models import Organisation, Region, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed, NotFound
from core.documents.models import Document
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from ledger.models import (
    AccountKind,
    CustodyAccount,
    Handover,
    HandoverLine,
    Hold,
    Movement,
    MovementKind,
    PeriodClose,
    Reservation,
)


class ItemsNotThere(DomainError):
    """Some of the items are not, or no longer, in the account they should leave."""

    code = "items-not-there"
    message = _("Some of these items are no longer there. Reload the list.")


class ItemsOnHold(DomainError):
    """Some of the items are under a hold and stay where they are."""

    code = "items-on-hold"
    message = _("Some of these items are on hold: record the decision of the case first.")


class ItemsReserved(DomainError):
    """Some of the items are promised to a right other than the one named."""

    code = "items-reserved"
    message = _("Some of these items are reserved for another permit.")


class BackDated(DomainError):
    """The day lies before the items arrived, in a closed period, or in the future."""

    code = "back-dated"
    message = _("This day cannot be used.")


class KeyReused(DomainError):
    """The idempotency key was used for another movement."""

    code = "key-reused"
    message = _("This request was already used for something else.")


class SecondPersonNeeded(NotAllowed):
    """One person cannot do both halves of this act."""

    code = "second-person-needed"
    message = _("Another person must do this: you dispatched these goods yourself.")


class NotInHandover(NotFound):
    """The item is not part of this hand-over."""

    code = "not-in-handover"
    message = _("This item is not in this hand-over.")


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
            "INSERT INTO ledger_item (id) SELECT nextval(pg_get_serial_sequence('ledger_item', 'id'))"
            " FROM generate_series(1, %s) RETURNING id",
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
) -> Movement:
    """Bring items from a boundary account into a physical one.

    A repeated `key` returns the first movement. Raises KeyReused, BackDated.
    """
    if source.is_physical or not target.is_physical:
        raise BadInput(_("Goods enter from a boundary into a store."))
    _lock_open(target)
    movement, is_new = _open_movement(
        key=key, kind=MovementKind.INTAKE, actor=actor, effective_on=effective_on, at=at, reference=reference
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
    movement, is_new = _open_movement(
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
    _lock_leaving(wanted, source=source, effective_on=effective_on, under=under)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)
            SELECT %s, side.account, h.item_id, h.stock_class, side.sign * h.pieces, side.sign * h.grams
            FROM unnest(%s::bigint[]) AS wanted (item)
            JOIN ledger_holding h ON h.account_id = %s AND h.item_id = wanted.item,
                (VALUES (%s::bigint, -1), (%s::bigint, 1)) AS side (account, sign)
            """,
            [movement.pk, wanted, source.pk, source.pk, target.pk],
        )
    return movement


def _open_movement(
    *, key: str, kind: MovementKind, actor: User, effective_on: date, at: datetime, **facts: object
) -> tuple[Movement, bool]:
    """A new movement, or the one that this key already made.

    Two requests with one key meet at the unique index: the second waits for the first to commit and gets its movement.
    """
    if effective_on > day_of(at):
        raise BackDated(_("The day lies in the future."))
    if PeriodClose.objects.filter(until__gte=effective_on).exists():
        raise BackDated(_("The period is closed for new entries: %(day)s.") % {"day": effective_on.isoformat()})
    Movement.objects.bulk_create(
        [opened := Movement(key=key, kind=kind, actor=actor, effective_on=effective_on, **facts)],
        ignore_conflicts=True,
    )
    movement = Movement.objects.get(key=key)
    is_new = movement.transaction == _this_transaction() and not movement.postings.exists()
    if not is_new and (movement.kind, movement.effective_on) != (opened.kind, opened.effective_on):
        raise KeyReused
    return movement, is_new


def _this_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _refuse_other_items(movement: Movement, source: CustodyAccount, wanted: list[int]) -> None:
    moved = movement.postings.filter(account=source).order_by("item_id").values_list("item_id", flat=True)
    if list(moved) != wanted:
        raise KeyReused


def _lock_leaving(wanted: list[int], *, source: CustodyAccount, effective_on: date, under: str) -> None:
    """Lock the items' holdings by item and say in words what the trigger would refuse.

    The lock closes the race of two movements of one item: the second finds the item gone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.moved_on FROM unnest(%s::bigint[]) AS wanted (item)"
            " JOIN ledger_holding h ON h.account_id = %s AND h.item_id = wanted.item"
            " ORDER BY h.item_id FOR UPDATE OF h",
            [wanted, source.pk],
        )
        arrived = [row[0] for row in cursor.fetchall()]
    if len(arrived) != len(wanted):
        raise ItemsNotThere(
            ngettext_lazy(
                "%(count)d item is not in “%(store)s” any more. Reload the list.",
                "%(count)d items are not in “%(store)s” any more. Reload the list.",
                "count",
            )
            % {"count": len(wanted) - len(arrived), "store": source.name}
        )
    if max(arrived) > effective_on:
        raise BackDated(_("Some of these items arrived after this day."))
    held, promised = _bound(wanted)
    if held:
        raise ItemsOnHold
    if promised != ({under: len(wanted)} if under else {}):
        raise ItemsReserved


def _bound(item_ids: Sequence[int]) -> tuple[int, dict[str, int]]:
    """How many of the items are under a hold, and how many are reserved for which right."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH wanted AS MATERIALIZED (SELECT unnest(%s::bigint[]) AS item)
            SELECT NULL, count(*) FROM wanted JOIN ledger_hold k ON k.item_id = item AND k.lifted_at IS NULL
            UNION ALL
            SELECT r.reference, count(*) FROM wanted
            JOIN ledger_reservation r ON r.item_id = item AND r.released_at IS NULL GROUP BY r.reference
            """,
            [list(item_ids)],
        )
        promised = dict(cursor.fetchall())
    return promised.pop(None), promised


@transaction.atomic
def reverse_movement(*, actor: User, at: datetime, key: str, movement: Movement, effective_on: date) -> Movement:
    """Correct a movement by its counter-movement; both stay. Raises InvalidTransition if it was reversed before.

    Possible only while the items are still where the movement put them: ItemsNotThere otherwise.
    """
    Movement.objects.select_for_update(no_key=True).get(pk=movement.pk)
    earlier = Movement.objects.filter(reverses=movement).first()
    if earlier is not None:
        if earlier.key == key:
            return earlier
        raise InvalidTransition(_("This movement was corrected before."))
    for account_id, item_ids in _left_behind(movement):
        account = CustodyAccount.objects.get(pk=account_id)
        if account.is_physical:
            _lock_leaving(item_ids, source=account, effective_on=effective_on, under=movement.under)
    counter, is_new = _open_movement(
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
    """Accounts that the movement filled, each with the items it put there, in lock order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, array_agg(item_id ORDER BY item_id) FROM ledger_posting"
            " WHERE movement_id = %s AND pieces > 0 GROUP BY account_id ORDER BY min(item_id)",
            [movement.pk],
        )
        return [(account, list(items)) for account, items in cursor.fetchall()]


@transaction.atomic
def place_hold(*, actor: User, at: datetime, item_ids: Sequence[int], kind: Hold.Kind, reference: str) -> int:
    """Keep items where they are until the hold is lifted; how many were not yet held so."""
    _lock_items(item_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_hold (item_id, kind, reference, placed_by_id, placed_at, lift_reason)"
            " SELECT item, %s, %s, %s, %s, '' FROM unnest(%s::bigint[]) AS item"
            " ON CONFLICT (item_id, kind) WHERE lifted_at IS NULL DO NOTHING",
            [kind, reference, actor.pk, at, list(item_ids)],
        )
        return cursor.rowcount


@transaction.atomic
def lift_hold(*, actor: User, at: datetime, item_ids: Sequence[int], kind: Hold.Kind, reason: str) -> int:
    """Lift the active holds of a kind; how many there were. The reason is required."""
    if not reason.strip():
        raise BadInput(fields={"reason": _("Say why.")})
    _lock_items(item_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_hold k SET lifted_by_id = %s, lifted_at = %s, lift_reason = %s"
            " FROM unnest(%s::bigint[]) AS item WHERE k.item_id = item AND k.kind = %s AND k.lifted_at IS NULL",
            [actor.pk, at, reason.strip(), list(item_ids), kind],
        )
        return cursor.rowcount


@transaction.atomic
def reserve_items(*, at: datetime, item_ids: Sequence[int], reference: str) -> None:
    """Promise items to one right. Raises ItemsOnHold, ItemsReserved, ItemsNotThere; then none is reserved."""
    wanted = sorted(set(item_ids))
    # The lock closes the race of two approvals of one item, and of an approval against a dispatch.
    if _lock_items(wanted) != len(wanted):
        raise ItemsNotThere
    held, promised = _bound(wanted)
    if held:
        raise ItemsOnHold
    if promised:
        raise ItemsReserved
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_reservation (item_id, reference, placed_at)"
            " SELECT item, %s, %s FROM unnest(%s::bigint[]) AS item",
            [reference, at, wanted],
        )


@transaction.atomic
def release_items(*, at: datetime, reference: str, item_ids: Sequence[int] | None = None) -> int:
    """End the reservations made for a right, all of them or those of the items given; how many there were."""
    if item_ids is None:
        return Reservation.objects.active().filter(reference=reference).update(released_at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_reservation r SET released_at = %s FROM unnest(%s::bigint[]) AS item"
            " WHERE r.item_id = item AND r.reference = %s AND r.released_at IS NULL",
            [at, list(item_ids), reference],
        )
        return cursor.rowcount


def _lock_items(item_ids: Sequence[int]) -> int:
    """Lock the items' physical holdings by item; how many items have one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM unnest(%s::bigint[]) AS wanted (item)"
            " JOIN ledger_holding h ON h.item_id = wanted.item AND h.is_physical ORDER BY h.item_id FOR UPDATE OF h",
            [list(item_ids)],
        )
        return cursor.rowcount


@transaction.atomic
def dispatch_items(
    *,
    actor: User,
    at: datetime,
    key: str,
    source: CustodyAccount,
    target: CustodyAccount,
    item_ids: Sequence[int],
    under: str = "",
    vehicle: str = "",
    driver: str = "",
    seals: str = "",
    expected_on: date | None = None,
) -> Handover:
    """Send items towards another account: they are in transit until the receiver accepts them.

    A repeated `key` returns the first hand-over. Raises what `move_items` raises.
    """
    if not (source.kind == AccountKind.STORE and target.kind == AccountKind.STORE):
        raise BadInput(_("Goods are handed over from a store to a store."))
    if source.pk == target.pk:
        raise BadInput(fields={"target": _("Choose another store.")})
    _lock_open(target)
    transit = CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=source.custodian_id)
    movement = move_items(
        actor=actor,
        at=at,
        key=key,
        kind=MovementKind.DISPATCH,
        item_ids=item_ids,
        source=source,
        target=transit,
        effective_on=day_of(at),
        reference=under,
        under=under,
        gave=actor,
    )
    earlier = Handover.objects.filter(dispatch_movement=movement).first()
    if earlier is not None:
        return earlier
    (serial,) = take_numbers(series="HO", year=movement.effective_on.year)
    handover = Handover.objects.create(
        number=f"HO{movement.effective_on:%y}-{serial:06d}",
        source=source,
        target=target,
        transit=transit,
        under=under,
        vehicle=vehicle,
        driver=driver,
        seals=seals,
        expected_on=expected_on,
        dispatched_by=actor,
        dispatched_at=at,
        dispatch_movement=movement,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_handoverline (handover_id, item_id, outcome)"
            " SELECT %s, item_id, 'pending' FROM ledger_posting WHERE movement_id = %s AND pieces > 0",
            [handover.pk, movement.pk],
        )
        count = cursor.rowcount
    record(
        "handover.dispatched",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=source.custodian_id,
        source=source.code,
        target=target.code,
        pieces=count,
        under=under,
    )
    return handover


@transaction.atomic
def scan_received(*, actor: User, at: datetime, handover: Handover, item_id: int) -> tuple[HandoverLine, bool]:
    """Note that the receiver has the item in hand; the second value is False when it had been scanned before.

    Raises NotInHandover, SecondPersonNeeded, InvalidTransition.
    """
    _receivable(handover, actor)
    line = HandoverLine.objects.select_for_update().filter(handover=handover, item_id=item_id).first()
    if line is None:
        raise NotInHandover
    if line.scanned_at is not None:
        return line, False
    line.outcome, line.scanned_by, line.scanned_at = HandoverLine.Outcome.RECEIVED, actor, at
    line.save(update_fields=["outcome", "scanned_by", "scanned_at"])
    return line, True


@transaction.atomic
def unscan_received(*, actor: User, handover: Handover, item_id: int) -> None:
    """Take one's own scan back before acceptance."""
    _receivable(handover, actor)
    HandoverLine.objects.filter(handover=handover, item_id=item_id, scanned_by=actor).update(
        outcome=HandoverLine.Outcome.PENDING, scanned_by=None, scanned_at=None
    )


def _receivable(handover: Handover, actor: User) -> Handover:
    """The hand-over locked against being closed meanwhile; only the receiving side may go on."""
    # A share lock lets many scans run at once; acceptance takes the exclusive one and waits for them.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_handover WHERE id = %s FOR SHARE", [handover.pk])
    handover.refresh_from_db()
    if handover.state != Handover.State.DISPATCHED:
        raise InvalidTransition
    if handover.dispatched_by_id == actor.pk:
        raise SecondPersonNeeded
    return handover


@transaction.atomic
def accept_handover(*, actor: User, at: datetime, handover: Handover, difference_reason: str = "") -> Handover:
    """Take what was scanned into the receiving store. What was not stays in transit and becomes a discrepancy.

    Raises InvalidTransition, SecondPersonNeeded, BadInput when something is missing and no reason is given, or when
    nothing was scanned at all.
    """
    # The row lock closes the race of acceptance against cancelling, and of two acceptances.
    handover = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("source", "target", "transit")
        .get(pk=handover.pk)
    )
    if handover.state != Handover.State.DISPATCHED:
        raise InvalidTransition
    if handover.dispatched_by_id == actor.pk:
        raise SecondPersonNeeded
    lines = HandoverLine.objects.filter(handover=handover)
    received = list(lines.filter(outcome=HandoverLine.Outcome.RECEIVED).values_list("item_id", flat=True))
    missing = lines.filter(outcome=HandoverLine.Outcome.PENDING).count()
    if not received:
        raise BadInput(_("Nothing has been scanned yet."))
    if missing and not difference_reason.strip():
        raise BadInput(fields={"difference_reason": _("Say why items are missing.")})
    move_items(
        actor=actor,
        at=at,
        key=f"accept:{handover.pk}",
        kind=MovementKind.ACCEPT,
        item_ids=received,
        source=handover.transit,
        target=handover.target,
        effective_on=day_of(at),
        reference=handover.number,
        under=handover.under,
        gave=handover.dispatched_by,
        accepted=actor,
    )
    lines.filter(outcome=HandoverLine.Outcome.PENDING).update(outcome=HandoverLine.Outcome.MISSING)
    handover.state, handover.closed_by, handover.closed_at = Handover.State.ACCEPTED, actor, at
    handover.difference_reason = difference_reason.strip()
    handover.save(update_fields=["state", "closed_by", "closed_at", "difference_reason"])
    record(
        "handover.accepted",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=handover.target.custodian_id,
        received=len(received),
        missing=missing,
    )
    if missing:
        within = in_force(RuleCode.DISCREPANCY_DAYS, day_of(at)).value["days"]
        raise_notice(
            at=at,
            kind=Notice.Kind.DISCREPANCY,
            code="handover.missing",
            organisation=Organisation.objects.get(custody_accounts=handover.source_id),
            subject=("handover", handover.pk),
            due_on=day_of(at + timedelta(days=within)),
            actor=actor,
            number=handover.number,
            missing=missing,
            sent=missing + len(received),
            reason=handover.difference_reason,
        )
    return handover


@transaction.atomic
def cancel_handover(*, actor: User, at: datetime, handover: Handover, reason: str) -> Handover:
    """Bring goods in transit back to the sending store, whole. Raises InvalidTransition, BadInput."""
    if not reason.strip():
        raise BadInput(fields={"reason": _("Say why.")})
    handover = Handover.objects.select_for_update(of=("self",)).select_related("source", "transit").get(pk=handover.pk)
    if handover.state != Handover.State.DISPATCHED:
        raise InvalidTransition
    move_items(
        actor=actor,
        at=at,
        key=f"cancel:{handover.pk}",
        kind=MovementKind.RETURN,
        item_ids=list(HandoverLine.objects.filter(handover=handover).values_list("item_id", flat=True)),
        source=handover.transit,
        target=handover.source,
        effective_on=day_of(at),
        reference=handover.number,
        under=handover.under,
    )
    handover.state, handover.closed_by, handover.closed_at = Handover.State.CANCELLED, actor, at
    handover.difference_reason = reason.strip()
    handover.save(update_fields=["state", "closed_by", "closed_at", "difference_reason"])
    record(
        "handover.cancelled",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=handover.source.custodian_id,
        reason=reason.strip(),
    )
    return handover


@transaction.atomic
def close_period(*, actor: User, at: datetime, until: date) -> PeriodClose:
    """Refuse, from now on, every movement that takes effect on or before `until`.

    The table lock waits for movements under way, so that none slips in behind the closed date.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_movement IN SHARE ROW EXCLUSIVE MODE")
    if until >= day_of(at):
        raise BadInput(fields={"until": _("Only past days can be closed.")})
    if PeriodClose.objects.filter(until__gte=until).exists():
        raise InvalidTransition(_("This period is closed already."))
    closed = PeriodClose.objects.create(until=until, closed_by=actor, closed_at=at)
    record("ledger.period_closed", actor=actor, at=at, subject=("ledger", 1), until=until.isoformat())
    return closed


def _lock_open(store: CustodyAccount) -> None:
    """Keep the store open until this transaction ends. Raises StoreClosed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_active FROM ledger_custodyaccount WHERE id = %s FOR SHARE", [store.pk])
        if not cursor.fetchone()[0]:
            raise StoreClosed


class StoreClosed(DomainError):
    """The store takes nothing in any more."""

    code = "store-closed"
    message = _("This store is closed.")


class StoreKnown(DomainError):
    """An account with this code exists."""

    code = "store-known"


class StoreNotEmpty(DomainError):
    """A place with goods in it cannot be closed."""

    code = "store-not-empty"
    message = _("Goods are still kept here or on their way here: move or receive them first.")


@transaction.atomic
def open_store(
    *,
    actor: User | None,
    at: datetime,
    code: str,
    kind: AccountKind,
    custodian: Organisation,
    region: Region | None,
    name_kk: str,
    name_ru: str,
    name_en: str,
    is_reception_point: bool = False,
) -> CustodyAccount:
    """Open a store or an evidence room; with a keeper's first place the account of its goods in transit opens too.

    `actor` None is the system itself, when the registry is set up. Raises BadInput, StoreKnown.
    """
    if kind not in (AccountKind.STORE, AccountKind.EVIDENCE):
        raise BadInput(fields={"kind": _("Choose a store or an evidence room.")})
    if kind == AccountKind.EVIDENCE and is_reception_point:
        raise BadInput(fields={"is_reception_point": _("An evidence room is not a reception point.")})
    if region is None and (kind == AccountKind.EVIDENCE or is_reception_point):
        raise BadInput(fields={"region": _("Say in which region it lies.")})
    # The lock closes the race of two first places of one keeper.
    Organisation.objects.select_for_update(no_key=True).get(pk=custodian.pk)
    if CustodyAccount.objects.filter(code=code).exists():
        raise StoreKnown(fields={"code": _("This code is taken.")})
    CustodyAccount.objects.get_or_create(
        kind=AccountKind.TRANSIT,
        custodian=custodian,
        defaults={
            "code": f"TR-{custodian.bin}",
            "name_kk": f"Жолда: {custodian.name_kk}"[:200],
            "name_ru": f"В пути: {custodian.name_ru}"[:200],
            "name_en": f"In transit: {custodian.name_en}"[:200],
        },
    )
    store = CustodyAccount.objects.create(
        code=code,
        kind=kind,
        custodian=custodian,
        region=region,
        name_kk=name_kk,
        name_ru=name_ru,
        name_en=name_en,
        is_reception_point=is_reception_point,
    )
    record(
        "store.opened",
        actor=actor,
        at=at,
        subject=("store", store.pk),
        subject_name=code,
        organisation_id=custodian.pk,
        kind=store.kind,
        code=code,
    )
    return store


@transaction.atomic
def close_store(*, actor: User, at: datetime, store: CustodyAccount) -> CustodyAccount:
    """Take an empty place out of use. Raises StoreNotEmpty, InvalidTransition."""
    # The lock waits for goods that are being sent here, and those that come later find the store closed.
    locked = CustodyAccount.objects.select_for_update(no_key=True).get(pk=store.pk)
    if not locked.is_active:
        raise InvalidTransition
    if (
        locked.received.filter(state=Handover.State.DISPATCHED).exists()
        or locked.totals.exclude(pieces=0, grams=0).exists()
    ):
        raise StoreNotEmpty
    return _set_active(actor, at, locked, is_active=False)


@transaction.atomic
def reopen_store(*, actor: User, at: datetime, store: CustodyAccount) -> CustodyAccount:
    """Take a closed place into use again. Raises InvalidTransition."""
    locked = CustodyAccount.objects.select_for_update(no_key=True).get(pk=store.pk)
    if locked.is_active:
        raise InvalidTransition
    return _set_active(actor, at, locked, is_active=True)


def _set_active(actor: User, at: datetime, store: CustodyAccount, *, is_active: bool) -> CustodyAccount:
    store.is_active = is_active
    store.save(update_fields=["is_active"])
    record(
        "store.reopened" if is_active else "store.closed",
        actor=actor,
        at=at,
        subject=("store", store.pk),
        subject_name=store.code,
        organisation_id=store.custodian_id,
    )
    return store
