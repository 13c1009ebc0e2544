"""The visitor's address when the system stands behind proxies of our own."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class ClientAddressMiddleware:
    """REMOTE_ADDR is the visitor, as seen by the outermost of our TRUSTED_PROXY_COUNT proxies.

    Each proxy appends who spoke to it to X-Forwarded-For; what stands further left anyone may have written.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        count = settings.TRUSTED_PROXY_COUNT
        if 0 < count <= len(seen) and (address := seen[-count].strip()):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)
