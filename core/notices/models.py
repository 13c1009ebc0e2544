"""Alerts and discrepancies: what waits for whom, and what was decided."""

from datetime import date

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import GRANTS, Can
from core.base.triggers import final_once, fixed, never_deleted
from core.notices.texts import text_of


class NoticeQuerySet(models.QuerySet["Notice"]):
    def open(self) -> "NoticeQuerySet":
        return self.filter(state=Notice.State.OPEN)

    def overdue(self, on: date) -> "NoticeQuerySet":
        """Open ones whose day has passed."""
        return self.open().filter(due_on__lt=on)

    def visible_to(self, user: User) -> "NoticeQuerySet":
        """Everything for those who oversee; otherwise what waits for the person's own organisations."""
        if user.can(Can.SEE_EVERYTHING):
            return self.all()
        return self.filter(organisation__in=user.organisation_ids(Can.DECIDE_NOTICE))

    def decidable_by(self, user: User) -> "NoticeQuerySet":
        """Open ones the person may decide: of the own organisations, or any for a role that oversees and decides."""
        if any({Can.SEE_EVERYTHING, Can.DECIDE_NOTICE} <= GRANTS[role] for role in user.roles):
            return self.open()
        return self.open().filter(organisation__in=user.organisation_ids(Can.DECIDE_NOTICE))


class Notice(models.Model):
    """Something that does not add up or must be looked at; it stays open until a person decides and says why."""

    class Kind(models.TextChoices):
        ALERT = "alert", _("Alert")
        DISCREPANCY = "discrepancy", _("Discrepancy")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DECIDED = "decided", _("Decided")

    kind = models.CharField(max_length=12, choices=Kind)
    code = models.CharField(max_length=60)
    params = models.JSONField(default=dict)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="notices")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="notices"
    )
    raised_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    decision = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["organisation", "state", "due_on"]),
            models.Index(fields=["subject_kind", "subject_id"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", decided_by=None, decided_at=None, decision="")
                | (
                    Q(state="decided", decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(decision="")
                    & ~Q(reason="")
                ),
                name="notice_decision_all_or_none",
            )
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "notice_is_fixed",
                "kind",
                "code",
                "params",
                "subject_kind",
                "subject_id",
                "organisation",
                "raised_at",
            ),
            final_once("decided_once", pgtrigger.Q(old__state="decided")),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.subject_kind}:{self.subject_id}"

    @property
    def text(self) -> str:
        """What it says, in the reader's language."""
        return text_of(self)

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    def is_overdue(self, on: date) -> bool:
        """True when it is still open after its day."""
        return self.is_open and self.due_on is not None and self.due_on < on
