"""The same services for programs."""

from typing import Any

import pytest
from django.test import Client

from core.accounts.models import Organisation, User
from ledger.models import CustodyAccount
from registry.models import Brigade, Case, Derivative, Intake, RemovalPermit
from tests.builders import Receive


@pytest.fixture
def api(client: Client, inspector: User) -> Client:
    client.force_login(inspector)
    return client


def post(client: Client, address: str, body: dict[str, Any], **headers: str) -> Any:
    return client.post(f"/api/v1/{address}", body, content_type="application/json", headers=headers)


def test_a_reception_is_opened_filled_and_read(
    api: Client, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> None:
    body = {
        "store": reception_store.code,
        "permit": permit_to_remove.number,
        "brigade": brigade.pk,
        "on": "2025-11-10",
        "males": 2,
        "females": 1,
        "young": 0,
        "carcasses": 3,
    }
    opened = post(api, "intakes/removal/", body, **{"Idempotency-Key": "open-1"})
    again = post(api, "intakes/removal/", body, **{"Idempotency-Key": "open-1"})
    assert (opened.status_code, again.status_code) == (201, 201)
    assert opened.json() == again.json()
    assert Intake.objects.count() == 1

    rows = f"/api/v1/intakes/{opened.json()['id']}/rows/"
    table = {"version": 0, "rows": [{"row": 1, "side": "L", "mass_g": 205}, {"row": 2, "side": "R", "mass_g": 201}]}
    saved = api.put(rows, table | {"whole": True}, content_type="application/json")
    stale = api.put(rows, table, content_type="application/json")

    assert (saved.status_code, saved.json()["version"]) == (200, 1)
    assert (stale.status_code, stale.json()["code"]) == (409, "table-changed")
    assert [row["mass_g"] for row in api.get(rows).json()["rows"]] == [205, 201]
    assert api.get("/api/v1/intakes/?state=open").json()["results"][0]["number"] == opened.json()["number"]


def test_a_seizure_is_opened_once_and_its_case_named_later(
    api: Client, evidence_room: CustodyAccount, police: Organisation
) -> None:
    case = {
        "protocol_number": "17/2025",
        "protocol_on": "2025-11-09",
        "erdr_number": "252700121000345",
        "agency": police.bin,
        "place": "Жәнібек ауданы",
        "seized_on": "2025-11-09",
    }
    body: dict[str, Any] = {"store": evidence_room.code, "on": "2025-11-10"}

    first = post(api, "intakes/seizure/", body | {"case": case})
    twice = post(api, "intakes/seizure/", body | {"case": case})
    more = post(api, "intakes/seizure/", body | {"known_case": "252700121000345"})
    by_number = post(api, "intakes/seizure/", body | {"known_case": Case.objects.get().number})
    by_protocol = post(api, "intakes/seizure/", body | {"known_case": case["protocol_number"]})
    unknown = post(api, "intakes/seizure/", body | {"known_case": "SZ99-000001"})
    neither = post(api, "intakes/seizure/", body)

    taken = (first, twice, more, by_number, by_protocol, unknown, neither)
    assert [answer.status_code for answer in taken] == [201, 422, 201, 201, 201, 422, 422]
    assert list(unknown.json()["fields"]) == ["known_case"]
    assert twice.json()["code"] == "case-known"
    assert Case.objects.count() == 1
    assert api.get("/api/v1/cases/").json()["results"][0]["erdr_number"] == "252700121000345"


def test_refusals_are_problems_with_fields(
    api: Client, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> None:
    body = {
        "store": reception_store.code,
        "permit": permit_to_remove.number,
        "brigade": brigade.pk,
        "on": "2025-11-10",
        "males": 2,
        "females": 0,
        "young": 0,
        "carcasses": 3,
    }

    answer = post(api, "intakes/removal/", body)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert set(answer.json()["fields"]) == {"carcasses"}


def test_an_intake_is_cancelled(api: Client, open_intake: Intake) -> None:
    answer = post(api, f"intakes/{open_intake.pk}/cancel/", {"reason": "Opened twice."})

    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert post(api, f"intakes/{open_intake.pk}/cancel/", {"reason": "Again, as told"}).status_code == 409


def test_derivatives_are_listed_for_those_who_may_know_them(
    api: Client, horns: list[Derivative], inspector_elsewhere: User, trader: User
) -> None:
    listed = api.get(f"/api/v1/derivatives/?intake={horns[0].intake_id}").json()["results"]
    assert {one["number"] for one in listed} == {horn.number for horn in horns}
    assert api.get(f"/api/v1/derivatives/?number={horns[1].number}").json()["results"][0]["id"] == horns[1].pk
    assert api.get(f"/api/v1/derivatives/{horns[0].pk}/").status_code == 200

    for person in (inspector_elsewhere, trader):
        api.force_login(person)
        assert api.get("/api/v1/derivatives/").json()["results"] == []
        assert api.get(f"/api/v1/derivatives/{horns[0].pk}/").status_code == 404


def test_others_neither_see_nor_write(
    client: Client, open_intake: Intake, inspector_elsewhere: User, storekeeper: User, trader: User
) -> None:
    address = f"/api/v1/intakes/{open_intake.pk}/"
    table = {"version": open_intake.version, "rows": [], "whole": True}

    def answers(person: User) -> tuple[int, int]:
        client.force_login(person)
        written = client.put(f"{address}rows/", table, content_type="application/json")
        return client.get(address).status_code, written.status_code

    assert answers(inspector_elsewhere) == (404, 404)
    assert answers(storekeeper) == (200, 403)
    assert answers(trader) == (403, 403)
    client.logout()
    assert client.get(address).status_code == 401
    assert open_intake.rows.count() == 6


@pytest.mark.parametrize("query", ["state=nonsense", "store=99999999", "since=yesterday", "brigade=x"])
def test_a_filter_that_makes_no_sense_is_told(query: str, api: Client, receive: Receive) -> None:
    assert api.get(f"/api/v1/intakes/?{query}").status_code == 422
