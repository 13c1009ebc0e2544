"""Deciding what could not be entered, and revoking a phone."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from marking.models import FieldRecord
from registry.models import Intake, Origin, Term
from registry.selectors import stores_for_intake

WHY = {"rows": 2}


class EnterForm(forms.Form):
    """Where a row goes, and with which label. What is left as it is stays as it was sent."""

    intake = forms.ModelChoiceField(
        label=_("Reception"), queryset=Intake.objects.none(), required=False, empty_label=_("As it was sent")
    )
    label = forms.CharField(
        label=_("Blank label"),
        required=False,
        max_length=500,
        help_text=_("Empty: the row is entered without a label, and gets a new mark."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    confirm_foreign = forms.BooleanField(label=_("The label of another office is right"), required=False)

    def __init__(self, *args: Any, reader: User, kept: FieldRecord, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kept.act != FieldRecord.Act.ROW:
            self.fields.clear()
            return
        own = stores_for_intake(reader, Origin.REMOVAL) | stores_for_intake(reader, Origin.SEIZURE)
        field: Any = self.fields["intake"]
        field.queryset = (
            Intake.objects.visible_to(reader).open().filter(term=Term.HORN, store__in=own.values("pk")).order_by("-pk")
        )
        self.fields["label"].initial = kept.payload.get("label", "")

    def chosen(self) -> dict[str, Any]:
        """As the service takes it; nothing for an act that is no row."""
        if not self.fields:
            return {}
        said = self.cleaned_data
        return {
            "intake": said["intake"].pk if said["intake"] else None,
            "label": said["label"],
            "confirm_foreign": said["confirm_foreign"],
        }


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200, widget=forms.Textarea(attrs=WHY))
