"""The authority is told when somebody takes another's account in hand."""

from datetime import datetime

from django.db.models import Case, Value, When

from core.accounts.models import Organisation, User
from core.notices.models import Notice
from core.notices.services import raise_notice

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


def _authority_of(actor: User) -> Organisation:
    """The ministry, or where the actor has the role."""
    ministry = Case(When(kind=Organisation.Kind.MINISTRY, then=Value(0)), default=Value(1))
    offices = Organisation.objects.filter(pk__in=actor.organisation_ids()) | Organisation.objects.filter(
        kind=Organisation.Kind.MINISTRY, is_active=True
    )
    return offices.order_by(ministry, "pk")[0]
