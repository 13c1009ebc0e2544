"""What is told of boxes: their content as people see it, and what their labels say."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.base.templatetags import fmt
from custody.box_labels import BoxLabel, ShelfLabel
from ledger.models import AccountKind, Box, CustodyAccount, Holding, Packing, Placement, Shelf
from registry.models import Derivative, Origin, Term, split_stock_class

PLACES = (AccountKind.STORE, AccountKind.EVIDENCE)


def places_of(user: User) -> QuerySet[CustodyAccount]:
    """Stores and evidence rooms where the person has goods in hand."""
    found = CustodyAccount.objects.worked_in_by(user).filter(kind__in=PLACES, is_active=True)
    return found.select_related("custodian").order_by("code")


@dataclass(frozen=True, slots=True)
class Content:
    """What lies in a box, or in the boxes on a pallet: pieces, grams, filled boxes, kinds of goods."""

    pieces: int = 0
    grams: int = 0
    boxes: int = 0
    kinds: Sequence[tuple[Term, Origin]] = ()

    @property
    def words(self) -> str:
        """“Horn, Removal from the wild” for each kind of goods."""
        return "; ".join(f"{term.label}, {origin.label}" for term, origin in self.kinds)


def contents_of(box_ids: Sequence[int]) -> dict[int, Content]:
    """The content of each of these boxes and pallets; one query, however many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.box, count(*), coalesce(sum(h.grams), 0)::bigint, count(DISTINCT k.box_id),
                array_agg(DISTINCT h.stock_class)
            FROM unnest(%s::bigint[]) AS w (box)
            JOIN ledger_box b ON b.id = w.box OR b.parent_id = w.box
            JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
            JOIN ledger_holding h ON h.item_id = k.item_id AND h.is_physical AND h.pieces > 0
            GROUP BY w.box
            """,
            [list(box_ids)],
        )
        return {
            box: Content(pieces, grams, boxes, [split_stock_class(kind) for kind in kinds])
            for box, pieces, grams, boxes, kinds in cursor.fetchall()
        }


def items_in(box: Box) -> QuerySet[Derivative]:
    """The items that lie in the box, or in the boxes on the pallet, each with its class now."""
    packed = Packing.objects.present()
    packed = packed.filter(box__parent=box) if box.is_pallet else packed.filter(box=box)
    present = Holding.objects.filter(item=OuterRef("pk"), pieces__gt=0).values("stock_class")[:1]
    return Derivative.objects.filter(pk__in=packed.values("item")).annotate(now_class=Subquery(present))


def shelf_of(box: Box) -> Shelf | None:
    """Where the box stands; on a pallet, where the pallet stands."""
    placement = Placement.objects.present().filter(box=box.parent_id or box.pk).select_related("shelf").first()
    return placement.shelf if placement else None


def labels_of(boxes: Sequence[Box]) -> list[BoxLabel]:
    """What the labels of these boxes say, in the language that is active; two queries."""
    contents = contents_of([box.pk for box in boxes])
    return [_label(box, contents.get(box.pk, Content())) for box in boxes]


def _label(box: Box, content: Content) -> BoxLabel:
    inside = f"{fmt.pieces(content.pieces)}, {fmt.kg(content.grams)}" if content.pieces else _("empty")
    lines = [(_("Inside"), inside)]
    if box.is_pallet and content.boxes:
        lines.append((_("Boxes"), fmt.count(content.boxes)))
    if content.kinds:
        lines.append((_("What it is"), content.words))
    lines.append((_("Store"), f"{box.account.code} {box.account.name}"))
    if box.sealed_at is not None:
        lines += [(_("Seal"), box.seal_number), (_("Sealed"), fmt.short_day(box.sealed_at))]
    else:
        lines += [(_("Seal"), "_" * 14), (_("Begun"), fmt.short_day(box.begun_at))]
    keeper = box.account.custodian
    return BoxLabel(
        registry=_("Registry of saiga derivatives"),
        kind=str(box.get_kind_display()),
        sscc=box.sscc,
        shown=box.shown,
        keeper=keeper.name if keeper else "",
        lines=[(str(name), str(text)) for name, text in lines],
    )


def labels_of_shelves(shelves: Sequence[Shelf]) -> list[ShelfLabel]:
    return [
        ShelfLabel(f"{shelf.account.code} {shelf.account.name}", shelf.code, shelf.name, shelf.number)
        for shelf in shelves
    ]


def count_on_shelves(account: CustodyAccount) -> dict[int, tuple[int, int]]:
    """Pieces and boxes that stand on each shelf of a store, pallets' boxes included; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.id, count(l.item_id) + coalesce(sum(inside.items), 0)::bigint,
                coalesce(sum(inside.boxes), 0)::bigint
            FROM ledger_shelf s JOIN ledger_placement l ON l.shelf_id = s.id AND l.removed_at IS NULL
            LEFT JOIN LATERAL (
                SELECT count(k.id) AS items, count(DISTINCT b.id) FILTER (WHERE b.kind = 'box') AS boxes
                FROM ledger_box b LEFT JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
                WHERE l.box_id IS NOT NULL AND (b.id = l.box_id OR b.parent_id = l.box_id)
            ) inside ON true
            WHERE s.account_id = %s GROUP BY s.id
            """,
            [account.pk],
        )
        return {shelf: (pieces, boxes) for shelf, pieces, boxes in cursor.fetchall()}
