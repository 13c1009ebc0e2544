"""The shape of what people enter in this room."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.signature import SignatureForm
from core.base.forms import DayField, MomentField, SignatureField
from ledger.models import CustodyAccount, Handover, HandoverSeal
from permits.models import Kind, Permit
from permits.selectors import receiving_stores
from permits.services import Transport, Wishes

Choices = list[tuple[Any, Any]]


class StartForm(forms.Form):
    """Where goods go from a store: to a named receiver under a permit, or to a store that needs none.

    `destination` is "permit:<key>" or "store:<key>".
    """

    destination = forms.ChoiceField(label=_("Where do the goods go?"))

    def __init__(
        self, *args: Any, source: CustodyAccount, permits: list[Permit], stores: list[CustodyAccount], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        own = [store for store in stores if store.custodian_id == source.custodian_id]
        others = [store for store in stores if store.custodian_id != source.custodian_id]
        self._found: dict[str, tuple[Permit | None, CustodyAccount]] = {
            **{permit.reference: (permit, permit.store) for permit in permits},
            **{f"store:{store.pk}": (None, store) for store in stores},
        }
        choices: Choices = [
            ("", _("Choose")),
            (_("Under a permit"), [(permit.reference, _permit_words(permit)) for permit in permits]),
            (_("Own stores"), [(f"store:{store.pk}", store_words(store)) for store in own]),
            (_("Stores of State bodies"), [(f"store:{store.pk}", _with_custodian(store)) for store in others]),
        ]
        field = cast("forms.ChoiceField", self.fields["destination"])
        field.choices = [choice for choice in choices if choice[1]]

    @property
    def chosen(self) -> tuple[Permit | None, CustodyAccount]:
        """The permit, if any, and the receiving store."""
        return self._found[self.cleaned_data["destination"]]


class TransportForm(SignatureForm):
    """How goods travel, signed by the sender."""

    vehicle = forms.CharField(label=_("Vehicle"), max_length=60, required=False, help_text=_("Number plate."))
    driver = forms.CharField(label=_("Driver"), max_length=120, required=False)
    carried_by = forms.CharField(
        label=_("Carried by hand by"),
        max_length=120,
        required=False,
        help_text=_("Only where there is no vehicle: the name of who carries the goods."),
    )
    escort = forms.CharField(
        label=_("Escort"), max_length=300, required=False, help_text=_("Names of those who guard the load.")
    )
    seals = forms.CharField(
        label=_("Seals"), max_length=200, required=False, help_text=_("Numbers of the seals, with commas between.")
    )
    route = forms.CharField(
        label=_("Route"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The points it passes, in their order."),
    )
    expected_at = MomentField(label=_("Should arrive"), help_text=_("After this moment both sides are alerted."))
    signature = SignatureField()
    field_order = [
        "vehicle",
        "driver",
        "carried_by",
        "escort",
        "seals",
        "route",
        "expected_at",
        "signature",
        "password",
    ]

    @property
    def transport(self) -> Transport:
        given = self.cleaned_data
        return Transport(**{field.name: given[field.name] for field in fields(Transport)})


class AcceptForm(SignatureForm):
    """Why the goods differ from the list, signed by the receiver."""

    difference_reason = forms.CharField(
        label=_("What differs, and why?"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "It goes into the discrepancy act for every line without its own reason. The sender has to explain it."
        ),
    )
    carrier_said = forms.ChoiceField(
        label=_("The driver or the escort, if there is a discrepancy"),
        choices=[("", _("No discrepancy")), *Handover.Carrier.choices],
        required=False,
    )
    signature = SignatureField()
    field_order = ["difference_reason", "carrier_said", "signature", "password"]

    def __init__(self, *args: Any, differs: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if differs:
            field = cast("forms.ChoiceField", self.fields["carrier_said"])
            field.choices = [("", _("Choose")), *Handover.Carrier.choices]
            field.required = True


class SealsForm(forms.Form):
    """How the receiver found each seal of the load."""

    def __init__(self, *args: Any, seals: Sequence[HandoverSeal], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(state.value, state.label) for state in HandoverSeal.State if state != HandoverSeal.State.UNCHECKED]
        self._keys = {f"seal-{seal.pk}": seal.pk for seal in seals}
        for seal in seals:
            self.fields[f"seal-{seal.pk}"] = forms.ChoiceField(
                label=_seal_words(seal),
                choices=choices,
                widget=forms.RadioSelect,
                initial=None if seal.state == HandoverSeal.State.UNCHECKED else seal.state,
            )

    @property
    def found(self) -> dict[int, HandoverSeal.State]:
        return {key: HandoverSeal.State(self.cleaned_data[name]) for name, key in self._keys.items()}


class SampleForm(forms.Form):
    """How many items are weighed on arrival."""

    size = forms.IntegerField(label=_("How many to weigh"), min_value=1)


class OpenBoxForm(forms.Form):
    """How the seal of a box was found, and why it is opened."""

    seal = forms.ChoiceField(
        label=_("How was the seal found?"),
        choices=[(state.value, state.label) for state in HandoverSeal.State if state != HandoverSeal.State.UNCHECKED],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("Why is the seal opened?"), max_length=300)


class TurnBackForm(SignatureForm):
    """Why a load is turned back, signed."""

    reason = forms.CharField(label=_("Why do the goods come back?"), widget=forms.Textarea(attrs={"rows": 3}))
    field_order = ["reason", "password"]


class ReceiveMissingForm(SignatureForm):
    """One thing that was missing and has turned up: its scan, where it was found, signed."""

    code = forms.CharField(
        label=_("What has turned up: its mark or number"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "code", "autocomplete": "off", "autocapitalize": "characters"}),
    )
    reason = forms.CharField(label=_("Where was it found?"), widget=forms.Textarea(attrs={"rows": 2}))
    field_order = ["code", "reason", "password"]


def _seal_words(seal: HandoverSeal) -> StrOrPromise:
    if seal.box is None:
        return _("Seal %(number)s") % {"number": seal.number}
    return _("Seal %(number)s of box %(box)s") % {"number": seal.number, "box": seal.box.shown}


class WishesForm(forms.Form):
    """What an application says beside its items; in a draft everything may still be open."""

    store = forms.ChoiceField(label=_("Receiver and receiving store"), required=False)
    purpose = forms.CharField(
        label=_("What for"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Contract, its number and date; what the receiver will do with the goods."),
    )
    wished_from = DayField(label=_("First day"), required=False)
    wished_until = DayField(label=_("Last day"), required=False)
    price_tenge = forms.IntegerField(
        label=_("Agreed price"),
        required=False,
        min_value=1,
        widget=forms.NumberInput(attrs={"data-unit": "₸"}),
        help_text=_("For the whole lot. Recorded for statistics; the State does not regulate prices."),
    )

    def __init__(self, *args: Any, kind: Kind, applicant: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stores = list(receiving_stores().exclude(custodian=applicant).order_by("custodian", "code"))
        self._stores = {str(store.pk): store for store in stores}
        groups: dict[StrOrPromise, Choices] = {}
        for store in stores:
            name = store.custodian.name if store.custodian else ""
            groups.setdefault(name, []).append((str(store.pk), store_words(store)))
        field = cast("forms.ChoiceField", self.fields["store"])
        field.choices = [("", _("Choose")), *sorted(groups.items(), key=lambda group: str(group[0]))]
        if kind != Kind.DOMESTIC_SALE:
            del self.fields["price_tenge"]

    @property
    def wishes(self) -> Wishes:
        given = self.cleaned_data
        return Wishes(
            store=self._stores.get(given["store"]),
            purpose=given["purpose"],
            wished_from=given["wished_from"],
            wished_until=given["wished_until"],
            price_tenge=given.get("price_tenge"),
        )


class ApplicantForm(forms.Form):
    """Which of the person's organisations applies; asked only when there are several."""

    applicant = forms.ChoiceField(label=_("Who applies"))

    def __init__(self, *args: Any, organisations: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Choose")), *((str(one.pk), one.name) for one in organisations)]
        cast("forms.ChoiceField", self.fields["applicant"]).choices = choices


class ApproveForm(SignatureForm):
    """Until when the permit is valid, signed."""

    valid_until = DayField(label=_("Valid until"), help_text=_("The last day on which goods may be dispatched."))
    field_order = ["valid_until", "password"]


class RefuseForm(SignatureForm):
    """Why the application is refused, under which article, signed."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 4}))
    article = forms.CharField(label=_("Article of law"), max_length=200)
    field_order = ["reason", "article", "password"]


class SendBackForm(forms.Form):
    """What the applicant has to correct."""

    reason = forms.CharField(label=_("What is to be corrected"), widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, signer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class RevokeForm(SignatureForm):
    """Why a permit is revoked, signed."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 4}))
    field_order = ["reason", "password"]


def store_words(store: CustodyAccount) -> str:
    return f"{store.name} ({store.code})"


def _with_custodian(store: CustodyAccount) -> str:
    return f"{store.custodian.name}: {store_words(store)}" if store.custodian else store_words(store)


def _permit_words(permit: Permit) -> str:
    return f"{permit.number}: {permit.receiver.name}, {store_words(permit.store)}"
