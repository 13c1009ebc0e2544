"""Forms for organisations, people, roles and API keys."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from core.accounts.granting import LONGEST_REASON
from core.accounts.models import LONGEST_TOKEN, Organisation, Region, User, validate_bin
from core.accounts.roles import DECIDING, Role
from core.accounts.services import TOKEN_DAYS
from core.accounts.signature import SignatureForm
from core.base.forms import DayField

WIDE = {"autocomplete": "off"}


class NamesForm(forms.Form):
    """What an organisation is called and what it is; the BIN is asked for only once."""

    kind = forms.ChoiceField(label=_("What it is"), choices=Organisation.Kind.choices)
    name_kk = forms.CharField(label=_("Name in Kazakh"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_en = forms.CharField(label=_("Name in English"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    region = forms.ModelChoiceField(
        label=_("Region"),
        queryset=Region.objects.all(),
        required=False,
        empty_label=_("The whole country"),
    )


class OrganisationForm(NamesForm):
    bin = forms.CharField(
        label=_("BIN"),
        min_length=12,
        max_length=12,
        validators=[validate_bin],
        help_text=_("12 digits. It can never be changed."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "code", **WIDE}),
    )

    field_order = ("bin",)


class ChangeOrganisationForm(NamesForm):
    is_active = forms.BooleanField(
        label=_("Active"), required=False, help_text=_("Nobody can act for an organisation that is not active.")
    )


class NameForm(forms.Form):
    """How a person is written in acts, and reached."""

    last_name = forms.CharField(label=_("Family name"), max_length=150, widget=forms.TextInput(attrs=WIDE))
    first_name = forms.CharField(label=_("Given name"), max_length=150, widget=forms.TextInput(attrs=WIDE))
    patronymic = forms.CharField(
        label=_("Patronymic"), max_length=150, required=False, widget=forms.TextInput(attrs=WIDE)
    )
    email = forms.EmailField(label=_("E-mail"), required=False)


class PersonForm(NameForm):
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text=_("The person signs in by it. Letters, digits and @ . + - _"),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", **WIDE}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES, initial="kk")

    field_order = ("last_name", "first_name", "patronymic", "username", "email", "language")


class AppointmentForm(SignatureForm):
    """A role for a person, signed; for a role that decides, why."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    organisation = forms.ModelChoiceField(
        label=_("Organisation"), queryset=Organisation.objects.active().order_by("kind", "name_kk")
    )
    regions = forms.ModelMultipleChoiceField(
        label=_("Regions"),
        queryset=Region.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: the region of the organisation."),
    )
    valid_from = DayField(label=_("First day"), required=False, help_text=_("Empty: from today."))
    valid_until = DayField(label=_("Until, inclusive"), required=False, help_text=_("Empty: until further notice."))
    reason = forms.CharField(
        label=_("Why"),
        max_length=LONGEST_REASON,
        required=False,
        help_text=_("For a role that decides: a second person reads it and confirms or refuses the role."),
        widget=forms.TextInput(attrs=WIDE),
    )

    field_order = ("role", "organisation", "regions", "valid_from", "valid_until", "reason", "password")

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    @property
    def asks(self) -> bool:
        """True where the role decides, so that it is asked for and not given."""
        return self.cleaned_data["role"] in DECIDING

    @property
    def given(self) -> dict[str, Any]:
        """What was entered about the role, without what the act does not take."""
        left = {"password"} if self.asks else {"password", "reason"}
        return {name: value for name, value in self.cleaned_data.items() if name not in left}


class DecideRoleForm(SignatureForm):
    """The second person's word on a role."""

    confirm = forms.TypedChoiceField(
        label=_("Decision"),
        choices=[("yes", _("Give the role")), ("no", _("Do not give it"))],
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
    )

    field_order = ("confirm", "password")


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What it is for"), max_length=100, help_text=_("For example: the scale of the reception point.")
    )
    days = forms.IntegerField(
        label=_("Valid for"),
        min_value=1,
        max_value=LONGEST_TOKEN.days,
        initial=TOKEN_DAYS,
        widget=forms.NumberInput(attrs={"data-unit": _("days")}),
    )


def person_initial(person: User) -> dict[str, str]:
    """What the form for a person's details starts with."""
    return {name: getattr(person, name) for name in ("last_name", "first_name", "patronymic", "email")}
