"""How forms look and what they accept everywhere: our templates, numbers with comma or point, days, grams."""

import base64
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator
from django.forms.renderers import TemplatesSetting
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

MINUSES = str.maketrans({"\u2212": "-", "\u2013": "-"})


class RegistryRenderer(TemplatesSetting):
    """Draws forms by templates/django/forms: summary on top, label above, hint below, error beside."""

    form_template_name = "django/forms/div.html"
    field_template_name = "django/forms/field.html"


def read_number(text: str) -> Decimal:
    """A number as people and scales type it: comma or point, spaces between thousands. Raises InvalidOperation.

    "1 234,5" and "1 234.5" are one number. A sign of another kind, an exponent or a letter is refused.
    """
    tidy = "".join(text.split()).translate(MINUSES).replace(",", ".")
    if not tidy.removeprefix("-").removeprefix("+").replace(".", "", 1).isdecimal():
        raise InvalidOperation
    return Decimal(tidy)


def read_grams(text: str) -> int:
    """Whole grams as people and scales type them: "215", "1 215,0". Raises ValueError."""
    try:
        number = read_number(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if number != number.to_integral_value():
        raise ValueError(text)
    return int(number)


class NumberText(forms.TextInput):
    """A text field with a number keyboard: unlike a number field, it takes a comma in every browser."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, int | Decimal):
            return number_format(value, use_l10n=True, force_grouping=False).replace("\u00a0", "")
        return super().format_value(value)


class DayInput(forms.DateInput):
    """The browser's own calendar; what it sends and shows is always year-month-day inside."""

    input_type = "date"

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs=dict(attrs or {}), format="%Y-%m-%d")


class DayField(forms.DateField):
    """A calendar day; accepts what a date field sends and 31.12.2026 typed by hand."""

    widget = DayInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d.%m.%Y"])
        super().__init__(**kwargs)


class MomentField(forms.DateTimeField):
    """A day and a time of Almaty, by the browser's own calendar; accepts 31.12.2026 14:30 typed by hand too."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"])
        widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        kwargs.setdefault("widget", widget)
        super().__init__(**kwargs)


class DecimalCommaField(forms.DecimalField):
    """A decimal number typed with comma or point. `unit` is shown inside the field."""

    widget = NumberText

    def __init__(self, *, unit: str = "", **kwargs: Any) -> None:
        self.unit = unit
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs = forms.Field.widget_attrs(self, widget)
        return {**attrs, "data-unit": self.unit} if self.unit else attrs

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, str):
            try:
                return read_number(value)
            except InvalidOperation:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        return super().to_python(value)


class GramsField(DecimalCommaField):
    """Whole grams, as an int. "215", "215,0" and "1 215" are taken; a part of a gram is refused."""

    default_error_messages = {"whole": _("Enter whole grams, without a fraction.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("unit", _("g"))
        kwargs.setdefault("min_value", 0)
        super().__init__(**kwargs)
        self.validators = _without_places(self.validators)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "numeric", **super().widget_attrs(widget)}

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise ValidationError(self.error_messages["whole"], code="whole")
        return int(number)

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)


class KilogramsField(DecimalCommaField):
    """Kilograms typed with up to three places, kept as whole grams (int): "12,345" is 12345. Bounds are in grams."""

    default_error_messages = {"precise": _("Enter kilograms with at most three places after the comma.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("unit", _("kg"))
        kwargs.setdefault("min_value", 0)
        super().__init__(**kwargs)
        self.validators = _without_places(self.validators)

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        if number is None:
            return None
        if number * 1000 != (number * 1000).to_integral_value():
            raise ValidationError(self.error_messages["precise"], code="precise")
        return int(number * 1000)

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)

    def prepare_value(self, value: Any) -> Any:
        return Decimal(value) / 1000 if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class LatitudeField(DecimalCommaField):
    """Degrees north, from the equator to the pole."""

    bound = 90

    def __init__(self, **kwargs: Any) -> None:
        bounds = {"min_value": -self.bound, "max_value": self.bound, "decimal_places": 6}
        super().__init__(**{"unit": "°", "max_digits": 9, **bounds, **kwargs})


class LongitudeField(LatitudeField):
    """Degrees east of Greenwich."""

    bound = 180


def _without_places(validators: list[Any]) -> list[Any]:
    """Whole grams have no places after the comma to count."""
    return [check for check in validators if not isinstance(check, DecimalValidator)]


MAX_SIGNATURE_BYTES = 200_000
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


class SignaturePad(forms.TextInput):
    """A field to sign in by finger, pen or mouse (static/js/signature.js); without script it is not there at all."""

    template_name = "django/forms/widgets/signature.html"
    # Not "hidden": its label and its field are drawn like those of any other.
    input_type = "signature"


class SignatureField(forms.CharField):
    """A signature drawn on the screen, as the bytes of a PNG; None when nothing was drawn."""

    widget = SignaturePad
    default_error_messages = {"unreadable": _("The drawn signature could not be read. Draw it again.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Signature on the screen"))
        kwargs.setdefault("required", False)
        kwargs.setdefault("help_text", _("With a finger, a pen or the mouse. Your password signs too."))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        head, comma, body = text.partition(",")
        try:
            content = base64.b64decode(body, validate=True) if head == "data:image/png;base64" and comma else b""
        except ValueError:
            content = b""
        if not content.startswith(_PNG_HEAD) or len(content) > MAX_SIGNATURE_BYTES:
            raise ValidationError(self.error_messages["unreadable"], code="unreadable")
        return content
