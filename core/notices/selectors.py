"""What waits for whom."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Appointment, Organisation, User
from core.accounts.roles import GRANTS, Can, Role
from core.notices.models import JUDGES, Notice, is_authority
from core.notices.texts import parties_of

ACTING = [role for role in GRANTS if Can.DECIDE_NOTICE in GRANTS[role]]


@dataclass(frozen=True)
class Waiting:
    """How many notices wait for a person: all, those whose day has passed, and the nearest day."""

    open: int
    overdue: int
    next_due_on: date | None


def notices_waiting(user: User, on: date) -> Waiting:
    """Counts for a first page, in two queries."""
    mine = Notice.objects.waiting_for(user)
    counts = mine.aggregate(open=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=on)))
    nearest = mine.filter(due_on__gte=on).order_by("due_on").values_list("due_on", flat=True).first()
    return Waiting(counts["open"], counts["overdue"], nearest)


def may_act_on(user: User, notice: Notice) -> bool:
    """Whether the person may explain or decide it: of the organisation it concerns, or of the authority."""
    return is_authority(user) or notice.organisation_id in user.organisation_ids(Can.DECIDE_NOTICE)


def refusal_to_decide(user: User, notice: Notice) -> StrOrPromise | None:
    """Why this person may not decide it as it stands; None where the person may."""
    if notice.caused_by_id == user.pk:
        return _("Your own act raised this: another person decides.")
    if notice.explained_by_id == user.pk:
        return _("Another person judges what you explained.")
    if user.pk in parties_of(notice):
        return _("You took part in what this is about: another person decides.")
    if is_authority(user):
        return None
    if notice.escalated_at is not None:
        return _("The day has passed: the authority decides, once the organisation has explained.")
    if notice.decides == Notice.Decides.AUTHORITY:
        return _("The authority decides, once the organisation has explained.")
    if not may_act_on(user, notice):
        return _("The organisation it concerns, or the authority, decides.")
    return None


def who_may_decide(notice: Notice, on: date) -> list[User]:
    """The people who may decide it as it stands: of the organisation where that decides, and of the authority."""
    may = Q(role__in=JUDGES)
    if notice.decides == Notice.Decides.ORGANISATION:
        may |= Q(role__in=ACTING, organisation=notice.organisation_id)
    there = Appointment.objects.in_force(on).filter(may, user__is_active=True).select_related("user")
    people = {appointment.user_id: appointment.user for appointment in there}
    concerned = {notice.caused_by_id, notice.explained_by_id, *parties_of(notice)}
    others = [person for pk, person in people.items() if pk not in concerned]
    return sorted(others, key=lambda person: person.full_name)


@dataclass(frozen=True)
class Acting:
    """Who acts next on a notice: a person, or whoever holds one of these roles in the organisation."""

    person: User | None
    roles: tuple[Role, ...]
    organisation: Organisation


def who_acts(notices: Collection[Notice], on: date) -> dict[int, Acting]:
    """For each open notice who is to act next; one query for all. Notices come with organisation and assigned_to.

    An organisation where nobody may act any more leaves it to the authority.
    """
    open_ones = [notice for notice in notices if notice.is_open]
    if not open_ones:
        return {}
    concerned = Q(role__in=ACTING, organisation__in={notice.organisation_id for notice in open_ones})
    there = Appointment.objects.in_force(on).filter(concerned | Q(role__in=JUDGES), user__is_active=True)
    holders = list(there.select_related("organisation").order_by("organisation", "role"))
    judges = [held for held in holders if held.role in JUDGES]
    acting: dict[int, Acting] = {}
    for notice in open_ones:
        own = [held for held in holders if held.organisation_id == notice.organisation_id]
        if notice.decides == Notice.Decides.ORGANISATION:
            own = [held for held in own if held.user_id != notice.caused_by_id]
        chosen = judges if notice.waits_for_authority or not own else own
        roles = tuple(dict.fromkeys(Role(held.role) for held in chosen))
        body = chosen[0].organisation if chosen else notice.organisation
        acting[notice.pk] = Acting(notice.assigned_to, roles, body)
    return acting


def people_for(organisations: Iterable[int], on: date) -> list[User]:
    """Who may act on notices of all these organisations: their own people where it is one, and the authority's."""
    wanted = set(organisations)
    there = Appointment.objects.in_force(on).filter(user__is_active=True).select_related("user")
    may = Q(role__in=JUDGES)
    if len(wanted) == 1:
        may |= Q(role__in=ACTING, organisation__in=wanted)
    people = {appointment.user_id: appointment.user for appointment in there.filter(may)}
    return sorted(people.values(), key=lambda person: person.full_name)


def responsible_for(notice: Notice, on: date) -> list[User]:
    """Who is written to: whoever it is assigned to, else the people of the organisation; with the authority's where it
    waits for the authority or its day has passed.
    """
    judging = Q(role__in=JUDGES)
    wanted = Q(pk__in=[])
    if notice.escalated_at is not None or notice.waits_for_authority:
        wanted |= judging
    people: dict[int, User] = {}
    if notice.assigned_to is not None:
        people[notice.assigned_to.pk] = notice.assigned_to
    elif not notice.waits_for_authority:
        wanted |= Q(role__in=ACTING, organisation=notice.organisation_id)
    in_force = Appointment.objects.in_force(on).filter(user__is_active=True).select_related("user")
    people |= {appointment.user_id: appointment.user for appointment in in_force.filter(wanted)}
    if notice.decides == Notice.Decides.ORGANISATION and notice.caused_by_id in people:
        del people[notice.caused_by_id]
        if not people:  # nobody else of the organisation may decide
            people = {appointment.user_id: appointment.user for appointment in in_force.filter(judging)}
    return list(people.values())
