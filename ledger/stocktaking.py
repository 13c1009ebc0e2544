"""Questions about a stock-take: how it stands now."""

from dataclasses import dataclass

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from ledger.models import AccountKind, CustodyAccount, StockTake


class Stray(models.TextChoices):
    """What an item is that a count found and the books have elsewhere; a notice of this name tells of it."""

    DESTROYED = "destroyed", _("Destroyed")
    GONE = "gone", _("No longer in the register's stores")
    EVIDENCE = "evidence", _("Evidence")
    IN_TRANSIT = "in_transit", _("In transit")
    OTHER_KEEPER = "other_keeper", _("Another keeper's")
    OTHER_STORE = "other_store", _("Of another store of this keeper")


def judge_stray(place: CustodyAccount | None, *, found_in: CustodyAccount) -> Stray:
    """What an item is that stands in the books of one place and was found in another."""
    if place is not None and place.kind == AccountKind.DESTRUCTION:
        return Stray.DESTROYED
    if place is None or not place.is_physical:
        return Stray.GONE
    if place.kind == AccountKind.EVIDENCE:
        return Stray.EVIDENCE
    if place.kind == AccountKind.TRANSIT:
        return Stray.IN_TRANSIT
    return Stray.OTHER_STORE if place.custodian_id == found_in.custodian_id else Stray.OTHER_KEEPER


def people_of(key: str) -> set[int]:
    """Who opened a stock-take, scanned, ended the counting or signed: none of them judges what it told."""
    stocktake = StockTake.objects.filter(pk=key).first()
    if stocktake is None:
        return set()
    people = {stocktake.opened_by_id, *stocktake.tallies.values_list("person", flat=True)}
    people.update(stocktake.members.filter(signed_at__isnull=False).values_list("person", flat=True))
    if stocktake.ended_by_id is not None:
        people.add(stocktake.ended_by_id)
    return people


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
