"""Goods on their way from one custodian to another."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only, final_once, fixed, never_deleted
from core.documents.models import Document
from ledger import triggers
from ledger.models.accounts import CustodyAccount
from ledger.models.boxes import Box
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
    escort = models.CharField(_("escort"), max_length=300, blank=True)
    route = models.TextField(_("route"), blank=True)
    expected_at = models.DateTimeField(_("expected"), null=True, blank=True)
    late_told_at = models.DateTimeField(null=True)
    dispatched_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    dispatched_at = models.DateTimeField()
    dispatch_movement = models.OneToOneField(Movement, on_delete=models.PROTECT, related_name="dispatch_of")
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    difference_reason = models.TextField(blank=True)
    # What is weighed on arrival is drawn from a published seed: anybody can draw the same sample again.
    sample_seed = models.CharField(max_length=32, blank=True)
    sample_size = models.PositiveIntegerField(default=0)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["target", "state"]),
            models.Index(fields=["source", "state"]),
            models.Index(
                fields=["expected_at"],
                condition=Q(state="dispatched", late_told_at=None),
                name="handover_not_told_late",
            ),
        ]
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
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "handover_is_fixed",
                "number",
                "source",
                "target",
                "transit",
                "under",
                "vehicle",
                "driver",
                "escort",
                "route",
                "seals",
                "expected_at",
                "dispatched_by",
                "dispatched_at",
                "dispatch_movement",
            ),
            final_once("handover_closes_once", pgtrigger.Q(old__state__in=["accepted", "cancelled"])),
        ]

    def __str__(self) -> str:
        return self.number

    def is_late(self, at: datetime) -> bool:
        """True while goods are on their way that should have arrived."""
        return self.state == self.State.DISPATCHED and self.expected_at is not None and self.expected_at < at


class HandoverLine(models.Model):
    """One item of a hand-over, and whether the receiver has had it in hand."""

    class Outcome(models.TextChoices):
        PENDING = "pending", _("Not scanned yet")
        RECEIVED = "received", _("Received")
        MISSING = "missing", _("Missing")

    # What these three name is there: the trigger asks it of a whole set of lines at once, and more besides.
    handover = models.ForeignKey(
        Handover, on_delete=models.PROTECT, related_name="lines", db_index=False, db_constraint=False
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="handover_lines", db_constraint=False)
    # The box it was sent in; where it lies now, its packing says.
    box = models.ForeignKey(
        Box, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.PENDING)
    scanned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    scanned_at = models.DateTimeField(null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    in_sample = models.BooleanField(default=False)
    weighed_g = models.PositiveIntegerField(null=True)
    weighed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    weighed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["handover", "-scanned_at"])]
        constraints = [
            models.UniqueConstraint(fields=["handover", "item"], name="one_line_per_item"),
            models.CheckConstraint(
                condition=Q(weighed_g=None, weighed_by=None, weighed_at=None)
                | Q(weighed_g__isnull=False, weighed_by__isnull=False, weighed_at__isnull=False),
                name="handover_weighing_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(scanned_by=None, scanned_at=None) | Q(scanned_by__isnull=False, scanned_at__isnull=False),
                name="handover_scan_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("handover_line_is_fixed", "handover", "item", "box"),
            triggers.line_was_dispatched(),
        ]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.item_id} {self.outcome}"


class HandoverSeal(models.Model):
    """A seal of the vehicle or the load, and how the receiver found it."""

    class State(models.TextChoices):
        UNCHECKED = "unchecked", _("Not checked yet")
        INTACT = "intact", _("Intact")
        BROKEN = "broken", _("Broken")
        GONE = "gone", _("Not there")

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="seal_checks", db_index=False)
    number = models.CharField(max_length=40)
    state = models.CharField(max_length=9, choices=State, default=State.UNCHECKED)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["handover", "number"], name="seal_once_in_handover"),
            models.CheckConstraint(
                condition=Q(state="unchecked", checked_by=None, checked_at=None)
                | (~Q(state="unchecked") & Q(checked_by__isnull=False, checked_at__isnull=False)),
                name="seal_check_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted(), fixed("handover_seal_is_fixed", "handover", "number")]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.number}"


class HandoverSignature(models.Model):
    """One side's signature: who dispatched, who accepted, when; with the picture where it was drawn on a screen."""

    class Side(models.TextChoices):
        SENDER = "sender", _("Sender")
        RECEIVER = "receiver", _("Receiver")

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="signatures", db_index=False)
    side = models.CharField(max_length=8, choices=Side)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    picture = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["handover", "side"], name="each_side_signs_once")]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.signature_is_of_who_acted()]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.side}"


class HandoverPaper(models.Model):
    """A paper drawn of a hand-over, kept as it was first given out."""

    class Kind(models.TextChoices):
        WAYBILL = "waybill", _("Waybill")
        ACT = "act", _("Hand-over act")
        DISCREPANCY = "discrepancy", _("Discrepancy act")

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="papers", db_index=False)
    kind = models.CharField(max_length=11, choices=Kind)
    language = models.CharField(max_length=2)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["handover", "kind", "language"], name="handover_paper_drawn_once")
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.kind} {self.language}"
