"""Signing keys: the list, making one, and the acts that take two people."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from marking.forms_carriers import DecideForm
from marking.forms_keys import KeyActForm
from marking.models import KeyRequest, SigningKey
from marking.services.keys import ask_key_act, create_key, decide_key_act

TONES = {"created": "neutral", "in_use": "ok", "retired": "neutral", "compromised": "stop"}


@requires(Can.MANAGE_KEYS, Can.SEE_JOURNAL)
@require_safe
def keys(request: SignedInRequest) -> HttpResponse:
    """Every key with its state, and what waits for a second person."""
    requests = KeyRequest.objects.select_related("key", "asked_by", "decided_by")
    context = {
        "keys": [(key, TONES[key.state]) for key in SigningKey.objects.order_by("-created_at")],
        "waiting": list(requests.filter(state=KeyRequest.State.ASKED)),
        "decided": list(requests.exclude(state=KeyRequest.State.ASKED)[:20]),
        "manages": request.user.can(Can.MANAGE_KEYS),
        "sees_labels": request.user.can(Can.SEE_EVERYTHING),
    }
    return render(request, "marking/keys.html", context)


@requires(Can.MANAGE_KEYS)
@require_http_methods(["GET", "HEAD", "POST"])
def make_key(request: SignedInRequest) -> HttpResponse:
    """A new key, not in use yet."""
    form = SignatureForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_key(actor=request.user, at=timezone.now())
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Key %(id)s is made. It signs nothing yet.") % {"id": made.pk})
            return redirect("marking:keys")
    return render(request, "marking/key_form.html", {"form": form, "kind": "make"}, status=422 if form.errors else 200)


@requires(Can.MANAGE_KEYS)
@require_http_methods(["GET", "HEAD", "POST"])
def ask_key(request: SignedInRequest, pk: str, kind: str) -> HttpResponse:
    """Ask that a key be taken into use or declared compromised."""
    if kind not in KeyRequest.Kind.values:
        raise Http404
    key = get_object_or_404(SigningKey, pk=pk)
    form = KeyActForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            ask_key_act(actor=request.user, at=timezone.now(), key=key, kind=kind, reason=reason)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Asked. Another person decides."))
            return redirect("marking:keys")
    context = {"form": form, "key": key, "kind": kind}
    return render(request, "marking/key_form.html", context, status=422 if form.errors else 200)


@requires(Can.MANAGE_KEYS)
@require_http_methods(["GET", "HEAD", "POST"])
def decide_key(request: SignedInRequest, pk: int) -> HttpResponse:
    """What another person asked: the same words, and the decision."""
    waiting = KeyRequest.objects.filter(state=KeyRequest.State.ASKED).select_related("key", "asked_by")
    asked = get_object_or_404(waiting, pk=pk)
    form = DecideForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        approve = form.cleaned_data["approve"]
        try:
            decide_key_act(actor=request.user, at=timezone.now(), request=asked, approve=approve)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Approved.") if approve else _("Refused."))
            return redirect("marking:keys")
    context = {
        "form": form,
        "key": asked.key,
        "kind": asked.kind,
        "asked": asked,
        "own": asked.asked_by_id == request.user.pk,
        "in_use": SigningKey.objects.in_use().first(),
    }
    return render(request, "marking/key_form.html", context, status=422 if form.errors else 200)
