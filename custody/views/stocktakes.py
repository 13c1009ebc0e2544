"""Stock-takes: the list, opening, drawing the sample, scanning, the result and its signatures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
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
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.base.visitors import own_hosts
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from custody.counting import count_scan
from custody.doors import wants_part
from custody.forms.stocktakes import ChoosePlaceForm, DrawForm, OpenStockTakeForm, ReasonForm
from custody.inventory import (
    differing,
    sampling_table,
    send_csv,
    send_frame,
    send_pdf,
    send_xlsx,
)
from custody.keeping import keeps, may_count
from custody.scanning import Said
from ledger import services
from ledger.models import CustodyAccount, Holding, Shelf, StockTake, StockTakeScan
from ledger.stocktaking import count_left, count_live

LATEST = 5
LISTED = 200
TONES = {
    "announced": "wait",
    "counting": "wait",
    "signing": "attention",
    "closed": "ok",
    "cancelled": "neutral",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A stock-take in a list."""

    stocktake: StockTake
    tone: str
    missing: int | None


def rows_of(stocktakes: Sequence[StockTake]) -> list[Row]:
    return [Row(one, TONES[one.state], (one.result or {}).get("missing")) for one in stocktakes]


@requires(Can.SEE_STOCK)
@require_safe
def stocktakes(request: SignedInRequest) -> HttpResponse:
    found = StockTake.objects.visible_to(request.user).select_related("account", "shelf", "opened_by")
    chosen = request.GET.get("state", "")
    if chosen in StockTake.State.values:
        found = found.filter(state=chosen)
    page = keyset_page(found, request, order=("-pk",))
    context = {
        "page": page,
        "rows": rows_of(page.rows),
        "states": StockTake.State.choices,
        "state": chosen,
        "can_open": request.user.can(Can.KEEP_STORE),
    }
    return render(request, "custody/stocktakes.html", context)


@requires(Can.KEEP_STORE)
@require_http_methods(["GET", "HEAD", "POST"])
def open_stocktake(request: SignedInRequest) -> HttpResponse:
    """First the store, then what is counted there."""
    chosen = ChoosePlaceForm(request.GET or None, person=request.user)
    if not chosen.is_bound or not chosen.is_valid():
        places: Any = chosen.fields["store"]
        only = list(places.queryset[:2])
        if len(only) == 1 and "store" not in request.GET:
            return redirect(f"{request.path}?store={only[0].pk}")
        return render(request, "custody/choose_store.html", {"form": chosen})
    account: CustodyAccount = chosen.cleaned_data["store"]
    form = OpenStockTakeForm(request.POST or None, account=account, person=request.user)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        facts: dict[str, Any] = {
            "actor": request.user,
            "at": timezone.now(),
            "account": account,
            "commission": list(wanted["commission"]),
            "shelf": wanted["shelf"],
            "trusts_seals": wanted["trusts_seals"],
        }
        try:
            if wanted["kind"] == StockTake.Kind.SAMPLE:
                made = services.announce_sample(wanted=wanted["wanted"], **facts)
            else:
                made = services.open_stocktake(**facts)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:stocktake", made.pk)
    held = Holding.objects.filter(account=account, pieces__gt=0).count()
    context = {
        "form": form,
        "store": account,
        "held": held,
        "chances": sampling_table(held),
        "needed": in_force(RuleCode.STOCKTAKE_COMMISSION, day_of(timezone.now())).value["persons"],
    }
    return render(request, "custody/open_stocktake.html", context, status=422 if form.errors else 200)


@requires(Can.SEE_STOCK)
@require_safe
def stocktake(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _seen_or_404(request, pk)
    return render(request, "custody/stocktake.html", _whole(request, found))


@requires(Can.SEE_STOCK)
@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """The counts alone, for whoever watches a count that goes on."""
    found = _seen_or_404(request, pk)
    return render(request, "custody/_stocktake_counts.html", _counts(found))


def _whole(request: SignedInRequest, found: StockTake) -> dict[str, Any]:
    members = list(found.members.select_related("person"))
    own = next((member for member in members if member.person_id == request.user.pk), None)
    is_mine = keeps(request.user, found.account) or own is not None
    return {
        "stocktake": found,
        "tone": TONES[found.state],
        "members": members,
        "may_count": is_mine and found.state == StockTake.State.COUNTING,
        "may_draw": is_mine and found.state == StockTake.State.ANNOUNCED,
        "may_sign": own is not None and own.signed_at is None and found.state == StockTake.State.SIGNING,
        "may_count_again": is_mine and found.state == StockTake.State.SIGNING,
        "may_cancel": is_mine and found.may_be_called_off,
        "draw_form": DrawForm(),
        "sign_form": SignatureForm(signer=request.user),
        "reason_form": ReasonForm(),
        "differences": differing(found, reader=request.user, limit=LISTED),
        "listed": LISTED,
        "chances": sampling_table(found.frame_items, found.expected_items) if found.seed else (),
        "tallies": found.tallies.select_related("person").order_by("-found"),
        "events": Event.objects.about(("stocktake", found.pk)),
        **_counts(found),
    }


def _counts(found: StockTake) -> dict[str, Any]:
    is_counting = found.state == StockTake.State.COUNTING
    return {
        "stocktake": found,
        "live": count_live(found) if found.frozen_at else None,
        "left": count_left(found) if is_counting else 0,
        "is_counting": is_counting,
    }


# --- scanning -------------------------------------------------------------------------------------------------


@requires(Can.SEE_STOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: SignedInRequest, pk: int) -> HttpResponse:
    """The scan field; a scan is a POST of `code` and gets the page again, or only its changing part."""
    found = _counted_or_404(request, pk)
    if found.state != StockTake.State.COUNTING:
        return redirect("custody:stocktake", pk)
    said = None
    shelf = _shelf(request, found)
    if request.method == "POST":
        counted = count_scan(
            request.user,
            found,
            request.POST.get("code", ""),
            hosts=own_hosts(request),
            at=timezone.now(),
            shelf_id=shelf.pk if shelf else None,
            key=request.POST.get("scan", "")[:40],
        )
        said = counted.said
        if counted.shelf is not None:
            shelf = counted.shelf
            request.session[_shelf_key(found)] = shelf.pk
    return _answer(request, found, said, shelf)


@requires(Can.SEE_STOCK)
@require_POST
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take the person's last scan back."""
    found = _counted_or_404(request, pk)
    try:
        undone = services.undo_scan(actor=request.user, at=timezone.now(), stocktake=found)
        said = Said("neutral", _("Taken back"), undone) if undone else Said("neutral", _("Nothing to take back"))
    except DomainError as refusal:
        said = Said("stop", _("Not possible"), str(refusal))
    return _answer(request, found, said, _shelf(request, found))


@requires(Can.SEE_STOCK)
@require_POST
def leave_shelf(request: SignedInRequest, pk: int) -> HttpResponse:
    """From now on nothing is said about shelves."""
    found = _counted_or_404(request, pk)
    request.session.pop(_shelf_key(found), None)
    return _answer(request, found, Said("neutral", _("No shelf"), _("Shelves are not compared.")), None)


def _answer(request: SignedInRequest, found: StockTake, said: Said | None, shelf: Shelf | None) -> HttpResponse:
    context = {
        "stocktake": found,
        "said": said,
        "shelf": shelf,
        "live": count_live(found),
        "latest": StockTakeScan.objects.filter(stocktake=found, scanned_by=request.user, undone_at=None)
        .only("verdict", "text", "scanned_at")
        .order_by("-pk")[:LATEST],
    }
    page = "custody/_scan_state.html" if wants_part(request) else "custody/scan.html"
    return render(request, page, context)


def _shelf_key(found: StockTake) -> str:
    return f"counted-shelf-{found.pk}"


def _shelf(request: SignedInRequest, found: StockTake) -> Shelf | None:
    if found.shelf_id is not None:
        return found.shelf
    key = request.session.get(_shelf_key(found))
    return Shelf.objects.filter(pk=key, account=found.account_id).first() if key else None


# --- acts -----------------------------------------------------------------------------------------------------


@requires(Can.SEE_STOCK)
@require_POST
def draw(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _counted_or_404(request, pk)
    form = DrawForm(request.POST)
    if form.is_valid():
        try:
            services.draw_sample(
                actor=request.user, at=timezone.now(), stocktake=found, words=form.cleaned_data["words"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The sample is drawn. Anybody can draw it again from what stands below."))
            return redirect("custody:stocktake", pk)
    return render(request, "custody/stocktake.html", {**_whole(request, found), "draw_form": form}, status=422)


@requires(Can.SEE_STOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Before counting ends: what is missing still, shelf by shelf, to look for once more."""
    found = _counted_or_404(request, pk)
    if found.state != StockTake.State.COUNTING:
        return redirect("custody:stocktake", pk)
    if request.method == "POST":
        try:
            services.end_counting(actor=request.user, at=timezone.now(), stocktake=found)
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Counting has ended. The commission signs the result."))
        return redirect("custody:stocktake", pk)
    context = {
        **_counts(found),
        "missing": differing(found, reader=request.user, limit=LISTED).missing,
        "listed": LISTED,
    }
    return render(request, "custody/end_counting.html", context)


@requires(Can.SEE_STOCK)
@require_POST
def again(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _counted_or_404(request, pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            services.count_again(
                actor=request.user, at=timezone.now(), stocktake=found, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Look for what is missing. What was found stays found."))
        return redirect("custody:stocktake", pk)
    return render(request, "custody/stocktake.html", {**_whole(request, found), "reason_form": form}, status=422)


@requires(Can.SEE_STOCK)
@require_POST
def sign(request: SignedInRequest, pk: int) -> HttpResponse:
    """One of the commission signs the result that the page showed."""
    found = _counted_or_404(request, pk)
    form = SignatureForm(request.POST, signer=request.user)
    if form.is_valid():
        try:
            signed = services.sign_stocktake(
                actor=request.user, at=timezone.now(), stocktake=found, digest=request.POST.get("digest", "")
            )
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            closed = signed.state == StockTake.State.CLOSED
            messages.success(request, _("The stock-take is closed.") if closed else _("Signed."))
        return redirect("custody:stocktake", pk)
    return render(request, "custody/stocktake.html", {**_whole(request, found), "sign_form": form}, status=422)


@requires(Can.SEE_STOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _counted_or_404(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.cancel_stocktake(
                actor=request.user, at=timezone.now(), stocktake=found, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The stock-take is called off."))
            return redirect("custody:stocktake", pk)
    return render(
        request, "custody/cancel_stocktake.html", {"stocktake": found, "form": form}, status=422 if form.errors else 200
    )


# --- papers ---------------------------------------------------------------------------------------------------


@requires(Can.SEE_STOCK)
@require_safe
def inventory(request: SignedInRequest, pk: int, fmt: str) -> HttpResponseBase:
    """The inventory sheet: every item, expected and found, with the commission's signatures."""
    found = _seen_or_404(request, pk)
    if found.frozen_at is None:
        raise Http404
    return {"pdf": send_pdf, "xlsx": send_xlsx, "csv": send_csv}[fmt](found, request.user)


@requires(Can.SEE_STOCK)
@require_safe
def frame(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The whole frame with every item's rank, to draw the sample again."""
    found = _seen_or_404(request, pk)
    if not found.seed:
        raise Http404
    return send_frame(found)


def _seen_or_404(request: SignedInRequest, pk: int) -> StockTake:
    known = StockTake.objects.visible_to(request.user).select_related("account__custodian", "shelf", "opened_by")
    return get_object_or_404(known, pk=pk)


def _counted_or_404(request: SignedInRequest, pk: int) -> StockTake:
    """A stock-take the person counts in; 403 for who only sees it, 404 for who does not."""
    found = StockTake.objects.select_related("account__custodian", "shelf").filter(pk=pk).first()
    if found is None:
        raise Http404
    if not may_count(request.user, found):
        if StockTake.objects.visible_to(request.user).filter(pk=pk).exists():
            raise PermissionDenied
        raise Http404
    return found
