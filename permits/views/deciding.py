"""What an officer does with an application, and with a permit that must end."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_stubs_ext import StrOrPromise

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from ledger.models import Holding
from ledger.selectors import stores_of
from permits import services
from permits.filters import PermitFilter
from permits.forms import ApproveForm, RefuseForm, RevokeForm, SendBackForm
from permits.machine import Act, find_transition
from permits.models import Application, Permit
from permits.services.decisions import is_applicant
from permits.views.applications import application_or_404, summary
from permits.views.said import say_refusal

LINES = 200
MOST_PRINTED = 20_000

FORMS: dict[Act, type[ApproveForm | RefuseForm | SendBackForm]] = {
    Act.APPROVE: ApproveForm,
    Act.REFUSE: RefuseForm,
    Act.RETURN: SendBackForm,
}
TITLES: dict[Act, StrOrPromise] = {
    Act.APPROVE: gettext_lazy("Approve and issue the permit"),
    Act.REFUSE: gettext_lazy("Refuse"),
    Act.RETURN: gettext_lazy("Return for correction"),
}


@requires(Can.DECIDE_APPLICATION)
@require_POST
def take_up(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say who works on it."""
    found = application_or_404(request, pk)
    try:
        services.take_up_application(actor=request.user, at=timezone.now(), application=found)
    except DomainError as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, _("You have taken this application up."))
    return redirect("permits:application", pk)


@requires(Can.DECIDE_APPLICATION)
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: SignedInRequest, pk: int, act: str) -> HttpResponse:
    """One decision: the officer reads exactly what the applicant read, gives the reason, and signs."""
    found, chosen = application_or_404(request, pk), Act(act)
    if is_applicant(request.user, found):
        raise PermissionDenied
    if find_transition(found.state, chosen) is None:
        messages.info(request, _("This is no longer possible: the application is in another state."))
        return redirect("permits:application", pk)
    form = FORMS[chosen](request.POST or None, signer=request.user, initial={"valid_until": found.wished_until})
    if request.method == "POST" and form.is_valid():
        try:
            done = _decide(request, found, chosen, form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, done)
            return redirect("permits:application", pk)
    context = {**summary(request, found), "form": form, "act": chosen, "title": TITLES[chosen], "Act": Act}
    return render(request, "permits/decide.html", context, status=422 if form.errors else 200)


def _decide(request: SignedInRequest, found: Application, act: Act, given: dict[str, Any]) -> str:
    """Do it; the sentence that says so."""
    now = timezone.now()
    if act == Act.APPROVE:
        permit = services.approve_application(
            actor=request.user, at=now, application=found, valid_until=given["valid_until"]
        )
        return _("Approved. Permit %(number)s is issued.") % {"number": permit.number}
    if act == Act.REFUSE:
        services.refuse_application(
            actor=request.user, at=now, application=found, reason=given["reason"], article=given["article"]
        )
        return _("Refused. The applicant sees the reason and the article.")
    services.return_application(actor=request.user, at=now, application=found, reason=given["reason"])
    return _("Returned to the applicant for correction.")


@requires(Can.SEE_APPLICATIONS)
@require_safe
def permits(request: SignedInRequest) -> HttpResponse:
    chosen = PermitFilter(request.GET, reader=request.user)
    found = chosen.qs.select_related("holder", "receiver", "ending")
    page = keyset_page(found, request, order=("-pk",))
    today = day_of(timezone.now())
    context = {"filter": chosen, "page": page, "rows": [(permit, permit.state_on(today)) for permit in page]}
    return render(request, "permits/permits.html", context)


@requires(Can.SEE_APPLICATIONS)
@require_safe
def permit(request: SignedInRequest, pk: int) -> HttpResponse:
    """What is allowed, and what became of it; prints on A4."""
    found = _permit_or_404(request, pk)
    today = day_of(timezone.now())
    state = found.state_on(today)
    present = Holding.objects.filter(item=OuterRef("item"), pieces__gt=0)
    lines = found.lines.select_related("item", "handover").annotate(
        now_class=Subquery(present.values("stock_class")[:1])
    )
    page = keyset_page(lines, request, order=("row",), size=MOST_PRINTED if "all" in request.GET else LINES)
    left = found.lines.filter(handover=None).count()
    dispatches = stores_of(request.user, Can.DISPATCH, kinds=services.PLACES).filter(custodian=found.holder_id).exists()
    context = {
        "permit": found,
        "state": state,
        "page": page,
        "left": left,
        "used": found.pieces - left,
        "events": Event.objects.about(("permit", found.pk)),
        "can_dispatch": state == Permit.State.IN_FORCE and bool(left) and dispatches,
        "can_revoke": found.end is None and request.user.can(Can.DECIDE_APPLICATION),
        "sees_application": Application.objects.visible_to(request.user).filter(pk=found.application_id).exists(),
    }
    return render(request, "permits/permit.html", context)


@requires(Can.DECIDE_APPLICATION)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a permit before its time, with the reason, signed."""
    found = _permit_or_404(request, pk)
    if found.end is not None:
        messages.info(request, _("This permit has ended already."))
        return redirect("permits:permit", pk)
    form = RevokeForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.revoke_permit(
                actor=request.user, at=timezone.now(), permit=found, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Permit %(number)s is revoked.") % {"number": found.number})
            return redirect("permits:permit", pk)
    return render(request, "permits/revoke.html", {"permit": found, "form": form}, status=422 if form.errors else 200)


def _permit_or_404(request: SignedInRequest, pk: int) -> Permit:
    known = Permit.objects.visible_to(request.user).select_related(
        "application", "decision", "holder", "receiver", "store", "issued_by", "ending", "ending__ended_by"
    )
    return get_object_or_404(known, pk=pk)
