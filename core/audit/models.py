"""The journal: one row for every act, never changed, never removed."""

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from core.base.triggers import append_only


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, *subjects: tuple[str, object]) -> "EventQuerySet":
        """Events of any of these subjects, each a pair of kind and key."""
        wanted = models.Q(pk__in=[])
        kinds: dict[str, set[str]] = {}
        for kind, key in subjects:
            kinds.setdefault(kind, set()).add(str(key))
        for kind, keys in kinds.items():
            wanted |= models.Q(subject_kind=kind, subject_id__in=keys)
        return self.filter(wanted)


class Event(models.Model):
    """What was done, to what, by whom, when; written in the transaction of the act itself.

    The journal knows no other room, so people and things are named by key and by words.
    """

    verb = models.CharField(max_length=60)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200, blank=True)
    organisation_id = models.BigIntegerField(null=True)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.CharField(max_length=40)
    subject_name = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["subject_kind", "subject_id", "id"]),
            models.Index(fields=["actor_id", "id"]),
            models.Index(fields=["verb", "id"]),
            models.Index(fields=["at"]),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_kind}:{self.subject_id}"
