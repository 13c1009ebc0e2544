"""Questions that span rooms: what a store's period was made of, where an item is, what happened to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypedDict

from django.db import connection
from django.db.models import Count, F, QuerySet, Subquery, Sum, Value, prefetch_related_objects
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise, WithAnnotations

from ledger.models import CustodyAccount, Hold, Posting, Reservation
from ledger.selectors import as_of, positions
from marking.models import Mark
from registry.models import DecidedItem, Derivative, Origin, Term, split_stock_class
from reports.balance import Amount, Line, Source

# One statement is one snapshot: postings and kept totals are compared as of the same instant, whatever is
# committed meanwhile. `tag` 0: before the period, 1: a line in it, 2: after it, 3: the kept total.
_SOURCE = """
WITH mine AS (
    SELECT p.movement_id, p.stock_class,
        sum(p.pieces) FILTER (WHERE p.pieces > 0 OR (p.pieces = 0 AND p.grams > 0)) AS pieces_in,
        sum(p.grams) FILTER (WHERE p.pieces > 0 OR (p.pieces = 0 AND p.grams > 0)) AS grams_in,
        -sum(p.pieces) FILTER (WHERE p.pieces < 0 OR (p.pieces = 0 AND p.grams < 0)) AS pieces_out,
        -sum(p.grams) FILTER (WHERE p.pieces < 0 OR (p.pieces = 0 AND p.grams < 0)) AS grams_out
    FROM ledger_posting p WHERE p.account_id = %(account)s GROUP BY p.movement_id, p.stock_class
), dated AS (
    SELECT mine.movement_id, mine.stock_class, m.effective_on,
        coalesce(pieces_in, 0)::bigint AS pieces_in, coalesce(grams_in, 0)::bigint AS grams_in,
        coalesce(pieces_out, 0)::bigint AS pieces_out, coalesce(grams_out, 0)::bigint AS grams_out
    FROM mine JOIN ledger_movement m ON m.id = mine.movement_id
)
SELECT 0 AS tag, stock_class, sum(pieces_in - pieces_out)::bigint AS pieces_in,
    sum(grams_in - grams_out)::bigint AS grams_in, 0::bigint AS pieces_out, 0::bigint AS grams_out,
    NULL::bigint AS movement, NULL::date AS effective_on, NULL::timestamptz AS recorded_at, NULL AS kind,
    NULL AS reference, NULL::bigint AS other, NULL::bigint AS actor, NULL::bigint AS far
FROM dated WHERE effective_on < %(starts_on)s GROUP BY stock_class
UNION ALL
SELECT 1, d.stock_class, d.pieces_in, d.grams_in, d.pieces_out, d.grams_out,
    m.id, m.effective_on, m.recorded_at, m.kind, coalesce(nullif(h.number, ''), m.reference),
    coalesce(
        (SELECT o.account_id FROM ledger_posting o
         WHERE o.movement_id = m.id AND o.account_id < %(account)s LIMIT 1),
        (SELECT o.account_id FROM ledger_posting o
         WHERE o.movement_id = m.id AND o.account_id > %(account)s LIMIT 1)
    ), m.actor_id, CASE m.kind WHEN 'dispatch' THEN h.target_id WHEN 'accept' THEN n.source_id
        WHEN 'return' THEN n.target_id END
FROM dated d JOIN ledger_movement m ON m.id = d.movement_id
LEFT JOIN ledger_handover h ON m.kind = 'dispatch' AND h.dispatch_movement_id = m.id
LEFT JOIN ledger_handover n ON m.kind IN ('accept', 'return') AND n.number = m.reference
WHERE d.effective_on BETWEEN %(starts_on)s AND %(ends_on)s
UNION ALL
SELECT 2, stock_class, sum(pieces_in - pieces_out)::bigint, sum(grams_in - grams_out)::bigint, 0, 0,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM dated WHERE effective_on > %(ends_on)s GROUP BY stock_class
UNION ALL
SELECT 3, stock_class, pieces, grams, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM ledger_accounttotal WHERE account_id = %(account)s
ORDER BY tag, effective_on, movement, stock_class
"""


def read_statement_source(account: CustodyAccount, starts_on: date, ends_on: date) -> Source:
    """Everything a statement of the account over the period is made of, read in one snapshot.

    Days are effective days, both included. Reads the account's postings, so its cost grows with them.
    """
    source = Source()
    sums = {0: source.opening, 2: source.later, 3: source.totals}
    with connection.cursor() as cursor:
        cursor.execute(_SOURCE, {"account": account.pk, "starts_on": starts_on, "ends_on": ends_on})
        for row in cursor.fetchall():
            tag, stock_class = row[0], row[1]
            came, left = Amount(row[2], row[3]), Amount(row[4], row[5])
            if tag == 1:
                movement, on, recorded_at, kind, reference, other, actor, far = row[6:]
                source.lines.append(
                    Line(movement, on, recorded_at, kind, reference, other, far, stock_class, came, left, actor)
                )
            else:
                sums[tag][stock_class] = came
    return source


@dataclass(frozen=True, slots=True)
class StockRow:
    """Pieces and grams of one term and origin class in one store."""

    account: CustodyAccount
    term: Term
    origin: Origin
    pieces: int
    grams: int


def stock_rows(
    accounts: Iterable[CustodyAccount], *, day: date | None = None, term: str = "", origin: str = ""
) -> list[StockRow]:
    """What the accounts hold now, or held at the end of `day`, in the order of accounts, terms and origins.

    Read from the ledger's totals: the cost follows the number of stores, not of items.
    """
    known = {account.pk: account for account in accounts}
    found = positions(known) if day is None else as_of(known, day)
    order = {pk: place for place, pk in enumerate(known)}
    rows = [
        StockRow(known[position.account_id], *split_stock_class(position.stock_class), position.pieces, position.grams)
        for position in found
    ]
    wanted = [row for row in rows if (not term or row.term == term) and (not origin or row.origin == origin)]
    return sorted(
        wanted,
        key=lambda row: (order[row.account.pk], Term.values.index(row.term), Origin.values.index(row.origin)),
    )


class InPlace(TypedDict):
    """What `with_place` adds to a derivative."""

    place_id: int
    pieces: int
    grams: int
    since: date
    now_class: str


if TYPE_CHECKING:
    PlacedDerivative = WithAnnotations[Derivative, InPlace]
else:
    PlacedDerivative = Derivative


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One derivative as a list shows it: where it is, how much of it, its mark, what binds it."""

    derivative: Derivative
    place: CustodyAccount
    pieces: int
    grams: int
    since: date
    code: str
    holds: list[Hold]
    reserved_for: str
    stock_class: str = ""
    decided: str = ""

    @property
    def origin(self) -> Origin:
        """What kind of stock it is now: what was seized is confiscated once a court has said so."""
        return split_stock_class(self.stock_class)[1] if self.stock_class else Origin(self.derivative.origin)

    @property
    def origin_in_words(self) -> StrOrPromise:
        """The class of stock, and of seized goods whether a court has decided: then none is pending."""
        return _("seized, a court has decided") if self.decided and self.origin == Origin.SEIZURE else self.origin.label


def with_place(queryset: QuerySet[Derivative], **where: object) -> QuerySet[PlacedDerivative]:
    """Derivatives with the one holding that says where each is; `where` are conditions on that holding.

    All conditions stand in one join, because an item is in one place at a time.
    """
    conditions = {f"item__holdings__{name}": value for name, value in where.items()}
    return queryset.filter(item__holdings__pieces__gt=0, **conditions).annotate(
        place_id=F("item__holdings__account_id"),
        pieces=F("item__holdings__pieces"),
        grams=F("item__holdings__grams"),
        since=F("item__holdings__moved_on"),
        now_class=F("item__holdings__stock_class"),
    )


def place_one(known: QuerySet[Derivative], pk: int) -> PlacedDerivative:
    """One derivative with its place; raises Http404.

    What one run made and another consumed came from processing and went back there: nothing holds it, and it is told as
    consumed. What nothing holds otherwise was taken back, and is told so by where it was registered from.
    """
    if placed := with_place(known).filter(pk=pk).first():
        return placed
    last = Posting.objects.filter(item=pk, account__is_physical=False).order_by("-pk")
    gone = known.annotate(
        place_id=Subquery(last.values("account")[:1]),
        pieces=Value(0),
        grams=Value(0),
        since=Subquery(last.values("movement__effective_on")[:1]),
        now_class=Subquery(last.values("stock_class")[:1]),
    )
    found: PlacedDerivative = get_object_or_404(gone.filter(place_id__isnull=False), pk=pk)
    return found


def describe_items(derivatives: Sequence[PlacedDerivative]) -> list[ItemRow]:
    """The rows of a list for derivatives from `with_place`, in their order, by six queries for any number.

    Receptions are fetched beside the list and not joined to it: the join would lead the planner astray.
    """
    prefetch_related_objects(derivatives, "intake")
    keys = [derivative.pk for derivative in derivatives]
    places = CustodyAccount.objects.in_bulk({derivative.place_id for derivative in derivatives})
    codes = dict(Mark.objects.active().filter(derivative__in=keys).values_list("derivative_id", "code"))
    reserved = dict(Reservation.objects.active().filter(item__in=keys).values_list("item_id", "reference"))
    holds: dict[int, list[Hold]] = {}
    for hold in Hold.objects.active().filter(item__in=keys).order_by("pk"):
        holds.setdefault(hold.item_id, []).append(hold)
    seized = [derivative.pk for derivative in derivatives if derivative.origin == Origin.SEIZURE]
    decided = dict(DecidedItem.objects.filter(item__in=seized, is_confirmed=True).values_list("item_id", "outcome"))
    return [
        ItemRow(
            derivative=derivative,
            place=places[derivative.place_id],
            pieces=derivative.pieces,
            grams=derivative.grams,
            since=derivative.since,
            code=codes.get(derivative.pk, ""),
            holds=holds.get(derivative.pk, []),
            reserved_for=reserved.get(derivative.pk, ""),
            stock_class=derivative.now_class,
            decided=decided.get(derivative.pk, ""),
        )
        for derivative in derivatives
    ]


COUNTED_AT_ONCE = 1_000
# Newest reception first: filters on receptions find their items without walking past everybody else's.
LIST_ORDER = ("-intake_id", "-row")


@dataclass(frozen=True, slots=True)
class ItemTotals:
    """Pieces and grams of everything that matches."""

    pieces: int
    grams: int


def count_items(queryset: QuerySet[PlacedDerivative], *, at_most: int = COUNTED_AT_ONCE) -> ItemTotals | None:
    """Pieces and grams of the items, one by one; None when they are more than `at_most`, which stops the count.

    `at_most` 0 counts them all, however long it takes.
    """
    # In the order of the list: what was quick for its first page is quick here.
    counted = queryset.order_by(*LIST_ORDER)[: at_most + 1] if at_most else queryset.order_by()
    found = counted.aggregate(rows=Count("pk"), all_pieces=Sum("pieces"), all_grams=Sum("grams"))
    if at_most and found["rows"] > at_most:
        return None
    return ItemTotals(found["all_pieces"] or 0, found["all_grams"] or 0)


def sum_positions(accounts: Iterable[int], stock_classes: Sequence[str]) -> ItemTotals:
    """The same from the ledger's totals, for physical accounts; no stock classes means all of them."""
    found = [position for position in positions(accounts) if not stock_classes or position.stock_class in stock_classes]
    return ItemTotals(sum(position.pieces for position in found), sum(position.grams for position in found))
