"""The shape of what people enter in this room."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.signature import SignatureForm
from core.base.forms import DayField
from ledger.models import CustodyAccount
from permits.models import Kind, Permit
from permits.selectors import receiving_stores
from permits.services import Wishes

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


class TransportForm(forms.Form):
    """How goods travel."""

    vehicle = forms.CharField(label=_("Vehicle"), max_length=60, required=False, help_text=_("Number plate."))
    driver = forms.CharField(label=_("Driver"), max_length=120, required=False)
    seals = forms.CharField(
        label=_("Seals"), max_length=200, required=False, help_text=_("Numbers of the seals, with commas between.")
    )
    expected_on = DayField(label=_("Expected on"), required=False)


class AcceptForm(forms.Form):
    """Why the goods differ from the list."""

    difference_reason = forms.CharField(
        label=_("Why is something missing?"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What you write goes into the discrepancy, which the sender has to explain."),
    )


class ReturnForm(forms.Form):
    reason = forms.CharField(label=_("Why do the goods come back?"), widget=forms.Textarea(attrs={"rows": 3}))


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
