"""Signing keys: the public half is for everybody, the private half is sealed here, in a file, or in a token."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.base.triggers import final_once, fixed, never_deleted
from marking import triggers_keys as triggers


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def in_use(self) -> "SigningKeyQuerySet":
        return self.filter(state=SigningKey.State.IN_USE)


class SigningKey(models.Model):
    """An Ed25519 key pair that signs marks; the private half is kept encrypted, or elsewhere under the name `place`.

    `id` is the key id that payloads carry: eight hex digits. One key is in use at a time. A key only moves on:
    created, in use, retired; compromised from anywhere and for good; each step by two persons, but the first key's.
    """

    class State(models.TextChoices):
        CREATED = "created", _("Made, not in use yet")
        IN_USE = "in_use", _("In use")
        RETIRED = "retired", _("Retired")
        COMPROMISED = "compromised", _("Compromised")

    class Storage(models.TextChoices):
        SEALED = "sealed", _("Encrypted in the database")
        FILE = "file", _("In a file")
        TOKEN = "token", _("In a PKCS#11 token")

    id = models.CharField(max_length=8, primary_key=True)
    state = models.CharField(max_length=11, choices=State, default=State.CREATED)
    public_key = models.BinaryField(unique=True)
    storage = models.CharField(max_length=6, choices=Storage, default=Storage.SEALED)
    place = models.CharField(max_length=100, blank=True)
    sealed_private_key = models.BinaryField(null=True)
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
            models.CheckConstraint(
                condition=Q(storage="sealed", sealed_private_key__isnull=False, place="")
                | (Q(storage__in=["file", "token"], sealed_private_key=None) & ~Q(place="")),
                name="private_key_is_in_one_place",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("key_is_fixed", "id", "public_key", "storage", "place", "sealed_private_key", "created_at"),
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
            triggers.key_begins_as_created(),
            triggers.key_moves_on_by_two(),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_compromised(self) -> bool:
        return self.state == self.State.COMPROMISED


class KeyRequest(models.Model):
    """What one person asks for a signing key and another decides: sign with it from now on, or trust it no longer."""

    class Kind(models.TextChoices):
        USE = "use", _("Take into use")
        COMPROMISE = "compromise", _("Declare compromised")

    class State(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    kind = models.CharField(max_length=10, choices=Kind)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="requests")
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    # The transaction that approved it, in which alone the key changes; empty in what was decided before this was kept.
    approved_in = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Request for a signing key")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="key_request_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="asked", decided_by=None, decided_at=None)
                | Q(state__in=["approved", "refused"], decided_by__isnull=False, decided_at__isnull=False),
                name="key_request_state_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="nobody_decides_own_key_request"
            ),
            models.UniqueConstraint(
                fields=["key", "kind"], condition=Q(state="asked"), name="one_waiting_request_of_a_key"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("key_request_is_fixed", "kind", "key", "reason", "asked_by", "asked_at"),
            final_once("key_request_ends_once", pgtrigger.Q(old__state__in=["approved", "refused"])),
            triggers.key_approval_names_its_transaction(),
            triggers.key_request_is_decided_by_another(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key_id}"
