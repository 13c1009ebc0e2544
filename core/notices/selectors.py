"""What waits for whom."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from core.accounts.models import User
from core.notices.models import Notice


@dataclass(frozen=True)
class Waiting:
    """How many notices a person may decide: all open ones, those whose day has passed, and the nearest day."""

    open: int
    overdue: int
    next_due_on: date | None


def notices_waiting(user: User, on: date) -> Waiting:
    """Counts for a first page, in two queries."""
    mine = Notice.objects.decidable_by(user)
    counts = mine.aggregate(open=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=on)))
    nearest = mine.filter(due_on__gte=on).order_by("due_on").values_list("due_on", flat=True).first()
    return Waiting(counts["open"], counts["overdue"], nearest)
