"""Facts beside an item that keep it where it is."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.base.triggers import final_once, fixed, never_deleted
from ledger import triggers, triggers_weighing
from ledger.models.movements import Item


class HoldQuerySet(models.QuerySet["Hold"]):
    def active(self) -> "HoldQuerySet":
        return self.filter(lifted_at=None)


class Hold(models.Model):
    """A fact that keeps an item where it is: evidence, a court, a dispute."""

    class Kind(models.TextChoices):
        EVIDENCE = "evidence", _("Evidence in a case")
        COURT = "court", _("Court order")
        DISPUTE = "dispute", _("Dispute")
        MISSING = "missing", _("Missing in a stock-take")
        LOSS = "loss", _("Reported lost or stolen")
        TO_DESTROY = "to_destroy", _("To be destroyed")
        MASS = "mass", _("Mass in question")
        PROCESSING = "processing", _("Processing waits for a decision")
        IN_TRANSIT = "in_transit", _("Missing on the way")
        ORIGIN = "origin", _("Goods to be confirmed")
        REMOVAL = "removal", _("Removal to be judged")

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="holds")
    kind = models.CharField(max_length=10, choices=Kind)
    reference = models.CharField(max_length=60)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.CharField(max_length=200, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "kind"], condition=Q(lifted_at=None), name="one_active_hold_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(lifted_by=None, lifted_at=None, lift_reason="")
                | (Q(lifted_by__isnull=False, lifted_at__isnull=False) & ~Q(lift_reason="")),
                name="hold_lift_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["mass", "in_transit"]) | Q(lifted_by=None) | ~Q(lifted_by=F("placed_by")),
                name="question_is_settled_by_another_person",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("hold_is_fixed", "item", "kind", "reference", "placed_by", "placed_at"),
            final_once("hold_lifted_for_good", pgtrigger.Q(old__lifted_at__isnull=False)),
            triggers.missing_on_the_way_is_settled(),
            triggers_weighing.mass_is_settled_by_scale_or_authority(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class ReservationQuerySet(models.QuerySet["Reservation"]):
    def active(self) -> "ReservationQuerySet":
        return self.filter(released_at=None)


class Reservation(models.Model):
    """An item is promised to one right, named by `reference` ("permit:12"), and moves under no other."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="reservations")
    reference = models.CharField(max_length=40, db_index=True)
    placed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(released_at=None), name="one_active_reservation"),
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted()]

    def __str__(self) -> str:
        return f"{self.item_id} {self.reference}"
