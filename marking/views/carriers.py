"""State codes, seals and chips: binding by scanning pairs or from a file, taking off by two people."""

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.base.visitors import own_hosts
from core.jobs.models import Job
from core.notices.services import text_of
from marking.carrier_words import fault_in_words
from marking.carriers import item_of_carrier
from marking.codes import group
from marking.forms_carriers import MAX_SEPARATOR, AskEndForm, CarrierFileForm, DecideForm
from marking.limits import require_check_by_person
from marking.models import Carrier, Mark
from marking.selectors import check_text
from marking.services import carrier_files
from marking.services.carriers import (
    Pair,
    approve_end,
    ask_end,
    bind_carrier,
    mark_of_scan,
    read_carrier,
    refuse_end,
    shown_raw,
)
from marking.state_code import GS, LONGEST, SHOWN_GS, CarrierError, looks_like_state_code
from marking.verdicts import Said

# What a scanning page waits for is kept under the page's own key: two pages of one person do not mix their pairs.
PAGES_KEPT = 10
SESSION_KEY = "carrier_pages"
SEPARATOR_KEY = "carrier_separator"
SAMPLE = "mark;state code;seal;RFID TID\r\n"


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def carriers(request: SignedInRequest) -> HttpResponse:
    """What waits for a second person, and everything bound, the newest first."""
    known = Carrier.objects.visible_to(request.user).select_related("derivative", "bound_by", "end_asked_by")
    context = {
        "page": keyset_page(known, request),
        "waiting": list(known.waiting().order_by("end_asked_at")[:100]),
        "binds": request.user.can(Can.PRINT_LABELS),
        "decides": request.user.can(Can.APPROVE_MARKS),
    }
    return render(request, "marking/carriers.html", context)


@requires(Can.PRINT_LABELS)
@require_http_methods(["GET", "HEAD", "POST"])
def scan_pairs(request: SignedInRequest) -> HttpResponse:
    """Our mark, then what goes with it, then the next: each scan is an ordinary form."""
    page = request.POST.get("page", "")[:16] or secrets.token_urlsafe(9)
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    kind = kind if kind in Carrier.Kind.values else Carrier.Kind.STATE_CODE.value
    if "separator" in request.POST:
        request.session[SEPARATOR_KEY] = request.POST["separator"][:MAX_SEPARATOR].replace(GS, "")
    said: Said | None = None
    candidates: tuple[str, ...] = ()
    text = request.POST.get("code", "")[:LONGEST]
    if request.method == "POST" and text.strip():
        said, candidates = _scan(request, page, kind, text)
    waiting = Mark.objects.select_related("derivative").filter(pk=_waiting_mark(request, page)).first()
    context = {
        "said": said,
        "candidates": candidates,
        "text": text.replace(GS, SHOWN_GS),
        "page": page,
        "kind": kind,
        "kinds": Carrier.Kind.choices,
        "separator": request.session.get(SEPARATOR_KEY, ""),
        "waiting": waiting,
        "latest": Carrier.objects.filter(bound_by=request.user).select_related("derivative")[:5],
    }
    is_part = request.headers.get("X-Scan") == "part"
    return render(request, "marking/_pair_state.html" if is_part else "marking/scan_pairs.html", context)


def _scan(request: SignedInRequest, page: str, kind: str, text: str) -> tuple[Said, tuple[str, ...]]:
    """One scan: a mark begins a pair, anything else ends it."""
    waiting = _waiting_mark(request, page)
    try:
        if kind == Carrier.Kind.STATE_CODE and looks_like_state_code(text):
            begun = None
        else:
            answer = require_check_by_person(text, person=request.user, own_hosts=own_hosts(request))
            begun = answer if not waiting or answer.is_genuine else None
        if begun is not None:
            mark = mark_of_scan(begun, actor=request.user)
            _wait(request, page, mark.pk)
            return Said(mark.item.number, _("Now scan what goes with it."), "neutral"), ()
        if not waiting:
            return _said_of_known(text), ()
        # Counted as it was scanned; asked again, for it may have ended meanwhile.
        mark = mark_of_scan(check_text(waiting, own_hosts=()), actor=request.user)
        raw = read_carrier(kind, text, separator=request.session.get(SEPARATOR_KEY, ""))
        pair = bind_carrier(actor=request.user, at=timezone.now(), mark=mark, raw=raw)
    except CarrierError as error:
        # What was scanned before waits on: the next scan may be a better one.
        return Said(_("Not read"), fault_in_words(error), "attention"), error.candidates
    except DomainError as refusal:
        _wait(request, page, "")
        words = " ".join(map(str, refusal.fields.values())) or str(refusal.message)
        return Said(_("Not bound"), words, "stop"), ()
    _wait(request, page, "")
    return _said_of(pair, mark, shown_raw(raw)), ()


def _said_of(pair: Pair, mark: Mark, shown: str) -> Said:
    if pair.alarm is not None:
        words = _("%(what)s. The authority has been told.") % {"what": text_of(pair.alarm)}
        return Said(_("These do not belong together"), words, "stop")
    title = _("Bound before") if pair.was_bound else _("Bound")
    return Said(title, f"{mark.item.number} · {group(mark.pk)} · {shown}", "ok")


def _said_of_known(text: str) -> Said:
    """A state code scanned by itself: which item has it."""
    carrier = item_of_carrier(text)
    if carrier is None:
        return Said(_("Scan our mark first"), _("This code is bound to no item yet."), "attention")
    return Said(carrier.derivative.number, _("This code is bound to this item."), "ok")


def _waiting_mark(request: SignedInRequest, page: str) -> str:
    return str(request.session.get(SESSION_KEY, {}).get(page, ""))


def _wait(request: SignedInRequest, page: str, code: str) -> None:
    pages = {key: kept for key, kept in request.session.get(SESSION_KEY, {}).items() if key != page}
    if code:
        pages[page] = code
    request.session[SESSION_KEY] = dict(list(pages.items())[-PAGES_KEPT:])


@requires(Can.PRINT_LABELS)
@require_http_methods(["GET", "HEAD", "POST"])
def carrier_file(request: SignedInRequest) -> HttpResponse:
    """The form, what a file says, and what came of it."""
    if "job" in request.GET:
        return _show_job(request)
    if "bind" in request.POST:
        job = _job(request, request.POST["bind"], carrier_files.JOB_CHECK)
        try:
            started = carrier_files.start_binding(actor=request.user, at=timezone.now(), checked=job)
        except DomainError as refusal:
            messages.error(request, str(refusal))
            return redirect("marking:carrier-file")
        return redirect(f"{reverse('marking:carrier-file')}?job={started.pk}")
    form = CarrierFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            started = carrier_files.keep_and_check(
                actor=request.user,
                at=timezone.now(),
                name=file.name,
                content=file.read(),
                separator=form.cleaned_data["separator"],
            )
        except DomainError as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect(f"{reverse('marking:carrier-file')}?job={started.pk}")
    status = 422 if form.errors else 200
    return render(request, "marking/carrier_file.html", {"form": form}, status=status)


def _show_job(request: SignedInRequest) -> HttpResponse:
    job = _job(request, request.GET["job"], carrier_files.JOB_CHECK, carrier_files.JOB_BIND)
    if job.state == Job.State.DONE and job.kind == carrier_files.JOB_BIND:
        count = job.result["count"]
        messages.success(request, ngettext("%(count)d bound.", "%(count)d bound.", count) % {"count": count})
        return redirect("marking:carriers")
    if job.state == Job.State.DONE and "refused" in job.result:
        messages.error(request, job.result["refused"])
        return redirect("marking:carrier-file")
    return render(request, "marking/carrier_job.html", {"job": job, "is_done": job.state == Job.State.DONE})


def _job(request: SignedInRequest, key: str, *kinds: str) -> Job:
    try:
        wanted = UUID(key)
    except ValueError:
        raise Http404 from None
    return get_object_or_404(Job.objects.filter(owner=request.user, kind__in=kinds), pk=wanted)


@requires(Can.PRINT_LABELS)
@require_safe
def carrier_sample(request: SignedInRequest) -> HttpResponse:
    """An empty table to fill in."""
    answer = HttpResponse("\ufeff" + SAMPLE, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="carriers.csv"'
    return answer


@requires(Can.PRINT_LABELS, Can.APPROVE_MARKS)
@require_http_methods(["GET", "HEAD", "POST"])
def end_carrier(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask that it be taken off or replaced; or decide what another person asked."""
    known = Carrier.objects.visible_to(request.user).select_related("derivative", "end_asked_by", "bound_by")
    carrier = get_object_or_404(known.bound(), pk=pk)
    form: AskEndForm | DecideForm
    posted = request.POST or None
    if carrier.end_asked_at is None:
        form = AskEndForm(posted, carrier=carrier)
    else:
        form = DecideForm(posted, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            words = _end(request, carrier, form)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, words)
            return redirect("reports:item", carrier.derivative_id)
    own = carrier.end_asked_by_id == request.user.pk
    context = {"carrier": carrier, "form": form, "own": own, "replace_by": carrier.replace_by.replace(GS, SHOWN_GS)}
    return render(request, "marking/end_carrier.html", context, status=422 if form.errors else 200)


def _end(request: SignedInRequest, carrier: Carrier, form: AskEndForm | DecideForm) -> str:
    given: dict[str, Any] = form.cleaned_data
    who: dict[str, Any] = {"actor": request.user, "at": timezone.now(), "carrier": carrier}
    if isinstance(form, AskEndForm):
        ask_end(**who, **given)
        return _("Asked. Another person decides.")
    if given["approve"]:
        approve_end(**who)
        return _("Taken off.") if not carrier.replace_by else _("Replaced.")
    refuse_end(**who)
    return _("Left where it is.")
