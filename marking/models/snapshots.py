"""Editions of the snapshot: what phones know of all marks when there is no network."""

import pgtrigger
from django.db import models
from django.db.models import Q

from core.base.triggers import fixed
from marking.models.keys import SigningKey


class Snapshot(models.Model):
    """One edition: all marks with their status at one moment, signed, and what changed since the edition before.

    The bytes are laid out as `marking.snapshots` says. Only the newest edition keeps all marks; changes are kept for
    two months. Not a fact but knowledge about facts, so old editions go.
    """

    edition = models.PositiveIntegerField(primary_key=True)
    made_at = models.DateTimeField()
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    marks = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    full = models.BinaryField(null=True)
    changes = models.BinaryField()

    class Meta:
        ordering = ["-edition"]
        constraints = [
            models.CheckConstraint(condition=Q(edition__gt=0), name="snapshot_editions_count_from_one"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="snapshot_sha256"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            fixed("snapshot_is_fixed", "edition", "made_at", "key", "marks", "sha256", "changes"),
            pgtrigger.Protect(
                name="snapshot_is_written_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__full__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.edition)
