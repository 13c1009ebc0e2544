"""How a permit ends: used up, expired, revoked. What it says never changes."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.notices.models import Notice
from core.notices.services import raise_notice
from ledger.models import AccountKind, Handover, Holding
from ledger.services import release_items
from permits.models import Permit, PermitEnding, PermitLine


@transaction.atomic
def revoke_permit(*, actor: User, at: datetime, permit: Permit, reason: str) -> Permit:
    """End a permit before its time: nothing more is dispatched or accepted under it.

    Items in store are free at once. Goods on their way can only be returned to the sender; both sides get an alert.
    Raises NotAllowed, BadInput, InvalidTransition when it has ended before.
    """
    if not actor.can(Can.DECIDE_APPLICATION):
        raise NotAllowed
    reason = require_reason(reason)
    permit = lock_permit(permit)
    if permit.end is not None:
        raise InvalidTransition
    end_permit(permit, PermitEnding.Kind.REVOKED, actor=actor, at=at, reason=reason.strip())
    for handover in Handover.objects.filter(under=permit.reference, state=Handover.State.DISPATCHED):
        for organisation in (permit.holder, permit.receiver):
            raise_notice(
                at=at,
                kind=Notice.Kind.ALERT,
                code="permit.revoked_under_way",
                organisation=organisation,
                subject=("handover", handover.pk),
                actor=actor,
                permit=permit.number,
                number=handover.number,
                reason=reason.strip(),
            )
    return permit


@transaction.atomic
def expire_permits(*, at: datetime, most: int = 500) -> int:
    """End the permits whose last day has passed and under which nothing is on its way; how many.

    Their items in store are free again.
    """
    ended = 0
    for pk in Permit.objects.outlived(day_of(at)).order_by("valid_until", "pk").values_list("pk", flat=True)[:most]:
        permit = lock_permit(Permit(pk=pk))
        # Asked again under the lock: somebody may have ended it or returned goods meanwhile.
        if Permit.objects.outlived(day_of(at)).filter(pk=pk).exists():
            end_permit(permit, PermitEnding.Kind.EXPIRED, actor=None, at=at)
            ended += 1
    return ended


def lock_permit(permit: Permit) -> Permit:
    """The permit locked against every other act under it: dispatch, acceptance, return, revocation, expiry.

    Read again once the lock is held: who waited for it would otherwise not see the ending written meanwhile.
    """
    Permit.objects.select_for_update(no_key=True).get(pk=permit.pk)
    return Permit.objects.select_related("holder", "receiver", "store", "ending").get(pk=permit.pk)


def use_lines(permit: Permit, handover: Handover, item_ids: Sequence[int], *, actor: User, at: datetime) -> None:
    """Note that items arrived under the permit, free them, and end the permit with the last of them.

    The caller holds the permit's lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE permits_permitline l SET handover_id = %s, used_at = %s"
            " FROM unnest(%s::bigint[]) AS arrived (item) WHERE l.permit_id = %s AND l.item_id = arrived.item",
            [handover.pk, at, list(item_ids), permit.pk],
        )
    release_items(at=at, reference=permit.reference, item_ids=item_ids)
    record(
        "permit.used",
        actor=actor,
        at=at,
        subject=("permit", permit.pk),
        subject_name=permit.number,
        organisation_id=permit.holder_id,
        reference=handover.number,
        pieces=len(item_ids),
    )
    if permit.end is None and not PermitLine.objects.filter(permit=permit, handover=None).exists():
        end_permit(permit, PermitEnding.Kind.USED, actor=actor, at=at)


def end_permit(
    permit: Permit, kind: PermitEnding.Kind, *, actor: User | None, at: datetime, reason: str = ""
) -> PermitEnding:
    """Write the ending and free what lies in store; what is on its way stays bound until it is returned or arrives."""
    ending = PermitEnding.objects.create(permit=permit, kind=kind, reason=reason, ended_by=actor, ended_at=at)
    release_stored(permit, at=at)
    record(
        f"permit.{'used_up' if kind == PermitEnding.Kind.USED else kind.value}",
        actor=actor,
        at=at,
        subject=("permit", permit.pk),
        subject_name=permit.number,
        organisation_id=permit.holder_id,
        **({"reason": reason} if reason else {}),
    )
    return ending


def release_stored(permit: Permit, *, at: datetime) -> int:
    """Free the items of an ended permit that are not on their way; how many."""
    under_way = Holding.objects.filter(
        account__kind=AccountKind.TRANSIT, pieces__gt=0, item__in=permit.lines.filter(handover=None).values("item")
    )
    free = permit.lines.filter(handover=None).exclude(item__in=under_way.values("item"))
    return release_items(at=at, reference=permit.reference, item_ids=list(free.values_list("item_id", flat=True)))
