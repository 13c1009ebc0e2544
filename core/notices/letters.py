"""Letters about what waits: in the reader's language, at most one a person and day, however much is raised."""

import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import ngettext

from core.accounts.models import Appointment, User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.notices.models import Mailing, Notice, NoticeQuerySet, is_authority
from core.notices.selectors import ACTING, responsible_for

log = logging.getLogger(__name__)

NAMED = 30  # notices that one letter names
SOON = timedelta(days=3)


def write_to_responsible(notices: Collection[int], *, at: datetime) -> int:
    """Write to everybody these concern and who has had no letter today; how many letters went."""
    on = day_of(at)
    people: dict[int, User] = {}
    for notice in Notice.objects.open().filter(pk__in=notices).select_related("assigned_to"):
        people |= {person.pk: person for person in responsible_for(notice, on)}
    return sum(_write(person, at=at) for person in people.values())


def write_daily(*, at: datetime) -> int:
    """The morning's letters: to whoever has something new since the last letter, overdue, or due in three days."""
    on = day_of(at)
    holders = Appointment.objects.in_force(on).filter(role__in=ACTING, user__is_active=True)
    assigned = Notice.objects.open().exclude(assigned_to=None).values("assigned_to")
    people = User.objects.filter(Q(pk__in=holders.values("user")) | Q(pk__in=assigned), is_active=True).exclude(
        email=""
    )
    return sum(_write(person, at=at, only_if_pressing=True) for person in people.order_by("pk"))


def _write(person: User, *, at: datetime, only_if_pressing: bool = False) -> bool:
    """One letter with all that waits. Its row comes first: of two workers only one writes; a letter that does not go
    takes its row back, and the next round tries again.
    """
    if not person.email:
        return False
    on = day_of(at)
    waiting = _waiting(person)
    if only_if_pressing:
        last = Mailing.objects.filter(user=person).order_by("-on").first()
        pressing = Q(due_on__lte=on + SOON)
        pressing |= Q(raised_at__gt=last.at) if last else Q()
        if not waiting.filter(pressing).exists() and last is not None:
            return False
    named = list(waiting.order_by("due_on", "pk")[: NAMED + 1])
    if not named:
        return False
    try:
        with transaction.atomic():
            if not _claim(person, on, at, len(named)):
                return False
            _send(person, named, on)
    except OSError:
        # The post office is away; nothing is lost, the row is not kept.
        log.warning("no letter to person %s", person.pk, exc_info=True)
        return False
    return True


def _waiting(person: User) -> NoticeQuerySet:
    """What is theirs to do: assigned to them or to nobody; for the authority, only what was explained or is late."""
    waiting = Notice.objects.waiting_for(person).filter(Q(assigned_to=None) | Q(assigned_to=person))
    if is_authority(person):
        own = Q(organisation__in=person.organisation_ids(Can.DECIDE_NOTICE))
        late = Q(state=Notice.State.EXPLAINED) | Q(escalated_at__isnull=False)
        waiting = waiting.filter(own | late | Q(assigned_to=person))
    return waiting


def _claim(person: User, on: date, at: datetime, count: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO notices_mailing (user_id, "on", at, notices) VALUES (%s, %s, %s, %s)'
            ' ON CONFLICT (user_id, "on") DO NOTHING',
            [person.pk, on, at, count],
        )
        return bool(cursor.rowcount)


def _send(person: User, notices: list[Notice], on: date) -> None:
    with translation.override(person.language):
        count = len(notices)
        subject = ngettext(
            "Registry of saiga derivatives: %(count)d matter waits for you",
            "Registry of saiga derivatives: %(count)d matters wait for you",
            count,
        ) % {"count": count}
        text = render_to_string(
            "notices/letter.txt",
            {
                "person": person,
                "notices": notices[:NAMED],
                "more": count > NAMED,
                "today": on,
                "address": f"https://{settings.PUBLIC_HOST}/notices/",
            },
        )
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [person.email])
