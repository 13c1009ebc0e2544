"""The signature of a person: the password once more, at the moment of the act; on pages and in the API alike."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.accounts.models import User
from core.base.errors import BadInput
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


class SignedSerializer(serializers.Serializer[Any]):
    """What a program sends with an act that is signed; acts that ask for more inherit it and add their fields.

    The act then begins with `sign_by_password`; the password goes no further.
    """

    password = serializers.CharField(
        max_length=128, trim_whitespace=False, write_only=True, help_text="Your own password, as a signature."
    )


def second_signer(username: str, password: str) -> User:
    """Who signs beside the actor, by own name and password. Raises BadInput, which does not say which was wrong."""
    name = username.strip()
    if not allow(f"second-signature:{name.casefold()}", limit=TRIES, seconds=WITHIN):
        raise BadInput(fields={"second_password": _("Too many attempts. Wait five minutes and try again.")})
    person = User.objects.filter(username__iexact=name, is_active=True).first()
    if person is None or not person.check_password(password):
        raise BadInput(fields={"second_password": _("The name or the password of the second person is wrong.")})
    allow(f"second-signature:{name.casefold()}", limit=TRIES, seconds=WITHIN, cost=-1)
    return person


def sign_by_password(signer: User, password: str) -> None:
    """The signature of a page, for programs. Raises BadInput that says what is wrong with the password."""
    form = SignatureForm({"password": password}, signer=signer)
    if not form.is_valid():
        raise BadInput(fields={"password": " ".join(map(str, form.errors["password"]))})
