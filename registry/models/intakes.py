"""What is taken in together, and its weighing table."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Region, User
from core.accounts.roles import Can
from core.base.triggers import append_only, fixed, never_deleted
from core.documents.models import Document
from ledger.models import CustodyAccount, Movement
from registry import triggers, triggers_seasons
from registry.models.cases import Case
from registry.models.certificates import VeterinaryCertificate
from registry.models.measures import Measures, measures_fit
from registry.models.origins import Confiscation, Find, Importation, OldStock
from registry.models.processing import Processing
from registry.models.seasons import Brigade, RemovalPermit
from registry.models.sheets import DailySheet
from registry.models.terms import Origin, Population, Term

FOREIGN_STORES = (Origin.OLD_STOCK, Origin.IMPORTED)
"""Origins that an inspection registers in stores of any keeper of its regions."""

EVIDENCE: dict[str, tuple[str, ...]] = {
    Origin.REMOVAL: ("permit",),
    Origin.FOUND: ("find",),
    Origin.SEIZURE: ("case",),
    Origin.CONFISCATED: ("confiscation",),
    Origin.OLD_STOCK: ("old_stock",),
    Origin.IMPORTED: ("importation",),
    Origin.UNKNOWN: (),
}
"""The papers of an intake, by its origin; it names those of no other."""
PAPERS = tuple(name for names in EVIDENCE.values() for name in names)


def origin_has_its_evidence(origin: str) -> models.CheckConstraint:
    """An intake of this origin names its papers and no others; where nothing proves an origin, words explain it."""
    own = EVIDENCE[origin]
    said = Q(**{f"{name}__isnull": name not in own for name in PAPERS})
    if not own:
        said &= ~Q(explanation="")
    return models.CheckConstraint(
        condition=Q(processing__isnull=False) | ~Q(origin=origin) | said, name=f"{origin}_intake_has_its_evidence"
    )


class IntakeQuerySet(models.QuerySet["Intake"]):
    def visible_to(self, user: User) -> "IntakeQuerySet":
        """Intakes into accounts that the person may know, and, for an inspection, all of its regions."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_INTAKES):
            return self.none()
        mine = Q(store__in=CustodyAccount.objects.visible_to(user).values("pk"))
        if user.can(Can.OPEN_INTAKE):
            # Old stock and imports lie in the stores of traders, which an inspection otherwise does not see into.
            mine |= Q(origin__in=FOREIGN_STORES, region__in=user.region_codes(Can.OPEN_INTAKE))
        return self.filter(mine)

    def received(self) -> "IntakeQuerySet":
        """What came in from outside: without what processing made of it here."""
        return self.filter(processing=None)

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
    """Specimens taken in together: a reception batch of one brigade and day, what one seizure brought, or what one
    run of processing made.

    Animals and carcasses of a removal are counted on the brigade's daily sheet, once; a reception that was opened
    before its sheet carries its own counts. `counted` is whichever of the two holds.
    `version` counts the changes of the weighing table, so that a person who saves an older one is told.
    `band_reason` says why measures outside the plausible bands are right; before it was asked for, it is empty.
    `pieces` and `grams` say what was registered; the database holds them equal to the derivatives.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Being weighed")
        REGISTERED = "registered", _("Registered")
        CANCELLED = "cancelled", _("Cancelled")

    number = models.CharField(max_length=20, unique=True)
    origin = models.CharField(max_length=12, choices=Origin)
    term = models.CharField(
        _("kind of derivative"), max_length=3, choices=Term, default=Term.HORN, db_default=Term.HORN
    )
    store = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="intakes")
    on = models.DateField(_("day"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    population = models.CharField(_("population"), max_length=12, choices=Population, blank=True)
    permit = models.ForeignKey(RemovalPermit, null=True, on_delete=models.PROTECT, related_name="intakes")
    brigade = models.ForeignKey(Brigade, null=True, on_delete=models.PROTECT, related_name="intakes")
    sheet = models.ForeignKey(DailySheet, null=True, on_delete=models.PROTECT, related_name="intakes")
    males = models.PositiveIntegerField(_("males"), null=True)
    females = models.PositiveIntegerField(_("females"), null=True)
    young = models.PositiveIntegerField(_("young"), null=True)
    carcasses = models.PositiveIntegerField(_("carcasses delivered"), null=True)
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="intakes")
    processing = models.OneToOneField(Processing, null=True, on_delete=models.PROTECT, related_name="made")
    find = models.OneToOneField(Find, null=True, on_delete=models.PROTECT, related_name="intake")
    confiscation = models.ForeignKey(Confiscation, null=True, on_delete=models.PROTECT, related_name="intakes")
    old_stock = models.ForeignKey(OldStock, null=True, on_delete=models.PROTECT, related_name="intakes")
    importation = models.ForeignKey(Importation, null=True, on_delete=models.PROTECT, related_name="intakes")
    certificate = models.ForeignKey(VeterinaryCertificate, null=True, on_delete=models.PROTECT, related_name="intakes")
    explanation = models.TextField(_("explanation"), blank=True)
    band_reason = models.TextField(_("why measures are unusual"), blank=True, default="", db_default="")
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
                condition=Q(processing__isnull=False)
                | ~Q(origin="removal", term="HOR")
                | Q(
                    permit__isnull=False,
                    brigade__isnull=False,
                    sheet=None,
                    males__isnull=False,
                    females__isnull=False,
                    young__isnull=False,
                    carcasses__isnull=False,
                    case=None,
                )
                | Q(
                    permit__isnull=False,
                    brigade__isnull=False,
                    sheet__isnull=False,
                    males=None,
                    females=None,
                    young=None,
                    carcasses=None,
                    case=None,
                ),
                name="removal_intake_has_its_papers",
            ),
            models.CheckConstraint(
                condition=Q(processing__isnull=False)
                | ~Q(origin="seizure")
                | Q(case__isnull=False, permit=None, brigade=None),
                name="seizure_intake_has_its_case",
            ),
            *(origin_has_its_evidence(origin.value) for origin in Origin),
            models.CheckConstraint(
                condition=Q(origin="removal", term="HOR") | Q(males=None, females=None, young=None, carcasses=None),
                name="animals_are_counted_with_their_horns",
            ),
            models.CheckConstraint(
                condition=Q(processing__isnull=False)
                | ~Q(term="MEA", origin__in=["removal", "imported"])
                | Q(certificate__isnull=False),
                name="meat_has_its_certificate",
            ),
            models.CheckConstraint(condition=Q(certificate=None) | Q(term="MEA"), name="certificate_is_for_meat"),
            models.CheckConstraint(
                condition=Q(processing=None) | Q(state="registered", case=None, permit=None, brigade=None),
                name="what_processing_made_was_registered_at_once",
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
            fixed(
                "intake_is_fixed", "number", "origin", "term", "store", "case", "processing", "opened_by", "opened_at"
            ),
            triggers.intake_goes_to_its_kind_of_room(),
            triggers.registered_intake_is_whole(),
            triggers.goods_are_held_until_confirmed(),
            triggers_seasons.reception_fits_its_sheet(),
            triggers_seasons.reception_under_standing_permit(),
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
        if self.sheet is not None:
            return self.sheet.animals
        if self.males is None or self.females is None or self.young is None:
            return None
        return self.males + self.females + self.young

    @property
    def counted(self) -> "DailySheet | Intake":
        """Who says how many males, females, young and carcasses there were: the daily sheet, else the reception."""
        return self.sheet or self


class IntakeMovement(Movement):
    """Movements as intakes see them: nothing comes into the books without the intake that says so."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [triggers.intake_movement_has_its_intake()]


class IntakeRow(Measures):
    """A line of the weighing table before registration. Registration turns it into a derivative and removes it.

    `pair` names the other horn of the animal: the number of its row, or the registration number of a horn.
    """

    intake = models.ForeignKey(Intake, on_delete=models.CASCADE, related_name="rows")
    row = models.PositiveIntegerField()
    pair = models.CharField(_("paired horn"), max_length=16, blank=True, default="", db_default="")

    class Meta:
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(fields=["intake", "row"], name="one_line_per_row_number"),
            models.CheckConstraint(condition=Q(row__gt=0), name="rows_count_from_one"),
            # Earlier rows are not asked: registering refuses them.
            models.CheckConstraint(condition=~Q(pair=Cast("row", models.CharField())), name="no_horn_is_its_own_pair"),
            *measures_fit("row"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            triggers.rows_belong_to_open_intake(pgtrigger.Insert),
            triggers.rows_belong_to_open_intake(pgtrigger.Update),
            triggers.rows_belong_to_open_intake(pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.intake_id}/{self.row}"


class RowPhoto(models.Model):
    """A photo of what lies in a row, before registration; registration hands it to the derivative."""

    intake = models.ForeignKey(Intake, on_delete=models.PROTECT, related_name="photos", db_index=False)
    row = models.PositiveIntegerField()
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="+")
    has_scale_bar = models.BooleanField(_("with a scale bar"), default=False)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["intake", "row"], name="photos_of_row")]

    def __str__(self) -> str:
        return f"{self.intake_id}/{self.row} {self.document_id}"


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
