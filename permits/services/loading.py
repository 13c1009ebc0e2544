"""Getting goods ready to go: a list that is saved with every scan, until it is dispatched."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from ledger.models import CustodyAccount, Handover
from ledger.selectors import stores_of
from permits.models import LoadingList, Permit
from permits.selectors import Problems, find_loading_obstacles
from permits.services.goods import PLACES, dispatch_goods


@dataclass(frozen=True, slots=True)
class Transport:
    """How goods travel: vehicle and driver, or who carries them by hand; escort, route, seals, when they arrive."""

    vehicle: str = ""
    driver: str = ""
    carried_by: str = ""
    escort: str = ""
    route: str = ""
    seals: str = ""
    expected_at: datetime | None = None


_TRANSPORT = tuple(field.name for field in fields(Transport))


@transaction.atomic
def open_loading(*, actor: User, at: datetime, source: CustodyAccount) -> LoadingList:
    """The person's list for this store, begun when there is none. Raises NotAllowed."""
    if not stores_of(actor, Can.DISPATCH, kinds=PLACES).filter(pk=source.pk).exists():
        raise NotAllowed(_("You do not dispatch goods from this store."))
    # One unique index closes the race of two windows of one person.
    LoadingList.objects.bulk_create([LoadingList(source=source, opened_by=actor, opened_at=at)], ignore_conflicts=True)
    return LoadingList.objects.open().get(opened_by=actor, source=source)


@transaction.atomic
def load_items(*, actor: User, at: datetime, loading: LoadingList, item_ids: Sequence[int]) -> tuple[int, Problems]:
    """Put on the list whatever can go; how many were new, and what stood against the others."""
    loading = _lock(loading, actor)
    wanted = sorted(set(item_ids))
    problems = find_loading_obstacles(loading, wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO permits_loadingline (loading_id, item_id, added_at)"
            " SELECT %s, item, %s FROM unnest(%s::bigint[]) AS item ON CONFLICT (loading_id, item_id) DO NOTHING",
            [loading.pk, at, [item for item in wanted if item not in problems]],
        )
        return cursor.rowcount, problems


@transaction.atomic
def unload_items(*, actor: User, loading: LoadingList, item_ids: Sequence[int] | None = None) -> int:
    """Take items off the list, or all of them; how many were on it."""
    loading = _lock(loading, actor)
    lines = loading.lines.all() if item_ids is None else loading.lines.filter(item__in=item_ids)
    removed, _by_model = lines.delete()
    return removed


@transaction.atomic
def change_loading(
    *,
    actor: User,
    loading: LoadingList,
    target: CustodyAccount | None,
    permit: Permit | None,
    transport: Transport | None = None,
) -> LoadingList:
    """Save where it goes, under which permit, and how, if that is said. A permit names its own receiving store."""
    loading = _lock(loading, actor)
    loading.permit = permit
    loading.target = permit.store if permit else target
    if transport is not None:
        _note_transport(loading, transport)
    loading.save(update_fields=["permit", "target", *_TRANSPORT])
    return loading


def _note_transport(loading: LoadingList, transport: Transport) -> None:
    for name in _TRANSPORT:
        said = getattr(transport, name)
        setattr(loading, name, said.strip() if isinstance(said, str) else said)


@transaction.atomic
def begin_loading(
    *,
    actor: User,
    at: datetime,
    source: CustodyAccount,
    target: CustodyAccount | None,
    permit: Permit | None,
    item_ids: Sequence[int] = (),
) -> tuple[LoadingList, int, Problems]:
    """Open the person's list for this store, say where it goes, and put on it what was chosen.

    The list, how many items were new on it, and what stood against the others.
    """
    loading = open_loading(actor=actor, at=at, source=source)
    loading = change_loading(actor=actor, loading=loading, target=target, permit=permit)
    if not item_ids:
        return loading, 0, {}
    added, problems = load_items(actor=actor, at=at, loading=loading, item_ids=item_ids)
    return loading, added, problems


@transaction.atomic
def dispatch_loading(
    *,
    actor: User,
    at: datetime,
    loading: LoadingList,
    transport: Transport | None = None,
    signature: bytes | None = None,
) -> Handover:
    """Send what is on the list, signed. Asked twice, it answers with the same hand-over.

    Raises what dispatch_goods raises.
    """
    loading = _locked(loading, actor)
    if loading.handover is not None:
        return loading.handover
    if loading.target is None:
        raise BadInput(fields={"target": _("Say where the goods go.")})
    if transport is not None:
        _note_transport(loading, transport)
        loading.save(update_fields=list(_TRANSPORT))
    handover = dispatch_goods(
        actor=actor,
        at=at,
        key=f"loading:{loading.pk}",
        source=loading.source,
        target=loading.target,
        item_ids=list(loading.lines.values_list("item_id", flat=True)),
        permit=loading.permit,
        signature=signature,
        **{name: getattr(loading, name) for name in _TRANSPORT},
    )
    loading.lines.all().delete()
    loading.handover = handover
    loading.save(update_fields=["handover"])
    return handover


def _lock(loading: LoadingList, actor: User) -> LoadingList:
    """The person's own list, locked while it is still open. Raises InvalidTransition once it is sent."""
    locked = _locked(loading, actor)
    if locked.handover_id is not None:
        raise InvalidTransition
    return locked


def _locked(loading: LoadingList, actor: User) -> LoadingList:
    """The person's own list under its lock, read after the lock is held. Raises NotAllowed."""
    LoadingList.objects.select_for_update(no_key=True).get(pk=loading.pk)
    locked = LoadingList.objects.select_related(
        "source__custodian", "target__custodian", "permit__store", "handover"
    ).get(pk=loading.pk)
    if locked.opened_by_id != actor.pk:
        raise NotAllowed
    return locked
