"""Who may add photos and papers to the acts of this room."""

from core.accounts.models import User
from custody.models import DestructionOrder, LossReport
from custody.services.destruction import works_on
from custody.services.loss import can_report


def may_add_to_loss(user: User, key: str) -> bool:
    """Those who work where the goods were."""
    report = LossReport.objects.filter(pk=key).select_related("account").first()
    return report is not None and can_report(user, report.account)


def may_add_to_destruction(user: User, key: str) -> bool:
    """Those who ordered it and its commission, until it has been executed or cancelled."""
    order = DestructionOrder.objects.filter(pk=key, state__in=["planned", "signing"]).select_related("store").first()
    return order is not None and works_on(user, order)
