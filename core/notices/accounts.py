"""The authority is told when somebody takes another's account in hand, and before there are not two who give roles."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Case, Value, When
from django.utils.translation import gettext as _

from core.accounts.models import Appointment, Organisation, User
from core.accounts.roles import CONFIRMING
from core.accounts.services import two_give_roles
from core.base.clock import day_of
from core.notices.models import Notice, NoticeQuerySet
from core.notices.services import raise_notice, settle_notice

LAST_TERM = "user.last_term_ends"
DAYS_BEFORE = 30
CODES = {"password_link": "user.password_link", "email_changed": "user.email_changed"}


def tell_authority(what: str, actor: User, at: datetime, person: User) -> None:
    """Raise a notice that the authority judges, about the account, caused by whoever had it in hand."""
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=CODES[what],
        organisation=_authority_of(actor),
        subject=("user", person.pk),
        actor=actor,
        who=actor.full_name,
        person=person.full_name,
    )


@transaction.atomic
def tell_last_terms(*, at: datetime) -> int:
    """Alert the authority, once for each term, some days before one runs out after which there would not be two left
    who give roles; how many alerts. Nobody can refuse a day to pass. What is mended meanwhile is settled.
    """
    today = day_of(at)
    _settle_mended(at)
    if not two_give_roles(today):
        return 0
    ending = (
        # The lock closes the race of two runs: the second passes by, or finds the notice.
        Appointment.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .in_force(today)
        .filter(role__in=CONFIRMING, user__is_active=True, valid_until__lt=today + timedelta(days=DAYS_BEFORE))
        .select_related("user", "organisation")
        .order_by("valid_until", "pk")
    )
    told = 0
    for term in ending:
        about = ("user", term.user_id)
        if _is_last_day(term.valid_until) and not _known(about).filter(due_on=term.valid_until).exists():
            raise_notice(
                at=at,
                kind=Notice.Kind.ALERT,
                code=LAST_TERM,
                organisation=_ministry() or term.organisation,
                subject=about,
                due_on=term.valid_until,
                person=term.user.full_name,
                day=f"{term.valid_until:%d.%m.%Y}",
            )
            told += 1
    return told


def _settle_mended(at: datetime) -> None:
    for notice in Notice.objects.open().filter(code=LAST_TERM).select_for_update(no_key=True, skip_locked=True):
        if notice.due_on is not None and two_give_roles(max(day_of(at), notice.due_on + timedelta(days=1))):
            said = _("Two give roles after this day, too")
            settle_notice(actor=None, at=at, notice=notice, decision=said, reason=said)


def _is_last_day(day: date | None) -> bool:
    """Whether two give roles on this day, and not on the next."""
    return day is not None and two_give_roles(day) and not two_give_roles(day + timedelta(days=1))


def _known(about: tuple[str, int]) -> NoticeQuerySet:
    return Notice.objects.filter(code=LAST_TERM, subject_kind=about[0], subject_id=str(about[1]))


def _ministry() -> Organisation | None:
    return Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk").first()


def _authority_of(actor: User) -> Organisation:
    """The ministry, or where the actor has the role."""
    ministry = Case(When(kind=Organisation.Kind.MINISTRY, then=Value(0)), default=Value(1))
    offices = Organisation.objects.filter(pk__in=actor.organisation_ids()) | Organisation.objects.filter(
        kind=Organisation.Kind.MINISTRY, is_active=True
    )
    return offices.order_by(ministry, "pk")[0]
