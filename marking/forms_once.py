"""The form for the hidden code of a label."""

from django import forms
from django.utils.translation import gettext_lazy as _


class OnceForm(forms.Form):
    """The code that everybody sees, and the one that only the first owner does."""

    code = forms.CharField(
        label=_("Code of the mark"),
        max_length=100,
        widget=forms.TextInput(attrs={"class": "code", "autocapitalize": "characters", "autocomplete": "off"}),
    )
    hidden = forms.CharField(
        label=_("Hidden code"),
        max_length=40,
        help_text=_("Eight characters under the flap of the label."),
        widget=forms.TextInput(attrs={"class": "code", "autocapitalize": "characters", "autocomplete": "off"}),
    )
