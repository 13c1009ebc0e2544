"""Letters about accounts: what somebody else did with yours, and a role that waits for a second person."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from core.accounts.models import Appointment, RoleRequest, User
from core.accounts.roles import CONFIRMING
from core.base.clock import day_of

log = logging.getLogger(__name__)


def write_letters_of_hand(what: str, *, actor: int, person: int, address: str, at: datetime) -> int:
    """To the person at this address, and to the others who confirm roles; how many letters went."""
    people = User.objects.in_bulk([actor, person])
    told = {"what": what, "actor": people[actor], "subject": people[person], "at": at}
    readers = [(address, people[person])]
    readers += [(one.email, one) for one in who_confirm(at) if one.pk not in (actor, person)]
    return sum(_send(to, reader, "accounts/letter_of_hand.txt", told) for to, reader in readers)


def write_letters_of_request(request: int, *, at: datetime) -> int:
    """To everybody who may confirm it; how many letters went."""
    asked = RoleRequest.objects.select_related("user", "organisation", "asked_by").get(pk=request)
    if not asked.is_open:
        return 0
    told = {"asked": asked, "address": f"https://{settings.PUBLIC_HOST}/people/roles/{asked.pk}/"}
    readers = [one for one in who_confirm(at) if one.pk not in (asked.asked_by_id, asked.user_id)]
    return sum(_send(one.email, one, "accounts/letter_of_request.txt", told) for one in readers)


def who_confirm(at: datetime) -> Iterable[User]:
    """Everybody who confirms roles on this day."""
    there = Appointment.objects.in_force(day_of(at)).filter(role__in=CONFIRMING)
    return User.objects.filter(pk__in=there.values("user"), is_active=True)


def _send(address: str, reader: User, template: str, told: dict[str, object]) -> bool:
    """One letter in the reader's language; False where there is no address, or the post office is away."""
    if not address:
        return False
    with translation.override(reader.language):
        subject = gettext("Registry of saiga derivatives: an account")
        text = render_to_string(template, {"reader": reader} | told)
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
    except OSError:
        log.warning("no letter to person %s", reader.pk, exc_info=True)
        return False
    return True
