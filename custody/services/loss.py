"""Loss and theft: reported by one, held at once, settled by an act that another person approves.

Lock order: the report, its act, then what the ledger locks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import NO_REASON, is_reason, require_reason
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from core.rules.models import RuleCode
from core.rules.selectors import discrepancy_due_on, in_force
from custody.keeping import KEPT
from custody.models import LossAct, LossLine, LossReport
from ledger.models import (
    AccountKind,
    CustodyAccount,
    Handover,
    HandoverLine,
    Hold,
    Holding,
    MovementKind,
    Reservation,
    StockTake,
    StockTakeLine,
    StockTakeMember,
)
from ledger.selectors import stores_of
from ledger.services import ItemsNotThere, SecondPersonNeeded, lift_hold, move_items, place_hold, release_items
from ledger.services.locking import lock_items, lock_open
from registry.services import carry_out_found

Fields = dict[str, StrOrPromise]
MOST_NAMED = 10
LEAST_OF_PLACE = 3  # letters or digits


@dataclass(frozen=True, slots=True)
class Found:
    """What was read from an item that was found again, and the grams that the scale showed."""

    mark: str
    grams: int


class ReportedBefore(DomainError):
    """Some of the items are in a report that is not settled yet."""

    code = "reported-before"
    message = _("Some of these items were reported before, and that report is not settled yet.")


class NothingMissing(DomainError):
    """Nothing of this hand-over or stock-take is missing any more."""

    code = "nothing-missing"
    message = _("Nothing of this is missing any more.")


@transaction.atomic
def report_loss(
    *,
    actor: User,
    at: datetime,
    kind: LossReport.Kind,
    account: CustodyAccount,
    item_ids: Sequence[int],
    place: str,
    last_seen_on: date,
    noticed_on: date,
    circumstances: str,
    how_found: str,
    told: str,
    police_number: str = "",
    reference: str = "",
) -> LossReport:
    """Say that items are lost or stolen: they are held from this moment, and the authority is told.

    An investigator is told where and when, how it was noticed and who was `told` of it first. Raises NotAllowed,
    BadInput, ItemsNotThere, ReportedBefore; then nothing has changed.
    """
    if not can_report(actor, account):
        raise NotAllowed(_("You do not work in this place."))
    wrong = _untold(place=place, circumstances=circumstances, how_found=how_found, told=told)
    if noticed_on > day_of(at):
        wrong["noticed_on"] = _("This day lies in the future.")
    if last_seen_on > noticed_on:
        wrong["last_seen_on"] = _("The items were seen before their loss was noticed.")
    wanted = sorted(set(item_ids))
    if not wanted:
        wrong["items"] = _("Choose at least one item.")
    if wrong:
        raise BadInput(fields=wrong)
    # The lock closes the race against a dispatch, and of two reports of one item.
    lock_items(wanted)
    if Holding.objects.filter(account=account, item__in=wanted, pieces__gt=0).count() != len(wanted):
        raise ItemsNotThere
    if LossLine.objects.filter(item__in=wanted, outcome=LossLine.Outcome.OPEN).exists():
        raise ReportedBefore
    year = day_of(at).year
    days = in_force(RuleCode.LOSS_SEARCH, day_of(at)).value["days"]
    (serial,) = take_numbers(series="LR", year=year)
    report = LossReport.objects.create(
        number=f"LR{year % 100:02d}-{serial:06d}",
        kind=kind,
        account=account,
        place=place.strip(),
        last_seen_on=last_seen_on,
        noticed_on=noticed_on,
        search_until=day_of(at) + timedelta(days=days),
        circumstances=circumstances.strip(),
        how_found=how_found.strip(),
        told=told.strip(),
        police_number=police_number.strip(),
        reference=reference,
        reported_by=actor,
        reported_at=at,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO custody_lossline (report_id, item_id, outcome, found_mark) SELECT %s, item, 'open', ''"
            " FROM unnest(%s::bigint[]) AS item",
            [report.pk, wanted],
        )
    place_hold(actor=actor, at=at, item_ids=wanted, kind=Hold.Kind.LOSS, reference=report.number)
    _record(
        "loss.reported", report, actor=actor, at=at, pieces=len(wanted), reason=report.circumstances, note=reference
    )
    for body in _who_is_told(account):
        raise_notice(
            at=at,
            kind=Notice.Kind.ALERT,
            code="loss.reported",
            organisation=body,
            subject=("loss", report.pk),
            due_on=discrepancy_due_on(at),
            actor=actor,
            number=report.number,
            pieces=len(wanted),
            place=report.place,
        )
    return report


def _untold(*, place: str, circumstances: str, how_found: str, told: str) -> Fields:
    """What an investigator needs and the words of a report do not say."""
    wrong: Fields = {}
    for name, text in (("circumstances", circumstances), ("how_found", how_found)):
        if not is_reason(text):
            wrong[name] = NO_REASON
    if sum(sign.isalnum() for sign in place) < LEAST_OF_PLACE:
        wrong["place"] = _("Say where the items were: building, room, shelf, or stretch of the road.")
    if not is_reason(told):
        wrong["told"] = _("Say who was told: name, post and office.")
    return wrong


def _who_is_told(account: CustodyAccount) -> Iterable[Organisation]:
    """The authority; and the keeper itself where there is none."""
    authority = Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk")[:1]
    return authority or Organisation.objects.filter(custody_accounts=account)


def is_reported(item_id: int) -> bool:
    """True while the item is in a report that is not settled."""
    return LossLine.objects.filter(item=item_id, outcome=LossLine.Outcome.OPEN).exists()


def can_report(user: User, account: CustodyAccount) -> bool:
    """Whether the person works with goods of this place, or of the keeper whose goods are on their way."""
    return stores_of(user, Can.REPORT_LOSS, kinds=(*KEPT, AccountKind.TRANSIT)).filter(pk=account.pk).exists()


def missing_of_handover(handover: Handover) -> list[int]:
    """Items that were dispatched, did not arrive, and are still in transit."""
    missing = HandoverLine.objects.filter(handover=handover, outcome=HandoverLine.Outcome.MISSING).values("item")
    there = Holding.objects.filter(account=handover.transit_id, item__in=missing, pieces__gt=0)
    return list(there.order_by("item_id").values_list("item_id", flat=True))


def missing_of_stocktake(stocktake: StockTake) -> list[int]:
    """Items that a stock-take did not find and that are still booked in its store."""
    missing = StockTakeLine.objects.filter(stocktake=stocktake, outcome=StockTakeLine.Outcome.MISSING).values("item")
    there = Holding.objects.filter(account=stocktake.account_id, item__in=missing, pieces__gt=0)
    return list(there.order_by("item_id").values_list("item_id", flat=True))


@transaction.atomic
def note_police(*, actor: User, at: datetime, report: LossReport, police_number: str) -> LossReport:
    """Add the number under which the police were told. Raises NotAllowed, BadInput."""
    report = _take_in_hand(report)
    if not can_report(actor, report.account):
        raise NotAllowed
    if not police_number.strip():
        raise BadInput(fields={"police_number": _("Fill this in.")})
    report.police_number = police_number.strip()
    report.save(update_fields=["police_number"])
    _record("loss.police_noted", report, actor=actor, at=at, reference=report.police_number)
    return report


@transaction.atomic
def propose_act(
    *,
    actor: User,
    at: datetime,
    report: LossReport,
    kind: LossAct.Kind,
    item_ids: Sequence[int],
    reason: str,
    target: CustodyAccount | None = None,
    no_police_reason: str = "",
    early_reason: str = "",
    found: Mapping[int, Found] | None = None,
) -> LossAct:
    """Propose that items were found again, and where they go, or that they are written off. Another person decides.

    What was declared missing on the way or by a stock-take is `found` by its mark and its mass, each item.
    A write-off stands on the number under which the police were told and on a search that is over; whoever has not
    one of the two says why. Raises NotAllowed, BadInput, and InvalidTransition while another act of the report waits.
    """
    report = _take_in_hand(report)
    if not can_report(actor, report.account):
        raise NotAllowed
    if report.acts.filter(state=LossAct.State.PROPOSED).exists():
        raise InvalidTransition(_("Another act of this report waits for a second person."))
    wrong: Fields = {}
    if not is_reason(reason):
        wrong["reason"] = NO_REASON
    wanted = sorted(set(item_ids))
    if not wanted:
        wrong["items"] = _("Choose at least one item.")
    if kind == LossAct.Kind.RECOVERY:
        if target is None or not places_for_found(report).filter(pk=target.pk).exists():
            wrong["target"] = _("Choose the store where the items are now.")
        if declared_missing(report, wanted) - set(found or {}):
            wrong["found"] = _("This was declared missing: read the mark of every item and weigh it.")
        no_police_reason = early_reason = ""
    else:
        wrong |= _without_grounds(report, at, no_police_reason, early_reason)
    if wrong:
        raise BadInput(fields=wrong)
    lines = report.lines.filter(outcome=LossLine.Outcome.OPEN, item__in=wanted)
    if lines.count() != len(wanted):
        raise InvalidTransition(_("Some of these items were settled meanwhile. Reload the page."))
    year = day_of(at).year
    series = "FA" if kind == LossAct.Kind.RECOVERY else "WO"
    (serial,) = take_numbers(series=series, year=year)
    act = LossAct.objects.create(
        number=f"{series}{year % 100:02d}-{serial:06d}",
        report=report,
        kind=kind,
        reason=reason.strip(),
        target=target if kind == LossAct.Kind.RECOVERY else None,
        no_police_reason="" if report.police_number else no_police_reason.strip(),
        early_reason=early_reason.strip() if is_searched_for(report, at) else "",
        proposed_by=actor,
        proposed_at=at,
    )
    lines.update(act=act)
    for item, seen in sorted((found or {}).items()):
        if kind == LossAct.Kind.RECOVERY and item in wanted:
            act.lines.filter(item=item).update(found_mark=seen.mark[:80], found_g=seen.grams)
    _record("loss.act_proposed", report, actor=actor, at=at, number=act.number, pieces=len(wanted), reason=act.reason)
    return act


def declared_missing(report: LossReport, item_ids: Iterable[int]) -> set[int]:
    """Which of these were declared missing, when a load arrived or by a stock-take of the place."""
    wanted = list(item_ids)
    on_way = HandoverLine.objects.filter(
        handover__transit=report.account_id, item__in=wanted, outcome=HandoverLine.Outcome.MISSING
    )
    counted = StockTakeLine.objects.filter(
        stocktake__account=report.account_id, item__in=wanted, outcome=StockTakeLine.Outcome.MISSING
    )
    return {*on_way.values_list("item_id", flat=True), *counted.values_list("item_id", flat=True)}


def who_declared(report: LossReport, item_ids: Iterable[int]) -> set[int]:
    """Who sent, turned back or counted the load that missed these, and who sat in the commission that did."""
    wanted = list(item_ids)
    loads = Handover.objects.filter(
        transit=report.account_id, lines__item__in=wanted, lines__outcome=HandoverLine.Outcome.MISSING
    )
    people = {key for row in loads.values_list("dispatched_by", "turned_by", "closed_by") for key in row if key}
    counts = StockTakeLine.objects.filter(
        stocktake__account=report.account_id, item__in=wanted, outcome=StockTakeLine.Outcome.MISSING
    )
    seats = StockTakeMember.objects.filter(stocktake__in=counts.values("stocktake"))
    return people | set(seats.values_list("person_id", flat=True))


def is_searched_for(report: LossReport, at: datetime) -> bool:
    """True until the last day of the search by the rule."""
    return report.search_until is not None and day_of(at) < report.search_until


def _without_grounds(report: LossReport, at: datetime, no_police_reason: str, early_reason: str) -> Fields:
    """What a write-off does not say though it must."""
    wrong: Fields = {}
    if not report.police_number and not is_reason(no_police_reason):
        wrong["no_police_reason"] = _(
            "Note the number of the police first, or say why there is none: two words and ten letters at least."
        )
    if is_searched_for(report, at) and not is_reason(early_reason):
        wrong["early_reason"] = _(
            "Search until %(day)s, or say why it ends earlier: two words and ten letters at least."
        ) % {"day": f"{report.search_until:%d.%m.%Y}"}
    return wrong


def places_for_found(report: LossReport) -> QuerySet[CustodyAccount]:
    """Found goods return to the place they were booked in; what was on its way, to a place of either side."""
    if report.account.kind != AccountKind.TRANSIT:
        return CustodyAccount.objects.filter(pk=report.account_id)
    on_way = HandoverLine.objects.filter(handover__transit=report.account_id, item__in=report.lines.values("item"))
    latest = on_way.order_by("item", "-handover").distinct("item").values("handover")
    sides = Handover.objects.filter(pk__in=latest).values_list("source__custodian", "target__custodian")
    keepers = {keeper for pair in sides for keeper in pair}
    return CustodyAccount.objects.filter(kind__in=KEPT, is_active=True, custodian__in=keepers).order_by("code")


def can_decide(user: User, act: LossAct) -> bool:
    """Who is the second person: a write-off is approved by the authority, a recovery also by a colleague."""
    if user.can(Can.APPROVE_WRITE_OFF):
        return True
    return act.kind == LossAct.Kind.RECOVERY and can_report(user, act.report.account)


@transaction.atomic
def approve_act(*, actor: User, at: datetime, act: LossAct) -> LossAct:
    """Settle the items of an act: found ones are free again and back in a store, others leave the register as lost.

    A right for which a lost item was reserved ends for it. The paper is drawn when it is first asked for. Raises
    SecondPersonNeeded, NotAllowed, InvalidTransition, StoreClosed.
    """
    act = _lock_act(act)
    _require_second(actor, act)
    require_independent(actor, act.proposed_by_id, act.report.reported_by_id, at=at)
    report = act.report
    recovered = act.kind == LossAct.Kind.RECOVERY
    if not recovered and not report.police_number and not act.no_police_reason:
        raise InvalidTransition(_("Neither a number of the police nor a reason why there is none is noted."))
    if recovered:
        _require_third(actor, act)
    if act.target is not None:
        lock_open(act.target)
    lines = list(act.lines.filter(outcome=LossLine.Outcome.OPEN).values_list("item_id", flat=True).order_by("item_id"))
    act.state, act.decided_by, act.decided_at = LossAct.State.APPROVED, actor, at
    act.save(update_fields=["state", "decided_by", "decided_at"])
    outcome = LossLine.Outcome.RECOVERED if recovered else LossLine.Outcome.WRITTEN_OFF
    act.lines.filter(outcome=LossLine.Outcome.OPEN).update(outcome=outcome)
    for kind in (Hold.Kind.LOSS, Hold.Kind.MISSING, Hold.Kind.IN_TRANSIT):
        lift_hold(actor=actor, at=at, item_ids=lines, kind=kind, reason=act.number)
    if recovered:
        if act.target_id != report.account_id and act.target is not None:
            _move(actor, at, act, lines, act.target)
        carry_out_found(actor=actor, at=at, item_ids=lines)
        _tell_odd_masses(actor, at, act)
    else:
        _let_go(actor, at, act, lines)
        _move(actor, at, act, lines, CustodyAccount.objects.boundary(AccountKind.LOSS))
    _record(
        "loss.recovered" if recovered else "loss.written_off",
        report,
        actor=actor,
        at=at,
        number=act.number,
        pieces=len(lines),
        reason=act.reason,
    )
    if not report.lines.filter(outcome=LossLine.Outcome.OPEN).exists():
        settle_notices(
            actor=actor,
            at=at,
            subject=("loss", report.pk),
            code="loss.reported",
            decision=act.get_kind_display(),
            reason=act.reason,
        )
    return act


def odd_masses(act: LossAct) -> list[LossLine]:
    """What weighs otherwise than the register says by more than the rule lets pass: perhaps another thing."""
    percent = in_force(RuleCode.HANDOVER_MASS, day_of(act.proposed_at)).value["percent"]
    weighed = act.lines.filter(found_g__isnull=False).select_related("item__derivative")
    booked = dict(Holding.objects.filter(item__in=weighed.values("item"), pieces__gt=0).values_list("item_id", "grams"))
    return [
        line
        for line in weighed
        if abs((line.found_g or 0) - booked.get(line.item_id, 0)) * 100 > booked.get(line.item_id, 0) * percent
    ]


def _tell_odd_masses(actor: User, at: datetime, act: LossAct) -> None:
    odd = odd_masses(act)
    keeper = act.target.custodian if act.target else None
    if odd and keeper is not None:
        raise_notice(
            at=at,
            kind=Notice.Kind.DISCREPANCY,
            code="loss.mass_differs",
            organisation=keeper,
            subject=("loss", act.report_id),
            due_on=discrepancy_due_on(at),
            actor=actor,
            number=act.number,
            pieces=len(odd),
            items=", ".join(f"{line.item.derivative.number} {line.found_g} g" for line in odd[:MOST_NAMED]),
        )


def _let_go(actor: User, at: datetime, act: LossAct, items: list[int]) -> None:
    """What else kept the items where they are ends with them."""
    promised = Reservation.objects.active().filter(item__in=items)
    for reference in sorted(set(promised.values_list("reference", flat=True))):
        release_items(at=at, reference=reference, item_ids=items)
    kinds = set(Hold.objects.active().filter(item__in=items).values_list("kind", flat=True))
    for kind in sorted(kinds - {Hold.Kind.EVIDENCE}):
        lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind(kind), reason=act.number)


def _move(actor: User, at: datetime, act: LossAct, items: list[int], target: CustodyAccount) -> None:
    recovered = act.kind == LossAct.Kind.RECOVERY
    reserved = Reservation.objects.active().filter(item__in=items).values_list("item_id", "reference")
    by_right: dict[str, list[int]] = {}
    rights = dict(reserved)
    for item in items:
        by_right.setdefault(rights.get(item, ""), []).append(item)
    for number, (under, moved) in enumerate(sorted(by_right.items())):
        move_items(
            actor=actor,
            at=at,
            key=f"loss:{act.pk}:{number}",
            kind=MovementKind.RECOVERY if recovered else MovementKind.WRITE_OFF,
            item_ids=moved,
            source=act.report.account,
            target=target,
            effective_on=day_of(at),
            reference=act.number,
            under=under,
        )


@transaction.atomic
def refuse_act(*, actor: User, at: datetime, act: LossAct, reason: str) -> LossAct:
    """Do not approve an act; the items stay reported and held. Raises NotAllowed, InvalidTransition, BadInput."""
    reason = require_reason(reason)
    act = _lock_act(act)
    if act.state != LossAct.State.PROPOSED:
        raise InvalidTransition
    if act.proposed_by_id != actor.pk and not can_decide(actor, act):
        raise NotAllowed
    act.state, act.decided_by, act.decided_at = LossAct.State.REFUSED, actor, at
    act.decide_reason = reason[:500]
    act.save(update_fields=["state", "decided_by", "decided_at", "decide_reason"])
    act.lines.filter(outcome=LossLine.Outcome.OPEN).update(act=None, found_mark="", found_g=None)
    _record("loss.act_refused", act.report, actor=actor, at=at, number=act.number, reason=act.decide_reason)
    return act


def _require_second(actor: User, act: LossAct) -> None:
    if act.state != LossAct.State.PROPOSED:
        raise InvalidTransition
    if act.proposed_by_id == actor.pk:
        raise SecondPersonNeeded(_("Another person must approve this: you proposed it yourself."))
    if not can_decide(actor, act):
        raise NotAllowed(_("The authority approves a write-off."))


def _require_third(actor: User, act: LossAct) -> None:
    """What two declared missing does not come back by the same two, nor unseen."""
    items = list(act.lines.values_list("item_id", flat=True))
    declared = declared_missing(act.report, items)
    if not declared:
        return
    if act.lines.filter(item__in=declared, found_g=None).exists():
        raise InvalidTransition(
            _("The act says neither the mark nor the mass of what was found. Refuse it, and propose it anew.")
        )
    if actor.pk in who_declared(act.report, declared):
        raise SecondPersonNeeded(
            _(
                "You sent these goods or declared them missing: a third person approves that they are found, a"
                " colleague who did neither, or the authority."
            )
        )


def _lock_act(act: LossAct) -> LossAct:
    """The act with its report, both locked: closes the race of two decisions on one act."""
    LossReport.objects.select_for_update(no_key=True).get(pk=act.report_id)
    LossAct.objects.select_for_update(no_key=True).get(pk=act.pk)
    return LossAct.objects.select_related("report__account", "target").get(pk=act.pk)


def _take_in_hand(report: LossReport) -> LossReport:
    LossReport.objects.select_for_update(no_key=True).get(pk=report.pk)
    return LossReport.objects.select_related("account").get(pk=report.pk)


def _record(verb: str, report: LossReport, *, actor: User, at: datetime, **facts: object) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("loss", report.pk),
        subject_name=report.number,
        organisation_id=report.account.custodian_id,
        **facts,
    )
