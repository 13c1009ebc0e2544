"""The hidden code under the flap: the first owner types it, and is told whether anybody was there before."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.views.csrf import csrf_failure
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from core.base.language import speaks
from core.base.ratelimit import allow
from core.base.visitors import address_of, is_sent_by_another_site
from marking.forms_once import OnceForm
from marking.limits import REDEMPTIONS, REDEMPTIONS_SECONDS
from marking.refusals import note_refusal
from marking.selectors import Verdict
from marking.services.once import Redemption, redeem_once
from marking.verdicts import Said, say
from marking.views.check import LANGUAGES, language_of


@csrf_exempt
@speaks(language_of)
@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest) -> HttpResponse:
    """The form, and the answer. No sign-in. Counted before anything is read of it.

    What another site had a browser send is refused before that: it would use up what the visitor may try.
    """
    if request.method == "POST" and is_sent_by_another_site(request):
        return csrf_failure(request)
    visitor = address_of(request)
    if request.method == "POST" and not allow(f"once:{visitor}", limit=REDEMPTIONS, seconds=REDEMPTIONS_SECONDS):
        note_refusal("once", visitor)
        return _once_page(request, 429)
    return _counted_once(request)


@csrf_protect
def _counted_once(request: HttpRequest) -> HttpResponse:
    return _once_page(request, 200)


def _once_page(request: HttpRequest, status: int) -> HttpResponse:
    language = language_of(request)
    with translation.override(language):
        sent = request.method == "POST" and status == 200
        text = request.GET.get("text", "")[:100]
        form: forms.Form = OnceForm(request.POST if sent else None, initial={"code": text})
        answer: Redemption | None = None
        if sent:
            status = 422
            if form.is_valid():
                given = form.cleaned_data
                answer = redeem_once(at=timezone.now(), code=given["code"], text=given["hidden"])
                status = 200
        context = {
            "form": form,
            "answer": answer,
            "standing": _standing(answer),
            "too_many": status == 429,
            "languages": LANGUAGES,
            "language": language,
        }
        response = render(request, "marking/public/once.html", context, status=status)
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    response["Cache-Control"] = "no-store"
    return response


def _standing(answer: Redemption | None) -> Said | None:
    """What is to be said of the mark beside its hidden code; None where all is in order."""
    if answer is None or answer.standing is None or answer.standing.verdict == Verdict.GENUINE:
        return None
    return say(answer.standing)
