"""The log of a store's temperature and humidity."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.clock import ALMATY, day_of
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from custody.forms.climate import ReadingForm, WatchForm
from custody.keeping import KEPT, keeps
from custody.lines import Mark, Point, draw_line
from ledger.models import ClimateExcursion, ClimateReading, ClimateWatch, CustodyAccount
from ledger.services import Reading, log_climate, watch_climate

DAYS = (1, 7, 30, 365)
DRAWN = 600  # points of a line


@requires(Can.SEE_STOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def climate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Both lines, what was outside the band, the latest readings, and the form for one more."""
    store = store_or_404(request, pk)
    may_log = keeps(request.user, store)
    form = ReadingForm(request.POST or None)
    if request.method == "POST":
        if not may_log:
            raise PermissionDenied
        if form.is_valid():
            now = timezone.now()
            reading = Reading(
                form.cleaned_data["at"] or now.replace(microsecond=0),
                form.tenths("temperature"),
                form.tenths("humidity"),
            )
            try:
                log_climate(actor=request.user, at=now, account=store, readings=[reading])
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, _("Written down."))
                return redirect("custody:climate", pk)
    given = request.GET.get("days", "")
    days = int(given) if given.isascii() and given.isdigit() and int(given) in DAYS else 30
    watch = ClimateWatch.objects.filter(account=store).first()
    context = {
        "store": store,
        "form": form,
        "watch_form": WatchForm(initial={"minutes": watch.minutes if watch else None}),
        "watch": watch,
        "may_log": may_log,
        "days": days,
        "choices": DAYS,
        "excursions": ClimateExcursion.objects.filter(account=store).order_by("-began_at")[:50],
        "readings": ClimateReading.objects.filter(account=store).select_related("entered_by").order_by("-at")[:50],
        **climate_charts(store, since=timezone.now() - timedelta(days=days)),
    }
    return render(request, "custody/climate.html", context, status=422 if form.errors else 200)


@requires(Can.KEEP_STORE)
@require_POST
def watch(request: SignedInRequest, pk: int) -> HttpResponse:
    store = store_or_404(request, pk)
    if not keeps(request.user, store):
        raise PermissionDenied
    form = WatchForm(request.POST)
    if form.is_valid():
        try:
            watch_climate(actor=request.user, at=timezone.now(), account=store, minutes=form.cleaned_data["minutes"])
            messages.success(request, _("Saved."))
        except DomainError as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("custody:climate", pk)


def climate_charts(store: CustodyAccount, *, since: datetime) -> dict[str, Any]:
    """Temperature and humidity since a moment as drawings; nothing where nothing was read."""
    try:
        band: dict[str, int] = in_force(RuleCode.STORE_CLIMATE, day_of(timezone.now())).value
    except NoRuleInForce:
        band = {}
    return {
        "temperature_chart": _chart(
            _thinned(store, "temperature", since=since),
            name="temperature",
            title=_("Temperature, °C"),
            unit="°C",
            low=band.get("min_c"),
            high=band.get("max_c"),
        ),
        "humidity_chart": _chart(
            _thinned(store, "humidity", since=since),
            name="humidity",
            title=_("Relative humidity, per cent"),
            unit="%",
            low=None,
            high=band.get("max_humidity"),
        ),
    }


@dataclass(frozen=True, slots=True)
class Readings:
    """What is drawn of the readings of a while, and what is said of all of them. In tenths."""

    drawn: list[tuple[datetime, int]]
    least: int
    most: int
    last: int


def _thinned(store: CustodyAccount, what: str, *, since: datetime) -> Readings | None:
    """At most DRAWN readings, thinned by the database; None where nothing was read.

    Of each stretch of time the value furthest from the middle of all is drawn: a peak is never lost to thinning. The
    first and the last reading are always there, so that the line is as long as the time it tells of.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH read AS MATERIALIZED (
                SELECT at, {what} AS value FROM ledger_climatereading
                WHERE account_id = %s AND at >= %s AND {what} IS NOT NULL
            ), whole AS MATERIALIZED (
                SELECT count(*) AS number, min(at) AS began, max(at) AS ended,
                    min(value) AS least, max(value) AS most, avg(value) AS middle FROM read
            ), drawn AS (
                SELECT DISTINCT ON (stretch) at, value FROM (
                    SELECT r.at, r.value, abs(r.value - w.middle) AS off, CASE
                        WHEN w.number <= %s OR r.at IN (w.began, w.ended) THEN extract(epoch FROM r.at)
                        ELSE width_bucket(
                            extract(epoch FROM r.at), extract(epoch FROM w.began), extract(epoch FROM w.ended), %s
                        )
                    END AS stretch
                    FROM read r, whole w
                ) placed ORDER BY stretch, off DESC, at
            )
            SELECT d.at, d.value, w.least, w.most FROM drawn d, whole w ORDER BY d.at
            """,  # noqa: S608  the name of a column, of ours
            [store.pk, since, DRAWN, DRAWN - 2],
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    return Readings([(at, value) for at, value, *_all in rows], least=rows[0][2], most=rows[0][3], last=rows[-1][1])


def _said(tenths: int) -> str:
    """A reading as the reader writes numbers: 52,7 in Kazakh and Russian."""
    return number_format(Decimal(tenths) / 10)


def _chart(
    readings: Readings | None, *, name: str, title: str, unit: str, low: int | None, high: int | None
) -> SafeString | None:
    if readings is None:
        return None
    points = [Point(at.timestamp(), value / 10, f"{_said(value)} {unit}") for at, value in readings.drawn]
    first, last = readings.drawn[0][0], readings.drawn[-1][0]
    steps = 4
    marks = []
    for step in range(steps + 1):
        at = first + (last - first) * step / steps
        layout = "%H:%M" if last - first < timedelta(days=2) else "%d.%m"
        marks.append(Mark(at.timestamp(), at.astimezone(ALMATY).strftime(layout)))
    description = _("From %(least)s to %(most)s, last %(last)s.") % {
        "least": _said(readings.least),
        "most": _said(readings.most),
        "last": _said(readings.last),
    }
    drawing = draw_line(
        points,
        name=name,
        title=title,
        description=description,
        unit=unit,
        marks=marks if last > first else marks[:1],
        # A bound far below everything would press the line flat: it is said in words on the page.
        low=low if low is not None and readings.least / 10 < low + 5 else None,
        high=high,
    )
    return mark_safe(drawing)  # noqa: S308  drawn from numbers, words escaped


def store_or_404(request: SignedInRequest, pk: int) -> CustodyAccount:
    known = CustodyAccount.objects.visible_to(request.user).filter(kind__in=KEPT).select_related("custodian", "region")
    return get_object_or_404(known, pk=pk)
