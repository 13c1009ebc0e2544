"""Where in a store things stand: shelves, and what is put on them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput
from ledger.models import AccountKind, Box, CustodyAccount, Packing, Placement, Shelf
from ledger.services.locking import lock_items
from ledger.services.refusals import AlreadyPacked, ItemsNotThere, ShelfKnown

MOST_AT_ONCE = 500


@transaction.atomic
def add_shelves(
    *, actor: User, at: datetime, account: CustodyAccount, codes: Sequence[str], name: str = ""
) -> list[Shelf]:
    """Set up shelves of a store. Raises BadInput, ShelfKnown that names the codes that are there already."""
    wanted = list(dict.fromkeys(" ".join(code.upper().split()) for code in codes if code.strip()))
    if account.kind not in (AccountKind.STORE, AccountKind.EVIDENCE):
        raise BadInput(_("Choose a store or an evidence room."))
    if not wanted or len(wanted) > MOST_AT_ONCE or any(len(code) > 20 for code in wanted):
        raise BadInput(fields={"codes": _("Type codes of shelves, each of at most 20 letters.")})
    # The lock closes the race of two people who set up the same shelf.
    CustodyAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    known = list(Shelf.objects.filter(account=account, code__in=wanted).values_list("code", flat=True))
    if known:
        raise ShelfKnown(fields={"codes": _("There already: %(codes)s.") % {"codes": ", ".join(known[:10])}})
    shelves = Shelf.objects.bulk_create(Shelf(account=account, code=code, name=name.strip()) for code in wanted)
    record(
        "store.shelves_added",
        actor=actor,
        at=at,
        subject=("store", account.pk),
        subject_name=account.code,
        organisation_id=account.custodian_id,
        codes=wanted,
    )
    return shelves


@transaction.atomic
def place_items(*, actor: User, at: datetime, shelf: Shelf, item_ids: Sequence[int]) -> int:
    """Put loose items on a shelf of the store they are in; how many were not there before.

    Raises ItemsNotThere, AlreadyPacked: what is in a box stands where its box stands.
    """
    wanted = sorted(set(item_ids))
    # The lock closes the race of putting away against dispatch.
    lock_items(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM unnest(%s::bigint[]) AS w (item)"
            " JOIN ledger_holding h ON h.item_id = w.item AND h.account_id = %s AND h.pieces > 0",
            [wanted, shelf.account_id],
        )
        (here,) = cursor.fetchone()
        if here != len(wanted):
            raise ItemsNotThere(_("Not in this store."))
        if Packing.objects.present().filter(item__in=wanted).exists():
            raise AlreadyPacked(_("What is in a box stands where its box stands: scan the box."))
        cursor.execute(
            "UPDATE ledger_placement SET removed_at = %s"
            " WHERE item_id = ANY(%s) AND removed_at IS NULL AND shelf_id <> %s",
            [at, wanted, shelf.pk],
        )
        cursor.execute(
            "INSERT INTO ledger_placement (shelf_id, item_id, placed_by_id, placed_at)"
            " SELECT %s, item, %s, %s FROM unnest(%s::bigint[]) AS item"
            " ON CONFLICT (item_id) WHERE removed_at IS NULL DO NOTHING",
            [shelf.pk, actor.pk, at, wanted],
        )
        fresh = cursor.rowcount
    if fresh:
        _record_placing(shelf, actor=actor, at=at, items=wanted[:200], pieces=fresh)
    return fresh


@transaction.atomic
def place_box(*, actor: User, at: datetime, shelf: Shelf, box: Box) -> bool:
    """Put a box or a pallet on a shelf of its store; False when it stood there. Raises ItemsNotThere, AlreadyPacked."""
    locked = Box.objects.select_for_update(no_key=True, of=("self",)).get(pk=box.pk)
    if locked.account_id != shelf.account_id:
        raise ItemsNotThere(_("Not in this store."))
    if locked.parent_id is not None:
        raise AlreadyPacked(_("This box stands on a pallet: scan the pallet."))
    if Placement.objects.present().filter(box=locked, shelf=shelf).exists():
        return False
    Placement.objects.present().filter(box=locked).update(removed_at=at)
    Placement.objects.create(shelf=shelf, box=locked, placed_by=actor, placed_at=at)
    _record_placing(shelf, actor=actor, at=at, box=locked.sscc)
    return True


def _record_placing(shelf: Shelf, *, actor: User, at: datetime, **facts: object) -> None:
    account = CustodyAccount.objects.get(pk=shelf.account_id)
    record(
        "shelf.filled",
        actor=actor,
        at=at,
        subject=("shelf", shelf.pk),
        subject_name=f"{account.code} {shelf.code}",
        organisation_id=account.custodian_id,
        **facts,
    )
