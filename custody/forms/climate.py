"""The forms of a store's log."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.base.clock import ALMATY
from core.base.forms import DecimalCommaField, NumberText


class ReadingForm(forms.Form):
    """What the thermometer and the hygrometer say now, or said at a moment of today."""

    temperature = DecimalCommaField(
        label=_("Temperature"), unit="°C", required=False, min_value=-90, max_value=90, decimal_places=1
    )
    humidity = DecimalCommaField(
        label=_("Relative humidity"), unit="%", required=False, min_value=0, max_value=100, decimal_places=1
    )
    at = forms.DateTimeField(
        label=_("When"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M"],
        help_text=_("Empty: now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_at(self) -> datetime | None:
        given: datetime | None = self.cleaned_data["at"]
        return given if given is None or given.tzinfo else given.replace(tzinfo=ALMATY)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and cleaned.get("temperature") is None and cleaned.get("humidity") is None:
            self.add_error("temperature", _("Enter the temperature, the humidity, or both."))
        return cleaned

    def tenths(self, name: str) -> int | None:
        value: Decimal | None = self.cleaned_data[name]
        return None if value is None else int(value * 10)


class WatchForm(forms.Form):
    """How long the sensors may keep silent."""

    minutes = forms.IntegerField(
        label=_("Tell when the sensors are silent for"),
        required=False,
        min_value=5,
        max_value=10_080,
        widget=NumberText({"inputmode": "numeric", "data-unit": _("min")}),
        help_text=_("Empty: nobody is told."),
    )
