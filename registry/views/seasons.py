"""Seasons with their decisions, removal permits and brigades: what all counting of a season rests on."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from registry.days import animals_signed, animals_taken
from registry.filters import SlaughterPointFilter
from registry.forms import ReasonForm
from registry.forms_seasons import (
    LINES,
    MOST_LINES,
    BrigadeForm,
    DecisionForm,
    RemovalPermitForm,
    SeasonForm,
    SlaughterPointForm,
    limits_with_rest,
    line_forms,
)
from registry.models import RemovalPermit, Season
from registry.selectors import limits_seen, permits_seen, seasons_seen
from registry.services import papers
from registry.sheet import whole_number

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@requires(Can.SEE_INTAKES)
def seasons(request: SignedInRequest) -> HttpResponse:
    seen = permits_seen(request.user)
    standing = Q(removal_permits__withdrawn_at=None, removal_permits__in=seen)
    teams = Q() if _sees_all(request) else Q(brigades__region__in=seen.values("region"))
    known = seasons_seen(request.user).annotate(
        permits=Count("removal_permits", filter=standing, distinct=True),
        teams=Count("brigades", filter=teams, distinct=True) if teams else Count("brigades", distinct=True),
    )
    return render(request, "registry/seasons.html", {"seasons": known, "may_keep": request.user.can(Can.KEEP_SEASONS)})


@require_safe
@requires(Can.SEE_INTAKES)
def season(request: SignedInRequest, pk: int) -> HttpResponse:
    """The papers of a season: limits, what permits let of them, and what was taken under each.

    Inspectors and stores read what binds them: the lines, permits and brigades of their regions and permits.
    """
    found = get_object_or_404(seasons_seen(request.user), pk=pk)
    seen, lines = permits_seen(request.user), limits_seen(request.user)
    permits = seen.filter(season=found).select_related("region", "holder", "limit__decision")
    everything = RemovalPermit.objects.filter(season=found)
    taken, signed = animals_taken(everything), animals_signed(everything)
    of_limit, unsigned = animals_taken(everything, by="limit"), animals_signed(everything, by="limit")
    unsigned = {limit: animals - unsigned.get(limit, 0) for limit, animals in of_limit.items()}
    brigades = found.brigades.select_related("region").order_by("pk")
    if not _sees_all(request):
        brigades = brigades.filter(region__in=seen.values("region"))
    context = {
        "season": found,
        "decisions": found.decisions.filter(limits__in=lines)
        .distinct()
        .select_related("authority")
        .order_by("decided_on", "number"),
        "limits": [
            (limit, of_limit.get(limit.pk, 0), unsigned.get(limit.pk, 0))
            for limit in limits_with_rest(found).filter(pk__in=lines.values("pk"))
        ],
        "permits": [
            (permit, taken.get(permit.pk, 0), taken.get(permit.pk, 0) - signed.get(permit.pk, 0))
            for permit in permits.order_by("issued_on", "number")
        ],
        "brigades": brigades,
        "events": Event.objects.about(("season", found.pk))[:50] if _sees_all(request) else [],
        "sees_all": _sees_all(request),
        "may_keep": request.user.can(Can.KEEP_SEASONS),
    }
    return render(request, "registry/season.html", context)


def _sees_all(request: SignedInRequest) -> bool:
    return request.user.can(Can.KEEP_SEASONS) or request.user.can(Can.SEE_EVERYTHING)


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def open_season(request: SignedInRequest) -> HttpResponse:
    form = SeasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = papers.open_season(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Season entered. Add the decision, the removal permits and the brigades."))
            return redirect("registry:season", made.pk)
    return render(request, "registry/season_form.html", {"form": form, "title": _("Enter a season")})


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def enter_decision(request: SignedInRequest, pk: int) -> HttpResponse:
    """A decision with its limits; ?lines= offers more of them."""
    found = get_object_or_404(Season, pk=pk)
    sent = request.POST if request.method == "POST" else None
    count = min(whole_number(request.GET.get("lines", "")) or LINES, MOST_LINES)
    form, lines = DecisionForm(sent), line_forms(sent, count=count)
    if sent is not None and all([form.is_valid(), *(line.is_valid() for line in lines)]):
        limits = [limit for line in lines if (limit := line.limit()) is not None]
        try:
            papers.enter_removal_decision(
                actor=request.user, at=timezone.now(), season=found, limits=limits, **form.cleaned_data
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
            if "limits" in refusal.fields:
                form.add_error(None, str(refusal.fields["limits"]))
        else:
            messages.success(request, _("Decision entered."))
            return redirect("registry:season", found.pk)
    context = {"form": form, "lines": lines, "season": found, "more": min(len(lines) + LINES, MOST_LINES)}
    return render(request, "registry/decision_form.html", context, status=422 if form.errors else 200)


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def enter_removal_permit(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Season, pk=pk)
    form = RemovalPermitForm(request.POST or None, season=found)
    title = _("Enter a removal permit")
    return _enter(request, found, form, papers.enter_removal_permit, title, _("Permit entered."))


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def enter_brigade(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Season, pk=pk)
    form = BrigadeForm(request.POST or None, season=found)

    def act(**facts: Any) -> object:
        return papers.enter_brigade(season=found, **facts)

    return _enter(request, found, form, act, _("Enter a brigade"), _("Brigade entered."))


def _enter(
    request: SignedInRequest, season: Season, form: forms.Form, act: Callable[..., Any], title: str, done: str
) -> HttpResponse:
    """Enter one paper of a season, and then perhaps the next one of the kind."""
    if request.method == "POST" and form.is_valid():
        try:
            act(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, done)
            return redirect(request.path) if "again" in request.POST else redirect("registry:season", season.pk)
    return render(request, "registry/season_form.html", {"form": form, "title": title, "season": season})


@require_safe
@requires(Can.SEE_INTAKES)
def removal_permit(request: SignedInRequest, pk: int) -> HttpResponse:
    """A permit has no page of its own: its use is shown on the page of its season, in its region."""
    permit = get_object_or_404(permits_seen(request.user), pk=pk)
    return redirect(f"{reverse('reports:season', args=[permit.season_id])}?{urlencode({'region': permit.region_id})}")


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def withdraw_removal_permit(request: SignedInRequest, pk: int) -> HttpResponse:
    permit = get_object_or_404(RemovalPermit.objects.select_related("season"), pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            papers.withdraw_removal_permit(
                actor=request.user, at=timezone.now(), permit=permit, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Permit withdrawn."))
            return redirect("registry:season", permit.season_id)
    title = _("Withdraw removal permit %(number)s") % {"number": permit.number}
    context = {"form": form, "title": title, "season": permit.season, "button": _("Withdraw"), "is_stop": True}
    return render(request, "registry/season_form.html", context)


@require_safe
@requires(Can.SEE_INTAKES, Can.KEEP_CERTIFICATES)
def slaughter_points(request: SignedInRequest) -> HttpResponse:
    chosen = SlaughterPointFilter(request.GET)
    context = {
        "filter": chosen,
        "points": chosen.qs,
        "may_keep": request.user.can(Can.KEEP_SEASONS),
        "sees_seasons": request.user.can(Can.SEE_INTAKES),
    }
    return render(request, "registry/slaughter_points.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def enter_slaughter_point(request: SignedInRequest) -> HttpResponse:
    form = SlaughterPointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            papers.enter_slaughter_point(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Slaughter point entered."))
            return redirect("registry:slaughter-points")
    return render(request, "registry/season_form.html", {"form": form, "title": _("Enter a slaughter point")})
