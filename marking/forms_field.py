"""Deciding what could not be entered, and revoking a phone."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from marking.field_acts import ORIGIN_OF, ROW_FIELDS
from marking.models import FieldRecord
from registry.fields import CONDITIONS, SIDES
from registry.measures import MAX_LENGTH_MM, MAX_MASS_G, MAX_NOTE
from registry.models import Case, Intake, Origin, Term
from registry.selectors import stores_for_intake

WHY = {"rows": 2}


class EnterForm(forms.Form):
    """What is entered instead of what was sent. What is left as it is stays as it was sent."""

    intake = forms.ModelChoiceField(
        label=_("Reception"), queryset=Intake.objects.none(), required=False, empty_label=_("As it was sent")
    )
    case = forms.CharField(
        label=_("Case of the register"),
        required=False,
        max_length=30,
        help_text=_("Our number of the case, or its ERDR number. Empty: as it was sent."),
    )
    side = forms.ChoiceField(label=_("Side"), required=False)
    mass_g = forms.IntegerField(label=_("Mass, g"), required=False, min_value=1, max_value=MAX_MASS_G)
    length_mm = forms.IntegerField(label=_("Length, mm"), required=False, min_value=1, max_value=MAX_LENGTH_MM)
    condition = forms.ChoiceField(label=_("Condition"), required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=MAX_NOTE)
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
        self.kept = kept
        for name in set(self.fields) - set(_fields_of(kept)):
            del self.fields[name]
        if "intake" in self.fields:
            field: Any = self.fields["intake"]
            act = FieldRecord.Act(kept.act)
            origins = [ORIGIN_OF[act]] if act in ORIGIN_OF else [Origin.REMOVAL, Origin.SEIZURE]
            stores = [stores_for_intake(reader, origin).values("pk") for origin in origins]
            own = Q(store__in=stores[0]) | Q(store__in=stores[-1])
            field.queryset = Intake.objects.visible_to(reader).open().filter(own, term=Term.HORN).order_by("-pk")
            if kept.act in ORIGIN_OF:
                field.label, field.empty_label = _("It is open already as"), _("It is not open yet: open it")
        if "case" in self.fields:
            self.fields["case"].initial = _known_case(reader, kept)
        if "side" in self.fields:
            place = {"kk": 0, "ru": 1}.get((get_language() or "kk")[:2], 2)
            for name, choices in (("side", SIDES), ("condition", CONDITIONS)):
                chosen: Any = self.fields[name]
                chosen.choices = [(code, one.names[place]) for code, one in choices.items()]
            for name, value in _row_of(kept).items():
                if name in self.fields:
                    self.fields[name].initial = value
        if "label" in self.fields:
            self.fields["label"].initial = kept.payload.get("label") or ""

    def chosen(self) -> dict[str, Any]:
        """As the service takes it; what was not asked stays as it was sent."""
        said, given = self.cleaned_data, {name for name in self.fields if name in self.data}
        chosen: dict[str, Any] = {}
        if "intake" in self.fields:
            chosen["intake"] = said["intake"].pk if said["intake"] else None
        if said.get("case"):
            chosen["case"] = said["case"].strip()
        row = {name: said[name] for name in ROW_FIELDS if name in given}
        if row:
            chosen["row"] = _row_of(self.kept) | row
        if "label" in given and (said["label"] or self.kept.payload.get("label") is not None):
            chosen["label"] = said["label"]
        if said.get("confirm_foreign"):
            chosen["confirm_foreign"] = True
        return chosen


def _fields_of(kept: FieldRecord) -> tuple[str, ...]:
    act = FieldRecord.Act
    if kept.has_no_act:
        return ()
    if kept.act == act.ROW:
        return ("intake", *ROW_FIELDS, "label", "confirm_foreign")
    if kept.act == act.CORRECT_ROW:
        return () if kept.payload.get("row") is None else (*ROW_FIELDS, "label", "confirm_foreign")
    return ("intake", "case") if kept.act == act.OPEN_SEIZURE else ("intake",)


def _row_of(kept: FieldRecord) -> dict[str, Any]:
    sent = kept.payload.get("row")
    return dict(sent) if isinstance(sent, dict) else {}


def _known_case(reader: User, kept: FieldRecord) -> str:
    """The number of the case that the register has by this protocol or ERDR number already."""
    sent = kept.payload.get("case")
    if not isinstance(sent, dict):
        return ""
    by_number = Q(erdr_number=sent.get("erdr_number") or "-")
    by_protocol = Q(
        protocol_number__iexact=str(sent.get("protocol_number", "")), agency__bin=str(sent.get("agency", ""))
    )
    found = Case.objects.visible_to(reader).filter(by_number | by_protocol).order_by("-protocol_on")
    return found.values_list("number", flat=True).first() or ""


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200, widget=forms.Textarea(attrs=WHY))
