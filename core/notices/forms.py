"""Deciding a notice."""

from django import forms
from django.utils.translation import gettext_lazy as _


class DecisionForm(forms.Form):
    decision = forms.CharField(
        label=_("Decision"), max_length=200, help_text=_("In one sentence: what was found, what is done.")
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("How it is known: the act, the protocol, who was heard. It cannot be changed afterwards."),
    )
