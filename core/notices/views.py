"""The inbox of alerts and discrepancies: one place for everything that somebody must look into."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.subjects import label_of, pages_of
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.notices.filters import OPEN, NoticeFilter
from core.notices.forms import AssignForm, CommentForm, DecisionForm, ExplanationForm, ReturnForm
from core.notices.models import Notice, is_authority
from core.notices.selectors import may_act_on, people_for, refusal_to_decide, who_acts, who_may_decide
from core.notices.services import (
    AlreadyDecided,
    ExplanationFirst,
    assign_notices,
    comment_notice,
    decide_notice,
    explain_notice,
    return_notice,
    table_of_codes,
)

NEVER = date(9999, 12, 31)


@require_safe
@requires(Can.DECIDE_NOTICE, Can.SEE_EVERYTHING)
def inbox(request: SignedInRequest) -> HttpResponse:
    """What waits; the nearest day first, so that what is overdue stands on top."""
    asked = request.GET.copy()
    asked.setdefault("state", OPEN)
    notices = Notice.objects.visible_to(request.user).select_related("organisation", "assigned_to", "decided_by")
    dated = notices.annotate(due=Coalesce("due_on", Value(NEVER)))
    found = NoticeFilter(asked, queryset=dated, request=request, user=request.user)
    page = keyset_page(found.qs, request, order=("due", "-pk"))
    today = day_of(timezone.now())
    actable = [notice for notice in page if notice.is_open and may_act_on(request.user, notice)]
    people = people_for({notice.organisation_id for notice in actable}, today) if actable else []
    context = {
        "filter": found,
        "page": page,
        "today": today,
        "actable": {notice.pk for notice in actable},
        "assign": AssignForm(people=people) if actable else None,
        "acting": who_acts(list(page), today),
    }
    return render(request, "notices/inbox.html", context)


@require_safe
@requires(Can.DECIDE_NOTICE, Can.SEE_EVERYTHING)
def codes(request: SignedInRequest) -> HttpResponse:
    """Every alert that the registry can raise, and who decides it."""
    return render(request, "notices/codes.html", {"codes": table_of_codes()})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.DECIDE_NOTICE, Can.SEE_EVERYTHING)
def notice(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """One notice: what it says, who acts, what was said and decided, and the forms for what comes next.

    What is sent here is a decision: it closes the notice.
    """
    found = _notice_or_404(request, pk)
    if request.method != "POST":
        return _page(request, found)
    if found.is_open and (refusal := refusal_to_decide(request.user, found)):
        raise PermissionDenied(refusal)
    form = DecisionForm(request.POST, code=found.code)
    return _act(request, found, "form", form, decide_notice, _("Decision recorded."))


def _page(request: SignedInRequest, found: Notice, *, status: int = 200, **forms: forms.Form) -> HttpResponse:
    user, today = request.user, day_of(timezone.now())
    own = Notice.objects.filter(pk=found.pk)
    may_act = found.is_open and may_act_on(user, found)
    subject = (found.subject_kind, found.subject_id)
    story = Event.objects.filter(facts__notice=found.pk, verb__startswith="notice.")
    context: dict[str, Any] = {
        "notice": found,
        "today": today,
        "subject_label": label_of(found.subject_kind),
        "subject_url": pages_of(user, [subject]).get(subject, ""),
        "may_act": may_act,
        "acting": who_acts([found], today).get(found.pk),
        "refusal": refusal_to_decide(user, found) if found.is_open else None,
        "deciders": who_may_decide(found, today) if found.is_open else [],
        "may_explain": own.explainable_by(user).exists(),
        "may_return": found.waits_for_authority and is_authority(user) and found.explained_by_id != user.pk,
        "notes": found.notes.select_related("by"),
        "form": DecisionForm(code=found.code),
        "explanation": ExplanationForm(),
        "returning": ReturnForm(),
        "comment": CommentForm(),
        "assign": AssignForm(
            people=people_for([found.organisation_id], today) if may_act else [],
            initial={"person": str(found.assigned_to_id or "")},
        ),
        "story": story.about(subject),
    }
    return render(request, "notices/notice.html", context | forms, status=status)


@require_POST
@requires(Can.DECIDE_NOTICE)
def explain(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """What the organisation says to it."""
    found = _notice_or_404(request, pk)
    return _act(request, found, "explanation", ExplanationForm(request.POST), explain_notice, _("Explanation sent."))


@require_POST
@requires(Can.DECIDE_NOTICE)
def give_back(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """The explanation is not enough."""
    found = _notice_or_404(request, pk)
    return _act(request, found, "returning", ReturnForm(request.POST), return_notice, _("Explanation returned."))


@require_POST
@requires(Can.DECIDE_NOTICE)
def comment(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """Something beside it, for all who see it."""
    found = _notice_or_404(request, pk)
    return _act(request, found, "comment", CommentForm(request.POST), comment_notice, _("Comment written."))


@require_POST
@requires(Can.DECIDE_NOTICE)
def assign(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """Who acts on one."""
    return _assign(request, [_notice_or_404(request, pk)], reverse("notices:notice", args=[pk]))


@require_POST
@requires(Can.DECIDE_NOTICE)
def assign_many(request: SignedInRequest) -> HttpResponse | HttpResponseRedirect:
    """Who acts on the ticked ones."""
    ticked = [int(key) for key in request.POST.getlist("notice") if key.isascii() and key.isdigit() and len(key) < 19]
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("notices:inbox")
    return _assign(request, list(Notice.objects.visible_to(request.user).filter(pk__in=ticked)), back)


def _assign(request: SignedInRequest, notices: list[Notice], back: str) -> HttpResponseRedirect:
    people = people_for({one.organisation_id for one in notices}, day_of(timezone.now()))
    form = AssignForm(request.POST, people=people)
    if not form.is_valid():
        messages.error(request, _("This person cannot act on all of these. Choose another one."))
        return redirect(back)
    try:
        count = assign_notices(actor=request.user, at=timezone.now(), notices=notices, person=form.chosen)
    except DomainError as refusal:
        if refusal.status == 403:
            raise PermissionDenied from refusal
        messages.error(request, str(refusal))
    else:
        words = ngettext("%(count)d assigned.", "%(count)d assigned.", count)
        messages.success(request, words % {"count": count})
    return redirect(back)


def _act(
    request: SignedInRequest, found: Notice, name: str, form: forms.Form, service: Callable[..., Any], done: str
) -> HttpResponse | HttpResponseRedirect:
    """Send a form to its service; show the page again with what is wrong."""
    if not form.is_valid():
        return _page(request, found, status=422, **{name: form})
    try:
        service(actor=request.user, at=timezone.now(), notice=found, **form.cleaned_data)
    except (AlreadyDecided, ExplanationFirst) as refusal:
        messages.error(request, str(refusal))
    except DomainError as refusal:
        if refusal.status == 403:
            raise PermissionDenied from refusal
        add_refusal(form, refusal)
        return _page(request, found, status=422, **{name: form})
    else:
        messages.success(request, done)
    return redirect("notices:notice", found.pk)


def _notice_or_404(request: SignedInRequest, pk: int) -> Notice:
    known = Notice.objects.visible_to(request.user).select_related(
        "organisation", "decided_by", "assigned_to", "explained_by", "caused_by"
    )
    return get_object_or_404(known, pk=pk)
