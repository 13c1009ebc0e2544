"""Processing: runs, what goes in, what came out, and the one button that registers, marks and prints."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.base.visitors import own_hosts
from core.notices.models import is_authority
from custody.doors import chosen_items, say_refusal, wants_part
from custody.forms_processing import (
    ApproveForm,
    CancelForm,
    FinishForm,
    GiveBackForm,
    OpenForm,
    OutputsForm,
    StockFilter,
)
from custody.processing import describe_inputs, items_in_scan
from custody.scanning import Said, read_scan
from ledger.models import Holding
from marking.services.issue import approve_and_mark, process_and_mark
from marking.services.orders import LabelOrder, usual_order
from registry import services
from registry.models import Derivative, Processing
from registry.processing import find_input_obstacles, may_process_in, stores_for_processing

GET_OR_POST = ["GET", "HEAD", "POST"]
SHOWN = 20
MOST_AT_ONCE = 20_000


@requires(Can.PROCESS, Can.SEE_EVERYTHING)
@require_safe
def processings(request: SignedInRequest) -> HttpResponse:
    """Runs, the newest first; drafts of the person's stores on top of the page."""
    seen = Processing.objects.visible_to(request.user).select_related("store")
    context = {
        "page": keyset_page(seen, request),
        "may_open": request.user.can(Can.PROCESS) and stores_for_processing(request.user).exists(),
    }
    return render(request, "custody/processings.html", context)


@requires(Can.PROCESS)
@require_http_methods(GET_OR_POST)
def open_run(request: SignedInRequest) -> HttpResponse | HttpResponseRedirect:
    """What is made, where, when; with ?item= things chosen elsewhere go in at once."""
    form = OpenForm(request.POST or None, user=request.user, today=day_of(timezone.now()))
    items = chosen_items(request)
    if request.method == "POST" and form.is_valid():
        try:
            run = services.open_processing(
                actor=request.user, at=timezone.now(), item_ids=items[:MOST_AT_ONCE], **form.cleaned_data
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            _say_left_out(request, len(items) - run.inputs.count())
            return redirect("custody:processing", run.pk)
    context = {"form": form, "items": items, "can_begin": stores_for_processing(request.user).exists()}
    return render(request, "custody/processing_open.html", context, status=422 if form.errors else 200)


@requires(Can.PROCESS, Can.SEE_STOCK)
@require_safe
def processing(request: SignedInRequest, pk: int) -> HttpResponse:
    """A draft to work on, or the act of what was done."""
    return _page(request, _run_or_404(request.user, pk))


def _page(
    request: SignedInRequest,
    run: Processing,
    *,
    said: Said | None = None,
    outputs: OutputsForm | None = None,
    finish: FinishForm | None = None,
    approve: ApproveForm | None = None,
    give_back: GiveBackForm | None = None,
    status: int = 200,
) -> HttpResponse:
    is_mine = may_process_in(request.user, run.store)
    events = Event.objects.about(("processing", run.pk))[:50]
    context: dict[str, Any] = {"run": run, "events": events, "is_mine": is_mine}
    if run.is_awaiting:
        judges = is_authority(request.user)
        if judges and run.asked_by_id != request.user.pk:
            context["approve"] = approve or ApproveForm(signer=request.user)
        if judges or is_mine:
            context["give_back"] = give_back or GiveBackForm()
    if not run.is_draft:
        context |= _act(request, run)
        return render(request, "custody/processing_act.html", context, status=status)
    context |= _state(run, said, finish) | {"outputs": outputs or OutputsForm(run=run)}
    return render(request, "custody/processing.html", context, status=status)


def _state(run: Processing, said: Said | None = None, finish: FinishForm | None = None) -> dict[str, Any]:
    """What a scan or a package changes: the lists, the balance, the last step.

    What cannot go in is counted over the whole list, though only the latest lines and the first of these are shown.
    """
    newest = run.inputs.order_by("-pk").values_list("item_id", flat=True)
    latest = list(newest[:SHOWN])
    count = run.inputs.count()
    obstacles = find_input_obstacles(run, list(newest))
    shown = latest + [item for item in obstacles if item not in latest][:SHOWN]
    went_in = Holding.objects.filter(account=run.store_id, item__in=run.inputs.values("item"), pieces__gt=0).aggregate(
        grams=Sum("grams", default=0)
    )["grams"]
    came_out = sum(count * mass for count, mass in run.outputs.values_list("count", "mass_g"))
    norm = services.norm_of_loss(run.way.gives, run.on)
    loss = went_in - came_out
    return {
        "run": run,
        "said": said,
        "rows": describe_inputs(shown, obstacles),
        "count": count,
        "more": count - len(shown),
        "bad_count": len(obstacles),
        "went_in": went_in,
        "came_out": came_out,
        "packages": sum(run.outputs.values_list("count", flat=True)),
        "loss": loss,
        "loss_percent": round(loss * 100 / went_in, 1) if went_in else None,
        "norm": norm,
        "is_above": loss * 100 > went_in * norm,
        "finish": finish or FinishForm(initial={"loss_g": max(loss, 0), "version": run.version, "print": True}),
    }


def _act(request: SignedInRequest, run: Processing) -> dict[str, Any]:
    if run.state == Processing.State.CANCELLED:
        return {}
    consumed = run.inputs.order_by("item_id")
    known = {d.pk: d for d in Derivative.objects.filter(item__in=consumed.values("item"))}
    context: dict[str, Any] = {
        "inputs": [(known.get(line.item_id), line.mass_g) for line in consumed[:500]],
        "norm": services.norm_of_loss(run.way.gives, run.on),
        "loss_percent": round((run.loss_g or 0) * 100 / run.input_g, 1) if run.input_g else None,
    }
    if run.is_awaiting:
        return context | {"packages": run.outputs.order_by("row"), "gives": run.way.gives.label}
    return context | {
        "made": run.made,
        "page": keyset_page(Derivative.objects.filter(intake=run.made), request, order=("row",), size=500),
        "may_print": request.user.can(Can.PRINT_LABELS),
    }


@requires(Can.PROCESS)
@require_POST
def scan_input(request: SignedInRequest, pk: int) -> HttpResponse:
    """One scan: a mark, a number, a box, or a whole reception."""
    run = _run_or_404(request.user, pk)
    said = _take_scan(request, run, request.POST.get("code", ""))
    run.refresh_from_db()
    if wants_part(request):
        return render(request, "custody/_processing_state.html", _state(run, said) | {"is_mine": True})
    return _page(request, run, said=said)


def _take_scan(request: SignedInRequest, run: Processing, text: str) -> Said:
    scan = read_scan(text, person=request.user, own_hosts=own_hosts(request))
    if scan.refused is not None:
        return scan.refused
    items = items_in_scan(scan, run.store_id)
    if not items:
        return Said(
            "attention", _("Nothing here"), _("Nothing of %(number)s lies in this store.") % {"number": scan.text}
        )
    try:
        added, obstacles = services.choose_inputs(actor=request.user, at=timezone.now(), run=run, item_ids=items)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    if obstacles and not added:
        reasons = sorted({str(obstacle.text) for found in obstacles.values() for obstacle in found})
        return Said("stop", _("Cannot go in"), f"{scan.text}. " + " ".join(reasons[:3]))
    if not added:
        return Said("attention", _("Already on the list"), scan.text)
    if len(items) == 1:
        return Said("ok", _("On the list"), scan.text)
    words = ngettext("%(count)d item of %(number)s added.", "%(count)d items of %(number)s added.", added)
    return Said("attention" if obstacles else "ok", _("On the list"), words % {"count": added, "number": scan.text})


@requires(Can.PROCESS)
@require_POST
def add_inputs(request: SignedInRequest, pk: int) -> HttpResponseRedirect:
    run = _run_or_404(request.user, pk)
    _choose(request, run, chosen_items(request))
    return redirect("custody:processing", pk)


@requires(Can.PROCESS)
@require_http_methods(GET_OR_POST)
def choose(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """What lies in the store and can go in, to tick or to take whole."""
    run = _run_or_404(request.user, pk)
    found = StockFilter(request.GET, run=run)
    if request.method == "POST":
        items = list(found.qs.values_list("pk", flat=True)[:MOST_AT_ONCE]) if "all" in request.POST else None
        _choose(request, run, chosen_items(request) if items is None else items)
        return redirect("custody:processing", pk)
    page = keyset_page(found.qs, request, order=("-pk",), size=100)
    keys = [item.pk for item in page]
    held = Holding.objects.filter(account=run.store_id, item__in=found.qs.values("pk"), pieces__gt=0)
    totals = held.aggregate(pieces=Sum("pieces", default=0), grams=Sum("grams", default=0))
    context = {
        "run": run,
        "filter": found,
        "page": page,
        "rows": describe_inputs(keys, find_input_obstacles(run, keys)),
        "taken": set(run.inputs.filter(item__in=keys).values_list("item_id", flat=True)),
        "totals": totals,
    }
    return render(request, "custody/processing_choose.html", context)


@requires(Can.PROCESS)
@require_POST
def drop(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """Take one item, those that cannot go in, or everything off the list."""
    run = _run_or_404(request.user, pk)
    items: list[int] | None = chosen_items(request)
    if "everything" in request.POST:
        items = None
    elif "obstructed" in request.POST:
        items = list(find_input_obstacles(run, list(run.inputs.values_list("item_id", flat=True))))
    try:
        services.drop_inputs(actor=request.user, at=timezone.now(), run=run, item_ids=items)
    except DomainError as refusal:
        say_refusal(request, refusal)
    run.refresh_from_db()
    if wants_part(request):
        return render(request, "custody/_processing_state.html", _state(run) | {"is_mine": True})
    return redirect("custody:processing", pk)


@requires(Can.PROCESS)
@require_POST
def outputs(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """Write down what came out, all rows at once; a script sends it after every change."""
    run = _run_or_404(request.user, pk)
    form = OutputsForm(request.POST, run=run)
    if form.is_valid():
        try:
            services.save_outputs(actor=request.user, at=timezone.now(), run=run, packages=form.packages())
        except DomainError as refusal:
            form.add_refusal(refusal)
    run.refresh_from_db()
    if request.htmx:
        # A row that is typed half is no fault yet: the balance says what is saved.
        return render(request, "custody/_processing_state.html", _state(run) | {"is_mine": True})
    if form.faults:
        return _page(request, run, outputs=form, status=422)
    return redirect("custody:processing", pk)


@requires(Can.PROCESS)
@require_POST
def register(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """The one button: consume, register, mark and, if wished, print."""
    run = _run_or_404(request.user, pk)
    form = FinishForm(request.POST)
    if not form.is_valid():
        return _page(request, run, finish=form, status=422)
    try:
        done = process_and_mark(
            actor=request.user,
            at=timezone.now(),
            run=run,
            loss_g=form.cleaned_data["loss_g"],
            explanation=form.cleaned_data["explanation"],
            version=form.cleaned_data["version"],
            order=_usual_order(request.user) if form.cleaned_data["print"] else None,
        )
    except DomainError as refusal:
        add_refusal(form, refusal)
        run.refresh_from_db()
        return _page(request, run, finish=form, status=422)
    if done is None:
        messages.warning(
            request, _("More is lost than the norm allows. The goods are held until the authority has decided.")
        )
        return redirect("custody:processing", pk)
    _say_registered(request, done.count)
    if done.label_run is not None:
        return redirect("marking:label-run", done.label_run.pk)
    return redirect("custody:processing", pk)


@requires(Can.DECIDE_NOTICE)
@require_POST
def approve(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """The authority lets a run through that loses more than the norm, under a signature."""
    run = _run_or_404(request.user, pk)
    if not is_authority(request.user):
        raise PermissionDenied
    form = ApproveForm(request.POST, signer=request.user)
    if form.is_valid():
        try:
            done = approve_and_mark(actor=request.user, at=timezone.now(), run=run, reason=form.cleaned_data["reason"])
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            _say_registered(request, done.count)
            return redirect("custody:processing", pk)
    return _page(request, _run_or_404(request.user, pk), approve=form, status=422)


@requires(Can.DECIDE_NOTICE, Can.PROCESS)
@require_POST
def give_back(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """A waiting run becomes a draft again; nothing was consumed."""
    run = _run_or_404(request.user, pk)
    form = GiveBackForm(request.POST)
    if form.is_valid():
        try:
            services.return_processing(
                actor=request.user, at=timezone.now(), run=run, reason=form.cleaned_data["return_reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:processing", pk)
    return _page(request, _run_or_404(request.user, pk), give_back=form, status=422)


def _say_registered(request: SignedInRequest, count: int) -> None:
    words = ngettext("%(count)d package registered and marked.", "%(count)d packages registered and marked.", count)
    messages.success(request, words % {"count": count})


@requires(Can.PROCESS)
@require_http_methods(GET_OR_POST)
def cancel(request: SignedInRequest, pk: int) -> HttpResponse | HttpResponseRedirect:
    """Give up a draft, with a reason."""
    run = _run_or_404(request.user, pk)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.cancel_processing(actor=request.user, at=timezone.now(), run=run, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("custody:processing", pk)
    context = {"run": run, "form": form}
    return render(request, "custody/processing_cancel.html", context, status=422 if form.errors else 200)


def _run_or_404(user: User, pk: int) -> Processing:
    seen: QuerySet[Processing] = Processing.objects.visible_to(user)
    return get_object_or_404(
        seen.select_related(
            "store__custodian", "store__region", "opened_by", "closed_by", "asked_by", "approved_by", "made"
        ),
        pk=pk,
    )


def _say_left_out(request: SignedInRequest, count: int) -> None:
    if count:
        words = ngettext("%(count)d item cannot go in.", "%(count)d items cannot go in.", count)
        messages.warning(request, words % {"count": count})


def _choose(request: SignedInRequest, run: Processing, items: list[int]) -> None:
    """Put items on the list and say how many; what cannot go in is told with its first reasons."""
    try:
        added, obstacles = services.choose_inputs(
            actor=request.user, at=timezone.now(), run=run, item_ids=items[:MOST_AT_ONCE]
        )
    except DomainError as refusal:
        say_refusal(request, refusal)
        return
    if added:
        words = ngettext("%(count)d item put on the list.", "%(count)d items put on the list.", added)
        messages.success(request, words % {"count": added})
    if obstacles:
        reasons = sorted({str(obstacle.text) for found in obstacles.values() for obstacle in found})
        words = ngettext("%(count)d item cannot go in.", "%(count)d items cannot go in.", len(obstacles))
        messages.warning(request, " ".join([words % {"count": len(obstacles)}, *reasons[:3]]))


def _usual_order(person: User) -> LabelOrder | None:
    """What the person printed on last, from a new sheet; None for those who do not print."""
    if not person.can(Can.PRINT_LABELS):
        return None
    return usual_order(person)
