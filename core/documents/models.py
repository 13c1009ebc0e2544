"""Papers, photos and videos, kept as given: bytes, SHA-256, who brought them, and what they belong to. Private."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.base.triggers import append_only, fixed, never_deleted
from core.documents.places import metres_between


def storage_path(document: "Document", filename: str) -> str:
    """Folders by the first hex digits of the hash; the person's file name is kept in the row, never in the path."""
    return f"{document.sha256[:2]}/{document.sha256[2:4]}/{document.pk}"


class Document(models.Model):
    """A file exactly as it was given. Never edited: a new version is a new document."""

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        SCAN = "scan", _("Scanned paper")
        SHEET = "sheet", _("Table")
        LABELS = "labels", _("Labels")
        VIDEO = "video", _("Video")
        REPORT = "report", _("Report")
        OTHER = "other", _("Other document")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=storage_path, max_length=120)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["sha256"])]
        constraints = [models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_sha256")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.name

    @property
    def is_photo(self) -> bool:
        """True when a thumbnail can be made of it."""
        return self.media_type.startswith("image/")


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def of(self, kind: str, key: object) -> "AttachmentQuerySet":
        """Files of one subject, withdrawn ones too, the first brought first."""
        return self.filter(subject_kind=kind, subject_id=str(key)).order_by("pk")

    def standing(self) -> "AttachmentQuerySet":
        """Those nobody has withdrawn."""
        return self.filter(withdrawal=None)


class Attachment(models.Model):
    """A document belongs to a subject of any room, and what its bytes say of where and when it was made.

    Where the subject was said to be is kept as it was said when the file was added. Never changed and never removed: a
    wrong file is withdrawn with a reason and stays readable.
    """

    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="attachment")
    subject_kind = models.CharField(max_length=30)
    subject_id = models.CharField(max_length=40)
    caption = models.CharField(_("caption"), max_length=200, blank=True)
    taken_at = models.DateTimeField(null=True)
    lat = models.FloatField(null=True)
    lon = models.FloatField(null=True)
    stated_lat = models.FloatField(null=True)
    stated_lon = models.FloatField(null=True)
    stated_place = models.CharField(max_length=200, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="files_of_a_subject")]
        constraints = [
            models.CheckConstraint(
                condition=Q(lat=None, lon=None) | Q(lat__range=(-90, 90), lon__range=(-180, 180)),
                name="attachment_place_on_earth",
            ),
            models.CheckConstraint(
                condition=Q(stated_lat=None, stated_lon=None)
                | Q(stated_lat__range=(-90, 90), stated_lon__range=(-180, 180)),
                name="attachment_stated_place_on_earth",
            ),
            models.CheckConstraint(
                condition=~Q(subject_kind="") & ~Q(subject_id=""), name="attachment_belongs_to_something"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.subject_kind}:{self.subject_id} {self.document_id}"

    @property
    def metres_away(self) -> int | None:
        """How far from the stated place the picture says it was made; None where one of the two is not known."""
        if self.lat is None or self.lon is None or self.stated_lat is None or self.stated_lon is None:
            return None
        return metres_between(self.lat, self.lon, self.stated_lat, self.stated_lon)


class Withdrawal(models.Model):
    """A file was added wrongly: why, and who says so. Once, and for good."""

    attachment = models.OneToOneField(Attachment, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=400)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="withdrawal_has_a_reason")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.attachment_id}"


class NumberSeries(models.Model):
    """The last number given in a series and year; numbers follow one another without a gap."""

    series = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "year"], name="one_row_per_series_and_year")]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("series_is_fixed", "series", "year"),
            pgtrigger.Protect(
                name="numbers_only_grow",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__last__lte=pgtrigger.F("old__last")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.year}: {self.last}"
