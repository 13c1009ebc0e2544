"""Veterinary certificates: what lets a batch of meat go from the slaughter point to a processor and to the shop."""

from datetime import date

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Can
from core.base.triggers import append_only
from core.documents.models import Document
from registry import triggers
from registry.models.seasons import SlaughterPoint


class VeterinaryCertificateQuerySet(models.QuerySet["VeterinaryCertificate"]):
    def visible_to(self, user: User) -> "VeterinaryCertificateQuerySet":
        """Those of goods that came to places the person may know, of their own organisations and regions."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        from registry.models.derivatives import Derivative  # derivatives name their certificate

        mine = Q(issued_by__in=user.organisation_ids()) | Q(entered_by=user)
        if user.can(Can.OPEN_INTAKE):
            mine |= Q(region__in=user.region_codes(Can.OPEN_INTAKE))
        if user.can(Can.SEE_STOCK):
            mine |= Q(
                pk__in=Derivative.objects.visible_to(user).filter(certificate__isnull=False).values("certificate")
            )
        return self.filter(mine)


class VeterinaryCertificate(models.Model):
    """A paper of the veterinary service for one batch: how many carcasses, what net mass, until when it is good.

    Batches name it (`Derivative.certificate`); the database lets them weigh no more than it says. It is of an attested
    slaughter point of its region: `slaughter_point` is how that was called when it was entered. Only certificates from
    before the points were in the register name theirs by words alone.
    """

    number = models.CharField(_("number"), max_length=40, unique=True)
    issued_on = models.DateField(_("issued on"))
    valid_until = models.DateField(_("valid until"))
    issued_by = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("veterinary body")
    )
    officer = models.CharField(_("veterinary officer"), max_length=120)
    slaughter_point = models.CharField(_("slaughter point"), max_length=200)
    point = models.ForeignKey(SlaughterPoint, null=True, on_delete=models.PROTECT, related_name="certificates")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    carcasses = models.PositiveIntegerField(_("carcasses"))
    net_g = models.PositiveBigIntegerField(_("net mass"))
    scan = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("scanned paper")
    )
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    objects = VeterinaryCertificateQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(number="") & ~Q(officer="") & ~Q(slaughter_point=""), name="certificate_is_filled_in"
            ),
            models.CheckConstraint(condition=Q(valid_until__gte=F("issued_on")), name="certificate_period"),
            models.CheckConstraint(condition=Q(net_g__gt=0, carcasses__gt=0), name="certificate_covers_something"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only(), triggers.certificate_names_its_point()]

    def __str__(self) -> str:
        return self.number

    def is_valid(self, on: date) -> bool:
        """Good on this day."""
        return self.issued_on <= on <= self.valid_until
