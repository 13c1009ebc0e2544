"""Seasons, decisions on removal and their limits, permits to remove, brigades, slaughter points."""

from datetime import date

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, ThreeNames
from core.base.triggers import append_only, fixed, never_deleted
from registry import triggers_seasons
from registry.models.terms import Population, Sex
from registry.numbers import alike


class Season(ThreeNames):
    """A removal season, as the decision on regulation names it. No two have one name."""

    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="season_period")]
        triggers: list[pgtrigger.Trigger] = [triggers_seasons.seasons_differ()]


class RemovalDecision(models.Model):
    """A decision on regulation: how many animals may be removed in a season, and which science and law it rests on.

    It is never edited; another decision adds to it.
    """

    number = models.CharField(_("number"), max_length=40, unique=True)
    decided_on = models.DateField(_("date"))
    title = models.CharField(_("title"), max_length=200)
    season = models.ForeignKey(Season, on_delete=models.PROTECT, related_name="decisions")
    authority = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    legal_basis = models.CharField(_("legal basis"), max_length=300)
    basis_by = models.CharField(_("who made the justification"), max_length=200)
    basis_number = models.CharField(_("number of the justification"), max_length=60)
    basis_on = models.DateField(_("date of the justification"))
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        ordering = ["-decided_on", "number"]
        constraints = [
            models.CheckConstraint(condition=Q(decided_on__gte=F("basis_on")), name="decision_not_before_its_basis")
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.number


class RemovalLimit(models.Model):
    """One line of a decision: so many animals of one population in one region, of one sex or of any."""

    decision = models.ForeignKey(RemovalDecision, on_delete=models.PROTECT, related_name="limits")
    population = models.CharField(_("population"), max_length=12, choices=Population)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    sex = models.CharField(_("sex"), max_length=6, choices=Sex, default=Sex.ANY)
    animals = models.PositiveIntegerField(_("animals at most"))

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "population", "region", "sex"], name="one_limit_per_population_region_and_sex"
            ),
            models.CheckConstraint(condition=Q(animals__gt=0), name="limit_lets_something"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers_seasons.limits_do_not_overlap()]

    def __str__(self) -> str:
        return f"{self.decision_id} {self.population} {self.region_id} {self.sex}"


class RemovalPermit(models.Model):
    """The right to remove animals of one population in one region in one season, up to a number.

    It is issued under a line of a decision (`limit`); only permits from before decisions were kept have none. All
    permits of a line together never let more animals than the line does: the database counts them while the line is
    locked. A permit entered by mistake is withdrawn, and counts no more. No two have numbers that look alike.
    """

    number = models.CharField(_("number"), max_length=40, unique=True)
    # Of earlier versions there may be two that look alike: the trigger refuses new ones.
    number_alike = models.GeneratedField(
        expression=alike(models.F("number")), output_field=models.CharField(max_length=40), db_persist=True
    )
    issued_on = models.DateField(_("issued on"))
    season = models.ForeignKey(Season, on_delete=models.PROTECT, related_name="removal_permits")
    limit = models.ForeignKey(RemovalLimit, null=True, on_delete=models.PROTECT, related_name="permits")
    population = models.CharField(_("population"), max_length=12, choices=Population)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    sex = models.CharField(_("sex"), max_length=6, choices=Sex, default=Sex.ANY)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="removal_permits")
    animals_limit = models.PositiveIntegerField()
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdraw_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-issued_on", "number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_by=None, withdrawn_at=None, withdraw_reason="")
                | (Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False) & ~Q(withdraw_reason="")),
                name="permit_withdrawn_all_or_none",
            )
        ]
        indexes = [models.Index(fields=["number_alike"], name="permits_that_look_alike")]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "removal_permit_is_fixed",
                *("number", "season", "limit", "population", "region", "sex", "holder", "animals_limit"),
            ),
            triggers_seasons.permits_keep_to_their_limit(),
            triggers_seasons.permits_do_not_look_alike(),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


class Brigade(models.Model):
    """People who remove animals under a contract, in one season and region.

    Leader, members and the days of the contract are unknown only for brigades from before they were asked for.
    """

    name = models.CharField(_("name"), max_length=100)
    season = models.ForeignKey(Season, on_delete=models.PROTECT, related_name="brigades")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    contract_number = models.CharField(_("contract"), max_length=40)
    contract_on = models.DateField(_("date of the contract"), null=True)
    leader = models.CharField(_("leader"), max_length=150, blank=True)
    members = models.PositiveSmallIntegerField(_("members"), null=True)
    valid_from = models.DateField(_("valid from"), null=True)
    valid_until = models.DateField(_("valid until"), null=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["season", "contract_number"], name="one_brigade_per_contract"),
            models.CheckConstraint(condition=Q(valid_until__gte=F("valid_from")), name="contract_period"),
            # Earlier rows are not asked.
            models.CheckConstraint(condition=Q(valid_from__gte=F("contract_on")), name="contract_before_its_days"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.contract_number})"

    def has_contract_on(self, day: date) -> bool:
        """Whether the contract covers the day; contracts whose days are unknown cover the season."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


class SlaughterPoint(ThreeNames):
    """An attested place where carcasses are dressed. It holds no stock of the registry."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    attestation_number = models.CharField(_("number of the attestation"), max_length=60, unique=True)
    attested_on = models.DateField(_("attested on"))
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["region", "pk"]
