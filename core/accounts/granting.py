"""Roles that decide are given by two: one administrator asks, another person who may confirms or refuses."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.independence import require_independent
from core.accounts.models import Appointment, Organisation, Region, RoleRequest, User
from core.accounts.roles import DECIDING, Can, Role
from core.accounts.services import AppointsOneself, check_role, give_role
from core.audit.services import record
from core.base.clock import day_of
from core.base.duplicates import refuse_known
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.queue import after_commit
from core.base.reasons import require_reason

LONGEST_REASON = 200


@transaction.atomic
def ask_role(
    *,
    actor: User,
    at: datetime,
    person: User,
    organisation: Organisation,
    role: Role,
    reason: str,
    regions: Collection[Region] = (),
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> RoleRequest:
    """Ask that a person be given a role that decides; those who confirm roles are written to.

    Raises NotAllowed, AppointsOneself, RoleDoesNotFit, AlreadyAppointed, NotActive, BadInput; InvalidTransition for a
    role that waits already.
    """
    if not actor.can(Can.MANAGE_PEOPLE):
        raise NotAllowed
    if actor.pk == person.pk:
        raise AppointsOneself
    if role not in DECIDING:
        raise BadInput(fields={"role": _("This role is given at once, without a second person.")})
    reason = require_reason(reason)
    if len(reason) > LONGEST_REASON:
        raise BadInput(fields={"reason": _("At most %(most)d letters.") % {"most": LONGEST_REASON}})
    first = valid_from or day_of(at)
    check_role(person=person, organisation=organisation, role=role, first=first, valid_until=valid_until)
    waits = InvalidTransition(_("This role waits for a second person already."))
    with refuse_known({"one_waiting_role_request": waits}):
        asked = RoleRequest.objects.create(
            user=person,
            organisation=organisation,
            role=role,
            regions=sorted(region.pk for region in regions),
            valid_from=valid_from,
            valid_until=valid_until,
            reason=reason,
            asked_by=actor,
            asked_at=at,
        )
    _told("user.role_asked", asked, actor, at)
    from core.accounts.tasks import write_of_request

    after_commit(write_of_request, asked.pk)
    return asked


@transaction.atomic
def confirm_role(*, actor: User, at: datetime, asked: RoleRequest) -> Appointment:
    """Give the role that another person asked for, from today or the day that was asked for, whichever is later.

    Raises NotAllowed, for whoever asked and for the person too; NotIndependent, InvalidTransition, and what
    `ask_role` raises when something changed since.
    """
    asked = _take(actor, asked)
    if asked.asked_by_id == actor.pk:
        raise NotAllowed(_("You asked for this; another person decides."))
    if asked.user_id == actor.pk:
        raise AppointsOneself
    require_independent(actor, asked.asked_by_id, at=at)
    role = Role(asked.role)
    first = max(day_of(at), asked.valid_from or day_of(at))
    person, organisation = asked.user, asked.organisation
    check_role(person=person, organisation=organisation, role=role, first=first, valid_until=asked.valid_until)
    asked.state, asked.decided_by, asked.decided_at = RoleRequest.State.CONFIRMED, actor, at
    asked.save(update_fields=["state", "decided_by", "decided_at"])
    _told("user.role_confirmed", asked, actor, at)
    return give_role(
        actor=asked.asked_by,
        at=at,
        person=person,
        organisation=organisation,
        role=role,
        regions=Region.objects.filter(pk__in=asked.regions),
        first=first,
        valid_until=asked.valid_until,
        request=asked,
    )


@transaction.atomic
def refuse_role(*, actor: User, at: datetime, asked: RoleRequest) -> RoleRequest:
    """Not give it; whoever asked may take it back so too. Raises NotAllowed, InvalidTransition."""
    asked = _take(actor, asked)
    asked.state, asked.decided_by, asked.decided_at = RoleRequest.State.REFUSED, actor, at
    asked.save(update_fields=["state", "decided_by", "decided_at"])
    _told("user.role_refused", asked, actor, at)
    return asked


def _take(actor: User, asked: RoleRequest) -> RoleRequest:
    if not actor.can(Can.CONFIRM_ROLES):
        raise NotAllowed
    # The lock closes the race of two who decide.
    RoleRequest.objects.select_for_update(no_key=True).get(pk=asked.pk)
    asked = RoleRequest.objects.select_related("user", "organisation", "asked_by").get(pk=asked.pk)
    if not asked.is_open:
        raise InvalidTransition
    return asked


def _told(verb: str, asked: RoleRequest, actor: User, at: datetime) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("user", asked.user_id),
        subject_name=asked.user.full_name[:120],
        organisation_id=asked.organisation_id,
        role=asked.role,
        organisation_name=asked.organisation.name_kk,
        reason=asked.reason,
    )
