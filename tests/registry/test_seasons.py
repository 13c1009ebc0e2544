from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from core.accounts.models import Organisation, Region, User
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from ledger.models import CustodyAccount
from registry.models import Brigade, Population, RemovalDecision, RemovalLimit, RemovalPermit, Season, Sex
from registry.serializers_papers import PermitNumberField
from registry.services.papers import (
    Limit,
    LimitExceeded,
    enter_brigade,
    enter_removal_decision,
    enter_removal_permit,
    open_season,
    withdraw_removal_permit,
)
from registry.services.sheets import Delivered, enter_daily_sheet
from tests.builders import build_brigade, build_limit, build_removal_permit

pytestmark = pytest.mark.django_db

Facts = dict[str, Any]
NAMES: Facts = {"name_kk": "Маусым", "name_ru": "Сезон", "name_en": "Season"}


@pytest.fixture
def line(season: Season, region: Region) -> RemovalLimit:
    """A line of a decision that lets 250 animals."""
    return build_limit(season, region, animals=250)


@pytest.fixture
def permit_facts(line: RemovalLimit, season: Season, okhotzooprom: Organisation) -> Facts:
    return {
        "limit": line,
        "number": "27/7",
        "issued_on": season.starts_on,
        "holder": okhotzooprom,
        "animals_limit": 100,
    }


@pytest.fixture
def contract(season: Season, region: Region) -> Facts:
    return {
        "season": season,
        "name": "№ 1",
        "region": region,
        "contract_number": "D-1",
        "contract_on": season.starts_on,
        "leader": "Тасболатов Ерхан",
        "members": 8,
        "valid_from": season.starts_on,
        "valid_until": season.ends_on,
    }


@pytest.fixture
def decision_facts(season: Season, region: Region) -> Facts:
    return {
        "season": season,
        "number": "Р-214",
        "decided_on": date(2025, 6, 30),
        "title": "Regulation of the number of saiga",
        "legal_basis": "Law on wildlife, article 26",
        "basis_by": "Institute of Zoology",
        "basis_number": "BJ-7",
        "basis_on": date(2025, 5, 30),
        "limits": [Limit(Population.URAL, region, 900, Sex.FEMALE), Limit(Population.URAL, region, 100, Sex.MALE)],
    }


def test_an_officer_enters_a_season_with_its_papers(
    client: Client, authority_officer: User, region: Region, okhotzooprom: Organisation
) -> None:
    client.force_login(authority_officer)
    client.post(reverse("registry:open-season"), NAMES | {"starts_on": "2025-07-01", "ends_on": "2025-11-30"})
    season = Season.objects.get()
    client.post(
        reverse("registry:enter-decision", args=[season.pk]),
        {
            "number": "Р-214",
            "decided_on": "2025-06-30",
            "title": "Regulation",
            "legal_basis": "Article 26",
            "basis_by": "Institute of Zoology",
            "basis_number": "BJ-7",
            "basis_on": "2025-05-30",
            "line-0-population": "ural",
            "line-0-region": region.pk,
            "line-0-sex": "any",
            "line-0-animals": "5000",
        },
    )
    line = RemovalLimit.objects.get()
    client.post(
        reverse("registry:enter-removal-permit", args=[season.pk]),
        {
            "limit": line.pk,
            "number": "27/1",
            "issued_on": "2025-07-01",
            "holder": okhotzooprom.pk,
            "animals_limit": "5000",
        },
    )
    client.post(
        reverse("registry:enter-brigade", args=[season.pk]),
        {
            "name": "№ 1",
            "region": region.pk,
            "contract_number": "D-1",
            "contract_on": "2025-06-30",
            "leader": "Тасболатов Ерхан",
            "members": "8",
            "valid_from": "2025-07-01",
            "valid_until": "2025-11-30",
        },
    )

    client.post(
        reverse("registry:enter-brigade", args=[season.pk]),
        {
            "name": "№ 2",
            "region": region.pk,
            "contract_number": "D-2",
            "contract_on": "2025-06-30",
            "leader": "x",  # nobody's name: no brigade
            "members": "8",
            "valid_from": "2025-07-01",
            "valid_until": "2025-11-30",
        },
    )
    permit = RemovalPermit.objects.get()
    assert (permit.season, permit.population, permit.region, permit.sex) == (season, "ural", region, "any")
    assert Brigade.objects.get().leader == "Тасболатов Ерхан"
    page = client.get(reverse("registry:season", args=[season.pk]))
    assert "27/1" in page.content.decode()
    assert client.get(reverse("registry:seasons")).status_code == 200


def test_a_decision_holds_a_limit_for_each_population_region_and_sex(
    authority_officer: User, now: datetime, decision_facts: Facts, committee: Organisation
) -> None:
    decision = enter_removal_decision(actor=authority_officer, at=now, **decision_facts)

    assert decision.authority == committee
    assert list(decision.limits.values_list("sex", "animals")) == [("female", 900), ("male", 100)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"decided_on": date(2026, 1, 1)}, "decided_on"),
        ({"basis_on": date(2025, 7, 1)}, "basis_on"),
        ({"limits": []}, "limits"),
    ],
)
def test_it_names_what_is_wrong_with_a_decision(
    changes: Facts, field: str, authority_officer: User, now: datetime, decision_facts: Facts
) -> None:
    with pytest.raises(BadInput) as refusal:
        enter_removal_decision(actor=authority_officer, at=now, **decision_facts | changes)

    assert list(refusal.value.fields) == [field]
    assert not RemovalDecision.objects.exists()


def test_a_decision_names_each_line_once(
    authority_officer: User, now: datetime, decision_facts: Facts, region: Region
) -> None:
    twice = [Limit(Population.URAL, region, 1), Limit(Population.URAL, region, 2)]
    with pytest.raises(BadInput):
        enter_removal_decision(actor=authority_officer, at=now, **decision_facts | {"limits": twice})
    enter_removal_decision(actor=authority_officer, at=now, **decision_facts)
    with pytest.raises(BadInput) as refusal:
        enter_removal_decision(actor=authority_officer, at=now, **decision_facts)

    assert list(refusal.value.fields) == ["number"]
    assert RemovalDecision.objects.count() == 1


def test_limits_of_a_decision_do_not_overlap(
    authority_officer: User, now: datetime, decision_facts: Facts, region: Region
) -> None:
    anybody, male = Limit(Population.URAL, region, 5), Limit(Population.URAL, region, 5, Sex.MALE)
    for limits in ([anybody, male], [male, anybody]):
        with pytest.raises(BadInput) as refusal:
            enter_removal_decision(actor=authority_officer, at=now, **decision_facts | {"limits": limits})
        assert list(refusal.value.fields) == ["limits"]
    other = Limit(Population.BETPAKDALA, region, 5, Sex.MALE)
    decision = enter_removal_decision(actor=authority_officer, at=now, **decision_facts | {"limits": [anybody, other]})

    with pytest.raises(IntegrityError, match="overlaps"), transaction.atomic():
        RemovalLimit.objects.create(
            decision=decision, population=Population.URAL, region=region, sex=Sex.FEMALE, animals=1
        )
    assert decision.limits.count() == 2


def test_one_season_is_entered_once(
    authority_officer: User, now: datetime, decision_facts: Facts, season: Season, region: Region,
    region_elsewhere: Region,
) -> None:  # fmt: skip
    days: Facts = {"starts_on": season.starts_on, "ends_on": season.ends_on}
    names: Facts = {"name_kk": season.name_kk, "name_ru": season.name_ru, "name_en": season.name_en}
    for tongue, name in names.items():
        alike: Facts = NAMES | {tongue: f" {name.upper()} "}
        with pytest.raises(BadInput) as refusal:
            open_season(actor=authority_officer, at=now, **alike, **days)
        assert list(refusal.value.fields) == [tongue]
        with pytest.raises(IntegrityError, match="a season named"), transaction.atomic():
            Season.objects.create(**alike, **days)
    assert Season.objects.count() == 1

    enter_removal_decision(actor=authority_officer, at=now, **decision_facts)
    twin = open_season(actor=authority_officer, at=now, **NAMES, **days)
    again = decision_facts | {"season": twin, "number": "Р-215"}
    with pytest.raises(BadInput) as refusal:
        enter_removal_decision(actor=authority_officer, at=now, **again)
    assert season.name in str(refusal.value.fields["limits"])
    assert RemovalDecision.objects.count() == 1
    elsewhere = again | {"limits": [Limit(Population.URAL, region_elsewhere, 5)]}
    decision = enter_removal_decision(actor=authority_officer, at=now, **elsewhere)
    with pytest.raises(IntegrityError, match="another season"), transaction.atomic():
        RemovalLimit.objects.create(decision=decision, population=Population.URAL, region=region, animals=1)


def test_permits_that_look_alike_are_one(
    authority_officer: User, now: datetime, permit_facts: Facts, inspector: User
) -> None:
    latin, cyrillic = "P26/M", "\u0440 26/\u041c"
    permit = enter_removal_permit(actor=authority_officer, at=now, **permit_facts | {"number": latin})

    for number in (cyrillic, "p26/m", " P 26/M"):
        with pytest.raises(BadInput) as refusal:
            enter_removal_permit(actor=authority_officer, at=now, **permit_facts | {"number": number})
        assert list(refusal.value.fields) == ["number"]
    fields = {field.name: getattr(permit, field.name) for field in RemovalPermit._meta.concrete_fields}
    for name in ("id", "number_alike"):
        del fields[name]
    with pytest.raises(IntegrityError, match="looks like"), transaction.atomic():
        RemovalPermit.objects.create(**fields | {"number": cyrillic, "animals_limit": 1})

    assert RemovalPermit.objects.get().number_alike == "P26/M"
    assert PermitNumberField().to_internal_value(cyrillic) == permit
    assert enter_removal_permit(
        actor=authority_officer, at=now, **permit_facts | {"number": "27/8", "animals_limit": 1}
    ).pk


def test_permits_never_let_more_than_their_line(authority_officer: User, now: datetime, permit_facts: Facts) -> None:
    first = enter_removal_permit(actor=authority_officer, at=now, **permit_facts | {"animals_limit": 200})

    with pytest.raises(LimitExceeded) as refusal:
        enter_removal_permit(actor=authority_officer, at=now, **permit_facts | {"number": "27/8"})
    assert "50" in str(refusal.value)
    assert RemovalPermit.objects.count() == 1

    withdraw_removal_permit(actor=authority_officer, at=now, permit=first, reason="Entered twice.")
    enter_removal_permit(actor=authority_officer, at=now, **permit_facts | {"number": "27/8"})
    with pytest.raises(InvalidTransition):
        withdraw_removal_permit(actor=authority_officer, at=now, permit=first, reason="Again, as told")


def test_the_database_counts_the_permits_of_a_line_itself(
    authority_officer: User, now: datetime, permit_facts: Facts, line: RemovalLimit
) -> None:
    permit = enter_removal_permit(actor=authority_officer, at=now, **permit_facts)
    copy: Facts = {
        "season": permit.season,
        "limit": line,
        "issued_on": permit.issued_on,
        "holder": permit.holder,
        "population": "ural",
        "region": permit.region,
    }

    with pytest.raises(IntegrityError, match="let 251 animals"), transaction.atomic():
        RemovalPermit.objects.create(**copy, number="x", animals_limit=151)
    with pytest.raises(IntegrityError, match="for something else"), transaction.atomic():
        RemovalPermit.objects.create(**copy | {"population": "ustyurt"}, number="x", animals_limit=1)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        RemovalPermit.objects.update(animals_limit=250)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        RemovalLimit.objects.update(animals=1000)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        RemovalDecision.objects.all().delete()
    assert RemovalPermit.objects.count() == 1


def test_it_refuses_a_season_that_ends_before_it_starts(authority_officer: User, now: datetime) -> None:
    with pytest.raises(BadInput):
        open_season(actor=authority_officer, at=now, **NAMES, starts_on=date(2025, 7, 2), ends_on=date(2025, 7, 1))

    assert not Season.objects.exists()


@pytest.mark.parametrize("wrong", ["number", "issued_on", "animals_limit"])
def test_it_names_what_is_wrong_with_a_permit(
    wrong: str, authority_officer: User, now: datetime, permit_facts: Facts
) -> None:
    enter_removal_permit(actor=authority_officer, at=now, **permit_facts)
    change = {"number": "27/7", "issued_on": now.date() + timedelta(days=2), "animals_limit": 0}

    with pytest.raises(BadInput) as refusal:
        enter_removal_permit(
            actor=authority_officer, at=now, **(permit_facts | {"number": "27/8"} | {wrong: change[wrong]})
        )

    assert list(refusal.value.fields) == [wrong]
    assert RemovalPermit.objects.count() == 1


def test_a_contract_is_entered_once_a_season(authority_officer: User, now: datetime, contract: Facts) -> None:
    enter_brigade(actor=authority_officer, at=now, **contract)

    with pytest.raises(BadInput):
        enter_brigade(actor=authority_officer, at=now, **contract)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"members": 0}, "members"),
        ({"valid_until": date(2025, 6, 30)}, "valid_until"),
        ({"valid_from": date(2026, 1, 1), "valid_until": date(2026, 2, 1)}, "valid_from"),
        ({"contract_on": date(2025, 7, 2)}, "valid_from"),
    ],
)
def test_it_names_what_is_wrong_with_a_contract(
    changes: Facts, field: str, authority_officer: User, now: datetime, contract: Facts
) -> None:
    with pytest.raises(BadInput) as refusal:
        enter_brigade(actor=authority_officer, at=now, **contract | changes)

    assert list(refusal.value.fields) == [field]
    assert not Brigade.objects.exists()


def test_the_database_lets_no_brigade_work_before_its_contract(season: Season, region: Region) -> None:
    brigade = build_brigade(season, region)

    with pytest.raises(IntegrityError, match="contract_before_its_days"), transaction.atomic():
        Brigade.objects.filter(pk=brigade.pk).update(contract_on=season.starts_on + timedelta(days=1))


@pytest.mark.parametrize(
    ("who", "page"),
    [("inspector", 200), ("storekeeper", 200), ("trader", 403), ("administrator", 403), ("stranger", 403)],
)
def test_nobody_else_keeps_the_papers_of_a_season(
    who: str, page: int, request: pytest.FixtureRequest, client: Client, now: datetime, contract: Facts
) -> None:
    person = request.getfixturevalue(who)
    client.force_login(person)

    assert client.get(reverse("registry:seasons")).status_code == page
    assert client.get(reverse("registry:open-season")).status_code == 403
    with pytest.raises(NotAllowed):
        enter_brigade(actor=person, at=now, **contract)


def test_an_auditor_sees_seasons_and_changes_nothing(client: Client, auditor: User, season: Season) -> None:
    client.force_login(auditor)

    assert client.get(reverse("registry:season", args=[season.pk])).status_code == 200
    assert client.get(reverse("registry:enter-brigade", args=[season.pk])).status_code == 403


def test_those_who_must_obey_it_read_the_season(
    client: Client,
    inspector: User,
    inspector_elsewhere: User,
    storekeeper: User,
    season: Season,
    region: Region,
    okhotzooprom: Organisation,
    reception_store: CustodyAccount,
    now: datetime,
) -> None:
    permit = build_removal_permit(season, region, okhotzooprom, animals_limit=100)
    brigade = build_brigade(season, region)
    page = reverse("registry:season", args=[season.pk])
    enter_daily_sheet(
        actor=inspector,
        at=now,
        brigade=brigade,
        permit=permit,
        on=now.date(),
        males=2,
        females=1,
        young=0,
        horns_cut=4,
        deliveries=[Delivered(reception_store, 3)],
    )

    for person in (inspector, storekeeper):
        client.force_login(person)
        shown = client.get(page)
        assert [row[:3] for row in shown.context["permits"]] == [(permit, 3, 3)]
        assert shown.context["brigades"].count() == 1
        assert permit.number in shown.content.decode()
        assert page in client.get(reverse("registry:seasons")).content.decode()
        assert client.get(f"/api/v1/removal-decisions/?season={season.pk}").status_code == 200
    client.force_login(inspector)
    assert [row[0] for row in client.get(page).context["limits"]] == [permit.limit]
    client.force_login(inspector_elsewhere)
    assert client.get(page).status_code == 404
    assert client.get("/api/v1/removal-decisions/").json()["results"] == []
    assert client.get("/api/v1/removal-decisions/?season=x").status_code == 422
