"""The shape of what people enter about boxes and shelves."""

import re
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ledger.models import Box, CustodyAccount

WIDE = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
MOST_SHELVES = 500
_RANGE = re.compile(r"^(.*?)([0-9]+)\.\.([0-9]+)$")


class BeginBoxesForm(forms.Form):
    """How many boxes or pallets are begun, and where."""

    store = forms.ModelChoiceField(label=_("Store"), queryset=CustodyAccount.objects.none())
    kind = forms.ChoiceField(label=_("What it is"), choices=Box.Kind.choices, initial=Box.Kind.BOX)
    count = forms.IntegerField(label=_("How many"), min_value=1, max_value=200, initial=1)

    def __init__(self, *args: Any, stores: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField", self.fields["store"])
        field.queryset = stores
        first = list(stores[:2])
        if len(first) == 1:
            field.initial = first[0].pk


class SealForm(forms.Form):
    seal_number = forms.CharField(
        label=_("Number of the seal"), max_length=40, widget=forms.TextInput(attrs={"class": "code", **WIDE})
    )


class OpenSealForm(forms.Form):
    reason = forms.CharField(label=_("Why is the seal opened?"), max_length=300)


class ShelvesForm(forms.Form):
    """Codes of shelves, with commas between; A-01-1..6 stands for six shelves."""

    name = forms.CharField(
        label=_("Room and rack"), max_length=100, required=False, help_text=_("Such as: cold room 1, rack A.")
    )
    codes = forms.CharField(
        label=_("Codes of the shelves"),
        max_length=2000,
        widget=forms.TextInput(attrs={"class": "code", **WIDE}),
        help_text=_("With commas between. A-01-1..6 makes six: A-01-1 to A-01-6."),
    )

    def clean_codes(self) -> list[str]:
        codes: list[str] = []
        for part in self.cleaned_data["codes"].split(","):
            if match := _RANGE.match(part.strip()):
                first, last = int(match[2][:6]), int(match[3][:6])
                if not 0 <= last - first < MOST_SHELVES:
                    raise ValidationError(_("At most 500 at once."), code="too-many")
                codes += [f"{match[1]}{number:0{len(match[2])}d}" for number in range(first, last + 1)]
            elif part.strip():
                codes.append(part.strip())
        if len(codes) > MOST_SHELVES:
            raise ValidationError(_("At most 500 at once."), code="too-many")
        return codes
