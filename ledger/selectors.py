"""Questions to the ledger that span several models, and its self-check."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Q, QuerySet

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from ledger.models import AccountKind, Box, CustodyAccount, Packing, Placement, Shelf


def stores_of(
    user: User, act: Can, *, kinds: Collection[AccountKind] = (AccountKind.STORE,)
) -> QuerySet[CustodyAccount]:
    """Stores where the person may do the act: the own organisations'; an inspection, the State's in its regions too."""
    own = Q(custodian__in=user.organisation_ids(act))
    regions = user.region_codes(Can.OPEN_INTAKE)
    if regions and user.can(act):
        own |= Q(custodian__kind__in=Organisation.STATE_BODIES, region__in=regions)
    return CustodyAccount.objects.filter(own, kind__in=kinds, is_active=True).select_related("custodian")


def items_in_boxes(box_ids: Iterable[int]) -> dict[int, list[int]]:
    """The items that lie in each of these boxes, or in the boxes on these pallets; empty ones are left out."""
    found: dict[int, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.box, k.item_id FROM unnest(%s::bigint[]) AS w (box)
            JOIN ledger_box b ON b.id = w.box OR b.parent_id = w.box
            JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL ORDER BY w.box, k.item_id
            """,
            [list(box_ids)],
        )
        for box, item in cursor.fetchall():
            found.setdefault(box, []).append(item)
    return found


def items_on_shelves(shelf_ids: Iterable[int]) -> dict[int, int]:
    """Which item stands on which of these shelves: alone, in a box, or in a box on a pallet. Item → shelf."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH here AS (
                SELECT shelf_id, item_id, box_id FROM ledger_placement WHERE shelf_id = ANY(%s) AND removed_at IS NULL
            )
            SELECT item_id, shelf_id FROM here WHERE item_id IS NOT NULL
            UNION ALL
            SELECT k.item_id, h.shelf_id FROM here h JOIN ledger_box b ON b.id = h.box_id OR b.parent_id = h.box_id
            JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
            """,
            [list(shelf_ids)],
        )
        return dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where in its store an item is: in which box, on which pallet, on which shelf; None where nobody said."""

    box: Box | None
    shelf: Shelf | None


def whereabouts(item_ids: Iterable[int]) -> dict[int, Whereabouts]:
    """Box and shelf of each item that has one; three queries, however many items."""
    keys = list(item_ids)
    packed = {
        packing.item_id: packing.box
        for packing in Packing.objects.present().filter(item__in=keys).select_related("box__parent")
    }
    outer = {box.parent_id or box.pk for box in packed.values()}
    on_shelf = Placement.objects.present().select_related("shelf")
    shelf_of_item = {one.item_id: one.shelf for one in on_shelf.filter(item__in=keys)}
    shelf_of_box = {one.box_id: one.shelf for one in on_shelf.filter(box__in=outer)}
    found: dict[int, Whereabouts] = {}
    for key in keys:
        box = packed.get(key)
        shelf = shelf_of_box.get(box.parent_id or box.pk) if box else shelf_of_item.get(key)
        if box or shelf:
            found[key] = Whereabouts(box, shelf)
    return found


@dataclass(frozen=True, slots=True)
class Position:
    """Pieces and grams of one stock class in one account."""

    account_id: int
    stock_class: str
    pieces: int
    grams: int


def positions(accounts: Iterable[CustodyAccount | int]) -> list[Position]:
    """What the accounts hold now, from the totals: the cost does not grow with the number of items."""
    return _positions(
        "SELECT account_id, stock_class, pieces, grams FROM ledger_accounttotal"
        " WHERE account_id = ANY(%s) AND (pieces <> 0 OR grams <> 0) ORDER BY account_id, stock_class",
        [_keys(accounts)],
    )


def as_of(accounts: Iterable[CustodyAccount | int], day: date) -> list[Position]:
    """What the accounts held at the end of `day`: today's totals less everything that took effect later."""
    keys = _keys(accounts)
    return _positions(
        """
        SELECT account_id, stock_class, sum(pieces)::bigint, sum(grams)::bigint FROM (
            SELECT account_id, stock_class, pieces, grams FROM ledger_accounttotal WHERE account_id = ANY(%s)
            UNION ALL
            SELECT p.account_id, p.stock_class, -p.pieces, -p.grams
            FROM ledger_posting p JOIN ledger_movement m ON m.id = p.movement_id
            WHERE m.effective_on > %s AND p.account_id = ANY(%s)
        ) AS both_ways
        GROUP BY account_id, stock_class HAVING sum(pieces) <> 0 OR sum(grams) <> 0
        ORDER BY account_id, stock_class
        """,
        [keys, day, keys],
    )


def _positions(sql: str, params: list[list[int] | date]) -> list[Position]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [Position(*row) for row in cursor.fetchall()]


def _keys(accounts: Iterable[CustodyAccount | int]) -> list[int]:
    return [account if isinstance(account, int) else account.pk for account in accounts]


CHECKS = {
    "movements that do not balance": """
        SELECT movement_id || ' item ' || item_id FROM ledger_posting
        GROUP BY movement_id, item_id HAVING sum(pieces) <> 0 OR sum(grams) <> 0
    """,
    "movements without postings": """
        SELECT m.id::text FROM ledger_movement m
        WHERE NOT EXISTS (SELECT FROM ledger_posting p WHERE p.movement_id = m.id)
    """,
    "holdings that differ from the sum of postings": """
        SELECT account_id || ' item ' || item_id FROM (
            SELECT account_id, item_id, sum(pieces) AS pieces, sum(grams) AS grams FROM ledger_posting
            GROUP BY account_id, item_id HAVING sum(pieces) <> 0 OR sum(grams) <> 0
        ) posted FULL JOIN ledger_holding held USING (account_id, item_id)
        WHERE (posted.pieces, posted.grams) IS DISTINCT FROM (held.pieces, held.grams)
    """,
    "totals that differ from the sum of postings": """
        SELECT account_id || ' ' || stock_class FROM (
            SELECT account_id, stock_class, sum(pieces) AS pieces, sum(grams) AS grams FROM ledger_posting
            GROUP BY account_id, stock_class
        ) posted FULL JOIN ledger_accounttotal kept USING (account_id, stock_class)
        WHERE (coalesce(posted.pieces, 0), coalesce(posted.grams, 0))
            IS DISTINCT FROM (coalesce(kept.pieces, 0), coalesce(kept.grams, 0))
    """,
    "totals that differ from the holdings": """
        SELECT account_id || ' ' || stock_class FROM (
            SELECT account_id, stock_class, sum(pieces) AS pieces, sum(grams) AS grams FROM ledger_holding
            WHERE is_physical GROUP BY account_id, stock_class
        ) held FULL JOIN (SELECT * FROM ledger_accounttotal WHERE is_physical) kept USING (account_id, stock_class)
        WHERE (coalesce(held.pieces, 0), coalesce(held.grams, 0))
            IS DISTINCT FROM (coalesce(kept.pieces, 0), coalesce(kept.grams, 0))
    """,
    "physical accounts below zero": """
        SELECT h.account_id || ' item ' || h.item_id FROM ledger_holding h
        JOIN ledger_custodyaccount a ON a.id = h.account_id
        WHERE a.is_physical AND (h.pieces < 0 OR h.grams < 0)
    """,
    "holdings whose nature differs from their account": """
        SELECT h.account_id || ' item ' || h.item_id FROM ledger_holding h
        JOIN ledger_custodyaccount a ON a.id = h.account_id WHERE a.is_physical <> h.is_physical
    """,
    "items in more than one place": """
        SELECT item_id::text FROM ledger_holding WHERE pieces > 0 GROUP BY item_id HAVING count(*) > 1
    """,
    "boxes that are not where their content is": """
        SELECT b.sscc FROM ledger_box b JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
        LEFT JOIN ledger_holding h ON h.item_id = k.item_id AND h.account_id = b.account_id AND h.pieces > 0
        WHERE h.item_id IS NULL GROUP BY b.sscc
    """,
    "boxes that are not where their pallet is": """
        SELECT b.sscc FROM ledger_box b JOIN ledger_box p ON p.id = b.parent_id WHERE p.account_id <> b.account_id
    """,
    "things on a shelf of another store": """
        SELECT l.id::text FROM ledger_placement l JOIN ledger_shelf s ON s.id = l.shelf_id
        LEFT JOIN ledger_holding h ON h.item_id = l.item_id AND h.account_id = s.account_id AND h.pieces > 0
        LEFT JOIN ledger_box b ON b.id = l.box_id AND b.account_id = s.account_id
        WHERE l.removed_at IS NULL AND h.item_id IS NULL AND b.id IS NULL
    """,
    "items that are nowhere": """
        SELECT i.id::text FROM ledger_item i WHERE NOT EXISTS (SELECT FROM ledger_posting p WHERE p.item_id = i.id)
    """,
}


def find_differences(limit: int = 20) -> dict[str, list[str]]:
    """Rebuild everything from the postings and compare; what was found under each heading, at most `limit` each.

    An empty dict means that the ledger tells the truth. Reads the whole ledger: run it off the peak.
    """
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for heading, sql in CHECKS.items():
            cursor.execute(sql)
            rows = [row[0] for row in cursor.fetchmany(limit)]
            if rows:
                found[heading] = rows
    return found
