"""The authority has a store print its labels anew, after a key was declared compromised."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notice
from ledger.models import CustodyAccount
from marking.selectors_keys import ORDERED, unproven_marks, unproven_stores


@transaction.atomic
def order_reprints(*, actor: User, at: datetime, store: CustodyAccount, due_on: date) -> Notice:
    """Tell the keeper of a store to print anew every label there that a compromised key has signed, until a day.

    Once while it is open; it is settled when the last such label is new. Raises NotAllowed, BadInput,
    InvalidTransition.
    """
    if not (actor.can(Can.ORDER_LABELS) and actor.can(Can.SEE_EVERYTHING)):
        raise NotAllowed
    if due_on < day_of(at):
        raise BadInput(fields={"due_on": _("This day is over. Name a later one.")})
    # The lock closes the race of two who order at once.
    locked = CustodyAccount.objects.select_for_update(no_key=True).get(pk=store.pk)
    if open_orders().filter(subject_id=str(locked.pk)).exists():
        raise InvalidTransition(_("This store has such an order already."))
    count = unproven_marks(actor).filter(account=locked.pk).count()
    if not count or locked.custodian is None:
        raise InvalidTransition(_("Nothing in this store has to be printed anew."))
    notice = raise_notice(
        actor=actor,
        at=at,
        kind=Notice.Kind.ALERT,
        code=ORDERED,
        organisation=locked.custodian,
        subject=("store", locked.pk),
        due_on=due_on,
        store=locked.code,
        count=count,
    )
    record(
        "labels.reprint_ordered",
        actor=actor,
        at=at,
        subject=("store", locked.pk),
        subject_name=locked.code,
        organisation_id=locked.custodian_id,
        count=count,
        until=due_on.isoformat(),
    )
    return notice


def settle_reprints(*, actor: User, at: datetime) -> None:
    """Close the orders of stores where no such label is left; in the transaction that made the last one new."""
    waiting = list(open_orders())
    if not waiting:
        return
    left = unproven_stores([int(notice.subject_id) for notice in waiting])
    for notice in waiting:
        if int(notice.subject_id) not in left:
            decision = gettext("All labels were printed anew")
            settle_notice(actor=actor, at=at, notice=notice, decision=decision, reason=decision)


def open_orders() -> QuerySet[Notice]:
    """Orders that a store has not carried out yet."""
    return Notice.objects.open().filter(code=ORDERED, subject_kind="store")
