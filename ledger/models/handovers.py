"""Goods on their way from one custodian to another."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import never_deleted
from ledger.models.accounts import CustodyAccount
from ledger.models.movements import Item, Movement


class HandoverQuerySet(models.QuerySet["Handover"]):
    def visible_to(self, user: User) -> "HandoverQuerySet":
        """Hand-overs from or to an account that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        mine = CustodyAccount.objects.visible_to(user).values("pk")
        return self.filter(Q(source__in=mine) | Q(target__in=mine))


class Handover(models.Model):
    """Goods on their way from one custodian to another: dispatched by one person, accepted by another."""

    class State(models.TextChoices):
        DISPATCHED = "dispatched", _("In transit")
        ACCEPTED = "accepted", _("Accepted")
        CANCELLED = "cancelled", _("Returned to the sender")

    number = models.CharField(max_length=20, unique=True)
    source = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="sent")
    target = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="received")
    transit = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="carried")
    state = models.CharField(max_length=10, choices=State, default=State.DISPATCHED)
    under = models.CharField(max_length=40, blank=True)
    vehicle = models.CharField(_("vehicle"), max_length=60, blank=True)
    driver = models.CharField(_("driver"), max_length=120, blank=True)
    seals = models.CharField(_("seals"), max_length=200, blank=True)
    expected_on = models.DateField(_("expected on"), null=True, blank=True)
    dispatched_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    dispatched_at = models.DateTimeField()
    dispatch_movement = models.OneToOneField(Movement, on_delete=models.PROTECT, related_name="dispatch_of")
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    difference_reason = models.TextField(blank=True)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["target", "state"]), models.Index(fields=["source", "state"])]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="accepted") | ~Q(closed_by=F("dispatched_by")),
                name="nobody_accepts_own_dispatch",
            ),
            models.CheckConstraint(
                condition=Q(state="dispatched", closed_by=None, closed_at=None)
                | Q(state__in=["accepted", "cancelled"], closed_by__isnull=False, closed_at__isnull=False),
                name="handover_closed_all_or_none",
            ),
            models.CheckConstraint(condition=~Q(source=F("target")), name="handover_goes_elsewhere"),
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted()]

    def __str__(self) -> str:
        return self.number


class HandoverLine(models.Model):
    """One item of a hand-over, and whether the receiver has had it in hand."""

    class Outcome(models.TextChoices):
        PENDING = "pending", _("Not scanned yet")
        RECEIVED = "received", _("Received")
        MISSING = "missing", _("Missing")

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="lines", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="handover_lines")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.PENDING)
    scanned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    scanned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["handover", "item"], name="one_line_per_item"),
            models.CheckConstraint(
                condition=Q(scanned_by=None, scanned_at=None) | Q(scanned_by__isnull=False, scanned_at__isnull=False),
                name="handover_scan_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted()]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.item_id} {self.outcome}"
