"""Hand-overs: the list, one hand-over, its waybill, and goods that come back."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse
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
from ledger.models import Handover, HandoverLine, Posting
from ledger.selectors import stores_of
from marking.models import Mark
from permits import services
from permits.filters import HandoverFilter
from permits.forms import ReturnForm
from permits.selectors import count_lines, grams_sent, permit_of


@requires(Can.SEE_STOCK)
@require_safe
def handovers(request: SignedInRequest) -> HttpResponse:
    chosen = HandoverFilter(request.GET, reader=request.user)
    found = chosen.qs.select_related("source__custodian", "target__custodian")
    page = keyset_page(_measured(found), request, order=("-pk",))
    mine = set(stores_of(request.user, Can.SEE_STOCK).values_list("pk", flat=True))
    context = {
        "filter": chosen,
        "page": page,
        "mine": mine,
        "today": day_of(timezone.now()),
        "can_dispatch": request.user.can(Can.DISPATCH),
    }
    return render(request, "permits/handovers.html", context)


@requires(Can.SEE_STOCK)
@require_safe
def handover(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _handover_or_404(request, pk)
    page = keyset_page(lines_of(found), request, order=("pk",), size=100)
    is_open = found.state == Handover.State.DISPATCHED
    receives = services.is_receiver(request.user, found)
    context: dict[str, Any] = {
        "handover": found,
        "page": page,
        "permit": permit_of(found),
        "counts": count_lines(found) | {"grams": grams_sent(found)},
        "extras": found.extra_scans.select_related("item").order_by("pk")[:50],
        "events": Event.objects.about(("handover", found.pk)),
        "can_receive": is_open and receives and found.dispatched_by_id != request.user.pk,
        "dispatched_it": is_open and receives and found.dispatched_by_id == request.user.pk,
        "can_return": is_open and services.is_sender(request.user, found),
        "today": day_of(timezone.now()),
    }
    return render(request, "permits/handover.html", context)


@requires(Can.SEE_STOCK)
@require_safe
def waybill(request: SignedInRequest, pk: int) -> HttpResponse:
    """The whole list on paper, with room for two signatures."""
    found = _handover_or_404(request, pk)
    context = {
        "handover": found,
        "permit": permit_of(found),
        "lines": lines_of(found).order_by("item__derivative__number"),
        "counts": count_lines(found) | {"grams": grams_sent(found)},
    }
    return render(request, "permits/waybill.html", context)


@requires(Can.DISPATCH)
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Goods on their way come back to the sender, with the reason."""
    found = _handover_or_404(request, pk)
    form = ReturnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.return_goods(
                actor=request.user, at=timezone.now(), handover=found, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The goods are in your store again."))
            return redirect("permits:handover", pk)
    context = {"handover": found, "form": form, "counts": count_lines(found) | {"grams": grams_sent(found)}}
    return render(request, "permits/take_back.html", context, status=422 if form.errors else 200)


def lines_of(handover: Handover) -> QuerySet[HandoverLine]:
    """Lines with the item, its mark, and what it weighed as it was sent."""
    code = Mark.objects.active().filter(derivative=OuterRef("item")).values("code")[:1]
    sent = Posting.objects.filter(movement=handover.dispatch_movement_id, item=OuterRef("item"), pieces__gt=0)
    return (
        HandoverLine.objects.filter(handover=handover)
        .select_related("item__derivative")
        .annotate(code=Coalesce(Subquery(code), Value("")), grams=Subquery(sent.values("grams")[:1]))
    )


def _measured(found: QuerySet[Handover]) -> QuerySet[Handover]:
    """Each with its pieces and grams, as they were sent."""
    sent = Posting.objects.filter(movement=OuterRef("dispatch_movement"), pieces__gt=0).order_by().values("movement")
    return found.annotate(
        pieces=Subquery(sent.annotate(n=Count("pk")).values("n")),
        grams=Subquery(sent.annotate(n=Sum("grams")).values("n")),
    )


def _handover_or_404(request: SignedInRequest, pk: int) -> Handover:
    known = Handover.objects.visible_to(request.user).select_related(
        "source__custodian", "target__custodian", "dispatched_by", "closed_by"
    )
    return get_object_or_404(known, pk=pk)
