"""Goods on their way from one custodian to another."""

from datetime import datetime
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only, final_once, fixed, never_deleted
from core.documents.models import Document
from ledger import triggers, triggers_boxes
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

    def under_way(self) -> "HandoverQuerySet":
        """On the way to the receiver, or back to the sender."""
        return self.filter(state__in=Handover.UNDER_WAY)

    def late(self, at: datetime) -> "HandoverQuerySet":
        """Under way still, though they should have arrived."""
        return self.under_way().filter(due_at__lt=at)

    def coming_to(self, places: Any) -> "HandoverQuerySet":
        """Under way to one of these places: sent there, or turned back to it."""
        state = Handover.State
        return self.filter(Q(state=state.DISPATCHED, target__in=places) | Q(state=state.RETURNING, source__in=places))


class Handover(models.Model):
    """Goods on their way from one custodian to another: dispatched by one person, accepted by another.

    A load that is turned back is received at the sending store like any other: scanned, by somebody who did not
    dispatch it. Nothing is in a store again before it was counted there.
    """

    class State(models.TextChoices):
        DISPATCHED = "dispatched", _("In transit")
        ACCEPTED = "accepted", _("Accepted")
        RETURNING = "returning", _("On its way back")
        RETURNED = "returned", _("Returned and counted")
        # As loads were taken back before returns were counted.
        CANCELLED = "cancelled", _("Returned to the sender")

    UNDER_WAY = (State.DISPATCHED, State.RETURNING)

    class Carrier(models.TextChoices):
        """What the driver or the escort did with a discrepancy act."""

        SIGNS = "signs", _("Signs the act on paper")
        REFUSES = "refuses", _("Refused to sign")
        ABSENT = "absent", _("Was not there")

    number = models.CharField(max_length=20, unique=True)
    source = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="sent")
    target = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="received")
    transit = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="carried")
    state = models.CharField(max_length=10, choices=State, default=State.DISPATCHED)
    under = models.CharField(max_length=40, blank=True)
    vehicle = models.CharField(_("vehicle"), max_length=60, blank=True)
    driver = models.CharField(_("driver"), max_length=120, blank=True)
    seals = models.CharField(_("seals"), max_length=200, blank=True)
    carried_by = models.CharField(_("carried by hand by"), max_length=120, blank=True)
    escort = models.CharField(_("escort"), max_length=300, blank=True)
    route = models.TextField(_("route"), blank=True)
    expected_at = models.DateTimeField(_("expected"), null=True, blank=True)
    # When it is late: at first as the waybill says; a load that was turned back gets a new moment.
    due_at = models.DateTimeField(null=True)
    late_told_at = models.DateTimeField(null=True)
    dispatched_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    dispatched_at = models.DateTimeField()
    dispatch_movement = models.OneToOneField(Movement, on_delete=models.PROTECT, related_name="dispatch_of")
    turned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    turned_at = models.DateTimeField(null=True)
    turn_reason = models.TextField(blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    difference_reason = models.TextField(blank=True)
    carrier_said = models.CharField(max_length=7, choices=Carrier, blank=True)
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
                fields=["due_at"],
                condition=Q(state__in=["dispatched", "returning"], late_told_at=None),
                name="handover_not_told_late",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "returned"]) | ~Q(closed_by=F("dispatched_by")),
                name="nobody_accepts_own_dispatch",
            ),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(closed_by=F("turned_by")), name="nobody_counts_own_return"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["dispatched", "returning"], closed_by=None, closed_at=None)
                | Q(state__in=["accepted", "returned", "cancelled"], closed_by__isnull=False, closed_at__isnull=False),
                name="handover_closed_all_or_none",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=["returning", "returned"], turned_by__isnull=False, turned_at__isnull=False)
                    & ~Q(turn_reason="")
                )
                | Q(state__in=["dispatched", "accepted", "cancelled"], turned_by=None, turned_at=None, turn_reason=""),
                name="handover_turned_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["dispatched", "returning"]) | Q(due_at__isnull=False),
                name="load_under_way_has_a_due_moment",
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
                "carried_by",
                "escort",
                "route",
                "seals",
                "expected_at",
                "dispatched_by",
                "dispatched_at",
                "dispatch_movement",
            ),
            final_once("handover_closes_once", pgtrigger.Q(old__state__in=["accepted", "returned", "cancelled"])),
            pgtrigger.Protect(
                name="handover_is_turned_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__turned_at__isnull=False)
                & (
                    pgtrigger.Q(old__turned_at__df=pgtrigger.F("new__turned_at"))
                    | pgtrigger.Q(old__turned_by__df=pgtrigger.F("new__turned_by"))
                    | pgtrigger.Q(old__turn_reason__df=pgtrigger.F("new__turn_reason"))
                ),
            ),
            triggers.waybill_is_whole(),
            triggers.handover_goes_its_way(),
            triggers.handover_is_counted(),
        ]

    def __str__(self) -> str:
        return self.number

    def was_sent_by(self, person: User) -> bool:
        """Whether the person sent it off: dispatched it, or turned it back. Another person counts it on arrival."""
        return person.pk in (self.dispatched_by_id, self.turned_by_id)

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY

    @property
    def is_turned(self) -> bool:
        """True for a load on its way back, or counted on its return."""
        return self.state in (self.State.RETURNING, self.State.RETURNED)

    @property
    def arrives_at(self) -> CustodyAccount:
        """The place that receives it: the target, or the sending store once it was turned back."""
        return self.source if self.is_turned else self.target

    def is_late(self, at: datetime) -> bool:
        """True while goods are on their way that should have arrived."""
        return self.is_under_way and self.due_at is not None and self.due_at < at


class HandoverLine(models.Model):
    """One item of a hand-over, and whether the receiver has had it in hand."""

    class Outcome(models.TextChoices):
        PENDING = "pending", _("Not scanned yet")
        RECEIVED = "received", _("Received")
        MISSING = "missing", _("Missing")
        LATER = "later", _("Received later")

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
    # The receiver had it in hand before the load was turned back.
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    seen_at = models.DateTimeField(null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    in_sample = models.BooleanField(default=False)
    weighed_g = models.PositiveIntegerField(null=True)
    weighed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    weighed_at = models.DateTimeField(null=True)
    # Weighed a second time: what the scale showed first, and why again.
    first_weighed_g = models.PositiveIntegerField(null=True)
    weigh_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["handover", "-scanned_at"],
                condition=Q(scanned_at__isnull=False),
                name="latest_scans_of_handover",
            )
        ]
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
            models.CheckConstraint(
                condition=Q(seen_by=None, seen_at=None) | Q(seen_by__isnull=False, seen_at__isnull=False),
                name="handover_seen_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("handover_line_is_fixed", "handover", "item", "box"),
            triggers.line_was_dispatched(),
            triggers.line_stays_as_counted(),
            triggers.line_is_received_by_the_other_side(),
            pgtrigger.Protect(
                name="first_weighing_is_kept",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__weighed_g__isnull=False)
                & pgtrigger.Q(new__weighed_g__df=pgtrigger.F("old__weighed_g"))
                & (pgtrigger.Q(new__weigh_reason="") | pgtrigger.Q(new__first_weighed_g__isnull=True)),
            ),
            pgtrigger.Protect(
                name="first_weighing_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__first_weighed_g__isnull=False)
                & pgtrigger.Q(new__first_weighed_g__df=pgtrigger.F("old__first_weighed_g")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.item_id} {self.outcome}"


class HandoverSeal(models.Model):
    """A seal of the vehicle, the load or one of its boxes, and how the receiver found it."""

    class State(models.TextChoices):
        UNCHECKED = "unchecked", _("Not checked yet")
        INTACT = "intact", _("Intact")
        BROKEN = "broken", _("Broken")
        GONE = "gone", _("Not there")

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="seal_checks", db_index=False)
    number = models.CharField(max_length=40)
    box = models.ForeignKey(Box, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=9, choices=State, default=State.UNCHECKED)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(models.Func(F("number"), function="ledger_seal_folded"), name="load_seal_by_its_number")
        ]
        constraints = [
            models.UniqueConstraint(fields=["handover", "number"], name="seal_once_in_handover"),
            models.CheckConstraint(
                condition=Q(state="unchecked", checked_by=None, checked_at=None)
                | (~Q(state="unchecked") & Q(checked_by__isnull=False, checked_at__isnull=False)),
                name="seal_check_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("handover_seal_is_fixed", "handover", "number", "box"),
            triggers_boxes.seal_is_on_one_load(),
        ]

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
