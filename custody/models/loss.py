"""Goods that are not where they should be: the report, what it is about, and the acts that settle it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import fixed, never_deleted
from core.documents.models import Document
from custody import triggers
from ledger.models import CustodyAccount, Hold, Item

PAPERS = ("paper_kk", "paper_ru")


class LossReportQuerySet(models.QuerySet["LossReport"]):
    def visible_to(self, user: User) -> "LossReportQuerySet":
        """Reports about places that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(account__in=CustodyAccount.objects.visible_to(user).values("pk"))


class LossReport(models.Model):
    """Somebody says that goods are lost or stolen. From then on they are held; every item is settled by an act.

    They are searched for until `search_until`, by the rule of the day; one who writes off earlier says why.
    """

    class Kind(models.TextChoices):
        LOSS = "loss", _("Loss of goods")
        THEFT = "theft", _("Theft")
        TRANSIT = "transit", _("Missing on arrival")
        STOCKTAKE = "stocktake", _("Missing in a stock-take")

    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="loss_reports")
    place = models.CharField(_("place"), max_length=200)
    noticed_on = models.DateField(_("noticed on"))
    search_until = models.DateField(_("searched for until"), null=True)
    # Reports of earlier versions say neither this nor how it was noticed, nor who was told.
    last_seen_on = models.DateField(_("last seen on"), null=True)
    circumstances = models.TextField(_("circumstances"))
    how_found = models.TextField(_("how it was noticed"), blank=True)
    told = models.CharField(_("who was told"), max_length=400, blank=True)
    police_number = models.CharField(_("number of the report to the police"), max_length=60, blank=True)
    reference = models.CharField(max_length=20, blank=True)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()

    objects = LossReportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(circumstances=""), name="loss_report_says_what_happened"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "loss_report_is_fixed",
                "number",
                "kind",
                "account",
                "noticed_on",
                "circumstances",
                "last_seen_on",
                "how_found",
                "told",
                "reference",
                "reported_by",
                "reported_at",
            ),
            fixed("search_is_fixed", "search_until"),
            triggers.loss_report_is_told_whole(),
        ]

    def __str__(self) -> str:
        return self.number


class LossAct(models.Model):
    """Items found again, or written off: proposed by one person, approved or refused by another."""

    class Kind(models.TextChoices):
        RECOVERY = "recovery", _("Found again")
        WRITE_OFF = "write_off", _("Written off")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waits for a second person")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    number = models.CharField(max_length=20, unique=True)
    report = models.ForeignKey(LossReport, on_delete=models.PROTECT, related_name="acts")
    kind = models.CharField(max_length=9, choices=Kind)
    reason = models.TextField(_("reason"))
    no_police_reason = models.CharField(_("why the police were not told"), max_length=500, blank=True)
    early_reason = models.CharField(_("why the search ended early"), max_length=500, blank=True)
    target = models.ForeignKey(CustodyAccount, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decide_reason = models.CharField(max_length=500, blank=True)
    paper_kk = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    paper_ru = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="loss_act_says_why"),
            models.CheckConstraint(
                condition=Q(kind="recovery", target__isnull=False) | Q(kind="write_off", target=None),
                name="recovery_names_the_store",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | ~Q(decided_by=F("proposed_by")), name="loss_act_needs_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by=None, decided_at=None)
                | (~Q(state="proposed") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="loss_act_decided_all_or_none",
            ),
            models.UniqueConstraint(fields=["report"], condition=Q(state="proposed"), name="one_loss_act_waits"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("loss_act_is_fixed", "number", "report", "kind", "reason", "target", "proposed_by", "proposed_at"),
            fixed("grounds_of_loss_act_are_fixed", "no_police_reason", "early_reason"),
            triggers.ended_but_for_its_papers("loss_act_decided_for_good", "OLD.state <> 'proposed'", PAPERS),
            triggers.write_off_says_what_it_stands_on(),
            triggers.declared_goods_return_by_a_third(),
            triggers.loss_act_is_carried_out(),
            pgtrigger.Protect(
                name="loss_act_begins_proposed",
                operation=pgtrigger.Insert,
                condition=~pgtrigger.Q(new__state="proposed"),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def heading(self) -> StrOrPromise:
        """What it is: while it is only proposed, or was refused, nothing is found or written off by it."""
        if self.state == self.State.APPROVED:
            return self.get_kind_display()
        return _("Proposal to write off") if self.kind == self.Kind.WRITE_OFF else _("Proposal: found again")


class LossLine(models.Model):
    """One item of a report, and how it was settled."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("Missing")
        RECOVERED = "recovered", _("Found again")
        WRITTEN_OFF = "written_off", _("Written off")

    report = models.ForeignKey(LossReport, on_delete=models.PROTECT, related_name="lines", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="loss_lines")
    act = models.ForeignKey(LossAct, null=True, on_delete=models.PROTECT, related_name="lines")
    outcome = models.CharField(max_length=11, choices=Outcome, default=Outcome.OPEN)
    # Of goods that somebody declared missing: what was read from them, and what they weighed, when they were found.
    found_mark = models.CharField(max_length=80, blank=True)
    found_g = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(found_mark="", found_g=None) | (~Q(found_mark="") & Q(found_g__gt=0)),
                name="found_by_mark_and_mass",
            ),
            models.UniqueConstraint(fields=["report", "item"], name="one_loss_line_per_item"),
            models.UniqueConstraint(fields=["item"], condition=Q(outcome="open"), name="one_open_loss_of_an_item"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("loss_line_is_fixed", "report", "item"),
            triggers.loss_is_settled_by_an_approved_act(),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.item_id} {self.outcome}"


class MissingHold(Hold):
    """Holds as losses see them: what a stock-take missed is not let go by a word."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [triggers.missing_is_let_go_by_a_count_or_an_act()]


class WaitingHold(Hold):
    """Holds as losses see them: what waits for a judgement is let go by it, or by the act that writes it off."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [
            triggers.horns_of_a_day_wait_for_its_judgement(),
            triggers.goods_of_a_run_stay_until_it_is_decided(),
        ]
