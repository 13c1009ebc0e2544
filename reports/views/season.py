"""The page of a season's progress, and the same as a file."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import Region
from core.accounts.roles import Can
from core.base.clock import day_of
from registry.models import Season
from registry.selectors import permits_seen, seasons_seen
from reports.downloads import send_report
from reports.papers import table_report
from reports.season import season_chart, season_days, season_progress, season_table
from reports.tables import Fact


@requires(Can.SEE_INTAKES)
@require_safe
def season(request: SignedInRequest, pk: int) -> HttpResponse:
    """Progress by region, brigade and day; ?region= shows one region."""
    found = get_object_or_404(seasons_seen(request.user), pk=pk)
    region = _region(request, found)
    progress = season_progress(found, request.user, region="" if region is None else region.code)
    context = {
        "season": found,
        "region": region,
        "progress": progress,
        "chart": season_chart(progress),
        "query": request.GET.urlencode(),
    }
    return render(request, "reports/season.html", context)


@requires(Can.SEE_INTAKES)
@require_safe
def season_file(request: SignedInRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(seasons_seen(request.user), pk=pk)
    region = _region(request, found)
    progress = season_progress(found, request.user, region="" if region is None else region.code)
    facts = [Fact(_("Season"), found.name), Fact(_("Days"), season_days(found))]
    if region is not None:
        facts.append(Fact(_("Region"), region.name))
    report = table_report(season_table(progress), title=_("Season by brigade and day"), facts=facts)
    return send_report(report, fmt=fmt, name=f"season-{pk}-{day_of(timezone.now()).isoformat()}")


def _region(request: SignedInRequest, season: Season) -> Region | None:
    """The region asked for, of those in which the reader sees a permit of the season."""
    code = request.GET.get("region", "")
    if not code:
        return None
    seen = permits_seen(request.user).filter(season=season).values("region")
    return get_object_or_404(Region.objects.filter(pk__in=seen), pk=code)
