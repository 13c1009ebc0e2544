"""The scanner: a page that checks marks by itself, opens without network, and can be installed on a phone.

Addresses: `/scan/`, `/scan/check.json` (what the registry knows), `/sw.js` and the web manifest. The page is the same
for everybody, so that a phone may keep it: what only a person may know comes by `/scan/check.json`.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.accounts.models import User
from core.base.context import LANGUAGES as OWN_LANGUAGES
from core.base.visitors import Visitor, is_looked_at, network_of, own_hosts, visitor_of
from marking import field, words
from marking.checklog import PUBLIC, asker_of, note_check, read_place
from marking.limits import WINDOW_SECONDS, check_counted
from marking.models import Check
from marking.scanning import told, worded
from marking.verdicts import SLOW_DOWN
from marking.views.check import LANGUAGES, LONGEST_TEXT, language_of, regions_in
from marking.views.field import notebook_page
from marking.words_scanner import said_alone, said_of_faults

PNG = "image/png"


@require_safe
def scan(request: HttpRequest) -> HttpResponse:
    """The page. Without script its form is that of the public check."""
    language = language_of(request)
    response = HttpResponse(scanner_page(language))
    request.has_camera = True  # type: ignore[attr-defined]
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    response["Cache-Control"] = "no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response


def scanner_page(language: str) -> str:
    """The same for everybody who reads this language: nothing of a person is in it."""
    with translation.override(language):
        context = {
            "languages": LANGUAGES,
            "language": language,
            "page_theme": "",
            "regions": regions_in(language),
            "scanner": _for_script(language),
        }
        return render_to_string("marking/public/scan.html", context)


@require_safe
def scan_check(request: HttpRequest) -> JsonResponse:
    """What the registry says of a text: what anybody may know, and for who is signed in, what this person may."""
    if not is_looked_at(request):
        return JsonResponse({}, status=403)
    text = request.GET.get("text", "")[:LONGEST_TEXT]
    with translation.override(language_of(request)):
        person = request.user if isinstance(request.user, User) else None
        visitor = Visitor(f"person-{person.pk}", {}) if person else visitor_of(request)
        answer = check_counted(text, visitor=visitor, own_hosts=own_hosts(request))
        if answer is None:
            response = JsonResponse({"said": worded(SLOW_DOWN)}, status=429)
            response["Retry-After"] = str(WINDOW_SECONDS)
        else:
            note_check(
                answer,
                text,
                at=timezone.now(),
                channel=Check.Channel.APP,
                asker=asker_of(person) if person else PUBLIC,
                place=read_place(request.GET.get("place", "")),
                visitor=network_of(request),
            )
            response = JsonResponse(told(text, answer, person=person) | {"at": timezone.now()})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def web_manifest(request: HttpRequest) -> JsonResponse:
    """What a phone needs to install the scanner."""
    language = language_of(request)
    with translation.override(language):
        address = f"{reverse('marking:scan')}?lang={language}"
        manifest = {
            "id": reverse("marking:scan"),
            "name": _("Scanner of saiga marks"),
            "short_name": _("Saiga scanner"),
            "lang": language,
            "start_url": address,
            "scope": "/",
            "display": "standalone",
            "background_color": "#faf7f1",
            "theme_color": "#0c4a4e",
            "icons": [
                {
                    "src": static(f"img/scanner-{size}.png"),
                    "sizes": f"{size}x{size}",
                    "type": "image/png",
                    "purpose": use,
                }
                for size in (192, 512)
                for use in ("any", "maskable")
            ],
        }
    response = JsonResponse(manifest, content_type="application/manifest+json")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The one service worker of the site, with the list of what it keeps and a version of that list."""
    shells = {f"{reverse('marking:scan')}?lang={one.code}": scanner_page(one.code) for one in LANGUAGES}
    shells |= {f"{reverse('marking:notebook')}?lang={one.code}": notebook_page(one.code) for one in OWN_LANGUAGES}
    response = HttpResponse(field.worker(shells), content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


def _for_script(language: str) -> dict[str, Any]:
    """Addresses, settings and words that the page's script needs when there is nobody to ask."""
    return {
        "language": language,
        "hosts": [settings.PUBLIC_HOST],
        "stale_after": settings.FIELD_STALE_AFTER * 3600,
        "keys": reverse("marking:public-keys"),
        "index": reverse("marking:snapshot-index"),
        "check": reverse("marking:scan-check"),
        "hello": reverse("v1:field-hello"),
        "worker": reverse("marking:service-worker"),
        "reader": static("vendor/barcode-detector/ponyfill.js"),
        "wasm": static("vendor/barcode-detector/zxing_reader.wasm"),
        "said": {kind: worded(said) for kind, said in said_alone().items()},
        "faults": said_of_faults(),
        "things": {str(term): str(word) for term, word in words.THINGS.items()},
        "origins": {str(origin): str(word) for origin, word in words.ORIGINS.items()},
        "names": {
            "mark": _("Mark"),
            "thing": _("What it is"),
            "origin": _("Origin"),
            "mass": _("Mass when registered"),
            "day": _("Day of reception"),
            "signature": _("Signature"),
            "box": _("Number of the box"),
            "gtin": _("Code of goods (GTIN)"),
            "serial": _("Serial number"),
        },
        "words": {
            "signed": _("Checked: this symbol was signed by the registry"),
            "grams": _("{0} g"),
            "minutes": _("{0} min ago"),
            "hours": _("{0} h ago"),
            "days": _("{0} d ago"),
            "alone": _("Told by this phone alone. It knows the marks as of {0}, {1}."),
            "stale": _("Too old to say that all is in order: fetch what is new with network."),
            "nothing": _("This phone knows nothing of the marks yet. Open this page once with network."),
            "fresh": _("This phone knows {0} marks as of {1}, {2}."),
            "asking": _("Asking the registry …"),
            "registry": _("Told by the registry."),
            "told_before": _("The registry told this phone so on {0}, {1}. Ask again with network."),
            "fetching": _("Fetching …"),
            "not_fetched": _("The registry did not answer. What this phone knows stays as it is."),
            "refused": _("What came was not signed by the registry, and was thrown away."),
            "forgotten": _("Everything was forgotten."),
            "place_off": _("No place is sent."),
            "place_on": _("Sent with each check: {0}"),
            "place_unknown": _("This phone does not tell where it is. Choose the region, or no place is sent."),
            "really": _(
                "Forget the keys and what this phone knows of the marks? Without network it then checks nothing."
            ),
        },
    }
