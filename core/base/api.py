"""Manners of the API: errors as problem details (RFC 9457), pages by key, shared pieces of the schema."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.db import DataError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler, set_rollback

from core.base.errors import BadInput, DomainError
from core.base.errors import NotFound as NotThere

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
KEPT_HEADERS = ("WWW-Authenticate", "Retry-After", "Allow")

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=(
        "Any text of 1 to 100 characters, new for each act. A repeat with the same key and the same body gets the "
        "first answer again, with `Idempotent-Replay: true`, and nothing is done twice."
    ),
)


class KeysetPagination(CursorPagination):
    """Pages that stay right while rows are added; newest first."""

    ordering = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 1000

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> Any:
        """The page; a cursor that names no place is answered by 404."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, DataError) as error:
            if request.query_params.get(self.cursor_query_param):
                raise NotFound(self.invalid_cursor_message) from error
            raise


def problem_details(error: Exception, context: dict[str, Any]) -> Response:
    """Answer any error as `application/problem+json`; one that nobody foresaw is logged and answered as 500."""
    if isinstance(error, DomainError):
        set_rollback()
        return problem(error.status, error.code, str(error), fields={k: [str(v)] for k, v in error.fields.items()})
    response = exception_handler(error, context)
    if response is None and _is_unreadable(error):
        set_rollback()
        return problem(400, "unreadable", str(BadInput.message))
    if response is None:
        set_rollback()
        log.error("%s failed", context["request"].path if context.get("request") else "API", exc_info=error)
        return problem(500, "internal-error", str(_("Something went wrong on our side. It has been noted.")))
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    if isinstance(error, ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        return problem(BadInput.status, BadInput.code, str(BadInput.message), fields=fields, headers=headers)
    code = _code_of(error, response.status_code)
    if isinstance(error, Http404):
        # Django names the model, in English; what is not there and what one may not know sound the same.
        return problem(response.status_code, code, str(NotThere.message), headers=headers)
    detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
    return problem(response.status_code, code, str(detail), headers=headers)


def _is_unreadable(error: Exception) -> bool:
    """Text with a NUL, which PostgreSQL cannot hold, and JSON nested deeper than Python follows."""
    return isinstance(error, RecursionError) or (isinstance(error, ValueError | DataError) and "NUL" in str(error))


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    fields: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as an answer."""
    body: dict[str, Any] = {
        "type": f"urn:saiga:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if fields:
        body["fields"] = fields
    return Response(body, status=status, headers=dict(headers or {}), content_type=PROBLEM)


def _code_of(error: Exception, status: int) -> str:
    if isinstance(error, APIException):
        return str(error.default_code).replace("_", "-")
    return HTTPStatus(status).phrase.lower().replace(" ", "-")


class NoSuchAddress(APIView):
    """Every address below /api/ that is none: a problem like any other, for signed-in and anonymous alike."""

    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise NotFound(_("There is nothing at this address. Addresses end with a slash."))


def add_problem_details(result: dict[str, Any], **_kwargs: object) -> dict[str, Any]:
    """Tell in the schema that any operation may answer with a problem (hook of drf-spectacular)."""
    result["components"]["schemas"]["Problem"] = {
        "type": "object",
        "description": "An error (RFC 9457). `code` is stable and meant for programs; `title` and `detail` for people.",
        "properties": {
            "type": {"type": "string", "example": "urn:saiga:problem:invalid-transition"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "fields": {"type": "object", "additionalProperties": {}},
        },
        "required": ["type", "title", "status", "code", "detail"],
    }
    answer = {
        "description": "Anything that went wrong",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", answer)
    return result
