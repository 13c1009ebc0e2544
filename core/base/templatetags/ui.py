"""Small pieces of the page that need more than markup: icons, filter chips."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django import template
from django.http import HttpRequest, QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from django.contrib.messages.storage.base import Message
    from django.forms import BoundField
    from django_filters import FilterSet

register = template.Library()

SPRITE = "vendor/tabler-icons/sprite.svg"

TONE_ICONS = {
    "ok": "circle-check",
    "wait": "clock",
    "attention": "alert-triangle",
    "stop": "ban",
    "neutral": "circle",
}

LEVEL_TONES = {"debug": "neutral", "info": "wait", "success": "ok", "warning": "attention", "error": "stop"}


@cache
def _sprite_url() -> str:
    return static(SPRITE)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite, drawn in the colour of the text. With a label it speaks; without, it is decoration."""
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>', label, _sprite_url(), name
        )
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', _sprite_url(), name
    )


@register.filter
def tone_icon(tone: str) -> str:
    """Name of the icon that always goes with a tone, so that state is never told by colour alone."""
    return TONE_ICONS.get(tone, TONE_ICONS["neutral"])


@register.filter
def level_tone(level: str) -> str:
    """Tone of a Django message level."""
    return LEVEL_TONES.get(level, "neutral")


@register.filter
def once(messages: "Iterable[Message] | None") -> "list[Message]":
    """What waited to be shown, each sentence once: an act that was sent twice is told once.

    The public check is drawn without a request and has none.
    """
    return list({(message.level, str(message)): message for message in messages or ()}.values())


@dataclass(frozen=True)
class Chip:
    """One filter that is on: what it is called, what it is set to, the address without it."""

    label: str
    value: str
    url: str


@register.simple_tag(takes_context=True)
def filter_chips(context: template.Context, filterset: "FilterSet") -> list[Chip]:
    """The filters of a list that are on now, each with the address of the same list without it."""
    request: HttpRequest = context["request"]
    form = filterset.form
    chips = []
    for field in form:
        names = _names_in_query(field)
        if field.is_hidden or not any(request.GET.get(name) for name in names):
            continue
        query = request.GET.copy()
        for name in (*names, "after", "before"):
            query.pop(name, None)
        chips.append(Chip(capfirst(str(field.label)), _value_in_words(field), _with_query(request, query)))
    return chips


@register.simple_tag(takes_context=True)
def unfiltered_url(context: template.Context, filterset: "FilterSet") -> str:
    """The address of the same list with no filter on."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for field in filterset.form:
        for name in _names_in_query(field):
            query.pop(name, None)
    query.pop("after", None)
    query.pop("before", None)
    return _with_query(request, query)


@register.simple_tag(takes_context=True)
def other_parameters(context: template.Context, filterset: "FilterSet") -> list[tuple[str, str]]:
    """Parameters of the address that the filter form does not own and must carry along, the page excepted."""
    request: HttpRequest = context["request"]
    owned = {name for field in filterset.form for name in _names_in_query(field)} | {"after", "before"}
    return [(name, value) for name, values in request.GET.lists() if name not in owned for value in values]


def _names_in_query(field: "BoundField") -> list[str]:
    """A range field sends two or three parameters, any other field one."""
    widgets = getattr(field.field.widget, "widgets_names", None)
    return [field.html_name + suffix for suffix in widgets] if widgets else [field.html_name]


def _value_in_words(field: "BoundField") -> str:
    value = field.data
    choices = {str(key): str(words) for key, words in _flat_choices(field)}
    if isinstance(value, (list, tuple)):
        return ", ".join(choices.get(str(part), str(part)) for part in value if part not in ("", None))
    return choices.get(str(value), str(value))


def _flat_choices(field: "BoundField") -> list[tuple[object, object]]:
    flat: list[tuple[object, object]] = []
    for key, words in getattr(field.field, "choices", ()):
        if isinstance(words, (list, tuple)):
            flat.extend(words)
        else:
            flat.append((key, words))
    return flat


def _with_query(request: HttpRequest, query: QueryDict) -> str:
    return f"{request.path}?{query.urlencode()}" if query else request.path


@register.simple_tag
def unit_of(widget: dict[str, Any]) -> object:
    """The unit that a form field shows inside itself, from the widget's data-unit; empty when it has none."""
    return widget["attrs"].get("data-unit", "")


@register.filter
def field_unit(field: "BoundField") -> object:
    """The same unit for a whole field, to be spoken with its label."""
    return field.field.widget.attrs.get("data-unit", "")


@register.simple_tag
def time_left(job: Any) -> str:
    """How long a running job still needs if it goes on as it went, in words; empty while nobody can say."""
    if not (job.started_at and job.done and job.total and job.done < job.total):
        return ""
    now = timezone.now()
    left = (now - job.started_at) * (job.total - job.done) / job.done
    if left < timedelta(minutes=1):
        seconds = max(1, round(left.total_seconds()))
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    return timesince(now - left, now, depth=1)


@register.inclusion_tag("components/camera.html", takes_context=True)
def camera(context: dict[str, Any]) -> dict[str, Any]:
    """The button that reads a label by the camera; it stands in the scan form, and its picture below by camera_view."""
    if request := context.get("request"):
        request.has_camera = True
    return {}
