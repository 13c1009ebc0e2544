"""Hand-overs with their right: dispatch, scan, accept, turn back. The ledger moves; this room asks who may."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import DomainError, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.selectors import discrepancy_due_on
from ledger.models import AccountKind, Box, CustodyAccount, Handover, HandoverLine, HandoverSeal
from ledger.selectors import stores_of
from ledger.services import (
    BeingReceived,
    SecondPersonNeeded,
    accept_handover,
    check_seals,
    dispatch_items,
    draw_weighing_sample,
    open_arrived_box,
    receive_later,
    scan_box_received,
    scan_received,
    turn_back,
    unscan_received,
    weigh_received,
)
from permits.models import ExtraScan, Permit, PermitLine
from permits.selectors import PermitNotInForce, find_right, permit_of
from permits.services.permits import lock_permit, release_stored, use_lines
from registry.models import Derivative

SHOWN = 5
PLACES = (AccountKind.STORE, AccountKind.EVIDENCE)


class NotCovered(DomainError):
    """Some of the items are not on the permit, or were used before."""

    code = "not-covered"

    def __init__(self, permit: Permit, numbers: Sequence[str], more: int) -> None:
        super().__init__(
            ngettext_lazy(
                "Permit %(permit)s does not cover this item: %(items)s.",
                "Permit %(permit)s does not cover these %(count)d items: %(items)s.",
                "count",
            )
            % {
                "permit": permit.number,
                "count": len(numbers) + more,
                "items": ", ".join(numbers) + (" …" if more else ""),
            }
        )


class PermitRevoked(DomainError):
    """The permit was revoked while the goods were on their way."""

    code = "permit-revoked"


@transaction.atomic
def dispatch_goods(
    *,
    actor: User,
    at: datetime,
    key: str,
    source: CustodyAccount,
    target: CustodyAccount,
    item_ids: Sequence[int],
    permit: Permit | None = None,
    vehicle: str = "",
    driver: str = "",
    carried_by: str = "",
    escort: str = "",
    route: str = "",
    seals: str = "",
    expected_at: datetime | None = None,
    signature: bytes | None = None,
) -> Handover:
    """Send goods to another store under the right of the day: one organisation, the State's rule, or a permit.

    A permit must be in force, name the target, and cover every item. A repeated `key` returns the first hand-over.
    Raises NotAllowed, PermitNeeded, PermitNotInForce, PermitForOtherStore, NotCovered, and what the ledger raises.
    """
    if not stores_of(actor, Can.DISPATCH, kinds=PLACES).filter(pk=source.pk).exists():
        raise NotAllowed(_("You do not dispatch goods from this store."))
    is_new = not Handover.objects.filter(dispatch_movement__key=key).exists()
    if permit is not None:
        # Locked first: no revocation or expiry can pass between the question and the movement.
        permit = lock_permit(permit)
    if is_new:
        find_right(source=source, target=target, permit=permit, on=day_of(at), item_ids=item_ids)
    if permit is not None and is_new:
        _require_covered(permit, item_ids)
    return dispatch_items(
        actor=actor,
        at=at,
        key=key,
        source=source,
        target=target,
        item_ids=item_ids,
        under=permit.reference if permit else "",
        vehicle=vehicle,
        driver=driver,
        carried_by=carried_by,
        escort=escort,
        route=route,
        seals=seals,
        expected_at=expected_at,
        signature=signature,
    )


def _require_covered(permit: Permit, item_ids: Sequence[int]) -> None:
    covered = set(PermitLine.objects.filter(permit=permit, handover=None).values_list("item_id", flat=True))
    others = sorted(set(item_ids) - covered)
    if others:
        numbers = Derivative.objects.filter(pk__in=others[:SHOWN]).order_by("pk").values_list("number", flat=True)
        raise NotCovered(permit, list(numbers), more=len(others) - len(others[:SHOWN]))


def scan_box_of_goods(*, actor: User, at: datetime, handover: Handover, box: Box) -> tuple[int, int]:
    """Take a sealed box with all that is in it; how many items, how many new. Raises NotAllowed, BoxNotSealed."""
    require_receiver(actor, handover)
    return scan_box_received(actor=actor, at=at, handover=handover, box=box)


def open_box_of_goods(
    *,
    actor: User,
    at: datetime,
    handover: Handover,
    box: Box,
    reason: str,
    seal: HandoverSeal.State = HandoverSeal.State.BROKEN,
) -> Box:
    """Open the seal of a box that arrived and say how it was found; its items are then scanned one by one.

    Raises NotAllowed, BadInput.
    """
    require_receiver(actor, handover)
    return open_arrived_box(actor=actor, at=at, handover=handover, box=box, reason=reason, seal=seal)


def check_seals_of_goods(
    *, actor: User, at: datetime, handover: Handover, found: Mapping[int, HandoverSeal.State]
) -> None:
    """Note how the seals of the load were found. Raises NotAllowed, InvalidTransition."""
    require_receiver(actor, handover)
    check_seals(actor=actor, at=at, handover=handover, found=found)


def draw_sample_of_goods(*, actor: User, at: datetime, handover: Handover, size: int) -> Handover:
    """Choose by a seed what the receiver weighs. Raises NotAllowed, InvalidTransition, BadInput."""
    require_receiver(actor, handover)
    return draw_weighing_sample(actor=actor, at=at, handover=handover, size=size)


def weigh_goods(
    *,
    actor: User,
    at: datetime,
    handover: Handover,
    item_id: int,
    grams: int,
    confirmed: bool = False,
    reason: str = "",
) -> HandoverLine:
    """Note what an item weighed on arrival. Raises NotAllowed, NotInHandover, OddOnArrival, WeighedBefore."""
    require_receiver(actor, handover)
    return weigh_received(
        actor=actor, at=at, handover=handover, item_id=item_id, grams=grams, confirmed=confirmed, reason=reason
    )


def scan_goods(*, actor: User, at: datetime, handover: Handover, item_id: int) -> tuple[HandoverLine, bool]:
    """Note that the receiver has an item in hand; False when it was before. Raises NotAllowed, NotInHandover."""
    require_receiver(actor, handover)
    return scan_received(actor=actor, at=at, handover=handover, item_id=item_id)


@transaction.atomic
def note_extra(
    *, actor: User, at: datetime, handover: Handover, text: str, item: Derivative | None
) -> tuple[ExtraScan, bool]:
    """Note something on arrival that is not in the hand-over; False when it was noted before.

    Raises NotAllowed, InvalidTransition, SecondPersonNeeded.
    """
    require_receiver(actor, handover)
    # The lock closes the race against acceptance: an extra is either part of its difference or refused.
    open_handover = Handover.objects.select_for_update(no_key=True).get(pk=handover.pk)
    if not open_handover.is_under_way:
        raise InvalidTransition
    if open_handover.was_sent_by(actor):
        raise SecondPersonNeeded
    return ExtraScan.objects.get_or_create(
        handover=handover, text=text, defaults={"item": item, "scanned_by": actor, "scanned_at": at}
    )


@transaction.atomic
def undo_last_scan(*, actor: User, handover: Handover) -> str | None:
    """Take back the person's own latest scan of this hand-over; the number or code it had, or None.

    Raises NotAllowed, InvalidTransition, SecondPersonNeeded.
    """
    require_receiver(actor, handover)
    # The lock makes a double click take back one scan only, and leaves those of others alone.
    Handover.objects.select_for_update(no_key=True).get(pk=handover.pk)
    line = (
        HandoverLine.objects.filter(handover=handover, scanned_by=actor, scanned_at__isnull=False)
        .select_related("item__derivative")
        .order_by("-scanned_at")
        .first()
    )
    extra = ExtraScan.objects.filter(handover=handover, scanned_by=actor).order_by("-scanned_at").first()
    if extra is not None and (line is None or line.scanned_at is None or extra.scanned_at > line.scanned_at):
        if not Handover.objects.select_for_update(no_key=True).get(pk=handover.pk).is_under_way:
            raise InvalidTransition
        extra.delete()
        return extra.text
    if line is None:
        return None
    unscan_received(actor=actor, handover=handover, item_id=line.item_id)
    return line.item.derivative.number


@transaction.atomic
def accept_goods(
    *,
    actor: User,
    at: datetime,
    handover: Handover,
    difference_reason: str = "",
    reasons: Mapping[int, str] | None = None,
    extra_reasons: Mapping[int, str] | None = None,
    seals: Mapping[int, HandoverSeal.State] | None = None,
    carrier_said: str = "",
    signature: bytes | None = None,
) -> Handover:
    """Take what was scanned into the store it has arrived at, and use up the permit by it.

    A load that was turned back arrives at the store that sent it: the permit is not used by it, and where the permit
    has ended meanwhile the items are free again.

    What is missing, weighs otherwise or arrived beside the list becomes a discrepancy, with a reason for each line:
    `reasons` by item, `extra_reasons` by the key of the extra scan, `difference_reason` for the rest; `seals` says how
    the seals were found, `carrier_said` what the driver did with the discrepancy act. Raises NotAllowed, PermitRevoked,
    and what the ledger raises; the dispatcher is always refused.
    """
    require_receiver(actor, handover)
    permit = permit_of(handover)
    if permit is not None:
        permit = lock_permit(permit)
        if not handover.is_turned and permit.end is not None and permit.end.kind == Permit.State.REVOKED:
            raise PermitRevoked(
                _("Permit %(number)s was revoked: %(reason)s. These goods go back to the sender.")
                % {"number": permit.number, "reason": permit.end.reason}
            )
    accepted = accept_handover(
        actor=actor,
        at=at,
        handover=handover,
        difference_reason=difference_reason,
        reasons=reasons,
        seals=seals,
        carrier_said=carrier_said,
        signature=signature,
    )
    if permit is not None and accepted.is_turned:
        if permit.end is not None:
            release_stored(permit, at=at)
    elif permit is not None:
        received = HandoverLine.objects.filter(handover=accepted, outcome=HandoverLine.Outcome.RECEIVED)
        use_lines(permit, accepted, list(received.values_list("item_id", flat=True)), actor=actor, at=at)
    extras = list(accepted.extra_scans.select_related("item").order_by("pk"))
    for extra in extras:
        extra.reason = ((extra_reasons or {}).get(extra.pk, "").strip() or difference_reason.strip())[:300]
    ExtraScan.objects.bulk_update(extras, ["reason"])
    _tell_extras(accepted, extras, actor=actor, at=at)
    return accepted


def _tell_extras(handover: Handover, extras: Sequence[ExtraScan], *, actor: User, at: datetime) -> None:
    if extras:
        raise_notice(
            at=at,
            kind=Notice.Kind.DISCREPANCY,
            code="handover.extra",
            organisation=Organisation.objects.get(custody_accounts=handover.source_id),
            subject=("handover", handover.pk),
            due_on=discrepancy_due_on(at),
            actor=actor,
            number=handover.number,
            extra=len(extras),
            items=", ".join(extra.item.number if extra.item else extra.text for extra in extras[:SHOWN]),
        )


@transaction.atomic
def receive_missing_goods(
    *, actor: User, at: datetime, handover: Handover, item_ids: Sequence[int], reason: str
) -> int:
    """Take in what was missing on arrival and has turned up at the store it was sent to; how many items.

    Raises NotAllowed, PermitNotInForce, and what the ledger raises; the dispatcher is always refused.
    """
    require_receiver(actor, handover)
    permit = None if handover.is_turned else permit_of(handover)
    if permit is not None:
        permit = lock_permit(permit)
        if permit.end is not None:
            raise PermitNotInForce(
                _("Permit %(number)s has ended: report the goods, and bring them back by an act of the report.")
                % {"number": permit.number}
            )
    count = receive_later(actor=actor, at=at, handover=handover, item_ids=item_ids, reason=reason)
    if permit is not None:
        use_lines(permit, handover, list(item_ids), actor=actor, at=at)
    return count


@transaction.atomic
def turn_goods_back(*, actor: User, at: datetime, handover: Handover, reason: str) -> Handover:
    """Let goods on their way come back to the sending store, where they are received like any other load.

    The sending side does it, until the receiver has scanned something; when the permit was revoked meanwhile, either
    side, whatever was scanned. Raises NotAllowed, BeingReceived, InvalidTransition, BadInput.
    """
    permit = permit_of(handover)
    if permit is not None:
        permit = lock_permit(permit)
    is_revoked = permit is not None and permit.end is not None and permit.end.kind == Permit.State.REVOKED
    if not is_sender(actor, handover) and not (is_revoked and is_receiver(actor, handover)):
        raise NotAllowed(_("Only the sending store takes goods back."))
    if not is_revoked and handover.extra_scans.exists():
        raise BeingReceived
    return turn_back(actor=actor, at=at, handover=handover, reason=reason, despite_scans=is_revoked)


def may_turn_back(actor: User, handover: Handover) -> bool:
    """Whether the person may turn a load back now, by what `turn_goods_back` asks."""
    permit = permit_of(handover)
    is_revoked = permit is not None and permit.end is not None and permit.end.kind == Permit.State.REVOKED
    begun = HandoverLine.objects.filter(handover=handover, scanned_at__isnull=False)
    if is_revoked:
        is_second = handover.dispatched_by_id != actor.pk or not begun.exists()
        return is_second and (is_sender(actor, handover) or is_receiver(actor, handover))
    return is_sender(actor, handover) and not begun.exists() and not handover.extra_scans.exists()


def is_sender(actor: User, handover: Handover) -> bool:
    return stores_of(actor, Can.DISPATCH, kinds=PLACES).filter(pk=handover.source_id).exists()


def is_receiver(actor: User, handover: Handover) -> bool:
    """Whether the person receives goods at the place where the load arrives."""
    return stores_of(actor, Can.RECEIVE, kinds=PLACES).filter(pk=handover.arrives_at.pk).exists()


def require_receiver(actor: User, handover: Handover) -> None:
    """Raises NotAllowed unless the actor receives goods for the store where the load arrives."""
    if not is_receiver(actor, handover):
        raise NotAllowed(_("Only people of the receiving store can do this."))
