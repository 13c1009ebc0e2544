"""Taking an intake in hand: the first step of every write to one."""

from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.errors import InvalidTransition, NotAllowed
from registry.models import Intake
from registry.selectors import can_work_on


def lock_open_intake(*, actor: User, intake: Intake) -> Intake:
    """The intake, locked until commit, while it is open and the actor may work on it.

    The row lock closes the races of two registrations, of a registration against a cancellation, and of either
    against a change of the weighing table. Raises NotAllowed, InvalidTransition.
    """
    Intake.objects.select_for_update().get(pk=intake.pk)
    # Read again once it is ours: rows joined while waiting would be those of before.
    locked = Intake.objects.select_related(
        "store__custodian", "region", "permit", "brigade", "case", "sheet", "old_stock", "find"
    ).get(pk=intake.pk)
    if not can_work_on(actor, locked):
        raise NotAllowed
    if locked.state == Intake.State.REGISTERED:
        raise InvalidTransition(_("This reception is registered already. Reload the page."))
    if locked.state == Intake.State.CANCELLED:
        raise InvalidTransition(_("This reception was cancelled. Reload the page."))
    return locked
