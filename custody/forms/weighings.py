"""The forms of weighing again."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.signature import SignatureForm
from core.base.forms import GramsField
from ledger.models import MOST_GRAMS


class WeighForm(forms.Form):
    """One item on the scale: what it is, and what it weighs now."""

    code = forms.CharField(
        label=_("Mark or number"),
        max_length=400,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "scan-field code",
            }
        ),
    )
    grams = GramsField(label=_("Mass now"), min_value=1, max_value=MOST_GRAMS, required=False)
    confirm = forms.CharField(required=False, widget=forms.HiddenInput)


class SettleForm(SignatureForm):
    """Why the books stay as they are, signed for the authority."""

    reason = forms.CharField(
        label=_("Why the mass in the books is right"),
        max_length=180,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ("reason", "password")


class WeighSheetForm(forms.Form):
    """A table of numbers or marks and masses."""

    file = forms.FileField(
        label=_("Table (CSV or XLSX)"),
        help_text=_("The first line names the columns: number (or mark), and mass in grams or kilograms."),
    )
