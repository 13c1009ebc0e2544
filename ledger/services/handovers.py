"""Hand-overs: one person dispatches, another accepts; what is turned back is counted where it came from.

Lock order: the hand-over, the stores, holdings by item, boxes by key, totals.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.accounts.identity import problem_of_name
from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition
from core.base.reasons import is_reason, require_reason
from core.documents.models import Document
from core.documents.services import keep_document, take_numbers
from core.documents.signatures import require_drawn
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, discrepancy_due_on, in_force
from ledger.models import (
    MOST_GRAMS,
    AccountKind,
    Box,
    CustodyAccount,
    Handover,
    HandoverLine,
    HandoverSeal,
    HandoverSignature,
    Hold,
    MovementKind,
    Packing,
    Posting,
    Reservation,
)
from ledger.sampling import draw
from ledger.selectors import items_in_boxes
from ledger.services.boxes import open_seal
from ledger.services.holding import lift_hold, place_hold
from ledger.services.locking import lock_items, lock_open
from ledger.services.moving import move_items
from ledger.services.refusals import (
    BeingReceived,
    BoxIsSealed,
    BoxNotSealed,
    NotInHandover,
    OddOnArrival,
    SealKnown,
    SecondPersonNeeded,
    WeighedBefore,
)

# For a load that comes back on a day without a rule.
DEFAULT_HOURS = 72
# From which kind of place to which: what is in a store does not become evidence by being sent.
_WAYS = frozenset(
    {
        (AccountKind.STORE, AccountKind.STORE),
        (AccountKind.EVIDENCE, AccountKind.EVIDENCE),
        (AccountKind.EVIDENCE, AccountKind.STORE),
    }
)
_NOT_INTACT = (HandoverSeal.State.BROKEN, HandoverSeal.State.GONE)


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
    carried_by: str = "",
    escort: str = "",
    route: str = "",
    seals: str = "",
    expected_at: datetime | None = None,
    signature: bytes | None = None,
) -> Handover:
    """Send items towards another account: they are in transit until the receiver accepts them.

    `seals` are the numbers on the load, with commas between; `signature` is what the sender drew on the screen, a PNG.
    Boxes go with what is in them; the seals of the sealed ones are looked at on arrival like those of the load. The
    load goes in a vehicle with a driver, or `carried_by` somebody by hand. It should arrive at `expected_at`, or in the
    time that the rule of the day gives. Evidence that nothing holds any more may go to a store; a store's goods never
    become evidence this way. A repeated `key` returns the first hand-over. Raises BadInput, and what `move_items`
    raises.
    """
    if (source.kind, target.kind) not in _WAYS:
        raise BadInput(_("Goods are handed over from a store to a store, or out of an evidence room."))
    if source.pk == target.pk:
        raise BadInput(fields={"target": _("Choose another store.")})
    vehicle, driver, carried_by = vehicle.strip(), driver.strip(), carried_by.strip()
    # Both stores stay open until the load is on its way: one is not closed while its last goods leave, nor before they
    # arrive.
    lock_open(source, target)
    earlier = Handover.objects.filter(dispatch_movement__key=key).first()
    if earlier is None:
        expected_at = _moment_of_arrival(expected_at, at=at)
        _require_carrier(vehicle, driver, carried_by)
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
        carried_by=carried_by,
        escort=escort,
        route=route,
        seals=", ".join(numbers := seal_numbers(seals)),
        expected_at=expected_at,
        due_at=expected_at,
        dispatched_by=actor,
        dispatched_at=at,
        dispatch_movement=movement,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_handoverline (handover_id, item_id, box_id, outcome, reason, weigh_reason, in_sample)"
            " SELECT %s, p.item_id, k.box_id, 'pending', '', '', false FROM ledger_posting p"
            " LEFT JOIN ledger_packing k ON k.item_id = p.item_id AND k.taken_out_at IS NULL"
            " WHERE p.movement_id = %s AND p.pieces > 0",
            [handover.pk, movement.pk],
        )
        count = cursor.rowcount
    _list_seals(handover, numbers)
    _sign(handover, HandoverSignature.Side.SENDER, actor=actor, at=at, picture=signature)
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


def _moment_of_arrival(said: datetime | None, *, at: datetime) -> datetime:
    """When a load that sets out should arrive: what was said, or the time of the rule. Raises BadInput."""
    term = _term(day_of(at))
    if said is None:
        if term is None:
            raise BadInput(fields={"expected_at": _("Say when it should arrive.")})
        return at + timedelta(hours=term["hours"])
    if said <= at:
        raise BadInput(fields={"expected_at": _("It arrives after it sets out: choose a later moment.")})
    if term is not None and said > at + timedelta(hours=term["most_hours"]):
        words = ngettext(
            "The rule gives a load at most %(hours)d hour.",
            "The rule gives a load at most %(hours)d hours.",
            term["most_hours"],
        )
        raise BadInput(fields={"expected_at": words % {"hours": term["most_hours"]}})
    return said


def usual_arrival(at: datetime) -> datetime | None:
    """When a load that sets out now should arrive by the rule of the day; None where no rule is in force."""
    term = _term(day_of(at))
    return at + timedelta(hours=term["hours"]) if term else None


def _term(on: date) -> dict[str, int] | None:
    try:
        value: dict[str, int] = in_force(RuleCode.HANDOVER_TERM, on).value
    except NoRuleInForce:
        return None
    return value


def _require_carrier(vehicle: str, driver: str, carried_by: str) -> None:
    named = {"driver": driver, "carried_by": carried_by}
    wrong = {field: problem for field, name in named.items() if name and (problem := problem_of_name(name))}
    said = {} if carried_by else {"vehicle": vehicle, "driver": driver}
    wrong |= {name: _("Name the vehicle and its driver, or who carries it by hand.") for name in said if not said[name]}
    if wrong:
        raise BadInput(fields=wrong)


def _list_seals(handover: Handover, numbers: Iterable[str]) -> None:
    """The seals of the load, then those of its boxes and pallets; one that was told for both is the box's, once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (s.seal_number) s.seal_number, s.id, ledger_seal_folded(s.seal_number)
            FROM (SELECT DISTINCT box_id FROM ledger_handoverline WHERE handover_id = %s AND box_id IS NOT NULL) l
            JOIN ledger_box b ON b.id = l.box_id
            JOIN ledger_box s ON s.id = b.id OR s.id = b.parent_id
            WHERE s.seal_number <> ''
            ORDER BY s.seal_number, s.id
            """,
            [handover.pk],
        )
        seals = {
            folded: HandoverSeal(handover=handover, number=number, box_id=box)
            for number, box, folded in cursor.fetchall()
        }
        cursor.execute("SELECT number, ledger_seal_folded(number) FROM unnest(%s::text[]) AS number", [list(numbers)])
        for number, folded in cursor.fetchall():
            seals.setdefault(folded, HandoverSeal(handover=handover, number=number))
    try:
        with transaction.atomic():
            HandoverSeal.objects.bulk_create(sorted(seals.values(), key=lambda seal: seal.box_id is not None))
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) != "seal_is_on_one_load":
            raise
        raise SealKnown(
            fields={"seals": _("One of these seals is on another load or was on a box. Look at the numbers again.")}
        ) from error


def seal_numbers(text: str) -> list[str]:
    """The numbers in a list with commas between, each once, in its order. Raises BadInput for one that is too long."""
    numbers = list(dict.fromkeys(number for part in text.split(",") if (number := " ".join(part.split()))))
    if any(len(number) > 40 for number in numbers):
        raise BadInput(fields={"seals": _("The number of a seal has at most 40 letters. Put commas between them.")})
    return numbers


def _sign(
    handover: Handover, side: HandoverSignature.Side, *, actor: User, at: datetime, picture: bytes | None
) -> HandoverSignature:
    """Note who signed for one side; what was drawn on the screen is kept as it was drawn."""
    kept = None
    if picture is not None:
        require_drawn(picture)
        name = f"{handover.number}-{side}.png"
        kept = keep_document(actor=actor, at=at, kind=Document.Kind.OTHER, name=name, content=picture)
    return HandoverSignature.objects.create(handover=handover, side=side, signed_by=actor, signed_at=at, picture=kept)


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
def scan_box_received(*, actor: User, at: datetime, handover: Handover, box: Box) -> tuple[int, int]:
    """Take a sealed box, or a pallet, as received with all that is in it; how many items, and how many of them new.

    An open box is not taken by its number: its items are scanned one by one. Raises BoxNotSealed, NotInHandover,
    SecondPersonNeeded, InvalidTransition.
    """
    _receivable(handover, actor)
    # The share lock keeps the seal from being opened between the question and the answer.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_box WHERE id = %s OR parent_id = %s ORDER BY id FOR SHARE", [box.pk] * 2)
    box.refresh_from_db()
    if not box.is_sealed and not (box.is_pallet and not _open_boxes_on(box)):
        raise BoxNotSealed
    inside = items_in_boxes([box.pk]).get(box.pk, [])
    lines = HandoverLine.objects.filter(handover=handover, item__in=inside)
    if not inside or lines.count() != len(inside):
        raise NotInHandover(_("This box is not in this hand-over."))
    fresh = lines.filter(scanned_at=None).update(outcome=HandoverLine.Outcome.RECEIVED, scanned_by=actor, scanned_at=at)
    return len(inside), fresh


def _open_boxes_on(pallet: Box) -> bool:
    """True when a box on the pallet has something in it and no seal."""
    return Box.objects.filter(
        parent=pallet, seal_number="", packings__taken_out_at=None, packings__isnull=False
    ).exists()


@transaction.atomic
def open_arrived_box(
    *,
    actor: User,
    at: datetime,
    handover: Handover,
    box: Box,
    reason: str,
    seal: HandoverSeal.State = HandoverSeal.State.BROKEN,
) -> Box:
    """Open the seal of a box on arrival, because it is broken or to look inside: its items are scanned one by one.

    `seal` says how it was found. What was received by the number of the box is to be scanned again. Raises what
    open_seal raises, BadInput.
    """
    _receivable(handover, actor)
    if seal == HandoverSeal.State.UNCHECKED:
        raise BadInput(fields={"seal": _("Say how the seal was found.")})
    inside = items_in_boxes([box.pk]).get(box.pk, [])
    lines = HandoverLine.objects.filter(handover=handover, item__in=inside)
    if not inside or lines.count() != len(inside):
        raise NotInHandover(_("This box is not in this hand-over."))
    opened = open_seal(actor=actor, at=at, box=box, reason=reason)
    HandoverSeal.objects.filter(handover=handover, box=box).update(state=seal, checked_by=actor, checked_at=at)
    lines.update(outcome=HandoverLine.Outcome.PENDING, scanned_by=None, scanned_at=None)
    return opened


@transaction.atomic
def check_seals(*, actor: User, at: datetime, handover: Handover, found: Mapping[int, HandoverSeal.State]) -> None:
    """Note how the receiver found the seals of the load, by key. Raises InvalidTransition, SecondPersonNeeded."""
    _receivable(handover, actor)
    _note_seals(handover, found, actor=actor, at=at)


def _note_seals(handover: Handover, found: Mapping[int, HandoverSeal.State], *, actor: User, at: datetime) -> None:
    for state in HandoverSeal.State:
        keys = [key for key, said in found.items() if said == state]
        is_known = state != HandoverSeal.State.UNCHECKED
        HandoverSeal.objects.filter(handover=handover, pk__in=keys).exclude(state=state).update(
            state=state, checked_by=actor if is_known else None, checked_at=at if is_known else None
        )


@transaction.atomic
def draw_weighing_sample(*, actor: User, at: datetime, handover: Handover, size: int) -> Handover:
    """Choose by a published seed which items the receiver weighs. Drawn once; raises InvalidTransition, BadInput."""
    handover = Handover.objects.select_for_update(no_key=True).get(pk=handover.pk)
    if not handover.is_under_way or handover.sample_size:
        raise InvalidTransition
    if handover.was_sent_by(actor):
        raise SecondPersonNeeded
    items = list(HandoverLine.objects.filter(handover=handover).order_by("item_id").values_list("item_id", flat=True))
    if not 1 <= size <= len(items):
        raise BadInput(fields={"size": _("From 1 to %(most)d.") % {"most": len(items)}})
    seed = secrets.token_hex(8)
    chosen = draw(items, seed=seed, count=size)
    HandoverLine.objects.filter(handover=handover, item__in=chosen).update(in_sample=True)
    handover.sample_seed, handover.sample_size = seed, size
    handover.save(update_fields=["sample_seed", "sample_size"])
    record(
        "handover.sample_drawn",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=handover.arrives_at.custodian_id,
        seed=seed,
        size=size,
        of=len(items),
    )
    return handover


@transaction.atomic
def weigh_received(
    *,
    actor: User,
    at: datetime,
    handover: Handover,
    item_id: int,
    grams: int,
    confirmed: bool = False,
    reason: str = "",
) -> HandoverLine:
    """Note what an item weighed on arrival; whoever weighs it has it in hand, so it is received.

    It stays what the ledger says; a difference beyond the rule is told, and is taken only when it is `confirmed`. A
    second mass needs a `reason`, and the first one is kept beside it; a reason given with the first is kept too.
    Raises NotInHandover, BadInput, OddOnArrival, WeighedBefore, SecondPersonNeeded, InvalidTransition.
    """
    _receivable(handover, actor)
    if not 0 < grams <= MOST_GRAMS:
        raise BadInput(fields={"grams": _("Enter what the scale shows, in whole grams.")})
    line = HandoverLine.objects.select_for_update().filter(handover=handover, item_id=item_id).first()
    if line is None:
        raise NotInHandover
    if line.weighed_g == grams:
        return line
    if line.weighed_g is not None and not is_reason(reason):
        words = _("It was weighed before, at %(grams)d g. Say why it weighs otherwise now: two words at least.")
        raise WeighedBefore(fields={"reason": words % {"grams": line.weighed_g}})
    sent = Posting.objects.get(movement=handover.dispatch_movement_id, item=item_id, pieces__gt=0).grams
    if not confirmed and abs(grams - sent) * 100 > sent * _tolerated_percent(day_of(at)):
        words = _("Sent %(sent)d g, weighs %(found)d g. Confirm that the scale shows this.")
        raise OddOnArrival(fields={"confirmed": words % {"sent": sent, "found": grams}})
    changed = ["weighed_g", "weighed_by", "weighed_at"]
    if line.weighed_g is not None:
        _record_weighed_again(handover, line, grams, actor=actor, at=at, reason=reason.strip())
        line.weigh_reason = reason.strip()[:300]
        if line.first_weighed_g is None:
            line.first_weighed_g = line.weighed_g
        changed += ["weigh_reason", "first_weighed_g"]
    elif reason.strip():
        line.weigh_reason = reason.strip()[:300]
        changed.append("weigh_reason")
    line.weighed_g, line.weighed_by, line.weighed_at = grams, actor, at
    if line.scanned_at is None:
        line.outcome, line.scanned_by, line.scanned_at = HandoverLine.Outcome.RECEIVED, actor, at
        changed += ["outcome", "scanned_by", "scanned_at"]
    line.save(update_fields=changed)
    return line


def _record_weighed_again(
    handover: Handover, line: HandoverLine, grams: int, *, actor: User, at: datetime, reason: str
) -> None:
    record(
        "handover.weighed_again",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=handover.arrives_at.custodian_id,
        item=line.item_id,
        before_g=line.weighed_g,
        after_g=grams,
        reason=reason,
    )


@transaction.atomic
def unscan_received(*, actor: User, handover: Handover, item_id: int) -> None:
    """Take one's own scan back before acceptance; what was weighed has been in hand and stays."""
    _receivable(handover, actor)
    HandoverLine.objects.filter(handover=handover, item_id=item_id, scanned_by=actor, weighed_at=None).update(
        outcome=HandoverLine.Outcome.PENDING, scanned_by=None, scanned_at=None
    )


def _receivable(handover: Handover, actor: User) -> Handover:
    """The hand-over locked against being closed meanwhile; only the receiving side may go on."""
    # A share lock lets many scans run at once; acceptance takes the exclusive one and waits for them.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_handover WHERE id = %s FOR SHARE", [handover.pk])
    handover.refresh_from_db()
    if not handover.is_under_way:
        raise InvalidTransition
    if handover.was_sent_by(actor):
        raise SecondPersonNeeded
    return handover


@dataclass(frozen=True, slots=True)
class OffMass:
    """An item that weighed otherwise on arrival than when it was sent, by more than the rule lets pass."""

    item_id: int
    sent_g: int
    weighed_g: int


def find_off_masses(handover: Handover, on: date) -> list[OffMass]:
    """Items whose mass on arrival differs by more than the rule in force on the day; any difference if none is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH weighed AS MATERIALIZED (
                SELECT item_id, weighed_g FROM ledger_handoverline WHERE handover_id = %s AND weighed_g IS NOT NULL
            )
            SELECT l.item_id, p.grams, l.weighed_g FROM weighed l
            JOIN ledger_posting p ON p.movement_id = %s AND p.item_id = l.item_id AND p.pieces > 0
            WHERE abs(l.weighed_g - p.grams) * 100 > p.grams * %s ORDER BY l.item_id
            """,
            [handover.pk, handover.dispatch_movement_id, _tolerated_percent(on)],
        )
        return [OffMass(*row) for row in cursor.fetchall()]


def _tolerated_percent(on: date) -> int:
    try:
        percent: int = in_force(RuleCode.HANDOVER_MASS, on).value["percent"]
    except NoRuleInForce:
        return 0
    return percent


@transaction.atomic
def accept_handover(
    *,
    actor: User,
    at: datetime,
    handover: Handover,
    difference_reason: str = "",
    reasons: Mapping[int, str] | None = None,
    seals: Mapping[int, HandoverSeal.State] | None = None,
    carrier_said: str = "",
    signature: bytes | None = None,
) -> Handover:
    """Take what was scanned into the store where it arrived: the receiver's, or the sender's own when it came back.

    What was not scanned stays in transit under a hold and becomes a discrepancy. `reasons` says of single items why
    they are missing or weigh otherwise; the rest go under `difference_reason`; `seals` says, by key, how the seals were
    found that nobody has looked at yet; `carrier_said`, what the driver did with the discrepancy act. What is missing
    from an open box is out of it from now on, so that the box arrives with what is in it. Raises InvalidTransition,
    SecondPersonNeeded, StoreClosed, BoxIsSealed when something is missing from a sealed box, BadInput when a seal was
    not looked at, when there is a difference and no reason is given, or when nothing was scanned at all.
    """
    # The row lock closes the race of acceptance against turning back, and of two acceptances.
    handover = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("source", "target", "transit")
        .get(pk=handover.pk)
    )
    if not handover.is_under_way:
        raise InvalidTransition
    if handover.was_sent_by(actor):
        raise SecondPersonNeeded
    require_independent(actor, handover.dispatched_by_id, handover.turned_by_id, at=at)
    store = handover.arrives_at
    lock_open(store)
    lines = HandoverLine.objects.filter(handover=handover)
    found = dict(lines.order_by().values_list("outcome").annotate(items=ArrayAgg("item_id", order_by="item_id")))
    received = found.get(HandoverLine.Outcome.RECEIVED, [])
    missing = found.get(HandoverLine.Outcome.PENDING, [])
    if missing:
        # Holdings before boxes: what is missing is taken out of its box below.
        lock_items(sorted([*received, *missing]))
    if not received:
        raise BadInput(_("Nothing has been scanned yet."))
    broken = _look_at_seals(handover, seals or {}, actor=actor, at=at)
    off = find_off_masses(handover, day_of(at))
    reason, given = difference_reason.strip(), {item: text.strip() for item, text in (reasons or {}).items()}
    differing = [*missing, *(mass.item_id for mass in off)]
    if not is_reason(reason) and (broken or not all(is_reason(given.get(item, "")) for item in differing)):
        text = _("Say what differs and why: two words and ten letters at least.")
        raise BadInput(fields={"difference_reason": text})
    _take_out_missing(missing, actor=actor, at=at)
    move_items(
        actor=actor,
        at=at,
        key=f"accept:{handover.pk}",
        kind=MovementKind.RETURN if handover.is_turned else MovementKind.ACCEPT,
        item_ids=received,
        source=handover.transit,
        target=store,
        effective_on=day_of(at),
        reference=handover.number,
        under=handover.under,
        gave=handover.dispatched_by,
        accepted=actor,
    )
    if missing:
        place_hold(actor=actor, at=at, item_ids=missing, kind=Hold.Kind.IN_TRANSIT, reference=handover.number)
    _note_reasons(handover, differing, given, reason)
    if missing:
        lines.filter(outcome=HandoverLine.Outcome.PENDING).update(outcome=HandoverLine.Outcome.MISSING)
    handover.state = Handover.State.RETURNED if handover.is_turned else Handover.State.ACCEPTED
    handover.closed_by, handover.closed_at = actor, at
    handover.difference_reason = reason or next((text for text in given.values() if text), "")
    handover.carrier_said = carrier_said
    handover.save(update_fields=["state", "closed_by", "closed_at", "difference_reason", "carrier_said"])
    _sign(handover, HandoverSignature.Side.RECEIVER, actor=actor, at=at, picture=signature)
    record(
        "handover.returned" if handover.is_turned else "handover.accepted",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=store.custodian_id,
        received=len(received),
        missing=len(missing),
        off_mass=len(off),
        broken_seals=broken,
    )
    _tell_differences(
        handover, actor=actor, at=at, missing=len(missing), received=len(received), off=off, broken=broken
    )
    return handover


def _look_at_seals(
    handover: Handover, found: Mapping[int, HandoverSeal.State], *, actor: User, at: datetime
) -> list[str]:
    """Note how the seals were found; the numbers of those that did not hold. Raises BadInput.

    Every seal is looked at. A box whose seal did not hold is opened, and its items are scanned one by one.
    """
    _note_seals(handover, found, actor=actor, at=at)
    seals = list(HandoverSeal.objects.filter(handover=handover).select_related("box"))
    unseen = [seal.number for seal in seals if seal.state == HandoverSeal.State.UNCHECKED]
    if unseen:
        unsaid = _("Say how each seal was found: %(seals)s") % {"seals": ", ".join(unseen[:20])}
        raise BadInput(fields={"seals": unsaid})
    broken = [seal for seal in seals if seal.state in _NOT_INTACT]
    for seal in broken:
        if seal.box is not None and seal.box.seal_number == seal.number:
            torn = _("The seal of box %(box)s did not hold: open the box and scan what is in it.")
            raise BoxIsSealed(torn % {"box": seal.box.shown})
    return [seal.number for seal in broken]


def _take_out_missing(missing: Sequence[int], *, actor: User, at: datetime) -> None:
    """What was sent in a box and is not in it is out of it from now on. Raises BoxIsSealed."""
    if not missing:
        return
    packed = Packing.objects.present().filter(item__in=missing)
    sealed = Box.objects.filter(packings__in=packed).exclude(seal_number="").first()
    if sealed is not None:
        raise BoxIsSealed(
            _("Something is missing from the sealed box %(box)s: open its seal first, say why, and scan what is in it.")
            % {"box": sealed.shown}
        )
    packed.update(taken_out_at=at, taken_out_by=actor)


def _note_reasons(handover: Handover, items: Sequence[int], given: Mapping[int, str], otherwise: str) -> None:
    """Write its reason to every line that differs, in one statement."""
    if items:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE ledger_handoverline l SET reason = w.reason"
                " FROM unnest(%s::bigint[], %s::text[]) AS w (item, reason)"
                " WHERE l.handover_id = %s AND l.item_id = w.item",
                [list(items), [(given.get(item) or otherwise)[:300] for item in items], handover.pk],
            )


def _tell_differences(
    handover: Handover,
    *,
    actor: User,
    at: datetime,
    missing: int,
    received: int,
    off: Sequence[OffMass],
    broken: Sequence[str],
) -> None:
    """Raise what the sender has to explain: one discrepancy for each sort of difference."""
    told: list[tuple[str, dict[str, Any]]] = []
    if missing:
        facts: dict[str, Any] = {"missing": missing, "sent": missing + received, "reason": handover.difference_reason}
        told.append(("handover.missing", facts))
    if off:
        told.append(("handover.mass", {"count": len(off), "reason": handover.difference_reason}))
    if broken:
        told.append(("handover.seals", {"seals": ", ".join(broken), "reason": handover.difference_reason}))
    if not told:
        return
    sender = Organisation.objects.get(custody_accounts=handover.source_id)
    for code, facts in told:
        raise_notice(
            at=at,
            kind=Notice.Kind.DISCREPANCY,
            code=code,
            organisation=sender,
            subject=("handover", handover.pk),
            due_on=discrepancy_due_on(at),
            actor=actor,
            number=handover.number,
            **facts,
        )


@transaction.atomic
def receive_later(*, actor: User, at: datetime, handover: Handover, item_ids: Sequence[int], reason: str) -> int:
    """Take in what was missing on arrival and has turned up: it comes off its hold and into the store it was sent to.

    Somebody else does so than who dispatched it, turned it back, or counted it, with the goods in hand. What was
    reported lost is found by an act of its report. How many items. Raises InvalidTransition, SecondPersonNeeded,
    NotInHandover, ItemsOnHold, BadInput.
    """
    reason = require_reason(reason)
    handover = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("source", "target", "transit")
        .get(pk=handover.pk)
    )
    if handover.state not in (Handover.State.ACCEPTED, Handover.State.RETURNED):
        raise InvalidTransition
    if handover.was_sent_by(actor):
        raise SecondPersonNeeded
    if handover.closed_by_id == actor.pk:
        raise SecondPersonNeeded(
            _(
                "You counted this load and said that this is missing: a colleague takes it in. Where there is none,"
                " report it lost; that it was found is then an act of two."
            )
        )
    require_independent(actor, handover.dispatched_by_id, handover.turned_by_id, handover.closed_by_id, at=at)
    store = handover.arrives_at
    lock_open(store)
    wanted = sorted(set(item_ids))
    lock_items(wanted)
    lines = HandoverLine.objects.filter(handover=handover, item__in=wanted, outcome=HandoverLine.Outcome.MISSING)
    if not wanted or lines.count() != len(wanted):
        raise NotInHandover(_("This is not missing from this hand-over."))
    if Hold.objects.active().filter(item__in=wanted, kind=Hold.Kind.LOSS).exists():
        raise InvalidTransition(_("Some of this was reported lost: the report is settled by an act."))
    lift_hold(actor=actor, at=at, item_ids=wanted, kind=Hold.Kind.IN_TRANSIT, reason=reason.strip()[:200])
    promised = dict(Reservation.objects.active().filter(item__in=wanted).values_list("item_id", "reference"))
    first = wanted[0]
    for under in sorted({promised.get(item, "") for item in wanted}):
        move_items(
            actor=actor,
            at=at,
            key=f"later:{handover.pk}:{first}:{under}"[:100],
            kind=MovementKind.ACCEPT,
            item_ids=[item for item in wanted if promised.get(item, "") == under],
            source=handover.transit,
            target=store,
            effective_on=day_of(at),
            reference=handover.number,
            under=under,
            gave=handover.dispatched_by,
            accepted=actor,
        )
    lines.update(outcome=HandoverLine.Outcome.LATER, scanned_by=actor, scanned_at=at)
    record(
        "handover.received_later",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=store.custodian_id,
        items=wanted[:200],
        pieces=len(wanted),
        reason=reason.strip(),
    )
    return len(wanted)


@transaction.atomic
def tell_late(*, at: datetime) -> int:
    """Alert both sides, once for each hand-over, about goods that should have arrived; how many hand-overs."""
    late = list(
        Handover.objects.late(at)
        .select_for_update(skip_locked=True, of=("self",))
        .filter(late_told_at=None)
        .select_related("source__custodian", "target__custodian", "dispatched_by")
        .order_by("pk")[:500]
    )
    for handover in late:
        sides = {side.pk: side for side in (handover.source.custodian, handover.target.custodian) if side is not None}
        for side in sides.values():
            raise_notice(
                at=at,
                kind=Notice.Kind.ALERT,
                code="handover.late_back" if handover.is_turned else "handover.late",
                organisation=side,
                subject=("handover", handover.pk),
                due_on=day_of(at),
                caused_by=handover.dispatched_by,
                number=handover.number,
                source=handover.source.code,
                target=handover.target.code,
            )
    Handover.objects.filter(pk__in=[handover.pk for handover in late]).update(late_told_at=at)
    return len(late)


@transaction.atomic
def turn_back(*, actor: User, at: datetime, handover: Handover, reason: str, despite_scans: bool = False) -> Handover:
    """Let a load on its way come back to the sending store: it is received there like any other, item by item.

    Once the other side has had something of it in hand it is accepted with its differences instead; `despite_scans`
    is for a load whose right has ended: what was in hand is noted. Raises InvalidTransition, BadInput.
    """
    reason = require_reason(reason)
    # The row lock closes the race against acceptance, and against a scan of the receiver.
    handover = Handover.objects.select_for_update(of=("self",)).select_related("source").get(pk=handover.pk)
    if handover.state != Handover.State.DISPATCHED:
        raise InvalidTransition
    in_hand = HandoverLine.objects.filter(handover=handover, scanned_at__isnull=False)
    seen = list(in_hand.order_by("item_id").values_list("item_id", flat=True))
    if seen and (not despite_scans or handover.dispatched_by_id == actor.pk):
        raise BeingReceived
    handover.state, handover.turned_by, handover.turned_at = Handover.State.RETURNING, actor, at
    handover.turn_reason, handover.late_told_at = reason.strip(), None
    handover.due_at = usual_arrival(at) or at + timedelta(hours=DEFAULT_HOURS)
    handover.save(update_fields=["state", "turned_by", "turned_at", "turn_reason", "late_told_at", "due_at"])
    in_hand.update(
        seen_by=F("scanned_by"),
        seen_at=F("scanned_at"),
        outcome=HandoverLine.Outcome.PENDING,
        scanned_by=None,
        scanned_at=None,
    )
    HandoverSeal.objects.filter(handover=handover).exclude(state=HandoverSeal.State.UNCHECKED).update(
        state=HandoverSeal.State.UNCHECKED, checked_by=None, checked_at=None
    )
    record(
        "handover.turned_back",
        actor=actor,
        at=at,
        subject=("handover", handover.pk),
        subject_name=handover.number,
        organisation_id=handover.source.custodian_id,
        reason=reason.strip(),
        in_hand=seen[:200],
    )
    return handover
