"""The cast itself: everybody is who the other tests take them for."""

import pytest
from django.test import Client

from core.accounts.models import User
from core.accounts.roles import Role
from tests.cast import PASSWORD


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.PROCESSOR, Role.VETERINARY_OFFICER)])
def test_it_has_a_person_for_each_role(role: Role, request: pytest.FixtureRequest) -> None:
    person: User = request.getfixturevalue(role.value)

    assert person.roles == {role}


def test_it_has_a_stranger_without_a_role(stranger: User) -> None:
    assert stranger.roles == frozenset()


def test_its_people_sign_in_by_password(client: Client, inspector: User) -> None:
    assert client.login(username=inspector.username, password=PASSWORD)
