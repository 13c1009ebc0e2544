"""Which language a page is in."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def speaks(choose: Callable[[HttpRequest], str]) -> Callable[[V], V]:
    """This view chooses its language itself: so does the page that refuses a request before the view is asked. Where
    the site has no such language, which a view's own pages may have, that page is in English.
    """

    def mark(view: V) -> V:
        view.choose_language = choose  # type: ignore[attr-defined]
        return view

    return mark


class KazakhFirstMiddleware(MiddlewareMixin):
    """The language the person chose by a click, else Kazakh: the state language does not wait for a browser's setting.

    Programs have no click: under /api/ their Accept-Language counts.
    """

    def process_request(self, request: HttpRequest) -> None:
        if _is_for_programs(request):
            language = translation.get_language_from_request(request)
        else:
            chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
            language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: object, _kwargs: object) -> None:
        if choose := getattr(view, "choose_language", None):
            language = choose(request)
            translation.activate(language if language in dict(settings.LANGUAGES) else "en")

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        patch_vary_headers(response, ("Cookie", "Accept-Language") if _is_for_programs(request) else ("Cookie",))
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


def _is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
