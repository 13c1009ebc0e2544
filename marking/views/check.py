"""The public check: no sign-in, no session, no cookie; one row of the database, one page.

Addresses: `/m/` with a form, `/m/<text>` as printed in the symbol (the prefix there is upper case), `/m/keys.json`.
"""

import base64
import ipaddress
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_safe

from core.base.context import LANGUAGES, THEMES
from core.base.ratelimit import allow
from marking import words
from marking.models import SigningKey
from marking.payload import looks_signed
from marking.selectors import Answer, Verdict, check_text, without_address
from marking.verdicts import SLOW_DOWN, Said, other_reasons, say, shown_code

# For each address. Checks: a market hall of five hundred people behind one address, each asking once a minute,
# passes. Codes that do not exist: people mistype, but the check character tells almost all of that apart before
# anything is looked up, so an address that goes on asking is searching; each such code costs as much as two hundred
# checks, and when all is spent the address learns nothing more of codes, existing or not.
CHECKS = 6_000
UNKNOWN_CODES = 30
WINDOW_SECONDS = 600
LONGEST_TEXT = 500


class LanguageLink(NamedTuple):
    code: str
    short: str
    name: str
    url: str
    is_current: bool


@require_safe
def check_form(request: HttpRequest) -> HttpResponse:
    """The form, and the answer to what was typed into it."""
    text = request.GET.get("text", "")[:LONGEST_TEXT]
    return _answer(request, text) if text.strip() else _page(request, "")


@require_safe
def check(request: HttpRequest, text: str) -> HttpResponse:
    """The answer for a code or for the signed text of a symbol."""
    return _answer(request, text[:LONGEST_TEXT])


@require_safe
def public_keys(request: HttpRequest) -> JsonResponse:
    """Public keys that have ever signed marks, so that a label can be checked without us."""
    keys = SigningKey.objects.exclude(state=SigningKey.State.CREATED)
    answer = JsonResponse(
        {
            "algorithm": "Ed25519",
            "prefix": f"HTTPS://{settings.PUBLIC_HOST}/M/".upper(),
            "keys": [
                {
                    "id": key.pk,
                    "public_key": base64.b64encode(bytes(key.public_key)).decode(),
                    "state": key.state,
                    "used_from": key.used_from,
                    "ended_at": key.ended_at,
                }
                for key in keys
            ],
        }
    )
    answer["Cache-Control"] = "public, max-age=300"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


def _answer(request: HttpRequest, text: str) -> HttpResponse:
    own_hosts = (settings.PUBLIC_HOST, request.get_host())
    # Signed texts cannot be guessed, so whoever scans is not stopped by a neighbour who tries out codes.
    is_signed = looks_signed(without_address(text, own_hosts) or "")
    counted = f"{'scan' if is_signed else 'check'}:{_address_of(request)}"
    if not allow(counted, limit=CHECKS, seconds=WINDOW_SECONDS):
        return _page(request, text, status=429)
    answer = check_text(text, own_hosts=own_hosts)
    if answer.verdict == Verdict.UNKNOWN and not allow(
        counted, limit=CHECKS, seconds=WINDOW_SECONDS, cost=CHECKS // UNKNOWN_CODES
    ):
        return _page(request, text, status=429)
    return _page(request, text, answer=answer)


def _page(request: HttpRequest, text: str, *, answer: Answer | None = None, status: int = 200) -> HttpResponse:
    """The page in the language of `?lang=`, else of the browser. Rendered without the request: it needs no cookie."""
    chosen = request.GET.get("lang", "")
    language = chosen if chosen in dict(settings.LANGUAGES) else translation.get_language() or "kk"
    theme = request.COOKIES.get("theme", "")
    with translation.override(language):
        said: Said | None = SLOW_DOWN if status == 429 else say(answer) if answer else None
        context = {
            "said": said,
            "answer": answer,
            "text": text,
            "code": shown_code(answer) if answer else "",
            "thing": words.THINGS.get(answer.term, "") if answer else "",
            "origin": words.ORIGINS.get(answer.origin, "") if answer else "",
            "others": other_reasons(answer) if answer else (),
            "languages": _language_links(request, language),
            "page_theme": theme if theme in THEMES else "",
        }
        response = HttpResponse(render_to_string("marking/check.html", context), status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    if status == 429:
        response["Retry-After"] = str(WINDOW_SECONDS)
    return response


def _language_links(request: HttpRequest, current: str) -> list[LanguageLink]:
    query = {name: value for name, value in request.GET.items() if name != "lang"}
    return [
        LanguageLink(one.code, one.short, one.name, "?" + urlencode(query | {"lang": one.code}), one.code == current)
        for one in LANGUAGES
    ]


def _address_of(request: HttpRequest) -> str:
    """Who asks, for counting: an IPv4 address, or the network of an IPv6 one, which has whole networks to ask from."""
    given = request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return given
