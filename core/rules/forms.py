"""Forms for drafting rules and citing what they rest on."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.base.forms import DayField, KilogramsField
from core.rules.models import LegalBasis, RuleCode
from core.rules.values import PARTS, SCOPED, Part, Sort


class DayForm(forms.Form):
    """Which day the page is about."""

    on = DayField(label=_("In force on"))


class DraftForm(forms.Form):
    """A rule of one kind: the fields of its value come from the table of values."""

    starts_on = DayField(label=_("In force from"))
    ends_on = DayField(label=_("Until, inclusive"), required=False, help_text=_("Empty: until further notice."))
    basis = forms.ModelChoiceField(label=_("Legal basis"), queryset=LegalBasis.objects.all())

    def __init__(self, *args: Any, code: RuleCode, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.code = code
        for part in PARTS[code]:
            self.fields[part.key] = _field(part)
        if code in SCOPED:
            self.fields["scope"] = forms.RegexField(
                r"^[A-Z]{3}$",
                label=_("For which kind of derivative"),
                initial="HOR",
                help_text=_("Its term code: three capital letters, such as HOR for horn."),
                widget=forms.TextInput(attrs={"class": "code", "autocapitalize": "characters", "maxlength": "3"}),
            )
        self.order_fields(["scope", *(part.key for part in PARTS[code]), "starts_on", "ends_on", "basis"])

    @property
    def rule_value(self) -> dict[str, Any]:
        """The value as the service wants it."""
        return {part.key: _plain(part, self.cleaned_data[part.key]) for part in PARTS[self.code]}


class BasisForm(forms.Form):
    title_kk = forms.CharField(label=_("Title in Kazakh"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    title_ru = forms.CharField(label=_("Title in Russian"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    title_en = forms.CharField(label=_("Title in English"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    number = forms.CharField(label=_("Number"), max_length=60, required=False)
    issued_on = DayField(label=_("Date"), required=False)
    url = forms.URLField(label=_("Address on the web"), required=False, assume_scheme="https")
    is_confirmed = forms.BooleanField(
        label=_("The text itself was read"),
        required=False,
        help_text=_("Leave it empty where the wording is known from the press or by arithmetic only."),
    )


def _field(part: Part) -> forms.Field:
    match part.sort:
        case Sort.YES_NO:
            return forms.TypedChoiceField(
                label=part.label,
                choices=[("yes", _("Yes")), ("no", _("No"))],
                coerce=lambda word: word == "yes",
                widget=forms.RadioSelect,
            )
        case Sort.TERMS:
            return forms.RegexField(
                r"^\s*([A-Z]{3}(\s*,\s*[A-Z]{3})*)?\s*$",
                label=part.label,
                required=False,
                help_text=_("Term codes with commas between them, such as HOR, MEA. Empty: none."),
                widget=forms.TextInput(attrs={"class": "code", "autocapitalize": "characters"}),
            )
        case Sort.GTIN:
            return forms.CharField(
                label=part.label,
                min_length=14,
                max_length=14,
                widget=forms.TextInput(attrs={"class": "code", "inputmode": "numeric"}),
            )
        case Sort.KILOGRAMS:
            return KilogramsField(label=part.label, max_value=part.maximum)
        case _:
            return forms.IntegerField(
                label=part.label,
                min_value=part.minimum,
                max_value=part.maximum,
                widget=forms.NumberInput(attrs={"data-unit": part.unit} if part.unit else {}),
            )


def _plain(part: Part, cleaned: Any) -> Any:
    if part.sort == Sort.TERMS:
        return [term.strip() for term in cleaned.split(",") if term.strip()]
    return cleaned
