"""One store: what is in it, what comes, what was counted, how cold it is, and what may be done."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from custody.keeping import KEPT, keeps
from custody.views.climate import climate_charts
from custody.views.stocktakes import rows_of
from ledger.models import Box, ClimateExcursion, ClimateReading, CustodyAccount, Handover, Shelf, StockTake, Weighing
from ledger.selectors import positions
from registry.models import Origin, Term, split_stock_class


@dataclass(frozen=True, slots=True)
class Kept:
    """One stock class of the store, and the list of its items."""

    term: Term
    origin: Origin
    pieces: int
    grams: int


@requires(Can.SEE_STOCK, Can.MANAGE_STORES)
@require_safe
def store(request: SignedInRequest, pk: int) -> HttpResponse:
    user = request.user
    if not user.can(Can.SEE_STOCK):
        return redirect("ledger:store", pk)
    known = CustodyAccount.objects.visible_to(user).filter(kind__in=KEPT).select_related("custodian", "region")
    found = get_object_or_404(known, pk=pk)
    kept = []
    for position in positions([found]):
        term, origin = split_stock_class(position.stock_class)
        kept.append(Kept(Term(term), Origin(origin), position.pieces, position.grams))
    on_way = Handover.objects.under_way().select_related("source", "target").order_by("due_at", "pk")
    coming = on_way.coming_to([found.pk])
    leaving = on_way.filter(Q(source=found) | Q(target=found)).exclude(pk__in=coming.values("pk"))
    stocktakes = StockTake.objects.filter(account=found).select_related("account", "shelf").order_by("-pk")[:10]
    boxes = Box.objects.filter(account=found)
    context = {
        "store": found,
        "kept": kept,
        "pieces": sum(row.pieces for row in kept),
        "grams": sum(row.grams for row in kept),
        "keeps": keeps(user, found),
        "manages": user.can(Can.MANAGE_STORES),
        "coming": coming[:20],
        "going": leaving[:20],
        "rows": rows_of(list(stocktakes)),
        "open_stocktake": next((one for one in stocktakes if one.is_open), None),
        "latest": ClimateReading.objects.filter(account=found).order_by("-at").first(),
        "excursions": ClimateExcursion.objects.filter(account=found, ended_at=None).order_by("began_at"),
        "weighings": Weighing.objects.filter(account=found).select_related("weighed_by").order_by("-pk")[:5],
        "shelves": Shelf.objects.filter(account=found, is_active=True).count(),
        "boxes": boxes.filter(kind=Box.Kind.BOX).count(),
        "pallets": boxes.filter(kind=Box.Kind.PALLET).count(),
        "now": timezone.now(),
        "events": Event.objects.about(("store", found.pk))[:20],
        **climate_charts(found, since=timezone.now() - timedelta(days=30)),
    }
    return render(request, "custody/store.html", context)


@requires(Can.SEE_STOCK)
@require_safe
def stores(request: SignedInRequest) -> HttpResponse:
    """The places one may know, each with its page."""
    known = CustodyAccount.objects.visible_to(request.user).filter(kind__in=KEPT).select_related("custodian", "region")
    places = list(known.order_by("custodian__name_kk", "code"))
    sums: dict[int, tuple[int, int]] = {}
    for position in positions(places):
        pieces, grams = sums.get(position.account_id, (0, 0))
        sums[position.account_id] = (pieces + position.pieces, grams + position.grams)
    rows = [(place, *sums.get(place.pk, (0, 0))) for place in places]
    return render(request, "custody/stores.html", {"rows": rows})
