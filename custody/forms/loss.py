"""Shapes of what people enter about loss and destruction."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.forms import DayField, KilogramsField, SignatureField
from custody.models import DestructionOrder, LossReport
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
    place = forms.CharField(label=_("Place"), max_length=200, required=False, help_text=_("Empty: the store itself."))
    noticed_on = DayField(label=_("Noticed on"))
    circumstances = forms.CharField(label=_("Circumstances"), max_length=4000, widget=forms.Textarea({"rows": 4}))
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

    def __init__(self, *args: Any, report: LossReport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class RecoveryForm(WriteOffForm):
    target = StoreField(label=_("Where they are now"), queryset=CustodyAccount.objects.none(), empty_label=_("Choose"))

    def __init__(self, *args: Any, report: LossReport, **kwargs: Any) -> None:
        super().__init__(*args, report=report, **kwargs)
        places = CustodyAccount.objects.filter(pk=report.account_id)
        if report.account.kind == AccountKind.TRANSIT:
            places = CustodyAccount.objects.filter(kind=AccountKind.STORE, is_active=True).order_by("code")
        self.fields["target"].queryset = places  # type: ignore[attr-defined]
        if report.account.kind != AccountKind.TRANSIT:
            self.initial["target"] = report.account_id


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea({"rows": 3}))


class OrderForm(forms.Form):
    store = StoreField(label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=_("Choose"))
    basis = forms.ChoiceField(label=_("Basis"), choices=DestructionOrder.Basis.choices, widget=forms.RadioSelect)
    basis_paper = forms.CharField(
        label=_("Paper of the basis"), max_length=200, help_text=_("Number and date of the decision or the act.")
    )
    planned_on = DayField(label=_("Planned for"))
    items = _items(_("Items"), help_text=_HOW)
    all_of_court = forms.BooleanField(
        label=_("Everything in this store that a court ordered to be destroyed"), required=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = (
            CustodyAccount.objects.visible_to(user)
            if user.can(Can.SEE_EVERYTHING)
            else CustodyAccount.objects.worked_in_by(user)
        )
        kinds = (AccountKind.STORE, AccountKind.EVIDENCE)
        self.fields["store"].queryset = places.filter(kind__in=kinds, is_active=True).order_by("code")  # type: ignore[attr-defined]


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
    post = forms.CharField(label=_("Post and organisation"), max_length=200)


class CloseForm(forms.Form):
    place = forms.CharField(label=_("Place of the destruction"), max_length=200)
    method = forms.CharField(label=_("Method"), max_length=200, help_text=_("Such as: burned in a furnace."))
    mass_before_g = KilogramsField(label=_("Mass before, weighed together"))
    mass_after_g = KilogramsField(label=_("Mass of the remains"))


class WitnessForm(forms.Form):
    """A witness signs by hand; the member who takes the signature is named in the journal."""

    signature = SignatureField(label=_("Signature of the witness"), required=True)
