"""What a page of processing shows of the items that go in, and which items a scan names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custody.scanning import Scan
from ledger.models import Holding
from ledger.selectors import items_in_boxes
from marking.models import Mark
from registry.models import Derivative, Origin, split_stock_class
from registry.processing import Obstacle


@dataclass(frozen=True, slots=True)
class InputRow:
    """One item of a list: its class and mass now, its mark, what stands against it."""

    item: Derivative
    origin: Origin
    grams: int
    code: str
    problems: list[Obstacle]


def describe_inputs(item_ids: Sequence[int], obstacles: Mapping[int, list[Obstacle]]) -> list[InputRow]:
    """The rows of these items in their order, by three queries for any number."""
    known = Derivative.objects.in_bulk(item_ids)
    held = {
        item: (split_stock_class(code)[1], grams)
        for item, code, grams in Holding.objects.filter(item__in=item_ids, pieces__gt=0).values_list(
            "item_id", "stock_class", "grams"
        )
    }
    codes = dict(Mark.objects.active().filter(derivative__in=item_ids).values_list("derivative_id", "code"))
    return [
        InputRow(
            known[item],
            *held.get(item, (Origin(known[item].origin), 0)),
            code=codes.get(item, ""),
            problems=obstacles.get(item, []),
        )
        for item in item_ids
        if item in known
    ]


def items_in_scan(scan: Scan, store: int) -> list[int]:
    """The items that were scanned: one, all of a box, or what of a reception lies in this store."""
    if scan.item is not None:
        return [scan.item.pk]
    if scan.box is not None:
        return items_in_boxes([scan.box.pk]).get(scan.box.pk, [])
    if scan.batch is not None:
        here = Holding.objects.filter(account=store, pieces__gt=0, item__derivative__intake=scan.batch)
        return list(here.order_by("item_id").values_list("item_id", flat=True))
    return []
