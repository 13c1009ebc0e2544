"""Boxes, pallets and shelves: how goods are kept together inside one account, and where in the store they stand."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.triggers import final_once, fixed, never_deleted, written_by_trigger_only
from ledger import triggers_boxes as triggers
from ledger.models.accounts import CustodyAccount, CustodyAccountQuerySet
from ledger.models.movements import Item
from ledger.sscc import show_sscc


class Shelf(models.Model):
    """One place inside a store: a shelf of a rack in a room, with a label that can be scanned."""

    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="shelves")
    code = models.CharField(_("shelf"), max_length=20)
    name = models.CharField(_("room and rack"), max_length=100, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["account", "code"]
        constraints = [models.UniqueConstraint(fields=["account", "code"], name="shelf_code_in_account")]
        triggers: list[pgtrigger.Trigger] = [*never_deleted(), fixed("shelf_is_fixed", "account", "code")]

    def __str__(self) -> str:
        return self.code

    @property
    def number(self) -> str:
        """What its label says to a scanner: SHELF-000012."""
        return f"SHELF-{self.pk:06d}"

    @property
    def words(self) -> str:
        """Its code with the room and rack, as people say it."""
        return f"{self.code}, {self.name}" if self.name else self.code


class BoxQuerySet(models.QuerySet["Box"]):
    def visible_to(self, user: User) -> "BoxQuerySet":
        """Boxes in an account whose content the person may know, and those on their way from or to such an account."""
        accounts: CustodyAccountQuerySet = CustodyAccount.objects.all()
        mine = accounts.visible_to(user).values("pk")
        coming = Q(
            packings__item__handover_lines__handover__state="dispatched",
            packings__item__handover_lines__handover__target__in=mine,
            packings__taken_out_at=None,
        )
        on_pallet = Q(
            boxes__packings__item__handover_lines__handover__state="dispatched",
            boxes__packings__item__handover_lines__handover__target__in=mine,
            boxes__packings__taken_out_at=None,
        )
        arriving = self.model.objects.filter(coming, account__kind="transit").values("pk")
        pallets = self.model.objects.filter(on_pallet, account__kind="transit").values("pk")
        return self.filter(Q(account__in=mine) | Q(pk__in=arriving) | Q(pk__in=pallets))


class Box(models.Model):
    """A box of items or a pallet of boxes, named by its SSCC. It and everything in it are in one account.

    While it has a seal nothing goes in or out, and it moves whole. Its account follows its content in the same
    statement that posts; nobody writes it by hand.
    """

    class Kind(models.TextChoices):
        BOX = "box", _("Box")
        PALLET = "pallet", _("Pallet")

    sscc = models.CharField(max_length=18, unique=True)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.BOX)
    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="boxes")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="boxes")
    seal_number = models.CharField(_("seal"), max_length=40, blank=True)
    sealed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    sealed_at = models.DateTimeField(null=True)
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()

    objects = BoxQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["account", "kind"])]
        constraints = [
            models.CheckConstraint(condition=Q(sscc__regex=r"^[0-9]{18}$"), name="box_sscc_is_digits"),
            models.CheckConstraint(
                condition=Q(seal_number="", sealed_by=None, sealed_at=None)
                | (~Q(seal_number="") & Q(sealed_by__isnull=False, sealed_at__isnull=False)),
                name="box_seal_all_or_none",
            ),
            models.CheckConstraint(condition=Q(parent=None) | Q(kind="box"), name="pallet_stands_on_nothing"),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=F("pk")), name="box_is_not_in_itself"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("box_is_fixed", "sscc", "kind", "begun_by", "begun_at"),
            triggers.box_follows_its_content(),
            triggers.seal_is_used_once(),
        ]

    def __str__(self) -> str:
        return self.sscc

    @property
    def is_sealed(self) -> bool:
        return self.seal_number != ""

    @property
    def is_pallet(self) -> bool:
        return self.kind == self.Kind.PALLET

    @property
    def shown(self) -> str:
        """The number as people read it."""
        return show_sscc(self.sscc)


class UsedSeal(models.Model):
    """A seal that was on a box once: its number, folded (`ledger_seal_folded`), is never on a box or a load again.

    Written by the boxes' trigger only.
    """

    number = models.CharField(max_length=40)
    box = models.ForeignKey(Box, on_delete=models.PROTECT, related_name="used_seals")
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    used_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="seal_is_used_once"),
            models.CheckConstraint(condition=~Q(number=""), name="used_seal_has_a_number"),
        ]
        triggers: list[pgtrigger.Trigger] = [written_by_trigger_only()]

    def __str__(self) -> str:
        return self.number


class PackingQuerySet(models.QuerySet["Packing"]):
    def present(self) -> "PackingQuerySet":
        return self.filter(taken_out_at=None)


class Packing(models.Model):
    """An item lay in a box from one moment to another; it lies there still while `taken_out_at` is empty.

    `taken_out_by` is empty where a movement took it out: the movement says who.
    """

    box = models.ForeignKey(Box, on_delete=models.PROTECT, related_name="packings")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="packings")
    packed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    packed_at = models.DateTimeField()
    taken_out_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    taken_out_at = models.DateTimeField(null=True)

    objects = PackingQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(taken_out_at=None), name="item_in_one_box"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("packing_is_fixed", "box", "item", "packed_by", "packed_at"),
            final_once("packing_ends_once", pgtrigger.Q(old__taken_out_at__isnull=False)),
            *triggers.packing_respects_box(),
        ]

    def __str__(self) -> str:
        return f"{self.box_id} {self.item_id}"


class PlacementQuerySet(models.QuerySet["Placement"]):
    def present(self) -> "PlacementQuerySet":
        return self.filter(removed_at=None)


class Placement(models.Model):
    """An item or a box stood on a shelf from one moment to another; it stands there while `removed_at` is empty.

    What is packed stands where its box stands, and has no shelf of its own.
    """

    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT, related_name="placements")
    item = models.ForeignKey(Item, null=True, on_delete=models.PROTECT, related_name="placements", db_index=False)
    box = models.ForeignKey(Box, null=True, on_delete=models.PROTECT, related_name="placements", db_index=False)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects = PlacementQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["item"]), models.Index(fields=["box"])]
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(removed_at=None), name="item_on_one_shelf"),
            models.UniqueConstraint(fields=["box"], condition=Q(removed_at=None), name="box_on_one_shelf"),
            models.CheckConstraint(
                condition=Q(item=None, box__isnull=False) | Q(item__isnull=False, box=None),
                name="placement_of_item_or_box",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("placement_is_fixed", "shelf", "item", "box", "placed_by", "placed_at"),
            final_once("placement_ends_once", pgtrigger.Q(old__removed_at__isnull=False)),
            triggers.placement_is_in_its_store(),
        ]

    def __str__(self) -> str:
        return f"{self.shelf_id} {self.item_id or self.box_id}"
