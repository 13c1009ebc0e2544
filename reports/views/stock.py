"""Stock: what is where, by term and origin class, now or at the end of a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.clock import day_of
from ledger.models import CustodyAccount
from registry.models import Origin, Term
from reports.downloads import send_report
from reports.filters import StockFilter
from reports.papers import formats, stock_table, table_report, term_label
from reports.selectors import StockRow, stock_rows
from reports.tables import Fact


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a stock table, and the list of the items it counts (empty: they are counted as of a past day)."""

    account: CustodyAccount | None
    term: str
    origin: str
    pieces: int
    grams: int
    url: str = ""
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class Stock:
    """What the filters of the page ask for."""

    filter: StockFilter
    day: date | None
    rows: list[StockRow]


@requires(Can.SEE_STOCK)
@require_safe
def stock(request: SignedInRequest) -> HttpResponse:
    found = _find(request)
    is_now = found.day is None
    by_store = _by_store(found.rows, is_now=is_now)
    context: dict[str, Any] = {
        "filter": found.filter,
        "day": found.day,
        "by_class": _by_class(found.rows),
        "by_store": by_store,
        "stores": len({row.account.pk for row in found.rows}),
        "pieces": sum(row.pieces for row in found.rows),
        "grams": sum(row.grams for row in found.rows),
        "query": request.GET.urlencode(),
    }
    return render(request, "reports/stock.html", context)


@requires(Can.SEE_STOCK)
@require_safe
def stock_file(request: SignedInRequest, fmt: str) -> HttpResponseBase:
    found = _find(request)
    if not found.filter.is_valid():
        raise BadRequest
    day = found.day or day_of(timezone.now())
    rows = [
        (
            row.account.name,
            row.account.code,
            row.account.custodian.name if row.account.custodian else "",
            row.account.region.name if row.account.region else "",
            term_label(row.term),
            str(row.origin.label),
            row.pieces,
            row.grams,
        )
        for row in found.rows
    ]
    as_of_day = Fact(_("At the end of the day"), day.strftime(formats().day))
    table = stock_table(rows, caption=_("Stock"))
    return send_report(
        table_report(table, title=_("Stock"), facts=[as_of_day]), fmt=fmt, name=f"stock-{day.isoformat()}"
    )


def _find(request: SignedInRequest) -> Stock:
    stores: QuerySet[CustodyAccount] = CustodyAccount.objects.visible_to(request.user)
    chosen = StockFilter(request.GET, stores=stores)
    if not chosen.is_valid():
        return Stock(chosen, None, [])
    wanted = chosen.form.cleaned_data
    day = wanted["day"]
    if day is not None and day >= day_of(timezone.now()):
        day = None
    accounts = chosen.qs.select_related("custodian", "region").order_by("region", "code")
    rows = stock_rows(accounts, day=day, term=wanted["term"] or "", origin=wanted["origin"] or "")
    return Stock(chosen, day, rows)


def _items_url(is_now: bool, **wanted: object) -> str:
    return f"{reverse('reports:items')}?{urlencode(wanted)}" if is_now else ""


def _by_class(rows: list[StockRow]) -> list[Shown]:
    """Terms and origins over all stores shown."""
    sums: dict[tuple[Term, Origin], tuple[int, int]] = {}
    for row in rows:
        pieces, grams = sums.get((row.term, row.origin), (0, 0))
        sums[row.term, row.origin] = (pieces + row.pieces, grams + row.grams)
    return [
        Shown(None, str(term.label), str(origin.label), pieces, grams)
        for (term, origin), (pieces, grams) in sums.items()
    ]


def _by_store(rows: list[StockRow], *, is_now: bool) -> list[Shown]:
    shown: list[Shown] = []
    for row in rows:
        before = shown[-1].account if shown else None
        shown.append(
            Shown(
                row.account,
                str(row.term.label),
                str(row.origin.label),
                row.pieces,
                row.grams,
                _items_url(is_now, store=row.account.pk, term=row.term.value, origin=row.origin.value),
                is_first=before != row.account,
            )
        )
    return shown
