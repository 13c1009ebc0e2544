"""What the books of labels say: per reel and per office, by the ledger and by the marks themselves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from core.accounts.models import Organisation, User
from marking.models import LabelHolding, LabelPlace, LabelReel, LabelSeries, LabelShipment, LabelShipmentLine
from marking.models.stock import offices_of, oversees_labels

BLANK_PLACES = (LabelPlace.TO_PRINT, LabelPlace.OFFICE, LabelPlace.TRANSIT)
SPENT_PLACES = (LabelPlace.APPLIED, LabelPlace.SPOILED, LabelPlace.DESTROYED, LabelPlace.LOST)


@dataclass(slots=True)
class Balance:
    """Labels by where they are, of the ledger; and how many marks stand so, counted one by one.

    What remains is known three ways: from what was issued, from the ledger, from the marks. All three are the same.
    """

    issued: int = 0
    places: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    marks: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def remaining(self) -> int:
        """Blank labels by the ledger."""
        return sum(self.places[place] for place in BLANK_PLACES)

    @property
    def remaining_by_marks(self) -> int:
        """Blank labels, mark by mark."""
        return self.marks["blank"]

    @property
    def remaining_by_issue(self) -> int:
        """What was issued, less what is applied, spoiled, destroyed and lost."""
        return self.issued - sum(self.places[place] for place in SPENT_PLACES)

    @property
    def printed(self) -> int:
        return self.issued - self.places[LabelPlace.TO_PRINT]

    @property
    def adds_up(self) -> bool:
        return self.remaining == self.remaining_by_marks == self.remaining_by_issue and all(
            self.places[place] == self.marks[place] for place in SPENT_PLACES
        )


@dataclass(frozen=True, slots=True)
class ReelRow:
    """A reel with its balance, and whose its blank labels are now (None when none is left).

    `is_blind`: the office of whoever reads this is to count its labels, so no count of it is told them before.
    """

    reel: LabelReel
    balance: Balance
    holder: LabelHolding | None
    is_blind: bool = False


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """What an office has and had of all reels: by the ledger; `at_office_by_marks` by counting marks of its reels.

    `is_blind`: labels come back to it that whoever reads this may have to count, so what is on its way is not told.
    """

    office: Organisation
    ordered: int
    places: dict[str, int]
    at_office_by_marks: int
    applied_by_marks: int
    is_blind: bool = False

    @property
    def adds_up(self) -> bool:
        at_office = self.places.get(LabelPlace.OFFICE, 0)
        return at_office == self.at_office_by_marks and self.places.get(LabelPlace.APPLIED, 0) == self.applied_by_marks


def reel_rows(reels: Sequence[LabelReel], *, reader: User | None = None) -> list[ReelRow]:
    """The balance of each reel, in their order, as this person may know it: three queries, whatever the number."""
    keys = [reel.pk for reel in reels]
    blind = _to_be_counted(keys, reader) if reader is not None else set()
    balances: dict[int, Balance] = {reel.pk: Balance() for reel in reels}
    holders: dict[int, LabelHolding] = {}
    for held in LabelHolding.objects.filter(reel__in=keys).select_related("organisation"):
        balance = balances[held.reel_id]
        if held.place == LabelPlace.ISSUED:
            balance.issued -= held.pieces
            continue
        balance.places[held.place] += held.pieces
        if held.place in BLANK_PLACES and held.pieces:
            holders[held.reel_id] = held
    for reel, standing, pieces in count_marks(keys):
        balances[reel].marks[standing] += pieces
    return [ReelRow(reel, balances[reel.pk], holders.get(reel.pk), reel.pk in blind) for reel in reels]


def _to_be_counted(reels: Iterable[int], reader: User) -> set[int]:
    """Which of these are on their way to an office of the person, where they are counted without knowing how many."""
    coming = LabelShipment.objects.coming_to(offices_of(reader))
    lines = LabelShipmentLine.objects.filter(reel__in=list(reels), shipment__in=coming.values("pk"))
    return set(lines.values_list("reel_id", flat=True))


def count_marks(reels: Iterable[int]) -> list[tuple[int, str, int]]:
    """How many marks of each reel stand how, counted from the marks: reel, standing, pieces."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT reel_id, CASE WHEN state IN ('active', 'void', 'replaced') THEN 'applied' ELSE state END AS standing,
                count(*)
            FROM marking_mark WHERE reel_id = ANY(%s) GROUP BY 1, 2
            """,
            [list(reels)],
        )
        return cursor.fetchall()


def office_rows(user: User) -> list[OfficeRow]:
    """Each office that the person may know of, with what it has and had: a fixed number of queries."""
    known = None if oversees_labels(user) else list(offices_of(user))
    places: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT organisation_id, place, sum(pieces) FROM marking_labelholding
            WHERE place <> 'issued' AND (%s::bigint[] IS NULL OR organisation_id = ANY(%s)) GROUP BY 1, 2
            """,
            [known, known],
        )
        for office, place, pieces in cursor.fetchall():
            places[office][place] += int(pieces)
        cursor.execute(
            """
            SELECT h.organisation_id, count(*) FROM marking_labelholding h
            JOIN marking_mark m ON m.reel_id = h.reel_id AND m.state = 'blank'
            WHERE h.place = 'office' AND h.pieces > 0 AND (%s::bigint[] IS NULL OR h.organisation_id = ANY(%s))
            GROUP BY 1
            """,
            [known, known],
        )
        blank = dict(cursor.fetchall())
        cursor.execute(
            """
            SELECT a.office_id, count(*) FROM marking_labelapplication a
            JOIN marking_mark m ON m.code = a.mark_id AND m.derivative_id = a.derivative_id
            WHERE %s::bigint[] IS NULL OR a.office_id = ANY(%s) GROUP BY 1
            """,
            [known, known],
        )
        applied = dict(cursor.fetchall())
    ordered: dict[int, int] = defaultdict(int)
    series = LabelSeries.objects.exclude(state=LabelSeries.State.CANCELLED)
    for one in series if known is None else series.filter(office__in=known):
        ordered[one.office_id] += one.count
    offices = Organisation.objects.filter(pk__in=set(places) | set(ordered)).order_by("pk")
    own = offices_of(user)
    returning = LabelShipment.objects.coming_to(own).filter(sender__in=own, state=LabelShipment.State.RETURNING)
    blind = set(returning.values_list("sender", flat=True))
    return [
        OfficeRow(
            office,
            ordered[office.pk],
            places[office.pk],
            blank.get(office.pk, 0),
            applied.get(office.pk, 0),
            office.pk in blind,
        )
        for office in offices
    ]


def reels_that_differ() -> list[ReelRow]:
    """Reels whose ledger and marks do not say the same: the database lets none come about."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH ledger AS (
                SELECT reel_id, CASE WHEN place IN ('to_print', 'office', 'transit') THEN 'blank' ELSE place END
                    AS standing, sum(pieces) AS pieces
                FROM marking_labelentry WHERE place <> 'issued' GROUP BY 1, 2
            ), held AS (
                SELECT reel_id, CASE WHEN place IN ('to_print', 'office', 'transit') THEN 'blank' ELSE place END
                    AS standing, sum(pieces) AS pieces
                FROM marking_labelholding WHERE place <> 'issued' GROUP BY 1, 2
            ), marks AS (
                SELECT reel_id, CASE WHEN state IN ('active', 'void', 'replaced') THEN 'applied' ELSE state END
                    AS standing, count(*) AS pieces
                FROM marking_mark WHERE reel_id IS NOT NULL GROUP BY 1, 2
            )
            SELECT DISTINCT reel_id FROM ledger FULL JOIN held USING (reel_id, standing)
                FULL JOIN marks USING (reel_id, standing)
            WHERE coalesce(ledger.pieces, 0) <> coalesce(held.pieces, 0)
                OR coalesce(ledger.pieces, 0) <> coalesce(marks.pieces, 0)
            """
        )
        keys = [key for (key,) in cursor.fetchall()]
    return reel_rows(list(LabelReel.objects.filter(pk__in=keys).select_related("series")))
