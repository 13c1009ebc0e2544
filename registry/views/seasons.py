"""Seasons with their removal permits and brigades: what an inspector chooses from when opening a reception."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from registry.forms_seasons import BrigadeForm, RemovalPermitForm, SeasonForm
from registry.models import Season
from registry.services import papers

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@requires(Can.KEEP_SEASONS, Can.SEE_EVERYTHING)
def seasons(request: SignedInRequest) -> HttpResponse:
    known = Season.objects.prefetch_related("removal_permits", "brigades")
    return render(request, "registry/seasons.html", {"seasons": known, "may_keep": request.user.can(Can.KEEP_SEASONS)})


@require_safe
@requires(Can.KEEP_SEASONS, Can.SEE_EVERYTHING)
def season(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Season, pk=pk)
    context = {
        "season": found,
        "permits": found.removal_permits.select_related("region", "holder").order_by("issued_on", "number"),
        "brigades": found.brigades.select_related("region").order_by("pk"),
        "events": Event.objects.about(("season", found.pk))[:50],
        "may_keep": request.user.can(Can.KEEP_SEASONS),
    }
    return render(request, "registry/season.html", context)


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
            messages.success(request, _("Season entered. Add the removal permits and the brigades."))
            return redirect("registry:season", made.pk)
    return render(request, "registry/season_form.html", {"form": form, "title": _("Enter a season")})


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def enter_removal_permit(request: SignedInRequest, pk: int) -> HttpResponse:
    return _enter(
        request, pk, RemovalPermitForm, papers.enter_removal_permit, _("Enter a removal permit"), _("Permit entered.")
    )


@require_http_methods(GET_OR_POST)
@requires(Can.KEEP_SEASONS)
def enter_brigade(request: SignedInRequest, pk: int) -> HttpResponse:
    return _enter(request, pk, BrigadeForm, papers.enter_brigade, _("Enter a brigade"), _("Brigade entered."))


def _enter(
    request: SignedInRequest,
    pk: int,
    form_class: type[forms.Form],
    act: Callable[..., Any],
    title: str,
    done: str,
) -> HttpResponse:
    """Enter one paper of a season, and then perhaps the next one of the kind."""
    found = get_object_or_404(Season, pk=pk)
    form = form_class(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(actor=request.user, at=timezone.now(), season=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, done)
            return redirect(request.path) if "again" in request.POST else redirect("registry:season", found.pk)
    return render(request, "registry/season_form.html", {"form": form, "title": title, "season": found})
