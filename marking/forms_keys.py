"""What people enter about signing keys; each act is signed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.signature import SignatureForm
from core.base.forms import DayField


class KeyActForm(SignatureForm):
    """Why a key is to be taken into use or trusted no longer."""

    reason = forms.CharField(label=_("Why"), max_length=200)

    def __init__(self, *args: Any, signer: User, **kwargs: Any) -> None:
        super().__init__(*args, signer=signer, **kwargs)
        self.order_fields(["reason", "password"])


class ReprintOrderForm(forms.Form):
    """Until when a store prints its labels anew."""

    due_on = DayField(label=_("Until which day"))
