"""Getting goods ready and sending them: choose where to, scan or choose what, dispatch."""

from dataclasses import fields
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import Organisation
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from custody.scanning import Said, Scan, read_scan
from ledger.models import AccountKind, CustodyAccount
from ledger.selectors import items_in_boxes, stores_of
from ledger.services import usual_arrival
from permits import services
from permits.filters import StockChoice
from permits.forms import StartForm, TransportForm
from permits.models import LoadingList, Permit
from permits.selectors import (
    Problems,
    batches_in,
    describe_items,
    find_loading_obstacles,
    find_right,
    holds_certified,
    items_of_batch,
    receiving_stores,
    weigh,
)
from permits.services import Transport
from permits.views.said import chosen_items, own_hosts, say_refusal, wants_part
from registry.models import Derivative, Intake

SHOWN = 20
MOST_AT_ONCE = 20_000


@requires(Can.DISPATCH)
@require_http_methods(["GET", "HEAD", "POST"])
def dispatch(request: SignedInRequest) -> HttpResponse:
    """From which store, and where to; then the list that is being loaded."""
    stores = stores_of(request.user, Can.DISPATCH, kinds=services.PLACES)
    source = _source(request, stores)
    if source is None:
        if not stores.exists():
            raise PermissionDenied
        context = {"stores": stores.order_by("code"), "query": _carried(request)}
        return render(request, "permits/choose_source.html", context)
    loading = _open_list(request, source)
    if request.method == "POST":
        return _start(request, source, loading)
    if loading is not None and loading.target is not None and "change" not in request.GET:
        return _loading_page(request, loading)
    permit = request.GET.get("permit", "")
    chosen = f"permit:{permit}" if permit else f"store:{loading.target_id}" if loading else ""
    form = StartForm(initial={"destination": chosen}, **_destinations(source))
    return _start_page(request, source, form)


def _start(request: SignedInRequest, source: CustodyAccount, loading: LoadingList | None) -> HttpResponse:
    form = StartForm(request.POST, **_destinations(source))
    if not form.is_valid():
        return _start_page(request, source, form)
    permit, target = form.chosen
    now = timezone.now()
    items = chosen_items(request)[:MOST_AT_ONCE]
    try:
        _loading, added, problems = services.begin_loading(
            actor=request.user, at=now, source=source, target=target, permit=permit, item_ids=items
        )
    except DomainError as refusal:
        say_refusal(request, refusal)
        return redirect(_list_url(source))
    if items:
        _say_loaded(request, added, problems)
    return redirect(_list_url(source))


def _start_page(request: SignedInRequest, source: CustodyAccount, form: StartForm) -> HttpResponse:
    context = {
        "form": form,
        "source": source,
        "items": chosen_items(request),
        "several": stores_of(request.user, Can.DISPATCH, kinds=services.PLACES).exclude(pk=source.pk).exists(),
    }
    return render(request, "permits/start_dispatch.html", context, status=422 if form.is_bound else 200)


def _loading_page(
    request: SignedInRequest,
    loading: LoadingList,
    *,
    said: Said | None = None,
    form: TransportForm | None = None,
    status: int = 200,
) -> HttpResponse:
    waiting = chosen_items(request) if request.method == "GET" else []
    context: dict[str, Any] = {
        **_state(loading, said),
        "batches": batches_in([loading.source_id]),
        "permitted": _permitted(loading),
        "waiting": waiting,
        "form": form or TransportForm(signer=request.user, initial=_transport_of(loading)),
        "several": stores_of(request.user, Can.DISPATCH, kinds=services.PLACES).exclude(pk=loading.source_id).exists(),
    }
    return render(request, "permits/loading.html", context, status=status)


def _transport_of(loading: LoadingList) -> dict[str, Any]:
    """What the list says of its journey; where nobody said when it should arrive, the time of the rule."""
    said = {field.name: getattr(loading, field.name) for field in fields(Transport)}
    return said | {"expected_at": said["expected_at"] or usual_arrival(timezone.now())}


def _state(loading: LoadingList, said: Said | None) -> dict[str, Any]:
    """What a scan changes: the verdict, the totals, the latest lines, whether it may go.

    What cannot go is counted over the whole list, though only the latest lines are shown. A constant number of queries.
    """
    lines = loading.lines.all()
    latest = [line.item for line in lines.select_related("item")[:SHOWN]]
    problems = find_loading_obstacles(loading, list(lines.values_list("item_id", flat=True)))
    bad = list(Derivative.objects.filter(pk__in=list(problems)[:SHOWN]))
    pieces, grams = weigh(Derivative.objects.filter(pk__in=lines.values("item")))
    count = lines.count()
    right, refusal = _right(loading)
    return {
        "loading": loading,
        "said": said,
        "rows": describe_items(latest, problems),
        "bad_rows": describe_items(bad, problems),
        "bad_count": len(problems),
        "count": count,
        "pieces": pieces,
        "grams": grams,
        "more": count - len(latest),
        "right": right,
        "refusal": refusal,
    }


def _right(loading: LoadingList) -> tuple[Any, str]:
    """The right under which it may go today, or why it may not."""
    if loading.target is None:
        return None, ""
    # What the goods are matters only where neither a permit nor one organisation lets them go.
    is_plain = loading.permit is not None or loading.source.custodian_id == loading.target.custodian_id
    keys = [] if is_plain else list(loading.lines.values_list("item_id", flat=True))
    try:
        right = find_right(
            source=loading.source,
            target=loading.target,
            permit=loading.permit,
            on=day_of(timezone.now()),
            item_ids=keys,
        )
    except DomainError as refusal:
        return None, str(refusal)
    return right, ""


@requires(Can.DISPATCH)
@require_POST
def scan_loading(request: SignedInRequest, pk: int) -> HttpResponse:
    """One scan onto the list: answers with the verdict and the running count."""
    loading = _list_or_404(request, pk)
    said = _take_scan(request, loading, request.POST.get("code", ""))
    if wants_part(request):
        return render(request, "permits/_loading_state.html", _state(loading, said))
    return _loading_page(request, loading, said=said)


def _take_scan(request: SignedInRequest, loading: LoadingList, text: str) -> Said:
    scan = read_scan(text, person=request.user, own_hosts=own_hosts(request))
    if scan.refused is not None:
        return scan.refused
    items = _items_of(scan, loading)
    if not items and scan.batch is None:
        return Said(
            "attention", _("Nothing here"), _("Nothing to load has this number: %(text)s.") % {"text": scan.text}
        )
    if not items:
        return Said(
            "attention",
            _("Nothing here"),
            _("Nothing of reception %(number)s lies in this store.") % {"number": scan.text},
        )
    try:
        added, problems = services.load_items(actor=request.user, at=timezone.now(), loading=loading, item_ids=items)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    if scan.batch or scan.box:
        return _said_of_batch(scan.text, added, len(problems))
    if problems:
        return Said("stop", _("Cannot go"), f"{scan.text}. " + " ".join(str(p.text) for p in problems[items[0]]))
    if not added:
        return Said("attention", _("Already on the list"), scan.text)
    return Said("ok", _("On the list"), scan.text)


def _items_of(scan: Scan, loading: LoadingList) -> list[int]:
    """What a scan puts on the list: an item, all of a reception that is here, or all that is in a box."""
    if scan.item is not None:
        return [scan.item.pk]
    if scan.box is not None:
        return items_in_boxes([scan.box.pk]).get(scan.box.pk, [])
    return items_of_batch(scan.batch, [loading.source_id]) if scan.batch else []


def _said_of_batch(number: str, added: int, refused: int) -> Said:
    words = ngettext("%(count)d item of %(number)s added.", "%(count)d items of %(number)s added.", added)
    text = words % {"count": added, "number": number}
    if refused:
        more = ngettext("%(count)d cannot go.", "%(count)d cannot go.", refused) % {"count": refused}
        return Said("attention", _("Partly on the list"), f"{text} {more}")
    return Said("ok" if added else "attention", _("On the list"), text)


@requires(Can.DISPATCH)
@require_POST
def load(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put chosen items, a whole batch, or all that a permit still covers onto the list."""
    loading = _list_or_404(request, pk)
    items = chosen_items(request)
    if batch := request.POST.get("batch"):
        intake = get_object_or_404(Intake.objects.filter(number=batch, state=Intake.State.REGISTERED))
        items += items_of_batch(intake, [loading.source_id])
    if "permitted" in request.POST:
        items += _permitted(loading)
    _load(request, loading, items)
    return redirect(_list_url(loading.source))


def _load(request: SignedInRequest, loading: LoadingList, items: list[int]) -> None:
    """Put items on the list and say how many; what cannot go is told with its first reasons."""
    try:
        added, problems = services.load_items(
            actor=request.user, at=timezone.now(), loading=loading, item_ids=items[:MOST_AT_ONCE]
        )
    except DomainError as refusal:
        say_refusal(request, refusal)
        return
    _say_loaded(request, added, problems)


def _say_loaded(request: SignedInRequest, added: int, problems: Problems) -> None:
    if added:
        words = ngettext("%(count)d item put on the list.", "%(count)d items put on the list.", added)
        messages.success(request, words % {"count": added})
    if problems:
        reasons = sorted({str(problem.text) for found in problems.values() for problem in found})
        words = ngettext("%(count)d item cannot go.", "%(count)d items cannot go.", len(problems))
        messages.warning(request, " ".join([words % {"count": len(problems)}, *reasons[:3]]))
    if not added and not problems:
        messages.info(request, _("All of it is on the list already."))


@requires(Can.DISPATCH)
@require_POST
def unload(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take one item, those that cannot go, or everything off the list."""
    loading = _list_or_404(request, pk)
    items: list[int] | None = chosen_items(request)
    if "everything" in request.POST:
        items = None
    elif "obstructed" in request.POST:
        items = list(find_loading_obstacles(loading, list(loading.lines.values_list("item_id", flat=True))))
    try:
        removed = services.unload_items(actor=request.user, loading=loading, item_ids=items)
    except DomainError as refusal:
        say_refusal(request, refusal)
        return redirect(_list_url(loading.source))
    said = None
    if removed:
        words = ngettext("%(count)d item taken off.", "%(count)d items taken off.", removed)
        said = Said("neutral", _("Taken off"), words % {"count": removed})
    if wants_part(request):
        return render(request, "permits/_loading_state.html", _state(loading, said))
    return redirect(_list_url(loading.source))


@requires(Can.DISPATCH)
@require_http_methods(["GET", "HEAD", "POST"])
def choose_for_loading(request: SignedInRequest, pk: int) -> HttpResponse:
    """A list of what lies in the store, to tick or to take whole."""
    loading = _list_or_404(request, pk)
    stores = CustodyAccount.objects.filter(pk=loading.source_id)
    chosen = StockChoice(request.GET, stores=stores)
    back = _list_url(loading.source)
    if request.method == "POST":
        items = (
            list(chosen.qs.values_list("pk", flat=True)[:MOST_AT_ONCE])
            if "all" in request.POST
            else chosen_items(request)
        )
        _load(request, loading, items)
        return redirect(back)
    page = keyset_page(chosen.qs, request, order=("-pk",), size=100)
    problems = find_loading_obstacles(loading, [item.pk for item in page])
    taken = set(loading.lines.filter(item__in=[item.pk for item in page]).values_list("item_id", flat=True))
    context = {
        "filter": chosen,
        "page": page,
        "rows": describe_items(page.rows, problems),
        "taken": taken,
        "back": back,
        "title": _("Choose what to send"),
        "totals": weigh(chosen.qs) if chosen.is_valid() else (0, 0),
    }
    return render(request, "permits/choose_items.html", context)


@requires(Can.DISPATCH)
@require_POST
def dispatch_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """The one button: save how it travels, and send."""
    loading = get_object_or_404(LoadingList.objects.select_related("source", "handover"), pk=pk, opened_by=request.user)
    if loading.handover is not None:
        return redirect("permits:handover", loading.handover.pk)
    loading = _list_or_404(request, pk)
    form = TransportForm(request.POST, signer=request.user)
    if not form.is_valid():
        return _loading_page(request, loading, form=form, status=422)
    try:
        handover = services.dispatch_loading(
            actor=request.user,
            at=timezone.now(),
            loading=loading,
            transport=form.transport,
            signature=form.cleaned_data["signature"],
        )
    except DomainError as refusal:
        said = [str(refusal), *(str(text) for text in refusal.fields.values())]
        verdict = Said("stop", _("Not dispatched"), " ".join(dict.fromkeys(said)))
        return _loading_page(request, _list_or_404(request, pk), said=verdict, form=form, status=refusal.status)
    messages.success(request, _("Dispatched under number %(number)s.") % {"number": handover.number})
    return redirect("permits:handover", handover.pk)


# --- what the views ask ----------------------------------------------------------------------------------------


def _source(request: SignedInRequest, stores: QuerySet[CustodyAccount]) -> CustodyAccount | None:
    """The store goods leave: the one named, else the only one, else that of a list begun or of the permit."""
    named = request.POST.get("source") or request.GET.get("source") or ""
    if named:
        return get_object_or_404(stores, pk=int(named) if named.isascii() and named.isdigit() else 0)
    known = list(stores[:2])
    if len(known) == 1:
        return known[0]
    permit = request.GET.get("permit", "")
    if permit.isascii() and permit.isdigit():
        holding = stores.filter(
            holdings__pieces__gt=0,
            holdings__item__derivative__permit_lines__permit=int(permit),
            holdings__item__derivative__permit_lines__handover=None,
        )
        return holding.distinct().order_by("pk").first()
    if "item" in request.GET or "choose" in request.GET:
        return None
    begun = LoadingList.objects.open().filter(opened_by=request.user, source__in=stores).first()
    return begun.source if begun else None


def _destinations(source: CustodyAccount) -> dict[str, Any]:
    """Permits in force for goods of this store, and stores that need none."""
    today = day_of(timezone.now())
    permits = Permit.objects.in_force(today).filter(holder=source.custodian_id).select_related("receiver", "store")
    stores = receiving_stores().exclude(pk=source.pk).order_by("custodian", "code")
    own = stores.filter(custodian=source.custodian_id)
    if source.kind == AccountKind.EVIDENCE:
        own = _from_evidence(source)
    elif holds_certified(source, today):
        own = stores
    elif source.custodian is not None and source.custodian.is_state:
        own |= stores.filter(custodian__kind__in=Organisation.STATE_BODIES)
    return {"source": source, "permits": list(permits.order_by("valid_until", "pk")), "stores": list(own)}


def _from_evidence(source: CustodyAccount) -> QuerySet[CustodyAccount]:
    """Where goods go from an evidence room once nothing holds them: other evidence rooms and stores of the State."""
    places = CustodyAccount.objects.filter(
        kind__in=services.PLACES,
        is_active=True,
        custodian__is_active=True,
        custodian__kind__in=Organisation.STATE_BODIES,
    )
    return places.exclude(pk=source.pk).select_related("custodian").order_by("custodian", "code")


def _open_list(request: SignedInRequest, source: CustodyAccount) -> LoadingList | None:
    return _lists(request).filter(source=source).first()


def _list_or_404(request: SignedInRequest, pk: int) -> LoadingList:
    return get_object_or_404(_lists(request), pk=pk)


def _lists(request: SignedInRequest) -> QuerySet[LoadingList]:
    """The person's own lists that were not sent yet."""
    return (
        LoadingList.objects.open()
        .filter(opened_by=request.user)
        .select_related("source__custodian", "target__custodian", "permit__store", "permit__holder", "permit__ending")
    )


def _permitted(loading: LoadingList) -> list[int]:
    """What the permit still covers and lies in this store."""
    if loading.permit is None:
        return []
    lines = loading.permit.lines.filter(
        handover=None, item__item__holdings__account=loading.source_id, item__item__holdings__pieces__gt=0
    )
    return list(lines.values_list("item_id", flat=True))


def _list_url(source: CustodyAccount) -> str:
    return f"{reverse('permits:dispatch')}?{urlencode({'source': source.pk})}"


def _carried(request: SignedInRequest) -> str:
    """What the address says beside the store, to go on with it."""
    query = request.GET.copy()
    query.pop("source", None)
    query.pop("choose", None)
    return query.urlencode()
