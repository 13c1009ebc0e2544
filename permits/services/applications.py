"""What the applicant does: draft, change, choose items, submit, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.documents.services import take_numbers
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from ledger.models import CustodyAccount
from permits.deadlines import working_day_after
from permits.machine import Act, State, find_transition
from permits.models import Application, Kind
from permits.selectors import Problems, find_problems, receiving_stores, stock_of


class LinesRefused(DomainError):
    """Something stands against some of the items; `problems` says what, item by item."""

    code = "lines-refused"

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__(
            ngettext_lazy(
                "%(count)d item cannot go: see the reason beside it.",
                "%(count)d items cannot go: see the reason beside each.",
                "count",
            )
            % {"count": len(problems)},
            fields={f"item.{item}": found[0].text for item, found in sorted(problems.items())[:100]},
        )


class NotInStock(DomainError):
    """Some of the items chosen are not in a store of the applicant."""

    code = "not-in-stock"
    message = _("Choose items that are in your own stores.")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an application says beside its items. `price_tenge` is for a sale only; anything may be open in a draft."""

    store: CustodyAccount | None = None
    purpose: str = ""
    wished_from: date | None = None
    wished_until: date | None = None
    price_tenge: int | None = None


@transaction.atomic
def open_application(*, actor: User, at: datetime, kind: Kind, applicant: Organisation, wishes: Wishes) -> Application:
    """Begin a draft for an organisation the actor may apply for. Raises NotAllowed, BadInput."""
    if applicant.pk not in actor.organisation_ids(Can.APPLY):
        raise NotAllowed(_("You do not apply for this organisation."))
    application = Application(kind=kind, applicant=applicant, opened_by=actor, opened_at=at)
    _write_wishes(application, wishes)
    application.save(force_insert=True)
    _record("application.opened", application, actor=actor, at=at, kind=kind)
    return application


@transaction.atomic
def change_application(*, actor: User, at: datetime, application: Application, wishes: Wishes) -> Application:
    """Save what a draft or a returned application says. Raises InvalidTransition, NotAllowed, BadInput."""
    application = lock_application(application, Act.CHANGE)
    require_applicant(actor, application)
    changed = _write_wishes(application, wishes)
    if changed:
        application.save(update_fields=changed)
        _record("application.changed", application, actor=actor, at=at, changed=sorted(changed))
    return application


def _write_wishes(application: Application, wishes: Wishes) -> list[str]:
    """Put the wishes on the application; the names of the columns that changed. Raises BadInput."""
    wrong = {}
    store = wishes.store
    if store is not None and not receiving_stores().filter(pk=store.pk).exists():
        wrong["store"] = _("Goods cannot be sent to this store.")
    elif store is not None and store.custodian_id == application.applicant_id:
        wrong["store"] = _("Between your own stores no permit is needed: dispatch the goods at once.")
    if wishes.wished_from and wishes.wished_until and wishes.wished_until < wishes.wished_from:
        wrong["wished_until"] = _("The last day is before the first.")
    if wishes.price_tenge is not None and application.kind != Kind.DOMESTIC_SALE:
        wrong["price_tenge"] = _("Only a sale has a price.")
    if wrong:
        raise BadInput(fields=wrong)
    wanted = {
        "store_id": store.pk if store else None,
        "receiver_id": store.custodian_id if store else None,
        "purpose": wishes.purpose.strip(),
        "wished_from": wishes.wished_from,
        "wished_until": wishes.wished_until,
        "price_tenge": wishes.price_tenge,
    }
    changed = [name for name, value in wanted.items() if getattr(application, name) != value]
    for name in changed:
        setattr(application, name, wanted[name])
    return changed


@transaction.atomic
def add_lines(*, actor: User, at: datetime, application: Application, item_ids: Sequence[int]) -> int:
    """Name items of the applicant's own stock; how many were new. Raises NotInStock when one is not there."""
    application = lock_application(application, Act.CHANGE)
    require_applicant(actor, application)
    wanted = sorted(set(item_ids))
    stores = list(stock_of(application.applicant_id).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM unnest(%s::bigint[]) AS wanted (item)"
            " JOIN ledger_holding h ON h.item_id = wanted.item AND h.account_id = ANY(%s)"
            " JOIN registry_derivative d ON d.item_id = wanted.item",
            [wanted, stores],
        )
        (there,) = cursor.fetchone()
        if there != len(wanted):
            raise NotInStock
        cursor.execute(
            "INSERT INTO permits_applicationline (application_id, item_id)"
            " SELECT %s, item FROM unnest(%s::bigint[]) AS item ON CONFLICT (application_id, item_id) DO NOTHING",
            [application.pk, wanted],
        )
        added = cursor.rowcount
    if added:
        _record("application.items_added", application, actor=actor, at=at, pieces=added)
    return added


@transaction.atomic
def remove_lines(*, actor: User, at: datetime, application: Application, item_ids: Sequence[int]) -> int:
    """Take items off again; how many were on it. Raises InvalidTransition, NotAllowed."""
    application = lock_application(application, Act.CHANGE)
    require_applicant(actor, application)
    removed, _by_model = application.lines.filter(item__in=item_ids).delete()
    if removed:
        _record("application.items_removed", application, actor=actor, at=at, pieces=removed)
    return removed


@transaction.atomic
def submit_application(*, actor: User, at: datetime, application: Application) -> Application:
    """Hand the application to the authority: from now on it says what it says, and its time runs.

    Numbered at the first submission. Raises BadInput with what is missing, LinesRefused with what stands against items.
    """
    # The row lock closes the race of submitting against changing, and of two submissions.
    application = lock_application(application, Act.SUBMIT)
    require_applicant(actor, application)
    _require_complete(application, day_of(at))
    problems = find_problems(application, day_of(at))
    if problems:
        raise LinesRefused(problems)
    if not application.number:
        (serial,) = take_numbers(series="AP", year=day_of(at).year)
        application.number = f"AP{day_of(at):%y}-{serial:06d}"
    days = in_force(RuleCode.APPLICATION_DAYS, day_of(at)).value["working_days"]
    application.state, application.round = State.SUBMITTED, application.round + 1
    application.submitted_by, application.submitted_at = actor, at
    application.due_on = working_day_after(day_of(at), days)
    application.save(update_fields=["number", "state", "round", "submitted_by", "submitted_at", "due_on"])
    _record(
        "application.submitted",
        application,
        actor=actor,
        at=at,
        pieces=application.lines.count(),
        round=application.round,
        due_on=application.due_on.isoformat(),
    )
    return application


def _require_complete(application: Application, today: date) -> None:
    missing = {
        name: _("Fill this in before you submit.")
        for name in ("store", "purpose", "wished_from", "wished_until")
        if not getattr(application, name)
    }
    if application.wished_until and application.wished_until < today:
        missing["wished_until"] = _("This day has passed.")
    if not application.lines.exists():
        missing["items"] = _("Choose at least one item.")
    if missing:
        raise BadInput(fields=missing)


@transaction.atomic
def withdraw_application(*, actor: User, at: datetime, application: Application) -> Application:
    """Take the application back, for good. Raises InvalidTransition once it is decided, NotAllowed."""
    application = lock_application(application, Act.WITHDRAW)
    require_applicant(actor, application)
    application.state = State.WITHDRAWN
    application.withdrawn_by, application.withdrawn_at = actor, at
    application.save(update_fields=["state", "withdrawn_by", "withdrawn_at"])
    _record("application.withdrawn", application, actor=actor, at=at)
    return application


def lock_application(application: Application, act: Act) -> Application:
    """The application locked, in a state in which the act is possible. Raises InvalidTransition.

    Read again once the lock is held, with the receiver it names now.
    """
    Application.objects.select_for_update(no_key=True).get(pk=application.pk)
    locked = Application.objects.select_related("applicant", "receiver", "store").get(pk=application.pk)
    if find_transition(locked.state, act) is None:
        raise InvalidTransition
    return locked


def require_applicant(actor: User, application: Application) -> None:
    """Raises NotAllowed unless the actor may apply for the organisation."""
    if application.applicant_id not in actor.organisation_ids(Can.APPLY):
        raise NotAllowed(_("Only the applicant can do this."))


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
