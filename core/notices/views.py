"""The inbox of alerts and discrepancies."""

from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.notices.filters import OPEN, NoticeFilter
from core.notices.forms import DecisionForm
from core.notices.models import Notice
from core.notices.services import AlreadyDecided, decide_notice

NEVER = date(9999, 12, 31)


@require_safe
@requires(Can.DECIDE_NOTICE, Can.SEE_EVERYTHING)
def inbox(request: SignedInRequest) -> HttpResponse:
    """What waits for a decision; the nearest day first."""
    asked = request.GET.copy()
    asked.setdefault("state", OPEN)
    notices = Notice.objects.visible_to(request.user).select_related("organisation")
    found = NoticeFilter(asked, queryset=notices.annotate(due=Coalesce("due_on", Value(NEVER))), request=request)
    page = keyset_page(found.qs, request, order=("due", "-pk"))
    return render(request, "notices/inbox.html", {"filter": found, "page": page, "today": day_of(timezone.now())})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.DECIDE_NOTICE, Can.SEE_EVERYTHING)
def notice(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """One notice: what it says, and its decision or the form for it."""
    known = Notice.objects.visible_to(request.user).select_related("organisation", "decided_by", "assigned_to")
    found = get_object_or_404(known, pk=pk)
    may_decide = Notice.objects.decidable_by(request.user).filter(pk=pk).exists()
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and not may_decide and found.is_open:
        raise PermissionDenied
    if request.method == "POST" and form.is_valid():
        try:
            decide_notice(actor=request.user, at=timezone.now(), notice=found, **form.cleaned_data)
        except AlreadyDecided as refusal:
            messages.error(request, str(refusal))
            return redirect("notices:notice", pk)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Decision recorded."))
            return redirect("notices:notice", pk)
    story = Event.objects.filter(facts__notice=found.pk, verb__startswith="notice.")
    context = {
        "notice": found,
        "form": form,
        "may_decide": may_decide,
        "today": day_of(timezone.now()),
        "story": story.about((found.subject_kind, found.subject_id)),
    }
    return render(request, "notices/notice.html", context)
