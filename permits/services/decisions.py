"""What the authority does with an application: take it up, approve, refuse, return for correction."""

from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, NotAllowed
from core.base.reasons import NO_REASON, is_reason, require_reason
from core.documents.services import take_numbers
from ledger.models import CustodyAccount
from ledger.services import ItemsNotThere, ItemsOnHold, ItemsReserved, reserve_items
from permits.machine import Act, State
from permits.models import RIGHT, Application, Decision, Permit
from permits.selectors import find_problems
from permits.services.applications import LinesRefused, lock_application

LONGEST = timedelta(days=366)


class DeciderIsApplicant(NotAllowed):
    """Nobody decides on what they, or their own organisation, applied for."""

    code = "decider-is-applicant"
    message = _("Another person must decide: this application comes from you or your organisation.")


@transaction.atomic
def take_up_application(*, actor: User, at: datetime, application: Application) -> Application:
    """Say who works on it. Raises InvalidTransition, NotAllowed, DeciderIsApplicant."""
    application = lock_application(application, Act.TAKE_UP)
    require_decider(actor, application)
    application.state, application.taken_by, application.taken_at = State.IN_REVIEW, actor, at
    application.save(update_fields=["state", "taken_by", "taken_at"])
    _record("application.taken_up", application, actor=actor, at=at)
    return application


@transaction.atomic
def approve_application(*, actor: User, at: datetime, application: Application, valid_until: date) -> Permit:
    """Approve, reserve the items and issue the permit, in force until the end of `valid_until`; all or nothing.

    Raises LinesRefused when something stands against an item now, BadInput for a day that has passed, and what the
    other decisions raise.
    """
    application = lock_application(application, Act.APPROVE)
    require_decider(actor, application)
    today = day_of(at)
    if valid_until < today:
        raise BadInput(fields={"valid_until": _("This day has passed.")})
    receiver, store, wished_from = _settled(application)
    valid_from = max(today, wished_from)
    if valid_until < valid_from:
        raise BadInput(fields={"valid_until": _("The applicant asks for a permit from a later day on.")})
    if valid_until > valid_from + LONGEST:
        raise BadInput(fields={"valid_until": _("A permit is valid for one year at most.")})
    permit_id = _next_permit_id()
    reference = f"{RIGHT}:{permit_id}"
    _reserve(application, reference=reference, at=at)
    # Nothing of these items can change any more: their holdings are locked and promised to this right.
    if problems := find_problems(application, today, under=reference):
        raise LinesRefused(problems)
    decision = _decide(application, Decision.Outcome.APPROVED, actor=actor, at=at)
    (serial,) = take_numbers(series="PM", year=today.year)
    permit = Permit(
        pk=permit_id,
        application=application,
        decision=decision,
        number=f"PM{today:%y}-{serial:06d}",
        kind=application.kind,
        holder=application.applicant,
        receiver=receiver,
        store=store,
        purpose=application.purpose,
        valid_from=valid_from,
        valid_until=valid_until,
        issued_by=actor,
        issued_at=at,
    )
    permit.pieces, permit.grams = _weigh(application)
    permit.save(force_insert=True)
    _write_lines(permit)
    _record("application.approved", application, actor=actor, at=at, permit=permit.number, pieces=permit.pieces)
    record(
        "permit.issued",
        actor=actor,
        at=at,
        subject=("permit", permit.pk),
        subject_name=permit.number,
        organisation_id=permit.holder_id,
        application=application.number,
        kind=permit.kind,
        pieces=permit.pieces,
        grams=permit.grams,
        target=permit.store.code,
        valid_until=valid_until.isoformat(),
    )
    permit.refresh_from_db()
    return permit


@transaction.atomic
def refuse_application(
    *, actor: User, at: datetime, application: Application, reason: str, article: str
) -> Application:
    """Refuse for good, with the reason and the article of law; both are required."""
    application = lock_application(application, Act.REFUSE)
    require_decider(actor, application)
    missing: dict[str, StrOrPromise] = {} if is_reason(reason) else {"reason": NO_REASON}
    if not article.strip():
        missing["article"] = _("Say it.")
    if missing:
        raise BadInput(fields=missing)
    _decide(application, Decision.Outcome.REFUSED, actor=actor, at=at, reason=reason.strip(), article=article.strip())
    _record(
        "application.refused",
        application,
        actor=actor,
        at=at,
        reason=reason.strip(),
        article=article.strip(),
    )
    return application


@transaction.atomic
def return_application(*, actor: User, at: datetime, application: Application, reason: str) -> Application:
    """Give it back to the applicant to correct what the reason says."""
    application = lock_application(application, Act.RETURN)
    require_decider(actor, application)
    reason = require_reason(reason)
    _decide(application, Decision.Outcome.RETURNED, actor=actor, at=at, reason=reason.strip())
    _record("application.returned", application, actor=actor, at=at, reason=reason.strip())
    return application


def require_decider(actor: User, application: Application) -> None:
    """Raises NotAllowed for who does not decide, DeciderIsApplicant for who may not decide this one."""
    if not actor.can(Can.DECIDE_APPLICATION):
        raise NotAllowed
    if is_applicant(actor, application):
        raise DeciderIsApplicant


def is_applicant(actor: User, application: Application) -> bool:
    """True for who drafted or submitted it, or held a role in the applicant's organisation since it was opened."""
    if actor.pk in (application.opened_by_id, application.submitted_by_id):
        return True
    opened_on = day_of(application.opened_at)
    roles = actor.appointments.filter(organisation=application.applicant_id)
    return any(
        (role.ended_at is None or role.ended_at >= application.opened_at)
        and (role.valid_until is None or role.valid_until >= opened_on)
        for role in roles
    )


def _settled(application: Application) -> tuple[Organisation, CustodyAccount, date]:
    """What every submitted application says: to whom, to which store, from when."""
    match application.receiver, application.store, application.wished_from:
        case Organisation() as receiver, CustodyAccount() as store, date() as wished_from:
            return receiver, store, wished_from
    raise BadInput(_("The application is not complete."))


def _decide(
    application: Application,
    outcome: Decision.Outcome,
    *,
    actor: User,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> Decision:
    decision = Decision.objects.create(
        application=application,
        round=application.round,
        outcome=outcome,
        reason=reason,
        article=article,
        decided_by=actor,
        decided_at=at,
    )
    application.state = State(outcome.value)
    application.save(update_fields=["state"])
    return decision


def _next_permit_id() -> int:
    """The key of the permit to come: the items are reserved under its name before its number is taken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('permits_permit', 'id'))")
        return int(cursor.fetchone()[0])


def _reserve(application: Application, *, reference: str, at: datetime) -> None:
    """Reserve every item or none; the ledger's refusal is told line by line."""
    try:
        with transaction.atomic():
            reserve_items(
                at=at, item_ids=list(application.lines.values_list("item_id", flat=True)), reference=reference
            )
    except (ItemsNotThere, ItemsOnHold, ItemsReserved) as refusal:
        problems = find_problems(application, day_of(at))
        if not problems:
            raise
        raise LinesRefused(problems) from refusal


def _weigh(application: Application) -> tuple[int, int]:
    """Pieces and grams of the items named, as the ledger has them now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(h.grams), 0)::bigint FROM permits_applicationline l"
            " JOIN ledger_holding h ON h.item_id = l.item_id AND h.is_physical AND h.pieces > 0"
            " WHERE l.application_id = %s",
            [application.pk],
        )
        pieces, grams = cursor.fetchone()
        return pieces, grams


def _write_lines(permit: Permit) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO permits_permitline (permit_id, row, item_id, mark_code, grams)
            SELECT %s, row_number() OVER (ORDER BY d.number), l.item_id, coalesce(m.code, ''), h.grams
            FROM permits_applicationline l
            JOIN registry_derivative d ON d.item_id = l.item_id
            JOIN ledger_holding h ON h.item_id = l.item_id AND h.is_physical AND h.pieces > 0
            LEFT JOIN marking_mark m ON m.derivative_id = l.item_id AND m.state = 'active'
            WHERE l.application_id = %s
            """,
            [permit.pk, permit.application_id],
        )


def _record(verb: str, application: Application, *, actor: User, at: datetime, **facts: object) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("application", application.pk),
        subject_name=application.number,
        organisation_id=application.applicant_id,
        **facts,
    )
