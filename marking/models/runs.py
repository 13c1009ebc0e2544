"""Label runs: what was ordered to be printed, the label at each place, the finished parts."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only
from core.documents.models import Document
from core.jobs.models import Job
from ledger.models import CustodyAccount
from marking.labels import PROFILES
from marking.models.marks import Mark
from marking.models.stock import LabelReel, offices_of
from registry.models import Intake


class LabelRunQuerySet(models.QuerySet["LabelRun"]):
    def visible_to(self, user: User) -> "LabelRunQuerySet":
        """Runs for stores that the person may know, and for reels that the person's office prints."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.PRINT_LABELS):
            return self.none()
        stores = CustodyAccount.objects.visible_to(user).values("pk")
        return self.filter(Q(store__in=stores) | Q(reel__series__printer__in=offices_of(user)))


class LabelRun(models.Model):
    """One order to print labels: whose marks, on which stock, from which position, in which language.

    The job draws it in parts; a part is kept as a document only after it was rendered and read back.
    """

    intake = models.ForeignKey(Intake, null=True, on_delete=models.PROTECT, related_name="label_runs")
    reel = models.ForeignKey(LabelReel, null=True, on_delete=models.PROTECT, related_name="label_runs")
    store = models.ForeignKey(CustodyAccount, null=True, on_delete=models.PROTECT, related_name="+")
    profile = models.CharField(max_length=20, choices=[(key, key) for key in PROFILES])
    dpi = models.PositiveSmallIntegerField(choices=[(dpi, str(dpi)) for dpi in (203, 300, 600)])
    start = models.PositiveSmallIntegerField(default=1)
    language = models.CharField(max_length=2, choices=settings.LANGUAGES)
    count = models.PositiveIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField()
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+")

    objects = LabelRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["store", "-id"], name="label_runs_of_store")]
        constraints = [
            models.CheckConstraint(condition=Q(count__gt=0), name="label_run_is_not_empty"),
            models.CheckConstraint(condition=Q(start__gt=0), name="label_run_starts_on_the_sheet"),
            models.CheckConstraint(
                condition=Q(reel=None, store__isnull=False) | Q(reel__isnull=False, store=None, intake=None),
                name="label_run_is_for_a_store_or_a_reel",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def organisation_id(self) -> int | None:
        """Whose labels they are: the keeper of the store, or the office that prints the reel."""
        if self.reel is not None:
            return self.reel.series.printer_id
        return self.store.custodian_id if self.store else None


class LabelRunMark(models.Model):
    """The label at one place of a run: which mark, in which generation."""

    run = models.ForeignKey(LabelRun, on_delete=models.PROTECT, related_name="run_marks", db_index=False)
    place = models.PositiveIntegerField()
    mark = models.ForeignKey(Mark, on_delete=models.PROTECT, related_name="run_marks")
    generation = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["place"]
        constraints = [models.UniqueConstraint(fields=["run", "place"], name="one_label_at_a_place")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.place} {self.mark_id}"


class LabelPart(models.Model):
    """A finished part of a run: its PDF, how many labels stand on it, how many of them were read back."""

    run = models.ForeignKey(LabelRun, on_delete=models.PROTECT, related_name="parts", db_index=False)
    part = models.PositiveSmallIntegerField()
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="+")
    labels = models.PositiveIntegerField()
    pages = models.PositiveIntegerField()
    read_back = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["part"]
        constraints = [
            models.UniqueConstraint(fields=["run", "part"], name="one_part_of_a_number"),
            models.CheckConstraint(
                condition=Q(read_back__gt=0, read_back__lte=F("labels")), name="label_part_was_read_back"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.part}"
