"""Issuing marks. Set-based: the number of statements does not grow with the number of marks."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput
from marking.codes import new_codes
from marking.keyring import sign_bodies
from marking.models import LabelRun, Mark
from marking.payload import Statement, encode
from marking.services.applying import AlreadyMarked, bind_row_labels
from marking.services.keys import signing_key_in_use
from marking.services.labels import LabelOrder, print_labels
from registry.models import Intake, Processing
from registry.selectors import marked_by_default, must_be_marked
from registry.services import approve_processing, register_intake, register_processing

COPY_LINES = 1_000
# Code, derivative, signed bytes, signature.
_Drawn = tuple[str, int, bytes, bytes]


class MarkingCompulsory(BadInput):
    """The rules of the day let nothing of this kind go without a mark."""

    code = "marking-compulsory"
    message = _("Derivatives of this kind must be marked.")


@dataclass(frozen=True, slots=True)
class Registration:
    """What one act of registering made: how many derivatives, and the order to print their labels, if any."""

    intake: Intake
    count: int
    label_run: LabelRun | None


class Markable(Protocol):
    """What a mark needs to know of a derivative: a `Derivative`, or a line of its table."""

    @property
    def pk(self) -> int: ...
    @property
    def term(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def mass_g(self) -> int: ...
    @property
    def intake_id(self) -> int | None: ...
    @property
    def dated_on(self) -> date: ...


class _Line(NamedTuple):
    """A derivative as marking needs it, small enough for a hundred thousand at once."""

    pk: int
    term: str
    origin: str
    mass_g: int
    intake_id: int
    dated_on: date


@transaction.atomic
def register_and_mark(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    explanation: str = "",
    confirm_band: bool = False,
    band_reason: str = "",
    version: int | None = None,
    mark: bool | None = None,
    order: LabelOrder | None = None,
) -> Registration:
    """Register the rows of an intake, mark each derivative and, if ordered, print the labels: all of it or nothing.

    Rows that name a blank label have it bound; the others get new marks.

    `mark` False registers without marks, where the rules of the day allow it; None follows the custom of the term.
    Raises what `register_intake` raises, MarkingCompulsory, NoSigningKey, and what `print_labels` raises.
    """
    register_intake(
        actor=actor,
        at=at,
        intake=intake,
        explanation=explanation,
        confirm_band=confirm_band,
        band_reason=band_reason,
        version=version,
    )
    intake.refresh_from_db()
    if mark is None:
        mark = marked_by_default(intake.term, intake.on)
    elif not mark and must_be_marked(intake.term, intake.on):
        raise MarkingCompulsory
    bound = bind_row_labels(actor=actor, at=at, intake=intake)
    fresh = [line for line in lines_to_mark(intake) if line.pk not in bound] if mark else []
    if fresh:
        issue_marks(actor=actor, at=at, derivatives=fresh)
    run = print_labels(actor=actor, at=at, intake=intake, order=order) if order and fresh else None
    return Registration(intake, intake.pieces or 0, run)


@transaction.atomic
def process_and_mark(
    *,
    actor: User,
    at: datetime,
    run: Processing,
    loss_g: int,
    explanation: str = "",
    version: int | None = None,
    order: LabelOrder | None = None,
) -> Registration | None:
    """Register a run of processing, mark each package that came out and, if ordered, print the labels: all or nothing.

    None when more is lost than the norm allows: the run waits for the authority, and there is nothing to mark.
    Raises what `register_processing` raises, NoSigningKey, and what `print_labels` raises.
    """
    derivatives = register_processing(
        actor=actor, at=at, run=run, loss_g=loss_g, explanation=explanation, version=version
    )
    if not derivatives:
        return None
    issue_marks(actor=actor, at=at, derivatives=derivatives)
    made = derivatives[0].intake
    labels = print_labels(actor=actor, at=at, intake=made, order=order) if order else None
    return Registration(made, len(derivatives), labels)


@transaction.atomic
def approve_and_mark(*, actor: User, at: datetime, run: Processing, reason: str) -> Registration:
    """Let a waiting run through and mark each package that came out; its keeper prints the labels.

    Raises what `approve_processing` raises, and NoSigningKey.
    """
    derivatives = approve_processing(actor=actor, at=at, run=run, reason=reason)
    issue_marks(actor=actor, at=at, derivatives=derivatives)
    return Registration(derivatives[0].intake, len(derivatives), None)


def lines_to_mark(intake: Intake) -> Sequence[Markable]:
    """The derivatives of a registered intake as marking needs them, in the order of their rows."""
    lines = intake.derivatives.order_by("row").values_list("item_id", "mass_g")
    return [
        _Line(pk, intake.term, intake.origin, grams, intake.pk, intake.on)
        for pk, grams in lines.iterator(chunk_size=10_000)
    ]


@transaction.atomic
def issue_marks(
    *, actor: User, at: datetime, derivatives: Sequence[Markable], codes: Iterator[str] | None = None
) -> list[str]:
    """Give each derivative a new signed mark; the codes in the order of the derivatives.

    No code is ever issued twice: a code that exists, or is being issued by another transaction at this moment, is
    passed over and another one drawn. The derivatives come with their intakes. Raises AlreadyMarked, NoSigningKey;
    then no mark is issued.
    """
    key, private_key = signing_key_in_use()
    source = codes or new_codes()
    key_id = bytes.fromhex(key.pk)

    def draw(waiting: Sequence[Markable]) -> list[_Drawn]:
        codes = [next(source) for _derivative in waiting]
        bodies = [encode(_statement(one, code, key_id)) for one, code in zip(waiting, codes, strict=True)]
        signatures = sign_bodies(bodies, private_key)
        pks = (derivative.pk for derivative in waiting)
        # In the order of codes, so that two transactions that drew the same ones wait for each other and never both.
        return sorted(zip(codes, pks, bodies, signatures, strict=True))

    drawn = draw(derivatives)
    try:
        with transaction.atomic():
            _copy_marks(drawn, key.pk, at)
            issued = {pk: code for code, pk, _body, _signature in drawn}
    except IntegrityError:
        # Some code exists, or some derivative is marked: find out, mark by mark.
        issued = _insert_free(drawn, draw, derivatives, key.pk, at)
    counts = Counter(derivative.intake_id for derivative in derivatives)
    for intake_id, count in sorted((pk, count) for pk, count in counts.items() if pk is not None):
        record("marks.issued", actor=actor, at=at, subject=("intake", intake_id), count=count, key=key.pk)
    return [issued[derivative.pk] for derivative in derivatives]


def _statement(derivative: Markable, code: str, key_id: bytes) -> Statement:
    return Statement(
        key_id=key_id,
        code=code,
        term=derivative.term,
        origin=derivative.origin,
        mass_g=derivative.mass_g,
        dated_on=derivative.dated_on,
    )


def _copy_marks(drawn: list[_Drawn], key: str, at: datetime) -> None:
    """All of the marks, or IntegrityError: the quick way, which 55 random bits make the usual one."""
    statement = (
        "COPY marking_mark (code, derivative_id, state, generation, key_id, payload, signature, issued_at, end_reason)"
        " FROM STDIN"
    )
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        # Lines of COPY's text format; nothing in them needs escaping but the backslash that begins a bytea.
        same = f"\t{Mark.State.ACTIVE.value}\t1\t{key}\t"
        end = f"\t{at.isoformat()}\t\n"
        for start in range(0, len(drawn), COPY_LINES):
            lines = drawn[start : start + COPY_LINES]
            copy.write("".join([f"{c}\t{d}{same}\\\\x{b.hex()}\t\\\\x{s.hex()}{end}" for c, d, b, s in lines]))


def _insert_free(
    drawn: list[_Drawn],
    draw: Callable[[Sequence[Markable]], list[_Drawn]],
    derivatives: Sequence[Markable],
    key: str,
    at: datetime,
) -> dict[int, str]:
    """Insert marks whose codes are free and draw again for the rest; the codes by derivative. Raises AlreadyMarked."""
    issued: dict[int, str] = {}
    try:
        with transaction.atomic():
            while drawn:
                issued |= _insert_marks(drawn, key, at)
                drawn = draw([derivative for derivative in derivatives if derivative.pk not in issued])
    except IntegrityError as error:
        raise AlreadyMarked from error
    return issued


def _insert_marks(drawn: list[_Drawn], key: str, at: datetime) -> dict[int, str]:
    """Insert the marks whose codes are free; their codes by derivative.

    A code that another open transaction has inserted makes this statement wait: once that one commits, the code is
    taken; if it rolls back, the code is free. So two transactions never both get one code.
    """
    codes, pks, bodies, signatures = (list(column) for column in zip(*drawn, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marking_mark
                (code, derivative_id, state, generation, key_id, payload, signature, issued_at, end_reason)
            SELECT code, derivative, 'active', 1, %s, payload, signature, %s, ''
            FROM unnest(%s::text[], %s::bigint[], %s::bytea[], %s::bytea[])
                AS new (code, derivative, payload, signature)
            ORDER BY code
            ON CONFLICT (code) DO NOTHING
            RETURNING derivative_id, code
            """,
            [key, at, codes, pks, bodies, signatures],
        )
        return dict(cursor.fetchall())
