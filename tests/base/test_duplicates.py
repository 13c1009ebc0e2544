"""Two people enter the same thing at the same moment."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from core.accounts.bin import bin_from
from core.accounts.models import Organisation, Region, User
from core.accounts.services import OrganisationKnown, UsernameTaken, create_organisation, create_person
from core.base.errors import BadInput
from tests.races import at_once, winners

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

NAMES = {"name_kk": "Мекеме", "name_ru": "Организация", "name_en": "Organisation"}


def test_an_organisation_entered_twice_at_once_is_entered_once(administrator: User) -> None:
    def enter() -> Organisation:
        return create_organisation(
            actor=administrator,
            at=timezone.now(),
            bin=bin_from("99014000038"),
            kind=Organisation.Kind.TRADER,
            region=Region.objects.get(pk="75"),
            **NAMES,
        )

    results = at_once(enter, enter)

    assert len(winners(results)) == 1
    assert any(isinstance(result, OrganisationKnown) for result in results)


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        (("aigul", "a@example.kz"), ("AIGUL", "b@example.kz"), UsernameTaken),
        (("aigul", "a@example.kz"), ("marat", "A@example.kz"), BadInput),
    ],
)
def test_a_name_or_an_address_belongs_to_one_person(
    administrator: User, first: tuple[str, str], second: tuple[str, str], refusal: type[Exception]
) -> None:
    def enter(username: str, email: str) -> Callable[[], User]:
        return lambda: create_person(
            actor=administrator,
            at=timezone.now(),
            username=username,
            email=email,
            last_name="Ахметова",
            first_name="Айгүл",
            password="a long and winding road",
        )

    results = at_once(enter(*first), enter(*second))

    assert len(winners(results)) == 1
    assert any(isinstance(result, refusal) for result in results)
