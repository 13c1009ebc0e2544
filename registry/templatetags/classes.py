"""The present class of a specimen, in words."""

from django import template
from django_stubs_ext import StrOrPromise

from registry.models import split_stock_class

register = template.Library()


@register.filter
def origin_of(stock_class: str | None) -> StrOrPromise:
    """The origin class that a ledger code names: “confiscated” for HOR:confiscated; empty for an item nowhere."""
    return split_stock_class(stock_class)[1].label if stock_class else ""
