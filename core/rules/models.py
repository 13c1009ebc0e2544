"""What is allowed on a day: dated rows with their legal basis, drafted by one person and put in force by another."""

from datetime import date

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.base.triggers import append_only, final_once, fixed, never_deleted


class LegalBasis(models.Model):
    """The law, order or decision a rule comes from."""

    title_kk = models.TextField()
    title_ru = models.TextField()
    title_en = models.TextField()
    number = models.CharField(max_length=60, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    url = models.URLField(blank=True)
    is_confirmed = models.BooleanField(
        default=True, help_text=_("False where the wording is known from the press or by arithmetic only.")
    )

    class Meta:
        ordering = ["-pk"]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return {"kk": self.title_kk, "ru": self.title_ru}.get((get_language() or "kk")[:2], self.title_en)


class RuleCode(models.TextChoices):
    MARKING_COMPULSORY = "marking.compulsory", _("Marking is compulsory")
    HORN_MASS_BAND = "horn.mass_band", _("Plausible mass of one horn")
    HORN_PER_MALE = "horn.per_male", _("Horns per male at most")
    EXPORT_QUOTA = "export.quota", _("Export quota")
    MRP = "mrp", _("Monthly calculation index (MRP)")
    STATE_TRANSFER = "custody.state_transfer", _("State bodies pass goods to each other without a permit")
    DOMESTIC_SALE = "sale.domestic", _("Sale inside the country")
    DISCREPANCY_DAYS = "discrepancy.days", _("Days to explain a discrepancy")
    APPLICATION_DAYS = "application.days", _("Working days to decide an application")
    REMOVAL_TOLERANCE = "removal.tolerance", _("Tolerated differences of a brigade's day")
    HORN_LENGTH_BAND = "horn.length_band", _("Plausible outer length of one horn")
    HORN_BASE_BAND = "horn.base_band", _("Plausible circumference of a horn's base")
    DAMAGE_RATES = "damage.rates", _("Damage for illegal taking")
    DRYING_CURVE = "drying.curve", _("Mass that a horn may lose by drying")
    PROCESSING_LOSS = "processing.loss", _("Mass that processing may lose")
    UNDER_CERTIFICATE = "custody.under_certificate", _("Goods that move under a veterinary certificate")
    HANDOVER_MASS = "handover.mass", _("Tolerated difference of mass on arrival")
    HANDOVER_TERM = "handover.term", _("How long goods may be on their way")
    STOCKTAKE_COMMISSION = "stocktake.commission", _("Members of a stock-taking commission")
    DESTRUCTION_COMMISSION = "destruction.commission", _("Members of a destruction commission")
    DESTRUCTION_MASS = "destruction.mass", _("Tolerated difference of mass at a destruction")
    LOSS_SEARCH = "loss.search", _("Days to search for lost goods")
    STORE_CLIMATE = "store.climate", _("Climate of a store")
    STATE_GTIN = "marking.gtin", _("GTIN of a kind in the State's marking system")
    PHOTO_DISTANCE = "photo.distance", _("Distance of a photo from the stated place")
    COPY_FAR = "copy.far", _("Copies: one label at two places too far apart")
    COPY_GONE = "copy.gone", _("Copies: a label seen after its item was exported or destroyed")
    COPY_BLANK = "copy.blank", _("Copies: a label seen before it was on an item")
    COPY_BURST = "copy.burst", _("Copies: a burst of checks of one label")
    COPY_MANY = "copy.many", _("Copies: many public checks of one label")
    COPY_STORE = "copy.store", _("Copies: a label seen where its item is not")
    COPY_OLD_PRINT = "copy.old_print", _("Copies: a label seen that was replaced")
    CHECK_UNKNOWN = "check.unknown", _("Checks: codes that were never issued")
    CHECK_FORGED = "check.forged", _("Checks: forged symbols")
    CHECK_REFUSED = "check.refused", _("Checks: questions refused because they came too often")
    INDEPENDENCE = "accounts.independence", _("When two persons count as two")


class RuleQuerySet(models.QuerySet["Rule"]):
    def enacted(self) -> "RuleQuerySet":
        return self.filter(enacted_at__isnull=False)

    def drafts(self) -> "RuleQuerySet":
        """Written by one person, waiting for another to put them in force."""
        return self.filter(enacted_at=None, withdrawn_at=None)

    def on(self, day: date) -> "RuleQuerySet":
        """Rules put in force that cover `day`."""
        return self.enacted().filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)


class Rule(models.Model):
    """One value of one rule for a period, both days included; `ends_on` None means until further notice.

    A draft is put in force by a second person or withdrawn. What is in force is never rewritten; a later rule may
    only end an open period. Rules loaded with the software have neither drafter nor enactor.
    """

    code = models.CharField(max_length=40, choices=RuleCode)
    scope = models.CharField(max_length=40, blank=True)
    value = models.JSONField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    basis = models.ForeignKey(LegalBasis, on_delete=models.PROTECT, related_name="rules")
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(null=True)
    enacted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    enacted_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["code", "scope", "-starts_on"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="rule_period"),
            models.CheckConstraint(
                condition=~Q(code=RuleCode.DESTRUCTION_COMMISSION) | Q(value__persons__gte=3),
                name="three_or_more_destroy",
            ),
            models.CheckConstraint(
                condition=Q(drafted_by=None, enacted_by=None)
                | Q(drafted_by__isnull=False, enacted_by=None)
                | (Q(drafted_by__isnull=False) & ~Q(drafted_by=F("enacted_by"))),
                name="rule_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(drafted_by=None, drafted_at=None) | Q(drafted_by__isnull=False, drafted_at__isnull=False),
                name="rule_drafted_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(drafted_by=None, enacted_by=None, enacted_at__isnull=False)
                | Q(drafted_by__isnull=False, enacted_by=None, enacted_at=None)
                | Q(drafted_by__isnull=False, enacted_by__isnull=False, enacted_at__isnull=False),
                name="rule_enacted_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_by=None, withdrawn_at=None)
                | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False, enacted_at=None),
                name="rule_withdrawn_all_or_none",
            ),
            ExclusionConstraint(
                name="rule_periods_do_not_overlap",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    ("scope", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts_on"),
                            F("ends_on"),
                            RangeBoundary(inclusive_upper=True),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(enacted_at__isnull=False),
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("rule_is_fixed", "code", "scope", "value", "starts_on", "basis", "drafted_by", "drafted_at"),
            final_once("withdrawn_for_good", pgtrigger.Q(old__withdrawn_at__isnull=False)),
            pgtrigger.Protect(
                name="enacted_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__enacted_at__isnull=False)
                & (
                    pgtrigger.Q(old__ends_on__isnull=False)
                    | pgtrigger.Q(new__enacted_at__df=pgtrigger.F("old__enacted_at"))
                    | pgtrigger.Q(new__enacted_by__df=pgtrigger.F("old__enacted_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.scope} {self.starts_on}".replace("  ", " ")

    def covers(self, day: date) -> bool:
        """True on the days of its period, both ends included."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)

    @property
    def in_words(self) -> str:
        """What it says, in the reader's language."""
        from core.rules.values import in_words

        return in_words(self)

    @property
    def scope_in_words(self) -> str:
        """The kind of derivative it holds for; empty for all."""
        from core.rules.values import term_in_words

        return term_in_words(self.scope) if self.scope else ""

    @property
    def is_draft(self) -> bool:
        return self.enacted_at is None and self.withdrawn_at is None
