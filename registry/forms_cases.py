"""Shapes of what people enter about seizure cases: little on the road, the rest later."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Can
from core.accounts.signature import SignatureForm
from core.base.errors import BadInput
from core.base.forms import DayField, KilogramsField, LatitudeField, LongitudeField, NumberText, SignatureField
from registry.models import Case, CasePerson, CaseWord, Country, Outcome, SeizedCount, Term
from registry.services.cases import MOST_PIECES, PLAIN


def state_bodies() -> QuerySet[Organisation]:
    return Organisation.objects.active().filter(kind__in=Organisation.STATE_BODIES).order_by("kind", "pk")


def countries() -> QuerySet[Country]:
    """In the alphabet of the reader's language, the codes of CITES last."""
    return Country.objects.order_by(f"name_{(get_language() or 'kk')[:2]}")


def _count(label: Any, **more: Any) -> forms.IntegerField:
    widget = NumberText({"inputmode": "numeric", **more})
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=MOST_PIECES, widget=widget)


def _confirm_place() -> forms.BooleanField:
    """Asked only when the coordinates lie elsewhere than the region: the service says so at this field."""
    return forms.BooleanField(label=_("The coordinates are right"), required=False)


class OpenCaseForm(forms.Form):
    """What is known on the spot. Everything else is entered later on the page of the case."""

    protocol_number = forms.CharField(
        label=_("Number of the seizure protocol"), max_length=60, widget=forms.TextInput({"autofocus": True})
    )
    horns = _count(_("Horns counted in the protocol"), **{"data-unit": _("pcs")})
    place = forms.CharField(
        label=_("Place of the seizure"), max_length=200, help_text=_("District, village, road and kilometre.")
    )
    latitude = LatitudeField(label=_("Latitude"), required=False)
    longitude = LongitudeField(label=_("Longitude"), required=False)
    confirm_place = _confirm_place()
    seized_on = DayField(label=_("Day of the seizure"))
    protocol_on = DayField(label=_("Date of the protocol"))
    agency = forms.ModelChoiceField(
        label=_("Agency that seized"), empty_label=_("Choose"), queryset=Organisation.objects.none()
    )
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.none(), empty_label=None)
    erdr_number = forms.CharField(
        label=_("ERDR number"),
        max_length=30,
        required=False,
        help_text=_("Of the Unified Register of Pre-Trial Investigations. It can be added later."),
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, user: User, today: date, **kwargs: Any) -> None:
        last = Case.objects.filter(opened_by=user).order_by("-pk").first()
        begin = {"seized_on": today, "protocol_on": today, "agency": last.agency_id if last else None}
        kwargs["initial"] = begin
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = state_bodies()  # type: ignore[attr-defined]
        regions = Region.objects.filter(pk__in=user.region_codes(Can.REGISTER_SEIZURE))
        self.fields["region"].queryset = regions  # type: ignore[attr-defined]


def _word(label: Any, name: CaseWord.List) -> forms.ModelChoiceField:
    words = CaseWord.objects.filter(list=name, is_active=True)
    return forms.ModelChoiceField(label=label, queryset=words, required=False, empty_label=_("Not known"))


def _country(label: Any) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        label=label, queryset=Country.objects.none(), required=False, empty_label=_("Not known")
    )


def _many_countries(label: Any) -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        label=label,
        queryset=Country.objects.none(),
        required=False,
        widget=forms.SelectMultiple({"size": 6}),
        help_text=_("Several: hold Ctrl, or touch one after another."),
    )


class CaseFactsForm(forms.Form):
    """Everything that the report of illegal trade asks, as far as it is known."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    erdr_number = forms.CharField(
        label=_("ERDR number"), max_length=30, required=False, widget=forms.TextInput({"autocomplete": "off"})
    )
    agency = forms.ModelChoiceField(label=_("Agency that seized"), queryset=Organisation.objects.none())
    place = forms.CharField(label=_("Place of the seizure"), max_length=200)
    latitude = LatitudeField(label=_("Latitude"), required=False)
    longitude = LongitudeField(label=_("Longitude"), required=False)
    confirm_place = _confirm_place()
    seized_on = DayField(label=_("Day of the seizure"))
    offence_on = DayField(
        label=_("Day of the offence"),
        required=False,
        help_text=_("Where it is known and earlier than the seizure. The damage is computed for this day."),
    )
    reason = _word(_("Reason for seizure"), CaseWord.List.REASON)
    detection = _word(_("Method of detection"), CaseWord.List.DETECTION)
    transport = _word(_("Mode of transport"), CaseWord.List.TRANSPORT)
    concealment = _word(_("Method of concealment"), CaseWord.List.CONCEALMENT)
    origin_country = _country(_("Alleged country of origin"))
    transit_countries = _many_countries(_("Countries of transit"))
    destination_country = _country(_("Alleged final destination"))
    nationalities = _many_countries(_("Nationality of offenders"))
    males = _count(_("Males taken"), **{"data-unit": _("head")})
    females = _count(_("Females taken"), **{"data-unit": _("head")})
    young = _count(_("Young taken"), **{"data-unit": _("head")})
    articles = forms.CharField(
        label=_("Articles of law"),
        max_length=300,
        required=False,
        help_text=_("Under which charges were brought, such as Criminal Code art. 339."),
    )
    estimated_value = forms.IntegerField(
        label=_("Estimated value in the country"),
        min_value=0,
        max_value=10**15,
        required=False,
        widget=NumberText({"inputmode": "numeric", "data-unit": "₸"}),
    )
    sanction = forms.CharField(label=_("Sanction"), max_length=500, required=False)
    additional = forms.CharField(
        label=_("Additional information"), max_length=4000, required=False, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        initial = {name: getattr(case, f"{name}_id", None) or getattr(case, name) for name in PLAIN}
        initial |= {"version": case.version, "erdr_number": case.erdr_number}
        initial |= {name: getattr(case, name).all() for name in ("transit_countries", "nationalities")}
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = state_bodies()  # type: ignore[attr-defined]
        for name in ("origin_country", "transit_countries", "destination_country", "nationalities"):
            self.fields[name].queryset = countries()  # type: ignore[attr-defined]
        if case.erdr_number:
            del self.fields["erdr_number"]

    def facts(self) -> dict[str, Any]:
        """As the service takes them; only after is_valid()."""
        said = self.cleaned_data
        facts = {name: said[name] for name in PLAIN}
        facts |= {name: said[name] or 0 for name in ("males", "females", "young")}
        return {
            "version": said["version"],
            "erdr_number": said.get("erdr_number"),
            "transit_countries": list(said["transit_countries"]),
            "nationalities": list(said["nationalities"]),
            "confirm_place": said["confirm_place"],
            "facts": facts,
        }


class CountsForm(forms.Form):
    """What the protocol counted, kind by kind."""

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known: dict[str, SeizedCount] = {count.term: count for count in case.counts.all()}
        for term in Term:
            count = known.get(term)
            self.fields[f"{term}_pieces"] = _count(str(term.label).capitalize(), **{"data-unit": _("pcs")})
            self.fields[f"{term}_grams"] = KilogramsField(
                label=_("%(term)s, mass if weighed together") % {"term": str(term.label).capitalize()}, required=False
            )
            self.initial[f"{term}_pieces"] = count.pieces if count else None
            self.initial[f"{term}_grams"] = count.grams if count else None
        if known:
            self.fields["reason"] = forms.CharField(
                label=_("Why a count is lower than before"),
                max_length=1000,
                required=False,
                widget=forms.Textarea({"rows": 2}),
                help_text=_("Only where it is lower: the authority reads it and judges."),
            )

    def counts(self) -> dict[Term, tuple[int, int | None]]:
        """Pieces and grams by term, 0 for what was cleared; only after is_valid()."""
        said = self.cleaned_data
        return {
            term: (said[f"{term}_pieces"] or 0, said[f"{term}_grams"])
            for term in Term
            if said[f"{term}_pieces"] or self.initial[f"{term}_pieces"]
        }

    def rows(self) -> list[tuple[Any, Any]]:
        """The two fields of each kind, for a page that sets them side by side."""
        return [(self[f"{term}_pieces"], self[f"{term}_grams"]) for term in Term]


class PersonForm(forms.Form):
    """A person of a case: personal data."""

    full_name = forms.CharField(label=_("Full name"), max_length=200)
    part = forms.ChoiceField(label=_("Part in the case"), choices=CasePerson.Part.choices)
    iin = forms.CharField(
        label=_("IIN"), max_length=12, required=False, widget=forms.TextInput({"inputmode": "numeric"})
    )
    nationality = _country(_("Nationality"))
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["nationality"].queryset = countries()  # type: ignore[attr-defined]


class ExpertiseForm(forms.Form):
    institution = forms.CharField(label=_("Who is asked"), max_length=200)
    requested_on = DayField(label=_("Asked for on"))
    question = forms.CharField(
        label=_("Questions to the expert"), max_length=2000, required=False, widget=forms.Textarea({"rows": 3})
    )


class ConclusionForm(forms.Form):
    number = forms.CharField(label=_("Number of the conclusion"), max_length=60)
    done_on = DayField(label=_("Date of the conclusion"))
    expert = forms.CharField(label=_("Expert"), max_length=150, required=False)
    finding = forms.CharField(label=_("Finding"), max_length=4000, widget=forms.Textarea({"rows": 4}))
    scan = forms.FileField(label=_("Scan of the conclusion"), required=False, help_text=_("PDF or photo."))


class DecisionForm(forms.Form):
    """What a court decided: one outcome for the goods, and another for some of them, named one by one."""

    court = forms.CharField(label=_("Court"), max_length=200)
    number = forms.CharField(label=_("Number of the decision"), max_length=60)
    decided_on = DayField(label=_("Date of the decision"))
    in_force_on = DayField(label=_("In legal force on"))
    outcome = forms.ChoiceField(
        label=_("What the court decided of the goods"), choices=Outcome.choices, widget=forms.RadioSelect
    )
    others = forms.CharField(
        label=_("Of these items it decided otherwise"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea({"rows": 3, "class": "form-control code"}),
        help_text=_("Numbers KZ… or marks, separated by blanks or lines. A scanner can type them."),
    )
    other_outcome = forms.ChoiceField(
        label=_("What it decided of them"),
        required=False,
        choices=[("", _("Choose")), *Outcome.choices, ("undecided", _("Nothing yet: they stay evidence"))],
    )
    returned_to = forms.CharField(
        label=_("To whom goods are returned"),
        max_length=200,
        required=False,
        help_text=_("Full name, where the decision names one. Restricted data."),
    )
    note = forms.CharField(label=_("Note"), max_length=2000, required=False, widget=forms.Textarea({"rows": 2}))
    scan = forms.FileField(
        label=_("Scan of the decision"),
        required=False,
        help_text=_("PDF or photo. Goods are given back only by a decision that is attached."),
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if said.get("others", "").split() and not said.get("other_outcome"):
            self.add_error("other_outcome", _("Say what the court decided of these items."))
        return said


class ReturnForm(SignatureForm):
    """Who receives the goods, and the receipt: signed on the screen, or on paper and attached; two persons sign it."""

    receiver_name = forms.CharField(
        label=_("Who receives the goods"),
        max_length=200,
        help_text=_("Full name, as it stands in the decision or among the persons of the case."),
    )
    receiver_document = forms.CharField(
        label=_("Identity document"), max_length=120, help_text=_("Kind, number, who issued it and when.")
    )
    receiver_iin = forms.CharField(
        label=_("IIN"), max_length=12, required=False, widget=forms.TextInput({"inputmode": "numeric"})
    )
    for_whom = forms.ChoiceField(
        label=_("Receives for"),
        required=False,
        help_text=_("When somebody comes for the owner: with a power of attorney."),
    )
    on_behalf = forms.CharField(
        label=_("Power of attorney"),
        max_length=200,
        required=False,
        help_text=_("Number, date, who certified it."),
    )
    only = forms.CharField(
        label=_("Only these items"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea({"rows": 3, "class": "form-control code"}),
        help_text=_("Numbers KZ…, separated by blanks or lines. Empty: everything that is to be given back."),
    )
    signature = SignatureField(label=_("Signature of the receiver"), help_text=_("With a finger, a pen or the mouse."))
    receipt = forms.FileField(
        label=_("Scan of the signed receipt"), required=False, help_text=_("Instead of a signature on the screen.")
    )
    second = forms.CharField(
        label=_("Second person: sign-in name"),
        max_length=150,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("One who works on the case or keeps the evidence room, and is here with you."),
    )
    second_password = forms.CharField(
        label=_("Password of the second person, as a signature"),
        widget=forms.PasswordInput({"autocomplete": "off"}),
        strip=False,
    )
    field_order = (
        "receiver_name",
        "receiver_document",
        "receiver_iin",
        "for_whom",
        "on_behalf",
        "only",
        "signature",
        "receipt",
        "password",
        "second",
        "second_password",
    )

    def __init__(self, *args: Any, owners: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["for_whom"].choices = [("", _("Own goods")), *owners.items()]  # type: ignore[attr-defined]


def split_goods(goods: dict[str, int], *, outcome: str, others: str, other_outcome: str) -> dict[Outcome, list[int]]:
    """Items by outcome: `goods` are the items by number; `others` are numbers with another outcome.

    Raises BadInput that names the numbers that are not among the goods.
    """
    apart = set(named_goods(goods, others, field="others"))
    found: dict[Outcome, list[int]] = {}
    rest = [item for item in goods.values() if item not in apart]
    if rest:
        found[Outcome(outcome)] = rest
    if apart and other_outcome in Outcome.values:
        found.setdefault(Outcome(other_outcome), []).extend(sorted(apart))
    return found


def named_goods(goods: dict[str, int], text: str, *, field: str) -> list[int]:
    """The items whose numbers stand in the text; raises BadInput at the field that names those not among the goods."""
    named = text.upper().replace(",", " ").replace(";", " ").split()
    unknown = [word for word in named if word not in goods]
    if unknown:
        said = _("Not among the goods of this case: %(items)s") % {"items": ", ".join(unknown[:20])}
        raise BadInput(fields={field: said})
    return [goods[word] for word in named]
