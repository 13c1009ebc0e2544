"""Weighing again: the mass changes by a movement to or from the drying loss; the pieces stay where they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.documents.services import take_numbers
from core.notices.models import Notice, is_authority
from core.notices.services import raise_notice, settle_notices
from core.rules.models import RuleCode
from core.rules.selectors import discrepancy_due_on, in_force
from ledger.drying import EVER, Judged, judge, with_tolerance
from ledger.models import MOST_GRAMS, AccountKind, CustodyAccount, Hold, Movement, MovementKind, WeighIn, Weighing
from ledger.services.holding import lift_hold, place_hold
from ledger.services.locking import lock_items
from ledger.services.moving import open_movement, require_open_day
from ledger.services.refusals import BackDated, ItemsNotThere, KeyReused, SecondPersonNeeded
from ledger.triggers_weighing import FOUND_AMONG_COLLEAGUES, holds_a_post

LISTED = 100
NOT_THE_AUTHORITY = _(
    "The authority judges a mass in question. Where two of one organisation did not find it yet, another person may"
    " weigh the items again."
)


class MassNotConfirmed(DomainError):
    """Drying does not explain some of the masses, and nobody has said that they are right. `odd`: which, by item."""

    code = "mass-not-confirmed"
    message = _("Drying does not explain some of these masses. Weigh again, then confirm them.")

    def __init__(self, odd: Mapping[int, Judged]) -> None:
        super().__init__()
        self.odd = dict(odd)


@dataclass(frozen=True, slots=True)
class Mass:
    """What an item weighed first and weighs now, as the ledger has it, and since when.

    `weighed_on` is the day of the latest mass that the books took. What came from stock older than the marking
    `is_old`: it has dried.
    """

    item_id: int
    account_id: int
    stock_class: str
    grams: int
    first_g: int
    first_on: date
    moved_on: date
    weighed_on: date
    is_old: bool

    def age(self, on: date) -> int:
        """Days of drying until this day."""
        return (on - self.first_on).days + (EVER if self.is_old else 0)


@transaction.atomic
def weigh_items(
    *,
    actor: User,
    at: datetime,
    key: str,
    account: CustodyAccount,
    grams: Mapping[int, int],
    on: date | None = None,
    confirmed: Collection[int] = (),
) -> Weighing:
    """Put items of one store on the scale; the books take what drying explains. A constant number of statements.

    A mass that drying does not explain must be among the `confirmed` items. It does not change the books: the item is
    held until another person has weighed it, or the authority has judged (`settle_masses`). A second person who finds
    an explained mass, or the same as the first, is believed: the books take it and the item is free. Where the two are
    of one organisation and the mass stays odd, the item stays held: the authority asks where the rest is. The drying
    account never makes more of an item than it came in with. An item that is held or reserved may be weighed. A
    repeated `key` returns the first weighing. Raises MassNotConfirmed, ItemsNotThere, BackDated, KeyReused, BadInput;
    then nothing has changed.
    """
    _refuse_unusable(grams)
    day = on or day_of(at)
    if earlier := _earlier(key, grams):
        return earlier
    # The lock closes the race of two weighings of one item, and of a weighing against a dispatch; who waited here with
    # the same key finds the weighing of the first.
    masses = find_masses(list(grams), account=account, lock=True)
    if earlier := _earlier(key, grams):
        return earlier
    _refuse_elsewhere(masses, grams, account=account, day=day)
    judged = judge_masses(masses, grams, on=day)
    odd = [mass.item_id for mass in masses if judged[mass.item_id].verdict != WeighIn.Verdict.DRY]
    if unconfirmed := [item for item in odd if item not in confirmed]:
        raise MassNotConfirmed({item: judged[item] for item in unconfirmed})
    questions = _open_questions(list(grams))
    tolerance: int = in_force(RuleCode.HANDOVER_MASS, day).value["percent"]
    lines = [
        _line(mass, grams[mass.item_id], judged[mass.item_id], questions.get(mass.item_id), actor, tolerance)
        for mass in masses
    ]
    changed = [line for line in lines if line.is_taken and line.grams != line.before_g]
    (serial,) = take_numbers(series="WG", year=day.year)
    if Weighing.objects.filter(key=key).exists():
        raise KeyReused
    number = f"WG{day:%y}-{serial:06d}"
    movement = None
    if changed:
        classes = {mass.item_id: mass.stock_class for mass in masses}
        movement = _post(changed, classes, account, number=number, actor=actor, at=at, day=day, key=key)
    else:
        require_open_day(day, at=at)
    weighing = Weighing.objects.create(
        number=number,
        account=account,
        movement=movement,
        on=day,
        weighed_by=actor,
        weighed_at=at,
        key=key,
        items=len(lines),
        before_g=sum(line.before_g for line in lines),
        after_g=sum(line.grams if line.is_taken else line.before_g for line in lines),
        unexplained=len(odd),
    )
    for line in lines:
        line.weighing = weighing
    WeighIn.objects.bulk_create(lines, batch_size=5_000)
    answered = [line.item_id for line in lines if line.is_taken and line.item_id in questions]
    free = sorted(set(answered) - _found_among_colleagues(answered))
    if free:
        asked_in = _asked_in(free)
        lift_hold(actor=actor, at=at, item_ids=free, kind=Hold.Kind.MASS, reason=number)
        said = _("Weighed again by another person: %(number)s") % {"number": number}
        _settle(asked_in, said, actor=actor, at=at)
    asked = [line for line in lines if line.item_id in odd and not line.is_taken and line.item_id not in questions]
    if asked:
        items = [line.item_id for line in asked]
        place_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.MASS, reference=number)
    record(
        "weighing.recorded",
        actor=actor,
        at=at,
        subject=("weighing", weighing.pk),
        subject_name=number,
        organisation_id=account.custodian_id,
        store=account.code,
        pieces=weighing.items,
        before_g=weighing.before_g,
        after_g=weighing.after_g,
        unexplained=weighing.unexplained,
        held=len(asked),
        settled=len(free),
    )
    if asked:
        _tell(weighing, asked, actor=actor, at=at)
    return weighing


@transaction.atomic
def settle_masses(
    *, actor: User, at: datetime, weighing: Weighing, reason: str, item_ids: Collection[int] | None = None
) -> int:
    """Leave the books as they are where a weighing called the mass of its items in question; how many are free again.

    They have the mass of before, or the odd one that two colleagues found.

    Words settle it only as those of the authority, and of another organisation than who weighed: colleagues weigh.
    Raises NotAllowed, SecondPersonNeeded, InvalidTransition, BadInput.
    """
    if not is_authority(actor):
        raise NotAllowed(NOT_THE_AUTHORITY)
    reason = require_reason(reason)
    held = Hold.objects.active().filter(kind=Hold.Kind.MASS, reference=weighing.number)
    items = list((held if item_ids is None else held.filter(item__in=item_ids)).values_list("item_id", flat=True))
    # The lock closes the race of a judgement against a weighing of the second person.
    lock_items(items)
    questions = _open_questions(items)
    if not questions or (item_ids is not None and len(questions) != len(set(item_ids))):
        raise InvalidTransition(_("The mass of some of these items is not in question any more. Reload the page."))
    if any(actor.pk in question.weighed_by for question in questions.values()):
        raise SecondPersonNeeded(_("Another person judges: you weighed these items yourself."))
    weighed_by = {person for question in questions.values() for person in question.weighed_by}
    require_independent(actor, *weighed_by, at=at)
    if actor.organisation_ids() & _weighed_in(items):
        raise SecondPersonNeeded(_("Somebody of another organisation judges than those who weighed these items."))
    free = sorted(questions)
    lift_hold(actor=actor, at=at, item_ids=free, kind=Hold.Kind.MASS, reason=f"{weighing.number}: {reason}"[:200])
    _settle([weighing.number], reason, actor=actor, at=at)
    record(
        "weighing.settled",
        actor=actor,
        at=at,
        subject=("weighing", weighing.pk),
        subject_name=weighing.number,
        organisation_id=weighing.account.custodian_id,
        pieces=len(free),
        items=free[:LISTED],
        reason=reason,
    )
    return len(free)


def _weighed_in(item_ids: Sequence[int]) -> set[int]:
    """The organisations of those who weighed these items since they are in question, as they weighed them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT a.organisation_id FROM ledger_hold k
            JOIN ledger_weighing asked ON asked.number = k.reference
            JOIN ledger_weighin l ON l.item_id = k.item_id AND l.weighing_id >= asked.id
            JOIN ledger_weighing w ON w.id = l.weighing_id
            JOIN accounts_appointment a ON {holds_a_post("a", "w")}
            WHERE k.item_id = ANY(%s) AND k.kind = 'mass' AND k.lifted_at IS NULL
            """,  # noqa: S608  names of columns from here
            [list(item_ids)],
        )
        return {organisation for (organisation,) in cursor.fetchall()}


def _asked_in(item_ids: Sequence[int]) -> set[str]:
    """Numbers of the weighings that called the masses of these items in question."""
    held = Hold.objects.active().filter(kind=Hold.Kind.MASS, item__in=item_ids)
    return set(held.values_list("reference", flat=True))


def _found_among_colleagues(item_ids: Sequence[int]) -> set[int]:
    """Of these items in question those of which an odd mass went into the books because two found it who were of one
    organisation as they weighed.

    They agree on the mass, not on where the rest is: that is asked by somebody from outside.
    """
    if not item_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT k.item_id FROM ledger_hold k JOIN ledger_weighing asked ON asked.number = k.reference
            {FOUND_AMONG_COLLEAGUES}
            WHERE k.item_id = ANY(%s) AND k.kind = 'mass' AND k.lifted_at IS NULL
            """,  # noqa: S608  names of columns from here
            [list(item_ids)],
        )
        return {item for (item,) in cursor.fetchall()}


def _settle(numbers: Collection[str], reason: str, *, actor: User, at: datetime) -> None:
    """Close the alerts of the weighings of which no mass is in question any more."""
    held = Hold.objects.active().filter(kind=Hold.Kind.MASS, reference__in=numbers)
    open_still = set(held.values_list("reference", flat=True))
    for weighing in Weighing.objects.filter(number__in=set(numbers) - open_still):
        settle_notices(
            actor=actor,
            at=at,
            subject=("weighing", weighing.pk),
            code="weighing.unexplained",
            decision=_("Mass settled"),
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """An item whose mass is in question: who asked it, who has weighed since, and the masses found, by line."""

    placed_by: int
    weighed_by: frozenset[int]
    found: tuple[tuple[int, int, int], ...]  # line, person, grams

    def borne_out(self, person: int, grams: int, tolerance_percent: int) -> int | None:
        """The line of another person that found the same, as far as scales can tell."""
        for line, other, before in self.found:
            if other != person and abs(grams - before) <= with_tolerance(before, tolerance_percent) - before:
                return line
        return None


def _open_questions(item_ids: Sequence[int]) -> dict[int, _Question]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.item_id, k.placed_by_id, l.id, w.weighed_by_id, l.grams, l.is_taken FROM ledger_hold k
            JOIN ledger_weighing asked ON asked.number = k.reference
            JOIN ledger_weighin l ON l.item_id = k.item_id AND l.weighing_id >= asked.id
            JOIN ledger_weighing w ON w.id = l.weighing_id
            WHERE k.item_id = ANY(%s) AND k.kind = 'mass' AND k.lifted_at IS NULL ORDER BY k.item_id, l.id DESC
            """,
            [list(item_ids)],
        )
        rows = cursor.fetchall()
    questions: dict[int, _Question] = {}
    for item, group in groupby(rows, key=itemgetter(0)):
        found = [row[1:] for row in group]
        questions[item] = _Question(
            found[0][0],
            frozenset(row[2] for row in found),
            tuple((row[1], row[2], row[3]) for row in found if not row[4]),
        )
    return questions


def _line(mass: Mass, grams: int, judged: Judged, question: _Question | None, actor: User, tolerance: int) -> WeighIn:
    """What the books make of a mass: they take what is explained, or what two persons found."""
    is_dry = judged.verdict == WeighIn.Verdict.DRY
    bears_out = None
    if question is None:
        is_taken = is_dry
    elif question.placed_by == actor.pk:
        is_taken = False
    elif is_dry:
        is_taken = True
    else:
        if grams <= max(with_tolerance(mass.first_g, tolerance), mass.grams):
            bears_out = question.borne_out(actor.pk, grams, tolerance)
        is_taken = bears_out is not None
    return WeighIn(
        item_id=mass.item_id,
        first_g=mass.first_g,
        first_on=mass.first_on,
        before_g=mass.grams,
        grams=grams,
        floor_g=judged.floor_g,
        ceiling_g=judged.ceiling_g,
        verdict=judged.verdict,
        is_taken=is_taken,
        bears_out_id=bears_out,
    )


def _refuse_unusable(grams: Mapping[int, int]) -> None:
    if not grams:
        raise BadInput(_("Weigh at least one item."))
    if any(not 0 < mass <= MOST_GRAMS for mass in grams.values()):
        raise BadInput(fields={"grams": _("A mass is a whole number of grams, more than none.")})


def _refuse_elsewhere(masses: Sequence[Mass], grams: Mapping[int, int], *, account: CustodyAccount, day: date) -> None:
    if len(masses) != len(grams):
        raise ItemsNotThere(
            ngettext_lazy(
                "%(count)d item is not in “%(store)s” any more. Reload the list.",
                "%(count)d items are not in “%(store)s” any more. Reload the list.",
                "count",
            )
            % {"count": len(grams) - len(masses), "store": account.name}
        )
    if max(mass.moved_on for mass in masses) > day:
        raise BackDated(_("Some of these items arrived after this day."))


def _earlier(key: str, grams: Mapping[int, int]) -> Weighing | None:
    earlier = Weighing.objects.filter(key=key).first()
    if earlier is not None and dict(earlier.lines.values_list("item_id", "grams")) != dict(grams):
        raise KeyReused
    return earlier


def _post(
    changed: Sequence[WeighIn],
    classes: Mapping[int, str],
    account: CustodyAccount,
    *,
    number: str,
    actor: User,
    at: datetime,
    day: date,
    key: str,
) -> Movement:
    """The movement that gives these items their new masses, to and from the drying loss."""
    movement, is_new = open_movement(
        key=f"weighing:{key}"[:100],
        kind=MovementKind.WEIGHING,
        actor=actor,
        effective_on=day,
        at=at,
        reference=number,
    )
    if not is_new:
        raise KeyReused
    drying = CustodyAccount.objects.boundary(AccountKind.DRYING_LOSS)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)
            SELECT %(movement)s, side.account, w.item, w.class, 0, side.sign * w.change
            FROM unnest(%(items)s::bigint[], %(classes)s::text[], %(changes)s::bigint[]) AS w (item, class, change),
                (VALUES (%(store)s::bigint, 1), (%(drying)s::bigint, -1)) AS side (account, sign)
            """,
            {
                "movement": movement.pk,
                "items": [line.item_id for line in changed],
                "classes": [classes[line.item_id] for line in changed],
                "changes": [line.grams - line.before_g for line in changed],
                "store": account.pk,
                "drying": drying.pk,
            },
        )
    return movement


def _tell(weighing: Weighing, asked: Sequence[WeighIn], *, actor: User, at: datetime) -> None:
    verdicts = [line.verdict for line in asked]
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="weighing.unexplained",
        organisation=Organisation.objects.get(custody_accounts=weighing.account_id),
        subject=("weighing", weighing.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=weighing.number,
        store=weighing.account.code,
        count=len(asked),
        lost=verdicts.count(WeighIn.Verdict.LOSS),
        gained=verdicts.count(WeighIn.Verdict.GAIN),
    )


def judge_masses(masses: list[Mass], grams: Mapping[int, int], *, on: date) -> dict[int, Judged]:
    """How the rules of the day judge each new mass."""
    curve = in_force(RuleCode.DRYING_CURVE, on).value
    tolerance = in_force(RuleCode.HANDOVER_MASS, on).value["percent"]
    return {
        mass.item_id: judge(
            first_g=mass.first_g,
            before_g=mass.grams,
            now_g=grams[mass.item_id],
            days=mass.age(on),
            days_before=mass.age(mass.weighed_on),
            curve=curve,
            tolerance_percent=tolerance,
        )
        for mass in masses
    }


def find_masses(item_ids: list[int], *, account: CustodyAccount | None = None, lock: bool = False) -> list[Mass]:
    """What items in physical places weigh, by item; those of `account` only if it is given.

    The first mass is that of the movement that brought the item into being; the latest is that of the last weighing
    whose mass the books took, on a day of its own.
    """
    with connection.cursor() as cursor:
        if lock:
            cursor.execute(
                "SELECT FROM unnest(%s::bigint[]) AS wanted (item) JOIN ledger_holding h ON h.item_id = wanted.item"
                " AND h.is_physical AND h.pieces > 0 ORDER BY h.item_id FOR UPDATE OF h",
                [item_ids],
            )
        cursor.execute(
            """
            SELECT h.item_id, h.account_id, h.stock_class, h.grams, first.grams, first.effective_on, h.moved_on,
                coalesce(latest.on, first.effective_on), first.is_old
            FROM unnest(%s::bigint[]) AS wanted (item)
            JOIN ledger_holding h ON h.item_id = wanted.item AND h.is_physical AND h.pieces > 0
            CROSS JOIN LATERAL (
                SELECT p.grams, m.effective_on, EXISTS (
                    SELECT FROM ledger_posting o JOIN ledger_custodyaccount a ON a.id = o.account_id
                    WHERE o.item_id = wanted.item AND o.movement_id = p.movement_id AND a.kind = 'old_stock'
                ) AS is_old
                FROM ledger_posting p JOIN ledger_movement m ON m.id = p.movement_id
                WHERE p.item_id = wanted.item AND p.pieces > 0 ORDER BY p.movement_id LIMIT 1
            ) first
            LEFT JOIN LATERAL (
                SELECT w.on FROM ledger_weighin l JOIN ledger_weighing w ON w.id = l.weighing_id
                WHERE l.item_id = wanted.item AND l.is_taken ORDER BY l.id DESC LIMIT 1
            ) latest ON true
            WHERE %s::bigint IS NULL OR h.account_id = %s ORDER BY h.item_id
            """,
            [item_ids, account.pk if account else None, account.pk if account else None],
        )
        return [Mass(*row) for row in cursor.fetchall()]
