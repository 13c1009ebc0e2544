"""Issuing marks. Set-based: the number of statements does not grow with the number of marks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import InvalidTransition
from marking.codes import new_codes
from marking.models import LabelRun
from marking.payload import Statement, sign
from marking.services.keys import signing_key_in_use
from marking.services.labels import LabelOrder, print_labels
from registry.models import Derivative, Intake
from registry.services import register_intake


class AlreadyMarked(InvalidTransition):
    """One of the derivatives has an active mark."""

    code = "already-marked"
    message = _("Some of these items have a mark already.")


@dataclass(frozen=True, slots=True)
class Registration:
    """What one act of registering made: how many marked derivatives, and the order to print their labels, if any."""

    intake: Intake
    count: int
    label_run: LabelRun | None


@transaction.atomic
def register_and_mark(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    explanation: str = "",
    confirm_band: bool = False,
    version: int | None = None,
    order: LabelOrder | None = None,
) -> Registration:
    """Register the rows of an intake, mark each derivative and, if ordered, print the labels: all of it or nothing.

    Raises what `register_intake` raises, NoSigningKey, and what `print_labels` raises.
    """
    derivatives = register_intake(
        actor=actor,
        at=at,
        intake=intake,
        explanation=explanation,
        confirm_band=confirm_band,
        version=version,
    )
    issue_marks(actor=actor, at=at, derivatives=derivatives)
    intake.refresh_from_db()
    run = print_labels(actor=actor, at=at, intake=intake, order=order) if order else None
    return Registration(intake, len(derivatives), run)


@transaction.atomic
def issue_marks(
    *, actor: User, at: datetime, derivatives: Sequence[Derivative], codes: Iterator[str] | None = None
) -> list[str]:
    """Give each derivative a new signed mark; the codes in the order of the derivatives.

    No code is ever issued twice: a code that exists, or is being issued by another transaction at this moment, is
    passed over and another one drawn. The derivatives come with their intakes. Raises AlreadyMarked, NoSigningKey;
    then no mark is issued.
    """
    key, private_key = signing_key_in_use()
    source = codes or new_codes()
    key_id = bytes.fromhex(key.pk)
    issued: dict[int, str] = {}
    waiting = list(derivatives)
    try:
        with transaction.atomic():
            while waiting:
                signed = [
                    (derivative.pk, sign(_statement(derivative, next(source), key_id), private_key))
                    for derivative in waiting
                ]
                taken = _insert_marks(
                    [(pk, one.statement.code, one.body, one.signature) for pk, one in signed], key.pk, at
                )
                issued |= taken
                waiting = [derivative for derivative in waiting if derivative.pk not in taken]
    except IntegrityError as error:
        raise AlreadyMarked from error
    for intake_id in sorted({derivative.intake_id for derivative in derivatives}):
        count = sum(derivative.intake_id == intake_id for derivative in derivatives)
        record("marks.issued", actor=actor, at=at, subject=("intake", intake_id), count=count, key=key.pk)
    return [issued[derivative.pk] for derivative in derivatives]


def _statement(derivative: Derivative, code: str, key_id: bytes) -> Statement:
    return Statement(
        key_id=key_id,
        code=code,
        term=derivative.term,
        origin=derivative.origin,
        mass_g=derivative.mass_g,
        dated_on=derivative.intake.on,
    )


def _insert_marks(rows: list[tuple[int, str, bytes, bytes]], key: str, at: datetime) -> dict[int, str]:
    """Insert the marks whose codes are free; their codes by derivative.

    A code that another open transaction has inserted makes this statement wait: once that one commits, the code is
    taken; if it rolls back, the code is free. So two transactions never both get one code.
    """
    pks, codes, bodies, signatures = (list(column) for column in zip(*rows, strict=True))
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
