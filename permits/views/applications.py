"""What the applicant sees and does: the list, the draft with its items, the check before submitting, withdrawing."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import Organisation
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from custody.scanning import Said, read_scan
from permits import services
from permits.filters import ApplicationFilter, StockChoice
from permits.forms import ApplicantForm, WishesForm
from permits.machine import Act, Side, acts_of
from permits.models import Application, ApplicationLine, Kind, Permit
from permits.selectors import (
    Problems,
    batches_in,
    describe_items,
    find_obstacles,
    find_problems,
    items_of_batch,
    stock_of,
    weigh,
)
from permits.services.decisions import is_applicant
from permits.views.said import chosen_items, own_hosts, say_refusal, wants_part
from registry.models import Derivative, Intake

MOST_AT_ONCE = 20_000
# How a draft came about is in the journal; on the page it would hide what matters.
DRAFTING = ("application.changed", "application.items_added", "application.items_removed")
LINES = 100


@requires(Can.SEE_APPLICATIONS)
@require_safe
def applications(request: SignedInRequest) -> HttpResponse:
    chosen = ApplicationFilter(request.GET, reader=request.user)
    lines = ApplicationLine.objects.filter(application=OuterRef("pk")).order_by().values("application")
    found = chosen.qs.select_related("applicant", "receiver", "taken_by").annotate(
        pieces=Subquery(lines.annotate(n=Count("pk")).values("n"))
    )
    # A queue is worked off by its deadlines; any other list shows the latest first.
    is_queue = request.GET.get("state") == "waiting"
    page = keyset_page(found, request, order=("due_on", "pk") if is_queue else ("-pk",))
    context = {
        "filter": chosen,
        "page": page,
        "today": day_of(timezone.now()),
        "can_apply": request.user.can(Can.APPLY),
        "decides": request.user.can(Can.DECIDE_APPLICATION),
        "kinds": Kind,
    }
    return render(request, "permits/applications.html", context)


@requires(Can.SEE_APPLICATIONS)
@require_safe
def application(request: SignedInRequest, pk: int) -> HttpResponse:
    """The same page for both sides: what is asked, line by line, what stands against it, and what happened."""
    found = application_or_404(request, pk)
    permit = Permit.objects.filter(application=found).first()
    subjects = [("application", found.pk), *([("permit", permit.pk)] if permit else [])]
    context: dict[str, Any] = {
        **summary(request, found),
        "permit": permit,
        "decisions": found.decisions.select_related("decided_by").order_by("-round"),
        "events": Event.objects.about(*subjects).exclude(verb__in=DRAFTING),
        **_acts(request, found),
    }
    return render(request, "permits/application.html", context)


def summary(request: SignedInRequest, found: Application) -> dict[str, Any]:
    """What both sides read of an application: its facts, totals, and its lines with what stands against each."""
    today = day_of(timezone.now())
    is_open = found.is_waiting or found.is_changeable
    problems: Problems = find_problems(found, today) if is_open else {}
    items = Derivative.objects.filter(application_lines__application=found)
    shown = items.filter(pk__in=list(problems)) if "problems" in request.GET else items
    page = keyset_page(shown, request, order=("pk",), size=LINES)
    pieces, grams = weigh(items)
    return {
        "application": found,
        "page": page,
        "rows": describe_items(page.rows, problems),
        "is_open": is_open,
        "bad_count": len(problems),
        "only_bad": "problems" in request.GET,
        "count": found.lines.count(),
        "pieces": pieces,
        "grams": grams,
        "today": today,
    }


def _acts(request: SignedInRequest, found: Application) -> dict[str, Any]:
    """What this person may do now, and why not where the role could but the person may not."""
    mine = found.applicant_id in request.user.organisation_ids(Can.APPLY)
    decides = request.user.can(Can.DECIDE_APPLICATION)
    is_own = decides and is_applicant(request.user, found)
    applicant_acts = acts_of(found.state, Side.APPLICANT) if mine else []
    authority_acts = acts_of(found.state, Side.AUTHORITY) if decides else []
    return {
        "acts": {*applicant_acts, *([] if is_own else authority_acts)},
        "refused_as_own": is_own and bool(authority_acts),
        "Act": Act,
    }


@requires(Can.APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: SignedInRequest, kind: str) -> HttpResponse:
    """Begin an application; items chosen elsewhere come along."""
    if kind not in Kind.values:
        raise Http404
    mine = list(Organisation.objects.filter(pk__in=request.user.organisation_ids(Can.APPLY)).order_by("pk"))
    given = request.POST if request.method == "POST" else request.GET
    asked = given.get("applicant", "")
    applicant = next((one for one in mine if len(mine) == 1 or str(one.pk) == asked), None)
    if applicant is None:
        form = ApplicantForm(given if asked else None, organisations=mine)
        context = {"form": form, "kind": Kind(kind), "items": chosen_items(request)}
        return render(request, "permits/choose_applicant.html", context, status=422 if asked else 200)
    wishes = WishesForm(request.POST if request.method == "POST" else None, kind=Kind(kind), applicant=applicant)
    if wishes.is_bound and wishes.is_valid():
        try:
            begun = services.open_application(
                actor=request.user, at=timezone.now(), kind=Kind(kind), applicant=applicant, wishes=wishes.wishes
            )
        except DomainError as refusal:
            add_refusal(wishes, refusal)
        else:
            if items := chosen_items(request):
                _add(request, begun, items)
            return redirect("permits:application-edit", begun.pk)
    context = {"form": wishes, "kind": Kind(kind), "applicant": applicant, "items": chosen_items(request)}
    return render(request, "permits/apply.html", context, status=422 if wishes.errors else 200)


@requires(Can.APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """The draft: what it says, and the items it names."""
    found = _changeable_or_redirect(request, pk)
    if isinstance(found, HttpResponse):
        return found
    form = _wishes_form(request, found)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_application(actor=request.user, at=timezone.now(), application=found, wishes=form.wishes)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            if "go_on" in request.POST:
                return redirect("permits:application-check", pk)
            messages.success(request, _("Saved."))
            return redirect("permits:application-edit", pk)
    return _edit_page(request, found, form=form, status=422 if form.errors else 200)


def _wishes_form(request: SignedInRequest, found: Application) -> WishesForm:
    initial = {
        "store": str(found.store_id or ""),
        "purpose": found.purpose,
        "wished_from": found.wished_from,
        "wished_until": found.wished_until,
        "price_tenge": found.price_tenge,
    }
    given = request.POST if request.method == "POST" and "purpose" in request.POST else None
    return WishesForm(given, initial=initial, kind=Kind(found.kind), applicant=found.applicant)


def _edit_page(
    request: SignedInRequest,
    found: Application,
    *,
    form: WishesForm | None = None,
    said: Said | None = None,
    status: int = 200,
) -> HttpResponse:
    stores = list(stock_of(found.applicant_id).values_list("pk", flat=True))
    context = {
        **summary(request, found),
        "form": form or _wishes_form(request, found),
        "batches": batches_in(stores),
        "said": said,
        "decision": found.decisions.order_by("-round").first(),
    }
    return render(request, "permits/application_edit.html", context, status=status)


@requires(Can.APPLY)
@require_POST
def scan_item(request: SignedInRequest, pk: int) -> HttpResponse:
    """One scan onto the application."""
    found = _changeable_or_redirect(request, pk)
    if isinstance(found, HttpResponse):
        return found
    said = _take_scan(request, found, request.POST.get("code", ""))
    if wants_part(request):
        return render(request, "permits/_application_state.html", {**summary(request, found), "said": said})
    return _edit_page(request, found, said=said)


def _take_scan(request: SignedInRequest, found: Application, text: str) -> Said:
    scan = read_scan(text, person=request.user, own_hosts=own_hosts(request))
    if scan.refused is not None:
        return scan.refused
    stores = list(stock_of(found.applicant_id).values_list("pk", flat=True))
    items = items_of_batch(scan.batch, stores) if scan.batch else [scan.item.pk] if scan.item else []
    if not items:
        text = _("Nothing of reception %(number)s lies in your stores.") % {"number": scan.text}
        return Said("attention", _("Nothing here"), text)
    try:
        added = services.add_lines(actor=request.user, at=timezone.now(), application=found, item_ids=items)
    except services.NotInStock:
        return Said("stop", _("Not in your stock"), scan.text)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    if not added:
        return Said("attention", _("Already on the list"), scan.text)
    problems = find_problems(found, day_of(timezone.now()))
    against = [str(problem.text) for item in items for problem in problems.get(item, [])]
    if against:
        return Said("attention", _("On the list, but"), f"{scan.text}. " + " ".join(dict.fromkeys(against)))
    words = ngettext("%(count)d item: %(text)s", "%(count)d items: %(text)s", added)
    return Said("ok", _("On the list"), words % {"count": added, "text": scan.text})


@requires(Can.APPLY)
@require_POST
def add_items(request: SignedInRequest, pk: int) -> HttpResponse:
    """Name chosen items or a whole batch."""
    found = _changeable_or_redirect(request, pk)
    if isinstance(found, HttpResponse):
        return found
    items = chosen_items(request)
    if batch := request.POST.get("batch"):
        intake = get_object_or_404(Intake.objects.filter(number=batch, state=Intake.State.REGISTERED))
        items += items_of_batch(intake, list(stock_of(found.applicant_id).values_list("pk", flat=True)))
    _add(request, found, items)
    return redirect("permits:application-edit", pk)


def _add(request: SignedInRequest, found: Application, items: list[int]) -> None:
    try:
        added = services.add_lines(
            actor=request.user, at=timezone.now(), application=found, item_ids=items[:MOST_AT_ONCE]
        )
    except DomainError as refusal:
        say_refusal(request, refusal)
        return
    words = ngettext("%(count)d item put on the list.", "%(count)d items put on the list.", added)
    messages.success(request, words % {"count": added})


@requires(Can.APPLY)
@require_POST
def remove_items(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take one item, those with something against them, or all of them off."""
    found = _changeable_or_redirect(request, pk)
    if isinstance(found, HttpResponse):
        return found
    items = chosen_items(request)
    if "everything" in request.POST:
        items = list(found.lines.values_list("item_id", flat=True))
    elif "obstructed" in request.POST:
        items = list(find_problems(found, day_of(timezone.now())))
    said = None
    try:
        removed = services.remove_lines(actor=request.user, at=timezone.now(), application=found, item_ids=items)
    except DomainError as refusal:
        say_refusal(request, refusal)
    else:
        words = ngettext("%(count)d item taken off.", "%(count)d items taken off.", removed)
        said = Said("neutral", _("Taken off"), words % {"count": removed})
    if wants_part(request):
        return render(request, "permits/_application_state.html", {**summary(request, found), "said": said})
    return redirect("permits:application-edit", pk)


@requires(Can.APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
def choose_items(request: SignedInRequest, pk: int) -> HttpResponse:
    """The own stock as a list, to tick or to take whole."""
    found = _changeable_or_redirect(request, pk)
    if isinstance(found, HttpResponse):
        return found
    chosen = StockChoice(request.GET, stores=stock_of(found.applicant_id))
    if request.method == "POST":
        items = chosen_items(request)
        if "all" in request.POST:
            items = list(chosen.qs.values_list("pk", flat=True)[:MOST_AT_ONCE])
        _add(request, found, items)
        return redirect("permits:application-edit", pk)
    page = keyset_page(chosen.qs, request, order=("-pk",), size=LINES)
    keys = [item.pk for item in page]
    obstacles = find_obstacles(keys, stores=stock_of(found.applicant_id).values_list("pk", flat=True))
    context = {
        "filter": chosen,
        "page": page,
        "rows": describe_items(page.rows, obstacles),
        "taken": set(found.lines.filter(item__in=keys).values_list("item_id", flat=True)),
        "back": f"/applications/{pk}/edit/",
        "title": _("Choose from your stock"),
        "totals": weigh(chosen.qs) if chosen.is_valid() else (0, 0),
    }
    return render(request, "permits/choose_items.html", context)


@requires(Can.APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Check your answers; then submit."""
    found = _changeable_or_redirect(request, pk)
    if isinstance(found, HttpResponse):
        return found
    missing: dict[str, str] = {}
    if request.method == "POST":
        try:
            done = services.submit_application(actor=request.user, at=timezone.now(), application=found)
        except services.LinesRefused as refusal:
            messages.error(request, str(refusal))
        except DomainError as refusal:
            missing = {name: str(text) for name, text in refusal.fields.items()}
            messages.error(request, str(refusal))
        else:
            words = _("Submitted under number %(number)s. A decision is due by %(day)s.")
            messages.success(request, words % {"number": done.number, "day": f"{done.due_on:%d.%m.%Y}"})
            return redirect("permits:application", pk)
    context = {**summary(request, found), "missing": missing}
    return render(request, "permits/application_check.html", context, status=422 if request.method == "POST" else 200)


@requires(Can.APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take the application back, for good."""
    found = application_or_404(request, pk)
    if found.applicant_id not in request.user.organisation_ids(Can.APPLY):
        raise PermissionDenied
    if request.method == "POST":
        try:
            services.withdraw_application(actor=request.user, at=timezone.now(), application=found)
        except DomainError as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, _("The application is withdrawn."))
        return redirect("permits:application", pk)
    return render(request, "permits/withdraw.html", {"application": found})


def application_or_404(request: SignedInRequest, pk: int) -> Application:
    known = Application.objects.visible_to(request.user).select_related(
        "applicant", "receiver", "store", "opened_by", "submitted_by", "taken_by", "withdrawn_by"
    )
    return get_object_or_404(known, pk=pk)


def _changeable_or_redirect(request: SignedInRequest, pk: int) -> Application | HttpResponse:
    """A draft of the person's own organisation; its page when it cannot be changed any more; 403 for others."""
    found = application_or_404(request, pk)
    if found.applicant_id not in request.user.organisation_ids(Can.APPLY):
        raise PermissionDenied
    if not found.is_changeable:
        messages.info(request, _("This application cannot be changed any more."))
        return redirect("permits:application", pk)
    return found
