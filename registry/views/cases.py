"""Seizure cases: the list and the page of one."""

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.paging import keyset_page
from registry.filters import CaseFilter
from registry.models import Case, Intake, Origin
from registry.selectors import stores_for_intake


@requires(Can.SEE_INTAKES)
@require_safe
def cases(request: SignedInRequest) -> HttpResponse:
    seen = Prefetch("intakes", queryset=Intake.objects.visible_to(request.user).with_rows_weighed())
    known = Case.objects.visible_to(request.user).select_related("agency", "region").prefetch_related(seen)
    chosen = CaseFilter(request.GET, queryset=known, request=request)
    page = keyset_page(chosen.qs, request)
    may_seize = stores_for_intake(request.user, Origin.SEIZURE).exists()
    return render(request, "registry/cases.html", {"filter": chosen, "page": page, "may_seize": may_seize})


@requires(Can.SEE_INTAKES)
@require_safe
def case(request: SignedInRequest, pk: int) -> HttpResponse:
    known = Case.objects.visible_to(request.user).select_related("agency", "region", "opened_by")
    found = get_object_or_404(known, pk=pk)
    intakes = list(
        Intake.objects.visible_to(request.user)
        .filter(case=found)
        .select_related("store")
        .with_rows_weighed()
        .order_by("pk")
    )
    subjects = [("case", found.pk), *(("intake", intake.pk) for intake in intakes)]
    context = {
        "case": found,
        "intakes": intakes,
        "may_seize": stores_for_intake(request.user, Origin.SEIZURE).exists(),
        "events": Event.objects.about(*subjects)[:50],
    }
    return render(request, "registry/case.html", context)
