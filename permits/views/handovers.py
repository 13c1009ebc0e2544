"""Hand-overs: the list, one hand-over, its waybill, and goods that come back."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.errors import DomainError, NotFound
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.documents.files import serve
from custody.scanning import find_items
from ledger.models import Handover, HandoverPaper, Posting
from ledger.selectors import stores_of
from permits import services
from permits.filters import HandoverFilter
from permits.forms import ReceiveMissingForm, TurnBackForm
from permits.papers import LANGUAGES, check_code, kinds_of, lines_of, paper_of
from permits.selectors import (
    boxes_sent,
    count_lines,
    count_still_missing,
    count_weighed,
    grams_sent,
    missing_on_the_way,
    permit_of,
)


@requires(Can.SEE_STOCK)
@require_safe
def handovers(request: SignedInRequest) -> HttpResponse:
    chosen = HandoverFilter(request.GET, reader=request.user)
    found = chosen.qs.select_related("source__custodian", "target__custodian")
    page = keyset_page(_measured(found), request, order=("-pk",))
    mine = set(stores_of(request.user, Can.SEE_STOCK, kinds=services.PLACES).values_list("pk", flat=True))
    context = {
        "filter": chosen,
        "page": page,
        "mine": mine,
        "now": timezone.now(),
        "can_dispatch": request.user.can(Can.DISPATCH),
    }
    return render(request, "permits/handovers.html", context)


@requires(Can.SEE_STOCK)
@require_safe
def handover(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _handover_or_404(request, pk)
    page = keyset_page(lines_of(found), request, order=("pk",), size=100)
    is_open = found.is_under_way
    counts = count_lines(found)
    receives = services.is_receiver(request.user, found)
    context: dict[str, Any] = {
        "handover": found,
        "page": page,
        "permit": permit_of(found),
        "counts": counts | {"grams": grams_sent(found)},
        "still_missing": count_still_missing(found) if counts["missing"] else 0,
        "extras": found.extra_scans.select_related("item").order_by("pk")[:50],
        "events": Event.objects.about(("handover", found.pk)),
        "can_receive": is_open and receives and found.dispatched_by_id != request.user.pk,
        "dispatched_it": is_open and receives and found.dispatched_by_id == request.user.pk,
        "can_return": found.state == Handover.State.DISPATCHED and services.may_turn_back(request.user, found),
        "missing": missing_on_the_way(request.user, at=timezone.now(), only=found) if counts["missing"] else [],
        "can_take_in": receives and found.dispatched_by_id != request.user.pk,
        "can_report": request.user.can(Can.REPORT_LOSS),
        "is_late": found.is_late(timezone.now()),
        "papers": [(kind, kind.label, check_code(found, kind)) for kind in kinds_of(found)],
        "languages": [("kk", "Қазақша"), ("ru", "Русский"), ("en", "English")],
        "seals": list(found.seal_checks.select_related("checked_by", "box")),
        "signatures": list(found.signatures.select_related("signed_by")),
        "weighed": count_weighed(found),
        "boxes": boxes_sent(found),
    }
    return render(request, "permits/handover.html", context)


@requires(Can.SEE_STOCK)
@require_safe
def waybill(request: SignedInRequest, pk: int) -> HttpResponse:
    """The waybill in the reader's language."""
    return redirect("permits:paper", pk, HandoverPaper.Kind.WAYBILL, request.LANGUAGE_CODE)


@requires(Can.SEE_STOCK)
@require_safe
def paper(request: SignedInRequest, pk: int, kind: str, language: str) -> HttpResponseBase:
    """One paper of a hand-over as PDF, in one of three languages; drawn when it is first asked for."""
    found = _handover_or_404(request, pk)
    if language not in LANGUAGES or kind not in HandoverPaper.Kind.values:
        raise Http404
    try:
        document = paper_of(found, HandoverPaper.Kind(kind), LANGUAGES[language], actor=request.user, at=timezone.now())
    except NotFound:
        raise Http404 from None
    return serve(document)


@requires(Can.DISPATCH)
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Goods on their way are turned back to the sender, with the reason; they are counted when they arrive."""
    found = _handover_or_404(request, pk)
    form = TurnBackForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.turn_goods_back(
                actor=request.user, at=timezone.now(), handover=found, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request, _("Turned back. Another person than the dispatcher receives the goods when they come.")
            )
            return redirect("permits:handover", pk)
    context = {"handover": found, "form": form, "counts": count_lines(found) | {"grams": grams_sent(found)}}
    return render(request, "permits/take_back.html", context, status=422 if form.errors else 200)


@requires(Can.SEE_STOCK)
@require_safe
def missing(request: SignedInRequest) -> HttpResponse:
    """Everything that is missing on the way, the oldest first."""
    rows = missing_on_the_way(request.user, at=timezone.now())
    return render(request, "permits/missing.html", {"rows": rows, "can_report": request.user.can(Can.REPORT_LOSS)})


@requires(Can.RECEIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def receive_missing(request: SignedInRequest, pk: int) -> HttpResponse:
    """Something that was missing on arrival has turned up: it is scanned and taken in."""
    found = _handover_or_404(request, pk)
    form = ReceiveMissingForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.receive_missing_goods(
                actor=request.user,
                at=timezone.now(),
                handover=found,
                item_ids=find_items([form.cleaned_data["code"]], person=request.user),
                reason=form.cleaned_data["reason"],
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Taken in."))
            return redirect("permits:handover", pk)
    rows = missing_on_the_way(request.user, at=timezone.now(), only=found)
    context = {"handover": found, "form": form, "rows": rows}
    return render(request, "permits/receive_missing.html", context, status=422 if form.errors else 200)


def _measured(found: QuerySet[Handover]) -> QuerySet[Handover]:
    """Each with its pieces and grams, as they were sent."""
    sent = Posting.objects.filter(movement=OuterRef("dispatch_movement"), pieces__gt=0).order_by().values("movement")
    return found.annotate(
        pieces=Subquery(sent.annotate(n=Count("pk")).values("n")),
        grams=Subquery(sent.annotate(n=Sum("grams")).values("n")),
    )


def _handover_or_404(request: SignedInRequest, pk: int) -> Handover:
    known = Handover.objects.visible_to(request.user).select_related(
        "source__custodian",
        "source__region",
        "target__custodian",
        "target__region",
        "dispatched_by",
        "closed_by",
    )
    return get_object_or_404(known, pk=pk)
