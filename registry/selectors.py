"""Questions about intakes that span several models."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.documents.models import Document
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from ledger.models import AccountKind, CustodyAccount
from registry.models import (
    Brigade,
    Derivative,
    DerivativePhoto,
    Intake,
    IntakeRow,
    Origin,
    RemovalPermit,
    Side,
)


def stores_for_intake(user: User, origin: Origin) -> QuerySet[CustodyAccount]:
    """Where the person may take goods of this origin in: reception points, or evidence rooms for seized goods."""
    act = Can.REGISTER_SEIZURE if origin == Origin.SEIZURE else Can.OPEN_INTAKE
    rooms = Q(kind=AccountKind.STORE, is_reception_point=True)
    if origin == Origin.SEIZURE:
        rooms = Q(kind=AccountKind.EVIDENCE)
    mine = Q(custodian__in=user.organisation_ids(act)) | Q(
        custodian__kind__in=Organisation.STATE_BODIES, region__in=user.region_codes(act)
    )
    return (
        CustodyAccount.objects.visible_to(user)
        .filter(rooms, mine, is_active=True, region__isnull=False)
        .select_related("custodian", "region")
    )


def can_work_on(user: User, intake: Intake) -> bool:
    """Whether the person may weigh, register and cancel here: it is one of the places they may take goods in."""
    return stores_for_intake(user, Origin(intake.origin)).filter(pk=intake.store_id).exists()


def permits_for_intake(user: User, on: date) -> QuerySet[RemovalPermit]:
    """Removal permits of the person's regions whose season has begun, the latest season first."""
    return (
        RemovalPermit.objects.filter(region__in=user.region_codes(Can.OPEN_INTAKE), season__starts_on__lte=on)
        .select_related("season", "region")
        .order_by("-season__starts_on", "number")
    )


def brigades_for_intake(user: User, on: date) -> QuerySet[Brigade]:
    """Brigades of the same regions and seasons."""
    return (
        Brigade.objects.filter(region__in=user.region_codes(Can.OPEN_INTAKE), season__starts_on__lte=on)
        .select_related("season", "region")
        .order_by("-season__starts_on", "region", "name")
    )


def last_removal_intake(user: User) -> Intake | None:
    """What the person opened last, to begin the next form with."""
    return Intake.objects.filter(opened_by=user, origin=Origin.REMOVAL).order_by("-pk").first()


@dataclass(frozen=True, slots=True)
class Plausibility:
    """What the rules of a day call plausible; None where no rule is in force, and then nothing is asked."""

    min_g: int | None
    max_g: int | None
    per_male: int | None

    def is_outside(self, mass_g: int) -> bool:
        """True for a mass that a person must confirm."""
        return self.min_g is not None and self.max_g is not None and not self.min_g <= mass_g <= self.max_g

    def horns_expected(self, males: int | None) -> int | None:
        """The most horns that so many males can carry; None when it cannot be said."""
        return None if males is None or self.per_male is None else males * self.per_male


def plausibility(on: date) -> Plausibility:
    """The rules horn.mass_band and horn.per_male on a day."""
    band, per_male = _value(RuleCode.HORN_MASS_BAND, on), _value(RuleCode.HORN_PER_MALE, on)
    return Plausibility(min_g=band.get("min_g"), max_g=band.get("max_g"), per_male=per_male.get("max"))


def _value(code: RuleCode, on: date) -> dict[str, int]:
    try:
        value: dict[str, int] = in_force(code, on).value
    except NoRuleInForce:
        return {}
    return value


@dataclass(frozen=True, slots=True)
class Tally:
    """What a weighing table adds up to."""

    pieces: int
    grams: int
    left: int
    right: int
    outside: int

    def minus(self, other: "Tally") -> "Tally":
        return Tally(
            self.pieces - other.pieces,
            self.grams - other.grams,
            self.left - other.left,
            self.right - other.right,
            self.outside - other.outside,
        )


def tally(intake: Intake, band: Plausibility) -> Tally:
    """The totals of the rows on the table, or of the derivatives once it is registered: one query."""
    lines = intake.rows if intake.is_open or intake.state == Intake.State.CANCELLED else intake.derivatives
    outside = (
        Q(pk__in=[])
        if band.min_g is None or band.max_g is None
        else Q(mass_g__lt=band.min_g) | Q(mass_g__gt=band.max_g)
    )
    found = lines.order_by().aggregate(
        pieces=Count("pk"),
        grams=Sum("mass_g", default=0),
        left=Count("pk", filter=Q(side=Side.LEFT)),
        right=Count("pk", filter=Q(side=Side.RIGHT)),
        outside=Count("pk", filter=outside),
    )
    return Tally(**found)


def explanation_needed(intake: Intake, rules: Plausibility, pieces: int) -> bool:
    """More horns than the males of the day can carry."""
    expected = rules.horns_expected(intake.males)
    return expected is not None and pieces > expected


def visible_photos(user: User) -> QuerySet[Document]:
    """Photos of rows and derivatives that the person may know: by the intake, or by where the derivative is."""
    intakes = Intake.objects.visible_to(user)
    of_row = IntakeRow.objects.filter(photo=OuterRef("pk"), intake__in=intakes)
    of_derivative = DerivativePhoto.objects.filter(document=OuterRef("pk")).filter(
        Q(derivative__in=Derivative.objects.visible_to(user)) | Q(derivative__intake__in=intakes)
    )
    return Document.objects.filter(Exists(of_row) | Exists(of_derivative), kind=Document.Kind.PHOTO)
