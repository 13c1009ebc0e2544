"""Destruction by a commission: the order, its list, who signs, and what was left."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import fixed, never_deleted
from core.documents.models import Document
from custody import triggers
from ledger.models import CustodyAccount, Item

PAPERS = ("paper_kk", "paper_ru", "paper_en")


class DestructionOrderQuerySet(models.QuerySet["DestructionOrder"]):
    def visible_to(self, user: User) -> "DestructionOrderQuerySet":
        """Orders of places that the person may know, and those whose commission the person is in."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        mine = CustodyAccount.objects.visible_to(user).values("pk")
        sits = CommissionMember.objects.filter(user=user).values("order")
        return self.filter(Q(store__in=mine) | Q(pk__in=sits))


class DestructionOrder(models.Model):
    """Goods of one store that a commission destroys.

    While PLANNED the list is scanned; when it is closed (SIGNING) it is fixed and `digest` names exactly what is
    signed; EXECUTED, the goods are out of the register, and the act is drawn when it is first asked for. `quorum` is
    the rule of the order's day: so many persons of the register sign. Goods that no court gave up to destruction are
    destroyed on a document that is kept with the order.
    """

    class Basis(models.TextChoices):
        COURT = "court", _("Court decision")
        SPOILAGE = "spoilage", _("Spoiled in store")
        UNFIT = "unfit", _("Not fit for use")

    class State(models.TextChoices):
        PLANNED = "planned", _("List is being scanned")
        SIGNING = "signing", _("Commission signs")
        EXECUTED = "executed", _("Destroyed")
        CANCELLED = "cancelled", _("Cancelled")

    number = models.CharField(max_length=20, unique=True)
    store = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="destructions")
    basis = models.CharField(_("basis"), max_length=8, choices=Basis)
    basis_paper = models.CharField(_("paper of the basis"), max_length=200)
    basis_document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    planned_on = models.DateField(_("planned for"))
    place = models.CharField(_("place of the destruction"), max_length=200, blank=True)
    method = models.CharField(_("method"), max_length=200, blank=True)
    quorum = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.PLANNED)
    mass_before_g = models.PositiveBigIntegerField(_("mass before"), null=True)
    mass_after_g = models.PositiveBigIntegerField(_("mass of the remains"), null=True)
    mass_reason = models.CharField(_("why the mass differs from the register"), max_length=500, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField()
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=500, blank=True)
    paper_kk = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    paper_ru = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    paper_en = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    objects = DestructionOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["store", "state"])]
        constraints = [
            models.CheckConstraint(condition=Q(quorum__gte=3), name="commission_is_of_three_or_more"),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "signing"], ended_by=None, ended_at=None)
                | Q(state__in=["executed", "cancelled"], ended_by__isnull=False, ended_at__isnull=False),
                name="destruction_ended_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state="cancelled") | ~Q(cancel_reason=""), name="cancelled_destruction_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "cancelled"])
                | (
                    Q(mass_before_g__gt=0, mass_after_g__lte=F("mass_before_g"))
                    & ~Q(digest="")
                    & ~Q(place="")
                    & ~Q(method="")
                ),
                name="destruction_is_weighed_before_it_is_signed",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("destruction_is_fixed", "number", "store", "basis", "quorum", "ordered_by", "ordered_at"),
            fixed("basis_of_destruction_is_fixed", "basis_paper", "basis_document"),
            triggers.ended_but_for_its_papers(
                "destruction_ended_for_good", "OLD.state IN ('executed', 'cancelled')", PAPERS
            ),
            triggers.destruction_of_legal_goods_has_a_document(),
            triggers.destruction_is_signed_by_its_commission(),
            triggers.destruction_moves_its_goods(),
            triggers.odd_mass_of_an_item_says_why(),
        ]

    def __str__(self) -> str:
        return self.number


class DestructionLine(models.Model):
    """One item of the list: what it should weigh, whether it was in hand at the act, and what it weighed then."""

    class Outcome(models.TextChoices):
        PLANNED = "planned", _("On the list")
        DESTROYED = "destroyed", _("Destroyed")
        LEFT = "left", _("Not destroyed")

    order = models.ForeignKey(DestructionOrder, on_delete=models.PROTECT, related_name="lines", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="destruction_lines")
    booked_g = models.PositiveBigIntegerField()
    weighed_g = models.PositiveBigIntegerField(null=True)
    mass_reason = models.CharField(
        _("why the mass differs from the register"), max_length=300, blank=True, db_default=""
    )
    scanned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    scanned_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=Outcome, default=Outcome.PLANNED)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "item"], name="one_destruction_line_per_item"),
            models.CheckConstraint(
                condition=Q(scanned_by=None, scanned_at=None) | Q(scanned_by__isnull=False, scanned_at__isnull=False),
                name="destruction_scan_all_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="destroyed") | Q(scanned_at__isnull=False),
                name="only_what_was_in_hand_is_destroyed",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("destruction_line_is_fixed", "order", "item", "booked_g"),
            triggers.destruction_list_is_fixed_when_signed(),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.item_id} {self.outcome}"


class CommissionMember(models.Model):
    """One who signs: a person of the register under the own sign-in, or, beyond the quorum, an invited witness.

    A witness is named with an IIN or an identity document (`identity`) and signs by a drawing that a member takes.
    """

    order = models.ForeignKey(DestructionOrder, on_delete=models.PROTECT, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="commissions")
    full_name = models.CharField(_("full name"), max_length=200)
    post = models.CharField(_("post and organisation"), max_length=200)
    identity = models.CharField(_("IIN or identity document"), max_length=60, blank=True)
    signed_at = models.DateTimeField(null=True)
    signed_digest = models.CharField(max_length=64, blank=True)
    picture = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "user"], condition=Q(user__isnull=False), name="one_seat_per_person"
            ),
            models.UniqueConstraint(fields=["order", "full_name"], name="one_seat_per_name"),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_digest="", picture=None, taken_by=None)
                | (Q(signed_at__isnull=False, taken_by__isnull=False) & ~Q(signed_digest="")),
                name="commission_signature_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(signed_at=None)
                | Q(user__isnull=False, user=F("taken_by"))
                | Q(user=None, picture__isnull=False),
                name="members_sign_themselves_and_witnesses_draw",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            fixed("seat_is_fixed", "order", "user", "full_name", "post"),
            fixed("identity_is_fixed", "identity"),
            triggers.commission_sits_while_the_order_lives(),
        ]

    def __str__(self) -> str:
        return self.full_name
