"""Withdrawing a file."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.documents.attaching import LONGEST_REASON


class WithdrawalForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The file stays in the register, marked as withdrawn, with this reason."),
    )
