"""Shelves of a store: which there are, what stands on them, putting away by scanning."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from core.base.visitors import own_hosts
from custody.box_forms import LabelUnreadable, draw_shelves
from custody.boxes import Content, contents_of, count_on_shelves, labels_of_shelves, places_of
from custody.doors import wants_part
from custody.forms_boxes import ShelvesForm
from custody.packing import place_scan
from custody.scanning import Said, read_scan
from ledger import services
from ledger.models import CustodyAccount, Placement, Shelf

LATEST = 10
LISTED = 200


@requires(Can.SEE_STOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def shelves(request: SignedInRequest, pk: int) -> HttpResponse:
    """The shelves of one store with what stands on them; those who work there set up more."""
    store = get_object_or_404(CustodyAccount.objects.visible_to(request.user).select_related("custodian"), pk=pk)
    mine = places_of(request.user).filter(pk=pk).exists() and request.user.can(Can.RECEIVE)
    form = ShelvesForm(request.POST or None) if mine else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            made = services.add_shelves(actor=request.user, at=timezone.now(), account=store, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Shelves set up: %(count)d.") % {"count": len(made)})
            return redirect("custody:shelves", pk)
    counted = count_on_shelves(store)
    known = Shelf.objects.filter(account=store)
    context = {
        "store": store,
        "rows": [(shelf, *counted.get(shelf.pk, (0, 0))) for shelf in known],
        "form": form,
        "mine": mine,
    }
    return render(request, "custody/shelves.html", context, status=422 if form and form.errors else 200)


@requires(Can.SEE_STOCK)
@require_safe
def shelf_labels(request: SignedInRequest, pk: int) -> HttpResponse:
    """Labels of all shelves of a store, or of one of them, as PDF."""
    store = get_object_or_404(CustodyAccount.objects.visible_to(request.user), pk=pk)
    found = Shelf.objects.filter(account=store).select_related("account")
    one = request.GET.get("shelf", "")
    if one.isascii() and one.isdigit() and len(one) < 10:
        found = found.filter(pk=int(one))
    try:
        content = draw_shelves(labels_of_shelves(list(found)))
    except LabelUnreadable as refusal:
        messages.error(request, str(refusal))
        return redirect("custody:shelves", pk)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{store.code}.pdf"'
    answer._csp_exempt = True  # type: ignore[attr-defined]  # the browser's own reader of PDFs
    return answer


@requires(Can.SEE_STOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def shelf(request: SignedInRequest, pk: int) -> HttpResponse:
    """One shelf; a scan puts an item or a box on it, and the label of another shelf goes on there."""
    known = Shelf.objects.filter(account__in=CustodyAccount.objects.visible_to(request.user))
    found = get_object_or_404(known.select_related("account"), pk=pk)
    mine = places_of(request.user).filter(pk=found.account_id).exists() and request.user.can(Can.RECEIVE)
    said: Said | None = None
    if request.method == "POST" and mine:
        scan = read_scan(request.POST.get("code", ""), person=request.user, own_hosts=own_hosts(request))
        if scan.shelf is not None and scan.shelf.pk != found.pk:
            if known.filter(pk=scan.shelf.pk).exists():
                return redirect("custody:shelf", scan.shelf.pk)
            said = Said("stop", _("Not in this store"), scan.text)
        else:
            said = place_scan(request.user, found, scan, at=timezone.now())
    placed = Placement.objects.present().filter(shelf=found)
    boxes = [one.box for one in placed.filter(box__isnull=False).select_related("box")[:LISTED] if one.box]
    contents = contents_of([box.pk for box in boxes])
    items = placed.filter(item__isnull=False).select_related("item__derivative")
    context = {
        "shelf": found,
        "said": said,
        "mine": mine,
        "boxes": [(box, contents.get(box.pk, Content())) for box in boxes],
        "items": items[:LISTED],
        "loose": items.count(),
        "latest": placed.select_related("item__derivative", "box")[:LATEST],
    }
    part = "custody/_shelf_state.html" if wants_part(request) else "custody/shelf.html"
    return render(request, part, context)
