"""What is allowed: applications, decisions, permits; and what a hand-over needs beside the ledger."""

from datetime import date

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import GRANTS, Can
from core.base.triggers import append_only, final_once, fixed, never_deleted
from ledger.models import CustodyAccount, Handover
from permits import triggers
from permits.machine import State
from registry.models import Derivative

RIGHT = "permit"


def oversees_permits(user: User) -> bool:
    """True for roles that look at applications and permits without ever making one: they see everybody's."""
    return any(Can.SEE_APPLICATIONS in GRANTS[role] and Can.APPLY not in GRANTS[role] for role in user.roles)


class Kind(models.TextChoices):
    """What an application asks for, and a permit allows."""

    TRANSPORT = "transport", _("Transport")
    DOMESTIC_SALE = "domestic_sale", _("Sale inside the country")


class ApplicationQuerySet(models.QuerySet["Application"]):
    def visible_to(self, user: User) -> "ApplicationQuerySet":
        """Those of the person's own organisations; for those who oversee, whatever was submitted."""
        mine = Q(applicant__in=user.organisation_ids(Can.APPLY))
        return self.filter(mine | ~Q(number="")) if oversees_permits(user) else self.filter(mine)

    def waiting(self) -> "ApplicationQuerySet":
        """What an officer has to decide."""
        return self.filter(state__in=[State.SUBMITTED, State.IN_REVIEW])

    def overdue(self, on: date) -> "ApplicationQuerySet":
        """Waiting ones whose day has passed."""
        return self.waiting().filter(due_on__lt=on)


class Application(models.Model):
    """A request for a right over chosen items: drafted and submitted by an organisation, decided by the authority.

    Numbered when it is first submitted. `round` counts submissions: a returned application comes back in the next
    round, and each round has at most one decision. Once submitted it says what it said; a correction is a new round.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    number = models.CharField(_("number"), max_length=20, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    round = models.PositiveSmallIntegerField(default=0)
    applicant = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="applications")
    receiver = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="applications_to")
    store = models.ForeignKey(CustodyAccount, null=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.TextField(_("what for"), blank=True)
    wished_from = models.DateField(_("from"), null=True)
    wished_until = models.DateField(_("until"), null=True)
    price_tenge = models.PositiveBigIntegerField(_("agreed price"), null=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True)
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["applicant", "-id"], name="applications_of_applicant"),
            models.Index(fields=["state", "-id"], name="applications_by_state"),
            models.Index(
                fields=["due_on", "id"], condition=Q(state__in=["submitted", "in_review"]), name="applications_waiting"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["number"], condition=~Q(number=""), name="application_number_once"),
            models.CheckConstraint(
                condition=Q(number="", submitted_by=None, submitted_at=None, due_on=None, round=0)
                | (
                    ~Q(number="")
                    & Q(submitted_by__isnull=False, submitted_at__isnull=False, due_on__isnull=False, round__gt=0)
                ),
                name="application_submission_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"])
                | (
                    Q(receiver__isnull=False, store__isnull=False)
                    & Q(wished_from__isnull=False, wished_until__isnull=False)
                    & ~Q(number="")
                    & ~Q(purpose="")
                ),
                name="submitted_application_is_complete",
            ),
            models.CheckConstraint(condition=~Q(state="draft") | Q(round=0), name="draft_was_never_submitted"),
            models.CheckConstraint(
                condition=Q(receiver=None, store=None) | Q(receiver__isnull=False, store__isnull=False),
                name="application_receiver_has_a_store",
            ),
            models.CheckConstraint(
                condition=Q(receiver=None) | ~Q(receiver=F("applicant")), name="receiver_is_another_organisation"
            ),
            models.CheckConstraint(
                condition=Q(wished_from=None) | Q(wished_until=None) | Q(wished_until__gte=F("wished_from")),
                name="application_period",
            ),
            models.CheckConstraint(
                condition=Q(price_tenge=None) | Q(kind="domestic_sale"), name="only_a_sale_has_a_price"
            ),
            models.CheckConstraint(
                condition=Q(taken_by=None, taken_at=None) | Q(taken_by__isnull=False, taken_at__isnull=False),
                name="application_taken_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state="in_review") | Q(taken_by__isnull=False), name="review_has_a_reviewer"
            ),
            models.CheckConstraint(
                condition=Q(state="withdrawn", withdrawn_by__isnull=False, withdrawn_at__isnull=False)
                | (~Q(state="withdrawn") & Q(withdrawn_by=None, withdrawn_at=None)),
                name="application_withdrawn_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("application_is_fixed", "kind", "applicant", "opened_by", "opened_at"),
            triggers.application_follows_the_table(),
            final_once("application_ends_for_good", pgtrigger.Q(old__state__in=["approved", "refused", "withdrawn"])),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.kind} {self.pk}"

    @property
    def is_waiting(self) -> bool:
        return self.state in (State.SUBMITTED, State.IN_REVIEW)

    @property
    def is_changeable(self) -> bool:
        """True while the applicant may still change what it says."""
        return self.state in (State.DRAFT, State.RETURNED)

    def is_overdue(self, on: date) -> bool:
        """True when it still waits for a decision after its day."""
        return self.is_waiting and self.due_on is not None and self.due_on < on


class ApplicationLine(models.Model):
    """One item that an application names."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="lines", db_index=False)
    item = models.ForeignKey(Derivative, on_delete=models.PROTECT, related_name="application_lines")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["application", "item"], name="item_named_once")]
        triggers: list[pgtrigger.Trigger] = [
            pgtrigger.Protect(name="line_is_never_changed", operation=pgtrigger.Update),
            *triggers.lines_change_before_submission(),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.item_id}"


class Decision(models.Model):
    """What an officer decided on one round of an application, and why. Never changed."""

    class Outcome(models.TextChoices):
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        RETURNED = "returned", _("Returned for correction")

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    round = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    reason = models.TextField(_("reason"), blank=True)
    article = models.CharField(_("article of law"), max_length=200, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["application", "round"], name="one_decision_a_round"),
            models.CheckConstraint(condition=Q(outcome="approved") | ~Q(reason=""), name="decision_says_why"),
            models.CheckConstraint(condition=~Q(outcome="refused") | ~Q(article=""), name="refusal_names_the_article"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.decider_is_not_the_applicant()]

    def __str__(self) -> str:
        return f"{self.application_id} {self.outcome}"


class PermitQuerySet(models.QuerySet["Permit"]):
    def visible_to(self, user: User) -> "PermitQuerySet":
        """Permits that the person's own organisations hold or receive under; all for those who oversee."""
        if oversees_permits(user):
            return self
        mine = user.organisation_ids(Can.SEE_APPLICATIONS)
        return self.filter(Q(holder__in=mine) | Q(receiver__in=mine))

    def in_force(self, on: date) -> "PermitQuerySet":
        """Neither ended nor outside its days."""
        return self.filter(ending=None, valid_from__lte=on, valid_until__gte=on)

    def outlived(self, on: date) -> "PermitQuerySet":
        """Not ended yet, though the last day has passed, and with nothing on its way."""
        under_way = Handover.objects.filter(
            under=Func(
                models.Value(f"{RIGHT}:"),
                Cast(OuterRef("pk"), models.TextField()),
                function="concat",
                output_field=models.TextField(),
            ),
            state__in=Handover.UNDER_WAY,
        )
        return self.filter(~Exists(under_way), ending=None, valid_until__lt=on)


class Permit(models.Model):
    """The right that an approval gave: these items, from this holder to this store, in these days. Never changed.

    What became of it are facts beside it: lines that were used, and its ending. `transaction` ties the lines to the
    database transaction that issued it.
    """

    class State(models.TextChoices):
        NOT_YET = "not_yet", _("Not in force yet")
        IN_FORCE = "in_force", _("In force")
        USED = "used", _("Used")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")

    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="permit")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="permit")
    number = models.CharField(_("number"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="permits")
    receiver = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="permits_to")
    store = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="+")
    purpose = models.TextField()
    valid_from = models.DateField()
    valid_until = models.DateField()
    pieces = models.PositiveIntegerField()
    grams = models.PositiveBigIntegerField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    transaction = models.BigIntegerField(
        db_default=Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        editable=False,
    )

    objects = PermitQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["holder", "-id"], name="permits_of_holder"),
            models.Index(fields=["receiver", "-id"], name="permits_to_receiver"),
            models.Index(fields=["valid_until"]),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(valid_until__gte=F("valid_from")), name="permit_period"),
            models.CheckConstraint(condition=Q(pieces__gt=0), name="permit_covers_something"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.permit_says_what_was_approved()]

    def __str__(self) -> str:
        return self.number

    @property
    def reference(self) -> str:
        """The name under which the ledger knows this right."""
        return f"{RIGHT}:{self.pk}"

    @property
    def end(self) -> "PermitEnding | None":
        """What ended it, or None."""
        return getattr(self, "ending", None)

    def state_on(self, day: date) -> "Permit.State":
        """What it is worth on a day, in one word."""
        if self.end is not None:
            return Permit.State(self.end.kind)
        if day < self.valid_from:
            return Permit.State.NOT_YET
        return Permit.State.IN_FORCE if day <= self.valid_until else Permit.State.EXPIRED


class PermitLine(models.Model):
    """One item of a permit as it was on the day of issue, and the hand-over that used it."""

    permit = models.ForeignKey(Permit, on_delete=models.PROTECT, related_name="lines", db_index=False)
    row = models.PositiveIntegerField()
    item = models.ForeignKey(Derivative, on_delete=models.PROTECT, related_name="permit_lines")
    mark_code = models.CharField(max_length=12, blank=True)
    grams = models.PositiveBigIntegerField()
    handover = models.ForeignKey(Handover, null=True, on_delete=models.PROTECT, related_name="permit_lines")
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(fields=["permit", "item"], name="item_permitted_once"),
            models.UniqueConstraint(fields=["permit", "row"], name="one_permit_line_a_row"),
            models.CheckConstraint(
                condition=Q(handover=None, used_at=None) | Q(handover__isnull=False, used_at__isnull=False),
                name="permit_line_use_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("permit_line_is_fixed", "permit", "row", "item", "mark_code", "grams"),
            final_once("permit_line_is_used_once", pgtrigger.Q(old__handover__isnull=False)),
            triggers.permit_lines_are_issued_with_it(),
        ]

    def __str__(self) -> str:
        return f"{self.permit_id}/{self.row} {self.item_id}"


class PermitEnding(models.Model):
    """What ended a permit: it was used up, its days passed, or an officer revoked it. Once, and for good."""

    class Kind(models.TextChoices):
        USED = "used", _("Used")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")

    permit = models.OneToOneField(Permit, on_delete=models.PROTECT, related_name="ending")
    kind = models.CharField(max_length=8, choices=Kind)
    reason = models.TextField(blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="revoked", ended_by__isnull=False) & ~Q(reason=""))
                | Q(kind="used", reason="")
                | Q(kind="expired", ended_by=None, reason=""),
                name="revocation_says_who_and_why",
            )
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.permit_id} {self.kind}"


class LoadingListQuerySet(models.QuerySet["LoadingList"]):
    def open(self) -> "LoadingListQuerySet":
        return self.filter(handover=None)


class LoadingList(models.Model):
    """What one person is getting ready to send from one store: saved as it goes, until it is dispatched.

    A person has at most one open list for each store.
    """

    source = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(CustodyAccount, null=True, on_delete=models.PROTECT, related_name="+")
    permit = models.ForeignKey(Permit, null=True, on_delete=models.PROTECT, related_name="+")
    vehicle = models.CharField(_("vehicle"), max_length=60, blank=True)
    driver = models.CharField(_("driver"), max_length=120, blank=True)
    carried_by = models.CharField(_("carried by hand by"), max_length=120, blank=True)
    seals = models.CharField(_("seals"), max_length=200, blank=True)
    escort = models.CharField(_("escort"), max_length=300, blank=True)
    route = models.TextField(_("route"), blank=True)
    expected_at = models.DateTimeField(_("expected"), null=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    handover = models.OneToOneField(Handover, null=True, on_delete=models.PROTECT, related_name="loading_list")

    objects = LoadingListQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["opened_by", "source"], condition=Q(handover=None), name="one_open_loading_list"
            )
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("loading_list_is_fixed", "source", "opened_by", "opened_at"),
            final_once("loading_list_is_sent_once", pgtrigger.Q(old__handover__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.opened_by_id}"


class LoadingLine(models.Model):
    """One item put on a loading list. Taken off again freely: nothing has moved yet."""

    loading = models.ForeignKey(LoadingList, on_delete=models.CASCADE, related_name="lines", db_index=False)
    item = models.ForeignKey(Derivative, on_delete=models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["loading", "item"], name="item_loaded_once")]

    def __str__(self) -> str:
        return f"{self.loading_id} {self.item_id}"


class ExtraScan(models.Model):
    """Something the receiver scanned that is not in the hand-over: kept until acceptance, then part of the difference.

    `item` is None when nothing in the registry has this code.
    """

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="extra_scans", db_index=False)
    text = models.CharField(max_length=60)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    item = models.ForeignKey(Derivative, null=True, on_delete=models.PROTECT, related_name="+")
    scanned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    scanned_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["handover", "text"], name="extra_noted_once")]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.text}"
