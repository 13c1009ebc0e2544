"""What was checked, by whom in general, roughly where; and what that says of copies."""

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.triggers import append_only, final_once, fixed, never_deleted
from core.notices.models import Notice
from core.rules.models import RuleCode
from marking.codes import group
from marking.models.marks import Mark
from marking.triggers_stock import once_code_follows_the_print


class CheckQuerySet(models.QuerySet["Check"]):
    def visible_to(self, user: User) -> "CheckQuerySet":
        """Checks are for the authority and those who see everything."""
        return self if user.can(Can.SEE_EVERYTHING) else self.none()


class Check(models.Model):
    """Somebody asked what a mark is. Never changed; forgotten after CHECKS_KEPT_DAYS unless it is evidence of a copy.

    No person: of the public nothing, of those who are signed in the kind of their organisation, and the organisation
    itself where it is a body of the State. Places are rounded to a tenth of a degree, about ten kilometres; `regions`
    are those in which such a place may lie. What was read is kept as a code, or as a keyed hash when it is none.
    `visitor` is a byte that tells two visitors of the public apart who checked the same mark, and nothing else.
    """

    class Channel(models.TextChoices):
        WEB = "web", _("Page")
        APP = "app", _("Scanner")
        API = "api", _("Program")

    PUBLIC = "public"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField()
    code = models.CharField(max_length=12, blank=True)
    read_hash = models.CharField(max_length=16, blank=True)
    verdict = models.CharField(max_length=12)
    reasons = ArrayField(models.CharField(max_length=20), default=list)
    is_signed = models.BooleanField(default=False)
    is_repeat = models.BooleanField(default=False)
    channel = models.CharField(max_length=3, choices=Channel)
    who = models.CharField(max_length=20)
    organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    lat = models.DecimalField(max_digits=3, decimal_places=1, null=True)
    lon = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    regions = ArrayField(models.CharField(max_length=2), default=list)
    visitor = models.PositiveSmallIntegerField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = CheckQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "pk"]
        indexes = [
            models.Index(fields=["code", "at"], condition=~Q(code=""), name="checks_of_a_code"),
            BrinIndex(fields=["recorded_at"], name="checks_as_they_came"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(code="", read_hash__regex=r"^[0-9a-f]{16}$") | (~Q(code="") & Q(read_hash="")),
                name="check_has_a_code_or_a_hash",
            ),
            models.CheckConstraint(
                condition=Q(lat=None, lon=None)
                | Q(lat__isnull=False, lon__isnull=False, lat__range=(-90, 90), lon__range=(-180, 180)),
                name="check_place_is_whole",
            ),
            models.CheckConstraint(condition=~Q(who="public") | Q(organisation=None), name="public_check_names_nobody"),
            models.CheckConstraint(
                condition=Q(visitor=None) | Q(visitor__lt=256, who="public") & ~Q(code=""),
                name="visitor_of_a_check_is_a_byte",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [pgtrigger.Protect(name="check_is_fixed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.shown_code or self.read_hash} {self.verdict}"

    @property
    def shown_code(self) -> str:
        return group(self.code) if self.code else ""

    def get_who_display(self) -> StrOrPromise:
        """Who asked, in words."""
        if self.who == self.PUBLIC:
            return _("The public")
        known = {kind.value: kind.label for kind in Organisation.Kind}
        return known.get(self.who, _("Signed in, without a role"))


class RefusedAsking(models.Model):
    """How often a door said "too often" in ten minutes, and to about how many visitors. Grows while they last.

    No address and no code: who asks too often is stopped, not remembered. Forgotten after CHECKS_KEPT_DAYS.
    """

    class Door(models.TextChoices):
        CHECK = "check", _("Public check")
        WORK = "work", _("Scans and lists at work")
        ONCE = "once", _("Hidden codes")
        TIP = "tip", _("What people tell")
        SNAPSHOT = "snapshot", _("Snapshot for phones")
        HELLO = "hello", _("Greetings of phones")

    began_at = models.DateTimeField()
    door = models.CharField(max_length=8, choices=Door)
    count = models.PositiveIntegerField()
    visitors = models.PositiveIntegerField()

    class Meta:
        ordering = ["-began_at", "door"]
        constraints = [
            models.UniqueConstraint(fields=["began_at", "door"], name="one_count_of_refusals_of_a_door"),
            models.CheckConstraint(condition=Q(count__gt=0), name="refusals_were_some"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            pgtrigger.Protect(
                name="refusals_only_grow",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__count__lt=pgtrigger.F("old__count"))
                | pgtrigger.Q(new__began_at__df=pgtrigger.F("old__began_at"))
                | pgtrigger.Q(new__door__df=pgtrigger.F("old__door")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M} {self.door} {self.count}"


class CopyAlertQuerySet(models.QuerySet["CopyAlert"]):
    def visible_to(self, user: User) -> "CopyAlertQuerySet":
        """Alerts of copies are for the authority and those who see everything."""
        return self if user.can(Can.SEE_EVERYTHING) else self.none()

    def open(self) -> "CopyAlertQuerySet":
        """Nobody has decided yet whether there is a copy."""
        return self.exclude(notice__state=Notice.State.DECIDED)


class CopyAlert(models.Model):
    """A rule found that a label may exist twice: which mark and print, by which rule, on which day, by which checks.

    Once for a mark, rule and day, and never while the former one of this mark and rule is open. Open means: its notice
    is not decided. What rests on typed codes or on places that nobody vouches for is a question to the authority alone;
    only what `stands` is told to whoever checks the mark, and is a finding beside the question. Many of one rule in a
    short time share one notice, and none of them stands.
    """

    RULES = (
        RuleCode.COPY_FAR,
        RuleCode.COPY_GONE,
        RuleCode.COPY_BLANK,
        RuleCode.COPY_BURST,
        RuleCode.COPY_MANY,
        RuleCode.COPY_STORE,
        RuleCode.COPY_OLD_PRINT,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mark = models.ForeignKey(Mark, on_delete=models.PROTECT, related_name="copy_alerts")
    rule = models.CharField(max_length=20, choices=[(code.value, code.label) for code in RULES])
    on = models.DateField()
    value = models.JSONField()
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="copy_alerts")
    found_at = models.DateTimeField()
    generation = models.PositiveSmallIntegerField(default=1)
    stands = models.BooleanField(default=False)

    objects = CopyAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-found_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["mark", "rule", "on", "stands"], name="one_copy_alert_of_a_mark_rule_and_day"
            ),
            models.CheckConstraint(condition=~Q(rule="copy.blank", stands=True), name="seen_blank_is_only_a_question"),
            models.CheckConstraint(condition=Q(rule__startswith="copy."), name="copy_alert_is_of_a_rule"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{group(self.mark_id)} {self.rule}"

    @property
    def shown_code(self) -> str:
        return group(self.mark_id)


class CopyEvidence(models.Model):
    """A check on which an alert rests: kept as long as the alert."""

    alert = models.ForeignKey(CopyAlert, on_delete=models.PROTECT, related_name="evidence", db_index=False)
    # `check` is a method of every model.
    seen = models.ForeignKey(Check, on_delete=models.PROTECT, related_name="evidence")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["alert", "seen"], name="evidence_is_named_once")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.seen_id}"


class CopyWatch(models.Model):
    """Up to where the checks have been looked at for copies: one row, whose lock lets one look at a time."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_copy_watch")]

    def __str__(self) -> str:
        return self.until.isoformat()


class OnceCode(models.Model):
    """The hidden code under the flap of a label, of which only a keyed hash is kept; used once, for good.

    It belongs to one print of the mark: a later print may have another, while nobody has used this one.
    """

    mark = models.OneToOneField(Mark, on_delete=models.PROTECT, primary_key=True, related_name="once_code")
    generation = models.PositiveSmallIntegerField(default=1, db_default=1)
    digest = models.BinaryField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["mark"]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("once_code_is_fixed", "mark"),
            once_code_follows_the_print(),
            final_once("once_code_is_used_once", pgtrigger.Q(old__used_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.mark_id
