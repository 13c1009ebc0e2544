"""Reports of loss: the list, a new one, one report and what settles it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.documents.models import Attachment
from core.documents.services import serve
from custody.forms.loss import LossForm, PoliceForm, ReasonForm, RecoveryForm, WriteOffForm
from custody.missing import what_is_missing, words_of
from custody.models import LossAct, LossLine, LossReport
from custody.papers import loss_paper
from custody.scanning import find_items
from custody.services import loss as services

GET_OR_POST = ["GET", "HEAD", "POST"]


@requires(Can.REPORT_LOSS, Can.SEE_EVERYTHING)
@require_safe
def losses(request: SignedInRequest) -> HttpResponse:
    known = LossReport.objects.visible_to(request.user).select_related("account")
    counted = known.annotate(
        items=Count("lines"), missing=Count("lines", filter=Q(lines__outcome=LossLine.Outcome.OPEN))
    )
    if request.GET.get("state") == "open":
        counted = counted.filter(missing__gt=0)
    page = keyset_page(counted, request)
    context = {"page": page, "may_report": request.user.can(Can.REPORT_LOSS), "state": request.GET.get("state", "")}
    return render(request, "custody/losses.html", context)


@requires(Can.REPORT_LOSS)
@require_http_methods(GET_OR_POST)
def report_loss(request: SignedInRequest) -> HttpResponse:
    """Items by their numbers or marks, or whatever a hand-over or a stock-take misses."""
    given = {"source": request.GET.get("source", ""), "items": request.GET.get("items", "")}
    form = LossForm(request.POST or None, initial={"noticed_on": day_of(timezone.now())} | given)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            account, items, kind = what_is_missing(
                request.user,
                said.pop("items").replace(",", " ").replace(";", " ").split(),
                source=said.pop("source"),
                kind=said.pop("kind"),
            )
            reported = services.report_loss(
                actor=request.user,
                at=timezone.now(),
                account=account,
                item_ids=items,
                kind=kind,
                reference=form.cleaned_data["source"].strip().upper(),
                **said,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Reported. The items are held and the authority is told."))
            return redirect("custody:loss", reported.pk)
    return render(request, "custody/loss_report.html", {"form": form}, status=422 if form.errors else 200)


@requires(Can.REPORT_LOSS, Can.SEE_EVERYTHING)
@require_safe
def loss(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _loss_or_404(request, pk)
    acts = list(found.acts.select_related("proposed_by", "decided_by", "target"))
    waiting = next((act for act in acts if act.state == LossAct.State.PROPOSED), None)
    lines = found.lines.select_related("item__derivative", "act")
    missing = lines.filter(outcome=LossLine.Outcome.OPEN).count()
    context: dict[str, Any] = {
        "report": found,
        "page": keyset_page(lines, request, order=("pk",), size=100),
        "counts": {"all": lines.count(), "missing": missing},
        "acts": acts,
        "waiting": waiting,
        "may_decide": waiting is not None and services.can_decide(request.user, waiting),
        "may_propose": missing > 0 and waiting is None and services.can_report(request.user, found.account),
        "may_write": services.can_report(request.user, found.account),
        "events": Event.objects.about(("loss", found.pk))[:50],
    }
    return render(request, "custody/loss.html", context)


@requires(Can.REPORT_LOSS)
@require_http_methods(GET_OR_POST)
def note_police(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _loss_or_404(request, pk)
    form = PoliceForm(request.POST or None, initial={"police_number": found.police_number})
    if request.method == "POST" and form.is_valid():
        try:
            services.note_police(actor=request.user, at=timezone.now(), report=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:loss", pk)
    return _form_page(request, form, found, _("Report to the police"), _("Save"))


@requires(Can.REPORT_LOSS)
@require_http_methods(GET_OR_POST)
def propose(request: SignedInRequest, pk: int, kind: str) -> HttpResponse:
    """Found again, or written off: all missing items, or those that are named."""
    found = _loss_or_404(request, pk)
    open_lines = found.lines.filter(outcome=LossLine.Outcome.OPEN)
    sent, now = request.POST or None, timezone.now()
    form: RecoveryForm | WriteOffForm
    if kind == LossAct.Kind.RECOVERY:
        form = RecoveryForm(sent, user=request.user, report=found, at=now)
    else:
        form = WriteOffForm(sent, report=found, at=now)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            words = words_of(said.pop("items"))
            items = (
                find_items(words, person=request.user) if words else list(open_lines.values_list("item_id", flat=True))
            )
            services.propose_act(
                actor=request.user, at=timezone.now(), report=found, kind=LossAct.Kind(kind), item_ids=items, **said
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Proposed. Another person decides."))
            return redirect("custody:loss", pk)
    recovery = kind == LossAct.Kind.RECOVERY
    title = _("Found again") if recovery else _("Write off")
    return _form_page(request, form, found, title, _("Propose"))


@requires(Can.REPORT_LOSS, Can.APPROVE_WRITE_OFF)
@require_http_methods(GET_OR_POST)
def decide(request: SignedInRequest, pk: int, act: int) -> HttpResponse:
    """The second person sees what is proposed and what it changes, and signs with the password."""
    found = _loss_or_404(request, pk)
    waiting = get_object_or_404(LossAct.objects.select_related("proposed_by", "target"), pk=act, report=found)
    waiting.report = found
    if not services.can_decide(request.user, waiting):
        raise PermissionDenied
    if waiting.state != LossAct.State.PROPOSED:
        return redirect("custody:loss", pk)
    form = SignatureForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.approve_act(actor=request.user, at=timezone.now(), act=waiting)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Approved."))
            return redirect("custody:loss", pk)
    context = {
        "report": found,
        "act": waiting,
        "form": form,
        "lines": waiting.lines.select_related("item__derivative")[:500],
        "pieces": waiting.lines.count(),
        "is_own": waiting.proposed_by_id == request.user.pk,
        "declared_it": request.user.pk in services.who_declared(found, waiting.lines.values_list("item_id", flat=True))
        and waiting.kind == LossAct.Kind.RECOVERY,
        "odd": {line.pk for line in services.odd_masses(waiting)},
        "files": Attachment.objects.of("loss", found.pk).standing().count(),
    }
    return render(request, "custody/loss_decide.html", context, status=422 if form.errors else 200)


@requires(Can.REPORT_LOSS, Can.APPROVE_WRITE_OFF)
@require_http_methods(GET_OR_POST)
def refuse(request: SignedInRequest, pk: int, act: int) -> HttpResponse:
    found = _loss_or_404(request, pk)
    waiting = get_object_or_404(LossAct, pk=act, report=found)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.refuse_act(actor=request.user, at=timezone.now(), act=waiting, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:loss", pk)
    return _form_page(request, form, found, _("Do not approve"), _("Do not approve"))


@requires(Can.REPORT_LOSS, Can.SEE_EVERYTHING)
@require_safe
def paper(request: SignedInRequest, pk: int, act: int, language: str) -> HttpResponseBase:
    found = _loss_or_404(request, int(pk))
    known = LossAct.objects.select_related("paper_kk", "paper_ru", "proposed_by", "decided_by")
    approved = get_object_or_404(known, pk=act, report=found)
    approved.report = found
    shown = loss_paper(approved, "kk" if language == "kk" else "ru", actor=request.user, at=timezone.now())
    return serve(shown)


def _loss_or_404(request: SignedInRequest, pk: int) -> LossReport:
    known = LossReport.objects.visible_to(request.user).select_related("account__custodian", "reported_by")
    return get_object_or_404(known, pk=pk)


def _form_page(request: SignedInRequest, form: forms.Form, report: LossReport, title: str, act: str) -> HttpResponse:
    context = {"form": form, "report": report, "title": title, "act": act}
    return render(request, "custody/loss_form.html", context, status=422 if form.errors else 200)
