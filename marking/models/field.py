"""Phones that work without network, and what they sent: each record once, in the phone's order, as it was sent."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import final_once, fixed, never_deleted
from core.documents.models import Document

MOST_PHOTO_BYTES = 20 * 1024 * 1024


def keeps_devices(user: User) -> bool:
    """Whether the person may see and revoke the phones of others."""
    return user.can(Can.REVOKE_DEVICE)


class FieldDeviceQuerySet(models.QuerySet["FieldDevice"]):
    def visible_to(self, user: User) -> "FieldDeviceQuerySet":
        """One's own phones; all for those who revoke them."""
        return self if keeps_devices(user) else self.filter(person=user)

    def standing(self) -> "FieldDeviceQuerySet":
        return self.filter(revoked_at=None)


class FieldDevice(models.Model):
    """A phone on which one person opened the notebook. Its key is kept as SHA-256 only; revoked once and for good.

    `sequence` is the number of the last record that was taken from it: the next one is one more, so that nothing is
    passed over. `signed_until` is how long it may send after its person signed in on it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="field_devices")
    name = models.CharField(_("name of the phone"), max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    registered_at = models.DateTimeField()
    signed_until = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    sequence = models.PositiveBigIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    revoke_reason = models.CharField(max_length=200, blank=True)

    objects = FieldDeviceQuerySet.as_manager()

    class Meta:
        ordering = ["-registered_at"]
        verbose_name = _("Phone of the field notebook")
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="field_device_digest"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None, revoke_reason="")
                | (Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~Q(revoke_reason="")),
                name="field_device_revoked_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("field_device_is_fixed", "person", "digest", "registered_at"),
            final_once("field_device_revoked_for_good", pgtrigger.Q(old__revoked_at__isnull=False)),
            pgtrigger.Protect(
                name="field_sequence_only_grows",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__sequence__lt=pgtrigger.F("old__sequence")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None


class FieldRecordQuerySet(models.QuerySet["FieldRecord"]):
    def visible_to(self, user: User) -> "FieldRecordQuerySet":
        """One's own, those of colleagues who take goods in at the same offices, and all for those who oversee."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        offices = user.organisation_ids(Can.OPEN_INTAKE) | user.organisation_ids(Can.REGISTER_SEIZURE)
        return self.filter(Q(device__person=user) | Q(office__in=offices))

    def waiting(self) -> "FieldRecordQuerySet":
        """Those that could not be entered and nobody has decided."""
        return self.filter(state__in=[FieldRecord.State.CONFLICT, FieldRecord.State.REFUSED])


class FieldRecord(models.Model):
    """One act that a phone recorded in the field, as it was sent, and the first answer that it was given.

    A record that cannot be entered is kept, with the reason, until a person enters it or sets it aside with a word.
    """

    class Act(models.TextChoices):
        OPEN_REMOVAL = "open_removal", _("Reception opened")
        OPEN_SEIZURE = "open_seizure", _("Seizure opened")
        ROW = "row", _("Horn weighed")
        CORRECT_ROW = "correct_row", _("Horn corrected")

    class State(models.TextChoices):
        ACCEPTED = "accepted", _("Entered")
        CONFLICT = "conflict", _("Conflict")
        REFUSED = "refused", _("Not usable")
        RESOLVED = "resolved", _("Entered at the office")
        SET_ASIDE = "set_aside", _("Set aside")

    device = models.ForeignKey(FieldDevice, on_delete=models.PROTECT, related_name="records", db_index=False)
    uuid = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    act = models.CharField(max_length=12, choices=Act)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    office = models.ForeignKey("accounts.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    lat = models.FloatField(null=True)
    lon = models.FloatField(null=True)
    accuracy_m = models.PositiveIntegerField(null=True)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=9, choices=State)
    answer = models.JSONField()
    intake = models.ForeignKey("registry.Intake", null=True, on_delete=models.PROTECT, related_name="field_records")
    row = models.PositiveIntegerField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=200, blank=True)

    objects = FieldRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Record of the field notebook")
        indexes = [
            models.Index(fields=["-id"], condition=Q(state__in=["conflict", "refused"]), name="field_records_waiting")
        ]
        constraints = [
            models.UniqueConstraint(fields=["device", "uuid"], name="one_field_record_of_a_uuid"),
            models.UniqueConstraint(fields=["device", "sequence"], name="one_field_record_of_a_sequence"),
            models.CheckConstraint(
                condition=Q(lat=None, lon=None) | Q(lat__range=(-90, 90), lon__range=(-180, 180)),
                name="field_record_place_on_earth",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=["resolved", "set_aside"], decided_at__isnull=False) & ~Q(decision=""))
                | Q(state__in=["accepted", "conflict", "refused"], decided_by=None, decided_at=None, decision=""),
                name="field_record_decided_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state="set_aside") | Q(decided_by__isnull=False), name="a_person_sets_field_records_aside"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "resolved"]) | Q(intake__isnull=False),
                name="entered_field_record_has_its_intake",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "field_record_is_fixed",
                "device",
                "uuid",
                "sequence",
                "act",
                "payload",
                "digest",
                "made_at",
                "lat",
                "lon",
                "accuracy_m",
                "received_at",
                "answer",
            ),
            final_once("field_record_ends_once", pgtrigger.Q(old__state__in=["accepted", "resolved", "set_aside"])),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.sequence}"

    @property
    def has_no_act(self) -> bool:
        """What the phone named as its act is none: nothing can be entered."""
        unread = self.payload.get("unread")
        return self.state != self.State.ACCEPTED and isinstance(unread, dict) and "act" in unread

    @property
    def is_waiting(self) -> bool:
        return self.state in (self.State.CONFLICT, self.State.REFUSED)


class FieldPhoto(models.Model):
    """A photo of a record, coming in pieces: `received` bytes are here, in order; whole, it becomes a document."""

    device = models.ForeignKey(FieldDevice, on_delete=models.PROTECT, related_name="photos", db_index=False)
    uuid = models.UUIDField()
    record = models.ForeignKey(FieldRecord, on_delete=models.PROTECT, related_name="photos")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    received = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField()
    document = models.OneToOneField(Document, null=True, on_delete=models.PROTECT, related_name="+")
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["device", "uuid"], name="one_field_photo_of_a_uuid"),
            models.CheckConstraint(
                condition=Q(size__range=(1, MOST_PHOTO_BYTES), received__lte=models.F("size")),
                name="field_photo_is_no_longer_than_said",
            ),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="field_photo_sha256"),
            models.CheckConstraint(
                condition=Q(document=None) | Q(received=models.F("size")), name="kept_field_photo_is_whole"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("field_photo_is_fixed", "device", "uuid", "record", "sha256", "size", "begun_at"),
            pgtrigger.Protect(
                name="field_photo_only_grows",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__received__lt=pgtrigger.F("old__received")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.name}"

    @property
    def is_whole(self) -> bool:
        return self.received == self.size

    @property
    def is_broken(self) -> bool:
        """It did not arrive as it was taken: what came of it was thrown away, and the phone sends it anew."""
        return self.document_id is None and self.problem != ""


class FieldPiece(models.Model):
    """Bytes of a photo that is not whole yet; taken away when the document is kept."""

    photo = models.ForeignKey(FieldPhoto, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    start = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["start"]
        constraints = [models.UniqueConstraint(fields=["photo", "start"], name="one_field_piece_of_a_place")]
        triggers: list[pgtrigger.Trigger] = [pgtrigger.Protect(name="piece_stays", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.photo_id} {self.start}"
