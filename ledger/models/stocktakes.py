"""Stock-taking: what was expected in a store, what was found, and who signed for the difference."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import final_once, fixed, never_deleted, written_by_trigger_only
from core.notices.models import Notice
from ledger import stocktake_triggers as triggers
from ledger.models.accounts import CustodyAccount
from ledger.models.boxes import Box, Shelf
from ledger.models.movements import Item

# From which state a stock-take goes to which.
_WAYS = (
    ("announced", "counting"),
    ("announced", "cancelled"),
    ("counting", "signing"),
    ("counting", "cancelled"),
    ("signing", "counting"),
    ("signing", "closed"),
)


class StockTakeQuerySet(models.QuerySet["StockTake"]):
    def open(self) -> "StockTakeQuerySet":
        return self.filter(state__in=StockTake.OPEN)

    def visible_to(self, user: User) -> "StockTakeQuerySet":
        """Stock-takes of accounts that the person may know, and those whose commission the person is in."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        mine = CustodyAccount.objects.visible_to(user).values("pk")
        return self.filter(
            Q(account__in=mine) | Q(pk__in=StockTakeMember.objects.filter(person=user).values("stocktake"))
        )


class StockTake(models.Model):
    """One stock-taking of a store, or of one shelf of it.

    What is expected is frozen as counting begins. `secret`, `words` and `seed` draw the sample (`ledger.sampling`);
    the secret is published with the seed. `result` holds the counts as they were when counting ended, and
    `result_digest` names every difference: it is what the commission signs.
    """

    class Kind(models.TextChoices):
        FULL = "full", _("Full")
        SAMPLE = "sample", _("By a sample")

    class State(models.TextChoices):
        ANNOUNCED = "announced", _("Announced")
        COUNTING = "counting", _("Being counted")
        SIGNING = "signing", _("Waits for the commission")
        CLOSED = "closed", _("Closed")
        CANCELLED = "cancelled", _("Called off")

    OPEN = (State.ANNOUNCED, State.COUNTING, State.SIGNING)

    number = models.CharField(max_length=20, unique=True)
    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="stocktakes")
    shelf = models.ForeignKey(Shelf, null=True, on_delete=models.PROTECT, related_name="stocktakes")
    kind = models.CharField(max_length=6, choices=Kind)
    state = models.CharField(max_length=9, choices=State, default=State.ANNOUNCED)
    round = models.PositiveSmallIntegerField(default=1)
    trusts_seals = models.BooleanField(default=True)
    persons_needed = models.PositiveSmallIntegerField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    wanted = models.PositiveIntegerField(null=True)
    secret = models.CharField(max_length=64, blank=True)
    commitment = models.CharField(max_length=64, blank=True)
    words = models.CharField(max_length=300, blank=True)
    frame_digest = models.CharField(max_length=64, blank=True)
    seed = models.CharField(max_length=64, blank=True)
    frozen_at = models.DateTimeField(null=True)
    frame_pieces = models.BigIntegerField(default=0)
    expected_items = models.PositiveIntegerField(default=0)
    expected_grams = models.BigIntegerField(default=0)
    frame_items = models.PositiveIntegerField(default=0)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    result_digest = models.CharField(max_length=64, blank=True)
    closed_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    cancel_reason = models.CharField(max_length=400, blank=True)

    objects = StockTakeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["account", "state"])]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "shelf"],
                condition=Q(state__in=["announced", "counting", "signing"]),
                nulls_distinct=False,
                name="one_open_stocktake_of_a_place",
            ),
            models.CheckConstraint(condition=Q(persons_needed__gte=2), name="stocktake_needs_two"),
            models.CheckConstraint(
                condition=Q(state__in=["announced", "cancelled"]) | Q(frozen_at__isnull=False),
                name="stocktake_counts_what_is_frozen",
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind="full", commitment="", wanted=None) | (Q(kind="sample", wanted__gt=0) & ~Q(commitment=""))
                ),
                name="stocktake_sample_is_committed",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["signing", "closed"])
                | (Q(ended_by__isnull=False, ended_at__isnull=False) & ~Q(result_digest="")),
                name="stocktake_ended_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False, cancelled_by=None)
                | (Q(state="cancelled", closed_at__isnull=False, cancelled_by__isnull=False) & ~Q(cancel_reason=""))
                | (~Q(state__in=["closed", "cancelled"]) & Q(closed_at=None, cancelled_by=None)),
                name="stocktake_closed_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "stocktake_is_fixed",
                "number",
                "account",
                "shelf",
                "kind",
                "trusts_seals",
                "persons_needed",
                "opened_by",
                "opened_at",
                "wanted",
                "secret",
                "commitment",
            ),
            pgtrigger.Protect(
                name="draw_is_fixed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__frozen_at__isnull=False)
                & (
                    pgtrigger.Q(old__words__df=pgtrigger.F("new__words"))
                    | pgtrigger.Q(old__seed__df=pgtrigger.F("new__seed"))
                    | pgtrigger.Q(old__frame_digest__df=pgtrigger.F("new__frame_digest"))
                    | pgtrigger.Q(old__frozen_at__df=pgtrigger.F("new__frozen_at"))
                    | pgtrigger.Q(old__frame_items__df=pgtrigger.F("new__frame_items"))
                    | pgtrigger.Q(old__expected_items__df=pgtrigger.F("new__expected_items"))
                ),
            ),
            final_once("stocktake_ended_for_good", pgtrigger.Q(old__state__in=["closed", "cancelled"])),
            triggers.commission_signs(),
            triggers.stocktake_goes_its_way(_WAYS),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def may_be_called_off(self) -> bool:
        """Only before a first count has told its differences."""
        return self.state == self.State.ANNOUNCED or (self.state == self.State.COUNTING and self.round == 1)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class StockTakeMember(models.Model):
    """One of the commission: signs the result under the own password, once for each result."""

    stocktake = models.ForeignKey(StockTake, on_delete=models.PROTECT, related_name="members", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(null=True)
    signed_result = models.CharField(max_length=64, null=True)  # noqa: DJ001  nothing is not an empty result

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["stocktake", "person"], name="one_seat_in_a_commission"),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_result=None)
                | Q(signed_at__isnull=False, signed_result__isnull=False),
                name="stocktake_signature_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("seat_is_fixed", "stocktake", "person"),
            triggers.signed_while_signing(),
        ]

    def __str__(self) -> str:
        return f"{self.stocktake_id} {self.person_id}"


class StockTakeLine(models.Model):
    """One item that stood in the store's books as counting began; `is_chosen` when it is to be shown."""

    class Outcome(models.TextChoices):
        FOUND = "found", _("Found")
        MISSING = "missing", _("Missing")
        LEFT = "left", _("Left during the count")

    pk = models.CompositePrimaryKey("stocktake_id", "item_id")
    stocktake = models.ForeignKey(
        StockTake, on_delete=models.PROTECT, related_name="lines", db_index=False, db_constraint=False
    )
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="stocktake_lines", db_constraint=False, db_index=False
    )
    stock_class = models.CharField(max_length=24)
    pieces = models.IntegerField()
    grams = models.BigIntegerField()
    shelf = models.ForeignKey(
        Shelf, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    is_chosen = models.BooleanField(default=True)
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["stocktake", "item"], condition=Q(outcome__in=["missing", "left"]), name="line_differs"
            )
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("line_is_fixed", "stocktake", "item", "stock_class", "pieces", "grams", "shelf", "is_chosen"),
            triggers.frame_is_frozen(),
            triggers.outcome_is_final(),
        ]

    def __str__(self) -> str:
        return f"{self.stocktake_id} {self.item_id} {self.outcome}"


class StockTakeScan(models.Model):
    """One thing that somebody had in hand: an item, or a label that no item of the registry has.

    `repeats` counts how often it was scanned again. `key` is the scanner's own: a scan sent again after the network was
    lost is the same scan. A person may take the own scan back; the row stays.
    """

    class Verdict(models.TextChoices):
        FOUND = "found", _("Found")
        MISPLACED = "misplaced", _("On another shelf")
        ELSEWHERE = "elsewhere", _("Registered elsewhere")
        ARRIVED = "arrived", _("Came during the count")
        UNKNOWN = "unknown", _("Unknown")

    stocktake = models.ForeignKey(
        StockTake, on_delete=models.PROTECT, related_name="scans", db_index=False, db_constraint=False
    )
    round = models.PositiveSmallIntegerField()
    item = models.ForeignKey(
        Item, null=True, on_delete=models.PROTECT, related_name="stocktake_scans", db_constraint=False, db_index=False
    )
    text = models.CharField(max_length=80, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict)
    place = models.ForeignKey(
        CustodyAccount, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    shelf = models.ForeignKey(
        Shelf, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    box = models.ForeignKey(
        Box, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    repeats = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=40, blank=True)
    scanned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    scanned_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["stocktake", "scanned_by", "-id"], name="own_latest_scans"),
            models.Index(
                fields=["stocktake", "verdict"],
                condition=~Q(verdict="found") & Q(undone_at=None),
                name="scans_that_differ",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["stocktake", "item"],
                condition=Q(undone_at=None, item__isnull=False),
                name="one_scan_of_an_item",
            ),
            models.UniqueConstraint(
                fields=["stocktake", "text"], condition=Q(undone_at=None, item=None), name="one_scan_of_a_text"
            ),
            models.CheckConstraint(
                condition=Q(verdict="unknown", item=None) & ~Q(text="")
                | (~Q(verdict="unknown") & Q(item__isnull=False)),
                name="scan_is_an_item_or_unknown",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("scan_is_fixed", "stocktake", "round", "item", "text", "verdict", "place", "scanned_by"),
            final_once("undone_for_good", pgtrigger.Q(old__undone_at__isnull=False)),
            triggers.scans_are_counted(),
            triggers.scans_are_counted_again(),
        ]

    def __str__(self) -> str:
        return f"{self.stocktake_id} {self.item_id or self.text} {self.verdict}"


class StockTakeTally(models.Model):
    """How many of each verdict one person has. Written by the scans' trigger only."""

    pk = models.CompositePrimaryKey("stocktake_id", "person_id")
    stocktake = models.ForeignKey(
        StockTake, on_delete=models.PROTECT, related_name="tallies", db_index=False, db_constraint=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    found = models.IntegerField()
    misplaced = models.IntegerField()
    elsewhere = models.IntegerField()
    arrived = models.IntegerField()
    unknown = models.IntegerField()
    repeats = models.IntegerField()

    class Meta:
        triggers: list[pgtrigger.Trigger] = [written_by_trigger_only()]

    def __str__(self) -> str:
        return f"{self.stocktake_id} {self.person_id}: {self.found}"


class StockTakeNotice(Notice):
    """Notices as stock-taking sees them: what a count told is judged by others than those who counted."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [triggers.nobody_judges_the_own_count()]
