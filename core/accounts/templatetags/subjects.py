"""What a subject is called, on any page."""

from django import template
from django_stubs_ext import StrOrPromise

from core.accounts.subjects import label_of

register = template.Library()


@register.filter
def subject_label(kind: str) -> StrOrPromise:
    """The name of a kind of subject: "case" is "Case"."""
    return label_of(kind)
