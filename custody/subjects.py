"""Who may add photos and papers to the acts of this room."""

from datetime import UTC, datetime

from django.db import connection

from core.accounts.models import User
from custody.models import DestructionOrder, LossAct, LossReport
from custody.services.destruction import works_on
from custody.services.loss import can_report


def may_add_to_loss(user: User, key: str) -> bool:
    """Those who work where the goods were."""
    report = LossReport.objects.filter(pk=key).select_related("account").first()
    return report is not None and can_report(user, report.account)


def loss_kept_since(key: str) -> datetime | None:
    """Since an act on the goods stands on its files."""
    acts = LossAct.objects.filter(report_id=int(key)).exclude(state=LossAct.State.REFUSED)
    return acts.order_by("-proposed_at").values_list("proposed_at", flat=True).first()


def may_add_to_destruction(user: User, key: str) -> bool:
    """Those who ordered it and its commission, until the list is closed: the files are part of what is signed."""
    order = DestructionOrder.objects.filter(pk=key, state=DestructionOrder.State.PLANNED).first()
    return order is not None and works_on(user, order)


def destruction_kept_since(key: str) -> datetime | None:
    """All that it has, once the commission signs; none is added then."""
    is_closed = DestructionOrder.objects.filter(pk=key).exclude(state=DestructionOrder.State.PLANNED).exists()
    return datetime.max.replace(tzinfo=UTC) if is_closed else None


def hold_loss(key: str) -> None:
    """Closes the race of a file that is withdrawn while an act is proposed that stands on it."""
    _share(LossReport._meta.db_table, key)


def hold_destruction(key: str) -> None:
    """Closes the race of a file that comes or goes while the list is closed for signing."""
    _share(DestructionOrder._meta.db_table, key)


def _share(table: str, key: str) -> None:
    """The lock that the trigger `files_of_acts_stay` takes, taken before anything is looked at."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {table} WHERE id = %s FOR SHARE", [int(key)])
