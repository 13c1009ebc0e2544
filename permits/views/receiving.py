"""Goods arrive: every scan gets its verdict, then the receiver accepts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from custody.scanning import Said
from ledger.models import Handover, HandoverLine
from permits import services
from permits.arrivals import take_scan
from permits.forms import AcceptForm
from permits.models import ExtraScan
from permits.selectors import count_lines
from permits.views.said import own_hosts, wants_part

LATEST = 5
LISTED = 200


@dataclass(frozen=True, slots=True)
class Scanned:
    """One of the latest scans, as the page lists it."""

    text: str
    at: datetime
    is_extra: bool


@requires(Can.RECEIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def receive(request: SignedInRequest, pk: int) -> HttpResponse:
    """The scan field; a scan is a POST of `code` and gets the page again, or only its changing part."""
    handover = _arriving_or_404(request, pk)
    if handover.state != Handover.State.DISPATCHED:
        return redirect("permits:handover", pk)
    said = None
    if request.method == "POST":
        code = request.POST.get("code", "")
        said = take_scan(request.user, handover, code, hosts=own_hosts(request), at=timezone.now())
    context = _state(request, handover, said)
    if wants_part(request):
        return render(request, "permits/_receive_state.html", context)
    return render(request, "permits/receive.html", context)


@requires(Can.RECEIVE)
@require_POST
def undo_scan(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take the person's last scan back."""
    handover = _arriving_or_404(request, pk)
    try:
        undone = services.undo_last_scan(actor=request.user, handover=handover)
        said = Said("neutral", _("Taken back"), undone) if undone else Said("neutral", _("Nothing to take back"))
    except DomainError as refusal:
        said = Said("stop", _("Not possible"), str(refusal))
    context = _state(request, handover, said)
    if wants_part(request):
        return render(request, "permits/_receive_state.html", context)
    return render(request, "permits/receive.html", context)


@requires(Can.RECEIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: SignedInRequest, pk: int) -> HttpResponse:
    """What becomes of the difference, why, and the one button that takes the goods in."""
    handover = _arriving_or_404(request, pk)
    if handover.state != Handover.State.DISPATCHED:
        return redirect("permits:handover", pk)
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.accept_goods(
                actor=request.user,
                at=timezone.now(),
                handover=handover,
                difference_reason=form.cleaned_data["difference_reason"],
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Accepted: the goods are in your store."))
            return redirect("permits:handover", pk)
    counts = count_lines(handover)
    pending = HandoverLine.objects.filter(handover=handover, outcome=HandoverLine.Outcome.PENDING)
    context = {
        "handover": handover,
        "form": form,
        "counts": counts,
        "missing": pending.select_related("item__derivative").order_by("item__derivative__number")[:LISTED],
        "extras": handover.extra_scans.select_related("item").order_by("pk")[:LISTED],
    }
    return render(request, "permits/accept.html", context, status=422 if form.errors else 200)


def _state(request: SignedInRequest, handover: Handover, said: Said | None) -> dict[str, Any]:
    """What a scan changes: the verdict, the counts, the latest scans."""
    return {
        "handover": handover,
        "said": said,
        "counts": count_lines(handover),
        "latest": _latest(handover),
        "dispatched_it": handover.dispatched_by_id == request.user.pk,
    }


def _latest(handover: Handover) -> list[Scanned]:
    """The last scans of everybody who receives, newest first."""
    lines: Iterable[HandoverLine] = (
        HandoverLine.objects.filter(handover=handover, scanned_at__isnull=False)
        .select_related("item__derivative")
        .order_by("-scanned_at")[:LATEST]
    )
    extras = ExtraScan.objects.filter(handover=handover).order_by("-scanned_at")[:LATEST]
    scans = [Scanned(line.item.derivative.number, line.scanned_at, is_extra=False) for line in lines if line.scanned_at]
    scans += [Scanned(extra.text, extra.scanned_at, is_extra=True) for extra in extras]
    return sorted(scans, key=lambda scan: scan.at, reverse=True)[:LATEST]


def _arriving_or_404(request: SignedInRequest, pk: int) -> Handover:
    """A hand-over the person knows; 403 when it does not come to a store of theirs."""
    known = Handover.objects.visible_to(request.user).select_related(
        "source__custodian", "target__custodian", "dispatched_by"
    )
    handover = get_object_or_404(known, pk=pk)
    if not services.is_receiver(request.user, handover):
        raise PermissionDenied
    return handover
