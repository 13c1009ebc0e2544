"""Goods sold inside the country under their veterinary certificate: from a store to a trading network or a market."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import append_only
from ledger.models import CustodyAccount, Movement
from registry import triggers


class SaleQuerySet(models.QuerySet["Sale"]):
    def visible_to(self, user: User) -> "SaleQuerySet":
        """Sales from stores that the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        return self.filter(store__in=CustodyAccount.objects.visible_to(user).values("pk"))


class Sale(models.Model):
    """Batches that went to a buyer, by one movement into domestic sale. Prices are recorded, never judged."""

    number = models.CharField(max_length=20, unique=True)
    store = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="sales")
    on = models.DateField(_("day"))
    buyer_name = models.CharField(_("buyer"), max_length=200)
    buyer_bin = models.CharField(_("BIN of the buyer"), max_length=12)
    price_tenge = models.PositiveBigIntegerField(_("price"), null=True, blank=True)
    pieces = models.PositiveIntegerField()
    grams = models.PositiveBigIntegerField()
    movement = models.OneToOneField(Movement, on_delete=models.PROTECT, related_name="sale")
    sold_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sold_at = models.DateTimeField()

    objects = SaleQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(buyer_name="") & Q(buyer_bin__regex=r"^[0-9]{12}$"), name="sale_has_its_buyer"
            ),
            models.CheckConstraint(condition=Q(pieces__gt=0, grams__gt=0), name="sale_is_of_something"),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return self.number


class SaleMovement(Movement):
    """Movements as sales see them: nothing goes to a buyer without the sale that says so."""

    class Meta:
        proxy = True
        triggers: list[pgtrigger.Trigger] = [triggers.sale_movement_has_its_sale()]
