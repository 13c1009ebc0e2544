"""Reels are handed over: sent by a person of one office, counted and received by another person of the other.

Until then either side may turn them back: they stay in transit until a third person has counted them at the office
that sent them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from ledger.services import SecondPersonNeeded
from marking.models import (
    LabelHolding,
    LabelMovement,
    LabelPlace,
    LabelReel,
    LabelReport,
    LabelShipment,
    LabelShipmentLine,
    Mark,
    RowLabel,
)
from marking.models.stock import keepers_of_labels, offices_of
from marking.places import write_places
from marking.services.stock import (
    NOBODY_THERE,
    OFFICES,
    Change,
    LabelsNotThere,
    end_labels,
    lock_reels,
    move_labels,
    places_from,
)
from registry.models import Intake, IntakeRow

MOST_REELS_AT_ONCE = 200
USUAL_DAYS = 7
MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Counted:
    """What the receiver counted of one reel, and the places that are missing on it."""

    pieces: int
    missing: str = ""


@transaction.atomic
def send_reels(
    *,
    actor: User,
    at: datetime,
    receiver: Organisation,
    reels: Sequence[LabelReel],
    note: str = "",
    expected_on: date | None = None,
) -> LabelShipment:
    """Send reels, or what is left of them, from the person's office to another where somebody else may receive them.

    They should arrive on the day that is named, or within a week. Raises BadInput, LabelsNotThere.
    """
    wrong: dict[str, StrOrPromise] = {}
    if not reels:
        wrong["reels"] = _("Choose at least one reel.")
    if len(reels) > MOST_REELS_AT_ONCE:
        wrong["reels"] = _("At most %(most)d at a time.") % {"most": MOST_REELS_AT_ONCE}
    if not receiver.is_active or receiver.kind not in OFFICES:
        wrong["receiver"] = _("Choose an office that works with labels.")
    expected_on = expected_on or usual_day(day_of(at))
    if not day_of(at) <= expected_on <= day_of(at) + timedelta(days=MOST_DAYS):
        wrong["expected_on"] = _("Choose a day from today on, within %(days)d days.") % {"days": MOST_DAYS}
    if wrong:
        raise BadInput(fields=wrong)
    # The lock closes the race of sending against applying: what is counted here is what leaves.
    locked = lock_reels(reel.pk for reel in reels)
    held = {
        holding.reel_id: holding
        for holding in LabelHolding.objects.filter(
            reel__in=locked, place=LabelPlace.OFFICE, organisation__in=offices_of(actor), pieces__gt=0
        )
    }
    if len(held) != len(locked):
        raise LabelsNotThere
    if named := _tables_that_name(locked):
        # Their labels hang on horns already: whoever counts the reel at the other end would miss them.
        said = _("Rows of open tables name labels of these reels: %(tables)s. Register them first, or take them out.")
        raise BadInput(fields={"reels": said % {"tables": ", ".join(named)}})
    senders = {holding.organisation_id for holding in held.values()}
    if len(senders) != 1:
        raise BadInput(fields={"reels": _("These reels are in different offices. Send each office's by itself.")})
    sender = senders.pop()
    if sender == receiver.pk:
        raise BadInput(fields={"receiver": _("The reels are in this office.")})
    if not keepers_of_labels(day_of(at)).filter(organisation=receiver).exclude(user=actor).exists():
        raise BadInput(fields={"receiver": NOBODY_THERE})
    year = day_of(at).year
    (serial,) = take_numbers(series="LH", year=year)
    shipment = LabelShipment.objects.create(
        number=f"LH{year % 100:02d}-{serial:06d}",
        sender_id=sender,
        receiver=receiver,
        note=note.strip()[:200],
        sent_by=actor,
        sent_at=at,
        expected_on=expected_on,
        due_on=expected_on,
    )
    LabelShipmentLine.objects.bulk_create(
        [LabelShipmentLine(shipment=shipment, reel=reel, sent=held[reel.pk].pieces) for reel in locked]
    )
    changes = [Change(pk, LabelPlace.OFFICE, sender, -holding.pieces) for pk, holding in held.items()]
    changes += [Change(pk, LabelPlace.TRANSIT, sender, holding.pieces) for pk, holding in held.items()]
    move_labels(actor=actor, at=at, kind=LabelMovement.Kind.SENT, changes=changes, reference=shipment.number)
    _record("labels.sent", shipment, actor, at, sum(holding.pieces for holding in held.values()))
    return shipment


def usual_day(on: date) -> date:
    """When labels that set out on this day should arrive where nobody says otherwise."""
    return on + timedelta(days=USUAL_DAYS)


def may_turn_back(actor: User, shipment: LabelShipment) -> bool:
    """Whether the person's office sends or receives these labels, and nobody has received them yet."""
    sides = {shipment.sender_id, shipment.receiver_id}
    return shipment.state == LabelShipment.State.SENT and not sides.isdisjoint(offices_of(actor))


@transaction.atomic
def turn_reels_back(*, actor: User, at: datetime, shipment: LabelShipment, reason: str) -> LabelShipment:
    """Let labels on their way come back to the office that sent them, where a third person counts them.

    Either side may, until they are received. Raises NotAllowed, InvalidTransition, BadInput.
    """
    locked = _take(shipment)
    if offices_of(actor).isdisjoint({locked.sender_id, locked.receiver_id}):
        raise NotAllowed
    if locked.state != LabelShipment.State.SENT:
        raise InvalidTransition(_("These labels were received or turned back before. Reload the page."))
    reason = require_reason(reason)
    there = keepers_of_labels(day_of(at)).filter(organisation=locked.sender_id)
    if not there.exclude(user__in={actor.pk, locked.sent_by_id}).exists():
        raise BadInput(
            fields={
                "reason": _(
                    "Nobody else in the office that sent them may count them there. Have another person"
                    " appointed first."
                )
            }
        )
    locked.state, locked.turned_by, locked.turned_at = LabelShipment.State.RETURNING, actor, at
    locked.turn_reason, locked.late_told_at, locked.due_on = reason[:200], None, usual_day(day_of(at))
    locked.save(update_fields=["state", "turned_by", "turned_at", "turn_reason", "late_told_at", "due_on"])
    _record("labels.turned_back", locked, actor, at, sum(line.sent for line in locked.lines.all()), reason=reason)
    _settle_late(locked, actor, at, reason)
    return locked


@transaction.atomic
def tell_late_labels(*, at: datetime) -> int:
    """Alert both sides, once for each hand-over and way, about labels that should have arrived; how many hand-overs."""
    late = list(
        LabelShipment.objects.late(day_of(at))
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
        .filter(late_told_at=None)
        .select_related("sender", "receiver", "sent_by", "turned_by")
        .order_by("pk")[:500]
    )
    for shipment in late:
        for side in (shipment.sender, shipment.receiver):
            raise_notice(
                at=at,
                kind=Notice.Kind.ALERT,
                code="labels.late_back" if shipment.turned_by else "labels.late",
                organisation=side,
                subject=("label_shipment", shipment.pk),
                due_on=day_of(at),
                caused_by=shipment.turned_by or shipment.sent_by,
                number=shipment.number,
            )
    LabelShipment.objects.filter(pk__in=[shipment.pk for shipment in late]).update(late_told_at=at)
    return len(late)


def _settle_late(shipment: LabelShipment, actor: User, at: datetime, reason: str) -> None:
    """Labels that arrived, or were turned back, are late no more."""
    for code in ("labels.late", "labels.late_back"):
        settle_notices(
            actor=actor,
            at=at,
            subject=("label_shipment", shipment.pk),
            code=code,
            decision=shipment.get_state_display(),
            reason=reason,
        )


def _take(shipment: LabelShipment) -> LabelShipment:
    # The lock closes the race of two who receive one hand-over, and of receiving against turning back.
    locked = LabelShipment.objects.select_for_update(no_key=True, of=("self",))
    return locked.select_related("sender", "receiver").get(pk=shipment.pk)


def _tables_that_name(reels: Sequence[LabelReel]) -> list[str]:
    """Numbers of open weighing tables whose rows name blank labels of these reels."""
    row = IntakeRow.objects.filter(intake=OuterRef("intake"), row=OuterRef("row"))
    named = RowLabel.objects.filter(
        Exists(row), mark__reel__in=reels, mark__state=Mark.State.BLANK, intake__state=Intake.State.OPEN
    )
    return list(named.order_by("intake__number").values_list("intake__number", flat=True).distinct())


@transaction.atomic
def receive_reels(
    *, actor: User, at: datetime, shipment: LabelShipment, counts: Mapping[int, Counted]
) -> LabelShipment:
    """Receive every reel of a hand-over as counted, where it was sent or, turned back, where it came from.

    What is missing is lost from now on; the sender has to explain it, and of what was turned back both sides. Raises
    NotAllowed, SecondPersonNeeded, InvalidTransition, and BadInput naming the reels.
    """
    locked = _take(shipment)
    if locked.arrives_at_id not in offices_of(actor):
        raise NotAllowed
    if not locked.is_under_way:
        raise InvalidTransition(_("These labels were received before. Reload the page."))
    if locked.was_sent_by(actor):
        raise SecondPersonNeeded(
            _("You sent these labels or turned them back yourself, so another person must receive them.")
        )
    require_independent(actor, locked.sent_by_id, locked.turned_by_id, at=at)
    is_back = locked.state == LabelShipment.State.RETURNING
    lines = list(locked.lines.select_related("reel__series"))
    reels = {reel.pk: reel for reel in lock_reels(line.reel_id for line in lines)}
    missing = _missing_of(lines, counts)
    changes: list[Change] = []
    lost: list[Change] = []
    for line in lines:
        gone = len(missing.get(line.reel_id, ()))
        line.counted = line.sent - gone
        line.missing = write_places(missing.get(line.reel_id, ()))
        changes.append(Change(line.reel_id, LabelPlace.TRANSIT, locked.sender_id, gone - line.sent))
        changes.append(Change(line.reel_id, LabelPlace.OFFICE, locked.arrives_at_id, line.sent - gone))
        lost.append(Change(line.reel_id, LabelPlace.TRANSIT, locked.sender_id, -gone))
        lost.append(Change(line.reel_id, LabelPlace.LOST, locked.sender_id, gone))
    LabelShipmentLine.objects.bulk_update(lines, ["counted", "missing"])
    # The lost ones leave first: the blank labels of a reel are in one place at any moment.
    if any(missing.values()):
        _lose(actor, at, locked, lost, missing)
    if any(change.pieces for change in changes):
        move_labels(actor=actor, at=at, kind=LabelMovement.Kind.RECEIVED, changes=changes, reference=locked.number)
    locked.state = LabelShipment.State.RETURNED if is_back else LabelShipment.State.RECEIVED
    locked.received_by, locked.received_at = actor, at
    locked.save(update_fields=["state", "received_by", "received_at"])
    _record("labels.received", locked, actor, at, sum(line.counted or 0 for line in lines))
    _settle_late(locked, actor, at, locked.number)
    for side in (locked.sender, locked.receiver) if is_back else (locked.sender,):
        if not any(missing.values()):
            break
        raise_notice(
            at=at,
            kind=Notice.Kind.DISCREPANCY,
            code="labels.missing",
            organisation=side,
            subject=("label_shipment", locked.pk),
            actor=actor,
            number=locked.number,
            count=sum(map(len, missing.values())),
            places="; ".join(f"{reels[pk].number}: {write_places(gone)}" for pk, gone in missing.items() if gone),
        )
    return locked


def _missing_of(lines: Sequence[LabelShipmentLine], counts: Mapping[int, Counted]) -> dict[int, list[int]]:
    """Which places of each reel did not arrive. Raises BadInput where counts and places do not make what was sent."""
    wrong: dict[str, StrOrPromise] = {}
    missing: dict[int, list[int]] = {}
    for line in lines:
        said = counts.get(line.reel_id)
        if said is None:
            wrong[f"counted_{line.reel_id}"] = _("Count this reel.")
            continue
        gone = places_from(said.missing, line.reel, field=f"missing_{line.reel_id}")
        on_way = set(
            Mark.objects.filter(reel=line.reel_id, state=Mark.State.BLANK, place_on_reel__in=gone).values_list(
                "place_on_reel", flat=True
            )
        )
        if set(gone) - on_way or said.pieces + len(gone) != line.sent:
            # The count stays blind: the answer is the same for too many, too few, and places that were never sent.
            wrong[f"missing_{line.reel_id}"] = _(
                "Count and missing places do not make what was sent. Count again, and name the place of every label"
                " that is missing."
            )
        missing[line.reel_id] = gone
    if wrong:
        raise BadInput(fields=wrong)
    return missing


def _lose(
    actor: User, at: datetime, shipment: LabelShipment, changes: Sequence[Change], missing: Mapping[int, list[int]]
) -> None:
    reason = str(_("Missing on arrival, hand-over %(number)s") % {"number": shipment.number})
    move_labels(
        actor=actor,
        at=at,
        kind=LabelMovement.Kind.LOST,
        changes=changes,
        reference=shipment.number,
        reason=reason,
    )
    for reel, places in missing.items():
        codes = list(Mark.objects.filter(reel=reel, place_on_reel__in=places).values_list("code", flat=True))
        end_labels(codes, Mark.State.LOST)
        LabelReport.objects.bulk_create(
            [
                LabelReport(
                    mark_id=code,
                    kind=LabelPlace.LOST,
                    reason=reason,
                    office_id=shipment.sender_id,
                    reported_by=actor,
                    reported_at=at,
                )
                for code in sorted(codes)
            ]
        )


def _record(verb: str, shipment: LabelShipment, actor: User, at: datetime, count: int, **facts: object) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("label_shipment", shipment.pk),
        subject_name=shipment.number,
        organisation_id=shipment.arrives_at_id if verb == "labels.received" else shipment.sender_id,
        count=count,
        source=shipment.sender.name,
        target=shipment.receiver.name,
        **facts,
    )
