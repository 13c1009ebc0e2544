"""What identifies: signing keys, marks, label runs.

A mark is a code that is never issued twice, bound to one derivative for good; until then it is a blank label, which is
stock too. What a mark says of itself is signed; what has become of its derivative, the ledger says.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only, final_once, fixed, never_deleted
from core.documents.models import Document
from core.jobs.models import Job
from ledger.models import CustodyAccount
from marking.labels import PROFILES
from registry.models import Derivative, Intake

CODE_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{12}$"


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


class MarkQuerySet(models.QuerySet["Mark"]):
    def active(self) -> "MarkQuerySet":
        return self.filter(state=Mark.State.ACTIVE)

    def visible_to(self, user: User) -> "MarkQuerySet":
        """Marks of derivatives that the person may know; of blank labels, who may know everything."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(derivative__in=Derivative.objects.visible_to(user).values("pk"))


class Mark(models.Model):
    """A code, with the statement that its symbol carries: on one derivative, or on a blank label.

    Codes of blank labels and of marked derivatives are one table, so that its key alone keeps any code from being
    issued twice. Never deleted, never bound to another derivative. A derivative has at most one active mark. Ending a
    mark takes two people and a reason, and is for good. Code, statement and signature change together only when a new
    print raises the generation.
    """

    class State(models.TextChoices):
        BLANK = "blank", _("Blank label")
        SPOILED = "spoiled", _("Spoiled label")
        DESTROYED = "destroyed", _("Destroyed label")
        ACTIVE = "active", _("Active")
        VOID = "void", _("Void")
        REPLACED = "replaced", _("Replaced")

    UNBOUND = (State.BLANK, State.SPOILED, State.DESTROYED)
    ENDED = (State.VOID, State.REPLACED)

    code = models.CharField(max_length=12, primary_key=True)
    derivative = models.ForeignKey(Derivative, null=True, on_delete=models.PROTECT, related_name="marks")
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE)
    generation = models.PositiveSmallIntegerField(default=1)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="marks", db_index=False)
    payload = models.BinaryField()
    signature = models.BinaryField()
    issued_at = models.DateTimeField()
    end_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=200, blank=True)

    objects = MarkQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at", "code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE_PATTERN), name="mark_code_form"),
            models.UniqueConstraint(
                fields=["derivative"], condition=Q(state="active"), name="one_active_mark_of_a_derivative"
            ),
            models.CheckConstraint(condition=Q(generation__range=(1, 255)), name="mark_generation"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["blank", "spoiled", "destroyed", "active"],
                    end_asked_by=None,
                    ended_by=None,
                    ended_at=None,
                    end_reason="",
                )
                | (
                    Q(state__in=["void", "replaced"], end_asked_by__isnull=False)
                    & Q(ended_by__isnull=False, ended_at__isnull=False)
                    & ~Q(end_reason="")
                ),
                name="mark_end_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(ended_by=None) | ~Q(ended_by=F("end_asked_by")), name="nobody_ends_a_mark_alone"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["blank", "spoiled", "destroyed"], derivative=None)
                | Q(state__in=["active", "void", "replaced"], derivative__isnull=False),
                name="mark_is_blank_or_on_a_derivative",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("mark_is_issued_once", "code", "issued_at"),
            pgtrigger.Protect(
                name="mark_is_bound_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__derivative__isnull=False)
                & pgtrigger.Q(new__derivative__df=pgtrigger.F("old__derivative")),
            ),
            final_once("mark_ends_for_good", pgtrigger.Q(old__state__in=["void", "replaced", "destroyed"])),
            pgtrigger.FSM(
                name="mark_moves_on",
                field="state",
                transitions=[
                    ("blank", "active"),
                    ("blank", "spoiled"),
                    ("blank", "destroyed"),
                    ("spoiled", "destroyed"),
                    ("active", "void"),
                    ("active", "replaced"),
                ],
            ),
            pgtrigger.Protect(
                name="generation_only_grows",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__generation__lt=pgtrigger.F("old__generation")),
            ),
            pgtrigger.Protect(
                name="statement_is_fixed_in_a_generation",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__generation=pgtrigger.F("old__generation"))
                & (
                    pgtrigger.Q(new__payload__df=pgtrigger.F("old__payload"))
                    | pgtrigger.Q(new__signature__df=pgtrigger.F("old__signature"))
                    | pgtrigger.Q(new__key__df=pgtrigger.F("old__key"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def item(self) -> Derivative:
        """What the mark is on. ValueError for a blank label."""
        if self.derivative is None:
            raise ValueError("a blank label is on nothing")
        return self.derivative


class LabelRunQuerySet(models.QuerySet["LabelRun"]):
    def visible_to(self, user: User) -> "LabelRunQuerySet":
        """Runs for stores that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.PRINT_LABELS):
            return self.none()
        return self.filter(store__in=CustodyAccount.objects.visible_to(user).values("pk"))


class LabelRun(models.Model):
    """One order to print labels: whose marks, on which stock, from which position, in which language.

    The job draws it in parts; a part is kept as a document only after it was rendered and read back.
    """

    intake = models.ForeignKey(Intake, null=True, on_delete=models.PROTECT, related_name="label_runs")
    store = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="+")
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
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return str(self.pk)


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
