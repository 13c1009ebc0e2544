"""Row locks of the ledger, in the one order of the whole system, and what is bound."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django_stubs_ext import StrOrPromise

from ledger.models import CustodyAccount, Hold
from ledger.services.refusals import (
    BackDated,
    BoxIsSealed,
    ItemsNotThere,
    ItemsOnHold,
    ItemsReserved,
    StoreClosed,
)
from ledger.sscc import show_sscc

# What each kind of hold asks for before its items go anywhere.
WHY_HELD: dict[str, StrOrPromise] = {
    Hold.Kind.EVIDENCE: _("Some of these items are evidence (%(reference)s): record the decision of the case first."),
    Hold.Kind.COURT: _("A court decided on some of these items (%(reference)s): they leave as it decided."),
    Hold.Kind.DISPUTE: _("Some of these items are in dispute (%(reference)s): settle it first."),
    Hold.Kind.MISSING: _("Some of these items are missing (%(reference)s): find them first, or report their loss."),
    Hold.Kind.LOSS: _("Some of these items are reported lost or stolen (%(reference)s): settle the report first."),
    Hold.Kind.TO_DESTROY: _("Some of these items are on a list of destruction (%(reference)s)."),
    Hold.Kind.MASS: _(
        "The mass of some of these items is in question (%(reference)s): another person weighs them again."
    ),
    Hold.Kind.PROCESSING: _("Some of these items wait in processing (%(reference)s) for the authority."),
    Hold.Kind.IN_TRANSIT: _("Some of these items are missing on the way (%(reference)s): find or report them first."),
    Hold.Kind.REMOVAL: _(
        "The day on which some of these items were taken does not add up (%(reference)s): the authority judges."
    ),
    Hold.Kind.ORIGIN: _(
        "Some of these items wait for a second person to confirm where they came from (%(reference)s)."
    ),
}


def on_hold(item_ids: Sequence[int]) -> ItemsOnHold:
    """The refusal that says what holds the first of these items, and what to do."""
    held = Hold.objects.active().filter(item__in=item_ids).order_by("item_id", "pk").first()
    if held is None:
        return ItemsOnHold()
    return ItemsOnHold(WHY_HELD[held.kind] % {"reference": held.reference or held.get_kind_display()})


def lock_leaving(wanted: list[int], *, source: CustodyAccount, effective_on: date, under: str) -> None:
    """Lock the items' holdings by item and say in words what the trigger would refuse.

    The lock closes the race of two movements of one item: the second finds the item gone.
    """
    lock_there(wanted, account=source, effective_on=effective_on)
    _require_free(wanted, under=under)


@contextmanager
def leaving(wanted: list[int], *, source: CustodyAccount, effective_on: date, under: str) -> Iterator[None]:
    """As `lock_leaving`, for what the database itself refuses: why it did is asked when it did, and said in words."""
    lock_there(wanted, account=source, effective_on=effective_on)
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        _require_free(wanted, under=under)
        raise


def _require_free(wanted: list[int], *, under: str) -> None:
    held, promised = bound(wanted)
    if held:
        raise on_hold(wanted)
    if promised != ({under: len(wanted)} if under else {}):
        raise ItemsReserved
    if torn := torn_boxes(wanted):
        raise BoxIsSealed(
            _("Something would leave the sealed box %(box)s alone: take the whole box, or open the seal and say why.")
            % {"box": ", ".join(show_sscc(sscc) for sscc in torn[:3])}
        )


def lock_there(wanted: list[int], *, account: CustodyAccount, effective_on: date) -> None:
    """Lock the holdings of items that are in an account, by item. Raises ItemsNotThere, BackDated."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            -- Each item where it is, in their order, by the one index that leads with the item: ten thousand are not
            -- worth reading a store of a million, and of an account that was empty yesterday the planner knows nothing.
            WITH locked AS MATERIALIZED (
                SELECT h.moved_on FROM unnest(%s::bigint[]) AS wanted (item) CROSS JOIN LATERAL (
                    SELECT account_id, moved_on FROM ledger_holding WHERE item_id = wanted.item AND pieces > 0
                    OFFSET 0 FOR UPDATE
                ) h WHERE h.account_id = %s
            )
            SELECT count(*), max(moved_on) FROM locked
            """,
            [sorted(wanted), account.pk],
        )
        there, latest = cursor.fetchone()
    if there != len(wanted):
        raise ItemsNotThere(
            ngettext_lazy(
                "%(count)d item is not in “%(store)s” any more. Reload the list.",
                "%(count)d items are not in “%(store)s” any more. Reload the list.",
                "count",
            )
            % {"count": len(wanted) - there, "store": account.name}
        )
    if latest > effective_on:
        raise BackDated(_("Some of these items arrived after this day."))


def torn_boxes(item_ids: Sequence[int]) -> list[str]:
    """Numbers of sealed boxes and pallets from which some, but not all, of the content is among these items."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH packed AS MATERIALIZED (
                SELECT k.box_id, count(*) AS pieces FROM unnest(%s::bigint[]) AS wanted (item)
                JOIN ledger_packing k ON k.item_id = wanted.item AND k.taken_out_at IS NULL GROUP BY k.box_id
            ),
            -- Sealed by itself or with its pallet. Joined one way at a time: both at once are no hash join.
            sealed AS MATERIALIZED (
                SELECT b.id FROM packed JOIN ledger_box b ON b.id = box_id WHERE b.seal_number <> ''
                UNION
                SELECT s.id FROM packed JOIN ledger_box b ON b.id = box_id
                JOIN ledger_box s ON s.id = b.parent_id WHERE s.seal_number <> ''
            ),
            content AS (
                SELECT id AS sealed_id, id AS box_id FROM sealed
                UNION ALL SELECT s.id, b.id FROM sealed s JOIN ledger_box b ON b.parent_id = s.id
            )
            SELECT s.sscc FROM content c
            JOIN ledger_box s ON s.id = c.sealed_id
            LEFT JOIN packed ON packed.box_id = c.box_id
            CROSS JOIN LATERAL (
                SELECT count(*) AS pieces FROM ledger_packing k WHERE k.box_id = c.box_id AND k.taken_out_at IS NULL
            ) whole
            GROUP BY s.sscc HAVING coalesce(sum(packed.pieces), 0) < sum(whole.pieces) ORDER BY s.sscc
            """,
            [list(item_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def bound(item_ids: Sequence[int]) -> tuple[int, dict[str, int]]:
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


def lock_items(item_ids: Sequence[int]) -> int:
    """Lock the items' physical holdings by item; how many items have one."""
    with connection.cursor() as cursor:
        cursor.execute(
            # The index by item is of what holds pieces: without saying so the whole register is read.
            "SELECT FROM unnest(%s::bigint[]) AS wanted (item)"
            " JOIN ledger_holding h ON h.item_id = wanted.item AND h.pieces > 0 AND h.is_physical"
            " ORDER BY h.item_id FOR UPDATE OF h",
            [list(item_ids)],
        )
        return cursor.rowcount


def lock_open(*stores: CustodyAccount) -> None:
    """Keep these stores open until this transaction ends. Raises StoreClosed."""
    keys = [store.pk for store in stores]
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_active FROM ledger_custodyaccount WHERE id = ANY(%s) ORDER BY id FOR SHARE", [keys])
        if not all(is_active for (is_active,) in cursor.fetchall()):
            raise StoreClosed
