"""Loss and theft: reported by one, held at once, settled by an act that another person approves.

Lock order: the report, its act, then what the ledger locks.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.documents.acts import Language, save_act
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notice
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from custody.models import LossAct, LossLine, LossReport
from custody.papers import draw_loss_act
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
)
from ledger.services import ItemsNotThere, SecondPersonNeeded, lift_hold, move_items, place_hold, release_items
from ledger.services.locking import lock_items
from registry.services import carry_out_found

Fields = dict[str, StrOrPromise]
LANGUAGES: tuple[Language, ...] = ("kk", "ru")


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
    noticed_on: date,
    circumstances: str,
    police_number: str = "",
    reference: str = "",
) -> LossReport:
    """Say that items are lost or stolen: they are held from this moment, and the authority is told.

    Raises NotAllowed, BadInput, ItemsNotThere, ReportedBefore; then nothing has changed.
    """
    if not can_report(actor, account):
        raise NotAllowed(_("You do not work in this place."))
    wrong: Fields = {}
    if not circumstances.strip():
        wrong["circumstances"] = _("Say what happened.")
    if noticed_on > day_of(at):
        wrong["noticed_on"] = _("This day lies in the future.")
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
    (serial,) = take_numbers(series="LR", year=year)
    report = LossReport.objects.create(
        number=f"LR{year % 100:02d}-{serial:06d}",
        kind=kind,
        account=account,
        place=place.strip() or account.name,
        noticed_on=noticed_on,
        circumstances=circumstances.strip(),
        police_number=police_number.strip(),
        reference=reference,
        reported_by=actor,
        reported_at=at,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO custody_lossline (report_id, item_id, outcome) SELECT %s, item, 'open'"
            " FROM unnest(%s::bigint[]) AS item",
            [report.pk, wanted],
        )
    place_hold(actor=actor, at=at, item_ids=wanted, kind=Hold.Kind.LOSS, reference=report.number)
    _record(
        "loss.reported", report, actor=actor, at=at, pieces=len(wanted), reason=report.circumstances, note=reference
    )
    for told in _who_is_told(account):
        raise_notice(
            at=at,
            kind=Notice.Kind.ALERT,
            code="loss.reported",
            organisation=told,
            subject=("loss", report.pk),
            due_on=day_of(at) + timedelta(days=in_force(RuleCode.DISCREPANCY_DAYS, day_of(at)).value["days"]),
            actor=actor,
            number=report.number,
            pieces=len(wanted),
            place=report.place,
        )
    return report


def _who_is_told(account: CustodyAccount) -> Iterable[Organisation]:
    """The authority; and the keeper itself where there is none."""
    authority = Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk")[:1]
    return authority or Organisation.objects.filter(custody_accounts=account)


def is_reported(item_id: int) -> bool:
    """True while the item is in a report that is not settled."""
    return LossLine.objects.filter(item=item_id, outcome=LossLine.Outcome.OPEN).exists()


def can_report(user: User, account: CustodyAccount) -> bool:
    """Whether the person works with goods of this place, or of the keeper whose goods are on their way."""
    if not user.can(Can.REPORT_LOSS):
        return False
    return CustodyAccount.objects.worked_in_by(user).filter(pk=account.pk).exists()


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
) -> LossAct:
    """Propose that items were found again, and where they go, or that they are written off. Another person decides.

    Raises NotAllowed, BadInput, InvalidTransition while another act of the report waits, ReportedBefore.
    """
    report = _take_in_hand(report)
    if not can_report(actor, report.account):
        raise NotAllowed
    if report.acts.filter(state=LossAct.State.PROPOSED).exists():
        raise InvalidTransition(_("Another act of this report waits for a second person."))
    wrong: Fields = {}
    if not reason.strip():
        wrong["reason"] = _("Say why.")
    wanted = sorted(set(item_ids))
    if not wanted:
        wrong["items"] = _("Choose at least one item.")
    if kind == LossAct.Kind.RECOVERY and (target is None or not _may_come_to(report, target)):
        wrong["target"] = _("Choose the store where the items are now.")
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
        proposed_by=actor,
        proposed_at=at,
    )
    lines.update(act=act)
    _record("loss.act_proposed", report, actor=actor, at=at, number=act.number, pieces=len(wanted), reason=act.reason)
    return act


def _may_come_to(report: LossReport, target: CustodyAccount) -> bool:
    """Found goods return to the place they were booked in; what was on its way, to a store of either side."""
    if report.account.kind != AccountKind.TRANSIT:
        return target.pk == report.account_id
    return target.kind == AccountKind.STORE and target.is_active


def can_decide(user: User, act: LossAct) -> bool:
    """Who is the second person: a write-off is approved by the authority, a recovery also by a colleague."""
    if user.can(Can.APPROVE_WRITE_OFF):
        return True
    return act.kind == LossAct.Kind.RECOVERY and can_report(user, act.report.account)


@transaction.atomic
def approve_act(*, actor: User, at: datetime, act: LossAct) -> LossAct:
    """Settle the items of an act: found ones are free again and back in a store, others leave the register as lost.

    A right for which a lost item was reserved ends for it. Raises SecondPersonNeeded, NotAllowed, InvalidTransition.
    """
    act = _lock_act(act)
    _require_second(actor, act)
    report = act.report
    lines = list(act.lines.filter(outcome=LossLine.Outcome.OPEN).values_list("item_id", flat=True).order_by("item_id"))
    act.state, act.decided_by, act.decided_at = LossAct.State.APPROVED, actor, at
    for language in LANGUAGES:
        content = draw_loss_act(act, language, at=at)
        paper = save_act(actor=actor, at=at, name=f"{act.number}-{language}.pdf", content=content)
        setattr(act, f"paper_{language}", paper)
    act.save(update_fields=["state", "decided_by", "decided_at", "paper_kk", "paper_ru"])
    recovered = act.kind == LossAct.Kind.RECOVERY
    outcome = LossLine.Outcome.RECOVERED if recovered else LossLine.Outcome.WRITTEN_OFF
    act.lines.filter(outcome=LossLine.Outcome.OPEN).update(outcome=outcome)
    for kind in (Hold.Kind.LOSS, Hold.Kind.MISSING):
        lift_hold(actor=actor, at=at, item_ids=lines, kind=kind, reason=act.number)
    if recovered:
        if act.target_id != report.account_id and act.target is not None:
            _move(actor, at, act, lines, act.target)
        carry_out_found(actor=actor, at=at, item_ids=lines)
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
        waiting = Notice.objects.open().filter(subject_kind="loss", subject_id=str(report.pk))
        for notice in waiting:
            settle_notice(actor=actor, at=at, notice=notice, decision=str(act.get_kind_display()), reason=act.reason)
    return act


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
    if not reason.strip():
        raise BadInput(fields={"reason": _("Say why.")})
    act = _lock_act(act)
    if act.state != LossAct.State.PROPOSED:
        raise InvalidTransition
    if act.proposed_by_id != actor.pk and not can_decide(actor, act):
        raise NotAllowed
    act.state, act.decided_by, act.decided_at = LossAct.State.REFUSED, actor, at
    act.decide_reason = reason.strip()[:500]
    act.save(update_fields=["state", "decided_by", "decided_at", "decide_reason"])
    act.lines.filter(outcome=LossLine.Outcome.OPEN).update(act=None)
    _record("loss.act_refused", act.report, actor=actor, at=at, number=act.number, reason=act.decide_reason)
    return act


def _require_second(actor: User, act: LossAct) -> None:
    if act.state != LossAct.State.PROPOSED:
        raise InvalidTransition
    if act.proposed_by_id == actor.pk:
        raise SecondPersonNeeded(_("Another person must approve this: you proposed it yourself."))
    if not can_decide(actor, act):
        raise NotAllowed(_("The authority approves a write-off."))


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
