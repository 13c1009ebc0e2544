"""Keeping how much was refused, and telling the authority when it is a flood."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Sum

from core.accounts.models import Organisation
from core.base.clock import ALMATY, day_of
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from marking.models import RefusedAsking
from marking.refusals import WINDOW_SECONDS, forget_refusals, read_refusals
from marking.services.copies import lock_watch


@transaction.atomic
def keep_refusals(*, at: datetime) -> int:
    """Take what was counted into the table, the counts of the present ten minutes growing; how many rows."""
    counted = read_refusals()
    RefusedAsking.objects.bulk_create(
        [
            RefusedAsking(began_at=one.began_at, door=one.door, count=one.count, visitors=one.visitors)
            for one in counted
        ],
        update_conflicts=True,
        unique_fields=["began_at", "door"],
        update_fields=["count", "visitors"],
    )
    transaction.on_commit(lambda: forget_refusals(before=at - timedelta(seconds=WINDOW_SECONDS)))
    return len(counted)


@transaction.atomic
def tell_refusals(*, at: datetime) -> Notice | None:
    """Alert the authority when more was refused than the rule says; once while it is open."""
    authority = Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk").first()
    try:
        value = in_force(RuleCode.CHECK_REFUSED, day_of(at)).value
    except NoRuleInForce:
        return None
    if authority is None:
        return None
    lock_watch()  # closes the race of two workers that tell at once
    last = Notice.objects.filter(code=RuleCode.CHECK_REFUSED.value).order_by("-pk").first()
    if last is not None and last.is_open:
        return None
    after = at - timedelta(minutes=value["minutes"])
    if last is not None and last.decided_at is not None:
        after = max(after, last.decided_at)
    lately = RefusedAsking.objects.filter(began_at__gt=after - timedelta(seconds=WINDOW_SECONDS))
    if last is not None and last.decided_at is not None:
        lately = lately.filter(began_at__gt=last.decided_at)  # what was judged is not counted again
    found = lately.aggregate(count=Sum("count", default=0), visitors=Max("visitors", default=0), ended=Max("began_at"))
    if found["count"] < value["checks"]:
        return None
    return raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=RuleCode.CHECK_REFUSED.value,
        organisation=authority,
        subject=("organisation", authority.pk),
        count=found["count"],
        visitors=found["visitors"],
        minutes=value["minutes"],
        ended=found["ended"].astimezone(ALMATY).strftime("%d.%m.%Y %H:%M"),
    )


def forget_old_refusals(*, at: datetime) -> int:
    """Delete what is older than CHECKS_KEPT_DAYS; how many rows."""
    old = RefusedAsking.objects.filter(began_at__lt=at - timedelta(days=settings.CHECKS_KEPT_DAYS))
    return old.delete()[0]
