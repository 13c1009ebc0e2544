"""Processing: what goes in is consumed, what comes out is registered, and not a gram is unaccounted for."""

from dataclasses import dataclass

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import fixed, never_deleted
from ledger.models import CustodyAccount, Item, Movement
from registry import triggers_processing as triggers
from registry.models.terms import Origin, Term


class Recipe(models.TextChoices):
    """What is made of what."""

    SLICES = "slices", _("Horn into slices")
    POWDER = "powder", _("Horn or slices into powder")
    MEDICINE = "medicine", _("Powder into medicine packs")
    PORTIONS = "portions", _("Meat into portions")
    HIDE_PIECES = "hide_pieces", _("Hide into pieces")


@dataclass(frozen=True, slots=True)
class Way:
    """The terms a recipe takes, and the one it gives."""

    takes: tuple[Term, ...]
    gives: Term


WAYS: dict[Recipe, Way] = {
    Recipe.SLICES: Way((Term.HORN,), Term.HORN_PIECE),
    Recipe.POWDER: Way((Term.HORN, Term.HORN_PIECE), Term.POWDER),
    Recipe.MEDICINE: Way((Term.POWDER,), Term.MEDICINE),
    Recipe.PORTIONS: Way((Term.MEAT,), Term.MEAT),
    Recipe.HIDE_PIECES: Way((Term.SKIN,), Term.SKIN_PIECE),
}


class ProcessingQuerySet(models.QuerySet["Processing"]):
    def visible_to(self, user: User) -> "ProcessingQuerySet":
        """Runs in stores whose content the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_STOCK):
            return self.none()
        return self.filter(store__in=CustodyAccount.objects.visible_to(user).values("pk"))

    def open(self) -> "ProcessingQuerySet":
        return self.filter(state=Processing.State.DRAFT)


class Processing(models.Model):
    """One run: these items went in, these packages came out, so much was lost and is declared.

    A draft is kept as it grows; `version` counts its changes. Where more is lost than the norm allows, it waits with
    its goods held until the authority approves it or gives it back. Registered, it never changes. What came out is an
    intake of its own, so that it is numbered, marked and printed as anything that is taken in.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Being prepared")
        AWAITING = "awaiting", _("Waits for the authority")
        DONE = "done", _("Registered")
        CANCELLED = "cancelled", _("Cancelled")

    number = models.CharField(max_length=20, unique=True)
    recipe = models.CharField(_("what is made"), max_length=12, choices=Recipe)
    store = models.ForeignKey(
        CustodyAccount, on_delete=models.PROTECT, related_name="processings", verbose_name=_("store")
    )
    on = models.DateField(_("day"))
    origin = models.CharField(max_length=12, choices=Origin, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    version = models.PositiveIntegerField(default=0)
    input_pieces = models.PositiveIntegerField(null=True)
    input_g = models.PositiveBigIntegerField(null=True)
    output_pieces = models.PositiveIntegerField(null=True)
    output_g = models.PositiveBigIntegerField(null=True)
    loss_g = models.PositiveBigIntegerField(null=True)
    explanation = models.TextField(_("explanation"), blank=True)
    cancel_reason = models.TextField(blank=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approval_reason = models.TextField(blank=True)

    objects = ProcessingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["store", "state"], name="processings_of_a_store")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "awaiting"], closed_by=None, closed_at=None)
                | Q(state__in=["done", "cancelled"], closed_by__isnull=False, closed_at__isnull=False),
                name="processing_closed_all_or_none",
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        state__in=["done", "awaiting"],
                        input_pieces__gt=0,
                        input_g__gt=0,
                        output_pieces__gt=0,
                        output_g__gt=0,
                    )
                    & Q(loss_g__isnull=False)
                    & ~Q(origin="")
                )
                | (
                    ~Q(state__in=["done", "awaiting"])
                    & Q(input_pieces=None, input_g=None, output_pieces=None, output_g=None, loss_g=None, origin="")
                ),
                name="done_processing_has_totals",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "awaiting"]) | Q(input_g=F("output_g") + F("loss_g")),
                name="processing_keeps_mass",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["awaiting", "done"], asked_by__isnull=False, asked_at__isnull=False)
                | (~Q(state="awaiting") & Q(asked_by=None, asked_at=None)),
                name="waiting_processing_was_asked_for",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None, approval_reason="")
                | (
                    Q(state__in=["awaiting", "done"], approved_by__isnull=False, approved_at__isnull=False)
                    & Q(asked_by__isnull=False)
                    & ~Q(approved_by=F("asked_by"))
                    & ~Q(approval_reason="")
                ),
                name="processing_is_approved_by_another_person",
            ),
            models.CheckConstraint(
                condition=(Q(state="cancelled") & ~Q(cancel_reason="")) | (~Q(state="cancelled") & Q(cancel_reason="")),
                name="cancelled_processing_has_reason",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("processing_is_fixed", "number", "recipe", "store", "on", "opened_by", "opened_at"),
            pgtrigger.Protect(
                name="closed_processing_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["done", "cancelled"]),
            ),
            triggers.done_processing_is_whole(
                {recipe.value: ([term.value for term in way.takes], way.gives.value) for recipe, way in WAYS.items()}
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_awaiting(self) -> bool:
        return self.state == self.State.AWAITING

    @property
    def way(self) -> Way:
        """What it takes and what it gives."""
        return WAYS[Recipe(self.recipe)]


class ProcessingInput(models.Model):
    """An item that goes in. `mass_g` is what it weighed in the ledger when it was consumed; until then unknown."""

    processing = models.ForeignKey(Processing, on_delete=models.PROTECT, related_name="inputs", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="processing_inputs")
    mass_g = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["processing", "item"], name="one_input_per_item"),
            models.CheckConstraint(condition=Q(mass_g=None) | Q(mass_g__gt=0), name="input_weighs_something"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            triggers.lines_belong_to_draft("input", pgtrigger.Insert),
            triggers.lines_belong_to_draft("input", pgtrigger.Update),
            triggers.lines_belong_to_draft("input", pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.processing_id} {self.item_id}"


class ProcessingOutput(models.Model):
    """Packages that come out, `count` of them with the same mass each. Each becomes an item at registration."""

    processing = models.ForeignKey(Processing, on_delete=models.PROTECT, related_name="outputs", db_index=False)
    row = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    mass_g = models.PositiveIntegerField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(fields=["processing", "row"], name="one_output_per_row"),
            models.CheckConstraint(condition=Q(count__gt=0), name="output_is_something"),
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="output_weighs_something"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            triggers.lines_belong_to_draft("output", pgtrigger.Insert),
            triggers.lines_belong_to_draft("output", pgtrigger.Update),
            triggers.lines_belong_to_draft("output", pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.processing_id}/{self.row}"


class ProcessingMovement(Movement):
    """Movements as processing sees them: none consumes or makes anything outside a run that accounts for it."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [triggers.processing_movement_has_its_run()]
