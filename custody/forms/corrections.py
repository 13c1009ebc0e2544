"""Shapes of what people enter about corrections and closed periods."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.signature import SignatureForm
from core.base.forms import DayField


class CorrectionForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea({"rows": 3}))


class ClosePeriodForm(SignatureForm):
    """The last day of the period, signed."""

    until = DayField(label=_("Last day of the period"))
    field_order = ("until", "password")

    def __init__(self, *args: Any, signer: User, **kwargs: Any) -> None:
        super().__init__(*args, signer=signer, **kwargs)
