"""What exists and where it came from: seasons, permits to remove, intakes, cases, derivatives."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, ThreeNames, User
from core.accounts.roles import Can
from core.base.triggers import append_only, fixed, never_deleted
from core.documents.models import Document
from ledger.models import AccountKind, CustodyAccount, Holding, Item
from registry import triggers


class Term(models.TextChoices):
    """What a specimen is, by the CITES code of its description."""

    HORN = "HOR", _("horn")
    HORN_PIECE = "HOP", _("piece of horn")
    HORN_CARVING = "HOC", _("horn carving")
    MEAT = "MEA", _("meat")
    SKIN = "SKI", _("hide")
    SKIN_PIECE = "SKP", _("piece of hide")
    TROPHY = "TRO", _("trophy")
    POWDER = "POW", _("horn powder")
    MEDICINE = "MED", _("medicine")


class Origin(models.TextChoices):
    """How a specimen came into the system. Origins are never mixed."""

    REMOVAL = "removal", _("legal removal")
    FOUND = "found", _("found, natural death")
    SEIZURE = "seizure", _("seized, court pending")
    CONFISCATED = "confiscated", _("confiscated")
    OLD_STOCK = "old_stock", _("stock from before marking")
    IMPORTED = "imported", _("imported")
    UNKNOWN = "unknown", _("unknown")


BOUNDARIES = {
    Origin.REMOVAL: AccountKind.REMOVAL,
    Origin.FOUND: AccountKind.FIND,
    Origin.SEIZURE: AccountKind.SEIZURE,
    Origin.OLD_STOCK: AccountKind.OLD_STOCK,
    Origin.IMPORTED: AccountKind.IMPORT,
}
"""The boundary through which goods of an origin enter; confiscated goods were seized first, so they are in already."""


class Population(models.TextChoices):
    URAL = "ural", _("Ural")
    BETPAKDALA = "betpakdala", _("Betpakdala")
    USTYURT = "ustyurt", _("Ustyurt")


class Side(models.TextChoices):
    LEFT = "L", _("left")
    RIGHT = "R", _("right")
    UNKNOWN = "U", _("unknown")


class Condition(models.TextChoices):
    WHOLE = "whole", _("whole")
    CRACKED = "cracked", _("cracked")
    BROKEN = "broken", _("broken")
    DECAYED = "decayed", _("decayed")


def stock_class(term: str, origin: str) -> str:
    """The ledger's opaque code for this kind of stock."""
    return f"{term}:{origin}"


def split_stock_class(code: str) -> tuple[Term, Origin]:
    """Term and origin of a ledger code made by `stock_class`."""
    term, _colon, origin = code.partition(":")
    return Term(term), Origin(origin)


class Season(ThreeNames):
    """A removal season, as the decision on regulation names it."""

    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="season_period")]


class RemovalPermit(models.Model):
    """The right to remove animals of one population in one region in one season, up to a number."""

    number = models.CharField(_("number"), max_length=40, unique=True)
    issued_on = models.DateField(_("issued on"))
    season = models.ForeignKey(Season, on_delete=models.PROTECT, related_name="removal_permits")
    population = models.CharField(_("population"), max_length=12, choices=Population)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="removal_permits")
    animals_limit = models.PositiveIntegerField()

    class Meta:
        ordering = ["-issued_on", "number"]

    def __str__(self) -> str:
        return self.number


class Brigade(models.Model):
    """People who remove animals under a contract, in one season and region."""

    name = models.CharField(_("name"), max_length=100)
    season = models.ForeignKey(Season, on_delete=models.PROTECT, related_name="brigades")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    contract_number = models.CharField(_("contract"), max_length=40)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["season", "contract_number"], name="one_brigade_per_contract")]

    def __str__(self) -> str:
        return f"{self.name} ({self.contract_number})"


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: User) -> "CaseQuerySet":
        """Cases whose goods came into accounts that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(models.Exists(Intake.objects.visible_to(user).filter(case=models.OuterRef("pk"))))


class Case(models.Model):
    """A seizure: who took what from where, and under which criminal-register number."""

    protocol_number = models.CharField(_("protocol number"), max_length=60)
    protocol_on = models.DateField(_("date of the protocol"))
    erdr_number = models.CharField(_("ERDR number"), max_length=30, unique=True)
    agency = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="cases", verbose_name=_("agency"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    place = models.CharField(_("place"), max_length=200)
    seized_on = models.DateField(_("day of the seizure"))
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(protocol_on__gte=F("seized_on")), name="protocol_not_before_seizure"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("case_is_fixed", "erdr_number", "protocol_number", "opened_by", "opened_at"),
        ]

    def __str__(self) -> str:
        return self.erdr_number


class IntakeQuerySet(models.QuerySet["Intake"]):
    def visible_to(self, user: User) -> "IntakeQuerySet":
        """Intakes into accounts that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_INTAKES):
            return self.none()
        return self.filter(store__in=CustodyAccount.objects.visible_to(user).values("pk"))

    def open(self) -> "IntakeQuerySet":
        return self.filter(state=Intake.State.OPEN)

    def with_rows_weighed(self) -> "IntakeQuerySet":
        """Each with `rows_pieces` and `rows_grams`, what stands in its table now; 0 once it is registered."""
        rows = IntakeRow.objects.filter(intake=models.OuterRef("pk")).order_by().values("intake")
        return self.annotate(
            rows_pieces=Coalesce(models.Subquery(rows.annotate(n=models.Count("pk")).values("n")), 0),
            rows_grams=Coalesce(models.Subquery(rows.annotate(g=models.Sum("mass_g")).values("g")), 0),
        )


class Intake(models.Model):
    """Specimens taken in together: a reception batch of one brigade and day, or what one seizure brought.

    `version` counts the changes of the weighing table, so that a person who saves an older one is told.
    `pieces` and `grams` say what was registered; the database holds them equal to the derivatives.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Being weighed")
        REGISTERED = "registered", _("Registered")
        CANCELLED = "cancelled", _("Cancelled")

    number = models.CharField(max_length=20, unique=True)
    origin = models.CharField(max_length=12, choices=Origin)
    store = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="intakes")
    on = models.DateField(_("day"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    population = models.CharField(_("population"), max_length=12, choices=Population, blank=True)
    permit = models.ForeignKey(RemovalPermit, null=True, on_delete=models.PROTECT, related_name="intakes")
    brigade = models.ForeignKey(Brigade, null=True, on_delete=models.PROTECT, related_name="intakes")
    males = models.PositiveIntegerField(_("males"), null=True)
    females = models.PositiveIntegerField(_("females"), null=True)
    young = models.PositiveIntegerField(_("young"), null=True)
    carcasses = models.PositiveIntegerField(_("carcasses delivered"), null=True)
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="intakes")
    explanation = models.TextField(_("explanation"), blank=True)
    cancel_reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    version = models.PositiveIntegerField(default=0)
    pieces = models.PositiveIntegerField(null=True)
    grams = models.PositiveBigIntegerField(null=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    objects = IntakeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["store", "state"]), models.Index(fields=["on"])]
        constraints = [
            models.CheckConstraint(
                condition=~Q(origin="removal")
                | Q(
                    permit__isnull=False,
                    brigade__isnull=False,
                    males__isnull=False,
                    females__isnull=False,
                    young__isnull=False,
                    carcasses__isnull=False,
                    case=None,
                ),
                name="removal_intake_has_its_papers",
            ),
            models.CheckConstraint(
                condition=~Q(origin="seizure") | Q(case__isnull=False, permit=None, brigade=None),
                name="seizure_intake_has_its_case",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_by=None, closed_at=None)
                | Q(state__in=["registered", "cancelled"], closed_by__isnull=False, closed_at__isnull=False),
                name="intake_closed_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(state="registered", pieces__gt=0, grams__gt=0)
                | (~Q(state="registered") & Q(pieces=None, grams=None)),
                name="registered_intake_has_totals",
            ),
            models.CheckConstraint(
                condition=(Q(state="cancelled") & ~Q(cancel_reason="")) | (~Q(state="cancelled") & Q(cancel_reason="")),
                name="cancelled_intake_has_reason",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("intake_is_fixed", "number", "origin", "store", "case", "opened_by", "opened_at"),
            triggers.intake_goes_to_its_kind_of_room(),
            triggers.registered_intake_is_whole(),
            pgtrigger.Protect(
                name="closed_intake_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["registered", "cancelled"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def animals(self) -> int | None:
        """Animals taken in all; None where no animals were counted."""
        if self.males is None or self.females is None or self.young is None:
            return None
        return self.males + self.females + self.young


class HornMeasures(models.Model):
    """What the scale and the ruler say of one specimen."""

    side = models.CharField(_("side"), max_length=1, choices=Side)
    mass_g = models.PositiveIntegerField(_("mass"))
    length_mm = models.PositiveIntegerField(_("outer length"), null=True, blank=True)
    condition = models.CharField(_("condition"), max_length=10, choices=Condition, default=Condition.WHOLE)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        abstract = True


class IntakeRow(HornMeasures):
    """A line of the weighing table before registration. Registration turns it into a derivative and removes it."""

    intake = models.ForeignKey(Intake, on_delete=models.CASCADE, related_name="rows")
    row = models.PositiveIntegerField()
    photo = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(fields=["intake", "row"], name="one_line_per_row_number"),
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="row_weighs_something"),
            models.CheckConstraint(condition=Q(row__gt=0), name="rows_count_from_one"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            triggers.rows_belong_to_open_intake(pgtrigger.Insert),
            triggers.rows_belong_to_open_intake(pgtrigger.Update),
            triggers.rows_belong_to_open_intake(pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.intake_id}/{self.row}"


class IntakeSheet(models.Model):
    """A table file whose rows were added to an intake; the file is kept as it was given."""

    intake = models.ForeignKey(Intake, on_delete=models.PROTECT, related_name="sheets")
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="+")
    rows_added = models.PositiveIntegerField()
    rows_refused = models.PositiveIntegerField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.intake_id} {self.document_id}"


class DerivativeQuerySet(models.QuerySet["Derivative"]):
    def visible_to(self, user: User) -> "DerivativeQuerySet":
        """Derivatives in accounts that the person may know; everything for those who oversee."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_STOCK):
            return self.none()
        mine = CustodyAccount.objects.visible_to(user).values("pk")
        return self.filter(item__in=Holding.objects.filter(account__in=mine, pieces__gt=0).values("item"))


class Derivative(HornMeasures):
    """One registered specimen: what it is and where it came from. Where it is now, the ledger says."""

    item = models.OneToOneField(Item, on_delete=models.PROTECT, primary_key=True, related_name="derivative")
    number = models.CharField(max_length=16, unique=True)
    term = models.CharField(_("term"), max_length=3, choices=Term)
    origin = models.CharField(_("origin"), max_length=12, choices=Origin)
    intake = models.ForeignKey(Intake, on_delete=models.PROTECT, related_name="derivatives", db_index=False)
    row = models.PositiveIntegerField()
    registered_at = models.DateTimeField()

    objects = DerivativeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["intake", "row"], name="one_derivative_per_row"),
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="derivative_weighs_something"),
            models.CheckConstraint(condition=Q(number__regex=r"^KZ[0-9]{2}-[0-9]{7,}$"), name="derivative_number_form"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            pgtrigger.Protect(name="derivative_is_a_fact", operation=pgtrigger.Update),
            triggers.derivatives_come_by_registration(),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def stock_class(self) -> str:
        return stock_class(self.term, self.origin)


class DerivativePhoto(models.Model):
    """A photo of a derivative."""

    derivative = models.ForeignKey(Derivative, on_delete=models.PROTECT, related_name="photos")
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.derivative_id} {self.document_id}"
