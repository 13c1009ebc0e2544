from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.accounts.models import Organisation, Region, User
from core.base.errors import BadInput, NotAllowed
from registry.models import Brigade, Population, RemovalPermit, Season
from registry.services.papers import enter_brigade, enter_removal_permit, open_season

pytestmark = pytest.mark.django_db

NAMES = {"name_kk": "Маусым", "name_ru": "Сезон", "name_en": "Season"}


@pytest.fixture
def permit_facts(season: Season, region: Region, okhotzooprom: Organisation) -> dict[str, Any]:
    return {
        "season": season,
        "number": "27/7",
        "issued_on": season.starts_on,
        "population": Population.URAL,
        "region": region,
        "holder": okhotzooprom,
        "animals_limit": 100,
    }


def test_an_officer_enters_a_season_with_its_papers(
    client: Client, authority_officer: User, region: Region, okhotzooprom: Organisation
) -> None:
    client.force_login(authority_officer)
    client.post(reverse("registry:open-season"), NAMES | {"starts_on": "2025-07-01", "ends_on": "2025-11-30"})
    season = Season.objects.get()
    client.post(
        reverse("registry:enter-removal-permit", args=[season.pk]),
        {
            "number": "27/1",
            "issued_on": "2025-07-01",
            "population": "ural",
            "region": region.pk,
            "holder": okhotzooprom.pk,
            "animals_limit": "5000",
        },
    )
    client.post(
        reverse("registry:enter-brigade", args=[season.pk]),
        {"name": "№ 1", "region": region.pk, "contract_number": "D-1"},
    )

    assert RemovalPermit.objects.get().season == season
    assert Brigade.objects.get().season == season
    page = client.get(reverse("registry:season", args=[season.pk]))
    assert "27/1" in page.content.decode()
    assert client.get(reverse("registry:seasons")).status_code == 200


def test_it_refuses_a_season_that_ends_before_it_starts(authority_officer: User, now: datetime) -> None:
    with pytest.raises(BadInput):
        open_season(actor=authority_officer, at=now, **NAMES, starts_on=date(2025, 7, 2), ends_on=date(2025, 7, 1))

    assert not Season.objects.exists()


@pytest.mark.parametrize("wrong", ["number", "issued_on", "animals_limit"])
def test_it_names_what_is_wrong_with_a_permit(
    wrong: str, authority_officer: User, now: datetime, permit_facts: dict[str, Any]
) -> None:
    enter_removal_permit(actor=authority_officer, at=now, **permit_facts)
    change = {"number": "27/7", "issued_on": now.date() + timedelta(days=2), "animals_limit": 0}

    with pytest.raises(BadInput) as refusal:
        enter_removal_permit(
            actor=authority_officer, at=now, **(permit_facts | {"number": "27/8"} | {wrong: change[wrong]})
        )

    assert list(refusal.value.fields) == [wrong]
    assert RemovalPermit.objects.count() == 1


def test_a_contract_is_entered_once_a_season(
    authority_officer: User, now: datetime, season: Season, region: Region
) -> None:
    facts: dict[str, Any] = {"season": season, "name": "№ 1", "region": region, "contract_number": "D-1"}
    enter_brigade(actor=authority_officer, at=now, **facts)

    with pytest.raises(BadInput):
        enter_brigade(actor=authority_officer, at=now, **facts)


@pytest.mark.parametrize("who", ["inspector", "storekeeper", "trader", "administrator", "stranger"])
def test_nobody_else_keeps_the_papers_of_a_season(
    who: str, request: pytest.FixtureRequest, client: Client, now: datetime, season: Season, region: Region
) -> None:
    person = request.getfixturevalue(who)
    client.force_login(person)

    assert client.get(reverse("registry:seasons")).status_code == 403
    with pytest.raises(NotAllowed):
        enter_brigade(actor=person, at=now, season=season, name="x", region=region, contract_number="y")


def test_an_auditor_sees_seasons_and_changes_nothing(client: Client, auditor: User, season: Season) -> None:
    client.force_login(auditor)

    assert client.get(reverse("registry:season", args=[season.pk])).status_code == 200
    assert client.get(reverse("registry:enter-brigade", args=[season.pk])).status_code == 403
