"""Who may add photos and papers to what the ledger knows, and how far from its place a photo may have been taken."""

from datetime import date

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from ledger.models import Box, CustodyAccount, Handover, HandoverLine, Hold, Weighing


def may_add_to_handover(user: User, key: str) -> bool:
    """Those who have the goods in hand at either end."""
    places = CustodyAccount.objects.worked_in_by(user).values("pk")
    return Handover.objects.filter(Q(source__in=places) | Q(target__in=places), pk=key).exists()


def may_add_to_box(user: User, key: str) -> bool:
    """Those who have it in hand, and those to whom it is on its way."""
    places = CustodyAccount.objects.worked_in_by(user).values("pk")
    return (
        Box.objects.visible_to(user)
        .filter(Q(account__in=places) | Q(packings__item__handover_lines__handover__target__in=places), pk=key)
        .exists()
    )


def may_add_to_store(user: User, key: str) -> bool:
    """Those who work there."""
    return CustodyAccount.objects.worked_in_by(user).filter(pk=key).exists()


def still_missing(key: str) -> StrOrPromise:
    """Why a discrepancy about missing goods cannot be decided yet; empty once nothing is missing unreported."""
    held = Hold.objects.active().filter(item=OuterRef("item"))
    unsettled = (
        HandoverLine.objects.filter(handover=int(key), outcome=HandoverLine.Outcome.MISSING)
        .filter(Exists(held.filter(kind=Hold.Kind.IN_TRANSIT)))
        .exclude(Exists(held.filter(kind=Hold.Kind.LOSS)))
    )
    if not unsettled.exists():
        return ""
    return _("Goods of this hand-over are still missing: take them in, or report them as lost or stolen first.")


def still_in_question(key: str) -> StrOrPromise:
    """Why an alert about masses cannot be decided yet; empty once no item is held for it."""
    number = Weighing.objects.filter(pk=int(key)).values("number")
    if not Hold.objects.active().filter(kind=Hold.Kind.MASS, reference__in=number).exists():
        return ""
    return _("Items are held for this weighing: judge their masses on its page, or have another person weigh them.")


def photo_distance(on: date) -> int | None:
    """Kilometres from the stated place beyond which a photo must be looked at; None where no rule is in force."""
    try:
        kilometres: int = in_force(RuleCode.PHOTO_DISTANCE, on).value["km"]
    except NoRuleInForce:
        return None
    return kilometres
