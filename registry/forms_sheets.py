"""The daily sheet as it is typed: few fields, in the order in which they are called out."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.forms import DayField, NumberText
from ledger.models import AccountKind, CustodyAccount
from registry.forms import BrigadeField, PermitField
from registry.models import Brigade, DailySheet, Intake, RemovalPermit, SlaughterPoint
from registry.selectors import brigades_for_intake, permits_for_intake
from registry.services.opening import MOST_ANIMALS
from registry.services.sheets import Delivered

PLACES = 4  # places that carcasses of one day go to, at most


def _head_count(label: Any, **more: Any) -> forms.IntegerField:
    widget = NumberText({"inputmode": "numeric", "data-unit": more.pop("unit", _("head"))})
    return forms.IntegerField(label=label, min_value=0, max_value=MOST_ANIMALS, widget=widget, **more)


def places_for(regions: Iterable[str]) -> dict[str, CustodyAccount | SlaughterPoint]:
    """Where carcasses of these regions may go, by the value of the field: reception points, then slaughter points."""
    codes = list(regions)
    stores = CustodyAccount.objects.filter(
        kind=AccountKind.STORE, is_reception_point=True, is_active=True, region__in=codes
    ).order_by("region", "code")
    points = SlaughterPoint.objects.filter(is_active=True).order_by("region", "pk")
    found: dict[str, CustodyAccount | SlaughterPoint] = {f"store-{store.pk}": store for store in stores}
    return found | {f"point-{point.pk}": point for point in points}


class FiguresForm(forms.Form):
    """What was taken, cut and delivered."""

    males = _head_count(_("Males"))
    females = _head_count(_("Females"))
    young = _head_count(_("Young"))
    horns_cut = _head_count(_("Horns cut"), unit=_("pcs"))
    unusable = _head_count(
        _("Unusable, not delivered"), required=False, help_text=_("Lost, spoiled or left for an expert's opinion.")
    )
    note = forms.CharField(label=_("Note"), max_length=2000, required=False, widget=forms.Textarea({"rows": 2}))
    confirm = forms.BooleanField(label=_("The paper has these figures"), required=False)

    def __init__(self, *args: Any, regions: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = places_for(regions)
        choices = [("", "—"), *((key, place.name) for key, place in self._places.items())]
        for number in range(PLACES):
            self.fields[f"place_{number}"] = forms.ChoiceField(label=_("Carcasses to"), choices=choices, required=False)
            self.fields[f"carcasses_{number}"] = _head_count(_("Carcasses"), required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for number in range(PLACES):
            place, carcasses = given.get(f"place_{number}"), given.get(f"carcasses_{number}")
            if carcasses and not place and f"place_{number}" not in self.errors:
                self.add_error(f"place_{number}", _("Say where the carcasses went."))
        return given

    def facts(self) -> dict[str, Any]:
        """The figures as the services take them."""
        names = ("males", "females", "young", "horns_cut", "note", "confirm")
        given = {name: self.cleaned_data[name] for name in names}
        return given | {"unusable": self.cleaned_data["unusable"] or 0, "deliveries": self._deliveries()}

    def _deliveries(self) -> list[Delivered]:
        lines = []
        for number in range(PLACES):
            place, carcasses = self.cleaned_data[f"place_{number}"], self.cleaned_data[f"carcasses_{number}"]
            if place and carcasses:
                lines.append(Delivered(self._places[place], carcasses))
        return lines

    @property
    def deliveries(self) -> list[tuple[Any, Any]]:
        """The pairs of fields, one for each place."""
        return [(self[f"place_{number}"], self[f"carcasses_{number}"]) for number in range(PLACES)]

    @property
    def is_asked(self) -> bool:
        """Whether the figures were asked about."""
        return bool(self["confirm"].errors or self["confirm"].value())

    @property
    def has_more_places(self) -> bool:
        """Whether more than the first place is filled in."""
        return any(self[f"carcasses_{number}"].value() for number in range(1, PLACES))


class DailySheetForm(FiguresForm):
    """A new sheet: who, under which permit, on which day."""

    permit = PermitField(label=_("Removal permit"), queryset=RemovalPermit.objects.none(), empty_label=None)
    brigade = BrigadeField(label=_("Brigade"), queryset=Brigade.objects.none(), empty_label=_("Choose"))
    on = DayField(label=_("Day"))

    def __init__(self, *args: Any, user: User, today: date, intake: Intake | None = None, **kwargs: Any) -> None:
        """Begins with what the person chose last, or with what a reception without a sheet has counted."""
        kwargs["initial"] = _remembered(user) | {"on": today} if intake is None else _counted(intake)
        super().__init__(*args, regions=user.region_codes(Can.OPEN_INTAKE), **kwargs)
        self.fields["permit"].queryset = permits_for_intake(user, today)  # type: ignore[attr-defined]
        self.fields["brigade"].queryset = brigades_for_intake(user, today)  # type: ignore[attr-defined]
        self.fields["males" if self.initial.get("brigade") else "brigade"].widget.attrs["autofocus"] = True

    def facts(self) -> dict[str, Any]:
        return super().facts() | {name: self.cleaned_data[name] for name in ("permit", "brigade", "on")}


class CorrectionForm(FiguresForm):
    """An open sheet: its figures change, its brigade, permit and day do not."""

    def __init__(self, *args: Any, sheet: DailySheet, **kwargs: Any) -> None:
        initial: dict[str, Any] = {
            name: getattr(sheet, name) for name in ("males", "females", "young", "horns_cut", "unusable", "note")
        }
        for number, line in enumerate(sheet.deliveries.all()[:PLACES]):
            initial[f"place_{number}"] = (
                f"store-{line.store_id}" if line.store_id else f"point-{line.slaughter_point_id}"
            )
            initial[f"carcasses_{number}"] = line.carcasses
        super().__init__(*args, regions=[sheet.permit.region_id], initial=initial, **kwargs)
        self.fields["males"].widget.attrs["autofocus"] = True


def _remembered(user: User) -> dict[str, Any]:
    last = DailySheet.objects.filter(entered_by=user).prefetch_related("deliveries").order_by("-pk").first()
    if last is None:
        return {}
    went = next((line.store_id for line in last.deliveries.all() if line.store_id), None)
    return {"permit": last.permit_id, "brigade": last.brigade_id, "place_0": f"store-{went}" if went else ""}


def _counted(intake: Intake) -> dict[str, Any]:
    names = ("males", "females", "young")
    papers = {"permit": intake.permit_id, "brigade": intake.brigade_id, "on": intake.on}
    places = {"place_0": f"store-{intake.store_id}", "carcasses_0": intake.carcasses}
    return {name: getattr(intake, name) for name in names} | papers | places
