"""Rules in force, and how they are changed by two persons."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from core.rules import services
from core.rules.forms import BasisForm, DayForm, DraftForm
from core.rules.models import Rule, RuleCode
from core.rules.selectors import rule_stories

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@requires(Can.SEE_RULES)
def rules(request: SignedInRequest) -> HttpResponse:
    """Every kind of rule: what is in force on the chosen day, and how it was before and will be."""
    form = DayForm(request.GET if "on" in request.GET else {"on": day_of(timezone.now())})
    on: date = form.cleaned_data["on"] if form.is_valid() else day_of(timezone.now())
    drafts = Rule.objects.drafts().select_related("basis", "drafted_by")
    context = {
        "form": form,
        "on": on,
        "is_today": on == day_of(timezone.now()),
        "stories": rule_stories(on),
        "drafts": drafts,
        "may_draft": request.user.can(Can.DRAFT_RULE),
    }
    return render(request, "rules/rules.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.SEE_RULES)
def rule(request: SignedInRequest, pk: int) -> HttpResponse:
    """One rule or draft. Whoever may put it in force sees what changes, and signs here."""
    found = get_object_or_404(Rule.objects.select_related("basis", "drafted_by", "enacted_by", "withdrawn_by"), pk=pk)
    may_enact = found.is_draft and request.user.can(Can.ENACT_RULE)
    form = SignatureForm(request.POST or None, signer=request.user)
    if request.method == "POST" and may_enact and form.is_valid():
        try:
            services.enact_rule(actor=request.user, at=timezone.now(), rule=found)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The rule is put in force."))
            return redirect("rules:rule", pk)
    same = Rule.objects.enacted().filter(code=found.code, scope=found.scope).exclude(pk=pk)
    before = [other for other in same if other.starts_on < found.starts_on]
    context = {
        "rule": found,
        "form": form,
        "may_enact": may_enact,
        "is_own": found.drafted_by_id == request.user.pk,
        "may_withdraw": found.is_draft and (found.drafted_by_id == request.user.pk or may_enact),
        "now_in_force": next((other for other in same if other.covers(found.starts_on)), None),
        "before": max(before, key=lambda other: other.starts_on, default=None),
        "is_backdated": found.is_draft and found.starts_on < day_of(timezone.now()),
        "events": Event.objects.about(("rule", found.pk)),
    }
    return render(request, "rules/rule.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.DRAFT_RULE)
def draft(request: SignedInRequest, code: str) -> HttpResponse:
    if code not in RuleCode.values:
        raise Http404
    kind = RuleCode(code)
    form = DraftForm(request.POST or None, code=kind)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.draft_rule(
                actor=request.user,
                at=timezone.now(),
                code=kind,
                value=form.rule_value,
                starts_on=form.cleaned_data["starts_on"],
                ends_on=form.cleaned_data["ends_on"],
                basis=form.cleaned_data["basis"],
                scope=form.cleaned_data.get("scope", ""),
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Drafted. Another person puts it in force."))
            return redirect("rules:rule", made.pk)
    return render(request, "rules/draft.html", {"form": form, "kind": kind})


@require_POST
@requires(Can.DRAFT_RULE, Can.ENACT_RULE)
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give up a draft: one's own, or, for whoever puts rules in force, anybody's."""
    drafts = Rule.objects.all() if request.user.can(Can.ENACT_RULE) else Rule.objects.filter(drafted_by=request.user)
    found = get_object_or_404(drafts, pk=pk)
    try:
        services.withdraw_rule(actor=request.user, at=timezone.now(), rule=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Draft withdrawn."))
    return redirect("rules:rule", pk)


@require_http_methods(GET_OR_POST)
@requires(Can.DRAFT_RULE)
def cite(request: SignedInRequest) -> HttpResponse:
    form = BasisForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.cite_basis(actor=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, _("Legal basis entered: rules can rest on it now."))
        return redirect("rules:rules")
    return render(request, "rules/cite.html", {"form": form})
