"""The signature of a second person: the password once more, at the moment of the act."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.ratelimit import allow

TRIES = 5
WITHIN = 300  # seconds


class SignatureForm(forms.Form):
    """Asks for the person's own password; after five wrong ones in five minutes it asks to wait."""

    password = forms.CharField(
        label=_("Your password, as a signature"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )

    def __init__(self, *args: Any, signer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._signer = signer

    def clean_password(self) -> str:
        if not allow(f"signature:{self._signer.pk}", limit=TRIES, seconds=WITHIN):
            raise ValidationError(_("Too many attempts. Wait five minutes and try again."), code="too-many")
        password: str = self.cleaned_data["password"]
        if not self._signer.check_password(password):
            raise ValidationError(_("This is not your password."), code="wrong-password")
        # Only wrong ones count: whoever signs six loads in five minutes is not kept waiting.
        allow(f"signature:{self._signer.pk}", limit=TRIES, seconds=WITHIN, cost=-1)
        return password
