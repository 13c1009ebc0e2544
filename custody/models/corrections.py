"""A movement that was a mistake: one person asks for its counter-movement, another confirms it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.base.triggers import final_once, fixed, never_deleted
from custody import triggers
from ledger.models import Movement


class Correction(models.Model):
    """The wish to correct a movement, with its reason, and what a second person decided."""

    class State(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Refused")

    movement = models.ForeignKey(Movement, on_delete=models.PROTECT, related_name="corrections")
    reason = models.CharField(_("reason"), max_length=500)
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decide_reason = models.CharField(max_length=500, blank=True)
    counter = models.OneToOneField(Movement, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="correction_says_why"),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | ~Q(decided_by=F("asked_by")), name="correction_needs_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(state="asked", decided_by=None, decided_at=None)
                | (~Q(state="asked") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="correction_decided_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(state="confirmed", counter__isnull=False) | (~Q(state="confirmed") & Q(counter=None)),
                name="confirmed_correction_has_its_movement",
            ),
            models.UniqueConstraint(
                fields=["movement"], condition=~Q(state="refused"), name="one_correction_of_a_movement"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("correction_is_fixed", "movement", "reason", "asked_by", "asked_at"),
            final_once("correction_decided_for_good", ~pgtrigger.Q(old__state="asked")),
            triggers.correction_reverses_its_movement(),
        ]

    def __str__(self) -> str:
        return f"{self.movement_id} {self.state}"


class SettledMovement(Movement):
    """Movements as acts upon goods see them: an act says what is destroyed, written off, found again or corrected."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [
            triggers.goods_leave_by_their_act(),
            triggers.reversal_is_of_a_correction(),
        ]
