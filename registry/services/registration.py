"""Registration: what was weighed becomes derivatives that are somewhere, in one transaction or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from ledger.models import CustodyAccount, Hold
from ledger.services import Arrival, enter_items, open_items, place_hold
from registry.models import BOUNDARIES, Derivative, Intake, Origin, Term
from registry.selectors import Plausibility, explanation_needed, plausibility
from registry.services.cases import tell_difference
from registry.services.locking import lock_open_intake
from registry.services.table import TableChanged

MOST_NAMED = 10  # rows that a refusal names


class NothingToRegister(BadInput):
    """The weighing table is empty."""

    code = "nothing-to-register"
    message = _("There is nothing on the table yet.")


class BandNotConfirmed(BadInput):
    """Some masses are outside the plausible band, and nobody has confirmed them."""

    code = "band-not-confirmed"
    message = _("Some masses are unusual. Weigh again, or confirm that they are right.")


class ExplanationNeeded(BadInput):
    """There are more horns than the males taken can carry, and nobody has said why."""

    code = "explanation-needed"
    message = _("There are more horns than these males can carry. Say why.")


@dataclass(frozen=True, slots=True)
class _Weighed:
    """One row of the table as it is registered."""

    row: int
    side: str
    mass_g: int
    length_mm: int | None
    condition: str
    note: str
    photo_id: UUID | None


@transaction.atomic
def register_intake(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    explanation: str = "",
    confirm_band: bool = False,
    version: int | None = None,
) -> list[Derivative]:
    """Turn the weighing table into derivatives in the intake's store, numbered in the order of the rows.

    Seized goods come under a hold as evidence. `version`, where given, is the table the person saw. Marks are not
    issued here. The number of queries does not depend on the number of rows.
    Raises NotAllowed, InvalidTransition, TableChanged, NothingToRegister, BandNotConfirmed, ExplanationNeeded, and
    what the ledger raises; then nothing has changed.
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    if version is not None and version != intake.version:
        raise TableChanged
    rows = _take_rows(intake)
    rules = plausibility(intake.on)
    is_excess = explanation_needed(intake, rules, len(rows))
    outside = _refuse_unexplained(rows, rules, confirm_band, is_excess=is_excess, explanation=explanation)
    grams = sum(line.mass_g for line in rows)
    intake.state, intake.closed_by, intake.closed_at = Intake.State.REGISTERED, actor, at
    intake.pieces, intake.grams = len(rows), grams
    intake.explanation = explanation.strip() if is_excess else ""
    intake.save(update_fields=["state", "closed_by", "closed_at", "pieces", "grams", "explanation"])

    derivatives = _number(intake, rows, at)
    _insert(derivatives)
    movement = enter_items(
        actor=actor,
        at=at,
        key=f"intake:{intake.pk}",
        source=CustodyAccount.objects.boundary(BOUNDARIES[Origin(intake.origin)]),
        target=intake.store,
        arrivals=[Arrival(d.item_id, d.stock_class, 1, d.mass_g) for d in derivatives],
        effective_on=intake.on,
        reference=intake.number,
    )
    if intake.case is not None:
        place_hold(
            actor=actor,
            at=at,
            item_ids=[d.item_id for d in derivatives],
            kind=Hold.Kind.EVIDENCE,
            reference=intake.case.name,
        )
        tell_difference(actor=actor, at=at, case=intake.case)
    _link_photos(rows, derivatives)
    record(
        "intake.registered",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        pieces=len(rows),
        grams=grams,
        target=intake.store.code,
        first=derivatives[0].number,
        last=derivatives[-1].number,
        movement=movement.pk,
        outside_band=outside,
        reason=intake.explanation,
    )
    if is_excess:
        _tell_owner(intake, actor, at)
    return derivatives


def _take_rows(intake: Intake) -> list[_Weighed]:
    """Take the rows off the table, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM registry_intakerow WHERE intake_id = %s"
            " RETURNING row, side, mass_g, length_mm, condition, note, photo_id",
            [intake.pk],
        )
        rows = [_Weighed(*row) for row in cursor.fetchall()]
    if not rows:
        raise NothingToRegister
    return sorted(rows, key=lambda line: line.row)


def _refuse_unexplained(
    rows: Sequence[_Weighed], rules: Plausibility, confirm_band: bool, *, is_excess: bool, explanation: str
) -> list[int]:
    """The rows outside the band, all confirmed; raises BandNotConfirmed or ExplanationNeeded."""
    outside = [line.row for line in rows if rules.is_outside(line.mass_g)]
    if outside and not confirm_band:
        named = ", ".join(str(row) for row in outside[:MOST_NAMED]) + (" …" if len(outside) > MOST_NAMED else "")
        raise BandNotConfirmed(
            fields={
                "confirm_band": ngettext_lazy(
                    "The mass in row %(rows)s is unusual: confirm it.",
                    "%(count)d masses are unusual (rows %(rows)s): confirm them.",
                    "count",
                )
                % {"count": len(outside), "rows": named}
            }
        )
    if is_excess and not explanation.strip():
        raise ExplanationNeeded(fields={"explanation": _("Say why there are more horns than two a male.")})
    return outside[:1000]


def _number(intake: Intake, rows: Sequence[_Weighed], at: datetime) -> list[Derivative]:
    """A derivative for each row, each with its own item and registration number."""
    items = sorted(open_items(len(rows)))
    serials = take_numbers(series="KZ", year=intake.on.year, count=len(rows))
    return [
        Derivative(
            item_id=item,
            number=f"KZ{intake.on:%y}-{serial:07d}",
            term=Term.HORN,
            origin=intake.origin,
            intake=intake,
            row=line.row,
            side=line.side,
            mass_g=line.mass_g,
            length_mm=line.length_mm,
            condition=line.condition,
            note=line.note,
            registered_at=at,
        )
        for item, serial, line in zip(items, serials, rows, strict=True)
    ]


COLUMNS = (
    "item_id",
    "number",
    "term",
    "origin",
    "intake_id",
    "row",
    "side",
    "mass_g",
    "length_mm",
    "condition",
    "note",
    "registered_at",
)


def _insert(derivatives: Sequence[Derivative]) -> None:
    """One COPY, whatever the count: the trigger that guards registration sees the whole set at once."""
    statement = f"COPY registry_derivative ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for derivative in derivatives:
            copy.write_row([getattr(derivative, column) for column in COLUMNS])


def _link_photos(rows: Sequence[_Weighed], derivatives: Sequence[Derivative]) -> None:
    pairs = [(d.item_id, line.photo_id) for d, line in zip(derivatives, rows, strict=True) if line.photo_id]
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registry_derivativephoto (derivative_id, document_id)"
            " SELECT * FROM unnest(%s::bigint[], %s::uuid[])",
            [[item for item, _photo in pairs], [photo for _item, photo in pairs]],
        )


def _tell_owner(intake: Intake, actor: User, at: datetime) -> None:
    """More horns than the males can carry: the owner of the reception store must look into it."""
    within = in_force(RuleCode.DISCREPANCY_DAYS, day_of(at)).value["days"]
    raise_notice(
        at=at,
        kind=Notice.Kind.DISCREPANCY,
        code="intake.horns_per_male",
        organisation=Organisation.objects.get(custody_accounts=intake.store),
        subject=("intake", intake.pk),
        due_on=day_of(at + timedelta(days=within)),
        actor=actor,
        number=intake.number,
        pieces=intake.pieces,
        males=intake.males,
        explanation=intake.explanation,
    )
