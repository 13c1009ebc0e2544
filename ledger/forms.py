"""The form of a store."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region
from ledger.models import AccountKind

WIDE = {"autocomplete": "off"}


class StoreForm(forms.Form):
    """What a new store or evidence room is called, and who keeps it."""

    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=[(kind.value, kind.label) for kind in (AccountKind.STORE, AccountKind.EVIDENCE)],
        widget=forms.RadioSelect,
        initial=AccountKind.STORE,
    )
    custodian = forms.ModelChoiceField(
        label=_("Custodian"),
        queryset=Organisation.objects.filter(is_active=True).order_by("name_kk"),
        help_text=_("It can never be changed: another custodian gets another store."),
    )
    code = forms.RegexField(
        label=_("Code"),
        regex=r"^[A-Z0-9][A-Z0-9-]{1,18}$",
        help_text=_("Short, in capital Latin letters and digits: RP-27-3. It is printed on papers."),
        error_messages={"invalid": _("Use capital Latin letters, digits and hyphens.")},
        widget=forms.TextInput(attrs={"class": "code", **WIDE}),
    )
    name_kk = forms.CharField(label=_("Name in Kazakh"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    name_en = forms.CharField(label=_("Name in English"), max_length=200, widget=forms.TextInput(attrs=WIDE))
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.all(), required=False)
    is_reception_point = forms.BooleanField(
        label=_("Reception point"), required=False, help_text=_("Horns of brigades are taken in here.")
    )
