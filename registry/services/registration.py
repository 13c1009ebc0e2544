"""Registration: what was weighed becomes derivatives that are somewhere, in one transaction or not at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import BadInput
from core.base.reasons import is_reason
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.selectors import discrepancy_due_on
from ledger.models import CustodyAccount, Hold
from ledger.services import Arrival, enter_items, open_items, place_hold
from registry.measures import pair_problems
from registry.models import (
    BOUNDARIES,
    FACTS,
    Derivative,
    DerivativeQuerySet,
    HornPair,
    Intake,
    Origin,
    Term,
    VeterinaryCertificate,
    stock_class,
)
from registry.selectors import Plausibility, explanation_needed, plausibility
from registry.services.cases import lock_case, tell_difference
from registry.services.confirming import hold_until_confirmed, require_paper, takes_second_person
from registry.services.locking import lock_open_intake
from registry.services.origins import UNKNOWN_TOLD
from registry.services.reconciling import lock_day, reconcile_day
from registry.services.table import TableChanged
from registry.wording import words_of_problem

MOST_NAMED = 10  # rows that a refusal names


class NothingToRegister(BadInput):
    """The weighing table is empty."""

    code = "nothing-to-register"
    message = _("There is nothing on the table yet.")


class GoneOff(BadInput):
    """Some batches were past their day before they came in."""

    code = "gone-off"
    message = _("Some batches were past their day when they came in. Correct the day, or take them off the table.")


class BandNotConfirmed(BadInput):
    """Some measures are outside the plausible bands, and nobody has confirmed them."""

    code = "band-not-confirmed"
    message = _("Some measures are unusual. Measure again, or confirm that they are right.")


class PairsWrong(BadInput):
    """Some rows name a pair that cannot be right."""

    code = "pairs-wrong"
    message = _("Some paired horns do not fit. Correct the rows that are named.")


class CertificateExceeded(BadInput):
    """The batches weigh more than their veterinary certificate covers."""

    code = "certificate-exceeded"
    message = _("The batches weigh more than their certificate says.")


class ExplanationNeeded(BadInput):
    """There are more horns than the males taken can carry, and nobody has said why."""

    code = "explanation-needed"
    message = _("There are more horns than these males can carry. Say why.")


# A row of the table as it is registered: its number, its pair, its mass, then its other facts.
_Weighed = tuple[Any, ...]
_ROW, _PAIR, _MASS, _SIDE = 0, 1, 2, 3


@transaction.atomic
def register_intake(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    explanation: str = "",
    confirm_band: bool = False,
    band_reason: str = "",
    version: int | None = None,
) -> DerivativeQuerySet:
    """Turn the weighing table into derivatives in the intake's store, numbered in the order of the rows.

    Seized goods come under a hold as evidence, goods that take a second person under one until they are confirmed,
    batches of meat under their certificate, horns of one animal become a pair. Measures outside the plausible bands are
    confirmed, and `band_reason` says why they are right. `version`, where given, is the table the person saw. Marks are
    not issued here. The number of queries does not depend on the number of rows. Returns the derivatives in the order
    of their rows.
    Goods of unknown origin are told to the authority.
    Raises NotAllowed, InvalidTransition, TableChanged, NothingToRegister, BandNotConfirmed, ExplanationNeeded,
    PairsWrong, CertificateExceeded, and what the ledger raises; then nothing has changed.
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    if version is not None and version != intake.version:
        raise TableChanged
    if intake.case_id is not None:
        lock_case(intake.case_id)
    if intake.permit_id is not None and intake.brigade_id is not None:
        lock_day(intake.permit_id, intake.brigade_id, intake.on)
    require_paper(intake)
    if intake.origin == Origin.UNKNOWN and not is_reason(intake.explanation):
        # Of an earlier version, which took any sign for an explanation.
        raise ExplanationNeeded(UNKNOWN_TOLD, fields={"explanation": UNKNOWN_TOLD})
    _refuse_gone_off(intake)
    rules = plausibility(intake.on, intake.term)
    count = intake.rows.count()
    is_excess = explanation_needed(intake, rules, count)
    outside = _refuse_unconfirmed(intake, rules, confirm_band, band_reason)
    if is_excess and not is_reason(explanation):
        text = _("Say why there are more horns than two a male: two words and ten letters at least.")
        raise ExplanationNeeded(fields={"explanation": text})
    rows = _take_rows(intake)
    pairs = _find_pairs(actor, rows)
    grams = sum(line[_MASS] for line in rows)
    _refuse_uncertified(intake, grams)
    intake.state, intake.closed_by, intake.closed_at = Intake.State.REGISTERED, actor, at
    intake.pieces, intake.grams = len(rows), grams
    intake.explanation = explanation.strip() if is_excess else intake.explanation
    intake.band_reason = band_reason.strip() if outside else ""
    intake.save(update_fields=["state", "closed_by", "closed_at", "pieces", "grams", "explanation", "band_reason"])

    items = sorted(open_items(len(rows)))
    first, last = _insert(intake, rows, items, at)
    its_class = stock_class(intake.term, intake.origin)
    movement = enter_items(
        actor=actor,
        at=at,
        key=f"intake:{intake.pk}",
        source=CustodyAccount.objects.boundary(BOUNDARIES[Origin(intake.origin)]),
        target=intake.store,
        arrivals=[Arrival(item, its_class, 1, line[_MASS]) for item, line in zip(items, rows, strict=True)],
        effective_on=intake.on,
        reference=intake.number,
    )
    if intake.case is not None:
        place_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.EVIDENCE, reference=intake.case.name)
        tell_difference(actor=actor, at=at, case=intake.case)
    if takes_second_person(intake):
        hold_until_confirmed(actor=actor, at=at, intake=intake, items=items)
    _pair_up(rows, items, pairs, at)
    _link_photos(intake)
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
        first=first,
        last=last,
        movement=movement.pk,
        outside_band=outside,
        band_reason=intake.band_reason,
        reason=intake.explanation,
    )
    if is_excess:
        _tell_owner(intake, actor, at)
    if intake.origin == Origin.UNKNOWN:
        _tell_authority(intake, actor, at)
    if intake.permit_id is not None and intake.brigade_id is not None:
        reconcile_day(actor=actor, at=at, permit=intake.permit_id, brigade=intake.brigade_id, on=intake.on)
    return Derivative.objects.filter(intake=intake).select_related("intake").order_by("row")


def _refuse_gone_off(intake: Intake) -> None:
    late = list(intake.rows.filter(use_by__lt=intake.on).order_by("row").values_list("row", flat=True)[:1000])
    if late:
        text = _("This day had passed when the batch came in.")
        raise GoneOff(fields={f"rows.{row}.use_by": text for row in late[:MOST_NAMED]})


def _take_rows(intake: Intake) -> list[_Weighed]:
    """Take the rows off the table, in their order."""
    columns = ", ".join(f'"{column}"' for column in ("row", "pair", *FACTS))
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM registry_intakerow WHERE intake_id = %s RETURNING {columns}",  # noqa: S608  our own columns
            [intake.pk],
        )
        rows = cursor.fetchall()
    if not rows:
        raise NothingToRegister
    return sorted(rows, key=itemgetter(_ROW))


def _refuse_unconfirmed(intake: Intake, rules: Plausibility, confirm_band: bool, reason: str) -> list[int]:
    """The rows outside a band, all confirmed with a reason; raises BandNotConfirmed."""
    asked = intake.rows.filter(rules.outside()).order_by("row").values_list("row", flat=True)
    outside = list(asked[:1000]) if rules.bands else []
    if outside and not confirm_band:
        raise BandNotConfirmed(
            fields={
                "confirm_band": ngettext_lazy(
                    "A measure in row %(rows)s is unusual: confirm it.",
                    "Measures in %(count)d rows are unusual (rows %(rows)s): confirm them.",
                    "count",
                )
                % {"count": len(outside), "rows": _named(outside)}
            }
        )
    if outside and not is_reason(reason):
        text = _("Say why the unusual measures are right: two words and ten letters at least.")
        raise BandNotConfirmed(text, fields={"band_reason": text})
    return outside


def _named(rows: Sequence[int]) -> str:
    return ", ".join(str(row) for row in rows[:MOST_NAMED]) + (" …" if len(rows) > MOST_NAMED else "")


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Horns of one animal: rows that name a row, and rows that name a horn in the register."""

    rows: list[tuple[int, int]]
    registered: dict[int, int]


def _find_pairs(actor: User, rows: Sequence[_Weighed]) -> _Pairs:
    """The pairs of a table; raises PairsWrong naming the rows."""
    naming = [line for line in rows if line[_PAIR]]
    if not naming:
        return _Pairs([], {})
    wrong = pair_problems((line[_ROW], line[_SIDE], line[_PAIR]) for line in rows)
    numbers = {line[_PAIR]: line for line in naming if not line[_PAIR].isdigit()}
    known = (
        # The lock closes the race of two horns that name one: the second waits and finds it taken.
        {
            horn.number: horn
            for horn in Derivative.objects.filter(number__in=list(numbers), term=Term.HORN).select_for_update(
                no_key=True
            )
        }
        if numbers
        else {}
    )
    paired = (
        set(HornPair.objects.filter(left__in=known.values()).values_list("left", flat=True))
        | set(HornPair.objects.filter(right__in=known.values()).values_list("right", flat=True))
        if known
        else set()
    )
    for number, line in numbers.items():
        horn = known.get(number)
        if horn is None:
            wrong[line[_ROW]] = "pair_not_there"
        elif {horn.side, line[_SIDE]} != {"L", "R"}:
            wrong[line[_ROW]] = "pair_sides"
        elif horn.pk in paired:
            wrong[line[_ROW]] = "pair_taken"
    if wrong:
        raise PairsWrong(
            fields={f"rows.{row}.pair": words_of_problem(code, "pair", Term.HORN) for row, code in wrong.items()}
        )
    together = {tuple(sorted((line[_ROW], int(line[_PAIR])))) for line in naming if line[_PAIR].isdigit()}
    return _Pairs(
        rows=[(one, other) for one, other in sorted(together)],
        registered={line[_ROW]: known[number].pk for number, line in numbers.items()},
    )


def _pair_up(rows: Sequence[_Weighed], items: Sequence[int], pairs: _Pairs, at: datetime) -> None:
    if not (pairs.rows or pairs.registered):
        return
    item_of = {line[_ROW]: (item, line[_SIDE]) for item, line in zip(items, rows, strict=True)}
    lefts, rights = [], []
    both = [(item_of[one], item_of[other][0]) for one, other in pairs.rows]
    both += [(item_of[row], horn) for row, horn in pairs.registered.items()]
    for (item, side), other in both:
        lefts.append(item if side == "L" else other)
        rights.append(other if side == "L" else item)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO registry_hornpair (left_id, right_id, at)"
                " SELECT l, r, %s FROM unnest(%s::bigint[], %s::bigint[]) AS p (l, r)",
                [at, lefts, rights],
            )
    except IntegrityError as taken:
        raise PairsWrong from taken


def _refuse_uncertified(intake: Intake, grams: int) -> None:
    """Batches of one certificate weigh no more than it says, all its intakes together."""
    if intake.certificate_id is None:
        return
    # The lock closes the race of two intakes of one certificate.
    certificate = VeterinaryCertificate.objects.select_for_update(no_key=True).get(pk=intake.certificate_id)
    earlier = Intake.objects.filter(certificate=certificate, state=Intake.State.REGISTERED).aggregate(
        grams=Sum("grams", default=0)
    )["grams"]
    if earlier + grams > certificate.net_g:
        raise CertificateExceeded(
            _("The certificate covers %(covered)s g, of which %(left)s g are left; this table weighs %(grams)s g.")
            % {"covered": certificate.net_g, "left": certificate.net_g - earlier, "grams": grams}
        )


_HEAD = ("item_id", "number", "term", "origin", "intake_id", "certificate_id", "registered_at", "row")
_COLUMNS = ", ".join(f'"{column}"' for column in (*_HEAD, *FACTS))


def insert_derivatives(derivatives: Iterable[Derivative]) -> None:
    """One COPY, whatever the count: the trigger that guards registration sees the whole set at once."""
    _copy_derivatives([getattr(one, column) for column in (*_HEAD, *FACTS)] for one in derivatives)


def _copy_derivatives(lines: Iterable[Sequence[Any]]) -> None:
    statement = f"COPY registry_derivative ({_COLUMNS}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            copy.write_row(line)


def _insert(intake: Intake, rows: Sequence[_Weighed], items: Sequence[int], at: datetime) -> tuple[str, str]:
    """Number the rows and write them as derivatives; the first and the last registration number."""
    serials = take_numbers(series="KZ", year=intake.on.year, count=len(rows))
    head = f"KZ{intake.on:%y}-"
    same = (intake.term, intake.origin, intake.pk, intake.certificate_id, at)
    _copy_derivatives(
        (item, f"{head}{serial:07d}", *same, line[_ROW], *line[_MASS:])
        for item, serial, line in zip(items, serials, rows, strict=True)
    )
    return f"{head}{serials[0]:07d}", f"{head}{serials[-1]:07d}"


def _link_photos(intake: Intake) -> None:
    """Photos of rows become those of the derivatives; one whose row was taken out stays with the intake."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH linked AS (
                INSERT INTO registry_derivativephoto (derivative_id, document_id, has_scale_bar)
                SELECT d.item_id, p.document_id, p.has_scale_bar FROM registry_rowphoto p
                JOIN registry_derivative d ON d.intake_id = p.intake_id AND d.row = p.row
                WHERE p.intake_id = %s ORDER BY p.id
                RETURNING document_id
            )
            DELETE FROM registry_rowphoto WHERE document_id IN (SELECT document_id FROM linked)
            """,
            [intake.pk],
        )


def _tell_owner(intake: Intake, actor: User, at: datetime) -> None:
    """More horns than the males can carry: the owner of the reception store must look into it."""
    raise_notice(
        at=at,
        kind=Notice.Kind.DISCREPANCY,
        code="intake.horns_per_male",
        organisation=Organisation.objects.get(custody_accounts=intake.store),
        subject=("intake", intake.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=intake.number,
        pieces=intake.pieces,
        males=intake.counted.males,
        explanation=intake.explanation,
    )


def _tell_authority(intake: Intake, actor: User, at: datetime) -> None:
    """Nothing proves where goods came from but what one inspector says: the authority judges it, whoever keeps them."""
    mine = sorted(actor.organisation_ids(Can.OPEN_INTAKE))
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="intake.unknown_origin",
        organisation=Organisation.objects.get(pk=mine[0]),
        subject=("intake", intake.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=intake.number,
        store=intake.store.code,
        pieces=intake.pieces,
        explanation=intake.explanation,
    )
