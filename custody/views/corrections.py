"""One movement and its correction; periods that are closed for new entries."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.audit.models import Event
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from custody.forms.corrections import ClosePeriodForm, CorrectionForm
from custody.models import Correction
from custody.services import corrections as services
from ledger.models import Movement, PeriodClose
from ledger.services import close_period

GET_OR_POST = ["GET", "HEAD", "POST"]


@requires(Can.SEE_EVERYTHING, Can.CORRECT_MOVEMENT)
@require_safe
def corrections(request: SignedInRequest) -> HttpResponse:
    """What waits for a second person, and what was corrected."""
    known = Correction.objects.select_related("movement", "asked_by", "decided_by")
    if request.GET.get("state") == "asked":
        known = known.filter(state=Correction.State.ASKED)
    context = {"page": keyset_page(known, request), "state": request.GET.get("state", "")}
    return render(request, "custody/corrections.html", context)


@requires(Can.SEE_EVERYTHING, Can.CORRECT_MOVEMENT)
@require_safe
def movement(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _movement_or_404(pk)
    postings = found.postings.select_related("account", "item__derivative").order_by(F("pk"))
    waiting = Correction.objects.filter(movement=found, state=Correction.State.ASKED).first()
    may = request.user.can(Can.CORRECT_MOVEMENT)
    context: dict[str, Any] = {
        "movement": found,
        "page": keyset_page(postings, request, order=("pk",), size=100),
        "corrections": Correction.objects.filter(movement=found).select_related("asked_by", "decided_by", "counter"),
        "waiting": waiting,
        "may_correct": may,
        "refused": services.refusal_to_correct(found) if may else "",
        "counter": Movement.objects.filter(reverses=found).first(),
        "events": Event.objects.about(("movement", found.pk))[:50],
    }
    return render(request, "custody/movement.html", context)


@requires(Can.CORRECT_MOVEMENT)
@require_http_methods(GET_OR_POST)
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    """Why the movement was a mistake; another person then confirms."""
    found = _movement_or_404(pk)
    if refusal := services.refusal_to_correct(found):
        messages.error(request, str(refusal))
        return redirect("custody:movement", pk)
    form = CorrectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.ask_correction(actor=request.user, at=timezone.now(), movement=found, **form.cleaned_data)
        except DomainError as refusal_:
            add_refusal(form, refusal_)
        else:
            messages.success(request, _("Asked for. Another person confirms it."))
            return redirect("custody:movement", pk)
    return _form_page(request, form, found, _("Ask for a correction"), _("Ask for it"))


@requires(Can.CORRECT_MOVEMENT)
@require_http_methods(GET_OR_POST)
def confirm(request: SignedInRequest, pk: int, correction: int) -> HttpResponse:
    """The second person sees what moves back, and signs with the password."""
    found = _movement_or_404(pk)
    waiting = get_object_or_404(Correction.objects.select_related("asked_by"), pk=correction, movement=found)
    if waiting.state != Correction.State.ASKED:
        return redirect("custody:movement", pk)
    if waiting.asked_by_id == request.user.pk:
        raise PermissionDenied
    form = SignatureForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.confirm_correction(actor=request.user, at=timezone.now(), correction=waiting)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Corrected. Both movements stay in the ledger."))
            return redirect("custody:movement", pk)
    return _form_page(request, form, found, _("Confirm the correction"), _("Confirm"), waiting)


@requires(Can.CORRECT_MOVEMENT)
@require_http_methods(GET_OR_POST)
def refuse(request: SignedInRequest, pk: int, correction: int) -> HttpResponse:
    found = _movement_or_404(pk)
    waiting = get_object_or_404(Correction.objects.select_related("asked_by"), pk=correction, movement=found)
    form = CorrectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.refuse_correction(actor=request.user, at=timezone.now(), correction=waiting, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:movement", pk)
    return _form_page(request, form, found, _("Do not correct"), _("Do not correct"), waiting)


@requires(Can.SEE_EVERYTHING, Can.CLOSE_PERIOD)
@require_http_methods(GET_OR_POST)
def periods(request: SignedInRequest) -> HttpResponse:
    """Which periods are closed, what closing means, and the act of the head."""
    may_close = request.user.can(Can.CLOSE_PERIOD)
    if request.method == "POST" and not may_close:
        raise PermissionDenied
    form = ClosePeriodForm(request.POST or None, signer=request.user) if may_close else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            close_period(actor=request.user, at=timezone.now(), until=form.cleaned_data["until"])
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The period is closed."))
            return redirect("custody:periods")
    closed = PeriodClose.objects.select_related("closed_by").order_by("-until")
    context = {"form": form, "closed": closed[:60], "latest": closed.first()}
    return render(request, "custody/periods.html", context, status=422 if form and form.errors else 200)


def _movement_or_404(pk: int) -> Movement:
    return get_object_or_404(Movement.objects.select_related("actor", "reverses"), pk=pk)


def _form_page(
    request: SignedInRequest, form: Any, found: Movement, title: str, act: str, correction: Correction | None = None
) -> HttpResponse:
    context = {"form": form, "movement": found, "title": title, "act": act, "correction": correction}
    return render(request, "custody/correction_form.html", context, status=422 if form.errors else 200)
