"""Questions about intakes that span several models."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.documents.models import Document
from core.notices.models import is_authority
from core.rules.models import Rule, RuleCode
from ledger.models import AccountKind, CustodyAccount
from registry.models import (
    Brigade,
    DailySheet,
    Derivative,
    DerivativePhoto,
    Intake,
    Origin,
    RemovalLimit,
    RemovalPermit,
    RowPhoto,
    Season,
    Side,
    Term,
    VeterinaryCertificate,
)
from registry.models.intakes import FOREIGN_STORES


def stores_for_intake(user: User, origin: Origin) -> QuerySet[CustodyAccount]:
    """Where the person may take goods of this origin in.

    What brigades bring comes to a reception point, what was seized to an evidence room. Found and confiscated goods
    come to any store of the State; old stock and imports are registered where they lie, in any store of the region.
    """
    act = Can.REGISTER_SEIZURE if origin == Origin.SEIZURE else Can.OPEN_INTAKE
    rooms = Q(kind=AccountKind.STORE)
    if origin == Origin.SEIZURE:
        rooms = Q(kind=AccountKind.EVIDENCE)
    elif origin == Origin.REMOVAL:
        rooms &= Q(is_reception_point=True)
    own = Q(custodian__in=user.organisation_ids(act))
    near = Q(region__in=user.region_codes(act))
    if origin in FOREIGN_STORES:
        known = CustodyAccount.objects.physical() if user.can(act) else CustodyAccount.objects.none()
    else:
        known = CustodyAccount.objects.visible_to(user)
        near &= Q(custodian__kind__in=Organisation.STATE_BODIES)
    return known.filter(rooms, own | near, is_active=True, region__isnull=False).select_related("custodian", "region")


def can_work_on(user: User, intake: Intake) -> bool:
    """Whether the person may weigh, register and cancel here: it is one of the places they may take goods in."""
    return stores_for_intake(user, Origin(intake.origin)).filter(pk=intake.store_id).exists()


def may_confirm(user: User, intake: Intake) -> bool:
    """An inspector of the region or the authority, never one of the keeper of the store, who may read the paper."""
    if intake.find_id is not None and not may_see_persons(user, intake):
        return False
    offices = user.organisation_ids(Can.OPEN_INTAKE) if _inspects(user, intake) else frozenset()
    if is_authority(user):
        offices |= user.organisation_ids(Can.DECIDE_NOTICE)
    return bool(offices - {intake.store.custodian_id})


def _inspects(user: User, intake: Intake) -> bool:
    offices = Organisation.objects.filter(pk__in=user.organisation_ids(Can.OPEN_INTAKE))
    is_office = offices.filter(kind__in=(Organisation.Kind.INSPECTORATE, Organisation.Kind.MINISTRY)).exists()
    return is_office and intake.region_id in user.region_codes(Can.OPEN_INTAKE)


def permits_for_intake(user: User, on: date) -> QuerySet[RemovalPermit]:
    """Removal permits of the person's regions whose season has begun, the latest season first."""
    return (
        RemovalPermit.objects.filter(
            region__in=user.region_codes(Can.OPEN_INTAKE), season__starts_on__lte=on, withdrawn_at=None
        )
        .select_related("season", "region")
        .order_by("-season__starts_on", "number")
    )


def permits_seen(user: User) -> QuerySet[RemovalPermit]:
    """Removal permits whose use the person may follow: of the person's regions and organisations, or all."""
    if user.can(Can.SEE_EVERYTHING):
        return RemovalPermit.objects.all()
    return RemovalPermit.objects.filter(
        Q(region__in=user.region_codes(Can.OPEN_INTAKE)) | Q(holder__in=user.organisation_ids(Can.SEE_INTAKES))
    )


def limits_seen(user: User) -> QuerySet[RemovalLimit]:
    """Lines of decisions that bind the person: of the own regions, and of permits the person may follow; or all."""
    if user.can(Can.SEE_EVERYTHING) or user.can(Can.KEEP_SEASONS):
        return RemovalLimit.objects.all()
    seen = permits_seen(user).values("limit")
    return RemovalLimit.objects.filter(Q(region__in=user.region_codes(Can.OPEN_INTAKE)) | Q(pk__in=seen))


def seasons_seen(user: User) -> QuerySet[Season]:
    """Seasons in which the person has a part: by a line of a decision or by a permit; all for those who oversee."""
    if user.can(Can.SEE_EVERYTHING) or user.can(Can.KEEP_SEASONS):
        return Season.objects.all()
    lines = limits_seen(user).values("decision__season")
    return Season.objects.filter(Q(pk__in=lines) | Q(pk__in=permits_seen(user).values("season")))


def brigades_for_intake(user: User, on: date) -> QuerySet[Brigade]:
    """Brigades of the same regions and seasons."""
    return (
        Brigade.objects.filter(region__in=user.region_codes(Can.OPEN_INTAKE), season__starts_on__lte=on)
        .select_related("season", "region")
        .order_by("-season__starts_on", "region", "name")
    )


def sheets_without_reception(user: User) -> QuerySet[DailySheet]:
    """Daily sheets of the person's regions with horns cut and no reception yet, the latest day first."""
    received = Intake.objects.exclude(state=Intake.State.CANCELLED).filter(
        permit=OuterRef("permit"), brigade=OuterRef("brigade"), on=OuterRef("on")
    )
    return (
        DailySheet.objects.standing()
        .filter(~Exists(received), permit__region__in=user.region_codes(Can.OPEN_INTAKE), horns_cut__gt=0)
        .select_related("brigade")
        .order_by("-on", "-pk")
    )


def last_removal_intake(user: User) -> Intake | None:
    """What the person opened last, to begin the next form with."""
    return Intake.objects.filter(opened_by=user, origin=Origin.REMOVAL).order_by("-pk").first()


Band = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Plausibility:
    """What the rules of a day call plausible of a horn; what no rule in force speaks of is not asked about.

    `bands` has the least and the greatest value of a column. Other terms have no bands.
    """

    bands: dict[str, Band]
    per_male: int | None

    @property
    def min_g(self) -> int | None:
        return self.bands["mass_g"][0] if "mass_g" in self.bands else None

    @property
    def max_g(self) -> int | None:
        return self.bands["mass_g"][1] if "mass_g" in self.bands else None

    def unusual(self, row: Any) -> list[str]:
        """Columns of a row (a `TableRow` or a row of the database) that a person must confirm."""
        found = [
            column
            for column, (least, most) in self.bands.items()
            if (value := getattr(row, column)) is not None and not least <= value <= most
        ]
        if self.bands and row.straight_mm and row.length_mm and 2 * row.straight_mm < row.length_mm:
            found.append("straight_mm")
        return found

    def is_outside(self, row: Any) -> bool:
        """True for a row that a person must confirm."""
        return bool(self.unusual(row))

    def outside(self) -> Q:
        """The same question to the database."""
        asked = Q(pk__in=[])
        for column, (least, most) in self.bands.items():
            asked |= Q(**{f"{column}__lt": least}) | Q(**{f"{column}__gt": most})
        return asked | Q(straight_mm__lt=F("length_mm") / 2.0) if self.bands else asked

    def horns_expected(self, males: int | None) -> int | None:
        """The most horns that so many males can carry; None when it cannot be said."""
        return None if males is None or self.per_male is None else males * self.per_male


BANDS = (
    ("mass_g", RuleCode.HORN_MASS_BAND, "min_g", "max_g"),
    ("length_mm", RuleCode.HORN_LENGTH_BAND, "min_mm", "max_mm"),
    ("base_mm", RuleCode.HORN_BASE_BAND, "min_mm", "max_mm"),
)


def plausibility(on: date, term: str = Term.HORN) -> Plausibility:
    """The rules of a day about the mass, length and base of a horn, and about horns per male: one query."""
    if term != Term.HORN:
        return Plausibility({}, None)
    wanted = [code for _column, code, _least, _most in BANDS] + [RuleCode.HORN_PER_MALE]
    values: dict[str, dict[str, int]] = {rule.code: rule.value for rule in Rule.objects.on(on).filter(code__in=wanted)}
    bands = {column: (values[code][least], values[code][most]) for column, code, least, most in BANDS if code in values}
    return Plausibility(bands, values.get(RuleCode.HORN_PER_MALE, {}).get("max"))


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
    found = lines.order_by().aggregate(
        pieces=Count("pk"),
        grams=Sum("mass_g", default=0),
        left=Count("pk", filter=Q(side=Side.LEFT)),
        right=Count("pk", filter=Q(side=Side.RIGHT)),
        outside=Count("pk", filter=band.outside()),
    )
    return Tally(**found)


def horns_expected(intake: Intake, rules: Plausibility) -> int | None:
    """The most horns that this reception can bring: those of the males counted, less what others of the day have.

    None when it cannot be said.
    """
    most = rules.horns_expected(intake.counted.males)
    if most is None or intake.sheet_id is None:
        return most
    elsewhere = Intake.objects.filter(sheet=intake.sheet_id).exclude(pk=intake.pk)
    taken: int = elsewhere.aggregate(n=Sum("pieces", default=0))["n"]
    return max(most - taken, 0)


def explanation_needed(intake: Intake, rules: Plausibility, pieces: int) -> bool:
    """More horns than the males of the day can carry."""
    expected = horns_expected(intake, rules)
    return expected is not None and pieces > expected


def may_see_persons(user: User, intake: Intake) -> bool:
    """Names and addresses of finders: for those who work on the intake, and those whose office it is."""
    if user.can(Can.SEE_PERSONS) and user.can(Can.SEE_EVERYTHING):
        return True
    return can_work_on(user, intake)


def visible_photos(user: User) -> QuerySet[Document]:
    """Photos of rows and derivatives that the person may know: by the intake, or by where the derivative is."""
    intakes = Intake.objects.visible_to(user)
    of_row = RowPhoto.objects.filter(document=OuterRef("pk"), intake__in=intakes)
    of_derivative = DerivativePhoto.objects.filter(document=OuterRef("pk")).filter(
        Q(derivative__in=Derivative.objects.visible_to(user)) | Q(derivative__intake__in=intakes)
    )
    return Document.objects.filter(Exists(of_row) | Exists(of_derivative), kind=Document.Kind.PHOTO)


def visible_papers(user: User) -> QuerySet[Document]:
    """Scans of certificates, and of the papers of intakes, that the person may know."""
    intakes = Intake.objects.visible_to(user)
    named: Any = Exists(VeterinaryCertificate.objects.visible_to(user).filter(scan=OuterRef("pk")))
    for paper in ("find", "confiscation", "old_stock", "importation"):
        named |= Exists(intakes.filter(**{f"{paper}__scan": OuterRef("pk")}))
    return Document.objects.filter(named, kind=Document.Kind.SCAN)


def must_be_marked(term: str, on: date) -> bool:
    """Whether marking of this term is compulsory on a day."""
    rule = Rule.objects.on(on).filter(code=RuleCode.MARKING_COMPULSORY).first()
    return rule is not None and term in rule.value["terms"]


UNMARKED = frozenset({Term.MEAT, Term.SKIN, Term.SKIN_PIECE})
"""Terms for which no marking duty is known: they are registered, and marked if a person wishes so."""


def marked_by_default(term: str, on: date) -> bool:
    """Whether what is registered gets marks unless somebody says otherwise."""
    return term not in UNMARKED or must_be_marked(term, on)
