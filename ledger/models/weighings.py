"""Weighing again: what things weigh now, beside what they weighed before and what the drying curve explains."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only
from ledger import triggers_weighing as triggers
from ledger.models.accounts import CustodyAccount
from ledger.models.movements import Item, Movement


class WeighingQuerySet(models.QuerySet["Weighing"]):
    def visible_to(self, user: User) -> "WeighingQuerySet":
        """Weighings in accounts that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(account__in=CustodyAccount.objects.visible_to(user).values("pk"))


class Weighing(models.Model):
    """Items of one store put on the scale again. The movement is empty when nothing weighs otherwise than before."""

    number = models.CharField(max_length=20, unique=True)
    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="weighings")
    movement = models.OneToOneField(Movement, null=True, on_delete=models.PROTECT, related_name="weighing")
    on = models.DateField()
    weighed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    weighed_at = models.DateTimeField()
    key = models.CharField(max_length=100, unique=True)
    items = models.PositiveIntegerField()
    before_g = models.BigIntegerField()
    after_g = models.BigIntegerField()
    unexplained = models.PositiveIntegerField()

    objects = WeighingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["account", "-id"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(before_g=F("after_g")) | Q(movement__isnull=False), name="weighing_is_posted"
            )
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.number

    @property
    def change_g(self) -> int:
        return self.after_g - self.before_g


class WeighIn(models.Model):
    """One item of a weighing: its first mass, the one before and the one now, and how the drying curve judges it.

    `before_g` is what the books had. The books take the mass if `is_taken`: because drying explains it, or because it
    `bears_out` what another person found. What is not taken stays in question, under a hold.
    """

    class Verdict(models.TextChoices):
        DRY = "dry", _("As drying explains")
        LOSS = "loss", _("More lost than drying explains")
        GAIN = "gain", _("Heavier than before")

    weighing = models.ForeignKey(Weighing, on_delete=models.PROTECT, related_name="lines", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="weigh_ins", db_constraint=False)
    first_g = models.BigIntegerField()
    first_on = models.DateField()
    before_g = models.BigIntegerField()
    grams = models.BigIntegerField()
    floor_g = models.BigIntegerField()
    ceiling_g = models.BigIntegerField(null=True)  # unknown to the weighings of the first version
    verdict = models.CharField(max_length=4, choices=Verdict)
    is_taken = models.BooleanField(default=True)
    bears_out = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="borne_out_by")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ceiling_g=None) | ~Q(verdict="dry") | Q(grams__gte=F("floor_g"), grams__lte=F("ceiling_g")),
                name="a_dry_mass_lies_between_its_bounds",
            ),
            models.CheckConstraint(
                condition=Q(ceiling_g=None) | Q(is_taken=False) | Q(verdict="dry") | Q(bears_out__isnull=False),
                name="an_odd_mass_is_borne_out",
            ),
            models.UniqueConstraint(fields=["weighing", "item"], name="one_weigh_in_of_an_item"),
            models.CheckConstraint(condition=Q(grams__gt=0), name="weigh_in_weighs_something"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.item_id} {self.grams} g"

    @property
    def change_g(self) -> int:
        return self.grams - self.before_g


class WeighingMovement(Movement):
    """Movements as weighing sees them: none changes a mass without the lines that answer for it."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [triggers.weighing_answers_for_its_masses()]
