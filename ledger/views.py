"""Stores and evidence rooms: opened and closed by administrators."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from ledger import services
from ledger.forms import StoreForm
from ledger.models import AccountKind, CustodyAccount

PLACES = (AccountKind.STORE, AccountKind.EVIDENCE)


@require_safe
@requires(Can.MANAGE_STORES)
def stores(request: SignedInRequest) -> HttpResponse:
    """Every store and evidence room, by keeper."""
    known = CustodyAccount.objects.filter(kind__in=PLACES).select_related("custodian", "region")
    return render(request, "ledger/stores.html", {"stores": known.order_by("custodian__name_kk", "code")})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.MANAGE_STORES)
def add_store(request: SignedInRequest) -> HttpResponse:
    form = StoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.open_store(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Store opened."))
            return redirect("ledger:store", made.pk)
    return render(request, "ledger/add_store.html", {"form": form})


@require_safe
@requires(Can.MANAGE_STORES)
def store(request: SignedInRequest, pk: int) -> HttpResponse:
    known = CustodyAccount.objects.filter(kind__in=PLACES).select_related("custodian", "region")
    found = get_object_or_404(known, pk=pk)
    return render(
        request, "ledger/store.html", {"store": found, "events": Event.objects.about(("store", found.pk))[:50]}
    )


@require_POST
@requires(Can.MANAGE_STORES)
def switch_store(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close the store if it is open, open it again if it is closed."""
    found = get_object_or_404(CustodyAccount.objects.filter(kind__in=PLACES), pk=pk)
    act = services.close_store if request.POST.get("act") == "close" else services.reopen_store
    try:
        act(actor=request.user, at=timezone.now(), store=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("ledger:store", found.pk)
