"""Further carriers of an item beside our mark: the state operator's code, a seal, an RFID chip."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Substr
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.triggers import final_once, fixed, never_deleted
from marking import triggers_carriers as triggers
from marking.models.marks import Mark
from marking.state_code import GS, SHOWN_GS, bare
from registry.models import Derivative

SERIAL = Substr("identity", 19)
"""Of a state code: its identity is 01, fourteen digits, 21, and then the serial number."""
BARE = Func(F("identity"), Value("-./_"), Value(""), function="translate", output_field=models.TextField())
"""Of a seal: as people say its number, without what stands between."""


class CarrierQuerySet(models.QuerySet["Carrier"]):
    def bound(self) -> "CarrierQuerySet":
        return self.filter(ended_at=None)

    def waiting(self) -> "CarrierQuerySet":
        """Those whose end one person asked for and another has not decided."""
        return self.filter(ended_at=None, end_asked_at__isnull=False)

    def visible_to(self, user: User) -> "CarrierQuerySet":
        """Carriers of items that the person may know."""
        return self.filter(derivative__in=Derivative.objects.visible_to(user).values("pk"))


class Carrier(models.Model):
    """One code, seal or chip on one item. Bound once, with the mark that was scanned beside it; ended by two people.

    `identity` is what names it: of a state code its GTIN and serial, of a seal and a chip its number. While bound, an
    identity is on one item and an item has one of each kind. `value` is what the scanner sent, with the sign GS. Of a
    seal the signs between (hyphen, slash, dot) say nothing, and none is our own mark or number.
    """

    class Kind(models.TextChoices):
        STATE_CODE = "state_code", _("State code")
        SEAL = "seal", _("Seal")
        RFID = "rfid", _("RFID chip")

    kind = models.CharField(max_length=10, choices=Kind)
    identity = models.CharField(max_length=120)
    value = models.CharField(max_length=600)
    parts = models.JSONField(default=dict)
    derivative = models.ForeignKey(Derivative, on_delete=models.PROTECT, related_name="carriers")
    mark = models.ForeignKey(Mark, on_delete=models.PROTECT, related_name="carriers")
    bound_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    bound_at = models.DateTimeField()
    end_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    end_asked_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=200, blank=True)
    replace_by = models.CharField(max_length=600, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True)

    objects = CarrierQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Carrier")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "identity"], condition=Q(ended_at=None), name="carrier_is_on_one_item"
            ),
            models.UniqueConstraint(
                fields=["derivative", "kind"], condition=Q(ended_at=None), name="item_has_one_carrier_of_a_kind"
            ),
            models.CheckConstraint(condition=~Q(identity="") & ~Q(value=""), name="carrier_says_something"),
            models.CheckConstraint(
                condition=Q(end_asked_by=None, end_asked_at=None, end_reason="", replace_by="")
                | (Q(end_asked_by__isnull=False, end_asked_at__isnull=False) & ~Q(end_reason="")),
                name="carrier_end_is_asked_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(ended_by=None, ended_at=None)
                | Q(ended_by__isnull=False, ended_at__isnull=False, end_asked_by__isnull=False),
                name="carrier_end_all_or_none",
            ),
            models.CheckConstraint(
                condition=Q(ended_by=None) | ~Q(ended_by=F("end_asked_by")), name="nobody_ends_a_carrier_alone"
            ),
        ]
        indexes = [
            models.Index(fields=["identity"], name="carriers_by_identity"),
            models.Index(SERIAL, condition=Q(kind="state_code"), name="carriers_by_serial"),
            models.Index(BARE, condition=Q(kind="seal"), name="carriers_by_bare_seal"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "carrier_is_fixed", "kind", "identity", "value", "parts", "derivative", "mark", "bound_by", "bound_at"
            ),
            final_once("carrier_ends_for_good", pgtrigger.Q(old__ended_at__isnull=False)),
            triggers.carrier_is_on_the_item_of_its_mark(),
            triggers.state_code_is_what_it_says(),
            triggers.seal_is_on_one_item(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.identity}"

    @property
    def name(self) -> str:
        """What tells it from others of its kind: of a seal its number without what stands between."""
        return bare(self.identity) if self.kind == self.Kind.SEAL else self.identity

    @property
    def shown(self) -> str:
        """How people read it: parts of a state code with their numbers; else the number."""
        if self.kind != self.Kind.STATE_CODE:
            return self.identity
        return " ".join(f"({ai}) {self.parts[ai]}" for ai in ("01", "21"))

    @property
    def shown_value(self) -> str:
        """What the scanner sent, the sign GS as a picture."""
        return self.value.replace(GS, SHOWN_GS)
