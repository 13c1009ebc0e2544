"""What people tell about a label that looks wrong to them."""

import uuid
from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import fixed, never_deleted
from marking.codes import group


def photo_path(tip: "Tip", filename: str) -> str:
    """Apart from documents; the sender's file name is not kept."""
    return f"tips/{tip.pk}.jpg"


class TipQuerySet(models.QuerySet["Tip"]):
    def visible_to(self, user: User) -> "TipQuerySet":
        """Tips are for the authority and those who see everything."""
        return self if user.can(Can.SEE_EVERYTHING) else self.none()

    def outlived(self, before: datetime) -> "TipQuerySet":
        """Told before this moment, with something in it by which the sender could still be found."""
        return self.filter(at__lt=before, forgotten_at=None).exclude(contact="", photo="")


def may_see_contacts(user: User) -> bool:
    """How to reach a sender is for those who look into what was told, not for all who may read it."""
    return user.can(Can.SEE_EVERYTHING) and user.can(Can.DECIDE_NOTICE)


class Tip(models.Model):
    """Somebody who checked a label says what is wrong with it, without signing in. Never changed.

    Nothing of the sender is kept but what the sender wrote; the photo has lost its place, time and camera. After
    TIP_SENDERS_KEPT_DAYS the contact and the photo are forgotten; what was told stays.
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
    forgotten_at = models.DateTimeField(null=True)

    objects = TipQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["code"], condition=~Q(code=""), name="tips_of_a_mark")]
        constraints = [
            models.CheckConstraint(
                condition=Q(forgotten_at=None) | Q(contact="", photo="", forgotten_at__gt=F("at")),
                name="tip_is_forgotten_whole",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            fixed(
                "tip_stays_as_told", "id", "code", "read", "about", "words", "place", "language", "at", "recorded_at"
            ),
            pgtrigger.Protect(
                name="tip_is_only_forgotten",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__forgotten_at__isnull=True) | pgtrigger.Q(old__forgotten_at__isnull=False),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.shown_code or self.read[:40] or "—"

    @property
    def shown_code(self) -> str:
        """The code in groups; "" when what was read is no genuine mark."""
        return group(self.code) if self.code else ""
