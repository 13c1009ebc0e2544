"""Filters of the list of boxes; they live in the address."""

from typing import Any

import django_filters as filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from ledger.filters import StoreFilter
from ledger.models import Box, CustodyAccount, Packing
from ledger.sscc import SsccError, parse_sscc

ANY = _("Any")


class BoxFilter(filters.FilterSet):
    """Boxes by number or seal, store, kind and state, as the reader may know them."""

    q = filters.CharFilter(label=_("Number or seal"), method="by_number")
    store = StoreFilter(label=_("Store"), queryset=CustodyAccount.objects.none(), field_name="account", empty_label=ANY)
    kind = filters.ChoiceFilter(label=_("What it is"), choices=Box.Kind.choices, empty_label=ANY)
    state = filters.ChoiceFilter(
        label=_("State"),
        choices=[("sealed", _("Sealed")), ("open", _("Open")), ("empty", _("Empty"))],
        empty_label=ANY,
        method="by_state",
    )

    class Meta:
        model = Box
        fields: list[str] = []

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, queryset=Box.objects.visible_to(reader), **kwargs)
        self.filters["store"].queryset = CustodyAccount.objects.visible_to(reader)
        self.filters["store"].field.queryset = CustodyAccount.objects.visible_to(reader)

    def by_number(self, queryset: QuerySet[Box], name: str, value: str) -> QuerySet[Box]:
        try:
            return queryset.filter(sscc=parse_sscc(value))
        except SsccError:
            return queryset.filter(seal_number=" ".join(value.upper().split()))

    def by_state(self, queryset: QuerySet[Box], name: str, value: str) -> QuerySet[Box]:
        if value == "sealed":
            return queryset.exclude(seal_number="")
        inside = Packing.objects.present().filter(box=OuterRef("pk"))
        on_it = Packing.objects.present().filter(box__parent=OuterRef("pk"))
        opened = queryset.filter(seal_number="")
        if value == "empty":
            return opened.exclude(Exists(inside) | Exists(on_it))
        return opened.filter(Exists(inside) | Exists(on_it))
