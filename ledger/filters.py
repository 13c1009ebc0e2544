"""How lists ask for a store: by its code, or by its key as pages do."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from ledger.models import CustodyAccount


class StoreChoice(forms.ModelChoiceField):
    """A store, shown by its name and code; taken by its code, or by the key that a list of choices sends."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.code})"

    def to_python(self, value: Any) -> CustodyAccount | None:
        if value in self.empty_values:
            return None
        text = str(value.pk if isinstance(value, CustodyAccount) else value)
        asked = Q(code=text)
        if text.isascii() and text.isdigit() and len(text) < 19:
            asked |= Q(pk=int(text))
        known: QuerySet[CustodyAccount] = self.queryset  # type: ignore[assignment]
        # A code of digits only goes before the key of another store.
        found = min(known.filter(asked), key=lambda store: store.code != text, default=None)
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": value})
        return found


class StoreFilter(filters.ModelChoiceFilter):
    """The filter of that choice."""

    field_class = StoreChoice
