"""What one person asks for a mark on an item and another approves: a reprint, an end, a new mark in its place."""

from collections.abc import Sequence

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.triggers import final_once, fixed, never_deleted
from core.documents.models import Document
from marking import triggers_stock as triggers
from marking.models.marks import Mark
from marking.models.runs import LabelRun
from registry.models import Derivative, Intake


class MarkRequestQuerySet(models.QuerySet["MarkRequest"]):
    def waiting(self) -> "MarkRequestQuerySet":
        return self.filter(state=MarkRequest.State.ASKED)

    def visible_to(self, user: User) -> "MarkRequestQuerySet":
        """Requests for items that the person may know."""
        known = Derivative.objects.visible_to(user)
        return self.filter(Q(mark__derivative__in=known.values("pk")) | Q(intake__in=Intake.objects.visible_to(user)))


class MarkRequest(models.Model):
    """Asked by one, with a reason; approved by another. A reprint raises the generation of one mark, or of all labels
    of an intake, and what was printed before is answered as an old copy. The new mark of an item, in place of an active
    one or after one that is void, is printed, or is a `blank` label that is tied to it already, as the `photo` shows.
    """

    class Kind(models.TextChoices):
        REPRINT = "reprint", _("Print the label again")
        VOID = "void", _("Declare the mark void")
        REPLACE = "replace", _("Give the item a new mark")

    class State(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    kind = models.CharField(max_length=7, choices=Kind)
    mark = models.ForeignKey(Mark, null=True, on_delete=models.PROTECT, related_name="requests")
    intake = models.ForeignKey(Intake, null=True, on_delete=models.PROTECT, related_name="mark_requests")
    reason = models.CharField(max_length=200)
    order = models.JSONField(null=True)
    blank = models.ForeignKey(Mark, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    photo = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    is_foreign = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=200, blank=True)
    new_mark = models.ForeignKey(Mark, null=True, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(LabelRun, null=True, on_delete=models.PROTECT, related_name="+")
    approved_in = models.BigIntegerField(null=True, editable=False)

    # What a reprint left alone, known to whoever approved it.
    left_out: Sequence[str] = ()

    objects = MarkRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Request for a mark")
        constraints = [
            models.CheckConstraint(
                condition=Q(mark__isnull=False, intake=None) | Q(mark=None, intake__isnull=False, kind="reprint"),
                name="mark_request_names_one_thing",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="mark_request_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="asked", decided_by=None, decided_at=None, approved_in=None)
                | Q(state="approved", decided_by__isnull=False, decided_at__isnull=False, approved_in__isnull=False)
                | Q(state="refused", decided_by__isnull=False, decided_at__isnull=False, approved_in=None),
                name="mark_request_state_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | ~Q(decided_by=F("asked_by")), name="nobody_approves_own_mark_request"
            ),
            models.CheckConstraint(
                condition=Q(blank=None, photo=None, is_foreign=False)
                | Q(kind="replace", blank__isnull=False, photo__isnull=False, order=None),
                name="blank_label_replaces_with_a_photo",
            ),
            models.UniqueConstraint(
                fields=["blank"], condition=Q(state="asked"), name="one_waiting_request_of_a_blank_label"
            ),
            models.UniqueConstraint(fields=["mark"], condition=Q(state="asked"), name="one_waiting_request_of_a_mark"),
            models.UniqueConstraint(
                fields=["intake"], condition=Q(state="asked"), name="one_waiting_request_of_an_intake"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "mark_request_is_fixed",
                *("kind", "mark", "intake", "reason", "blank", "photo", "is_foreign", "asked_by", "asked_at"),
            ),
            final_once("mark_request_ends_once", pgtrigger.Q(old__state="refused")),
            triggers.approval_names_its_transaction(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.mark_id or self.intake_id}"
