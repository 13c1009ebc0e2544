"""Printing labels: the order, its picture, its progress, its files."""

import base64
import io
from dataclasses import dataclass

from django.contrib import messages
from django.forms import Form
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.errors import BadInput, DomainError, InvalidTransition
from core.base.paging import keyset_page
from core.documents.models import Document
from core.documents.services import serve
from marking.forms import LabelOrderForm, choices_of
from marking.labels import Print, Profile
from marking.models import LabelRun, LabelRunEnd, MarkRequest
from marking.services.files import FILE_DAYS, declare_run_printed, take_part, why_closed
from marking.services.labels import (
    left_out_of_print,
    marks_to_print,
    nothing_to_print,
    picture_of_sheet,
    preview_sheet,
    print_labels,
    was_printed,
)
from marking.services.orders import usual_order
from marking.services.requests import ask_for_mark
from registry.models import Intake, Term


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def label_runs(request: SignedInRequest) -> HttpResponse:
    """Orders of labels, the newest first."""
    runs = LabelRun.objects.visible_to(request.user).select_related(
        "intake", "store", "reel", "ordered_by", "job", "own_stock"
    )
    context = {"page": keyset_page(runs, request)}
    return render(request, "marking/label_runs.html", context)


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def label_run(request: SignedInRequest, pk: int) -> HttpResponse:
    """One order: how far it is, what it looks like, its files."""
    run = _run_or_404(request.user, pk)
    may_print = request.user.can(Can.PRINT_LABELS)
    parts = list(run.parts.select_related("document"))
    closed = why_closed(run, actor=request.user, at=timezone.now()) if parts and may_print else None
    end = LabelRunEnd.objects.filter(run=run).select_related("ended_by").first()
    context = {
        "run": run,
        "parts": parts,
        "is_mine": run.job.owner_id == request.user.pk,
        "may_print": may_print,
        "may_take": bool(parts) and may_print and closed is None,
        "closed": closed,
        "end": end,
        "days": FILE_DAYS,
    }
    return render(request, "marking/label_run.html", context)


@requires(Can.PRINT_LABELS)
@require_safe
def label_file(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The file of a part of the run: `?part=2`, the first one without. Taken under the eyes of the journal."""
    run = _run_or_404(request.user, pk)
    wanted = request.GET.get("part", "1")
    if not wanted.isdecimal():
        raise Http404
    part = get_object_or_404(run.parts.select_related("document", "run"), part=int(wanted[:5]))
    try:
        take_part(actor=request.user, at=timezone.now(), part=part)
    except InvalidTransition as refusal:
        messages.error(request, str(refusal.message))
        return redirect("marking:label-run", run.pk)
    return serve_labels(part.document, download="download" in request.GET)


def serve_labels(document: Document, *, download: bool) -> FileResponse:
    """Nothing on the way, and no browser, keeps a copy of labels."""
    response = serve(document, download=download)
    response["Cache-Control"] = "private, no-store"
    return response


@requires(Can.PRINT_LABELS)
@require_POST
def run_printed(request: SignedInRequest, pk: int) -> HttpResponse:
    """The labels came out of the printer: the files are closed."""
    run = _run_or_404(request.user, pk)
    try:
        declare_run_printed(actor=request.user, at=timezone.now(), run=run)
    except DomainError as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("Declared printed. The files are closed."))
    return redirect("marking:label-run", run.pk)


@requires(Can.PRINT_LABELS)
def intake_labels(request: SignedInRequest, pk: int) -> HttpResponse:
    """Order the labels of an intake: the form, a picture of the first sheet, and what was ordered before."""
    intake = _intake_or_404(request.user, pk)
    printed_before = was_printed(intake)
    if request.method == "POST":
        form = LabelOrderForm(request.POST, user=request.user, printed_before=printed_before)
        if form.is_valid():
            try:
                if printed_before:
                    return redirect("marking:mark-request", _ask_again(request.user, intake, form).pk)
                run = print_labels(actor=request.user, at=timezone.now(), intake=intake, order=form.order())
            except DomainError as refusal:
                put_on_form(form, refusal)
            else:
                if run.left_out:
                    numbers = ", ".join(run.left_out)
                    messages.warning(
                        request,
                        _("These have left the store, so their labels are not printed: %(numbers)s.")
                        % {"numbers": numbers},
                    )
                return redirect("marking:label-run", run.pk)
    else:
        first = choices_of(usual_order(request.user))
        form = LabelOrderForm(initial=first, user=request.user, printed_before=printed_before)
    context = {
        "intake": intake,
        "form": form,
        "printed_before": printed_before,
        "count": marks_to_print(intake).count(),
        "nothing": nothing_to_print(intake),
        "left_out": ", ".join(left_out_of_print(intake)),
        "runs": intake.label_runs.select_related("ordered_by", "job", "own_stock"),
        "sheet": _sheet_of(request.user, intake, form),
    }
    return render(request, "marking/intake_labels.html", context, status=422 if form.errors else 200)


def _ask_again(person: User, intake: Intake, form: LabelOrderForm) -> MarkRequest:
    """What was printed before is printed again under the eyes of a second person."""
    return ask_for_mark(
        actor=person,
        at=timezone.now(),
        kind=MarkRequest.Kind.REPRINT,
        intake=intake,
        reason=form.cleaned_data["reason"],
        order=form.order(),
    )


@requires(Can.PRINT_LABELS)
@require_safe
@cache_control(private=True, max_age=60)
def label_preview(request: SignedInRequest, pk: int) -> HttpResponse:
    """The first sheet as it would be printed, with the intake's own labels; or why it would not."""
    intake = _intake_or_404(request.user, pk)
    form = LabelOrderForm(request.GET, user=request.user, printed_before=False)
    return render(request, "marking/_sheet.html", {"sheet": _sheet_of(request.user, intake, form)})


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture of the first sheet for a page, or the sentence that says why there is none."""

    picture: str = ""
    refusal: str = ""
    bends_badly: bool = False


def _sheet_of(person: User, intake: Intake, form: LabelOrderForm) -> Sheet:
    if not form.is_bound:
        first = {name: "" if value is None else value for name, value in form.initial.items()}
        form = LabelOrderForm({"start": 1} | first, user=person, printed_before=False)
    form.is_valid()
    wrong = [str(error) for name, errors in form.errors.items() if name != "reason" for error in errors]
    if wrong:
        return Sheet(refusal=" ".join(wrong))
    try:
        pdf, setting = preview_sheet(actor=person, intake=intake, order=form.order())
    except DomainError as refusal:
        return Sheet(refusal=" ".join(map(str, refusal.fields.values())) or str(refusal.message))
    bends_badly = intake.term == Term.HORN and not setting.suits_horns
    return Sheet(picture=picture_of(pdf, setting.stock, setting.how), bends_badly=bends_badly)


def picture_of(pdf: bytes, stock: Profile, how: Print | None = None) -> str:
    """The first page of a preview as a PNG in the page itself; large enough to read, small enough for a slow line."""
    longest = max(stock.page_width, stock.page_height)
    dpi = 300 if longest <= 80 else 150 if longest <= 160 else 110
    encoded = io.BytesIO()
    picture_of_sheet(pdf, stock, dpi=dpi, how=how).quantize(32).save(encoded, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(encoded.getvalue()).decode()


def _run_or_404(reader: User, pk: int) -> LabelRun:
    runs = LabelRun.objects.visible_to(reader)
    found = runs.select_related("intake", "store", "reel", "ordered_by", "job", "own_stock", "printer")
    return get_object_or_404(found, pk=pk)


def _intake_or_404(reader: User, pk: int) -> Intake:
    registered = Intake.objects.visible_to(reader).filter(state=Intake.State.REGISTERED)
    return get_object_or_404(registered.select_related("store"), pk=pk)


def put_on_form(form: Form, refusal: DomainError) -> None:
    """Say the refusal where it belongs on the form."""
    if isinstance(refusal, BadInput):
        for name, text in refusal.fields.items():
            form.add_error(name if name in form.fields else None, str(text))
    if not form.errors:
        form.add_error(None, str(refusal.message))
