"""The annual report of illegal trade, as a workbook."""

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from reports.downloads import send_report
from reports.illegal_trade import illegal_trade_report


@require_safe
@requires(Can.SEE_EVERYTHING)
def illegal_trade_of_year(request: SignedInRequest, year: str) -> HttpResponseBase:
    return send_report(illegal_trade_report(int(year)), fmt="xlsx", name=f"illegal-trade-{year}")
