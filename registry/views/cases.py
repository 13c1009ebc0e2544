"""Seizure cases: the list, the page of one, and everything that is written into it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm, second_signer
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError, NotAllowed
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.documents.services import serve
from registry import services
from registry.filters import CaseFilter
from registry.forms import ReasonForm
from registry.forms_cases import (
    CaseFactsForm,
    ConclusionForm,
    CountsForm,
    DecisionForm,
    ExpertiseForm,
    OpenCaseForm,
    PersonForm,
    ReturnForm,
    named_goods,
    split_goods,
)
from registry.models import (
    Case,
    CasePerson,
    CaseQuerySet,
    CourtDecision,
    Expertise,
    Intake,
    Origin,
    Outcome,
    ReturnAct,
)
from registry.selectors import stores_for_intake
from registry.selectors_cases import (
    can_confirm_decision,
    can_see_persons,
    can_work_on_case,
    compare_counts,
    counts_are_settled,
    damage_of,
    goods_to_return,
    items_of,
    open_notices,
    owners_of,
    standing_goods,
    stuck_goods,
    undecided_goods,
)
from registry.services import CaseFacts, DecisionFacts, Receiver

GET_OR_POST = ["GET", "HEAD", "POST"]
ITEMS_SHOWN = 500
FACTS = (
    "agency",
    "region",
    "reason",
    "detection",
    "transport",
    "concealment",
    "origin_country",
    "destination_country",
    "opened_by",
)


@requires(Can.SEE_INTAKES)
@require_safe
def cases(request: SignedInRequest) -> HttpResponse:
    seen = Prefetch("intakes", queryset=Intake.objects.visible_to(request.user).with_rows_weighed())
    known = Case.objects.visible_to(request.user).select_related("agency", "region").prefetch_related(seen)
    chosen = CaseFilter(request.GET, queryset=known.with_stage(), request=request)
    page = keyset_page(chosen.qs, request)
    years = Case.objects.visible_to(request.user).dates("seized_on", "year", order="DESC")
    context = {
        "filter": chosen,
        "page": page,
        "may_open": request.user.can(Can.REGISTER_SEIZURE),
        "years": [day.year for day in years[:5]] if request.user.can(Can.SEE_EVERYTHING) else [],
    }
    return render(request, "registry/cases.html", context)


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def open_case(request: SignedInRequest) -> HttpResponse:
    """A few fields on the road; the goods are weighed from the page of the case."""
    form = OpenCaseForm(request.POST or None, user=request.user, today=day_of(timezone.now()))
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        region = said.pop("region")
        try:
            opened = services.open_case(actor=request.user, at=timezone.now(), facts=CaseFacts(**said), region=region)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Case entered. Weigh and mark the goods now."))
            return redirect("registry:case", opened.pk)
    return render(request, "registry/case_open.html", {"form": form}, status=422 if form.errors else 200)


@requires(Can.SEE_INTAKES)
@require_safe
def case(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(_known(request).with_stage(), pk=pk)
    intakes = list(
        Intake.objects.visible_to(request.user)
        .filter(case=found)
        .select_related("store")
        .with_rows_weighed()
        .order_by("pk")
    )
    counts = compare_counts(found)
    acts = ReturnAct.objects.select_related("handed_by", "second").annotate(pieces=Count("items"))
    decisions = list(
        found.decisions.select_related("recorded_by", "closed_by", "document")
        .prefetch_related(Prefetch("returns", acts))
        .annotate(to_return=Count("items", filter=Q(items__outcome=Outcome.RETURNED, items__return_act=None)))
    )
    subjects = [("case", found.pk), *(("intake", intake.pk) for intake in intakes)]
    works = can_work_on_case(request.user, found)
    context: dict[str, Any] = {
        "case": found,
        "stage": found.stage,  # type: ignore[attr-defined]
        "transit": list(found.transit_countries.all()),
        "nationalities": list(found.nationalities.all()),
        "intakes": intakes,
        "counts": counts,
        "differs": any(line.difference for line in counts),
        "settled": counts_are_settled(found),
        "damage": damage_of(found, counts),
        "goods": standing_goods(found),
        "items": items_of(found, request.user, at_most=ITEMS_SHOWN),
        "expertises": list(found.expertises.select_related("document")),
        "decisions": decisions,
        "works": works,
        "may_seize": works and stores_for_intake(request.user, Origin.SEIZURE).exists(),
        "may_confirm": can_confirm_decision(request.user, found),
        "sees_persons": can_see_persons(request.user, found),
        "persons": found.persons.count(),
        "no_decision_because": _no_decision_because(found, intakes, decisions) if works else "",
        "events": Event.objects.about(*subjects)[:50],
    }
    return render(request, "registry/case.html", context)


def _no_decision_because(found: Case, intakes: list[Intake], decisions: Sequence[CourtDecision]) -> str:
    """Why no court decision can be recorded now; "" when one can."""
    if any(decision.state == CourtDecision.State.RECORDED for decision in decisions):
        return _("A decision waits for confirmation.")
    if any(intake.is_open for intake in intakes):
        return _("Goods are still being weighed.")
    if not undecided_goods(found).exists():
        return _("No goods of this case are held as evidence.")
    return ""


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def case_facts(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _worked_on(request, pk)
    form = CaseFactsForm(request.POST or None, case=found)
    if request.method == "POST" and form.is_valid():
        try:
            services.note_facts(actor=request.user, at=timezone.now(), case=found, **form.facts())
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("registry:case", pk)
    return render(request, "registry/case_facts.html", {"form": form, "case": found}, status=_status(form))


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def case_counts(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _worked_on(request, pk)
    form = CountsForm(request.POST or None, case=found)
    if request.method == "POST" and form.is_valid():
        try:
            services.count_goods(
                actor=request.user,
                at=timezone.now(),
                case=found,
                counts=form.counts(),
                reason=form.cleaned_data.get("reason", ""),
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("registry:case", pk)
    return render(request, "registry/case_counts.html", {"form": form, "case": found}, status=_status(form))


@requires(Can.SEE_PERSONS)
@require_http_methods(GET_OR_POST)
def case_persons(request: SignedInRequest, pk: int) -> HttpResponse:
    """The persons of a case; opening this page is written into the journal."""
    found = get_object_or_404(_known(request), pk=pk)
    if not can_see_persons(request.user, found):
        raise PermissionDenied
    works = can_work_on_case(request.user, found)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data | {"part": CasePerson.Part(form.cleaned_data["part"])}
        try:
            services.add_person(actor=request.user, at=timezone.now(), case=found, **said)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Person entered."))
            return redirect("registry:case-persons", pk)
    persons = services.look_at_persons(actor=request.user, at=timezone.now(), case=found)
    named = found.decisions.exclude(state=CourtDecision.State.WITHDRAWN).exclude(returned_to="")
    context = {"case": found, "persons": persons, "named": named, "form": form, "works": works}
    response = render(request, "registry/case_persons.html", context, status=_status(form))
    response["Cache-Control"] = "no-store"
    return response


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def ask_expertise(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _worked_on(request, pk)
    form = ExpertiseForm(request.POST or None, initial={"requested_on": day_of(timezone.now())})
    if request.method == "POST" and form.is_valid():
        try:
            services.request_expertise(actor=request.user, at=timezone.now(), case=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("registry:case", pk)
    context = {"form": form, "case": found, "title": _("Ask for an expertise"), "act": _("Record the request")}
    return render(request, "registry/case_form.html", context, status=_status(form))


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def receive_expertise(request: SignedInRequest, pk: int, expertise: int) -> HttpResponse:
    found = _worked_on(request, pk)
    asked = get_object_or_404(Expertise.objects.select_related("case"), pk=expertise, case=found)
    form = ConclusionForm(request.POST or None, request.FILES or None, initial={"done_on": day_of(timezone.now())})
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            services.receive_expertise(actor=request.user, at=timezone.now(), expertise=asked, **_scan_of(said), **said)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("registry:case", pk)
    context = {"form": form, "case": found, "title": _("Conclusion of the expert"), "act": _("Record the conclusion")}
    return render(request, "registry/case_form.html", context, status=_status(form))


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def record_decision(request: SignedInRequest, pk: int) -> HttpResponse:
    found = _worked_on(request, pk)
    form = DecisionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        chosen = {name: said.pop(name) for name in ("outcome", "others", "other_outcome")}
        goods = dict(undecided_goods(found).values_list("number", "pk"))
        scan = _scan_of(said)
        try:
            services.record_decision(
                actor=request.user,
                at=timezone.now(),
                case=found,
                facts=DecisionFacts(**said),
                outcomes=split_goods(goods, **chosen),
                **scan,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Recorded. Another person confirms it against the paper."))
            return redirect("registry:case", pk)
    context = {"form": form, "case": found, "held": undecided_goods(found).count()}
    return render(request, "registry/case_decide.html", context, status=_status(form))


@requires(Can.CONFIRM_DECISION)
@require_http_methods(GET_OR_POST)
def confirm_decision(request: SignedInRequest, pk: int, decision: int) -> HttpResponse:
    """The second person sees what the first wrote and what it changes, and signs with the password."""
    found = get_object_or_404(_known(request), pk=pk)
    waiting = get_object_or_404(
        CourtDecision.objects.select_related("recorded_by", "document"), pk=decision, case=found
    )
    if not can_confirm_decision(request.user, found):
        raise PermissionDenied
    if waiting.state != CourtDecision.State.RECORDED:
        return redirect("registry:case", pk)
    form = SignatureForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.confirm_decision(actor=request.user, at=timezone.now(), decision=waiting)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Confirmed. The decision has taken effect on the goods."))
            return redirect("registry:case", pk)
    items = list(waiting.items.select_related("item__derivative").order_by("outcome", "item"))
    context = {
        "case": found,
        "decision": waiting,
        "form": form,
        "items": items[:500],
        "totals": _totals(items),
        "is_own": waiting.recorded_by_id == request.user.pk,
        "counts": compare_counts(found),
        "settled": counts_are_settled(found),
        "notices": open_notices(found),
        "warnings": _warnings(found, waiting, {line.outcome for line in items}, request.user),
    }
    return render(request, "registry/case_confirm.html", context, status=_status(form))


def _warnings(found: Case, waiting: CourtDecision, outcomes: set[str], reader: User) -> list[str]:
    """What the second person should know before the decision takes effect."""
    told = []
    if waiting.document is None:
        told.append(_("No scan of the decision is attached: compare with the paper itself."))
    if not found.erdr_number:
        told.append(_("The case has no ERDR number yet."))
    if waiting.decided_on < found.seized_on:
        told.append(_("The decision is older than the seizure. It cannot be confirmed."))
    if Outcome.RETURNED in outcomes and reader.organisation_ids() & waiting.recorded_by.organisation_ids():
        told.append(_("Goods go back to an owner: somebody of another organisation confirms this."))
    stuck = stuck_goods(waiting)
    if stuck:
        told.append(
            ngettext(
                "%(count)s item is missing, lost or in dispute: the court holds it until that is settled.",
                "%(count)s items are missing, lost or in dispute: the court holds them until that is settled.",
                stuck,
            )
            % {"count": stuck}
        )
    return told


def _totals(items: list[Any]) -> list[tuple[str, int, int]]:
    """Pieces and grams for each outcome."""
    found: dict[str, list[int]] = {}
    for line in items:
        found.setdefault(line.get_outcome_display(), []).append(line.item.derivative.mass_g)
    return [(outcome, len(masses), sum(masses)) for outcome, masses in found.items()]


@requires(Can.CONFIRM_DECISION, Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def withdraw_decision(request: SignedInRequest, pk: int, decision: int) -> HttpResponse:
    found = get_object_or_404(_known(request), pk=pk)
    waiting = get_object_or_404(CourtDecision, pk=decision, case=found)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.withdraw_decision(
                actor=request.user, at=timezone.now(), decision=waiting, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Taken back. Nothing has changed for the goods."))
            return redirect("registry:case", pk)
    context = {"form": form, "case": found, "title": _("Do not confirm the decision"), "act": _("Take it back")}
    return render(request, "registry/case_form.html", context, status=_status(form))


@requires(Can.REGISTER_SEIZURE)
@require_http_methods(GET_OR_POST)
def return_goods(request: SignedInRequest, pk: int, decision: int) -> HttpResponse:
    """The act of return: who receives, by which document, and the receipt."""
    found = _worked_on(request, pk)
    confirmed = get_object_or_404(
        CourtDecision.objects.select_related("case"), pk=decision, case=found, state=CourtDecision.State.CONFIRMED
    )
    owners = owners_of(confirmed)
    form = ReturnForm(request.POST or None, request.FILES or None, signer=request.user, owners=owners)
    waiting = goods_to_return(confirmed).select_related("item__derivative")
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        scan = said["receipt"]
        try:
            goods = dict(waiting.values_list("item__derivative__number", "item"))
            act = services.return_goods(
                actor=request.user,
                second=second_signer(said["second"], said["second_password"]),
                at=timezone.now(),
                decision=confirmed,
                item_ids=named_goods(goods, said["only"], field="only") or list(goods.values()),
                receiver=Receiver(
                    name=said["receiver_name"],
                    document=said["receiver_document"],
                    iin=said["receiver_iin"],
                    for_whom=said["for_whom"],
                    on_behalf=said["on_behalf"],
                ),
                picture=said["signature"],
                content=scan.read() if scan else None,
                name=scan.name if scan else "",
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Given back by act %(number)s.") % {"number": act.number})
            return redirect("registry:case", pk)
    if owners:
        # The page names them.
        services.look_at_persons(actor=request.user, at=timezone.now(), case=found)
    context = {
        "form": form,
        "case": found,
        "decision": confirmed,
        "items": list(waiting[:500]),
        "count": waiting.count(),
    }
    response = render(request, "registry/case_return.html", context, status=_status(form))
    response["Cache-Control"] = "no-store"
    return response


@requires(Can.SEE_PERSONS)
@require_safe
def return_paper(request: SignedInRequest, pk: int, act: int, language: str) -> HttpResponseBase:
    """The act of return names a person: every look is written into the journal."""
    found = get_object_or_404(_known(request), pk=pk)
    kept = get_object_or_404(
        ReturnAct.objects.select_related("decision__case", "paper_kk", "paper_ru"), pk=act, decision__case=found
    )
    try:
        paper = services.look_at_return(actor=request.user, at=timezone.now(), act=kept, language=language)
    except NotAllowed as refusal:
        raise PermissionDenied from refusal
    return serve(paper)


@requires(Can.SEE_INTAKES)
@require_safe
def case_paper(request: SignedInRequest, pk: int, kind: str, paper: int) -> HttpResponseBase:
    """The scan of a conclusion or a decision, to those who may know the case."""
    found = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
    papers: QuerySet[Any] = found.expertises.all() if kind == "expertise" else found.decisions.all()
    kept = get_object_or_404(papers.filter(document__isnull=False).select_related("document"), pk=paper)
    return serve(kept.document)


def _known(request: SignedInRequest) -> CaseQuerySet:
    return Case.objects.visible_to(request.user).select_related(*FACTS)


def _worked_on(request: SignedInRequest, pk: int) -> Case:
    """A case the person knows; 403 when it is not theirs to write in."""
    found = get_object_or_404(_known(request), pk=pk)
    if not can_work_on_case(request.user, found):
        raise PermissionDenied
    return found


def _scan_of(said: dict[str, Any]) -> dict[str, Any]:
    """The scan of a form as the service takes it."""
    scan = said.pop("scan", None)
    return {} if scan is None else {"content": scan.read(), "name": scan.name}


def _status(form: Any) -> int:
    return 422 if form.errors else 200
