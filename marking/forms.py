"""Shapes of what people enter in this room."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marking.labels import PROFILES
from marking.models import LabelRun
from marking.services.labels import LabelOrder
from marking.words import STOCK

LAST_POSITION = max(profile.per_page for profile in PROFILES.values())


class LabelOrderForm(forms.Form):
    """How to print labels."""

    profile = forms.ChoiceField(label=_("What you print on"), choices=list(STOCK.items()), widget=forms.RadioSelect)
    start = forms.IntegerField(
        label=_("First free position of the sheet"),
        help_text=_("On a used sheet, counted from the top left, row by row. 1 for a new sheet and for a roll."),
        min_value=1,
        max_value=LAST_POSITION,
        initial=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    dpi = forms.TypedChoiceField(
        label=_("Resolution of the printer"),
        choices=[(203, _("203 dots an inch")), (300, _("300 dots an inch")), (600, _("600 dots an inch"))],
        coerce=int,
    )
    language = forms.ChoiceField(label=_("Language of the label"), choices=settings.LANGUAGES)
    reason = forms.CharField(
        label=_("Why they are printed again"), required=False, max_length=200, widget=forms.TextInput
    )

    def __init__(self, *args: Any, printed_before: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if printed_before:
            self.fields["reason"].required = True
        else:
            del self.fields["reason"]

    def order(self) -> LabelOrder:
        """What was chosen; only after is_valid()."""
        return LabelOrder(
            profile=self.cleaned_data["profile"],
            dpi=self.cleaned_data["dpi"],
            start=self.cleaned_data["start"],
            language=self.cleaned_data["language"],
            reason=self.cleaned_data.get("reason", ""),
        )


def last_choices(run: LabelRun | None) -> dict[str, object]:
    """What to begin the form with: what the person chose last."""
    if run is None:
        return {"profile": "roll-50x25", "dpi": PROFILES["roll-50x25"].dpi, "language": "kk"}
    return {"profile": run.profile, "dpi": run.dpi, "language": run.language}


class RegisterForm(forms.Form):
    """The last step of a reception: what the person adds to the weighing table."""

    explanation = forms.CharField(required=False, max_length=2000)
    confirm_band = forms.BooleanField(required=False)
    version = forms.IntegerField(required=False, min_value=0)
    print = forms.BooleanField(required=False)
    mark_asked = forms.BooleanField(required=False)
    mark = forms.BooleanField(required=False)

    def mark_wanted(self) -> bool | None:
        """Whether marks are wished; None where the page did not ask. Only after is_valid()."""
        return self.cleaned_data["mark"] if self.cleaned_data["mark_asked"] else None
