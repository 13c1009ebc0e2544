"""The authority has a store print its labels anew, after a key was declared compromised."""

from collections.abc import Collection
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
from core.notices.services import AlreadyDecided, raise_notice, settle_notice
from ledger.models import CustodyAccount, Holding
from marking.selectors_keys import ORDERED, unproven_in


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
    count = unproven_in(locked.pk).count()
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


def settle_reprints(*, actor: User, at: datetime, items: Collection[int]) -> None:
    """Close the order of the store that has these items if no such label is left there.

    In the transaction that made the labels of these items new.
    """
    waiting = {int(notice.subject_id): notice for notice in open_orders()}
    if not waiting:
        return
    there = Holding.objects.filter(account__in=waiting, item__in=items, pieces__gt=0, is_physical=True)
    for store in sorted(set(there.values_list("account", flat=True))):
        if not unproven_in(store).exists():
            decision = gettext("All labels were printed anew")
            _settle(waiting[store], actor=actor, at=at, decision=decision)


def settle_idle_reprints(*, at: datetime) -> int:
    """Close the orders of stores that have no such label any more, printed anew or gone with the goods; how many."""
    decision = gettext("No label in this store has to be printed anew any more")
    idle = [notice for notice in open_orders() if not unproven_in(int(notice.subject_id)).exists()]
    return sum(_settle(notice, actor=None, at=at, decision=decision) for notice in idle)


def _settle(notice: Notice, *, actor: User | None, at: datetime, decision: str) -> bool:
    """False where somebody closed it at the same moment: the act that makes labels new is not undone for it."""
    try:
        settle_notice(actor=actor, at=at, notice=notice, decision=decision, reason=decision)
    except AlreadyDecided:
        return False
    return True


def open_orders() -> QuerySet[Notice]:
    """Orders that a store has not carried out yet."""
    return Notice.objects.open().filter(code=ORDERED, subject_kind="store")
