"""Places that hold things, and the boundaries of the system."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, ThreeNames, User
from core.accounts.roles import Can
from core.base.triggers import never_deleted
from ledger import triggers


class AccountKind(models.TextChoices):
    STORE = "store", _("Store")
    EVIDENCE = "evidence", _("Evidence room")
    TRANSIT = "transit", _("In transit")
    REMOVAL = "removal", _("Removal from the wild")
    FIND = "find", _("Found")
    SEIZURE = "seizure", _("Seizure")
    CONFISCATION = "confiscation", _("Confiscated elsewhere")
    OLD_STOCK = "old_stock", _("Stock from before marking")
    IMPORT = "import", _("Import")
    UNKNOWN = "unknown", _("Origin unknown")
    EXPORT = "export", _("Exported")
    DOMESTIC_SALE = "domestic_sale", _("Sold inside the country")
    PROCESSING = "processing", _("Consumed in processing")
    DRYING_LOSS = "drying_loss", _("Drying loss")
    DESTRUCTION = "destruction", _("Destroyed")
    LOSS = "loss", _("Lost or stolen")
    RETURNED = "returned", _("Returned to the owner")


PHYSICAL = (AccountKind.STORE, AccountKind.EVIDENCE, AccountKind.TRANSIT)


class CustodyAccountQuerySet(models.QuerySet["CustodyAccount"]):
    def physical(self) -> "CustodyAccountQuerySet":
        return self.filter(is_physical=True)

    def visible_to(self, user: User) -> "CustodyAccountQuerySet":
        """Accounts whose content the person may know.

        All of them for those who oversee. Otherwise the person's own organisations' stores, and, for an inspection,
        the State's reception stores and evidence rooms in the regions it is bound to.
        """
        if user.can(Can.SEE_EVERYTHING):
            return self.physical()
        own = Q(custodian__in=user.organisation_ids(Can.SEE_STOCK))
        if user.can(Can.OPEN_INTAKE):
            state = Q(custodian__kind__in=Organisation.STATE_BODIES, region__in=user.region_codes(Can.OPEN_INTAKE))
            own |= state
        return self.physical().filter(own)

    def worked_in_by(self, user: User) -> "CustodyAccountQuerySet":
        """Places where the person has goods in hand: the own organisations', and, for an inspection, the State's in
        its regions."""
        own = Q(custodian__in=user.organisation_ids(Can.DISPATCH) | user.organisation_ids(Can.RECEIVE))
        if user.can(Can.OPEN_INTAKE):
            own |= Q(custodian__kind__in=Organisation.STATE_BODIES, region__in=user.region_codes(Can.OPEN_INTAKE))
        return self.physical().filter(own)

    def boundary(self, kind: AccountKind) -> "CustodyAccount":
        """The one boundary account of this kind."""
        return self.get(kind=kind, is_physical=False)


class CustodyAccount(ThreeNames):
    """A place that can hold things, or a boundary through which things enter and leave the system."""

    kind = models.CharField(_("kind"), max_length=15, choices=AccountKind)
    code = models.CharField(_("code"), max_length=20, unique=True)
    is_physical = models.GeneratedField(
        expression=models.Case(
            models.When(kind__in=[kind.value for kind in PHYSICAL], then=True),
            default=False,
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    custodian = models.ForeignKey(
        Organisation,
        verbose_name=_("custodian"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="custody_accounts",
    )
    region = models.ForeignKey(
        Region, verbose_name=_("region"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_reception_point = models.BooleanField(_("reception point"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects = CustodyAccountQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=PHYSICAL, custodian__isnull=False) | (~Q(kind__in=PHYSICAL) & Q(custodian=None)),
                name="physical_account_has_custodian",
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=~Q(kind__in=PHYSICAL), name="one_boundary_account_of_a_kind"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted(), triggers.account_keeps_its_nature()]
