"""Signing keys: the public half is for everybody, the private half is kept encrypted."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.base.triggers import final_once, fixed, never_deleted


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def in_use(self) -> "SigningKeyQuerySet":
        return self.filter(state=SigningKey.State.IN_USE)


class SigningKey(models.Model):
    """An Ed25519 key pair that signs marks; the private half is kept encrypted.

    `id` is the key id that payloads carry: eight hex digits. One key is in use at a time. A key only moves on:
    created, in use, retired; compromised from anywhere and for good.
    """

    class State(models.TextChoices):
        CREATED = "created", _("Made, not in use yet")
        IN_USE = "in_use", _("In use")
        RETIRED = "retired", _("Retired")
        COMPROMISED = "compromised", _("Compromised")

    id = models.CharField(max_length=8, primary_key=True)
    state = models.CharField(max_length=11, choices=State, default=State.CREATED)
    public_key = models.BinaryField(unique=True)
    sealed_private_key = models.BinaryField()
    created_at = models.DateTimeField()
    used_from = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(id__regex=r"^[0-9a-f]{8}$"), name="key_id_form"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="in_use"), name="one_key_in_use"),
            models.CheckConstraint(
                condition=Q(state="created", used_from=None, ended_at=None)
                | Q(state="in_use", used_from__isnull=False, ended_at=None)
                | Q(state="retired", used_from__isnull=False, ended_at__isnull=False)
                | Q(state="compromised", ended_at__isnull=False),
                name="key_state_has_its_moments",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("key_is_fixed", "id", "public_key", "sealed_private_key", "created_at"),
            final_once("compromised_for_good", pgtrigger.Q(old__state="compromised")),
            pgtrigger.FSM(
                name="key_moves_on",
                field="state",
                transitions=[
                    ("created", "in_use"),
                    ("in_use", "retired"),
                    ("created", "compromised"),
                    ("in_use", "compromised"),
                    ("retired", "compromised"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.id
