"""Stock-taking: freeze what is expected, scan what is there, tell the difference, and let a commission sign for it.

Nothing in the store is locked while people count: a cold store that may not send for three days would count never.
What left or came meanwhile is told as such. Only as the count ends are the items that nobody scanned locked, so that
each of them is either sent or missing, and never both.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.independence import problem_of_commission, require_independent
from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import discrepancy_due_on, in_force
from ledger.models import AccountKind, CustodyAccount, Hold, MovementKind, Shelf, StockTake, StockTakeMember
from ledger.sampling import commitment_to, seed_of
from ledger.services.holding import lift_hold, place_hold
from ledger.services.moving import move_items
from ledger.stocktaking import Stray, judge_stray

State, Kind = StockTake.State, StockTake.Kind
HOLD = Hold.Kind.MISSING
LISTED = 20
NAMED = 100  # items that one notice names


class StockTakeOpen(DomainError):
    """The place is being counted already."""

    code = "stocktake-open"
    message = _("This place is being counted already.")


class NothingToCount(DomainError):
    """There is nothing in the place."""

    code = "nothing-to-count"
    message = _("There is nothing here to count.")


class CommissionTooSmall(BadInput):
    """Fewer persons than the rule asks for."""

    code = "commission-too-small"


class NotOfTheCommission(NotAllowed):
    """Only who was named to the commission signs."""

    code = "not-of-the-commission"
    message = _("You are not in the commission of this stock-take.")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a scan made: its verdict, whether it is new, and where the books have the item."""

    verdict: str
    is_new: bool
    place_id: int | None
    shelf_id: int | None
    scanned_by_id: int


# The shelf of an item that is in a box is that of the box, or of the pallet the box stands on.
_SHELF_OF = """
    LEFT JOIN ledger_placement own ON own.item_id = {item} AND own.removed_at IS NULL
    LEFT JOIN ledger_packing packed ON packed.item_id = {item} AND packed.taken_out_at IS NULL
    LEFT JOIN ledger_box box ON box.id = packed.box_id
    LEFT JOIN ledger_placement boxed ON boxed.box_id = box.id AND boxed.removed_at IS NULL
    LEFT JOIN ledger_placement stacked ON stacked.box_id = box.parent_id AND stacked.removed_at IS NULL
"""
_SHELF = "coalesce(own.shelf_id, boxed.shelf_id, stacked.shelf_id)"
# What lies in the account, or on the shelf alone.
_HERE = f"""
    FROM ledger_holding h {_SHELF_OF.format(item="h.item_id")}
    WHERE h.account_id = %(account)s AND h.pieces > 0 AND (%(shelf)s::bigint IS NULL OR {_SHELF} = %(shelf)s::bigint)
"""


# --- opening --------------------------------------------------------------------------------------------------


@transaction.atomic
def open_stocktake(
    *,
    actor: User,
    at: datetime,
    account: CustodyAccount,
    commission: Sequence[User],
    shelf: Shelf | None = None,
    trusts_seals: bool = True,
) -> StockTake:
    """Begin a full count of a store or of one shelf: what is expected is frozen as of now.

    Raises CommissionTooSmall, StockTakeOpen, NothingToCount, BadInput.
    """
    stocktake = _announce(
        actor=actor,
        at=at,
        account=account,
        shelf=shelf,
        commission=commission,
        trusts_seals=trusts_seals,
        kind=Kind.FULL,
    )
    return _freeze(actor=actor, at=at, stocktake=stocktake)


@transaction.atomic
def announce_sample(
    *,
    actor: User,
    at: datetime,
    account: CustodyAccount,
    commission: Sequence[User],
    wanted: int,
    shelf: Shelf | None = None,
    trusts_seals: bool = True,
) -> StockTake:
    """Announce a count by a sample: the commitment to the secret is published, and nothing is drawn yet.

    Raises CommissionTooSmall, StockTakeOpen, NothingToCount, or BadInput, also for a sample larger than the place.
    """
    if wanted < 1:
        raise BadInput(fields={"wanted": _("Choose at least one item.")})
    here = _items_here(account, shelf)
    if not here:
        raise NothingToCount
    if wanted > here:
        said = ngettext_lazy("There is %(count)s item here in all.", "There are %(count)s items here in all.", here)
        raise BadInput(fields={"wanted": said % {"count": here}})
    secret = secrets.token_hex(32)
    return _announce(
        actor=actor,
        at=at,
        account=account,
        shelf=shelf,
        commission=commission,
        trusts_seals=trusts_seals,
        kind=Kind.SAMPLE,
        wanted=wanted,
        secret=secret,
        commitment=commitment_to(secret),
    )


@transaction.atomic
def draw_sample(*, actor: User, at: datetime, stocktake: StockTake, words: str) -> StockTake:
    """Freeze what is expected, draw the sample with the words the commission chose, and begin to count.

    Raises InvalidTransition, NothingToCount, BadInput.
    """
    tidy = " ".join(words.split())
    if not 8 <= len(tidy) <= 300:
        raise BadInput(fields={"words": _("Write between 8 and 300 letters, best a public figure of this day.")})
    stocktake = _lock(stocktake, State.ANNOUNCED)
    stocktake.words = tidy
    return _freeze(actor=actor, at=at, stocktake=stocktake)


def _announce(
    *,
    actor: User,
    at: datetime,
    account: CustodyAccount,
    shelf: Shelf | None,
    commission: Sequence[User],
    **facts: Any,
) -> StockTake:
    if account.kind not in (AccountKind.STORE, AccountKind.EVIDENCE):
        raise BadInput(_("Stock is taken in a store or an evidence room."))
    if shelf is not None and shelf.account_id != account.pk:
        raise BadInput(fields={"shelf": _("This shelf is in another store.")})
    needed = in_force(RuleCode.STOCKTAKE_COMMISSION, day_of(at)).value["persons"]
    people = {person.pk: person for person in commission}
    if len(people) < needed:
        raise CommissionTooSmall(
            fields={
                "commission": ngettext_lazy(
                    "Name at least %(count)d person.", "Name at least %(count)d different persons.", needed
                )
                % {"count": needed}
            }
        )
    if problem := problem_of_commission(people.values(), at=at):
        raise BadInput(fields={"commission": problem})
    if StockTake.objects.open().filter(account=account, shelf=shelf).exists():
        raise StockTakeOpen
    (serial,) = take_numbers(series="SK", year=day_of(at).year)
    # Two who open at once meet at the unique index; the number series lets one of them in at a time, so this is exact.
    if StockTake.objects.open().filter(account=account, shelf=shelf).exists():
        raise StockTakeOpen
    stocktake = StockTake.objects.create(
        number=f"SK{day_of(at):%y}-{serial:06d}",
        account=account,
        shelf=shelf,
        persons_needed=needed,
        opened_by=actor,
        opened_at=at,
        **facts,
    )
    StockTakeMember.objects.bulk_create(
        StockTakeMember(stocktake=stocktake, person=person) for person in people.values()
    )
    _record(
        "stocktake.announced",
        stocktake,
        actor=actor,
        at=at,
        kind=stocktake.kind,
        shelf=shelf.code if shelf else "",
        commission=[person.full_name for person in people.values()],
        commitment=stocktake.commitment,
    )
    return stocktake


def _items_here(account: CustodyAccount, shelf: Shelf | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_HERE}", {"account": account.pk, "shelf": shelf.pk if shelf else None})
        (count,) = cursor.fetchone()
    return int(count)


def _freeze(*, actor: User, at: datetime, stocktake: StockTake) -> StockTake:
    """Write down what is expected: set-based, so that a hundred thousand items take a second or two."""
    with connection.cursor() as cursor:
        # Every movement from or to the store writes its totals. The lock waits for those under way and holds the next
        # ones back, so that what is read after it is the store at one moment.
        cursor.execute(
            "SELECT FROM ledger_accounttotal WHERE account_id = %s ORDER BY stock_class FOR UPDATE",
            [stocktake.account_id],
        )
        here = {"account": stocktake.account_id, "shelf": stocktake.shelf_id}
        # Read once: the digest, the draw and the lines are all of this. A class of goods that came first of its kind
        # meanwhile had no total to lock, and is in all of them or in none.
        cursor.execute(
            "CREATE TEMPORARY TABLE frozen_frame ON COMMIT DROP AS"
            f" SELECT h.item_id, h.stock_class, h.pieces, h.grams, {_SHELF} AS shelf_id {_HERE}",
            here,
        )
        cursor.execute(
            "SELECT count(*), coalesce(sum(pieces), 0)::bigint, encode(sha256(convert_to("
            "coalesce(string_agg(item_id || E'\\n', '' ORDER BY item_id), ''), 'UTF8')), 'hex') FROM frozen_frame"
        )
        stocktake.frame_items, stocktake.frame_pieces, stocktake.frame_digest = cursor.fetchone()
        if stocktake.kind == Kind.SAMPLE:
            stocktake.seed = seed_of(
                number=stocktake.number,
                frame=stocktake.frame_digest,
                words=stocktake.words,
                secret=stocktake.secret,
            )
        rank = "row_number() OVER (ORDER BY sha256(convert_to(%(seed)s || ':' || item_id, 'UTF8')), item_id)"
        cursor.execute(
            f"""
            INSERT INTO ledger_stocktakeline
                (stocktake_id, item_id, stock_class, pieces, grams, shelf_id, is_chosen, outcome)
            SELECT %(stocktake)s, item_id, stock_class, pieces, grams, shelf_id,
                {f"{rank} <= %(wanted)s" if stocktake.kind == Kind.SAMPLE else "true"}, ''
            FROM frozen_frame
            """,  # noqa: S608  names of columns from here
            {"stocktake": stocktake.pk, "seed": stocktake.seed, "wanted": stocktake.wanted},
        )
        cursor.execute("DROP TABLE frozen_frame")
        cursor.execute(
            "SELECT count(*), coalesce(sum(grams), 0)::bigint FROM ledger_stocktakeline"
            " WHERE stocktake_id = %s AND is_chosen",
            [stocktake.pk],
        )
        stocktake.expected_items, stocktake.expected_grams = cursor.fetchone()
    if not stocktake.frame_items:
        raise NothingToCount
    stocktake.state, stocktake.frozen_at = State.COUNTING, at
    stocktake.save()
    _record(
        "stocktake.opened",
        stocktake,
        actor=actor,
        at=at,
        items=stocktake.expected_items,
        frame=stocktake.frame_items,
        frame_digest=stocktake.frame_digest,
        seed=stocktake.seed,
        words=stocktake.words,
    )
    return stocktake


# --- counting -------------------------------------------------------------------------------------------------


def take_scan(
    *,
    actor: User,
    at: datetime,
    stocktake: StockTake,
    item_id: int,
    text: str = "",
    shelf_id: int | None = None,
    key: str = "",
) -> Taken | None:
    """Note an item in hand: one statement, however many people scan. None when it is not in the sample.

    A scan sent again under its `key` gets the first answer. Raises InvalidTransition when counting has ended.
    """
    taken = _insert_scans(
        actor=actor, at=at, stocktake=stocktake, item_ids=[item_id], texts=[text], shelf_id=shelf_id, key=key
    )
    return taken[0] if taken else None


def take_box(
    *,
    actor: User,
    at: datetime,
    stocktake: StockTake,
    item_ids: Sequence[int],
    box_id: int | None,
    texts: Sequence[str] = (),
    shelf_id: int | None = None,
    key: str = "",
) -> list[Taken]:
    """Note many items at once: what a sealed box is known to hold, or a list. `texts` name them, in their order.

    Raises InvalidTransition.
    """
    return _insert_scans(
        actor=actor,
        at=at,
        stocktake=stocktake,
        item_ids=item_ids,
        texts=texts,
        shelf_id=shelf_id,
        box_id=box_id,
        key=key,
    )


def _insert_scans(
    *,
    actor: User,
    at: datetime,
    stocktake: StockTake,
    item_ids: Sequence[int],
    texts: Sequence[str],
    shelf_id: int | None,
    box_id: int | None = None,
    key: str,
) -> list[Taken]:
    asked = {
        "stocktake": stocktake.pk,
        "account": stocktake.account_id,
        "whole": stocktake.shelf_id is None,
        "only": stocktake.shelf_id,
        "round": stocktake.round,
        "items": list(item_ids),
        "texts": [text[:80] for text in texts] or [""] * len(item_ids),
        "shelf": shelf_id,
        "box": box_id,
        "key": key[:40],
        "person": actor.pk,
        "at": at,
    }
    sql = """
        INSERT INTO ledger_stocktakescan AS s
            (stocktake_id, round, item_id, text, verdict, place_id, shelf_id, box_id, repeats, key, scanned_by_id,
             scanned_at)
        SELECT %(stocktake)s, %(round)s, wanted.item, wanted.text,
            CASE
                WHEN h.account_id IS DISTINCT FROM %(account)s THEN 'elsewhere'
                WHEN l.item_id IS NULL AND %(whole)s THEN 'arrived'
                WHEN l.item_id IS NULL THEN 'misplaced'
                WHEN %(shelf)s::bigint IS NOT NULL AND l.shelf_id IS DISTINCT FROM %(shelf)s::bigint THEN 'misplaced'
                ELSE 'found'
            END,
            h.account_id, coalesce(%(shelf)s::bigint, %(only)s::bigint), %(box)s, 0, %(key)s, %(person)s, %(at)s
        FROM unnest(%(items)s::bigint[], %(texts)s::text[]) AS wanted (item, text)
        LEFT JOIN ledger_stocktakeline l ON l.stocktake_id = %(stocktake)s AND l.item_id = wanted.item
        LEFT JOIN ledger_holding h ON h.item_id = wanted.item AND h.pieces > 0
        WHERE l.is_chosen IS NOT FALSE
        ORDER BY wanted.item
        ON CONFLICT (stocktake_id, item_id) WHERE undone_at IS NULL AND item_id IS NOT NULL
        DO UPDATE SET repeats = s.repeats + CASE WHEN s.key <> '' AND s.key = excluded.key THEN 0 ELSE 1 END
        RETURNING verdict, xmax = 0 OR (key <> '' AND key = %(key)s), place_id, shelf_id, scanned_by_id
    """
    return _counted(sql, asked)


def note_unknown(*, actor: User, at: datetime, stocktake: StockTake, text: str, key: str = "") -> Taken:
    """Note a label that no item of the registry has, or one that is worth nothing. Raises InvalidTransition."""
    sql = """
        INSERT INTO ledger_stocktakescan AS s
            (stocktake_id, round, text, verdict, repeats, key, scanned_by_id, scanned_at)
        VALUES (%(stocktake)s, %(round)s, %(text)s, 'unknown', 0, %(key)s, %(person)s, %(at)s)
        ON CONFLICT (stocktake_id, text) WHERE undone_at IS NULL AND item_id IS NULL
        DO UPDATE SET repeats = s.repeats + CASE WHEN s.key <> '' AND s.key = excluded.key THEN 0 ELSE 1 END
        RETURNING verdict, xmax = 0 OR (key <> '' AND key = %(key)s), place_id, shelf_id, scanned_by_id
    """
    asked = {
        "stocktake": stocktake.pk,
        "round": stocktake.round,
        "text": text[:80],
        "key": key[:40],
        "person": actor.pk,
        "at": at,
    }
    return _counted(sql, asked)[0]


def _counted(sql: str, asked: dict[str, Any]) -> list[Taken]:
    """Run a scan's one statement; the trigger refuses it when counting has ended.

    By itself it is a transaction of its own, without the round trips that open and end one.
    """
    inside = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with inside, connection.cursor() as cursor:
            cursor.execute(sql, asked)
            return [Taken(*row) for row in cursor.fetchall()]
    except IntegrityError as error:
        if _constraint_of(error) != "scan_while_counting":
            raise
        raise InvalidTransition(_("Counting has ended: nothing more is scanned.")) from error


def _constraint_of(error: IntegrityError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)


def undo_scan(*, actor: User, at: datetime, stocktake: StockTake) -> str | None:
    """Take the person's own last scan back, a box as a whole; what it was, or None when there is none.

    Raises InvalidTransition.
    """
    sql = """
        WITH latest AS (
            SELECT box_id, scanned_at, id FROM ledger_stocktakescan
            WHERE stocktake_id = %(stocktake)s AND scanned_by_id = %(person)s AND undone_at IS NULL
            ORDER BY id DESC LIMIT 1
        )
        UPDATE ledger_stocktakescan s SET undone_at = %(at)s FROM latest
        WHERE s.stocktake_id = %(stocktake)s AND s.scanned_by_id = %(person)s AND s.undone_at IS NULL
            AND (s.id = latest.id OR (s.box_id = latest.box_id AND s.scanned_at = latest.scanned_at))
        RETURNING CASE WHEN s.box_id IS NULL THEN s.text ELSE '' END
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, {"stocktake": stocktake.pk, "person": actor.pk, "at": at})
            undone = [row[0] for row in cursor.fetchall()]
    except IntegrityError as error:
        if _constraint_of(error) != "scan_while_counting":
            raise
        raise InvalidTransition(_("Counting has ended: nothing more is scanned.")) from error
    return ", ".join(text for text in undone[:3] if text) or (str(len(undone)) if undone else None)


# --- the end of counting --------------------------------------------------------------------------------------


@transaction.atomic
def end_counting(*, actor: User, at: datetime, stocktake: StockTake) -> StockTake:
    """Tell the difference: what nobody scanned is missing and held where it should be, or it left during the count.

    Raises InvalidTransition.
    """
    stocktake = _lock(stocktake, State.COUNTING)
    missing = _lock_unscanned(stocktake)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE ledger_stocktakeline l SET outcome = CASE
                WHEN s.verdict IN ('found', 'misplaced') THEN 'found'
                WHEN s.verdict IS NOT NULL AND EXISTS (
                    SELECT FROM ledger_holding h
                    WHERE h.account_id = %(account)s AND h.item_id = l.item_id AND h.pieces > 0
                ) THEN 'found'
                WHEN l.item_id = ANY(%(missing)s) THEN 'missing'
                ELSE 'left'
            END
            FROM ledger_stocktakeline o
            LEFT JOIN ledger_stocktakescan s
                ON s.stocktake_id = %(stocktake)s AND s.item_id = o.item_id AND s.undone_at IS NULL
            WHERE l.stocktake_id = %(stocktake)s AND l.is_chosen
                AND o.stocktake_id = %(stocktake)s AND o.item_id = l.item_id
            """,
            {"stocktake": stocktake.pk, "account": stocktake.account_id, "missing": missing},
        )
    if missing:
        place_hold(actor=actor, at=at, item_ids=missing, kind=HOLD, reference=stocktake.number)
    stocktake.result = _count_result(stocktake)
    stocktake.result_digest = _digest_result(stocktake)
    stocktake.state, stocktake.ended_by, stocktake.ended_at = State.SIGNING, actor, at
    stocktake.save(update_fields=["result", "result_digest", "state", "ended_by", "ended_at"])
    _record("stocktake.counted", stocktake, actor=actor, at=at, digest=stocktake.result_digest, **stocktake.result)
    return stocktake


def _lock_unscanned(stocktake: StockTake) -> list[int]:
    """The chosen items nobody scanned that are in the store still, locked there until this ends.

    The lock closes the race of a dispatch against the end of the count: whoever comes second finds the item gone, or
    held as missing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT h.item_id FROM ledger_stocktakeline l
            JOIN ledger_holding h ON h.account_id = %s AND h.item_id = l.item_id AND h.pieces > 0
            WHERE l.stocktake_id = %s AND l.is_chosen AND NOT EXISTS (
                SELECT FROM ledger_stocktakescan s
                WHERE s.stocktake_id = l.stocktake_id AND s.item_id = l.item_id AND s.undone_at IS NULL
            )
            ORDER BY h.item_id FOR UPDATE OF h
            """,
            [stocktake.account_id, stocktake.pk],
        )
        return [row[0] for row in cursor.fetchall()]


def _count_result(stocktake: StockTake) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, count(*), sum(grams)::bigint FROM ledger_stocktakeline"
            " WHERE stocktake_id = %s AND is_chosen GROUP BY outcome",
            [stocktake.pk],
        )
        outcomes = {outcome: (count, grams) for outcome, count, grams in cursor.fetchall()}
        cursor.execute(
            "SELECT verdict, count(*) FROM ledger_stocktakescan"
            " WHERE stocktake_id = %s AND undone_at IS NULL GROUP BY verdict",
            [stocktake.pk],
        )
        verdicts = dict(cursor.fetchall())
    return {
        "expected": stocktake.expected_items,
        "found": outcomes.get("found", (0, 0))[0],
        "missing": outcomes.get("missing", (0, 0))[0],
        "missing_grams": outcomes.get("missing", (0, 0))[1],
        "left": outcomes.get("left", (0, 0))[0],
        "misplaced": verdicts.get("misplaced", 0),
        "elsewhere": verdicts.get("elsewhere", 0),
        "arrived": verdicts.get("arrived", 0),
        "unknown": verdicts.get("unknown", 0),
    }


def _digest_result(stocktake: StockTake) -> str:
    """One digest for the counts and for every single difference; it is what a signature means."""
    digest = hashlib.sha256()
    head = [stocktake.number, stocktake.round, stocktake.frame_digest, stocktake.result]
    digest.update(json.dumps(head, sort_keys=True, separators=(",", ":")).encode())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome || ' ' || item_id FROM ledger_stocktakeline"
            " WHERE stocktake_id = %s AND outcome IN ('missing', 'left') ORDER BY item_id",
            [stocktake.pk],
        )
        lines = cursor.fetchall()
        cursor.execute(
            "SELECT verdict || ' ' || coalesce(item_id::text, text) FROM ledger_stocktakescan"
            " WHERE stocktake_id = %s AND undone_at IS NULL AND verdict <> 'found' ORDER BY item_id, text",
            [stocktake.pk],
        )
        lines += cursor.fetchall()
    for (line,) in lines:
        digest.update(f"\n{line}".encode())
    return digest.hexdigest()


@transaction.atomic
def count_again(*, actor: User, at: datetime, stocktake: StockTake, reason: str) -> StockTake:
    """Go back to the store for what is missing: what was found stays found, and every signature is void.

    Raises InvalidTransition, BadInput.
    """
    reason = require_reason(reason)
    stocktake = _lock(stocktake, State.SIGNING)
    StockTakeMember.objects.filter(stocktake=stocktake).update(signed_at=None, signed_result=None)
    stocktake.round += 1
    stocktake.state, stocktake.result, stocktake.result_digest = State.COUNTING, None, ""
    stocktake.ended_by, stocktake.ended_at = None, None
    stocktake.save(update_fields=["round", "state", "result", "result_digest", "ended_by", "ended_at"])
    missed = list(Hold.objects.active().filter(kind=HOLD, reference=stocktake.number).values_list("item_id", flat=True))
    if missed:
        why = f"{stocktake.number}: {reason.strip()}"[:200]
        lift_hold(actor=actor, at=at, item_ids=missed, kind=HOLD, reason=why)
    _record("stocktake.counted_again", stocktake, actor=actor, at=at, round=stocktake.round, reason=reason.strip())
    return stocktake


@transaction.atomic
def sign_stocktake(*, actor: User, at: datetime, stocktake: StockTake, digest: str) -> StockTake:
    """One of the commission signs the result named by its digest; with the last signature the stock-take is closed.

    Raises NotOfTheCommission, InvalidTransition when the result is another one by now.
    """
    stocktake = _lock(stocktake, State.SIGNING)
    if digest != stocktake.result_digest:
        raise InvalidTransition(_("The result has changed since you saw it. Read it again."))
    seat = StockTakeMember.objects.filter(stocktake=stocktake, person=actor).first()
    if seat is None:
        raise NotOfTheCommission
    others = StockTakeMember.objects.filter(stocktake=stocktake).values_list("person_id", flat=True)
    require_independent(actor, *others, at=at)
    if seat.signed_at is None:
        seat.signed_at, seat.signed_result = at, digest
        seat.save(update_fields=["signed_at", "signed_result"])
        _record("stocktake.signed", stocktake, actor=actor, at=at, digest=digest)
    if not StockTakeMember.objects.filter(stocktake=stocktake, signed_at=None).exists():
        _close(actor=actor, at=at, stocktake=stocktake)
    return stocktake


@transaction.atomic
def cancel_stocktake(*, actor: User, at: datetime, stocktake: StockTake, reason: str) -> StockTake:
    """Call a stock-take off, with the reason; its scans stay on record, and once counting had begun the authority is
    told and judges. What was once counted to the end is signed, or counted again. Raises InvalidTransition, BadInput.
    """
    reason = require_reason(reason)
    stocktake = _lock(stocktake, State.ANNOUNCED, State.COUNTING)
    if not stocktake.may_be_called_off:
        raise InvalidTransition(_("This was counted to the end once: count what is missing, end the count and sign."))
    was_counted = stocktake.state == State.COUNTING
    stocktake.state, stocktake.closed_at = State.CANCELLED, at
    stocktake.cancelled_by, stocktake.cancel_reason = actor, reason.strip()[:400]
    stocktake.save(update_fields=["state", "closed_at", "cancelled_by", "cancel_reason"])
    _record("stocktake.cancelled", stocktake, actor=actor, at=at, reason=stocktake.cancel_reason)
    if was_counted:
        raise_notice(
            at=at,
            kind=Notice.Kind.ALERT,
            code="stocktake.cancelled",
            organisation=Organisation.objects.get(custody_accounts=stocktake.account_id),
            subject=("stocktake", stocktake.pk),
            due_on=discrepancy_due_on(at),
            actor=actor,
            number=stocktake.number,
            store=stocktake.account.code,
            reason=stocktake.cancel_reason,
        )
    return stocktake


# --- what becomes of the differences --------------------------------------------------------------------------


def _close(*, actor: User, at: datetime, stocktake: StockTake) -> None:
    """Each difference becomes a movement, a correction of the shelf, or a notice that somebody must decide."""
    moved, strays = _bring_in(actor=actor, at=at, stocktake=stocktake)
    shelved = _correct_shelves(actor=actor, at=at, stocktake=stocktake)
    again = _found_again(stocktake)
    stocktake.result = {**(stocktake.result or {}), "moved": moved, "shelved": shelved, "found_again": len(again)}
    stocktake.state, stocktake.closed_at = State.CLOSED, at
    stocktake.save(update_fields=["result", "state", "closed_at"])
    if again:
        lift_hold(actor=actor, at=at, item_ids=again, kind=HOLD, reason=stocktake.number)
    _record("stocktake.closed", stocktake, actor=actor, at=at, digest=stocktake.result_digest, **stocktake.result)
    keeper = Organisation.objects.get(custody_accounts=stocktake.account_id)
    told: dict[str, Any] = {
        "at": at,
        "organisation": keeper,
        "subject": ("stocktake", stocktake.pk),
        "due_on": discrepancy_due_on(at),
        "actor": actor,
        "number": stocktake.number,
    }
    result = stocktake.result
    if result["missing"]:
        raise_notice(
            kind=Notice.Kind.DISCREPANCY,
            code="stocktake.missing",
            missing=result["missing"],
            expected=result["expected"],
            store=stocktake.account.code,
            **told,
        )
    _tell_strays(strays, stocktake, told)
    if result["unknown"]:
        texts = stocktake.scans.filter(verdict="unknown", undone_at=None).order_by("pk").values_list("text", flat=True)
        raise_notice(
            kind=Notice.Kind.ALERT,
            code="stocktake.unknown",
            count=result["unknown"],
            labels=", ".join(texts[:LISTED]),
            **told,
        )


def _tell_strays(strays: Sequence[tuple[int | None, str]], stocktake: StockTake, told: dict[str, Any]) -> None:
    """Name each item that belongs elsewhere to those who counted and to whose books have it; the authority judges."""
    places = CustodyAccount.objects.select_related("custodian").in_bulk({place for place, _name in strays if place})
    here = stocktake.account
    groups: dict[tuple[Stray, str, int | None], list[str]] = {}
    for place_id, name in strays:
        place = places.get(place_id) if place_id else None
        what = judge_stray(place, found_in=here)
        code = place.code if place is not None and what == Stray.OTHER_STORE else ""
        groups.setdefault((what, code, place.custodian_id if place else None), []).append(name)
    keepers = {place.custodian_id: place.custodian for place in places.values() if place.custodian is not None}
    for (what, code, keeper_id), names in sorted(groups.items(), key=lambda group: (*group[0][:2], group[0][2] or 0)):
        concerned = {told["organisation"].pk: told["organisation"]}
        if keeper_id is not None:
            concerned[keeper_id] = keepers[keeper_id]
        for first in range(0, len(names), NAMED):
            some = names[first : first + NAMED]
            facts: dict[str, Any] = {"count": len(some), "items": ", ".join(some), "store": here.code}
            if code:
                facts["place"] = code
            for organisation in concerned.values():
                said = {**told, "organisation": organisation, **facts}
                raise_notice(kind=Notice.Kind.ALERT, code=f"stocktake.{what}", **said)


def _bring_in(*, actor: User, at: datetime, stocktake: StockTake) -> tuple[int, list[tuple[int | None, str]]]:
    """Move here what the keeper's other stores in the region should have and nothing binds; how many moved, and the
    place and the name of each that was not. What belongs in another region came without a hand-over, and is told.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT h.account_id, s.item_id, coalesce(nullif(split_part(s.text, ' · ', 1), ''), '№ ' || s.item_id),
                a.id IS NOT NULL AND k.item_id IS NULL AND r.item_id IS NULL
            FROM ledger_stocktakescan s
            LEFT JOIN ledger_holding h ON h.item_id = s.item_id AND h.pieces > 0
            LEFT JOIN ledger_custodyaccount a ON a.id = h.account_id AND a.kind = 'store' AND a.custodian_id = %s
                AND a.region_id IS NOT DISTINCT FROM %s
            LEFT JOIN LATERAL (
                SELECT item_id FROM ledger_hold WHERE item_id = s.item_id AND lifted_at IS NULL LIMIT 1
            ) k ON true
            LEFT JOIN ledger_reservation r ON r.item_id = s.item_id AND r.released_at IS NULL
            WHERE s.stocktake_id = %s AND s.verdict = 'elsewhere' AND s.undone_at IS NULL
                AND h.account_id IS DISTINCT FROM %s
            ORDER BY s.item_id
            """,
            [stocktake.account.custodian_id, stocktake.account.region_id, stocktake.pk, stocktake.account_id],
        )
        found = cursor.fetchall()
    ours = stocktake.account.kind == AccountKind.STORE
    movable: dict[int, list[int]] = {}
    for account_id, item_id, _name, is_free in found:
        if ours and is_free:
            movable.setdefault(account_id, []).append(item_id)
    moved: set[int] = set()
    for account_id, item_ids in sorted(movable.items()):
        try:
            move_items(
                actor=actor,
                at=at,
                key=f"stocktake:{stocktake.pk}:{account_id}",
                kind=MovementKind.TRANSFER,
                item_ids=item_ids,
                source=CustodyAccount.objects.get(pk=account_id),
                target=stocktake.account,
                effective_on=day_of(at),
                reference=stocktake.number,
            )
        except DomainError:
            # They went on, or something binds them since: told as found elsewhere, for people to settle.
            continue
        moved.update(item_ids)
    return len(moved), [(account_id, name) for account_id, item_id, name, _free in found if item_id not in moved]


def _correct_shelves(*, actor: User, at: datetime, stocktake: StockTake) -> int:
    """Place loose items where they were found; how many. What lies in a box stands where its box stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH found AS MATERIALIZED (
                SELECT s.item_id AS item, s.shelf_id AS shelf FROM ledger_stocktakescan s
                JOIN ledger_holding h ON h.account_id = %(account)s AND h.item_id = s.item_id AND h.pieces > 0
                WHERE s.stocktake_id = %(stocktake)s AND s.verdict = 'misplaced' AND s.undone_at IS NULL
                    AND s.shelf_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM ledger_packing p WHERE p.item_id = s.item_id AND p.taken_out_at IS NULL
                    )
            )
            UPDATE ledger_placement p SET removed_at = %(at)s FROM found
            WHERE p.item_id = found.item AND p.removed_at IS NULL AND p.shelf_id <> found.shelf
            """,
            {"account": stocktake.account_id, "stocktake": stocktake.pk, "at": at},
        )
        cursor.execute(
            """
            INSERT INTO ledger_placement (item_id, shelf_id, placed_by_id, placed_at)
            SELECT s.item_id, s.shelf_id, %(person)s, %(at)s FROM ledger_stocktakescan s
            JOIN ledger_holding h ON h.account_id = %(account)s AND h.item_id = s.item_id AND h.pieces > 0
            WHERE s.stocktake_id = %(stocktake)s AND s.verdict = 'misplaced' AND s.undone_at IS NULL
                AND s.shelf_id IS NOT NULL AND NOT EXISTS (
                    SELECT FROM ledger_packing p WHERE p.item_id = s.item_id AND p.taken_out_at IS NULL
                ) AND NOT EXISTS (
                    SELECT FROM ledger_placement p WHERE p.item_id = s.item_id AND p.removed_at IS NULL
                )
            ORDER BY s.item_id
            """,
            {"account": stocktake.account_id, "stocktake": stocktake.pk, "at": at, "person": actor.pk},
        )
        return cursor.rowcount


def _found_again(stocktake: StockTake) -> list[int]:
    """What an earlier stock-take of this store missed and this one found: the items that are free again with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.item_id FROM ledger_hold k
            JOIN ledger_stocktake earlier ON earlier.number = k.reference AND earlier.account_id = %(account)s
            JOIN ledger_stocktakescan s ON s.stocktake_id = %(stocktake)s AND s.item_id = k.item_id
                AND s.undone_at IS NULL
            JOIN ledger_holding h ON h.account_id = %(account)s AND h.item_id = k.item_id
            WHERE k.kind = %(kind)s AND k.lifted_at IS NULL AND earlier.id <> %(stocktake)s AND earlier.state = 'closed'
            """,
            {"account": stocktake.account_id, "stocktake": stocktake.pk, "kind": HOLD},
        )
        return [row[0] for row in cursor.fetchall()]


def _lock(stocktake: StockTake, *states: StockTake.State) -> StockTake:
    """The row locked, in one of the states: after the scans under way, and one act at a time."""
    locked = StockTake.objects.select_for_update(of=("self",)).select_related("account").get(pk=stocktake.pk)
    if locked.state not in states:
        raise InvalidTransition
    return locked


def _record(verb: str, stocktake: StockTake, *, actor: User, at: datetime, **facts: object) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("stocktake", stocktake.pk),
        subject_name=stocktake.number,
        organisation_id=stocktake.account.custodian_id,
        **facts,
    )
