"""What people tell about a label that looks wrong to them."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only
from marking.codes import group


def photo_path(tip: "Tip", filename: str) -> str:
    """Apart from documents; the sender's file name is not kept."""
    return f"tips/{tip.pk}.jpg"


class TipQuerySet(models.QuerySet["Tip"]):
    def visible_to(self, user: User) -> "TipQuerySet":
        """Tips are for the authority and those who see everything."""
        return self if user.can(Can.SEE_EVERYTHING) else self.none()


class Tip(models.Model):
    """Somebody who checked a label says what is wrong with it, without signing in. Never changed.

    Nothing of the sender is kept but what the sender wrote; the photo has lost its place, time and camera.
    """

    class About(models.TextChoices):
        COPY = "copy", _("The same label is on several things")
        OTHER_THING = "other_thing", _("The label is on something else than the page says")
        NO_PAPERS = "no_papers", _("It is offered or taken abroad without papers")
        DAMAGED = "damaged", _("The label cannot be read or was tampered with")
        ANOTHER = "another", _("Something else")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=12, blank=True)
    read = models.CharField(max_length=500, blank=True)
    about = models.CharField(max_length=11, choices=About)
    words = models.CharField(max_length=2000, blank=True)
    place = models.CharField(max_length=200, blank=True)
    contact = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=7)
    photo = models.FileField(upload_to=photo_path, max_length=120, blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    objects = TipQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["code"], condition=~Q(code=""), name="tips_of_a_mark")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.shown_code or self.read[:40] or "—"

    @property
    def shown_code(self) -> str:
        """The code in groups; "" when what was read is no genuine mark."""
        return group(self.code) if self.code else ""
