"""Where things are. Knows items and accounts; no species, no marks, no permits.

Postings are the truth. Holdings and totals are kept by a trigger of the same statement that posts, so that writes
around the services keep them too; `manage.py check_ledger` rebuilds and compares.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, ThreeNames, User
from core.accounts.roles import Can
from core.base.triggers import append_only, never_deleted
from core.documents.models import Document
from ledger import triggers


class AccountKind(models.TextChoices):
    STORE = "store", _("Store")
    EVIDENCE = "evidence", _("Evidence room")
    TRANSIT = "transit", _("In transit")
    REMOVAL = "removal", _("Removal from the wild")
    FIND = "find", _("Found")
    SEIZURE = "seizure", _("Seizure")
    OLD_STOCK = "old_stock", _("Stock from before marking")
    IMPORT = "import", _("Import")
    EXPORT = "export", _("Exported")
    DOMESTIC_SALE = "domestic_sale", _("Sold inside the country")
    PROCESSING = "processing", _("Consumed in processing")
    DRYING_LOSS = "drying_loss", _("Drying loss")
    DESTRUCTION = "destruction", _("Destroyed")
    LOSS = "loss", _("Lost or stolen")


PHYSICAL = (AccountKind.STORE, AccountKind.EVIDENCE, AccountKind.TRANSIT)


class CustodyAccountQuerySet(models.QuerySet["CustodyAccount"]):
    def physical(self) -> "CustodyAccountQuerySet":
        return self.filter(is_physical=True)

    def visible_to(self, user: User) -> "CustodyAccountQuerySet":
        """Accounts whose content the person may know.

        All of them for those who oversee. Otherwise the person's own organisations' stores, and, for an inspection,
        the State's reception stores and evidence rooms in the regions it is bound to.
        """
        if user.can(Can.SEE_EVERYTHING):
            return self.physical()
        own = Q(custodian__in=user.organisation_ids(Can.SEE_STOCK))
        if user.can(Can.OPEN_INTAKE):
            state = Q(custodian__kind__in=Organisation.STATE_BODIES, region__in=user.region_codes(Can.OPEN_INTAKE))
            own |= state
        return self.physical().filter(own)

    def boundary(self, kind: AccountKind) -> "CustodyAccount":
        """The one boundary account of this kind."""
        return self.get(kind=kind, is_physical=False)


class CustodyAccount(ThreeNames):
    """A place that can hold things, or a boundary through which things enter and leave the system."""

    kind = models.CharField(_("kind"), max_length=15, choices=AccountKind)
    code = models.CharField(_("code"), max_length=20, unique=True)
    is_physical = models.GeneratedField(
        expression=models.Case(
            models.When(kind__in=[kind.value for kind in PHYSICAL], then=True),
            default=False,
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    custodian = models.ForeignKey(
        Organisation,
        verbose_name=_("custodian"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="custody_accounts",
    )
    region = models.ForeignKey(
        Region, verbose_name=_("region"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_reception_point = models.BooleanField(_("reception point"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects = CustodyAccountQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=PHYSICAL, custodian__isnull=False) | (~Q(kind__in=PHYSICAL) & Q(custodian=None)),
                name="physical_account_has_custodian",
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=~Q(kind__in=PHYSICAL), name="one_boundary_account_of_a_kind"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted(), triggers.account_keeps_its_nature()]


class Item(models.Model):
    """Anything that is held; the room that knows what it is gives it a stock class, an opaque code, when it moves."""

    class Meta:
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return str(self.pk)


class MovementKind(models.TextChoices):
    """Why things moved: one code for each reason."""

    INTAKE = "intake", _("Registered")
    DISPATCH = "dispatch", _("Dispatched")
    ACCEPT = "accept", _("Accepted")
    RETURN = "return", _("Returned to the sender")
    MISSING = "missing", _("Missing on arrival")
    TRANSFER = "transfer", _("Moved between own stores")
    REVERSAL = "reversal", _("Correction")


class Movement(models.Model):
    """One act that moved things: when, why, under which right, by whom. Never changed; corrected by a reversal.

    `effective_on` is the day it happened, `recorded_at` the moment the system learned of it. `key` makes a repeated
    request harmless. `under` names the right ("permit:12") a reservation demands. `transaction` ties postings to
    the database transaction that made the movement.
    """

    kind = models.CharField(max_length=12, choices=MovementKind)
    effective_on = models.DateField()
    recorded_at = models.DateTimeField(db_default=Now())
    key = models.CharField(max_length=100, unique=True)
    reference = models.CharField(max_length=60, blank=True)
    under = models.CharField(max_length=40, blank=True)
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    gave = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    accepted = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    transaction = models.BigIntegerField(
        db_default=Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        editable=False,
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["effective_on"]), models.Index(fields=["reference"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False) | (~Q(kind="reversal") & Q(reverses=None)),
                name="reversal_names_what_it_reverses",
            ),
            models.CheckConstraint(
                condition=Q(gave=None) | Q(accepted=None) | ~Q(gave=F("accepted")),
                name="giver_is_not_receiver",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *append_only(),
            triggers.movement_balances(),
            triggers.movement_respects_closed_periods(),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind} {self.effective_on}"


class Posting(models.Model):
    """What one movement did to one account with one item: signed pieces and grams. Never changed.

    The trigger checks the three references for all rows at once: foreign keys would ask three times for each row.
    What they point at is never deleted.
    """

    movement = models.ForeignKey(
        Movement, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        CustodyAccount, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="postings", db_constraint=False)
    stock_class = models.CharField(max_length=24)
    pieces = models.IntegerField()
    grams = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["movement", "account", "item", "stock_class"],
                name="one_posting_per_movement_account_item",
            ),
            models.CheckConstraint(condition=~Q(pieces=0, grams=0), name="posting_is_not_empty"),
        ]
        indexes = [models.Index(fields=["account", "movement"])]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.posting_keeps_holdings()]

    def __str__(self) -> str:
        return f"{self.account_id} {self.item_id} {self.pieces:+d} {self.grams:+d} g"


class Holding(models.Model):
    """What is where now: one row for each account and item with anything in it. Written by the posting trigger only.

    A physical account never goes below zero, and an item is in one place: both are constraints here.
    """

    pk = models.CompositePrimaryKey("account_id", "item_id")
    account = models.ForeignKey(
        CustodyAccount, on_delete=models.PROTECT, related_name="holdings", db_index=False, db_constraint=False
    )
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="holdings", db_index=False, db_constraint=False
    )
    stock_class = models.CharField(max_length=24)
    is_physical = models.BooleanField()
    pieces = models.IntegerField()
    grams = models.BigIntegerField()
    moved_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_physical=False) | Q(pieces__gte=0, grams__gte=0),
                name="physical_holding_not_negative",
            ),
            models.UniqueConstraint(fields=["item"], condition=Q(pieces__gt=0), name="item_is_in_one_place"),
        ]
        indexes = [models.Index(fields=["account", "stock_class", "item"], name="holding_by_class")]
        triggers: list[pgtrigger.Trigger] = [triggers.written_by_trigger_only()]

    def __str__(self) -> str:
        return f"{self.account_id} {self.item_id}: {self.pieces} / {self.grams} g"


class AccountTotal(models.Model):
    """Pieces and grams of one stock class in one account. Written by the posting trigger only."""

    pk = models.CompositePrimaryKey("account_id", "stock_class")
    account = models.ForeignKey(
        CustodyAccount, on_delete=models.PROTECT, related_name="totals", db_index=False, db_constraint=False
    )
    stock_class = models.CharField(max_length=24)
    is_physical = models.BooleanField()
    pieces = models.BigIntegerField()
    grams = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_physical=False) | Q(pieces__gte=0, grams__gte=0),
                name="physical_total_not_negative",
            )
        ]
        triggers: list[pgtrigger.Trigger] = [triggers.written_by_trigger_only()]

    def __str__(self) -> str:
        return f"{self.account_id} {self.stock_class}: {self.pieces} / {self.grams} g"


class HoldQuerySet(models.QuerySet["Hold"]):
    def active(self) -> "HoldQuerySet":
        return self.filter(lifted_at=None)


class Hold(models.Model):
    """A fact that keeps an item where it is: evidence, a court, a dispute."""

    class Kind(models.TextChoices):
        EVIDENCE = "evidence", _("Evidence in a case")
        COURT = "court", _("Court order")
        DISPUTE = "dispute", _("Dispute")

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
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted()]

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


class PeriodClose(models.Model):
    """From this row on, no movement takes effect on or before `until`."""

    until = models.DateField(unique=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField()

    class Meta:
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.until.isoformat()
