"""The books of labels as a file: reel by reel."""

from collections.abc import Iterator

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.clock import day_of
from marking.models import LabelReel
from marking.selectors_stock import reel_rows
from reports.downloads import XLSX_ROWS, send_report, too_many_for_a_sheet
from reports.papers import table_report
from reports.tables import Column, Kind, Row, Table

BATCH = 500
SHOWN = ("office", "transit", "applied", "spoiled", "destroyed", "lost")


@requires(Can.PRINT_LABELS, Can.ORDER_LABELS, Can.SEE_EVERYTHING)
@require_safe
def label_stock_file(request: SignedInRequest, fmt: str) -> HttpResponseBase:
    """Every reel that the person may know, with what became of its labels, by the ledger and by the marks."""
    reels = LabelReel.objects.visible_to(request.user)
    if fmt == "xlsx" and reels.order_by()[: XLSX_ROWS + 1].count() > XLSX_ROWS:
        return too_many_for_a_sheet(request, "marking:label-stock")
    name = f"labels-{day_of(timezone.now()).isoformat()}"
    return send_report(table_report(_table(request.user), title=_("Label stock")), fmt=fmt, name=name)


def _table(user: User) -> Table:
    def number(title: str) -> Column:
        return Column(title, Kind.NUMBER, total=True)

    return Table(
        caption=_("Label stock"),
        columns=(
            Column(_("Series"), Kind.CODE),
            Column(_("Reel of labels"), Kind.CODE, weight=1.4),
            Column(_("For which office"), weight=3),
            Column(_("Where the unused ones are"), weight=3),
            number(_("Codes drawn")),
            number(_("Printed")),
            number(_("At the office")),
            number(_("In transit")),
            number(_("Applied")),
            number(_("Spoiled")),
            number(_("Destroyed")),
            number(_("Lost")),
            number(_("Unused, by the ledger")),
            number(_("Unused, by the marks")),
            Column(_("Adds up")),
        ),
        rows=lambda: _rows(user),
    )


def _rows(user: User) -> Iterator[Row]:
    last = 0
    while True:
        found = LabelReel.objects.visible_to(user).filter(pk__gt=last).select_related("series__office").order_by("pk")
        reels = list(found[:BATCH])
        if not reels:
            return
        for one in reel_rows(reels, reader=user):
            places, counts = one.balance.places, one.balance
            # Of a reel that the person's office is to count, no count is told.
            known: Row = (
                counts.issued,
                counts.printed,
                *(places[place] for place in SHOWN),
                counts.remaining,
                counts.remaining_by_marks,
            )
            yield (
                one.reel.series.number,
                one.reel.number,
                one.reel.series.office.name,
                one.holder.organisation.name if one.holder else "",
                *([None] * len(known) if one.is_blind else known),
                _("yes") if one.balance.adds_up else _("NO"),
            )
        last = reels[-1].pk
