"""Marks and blank labels: one table of codes, each issued once."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import final_once, fixed, never_deleted
from marking import triggers_stock as triggers
from marking.models.keys import SigningKey
from marking.models.stock import LabelReel
from registry.models import Derivative

CODE_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{12}$"


class MarkQuerySet(models.QuerySet["Mark"]):
    def active(self) -> "MarkQuerySet":
        return self.filter(state=Mark.State.ACTIVE)

    def renewable(self) -> "MarkQuerySet":
        """Marks that a new one may follow: the active one of an item, or the last where it is void."""
        later = Mark.objects.filter(derivative=OuterRef("derivative")).exclude(pk=OuterRef("pk"))
        last = ~Exists(later.filter(Q(state=Mark.State.ACTIVE) | Q(ended_at__gt=OuterRef("ended_at"))))
        return self.filter(Q(state=Mark.State.ACTIVE) | Q(last, state=Mark.State.VOID))

    def visible_to(self, user: User) -> "MarkQuerySet":
        """Marks of derivatives that the person may know; of blank labels, who may know everything."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(derivative__in=Derivative.objects.visible_to(user).values("pk"))


class Mark(models.Model):
    """A code, with the statement that its symbol carries: on one derivative, or on a blank label.

    Codes of blank labels and of marked derivatives are one table, so that its key alone keeps any code from being
    issued twice. Never deleted, never bound to another derivative. A derivative has at most one active mark. Ending a
    mark takes two people and a reason, and is for good; the mark that follows it takes two people as well. Code,
    statement and signature change together only when a new print raises the generation, which a second person
    approves; what was never printed is signed anew with the key in use. A blank label has its place on a reel and
    keeps it.
    """

    class State(models.TextChoices):
        BLANK = "blank", _("Blank label")
        SPOILED = "spoiled", _("Spoiled label")
        DESTROYED = "destroyed", _("Destroyed label")
        LOST = "lost", _("Lost label")
        ACTIVE = "active", _("Active")
        VOID = "void", _("Void")
        REPLACED = "replaced", _("Replaced")

    UNBOUND = (State.BLANK, State.SPOILED, State.DESTROYED, State.LOST)
    ENDED = (State.VOID, State.REPLACED)

    code = models.CharField(max_length=12, primary_key=True)
    derivative = models.ForeignKey(Derivative, null=True, on_delete=models.PROTECT, related_name="marks")
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE)
    generation = models.PositiveSmallIntegerField(default=1)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="marks", db_index=False)
    payload = models.BinaryField()
    signature = models.BinaryField()
    issued_at = models.DateTimeField()
    reel = models.ForeignKey(LabelReel, null=True, on_delete=models.PROTECT, related_name="marks", db_index=False)
    place_on_reel = models.PositiveSmallIntegerField(null=True)
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
        indexes = [
            # A key is lost: which labels lie about or hang under it.
            models.Index(fields=["key"], condition=Q(state__in=["active", "blank"]), name="mark_in_use_of_key"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE_PATTERN), name="mark_code_form"),
            models.UniqueConstraint(
                fields=["derivative"], condition=Q(state="active"), name="one_active_mark_of_a_derivative"
            ),
            models.CheckConstraint(condition=Q(generation__range=(1, 255)), name="mark_generation"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["blank", "spoiled", "destroyed", "lost", "active"],
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
                condition=Q(state__in=["blank", "spoiled", "destroyed", "lost"], derivative=None)
                | Q(state__in=["active", "void", "replaced"], derivative__isnull=False),
                name="mark_is_blank_or_on_a_derivative",
            ),
            models.CheckConstraint(
                condition=Q(reel=None, place_on_reel=None) | Q(reel__isnull=False, place_on_reel__gt=0),
                name="mark_has_reel_and_place_or_none",
            ),
            models.CheckConstraint(
                condition=Q(reel__isnull=False) | Q(state__in=["active", "void", "replaced"]),
                name="blank_label_is_on_a_reel",
            ),
            models.UniqueConstraint(fields=["reel", "place_on_reel"], name="one_label_at_a_place_of_a_reel"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("mark_is_issued_once", "code", "issued_at"),
            fixed("mark_stays_on_its_reel", "reel", "place_on_reel"),
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
                    ("blank", "lost"),
                    ("spoiled", "destroyed"),
                    ("spoiled", "lost"),
                    ("lost", "destroyed"),
                    ("active", "void"),
                    ("active", "replaced"),
                ],
            ),
            pgtrigger.Protect(
                name="generation_only_grows",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__generation__lt=pgtrigger.F("old__generation")),
            ),
            triggers.statement_is_fixed_in_a_generation(),
            triggers.label_is_applied_with_a_photo(),
            triggers.label_is_applied_anew_by_two(),
            triggers.item_is_marked_anew_by_two(),
            triggers.reprint_is_approved(),
            triggers.end_is_approved(),
            triggers.marks_are_counted_when_issued(),
            triggers.marks_are_counted_when_changed(),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def item(self) -> Derivative:
        """What the mark is on. ValueError for a blank label."""
        if self.derivative is None:
            raise ValueError("a blank label is on nothing")
        return self.derivative
