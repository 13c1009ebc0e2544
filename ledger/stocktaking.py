"""Questions about a stock-take: how it stands now."""

from dataclasses import dataclass

from django.db import connection

from ledger.models import StockTake


@dataclass(frozen=True, slots=True)
class Live:
    """How a count stands, over everybody who scans. `missing` is what nobody has scanned yet."""

    expected: int
    found: int
    misplaced: int
    elsewhere: int
    arrived: int
    unknown: int
    repeats: int
    missing: int

    @property
    def differing(self) -> int:
        """Scans that say something else than the books, what came meanwhile left out."""
        return self.misplaced + self.elsewhere + self.unknown


def count_live(stocktake: StockTake) -> Live:
    """The sum of people's tallies: as quick after fifty thousand scans as after one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(found), 0)::int, coalesce(sum(misplaced), 0)::int, coalesce(sum(elsewhere), 0)::int,"
            " coalesce(sum(arrived), 0)::int, coalesce(sum(unknown), 0)::int, coalesce(sum(repeats), 0)::int"
            " FROM ledger_stocktaketally WHERE stocktake_id = %s",
            [stocktake.pk],
        )
        found, misplaced, elsewhere, arrived, unknown, repeats = cursor.fetchone()
    # On a store's count what stands on another shelf is one of those expected; on a shelf's count it is not.
    seen = found + (misplaced if stocktake.shelf_id is None else 0)
    expected = stocktake.expected_items
    return Live(expected, seen, misplaced, elsewhere, arrived, unknown, repeats, max(expected - seen, 0))


def count_left(stocktake: StockTake) -> int:
    """How many of the expected items that nobody scanned have left the store since counting began."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT DISTINCT p.item_id FROM ledger_posting p
                JOIN ledger_movement m ON m.id = p.movement_id
                WHERE p.account_id = %(account)s AND p.pieces < 0 AND m.recorded_at >= %(since)s
            ) gone
            JOIN ledger_stocktakeline l ON l.stocktake_id = %(stocktake)s AND l.item_id = gone.item_id AND l.is_chosen
            WHERE NOT EXISTS (
                SELECT FROM ledger_stocktakescan s
                WHERE s.stocktake_id = l.stocktake_id AND s.item_id = l.item_id AND s.undone_at IS NULL
            ) AND NOT EXISTS (
                SELECT FROM ledger_holding h
                WHERE h.account_id = %(account)s AND h.item_id = l.item_id AND h.pieces > 0
            )
            """,
            {"account": stocktake.account_id, "since": stocktake.frozen_at, "stocktake": stocktake.pk},
        )
        (left,) = cursor.fetchone()
    return int(left)
