"""What a report of loss is about."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.errors import BadInput
from custody.models import LossReport
from custody.scanning import find_each, find_items
from custody.services import loss
from ledger.models import CustodyAccount, Handover, Holding, StockTake
from marking.models import Mark
from registry.models import Derivative

MOST_GRAMS = 1_000_000
LEAST_BLANKS = 4  # that a person may type within a number


def words_of(text: str) -> list[str]:
    """Numbers, marks and boxes as people type them: apart by blanks, lines, commas or semicolons."""
    return text.replace(",", " ").replace(";", " ").split()


def what_is_missing(
    user: User, texts: Sequence[str], *, source: str, kind: str
) -> tuple[CustodyAccount, list[int], LossReport.Kind]:
    """The place and the items that a person reports: named one by one, or whatever the hand-over or the stock-take of
    this number misses. Raises BadInput, NothingMissing.
    """
    source = source.strip().upper()
    if source:
        handover = Handover.objects.visible_to(user).filter(number=source).select_related("transit").first()
        if handover is not None:
            account, items, kind = handover.transit, loss.missing_of_handover(handover), LossReport.Kind.TRANSIT
        else:
            stocktake = StockTake.objects.visible_to(user).filter(number=source).select_related("account").first()
            if stocktake is None:
                raise BadInput(fields={"source": _("No hand-over or stock-take of yours has this number.")})
            account, items, kind = (
                stocktake.account,
                loss.missing_of_stocktake(stocktake),
                LossReport.Kind.STOCKTAKE,
            )
        if not items:
            raise loss.NothingMissing
        return account, items, LossReport.Kind(kind)
    if not texts:
        raise BadInput(fields={"items": _("Name the items, or a hand-over or a stock-take.")})
    items = find_items(texts, person=user)
    seen = Derivative.objects.visible_to(user).filter(pk__in=items).count()
    places = set(Holding.objects.filter(item__in=items, pieces__gt=0).values_list("account_id", flat=True))
    if seen != len(set(items)) or len(places) != 1:
        raise BadInput(fields={"items": _("These items are not together in one place of yours. Report each place.")})
    return CustodyAccount.objects.get(pk=places.pop()), items, LossReport.Kind(kind)


def read_found(seen: Sequence[tuple[str, int]], *, person: User) -> dict[int, loss.Found]:
    """What was read from each item and what it weighs, by its key. Raises BadInput.

    Whoever has a marked item in hand reads its mark: its number stands in the report already.
    """
    texts = [text.strip() for text, _grams in seen]
    keys = find_each(texts, person=person, field="found")
    numbers = dict(Derivative.objects.filter(pk__in=keys).values_list("pk", "number"))
    marked = set(Mark.objects.active().filter(derivative__in=keys).values_list("derivative_id", flat=True))
    bare = [text for text, key in zip(texts, keys, strict=True) if key in marked and _is_number(text, numbers[key])]
    if bare:
        words = _("Read the mark itself, not the number: %(items)s")
        raise BadInput(fields={"found": words % {"items": ", ".join(bare[:20])}})
    if any(not 0 < grams <= MOST_GRAMS for _text, grams in seen):
        raise BadInput(fields={"found": _("Say what each item weighs, in grams.")})
    return {key: loss.Found(text[:80], grams) for key, text, (_same, grams) in zip(keys, texts, seen, strict=True)}


def _is_number(text: str, number: str) -> bool:
    """Whether the number of the item was typed, in whatever alphabet the keyboard was left."""
    typed = "".join(sign for sign in text if sign.isdigit())
    return typed == "".join(sign for sign in number if sign.isdigit()) and len(text) <= len(number) + LEAST_BLANKS


def lines_of_found(text: str) -> list[tuple[str, int]]:
    """One item a line: its mark, then its grams. Raises BadInput that names the line."""
    found = []
    for line in text.splitlines():
        mark, _blank, grams = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not mark.strip() or not grams.isdecimal():
            words = _("The mark, a blank, then the grams: %(line)s")
            raise BadInput(fields={"found": words % {"line": line.strip()[:80]}})
        found.append((mark.strip(), int(grams)))
    return found
