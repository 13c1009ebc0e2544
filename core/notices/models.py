"""Alerts and discrepancies: what waits for whom, and what was decided."""

from datetime import date

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import GRANTS, Can
from core.base.triggers import append_only, final_once, fixed, never_deleted
from core.notices.texts import advice_on, text_of


class NoticeQuerySet(models.QuerySet["Notice"]):
    def open(self) -> "NoticeQuerySet":
        """Not decided yet: waiting for words of the organisation, or for the authority's judgement on them."""
        return self.exclude(state=Notice.State.DECIDED)

    def overdue(self, on: date) -> "NoticeQuerySet":
        """Open ones whose day has passed."""
        return self.open().filter(due_on__lt=on)

    def visible_to(self, user: User) -> "NoticeQuerySet":
        """Everything for those who oversee; otherwise what waits for the person's own organisations."""
        if user.can(Can.SEE_EVERYTHING):
            return self.all()
        return self.filter(organisation__in=user.organisation_ids(Can.DECIDE_NOTICE))

    def decidable_by(self, user: User) -> "NoticeQuerySet":
        """Open ones the person may decide: of the own organisations, or any for a role that oversees and decides;
        never what an own act raised.
        """
        others = self.exclude(caused_by=user)
        if is_authority(user):
            return others.open().exclude(explained_by=user)
        own = user.organisation_ids(Can.DECIDE_NOTICE)
        return others.filter(state=Notice.State.OPEN, decides=Notice.Decides.ORGANISATION, organisation__in=own)

    def explainable_by(self, user: User) -> "NoticeQuerySet":
        """Open ones that the person's own organisation must explain before the authority decides, and what an own
        act raised: explaining it passes it to the authority.
        """
        own = user.organisation_ids(Can.DECIDE_NOTICE)
        judged = Q(decides=Notice.Decides.AUTHORITY) | Q(caused_by=user)
        return self.filter(judged, state=Notice.State.OPEN, organisation__in=own)

    def waiting_for(self, user: User) -> "NoticeQuerySet":
        """What this person should act on now: to decide or to explain; for the authority, whatever is open.

        What an own act raised waits for others, unless it is to be explained.
        """
        if is_authority(user):
            return self.open().exclude(caused_by=user)
        own = user.organisation_ids(Can.DECIDE_NOTICE)
        waiting = self.filter(state=Notice.State.OPEN, organisation__in=own)
        return waiting.exclude(decides=Notice.Decides.ORGANISATION, caused_by=user)


# What the clock itself may find settled: nothing was left to do. Any other notice is closed by a person.
BY_THE_CLOCK = ("labels.reprint_ordered", "user.last_term_ends")
JUDGES = [role for role in GRANTS if {Can.SEE_EVERYTHING, Can.DECIDE_NOTICE} <= GRANTS[role]]


def is_authority(user: User) -> bool:
    """Whether one of the person's roles oversees everything and decides."""
    return not user.roles.isdisjoint(JUDGES)


class Notice(models.Model):
    """Something that does not add up or must be looked at; it stays open until a person decides and says why.

    Its code says who decides. Where the authority does, the organisation explains first, and the authority accepts the
    explanation or returns it. Past its day it is escalated: from then on the authority decides, whatever the code says.
    Nobody decides what the own act raised (`caused_by`; null where the clock raised it). What a later act settles (a
    correction, a second person's confirmation) is closed by that act and needs no judgement: outcome "settled"; by
    nobody only where the clock may find nothing left to do (`BY_THE_CLOCK`).
    """

    class Kind(models.TextChoices):
        ALERT = "alert", _("Alert")
        DISCREPANCY = "discrepancy", _("Discrepancy")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        EXPLAINED = "explained", _("Explained, to be judged")
        DECIDED = "decided", _("Decided")

    class Decides(models.TextChoices):
        ORGANISATION = "organisation", _("Another person of the organisation, or the authority")
        AUTHORITY = "authority", _("The authority, after an explanation")

    class Outcome(models.TextChoices):
        EXPLAINED = "explained", _("Explained, nothing follows")
        CORRECTED = "corrected", _("Corrected in the register")
        FOUND = "found", _("Found again")
        LOSS_REPORTED = "loss_reported", _("Reported as a loss or theft")
        COPIED = "copied", _("There is a copy")
        OTHER = "other", _("Another consequence")
        SETTLED = "settled", _("Settled by a later act")

    kind = models.CharField(max_length=12, choices=Kind)
    code = models.CharField(max_length=60)
    params = models.JSONField(default=dict)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="notices")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="notices"
    )
    decides = models.CharField(max_length=12, choices=Decides, default=Decides.ORGANISATION)
    caused_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    escalated_at = models.DateTimeField(null=True)
    explained_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    explained_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    outcome = models.CharField(max_length=14, choices=Outcome, blank=True)  # empty in decisions of earlier versions
    decision = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["organisation", "state", "due_on"]),
            models.Index(fields=["subject_kind", "subject_id"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "explained"], decided_by=None, decided_at=None, decision="", outcome="")
                | (
                    Q(state="decided", decided_at__isnull=False)
                    & (Q(decided_by__isnull=False) | Q(outcome="settled", code__in=BY_THE_CLOCK))
                    & ~Q(decision="")
                    & ~Q(reason="")
                ),
                name="notice_decision_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(explained_by=None, explained_at=None)
                | Q(explained_by__isnull=False, explained_at__isnull=False, decides="authority"),
                name="notice_explanation_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state="explained") | Q(explained_by__isnull=False), name="explained_by_somebody"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None)
                | Q(explained_by=None)
                | Q(outcome="settled")
                | ~Q(decided_by=F("explained_by")),
                name="nobody_judges_own_explanation",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(caused_by=None) | Q(outcome="settled") | ~Q(decided_by=F("caused_by")),
                name="nobody_decides_what_they_caused",
            ),
            models.CheckConstraint(
                condition=Q(escalated_at=None) | Q(decides="authority") | Q(state="decided"),
                name="escalated_goes_to_authority",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "notice_is_fixed",
                "kind",
                "code",
                "params",
                "subject_kind",
                "subject_id",
                "organisation",
                "caused_by",
                "raised_at",
            ),
            final_once("authority_keeps_it", pgtrigger.Q(old__decides="authority", new__decides="organisation")),
            pgtrigger.Trigger(
                name="authority_judges",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__state="decided", new__decides="authority")
                & ~pgtrigger.Q(old__state="decided")
                & ~pgtrigger.Q(new__outcome="settled"),
                declare=[("may", "boolean")],
                func=f"""
                    SELECT EXISTS (
                        SELECT 1 FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id
                        WHERE a.user_id = NEW.decided_by_id AND a.ended_at IS NULL AND o.is_active
                          AND coalesce(a.valid_until, 'infinity') >= (NEW.decided_at AT TIME ZONE 'Asia/Almaty')::date
                          AND a.role IN ({", ".join(f"'{role}'" for role in JUDGES)})
                    ) INTO may;
                    IF NOT may THEN
                        RAISE EXCEPTION 'the authority decides notice %', NEW.id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,  # noqa: S608  the roles are ours
            ),
            final_once("decided_once", pgtrigger.Q(old__state="decided")),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.subject_kind}:{self.subject_id}"

    @property
    def text(self) -> str:
        """What it says, in the reader's language."""
        return text_of(self)

    @property
    def advice(self) -> str:
        """What to do about it, in the reader's language."""
        return advice_on(self)

    @property
    def is_open(self) -> bool:
        return self.state != self.State.DECIDED

    @property
    def waits_for_authority(self) -> bool:
        """True while an explanation is to be judged."""
        return self.state == self.State.EXPLAINED

    def is_overdue(self, on: date) -> bool:
        """True when it is still open after its day."""
        return self.is_open and self.due_on is not None and self.due_on < on


class NoticeNote(models.Model):
    """Words on a notice: a comment, the explanation of the organisation, or why the authority returned it."""

    class Kind(models.TextChoices):
        COMMENT = "comment", _("Comment")
        EXPLANATION = "explanation", _("Explanation")
        RETURN = "return", _("Returned")

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="note_says_something")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.kind}"


class Mailing(models.Model):
    """A person was written to about what waits: at most one letter a day, however much is raised."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    on = models.DateField()
    at = models.DateTimeField()
    notices = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "on"], name="one_letter_a_day")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.user_id} {self.on}"
