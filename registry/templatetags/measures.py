"""What is weighed and measured, in words, for templates."""

from typing import Any

from django import template

from registry.fields import Field
from registry.wording import value_in_words

register = template.Library()


@register.simple_tag
def measure(thing: Any, field: Field) -> str:
    """The value of a field with its unit; nothing where it is not known."""
    return value_in_words(field, getattr(thing, field.column))
