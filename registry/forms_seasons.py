"""Forms for the papers of a season."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region
from core.base.forms import DayField, NumberText
from core.base.templatetags import fmt
from registry.models import Population, RemovalLimit, Season, Sex
from registry.services.papers import Limit

WIDE = {"autocomplete": "off"}
LINES = 4  # limits that a decision's form offers at first
MOST_LINES = 60


def _animals(label: Any, *, required: bool = True) -> forms.IntegerField:
    widget = NumberText({"inputmode": "numeric", "data-unit": _("head")})
    return forms.IntegerField(label=label, min_value=1, max_value=10_000_000, required=required, widget=widget)


class SeasonForm(forms.Form):
    name_kk = forms.CharField(label=_("Name in Kazakh"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_en = forms.CharField(label=_("Name in English"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    starts_on = DayField(label=_("First day"))
    ends_on = DayField(label=_("Last day"))


class DecisionForm(forms.Form):
    """The head of a decision on regulation; its limits are lines below."""

    number = forms.CharField(label=_("Number"), max_length=40, widget=forms.TextInput(attrs=WIDE))
    decided_on = DayField(label=_("Date"))
    title = forms.CharField(label=_("Title"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    legal_basis = forms.CharField(
        label=_("Legal basis"), max_length=300, help_text=_("The article of the law or order it rests on.")
    )
    basis_by = forms.CharField(
        label=_("Biological justification by"), max_length=200, help_text=_("The scientific body that made it.")
    )
    basis_number = forms.CharField(label=_("Number of the justification"), max_length=60)
    basis_on = DayField(label=_("Date of the justification"))

    field_order = ("number", "decided_on", "title", "legal_basis", "basis_by", "basis_number", "basis_on")


class LineForm(forms.Form):
    """One limit of a decision. A line without a number of animals is no line."""

    use_required_attribute = False
    population = forms.ChoiceField(label=_("Population"), choices=Population.choices)
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.all(), required=False)
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices)
    animals = _animals(_("Animals at most"), required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("animals") and not given.get("region") and "region" not in self.errors:
            self.add_error("region", _("Say in which region."))
        if given.get("region") and not given.get("animals") and "animals" not in self.errors:
            self.add_error("animals", _("Say how many animals may be removed."))
        return given

    def limit(self) -> Limit | None:
        """The line as the service takes it; None for an empty one."""
        given = self.cleaned_data
        if not given.get("animals"):
            return None
        return Limit(Population(given["population"]), given["region"], given["animals"], Sex(given["sex"]))


def line_forms(data: Mapping[str, Any] | None, *, count: int = LINES) -> list[LineForm]:
    """Lines of a decision's form: as many as were sent, or `count` empty ones."""
    if data is not None:
        sent = [key.split("-")[1] for key in data if key.startswith("line-") and key.endswith("-animals")]
        count = max((int(number) + 1 for number in sent if number.isdecimal() and len(number) < 4), default=count)
    forms_of_lines = [LineForm(data, prefix=f"line-{number}") for number in range(min(count, MOST_LINES))]
    for number, form in enumerate(forms_of_lines, start=1):
        for field in form.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}, {number}"
    return forms_of_lines


def limits_with_rest(season: Season) -> Any:
    """Lines of the season's decisions, each with `given`, what its permits let so far, and `left`."""
    given = Coalesce(Sum("permits__animals_limit", filter=Q(permits__withdrawn_at=None)), 0)
    return (
        RemovalLimit.objects.filter(decision__season=season)
        .select_related("decision", "region")
        .annotate(given=given, left=F("animals") - given)
        .order_by("decision__decided_on", "pk")
    )


class LimitField(forms.ModelChoiceField):
    """A line of a decision with all that a permit takes from it."""

    def label_from_instance(self, obj: Any) -> str:
        said = gettext("%(left)s of %(animals)s left") % {
            "left": fmt.count(obj.left),
            "animals": fmt.count(obj.animals),
        }
        parts = (obj.decision.number, obj.get_population_display(), obj.region.name, obj.get_sex_display(), said)
        return " · ".join(str(part) for part in parts)


class RemovalPermitForm(forms.Form):
    limit = LimitField(
        label=_("Under the decision"),
        queryset=RemovalLimit.objects.none(),
        empty_label=_("Choose"),
        help_text=_("Population, region and sex follow from it."),
    )
    number = forms.CharField(label=_("Number"), max_length=40, widget=forms.TextInput(attrs=WIDE))
    issued_on = DayField(label=_("Issued on"))
    holder = forms.ModelChoiceField(
        label=_("Who removes"), queryset=Organisation.objects.filter(is_active=True).order_by("name_kk")
    )
    animals_limit = _animals(_("Animals at most"))

    def __init__(self, *args: Any, season: Season, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["limit"].queryset = limits_with_rest(season)  # type: ignore[attr-defined]


class BrigadeForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs=WIDE))
    leader = forms.CharField(label=_("Leader"), max_length=150, widget=forms.TextInput(attrs=WIDE))
    members = forms.IntegerField(
        label=_("People in the brigade"),
        min_value=1,
        max_value=500,
        widget=NumberText({"inputmode": "numeric"}),
    )
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.all())
    contract_number = forms.CharField(label=_("Contract number"), max_length=40, widget=forms.TextInput(attrs=WIDE))
    contract_on = DayField(label=_("Date of the contract"))
    valid_from = DayField(label=_("Valid from"))
    valid_until = DayField(label=_("Valid until"))

    def __init__(self, *args: Any, season: Season, **kwargs: Any) -> None:
        kwargs["initial"] = {"valid_from": season.starts_on, "valid_until": season.ends_on}
        super().__init__(*args, **kwargs)


class SlaughterPointForm(forms.Form):
    name_kk = forms.CharField(label=_("Name in Kazakh"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_en = forms.CharField(label=_("Name in English"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.all())
    attestation_number = forms.CharField(label=_("Attestation number"), max_length=60)
    attested_on = DayField(label=_("Attested on"))
