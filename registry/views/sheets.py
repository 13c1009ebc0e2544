"""Daily sheets of brigades: the list, entering, correcting, signing, and the page of one with what it adds up to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.base.templatetags import fmt
from core.notices.models import Notice
from registry import services
from registry.days import Day, DayRules, Tolerances, animals_taken, days_of
from registry.filters_sheets import sheets_of
from registry.forms import ReasonForm
from registry.forms_sheets import CorrectionForm, DailySheetForm
from registry.models import DailySheet, Intake, Origin, RemovalPermit, Season
from registry.selectors import stores_for_intake
from registry.sheet import whole_number

GET_OR_POST = ["GET", "HEAD", "POST"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two figures that must fit: in words, what they are, whether they do (None while it cannot be said yet)."""

    what: str
    is_right: bool | None
    said: str


@require_safe
@requires(Can.SEE_INTAKES)
def daily_sheets(request: SignedInRequest) -> HttpResponse:
    chosen = sheets_of(request.GET, request=request, reader=request.user)
    context = {
        "filter": chosen,
        "page": keyset_page(chosen.qs, request),
        "may_enter": request.user.can(Can.OPEN_INTAKE),
        "season": Season.objects.order_by("-starts_on").first(),
    }
    return render(request, "registry/sheets.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.OPEN_INTAKE)
def enter_daily_sheet(request: SignedInRequest) -> HttpResponse:
    """With ?intake= for a reception whose sheet is not there yet: what it counted stands in the fields."""
    intake = None
    if (key := whole_number(request.GET.get("intake", ""))) is not None:
        known = Intake.objects.visible_to(request.user).filter(origin=Origin.REMOVAL, sheet=None)
        intake = get_object_or_404(known, pk=key)
    form = DailySheetForm(request.POST or None, user=request.user, today=day_of(timezone.now()), intake=intake)
    if request.method == "POST" and form.is_valid():
        try:
            sheet = services.enter_daily_sheet(actor=request.user, at=timezone.now(), **form.facts())
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            return redirect("registry:daily-sheet", sheet.pk)
    can_begin = bool(form.fields["permit"].queryset and form.fields["brigade"].queryset)  # type: ignore[attr-defined]
    context = {"form": form, "can_begin": can_begin}
    return render(request, "registry/sheet_form.html", context, status=422 if form.errors else 200)


@require_http_methods(GET_OR_POST)
@requires(Can.OPEN_INTAKE)
def correct_daily_sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    sheet = get_object_or_404(_known(request), pk=pk)
    form = CorrectionForm(request.POST or None, sheet=sheet)
    # The version the person saw first stays, so that a refusal cannot be passed by sending the form again.
    seen = whole_number(request.POST.get("version", ""))
    if request.method == "POST" and form.is_valid():
        try:
            services.correct_daily_sheet(
                actor=request.user, at=timezone.now(), sheet=sheet, version=seen, **form.facts()
            )
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("registry:daily-sheet", pk)
    context = {"form": form, "sheet": sheet, "version": sheet.version if seen is None else seen, "can_begin": True}
    return render(request, "registry/sheet_form.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Can.SEE_INTAKES)
def daily_sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    """Its figures, what they add up to, its receptions, and the next acts."""
    sheet = get_object_or_404(_known(request), pk=pk)
    found = days_of([sheet.permit_id], on=sheet.on, brigade=sheet.brigade_id)
    day = next((day for day in found if day.sheet_id == sheet.pk), None)
    subjects = [("daily_sheet", str(pk))]
    may_work = request.user.can(Can.OPEN_INTAKE) and sheet.permit.region_id in request.user.region_codes(
        Can.OPEN_INTAKE
    )
    receptions = Intake.objects.filter(permit=sheet.permit, brigade=sheet.brigade, on=sheet.on)
    context: dict[str, Any] = {
        "sheet": sheet,
        "deliveries": sheet.deliveries.select_related("store", "slaughter_point"),
        "comparisons": [] if day is None else [*_comparisons(day, DayRules().on(sheet.on)), _limit(sheet.permit)],
        "receptions": receptions.exclude(state=Intake.State.CANCELLED).select_related("store").order_by("pk"),
        "notices": Notice.objects.visible_to(request.user).filter(
            subject_kind="daily_sheet", subject_id=str(pk), state=Notice.State.OPEN
        ),
        "events": Event.objects.about(*subjects)[:50],
        "may_work": may_work,
        "may_reopen": request.user.can(Can.KEEP_SEASONS),
        "stores": stores_for_intake(request.user, Origin.REMOVAL).filter(region=sheet.permit.region_id)
        if may_work
        else [],
    }
    return render(request, "registry/sheet.html", context)


@require_POST
@requires(Can.OPEN_INTAKE)
def sign_daily_sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    sheet = get_object_or_404(_known(request), pk=pk)
    try:
        services.sign_daily_sheet(
            actor=request.user, at=timezone.now(), sheet=sheet, version=whole_number(request.POST.get("version", ""))
        )
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Sheet signed."))
    return redirect("registry:daily-sheet", pk)


@require_POST
@requires(Can.OPEN_INTAKE)
def open_sheet_reception(request: SignedInRequest, pk: int) -> HttpResponseRedirect:
    """Open the reception of the sheet at a reception point; nothing is typed again."""
    sheet = get_object_or_404(_known(request), pk=pk)
    stores = stores_for_intake(request.user, Origin.REMOVAL)
    store = get_object_or_404(stores, pk=whole_number(request.POST.get("store", "")) or 0)
    try:
        intake = services.open_sheet_reception(actor=request.user, at=timezone.now(), sheet=sheet, store=store)
    except DomainError as refusal:
        messages.error(request, " ".join(map(str, refusal.fields.values())) or str(refusal))
        return redirect("registry:daily-sheet", pk)
    return redirect("registry:intake", intake.pk)


@require_http_methods(GET_OR_POST)
@requires(Can.OPEN_INTAKE)
def withdraw_daily_sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    title, done = _("Withdraw sheet %(number)s"), _("Sheet withdrawn.")
    return _with_reason(request, pk, services.withdraw_daily_sheet, title, done, _("Withdraw"))


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def reopen_daily_sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    title, done = _("Reopen sheet %(number)s"), _("The sheet is open for correction.")
    return _with_reason(request, pk, services.reopen_daily_sheet, title, done, _("Reopen"))


def _with_reason(
    request: SignedInRequest, pk: int, act: Callable[..., DailySheet], title: str, done: str, button: str
) -> HttpResponse:
    sheet = get_object_or_404(_known(request), pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(actor=request.user, at=timezone.now(), sheet=sheet, reason=form.cleaned_data["reason"])
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, done)
            return redirect("registry:daily-sheet", pk)
    context = {"form": form, "sheet": sheet, "title": title % {"number": sheet.number}, "button": button}
    return render(request, "registry/sheet_reason.html", context, status=422 if form.errors else 200)


def _known(request: SignedInRequest) -> QuerySet[DailySheet]:
    return DailySheet.objects.visible_to(request.user).select_related(
        "brigade", "permit__season", "permit__region", "organisation", "entered_by", "closed_by"
    )


def _add_refusal(form: Any, refusal: DomainError) -> None:
    add_refusal(form, refusal)
    if "deliveries" in refusal.fields:
        form.add_error("carcasses_0", str(refusal.fields["deliveries"]))


def _comparisons(day: Day, may: Tolerances) -> list[Comparison]:
    """What a person sees of the day: each pair of figures, and whether they fit."""
    arrived = day.carcasses + day.unusable
    found = [
        Comparison(
            _("Animals and carcasses"),
            abs(day.animals - arrived) <= may.carcasses,
            _("%(animals)s taken; %(carcasses)s delivered, %(unusable)s unusable")
            % {
                "animals": fmt.count(day.animals),
                "carcasses": fmt.count(day.carcasses),
                "unusable": fmt.count(day.unusable),
            },
        )
    ]
    if may.per_male is not None:
        most = day.males * may.per_male
        figures = {"cut": fmt.count(day.horns_cut), "males": fmt.count(day.males), "most": fmt.count(most)}
        said = _("%(cut)s cut; males %(males)s, at most %(most)s horns") % figures
        found.append(Comparison(_("Horns and males"), 0 <= most - day.horns_cut <= may.horns, said))
    found.append(
        Comparison(
            _("Horns cut and registered"),
            day.registered == day.horns_cut if day.receptions and not day.open_receptions else None,
            _("%(cut)s cut; %(registered)s registered")
            % {"cut": fmt.count(day.horns_cut), "registered": fmt.count(day.registered)},
        )
    )
    return found


def _limit(permit: RemovalPermit) -> Comparison:
    taken = animals_taken(RemovalPermit.objects.filter(pk=permit.pk)).get(permit.pk, 0)
    return Comparison(
        _("Animals under the permit"),
        taken <= permit.animals_limit,
        _("%(taken)s of %(limit)s") % {"taken": fmt.count(taken), "limit": fmt.count(permit.animals_limit)},
    )
