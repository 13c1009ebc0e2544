"""How much may be sent, asked before anybody reads it: not even the protection against forged requests does so earlier.

That protection reads the form, files and all, of whoever makes up a cookie; what it reads lies on our disk by then.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

MEGABYTE = 1024 * 1024
# Of somebody who has not signed in: forms without files. A view that takes more says so by `takes`.
STRANGERS_BYTES = MEGABYTE

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def takes(most: int) -> Callable[[V], V]:
    """This view takes so many bytes of somebody who has not signed in."""

    def mark(view: V) -> V:
        view.strangers_bytes = most  # type: ignore[attr-defined]
        return view

    return mark


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
        if length > settings.UPLOAD_MAX_BYTES:
            return _too_much(request)
        # The API asks who it is before it reads.
        if hasattr(view, "cls") or length <= getattr(view, "strangers_bytes", 0) or request.user.is_authenticated:
            return None
        return _too_much(request)


def _length(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or ""
    # Of a number of thousands of digits twenty say enough, and Python reads no more than 4,300.
    return int(given.lstrip("0")[:20] or 0) if given.isascii() and given.isdigit() else 0


def _too_much(request: HttpRequest) -> HttpResponse:
    if not request.path.startswith("/api/"):
        return render(request, "413.html", status=413)
    said = {
        "type": "urn:saiga:problem:too-large",
        "title": "Content Too Large",
        "status": 413,
        "code": "too-large",
        "detail": _("What was sent is too large."),
    }
    return JsonResponse(said, status=413, content_type="application/problem+json")
