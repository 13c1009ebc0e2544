"""The daily sheet of a brigade: what it took, delivered and cut on one day under one permit."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.triggers import final_once, fixed, never_deleted
from ledger.models import CustodyAccount
from registry import triggers_seasons
from registry.models.seasons import Brigade, RemovalPermit, SlaughterPoint


class DailySheetQuerySet(models.QuerySet["DailySheet"]):
    def visible_to(self, user: User) -> "DailySheetQuerySet":
        """Sheets of the regions where the person receives, and of the permits and receptions of the person's own."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_INTAKES):
            return self.none()
        from registry.models.intakes import Intake  # intakes name their sheet

        received = Intake.objects.visible_to(user).filter(sheet=models.OuterRef("pk"))
        return self.filter(
            Q(permit__region__in=user.region_codes(Can.OPEN_INTAKE))
            | Q(permit__holder__in=user.organisation_ids(Can.SEE_INTAKES))
            | models.Exists(received)
        )

    def standing(self) -> "DailySheetQuerySet":
        """Those that count."""
        return self.exclude(state=DailySheet.State.WITHDRAWN)


class DailySheet(models.Model):
    """Animals, carcasses and horns of one brigade, permit and day. It is corrected while open and signed once.

    `carcasses` is the sum of the deliveries, held equal by the database. `unusable` are animals that were taken and
    not delivered: lost, spoiled, left for the expertise.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SIGNED = "signed", _("Signed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    number = models.CharField(max_length=20, unique=True)
    brigade = models.ForeignKey(Brigade, on_delete=models.PROTECT, related_name="sheets")
    permit = models.ForeignKey(RemovalPermit, on_delete=models.PROTECT, related_name="sheets")
    on = models.DateField(_("day"))
    males = models.PositiveIntegerField(_("males"))
    females = models.PositiveIntegerField(_("females"))
    young = models.PositiveIntegerField(_("young"))
    carcasses = models.PositiveIntegerField(_("carcasses delivered"))
    unusable = models.PositiveIntegerField(_("unusable, not delivered"), default=0)
    horns_cut = models.PositiveIntegerField(_("horns cut"))
    note = models.TextField(_("note"), blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    version = models.PositiveIntegerField(default=0)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    withdraw_reason = models.TextField(blank=True)

    objects = DailySheetQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["permit", "on"]), models.Index(fields=["on"])]
        constraints = [
            models.UniqueConstraint(
                fields=["brigade", "permit", "on"],
                condition=~Q(state="withdrawn"),
                name="one_sheet_per_brigade_permit_and_day",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_by=None, closed_at=None)
                | Q(state__in=["signed", "withdrawn"], closed_by__isnull=False, closed_at__isnull=False),
                name="sheet_closed_all_or_none",
            ),
            models.CheckConstraint(
                condition=(Q(state="withdrawn") & ~Q(withdraw_reason=""))
                | (~Q(state="withdrawn") & Q(withdraw_reason="")),
                name="withdrawn_sheet_has_reason",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("sheet_is_fixed", "number", "brigade", "permit", "on", "organisation", "entered_by", "entered_at"),
            final_once("withdrawn_sheet_stays", pgtrigger.Q(old__state="withdrawn")),
            triggers_seasons.sheet_fits_its_papers(),
            triggers_seasons.closed_sheet_keeps_its_figures(),
            triggers_seasons.sheet_with_receptions_stays(),
            triggers_seasons.sheet_adds_up(),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def animals(self) -> int:
        """Animals taken in all."""
        return self.males + self.females + self.young


class Delivery(models.Model):
    """Carcasses of a sheet brought to one place: a reception point of ours, or a slaughter point."""

    sheet = models.ForeignKey(DailySheet, on_delete=models.PROTECT, related_name="deliveries")
    store = models.ForeignKey(CustodyAccount, null=True, on_delete=models.PROTECT, related_name="+")
    slaughter_point = models.ForeignKey(SlaughterPoint, null=True, on_delete=models.PROTECT, related_name="deliveries")
    carcasses = models.PositiveIntegerField(_("carcasses"))

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(store__isnull=False, slaughter_point=None) | Q(store=None, slaughter_point__isnull=False),
                name="delivery_goes_to_one_place",
            ),
            models.CheckConstraint(condition=Q(carcasses__gt=0), name="delivery_brings_something"),
            models.UniqueConstraint(fields=["sheet", "store"], name="one_delivery_per_store"),
            models.UniqueConstraint(fields=["sheet", "slaughter_point"], name="one_delivery_per_slaughter_point"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            triggers_seasons.deliveries_belong_to_open_sheet(),
            triggers_seasons.deliveries_add_up(),
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.carcasses}"

    @property
    def place(self) -> str:
        """The name of where they went."""
        place = self.store or self.slaughter_point
        return "" if place is None else place.name
