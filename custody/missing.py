"""What a report of loss is about."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.errors import BadInput
from custody.models import LossReport
from custody.scanning import find_items
from custody.services import loss
from ledger.models import CustodyAccount, Handover, Holding, StockTake
from registry.models import Derivative


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
    items = find_items(texts)
    seen = Derivative.objects.visible_to(user).filter(pk__in=items).count()
    places = set(Holding.objects.filter(item__in=items, pieces__gt=0).values_list("account_id", flat=True))
    if seen != len(set(items)) or len(places) != 1:
        raise BadInput(fields={"items": _("These items are not together in one place of yours. Report each place.")})
    return CustodyAccount.objects.get(pk=places.pop()), items, LossReport.Kind(kind)
