"""The log of a store's temperature and humidity."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
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
    readings = list(
        ClimateReading.objects.filter(account=store, at__gte=since)
        .order_by("at")
        .values_list("at", "temperature", "humidity")
    )
    try:
        band: dict[str, int] = in_force(RuleCode.STORE_CLIMATE, day_of(timezone.now())).value
    except NoRuleInForce:
        band = {}
    return {
        "temperature_chart": _chart(
            [(at, value) for at, value, _other in readings if value is not None],
            name="temperature",
            title=_("Temperature, °C"),
            unit="°C",
            low=band.get("min_c"),
            high=band.get("max_c"),
        ),
        "humidity_chart": _chart(
            [(at, value) for at, _other, value in readings if value is not None],
            name="humidity",
            title=_("Relative humidity, per cent"),
            unit="%",
            low=None,
            high=band.get("max_humidity"),
        ),
    }


def _chart(
    readings: list[tuple[datetime, int]], *, name: str, title: str, unit: str, low: int | None, high: int | None
) -> SafeString | None:
    if not readings:
        return None
    every = -(-len(readings) // DRAWN)
    # Of each group the value furthest from the middle of all is drawn: a peak is never lost to thinning.
    middle = sum(value for _at, value in readings) / len(readings)
    groups = (readings[start : start + every] for start in range(0, len(readings), every))
    chosen = [max(group, key=lambda one: abs(one[1] - middle)) for group in groups]
    points = [Point(at.timestamp(), value / 10, f"{value / 10:g} {unit}") for at, value in chosen]
    first, last = readings[0][0], readings[-1][0]
    steps = 4
    marks = []
    for step in range(steps + 1):
        at = first + (last - first) * step / steps
        layout = "%H:%M" if last - first < timedelta(days=2) else "%d.%m"
        marks.append(Mark(at.timestamp(), at.astimezone(ALMATY).strftime(layout)))
    values = [value / 10 for _at, value in readings]
    description = _("From %(least)s to %(most)s, last %(last)s.") % {
        "least": f"{min(values):g}",
        "most": f"{max(values):g}",
        "last": f"{values[-1]:g}",
    }
    drawing = draw_line(
        points,
        name=name,
        title=title,
        description=description,
        unit=unit,
        marks=marks if last > first else marks[:1],
        # A bound far below everything would press the line flat: it is said in words on the page.
        low=low if low is not None and min(values) < low + 5 else None,
        high=high,
    )
    return mark_safe(drawing)  # noqa: S308  drawn from numbers, words escaped


def store_or_404(request: SignedInRequest, pk: int) -> CustodyAccount:
    known = CustodyAccount.objects.visible_to(request.user).filter(kind__in=KEPT).select_related("custodian", "region")
    return get_object_or_404(known, pk=pk)
