"""Label runs: what was ordered to be printed, the label at each place, the finished parts."""

from collections.abc import Sequence
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only
from core.documents.models import Document
from core.jobs.models import Job
from ledger.models import CustodyAccount
from marking.labels import PROFILES, Print, Profile, suits_horns, with_flap
from marking.models.marks import Mark
from marking.models.printing import RESOLUTIONS, OwnStock, Printer, Symbols
from marking.models.stock import LabelReel, offices_of
from marking.triggers_stock import label_is_printed_once
from marking.words import STOCK
from registry.models import Intake, Term


class LabelRunQuerySet(models.QuerySet["LabelRun"]):
    def visible_to(self, user: User) -> "LabelRunQuerySet":
        """Runs for stores that the person may know, and for reels that the person's office prints."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.PRINT_LABELS):
            return self.none()
        stores = CustodyAccount.objects.visible_to(user).values("pk")
        return self.filter(Q(store__in=stores) | Q(reel__series__printer__in=offices_of(user)))


OWN_PROFILE = "own"


class LabelRun(models.Model):
    """One order to print labels: whose marks, on which stock and printer, from which position, in which languages.

    The job draws it in parts; a part is kept as a document only after it was rendered and read back. What may change of
    a printer is kept here as it was, so that a run that was interrupted ends as it began.
    """

    class Form(models.TextChoices):
        PDF = "pdf", _("PDF")
        ZPL = "zpl", _("ZPL, for label printers")
        PNG = "png", _("Pictures (PNG)")

    intake = models.ForeignKey(Intake, null=True, on_delete=models.PROTECT, related_name="label_runs")
    reel = models.ForeignKey(LabelReel, null=True, on_delete=models.PROTECT, related_name="label_runs")
    store = models.ForeignKey(CustodyAccount, null=True, on_delete=models.PROTECT, related_name="+")
    profile = models.CharField(max_length=20, choices=[(key, key) for key in (*PROFILES, OWN_PROFILE)])
    own_stock = models.ForeignKey(OwnStock, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    printer = models.ForeignKey(Printer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    form = models.CharField(max_length=3, choices=Form, default=Form.PDF)
    zpl_way = models.CharField(max_length=8, choices=Printer.ZplWay, default=Printer.ZplWay.COMMANDS)
    symbols = models.CharField(max_length=10, choices=Symbols, default=Symbols.QR)
    dpi = models.PositiveSmallIntegerField(choices=RESOLUTIONS)
    move_x = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal())
    move_y = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal())
    start = models.PositiveSmallIntegerField(default=1)
    language = models.CharField(max_length=2, choices=settings.LANGUAGES)
    second = models.CharField(max_length=2, choices=settings.LANGUAGES, blank=True)
    count = models.PositiveIntegerField()
    hidden = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField()
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+")

    # Items whose labels the order left out, known to whoever ordered.
    left_out: Sequence[str] = ()

    objects = LabelRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["store", "-id"], name="label_runs_of_store")]
        constraints = [
            models.CheckConstraint(condition=Q(count__gt=0), name="label_run_is_not_empty"),
            models.CheckConstraint(condition=Q(start__gt=0), name="label_run_starts_on_the_sheet"),
            models.CheckConstraint(
                condition=Q(reel=None, store__isnull=False) | Q(reel__isnull=False, store=None, intake=None),
                name="label_run_is_for_a_store_or_a_reel",
            ),
            models.CheckConstraint(
                condition=Q(profile=OWN_PROFILE, own_stock__isnull=False)
                | (~Q(profile=OWN_PROFILE) & Q(own_stock=None)),
                name="label_run_names_its_stock",
            ),
            models.CheckConstraint(condition=~Q(second=F("language")), name="label_run_in_two_languages"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def organisation_id(self) -> int | None:
        """Whose labels they are: the keeper of the store, or the office that prints the reel."""
        if self.reel is not None:
            return self.reel.series.printer_id
        return self.store.custodian_id if self.store else None

    @property
    def stock(self) -> Profile:
        """The geometry of what it is printed on, with room for hidden codes where they are printed."""
        stock = PROFILES[self.profile] if self.own_stock is None else self.own_stock.profile
        return with_flap(stock) if self.hidden else stock

    @property
    def stock_name(self) -> StrOrPromise:
        """What people call it."""
        return STOCK[self.profile] if self.own_stock is None else self.own_stock.name

    @property
    def is_for_horns(self) -> bool:
        """Whether its labels go on horns: of a reception of horns; of a reel nobody knows yet, so they may."""
        return self.intake is None or self.intake.term == Term.HORN

    @property
    def suits_horns(self) -> bool:
        """Whether its labels are read when they are stuck round a horn."""
        return suits_horns(self.stock, self.symbols, self.dpi)

    @property
    def how(self) -> Print:
        """Resolution, symbols and offsets as they were when it was ordered."""
        return Print(self.dpi, self.symbols, float(self.move_x), float(self.move_y))


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
    """A finished part of a run: its file, how many labels stand on it, how many of them were read back."""

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
        triggers: list[pgtrigger.Trigger] = [*append_only(), label_is_printed_once()]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.part}"


class LabelRunEnd(models.Model):
    """The labels of a run for a store came out of the printer, a person says: its files are given to nobody since."""

    run = models.OneToOneField(LabelRun, on_delete=models.PROTECT, related_name="end", primary_key=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    ended_at = models.DateTimeField()

    class Meta:
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return str(self.run_id)
