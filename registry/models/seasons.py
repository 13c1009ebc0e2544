"""Seasons, permits to remove, brigades."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, ThreeNames
from registry.models.terms import Population


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
