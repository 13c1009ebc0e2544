"""Printers and label stock of an organisation: what labels are printed on, and with what."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.triggers import final_once, fixed, never_deleted
from marking.labels import CHOOSABLE, PROFILES, Profile

RESOLUTIONS = [(203, _("203 dots an inch")), (300, _("300 dots an inch")), (600, _("600 dots an inch"))]
# The key of a stock of one's own is this and its number.
OWN = "own-"
# A printer may be moved by so much; its ruler may come out so much too long or short, in percent.
FARTHEST_MOVE_MM = 10
SCALE_TOLERANCE = Decimal("0.5")


class Symbols(models.TextChoices):
    QR = "qr", _("QR code")
    DATAMATRIX = "datamatrix", _("DataMatrix")
    BOTH = "both", _("QR code, and the code alone as DataMatrix")


class PrinterQuerySet(models.QuerySet["Printer"]):
    def in_use(self) -> "PrinterQuerySet":
        return self.filter(ended_at=None)

    def visible_to(self, user: User) -> "PrinterQuerySet":
        """Printers of the organisations for which the person prints; all, for who may know everything."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(organisation__in=user.organisation_ids(Can.PRINT_LABELS))


class Printer(models.Model):
    """A printer of an organisation: what it understands, and by how much it prints beside the place.

    Offsets and scale come from its calibration page, measured by a person. A printer that is given away is ended, never
    deleted: runs of labels name it.
    """

    class Language(models.TextChoices):
        PDF = "pdf", _("PDF, by the computer's print window")
        ZPL = "zpl", _("ZPL, sent to the label printer")

    class ZplWay(models.TextChoices):
        COMMANDS = "commands", _("The printer draws the symbols")
        PICTURE = "picture", _("Each label is sent as a picture")

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="printers", db_index=False)
    name = models.CharField(max_length=60)
    language = models.CharField(max_length=3, choices=Language, default=Language.PDF)
    zpl_way = models.CharField(max_length=8, choices=ZplWay, default=ZplWay.COMMANDS)
    dpi = models.PositiveSmallIntegerField(choices=RESOLUTIONS, default=300)
    move_x = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal())
    move_y = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal())
    scale_x = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    scale_y = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    calibrated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    calibrated_at = models.DateTimeField(null=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField()
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True)

    objects = PrinterQuerySet.as_manager()

    class Meta:
        ordering = ["organisation", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"], condition=Q(ended_at=None), name="one_printer_of_a_name"
            ),
            models.CheckConstraint(condition=Q(dpi__in=[203, 300, 600]), name="printer_dpi"),
            models.CheckConstraint(
                condition=Q(move_x__range=(-FARTHEST_MOVE_MM, FARTHEST_MOVE_MM))
                & Q(move_y__range=(-FARTHEST_MOVE_MM, FARTHEST_MOVE_MM)),
                name="printer_moves_little",
            ),
            models.CheckConstraint(
                condition=Q(scale_x=None, scale_y=None, calibrated_by=None, calibrated_at=None)
                | Q(
                    scale_x__range=(50, 200),
                    scale_y__range=(50, 200),
                    calibrated_by__isnull=False,
                    calibrated_at__isnull=False,
                ),
                name="printer_calibrated_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(ended_by=None, ended_at=None) | Q(ended_by__isnull=False, ended_at__isnull=False),
                name="printer_ended_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("printer_is_fixed", "organisation", "added_by", "added_at"),
            final_once("printer_ends_for_good", pgtrigger.Q(old__ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def keeps_size(self) -> bool:
        """False when its calibration page came out too large or too small."""
        return all(scale is None or abs(scale - 100) <= SCALE_TOLERANCE for scale in (self.scale_x, self.scale_y))


class OwnStockQuerySet(models.QuerySet["OwnStock"]):
    def in_use(self) -> "OwnStockQuerySet":
        return self.filter(ended_at=None)

    def visible_to(self, user: User) -> "OwnStockQuerySet":
        """Stock of the organisations for which the person prints; all, for who may know everything."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(organisation__in=user.organisation_ids(Can.PRINT_LABELS))


def _millimetres() -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(max_digits=5, decimal_places=2)


class OwnStock(models.Model):
    """A kind of label that an organisation buys itself: its geometry in millimetres from the top left corner.

    The geometry never changes, so that a run begun on it ends on it: a change is a new row that names its former one,
    which ends. What could not be printed well is refused when it is entered.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    page_width = _millimetres()
    page_height = _millimetres()
    label_width = _millimetres()
    label_height = _millimetres()
    columns = models.PositiveSmallIntegerField(default=1)
    rows = models.PositiveSmallIntegerField(default=1)
    margin_left = _millimetres()
    margin_top = _millimetres()
    pitch_x = _millimetres()
    pitch_y = _millimetres()
    inset = _millimetres()
    symbol = _millimetres()
    symbols = models.CharField(max_length=10, choices=Symbols, default=Symbols.QR)
    short = models.BooleanField(default=False)
    fields = ArrayField(models.CharField(max_length=8), default=list)
    dpi = models.PositiveSmallIntegerField(choices=RESOLUTIONS, default=300)
    former = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="follower")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField()
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True)

    objects = OwnStockQuerySet.as_manager()

    GEOMETRY = (
        *("page_width", "page_height", "label_width", "label_height", "margin_left", "margin_top"),
        *("pitch_x", "pitch_y", "inset", "symbol"),
    )

    class Meta:
        ordering = ["organisation", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"], condition=Q(ended_at=None), name="one_stock_of_a_name"
            ),
            models.CheckConstraint(condition=Q(dpi__in=[203, 300, 600]), name="stock_dpi"),
            models.CheckConstraint(
                condition=Q(columns__range=(1, 20), rows__range=(1, 60), label_width__gte=10, label_height__gte=10)
                & Q(margin_left__gte=0, margin_top__gte=0, inset__gte=0),
                name="stock_has_labels",
            ),
            models.CheckConstraint(
                condition=Q(
                    page_width__gte=F("margin_left")
                    + (F("columns") - 1) * F("pitch_x")
                    + F("label_width")
                    - Decimal("0.06"),
                    page_height__gte=F("margin_top")
                    + (F("rows") - 1) * F("pitch_y")
                    + F("label_height")
                    - Decimal("0.06"),
                ),
                name="stock_fits_its_page",
            ),
            models.CheckConstraint(
                condition=(Q(columns=1) | Q(pitch_x__gte=F("label_width")))
                & (Q(rows=1) | Q(pitch_y__gte=F("label_height"))),
                name="stock_labels_apart",
            ),
            models.CheckConstraint(
                condition=Q(symbol__lte=F("label_width"))
                & Q(symbol__lte=F("label_height"))
                # The quiet zones and a module of 0.25 mm: 24 and 42 modules of DataMatrix, 37 and 53 of QR.
                & (
                    Q(symbols="datamatrix", short=True, symbol__gte=6)
                    | Q(symbols="datamatrix", symbol__gte=Decimal("10.5"))
                    | (~Q(symbols="datamatrix") & Q(short=True, symbol__gte=Decimal("9.25")))
                    | Q(symbol__gte=Decimal("13.25"))
                ),
                name="stock_symbol_is_legible",
            ),
            models.CheckConstraint(condition=Q(fields__contained_by=list(CHOOSABLE)), name="stock_fields_known"),
            models.CheckConstraint(
                condition=Q(ended_by=None, ended_at=None) | Q(ended_by__isnull=False, ended_at__isnull=False),
                name="stock_ended_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "stock_is_fixed",
                *(
                    "organisation",
                    "name",
                    "page_width",
                    "page_height",
                    "label_width",
                    "label_height",
                    "columns",
                    "rows",
                ),
                *("margin_left", "margin_top", "pitch_x", "pitch_y", "inset", "symbol", "symbols", "short", "fields"),
                *("dpi", "former", "added_by", "added_at"),
            ),
            final_once("stock_ends_for_good", pgtrigger.Q(old__ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """How orders name it, beside the keys of our own stock."""
        return f"{OWN}{self.pk}"

    @property
    def profile(self) -> Profile:
        """Its geometry as labels are drawn on it."""
        sizes: dict[str, Any] = {name: float(getattr(self, name)) for name in self.GEOMETRY}
        fields = tuple(field for field in CHOOSABLE if field in self.fields)
        return replace(
            PROFILES["roll-50x25"],
            key=self.key,
            columns=self.columns,
            rows=self.rows,
            dpi=self.dpi,
            short=self.short,
            fields=fields,
            **sizes,
        )
