"""Weighing again: one by one with a scale, or a whole sheet."""

import uuid
from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.base.templatetags import fmt
from core.base.visitors import own_hosts
from core.notices.models import is_authority
from custody.forms.stocktakes import ChoosePlaceForm
from custody.forms.weighings import SettleForm, WeighForm, WeighSheetForm
from custody.keeping import keeps
from custody.masses import held_masses, why_odd
from custody.scanning import Said, find_each, read_scan
from custody.views.climate import store_or_404
from custody.weigh_sheet import MAX_BYTES, SheetRefused, read_weigh_sheet
from ledger.models import CustodyAccount, Hold, WeighIn, Weighing
from ledger.services import Mass, find_masses, judge_masses, settle_masses, weigh_items
from registry.models import Derivative

SALT = "custody.weigh-sheet"
HOLDS = 3600  # seconds
LATEST = 8
LISTED = 200


@requires(Can.KEEP_STORE)
@require_safe
def choose(request: SignedInRequest) -> HttpResponse:
    """Which store the scale stands in."""
    form = ChoosePlaceForm(request.GET or None, person=request.user)
    if form.is_bound and form.is_valid():
        return redirect("custody:weigh", form.cleaned_data["store"].pk)
    places: Any = form.fields["store"]
    only = list(places.queryset[:2])
    if len(only) == 1:
        return redirect("custody:weigh", only[0].pk)
    weighings = Weighing.objects.visible_to(request.user).select_related("account", "weighed_by").order_by("-pk")
    page = keyset_page(weighings, request, order=("-pk",))
    return render(request, "custody/weighings.html", {"form": form, "page": page})


@requires(Can.KEEP_STORE)
@require_http_methods(["GET", "HEAD", "POST"])
def weigh(request: SignedInRequest, pk: int) -> HttpResponse:
    """Scan, mass, Enter. A mass that drying does not explain is asked about once; the same mass again is taken."""
    store = _kept_or_404(request, pk)
    form, said, mass, item = WeighForm(request.POST or None), None, None, None
    if request.method == "POST" and form.is_valid():
        grams: int | None = form.cleaned_data["grams"]
        scan = read_scan(form.cleaned_data["code"], person=request.user, own_hosts=own_hosts(request))
        item = scan.item
        if item is None:
            said = scan.refused or Said("attention", _("Scan one item"), _("Boxes and receptions are weighed by item."))
        elif (mass := _mass_in(store, item)) is None:
            said = Said("stop", _("Not in this store"), scan.text)
        elif grams is not None:
            said = _take(request, store, item, mass, grams, confirmed=form.cleaned_data["confirm"] == str(grams))
            if said.tone != "attention":
                form, mass, item = WeighForm(), None, None
    if mass is not None and item is not None:
        form = WeighForm(
            initial={
                "code": item.number,
                "grams": form.cleaned_data["grams"] if form.is_valid() else None,
                "confirm": form.cleaned_data["grams"] if form.is_valid() else None,
            }
        )
        form.fields["grams"].widget.attrs["autofocus"] = True
    else:
        form.fields["code"].widget.attrs["autofocus"] = True
    context = {
        "store": store,
        "form": form,
        "said": said,
        "mass": mass,
        "item": item,
        "held": held_masses(store),
        "latest": WeighIn.objects.filter(weighing__account=store, weighing__weighed_by=request.user)
        .select_related("weighing", "item__derivative")
        .order_by("-pk")[:LATEST],
    }
    return render(request, "custody/weigh.html", context, status=422 if form.is_bound and form.errors else 200)


def _mass_in(store: CustodyAccount, item: Derivative) -> Mass | None:
    return next(iter(find_masses([item.pk], account=store)), None)


def _take(
    request: SignedInRequest, store: CustodyAccount, item: Derivative, mass: Mass, grams: int, *, confirmed: bool
) -> Said:
    now = timezone.now()
    change = f"{fmt.grams(mass.grams)} → {fmt.grams(grams)}"
    try:
        judged = judge_masses([mass], {item.pk: grams}, on=day_of(now))[item.pk]
        if judged.verdict != WeighIn.Verdict.DRY and not confirmed:
            again = _("Weigh again. If it is right, press Enter: the item is held until another person has weighed it.")
            return Said("attention", _("Is this mass right?"), f"{item.number}: {change}. {why_odd(judged)} {again}")
        weighing = weigh_items(
            actor=request.user,
            at=now,
            key=f"page:{uuid.uuid4()}",
            account=store,
            grams={item.pk: grams},
            confirmed=[item.pk] if confirmed else [],
        )
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    if not weighing.lines.get().is_taken:
        text = _("The books stay. The item is held until another person has weighed it, or the authority has judged.")
        return Said("stop", _("Mass in question"), f"{item.number}: {change}. {text}")
    if Hold.objects.active().filter(kind=Hold.Kind.MASS, item=item.pk).exists():
        text = _("The books have it. The item stays held: two of one organisation found it, and the authority judges.")
        return Said("stop", _("Mass in question"), f"{item.number}: {change}. {text}")
    return Said("ok", fmt.grams(grams), f"{item.number}: {change}")


@requires(Can.KEEP_STORE)
@require_http_methods(["GET", "HEAD", "POST"])
def weigh_sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    """A sheet is shown whole, with what drying does not explain, before anything of it is recorded."""
    store = _kept_or_404(request, pk)
    if "token" in request.POST:
        return _record_sheet(request, store)
    form = WeighSheetForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"store": store, "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            context |= _preview(request.user, store, form.cleaned_data["file"].read(MAX_BYTES + 1))
        except DomainError as refusal:
            add_refusal(form, refusal)
    return render(request, "custody/weigh_sheet.html", context, status=422 if form.errors else 200)


def _preview(person: User, store: CustodyAccount, content: bytes) -> dict[str, Any]:
    words = {
        "empty": _("The file is empty."),
        "large": _("The file is too large: at most 20,000 rows."),
        "columns": _("The first line must name two columns: number and mass."),
        "unreadable": _("This is neither an XLSX table nor a CSV text."),
    }
    try:
        sheet = read_weigh_sheet(content)
    except SheetRefused as refusal:
        raise BadInput(fields={"file": words[refusal.code]}) from refusal
    if sheet.problems:
        return {"problems": sheet.problems[:LISTED]}
    try:
        keys = find_each([row.text for row in sheet.rows], person=person)
    except BadInput as refusal:
        raise BadInput(fields={"file": refusal.fields["items"]}) from refusal
    grams = {key: row.grams for key, row in zip(keys, sheet.rows, strict=True)}
    masses = find_masses(keys, account=store)
    if len(masses) != len(keys):
        gone = set(keys) - {mass.item_id for mass in masses}
        numbers = Derivative.objects.filter(pk__in=sorted(gone)[:20]).values_list("number", flat=True)
        raise BadInput(fields={"file": _("Not in this store: %(items)s") % {"items": ", ".join(numbers)}})
    judged = judge_masses(masses, grams, on=day_of(timezone.now()))
    odd = [mass for mass in masses if judged[mass.item_id].verdict != WeighIn.Verdict.DRY]
    names = dict(Derivative.objects.filter(pk__in=[m.item_id for m in odd[:LISTED]]).values_list("pk", "number"))
    return {
        "count": len(keys),
        "before_g": sum(mass.grams for mass in masses),
        "after_g": sum(grams.values()),
        "odd_count": len(odd),
        "odd": [
            (names[mass.item_id], mass.grams, grams[mass.item_id], judged[mass.item_id].verdict)
            for mass in odd[:LISTED]
        ],
        "token": signing.dumps([str(uuid.uuid4()), store.pk, sorted(grams.items())], salt=SALT, compress=True),
    }


def _record_sheet(request: SignedInRequest, store: CustodyAccount) -> HttpResponse:
    try:
        key, store_pk, pairs = signing.loads(request.POST["token"], salt=SALT, max_age=HOLDS)
    except signing.BadSignature:
        messages.error(request, _("The preview is too old. Give the file again."))
        return redirect("custody:weigh-sheet", store.pk)
    if store_pk != store.pk:
        raise PermissionDenied
    grams = {int(item): int(mass) for item, mass in pairs}
    try:
        weighing = weigh_items(
            actor=request.user,
            at=timezone.now(),
            key=f"sheet:{key}",
            account=store,
            grams=grams,
            confirmed=list(grams) if "confirm" in request.POST else [],
        )
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("custody:weigh-sheet", store.pk)
    text = ngettext("%(count)d item weighed.", "%(count)d items weighed.", weighing.items)
    messages.success(request, text % {"count": weighing.items})
    return redirect("custody:weighing", weighing.pk)


@requires(Can.SEE_STOCK)
@require_safe
def weighing(request: SignedInRequest, pk: int) -> HttpResponse:
    """One weighing with every item of it, the unexplained first."""
    return _weighing_page(request, _weighing_or_404(request, pk))


@requires(Can.DECIDE_NOTICE)
@require_POST
def settle(request: SignedInRequest, pk: int) -> HttpResponse:
    """Judge what a weighing called in question, for the authority: the books stay."""
    found = _weighing_or_404(request, pk)
    if not is_authority(request.user):
        raise PermissionDenied
    form = SettleForm(request.POST, signer=request.user)
    if form.is_valid():
        try:
            count = settle_masses(
                actor=request.user, at=timezone.now(), weighing=found, reason=form.cleaned_data["reason"]
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            text = ngettext("%(count)d item is free again.", "%(count)d items are free again.", count)
            messages.success(request, text % {"count": count})
            return redirect("custody:weighing", pk)
    return _weighing_page(request, found, form)


def _weighing_or_404(request: SignedInRequest, pk: int) -> Weighing:
    known = Weighing.objects.visible_to(request.user).select_related("account__custodian", "weighed_by", "movement")
    return get_object_or_404(known, pk=pk)


def _weighing_page(request: SignedInRequest, found: Weighing, form: SettleForm | None = None) -> HttpResponse:
    lines = WeighIn.objects.filter(weighing=found).select_related("item__derivative")
    odd = list(lines.exclude(verdict=WeighIn.Verdict.DRY).order_by("pk")[:LISTED])
    page = keyset_page(lines, request, order=("pk",), size=100)
    held = Hold.objects.active().filter(kind=Hold.Kind.MASS, reference=found.number).values("item")
    waiting = held.count()
    may = bool(waiting) and is_authority(request.user)
    weighed = WeighIn.objects.filter(
        item__in=held, weighing__gte=found, is_taken=False, weighing__weighed_by=request.user
    )
    took_part = may and weighed.exists()
    context: dict[str, Any] = {"weighing": found, "odd": odd, "page": page, "waiting": waiting, "took_part": took_part}
    if may and not took_part:
        context["form"] = form or SettleForm(signer=request.user)
    status = 422 if form is not None and form.errors else 200
    return render(request, "custody/weighing.html", context, status=status)


def _kept_or_404(request: SignedInRequest, pk: int) -> CustodyAccount:
    store = store_or_404(request, pk)
    if not keeps(request.user, store):
        raise PermissionDenied
    return store
