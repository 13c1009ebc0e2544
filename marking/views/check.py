"""The public check: no sign-in, no session, no cookie; one row of the database, one page.

Addresses: `/m/` with a form, `/m/<text>` as printed in the symbol (the prefix there is upper case), `/m/keys.json`,
`/m/vectors.json`.
"""

import re
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.html import conditional_escape, escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from core.base.context import LANGUAGES as OWN_LANGUAGES
from core.base.context import THEMES, Language
from core.base.maps import picture
from core.base.templatetags.fmt import grams
from core.base.visitors import is_looked_at, network_of, own_hosts, visitor_of
from marking import selectors, vectors, words
from marking.checklog import NOWHERE, note_check, read_place
from marking.limits import WINDOW_SECONDS, check_counted
from marking.models import Check
from marking.selectors import Answer
from marking.verdicts import SLOW_DOWN, Said, other_reasons, say, shown_code, signature_of

LONGEST_TEXT = 500
# The importers' language too: whoever buys horn abroad checks it here.
LANGUAGES = (*OWN_LANGUAGES, Language("zh-hans", "中文", "中文"))


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
    answer = JsonResponse(selectors.public_keys())
    answer["Cache-Control"] = "public, max-age=300"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
def test_vectors(request: HttpRequest) -> JsonResponse:
    """What anybody who writes a reader of our marks tries it on; docs/marks.md has the same."""
    answer = JsonResponse(vectors.as_json())
    answer["Cache-Control"] = "public, max-age=86400"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


def _answer(request: HttpRequest, text: str) -> HttpResponse:
    if not is_looked_at(request):
        # Nobody reads it. Answered, it would be a check of this mark, and use up what this visitor may ask.
        return _page(request, text)
    answer = check_counted(text, visitor=visitor_of(request), own_hosts=own_hosts(request))
    where = read_place(request.GET.get("place", ""))
    if answer is not None:
        note_check(
            answer,
            text,
            at=timezone.now(),
            channel=Check.Channel.WEB,
            place=where,
            is_repeat=where != NOWHERE and "again" in request.GET,
            visitor=network_of(request),
        )
    asks = "" if answer is None else "ask" if where == NOWHERE else "told"
    return _page(request, text, answer=answer, status=429 if answer is None else 200, where=asks)


def _page(
    request: HttpRequest, text: str, *, answer: Answer | None = None, status: int = 200, where: str = ""
) -> HttpResponse:
    """The page in the language of `?lang=`, else of the site; `where`: whether it asks roughly where the reader is."""
    language = language_of(request)
    theme = request.COOKIES.get("theme", "")
    with translation.override(language):
        said = SLOW_DOWN if status == 429 else say(answer) if answer else None
        is_done = answer is not None and answer.is_genuine
        filled = {
            "title": conditional_escape(said.title if said else _("Check a mark")),
            "query": escape(urlencode({"text": text}) + "&") if "text" in request.GET else "",
            "asked": escape(urlencode({"text": text})),
            "text": "" if is_done else escape(text),
            "read": escape(text),
            "answer": _draw_answer(said, answer) if said else "",
            "level": "2" if said else "1",  # the answer holds the page's h1; without one the form does
        }
        frame = _frame(language, theme if theme in THEMES else "", where)
    html = "".join([filled[piece] if index % 2 else piece for index, piece in enumerate(frame)])
    response = HttpResponse(html, status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept-Language"])
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    if status == 429:
        response["Retry-After"] = str(WINDOW_SECONDS)
    return response


def language_of(request: HttpRequest) -> str:
    """The language asked for by `?lang=`, else chosen by a click, else that of the phone, else of the site.

    Who checks a label abroad has never seen this site, and its own pages alone wait for no click.
    """
    if asked := _known(request.GET.get("lang", "")):
        return asked
    if not request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME):
        for tag, quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:200]):
            if quality and (accepted := _known(tag)):
                return accepted
    return translation.get_language() or "kk"


def _known(tag: str) -> str:
    """The language of ours that a tag such as zh, zh-CN or ru-KZ means; "" for others."""
    first = tag.lower().replace("_", "-").partition("-")[0]
    return next((one.code for one in LANGUAGES if one.code.partition("-")[0] == first), "")


def _draw_answer(said: Said, answer: Answer | None) -> str:
    if answer is None or not answer.is_genuine:
        code = shown_code(answer) if answer else ""
        return render_to_string("marking/public/answer.html", {"said": said, "code": code})
    mass = "" if answer.mass_g is None else grams(answer.mass_g)
    card = _card(translation.get_language() or "", replace(answer, code=_CODE, mass_g=None), bool(mass))
    return card.replace(_CODE, shown_code(answer)).replace(_MASS, conditional_escape(mass))


# Signs that no text holds, where the code and the mass go.
_CODE, _MASS = "\x02", "\x03"


@lru_cache(maxsize=2_000)
def _card(language: str, answer: Answer, has_mass: bool) -> str:
    """What is said of a genuine mark but its code and its mass: the same of thousands of marks, so drawn once.

    `language` is the one in force; it is named because what was drawn is kept by it.
    """
    context = {
        "said": say(answer),
        "others": other_reasons(answer),
        "code": _CODE,
        "thing": words.THINGS.get(answer.term, ""),
        "origin": words.ORIGINS.get(answer.origin, ""),
        "year": str(answer.year),
        "mass": _MASS if has_mass else "",
        "signature": signature_of(answer),
        "needs_permit": answer.needs_permit,
    }
    return render_to_string("marking/public/answer.html", context)


def regions_in(language: str) -> list[tuple[str, str]]:
    """The regions by their two digits, with their names."""
    return sorted(
        (number := outline.iso.removeprefix("KZ-"), _region_in(language, number, outline.names))
        for outline in picture().outlines
    )


def _region_in(language: str, number: str, names: dict[str, str]) -> str:
    if language in names:
        return names[language]
    known = words.REGIONS_IN_CHINESE.get(number, "") if language == "zh-hans" else ""
    return f"{known} {names['en']}".strip()


@lru_cache(maxsize=64)
def _frame(language: str, theme: str, where: str) -> list[str]:
    """Everything of the page that no answer changes: pieces of HTML, and between them the names of what goes there.

    Drawn once for a language and without a request: this is the page that a whole market asks for, and it needs
    nothing of whoever asks.
    """
    names = ("title", "query", "asked", "text", "read", "answer", "level")
    places = {name: mark_safe(f"\x02{name}\x03") for name in names}  # noqa: S308
    context = {
        "places": places,
        "languages": LANGUAGES,
        "language": language,
        "page_theme": theme,
        "where": where,
        "regions": regions_in(language),
    }
    return re.split("\x02([a-z]+)\x03", render_to_string("marking/public/check.html", context))
