"""Shapes of what people enter when goods of other origins come in, of certificates, and of sales under them."""

from datetime import date
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.forms import DayField, KilogramsField, LatitudeField, LongitudeField, NumberText
from ledger.models import CustodyAccount
from registry.forms import PermitField, StoreField
from registry.forms_cases import countries
from registry.models import (
    EVIDENCE,
    NO_COUNTRY,
    Confiscation,
    Country,
    Find,
    Importation,
    Intake,
    OldStock,
    Origin,
    RemovalPermit,
    SlaughterPoint,
    Term,
    VeterinaryCertificate,
)
from registry.selectors import permits_for_intake, stores_for_intake
from registry.services import Scan
from registry.services.origins import Paper


def _line(label: Any, most: int, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, **kwargs)


class CertificateField(forms.ModelChoiceField):
    """A veterinary certificate by its number, day and what it covers."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.number} · {obj.issued_on:%d.%m.%Y} · {obj.slaughter_point}"


ANY_SCAN = _("PDF or photo, at most 50 MB.")


def _scan(help_text: StrOrPromise = ANY_SCAN) -> forms.FileField:
    return forms.FileField(
        label=_("Scanned paper"),
        required=False,
        help_text=help_text,
        widget=forms.FileInput({"accept": "application/pdf,image/jpeg,image/png,image/webp"}),
    )


def scan_in(form: forms.Form) -> Scan | None:
    """The scan that was sent with a form, if one was; only after is_valid()."""
    file: UploadedFile | None = form.cleaned_data.get("scan")
    return Scan(name=file.name or "", content=file) if file else None


class OriginForm(forms.Form):
    """What every origin asks: where goods come in, when, of what kind they are; and the fields of its own paper."""

    origin: Origin
    model: type[Paper] | None = None
    paper_fields: tuple[str, ...] = ()

    term = forms.ChoiceField(label=_("Kind of derivative"), choices=Term.choices)
    store = StoreField(label=_("Place"), queryset=CustodyAccount.objects.none(), empty_label=None)
    on = DayField(label=_("Day they came in"))
    certificate = CertificateField(
        label=_("Veterinary certificate"),
        queryset=VeterinaryCertificate.objects.none(),
        required=False,
        empty_label=_("None"),
        help_text=_("For meat only."),
    )

    def __init__(self, *args: Any, user: User, today: date, intake: Intake | None = None, **kwargs: Any) -> None:
        """With an `intake` the form corrects it; its place and kind stay."""
        kwargs["initial"] = {"on": today} if intake is None else self._as_entered(intake)
        super().__init__(*args, **kwargs)
        self.fields["certificate"].queryset = VeterinaryCertificate.objects.visible_to(user).order_by("-pk")  # type: ignore[attr-defined]
        if intake is None:
            self.fields["store"].queryset = stores_for_intake(user, self.origin)  # type: ignore[attr-defined]
        else:
            del self.fields["store"], self.fields["term"]
            if intake.term != Term.MEAT:
                del self.fields["certificate"]

    def _as_entered(self, intake: Intake) -> dict[str, Any]:
        entered: dict[str, Any] = {
            "on": intake.on,
            "certificate": intake.certificate_id,
            "explanation": intake.explanation,
            "permit": intake.permit_id,
        }
        for name in EVIDENCE[intake.origin]:
            paper = getattr(intake, name)
            entered |= {field: getattr(paper, field) for field in self.paper_fields}
        return entered

    def facts(self) -> dict[str, Any]:
        """What the service takes; only after is_valid()."""
        said = dict(self.cleaned_data)
        facts = {
            "on": said["on"],
            "certificate": said.get("certificate"),
            "paper": self.paper(),
            "scan": scan_in(self),
            "explanation": said.get("explanation", ""),
        }
        if "store" in said:
            facts |= {"store": said["store"], "term": Term(said["term"])}
        return facts

    def paper(self) -> Paper | None:
        """The paper as it was entered, not kept yet; only after is_valid()."""
        if self.model is None:
            return None
        return self.model(**{name: self.cleaned_data[name] for name in self.paper_fields})


class FindForm(OriginForm):
    origin, model = Origin.FOUND, Find
    paper_fields = (
        "place", "latitude", "longitude", "found_on", "finder", "finder_contact", "act_number", "act_on"
    )  # fmt: skip

    place = _line(_("Where they were found"), 200, help_text=_("District, village, distance and direction from it."))
    latitude = LatitudeField(label=_("Latitude"), required=False)
    longitude = LongitudeField(label=_("Longitude"), required=False)
    found_on = DayField(label=_("Found on"))
    finder = _line(
        _("Finder"), 120, help_text=_("Family name and given name. Seen only by those who work with this reception.")
    )
    finder_contact = _line(_("Address or telephone of the finder"), 200, required=False)
    act_number = _line(_("Number of the hand-in act"), 60)
    act_on = DayField(label=_("Date of the act"))
    scan = _scan(_("The signed hand-in act, PDF or photo. Without it nothing is taken in."))

    field_order = ("term", "store", "on", *paper_fields, "scan")


class ConfiscationForm(OriginForm):
    origin, model = Origin.CONFISCATED, Confiscation
    paper_fields = ("decision_number", "decided_on", "court", "effective_on")

    decision_number = _line(_("Number of the court decision"), 60)
    decided_on = DayField(label=_("Date of the decision"))
    court = _line(_("Court"), 200)
    effective_on = DayField(label=_("In force since"))
    scan = _scan(_("The court decision, PDF or photo. Without it nothing is taken in."))

    field_order = ("term", "store", "on", *paper_fields, "scan")


class OldStockForm(OriginForm):
    origin, model = Origin.OLD_STOCK, OldStock
    paper_fields = ("sheet_number", "sheet_on", "commission")

    sheet_number = _line(_("Number of the inventory sheet"), 60)
    sheet_on = DayField(label=_("Date of the sheet"))
    commission = forms.CharField(
        label=_("Commission"),
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Name and post, one a line."),
    )
    scan = _scan(_("The signed inventory sheet, PDF or photo. Without it nothing is taken in."))

    field_order = ("term", "store", "on", *paper_fields, "scan")


class ImportationForm(OriginForm):
    origin, model = Origin.IMPORTED, Importation
    paper_fields = ("permit_number", "permit_on", "country", "declaration_number", "declared_on", "importer")

    permit_number = _line(_("Number of the CITES export permit"), 60)
    permit_on = DayField(label=_("Date of the permit"))
    country = forms.ModelChoiceField(
        label=_("Country of export"), queryset=Country.objects.none(), empty_label=_("Choose")
    )
    declaration_number = _line(_("Number of the customs declaration"), 60)
    declared_on = DayField(label=_("Date of the declaration"))
    importer = forms.ModelChoiceField(
        label=_("Importer"), queryset=Organisation.objects.active().order_by("name_ru"), empty_label=_("Choose")
    )
    scan = _scan(_("The permit and the declaration in one file, PDF or photo. Without it nothing is taken in."))

    field_order = ("term", "store", "on", "certificate", *paper_fields, "scan")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].queryset = countries().exclude(pk__in=("KZ", *NO_COUNTRY))  # type: ignore[attr-defined]

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"].pk)


class UnknownForm(OriginForm):
    origin = Origin.UNKNOWN

    explanation = forms.CharField(
        label=_("What is known of them"),
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        help_text=_("Where they were, who had them, why nothing proves their origin."),
    )

    field_order = ("term", "store", "on", "explanation")


class ProductForm(OriginForm):
    """Meat, hides and other parts of animals of a removal; horns come with their brigade."""

    origin = Origin.REMOVAL

    permit = PermitField(label=_("Removal permit"), queryset=RemovalPermit.objects.none(), empty_label=None)

    field_order = ("term", "store", "on", "permit", "certificate")

    def __init__(self, *args: Any, user: User, today: date, intake: Intake | None = None, **kwargs: Any) -> None:
        super().__init__(*args, user=user, today=today, intake=intake, **kwargs)
        self.fields["permit"].queryset = permits_for_intake(user, today)  # type: ignore[attr-defined]
        if "term" in self.fields:
            self.fields["term"].choices = [  # type: ignore[attr-defined]
                (Term.MEAT.value, Term.MEAT.label),
                *((term.value, term.label) for term in Term if term not in (Term.HORN, Term.MEAT)),
            ]

    def paper(self) -> Paper | None:
        permit: RemovalPermit = self.cleaned_data["permit"]
        return permit


FORMS: dict[str, type[OriginForm]] = {
    "products": ProductForm,
    "found": FindForm,
    "confiscated": ConfiscationForm,
    "old-stock": OldStockForm,
    "imported": ImportationForm,
    "unknown": UnknownForm,
}
"""The forms by the last word of their address."""


class PointField(forms.ModelChoiceField):
    """A slaughter point by its name and the number of its attestation."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.attestation_number}"


class VeterinaryCertificateForm(forms.Form):
    """A veterinary certificate of a batch, as it stands on paper."""

    number = _line(_("Number"), 40)
    issued_on = DayField(label=_("Issued on"))
    valid_until = DayField(label=_("Valid until"))
    issued_by = forms.ModelChoiceField(
        label=_("Veterinary body"),
        queryset=Organisation.objects.active().filter(kind=Organisation.Kind.VETERINARY).order_by("name_ru"),
        empty_label=None,
    )
    officer = _line(_("Veterinary officer"), 120)
    slaughter_point = PointField(
        label=_("Slaughter point"),
        queryset=SlaughterPoint.objects.none(),
        help_text=_("Attested points of your region. The authority enters one that is not in the list."),
    )
    carcasses = forms.IntegerField(label=_("Carcasses"), min_value=1, widget=NumberText({"inputmode": "numeric"}))
    net_g = KilogramsField(label=_("Net mass"), min_value=1)
    scan = _scan()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = user.region_codes(Can.KEEP_CERTIFICATES)
        points = SlaughterPoint.objects.filter(is_active=True, region__in=own)
        self.fields["slaughter_point"].queryset = points  # type: ignore[attr-defined]


class SaleForm(forms.Form):
    """Who buys batches, and for what price."""

    on = DayField(label=_("Day"))
    buyer_name = _line(_("Buyer"), 200, help_text=_("Trading network, market or shop."))
    buyer_bin = _line(
        _("BIN of the buyer"), 12, widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    )
    price_tenge = forms.IntegerField(
        label=_("Price"), required=False, min_value=0, widget=NumberText({"inputmode": "numeric", "data-unit": "₸"})
    )
