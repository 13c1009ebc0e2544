"""Shapes of what people enter about label stock and about marks on items."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.signature import SignatureForm
from core.base.clock import day_of
from core.base.forms import DayField
from core.documents.services import MAX_PHOTO_BYTES
from marking.forms import LabelOrderForm
from marking.models import LabelMovement, LabelReel, LabelShipment, MarkRequest
from marking.models.stock import LARGEST_REEL, MOST_REELS, keepers_of_labels, offices_of
from marking.services.orders import LabelOrder
from marking.services.shipments import Counted
from marking.services.stock import OFFICES
from marking.words import STOCK


def offices_with_labels() -> QuerySet[Organisation]:
    return Organisation.objects.active().filter(kind__in=OFFICES).order_by("pk")


def offices_that_keep() -> QuerySet[Organisation]:
    """Of these the ones in which somebody may print and receive labels today."""
    return offices_with_labels().filter(pk__in=keepers_of_labels(day_of(timezone.now())).values("organisation"))


class OfficeField(forms.ModelChoiceField):
    """An organisation that works with labels, by its name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=offices_with_labels(), empty_label=_("Choose"), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


def _places(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=2000,
        help_text=_("Places on the reel as printed on the labels, such as 17, 40-52."),
        widget=forms.TextInput({"inputmode": "text", "autocomplete": "off"}),
        **more,
    )


class SeriesForm(forms.Form):
    office = OfficeField(label=_("For which office"))
    purpose = forms.CharField(label=_("What for"), max_length=200)
    printer = OfficeField(label=_("Who prints them"))
    profile = forms.ChoiceField(label=_("What they are printed on"), choices=list(STOCK.items()))
    reel_count = forms.IntegerField(label=_("Number of reels"), min_value=1, max_value=MOST_REELS, initial=10)
    reel_size = forms.IntegerField(
        label=_("Labels on a reel"),
        help_text=_("Small enough to be carried into the field as a strip."),
        min_value=1,
        max_value=LARGEST_REEL,
        initial=100,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["printer"].queryset = offices_that_keep()  # type: ignore[attr-defined]


class PrintedForm(forms.Form):
    device = forms.CharField(label=_("Printer"), max_length=100, help_text=_("Its name or inventory number."))
    spoiled = _places(_("Labels that came out spoiled"), required=False)


class WriteOffForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What happened"),
        choices=[
            (LabelMovement.Kind.SPOILED.value, _("Spoiled: I have it here and it cannot be used")),
            (LabelMovement.Kind.LOST.value, _("Lost: I do not know where it is")),
        ],
        widget=forms.RadioSelect,
    )
    places = _places(_("Labels"))
    reason = forms.CharField(label=_("Reason"), max_length=200)
    photo = forms.FileField(
        label=_("Photo"), required=False, widget=forms.FileInput({"accept": "image/*", "capture": "environment"})
    )


class SendForm(SignatureForm):
    receiver = OfficeField(label=_("Receiving office"))
    reels = forms.ModelMultipleChoiceField(
        label=_("Reels"), queryset=LabelReel.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    expected_on = DayField(label=_("Should arrive by"), required=False, help_text=_("Empty: within a week."))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    field_order = ("receiver", "reels", "expected_on", "note", "password")

    def __init__(self, *args: Any, signer: User, **kwargs: Any) -> None:
        super().__init__(*args, signer=signer, **kwargs)
        self.fields["receiver"].queryset = offices_that_keep()  # type: ignore[attr-defined]
        self.fields["reels"].queryset = LabelReel.objects.kept_by(signer)  # type: ignore[attr-defined]


class TurnLabelsBackForm(SignatureForm):
    reason = forms.CharField(label=_("Reason"), max_length=200)
    field_order = ("reason", "password")


class ReceiveForm(SignatureForm):
    """For each reel how many there are, and which are missing."""

    def __init__(self, *args: Any, signer: User, shipment: LabelShipment, **kwargs: Any) -> None:
        super().__init__(*args, signer=signer, **kwargs)
        self.lines = list(shipment.lines.select_related("reel"))
        for line in self.lines:
            said = {"reel": line.reel.number}
            self.fields[f"counted_{line.reel_id}"] = forms.IntegerField(
                label=_("Reel %(reel)s: labels counted") % said, min_value=0, max_value=LARGEST_REEL
            )
            self.fields[f"missing_{line.reel_id}"] = _places(
                _("Reel %(reel)s: places that are missing") % said, required=False
            )
        self.order_fields([name for name in self.fields if name != "password"] + ["password"])

    def counts(self) -> dict[int, Counted]:
        said = self.cleaned_data
        return {
            line.reel_id: Counted(said[f"counted_{line.reel_id}"], said[f"missing_{line.reel_id}"])
            for line in self.lines
        }


class DestructionForm(forms.Form):
    organisation = forms.ModelChoiceField(
        label=_("Office"), queryset=Organisation.objects.none(), empty_label=_("Choose")
    )
    reels = forms.ModelMultipleChoiceField(
        label=_("Reels"), queryset=LabelReel.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    rest = forms.BooleanField(
        label=_("Unused labels of these reels too"),
        required=False,
        help_text=_("Otherwise only the spoiled ones that the office keeps."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200)
    method = forms.CharField(label=_("Method"), max_length=200, help_text=_("Such as: shredded."))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offices = Organisation.objects.filter(pk__in=offices_of(user)).order_by("pk")
        self.fields["organisation"].queryset = offices  # type: ignore[attr-defined]
        if len(offices) == 1:
            self.initial["organisation"] = offices[0].pk
        self.fields["reels"].queryset = LabelReel.objects.with_something_to_destroy(user)  # type: ignore[attr-defined]


class FoundForm(forms.Form):
    """Lost labels of one reel that were found again are destroyed."""

    places = _places(_("Labels found again"))
    reason = forms.CharField(label=_("Where and how they were found"), max_length=200)
    method = forms.CharField(label=_("Method"), max_length=200, help_text=_("Such as: shredded."))


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200)


class BindForm(forms.Form):
    """A blank label for an item."""

    label = forms.CharField(
        label=_("Label"),
        max_length=500,
        help_text=_("Scan the blank label, or type its code."),
        widget=forms.TextInput({"class": "form-control code", "autocomplete": "off", "autofocus": True}),
    )
    photo = forms.FileField(
        label=_("Photo of the label on the item"),
        widget=forms.FileInput({"accept": "image/*", "capture": "environment"}),
    )
    confirm_foreign = forms.BooleanField(label=_("Use it although it belongs to another office"), required=False)

    def __init__(self, *args: Any, is_foreign: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_foreign:
            self.fields["confirm_foreign"].widget = forms.HiddenInput()

    def clean_photo(self) -> Any:
        photo = self.cleaned_data["photo"]
        if photo.size > MAX_PHOTO_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        return photo


class MarkRequestForm(LabelOrderForm):
    """What is asked for a mark, why, and how what comes of it is printed."""

    kind = forms.ChoiceField(label=_("What is needed"), choices=MarkRequest.Kind.choices, widget=forms.RadioSelect)
    label = forms.CharField(
        label=_("Blank label in its place"),
        required=False,
        max_length=500,
        help_text=_(
            "For a new mark: a blank label of your office that hangs on the item already. Scan it or type its code."
            " Empty: the new mark is printed."
        ),
        widget=forms.TextInput({"class": "form-control code", "autocomplete": "off"}),
    )
    photo = forms.FileField(
        label=_("Photo of the label on the item"),
        required=False,
        widget=forms.FileInput({"accept": "image/*", "capture": "environment"}),
    )
    confirm_foreign = forms.BooleanField(label=_("Use it although it belongs to another office"), required=False)
    field_order = (
        *("kind", "reason", "label", "photo", "confirm_foreign"),
        *("profile", "start", "printer", "form", "dpi", "symbols", "language", "second", "hidden"),
    )

    def __init__(
        self, *args: Any, only_reprint: bool = False, only_new: bool = False, is_foreign: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, printed_before=True, **kwargs)
        self.fields["reason"].label = _("Reason")
        if only_reprint:
            for name in ("kind", "label", "photo", "confirm_foreign"):
                del self.fields[name]
        elif not is_foreign:
            self.fields["confirm_foreign"].widget = forms.HiddenInput()
        if only_new:
            kind = MarkRequest.Kind.REPLACE
            self.fields["kind"].choices = [(kind.value, kind.label)]  # type: ignore[attr-defined]
            self.initial["kind"] = kind.value

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        photo = said.get("photo")
        if said.get("label") and said.get("kind") != MarkRequest.Kind.REPLACE:
            self.add_error("label", _("A blank label can take the place of one mark only."))
        elif said.get("label") and photo is None:
            self.add_error("photo", _("Take a photo that shows the label on the horn."))
        if photo is not None and photo.size > MAX_PHOTO_BYTES:
            self.add_error("photo", _("The file is too large."))
        return said

    def order_or_none(self) -> LabelOrder | None:
        return None if self.cleaned_data.get("kind") == MarkRequest.Kind.VOID else self.order()
