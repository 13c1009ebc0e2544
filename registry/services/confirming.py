"""Goods that come in on the word of one inspector become stock once a second person has compared them with their paper.

Old stock has its inventory, found goods their hand-in act; the second person is of an inspection or, for old
stock, of the authority: only inspectors of the region read who found goods.
Until then the goods are held where they lie.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

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
from registry.models import EVIDENCE, Derivative, Intake, IntakeConfirmation, Origin
from registry.selectors import may_confirm

PAPER_NEEDED: dict[Origin, StrOrPromise] = {
    Origin.OLD_STOCK: _("Attach the scan of the inventory sheet: old stock is taken in by it, and by a second person."),
    Origin.FOUND: _("Attach the scan of the hand-in act: found goods are taken in by it, and by a second person."),
}
"""The origins that take a second person, and what is said where the scan of their paper is missing."""
CODES = {Origin.OLD_STOCK: "intake.old_stock_waits", Origin.FOUND: "intake.found_waits"}


def takes_second_person(intake: Intake) -> bool:
    """True for what came in by such a paper; what processing made of it was movable already."""
    return Origin(intake.origin) in PAPER_NEEDED and intake.processing_id is None


def require_paper(intake: Intake) -> None:
    """Raises BadInput where the paper of such an intake is not in the register."""
    if not takes_second_person(intake):
        return
    origin = Origin(intake.origin)
    paper = getattr(intake, EVIDENCE[origin][0])
    if paper is None or paper.scan_id is None:
        raise BadInput(PAPER_NEEDED[origin], fields={"scan": PAPER_NEEDED[origin]})


def hold_until_confirmed(*, actor: User, at: datetime, intake: Intake, items: Sequence[int]) -> None:
    """Hold what was registered just now until somebody else has confirmed it, and say that it waits."""
    place_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.ORIGIN, reference=intake.number)
    mine = sorted(actor.organisation_ids(Can.OPEN_INTAKE))
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=CODES[Origin(intake.origin)],
        organisation=Organisation.objects.get(pk=mine[0]),
        subject=("intake", intake.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=intake.number,
        store=intake.store.code,
        pieces=intake.pieces,
    )


@transaction.atomic
def confirm_intake(*, actor: User, at: datetime, intake: Intake) -> IntakeConfirmation:
    """Say that the goods of an intake are those of its paper: their hold ends, and they are stock of the keeper.

    Raises NotAllowed for whoever is neither of an inspection of the region nor of the authority, or of the keeper;
    SecondPersonNeeded for who opened or registered the intake; NotIndependent, InvalidTransition.
    """
    # The lock closes the race of two confirmations.
    Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    intake = Intake.objects.select_related("store__custodian", "old_stock", "find").get(pk=intake.pk)
    if not takes_second_person(intake) or intake.state != Intake.State.REGISTERED:
        raise InvalidTransition
    if IntakeConfirmation.objects.filter(intake=intake).exists():
        raise InvalidTransition(_("These goods were confirmed already. Reload the page."))
    if actor.pk in (intake.opened_by_id, intake.closed_by_id):
        raise SecondPersonNeeded(_("Another person confirms this: you took the goods in yourself."))
    require_independent(actor, intake.opened_by_id, intake.closed_by_id, at=at)
    if not may_confirm(actor, intake):
        if intake.find_id is not None:
            raise NotAllowed(_("Another inspector of the region confirms found goods, never their keeper itself."))
        raise NotAllowed(
            _("An inspector of the region or the authority confirms these goods, never their keeper itself.")
        )
    require_paper(intake)
    items = list(Derivative.objects.filter(intake=intake).order_by("pk").values_list("pk", flat=True))
    held = Hold.objects.active().filter(item__in=items, kind=Hold.Kind.ORIGIN)
    if not held.exists():
        # Of an earlier version, which held nothing: these went on long ago.
        raise InvalidTransition
    done = IntakeConfirmation.objects.create(intake=intake, confirmed_by=actor, confirmed_at=at)
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.ORIGIN, reason=intake.number)
    record(
        f"{CODES[Origin(intake.origin)].removesuffix('_waits')}_confirmed",
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
        code=CODES[Origin(intake.origin)],
        decision=_("Goods confirmed"),
        reason=intake.number,
    )
    return done
