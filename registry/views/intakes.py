"""Intakes: the list, opening, correcting, cancelling, and the page of one."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError, NotAllowed
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from ledger.models import Hold
from registry import services
from registry.filters import intakes_of
from registry.forms import KnownCaseForm, ReasonForm, RemovalForm, SeizureForm
from registry.measures import words_of
from registry.models import Case, Derivative, Intake, IntakeConfirmation, Origin, Term
from registry.selectors import (
    Plausibility,
    Tally,
    can_work_on,
    explanation_needed,
    horns_expected,
    marked_by_default,
    may_confirm,
    may_see_persons,
    must_be_marked,
    plausibility,
    sheets_without_reception,
    stores_for_intake,
    tally,
)
from registry.services import CaseFacts
from registry.services.confirming import takes_second_person
from registry.services.origins import PAPER_OF
from registry.sheet import (
    Column,
    Line,
    Window,
    columns_of,
    horns_a_male,
    read_window,
    take_blank_lines,
    tally_of,
    whole_number,
)

GET_OR_POST = ["GET", "HEAD", "POST"]
NO_PHOTO = UUID(int=0)
ACT_ROWS = 500  # rows of a weighing act on one page; all of them when asked


@requires(Can.SEE_INTAKES)
@require_safe
def intakes(request: SignedInRequest) -> HttpResponse:
    chosen = intakes_of(request.GET, request=request, reader=request.user)
    page = keyset_page(chosen.qs.with_rows_weighed(), request)
    states = dict(chosen.of_any_state().order_by().values_list("state").annotate(Count("pk")))
    registered = chosen.qs.order_by().aggregate(pieces=Sum("pieces", default=0), grams=Sum("grams", default=0))
    context = {
        "filter": chosen,
        "page": page,
        "states": [(state, states.get(state.value, 0)) for state in Intake.State],
        "totals": registered,
        "may_open": stores_for_intake(request.user, Origin.REMOVAL).exists(),
        "may_open_other": request.user.can(Can.OPEN_INTAKE),
        "may_seize": stores_for_intake(request.user, Origin.SEIZURE).exists(),
    }
    return render(request, "registry/intakes.html", context)


@requires(Can.OPEN_INTAKE)
@require_http_methods(GET_OR_POST)
def open_removal(request: SignedInRequest) -> HttpResponse:
    form = RemovalForm(request.POST or None, user=request.user, today=day_of(timezone.now()))
    if request.method == "POST" and form.is_valid():
        try:
            intake = services.open_removal_intake(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("registry:intake", intake.pk)
    stores, permits = form.fields["store"].queryset, form.fields["permit"].queryset  # type: ignore[attr-defined]
    context = {"form": form, "can_begin": stores and permits, "waiting": sheets_without_reception(request.user)[:10]}
    return render(request, "registry/open_removal.html", context, status=422 if form.errors else 200)


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def open_seizure(request: SignedInRequest) -> HttpResponse:
    """With ?case= more goods of a case in the register; otherwise the case is entered with them."""
    case = None
    if "case" in request.GET:
        case = get_object_or_404(Case.objects.visible_to(request.user), pk=whole_number(request.GET["case"]) or 0)
    shape = SeizureForm if case is None else KnownCaseForm
    form = shape(request.POST or None, user=request.user, today=day_of(timezone.now()))
    if request.method == "POST" and form.is_valid():
        facts = dict(form.cleaned_data)
        store, on = facts.pop("store"), facts.pop("on")
        try:
            intake = services.open_seizure_intake(
                actor=request.user, at=timezone.now(), store=store, on=on, case=case or CaseFacts(**facts)
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("registry:intake", intake.pk)
    context = {"form": form, "case": case, "can_begin": form.fields["store"].queryset}  # type: ignore[attr-defined]
    return render(request, "registry/open_seizure.html", context, status=422 if form.errors else 200)


@requires(Can.OPEN_INTAKE)
@require_http_methods(GET_OR_POST)
def correct(request: SignedInRequest, pk: int) -> HttpResponse:
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk, origin=Origin.REMOVAL)
    form = RemovalForm(request.POST or None, user=request.user, today=day_of(timezone.now()), intake=intake)
    if request.method == "POST" and form.is_valid():
        try:
            services.correct_removal_intake(
                actor=request.user,
                at=timezone.now(),
                intake=intake,
                version=_version(request),
                **form.cleaned_data,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("registry:intake", pk)
    # The version the person saw first stays, so that a refusal cannot be passed by sending the form again.
    version = _version(request)
    context = {"form": form, "intake": intake, "version": intake.version if version is None else version}
    return render(request, "registry/correct.html", context, status=422 if form.errors else 200)


def _version(request: SignedInRequest) -> int | None:
    given = request.POST.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.cancel_intake(actor=request.user, at=timezone.now(), intake=intake, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Reception cancelled. Nothing was registered."))
            return redirect("registry:intake", pk)
    context = {"form": form, "intake": intake, "rows": intake.rows.count()}
    return render(request, "registry/cancel.html", context, status=422 if form.errors else 200)


@requires(Can.OPEN_INTAKE, Can.DECIDE_NOTICE)
@require_POST
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Goods compared with their paper by a second person, under a signature."""
    found = get_object_or_404(known_intakes(request), pk=pk)
    form = SignatureForm(request.POST, signer=request.user)
    if form.is_valid():
        try:
            services.confirm_intake(actor=request.user, at=timezone.now(), intake=found)
        except NotAllowed as refusal:
            raise PermissionDenied from refusal
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Confirmed. The goods are stock of their keeper."))
            return redirect("registry:intake", pk)
    return show_intake(request, found, signing=form, status=422)


@requires(Can.SEE_INTAKES)
@require_safe
def intake(request: SignedInRequest, pk: int) -> HttpResponse:
    """The weighing table while it is open, the weighing act once it is registered."""
    found = get_object_or_404(known_intakes(request), pk=pk)
    if found.processing_id:
        return redirect("custody:processing", found.processing_id)
    return show_intake(request, found)


def known_intakes(request: SignedInRequest) -> QuerySet[Intake]:
    """Intakes the person may know, with all their page names."""
    return Intake.objects.visible_to(request.user).select_related(
        "store__custodian", "region", "permit__season", "brigade", "sheet", "case__agency", "opened_by", "closed_by"
    )


def show_intake(
    request: SignedInRequest,
    intake: Intake,
    *,
    typed: list[Line] | None = None,
    signing: SignatureForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of an intake; with `typed`, the lines of a form that could not be saved stay as they were typed."""
    context: dict[str, Any] = {
        "intake": intake,
        "events": Event.objects.about(("intake", intake.pk))[:50],
        "sheets": intake.sheets.select_related("document", "added_by"),
        "is_mine": can_work_on(request.user, intake),
        "sees_persons": may_see_persons(request.user, intake),
        "has_papers": intake.males is None and intake.origin in PAPER_OF and intake.processing_id is None,
        "may_print": request.user.can(Can.PRINT_LABELS),
    }
    if intake.state == Intake.State.REGISTERED:
        context |= _act(request, intake) | _confirmation(request, intake, signing)
        return render(request, "registry/act.html", context, status=status)
    return render(request, "registry/weigh.html", context | _table(request, intake, typed), status=status)


def _confirmation(request: SignedInRequest, intake: Intake, form: SignatureForm | None) -> dict[str, Any]:
    """Whether the goods wait for a second person, and the form for whoever may be that person."""
    if not takes_second_person(intake):
        return {}
    done = IntakeConfirmation.objects.filter(intake=intake).select_related("confirmed_by").first()
    # What was registered by an earlier version was not held.
    waits = done is None and Hold.objects.active().filter(kind=Hold.Kind.ORIGIN, reference=intake.number).exists()
    took_part = request.user.pk in (intake.opened_by_id, intake.closed_by_id)
    may = waits and not took_part and may_confirm(request.user, intake)
    shown = (form or SignatureForm(signer=request.user)) if may else None
    return {"confirmed": done, "waits_for_second": waits, "took_part": took_part, "signing": shown}


def redirect_to_table(intake: Intake, page: str) -> HttpResponseRedirect:
    """Back to the same page of the table."""
    target = redirect("registry:intake", intake.pk)
    if number := whole_number(page):
        target["Location"] += f"?page={number}"
    return target


def _act(request: SignedInRequest, intake: Intake) -> dict[str, Any]:
    whole = "all" in request.GET
    lines = Derivative.objects.filter(intake=intake).prefetch_related("photos")
    evidence = Hold.objects.active().filter(kind=Hold.Kind.EVIDENCE)
    page = keyset_page(lines, request, order=("row",), size=max(intake.pieces or 0, 1) if whole else ACT_ROWS)
    return {
        "page": page,
        "tally": tally(intake, plausibility(intake.on, intake.term)),
        "columns": [column for column in columns_of(intake.term) if column.key != "pair"],
        "is_part": (intake.pieces or 0) > len(page),
        "is_evidence": evidence.filter(item__derivative__intake=intake).exists(),
    }


def _table(request: SignedInRequest, intake: Intake, typed: list[Line] | None) -> dict[str, Any]:
    rules = plausibility(intake.on, intake.term)
    in_all = tally(intake, rules)
    asked = whole_number(request.GET.get("page", ""))
    window = read_window(intake, rules, rows=in_all.pieces, number=asked)
    elsewhere = in_all.minus(tally_of(window.lines, rules))
    columns = columns_of(intake.term)
    lines = window.lines if typed is None else typed
    if intake.is_open and window.is_last and typed is None:
        lines = lines + take_blank_lines(window.next_row, columns)
    return {
        "lines": lines,
        "window": window,
        "tally": in_all,
        "columns": columns,
        "is_horn": intake.term == Term.HORN,
        "expected": horns_expected(intake, rules),
        "is_excess": explanation_needed(intake, rules, in_all.pieces),
        "ratio": horns_a_male(in_all.pieces, intake.counted.males),
        "blank": Line(row=0, columns=columns),
        "must_mark": must_be_marked(intake.term, intake.on),
        "mark": marked_by_default(intake.term, intake.on),
        "setup": _setup(intake, columns, window, elsewhere, rules),
    }


def _setup(
    intake: Intake, columns: list[Column], window: Window, elsewhere: Tally, rules: Plausibility
) -> dict[str, Any]:
    """What the script of the table must know."""
    return {
        "intake": intake.pk,
        "version": intake.version,
        "rows": reverse("registry:intake-rows", args=[intake.pk]),
        "photo": reverse("registry:photo", args=[NO_PHOTO]).replace(str(NO_PHOTO), "{0}"),
        "isHorn": intake.term == Term.HORN,
        "fields": [
            {
                "key": column.key,
                "column": column.field.column,
                "kind": column.field.kind.value,
                "unit": column.field.unit,
                "most": column.field.most,
                "required": column.field.required,
                "isExtra": column.field.is_extra,
                "default": column.field.default,
                "heading": column.heading,
                "band": rules.bands.get(column.field.column),
                "words": words_of(dict(column.field.choices or {})),
            }
            for column in columns
        ],
        "males": intake.counted.males,
        "expected": horns_expected(intake, rules),
        "elsewhere": asdict(elsewhere),
        "isLast": window.is_last,
        "nextRow": window.next_row,
        "decimal": get_format("DECIMAL_SEPARATOR"),
        "words": _words(),
    }


def _words() -> dict[str, str]:
    """What the script of the table says."""
    return {
        "kg": _("%(amount)s kg") % {"amount": "{0}"},
        "saved": _("All rows are saved"),
        "saving": _("Saving…"),
        "unsaved": _("Not saved yet"),
        "offline": _("No connection. Your rows are kept on this device and are saved as soon as it is back."),
        "signedOut": _("You are signed out. Your rows are kept on this device: sign in again and come back."),
        "refused": _("Some rows were not accepted. Correct the cells that are marked."),
        "closed": _("This reception was closed meanwhile. Reload the page."),
        "missing": _("{0} is missing."),
        "wrong": _("{0}: this cannot be read."),
        "tooMuch": _("{0}: at most {1}."),
        "notKnown": _("{0}: “{1}” is not known."),
        "unusual": _("Unusual:"),
        "usually": _("{0} is usually {1}–{2}."),
        "straight": _("The straight length is less than half of the outer length."),
        "longer": _("The straight length is greater than the outer length."),
        "gross": _("The gross mass is less than the net mass."),
        "again": _("Measure again, or confirm it at the end."),
        "theirs": _("Somebody else wrote here: {0}, {1} g."),
        "takeTheirs": _("Keep theirs"),
        "takeMine": _("Keep mine"),
        "left": _("left"),
        "right": _("right"),
        "unknown": _("side unknown"),
        "pasted": _("Rows pasted: {0}"),
        "photoSaved": _("Photo saved for row {0}"),
        "photoFailed": _("The photo was not saved: {0}"),
        "photoFirst": _("Enter the mass first, then take the photo."),
        "rowRemoved": _("Row {0} removed"),
        "explain": _("Say why there are more horns than two a male."),
        "confirm": _("Confirm the unusual measures, or measure again."),
        "why": _("Say why the unusual measures are right: two words and ten letters at least."),
        "nothing": _("There is nothing on the table yet."),
        "wait": _("Some rows are not saved yet. They must be saved before they are registered."),
        "photoOf": _("Photo of row {0}"),
        "removeRow": _("Remove row {0}"),
        "tooMany": _("That is too many rows to paste. Use “Rows from a file”."),
    }
