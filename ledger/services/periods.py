"""Closing a period for new entries."""

from datetime import date, datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition
from ledger.models import (
    PeriodClose,
)


@transaction.atomic
def close_period(*, actor: User, at: datetime, until: date) -> PeriodClose:
    """Refuse, from now on, every movement that takes effect on or before `until`.

    The table lock waits for movements under way, so that none slips in behind the closed date.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_movement IN SHARE ROW EXCLUSIVE MODE")
    if until >= day_of(at):
        raise BadInput(fields={"until": _("Only past days can be closed.")})
    if PeriodClose.objects.filter(until__gte=until).exists():
        raise InvalidTransition(_("This period is closed already."))
    closed = PeriodClose.objects.create(until=until, closed_by=actor, closed_at=at)
    record("ledger.period_closed", actor=actor, at=at, subject=("ledger", 1), until=until.isoformat())
    return closed
