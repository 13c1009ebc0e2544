"""Printing labels: the order, its picture, its progress, its files."""

import io
from urllib.parse import urlencode

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.errors import BadInput, DomainError
from core.base.paging import keyset_page
from core.documents.services import serve
from marking.forms import LabelOrderForm, last_choices
from marking.labels import render_page
from marking.models import LabelRun
from marking.services.labels import marks_to_print, preview_sheet, print_labels, was_printed
from marking.words import STOCK
from registry.models import Intake

# Wide enough to read a label of the smallest stock, small enough for a slow line.
PREVIEW_DPI = {"roll-50x25": 300}
SHEET_PREVIEW_DPI = 110


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def label_runs(request: SignedInRequest) -> HttpResponse:
    """Orders of labels, the newest first."""
    runs = LabelRun.objects.visible_to(request.user).select_related("intake", "store", "reel", "ordered_by", "job")
    context = {"page": keyset_page(runs, request), "stock": STOCK}
    return render(request, "marking/label_runs.html", context)


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def label_run(request: SignedInRequest, pk: int) -> HttpResponse:
    """One order: how far it is, what it looks like, its files."""
    run = _run_or_404(request.user, pk)
    context = {
        "run": run,
        "stock": STOCK[run.profile],
        "parts": list(run.parts.select_related("document")),
        "is_mine": run.job.owner_id == request.user.pk,
        "may_print": request.user.can(Can.PRINT_LABELS),
    }
    return render(request, "marking/label_run.html", context)


@requires(Can.PRINT_LABELS)
@require_safe
def label_file(request: SignedInRequest, pk: int) -> FileResponse:
    """The PDF of a part of the run: `?part=2`, the first one without."""
    run = _run_or_404(request.user, pk)
    wanted = request.GET.get("part", "1")
    if not wanted.isdecimal():
        raise Http404
    part = get_object_or_404(run.parts.select_related("document"), part=int(wanted[:5]))
    return serve(part.document, download="download" in request.GET)


@requires(Can.PRINT_LABELS)
def intake_labels(request: SignedInRequest, pk: int) -> HttpResponse:
    """Order the labels of an intake: the form, a picture of the first sheet, and what was ordered before."""
    intake = _intake_or_404(request.user, pk)
    printed_before = was_printed(intake)
    if request.method == "POST":
        form = LabelOrderForm(request.POST, printed_before=printed_before)
        if form.is_valid():
            try:
                run = print_labels(actor=request.user, at=timezone.now(), intake=intake, order=form.order())
            except DomainError as refusal:
                _put_on_form(form, refusal)
            else:
                return redirect("marking:label-run", run.pk)
    else:
        last = LabelRun.objects.filter(ordered_by=request.user).first()
        form = LabelOrderForm(initial=last_choices(last), printed_before=printed_before)
    context = {
        "intake": intake,
        "form": form,
        "count": marks_to_print(intake).count(),
        "runs": intake.label_runs.select_related("ordered_by", "job"),
        "stock": STOCK,
        "preview_query": _preview_query(form),
    }
    return render(request, "marking/intake_labels.html", context, status=422 if form.errors else 200)


@requires(Can.PRINT_LABELS)
@require_safe
@cache_control(private=True, max_age=300)
def label_preview(request: SignedInRequest, pk: int) -> HttpResponse:
    """A picture of the first sheet as it would be printed, with the intake's own labels."""
    intake = _intake_or_404(request.user, pk)
    form = LabelOrderForm(request.GET, printed_before=False)
    if not form.is_valid():
        raise Http404
    try:
        pdf = preview_sheet(intake=intake, order=form.order())
    except DomainError as refusal:
        raise Http404 from refusal
    picture = io.BytesIO()
    dpi = PREVIEW_DPI.get(form.cleaned_data["profile"], SHEET_PREVIEW_DPI)
    render_page(pdf, dpi=dpi).save(picture, "PNG", optimize=True)
    return HttpResponse(picture.getvalue(), content_type="image/png")


def _run_or_404(reader: User, pk: int) -> LabelRun:
    runs = LabelRun.objects.visible_to(reader)
    return get_object_or_404(runs.select_related("intake", "store", "reel", "ordered_by", "job"), pk=pk)


def _intake_or_404(reader: User, pk: int) -> Intake:
    registered = Intake.objects.visible_to(reader).filter(state=Intake.State.REGISTERED)
    return get_object_or_404(registered.select_related("store"), pk=pk)


def _preview_query(form: LabelOrderForm) -> str:
    """The address of the picture for what stands in the form."""
    return urlencode({name: form[name].value() or "" for name in ("profile", "start", "dpi", "language")})


def _put_on_form(form: LabelOrderForm, refusal: DomainError) -> None:
    if isinstance(refusal, BadInput):
        for name, text in refusal.fields.items():
            form.add_error(name if name in form.fields else None, str(text))
    if not form.errors:
        form.add_error(None, str(refusal.message))
