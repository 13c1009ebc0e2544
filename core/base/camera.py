"""Pages with a camera may run WebAssembly, which reads the label; no other page may."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]


def allow_camera(get_response: Answer) -> Answer:
    """Middleware inside the one that writes the policy: widens it where a page has drawn the camera's button."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if getattr(request, "has_camera", False):
            response._csp_update = {"script-src": ["'self'", "'wasm-unsafe-eval'"]}  # type: ignore[attr-defined]
        return response

    return answer
