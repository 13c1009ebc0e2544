"""Background work that knows its progress, result, error and owner."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.triggers import final_once, fixed, never_deleted
from core.jobs.runners import TITLES


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> "JobQuerySet":
        """A person's own jobs only: what they make is what their owner may know."""
        return self.filter(owner=user)

    def unfinished(self) -> "JobQuerySet":
        return self.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])


class Job(models.Model):
    """One piece of long work. The row is the truth; the broker only rings the bell."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    language = models.CharField(max_length=2, default="kk")
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    message = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True)
    queued_at = models.DateTimeField()
    rung_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-queued_at"]
        indexes = [
            models.Index(fields=["owner", "-queued_at"]),
            models.Index(
                fields=["state", "heartbeat_at"], condition=Q(state__in=["queued", "running"]), name="job_open"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(total=0) | Q(done__lte=F("total")), name="job_progress"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at=None)
                | Q(state__in=["done", "failed", "cancelled"], finished_at__isnull=False),
                name="job_finished_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state="running")
                | Q(claim__isnull=False, started_at__isnull=False, heartbeat_at__isnull=False),
                name="running_job_has_worker",
            ),
            models.CheckConstraint(condition=Q(state="failed") | Q(error=""), name="job_error_when_failed"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("job_is_fixed", "kind", "owner", "params", "queued_at"),
            final_once("finished_for_good", pgtrigger.Q(old__finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    @property
    def title(self) -> str:
        """What people call this work, in the reader's language."""
        return str(TITLES.get(self.kind, self.kind))

    @property
    def percent(self) -> int:
        """Whole percent done; 0 while the total is unknown."""
        return 100 * self.done // self.total if self.total else 0

    @property
    def document_ids(self) -> frozenset[str]:
        """Keys of the documents it made, as its result names them."""
        return frozenset(str(entry["id"]) for entry in self.result.get("documents", []))

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None
