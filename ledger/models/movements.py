"""Movements and postings, and what follows from them: holdings and totals."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext_lazy as _

from core.base.triggers import append_only, written_by_trigger_only
from core.documents.models import Document
from ledger import triggers, triggers_boxes
from ledger.models.accounts import AccountKind, CustodyAccount

MOST_GRAMS = 2_000_000_000  # of one item: the largest batch


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
    WEIGHING = "weighing", _("Weighed again")
    CONSUMPTION = "consumption", _("Consumed in processing")
    PRODUCTION = "production", _("Made in processing")
    DECISION = "decision", _("Court decision")
    LOSS = "loss", _("Lost or stolen")
    WRITE_OFF = "write_off", _("Written off")
    RECOVERY = "recovery", _("Found again")
    DESTRUCTION = "destruction", _("Destroyed")
    SALE = "sale", _("Sold")
    REVERSAL = "reversal", _("Correction")


_KEPT = frozenset({AccountKind.STORE, AccountKind.EVIDENCE})
_CAME_FROM = frozenset(
    {
        AccountKind.REMOVAL,
        AccountKind.FIND,
        AccountKind.CONFISCATION,
        AccountKind.OLD_STOCK,
        AccountKind.IMPORT,
        AccountKind.UNKNOWN,
    }
)
_TRANSIT = frozenset({AccountKind.TRANSIT})
_STORE = frozenset({AccountKind.STORE})
_DRYING = frozenset({AccountKind.DRYING_LOSS})

# From which kinds of account to which a movement of each kind takes goods. What is not here goes nowhere: nothing is
# exported yet, what is missing on the way stays there, and a loss leaves the books when it is written off. A reversal
# goes the way back of what it reverses. Goods that a decision makes another kind of stock of stay where they are.
WAYS: dict[MovementKind, tuple[tuple[frozenset[AccountKind], frozenset[AccountKind]], ...]] = {
    MovementKind.INTAKE: ((_CAME_FROM, _STORE), (frozenset({AccountKind.SEIZURE}), frozenset({AccountKind.EVIDENCE}))),
    MovementKind.DISPATCH: ((_KEPT, _TRANSIT),),
    MovementKind.ACCEPT: ((_TRANSIT, _KEPT),),
    MovementKind.RETURN: ((_TRANSIT, _KEPT),),
    MovementKind.MISSING: (),
    MovementKind.TRANSFER: ((_STORE, _STORE),),
    MovementKind.WEIGHING: ((_KEPT, _DRYING), (_DRYING, _KEPT)),
    MovementKind.CONSUMPTION: ((_STORE, frozenset({AccountKind.PROCESSING})),),
    MovementKind.PRODUCTION: ((frozenset({AccountKind.PROCESSING}), _STORE),),
    MovementKind.DECISION: ((_KEPT, frozenset({AccountKind.RETURNED})),),
    MovementKind.LOSS: (),
    MovementKind.WRITE_OFF: ((_KEPT | _TRANSIT, frozenset({AccountKind.LOSS})),),
    MovementKind.RECOVERY: ((_TRANSIT, _KEPT),),
    MovementKind.DESTRUCTION: ((_KEPT, frozenset({AccountKind.DESTRUCTION})),),
    MovementKind.SALE: ((_STORE, frozenset({AccountKind.DOMESTIC_SALE})),),
}


def goes(kind: MovementKind, source: AccountKind, target: AccountKind) -> bool:
    """Whether a movement of this kind takes goods from the one kind of account to the other."""
    return any(source in sources and target in targets for sources, targets in WAYS.get(kind, ()))


def _all_ways() -> list[tuple[str, str, str]]:
    return sorted(
        (kind.value, source.value, target.value)
        for kind, ways in WAYS.items()
        for sources, targets in ways
        for source in sources
        for target in targets
    )


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
            triggers.reversal_mirrors_what_it_reverses(),
            triggers.movement_of_a_load_is_named_by_it(),
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
        triggers: list[pgtrigger.Trigger] = [
            *append_only(),
            triggers.posting_keeps_holdings(_all_ways()),
            triggers_boxes.posting_moves_boxes(),
        ]

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
        triggers: list[pgtrigger.Trigger] = [written_by_trigger_only()]

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
        triggers: list[pgtrigger.Trigger] = [written_by_trigger_only()]

    def __str__(self) -> str:
        return f"{self.account_id} {self.stock_class}: {self.pieces} / {self.grams} g"


class PeriodClose(models.Model):
    """From this row on, no movement takes effect on or before `until`."""

    until = models.DateField(unique=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField()

    class Meta:
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.until.isoformat()
