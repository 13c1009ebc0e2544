"""Blank labels as stock: ordered in series, printed in reels, handed over, applied, spoiled, destroyed, lost.

A ledger: movements with entries that sum to zero; holdings are kept by the trigger of the entries, counts of marks by
the trigger of the marks, and at commit both say the same of every reel. The unit that is handed over is a reel, or what
is left of it: all blank labels of a reel are in one place.
"""

from collections.abc import Collection
from datetime import date

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Appointment, AppointmentQuerySet, Organisation, User
from core.accounts.roles import GRANTS, Can
from core.base.triggers import append_only, final_once, fixed, never_deleted, written_by_trigger_only
from core.documents.models import Document
from core.jobs.models import Job
from marking import triggers_stock as triggers

LARGEST_REEL = 500
MOST_REELS = 1_000
MOST_IN_SERIES = 100_000
# Who prints, receives and keeps labels.
KEEPER_ROLES = sorted(role.value for role, granted in GRANTS.items() if Can.PRINT_LABELS in granted)


def offices_of(user: User) -> frozenset[int]:
    """The organisations whose labels the person keeps."""
    return user.organisation_ids(Can.PRINT_LABELS)


def keepers_of_labels(on: date) -> AppointmentQuerySet:
    """Appointments by which somebody prints, receives and keeps the labels of an organisation on this day."""
    return Appointment.objects.in_force(on).filter(role__in=KEEPER_ROLES, user__is_active=True)


def oversees_labels(user: User) -> bool:
    return user.can(Can.SEE_EVERYTHING) or user.can(Can.ORDER_LABELS)


class LabelSeriesQuerySet(models.QuerySet["LabelSeries"]):
    def visible_to(self, user: User) -> "LabelSeriesQuerySet":
        """All for those who oversee; otherwise what the person's office ordered, prints, or ever held."""
        if oversees_labels(user):
            return self
        own = Q(office__in=offices_of(user)) | Q(printer__in=offices_of(user))
        return self.filter(own | Q(pk__in=LabelReel.objects.visible_to(user).values("series")))


class LabelSeries(models.Model):
    """An order of blank labels: for which office and what for, by which office printed, how many reels of how many.

    A large one is drawn in the background, reels upon reels; each reel is stock from its own part on, and the series is
    made when the ledger has all of its labels.
    """

    class State(models.TextChoices):
        ORDERED = "ordered", _("Ordered")
        MAKING = "making", _("Codes are being drawn")
        MADE = "made", _("Codes drawn, to be printed")
        CANCELLED = "cancelled", _("Cancelled")

    number = models.CharField(max_length=12, unique=True)
    office = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    printer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=200)
    profile = models.CharField(max_length=20)
    reel_count = models.PositiveSmallIntegerField()
    reel_size = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.ORDERED)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField()
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = LabelSeriesQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Series of labels")
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=r"^LS[0-9]{2}-[0-9]{4,}$"), name="label_series_number"),
            models.CheckConstraint(
                condition=Q(reel_count__range=(1, MOST_REELS), reel_size__range=(1, LARGEST_REEL)),
                name="label_series_is_not_empty",
            ),
            models.CheckConstraint(condition=~Q(purpose=""), name="label_series_has_a_purpose"),
            models.CheckConstraint(
                condition=Q(state__in=["ordered", "making"], ended_by=None, ended_at=None)
                | Q(state__in=["made", "cancelled"], ended_by__isnull=False, ended_at__isnull=False),
                name="label_series_state_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="making") | Q(job__isnull=False), name="label_series_is_drawn_by_a_job"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "label_series_is_fixed",
                "number",
                "office",
                "printer",
                "purpose",
                "profile",
                "reel_count",
                "reel_size",
                "ordered_by",
                "ordered_at",
            ),
            final_once("label_series_ends_once", pgtrigger.Q(old__state__in=["made", "cancelled"])),
            pgtrigger.FSM(
                name="label_series_moves_on",
                field="state",
                transitions=[("ordered", "making"), ("ordered", "made"), ("ordered", "cancelled"), ("making", "made")],
            ),
            triggers.series_is_made_whole(),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def count(self) -> int:
        """How many labels were ordered."""
        return self.reel_count * self.reel_size


class LabelReelQuerySet(models.QuerySet["LabelReel"]):
    def visible_to(self, user: User) -> "LabelReelQuerySet":
        """All for those who oversee; otherwise those that the person's office ordered, prints, or ever held."""
        if oversees_labels(user):
            return self
        offices = offices_of(user)
        held = LabelHolding.objects.filter(organisation__in=offices).values("reel")
        coming = LabelShipmentLine.objects.filter(shipment__receiver__in=offices).values("reel")
        own = Q(series__office__in=offices) | Q(series__printer__in=offices)
        return self.filter(own | Q(pk__in=held) | Q(pk__in=coming))

    def kept_by(self, user: User) -> "LabelReelQuerySet":
        """Reels with blank labels that are in the person's office now."""
        held = LabelHolding.objects.filter(
            organisation__in=offices_of(user), place=LabelPlace.OFFICE, pieces__gt=0
        ).values("reel")
        return self.filter(pk__in=held)

    def with_something_to_destroy(self, user: User) -> "LabelReelQuerySet":
        """Reels of which the person's office keeps spoiled or unused labels."""
        held = LabelHolding.objects.filter(
            organisation__in=offices_of(user), place__in=(LabelPlace.OFFICE, LabelPlace.SPOILED), pieces__gt=0
        ).values("reel")
        return self.filter(pk__in=held)


class LabelReel(models.Model):
    """A strip of blank labels of one series; a label is named by its place on it, never found by its code."""

    series = models.ForeignKey(LabelSeries, on_delete=models.PROTECT, related_name="reels", db_index=False)
    reel = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=16, unique=True)
    size = models.PositiveSmallIntegerField()

    objects = LabelReelQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("Reel of labels")
        constraints = [
            models.UniqueConstraint(fields=["series", "reel"], name="one_reel_of_a_number"),
            models.CheckConstraint(condition=Q(size__range=(1, LARGEST_REEL)), name="label_reel_size"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.number


class LabelPlace(models.TextChoices):
    """Where labels are. What is issued comes from nowhere, so that a reel sums to zero."""

    ISSUED = "issued", _("Codes drawn")
    TO_PRINT = "to_print", _("To be printed")
    OFFICE = "office", _("At the office")
    TRANSIT = "transit", _("In transit")
    APPLIED = "applied", _("Applied")
    SPOILED = "spoiled", _("Spoiled")
    DESTROYED = "destroyed", _("Destroyed")
    LOST = "lost", _("Lost")


class LabelMovement(models.Model):
    """One act that moved labels: when, why, by whom. Never changed."""

    class Kind(models.TextChoices):
        ISSUED = "issued", _("Codes drawn")
        PRINTED = "printed", _("Printed")
        SENT = "sent", _("Sent")
        RECEIVED = "received", _("Received")
        APPLIED = "applied", _("Applied")
        SPOILED = "spoiled", _("Spoiled")
        LOST = "lost", _("Lost")
        DESTROYED = "destroyed", _("Destroyed")

    kind = models.CharField(max_length=9, choices=Kind)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reference = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    run = models.ForeignKey("marking.LabelRun", null=True, on_delete=models.PROTECT, related_name="+")
    device = models.CharField(max_length=100, blank=True)
    transaction = models.BigIntegerField(
        db_default=Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        editable=False,
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="printed") | (Q(run__isnull=False) & ~Q(device="")),
                name="labels_are_printed_by_a_run_and_a_printer",
            ),
            models.CheckConstraint(
                condition=~Q(kind="destroyed") | Q(second__isnull=False), name="labels_are_destroyed_by_two"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["spoiled", "lost", "destroyed"]) | ~Q(reason=""),
                name="labels_are_written_off_with_a_reason",
            ),
            models.CheckConstraint(condition=Q(second=None) | ~Q(second=F("actor")), name="second_person_is_another"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.label_movement_balances()]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind}"


class LabelEntry(models.Model):
    """What one movement did to one place of one reel: signed pieces. Never changed."""

    movement = models.ForeignKey(LabelMovement, on_delete=models.PROTECT, related_name="entries", db_index=False)
    reel = models.ForeignKey(LabelReel, on_delete=models.PROTECT, related_name="entries")
    place = models.CharField(max_length=9, choices=LabelPlace)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    pieces = models.IntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["movement", "reel", "place", "organisation"], name="one_label_entry_of_a_movement_and_place"
            ),
            models.CheckConstraint(condition=~Q(pieces=0), name="label_entry_is_not_empty"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.label_entry_keeps_holdings()]

    def __str__(self) -> str:
        return f"{self.reel_id} {self.place} {self.pieces:+d}"


class LabelHolding(models.Model):
    """How many labels of a reel are where, and whose: written by the trigger of the entries only.

    Nothing but what was issued goes below zero, and the blank labels of a reel are in one place.
    """

    pk = models.CompositePrimaryKey("reel_id", "place", "organisation_id")
    reel = models.ForeignKey(LabelReel, on_delete=models.PROTECT, related_name="holdings", db_index=False)
    place = models.CharField(max_length=9, choices=LabelPlace)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    pieces = models.IntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(place="issued") | Q(pieces__gte=0), name="label_holding_not_negative"),
            models.UniqueConstraint(
                fields=["reel"],
                condition=Q(place__in=["to_print", "office", "transit"], pieces__gt=0),
                name="reel_is_in_one_place",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            written_by_trigger_only(),
            triggers.label_stock_adds_up("ledger"),
        ]

    def __str__(self) -> str:
        return f"{self.reel_id} {self.place} {self.pieces}"


class LabelCount(models.Model):
    """How many marks of a reel stand how: written by the trigger of the marks only; equals the ledger at commit."""

    pk = models.CompositePrimaryKey("reel_id", "standing")
    reel = models.ForeignKey(LabelReel, on_delete=models.PROTECT, related_name="counts", db_index=False)
    standing = models.CharField(max_length=9)
    pieces = models.IntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pieces__gte=0), name="label_count_not_negative")]
        triggers: list[pgtrigger.Trigger] = [
            written_by_trigger_only(),
            triggers.label_stock_adds_up("marks"),
        ]

    def __str__(self) -> str:
        return f"{self.reel_id} {self.standing} {self.pieces}"


class LabelShipmentQuerySet(models.QuerySet["LabelShipment"]):
    def visible_to(self, user: User) -> "LabelShipmentQuerySet":
        """All for those who oversee; otherwise those that the person's office sends or receives."""
        if oversees_labels(user):
            return self
        return self.filter(Q(sender__in=offices_of(user)) | Q(receiver__in=offices_of(user)))

    def under_way(self) -> "LabelShipmentQuerySet":
        """On the way to the receiver, or back to the sender."""
        return self.filter(state__in=LabelShipment.UNDER_WAY)

    def coming_to(self, offices: Collection[int]) -> "LabelShipmentQuerySet":
        """Under way to one of these offices: sent there, or turned back to it."""
        state = LabelShipment.State
        return self.filter(Q(state=state.SENT, receiver__in=offices) | Q(state=state.RETURNING, sender__in=offices))

    def late(self, on: date) -> "LabelShipmentQuerySet":
        """Under way still, though their day has passed."""
        return self.under_way().filter(due_on__lt=on)


class LabelShipment(models.Model):
    """Reels handed over from one office to another: sent by one person, counted and received by another.

    Until they are received either side may turn them back: then they are counted where they came from, by a third
    person. Nothing is in an office again before it was counted there.
    """

    class State(models.TextChoices):
        SENT = "sent", _("In transit")
        RECEIVED = "received", _("Received")
        RETURNING = "returning", _("On its way back")
        RETURNED = "returned", _("Returned and counted")

    UNDER_WAY = (State.SENT, State.RETURNING)

    number = models.CharField(max_length=16, unique=True)
    sender = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    receiver = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.SENT)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    # The day named by the sender; when it is late: at first that day, for what was turned back a new one.
    expected_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    late_told_at = models.DateTimeField(null=True)
    turned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    turned_at = models.DateTimeField(null=True)
    turn_reason = models.CharField(max_length=200, blank=True)
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField(null=True)

    objects = LabelShipmentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Hand-over of labels")
        constraints = [
            models.CheckConstraint(condition=~Q(sender=F("receiver")), name="labels_go_to_another_office"),
            models.CheckConstraint(
                condition=Q(state__in=["sent", "returning"], received_by=None, received_at=None)
                | Q(state__in=["received", "returned"], received_by__isnull=False, received_at__isnull=False),
                name="label_shipment_state_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(received_by=None) | ~Q(received_by=F("sent_by")), name="nobody_receives_own_labels"
            ),
            models.CheckConstraint(
                condition=Q(received_by=None) | Q(turned_by=None) | ~Q(received_by=F("turned_by")),
                name="nobody_counts_labels_they_turned_back",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=["returning", "returned"], turned_by__isnull=False, turned_at__isnull=False)
                    & ~Q(turn_reason="")
                )
                | Q(state__in=["sent", "received"], turned_by=None, turned_at=None, turn_reason=""),
                name="label_shipment_turned_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "returning"]) | Q(due_on__isnull=False),
                name="labels_under_way_have_a_due_day",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "label_shipment_is_fixed", "number", "sender", "receiver", "note", "sent_by", "sent_at", "expected_on"
            ),
            final_once("label_shipment_ends_once", pgtrigger.Q(old__state__in=["received", "returned"])),
            pgtrigger.Protect(
                name="labels_are_turned_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__turned_at__isnull=False)
                & (
                    pgtrigger.Q(old__turned_at__df=pgtrigger.F("new__turned_at"))
                    | pgtrigger.Q(old__turned_by__df=pgtrigger.F("new__turned_by"))
                    | pgtrigger.Q(old__turn_reason__df=pgtrigger.F("new__turn_reason"))
                ),
            ),
            pgtrigger.FSM(
                name="label_shipment_goes_its_way",
                field="state",
                transitions=[("sent", "received"), ("sent", "returning"), ("returning", "returned")],
            ),
            triggers.labels_go_where_somebody_receives(KEEPER_ROLES),
            triggers.labels_are_received_where_they_arrive(KEEPER_ROLES),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY

    @property
    def arrives_at_id(self) -> int:
        """The office that receives them: the receiver, or the sender once they were turned back."""
        is_back = self.state in (self.State.RETURNING, self.State.RETURNED)
        return self.sender_id if is_back else self.receiver_id

    def is_counted_by(self, person: User) -> bool:
        """Whether they are to be counted in an office of this person, who is not told how many were sent."""
        return self.is_under_way and self.arrives_at_id in offices_of(person)

    def was_sent_by(self, person: User) -> bool:
        """Whether the person sent them or turned them back. Another person counts them on arrival."""
        return person.pk in (self.sent_by_id, self.turned_by_id)

    def is_late(self, on: date) -> bool:
        return self.is_under_way and self.due_on is not None and self.due_on < on


class LabelShipmentLine(models.Model):
    """One reel of a hand-over: how many labels were sent, how many the receiver counted, which places are missing."""

    shipment = models.ForeignKey(LabelShipment, on_delete=models.PROTECT, related_name="lines", db_index=False)
    reel = models.ForeignKey(LabelReel, on_delete=models.PROTECT, related_name="shipment_lines")
    sent = models.PositiveSmallIntegerField()
    counted = models.PositiveSmallIntegerField(null=True)
    missing = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "reel"], name="one_line_of_a_reel_in_a_shipment"),
            models.CheckConstraint(condition=Q(sent__gt=0), name="label_line_is_not_empty"),
            models.CheckConstraint(
                condition=Q(counted=None, missing="") | Q(counted=F("sent"), missing="") | Q(counted__lt=F("sent")),
                name="label_line_counts_what_was_sent",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("label_line_is_fixed", "shipment", "reel", "sent"),
            final_once("label_line_is_counted_once", pgtrigger.Q(old__counted__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.shipment_id} {self.reel_id}"


class LabelApplication(models.Model):
    """A blank label was bound to an item at the first scan: by whom, of whose stock, with which photo."""

    mark = models.OneToOneField("marking.Mark", on_delete=models.PROTECT, primary_key=True, related_name="application")
    derivative = models.ForeignKey("registry.Derivative", on_delete=models.PROTECT, related_name="+")
    office = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    photo = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    is_foreign = models.BooleanField(default=False)
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField()

    class Meta:
        ordering = ["-applied_at"]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.mark_id} {self.derivative_id}"


class LabelReport(models.Model):
    """A blank label was reported spoiled or lost: why, by whom, with a photo where there is one."""

    mark = models.ForeignKey("marking.Mark", on_delete=models.PROTECT, related_name="reports", db_index=False)
    kind = models.CharField(
        max_length=9, choices=[(LabelPlace.SPOILED, LabelPlace.SPOILED.label), (LabelPlace.LOST, LabelPlace.LOST.label)]
    )
    reason = models.CharField(max_length=200)
    office = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    photo = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["mark", "kind"], name="label_is_reported_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="label_report_has_a_reason"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.mark_id} {self.kind}"


class RowLabel(models.Model):
    """A row of a weighing table names the blank label that is tied to its horn; registering binds it."""

    intake = models.ForeignKey("registry.Intake", on_delete=models.PROTECT, related_name="row_labels", db_index=False)
    row = models.PositiveIntegerField()
    mark = models.OneToOneField("marking.Mark", on_delete=models.PROTECT, related_name="row_label")
    is_foreign = models.BooleanField(default=False)
    named_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    named_at = models.DateTimeField()

    class Meta:
        ordering = ["row"]
        constraints = [models.UniqueConstraint(fields=["intake", "row"], name="one_label_of_a_row")]

    def __str__(self) -> str:
        return f"{self.intake_id}/{self.row} {self.mark_id}"


class LabelDestructionQuerySet(models.QuerySet["LabelDestruction"]):
    def visible_to(self, user: User) -> "LabelDestructionQuerySet":
        if oversees_labels(user):
            return self
        return self.filter(organisation__in=offices_of(user))


class LabelDestruction(models.Model):
    """Labels of an office are destroyed: asked for by one person, done before the eyes of another, with an act."""

    class State(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        DONE = "done", _("Destroyed")
        REFUSED = "refused", _("Refused")

    number = models.CharField(max_length=16, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    method = models.CharField(max_length=200)
    state = models.CharField(max_length=7, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=200, blank=True)
    paper_kk = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    paper_ru = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    objects = LabelDestructionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Destruction of labels")
        constraints = [
            models.CheckConstraint(condition=~Q(reason="") & ~Q(method=""), name="label_destruction_says_why"),
            models.CheckConstraint(
                condition=Q(state="asked", ended_by=None, ended_at=None, paper_kk=None, paper_ru=None)
                | Q(state="refused", ended_by__isnull=False, ended_at__isnull=False)
                | Q(
                    state="done",
                    ended_by__isnull=False,
                    ended_at__isnull=False,
                    paper_kk__isnull=False,
                    paper_ru__isnull=False,
                ),
                name="label_destruction_state_has_its_facts",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | ~Q(ended_by=F("asked_by")), name="nobody_destroys_labels_alone"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("label_destruction_is_fixed", "number", "organisation", "reason", "method", "asked_by", "asked_at"),
            final_once("label_destruction_ends_once", pgtrigger.Q(old__state__in=["done", "refused"])),
        ]

    def __str__(self) -> str:
        return self.number


class LabelDestructionLine(models.Model):
    """One reel in a destruction: its spoiled labels that the office keeps, what is left of it, and lost ones found."""

    destruction = models.ForeignKey(LabelDestruction, on_delete=models.PROTECT, related_name="lines", db_index=False)
    reel = models.ForeignKey(LabelReel, on_delete=models.PROTECT, related_name="+")
    spoiled = models.PositiveSmallIntegerField(default=0)
    blank = models.PositiveSmallIntegerField(default=0)
    found = models.CharField(max_length=2000, blank=True)
    found_pieces = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["destruction", "reel"], name="one_line_of_a_reel_in_a_destruction"),
            models.CheckConstraint(
                condition=Q(spoiled__gt=0) | Q(blank__gt=0) | Q(found_pieces__gt=0),
                name="label_destruction_line_is_not_empty",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.destruction_id} {self.reel_id}"

    @property
    def pieces(self) -> int:
        return self.spoiled + self.blank + self.found_pieces
