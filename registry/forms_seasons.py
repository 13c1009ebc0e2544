"""Forms for the papers of a season."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region
from core.base.forms import DayField
from registry.models import Population

WIDE = {"autocomplete": "off"}


class SeasonForm(forms.Form):
    name_kk = forms.CharField(label=_("Name in Kazakh"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_en = forms.CharField(label=_("Name in English"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    starts_on = DayField(label=_("First day"))
    ends_on = DayField(label=_("Last day"))


class RemovalPermitForm(forms.Form):
    number = forms.CharField(label=_("Number"), max_length=40, widget=forms.TextInput(attrs=WIDE))
    issued_on = DayField(label=_("Issued on"))
    population = forms.ChoiceField(label=_("Population"), choices=Population.choices)
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.all())
    holder = forms.ModelChoiceField(
        label=_("Who removes"), queryset=Organisation.objects.filter(is_active=True).order_by("name_kk")
    )
    animals_limit = forms.IntegerField(label=_("Animals at most"), min_value=1, max_value=10_000_000)


class BrigadeForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs=WIDE))
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.all())
    contract_number = forms.CharField(label=_("Contract number"), max_length=40, widget=forms.TextInput(attrs=WIDE))
