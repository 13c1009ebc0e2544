"""The stock statement, by arithmetic alone: opening + in − out = closing, for each stock class of one store.

Modelled on the yearly stock declaration of CITES (Res. Conf. 10.10, ivory): pieces and mass by term and
origin, what changed and why. Pure: the caller reads the ledger, this module adds up and compares.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from marking.codes import RANDOM_BITS, from_number, group


@dataclass(frozen=True, slots=True)
class Amount:
    """Pieces and grams; both may be negative where a change is meant."""

    pieces: int = 0
    grams: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.pieces + other.pieces, self.grams + other.grams)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.pieces - other.pieces, self.grams - other.grams)


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Line:
    """What one movement did to one stock class of the store.

    `other` is the account on the far side; `far`, for goods handed over, the store beyond the way between.
    """

    movement: int
    on: date
    recorded_at: datetime
    kind: str
    reference: str
    other: int | None
    far: int | None
    stock_class: str
    came: Amount
    left: Amount
    actor: int


@dataclass(frozen=True, slots=True)
class Source:
    """One look at the ledger: sums before the period, lines in it, sums after it, and the kept totals."""

    opening: dict[str, Amount] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    later: dict[str, Amount] = field(default_factory=dict)
    totals: dict[str, Amount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why stock changed: the kind of movement and the account on the far side."""

    kind: str
    other: int | None


@dataclass(slots=True)
class ClassBalance:
    """One stock class: what there was, what came and left and why, what there is."""

    stock_class: str
    opening: Amount
    came: Amount = NOTHING
    left: Amount = NOTHING
    came_by: dict[Reason, Amount] = field(default_factory=dict)
    left_by: dict[Reason, Amount] = field(default_factory=dict)

    @property
    def closing(self) -> Amount:
        return self.opening + self.came - self.left


@dataclass(frozen=True, slots=True)
class Difference:
    """A stock class whose postings do not add up to the total the ledger keeps."""

    stock_class: str
    by_postings: Amount
    by_totals: Amount


def add_up(source: Source) -> list[ClassBalance]:
    """The balance of every stock class that was there, came or left, in the order of their codes.

    Computed from postings alone; the kept totals take no part.
    """
    balances = {code: ClassBalance(code, opening) for code, opening in source.opening.items()}
    for line in source.lines:
        balance = balances.setdefault(line.stock_class, ClassBalance(line.stock_class, NOTHING))
        reason = Reason(line.kind, line.other)
        if line.came != NOTHING:
            balance.came += line.came
            balance.came_by[reason] = balance.came_by.get(reason, NOTHING) + line.came
        if line.left != NOTHING:
            balance.left += line.left
            balance.left_by[reason] = balance.left_by.get(reason, NOTHING) + line.left
    kept = [balance for balance in balances.values() if not balance.opening == balance.came == balance.left == NOTHING]
    return sorted(kept, key=lambda balance: balance.stock_class)


def differences(balances: Sequence[ClassBalance], source: Source) -> list[Difference]:
    """Where closing, plus what happened after the period, is not the total the ledger keeps today."""
    closing = {balance.stock_class: balance.closing for balance in balances}
    found = []
    for code in sorted({*closing, *source.later, *source.totals}):
        by_postings = closing.get(code, NOTHING) + source.later.get(code, NOTHING)
        by_totals = source.totals.get(code, NOTHING)
        if by_postings != by_totals:
            found.append(Difference(code, by_postings, by_totals))
    return found


def check_code(store: str, starts_on: date, ends_on: date, source: Source) -> str:
    """Twelve characters that change when any figure of the statement changes, grouped as mark codes are.

    The first 55 bits of SHA-256 over a canonical JSON of store, period, opening and lines; so a statement
    made again, in another language too, carries the same code as long as the ledger tells the same.
    """
    told = {
        "store": store,
        "period": [starts_on.isoformat(), ends_on.isoformat()],
        "opening": sorted(
            [code, amount.pieces, amount.grams] for code, amount in source.opening.items() if amount != NOTHING
        ),
        "lines": [
            [
                line.movement,
                line.on.isoformat(),
                line.kind,
                line.stock_class,
                line.came.pieces,
                line.came.grams,
                line.left.pieces,
                line.left.grams,
            ]
            for line in source.lines
        ],
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    bits = int.from_bytes(digest[:8], "big") >> (64 - RANDOM_BITS)
    return group(from_number(bits))
