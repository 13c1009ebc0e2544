"""Items: the list of derivatives, and its files."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.paging import keyset_page
from marking.codes import group
from reports.acts import acts_on_chosen
from reports.downloads import XLSX_ROWS, send_report, too_many_for_a_sheet
from reports.filters import ItemFilter
from reports.papers import items_table, table_report
from reports.selectors import (
    COUNTED_AT_ONCE,
    LIST_ORDER,
    ItemTotals,
    PlacedDerivative,
    count_items,
    describe_items,
    sum_positions,
)
from reports.tables import Row

BATCH = 2_000


@requires(Can.SEE_STOCK)
@require_safe
def items(request: SignedInRequest) -> HttpResponse:
    chosen = _filter(request)
    page = keyset_page(chosen.qs if chosen.is_valid() else chosen.qs.none(), request, order=LIST_ORDER)
    context: dict[str, Any] = {
        "filter": chosen,
        "page": page,
        "rows": describe_items(page.rows),
        "totals": _totals(chosen, count_all="count" in request.GET) if page.rows else None,
        "choosing": acts_on_chosen(request.user),
        "query": request.GET.urlencode(),
    }
    return render(request, "reports/items.html", context)


@requires(Can.SEE_STOCK)
@require_safe
def item_totals(request: SignedInRequest) -> HttpResponse:
    """How many items match in all: a part of the list's page that may come later than the list."""
    totals = _totals(_filter(request), count_all=True)
    if totals is None:
        raise BadRequest
    return render(request, "components/totals.html", {"pieces": totals.pieces, "grams": totals.grams})


@requires(Can.SEE_STOCK)
@require_safe
def items_file(request: SignedInRequest, fmt: str) -> HttpResponseBase:
    """Every item that matches: CSV of any length, XLSX while it is small enough to be made at once."""
    chosen = _filter(request)
    if not chosen.is_valid():
        raise BadRequest
    found = chosen.qs
    if fmt == "xlsx" and count_items(found, at_most=XLSX_ROWS) is None:
        return too_many_for_a_sheet(request, "reports:items")
    return send_report(table_report(items_table(lambda: _file_rows(found)), title=_("Items")), fmt=fmt, name="items")


def _filter(request: SignedInRequest) -> ItemFilter:
    return ItemFilter(request.GET, reader=request.user)


def _totals(chosen: ItemFilter, *, count_all: bool) -> ItemTotals | None:
    """From the ledger's totals where only places and classes are chosen; else counted, at once if they are few."""
    if not chosen.is_valid():
        return None
    if (accounts := chosen.whole_accounts()) is not None:
        return sum_positions(accounts, chosen.stock_classes())
    return count_items(chosen.qs, at_most=0 if count_all else COUNTED_AT_ONCE)


def _file_rows(found: QuerySet[PlacedDerivative]) -> Iterator[Row]:
    """All items by key, a batch at a time: the file begins at once, whatever its length."""
    batch = list(found.order_by("pk")[:BATCH])
    while batch:
        for row in describe_items(batch):
            derivative = row.derivative
            yield (
                derivative.number,
                group(row.code),
                derivative.get_term_display(),
                str(row.origin_in_words),
                derivative.get_side_display(),
                derivative.get_condition_display(),
                row.pieces,
                row.grams,
                derivative.length_mm,
                row.place.name,
                row.place.get_kind_display(),
                row.since,
                ", ".join(hold.reference for hold in row.holds),
                row.reserved_for,
                derivative.intake.number,
                derivative.intake.on,
                derivative.intake.get_population_display(),
            )
        batch = list(found.filter(pk__gt=batch[-1].pk).order_by("pk")[:BATCH])
