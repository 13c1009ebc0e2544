"""What proves an origin: the act of a find, a court's decision, an inventory sheet, the papers of an import.

One row for each paper. Nothing in it is changed: a correction is a new row, which its intake names instead.
"""

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation
from core.base.triggers import append_only
from core.documents.models import Document
from ledger.models import Hold
from registry import triggers


class Paper(models.Model):
    """What every paper has: a scan, if there is one."""

    scan = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("scanned paper")
    )

    class Meta:
        abstract = True


class Find(Paper):
    """Horns found where animals died by themselves, and handed in. The finder has no title to them.

    `finder` and `finder_contact` are personal data: `registry.selectors.may_see_persons` says who reads them.
    """

    place = models.CharField(_("place"), max_length=200)
    latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    found_on = models.DateField(_("found on"))
    finder = models.CharField(_("finder"), max_length=120)
    finder_contact = models.CharField(_("address or telephone of the finder"), max_length=200, blank=True)
    act_number = models.CharField(_("hand-in act"), max_length=60)
    act_on = models.DateField(_("date of the act"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(place="") & ~Q(finder="") & ~Q(act_number="") & Q(act_on__gte=F("found_on")),
                name="find_has_its_act",
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__gte=40, latitude__lte=56, longitude__gte=46, longitude__lte=88),
                name="find_lies_in_the_country",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.find_names_its_finder()]

    def __str__(self) -> str:
        return self.act_number


class Confiscation(Paper):
    """A court's decision that gave goods to the State which never were evidence in the registry."""

    decision_number = models.CharField(_("court decision"), max_length=60)
    decided_on = models.DateField(_("date of the decision"))
    court = models.CharField(_("court"), max_length=200)
    effective_on = models.DateField(_("in force since"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(decision_number="") & ~Q(court="") & Q(effective_on__gte=F("decided_on")),
                name="confiscation_has_its_decision",
            )
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.confiscation_names_its_court()]

    def __str__(self) -> str:
        return self.decision_number


class OldStock(Paper):
    """An inventory of a store's stock from before marking."""

    sheet_number = models.CharField(_("inventory sheet"), max_length=60)
    sheet_on = models.DateField(_("date of the sheet"))
    commission = models.TextField(_("commission"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(sheet_number="") & ~Q(commission=""), name="old_stock_has_its_inventory"
            )
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.sheet_number


class IntakeConfirmation(models.Model):
    """A second person, of an inspection or the authority, has compared goods of such an origin with their paper."""

    intake = models.OneToOneField("registry.Intake", on_delete=models.PROTECT, related_name="confirmation")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField()

    class Meta:
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.goods_are_confirmed_by_another()]

    def __str__(self) -> str:
        return f"{self.intake_id} {self.confirmed_by_id}"


class OriginHold(Hold):
    """Holds as goods that wait for a second person see them: their confirmation, or the authority, lets them go."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [triggers.goods_are_let_go_by_their_confirmation()]


class Importation(Paper):
    """Goods brought from another country under its CITES export permit."""

    permit_number = models.CharField(_("CITES export permit"), max_length=60)
    permit_on = models.DateField(_("date of the permit"))
    country = models.CharField(
        _("country of export"),
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, such as RU."))],
    )
    declaration_number = models.CharField(_("customs declaration"), max_length=60)
    declared_on = models.DateField(_("date of the declaration"))
    importer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("importer"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(permit_number="")
                & ~Q(declaration_number="")
                & Q(country__regex=r"^[A-Z]{2}$")
                & ~Q(country="KZ")
                & Q(declared_on__gte=F("permit_on")),
                name="importation_has_its_papers",
            ),
            # Earlier ones came without a scan; with it, the same papers are entered once more.
            models.UniqueConstraint(
                fields=["country", "permit_number", "declaration_number"],
                condition=Q(scan__isnull=False),
                name="one_importation",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *append_only(),
            triggers.importation_names_a_country(),
            triggers.importation_has_its_numbers(),
        ]

    def __str__(self) -> str:
        return self.permit_number
