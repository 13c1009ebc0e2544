"""Boxes and pallets: the list, one box with what is in it, packing by scanning, seals, labels."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.visitors import own_hosts
from custody.box_forms import MEDIA, LabelUnreadable, draw_box_labels_as
from custody.boxes import Content, contents_of, items_in, labels_of, places_of, shelf_of
from custody.doors import say_refusal, wants_part
from custody.filters_boxes import BoxFilter
from custody.forms_boxes import BeginBoxesForm, OpenSealForm, SealForm
from custody.packing import pack_scan, take_out_scan
from custody.scanning import Said
from ledger import services
from ledger.models import Box, Packing
from ledger.selectors import whereabouts

LATEST = 8
MOST_LABELS = 200


@requires(Can.SEE_STOCK)
@require_safe
def boxes(request: SignedInRequest) -> HttpResponse:
    """Boxes and pallets that the person may know, newest first."""
    chosen = BoxFilter(request.GET, reader=request.user)
    found = chosen.qs.select_related("account", "parent")
    page = keyset_page(found, request, order=("-pk",))
    contents = contents_of([box.pk for box in page])
    context = {
        "filter": chosen,
        "page": page,
        "rows": [(box, contents.get(box.pk, Content())) for box in page],
        "form": BeginBoxesForm(stores=places_of(request.user)),
        "may_begin": request.user.can(Can.DISPATCH) and places_of(request.user).exists(),
    }
    return render(request, "custody/boxes.html", context)


@requires(Can.DISPATCH)
@require_POST
def begin(request: SignedInRequest) -> HttpResponse:
    """Begin boxes; one leads to its page, several to their labels in the list."""
    form = BeginBoxesForm(request.POST, stores=places_of(request.user))
    if not form.is_valid():
        messages.error(request, _("Say where, what and how many, from 1 to 200."))
        return redirect("custody:boxes")
    given = form.cleaned_data
    try:
        made = services.begin_boxes(
            actor=request.user,
            at=timezone.now(),
            account=given["store"],
            kind=Box.Kind(given["kind"]),
            count=given["count"],
        )
    except DomainError as refusal:
        say_refusal(request, refusal)
        return redirect("custody:boxes")
    if len(made) == 1:
        return redirect("custody:box", made[0].sscc)
    messages.success(request, _("Begun: %(count)d. Print their labels below.") % {"count": len(made)})
    return redirect("custody:boxes")


@requires(Can.SEE_STOCK)
@require_safe
def box(request: SignedInRequest, sscc: str) -> HttpResponse:
    return _page(request, _box_or_404(request, sscc))


@requires(Can.DISPATCH)
@require_POST
def scan(request: SignedInRequest, sscc: str) -> HttpResponse:
    """One scan into the box, or out of it: answers with the verdict and what is in the box now."""
    found = _own_box(request, sscc)
    take = take_out_scan if request.POST.get("way") == "out" else pack_scan
    said = take(request.user, found, request.POST.get("code", ""), hosts=own_hosts(request), at=timezone.now())
    if wants_part(request):
        return render(request, "custody/_box_state.html", _state(request, found, said))
    return _page(request, found, said=said)


@requires(Can.DISPATCH)
@require_POST
def unpack(request: SignedInRequest, sscc: str) -> HttpResponse:
    """Take one item out, or everything; a box off its pallet."""
    found = _own_box(request, sscc)
    key = request.POST.get("item", "")
    try:
        if "off_pallet" in request.POST:
            services.unstack_box(actor=request.user, at=timezone.now(), box=found)
        elif key.isascii() and key.isdigit() and len(key) < 19:
            services.unpack_items(actor=request.user, at=timezone.now(), box=found, item_ids=[int(key)])
        elif "everything" in request.POST:
            services.unpack_items(actor=request.user, at=timezone.now(), box=found)
    except DomainError as refusal:
        say_refusal(request, refusal)
        return redirect("custody:box", sscc)
    if wants_part(request):
        return render(request, "custody/_box_state.html", _state(request, found, Said("neutral", _("Taken out"))))
    return redirect("custody:box", sscc)


@requires(Can.DISPATCH)
@require_POST
def seal(request: SignedInRequest, sscc: str) -> HttpResponse:
    found = _own_box(request, sscc)
    form = SealForm(request.POST)
    if form.is_valid():
        try:
            services.seal_box(
                actor=request.user, at=timezone.now(), box=found, seal_number=form.cleaned_data["seal_number"]
            )
        except DomainError as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, _("Sealed. The box moves whole from now on."))
            return redirect("custody:box", sscc)
    else:
        messages.error(request, _("Type the number that stands on the seal."))
    return redirect("custody:box", sscc)


@requires(Can.DISPATCH)
@require_http_methods(["POST"])
def open_seal(request: SignedInRequest, sscc: str) -> HttpResponse:
    found = _own_box(request, sscc)
    form = OpenSealForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        services.open_seal(actor=request.user, at=timezone.now(), box=found, reason=reason)
    except DomainError as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, _("The seal is opened."))
    return redirect("custody:box", sscc)


@requires(Can.SEE_STOCK)
@require_safe
def label(request: SignedInRequest, sscc: str) -> HttpResponse:
    """The label of one box, 100 x 150 mm."""
    return _labels(request, [_box_or_404(request, sscc)], sscc)


@requires(Can.SEE_STOCK)
@require_safe
def labels(request: SignedInRequest) -> HttpResponse:
    """Labels of several boxes in one file: those chosen, or all that match the list, at most 200."""
    wanted = [key for key in request.GET.getlist("box") if key.isascii() and key.isdigit() and len(key) == 18]
    known = Box.objects.visible_to(request.user)
    found = known.filter(sscc__in=wanted[:MOST_LABELS]) if wanted else BoxFilter(request.GET, reader=request.user).qs
    chosen = list(found.select_related("account__custodian").order_by("-pk")[:MOST_LABELS])
    if not chosen:
        raise Http404
    return _labels(request, sorted(chosen, key=lambda one: one.pk), "labels")


def _labels(request: SignedInRequest, chosen: list[Box], name: str) -> HttpResponse:
    """PDF, or `?form=zpl` and `?form=png` for label printers, with `&dpi=` of the printer."""
    form, dpi = request.GET.get("form", "pdf"), request.GET.get("dpi", "203")
    if form not in ("zpl", "png") or dpi not in ("203", "300", "600"):
        form, dpi = "pdf", "203"
    try:
        content, ending = draw_box_labels_as(labels_of(chosen), form=form, dpi=int(dpi))
    except LabelUnreadable as refusal:
        messages.error(request, str(refusal))
        return redirect("custody:box", chosen[0].sscc) if len(chosen) == 1 else redirect("custody:boxes")
    answer = HttpResponse(content, content_type=MEDIA[ending])
    shown = "inline" if ending == "pdf" else "attachment"
    answer["Content-Disposition"] = f'{shown}; filename="{name}.{ending}"'
    answer["Cache-Control"] = "private, no-store"
    if ending == "pdf":
        answer._csp_exempt = True  # type: ignore[attr-defined]  # the browser's own reader of PDFs
    return answer


def _page(request: SignedInRequest, found: Box, *, said: Said | None = None) -> HttpResponse:
    items = items_in(found).order_by("-pk")
    page = keyset_page(items, request, order=("-pk",), size=100)
    context = {
        **_state(request, found, said),
        "page": page,
        "whereabouts": whereabouts([item.pk for item in page]) if found.is_pallet else {},
        "events": Event.objects.about(("box", found.pk))[:60],
        "seal_form": SealForm(),
        "open_form": OpenSealForm(),
        "shelf": shelf_of(found),
    }
    return render(request, "custody/box.html", context)


def _state(request: SignedInRequest, found: Box, said: Said | None) -> dict[str, Any]:
    """What a scan changes: the verdict, the totals, the latest that went in."""
    content = contents_of([found.pk]).get(found.pk, Content())
    latest = Packing.objects.present().filter(Q(box=found) | Q(box__parent=found)).order_by("-pk")
    children = list(found.boxes.order_by("-pk")[:60]) if found.is_pallet else []
    inside = contents_of([child.pk for child in children]) if children else {}
    return {
        "box": found,
        "said": said,
        "content": content,
        "latest": latest.select_related("item__derivative")[:LATEST],
        "children": [(child, inside.get(child.pk, Content())) for child in children],
        "mine": places_of(request.user).filter(pk=found.account_id).exists() and request.user.can(Can.DISPATCH),
    }


def _known(request: SignedInRequest) -> QuerySet[Box]:
    return Box.objects.visible_to(request.user).select_related("account__custodian", "parent", "sealed_by", "begun_by")


def _box_or_404(request: SignedInRequest, sscc: str) -> Box:
    return get_object_or_404(_known(request), sscc=sscc)


def _own_box(request: SignedInRequest, sscc: str) -> Box:
    """A box in a store where the person has goods in hand; 403 for one they only know."""
    found = _box_or_404(request, sscc)
    if not places_of(request.user).filter(pk=found.account_id).exists():
        raise PermissionDenied
    return found
