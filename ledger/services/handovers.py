"""Hand-overs: one person dispatches, another accepts."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from ledger.models import (
    AccountKind,
    CustodyAccount,
    Handover,
    HandoverLine,
    MovementKind,
)
from ledger.services.locking import lock_open
from ledger.services.moving import move_items
from ledger.services.refusals import (
    NotInHandover,
    SecondPersonNeeded,
)


@transaction.atomic
def dispatch_items(
    *,
    actor: User,
    at: datetime,
    key: str,
    source: CustodyAccount,
    target: CustodyAccount,
    item_ids: Sequence[int],
    under: str = "",
    vehicle: str = "",
    driver: str = "",
    seals: str = "",
    expected_on: date | None = None,
) -> Handover:
    """Send items towards another account: they are in transit until the receiver accepts them.

    A repeated `key` returns the first hand-over. Raises what `move_items` raises.
    """
    # What is evidence is under a hold and stays; what a court has decided on may leave the evidence room.
    if source.kind not in (AccountKind.STORE, AccountKind.EVIDENCE) or target.kind != AccountKind.STORE:
        raise BadInput(_("Goods are handed over from a store or an evidence room to a store."))
    if source.pk == target.pk:
        raise BadInput(fields={"target": _("Choose another store.")})
    lock_open(target)
    transit = CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=source.custodian_id)
    movement = move_items(
        actor=actor,
        at=at,
        key=key,
        kind=MovementKind.DISPATCH,
        item_ids=item_ids,
        source=source,
        target=transit,
        effective_on=day_of(at),
        reference=under,
        under=under,
        gave=actor,
    )
    earlier = Handover.objects.filter(dispatch_movement=movement).first()
    if earlier is not None:
        return earlier
    (serial,) = take_numbers(series="HO", year=movement.effective_on.year)
    handover = Handover.objects.create(
        number=f"HO{movement.effective_on:%y}-{serial:06d}",
        source=source,
        target=target,
        transit=transit,
        under=under,
        vehicle=vehicle,
        driver=driver,
        seals=seals,
        expected_on=expected_on,
        dispatched_by=actor,
        dispatched_at=at,
        dispatch_movement=movement,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_handoverline (handover_id, item_id, outcome)"
            " SELECT %s, item_id, 'pending' FROM ledger_posting WHERE movement_id = %s AND pieces > 0",
            [handover.pk, movement.pk],
        )
        count = cursor.rowcount
    record(
        "handover.dispatched",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=source.custodian_id,
        source=source.code,
        target=target.code,
        pieces=count,
        under=under,
    )
    return handover


@transaction.atomic
def scan_received(*, actor: User, at: datetime, handover: Handover, item_id: int) -> tuple[HandoverLine, bool]:
    """Note that the receiver has the item in hand; the second value is False when it had been scanned before.

    Raises NotInHandover, SecondPersonNeeded, InvalidTransition.
    """
    _receivable(handover, actor)
    line = HandoverLine.objects.select_for_update().filter(handover=handover, item_id=item_id).first()
    if line is None:
        raise NotInHandover
    if line.scanned_at is not None:
        return line, False
    line.outcome, line.scanned_by, line.scanned_at = HandoverLine.Outcome.RECEIVED, actor, at
    line.save(update_fields=["outcome", "scanned_by", "scanned_at"])
    return line, True


@transaction.atomic
def unscan_received(*, actor: User, handover: Handover, item_id: int) -> None:
    """Take one's own scan back before acceptance."""
    _receivable(handover, actor)
    HandoverLine.objects.filter(handover=handover, item_id=item_id, scanned_by=actor).update(
        outcome=HandoverLine.Outcome.PENDING, scanned_by=None, scanned_at=None
    )


def _receivable(handover: Handover, actor: User) -> Handover:
    """The hand-over locked against being closed meanwhile; only the receiving side may go on."""
    # A share lock lets many scans run at once; acceptance takes the exclusive one and waits for them.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_handover WHERE id = %s FOR SHARE", [handover.pk])
    handover.refresh_from_db()
    if handover.state != Handover.State.DISPATCHED:
        raise InvalidTransition
    if handover.dispatched_by_id == actor.pk:
        raise SecondPersonNeeded
    return handover


@transaction.atomic
def accept_handover(*, actor: User, at: datetime, handover: Handover, difference_reason: str = "") -> Handover:
    """Take what was scanned into the receiving store. What was not stays in transit and becomes a discrepancy.

    Raises InvalidTransition, SecondPersonNeeded, BadInput when something is missing and no reason is given, or when
    nothing was scanned at all.
    """
    # The row lock closes the race of acceptance against cancelling, and of two acceptances.
    handover = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("source", "target", "transit")
        .get(pk=handover.pk)
    )
    if handover.state != Handover.State.DISPATCHED:
        raise InvalidTransition
    if handover.dispatched_by_id == actor.pk:
        raise SecondPersonNeeded
    lines = HandoverLine.objects.filter(handover=handover)
    received = list(lines.filter(outcome=HandoverLine.Outcome.RECEIVED).values_list("item_id", flat=True))
    missing = lines.filter(outcome=HandoverLine.Outcome.PENDING).count()
    if not received:
        raise BadInput(_("Nothing has been scanned yet."))
    if missing and not difference_reason.strip():
        raise BadInput(fields={"difference_reason": _("Say why items are missing.")})
    move_items(
        actor=actor,
        at=at,
        key=f"accept:{handover.pk}",
        kind=MovementKind.ACCEPT,
        item_ids=received,
        source=handover.transit,
        target=handover.target,
        effective_on=day_of(at),
        reference=handover.number,
        under=handover.under,
        gave=handover.dispatched_by,
        accepted=actor,
    )
    lines.filter(outcome=HandoverLine.Outcome.PENDING).update(outcome=HandoverLine.Outcome.MISSING)
    handover.state, handover.closed_by, handover.closed_at = Handover.State.ACCEPTED, actor, at
    handover.difference_reason = difference_reason.strip()
    handover.save(update_fields=["state", "closed_by", "closed_at", "difference_reason"])
    record(
        "handover.accepted",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=handover.target.custodian_id,
        received=len(received),
        missing=missing,
    )
    if missing:
        within = in_force(RuleCode.DISCREPANCY_DAYS, day_of(at)).value["days"]
        raise_notice(
            at=at,
            kind=Notice.Kind.DISCREPANCY,
            code="handover.missing",
            organisation=Organisation.objects.get(custody_accounts=handover.source_id),
            subject=("handover", handover.pk),
            due_on=day_of(at + timedelta(days=within)),
            actor=actor,
            number=handover.number,
            missing=missing,
            sent=missing + len(received),
            reason=handover.difference_reason,
        )
    return handover


@transaction.atomic
def cancel_handover(*, actor: User, at: datetime, handover: Handover, reason: str) -> Handover:
    """Bring goods in transit back to the sending store, whole. Raises InvalidTransition, BadInput."""
    if not reason.strip():
        raise BadInput(fields={"reason": _("Say why.")})
    handover = Handover.objects.select_for_update(of=("self",)).select_related("source", "transit").get(pk=handover.pk)
    if handover.state != Handover.State.DISPATCHED:
        raise InvalidTransition
    move_items(
        actor=actor,
        at=at,
        key=f"cancel:{handover.pk}",
        kind=MovementKind.RETURN,
        item_ids=list(HandoverLine.objects.filter(handover=handover).values_list("item_id", flat=True)),
        source=handover.transit,
        target=handover.source,
        effective_on=day_of(at),
        reference=handover.number,
        under=handover.under,
    )
    handover.state, handover.closed_by, handover.closed_at = Handover.State.CANCELLED, actor, at
    handover.difference_reason = reason.strip()
    handover.save(update_fields=["state", "closed_by", "closed_at", "difference_reason"])
    record(
        "handover.cancelled",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=handover.source.custodian_id,
        reason=reason.strip(),
    )
    return handover
