"""Two persons are two: roles that decide are given by two, and nobody is both by way of another's account."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import Error, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.accounts.granting import ask_role, confirm_role, refuse_role
from core.accounts.independence import DAYS, IN_HAND, NotIndependent, in_one_hand, require_independent
from core.accounts.models import Appointment, Organisation, RoleRequest, User
from core.accounts.roles import DECIDING, Can, Role
from core.accounts.services import (
    AppointsOneself,
    TakesTwoPersons,
    TwoMustRemain,
    appoint,
    change_organisation,
    change_person,
    create_person,
    deactivate_person,
    end_appointment,
    make_password_key,
    reactivate_person,
)
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.accounts import LAST_TERM, tell_last_terms
from core.notices.models import Notice
from core.notices.services import decide_notice
from core.notices.texts import text_of
from core.rules.models import Rule
from marking.models import KeyRequest, SigningKey
from marking.services.keys import ask_key_act, create_key, decide_key_act
from tests.cast import PASSWORD, enter_person, give_role

pytestmark = pytest.mark.django_db

WHY = "The former head has retired"


def ask(actor: User, person: User, organisation: Organisation, at: datetime) -> RoleRequest:
    return ask_role(actor=actor, at=at, person=person, organisation=organisation, role=Role.AUTHORITY_HEAD, reason=WHY)


def test_roles_of_those_who_decide_take_two() -> None:
    assert {
        Role.INSPECTOR,
        Role.STOREKEEPER,
        Role.PROCESSOR,
        Role.AUTHORITY_OFFICER,
        Role.AUTHORITY_HEAD,
        Role.ADMINISTRATOR,
    } == DECIDING


@pytest.mark.parametrize("role", sorted(DECIDING))
def test_one_administrator_does_not_give_a_role_that_decides(
    administrator: User, stranger: User, committee: Organisation, now: datetime, role: Role
) -> None:
    with pytest.raises(TakesTwoPersons):
        appoint(actor=administrator, at=now, person=stranger, organisation=committee, role=role)

    assert not stranger.appointments.exists()


def test_a_role_is_in_force_when_a_second_person_has_confirmed_it(
    administrator: User, second_administrator: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    asked = ask(administrator, stranger, committee, now)
    assert not stranger.can(Can.MANAGE_KEYS)

    given = confirm_role(actor=second_administrator, at=now, asked=asked)

    stranger.forget_roles()
    assert stranger.can(Can.MANAGE_KEYS)
    assert (given.appointed_by, given.request) == (administrator, asked)
    assert Event.objects.about(("user", stranger.pk)).filter(verb="user.role_confirmed").get().facts["reason"] == WHY


def test_neither_the_asker_nor_the_person_confirms(
    administrator: User, authority_head: User, committee: Organisation, now: datetime
) -> None:
    asked = ask_role(
        actor=administrator,
        at=now,
        person=authority_head,
        organisation=committee,
        role=Role.ADMINISTRATOR,
        reason=WHY,
    )

    for person in (administrator, authority_head):
        with pytest.raises(NotAllowed):
            confirm_role(actor=person, at=now, asked=asked)
    assert authority_head.appointments.count() == 1


def test_an_account_in_the_askers_hand_does_not_confirm(
    administrator: User, second_administrator: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    accomplice = create_person(actor=administrator, at=now, username="x", last_name="Екінші", first_name="Өзі")
    asked = ask_role(
        actor=administrator,
        at=now,
        person=accomplice,
        organisation=committee,
        role=Role.ADMINISTRATOR,
        reason=WHY,
    )
    confirm_role(actor=second_administrator, at=now, asked=asked)
    accomplice.forget_roles()
    more = ask(administrator, stranger, committee, now)

    with pytest.raises(NotIndependent):
        confirm_role(actor=accomplice, at=now, asked=more)
    assert not stranger.appointments.exists()


def test_only_who_may_asks_and_confirms_and_words_are_needed(
    administrator: User,
    authority_officer: User,
    authority_head: User,
    stranger: User,
    committee: Organisation,
    now: datetime,
) -> None:
    with pytest.raises(NotAllowed):
        ask(authority_head, stranger, committee, now)
    with pytest.raises(AppointsOneself):
        ask(administrator, administrator, committee, now)
    with pytest.raises(BadInput):
        ask_role(
            actor=administrator, at=now, person=stranger, organisation=committee, role=Role.AUTHORITY_HEAD, reason="x"
        )
    asked = ask(administrator, stranger, committee, now)
    with pytest.raises(InvalidTransition):
        ask(administrator, stranger, committee, now)
    with pytest.raises(NotAllowed):
        confirm_role(actor=authority_officer, at=now, asked=asked)


def test_a_request_ends_once(
    administrator: User, authority_head: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    asked = ask(administrator, stranger, committee, now)
    refuse_role(actor=administrator, at=now, asked=asked)

    with pytest.raises(InvalidTransition):
        confirm_role(actor=authority_head, at=now, asked=asked)


# Who has whom in hand


@pytest.mark.parametrize("act", ["open", "reopen", "link", "address"])
def test_an_account_that_was_in_hand_is_no_second_person_for_thirty_days(
    administrator: User, authority_head: User, later: Callable[..., datetime], act: str
) -> None:
    person, at = authority_head, later()
    if act == "open":
        person = create_person(actor=administrator, at=at, username="x", last_name="Жаңа", first_name="Адам")
    elif act == "reopen":
        deactivate_person(actor=administrator, at=at, person=person)
        reactivate_person(actor=administrator, at=at, person=person)
    elif act == "link":
        make_password_key(actor=administrator, at=at, person=person)
    else:
        change_person(
            actor=administrator,
            at=at,
            person=person,
            last_name=person.last_name,
            first_name=person.first_name,
            patronymic="",
            email="mine@example.kz",
        )

    for one, other in ((administrator, person), (person, administrator)):
        with pytest.raises(NotIndependent):
            require_independent(one, other, at=later(days=DAYS - 1))
        require_independent(one, other, at=later(days=DAYS + 1))


def test_names_corrected_and_ones_own_link_take_nothing_in_hand(
    administrator: User, authority_head: User, now: datetime
) -> None:
    change_person(
        actor=administrator,
        at=now,
        person=authority_head,
        last_name="Қасымов",
        first_name="Темір",
        patronymic="",
        email=authority_head.email,
    )
    make_password_key(actor=administrator, at=now, person=administrator)

    require_independent(authority_head, administrator, None, authority_head, at=now)
    assert not Notice.objects.exists()


def test_the_days_are_those_of_the_rule(
    administrator: User, authority_head: User, later: Callable[..., datetime]
) -> None:
    make_password_key(actor=administrator, at=later(), person=authority_head)
    rule = Rule.objects.get(code="accounts.independence")
    assert rule.value == {"days": DAYS}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE rules_rule DISABLE TRIGGER USER")
        cursor.execute("UPDATE rules_rule SET value = '{\"days\": 90}' WHERE id = %s", [rule.pk])
        cursor.execute("ALTER TABLE rules_rule ENABLE TRIGGER USER")

    assert in_one_hand(authority_head, [administrator], later(days=89)) == {administrator.pk}
    assert in_one_hand(authority_head, [administrator], later(days=91)) == set()


def test_the_database_knows_the_same_verbs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'accounts_in_one_hand'")
        (body,) = cursor.fetchone()

    assert all(f"'{verb}'" in body for verb in IN_HAND)
    assert body.count("'user.") == len(IN_HAND)


# Keys


@pytest.fixture
def asked_key(administrator: User, now: datetime) -> KeyRequest:
    key = create_key(actor=administrator, at=now)
    return ask_key_act(actor=administrator, at=now, key=key, kind="use", reason="The yearly change of keys")


def test_a_key_does_not_change_by_an_account_that_the_asker_has_in_hand(
    administrator: User, authority_head: User, asked_key: KeyRequest, now: datetime, later: Callable[..., datetime]
) -> None:
    make_password_key(actor=administrator, at=now, person=authority_head)

    with pytest.raises(NotIndependent):
        decide_key_act(actor=authority_head, at=later(minutes=2), request=asked_key, approve=True)

    assert SigningKey.objects.get(pk=asked_key.key_id).state == "created"
    decide_key_act(actor=authority_head, at=later(days=DAYS + 1), request=asked_key, approve=True)
    assert SigningKey.objects.get(pk=asked_key.key_id).state == "in_use"


def test_it_may_refuse(administrator: User, authority_head: User, asked_key: KeyRequest, now: datetime) -> None:
    make_password_key(actor=administrator, at=now, person=authority_head)

    decide_key_act(actor=authority_head, at=now, request=asked_key, approve=False)

    assert KeyRequest.objects.get().state == "refused"


def test_the_database_refuses_the_key_too(
    administrator: User, authority_head: User, asked_key: KeyRequest, now: datetime
) -> None:
    make_password_key(actor=administrator, at=now, person=authority_head)

    with pytest.raises(Error, match="decided by another person"), transaction.atomic():
        KeyRequest.objects.update(state="approved", decided_by=authority_head, decided_at=now)


# Around the services


def test_the_database_gives_no_deciding_role_without_a_confirmed_request(
    administrator: User,
    second_administrator: User,
    stranger: User,
    trader: User,
    committee: Organisation,
    now: datetime,
) -> None:
    asked = ask(administrator, stranger, committee, now)
    role = {"organisation": committee, "valid_from": now.date(), "appointed_by": administrator}

    for request in (None, asked):
        with pytest.raises(Error, match="given by two"), transaction.atomic():
            Appointment.objects.create(user=stranger, role=Role.AUTHORITY_HEAD, request=request, **role)
    confirm_role(actor=second_administrator, at=now, asked=asked)
    with pytest.raises(Error), transaction.atomic():
        Appointment.objects.create(user=trader, role=Role.AUTHORITY_HEAD, request=asked, **role)


@pytest.mark.parametrize("who", ["administrator", "stranger", "trader", "accomplice"])
def test_the_database_takes_no_confirmation_of(
    request: pytest.FixtureRequest,
    administrator: User,
    stranger: User,
    trader: User,
    committee: Organisation,
    now: datetime,
    who: str,
) -> None:
    asked = ask(administrator, stranger, committee, now)
    if who == "accomplice":
        person = create_person(actor=administrator, at=now, username="x", last_name="Екінші", first_name="Өзі")
        give_role(person, Role.ADMINISTRATOR, committee, by=administrator, at=now)
    else:
        person = request.getfixturevalue(who)

    with pytest.raises(Error), transaction.atomic():
        RoleRequest.objects.filter(pk=asked.pk).update(state="confirmed", decided_by=person, decided_at=now)

    asked.refresh_from_db()
    assert asked.is_open


def test_a_request_is_asked_for_first_and_stays(
    administrator: User, authority_head: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    asked = ask(administrator, stranger, committee, now)

    for change in ({"role": "administrator"}, {"user": authority_head}, {"asked_by": authority_head}):
        with pytest.raises(Error), transaction.atomic():
            RoleRequest.objects.update(**change)
    with pytest.raises(Error), transaction.atomic():
        RoleRequest.objects.create(
            user=stranger,
            organisation=committee,
            role=Role.ADMINISTRATOR,
            reason=WHY,
            asked_by=administrator,
            asked_at=now,
            state="confirmed",
            decided_by=authority_head,
            decided_at=now,
        )
    assert asked.is_open


def test_the_registry_is_set_up_by_two_and_no_third(
    administrator: User, second_administrator: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    with pytest.raises(Error, match="first two"), transaction.atomic():
        Appointment.objects.create(
            user=stranger, organisation=committee, role=Role.ADMINISTRATOR, valid_from=now.date()
        )


def test_a_moment_to_come_makes_no_account_independent(
    administrator: User,
    authority_head: User,
    asked_key: KeyRequest,
    stranger: User,
    committee: Organisation,
    now: datetime,
) -> None:
    make_password_key(actor=administrator, at=timezone.now(), person=authority_head)
    asked = ask(administrator, stranger, committee, now)
    to_come = timezone.now() + timedelta(days=DAYS + 1)

    with pytest.raises(Error, match="decided by another person"), transaction.atomic():
        KeyRequest.objects.update(state="approved", decided_by=authority_head, decided_at=to_come)
    with pytest.raises(Error, match="confirmed by another person"), transaction.atomic():
        RoleRequest.objects.filter(pk=asked.pk).update(state="confirmed", decided_by=authority_head, decided_at=to_come)


def test_the_database_takes_no_confirmation_of_a_role_to_come_or_in_a_closed_account(
    administrator: User,
    second_administrator: User,
    authority_head: User,
    stranger: User,
    trader: User,
    committee: Organisation,
    now: datetime,
) -> None:
    asked = ask(administrator, stranger, committee, now)
    to_come = ask_role(
        actor=administrator,
        at=now,
        person=trader,
        organisation=committee,
        role=Role.AUTHORITY_HEAD,
        reason=WHY,
        valid_from=timezone.now().date() + timedelta(days=3),
    )
    confirm_role(actor=authority_head, at=now, asked=to_come)
    User.objects.filter(pk=second_administrator.pk).update(is_active=False)

    for person in (trader, second_administrator):
        with pytest.raises(Error, match="confirmed by another person"), transaction.atomic():
            RoleRequest.objects.filter(pk=asked.pk).update(state="confirmed", decided_by=person, decided_at=now)


# Two remain


def end(actor: User, person: User, at: datetime) -> Appointment:
    return end_appointment(actor=actor, at=at, appointment=person.appointments.not_ended().get())


def test_the_last_but_one_who_confirms_roles_stays(
    administrator: User, second_administrator: User, authority_head: User, now: datetime
) -> None:
    end(administrator, authority_head, now)

    with pytest.raises(TwoMustRemain):
        end(administrator, second_administrator, now)
    with pytest.raises(Error, match="two persons remain"), transaction.atomic():
        second_administrator.appointments.update(ended_at=now, ended_by=administrator)
    assert second_administrator.appointments.not_ended().exists()


def test_of_those_who_remain_one_asks(
    administrator: User, second_administrator: User, authority_head: User, now: datetime
) -> None:
    give_role(authority_head, Role.AUTHORITY_OFFICER, authority_head.appointments.get().organisation, by=administrator)
    deactivate_person(actor=administrator, at=now, person=second_administrator)

    with pytest.raises(Error, match="two persons remain"), transaction.atomic():
        administrator.appointments.update(ended_at=now, ended_by=authority_head)


def test_the_organisation_of_the_last_but_one_is_not_closed(
    administrator: User, second_administrator: User, committee: Organisation, now: datetime
) -> None:
    with pytest.raises(TwoMustRemain):
        change_organisation(
            actor=administrator,
            at=now,
            organisation=committee,
            kind=Organisation.Kind(committee.kind),
            name_kk=committee.name_kk,
            name_ru=committee.name_ru,
            name_en=committee.name_en,
            region=None,
            is_active=False,
        )
    with pytest.raises(Error, match="two persons remain"), transaction.atomic():
        Organisation.objects.filter(pk=committee.pk).update(is_active=False)


def test_when_fewer_than_two_are_left_the_console_sets_up_another(
    administrator: User, second_administrator: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        appoint(actor=None, at=now, person=stranger, organisation=committee, role=Role.ADMINISTRATOR)
    deactivate_person(actor=administrator, at=now, person=second_administrator)

    appoint(actor=None, at=now, person=stranger, organisation=committee, role=Role.ADMINISTRATOR)

    assert stranger.can(Can.CONFIRM_ROLES)
    assert Event.objects.about(("user", stranger.pk)).filter(verb="user.appointed", actor_id=None).exists()
    with pytest.raises(NotAllowed):
        appoint(
            actor=None,
            at=now,
            person=enter_person("fourth", "Жаңа Адам"),
            organisation=committee,
            role=Role.ADMINISTRATOR,
        )


def test_the_page_says_why_the_role_does_not_end(
    client: Client, administrator: User, second_administrator: User
) -> None:
    client.force_login(administrator)
    (role,) = second_administrator.appointments.all()

    answer = client.post(reverse("accounts:end-appointment", args=[role.pk]), follow=True)

    assert str(TwoMustRemain.message) in answer.content.decode()
    role.refresh_from_db()
    assert role.ended_at is None


# Who is told


def give_term(asker: User, confirmer: User, person: User, organisation: Organisation) -> Appointment:
    """An administrator for a week from today."""
    at = timezone.now()
    asked = ask_role(
        actor=asker, at=at, person=person, organisation=organisation, role=Role.ADMINISTRATOR, reason=WHY,
        valid_until=day_of(at) + timedelta(days=7),
    )  # fmt: skip
    return confirm_role(actor=confirmer, at=at, asked=asked)


@pytest.fixture
def last_term(
    administrator: User,
    second_administrator: User,
    stranger: User,
    authority_officer: User,
    inspector: User,
    committee: Organisation,
) -> Appointment:
    """Of the two who give roles, one does for a week more."""
    term = give_term(second_administrator, administrator, stranger, committee)
    deactivate_person(actor=administrator, at=timezone.now(), person=second_administrator)
    return term


def test_the_authority_is_told_once_before_there_are_not_two_who_give_roles(
    last_term: Appointment, committee: Organisation, authority_officer: User
) -> None:
    days = (0, 1, 8)
    assert [tell_last_terms(at=timezone.now() + timedelta(days=day)) for day in days] == [1, 0, 0]

    notice = Notice.objects.get(code=LAST_TERM)
    assert (notice.organisation, notice.due_on, notice.is_open) == (committee, last_term.valid_until, True)
    assert last_term.user.full_name in text_of(notice)
    assert Notice.objects.waiting_for(authority_officer).filter(pk=notice.pk).exists()


def test_it_is_settled_when_two_give_roles_after_that_day_too(
    last_term: Appointment, administrator: User, inspector: User, committee: Organisation
) -> None:
    at = timezone.now()
    tell_last_terms(at=at)
    asked = ask_role(
        actor=administrator, at=at, person=inspector, organisation=committee, role=Role.ADMINISTRATOR, reason=WHY
    )
    confirm_role(actor=last_term.user, at=at, asked=asked)

    assert tell_last_terms(at=at) == 0

    assert Notice.objects.get(code=LAST_TERM).outcome == "settled"


def test_a_term_that_leaves_two_is_not_told_of(
    administrator: User, second_administrator: User, stranger: User, committee: Organisation
) -> None:
    give_term(administrator, second_administrator, stranger, committee)

    assert tell_last_terms(at=timezone.now()) == 0


def test_a_link_to_anothers_password_is_told(
    administrator: User,
    second_administrator: User,
    authority_head: User,
    authority_officer: User,
    inspector: User,
    now: datetime,
    django_capture_on_commit_callbacks: Callable[..., object],
    settings: object,
) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True  # type: ignore[attr-defined]
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        make_password_key(actor=administrator, at=now, person=inspector)

    told = {letter.to[0] for letter in mail.outbox if "Ахметов" in letter.body and "Сәрсенова" in letter.body}
    assert {inspector.email, second_administrator.email, authority_head.email} <= told
    assert administrator.email not in told
    notice = Notice.objects.get(code="user.password_link")
    assert (notice.subject_id, notice.caused_by, notice.decides) == (str(inspector.pk), administrator, "authority")
    decide_notice(
        actor=authority_officer,
        at=now,
        notice=notice,
        outcome="explained",
        decision="Wanted",
        reason="She asked for it",
    )


def test_who_was_taken_in_hand_does_not_judge_it(administrator: User, authority_head: User, now: datetime) -> None:
    make_password_key(actor=administrator, at=now, person=authority_head)
    notice = Notice.objects.get(code="user.password_link")

    with pytest.raises(NotIndependent):
        decide_notice(
            actor=authority_head, at=now, notice=notice, outcome="explained", decision="Wanted", reason="I asked for it"
        )


# Doors


def test_the_api_asks_and_confirms_with_passwords(
    administrator: User, authority_head: User, stranger: User, committee: Organisation
) -> None:
    wish = {
        "user": stranger.username,
        "organisation": committee.pk,
        "role": "authority_officer",
        "regions": ["27"],
        "reason": WHY,
        "password": PASSWORD,
    }
    by_administrator, by_head = Client(), Client()
    by_administrator.force_login(administrator)
    by_head.force_login(authority_head)

    made = by_administrator.post("/api/v1/role-requests/", wish, content_type="application/json")
    assert made.status_code == 201, made.content
    address = f"/api/v1/role-requests/{made.json()['id']}/decide/"
    own = by_administrator.post(address, {"confirm": True, "password": PASSWORD}, content_type="application/json")
    wrong = by_head.post(address, {"confirm": True, "password": "x"}, content_type="application/json")
    done = by_head.post(address, {"confirm": True, "password": PASSWORD}, content_type="application/json")

    assert (own.status_code, wrong.status_code, done.status_code) == (403, 422, 200)
    assert done.json()["state"] == "confirmed"
    assert stranger.region_codes() == {"27"}
    assert by_head.get("/api/v1/role-requests/").json()["results"][0] == done.json()


def test_pages_and_api_are_for_those_who_confirm(client: Client, trader: User, auditor: User) -> None:
    for person in (trader, auditor):
        client.force_login(person)
        assert client.get(reverse("accounts:role-requests")).status_code == 403
        assert client.get("/api/v1/role-requests/").status_code == 403


def test_the_page_lets_the_asker_take_it_back_only(
    client: Client, administrator: User, stranger: User, committee: Organisation, now: datetime
) -> None:
    asked = ask(administrator, stranger, committee, now)
    client.force_login(administrator)
    page = reverse("accounts:role-request", args=[asked.pk])

    assert client.get(page).status_code == 200
    assert client.post(page, {"confirm": "yes", "password": PASSWORD}).status_code == 422
    assert client.post(page, {"confirm": "no", "password": PASSWORD}).status_code == 302
    assert RoleRequest.objects.get().state == "refused"


def test_the_list_costs_a_steady_number_of_queries(
    client: Client,
    administrator: User,
    authority_head: User,
    committee: Organisation,
    now: datetime,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    for number in range(5):
        ask(administrator, enter_person(f"p{number}", "Жаңа Адам"), committee, now + timedelta(minutes=number))
    client.force_login(authority_head)

    with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
        client.get(reverse("accounts:role-requests"))
