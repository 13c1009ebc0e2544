"""Papers and photos, kept as given: bytes, SHA-256, and who brought them. Private."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.base.triggers import append_only, fixed, never_deleted


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
