"""Which language a page is in."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin


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

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        patch_vary_headers(response, ("Cookie", "Accept-Language") if _is_for_programs(request) else ("Cookie",))
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


def _is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
