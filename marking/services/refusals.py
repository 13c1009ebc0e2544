"""Keeping how much was refused, and telling the authority when it is a flood."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Sum

from core.accounts.models import Organisation
from core.base.clock import ALMATY, day_of
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from marking.models import RefusedAsking
from marking.refusals import WINDOW_SECONDS, Refused, forget_window, read_windows
from marking.services.copies import lock_watch


def keep_refusals(*, at: datetime) -> int:
    """Take what was counted into the table, the counts of the present ten minutes growing; how many rows.

    Window by window: what cannot be kept of one does not keep the others from being kept and forgotten.
    """
    count = 0
    for began_at, counted in read_windows():
        with transaction.atomic():
            _keep(counted)
            if began_at + timedelta(seconds=2 * WINDOW_SECONDS) <= at:
                transaction.on_commit(partial(forget_window, began_at))
        count += len(counted)
    return count


def _keep(counted: Sequence[Refused]) -> None:
    # Never less than is kept already: a crash of Redis loses what it had not written yet, and of two workers the slower
    # one comes with the older reading.
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO marking_refusedasking AS kept (began_at, door, count, visitors) VALUES (%s, %s, %s, %s)
            ON CONFLICT (began_at, door) DO UPDATE SET count = greatest(kept.count, excluded.count),
                visitors = greatest(kept.visitors, excluded.visitors)
            """,
            [(one.began_at, one.door, one.count, one.visitors) for one in counted],
        )


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
    told = Notice.objects.filter(subject_kind="organisation", subject_id=str(authority.pk))
    last = told.filter(code=RuleCode.CHECK_REFUSED.value).order_by("-pk").first()
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
