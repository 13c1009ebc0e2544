"""Shapes of what people enter in this room."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from marking.labels import PROFILES, suits_horns
from marking.models import LabelRun, Printer, Symbols
from marking.models.printing import RESOLUTIONS
from marking.services.orders import LabelOrder
from marking.services.stocks import stocks_of

MOST_ON_A_PAGE = 1_200
# Those that suit horns on the printers they are made for; which resolution does, the page says.
FOR_HORNS = frozenset(key for key, stock in PROFILES.items() if suits_horns(stock, "qr", stock.dpi))


class LabelOrderForm(forms.Form):
    """How to print labels."""

    profile = forms.ChoiceField(label=_("What you print on"), widget=forms.RadioSelect)
    start = forms.IntegerField(
        label=_("First free position of the sheet"),
        help_text=_("On a used sheet, counted from the top left, row by row. 1 for a new sheet and for a roll."),
        min_value=1,
        max_value=MOST_ON_A_PAGE,
        initial=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    printer = forms.TypedChoiceField(
        label=_("Printer"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("It brings its own resolution and offsets."),
    )
    form = forms.ChoiceField(label=_("Form of the file"), choices=LabelRun.Form.choices, initial=LabelRun.Form.PDF)
    dpi = forms.TypedChoiceField(
        label=_("Resolution of the printer"),
        choices=RESOLUTIONS,
        coerce=int,
        help_text=_("Where none is chosen above."),
    )
    symbols = forms.ChoiceField(label=_("Symbols"), choices=Symbols.choices, initial=Symbols.QR)
    language = forms.ChoiceField(label=_("Language of the label"), choices=settings.LANGUAGES)
    second = forms.ChoiceField(
        label=_("Second language"), choices=[("", _("None")), *settings.LANGUAGES], required=False
    )
    hidden = forms.BooleanField(
        label=_("A hidden code on each label"),
        required=False,
        help_text=_(
            "Printed below the line at the lower edge. Cover that strip with a flap or a scratch field; the first owner"
            " opens it and asks whether anybody was there before."
        ),
    )
    reason = forms.CharField(
        label=_("Why they are printed again"), required=False, max_length=200, widget=forms.TextInput
    )

    def __init__(self, *args: Any, user: User, printed_before: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        printers = Printer.objects.in_use().visible_to(user)
        self.fields["profile"].choices = [  # type: ignore[attr-defined]
            (key, _("%(label)s · for horns") % {"label": name} if key in FOR_HORNS else name)
            for key, name in stocks_of(user).items()
        ]
        self.fields["printer"].choices = [  # type: ignore[attr-defined]
            ("", _("Another one, or not known yet")),
            *((one.pk, f"{one.name} · {one.dpi} · {one.get_language_display()}") for one in printers),
        ]
        if len(self.fields["printer"].choices) == 1:  # type: ignore[attr-defined]
            del self.fields["printer"]
        # Programs and pages that were open before send fewer fields: what is not sent is as usual.
        for name in ("form", "symbols"):
            self.fields[name].required = False
        if printed_before:
            self.fields["reason"].required = True
        else:
            del self.fields["reason"]

    def order(self) -> LabelOrder:
        """What was chosen; only after is_valid()."""
        said = self.cleaned_data
        return LabelOrder(
            profile=said["profile"],
            dpi=said["dpi"],
            start=said["start"],
            language=said["language"],
            reason=said.get("reason", ""),
            second=said["second"],
            form=said["form"] or LabelRun.Form.PDF.value,
            symbols=said["symbols"] or Symbols.QR.value,
            printer=said.get("printer"),
            hidden=said["hidden"],
        )


def choices_of(order: LabelOrder) -> dict[str, object]:
    """What to begin the form with."""
    return {
        "profile": order.profile,
        "dpi": order.dpi,
        "language": order.language,
        "second": order.second,
        "form": order.form,
        "symbols": order.symbols,
        "printer": order.printer,
        "hidden": order.hidden,
    }


class RegisterForm(forms.Form):
    """The last step of a reception: what the person adds to the weighing table."""

    explanation = forms.CharField(required=False, max_length=2000)
    confirm_band = forms.BooleanField(required=False)
    band_reason = forms.CharField(required=False, max_length=2000)
    version = forms.IntegerField(required=False, min_value=0)
    print = forms.BooleanField(required=False)
    mark_asked = forms.BooleanField(required=False)
    mark = forms.BooleanField(required=False)

    def mark_wanted(self) -> bool | None:
        """Whether marks are wished; None where the page did not ask. Only after is_valid()."""
        return self.cleaned_data["mark"] if self.cleaned_data["mark_asked"] else None
