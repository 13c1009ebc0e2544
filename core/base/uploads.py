"""How much may be sent, asked before anybody reads it: not even the protection against forged requests does so earlier.

That protection reads the form, files and all, of whoever makes up a cookie; what it reads lies on our disk by then.
The sizes of files have their home here; deploy/Caddyfile has the same limits, as the proxy meets the files first.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework.permissions import AllowAny

MEGABYTE = 1024 * 1024
# Of one file.
PHOTO_BYTES = 20 * MEGABYTE
PAPER_BYTES = 50 * MEGABYTE  # also a table, or another file
FILM_BYTES = 300 * MEGABYTE
# Of one request, with what is written beside the files.
PEOPLE_BYTES = PAPER_BYTES + MEGABYTE
FILMS_BYTES = FILM_BYTES + MEGABYTE
# Of somebody who has not signed in: forms without files. A view that takes more says so by `takes`.
STRANGERS_BYTES = MEGABYTE

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
A = TypeVar("A", bound=Callable[..., Any])


def takes(most: int) -> Callable[[V], V]:
    """This view takes so many bytes of somebody who has not signed in."""

    def mark(view: V) -> V:
        view.strangers_bytes = most  # type: ignore[attr-defined]
        return view

    return mark


def takes_films(view: A) -> A:
    """This view, or view of the API, takes films of those who may."""
    view.people_bytes = FILMS_BYTES  # type: ignore[attr-defined]
    return view


class LimitUploads:
    """Middleware outside the protection against forged requests: 413 for what is longer than may be sent.

    A request without a length brings nothing: Django reads as many bytes as it was told.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: object, _kwargs: object
    ) -> HttpResponseBase | None:
        length = _length(request)
        if length <= STRANGERS_BYTES:
            return None
        most = _most(request, view)
        return _too_much(request, most) if length > most else None


def _most(request: HttpRequest, view: Callable[..., Any]) -> int:
    """How many bytes this view takes of this person. The API asks who it is before it reads, where not all may."""
    door: Any = getattr(view, "cls", view)
    is_asked = door is not view and not any(rule is AllowAny for rule in door.permission_classes)
    if is_asked or request.user.is_authenticated:
        return int(getattr(door, "people_bytes", PEOPLE_BYTES))
    return int(getattr(door, "strangers_bytes", STRANGERS_BYTES))


def _length(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or ""
    # Of a number of thousands of digits twenty say enough, and Python reads no more than 4,300.
    return int(given.lstrip("0")[:20] or 0) if given.isascii() and given.isdigit() else 0


def _too_much(request: HttpRequest, most: int) -> HttpResponse:
    megabytes = most // MEGABYTE
    if not request.path.startswith("/api/"):
        return render(request, "413.html", {"most": megabytes}, status=413)
    said = {
        "type": "urn:saiga:problem:too-large",
        "title": "Content Too Large",
        "status": 413,
        "code": "too-large",
        "detail": _("What was sent is too large: at most %(most)d MB at once.") % {"most": megabytes},
    }
    return JsonResponse(said, status=413, content_type="application/problem+json")
