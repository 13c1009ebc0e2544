"""Organisations, people, roles and keys: what the services guarantee and refuse."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from core.accounts.models import ApiToken, Appointment, Organisation, Region, User
from core.accounts.roles import HELD_IN, Can, Role
from core.accounts.services import (
    AlreadyAppointed,
    AppointsOneself,
    NotActive,
    OrganisationKnown,
    RoleDoesNotFit,
    UsernameTaken,
    appoint,
    change_organisation,
    create_organisation,
    create_person,
    create_token,
    deactivate_person,
    end_appointment,
    reactivate_person,
    revoke_token,
)
from core.accounts.signature import SignatureForm
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from tests.cast import LONG_AGO, give_role

pytestmark = pytest.mark.django_db


def test_it_enters_an_organisation_with_an_event(administrator: User, region: Region, now: datetime) -> None:
    made = create_organisation(
        actor=administrator,
        at=now,
        bin="131140000150",
        kind=Organisation.Kind.PROCESSOR,
        name_kk="Өңдеуші",
        name_ru="Переработчик",
        name_en="Processor",
        region=region,
    )

    event = Event.objects.about(("organisation", made.pk)).get()
    assert (event.verb, event.actor_id, event.at) == ("organisation.created", administrator.pk, now)
    assert event.facts["bin"] == "131140000150"


@pytest.mark.parametrize(("bin_", "refusal"), [("960240000125", BadInput), ("960240000124", OrganisationKnown)])
def test_it_refuses_a_wrong_bin_and_one_that_is_here(
    administrator: User, now: datetime, bin_: str, refusal: type[BadInput]
) -> None:
    with pytest.raises(refusal) as caught:
        create_organisation(
            actor=administrator,
            at=now,
            bin=bin_,
            kind=Organisation.Kind.TRADER,
            name_kk="х",
            name_ru="х",
            name_en="x",
        )

    assert set(caught.value.fields) == {"bin"}
    assert Organisation.objects.count() == 1


def test_an_organisation_cannot_become_of_a_kind_that_its_roles_do_not_fit(
    administrator: User, inspector: User, inspectorate: Organisation, now: datetime
) -> None:
    with pytest.raises(RoleDoesNotFit):
        change_organisation(
            actor=administrator,
            at=now,
            organisation=inspectorate,
            kind=Organisation.Kind.TRADER,
            name_kk="х",
            name_ru="х",
            name_en="x",
            region=None,
            is_active=True,
        )

    inspectorate.refresh_from_db()
    assert inspectorate.kind == Organisation.Kind.INSPECTORATE


def test_roles_in_a_closed_organisation_give_nothing(
    administrator: User, trader: User, trader_company: Organisation, now: datetime
) -> None:
    company = trader_company
    change_organisation(
        actor=administrator,
        at=now,
        organisation=company,
        kind=Organisation.Kind.TRADER,
        name_kk=company.name_kk,
        name_ru=company.name_ru,
        name_en=company.name_en,
        region=company.region,
        is_active=False,
    )

    trader.forget_roles()
    assert trader.roles == frozenset()
    with pytest.raises(NotActive):
        appoint(
            actor=administrator,
            at=now,
            person=administrator_of_nothing(administrator, now),
            organisation=company,
            role=Role.TRADER,
        )


def administrator_of_nothing(actor: User, at: datetime) -> User:
    return create_person(actor=actor, at=at, username="nobody", last_name="Ешкім", first_name="Ешкім")


@pytest.mark.parametrize("username", ["inspector", "Inspector"])
def test_no_two_people_sign_in_by_one_name(administrator: User, inspector: User, now: datetime, username: str) -> None:
    with pytest.raises(UsernameTaken):
        create_person(actor=administrator, at=now, username=username, last_name="А", first_name="Б")


def test_no_two_people_have_one_email(administrator: User, inspector: User, now: datetime) -> None:
    with pytest.raises(BadInput) as caught:
        create_person(
            actor=administrator, at=now, username="x", last_name="А", first_name="Б", email=inspector.email.upper()
        )

    assert set(caught.value.fields) == {"email"}


def test_a_weak_password_is_refused(administrator: User, now: datetime) -> None:
    with pytest.raises(BadInput) as caught:
        create_person(actor=administrator, at=now, username="x", last_name="А", first_name="Б", password="password123")

    assert set(caught.value.fields) == {"password"}
    assert not User.objects.filter(username="x").exists()


def test_a_person_without_a_password_cannot_sign_in(administrator: User, now: datetime) -> None:
    person = create_person(actor=administrator, at=now, username="x", last_name="А", first_name="Б")

    assert not person.has_usable_password()


def test_a_role_gives_its_capabilities_at_once(administrator: User, stranger: User, committee: Organisation) -> None:
    assert not stranger.can(Can.DECIDE_APPLICATION)

    give_role(stranger, Role.AUTHORITY_OFFICER, committee, by=administrator, at=timezone.now())
    stranger.forget_roles()

    assert stranger.can(Can.DECIDE_APPLICATION)
    assert stranger.organisation_ids(Can.DECIDE_APPLICATION) == {committee.pk}


def test_regions_of_the_appointment_go_before_the_organisations(
    administrator: User, stranger: User, institute: Organisation, inspector: User, region_elsewhere: Region
) -> None:
    appoint(
        actor=administrator,
        at=timezone.now(),
        person=stranger,
        organisation=institute,
        role=Role.SCIENTIFIC_REVIEWER,
        regions=[region_elsewhere],
    )

    assert stranger.region_codes() == {"39"}
    assert inspector.region_codes() == {"27"}


def test_a_role_holds_from_its_first_day_to_its_last(
    administrator: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    appointment = appoint(
        actor=administrator,
        at=now,
        person=stranger,
        organisation=committee,
        role=Role.AUDITOR,
        valid_from=date(2025, 12, 1),
        valid_until=date(2025, 12, 31),
    )

    held = [Appointment.objects.in_force(day).filter(pk=appointment.pk).exists() for day in days_around(appointment)]
    assert held == [appointment.is_in_force(day) for day in days_around(appointment)] == [False, True, True, False]


def days_around(appointment: Appointment) -> list[date]:
    assert appointment.valid_until
    first, last, day = appointment.valid_from, appointment.valid_until, timedelta(days=1)
    return [first - day, first, last, last + day]


def test_nobody_appoints_oneself(administrator: User, committee: Organisation, now: datetime) -> None:
    with pytest.raises(AppointsOneself):
        appoint(actor=administrator, at=now, person=administrator, organisation=committee, role=Role.AUTHORITY_HEAD)

    assert administrator.appointments.count() == 1


def test_only_the_first_two_administrators_are_appointed_by_nobody(
    administrator: User, second_administrator: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    for role in (Role.ADMINISTRATOR, Role.AUTHORITY_HEAD):
        with pytest.raises(NotAllowed):
            appoint(actor=None, at=now, person=stranger, organisation=committee, role=role)


@pytest.mark.parametrize("role", Role)
def test_a_role_is_held_only_where_it_fits(
    administrator: User, stranger: User, audit_chamber: Organisation, now: datetime, role: Role
) -> None:
    if audit_chamber.kind in HELD_IN[role]:
        give_role(stranger, role, audit_chamber, by=administrator, at=now)
        return
    with pytest.raises(RoleDoesNotFit):
        give_role(stranger, role, audit_chamber, by=administrator, at=now)
    assert not stranger.appointments.exists()


def test_a_role_is_not_given_twice(
    administrator: User, trader: User, trader_company: Organisation, now: datetime
) -> None:
    with pytest.raises(AlreadyAppointed):
        appoint(actor=administrator, at=now, person=trader, organisation=trader_company, role=Role.TRADER)


def test_an_ended_role_gives_nothing_and_can_be_given_again(
    administrator: User, trader: User, trader_company: Organisation, later: Callable[..., datetime]
) -> None:
    (appointment,) = trader.appointments.all()

    end_appointment(actor=administrator, at=later(hours=1), appointment=appointment)
    trader.forget_roles()
    assert trader.roles == frozenset()

    appoint(actor=administrator, at=later(hours=2), person=trader, organisation=trader_company, role=Role.TRADER)
    assert trader.roles == {Role.TRADER}
    with pytest.raises(InvalidTransition):
        end_appointment(actor=administrator, at=later(hours=3), appointment=appointment)


def test_nobody_ends_ones_own_role(administrator: User, now: datetime) -> None:
    (own,) = administrator.appointments.all()

    with pytest.raises(AppointsOneself):
        end_appointment(actor=administrator, at=now, appointment=own)


def test_a_closed_account_keeps_no_role_no_key_and_no_session(
    administrator: User, trader: User, later: Callable[..., datetime]
) -> None:
    token, _secret = create_token(actor=trader, at=later(), name="scale")

    deactivate_person(actor=administrator, at=later(hours=1), person=trader)

    token.refresh_from_db()
    assert (trader.roles, trader.is_active, token.revoked_at) == (frozenset(), False, later(hours=1))
    with pytest.raises(InvalidTransition):
        deactivate_person(actor=administrator, at=later(hours=2), person=trader)

    reactivate_person(actor=administrator, at=later(hours=3), person=trader)
    assert (trader.is_active, trader.roles) == (True, frozenset())


def test_nobody_closes_ones_own_account(administrator: User, now: datetime) -> None:
    with pytest.raises(AppointsOneself):
        deactivate_person(actor=administrator, at=now, person=administrator)


def test_a_second_administrator_may_end_the_first(
    administrator: User, second_administrator: User, authority_head: User, later: Callable[..., datetime]
) -> None:
    (first,) = administrator.appointments.all()

    end_appointment(actor=second_administrator, at=later(hours=1), appointment=first)

    assert not administrator.appointments.not_ended().exists()


def test_a_keys_secret_is_never_kept(trader: User, now: datetime) -> None:
    token, secret = create_token(actor=trader, at=now, name="scale")

    assert secret.startswith("srt_")
    assert secret not in str(ApiToken.objects.values().get(pk=token.pk))
    assert token.expires_at == now + timedelta(days=90)


@pytest.mark.parametrize(("name", "days", "field"), [("", 90, "name"), ("x", 0, "days"), ("x", 367, "days")])
def test_a_key_has_a_purpose_and_an_end(trader: User, now: datetime, name: str, days: int, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        create_token(actor=trader, at=now, name=name, days=days)

    assert set(caught.value.fields) == {field}


def test_a_key_is_revoked_once(trader: User, later: Callable[..., datetime]) -> None:
    token, _secret = create_token(actor=trader, at=later(), name="scale")
    revoke_token(actor=trader, at=later(hours=1), token=token)

    with pytest.raises(InvalidTransition):
        revoke_token(actor=trader, at=later(hours=2), token=token)
    assert not token.is_usable(later(hours=1))


def test_every_act_left_one_event(administrator: User, inspector: User) -> None:
    verbs = list(Event.objects.about(("user", inspector.pk)).order_by("pk").values_list("verb", "at"))

    said = ["user.created", "user.role_asked", "user.role_confirmed", "user.appointed"]
    assert verbs == [(verb, LONG_AGO) for verb in said]


def test_asking_for_roles_again_costs_nothing(inspector: User, django_assert_num_queries: object) -> None:
    person = User.objects.get(pk=inspector.pk)

    with django_assert_num_queries(2):  # type: ignore[operator]
        assert person.can(Can.OPEN_INTAKE)
        assert person.organisation_ids(Can.OPEN_INTAKE)
        assert person.region_codes()
        assert person.roles


def test_right_passwords_do_not_count_against_who_signs(trader: User) -> None:
    trader.set_password("a long and winding road")

    signed = [SignatureForm({"password": "a long and winding road"}, signer=trader).is_valid() for _time in range(8)]

    assert all(signed)
