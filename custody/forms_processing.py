"""Shapes of what people enter about processing."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.signature import SignatureForm
from core.base.errors import DomainError
from core.base.forms import DayField, GramsField, read_number
from ledger.models import CustodyAccount, Holding
from registry.measures import MAX_NOTE
from registry.models import Derivative, Origin, Processing, Recipe, stock_class
from registry.models.terms import UNTITLED
from registry.processing import stores_for_processing
from registry.services import Package

BLANK_ROWS = 3
MOST_ROWS = 500


class OpenForm(forms.Form):
    """What is made, where and when."""

    recipe = forms.ChoiceField(label=_("What is made"), choices=Recipe.choices, widget=forms.RadioSelect)
    store = forms.ModelChoiceField(label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=None)
    on = DayField(label=_("Day"))

    def __init__(self, *args: Any, user: User, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores_for_processing(user).order_by("code")  # type: ignore[attr-defined]
        self.fields["on"].initial = today

    def clean_recipe(self) -> Recipe:
        return Recipe(self.cleaned_data["recipe"])


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class ApproveForm(SignatureForm):
    """Why more may be lost than the norm allows, signed by somebody of the authority."""

    reason = forms.CharField(
        label=_("Why this loss is approved"), min_length=10, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    field_order = ("reason", "password")


class GiveBackForm(forms.Form):
    return_reason = forms.CharField(
        label=_("Why it is given back"), min_length=10, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class FinishForm(forms.Form):
    """The last step: the declared loss, why it is so large, and whether labels are printed."""

    loss_g = GramsField(
        label=_("Declared loss"), help_text=_("Dust, water, waste: what went in less what came out, to the gram.")
    )
    explanation = forms.CharField(
        label=_("Why more was lost than the norm allows"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    print = forms.BooleanField(label=_("Print the labels"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class OutputsForm:
    """The table of what came out: rows of count, mass and note; blank rows are left out."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, run: Processing) -> None:
        self.faults: dict[str, Any] = {}
        self.is_bound = data is not None
        if data is None:
            kept = run.outputs.order_by("row").values_list("count", "mass_g", "note")
            self.rows = [(str(count), str(mass), note) for count, mass, note in kept]
        else:
            getlist = data.getlist  # type: ignore[attr-defined]
            given = zip(getlist("count"), getlist("mass_g"), getlist("note"), strict=False)
            self.rows = [row for row in list(given)[:MOST_ROWS] if any(cell.strip() for cell in row)]
        self._packages: list[Package] = []

    def is_valid(self) -> bool:
        """Read the rows; what is wrong stands in `faults`, by row and column."""
        for row, (count, mass, note) in enumerate(self.rows, start=1):
            pieces = self._whole(row, "count", count or "1")
            grams = self._whole(row, "mass_g", mass)
            if len(note.strip()) > MAX_NOTE:
                self.faults[f"{row}.note"] = _("At most %(most)d letters.") % {"most": MAX_NOTE}
            if pieces is not None and grams is not None:
                self._packages.append(Package(pieces, grams, note.strip()))
        return not self.faults

    def packages(self) -> list[Package]:
        return self._packages

    def add_refusal(self, refusal: DomainError) -> None:
        """What the service refused, beside the cells it names."""
        for name, text in refusal.fields.items():
            self.faults[name.removeprefix("outputs.")] = text
        if not refusal.fields:
            self.faults[""] = refusal.message

    def lines(self) -> list[dict[str, Any]]:
        """Rows to draw, then blank ones."""
        found = [
            {
                "number": number,
                "count": count,
                "mass_g": mass,
                "note": note,
                "faults": [str(text) for name, text in self.faults.items() if name.partition(".")[0] == str(number)],
            }
            for number, (count, mass, note) in enumerate(self.rows, start=1)
        ]
        first = len(found) + 1
        blank = [
            {"number": number, "count": "", "mass_g": "", "note": "", "faults": []}
            for number in range(first, first + BLANK_ROWS)
        ]
        return found + blank

    def _whole(self, row: int, name: str, text: str) -> int | None:
        try:
            number = read_number(text)
        except ArithmeticError:
            number = Decimal(0)
        if number != number.to_integral_value() or not 1 <= number < 2**31:
            self.faults[f"{row}.{name}"] = (
                _("The count must be a whole number from 1.")
                if name == "count"
                else _("The mass must be whole grams, at least 1.")
            )
            return None
        return int(number)


class StockFilter(django_filters.FilterSet):
    """What lies in the store of a run and can go into it."""

    q = django_filters.CharFilter(label=_("Number begins with"), field_name="number", method="by_number")
    batch = django_filters.CharFilter(label=_("Reception number begins with"), method="by_batch")

    class Meta:
        model = Derivative
        fields: list[str] = []

    def __init__(self, *args: Any, run: Processing, **kwargs: Any) -> None:
        classes = [stock_class(term, origin) for term in run.way.takes for origin in Origin if origin not in UNTITLED]
        there = Holding.objects.filter(account=run.store_id, pieces__gt=0, stock_class__in=classes)
        super().__init__(*args, queryset=Derivative.objects.filter(item__in=there.values("item")), **kwargs)

    def by_number(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        return queryset.filter(number__startswith=value.strip().upper())

    def by_batch(self, queryset: QuerySet[Derivative], name: str, value: str) -> QuerySet[Derivative]:
        return queryset.filter(intake__number__startswith=value.strip().upper())
