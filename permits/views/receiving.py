"""Goods arrive: every scan gets its verdict, seals are looked at, a sample is weighed, then the receiver signs."""

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
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.forms import read_grams
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from custody.scanning import Said, read_scan
from ledger.models import Handover, HandoverLine, HandoverSeal
from ledger.services import OddOnArrival, WeighedBefore, find_off_masses
from permits import services
from permits.arrivals import take_scan
from permits.forms import AcceptForm, OpenBoxForm, SampleForm, SealsForm
from permits.models import ExtraScan
from permits.selectors import MOST_BOXES, boxes_arriving, count_boxes, count_lines, count_weighed, sent_masses
from permits.views.said import own_hosts, wants_part
from registry.models import Derivative

LATEST = 5
LISTED = 200


@dataclass(frozen=True, slots=True)
class Scanned:
    """One of the latest scans, as the page lists it."""

    text: str
    at: datetime
    is_extra: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A mass that is asked about before it is taken: because it differs, or was weighed before."""

    item: Derivative
    grams: int
    words: str
    asks_reason: bool


@requires(Can.RECEIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def receive(request: SignedInRequest, pk: int) -> HttpResponse:
    """The scan field; a scan is a POST of `code` and gets the page again, or only its changing part."""
    handover = _arriving_or_404(request, pk)
    if not handover.is_under_way:
        return redirect("permits:handover", pk)
    said = None
    if request.method == "POST":
        code = request.POST.get("code", "")
        said = take_scan(request.user, handover, code, hosts=own_hosts(request), at=timezone.now())
    return _receiving(request, handover, said)


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
    return _receiving(request, handover, said)


@requires(Can.RECEIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def open_box(request: SignedInRequest, pk: int, box: int) -> HttpResponse:
    """The seal of a box that arrived is broken, or somebody looks inside: why; then its items are scanned."""
    handover = _arriving_or_404(request, pk)
    found = next((row for row in boxes_arriving(handover, only=box)), None)
    if found is None:
        return redirect("permits:receive", pk)
    form = OpenBoxForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.open_box_of_goods(
                actor=request.user,
                at=timezone.now(),
                handover=handover,
                box=found.box,
                reason=form.cleaned_data["reason"],
                seal=HandoverSeal.State(form.cleaned_data["seal"]),
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.info(request, _("The seal is opened. Scan every item of this box."))
            return redirect("permits:receive", pk)
    context = {"handover": handover, "row": found, "form": form}
    return render(request, "permits/open_box.html", context, status=422 if form.errors else 200)


@requires(Can.RECEIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def weigh(request: SignedInRequest, pk: int) -> HttpResponse:
    """What is weighed on arrival: a sample drawn from a seed, or any item that is scanned here with its mass."""
    handover = _arriving_or_404(request, pk)
    if not handover.is_under_way:
        return redirect("permits:handover", pk)
    form = SampleForm(request.POST if "size" in request.POST else None)
    said: Said | Asked | None = None
    if request.method == "POST" and "size" in request.POST:
        if form.is_valid() and _draw(request, handover, form):
            return redirect("permits:weigh-goods", pk)
    elif request.method == "POST":
        said = _take_mass(request, handover)
    handover.refresh_from_db()
    lines = HandoverLine.objects.filter(handover=handover, in_sample=True).select_related("item__derivative")
    page = keyset_page(lines, request, order=("pk",), size=100)
    masses = sent_masses(handover, [line.item_id for line in page])
    off = {mass.item_id for mass in find_off_masses(handover, day_of(timezone.now()))}
    context = {
        "handover": handover,
        "form": form,
        "said": said if isinstance(said, Said) else None,
        "asked": said if isinstance(said, Asked) else None,
        "reason": request.POST.get("reason", ""),
        "page": page,
        "rows": [(line, masses.get(line.item_id, 0), line.item_id in off) for line in page],
        "weighed": count_weighed(handover),
        "off": len(off),
        "counts": count_lines(handover),
        "dispatched_it": handover.dispatched_by_id == request.user.pk,
    }
    return render(request, "permits/weigh_goods.html", context, status=422 if form.errors else 200)


def _draw(request: SignedInRequest, handover: Handover, form: SampleForm) -> bool:
    try:
        services.draw_sample_of_goods(
            actor=request.user, at=timezone.now(), handover=handover, size=form.cleaned_data["size"]
        )
    except DomainError as refusal:
        add_refusal(form, refusal)
        return False
    return True


def _take_mass(request: SignedInRequest, handover: Handover) -> "Said | Asked":
    """One weighing: the item by its scan or its row, and what the scale shows."""
    try:
        grams = read_grams(request.POST.get("grams", ""))
    except ValueError:
        return Said("attention", _("Not a mass"), _("Enter what the scale shows, in whole grams."))
    item = _weighed_item(request, handover)
    if isinstance(item, Said):
        return item
    try:
        services.weigh_goods(
            actor=request.user,
            at=timezone.now(),
            handover=handover,
            item_id=item.pk,
            grams=grams,
            confirmed="confirmed" in request.POST,
            reason=request.POST.get("reason", ""),
        )
    except (OddOnArrival, WeighedBefore) as question:
        words = " ".join(str(text) for text in question.fields.values())
        return Asked(item, grams, words, asks_reason=isinstance(question, WeighedBefore))
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    sent = sent_masses(handover, [item.pk]).get(item.pk, 0)
    off = any(mass.item_id == item.pk for mass in find_off_masses(handover, day_of(timezone.now())))
    facts = {"item": item.number, "sent": sent, "found": grams}
    if off:
        return Said("attention", _("Mass differs"), _("%(item)s: sent %(sent)s g, weighs %(found)s g.") % facts)
    return Said("ok", _("Weighed"), _("%(item)s: sent %(sent)s g, weighs %(found)s g.") % facts)


def _weighed_item(request: SignedInRequest, handover: Handover) -> Derivative | Said:
    key = request.POST.get("item", "")
    if key.isascii() and key.isdigit() and len(key) < 19:
        line = HandoverLine.objects.filter(handover=handover, item=int(key)).select_related("item__derivative").first()
        return line.item.derivative if line else Said("stop", _("Not in this hand-over"))
    scan = read_scan(request.POST.get("code", ""), person=request.user, own_hosts=own_hosts(request))
    if scan.item is None:
        return scan.refused or Said("attention", _("Nothing read"), _("Scan one item."))
    return scan.item


@requires(Can.RECEIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: SignedInRequest, pk: int) -> HttpResponse:
    """The seals, what becomes of the difference, why, and the signature that takes the goods in."""
    handover = _arriving_or_404(request, pk)
    if not handover.is_under_way:
        return redirect("permits:handover", pk)
    posted = request.POST if request.method == "POST" else None
    counts = count_lines(handover)
    off = find_off_masses(handover, day_of(timezone.now()))
    differs = bool(counts["missing"] or counts["extra"] or off)
    form = AcceptForm(posted, signer=request.user, differs=differs)
    seals = SealsForm(posted, seals=list(handover.seal_checks.select_related("box")))
    if request.method == "POST" and seals.is_valid() and form.is_valid():
        try:
            services.accept_goods(
                actor=request.user,
                at=timezone.now(),
                handover=handover,
                difference_reason=form.cleaned_data["difference_reason"],
                reasons=_reasons(request, "reason"),
                extra_reasons=_reasons(request, "extra"),
                seals=seals.found,
                carrier_said=form.cleaned_data["carrier_said"],
                signature=form.cleaned_data["signature"],
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Accepted: the goods are in your store."))
            return redirect("permits:handover", pk)
    pending = HandoverLine.objects.filter(handover=handover, outcome=HandoverLine.Outcome.PENDING)
    context = {
        "handover": handover,
        "form": form,
        "seals": seals,
        "counts": counts,
        "missing": pending.select_related("item__derivative").order_by("item__derivative__number")[:LISTED],
        "extras": handover.extra_scans.select_related("item").order_by("pk")[:LISTED],
        "off": _named(off[:LISTED]),
        "differs": differs,
    }
    return render(request, "permits/accept.html", context, status=422 if form.errors or seals.errors else 200)


def _named(off: list[Any]) -> list[tuple[Derivative, Any]]:
    """Each mass that differs, with its item."""
    items = Derivative.objects.in_bulk([mass.item_id for mass in off])
    return [(items[mass.item_id], mass) for mass in off]


def _reasons(request: SignedInRequest, prefix: str) -> dict[int, str]:
    """What was typed beside single lines: fields named reason-<item>."""
    found = {}
    for name, text in request.POST.items():
        word, _dash, key = name.partition("-")
        if word == prefix and key.isascii() and key.isdigit() and len(key) < 19 and str(text).strip():
            found[int(key)] = str(text).strip()
    return found


def _receiving(request: SignedInRequest, handover: Handover, said: Said | None) -> HttpResponse:
    """What a scan changes: the verdict, the counts, the boxes, the latest scans."""
    boxes = boxes_arriving(handover)
    context: dict[str, Any] = {
        "handover": handover,
        "said": said,
        "counts": count_lines(handover),
        "boxes": boxes,
        "box_count": len(boxes) if len(boxes) < MOST_BOXES else count_boxes(handover),
        "latest": _latest(handover),
        "dispatched_it": handover.dispatched_by_id == request.user.pk,
    }
    part = wants_part(request)
    return render(request, "permits/_receive_state.html" if part else "permits/receive.html", context)


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
