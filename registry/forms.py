"""Shapes of what people enter about intakes and cases."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.base.forms import DayField, NumberText
from ledger.models import CustodyAccount
from registry.models import Brigade, Intake, Origin, RemovalPermit
from registry.selectors import brigades_for_intake, last_removal_intake, permits_for_intake, stores_for_intake
from registry.services.opening import MOST_ANIMALS


class StoreField(forms.ModelChoiceField):
    """A place by its name and code."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.code}"


class PermitField(forms.ModelChoiceField):
    """A removal permit by its number and all that follows from it."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.number} · {obj.season.name} · {obj.get_population_display()} · {obj.region.name}"


class BrigadeField(forms.ModelChoiceField):
    """A brigade by its name and contract, with the season and region it works in."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.contract_number}) · {obj.region.name}, {obj.season.name}"


def _head_count(label: Any) -> forms.IntegerField:
    widget = NumberText({"inputmode": "numeric", "data-unit": _("head")})
    return forms.IntegerField(label=label, min_value=0, max_value=MOST_ANIMALS, widget=widget)


class RemovalForm(forms.Form):
    """What one brigade brought on one day. Season, population and region follow from the permit."""

    store = StoreField(label=_("Reception point"), queryset=CustodyAccount.objects.none(), empty_label=None)
    permit = PermitField(
        label=_("Removal permit"),
        queryset=RemovalPermit.objects.none(),
        empty_label=None,
        help_text=_("Season, population and region follow from it."),
    )
    brigade = BrigadeField(label=_("Brigade"), queryset=Brigade.objects.none(), empty_label=_("Choose"))
    on = DayField(label=_("Day"))
    males = _head_count(_("Males"))
    females = _head_count(_("Females"))
    young = _head_count(_("Young"))
    carcasses = _head_count(_("Carcasses delivered"))

    def __init__(self, *args: Any, user: User, today: date, intake: Intake | None = None, **kwargs: Any) -> None:
        """With an `intake` the form corrects it; otherwise it begins with what the person chose last."""
        if intake is None:
            kwargs["initial"] = _remembered(user) | {"on": today}
        else:
            kwargs["initial"] = {name: getattr(intake, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)
        self.fields["permit"].queryset = permits_for_intake(user, today)  # type: ignore[attr-defined]
        self.fields["brigade"].queryset = brigades_for_intake(user, today)  # type: ignore[attr-defined]
        if intake is None:
            self.fields["store"].queryset = stores_for_intake(user, Origin.REMOVAL)  # type: ignore[attr-defined]
        else:
            del self.fields["store"]
        begin_at = "males" if self.initial.get("brigade") else "brigade"
        self.fields[begin_at].widget.attrs["autofocus"] = True


def _remembered(user: User) -> dict[str, Any]:
    last = last_removal_intake(user)
    return {} if last is None else {"store": last.store_id, "permit": last.permit_id, "brigade": last.brigade_id}


class KnownCaseForm(forms.Form):
    """Goods of a case that is in the register already."""

    store = StoreField(label=_("Evidence room"), queryset=CustodyAccount.objects.none(), empty_label=None)
    on = DayField(label=_("Day they came into the room"))

    def __init__(self, *args: Any, user: User, today: date, **kwargs: Any) -> None:
        kwargs["initial"] = {"on": today, "seized_on": today, "protocol_on": today}
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores_for_intake(user, Origin.SEIZURE)  # type: ignore[attr-defined]


class SeizureForm(KnownCaseForm):
    """Goods of a seizure, with what its protocol says."""

    protocol_number = forms.CharField(
        label=_("Number of the seizure protocol"), max_length=60, widget=forms.TextInput({"autofocus": True})
    )
    erdr_number = forms.CharField(
        label=_("ERDR number"),
        max_length=30,
        required=False,
        help_text=_("Of the Unified Register of Pre-Trial Investigations. It can be added later."),
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "numeric"}),
    )
    agency = forms.ModelChoiceField(
        label=_("Agency that seized"),
        empty_label=_("Choose"),
        queryset=Organisation.objects.active().filter(kind__in=Organisation.STATE_BODIES).order_by("kind", "pk"),
    )
    place = forms.CharField(
        label=_("Place of the seizure"), max_length=200, help_text=_("District, village, road and kilometre.")
    )
    seized_on = DayField(label=_("Day of the seizure"))
    protocol_on = DayField(label=_("Date of the protocol"))

    field_order = ("protocol_number", "erdr_number", "agency", "place", "seized_on", "protocol_on", "store", "on")


class ReasonForm(forms.Form):
    """Why something is given up."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea({"rows": 3}))


class SheetFileForm(forms.Form):
    """A table file with weighed horns."""

    file = forms.FileField(
        label=_("Table file"),
        help_text=_("CSV or XLSX, at most 20 MB and 200,000 rows."),
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.xlsx"}),
        allow_empty_file=True,
    )
