"""Registered specimens."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only, never_deleted
from core.documents.models import Document
from ledger.models import CustodyAccount, Holding, Item
from registry import triggers
from registry.models.intakes import HornMeasures, Intake
from registry.models.terms import Origin, Term, stock_class


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
