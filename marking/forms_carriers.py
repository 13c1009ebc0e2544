"""Shapes of what people enter about state codes, seals and chips."""

from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.signature import SignatureForm
from marking.carrier_table import MAX_BYTES
from marking.models import Carrier
from marking.state_code import LONGEST

MAX_SEPARATOR = 8
# Escaped where it is shown: help texts are written as they are, and a browser takes <GS> for an element.
SEPARATOR_HINT = _("Only if it is set to send another sign in place of GS, for example | or <GS>. Empty: it sends GS.")


class CarrierFileForm(forms.Form):
    """A table of marks and what their items carry."""

    file = forms.FileField(
        label=_("Table file"),
        help_text=_("CSV or XLSX, at most 20 MB and 100,000 rows."),
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.xlsx"}),
        allow_empty_file=True,
    )
    separator = forms.CharField(
        label=_("What the scanner sends for GS"),
        help_text=escape(SEPARATOR_HINT),
        required=False,
        max_length=MAX_SEPARATOR,
        strip=False,
        widget=forms.TextInput(attrs={"class": "code", "autocomplete": "off"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        return file


class AskEndForm(forms.Form):
    """Why a carrier is to be taken off, and what comes in its place."""

    reason = forms.CharField(label=_("Why"), max_length=200)
    replace_by = forms.CharField(
        label=_("What comes in its place"),
        help_text=_("Scan or type it. Empty: nothing."),
        required=False,
        max_length=LONGEST,
        strip=False,
        widget=forms.TextInput(attrs={"class": "code", "autocomplete": "off", "data-separator": ""}),
    )
    separator = forms.CharField(
        label=_("What the scanner sends for GS"),
        help_text=escape(SEPARATOR_HINT),
        required=False,
        max_length=MAX_SEPARATOR,
        strip=False,
        widget=forms.TextInput(attrs={"class": "code", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, carrier: Carrier, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if carrier.kind != Carrier.Kind.STATE_CODE:
            del self.fields["separator"]


class DecideForm(SignatureForm):
    """The second person's word."""

    approve = forms.TypedChoiceField(
        label=_("Your decision"),
        choices=[("yes", _("Approve")), ("no", _("Refuse"))],
        coerce=lambda word: word == "yes",
        widget=forms.RadioSelect,
    )
    field_order = ["approve", "password"]

    def __init__(self, *args: Any, signer: User, **kwargs: Any) -> None:
        super().__init__(*args, signer=signer, **kwargs)
        self.order_fields(self.field_order)
