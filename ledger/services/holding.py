"""Holds and reservations: facts beside an item that keep it where it is."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.errors import BadInput
from ledger.models import (
    Hold,
    Reservation,
)
from ledger.services.locking import bound, lock_items, on_hold
from ledger.services.refusals import (
    ItemsNotThere,
    ItemsReserved,
)


@transaction.atomic
def place_hold(*, actor: User, at: datetime, item_ids: Sequence[int], kind: Hold.Kind, reference: str) -> int:
    """Keep items where they are until the hold is lifted; how many were not yet held so."""
    lock_items(item_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_hold (item_id, kind, reference, placed_by_id, placed_at, lift_reason)"
            " SELECT item, %s, %s, %s, %s, '' FROM unnest(%s::bigint[]) AS item"
            " ON CONFLICT (item_id, kind) WHERE lifted_at IS NULL DO NOTHING",
            [kind, reference, actor.pk, at, list(item_ids)],
        )
        return cursor.rowcount


@transaction.atomic
def lift_hold(*, actor: User, at: datetime, item_ids: Sequence[int], kind: Hold.Kind, reason: str) -> int:
    """Lift the active holds of a kind; how many there were. The reason is required."""
    if not reason.strip():
        raise BadInput(fields={"reason": _("Say why.")})
    lock_items(item_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_hold k SET lifted_by_id = %s, lifted_at = %s, lift_reason = %s"
            " FROM unnest(%s::bigint[]) AS item WHERE k.item_id = item AND k.kind = %s AND k.lifted_at IS NULL",
            [actor.pk, at, reason.strip(), list(item_ids), kind],
        )
        return cursor.rowcount


@transaction.atomic
def reserve_items(*, at: datetime, item_ids: Sequence[int], reference: str) -> None:
    """Promise items to one right. Raises ItemsOnHold, ItemsReserved, ItemsNotThere; then none is reserved."""
    wanted = sorted(set(item_ids))
    # The lock closes the race of two approvals of one item, and of an approval against a dispatch.
    if lock_items(wanted) != len(wanted):
        raise ItemsNotThere
    held, promised = bound(wanted)
    if held:
        raise on_hold(wanted)
    if promised:
        raise ItemsReserved
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_reservation (item_id, reference, placed_at)"
            " SELECT item, %s, %s FROM unnest(%s::bigint[]) AS item",
            [reference, at, wanted],
        )


@transaction.atomic
def release_items(*, at: datetime, reference: str, item_ids: Sequence[int] | None = None) -> int:
    """End the reservations made for a right, all of them or those of the items given; how many there were."""
    if item_ids is None:
        return Reservation.objects.active().filter(reference=reference).update(released_at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_reservation r SET released_at = %s FROM unnest(%s::bigint[]) AS item"
            " WHERE r.item_id = item AND r.reference = %s AND r.released_at IS NULL",
            [at, list(item_ids), reference],
        )
        return cursor.rowcount
