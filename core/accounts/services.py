"""Organisations, people, the roles they hold, and the keys of their programs."""

import secrets
from collections.abc import Collection
from datetime import date, datetime, timedelta

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.bin import is_valid_bin
from core.accounts.models import LONGEST_TOKEN, ApiToken, Appointment, Organisation, Region, RoleRequest, User
from core.accounts.roles import ASKING, CONFIRMING, DECIDING, HELD_IN, Role
from core.accounts.telling import tell_of_hand
from core.accounts.tokens import digest_of
from core.audit.services import record
from core.base.clock import day_of
from core.base.duplicates import refuse_known
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed

FOUNDERS = 2  # administrators whom nobody appointed: those who set the registry up
GIVE_ROLES = 2  # persons who give a role that decides: one asks, another confirms
TOKEN_DAYS = 90
TOKEN_PREFIX = "srt_"  # noqa: S105  a mark to find leaked tokens by, not a secret


class OrganisationKnown(BadInput):
    """An organisation with this BIN is in the registry already."""

    code = "organisation-known"


class UsernameTaken(BadInput):
    """Another person signs in by this name."""

    code = "username-taken"


class AppointsOneself(NotAllowed):
    """Nobody appoints oneself, nor ends one's own appointment."""

    code = "appoints-oneself"
    message = _("Nobody gives a role to oneself or takes one's own away: ask another administrator.")


class TakesTwoPersons(NotAllowed):
    """A role that decides is asked for, and a second person confirms it."""

    code = "takes-two-persons"
    message = _("This role decides: one person asks for it and another confirms it.")


class TwoMustRemain(DomainError):
    """Two persons who may confirm roles remain, one of them an administrator: fewer could give no role ever again."""

    code = "two-must-remain"
    message = _(
        "Two persons must remain who confirm roles, one of them an administrator: give another person such a role"
        " first."
    )


class RoleDoesNotFit(BadInput):
    """The role cannot be held in an organisation of this kind."""

    code = "role-does-not-fit"


class AlreadyAppointed(DomainError):
    """The person holds this role in this organisation already."""

    code = "already-appointed"
    message = _("This person holds this role in this organisation already.")


class NotActive(DomainError):
    """A closed organisation or a closed account takes no part."""

    code = "not-active"
    message = _("This account or organisation is closed.")


@transaction.atomic
def create_organisation(
    *,
    actor: User | None,
    at: datetime,
    bin: str,  # noqa: A002  the number's own name
    kind: Organisation.Kind,
    name_kk: str,
    name_ru: str,
    name_en: str,
    region: Region | None = None,
) -> Organisation:
    """Enter a legal person by its BIN. `actor` None is the system itself, when the registry is set up.

    Raises BadInput for a BIN that cannot exist, OrganisationKnown for one that is here already.
    """
    if not is_valid_bin(bin):
        raise BadInput(fields={"bin": _("This is not a valid BIN: check the 12 digits.")})
    known = OrganisationKnown(fields={"bin": _("An organisation with this BIN is in the registry already.")})
    with refuse_known({"_bin_": known}):
        organisation = Organisation.objects.create(
            bin=bin, kind=kind, name_kk=name_kk, name_ru=name_ru, name_en=name_en, region=region
        )
    record(
        "organisation.created",
        actor=actor,
        at=at,
        subject=("organisation", organisation.pk),
        subject_name=name_kk[:120],
        organisation_id=organisation.pk,
        bin=bin,
        kind=organisation.kind,
    )
    return organisation


@transaction.atomic
def change_organisation(
    *,
    actor: User,
    at: datetime,
    organisation: Organisation,
    kind: Organisation.Kind,
    name_kk: str,
    name_ru: str,
    name_en: str,
    region: Region | None,
    is_active: bool,
) -> Organisation:
    """Correct names, kind, region, or close the organisation; the BIN stays. Roles in a closed one give nothing.

    Raises RoleDoesNotFit when roles are held there that the new kind does not have, TwoMustRemain.
    """
    # The row lock keeps new appointments out until the kind is settled.
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    held = set(organisation.appointments.values_list("role", flat=True))
    if any(kind not in HELD_IN[Role(role)] for role in held):
        raise RoleDoesNotFit(fields={"kind": _("People hold roles here that this kind of organisation does not have.")})
    wanted = {
        "kind": str(kind),
        "name_kk": name_kk,
        "name_ru": name_ru,
        "name_en": name_en,
        "region_id": region.pk if region else None,
        "is_active": is_active,
    }
    changed = {name: value for name, value in wanted.items() if getattr(organisation, name) != value}
    if not changed:
        return organisation
    if changed.get("is_active") is False:
        _one_at_a_time()
        today = day_of(at)
        if two_give_roles(today) and not two_give_roles(today, without=Q(organisation=organisation)):
            raise TwoMustRemain
    for name, value in changed.items():
        setattr(organisation, name, value)
    organisation.save(update_fields=list(changed))
    record(
        "organisation.changed",
        actor=actor,
        at=at,
        subject=("organisation", organisation.pk),
        subject_name=organisation.name_kk[:120],
        organisation_id=organisation.pk,
        **changed,
    )
    return organisation


@transaction.atomic
def create_person(
    *,
    actor: User | None,
    at: datetime,
    username: str,
    last_name: str,
    first_name: str,
    patronymic: str = "",
    email: str = "",
    language: str = "kk",
    password: str | None = None,
) -> User:
    """Open an account without any role. Without a password the person sets one by a link (see views.password_link).

    Raises UsernameTaken, or BadInput with what is wrong with the password or the e-mail.
    """
    person = User(
        username=username,
        last_name=last_name,
        first_name=first_name,
        patronymic=patronymic,
        email=email,
        language=language,
        date_joined=at,
    )
    if password is not None:
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise BadInput(fields={"password": " ".join(error.messages)}) from error
    person.set_password(password)
    with refuse_known(_known_person()):
        person.save(force_insert=True)
    record("user.created", actor=actor, at=at, subject=("user", person.pk), subject_name=person.full_name[:120])
    return person


def _known_person() -> dict[str, DomainError]:
    """What to say when a name or an address is another person's, by the constraint that says so."""
    return {
        "one_person_per_username": UsernameTaken(fields={"username": _("This name is taken.")}),
        "accounts_user_username": UsernameTaken(fields={"username": _("This name is taken.")}),
        "one_person_per_email": BadInput(fields={"email": _("Another person has this e-mail address.")}),
    }


@transaction.atomic
def change_person(
    *,
    actor: User,
    at: datetime,
    person: User,
    last_name: str,
    first_name: str,
    patronymic: str,
    email: str,
) -> User:
    """Correct how a person is written and reached. Raises BadInput when the e-mail is another person's.

    Whoever has the address can set the password: another address is told to the person at the one before, and to those
    who oversee.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    before, address = person.full_name, person.email
    person.last_name, person.first_name, person.patronymic, person.email = last_name, first_name, patronymic, email
    with refuse_known(_known_person()):
        person.save(update_fields=["last_name", "first_name", "patronymic", "email"])
    record(
        "user.changed",
        actor=actor,
        at=at,
        subject=("user", person.pk),
        subject_name=person.full_name[:120],
        before=before,
    )
    if person.email != address and person.pk != actor.pk:
        record(
            "user.email_changed", actor=actor, at=at, subject=("user", person.pk), subject_name=person.full_name[:120]
        )
        tell_of_hand("email_changed", actor=actor, at=at, person=person, address=address)
    return person


@transaction.atomic
def deactivate_person(*, actor: User, at: datetime, person: User) -> User:
    """Close an account: no sign-in, no open session, no token, no role. Raises AppointsOneself, InvalidTransition.

    Also that of the last but one who confirms roles: an account in wrong hands must not stay open. The console then
    sets up another administrator (`create_administrator`).
    """
    if person.pk == actor.pk:
        raise AppointsOneself
    # Update-where: of two administrators only one closes it.
    if not User.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
        raise InvalidTransition
    person.appointments.not_ended().update(ended_at=at, ended_by=actor)
    ApiToken.objects.filter(user=person, revoked_at=None).update(revoked_at=at)
    person.refresh_from_db()
    person.forget_roles()
    record("user.deactivated", actor=actor, at=at, subject=("user", person.pk), subject_name=person.full_name[:120])
    return person


@transaction.atomic
def reactivate_person(*, actor: User, at: datetime, person: User) -> User:
    """Open a closed account again, without the roles it had. Raises InvalidTransition."""
    if person.pk == actor.pk:
        raise AppointsOneself
    if not User.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
        raise InvalidTransition
    person.refresh_from_db()
    person.forget_roles()
    record("user.reactivated", actor=actor, at=at, subject=("user", person.pk), subject_name=person.full_name[:120])
    return person


@transaction.atomic
def appoint(
    *,
    actor: User | None,
    at: datetime,
    person: User,
    organisation: Organisation,
    role: Role,
    regions: Collection[Region] = (),
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Appointment:
    """Give a person a role in an organisation; without `valid_from`, from today. Without `regions` the
    organisation's own region counts. A role that decides is asked for instead (`granting.ask_role`).

    `actor` None only for an administrator: the first two are appointed by the system itself, and another one when there
    are not two left who give roles.
    Raises TakesTwoPersons, AppointsOneself, RoleDoesNotFit, AlreadyAppointed, NotActive, BadInput.
    """
    if actor is not None and actor.pk == person.pk:
        raise AppointsOneself
    if actor is not None and role in DECIDING:
        raise TakesTwoPersons
    if actor is None and (role != Role.ADMINISTRATOR or not _may_be_founder(person, at)):
        raise NotAllowed(_("There are two who give roles: one asks for this role and another confirms it."))
    first = valid_from or day_of(at)
    check_role(person=person, organisation=organisation, role=role, first=first, valid_until=valid_until)
    return give_role(
        actor=actor,
        at=at,
        person=person,
        organisation=organisation,
        role=role,
        regions=regions,
        first=first,
        valid_until=valid_until,
    )


def _may_be_founder(person: User, at: datetime) -> bool:
    founders = list(Appointment.objects.filter(appointed_by=None).values_list("user_id", flat=True))
    return person.pk not in founders and (len(founders) < FOUNDERS or not two_give_roles(day_of(at)))


def two_give_roles(on: date, *, without: Q | None = None) -> bool:
    """Whether there are two who may confirm a role on this day, one of whom may ask for it; `without` leaves out some
    appointments.
    """
    there = Appointment.objects.in_force(on).filter(role__in=CONFIRMING, user__is_active=True)
    held = list((there if without is None else there.exclude(without)).values_list("user_id", "role"))
    return len({person for person, _role in held}) >= GIVE_ROLES and any(role in ASKING for _person, role in held)


def _one_at_a_time() -> None:
    """Until commit nobody else ends a role, closes an organisation or is appointed by nobody; the lock of the triggers.

    Of two administrators who end the role of each other, or of two others, only one does.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('two_are_appointed_by_nobody'))")


def check_role(*, person: User, organisation: Organisation, role: Role, first: date, valid_until: date | None) -> None:
    """Whether the person can hold the role there; both are locked, so that neither is closed while it is given.

    Raises RoleDoesNotFit, AlreadyAppointed, NotActive, BadInput.
    """
    # Row locks on both: neither may be closed while the role is given. Organisation first, then the person.
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if not organisation.is_active or not User.objects.select_for_update().filter(pk=person.pk, is_active=True).exists():
        raise NotActive
    if organisation.kind not in HELD_IN[role]:
        raise RoleDoesNotFit(fields={"role": _("This role cannot be held in an organisation of this kind.")})
    if valid_until is not None and valid_until < first:
        raise BadInput(fields={"valid_until": _("The last day is before the first.")})
    same = Appointment.objects.not_ended().filter(user=person, organisation=organisation, role=role)
    if any(other.valid_until is None or other.valid_until >= first for other in same):
        raise AlreadyAppointed


def give_role(
    *,
    actor: User | None,
    at: datetime,
    person: User,
    organisation: Organisation,
    role: Role,
    regions: Collection[Region],
    first: date,
    valid_until: date | None,
    request: RoleRequest | None = None,
) -> Appointment:
    """Write the appointment and its event; in the transaction of whoever has checked it."""
    appointment = Appointment.objects.create(
        user=person,
        organisation=organisation,
        role=role,
        valid_from=first,
        valid_until=valid_until,
        appointed_by=actor,
        request=request,
    )
    appointment.regions.set(regions)
    person.forget_roles()
    record(
        "user.appointed",
        actor=actor,
        at=at,
        subject=("user", person.pk),
        subject_name=person.full_name[:120],
        organisation_id=organisation.pk,
        role=role.value,
        organisation_name=organisation.name_kk,
        regions=sorted(region.pk for region in regions),
        valid_from=first.isoformat(),
        valid_until=valid_until.isoformat() if valid_until else None,
    )
    return appointment


@transaction.atomic
def end_appointment(*, actor: User, at: datetime, appointment: Appointment) -> Appointment:
    """Take a role away from this moment; what was done under it stays.

    Raises AppointsOneself; TwoMustRemain; InvalidTransition when somebody ended it before.
    """
    if appointment.user_id == actor.pk:
        raise AppointsOneself
    if appointment.role in CONFIRMING:
        _one_at_a_time()
        today = day_of(at)
        if appointment.is_in_force(today) and not two_give_roles(today, without=Q(pk=appointment.pk)):
            raise TwoMustRemain
    # Update-where: of two administrators only one ends it.
    if not Appointment.objects.not_ended().filter(pk=appointment.pk).update(ended_at=at, ended_by=actor):
        raise InvalidTransition
    appointment.refresh_from_db()
    appointment.user.forget_roles()
    record(
        "user.appointment_ended",
        actor=actor,
        at=at,
        subject=("user", appointment.user_id),
        subject_name=appointment.user.full_name[:120],
        organisation_id=appointment.organisation_id,
        role=appointment.role,
        organisation_name=appointment.organisation.name_kk,
    )
    return appointment


@transaction.atomic
def make_password_key(*, actor: User, at: datetime, person: User) -> str:
    """A key by which the person, and whoever has it, may set the password once within three days.

    To be handed over in person or sent; it stops working when used. The person is told by letter, and so are those who
    oversee: whoever makes it could use it. Raises NotActive for a closed account.
    """
    if not person.is_active:
        raise NotActive
    record(
        "user.password_link_made", actor=actor, at=at, subject=("user", person.pk), subject_name=person.full_name[:120]
    )
    if person.pk != actor.pk:
        tell_of_hand("password_link", actor=actor, at=at, person=person, address=person.email)
    token: str = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    return f"{user_pk_to_url_str(person)}-{token}"


@transaction.atomic
def choose_language(*, person: User, language: str) -> User:
    """Remember the language a person reads in; no event, it is nobody else's matter."""
    User.objects.filter(pk=person.pk).update(language=language)
    person.language = language
    return person


@transaction.atomic
def create_token(*, actor: User, at: datetime, name: str, days: int = TOKEN_DAYS) -> tuple[ApiToken, str]:
    """Make a key for the person's own programs; returns it with its secret, which is shown once and never kept.

    Raises BadInput for no name or a life of less than a day or more than 366.
    """
    if not name.strip():
        raise BadInput(fields={"name": _("Say what it is for.")})
    if not 1 <= days <= LONGEST_TOKEN.days:
        raise BadInput(fields={"days": _("From 1 to %(most)d days.") % {"most": LONGEST_TOKEN.days}})
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=actor,
        name=name.strip(),
        prefix=secret[:8],
        digest=digest_of(secret),
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    record("token.created", actor=actor, at=at, subject=("user", actor.pk), name=token.name, prefix=token.prefix)
    return token, secret


@transaction.atomic
def revoke_token(*, actor: User, at: datetime, token: ApiToken) -> ApiToken:
    """Make a key useless from this moment, for good. Raises InvalidTransition when it is revoked already."""
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        raise InvalidTransition
    token.refresh_from_db()
    record("token.revoked", actor=actor, at=at, subject=("user", token.user_id), name=token.name, prefix=token.prefix)
    return token
