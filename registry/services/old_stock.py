"""Old stock is stock of its keeper once a second person, from an inspection or the authority, has compared it with its
inventory; until then it is held where it lies.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from core.rules.selectors import discrepancy_due_on
from ledger.models import Hold
from ledger.services import SecondPersonNeeded, lift_hold, place_hold
from registry.models import Derivative, Intake, OldStockConfirmation, Origin
from registry.selectors import may_confirm_old_stock

NO_INVENTORY = _("Attach the scan of the inventory sheet: old stock is taken in by it, and by a second person.")


def is_old_stock(intake: Intake) -> bool:
    """True for what came in by an inventory; what processing made of it was movable already."""
    return intake.origin == Origin.OLD_STOCK and intake.processing_id is None


def require_inventory(intake: Intake) -> None:
    """Raises BadInput where the inventory of an intake of old stock is not in the register."""
    if is_old_stock(intake) and (intake.old_stock is None or intake.old_stock.scan_id is None):
        raise BadInput(NO_INVENTORY, fields={"scan": NO_INVENTORY})


def hold_old_stock(*, actor: User, at: datetime, intake: Intake, items: Sequence[int]) -> None:
    """Hold what was registered just now until somebody else has confirmed it, and say that it waits."""
    place_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.ORIGIN, reference=intake.number)
    mine = sorted(actor.organisation_ids(Can.OPEN_INTAKE))
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="intake.old_stock_waits",
        organisation=Organisation.objects.get(pk=mine[0]),
        subject=("intake", intake.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=intake.number,
        store=intake.store.code,
        pieces=intake.pieces,
    )


@transaction.atomic
def confirm_old_stock(*, actor: User, at: datetime, intake: Intake) -> OldStockConfirmation:
    """Say that the goods of an intake are those of its inventory: their hold ends, and they are stock of the keeper.

    Raises NotAllowed for whoever is neither of an inspection of the region nor of the authority, or of the keeper;
    SecondPersonNeeded for who opened or registered the intake; InvalidTransition.
    """
    # The lock closes the race of two confirmations.
    Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    intake = Intake.objects.select_related("store__custodian", "old_stock").get(pk=intake.pk)
    if not is_old_stock(intake) or intake.state != Intake.State.REGISTERED:
        raise InvalidTransition
    if OldStockConfirmation.objects.filter(intake=intake).exists():
        raise InvalidTransition(_("This old stock was confirmed already. Reload the page."))
    if actor.pk in (intake.opened_by_id, intake.closed_by_id):
        raise SecondPersonNeeded(_("Another person confirms this: you took the goods in yourself."))
    require_independent(actor, intake.opened_by_id, intake.closed_by_id, at=at)
    if not may_confirm_old_stock(actor, intake):
        raise NotAllowed(_("An inspector of the region or the authority confirms old stock, never the keeper itself."))
    require_inventory(intake)
    items = list(Derivative.objects.filter(intake=intake).order_by("pk").values_list("pk", flat=True))
    done = OldStockConfirmation.objects.create(intake=intake, confirmed_by=actor, confirmed_at=at)
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.ORIGIN, reason=intake.number)
    record(
        "intake.old_stock_confirmed",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        pieces=len(items),
        day=day_of(at).isoformat(),
    )
    settle_notices(
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        code="intake.old_stock_waits",
        decision=_("Old stock confirmed"),
        reason=intake.number,
    )
    return done
