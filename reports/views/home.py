"""The first page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.base.clock import day_of
from reports.first_pages import first_page


@require_safe
@requires()
def home(request: SignedInRequest) -> HttpResponse:
    """What waits for this person, by when."""
    sections = first_page(request.user, today=day_of(timezone.now()))
    return render(request, "reports/home.html", {"sections": sections})
