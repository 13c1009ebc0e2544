"""A question with a filter that a list does not know is refused, so that nobody takes everything for what was asked.

REST framework reads this module while it loads itself, therefore what needs its views is imported where it is used.
"""

import inspect
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.base.errors import DomainError

if TYPE_CHECKING:
    from rest_framework.views import APIView


class UnknownFilter(DomainError):
    """The address asks with a parameter that it does not know; `fields` names it."""

    status = 400
    code = "unknown-filter"


class KnownFiltersOnly(BaseThrottle):
    """Refuse reading with a parameter that the schema does not name there; what is known is read from the schema.

    A throttle by its place only: the one question that every address of the API asks after who is asking and whether
    they may, and before anything is read. Named once, in the settings, it holds for addresses written later too.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        from drf_spectacular.settings import spectacular_settings

        is_read = request.method in ("GET", "HEAD") and hasattr(view, "get")
        if is_read and request.path.startswith(spectacular_settings.SCHEMA_PATH_PREFIX):
            known = known_filters(type(view))
            unknown = sorted(set(request.query_params) - known)
            if unknown:
                raise UnknownFilter(_in_words(unknown, known), fields=dict.fromkeys(unknown, _("Not known here.")))
        return True


def _in_words(unknown: list[str], known: frozenset[str]) -> str:
    names = {"unknown": ", ".join(unknown), "known": ", ".join(sorted(known))}
    if known:
        return _("Not known here: %(unknown)s. Known are: %(known)s.") % names
    return _("Not known here: %(unknown)s. This address takes no parameters.") % names


_KNOWN: dict[type, frozenset[str]] = {}


def known_filters(kind: "type[APIView]") -> frozenset[str]:
    """What the schema names for reading there: declared with `extend_schema`, and the pages of a list."""
    if kind not in _KNOWN:
        _KNOWN[kind] = _read_schema(kind)
    return _KNOWN[kind]


def _read_schema(kind: "type[APIView]") -> frozenset[str]:
    from drf_spectacular.openapi import AutoSchema

    view: Any = kind()
    view.request, view.args, view.kwargs = None, (), {}
    schema = getattr(view.get, "kwargs", {}).get("schema") or kind.schema
    schema = (schema if inspect.isclass(schema) else type(schema))()
    if not isinstance(schema, AutoSchema):
        return frozenset()
    schema.view, schema.method = view, "GET"
    names = {name for parameter in schema.get_override_parameters() for name in _names_of(parameter)}
    is_list = isinstance(view, ListModelMixin)
    if is_list and view.paginator is not None:
        names |= {parameter["name"] for parameter in view.paginator.get_schema_operation_parameters(view)}
    return frozenset(names)


def _names_of(parameter: Any) -> set[str]:
    """The names of one declared parameter; a serializer stands for as many as it has fields."""
    from drf_spectacular.utils import OpenApiParameter

    if isinstance(parameter, OpenApiParameter):
        return {parameter.name} if parameter.location == OpenApiParameter.QUERY else set()
    serializer: Any = parameter() if inspect.isclass(parameter) else parameter
    return set(serializer.fields)
