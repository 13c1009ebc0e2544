"""Around the services: what the database itself refuses about people and organisations."""

from datetime import datetime, timedelta

import pytest
from django.db import Error, connection, transaction
from django.db.models import Model, QuerySet

from core.accounts.models import ApiRequest, ApiToken, Appointment, Organisation, User
from core.accounts.roles import Role
from core.accounts.services import create_token, end_appointment, revoke_token

pytestmark = pytest.mark.django_db


def refused(rows: QuerySet[Model], **change: object) -> None:
    """The update is refused, and nothing has changed."""
    before = list(rows.values())
    with pytest.raises(Error), transaction.atomic():
        rows.update(**change)
    assert list(rows.values()) == before


def test_a_bin_never_changes(trader_company: Organisation) -> None:
    refused(Organisation.objects.all(), bin="131140000150")


def test_a_kind_does_not_change_under_the_roles_held(inspector: User, inspectorate: Organisation) -> None:
    refused(Organisation.objects.filter(pk=inspectorate.pk), kind="trader")


@pytest.mark.parametrize("model", [Organisation, User, Appointment, ApiToken])
def test_nothing_is_deleted(model: type[Model], trader: User, now: datetime) -> None:
    create_token(actor=trader, at=now, name="scale")

    with pytest.raises(Error), transaction.atomic():
        model._default_manager.all()._raw_delete(using="default")
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'TRUNCATE "{model._meta.db_table}" CASCADE')

    assert model._default_manager.exists()


def test_nobody_appoints_oneself(administrator: User, committee: Organisation, now: datetime) -> None:
    with pytest.raises(Error), transaction.atomic():
        Appointment.objects.create(
            user=administrator,
            organisation=committee,
            role=Role.AUTHORITY_HEAD,
            valid_from=now.date(),
            appointed_by=administrator,
        )


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUTHORITY_HEAD])
def test_nobody_but_the_first_two_is_appointed_by_nobody(
    administrator: User, second_administrator: User, stranger: User, committee: Organisation, now: datetime, role: Role
) -> None:
    with pytest.raises(Error), transaction.atomic():
        Appointment.objects.create(user=stranger, organisation=committee, role=role, valid_from=now.date())


def test_a_trader_firm_has_no_officers(
    administrator: User, stranger: User, trader_company: Organisation, now: datetime
) -> None:
    with pytest.raises(Error), transaction.atomic():
        Appointment.objects.create(
            user=stranger,
            organisation=trader_company,
            role=Role.AUTHORITY_OFFICER,
            valid_from=now.date(),
            appointed_by=administrator,
        )


def test_an_appointment_does_not_change(trader: User, administrator: User, stranger: User) -> None:
    rows = Appointment.objects.filter(user=trader)

    refused(rows, user=stranger)
    refused(rows, role=Role.STOREKEEPER)
    refused(rows, appointed_by=stranger)
    refused(rows, valid_from="2020-01-01")
    refused(rows, valid_until="2030-01-01")


def test_nobody_ends_ones_own(trader: User, now: datetime) -> None:
    refused(Appointment.objects.filter(user=trader), ended_by=trader, ended_at=now)
    refused(Appointment.objects.filter(user=trader), ended_at=now)


def test_an_ended_appointment_stays_ended(trader: User, administrator: User, now: datetime) -> None:
    end_appointment(actor=administrator, at=now, appointment=trader.appointments.get())

    refused(Appointment.objects.filter(user=trader), ended_at=None, ended_by=None)


def test_a_key_lives_at_most_366_days_and_stays_revoked(trader: User, now: datetime) -> None:
    token, _secret = create_token(actor=trader, at=now, name="scale", days=366)
    rows = ApiToken.objects.filter(pk=token.pk)

    refused(rows, expires_at=now + timedelta(days=5000))
    refused(rows, digest="0" * 64)
    with pytest.raises(Error), transaction.atomic():
        ApiToken.objects.create(
            user=trader, name="x", digest="1" * 64, created_at=now, expires_at=now + timedelta(days=367)
        )
    revoke_token(actor=trader, at=now, token=token)
    refused(rows, revoked_at=None)


def test_one_key_of_a_request_has_one_answer(trader: User, now: datetime) -> None:
    answer = {"user": trader, "key": "k", "fingerprint": "f", "status": 200, "at": now}
    ApiRequest.objects.create(**answer)

    with pytest.raises(Error), transaction.atomic():
        ApiRequest.objects.create(**answer)


def test_no_two_people_sign_in_by_one_name_or_email(trader: User, stranger: User) -> None:
    refused(User.objects.filter(pk=stranger.pk), username="Trader")
    refused(User.objects.filter(pk=stranger.pk), email="TRADER@example.kz")
    User.objects.update(email="")
