"""Pages of long lists by key: as quick on page ten thousand as on page one, and steady while rows are added."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and the addresses of the pages beside it (None: there is none)."""

    rows: list[Row]
    next_url: str | None
    previous_url: str | None

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def keyset_page(
    queryset: QuerySet[Row], request: HttpRequest, *, order: tuple[str, ...] = ("-pk",), size: int = 50
) -> Page[Row]:
    """The page that ?after= or ?before= of the request names; the first page when it names none that can be read.

    `order` are fields that are never null, "-" for falling; the key is added so that no two rows are equal.
    """
    if not {"pk", "-pk"} & set(order):
        order = (*order, "pk")
    after, before = request.GET.get("after"), request.GET.get("before")
    backwards = bool(before)
    direction = _turned(order) if backwards else order
    rows = _rows_past(queryset, direction, before or after, size + 1)
    if rows is None:
        backwards, after = False, None
        rows = list(queryset.order_by(*order)[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (backwards or more)
    has_previous = bool(rows) and (more if backwards else bool(after))
    return Page(
        rows=rows,
        next_url=_url(request, "after", rows[-1], order) if has_next else None,
        previous_url=_url(request, "before", rows[0], order) if has_previous else None,
    )


def _rows_past(queryset: QuerySet[Row], order: tuple[str, ...], cursor: str | None, size: int) -> list[Row] | None:
    """Rows after the cursor in this order; None when the cursor is not one of ours."""
    if not cursor:
        return list(queryset.order_by(*order)[:size])
    values = _read(cursor)
    if values is None or len(values) != len(order):
        return None
    try:
        return list(queryset.filter(_past(order, values)).order_by(*order)[:size])
    except (ValueError, TypeError, ValidationError):
        return None


def _past(order: tuple[str, ...], values: list[Any]) -> Q:
    """Rows strictly after the given key: a > x, or a = x and b > y, and so on; bounded by a >= x for the index."""
    condition = Q()
    equal = Q()
    for field, value in zip(order, values, strict=True):
        name = field.removeprefix("-")
        beyond = "lt" if field.startswith("-") else "gt"
        condition |= equal & Q(**{f"{name}__{beyond}": value})
        equal &= Q(**{name: value})
    first = order[0].removeprefix("-")
    bound = "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{first}__{bound}": values[0]}) & condition


def _turned(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(field.removeprefix("-") if field.startswith("-") else f"-{field}" for field in order)


def _url(request: HttpRequest, parameter: str, row: Model, order: tuple[str, ...]) -> str:
    values = [_value(row, field.removeprefix("-")) for field in order]
    text = json.dumps(values, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False)
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    query[parameter] = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"?{query.urlencode()}"


def _value(row: Model, path: str) -> Any:
    value: Any = row
    for name in path.split("__"):
        value = getattr(value, name)
    return value


def _read(cursor: str) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str | int) for value in values):
        return None
    if any(isinstance(value, str) and "\x00" in value for value in values):
        return None
    return values
