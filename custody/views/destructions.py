"""Destruction: orders, the list that is scanned, the commission, the act."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.base.templatetags import fmt
from core.base.visitors import own_hosts
from core.documents.acts import Language
from core.documents.services import serve
from custody.forms.loss import CloseForm, GoodsForm, MemberForm, OrderForm, ReasonForm, WeighForm, WitnessForm
from custody.models import CommissionMember, DestructionOrder
from custody.papers import destruction_paper
from custody.scanning import Said, find_items, read_scan
from custody.services import destruction as services
from ledger.models import CustodyAccount, Hold, Holding
from registry.models import DecidedItem, Outcome

GET_OR_POST = ["GET", "HEAD", "POST"]
LATEST = 5
State = DestructionOrder.State


@requires(Can.ORDER_DESTRUCTION, Can.SEE_EVERYTHING, Can.SEE_STOCK)
@require_safe
def destructions(request: SignedInRequest) -> HttpResponse:
    known = DestructionOrder.objects.visible_to(request.user).select_related("store")
    page = keyset_page(known, request)
    return render(
        request, "custody/destructions.html", {"page": page, "may_order": request.user.can(Can.ORDER_DESTRUCTION)}
    )


@requires(Can.ORDER_DESTRUCTION)
@require_http_methods(GET_OR_POST)
def order(request: SignedInRequest) -> HttpResponse:
    begin = {"planned_on": day_of(timezone.now()), "store": request.GET.get("store")}
    form = OrderForm(request.POST or None, request.FILES or None, user=request.user, initial=begin)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        texts, of_court = said.pop("items"), said.pop("all_of_court")
        try:
            items = find_items(_words(texts), person=request.user) if texts.strip() else []
            if of_court:
                items = sorted({*items, *_of_court(said["store"])})
            opened = services.order_destruction(
                actor=request.user,
                at=timezone.now(),
                item_ids=items,
                **said | {"basis": DestructionOrder.Basis(said["basis"])},
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Opened. The goods on the list are held. Name the commission."))
            return redirect("custody:destruction", opened.pk)
    return render(request, "custody/destruction_order.html", {"form": form}, status=422 if form.errors else 200)


def _of_court(store: CustodyAccount) -> list[int]:
    """What a court ordered to be destroyed, still lies here, and is on no list yet."""
    decided = DecidedItem.objects.filter(is_confirmed=True, outcome=Outcome.DESTROY).values("item")
    listed = Hold.objects.active().filter(kind=Hold.Kind.TO_DESTROY).values("item")
    there = Holding.objects.filter(account=store, pieces__gt=0, item__in=decided).exclude(item__in=listed)
    return list(there.values_list("item_id", flat=True))


def _words(texts: str) -> list[str]:
    return texts.replace(",", " ").replace(";", " ").split()


@requires()
@require_safe
def destruction(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _known_or_404(request, pk)
    members = list(found.members.select_related("user", "taken_by"))
    works, orders = services.works_on(request.user, found), services.can_order(request.user, found.store)
    is_signed = bool(members) and all(member.signed_digest == found.digest != "" for member in members)
    lines = found.lines.select_related("item__derivative", "scanned_by")
    context: dict[str, Any] = {
        "order": found,
        "members": members,
        "masses": services.masses(found),
        "page": keyset_page(lines, request, order=("pk",), size=100),
        "works": works and found.state in (State.PLANNED, State.SIGNING),
        "orders": orders,
        "is_signed": is_signed,
        "is_planned": found.state == State.PLANNED,
        "is_signing": found.state == State.SIGNING,
        "persons": sum(1 for member in members if member.user_id),
        "own_seat": next((m for m in members if m.user_id == request.user.pk and m.signed_at is None), None),
        "events": Event.objects.about(("destruction", found.pk))[:50],
    }
    return render(request, "custody/destruction.html", context)


@requires(Can.ORDER_DESTRUCTION)
@require_http_methods(GET_OR_POST)
def add_goods(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _ordered_or_403(request, pk)
    form = GoodsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            items = find_items(_words(form.cleaned_data["items"]), person=request.user)
            services.add_goods(actor=request.user, at=timezone.now(), order=found, item_ids=items)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:destruction", pk)
    return _form_page(request, form, found, _("Put goods on the list"), _("Put on the list"))


@requires(Can.ORDER_DESTRUCTION)
@require_http_methods(GET_OR_POST)
def seat(request: SignedInRequest, pk: int) -> HttpResponse:
    """A member of the register by the user name, or an invited witness."""
    found = _ordered_or_403(request, pk)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        username = said.pop("username").strip()
        person = User.objects.filter(username__iexact=username, is_active=True).first() if username else None
        if username and person is None:
            form.add_error("username", _("No person of the register has this user name."))
        else:
            try:
                services.seat_member(actor=request.user, at=timezone.now(), order=found, user=person, **said)
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                return redirect("custody:destruction", pk)
    return _form_page(request, form, found, _("Member of the commission"), _("Name the member"))


@requires(Can.ORDER_DESTRUCTION)
@require_POST
def unseat(request: SignedInRequest, pk: int, member: int) -> HttpResponse:
    found = _ordered_or_403(request, pk)
    leaving = get_object_or_404(CommissionMember, pk=member, order=found)
    try:
        services.unseat_member(actor=request.user, at=timezone.now(), member=leaving)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("custody:destruction", pk)


@requires()
@require_http_methods(GET_OR_POST)
def scan(request: SignedInRequest, pk: int) -> HttpResponse:
    """Every item of the list is shown to the scanner at the act; a scan is a POST of `code`."""
    found = _worked_on_or_403(request, pk)
    if found.state != State.PLANNED:
        return redirect("custody:destruction", pk)
    said = _take(request, found) if request.method == "POST" else None
    return _scan_page(request, found, said)


def _take(request: SignedInRequest, found: DestructionOrder) -> Said:
    read = read_scan(request.POST.get("code", ""), person=request.user, own_hosts=own_hosts(request))
    if read.item is None:
        return read.refused or Said("attention", _("Scan every item"), _("Every item is shown one by one at the act."))
    try:
        line, is_new = services.scan_goods(actor=request.user, at=timezone.now(), order=found, item_id=read.item.pk)
    except services.NotOnTheList:
        text = _("%(item)s is not on the list. It must not be destroyed.") % {"item": read.text}
        return Said("stop", _("Not on the list"), text)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    described = f"{read.text}, {read.item.get_term_display()}, {fmt.grams(line.booked_g)}"
    return Said("ok", _("In hand"), described) if is_new else Said("attention", _("Scanned before"), described)


@requires()
@require_http_methods(GET_OR_POST)
def weigh(request: SignedInRequest, pk: int) -> HttpResponse:
    """The mass of one item at the act; one that is far from the register is confirmed."""
    found = _worked_on_or_403(request, pk)
    if found.state != State.PLANNED:
        return redirect("custody:destruction", pk)
    form = WeighForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        read = read_scan(form.cleaned_data["item"], person=request.user, own_hosts=own_hosts(request))
        if read.item is None:
            form.add_error("item", str(read.refused.text if read.refused else _("Weigh the items one by one.")))
        else:
            try:
                services.scan_goods(
                    actor=request.user,
                    at=timezone.now(),
                    order=found,
                    item_id=read.item.pk,
                    weighed_g=form.cleaned_data["weighed_g"],
                    is_confirmed=form.cleaned_data["is_confirmed"],
                    mass_reason=form.cleaned_data["mass_reason"],
                )
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, _("%(item)s is weighed.") % {"item": read.text})
                return redirect("custody:destruction-weigh", pk)
    return _form_page(request, form, found, _("Weigh an item"), _("Save the mass"))


@requires()
@require_POST
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _worked_on_or_403(request, pk)
    try:
        line = services.undo_scan(actor=request.user, order=found)
        said = Said("neutral", _("Taken back")) if line else Said("neutral", _("Nothing to take back"))
    except DomainError as refusal:
        said = Said("stop", _("Not possible"), str(refusal))
    return _scan_page(request, found, said)


def _scan_page(request: SignedInRequest, found: DestructionOrder, said: Said | None) -> HttpResponse:
    latest = found.lines.filter(scanned_at__isnull=False).select_related("item__derivative").order_by("-scanned_at")
    context = {"order": found, "said": said, "masses": services.masses(found), "latest": latest[:LATEST]}
    part = request.headers.get("X-Scan") == "part"
    return render(request, "custody/_destruction_scan.html" if part else "custody/destruction_scan.html", context)


@requires()
@require_http_methods(GET_OR_POST)
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """The masses before and after; from then on the list is fixed and the commission signs."""
    found = _worked_on_or_403(request, pk)
    begin = {
        "place": found.place,
        "method": found.method,
        "mass_before_g": services.masses(found)["weighed_grams"] or None,
    }
    form = CloseForm(request.POST or None, initial=begin)
    if request.method == "POST" and form.is_valid():
        try:
            services.close_list(actor=request.user, at=timezone.now(), order=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The list is closed. The commission signs now."))
            return redirect("custody:destruction", pk)
    return _form_page(request, form, found, _("After the destruction"), _("Close the list"))


@requires(Can.ORDER_DESTRUCTION)
@require_http_methods(GET_OR_POST)
def open_again(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _ordered_or_403(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.open_list_again(actor=request.user, at=timezone.now(), order=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:destruction", pk)
    return _form_page(request, form, found, _("Open the list again"), _("Open the list again"))


@requires()
@require_http_methods(GET_OR_POST)
def sign(request: SignedInRequest, pk: int, member: int) -> HttpResponse:
    """A member signs with the own password; a witness draws the signature before a member."""
    found = _worked_on_or_403(request, pk)
    seat_ = get_object_or_404(CommissionMember, pk=member, order=found)
    if found.state != State.SIGNING or seat_.signed_at is not None:
        return redirect("custody:destruction", pk)
    if seat_.user_id is not None and seat_.user_id != request.user.pk:
        raise PermissionDenied
    form: forms.Form
    if seat_.user_id is None:
        form = WitnessForm(request.POST or None)
    else:
        form = SignatureForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.sign_destruction(
                actor=request.user,
                at=timezone.now(),
                member=seat_,
                digest=request.POST.get("digest", ""),
                picture=form.cleaned_data.get("signature"),
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Signed."))
            return redirect("custody:destruction", pk)
    context = {
        "order": found,
        "member": seat_,
        "form": form,
        "files": services.shown_files(found).select_related("document"),
        "masses": services.masses(found),
        "lines": found.lines.filter(scanned_at__isnull=False).select_related("item__derivative")[:500],
    }
    return render(request, "custody/destruction_sign.html", context, status=422 if form.errors else 200)


@requires()
@require_POST
def execute(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _worked_on_or_403(request, pk)
    try:
        services.execute_destruction(actor=request.user, at=timezone.now(), order=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Destroyed. The marks answer so from now on."))
    return redirect("custody:destruction", pk)


@requires(Can.ORDER_DESTRUCTION)
@require_http_methods(GET_OR_POST)
def cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _ordered_or_403(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.cancel_destruction(actor=request.user, at=timezone.now(), order=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:destruction", pk)
    return _form_page(request, form, found, _("Cancel the destruction"), _("Cancel the destruction"))


@requires()
@require_safe
def paper(request: SignedInRequest, pk: int, language: str) -> HttpResponseBase:
    found = _known_or_404(request, int(pk))
    shown = destruction_paper(found, cast("Language", language), actor=request.user, at=timezone.now())
    return serve(shown)


@requires()
@require_safe
def basis(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The document on which the order stands."""
    found = _known_or_404(request, pk)
    if found.basis_document is None:
        raise Http404
    return serve(found.basis_document)


def _known_or_404(request: HttpRequest, pk: int) -> DestructionOrder:
    known = DestructionOrder.objects.visible_to(request.user).select_related(  # type: ignore[arg-type]
        "store__custodian", "ordered_by", "ended_by", "basis_document", "paper_kk", "paper_ru", "paper_en"
    )
    return get_object_or_404(known, pk=pk)


def _ordered_or_403(request: SignedInRequest, pk: int) -> DestructionOrder:
    found = _known_or_404(request, pk)
    if not services.can_order(request.user, found.store):
        raise PermissionDenied
    return found


def _worked_on_or_403(request: SignedInRequest, pk: int) -> DestructionOrder:
    found = _known_or_404(request, pk)
    if not services.works_on(request.user, found):
        raise PermissionDenied
    return found


def _form_page(
    request: SignedInRequest, form: forms.Form, found: DestructionOrder, title: str, act: str
) -> HttpResponse:
    context = {"form": form, "order": found, "title": title, "act": act}
    return render(request, "custody/destruction_form.html", context, status=422 if form.errors else 200)
