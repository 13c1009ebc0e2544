"""Veterinary certificates, the batches under them, and their sale."""

import uuid

from django.contrib import messages
from django.db.models import Exists, OuterRef, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.rules.selectors import refusal_of_sale
from ledger.models import CustodyAccount, Holding
from registry import services
from registry.forms_origins import SaleForm, VeterinaryCertificateForm, scan_in
from registry.models import Derivative, Sale, VeterinaryCertificate

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@requires(Can.KEEP_CERTIFICATES, Can.SEE_STOCK)
def certificates(request: SignedInRequest) -> HttpResponse:
    known = VeterinaryCertificate.objects.visible_to(request.user).select_related("issued_by", "region", "point")
    known = known.annotate(registered_g=Sum("intakes__grams", default=0))
    context = {"page": keyset_page(known, request), "may_enter": request.user.can(Can.KEEP_CERTIFICATES)}
    return render(request, "registry/certificates.html", context)


@require_safe
@requires(Can.KEEP_CERTIFICATES, Can.SEE_STOCK)
def certificate(request: SignedInRequest, pk: int) -> HttpResponse:
    """A certificate, what was registered under it, and where its batches are."""
    known = VeterinaryCertificate.objects.visible_to(request.user).select_related(
        "issued_by", "region", "point", "entered_by"
    )
    found = get_object_or_404(known, pk=pk)
    batches = Derivative.objects.filter(certificate=found).select_related("intake")
    seen = Derivative.objects.visible_to(request.user).filter(certificate=found)
    mine = CustodyAccount.objects.worked_in_by(request.user).values("pk")
    here = Holding.objects.filter(item=OuterRef("pk"), account__in=mine, pieces__gt=0)
    context = {
        "certificate": found,
        "page": keyset_page(seen.select_related("intake").annotate(is_mine=Exists(here)), request, order=("pk",)),
        "registered_g": batches.exclude(intake__processing__isnull=False).aggregate(g=Sum("mass_g", default=0))["g"],
        "is_valid": found.is_valid(day_of(timezone.now())),
        "may_sell": request.user.can(Can.DISPATCH),
        "events": Event.objects.about(("certificate", found.pk))[:50],
    }
    return render(request, "registry/certificate.html", context)


@requires(Can.KEEP_CERTIFICATES)
@require_http_methods(GET_OR_POST)
def enter_certificate(request: SignedInRequest) -> HttpResponse:
    form = VeterinaryCertificateForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        facts = {name: value for name, value in form.cleaned_data.items() if name != "scan"}
        try:
            entered = services.enter_certificate(actor=request.user, at=timezone.now(), scan=scan_in(form), **facts)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Certificate entered. Open the reception of its batches now."))
            return redirect("registry:certificate", entered.pk)
    return render(request, "registry/certificate_form.html", {"form": form}, status=422 if form.errors else 200)


@requires(Can.DISPATCH)
@require_http_methods(GET_OR_POST)
def sell(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sell batches of one certificate that lie in a store of the person."""
    found = get_object_or_404(VeterinaryCertificate.objects.visible_to(request.user), pk=pk)
    mine = CustodyAccount.objects.worked_in_by(request.user)
    holdings = (
        Holding.objects.filter(account__in=mine.values("pk"), item__derivative__certificate=found, pieces__gt=0)
        .select_related("account", "item__derivative")
        .order_by("account_id", "item_id")
    )
    form = SaleForm(request.POST or None, initial={"on": day_of(timezone.now())})
    chosen = {text for text in request.POST.getlist("item") if text.isdecimal() and len(text) < 19}
    if request.method == "POST" and form.is_valid():
        picked = [holding for holding in holdings if str(holding.item_id) in chosen]
        try:
            sold = _sell(request, form, picked)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Sold. The batches have left the registry's stock."))
            return redirect("registry:sale", sold.pk)
    context = {
        "certificate": found,
        "form": form,
        "holdings": holdings,
        "chosen": {int(text) for text in chosen},
        "key": request.POST.get("key") or uuid.uuid4().hex,
        "forbidden": refusal_of_sale(day_of(timezone.now())),
    }
    return render(request, "registry/sell.html", context, status=422 if form.errors else 200)


def _sell(request: SignedInRequest, form: SaleForm, picked: list[Holding]) -> Sale:
    stores = {holding.account_id: holding.account for holding in picked}
    if len(stores) != 1:
        raise BadInput(_("Choose batches of one store."))
    return services.sell_batches(
        actor=request.user,
        at=timezone.now(),
        key=f"sale:{request.user.pk}:{request.POST.get('key', '')[:60]}",
        store=next(iter(stores.values())),
        items=[holding.item_id for holding in picked],
        **form.cleaned_data,
    )


@require_safe
@requires(Can.SEE_STOCK)
def sale(request: SignedInRequest, pk: int) -> HttpResponse:
    known = Sale.objects.visible_to(request.user).select_related("store__custodian", "sold_by")
    found = get_object_or_404(known, pk=pk)
    items = found.movement.postings.filter(account=found.store).values("item")
    batches = Derivative.objects.filter(item__in=items).select_related("certificate")
    context = {
        "sale": found,
        "batches": batches,
        "events": Event.objects.about(("sale", found.pk))[:50],
    }
    return render(request, "registry/sale.html", context)


@require_safe
@requires(Can.SEE_STOCK)
def sales(request: SignedInRequest) -> HttpResponse:
    known = Sale.objects.visible_to(request.user).select_related("store")
    return render(request, "registry/sales.html", {"page": keyset_page(known, request)})
