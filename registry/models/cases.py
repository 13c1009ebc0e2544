"""Seizure cases."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Can
from core.base.triggers import fixed, never_deleted


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: User) -> "CaseQuerySet":
        """Cases whose goods came into accounts that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        from registry.models.intakes import Intake  # intakes name their case

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
