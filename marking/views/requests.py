"""Marks on items: bind a blank label, ask for a reprint, an end or a new mark; the labels of a weighing table."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.base.visitors import own_hosts
from core.documents.services import serve
from marking.forms import FOR_HORNS, choices_of
from marking.forms_stock import BindForm, MarkRequestForm, ReasonForm
from marking.models import LabelReel, Mark, MarkRequest, RowLabel
from marking.services import requests as services
from marking.services.applying import ForeignLabel, apply_blank, name_row_labels, read_label, telling_refused
from marking.services.orders import usual_order
from marking.words import STOCK
from registry.models import Derivative, Intake, Term

GET_OR_POST = ["GET", "HEAD", "POST"]
ROWS_A_PAGE = 50


@requires(Can.PRINT_LABELS, Can.OPEN_INTAKE)
@require_http_methods(GET_OR_POST)
def bind(request: SignedInRequest, pk: int) -> HttpResponse:
    """Bind a blank label to an item that never had a mark."""
    item = get_object_or_404(Derivative.objects.visible_to(request.user), pk=pk)
    form = BindForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        at, said = timezone.now(), form.cleaned_data
        try:
            with telling_refused(request.user, at):
                mark = apply_blank(
                    actor=request.user,
                    at=at,
                    code=read_label(said["label"], actor=request.user, own_hosts=own_hosts(request)),
                    derivative=item,
                    photo=said["photo"],
                    confirm_foreign=said["confirm_foreign"],
                )
        except DomainError as refusal:
            if isinstance(refusal, ForeignLabel):
                form = BindForm(request.POST, request.FILES, is_foreign=True)
                form.is_valid()
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The label is bound. It is the mark of this item from now on."))
            return redirect("reports:item", mark.derivative_id)
    former = Mark.objects.renewable().filter(derivative=item).first()
    context = {"item": item, "form": form, "former": former}
    return render(request, "marking/bind.html", context, status=422 if form.errors else 200)


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def ask(request: SignedInRequest, code: str) -> HttpResponse:
    """Ask for a reprint, an end, or a new mark for an item; where the last mark is void, for a new one."""
    marks = Mark.objects.renewable().visible_to(request.user)
    mark = get_object_or_404(marks.select_related("derivative"), pk=code)
    return _ask(request, mark=mark)


@requires(Can.PRINT_LABELS)
@require_http_methods(GET_OR_POST)
def ask_for_intake(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask that all labels of an intake are printed again."""
    registered = Intake.objects.visible_to(request.user).filter(state=Intake.State.REGISTERED)
    return _ask(request, intake=get_object_or_404(registered.select_related("store"), pk=pk))


def _ask(request: SignedInRequest, mark: Mark | None = None, intake: Intake | None = None) -> HttpResponse:
    usual = usual_order(request.user)
    term = mark.item.term if mark else intake.term if intake else ""
    if term == Term.HORN and usual.profile in STOCK and usual.profile not in FOR_HORNS:
        # What was printed last may have been for a box.
        usual = replace(usual, profile="roll-50x25")
    initial = choices_of(usual) | {"kind": request.GET.get("kind", MarkRequest.Kind.REPRINT)}
    is_void = mark is not None and mark.state == Mark.State.VOID
    shape = partial(MarkRequestForm, initial=initial, user=request.user, only_reprint=mark is None, only_new=is_void)
    form = shape(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        try:
            with telling_refused(request.user, at):
                asked = services.ask_for_mark(
                    actor=request.user,
                    at=at,
                    kind=MarkRequest.Kind(form.cleaned_data.get("kind", MarkRequest.Kind.REPRINT)),
                    reason=form.cleaned_data["reason"],
                    mark=mark,
                    intake=intake,
                    order=form.order_or_none(),
                    label=_tied(request, form),
                )
        except DomainError as refusal:
            if isinstance(refusal, ForeignLabel):
                form = shape(request.POST, request.FILES, is_foreign=True)
                form.is_valid()
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Asked. Another person approves it."))
            return redirect("marking:mark-request", asked.pk)
    context = {"form": form, "mark": mark, "intake": intake, "is_void": is_void}
    return render(request, "marking/ask.html", context, status=422 if form.errors else 200)


def _tied(request: SignedInRequest, form: MarkRequestForm) -> services.TiedLabel | None:
    """The blank label that is to take the place of the mark. Raises BadInput saying what was scanned instead."""
    said = form.cleaned_data
    if not said.get("label"):
        return None
    code = read_label(said["label"], actor=request.user, own_hosts=own_hosts(request))
    return services.TiedLabel(code, said["photo"], said["confirm_foreign"])


@requires(Can.PRINT_LABELS, Can.APPROVE_MARKS, Can.SEE_EVERYTHING)
@require_safe
def mark_requests(request: SignedInRequest) -> HttpResponse:
    known = MarkRequest.objects.visible_to(request.user).select_related("mark__derivative", "intake__store", "asked_by")
    if request.GET.get("state") != "all":
        known = known.waiting()
    context = {"page": keyset_page(known, request), "state": request.GET.get("state", "")}
    return render(request, "marking/mark_requests.html", context)


@requires(Can.PRINT_LABELS, Can.APPROVE_MARKS, Can.SEE_EVERYTHING)
@require_http_methods(GET_OR_POST)
def mark_request(request: SignedInRequest, pk: int) -> HttpResponse:
    """One request; the second person approves it here with the password."""
    found = _request_or_404(request, pk)
    may_approve = found.state == MarkRequest.State.ASKED and services.can_approve(request.user, found)
    if request.method == "POST" and not may_approve:
        raise PermissionDenied
    form = SignatureForm(request.POST or None, signer=request.user) if may_approve else None
    if request.method == "POST" and form is not None and form.is_valid():
        at = timezone.now()
        try:
            with telling_refused(request.user, at):
                done = services.approve_request(actor=request.user, at=at, asked=found)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Approved."))
            if done.left_out:
                messages.warning(request, _left_alone(done.left_out))
            return redirect("marking:mark-request", pk)
    left_out = services.left_out_of(found, request.user) if found.state == MarkRequest.State.ASKED else []
    context = {
        "asked": found,
        "form": form,
        "is_own": found.asked_by_id == request.user.pk,
        "left_alone": _left_alone(left_out) if left_out else "",
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "marking/mark_request.html", context, status=status)


def _left_alone(numbers: Sequence[str]) -> str:
    said = ", ".join(numbers)
    return _("These have left the store, so their labels are not printed again: %(numbers)s.") % {"numbers": said}


@requires(Can.PRINT_LABELS, Can.APPROVE_MARKS)
@require_http_methods(GET_OR_POST)
def refuse(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _request_or_404(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.refuse_request(actor=request.user, at=timezone.now(), asked=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("marking:mark-request", pk)
    context = {"form": form, "title": _("Do not approve"), "act": _("Refuse")}
    return render(request, "marking/stock_form.html", context, status=422 if form.errors else 200)


@requires(Can.PRINT_LABELS, Can.APPROVE_MARKS, Can.SEE_EVERYTHING)
@require_safe
def tied_label(request: SignedInRequest, pk: int) -> FileResponse:
    """The photo of the blank label on the item, for whoever approves it."""
    photo = _request_or_404(request, pk).photo
    if photo is None:
        raise Http404
    return serve(photo)


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def row_labels(request: SignedInRequest, pk: int) -> HttpResponse:
    """Blank labels that are tied to the horns of a weighing table: a field for each row, for a scanner gun."""
    intake = get_object_or_404(Intake.objects.visible_to(request.user).select_related("store"), pk=pk)
    if not intake.is_open:
        return redirect("registry:intake", pk)
    page = keyset_page(intake.rows.all(), request, order=("row",), size=ROWS_A_PAGE)
    shown = [one.row for one in page.rows]
    typed: dict[int, str] = {}
    problems: dict[str, str] = {}
    general = ""
    is_foreign = False
    if request.method == "POST":
        typed = {row: request.POST.get(f"label-{row}", "")[:500] for row in shown}
        at = timezone.now()
        try:
            with telling_refused(request.user, at):
                count = name_row_labels(
                    actor=request.user,
                    at=at,
                    intake=intake,
                    labels=typed,
                    own_hosts=own_hosts(request),
                    confirm_foreign="confirm_foreign" in request.POST,
                )
        except DomainError as refusal:
            problems = {name: str(text) for name, text in refusal.fields.items()}
            is_foreign = isinstance(refusal, ForeignLabel)
            general = str(refusal)
        else:
            messages.success(request, _("Rows with a blank label: %(count)d.") % {"count": count})
            return redirect(request.get_full_path())
    named = dict(RowLabel.objects.filter(intake=intake, row__in=shown).values_list("row", "mark_id"))
    pictured = set(intake.photos.filter(row__in=shown).values_list("row", flat=True))
    lines = [
        {
            "row": one.row,
            "mass_g": one.mass_g,
            "side": one.get_side_display() if one.side else "",
            "label": typed.get(one.row, named.get(one.row, "")),
            "problem": problems.get(f"rows.{one.row}.label", ""),
            "has_photo": one.row in pictured,
        }
        for one in page.rows
    ]
    context = {
        "intake": intake,
        "page": page,
        "lines": lines,
        "general": general,
        "is_foreign": is_foreign,
        "reels": LabelReel.objects.kept_by(request.user)[:20],
    }
    return render(request, "marking/row_labels.html", context, status=422 if general else 200)


def _request_or_404(request: SignedInRequest, pk: int) -> MarkRequest:
    known = MarkRequest.objects.visible_to(request.user)
    related = ("mark__derivative", "intake__store", "asked_by", "decided_by", "new_mark", "run", "blank__reel")
    return get_object_or_404(known.select_related(*related), pk=pk)
