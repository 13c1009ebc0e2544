"""Binding what else an item carries: state codes, seals, RFID chips. A mismatch binds nothing and raises an alarm.

Lock order: the mark, then the carrier. The database has the last word: one carrier of a kind on an item, one item of a
carrier.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import Told, record, record_many
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.reasons import NO_REASON, is_reason
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notice, text_of
from core.rules.models import Rule, RuleCode
from ledger.models import Holding
from marking.carrier_words import fault_in_words
from marking.codes import CodeError, group
from marking.codes import parse as parse_code
from marking.models import Carrier, Mark
from marking.models.carriers import BARE
from marking.selectors import Answer, Reason
from marking.state_code import CarrierError, bare, parse_seal, parse_state_code, parse_tid
from marking.verdicts import say
from registry.models import Derivative

Kind = Carrier.Kind
# A registration number without its hyphen: country, year, serial.
_NUMBER = re.compile(r"([A-Z]{2}[0-9]{2})([0-9]+)")
# An item of which this is said is not at hand to be given another carrier.
_NOT_AT_HAND = frozenset(
    {
        Reason.REPLACED,
        Reason.OLD_COPY,
        Reason.VOID,
        Reason.SPOILED,
        Reason.BLANK,
        Reason.LABEL_LOST,
        Reason.LOST,
        Reason.DESTROYED,
        Reason.CONSUMED,
        Reason.WITHDRAWN,
        Reason.EXPORTED,
        Reason.SOLD,
        Reason.RETURNED,
    }
)


class Raw(NamedTuple):
    """A carrier as it was read: its kind, what names it, what was sent, its parts."""

    kind: Kind
    identity: str
    value: str
    parts: Mapping[str, str]

    @property
    def name(self) -> str:
        """What tells it from others of its kind: of a seal its number without what stands between."""
        return bare(self.identity) if self.kind == Kind.SEAL else self.identity


class Mismatch(NamedTuple):
    """Why a carrier and an item do not belong together: code of the alarm and what its sentence names."""

    code: str
    item: int
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """What came of scanning a mark and a carrier: bound, bound before, or an alarm."""

    carrier: Carrier | None = None
    was_bound: bool = False
    alarm: Notice | None = None


@dataclass(slots=True)
class Standing:
    """What is bound already, of the items and carriers that are asked about."""

    by_name: dict[tuple[str, str], list[Carrier]] = field(default_factory=lambda: defaultdict(list))
    by_item: dict[tuple[int, str], Carrier] = field(default_factory=dict)
    gtins: dict[str, str] = field(default_factory=dict)
    # Marks and numbers of the registry that were given as seals, each by its bare text: how people know them.
    own: dict[str, str] = field(default_factory=dict)

    def take(self, carrier: Carrier) -> None:
        self.by_name[carrier.kind, carrier.name].append(carrier)
        self.by_item[carrier.derivative_id, carrier.kind] = carrier


def read_carrier(kind: str, text: str, *, separator: str = "") -> Raw:
    """The carrier in what was scanned or typed. Raises CarrierError."""
    if kind == Kind.STATE_CODE:
        code = parse_state_code(text, separator=separator)
        return Raw(Kind.STATE_CODE, code.identity, code.raw, dict(code.parts))
    if kind == Kind.SEAL:
        return Raw(Kind.SEAL, parse_seal(text), text.strip(), {})
    return Raw(Kind.RFID, parse_tid(text), text.strip(), {})


def mark_of_scan(answer: Answer, *, actor: User) -> Mark:
    """The active mark that a person scanned, of an item at hand that the person may know, by what its check answered.

    The door checks and counts what was scanned (`marking.limits`). Raises BadInput.
    """
    if not answer.is_genuine or _NOT_AT_HAND.intersection(answer.reasons):
        said = say(answer)
        raise BadInput(fields={"mark": f"{said.title}. {said.text}"})
    mark = Mark.objects.visible_to(actor).select_related("derivative").filter(pk=answer.code).first()
    if mark is None:
        raise BadInput(fields={"mark": _("This item is not among those you may know.")})
    return mark


def standing_of(raws: Collection[Raw], items: Collection[Derivative], *, on: date) -> Standing:
    """What is bound of these carriers and items, and the GTIN of each kind on the day: three queries; of seals that
    could be marks or numbers of ours, which they are: two more."""
    found = Standing()
    seals = {raw.name for raw in raws if raw.kind == Kind.SEAL}
    others = {raw.identity for raw in raws if raw.kind != Kind.SEAL}
    bound = Carrier.objects.bound().alias(bare=BARE).select_related("derivative")
    for named in bound.filter(Q(kind=Kind.SEAL, bare__in=seals) | Q(identity__in=others)):
        found.by_name[named.kind, named.name].append(named)
    for carrier in Carrier.objects.bound().filter(derivative__in=[item.pk for item in items]):
        found.by_item[carrier.derivative_id, carrier.kind] = carrier
    rules = Rule.objects.on(on).filter(code=RuleCode.STATE_GTIN, scope__in={item.term for item in items})
    found.gtins = {rule.scope: str(rule.value["gtin"]) for rule in rules}
    found.own = _own_among(seals)
    return found


def _own_among(seals: Collection[str]) -> dict[str, str]:
    """Which of these bare seals are marks or numbers of the registry itself: two queries at most."""
    codes: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for seal in seals:
        if (number := _NUMBER.fullmatch(seal)) is not None:
            numbers[f"{number[1]}-{number[2]}"] = seal
        with suppress(CodeError):
            codes[parse_code(seal)] = seal
    known = Derivative.objects.filter(number__in=numbers).values_list("number", flat=True) if numbers else ()
    found = {numbers[number]: number for number in known}
    marks = Mark.objects.filter(pk__in=codes).values_list("pk", "derivative__number") if codes else ()
    return found | {codes[code]: number or group(code) for code, number in marks}


def mismatch_of(item: Derivative, raw: Raw, standing: Standing) -> Mismatch | None:
    """Why this carrier does not belong on this item; None when it does, or is on it already."""
    shown = {"item": item.number, "carrier": shown_raw(raw)}
    if raw.kind == Kind.SEAL and raw.name in standing.own:
        return Mismatch("carrier.is_our_own", item.pk, {**shown, "other": standing.own[raw.name]})
    there = (one for one in standing.by_name.get((raw.kind, raw.name), ()) if one.derivative_id != item.pk)
    if (elsewhere := next(there, None)) is not None:
        return Mismatch("carrier.on_another_item", item.pk, {**shown, "other": elsewhere.derivative.number})
    here = standing.by_item.get((item.pk, raw.kind))
    if here is not None and here.name != raw.name:
        return Mismatch("carrier.item_has_another", item.pk, {**shown, "known": here.shown})
    if here is not None and raw.kind == Kind.STATE_CODE and here.value != raw.value:
        return Mismatch("carrier.other_check_value", item.pk, shown)
    if raw.kind == Kind.STATE_CODE and here is None:
        gtin = raw.parts["01"]
        known = standing.gtins.get(item.term)
        if known is not None and known != gtin:
            return Mismatch("carrier.wrong_gtin", item.pk, {**shown, "known": known})
        if known is None and not _is_own_gtin(gtin):
            return Mismatch("carrier.foreign_gtin", item.pk, {**shown, "known": settings.GS1_COMPANY_PREFIX})
    return None


def _is_own_gtin(gtin: str) -> bool:
    """Whether a GTIN is under the register's own GS1 prefix: behind the digit that says how it is packed."""
    return gtin[1:].startswith(settings.GS1_COMPANY_PREFIX)


def shown_raw(raw: Raw) -> str:
    """How a carrier is named to people."""
    return f"(01) {raw.parts['01']} (21) {raw.parts['21']}" if raw.kind == Kind.STATE_CODE else raw.identity


def bind_carrier(*, actor: User, at: datetime, mark: Mark, raw: Raw) -> Pair:
    """Bind a carrier to the item of an active mark, or raise an alarm that the authority decides.

    What is bound to this very item already is only confirmed. Raises NotAllowed, BadInput.
    """
    if not actor.can(Can.PRINT_LABELS):
        raise NotAllowed
    try:
        with transaction.atomic():
            return _bind(actor=actor, at=at, mark=mark, raw=raw)
    except IntegrityError:
        # Another scan was first: what it bound says what this one is.
        with transaction.atomic():
            return _bind(actor=actor, at=at, mark=mark, raw=raw)


def _bind(*, actor: User, at: datetime, mark: Mark, raw: Raw) -> Pair:
    # The lock closes the race of binding against ending the mark.
    mark = Mark.objects.select_for_update(no_key=True, of=("self",)).select_related("derivative").get(pk=mark.pk)
    if mark.state != Mark.State.ACTIVE:
        raise InvalidTransition(_("This mark was ended meanwhile. Scan the item's new mark."))
    item = mark.item
    standing = standing_of([raw], [item], on=day_of(at))
    wrong = mismatch_of(item, raw, standing)
    if wrong is not None:
        return Pair(alarm=raise_alarm(wrong, actor=actor, at=at))
    here = standing.by_item.get((item.pk, raw.kind))
    if here is not None:
        return Pair(carrier=here, was_bound=True)
    return Pair(carrier=_create(actor=actor, at=at, mark=mark, raw=raw))


def _create(*, actor: User, at: datetime, mark: Mark, raw: Raw) -> Carrier:
    carrier = Carrier.objects.create(
        kind=raw.kind,
        identity=raw.identity,
        value=raw.value,
        parts=dict(raw.parts),
        derivative=mark.item,
        mark=mark,
        bound_by=actor,
        bound_at=at,
    )
    record(
        "carrier.bound",
        actor=actor,
        at=at,
        subject=("derivative", mark.item.pk),
        subject_name=mark.item.number,
        kind=carrier.kind,
        carrier=carrier.shown,
        mark=mark.pk,
    )
    return carrier


@transaction.atomic
def raise_alarm(wrong: Mismatch, *, actor: User, at: datetime) -> Notice:
    """The open alarm of this very mismatch, raised if there is none yet."""
    # Two scans of one mismatch at once both find the row of the item, one after the other.
    list(Derivative.objects.select_for_update(no_key=True, of=("self",)).filter(pk=wrong.item).values_list("pk"))
    told = Notice.objects.open().filter(
        code=wrong.code, subject_kind="derivative", subject_id=str(wrong.item), params=wrong.params
    )
    return told.first() or raise_notice(
        actor=actor,
        at=at,
        kind=Notice.Kind.ALERT,
        code=wrong.code,
        organisation=_office_of(wrong.item, actor),
        subject=("derivative", wrong.item),
        **wrong.params,
    )


def _office_of(item: int, actor: User) -> Organisation:
    """Who has the item; where nobody has it, an organisation of the person who scanned."""
    holding = (
        Holding.objects.filter(item=item, pieces__gt=0, account__custodian__isnull=False)
        .select_related("account__custodian")
        .first()
    )
    if holding is not None and holding.account.custodian is not None:
        return holding.account.custodian
    return Organisation.objects.filter(pk__in=actor.organisation_ids(Can.PRINT_LABELS)).order_by("pk")[0]


@transaction.atomic
def bind_many(*, actor: User, at: datetime, pairs: Sequence[tuple[Mark, Raw]]) -> int:
    """Bind all of these or none; how many were new. Raises NotAllowed, and BadInput that says what contradicts."""
    if not actor.can(Can.PRINT_LABELS):
        raise NotAllowed
    # The locks close the race of binding against ending a mark; taken in the order of codes.
    locked = Mark.objects.select_for_update(no_key=True, of=("self",)).select_related("derivative")
    marks = {mark.pk: mark for mark in locked.filter(pk__in={mark.pk for mark, _raw in pairs}).order_by("pk")}
    items = [mark.item for mark in marks.values()]
    standing = standing_of([raw for _mark, raw in pairs], items, on=day_of(at))
    fresh: list[Carrier] = []
    for given, raw in pairs:
        mark = marks[given.pk]
        wrong = mismatch_of(mark.item, raw, standing)
        if wrong is not None or mark.state != Mark.State.ACTIVE:
            raise BadInput(
                _("Item %(item)s was changed meanwhile. Have the file read again.") % {"item": mark.item.number}
            )
        if (mark.item.pk, raw.kind) in standing.by_item:
            continue
        carrier = Carrier(
            kind=raw.kind,
            identity=raw.identity,
            value=raw.value,
            parts=dict(raw.parts),
            derivative=mark.item,
            mark=mark,
            bound_by=actor,
            bound_at=at,
        )
        standing.take(carrier)
        fresh.append(carrier)
    try:
        with transaction.atomic():
            Carrier.objects.bulk_create(fresh, batch_size=2_000)
    except IntegrityError:
        raise BadInput(_("Somebody bound one of these at the same moment. Have the file read again.")) from None
    record_many(
        "carrier.bound",
        [
            Told(
                ("derivative", one.derivative_id),
                None,
                {"kind": str(one.kind), "carrier": one.shown, "mark": one.mark_id},
                one.derivative.number,
            )
            for one in fresh
        ],
        actor=actor,
        at=at,
    )
    return len(fresh)


# Ending


@transaction.atomic
def ask_end(
    *, actor: User, at: datetime, carrier: Carrier, reason: str, replace_by: str = "", separator: str = ""
) -> Carrier:
    """Ask that a carrier be taken off its item, or replaced by another one; a second person decides.

    Raises NotAllowed, BadInput, InvalidTransition.
    """
    if not actor.can(Can.PRINT_LABELS):
        raise NotAllowed
    wrong: dict[str, StrOrPromise] = {}
    if not is_reason(reason):
        wrong["reason"] = NO_REASON
    new = ""
    if replace_by.strip():
        try:
            raw = read_carrier(carrier.kind, replace_by, separator=separator)
        except CarrierError as error:
            wrong["replace_by"] = fault_in_words(error)
        else:
            new = raw.value
            if raw.name == carrier.name:
                wrong["replace_by"] = _("This is the one that is bound already.")
    if wrong:
        raise BadInput(fields=wrong)
    # Update-where: of two who ask at once one succeeds.
    asked = Carrier.objects.bound().filter(pk=carrier.pk, end_asked_at=None)
    if not asked.update(end_asked_by=actor, end_asked_at=at, end_reason=reason.strip()[:200], replace_by=new):
        raise InvalidTransition
    carrier.refresh_from_db()
    _told("carrier.end_asked", carrier, actor, at, reason=carrier.end_reason)
    raise_notice(
        actor=actor,
        at=at,
        kind=Notice.Kind.ALERT,
        code="carrier.end_waits",
        organisation=_office_of(carrier.derivative_id, actor),
        subject=("derivative", carrier.derivative_id),
        item=carrier.derivative.number,
        carrier=carrier.shown,
        reason=carrier.end_reason,
    )
    return carrier


@transaction.atomic
def approve_end(*, actor: User, at: datetime, carrier: Carrier) -> Pair:
    """Take the carrier off its item, as another person asked; bind the one named in its place.

    Raises NotAllowed, InvalidTransition; BadInput when the new one cannot be bound: then nothing changed.
    """
    carrier = _waiting(carrier, actor)
    require_independent(actor, carrier.end_asked_by_id, at=at)
    carrier.ended_by, carrier.ended_at = actor, at
    carrier.save(update_fields=["ended_by", "ended_at"])
    _told("carrier.ended", carrier, actor, at, reason=carrier.end_reason)
    _settle(carrier, actor, at, str(_("Taken off")))
    if not carrier.replace_by:
        return Pair(carrier=carrier)
    mark = Mark.objects.active().select_related("derivative").filter(derivative=carrier.derivative_id).first()
    if mark is None:
        raise BadInput(_("The item has no mark in force, so nothing can be bound to it. Give it a mark first."))
    try:
        with transaction.atomic():
            pair = _bind(actor=actor, at=at, mark=mark, raw=read_carrier(carrier.kind, carrier.replace_by))
    except CarrierError as error:
        raise BadInput(fault_in_words(error)) from None
    except IntegrityError:
        raise BadInput(_("Somebody bound it to another item at the same moment.")) from None
    if pair.carrier is None:
        said = str(text_of(pair.alarm)) if pair.alarm else ""
        raise BadInput(_("The new one cannot be bound. %(why)s") % {"why": said})
    return pair


@transaction.atomic
def refuse_end(*, actor: User, at: datetime, carrier: Carrier) -> Carrier:
    """Leave the carrier where it is. Raises NotAllowed, InvalidTransition."""
    carrier = _waiting(carrier, actor)
    reason = carrier.end_reason
    carrier.end_asked_by = carrier.end_asked_at = None
    carrier.end_reason = carrier.replace_by = ""
    carrier.save(update_fields=["end_asked_by", "end_asked_at", "end_reason", "replace_by"])
    _told("carrier.end_refused", carrier, actor, at, reason=reason)
    _settle(carrier, actor, at, str(_("Left where it is")))
    return carrier


def _waiting(carrier: Carrier, actor: User) -> Carrier:
    if not actor.can(Can.APPROVE_MARKS):
        raise NotAllowed
    # The lock closes the race of two who decide at once.
    locked = Carrier.objects.select_for_update(no_key=True, of=("self",)).select_related("derivative")
    carrier = locked.get(pk=carrier.pk)
    if carrier.ended_at is not None or carrier.end_asked_at is None:
        raise InvalidTransition
    if carrier.end_asked_by_id == actor.pk:
        raise NotAllowed(_("You asked for this; another person decides."))
    return carrier


def _settle(carrier: Carrier, actor: User, at: datetime, decision: str) -> None:
    waiting = Notice.objects.open().filter(
        code="carrier.end_waits",
        subject_kind="derivative",
        subject_id=str(carrier.derivative_id),
        params__carrier=carrier.shown,
    )
    for notice in waiting:
        settle_notice(actor=actor, at=at, notice=notice, decision=decision, reason=decision)


def _told(verb: str, carrier: Carrier, actor: User, at: datetime, **facts: Any) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("derivative", carrier.derivative_id),
        subject_name=carrier.derivative.number,
        kind=carrier.kind,
        carrier=carrier.shown,
        **facts,
    )
