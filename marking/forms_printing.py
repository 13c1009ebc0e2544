"""Shapes of printers, calibration and label sizes as people enter them."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.forms import DecimalCommaField
from marking.labels import CHOOSABLE
from marking.labels.calibration import Due
from marking.models import OwnStock, Printer, Symbols
from marking.models.printing import RESOLUTIONS
from marking.services.printers import Measured, PrinterShape
from marking.services.stocks import StockShape
from marking.words import FIELDS

SIZE: dict[str, Any] = {"decimal_places": 2, "max_digits": 5, "unit": _("mm")}


def _own_organisations(user: User) -> Any:
    return Organisation.objects.filter(pk__in=user.organisation_ids(Can.PRINT_LABELS)).order_by("pk")


class PrinterForm(forms.Form):
    """A printer."""

    organisation = forms.ModelChoiceField(label=_("Organisation"), queryset=Organisation.objects.none())
    name = forms.CharField(
        label=_("Name of the printer"), max_length=60, help_text=_("As people call it, with its place: Zebra, room 4.")
    )
    language = forms.ChoiceField(
        label=_("What it understands"), choices=Printer.Language.choices, widget=forms.RadioSelect
    )
    dpi = forms.TypedChoiceField(
        label=_("Resolution of the printer"), choices=RESOLUTIONS, coerce=int, help_text=_("It stands on its plate.")
    )
    zpl_way = forms.ChoiceField(
        label=_("How labels are sent to a ZPL printer"),
        choices=Printer.ZplWay.choices,
        widget=forms.RadioSelect,
        required=False,
        help_text=_("Pictures are larger, but look the same on every printer."),
    )

    def __init__(self, *args: Any, user: User, printer: Printer | None = None, **kwargs: Any) -> None:
        first = {"language": Printer.Language.PDF, "dpi": 300, "zpl_way": Printer.ZplWay.COMMANDS}
        if printer is not None:
            first = {name: getattr(printer, name) for name in ("name", "language", "dpi", "zpl_way")}
        kwargs["initial"] = first
        super().__init__(*args, **kwargs)
        own = _own_organisations(user)
        choice = self.fields["organisation"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101  narrows the type
        choice.queryset, choice.initial = own, own.first()
        if printer is not None:
            del self.fields["organisation"]

    def shape(self) -> PrinterShape:
        """What was entered; only after is_valid()."""
        said = self.cleaned_data
        way = said["zpl_way"] or Printer.ZplWay.COMMANDS
        return PrinterShape(name=said["name"], language=said["language"], dpi=said["dpi"], zpl_way=way)


class MeasuredForm(forms.Form):
    """What was measured on a calibration page."""

    left = DecimalCommaField(label=_("From the left edge of the paper to the cross"), min_value=Decimal(0), **SIZE)
    top = DecimalCommaField(label=_("From the upper edge of the paper to the cross"), min_value=Decimal(0), **SIZE)
    ruler_x = DecimalCommaField(label=_("Length of the ruler across"), min_value=Decimal(1), **SIZE)
    ruler_y = DecimalCommaField(label=_("Length of the ruler downwards"), min_value=Decimal(1), **SIZE)

    def __init__(self, *args: Any, due: Due, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._due = due
        for name, right in (("left", due.left), ("top", due.top), ("ruler_x", due.x), ("ruler_y", due.y)):
            self.fields[name].help_text = _("Should be %(count)d mm.") % {"count": right}

    def measured(self) -> Measured:
        """What was measured beside what was due; only after is_valid()."""
        due = self._due
        return Measured(
            **self.cleaned_data,
            due_left=Decimal(due.left),
            due_top=Decimal(due.top),
            due_x=Decimal(due.x),
            due_y=Decimal(due.y),
        )


class StockForm(forms.Form):
    """A label that is bought by the person's organisation, in millimetres."""

    organisation = forms.ModelChoiceField(label=_("Organisation"), queryset=Organisation.objects.none())
    name = forms.CharField(label=_("Name of the label"), max_length=60, help_text=_("As on its packing."))
    label_width = DecimalCommaField(label=_("Width of a label"), **SIZE)
    label_height = DecimalCommaField(label=_("Height of a label"), **SIZE)
    page_width = DecimalCommaField(
        label=_("Width of the page"), **SIZE, help_text=_("Of a roll: as wide as its labels in a row.")
    )
    page_height = DecimalCommaField(
        label=_("Height of the page"), **SIZE, help_text=_("Of a roll: as high as one label.")
    )
    columns = forms.IntegerField(label=_("Labels in a row"), min_value=1, max_value=20, initial=1)
    rows = forms.IntegerField(label=_("Rows on a page"), min_value=1, max_value=60, initial=1)
    margin_left = DecimalCommaField(label=_("Left margin of the page"), initial=0, **SIZE)
    margin_top = DecimalCommaField(label=_("Upper margin of the page"), initial=0, **SIZE)
    pitch_x = DecimalCommaField(
        label=_("From one label to the next, across"), required=False, **SIZE, help_text=_("Left edge to left edge.")
    )
    pitch_y = DecimalCommaField(
        label=_("From one label to the next, downwards"),
        required=False,
        **SIZE,
        help_text=_("Upper edge to upper edge."),
    )
    inset = DecimalCommaField(
        label=_("Kept free along the edges"), initial=Decimal("1.5"), min_value=Decimal(0), max_value=20, **SIZE
    )
    symbols = forms.ChoiceField(label=_("Symbols"), choices=Symbols.choices, widget=forms.RadioSelect)
    symbol = DecimalCommaField(
        label=_("Side of the symbol with its white edge"), initial=18, **SIZE, help_text=_("18 mm is good for phones.")
    )
    short = forms.BooleanField(
        label=_("The code alone in the symbol: small, but it cannot be checked without network"), required=False
    )
    shown = forms.MultipleChoiceField(
        label=_("What is written beside the code"),
        choices=[(field, FIELDS[field]) for field in CHOOSABLE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=list(CHOOSABLE),
    )
    dpi = forms.TypedChoiceField(label=_("Resolution of the printer"), choices=RESOLUTIONS, coerce=int, initial=300)

    def __init__(self, *args: Any, user: User, former: OwnStock | None = None, **kwargs: Any) -> None:
        first: dict[str, Any] = {"symbols": Symbols.QR}
        if former is not None:
            names = (*OwnStock.GEOMETRY, "name", "columns", "rows", "symbols", "short", "dpi")
            first = {name: getattr(former, name) for name in names} | {"shown": former.fields}
        kwargs["initial"] = first
        super().__init__(*args, **kwargs)
        own = _own_organisations(user)
        choice = self.fields["organisation"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101  narrows the type
        choice.queryset, choice.initial = own, own.first()
        if former is not None:
            del self.fields["organisation"]

    def shape(self) -> StockShape:
        """What was entered; only after is_valid()."""
        said = {name: value for name, value in self.cleaned_data.items() if name not in ("organisation", "shown")}
        for pitch in ("pitch_x", "pitch_y"):
            said[pitch] = said[pitch] or Decimal()
        return StockShape(**said, fields=self.cleaned_data["shown"])
