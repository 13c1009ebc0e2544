"""Slaughter points: entered by the authority, listed by region, named by attestation number or name, never by a key."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from core.accounts.bin import bin_from
from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Role
from core.accounts.services import create_organisation
from core.base.errors import BadInput
from ledger.models import CustodyAccount
from registry.models import Brigade, DailySheet, RemovalPermit, SlaughterPoint, VeterinaryCertificate
from registry.services import enter_certificate
from tests.builders import build_slaughter_point
from tests.cast import LONG_AGO, enter_person

pytestmark = pytest.mark.django_db

NAMES = {"name_kk": "Жәнібек сою пункті", "name_ru": "Убойный пункт Жанибек", "name_en": "Zhanibek"}


@pytest.fixture
def point(region: Region) -> SlaughterPoint:
    return build_slaughter_point(region)


@pytest.fixture
def veterinary(region: Region, administrator: User) -> Organisation:
    return create_organisation(
        actor=administrator,
        at=LONG_AGO,
        bin=bin_from("06094000057"),
        kind=Organisation.Kind.VETERINARY,
        name_kk="Ветеринария бөлімі",
        name_ru="Ветеринарный отдел",
        name_en="Veterinary department",
        region=region,
    )


@pytest.fixture
def veterinarian(veterinary: Organisation, administrator: User) -> User:
    return enter_person(
        "veterinarian", "Ахметов Дәулет", Role.VETERINARY_OFFICER, veterinary, appointed_by=administrator
    )


def program(person: User) -> APIClient:
    client = APIClient(headers={"accept-language": "en"})
    client.force_authenticate(person)
    return client


def paper(veterinary: Organisation, now: datetime, **said: Any) -> dict[str, Any]:
    day = now.date().isoformat()
    return {
        "number": "KZ-27 001234", "issued_on": day, "valid_until": day, "issued_by": veterinary.bin,
        "officer": "Ахметов Д.", "slaughter_point": "УП-27/018", "carcasses": 40, "net_g": 700_000,
    } | said  # fmt: skip


def test_the_authority_enters_one_and_everybody_who_names_one_reads_them_by_region(
    authority_officer: User, inspector: User, veterinarian: User, trader: User, point: SlaughterPoint,
    region_elsewhere: Region,
) -> None:  # fmt: skip
    new = NAMES | {"region": region_elsewhere.pk, "attestation_number": "УП-39/002", "attested_on": "2025-09-01"}

    assert program(inspector).post("/api/v1/slaughter-points/", new, format="json").status_code == 403
    entered = program(authority_officer).post("/api/v1/slaughter-points/", new, format="json")
    again = program(authority_officer).post("/api/v1/slaughter-points/", new, format="json")

    assert entered.status_code == 201, entered.content
    assert entered.json()["is_active"] is True
    assert (again.status_code, again.json()["fields"].keys()) == (422, {"attestation_number"})
    for person in (inspector, veterinarian, authority_officer):
        client = program(person)
        assert len(client.get("/api/v1/slaughter-points/").json()["results"]) == 2
        (listed,) = client.get(f"/api/v1/slaughter-points/?region={region_elsewhere.pk}").json()["results"]
        assert (listed["attestation_number"], listed["name_en"]) == ("УП-39/002", "Zhanibek")
        assert client.get("/api/v1/slaughter-points/?region=xx").json()["fields"].keys() == {"region"}
    assert program(trader).get("/api/v1/slaughter-points/").status_code == 403


@pytest.mark.parametrize("said", ["УП-27/018", "уп-27/018 ", "Қазталов сою пункті", "убойный пункт казталовка"])
def test_a_certificate_names_its_point_by_number_or_name(
    said: str, veterinarian: User, veterinary: Organisation, point: SlaughterPoint, now: datetime
) -> None:
    answer = program(veterinarian).post(
        "/api/v1/certificates/", paper(veterinary, now, slaughter_point=said), format="json"
    )

    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["slaughter_point"], told["slaughter_point_name"]) == ("УП-27/018", point.name_kk)
    assert told["region"] == "27"
    assert VeterinaryCertificate.objects.get().point == point


def test_a_name_of_two_an_unknown_one_and_a_key_are_refused_in_words(
    veterinarian: User, veterinary: Organisation, point: SlaughterPoint, region: Region, now: datetime
) -> None:
    build_slaughter_point(region, "УП-27/019")
    client = program(veterinarian)

    for said, words in (
        (point.name_kk, "Several slaughter points are called"),
        ("Nowhere", "No slaughter point has the attestation number or the name “Nowhere”."),
        (point.pk, "No slaughter point has the attestation number"),
    ):
        answer = client.post("/api/v1/certificates/", paper(veterinary, now, slaughter_point=said), format="json")
        assert answer.status_code == 422
        assert words in answer.json()["fields"]["slaughter_point"][0]
    assert not VeterinaryCertificate.objects.exists()


def test_a_point_elsewhere_or_closed_is_no_point_of_ours(
    veterinarian: User, veterinary: Organisation, point: SlaughterPoint, region_elsewhere: Region, now: datetime
) -> None:
    facts: dict[str, Any] = paper(veterinary, now) | {
        "issued_by": veterinary, "issued_on": now.date(), "valid_until": now.date(), "actor": veterinarian, "at": now,
    }  # fmt: skip
    elsewhere = build_slaughter_point(region_elsewhere, "УП-39/001")
    SlaughterPoint.objects.filter(pk=point.pk).update(is_active=False)
    point.refresh_from_db()

    for wrong in (elsewhere, point):
        with pytest.raises(BadInput) as refusal:
            enter_certificate(**facts | {"slaughter_point": wrong})
        assert set(refusal.value.fields) == {"slaughter_point"}


def test_the_database_keeps_a_certificate_without_a_point_of_its_region_out(
    veterinarian: User, veterinary: Organisation, point: SlaughterPoint, region_elsewhere: Region, now: datetime
) -> None:
    facts: dict[str, Any] = {
        "number": "1", "issued_on": now.date(), "valid_until": now.date(), "issued_by": veterinary, "officer": "x",
        "slaughter_point": "x", "carcasses": 1, "net_g": 1, "entered_by": veterinarian, "entered_at": now,
    }  # fmt: skip

    for wrong in ({"point": None, "region": point.region}, {"point": point, "region": region_elsewhere}):
        with pytest.raises(DatabaseError, match="names no slaughter point of its region"), transaction.atomic():
            VeterinaryCertificate.objects.create(**facts, **wrong)


def test_a_daily_sheet_is_sent_and_told_with_the_number_of_the_attestation(
    inspector: User, permit_to_remove: RemovalPermit, brigade: Brigade, reception_store: CustodyAccount,
    point: SlaughterPoint, now: datetime,
) -> None:  # fmt: skip
    sheet = {
        "permit": permit_to_remove.number, "brigade": brigade.pk, "on": now.date().isoformat(), "males": 4,
        "females": 3, "young": 0, "horns_cut": 8,
        "deliveries": [
            {"store": reception_store.code, "carcasses": 4}, {"slaughter_point": "УП-27/018", "carcasses": 3},
        ],
    }  # fmt: skip

    answer = program(inspector).post("/api/v1/daily-sheets/", sheet, format="json")

    assert answer.status_code == 201, answer.content
    assert {line["slaughter_point"] for line in answer.json()["deliveries"]} == {None, "УП-27/018"}
    assert DailySheet.objects.get().deliveries.get(store=None).slaughter_point == point


def test_pages_choose_it_by_name_and_number(
    client: Client, veterinarian: User, veterinary: Organisation, point: SlaughterPoint, region_elsewhere: Region,
    now: datetime,
) -> None:  # fmt: skip
    elsewhere = build_slaughter_point(region_elsewhere, "УП-39/001", name_kk="Қостанай сою пункті")
    client.force_login(veterinarian)

    listed = client.get(reverse("registry:slaughter-points")).content.decode()
    here = client.get(reverse("registry:slaughter-points"), {"region": "27"}).content.decode()
    form = client.get(reverse("registry:enter-certificate")).content.decode()

    assert point.attestation_number in listed
    assert elsewhere.attestation_number in listed
    assert elsewhere.attestation_number not in here
    assert "Қазталов сою пункті · УП-27/018" in form
    assert elsewhere.attestation_number not in form

    day = now.date()
    said = paper(veterinary, now) | {
        "issued_by": veterinary.pk, "slaughter_point": point.pk, "net_g": "700", "issued_on": day.isoformat(),
        "valid_until": (day + timedelta(days=5)).isoformat(),
    }  # fmt: skip
    sent = client.post(reverse("registry:enter-certificate"), said)
    assert sent.status_code == 302, sent.content.decode()
    assert point.name_kk in client.get(sent["Location"]).content.decode()
