"""The forms of a stock-take."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Appointment, User
from core.accounts.roles import GRANTS, Can, Role
from core.base.clock import day_of
from core.base.forms import NumberText
from custody.keeping import kept_places
from ledger.models import CustodyAccount, Shelf, StockTake

OVERSEERS = [role for role in Role if Can.SEE_EVERYTHING in GRANTS[role]]


class PlaceField(forms.ModelChoiceField):
    """A place by its name and code."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.code}"


class ShelfField(forms.ModelChoiceField):
    """A shelf by its words."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.words)


class PeopleField(forms.ModelMultipleChoiceField):
    """People by their full names and roles."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.full_name} ({obj.username})"


def commission_candidates(account: CustodyAccount) -> QuerySet[User]:
    """Who can sit in a commission: the custodian's people, the inspection of the region, and those who oversee."""
    today = day_of(timezone.now())
    in_force = Appointment.objects.in_force(today).filter(
        Q(organisation=account.custodian_id)
        | Q(role__in=OVERSEERS)
        | Q(role=Role.INSPECTOR, organisation__region=account.region_id)
    )
    return User.objects.filter(is_active=True, pk__in=in_force.values("user")).order_by("last_name", "first_name", "pk")


class ChoosePlaceForm(forms.Form):
    """Where stock is taken."""

    store = PlaceField(label=_("Store"), queryset=CustodyAccount.objects.none(), empty_label=None)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["store"]
        field.queryset = kept_places(person).order_by("code")


class OpenStockTakeForm(forms.Form):
    """What is counted, how, and who signs for it."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=StockTake.Kind, widget=forms.RadioSelect, initial=StockTake.Kind.FULL
    )
    wanted = forms.IntegerField(
        label=_("Size of the sample"),
        required=False,
        min_value=1,
        max_value=10_000_000,
        widget=NumberText({"inputmode": "numeric", "data-unit": _("items")}),
        help_text=_("Only for a count by a sample. The table beside says how likely it is to find what is missing."),
    )
    shelf = ShelfField(
        label=_("Shelf"), queryset=Shelf.objects.none(), required=False, empty_label=_("The whole store")
    )
    trusts_seals = forms.BooleanField(
        label=_("A sealed box counts by one scan"),
        required=False,
        initial=True,
        help_text=_("Look at the seal. Without this every box is opened and every item scanned."),
    )
    commission = PeopleField(
        label=_("Commission"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each of them signs the result with the own password."),
    )

    def __init__(self, *args: Any, account: CustodyAccount, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["shelf"].queryset = Shelf.objects.filter(account=account, is_active=True)
        fields["commission"].queryset = commission_candidates(account)
        fields["commission"].initial = [person.pk]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == StockTake.Kind.SAMPLE and not cleaned.get("wanted") and "wanted" not in self.errors:
            self.add_error("wanted", _("Say how many items the sample has."))
        return cleaned


class DrawForm(forms.Form):
    """The words that, with the secret that was committed to, draw the sample."""

    words = forms.CharField(
        label=_("Words of the commission"),
        min_length=8,
        max_length=300,
        help_text=_(
            "Best a public figure of this day that nobody could know before, such as the exchange rate of today."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=400, widget=forms.Textarea(attrs={"rows": 3}))
