"""Shapes of what people enter about loss and destruction."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.errors import DomainError
from core.base.forms import DayField, GramsField, KilogramsField, SignatureField
from custody.missing import lines_of_found, read_found
from custody.models import DestructionOrder, LossLine, LossReport
from custody.services.destruction import places_to_destroy_in
from custody.services.loss import Found, declared_missing, is_searched_for, places_for_found
from ledger.models import AccountKind, CustodyAccount


class StoreField(forms.ModelChoiceField):
    """A place by its name and code."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.code}"


def _items(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=500_000,
        widget=forms.Textarea({"rows": 4, "class": "form-control code"}),
        **more,
    )


_HOW = _("Numbers KZ…, marks or boxes, separated by blanks or lines. A scanner can type them.")


def _why(label: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=500, widget=forms.Textarea({"rows": 2}))


class LossForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What happened"),
        choices=[(kind.value, kind.label) for kind in (LossReport.Kind.LOSS, LossReport.Kind.THEFT)],
        widget=forms.RadioSelect,
        required=False,
    )
    items = _items(_("Missing items"), help_text=_HOW)
    source = forms.CharField(
        label=_("Or whatever is missing of"),
        max_length=20,
        required=False,
        help_text=_("Number of a hand-over (HO…) or a stock-take (SK…)."),
    )
    place = forms.CharField(
        label=_("Where"), max_length=200, help_text=_("Building, room and shelf, or the stretch of the road.")
    )
    last_seen_on = DayField(label=_("Last seen on"))
    noticed_on = DayField(label=_("Noticed on"))
    how_found = forms.CharField(
        label=_("How it was noticed"),
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Who noticed it, and by what: a count, a broken seal, an open door."),
    )
    circumstances = forms.CharField(
        label=_("Circumstances"),
        max_length=4000,
        widget=forms.Textarea({"rows": 4}),
        help_text=_("What is known: who had access, what stood open, what else is missing."),
    )
    told = forms.CharField(label=_("Who was told"), max_length=400, help_text=_("Name, post and office, and when."))
    police_number = forms.CharField(
        label=_("Number of the report to the police"),
        max_length=60,
        required=False,
        help_text=_("It can be added later."),
    )

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"] or LossReport.Kind.LOSS
        return kind


class PoliceForm(forms.Form):
    police_number = forms.CharField(label=_("Number of the report to the police"), max_length=60)


class WriteOffForm(forms.Form):
    items = _items(_("Only these items"), help_text=_("Empty: everything that is still missing."))
    reason = forms.CharField(label=_("Reason"), max_length=4000, widget=forms.Textarea({"rows": 4}))

    no_police_reason = _why(_("Why the police were not told"))
    early_reason = _why(_("Why the search ends early"))

    def __init__(self, *args: Any, report: LossReport, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if report.police_number:
            del self.fields["no_police_reason"]
        if not is_searched_for(report, at):
            del self.fields["early_reason"]
        else:
            self.fields["early_reason"].help_text = _("The rule asks to search until %(day)s.") % {
                "day": f"{report.search_until:%d.%m.%Y}"
            }


class RecoveryForm(forms.Form):
    items = _items(_("Only these items"), help_text=_("Empty: everything that is still missing."))
    reason = forms.CharField(label=_("Reason"), max_length=4000, widget=forms.Textarea({"rows": 4}))
    target = StoreField(label=_("Where they are now"), queryset=CustodyAccount.objects.none(), empty_label=_("Choose"))
    found = _items(
        _("Marks and masses of what was found"),
        help_text=_("Scan the mark of each item, then a blank and its grams; one item a line."),
    )

    def __init__(self, *args: Any, user: User, report: LossReport, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.fields["target"].queryset = places_for_found(report)  # type: ignore[attr-defined]
        if report.account.kind != AccountKind.TRANSIT:
            self.initial["target"] = report.account_id
        missing = report.lines.filter(outcome=LossLine.Outcome.OPEN).values_list("item_id", flat=True)
        if not declared_missing(report, missing):
            del self.fields["found"]

    def clean_found(self) -> dict[int, Found]:
        try:
            return read_found(lines_of_found(self.cleaned_data["found"]), person=self._user)
        except DomainError as refusal:
            said = refusal.fields.values() or [refusal.message]
            raise forms.ValidationError([str(text) for text in said]) from refusal


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea({"rows": 3}))


class OrderForm(forms.Form):
    store = StoreField(label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=_("Choose"))
    basis = forms.ChoiceField(label=_("Basis"), choices=DestructionOrder.Basis.choices, widget=forms.RadioSelect)
    basis_paper = forms.CharField(
        label=_("Paper of the basis"), max_length=200, help_text=_("Number and date of the decision or the act.")
    )
    basis_file = forms.FileField(
        label=_("Document of the basis"),
        required=False,
        help_text=_("PDF or photo. Needed for everything that no court ordered to be destroyed."),
        widget=forms.FileInput({"accept": "application/pdf,image/jpeg,image/png,image/webp"}),
    )
    planned_on = DayField(label=_("Planned for"))
    items = _items(_("Items"), help_text=_HOW)
    all_of_court = forms.BooleanField(
        label=_("Everything in this store that a court ordered to be destroyed"), required=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = places_to_destroy_in(user).order_by("code")  # type: ignore[attr-defined]


class GoodsForm(forms.Form):
    items = _items(_("Items"), help_text=_HOW)


class MemberForm(forms.Form):
    """One of the register by the user name, or a witness by name."""

    username = forms.CharField(
        label=_("User name of a person of the register"),
        max_length=150,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "list": "people"}),
    )
    full_name = forms.CharField(label=_("Or full name of an invited witness"), max_length=200, required=False)
    identity = forms.CharField(
        label=_("IIN or identity document of the witness"),
        max_length=60,
        required=False,
        help_text=_("A witness signs beside the persons of the register, not instead of one."),
    )
    post = forms.CharField(label=_("Post and organisation"), max_length=200)


class CloseForm(forms.Form):
    place = forms.CharField(label=_("Place of the destruction"), max_length=200)
    method = forms.CharField(label=_("Method"), max_length=200, help_text=_("Such as: burned in a furnace."))
    mass_before_g = KilogramsField(label=_("Mass before, weighed together"))
    mass_after_g = KilogramsField(label=_("Mass of the remains"))
    mass_reason = forms.CharField(
        label=_("Why the mass differs from the register"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Only where it differs by more than the rule tolerates."),
    )


class WeighForm(forms.Form):
    """One item at the act, by its number or mark, and what it weighs."""

    item = forms.CharField(
        label=_("Number or mark"), max_length=400, widget=forms.TextInput({"class": "form-control code"})
    )
    weighed_g = GramsField(label=_("Mass now"))
    is_confirmed = forms.BooleanField(label=_("The mass was read again and is right"), required=False)
    mass_reason = forms.CharField(
        label=_("Why the mass differs from the register"),
        max_length=300,
        required=False,
        help_text=_("For this item. The reason and both masses stand in the act."),
    )


class WitnessForm(forms.Form):
    """A witness signs by hand; the member who takes the signature is named in the journal."""

    signature = SignatureField(label=_("Signature of the witness"), required=True)
