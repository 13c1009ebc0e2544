"""What is weighed and measured, in words, for templates."""

from typing import Any

from django import template

from registry.fields import FIELDS, Field
from registry.wording import facts_of, value_in_words

register = template.Library()


@register.simple_tag
def measure(thing: Any, field: Field) -> str:
    """The value of a field with its unit; nothing where it is not known."""
    return value_in_words(field, getattr(thing, field.column))


@register.simple_tag
def known_of(derivative: Any) -> list[tuple[str, str]]:
    """What is known of a derivative, name by name, without its mass and its note."""
    skipped = {field.column for field in FIELDS[derivative.term] if field.key in ("mass", "note")}
    return facts_of(derivative, derivative.term, without=skipped)
