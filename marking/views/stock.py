"""Label stock: what there is, series, reels, hand-overs, destruction."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.documents.services import serve
from marking.forms import LabelOrderForm, choices_of
from marking.forms_stock import (
    DestructionForm,
    FoundForm,
    PrintedForm,
    ReasonForm,
    ReceiveForm,
    SendForm,
    SeriesForm,
    TurnLabelsBackForm,
    WriteOffForm,
)
from marking.models import (
    LabelDestruction,
    LabelEntry,
    LabelMovement,
    LabelPlace,
    LabelReel,
    LabelSeries,
    LabelShipment,
    Mark,
)
from marking.models.stock import offices_of
from marking.places import write_places
from marking.selectors_stock import office_rows, reel_rows
from marking.services import destroying, shipments
from marking.services import stock as services
from marking.services.orders import usual_order
from marking.words import STOCK

GET_OR_POST = ["GET", "HEAD", "POST"]
SEES = (Can.PRINT_LABELS, Can.ORDER_LABELS, Can.SEE_EVERYTHING)


@requires(*SEES)
@require_safe
def label_stock(request: SignedInRequest) -> HttpResponse:
    """Labels by office, and reel by reel, by the ledger and by the marks."""
    reels = LabelReel.objects.visible_to(request.user).select_related("series__office")
    page = keyset_page(reels.order_by("-pk"), request, order=("-pk",))
    waiting = LabelShipment.objects.under_way().select_related("sender", "receiver")
    user = request.user
    coming = waiting.coming_to(offices_of(user))
    unfinished = (LabelSeries.State.ORDERED, LabelSeries.State.MAKING)
    context = {
        "offices": office_rows(user),
        "page": page,
        "rows": reel_rows(page.rows, reader=request.user),
        "coming": coming,
        "going": waiting.visible_to(user).exclude(pk__in=coming.values("pk")),
        "to_sign": LabelDestruction.objects.visible_to(user).filter(state=LabelDestruction.State.ASKED),
        "series": LabelSeries.objects.visible_to(user).filter(state__in=unfinished).select_related("office"),
        "may_order": user.can(Can.ORDER_LABELS),
        "may_keep": user.can(Can.PRINT_LABELS),
    }
    return render(request, "marking/label_stock.html", context)


@requires(Can.ORDER_LABELS)
@require_http_methods(GET_OR_POST)
def order_series(request: SignedInRequest) -> HttpResponse:
    form = SeriesForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            series = services.order_series(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("marking:label-series", series.pk)
    return _form_page(request, form, _("Order blank labels"), _("Order blank labels"))


@requires(*SEES)
@require_safe
def series(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _series_or_404(request, pk)
    may_make = services.can_be_made(found) and found.printer_id in offices_of(request.user)
    page = keyset_page(found.reels.select_related("series"), request, order=("pk",))
    context = {
        "series": found,
        "page": page,
        "rows": reel_rows(page.rows, reader=request.user),
        "stock": STOCK.get(found.profile, found.profile),
        "may_make": may_make,
        # The bar is for whoever began the work; others see the state.
        "job": found.job if found.job and found.job.owner_id == request.user.pk else None,
        "may_print": _may_print(request, found),
        "may_cancel": found.state == LabelSeries.State.ORDERED and request.user.can(Can.ORDER_LABELS),
        "events": Event.objects.about(("label_series", found.pk))[:50],
    }
    return render(request, "marking/label_series.html", context)


def _may_print(request: SignedInRequest, series: LabelSeries) -> bool:
    """Whether some reel of the series waits for a first order to be printed by the person's office."""
    if series.printer_id not in offices_of(request.user):
        return False
    return series.reels.filter(label_runs=None, holdings__place=LabelPlace.TO_PRINT, holdings__pieces__gt=0).exists()


@requires(Can.PRINT_LABELS)
@require_POST
def make_series(request: SignedInRequest, pk: int) -> HttpResponse:
    """Draw the codes: at once, or of a large series in the background, where it goes on after a failure too."""
    found = _series_or_404(request, pk)
    if found.count > services.MADE_AT_ONCE:
        try:
            services.start_making(actor=request.user, at=timezone.now(), series=found)
        except DomainError as refusal:
            messages.error(request, str(refusal))
        return redirect("marking:label-series", pk)
    try:
        reels = services.make_series(actor=request.user, at=timezone.now(), series=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        said = ngettext(
            "%(count)d reel is ready to be printed.", "%(count)d reels are ready to be printed.", len(reels)
        )
        messages.success(request, said % {"count": len(reels)})
    return redirect("marking:label-series", pk)


@requires(Can.ORDER_LABELS)
@require_POST
def cancel_series(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _series_or_404(request, pk)
    try:
        services.cancel_series(actor=request.user, at=timezone.now(), series=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("marking:label-series", pk)


@requires(*SEES)
@require_safe
def reel(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _reel_or_404(request, pk)
    (row,) = reel_rows([found], reader=request.user)
    entries = LabelEntry.objects.filter(reel=found).select_related(
        "movement__actor", "movement__second", "movement__run", "organisation"
    )
    own = row.holder is not None and row.holder.organisation_id in offices_of(request.user)
    at_office = own and row.holder is not None and row.holder.place == LabelPlace.OFFICE
    to_print = own and row.holder is not None and row.holder.place == LabelPlace.TO_PRINT
    runs = list(found.label_runs.select_related("job", "ordered_by"))
    context = {
        "reel": found,
        "row": row,
        "places": [(place, row.balance.places[place]) for place in LabelPlace if place != LabelPlace.ISSUED],
        "entries": entries.order_by("-movement_id", "pk")[:200],
        "unused": write_places(_places_of(found, Mark.State.BLANK)),
        "spoiled": write_places(_places_of(found, Mark.State.SPOILED)),
        "lost": write_places(_places_of(found, Mark.State.LOST)),
        "runs": runs,
        "stock": STOCK,
        "may_print": to_print,
        "may_confirm": to_print and any(run.job.state == "done" for run in runs),
        "may_send": at_office,
        "may_write_off": at_office or _keeps_spoiled(request, found),
        "may_destroy_found": request.user.can(Can.PRINT_LABELS) and row.balance.places[LabelPlace.LOST] > 0,
    }
    return render(request, "marking/label_reel.html", context)


def _places_of(reel: LabelReel, state: Mark.State) -> list[int]:
    places = reel.marks.filter(state=state).values_list("place_on_reel", flat=True)
    return [place for place in places if place is not None]


def _keeps_spoiled(request: SignedInRequest, reel: LabelReel) -> bool:
    return LabelReel.objects.with_something_to_destroy(request.user).filter(pk=reel.pk).exists()


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def print_reel(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _reel_or_404(request, pk)
    before = found.label_runs.exclude(job__state__in=("failed", "cancelled")).exists()
    usual = replace(usual_order(request.user), profile=found.series.profile)
    form = LabelOrderForm(request.POST or None, initial=choices_of(usual), user=request.user, printed_before=before)
    if request.method == "POST" and form.is_valid():
        try:
            run = services.print_reel(actor=request.user, at=timezone.now(), reel=found, order=form.order())
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("marking:label-run", run.pk)
    return _form_page(request, form, _("Print the reel"), _("Print"), reel=found)


@requires(Can.PRINT_LABELS)
@require_POST
def print_series(request: SignedInRequest, pk: int) -> HttpResponse:
    """Order the labels of the reels of a series that are not ordered yet, as the person printed last; of a large series
    the first, and the button stays for the next."""
    found = _series_or_404(request, pk)
    order = replace(usual_order(request.user), profile=found.profile)
    try:
        count = len(services.print_series(actor=request.user, at=timezone.now(), series=found, order=order))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        said = ngettext("%(count)d reel is being drawn.", "%(count)d reels are being drawn.", count)
        messages.success(request, said % {"count": count})
    return redirect("marking:label-series", pk)


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def reel_printed(request: SignedInRequest, pk: int) -> HttpResponse:
    """The operator says that the reel came out of the printer."""
    found = _reel_or_404(request, pk)
    before = LabelMovement.objects.filter(kind=LabelMovement.Kind.PRINTED, actor=request.user).first()
    form = PrintedForm(request.POST or None, initial={"device": before.device if before else ""})
    if request.method == "POST" and form.is_valid():
        try:
            services.confirm_printed(actor=request.user, at=timezone.now(), reel=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The reel is stock of your office now."))
            return redirect("marking:label-reel", pk)
    return _form_page(request, form, _("The reel is printed"), _("Take into stock"), reel=found)


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def write_off(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _reel_or_404(request, pk)
    form = WriteOffForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            services.write_off(
                actor=request.user,
                at=timezone.now(),
                reel=found,
                places=services.places_from(said["places"], found, field="places"),
                kind=LabelMovement.Kind(said["kind"]),
                reason=said["reason"],
                photo=said["photo"] or None,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Written down. These labels are refused at every check from now on."))
            return redirect("marking:label-reel", pk)
    return _form_page(request, form, _("Spoiled or lost labels"), _("Write down"), reel=found)


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def send(request: SignedInRequest) -> HttpResponse:
    first = {"reels": request.GET.getlist("reel"), "expected_on": shipments.usual_day(day_of(timezone.now()))}
    form = SendForm(request.POST or None, signer=request.user, initial=first)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            shipment = shipments.send_reels(
                actor=request.user,
                at=timezone.now(),
                receiver=said["receiver"],
                reels=list(said["reels"]),
                note=said["note"],
                expected_on=said["expected_on"],
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("marking:label-shipment", shipment.pk)
    return _form_page(request, form, _("Send labels to another office"), _("Sign and send"))


@requires(*SEES)
@require_safe
def shipment_list(request: SignedInRequest) -> HttpResponse:
    known = LabelShipment.objects.visible_to(request.user).select_related("sender", "receiver", "sent_by")
    context = {"page": keyset_page(known, request), "today": day_of(timezone.now())}
    return render(request, "marking/label_shipments.html", context)


@requires(*SEES)
@require_http_methods(GET_OR_POST)
def shipment(request: SignedInRequest, pk: int) -> HttpResponse:
    """A hand-over; the office where it arrives counts it here and signs."""
    found = _shipment_or_404(request, pk)
    is_coming = found.is_counted_by(request.user)
    if request.method == "POST" and not is_coming:
        raise PermissionDenied
    form = ReceiveForm(request.POST or None, signer=request.user, shipment=found) if is_coming else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            shipments.receive_reels(actor=request.user, at=timezone.now(), shipment=found, counts=form.counts())
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Received. The labels are stock of your office now."))
            return redirect("marking:label-shipment", pk)
    context = {
        "shipment": found,
        "lines": found.lines.select_related("reel"),
        "form": form,
        "is_own": found.was_sent_by(request.user),
        "is_late": found.is_late(day_of(timezone.now())),
        "may_turn_back": shipments.may_turn_back(request.user, found),
        "events": Event.objects.about(("label_shipment", found.pk))[:50],
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "marking/label_shipment.html", context, status=status)


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def turn_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Labels on their way are turned back, with the reason; a third person counts them where they came from."""
    found = _shipment_or_404(request, pk)
    form = TurnLabelsBackForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            shipments.turn_reels_back(
                actor=request.user, at=timezone.now(), shipment=found, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request, _("Turned back. Another person counts the labels when they are at the office that sent them.")
            )
            return redirect("marking:label-shipment", pk)
    title = _("Turn labels back: %(number)s") % {"number": found.number}
    return _form_page(request, form, title, _("Sign and turn back"))


def _shipment_or_404(request: SignedInRequest, pk: int) -> LabelShipment:
    known = LabelShipment.objects.visible_to(request.user)
    return get_object_or_404(known.select_related("sender", "receiver", "sent_by", "turned_by", "received_by"), pk=pk)


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def destroy(request: SignedInRequest) -> HttpResponse:
    form = DestructionForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            asked = destroying.ask_destruction(
                actor=request.user,
                at=timezone.now(),
                organisation=said["organisation"],
                lines=[destroying.ToDestroy(one, rest=said["rest"]) for one in said["reels"].select_related("series")],
                reason=said["reason"],
                method=said["method"],
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("marking:label-destruction", asked.pk)
    return _form_page(request, form, _("Destroy labels"), _("Ask a second person"))


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def destroy_found(request: SignedInRequest, pk: int) -> HttpResponse:
    """Lost labels that turned up are never used: they are destroyed."""
    found = _reel_or_404(request, pk)
    form = FoundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        office = _own_office(request)
        line = destroying.ToDestroy(found, spoiled=False, found=said["places"])
        try:
            asked = destroying.ask_destruction(
                actor=request.user,
                at=timezone.now(),
                organisation=office,
                lines=[line],
                reason=said["reason"],
                method=said["method"],
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("marking:label-destruction", asked.pk)
    return _form_page(request, form, _("Lost labels were found"), _("Ask a second person"), reel=found)


def _own_office(request: SignedInRequest) -> Any:
    from core.accounts.models import Organisation

    office = Organisation.objects.filter(pk__in=offices_of(request.user)).order_by("pk").first()
    if office is None:
        raise PermissionDenied
    return office


@requires(*SEES)
@require_http_methods(GET_OR_POST)
def destruction(request: SignedInRequest, pk: int) -> HttpResponse:
    """A destruction; the second person signs it here."""
    found = _destruction_or_404(request, pk)
    may_sign = found.state == LabelDestruction.State.ASKED and destroying.can_sign(request.user, found)
    if request.method == "POST" and not may_sign:
        raise PermissionDenied
    form = SignatureForm(request.POST or None, signer=request.user) if may_sign else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            destroying.destroy_labels(actor=request.user, at=timezone.now(), destruction=found)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Destroyed. The act is ready."))
            return redirect("marking:label-destruction", pk)
    context = {
        "destruction": found,
        "lines": found.lines.select_related("reel"),
        "form": form,
        "is_own": found.asked_by_id == request.user.pk,
        "waits_for_authority": found.state == LabelDestruction.State.ASKED and destroying.finds_of_others(found),
        "may_refuse": found.state == LabelDestruction.State.ASKED and destroying.can_refuse(request.user, found),
        "events": Event.objects.about(("label_destruction", found.pk))[:50],
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "marking/label_destruction.html", context, status=status)


@requires(*SEES)
@require_http_methods(GET_OR_POST)
def refuse_destruction(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _destruction_or_404(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            destroying.refuse_destruction(actor=request.user, at=timezone.now(), destruction=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("marking:label-destruction", pk)
    return _form_page(request, form, _("Do not destroy"), _("Refuse"))


@requires(*SEES)
@require_safe
def destruction_paper(request: SignedInRequest, pk: int, language: str) -> HttpResponseBase:
    found = _destruction_or_404(request, pk)
    paper = found.paper_kk if language == "kk" else found.paper_ru
    if paper is None:
        raise Http404
    return serve(paper)


def _series_or_404(request: SignedInRequest, pk: int) -> LabelSeries:
    known = LabelSeries.objects.visible_to(request.user)
    return get_object_or_404(known.select_related("office", "printer", "ordered_by", "ended_by", "job"), pk=pk)


def _reel_or_404(request: SignedInRequest, pk: int) -> LabelReel:
    known = LabelReel.objects.visible_to(request.user)
    return get_object_or_404(known.select_related("series__office", "series__printer"), pk=pk)


def _destruction_or_404(request: SignedInRequest, pk: int) -> LabelDestruction:
    known = LabelDestruction.objects.visible_to(request.user)
    return get_object_or_404(known.select_related("organisation", "asked_by", "ended_by"), pk=pk)


def _form_page(
    request: SignedInRequest, form: forms.Form, title: str, act: str, *, reel: LabelReel | None = None
) -> HttpResponse:
    context = {"form": form, "title": title, "act": act, "reel": reel}
    return render(request, "marking/stock_form.html", context, status=422 if form.errors else 200)
