"""Goods that come in on the word of one inspector become stock once a second person has compared them with their paper.

Old stock has its inventory, found goods their hand-in act, confiscated goods the decision of the court, imports the
permit and the declaration; the second person is an inspector of the region or of the
authority: of those of the authority only its head reads who found goods.
Until then the goods are held where they lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from core.rules.selectors import discrepancy_due_on
from ledger.models import Hold
from ledger.services import SecondPersonNeeded, lift_hold, place_hold
from registry.models import EVIDENCE, Derivative, Intake, IntakeConfirmation, Origin
from registry.selectors import may_confirm
from registry.services.reconciling import organisation_of


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What is said of an origin that takes a second person."""

    paper_needed: StrOrPromise
    waits: str
    """The code of the notice."""
    verb: str
    """In the journal, when it is confirmed."""


BY_SECOND_PERSON: dict[Origin, Confirmed] = {
    Origin.OLD_STOCK: Confirmed(
        _("Attach the scan of the inventory sheet: old stock is taken in by it, and by a second person."),
        waits="intake.old_stock_waits",
        verb="intake.old_stock_confirmed",
    ),
    Origin.FOUND: Confirmed(
        _("Attach the scan of the hand-in act: found goods are taken in by it, and by a second person."),
        waits="intake.found_waits",
        verb="intake.found_confirmed",
    ),
    Origin.CONFISCATED: Confirmed(
        _("Attach the scan of the court decision: confiscated goods are taken in by it, and by a second person."),
        waits="intake.confiscated_waits",
        verb="intake.confiscated_confirmed",
    ),
    Origin.IMPORTED: Confirmed(
        _("Attach the scan of the permit and the declaration: imports are taken in by it, and by a second person."),
        waits="intake.imported_waits",
        verb="intake.imported_confirmed",
    ),
}
"""The origins that take a second person."""


def paper_needed(origin: Origin) -> StrOrPromise:
    """What is said where the scan of the paper is missing; empty where none is needed."""
    said = BY_SECOND_PERSON.get(origin)
    return said.paper_needed if said else ""


def takes_second_person(intake: Intake) -> bool:
    """True for what came in by such a paper; what processing made of it was movable already."""
    return Origin(intake.origin) in BY_SECOND_PERSON and intake.processing_id is None


def require_paper(intake: Intake) -> None:
    """Raises BadInput where the paper of such an intake is not in the register."""
    if not takes_second_person(intake):
        return
    origin = Origin(intake.origin)
    paper = getattr(intake, EVIDENCE[origin][0])
    if paper is None or paper.scan_id is None:
        raise BadInput(paper_needed(origin), fields={"scan": paper_needed(origin)})


def hold_until_confirmed(*, actor: User, at: datetime, intake: Intake, items: Sequence[int]) -> None:
    """Hold what was registered just now until somebody else has confirmed it, and say that it waits."""
    office = organisation_of(actor, intake.region_id)
    if office is None:
        raise NotAllowed
    place_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.ORIGIN, reference=intake.number)
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=BY_SECOND_PERSON[Origin(intake.origin)].waits,
        organisation=office,
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
    SecondPersonNeeded for who opened or registered the intake, NotIndependent for one whose account is in one hand with
    theirs; InvalidTransition.
    """
    # The lock closes the race of two confirmations.
    locked = Intake.objects.select_for_update(no_key=True, of=("self",)).select_related("store__custodian")
    intake = locked.get(pk=intake.pk)
    if not takes_second_person(intake) or intake.state != Intake.State.REGISTERED:
        raise InvalidTransition
    if IntakeConfirmation.objects.filter(intake=intake).exists():
        raise InvalidTransition(_("These goods were confirmed already. Reload the page."))
    if actor.pk in (intake.opened_by_id, intake.closed_by_id):
        raise SecondPersonNeeded(_("Another person confirms this: you took the goods in yourself."))
    require_independent(actor, intake.opened_by_id, intake.closed_by_id, at=at)
    if not may_confirm(actor, intake):
        if intake.find_id is not None:
            raise NotAllowed(
                _(
                    "Another inspector of the region or the head of the authority confirms found goods, never their"
                    " keeper itself."
                )
            )
        raise NotAllowed(
            _("An inspector of the region or the authority confirms these goods, never their keeper itself.")
        )
    items = list(Derivative.objects.filter(intake=intake).order_by("pk").values_list("pk", flat=True))
    held = Hold.objects.active().filter(item__in=items, kind=Hold.Kind.ORIGIN)
    if not held.exists():
        # Of an earlier version, which held nothing: these went on long ago.
        raise InvalidTransition
    said = BY_SECOND_PERSON[Origin(intake.origin)]
    done = IntakeConfirmation.objects.create(intake=intake, confirmed_by=actor, confirmed_at=at)
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.ORIGIN, reason=intake.number)
    record(
        said.verb,
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        pieces=len(items),
    )
    settle_notices(
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        code=said.waits,
        decision=_("Goods confirmed"),
        reason=intake.number,
    )
    return done
