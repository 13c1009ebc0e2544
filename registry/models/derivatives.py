"""Registered specimens."""

from datetime import date

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.triggers import append_only, never_deleted
from core.documents.models import Document
from ledger.models import CustodyAccount, Holding, Item, Posting
from registry import triggers
from registry.models.certificates import VeterinaryCertificate
from registry.models.intakes import Intake
from registry.models.measures import Measures, measures_fit, terms_have_their_fields
from registry.models.terms import Origin, Term, stock_class


class DerivativeQuerySet(models.QuerySet["Derivative"]):
    def visible_to(self, user: User) -> "DerivativeQuerySet":
        """Derivatives in accounts that the person may know; everything for those who oversee."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_STOCK):
            return self.none()
        mine = CustodyAccount.objects.visible_to(user).values("pk")
        return self.filter(item__in=Holding.objects.filter(account__in=mine, pieces__gt=0).values("item"))

    def once_kept_by(self, user: User) -> "DerivativeQuerySet":
        """Those that left a place the person may know: whoever registered or kept a thing knows what became of it.

        To be asked of things that are on the books no more; where others keep a thing now, it is theirs to know.
        """
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_STOCK):
            return self.none()
        mine = CustodyAccount.objects.visible_to(user).values("pk")
        return self.filter(item__in=Posting.objects.filter(account__in=mine, pieces__lt=0).values("item"))


class Derivative(Measures):
    """One registered specimen: what it is and where it came from. Where it is now, the ledger says."""

    item = models.OneToOneField(Item, on_delete=models.PROTECT, primary_key=True, related_name="derivative")
    number = models.CharField(max_length=16, unique=True)
    term = models.CharField(_("term"), max_length=3, choices=Term)
    origin = models.CharField(_("origin"), max_length=12, choices=Origin)
    intake = models.ForeignKey(Intake, on_delete=models.PROTECT, related_name="derivatives", db_index=False)
    row = models.PositiveIntegerField()
    certificate = models.ForeignKey(
        VeterinaryCertificate, null=True, on_delete=models.PROTECT, related_name="derivatives"
    )
    registered_at = models.DateTimeField()

    objects = DerivativeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["intake", "row"], name="one_derivative_per_row"),
            *measures_fit("derivative"),
            *terms_have_their_fields(),
            models.CheckConstraint(condition=Q(certificate=None) | Q(term="MEA"), name="batch_certificate_is_for_meat"),
            models.CheckConstraint(condition=Q(number__regex=r"^KZ[0-9]{2}-[0-9]{7,}$"), name="derivative_number_form"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            pgtrigger.Protect(name="derivative_is_a_fact", operation=pgtrigger.Update),
            triggers.derivatives_come_by_registration(),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def dated_on(self) -> date:
        """The day its mark states: of its intake, else of its registration."""
        return self.intake.on if self.intake_id else day_of(self.registered_at)

    @property
    def pair(self) -> "Derivative | None":
        """The other horn of the animal, where it is known."""
        found = HornPair.objects.filter(Q(left=self) | Q(right=self)).select_related("left", "right").first()
        return None if found is None else found.right if found.left_id == self.pk else found.left

    @property
    def stock_class(self) -> str:
        return stock_class(self.term, self.origin)


class HornPair(models.Model):
    """Two horns of one animal. Each horn has one other at most, on the other side."""

    left = models.OneToOneField(Derivative, on_delete=models.PROTECT, related_name="pair_of_left", primary_key=True)
    right = models.OneToOneField(Derivative, on_delete=models.PROTECT, related_name="pair_of_right")
    at = models.DateTimeField()

    class Meta:
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.horns_of_a_pair_are_opposite()]

    def __str__(self) -> str:
        return f"{self.left_id} {self.right_id}"


class DerivativePhoto(models.Model):
    """A photo of a derivative."""

    derivative = models.ForeignKey(Derivative, on_delete=models.PROTECT, related_name="photos")
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="+")
    has_scale_bar = models.BooleanField(_("with a scale bar"), default=False, db_default=False)

    class Meta:
        ordering = ["pk"]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.derivative_id} {self.document_id}"
