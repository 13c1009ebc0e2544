"""Boxes and pallets: begun with a number of their own, packed, sealed, opened with a reason, put on a pallet.

Lock order: holdings by item, then boxes by key. A movement takes its items' boxes along by itself, in the database.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.models import User
from core.audit.services import Told, record, record_many
from core.base.errors import BadInput, InvalidTransition
from core.base.reasons import require_reason
from core.documents.services import take_numbers
from ledger.models import AccountKind, Box, CustodyAccount, Packing
from ledger.services.locking import lock_open
from ledger.services.refusals import AlreadyPacked, BoxIsEmpty, BoxIsSealed, ItemsNotThere, NotInBox, SealKnown
from ledger.sscc import make_sscc

MOST_AT_ONCE = 200


@transaction.atomic
def begin_boxes(
    *, actor: User, at: datetime, account: CustodyAccount, kind: Box.Kind = Box.Kind.BOX, count: int = 1
) -> list[Box]:
    """Begin empty boxes or pallets in a store, each with the next SSCC. Raises BadInput, StoreClosed."""
    if account.kind not in (AccountKind.STORE, AccountKind.EVIDENCE):
        raise BadInput(_("Boxes are packed in a store or an evidence room."))
    if not 1 <= count <= MOST_AT_ONCE:
        raise BadInput(fields={"count": _("From 1 to %(most)d at once.") % {"most": MOST_AT_ONCE}})
    lock_open(account)
    extension = 1 if kind == Box.Kind.PALLET else 0
    serials = take_numbers(series="SSCC", year=0, count=count)
    boxes = Box.objects.bulk_create(
        Box(
            sscc=make_sscc(settings.GS1_COMPANY_PREFIX, serial, extension=extension),
            kind=kind,
            account=account,
            begun_by=actor,
            begun_at=at,
        )
        for serial in serials
    )
    record_many(
        "box.begun",
        (
            Told(("box", box.pk), account.custodian_id, {"store": account.code, "kind": kind}, subject_name=box.sscc)
            for box in boxes
        ),
        actor=actor,
        at=at,
    )
    return boxes


@transaction.atomic
def pack_items(*, actor: User, at: datetime, box: Box, item_ids: Sequence[int]) -> int:
    """Put items into an open box of the same account; how many were not in it before.

    Raises BoxIsSealed, ItemsNotThere, AlreadyPacked for what lies in another box; then nothing has changed.
    """
    wanted = sorted(set(item_ids))
    if not wanted:
        raise BadInput(_("Choose at least one item."))
    if box.is_pallet:
        raise BadInput(_("A pallet takes boxes, not single items."))
    # Holdings first: of two people who pack one item the second waits here and finds it packed. The box next: it is
    # not sealed while something goes in.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.account_id FROM unnest(%s::bigint[]) AS w (item)"
            " JOIN ledger_holding h ON h.item_id = w.item AND h.pieces > 0 AND h.is_physical"
            " ORDER BY h.item_id FOR UPDATE OF h",
            [wanted],
        )
        places = [row[0] for row in cursor.fetchall()]
    locked = _lock_open_box(box)
    elsewhere = len(wanted) - places.count(locked.account_id)
    if elsewhere:
        raise ItemsNotThere(
            ngettext_lazy(
                "%(count)d item is not in the store where the box is.",
                "%(count)d items are not in the store where the box is.",
                "count",
            )
            % {"count": elsewhere}
        )
    packed = dict(Packing.objects.present().filter(item__in=wanted).values_list("item_id", "box_id"))
    others = sorted({other for other in packed.values() if other != locked.pk})
    if others:
        numbers = ", ".join(other.shown for other in Box.objects.filter(pk__in=others[:3]))
        raise AlreadyPacked(_("Packed in another box already: %(box)s.") % {"box": numbers})
    fresh = [item for item in wanted if item not in packed]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_packing (box_id, item_id, packed_by_id, packed_at)"
            " SELECT %s, item, %s, %s FROM unnest(%s::bigint[]) AS item",
            [locked.pk, actor.pk, at, fresh],
        )
    if fresh:
        _record("box.packed", locked, actor=actor, at=at, items=fresh[:200], pieces=len(fresh))
    return len(fresh)


@transaction.atomic
def unpack_items(*, actor: User, at: datetime, box: Box, item_ids: Sequence[int] | None = None) -> int:
    """Take items, or everything, out of an open box; how many came out. Raises BoxIsSealed, NotInBox."""
    locked = _lock_open_box(box)
    present = Packing.objects.present().filter(box=locked)
    if item_ids is not None:
        wanted = set(item_ids)
        present = present.filter(item__in=wanted)
        if present.count() != len(wanted):
            raise NotInBox
    items = list(present.values_list("item_id", flat=True))
    present.update(taken_out_at=at, taken_out_by=actor)
    if items:
        _record("box.unpacked", locked, actor=actor, at=at, items=items[:200], pieces=len(items))
    return len(items)


@transaction.atomic
def stack_box(*, actor: User, at: datetime, pallet: Box, box: Box) -> bool:
    """Put a box onto a pallet of the same account; False when it stood on it. Raises BoxIsSealed, ItemsNotThere."""
    if not pallet.is_pallet or box.is_pallet:
        raise BadInput(_("Boxes stand on a pallet, and a pallet on nothing."))
    locked = {one.pk: one for one in _lock_boxes([pallet.pk, box.pk, box.parent_id])}
    onto, lifted = locked[pallet.pk], locked[box.pk]
    if lifted.parent_id == onto.pk:
        return False
    if onto.is_sealed or (lifted.parent_id and _parent_of(lifted).is_sealed):
        raise BoxIsSealed
    if onto.account_id != lifted.account_id:
        raise ItemsNotThere(_("The box and the pallet are not in one store."))
    lifted.parent = onto
    lifted.save(update_fields=["parent"])
    _record("box.stacked", lifted, actor=actor, at=at, pallet=onto.sscc)
    return True


@transaction.atomic
def unstack_box(*, actor: User, at: datetime, box: Box) -> None:
    """Take a box off its pallet. Raises BoxIsSealed while the pallet has a seal, InvalidTransition when on none."""
    locked = {one.pk: one for one in _lock_boxes([box.pk, box.parent_id])}
    lifted = locked[box.pk]
    if lifted.parent_id is None:
        raise InvalidTransition
    pallet = _parent_of(lifted)
    if pallet.is_sealed:
        raise BoxIsSealed
    lifted.parent = None
    lifted.save(update_fields=["parent"])
    _record("box.unstacked", lifted, actor=actor, at=at, pallet=pallet.sscc)


@transaction.atomic
def seal_box(*, actor: User, at: datetime, box: Box, seal_number: str) -> Box:
    """Close a box or a pallet with a numbered seal: from now on it moves whole, and nothing goes in or out.

    Raises BoxIsSealed, BoxIsEmpty, SealKnown when the number was on a box before or is on a load, BadInput.
    """
    number = " ".join(seal_number.upper().split())
    if not number or len(number) > 40:
        raise BadInput(fields={"seal_number": _("Type the number that stands on the seal.")})
    # The lock closes the race of sealing against packing: what is packed first is under the seal, the rest is refused.
    locked = _lock_open_box(box)
    if not count_content([locked.pk]).get(locked.pk):
        raise BoxIsEmpty
    locked.seal_number, locked.sealed_by, locked.sealed_at = number, actor, at
    try:
        with transaction.atomic():
            locked.save(update_fields=["seal_number", "sealed_by", "sealed_at"])
    except IntegrityError as error:
        # The database folds the number, and keeps those of seals that were broken long ago.
        named = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if named == "used_seal_has_a_number":
            raise BadInput(fields={"seal_number": _("Type the number that stands on the seal.")}) from error
        if named != "seal_is_used_once":
            raise
        raise SealKnown(fields={"seal_number": _("This seal was used before. Put on a new one.")}) from error
    _record("box.sealed", locked, actor=actor, at=at, seal=number, pieces=count_content([locked.pk])[locked.pk])
    return locked


@transaction.atomic
def open_seal(*, actor: User, at: datetime, box: Box, reason: str) -> Box:
    """Open the seal of a box or a pallet and say why. Raises InvalidTransition when it has none, BadInput."""
    reason = require_reason(reason)
    (locked,) = _lock_boxes([box.pk])
    if not locked.is_sealed:
        raise InvalidTransition(_("This box has no seal."))
    number, locked.seal_number, locked.sealed_by, locked.sealed_at = locked.seal_number, "", None, None
    locked.save(update_fields=["seal_number", "sealed_by", "sealed_at"])
    _record("box.seal_opened", locked, actor=actor, at=at, seal=number, reason=reason.strip())
    return locked


def count_content(box_ids: Sequence[int]) -> dict[int, int]:
    """How many items lie in each of these boxes, or in the boxes on each of these pallets; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.box, count(k.id) FROM unnest(%s::bigint[]) AS w (box)
            JOIN ledger_box b ON b.id = w.box OR b.parent_id = w.box
            JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL GROUP BY w.box
            """,
            [list(box_ids)],
        )
        return dict(cursor.fetchall())


def _lock_boxes(keys: Sequence[int | None]) -> list[Box]:
    """These boxes under their locks, by key."""
    wanted = [key for key in keys if key is not None]
    return list(Box.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=wanted).order_by("pk"))


def _lock_open_box(box: Box) -> Box:
    """The box under its lock, read after the lock is held. Raises BoxIsSealed."""
    (locked,) = _lock_boxes([box.pk])
    if locked.is_sealed:
        raise BoxIsSealed
    return locked


def _parent_of(box: Box) -> Box:
    return Box.objects.get(boxes=box)


def _record(verb: str, box: Box, *, actor: User, at: datetime, **facts: object) -> None:
    account = CustodyAccount.objects.get(pk=box.account_id)
    record(
        verb,
        actor=actor,
        at=at,
        subject=("box", box.pk),
        subject_name=box.sscc,
        organisation_id=account.custodian_id,
        store=account.code,
        **facts,
    )
