"""One's own background work: progress, cancelling, finished files."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.jobs.models import Job
from core.jobs.services import cancel_job


@require_safe
@requires()
def jobs(request: SignedInRequest) -> HttpResponse:
    mine = Job.objects.visible_to(request.user)
    page = keyset_page(mine, request, order=("-queued_at", "-pk"), size=20)
    return render(request, "jobs/jobs.html", {"page": page})


@require_safe
@never_cache
@requires()
def job(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """One job; to htmx only its card, which renews itself until the job has ended."""
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    return render(request, "components/job.html" if request.htmx else "jobs/job.html", {"job": found})


@require_POST
@requires()
def cancel(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    try:
        found = cancel_job(actor=request.user, at=timezone.now(), job=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Cancelled."))
    return redirect("jobs:job", pk)
