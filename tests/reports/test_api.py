"""The API of this room: the same knowledge, for programs."""

import hashlib
from datetime import datetime

import pytest
from django.test import Client

from core.accounts.models import User
from core.jobs.services import execute_job
from ledger.models import CustodyAccount
from marking.codes import group
from registry.models import Derivative
from reports.models import Statement
from tests.rights import code_of

pytestmark = pytest.mark.django_db

ADDRESSES = ["/api/v1/stock/", "/api/v1/items/", "/api/v1/statements/", "/api/v1/journal/"]


@pytest.mark.parametrize(
    ("who", "answers"),
    [
        ("auditor", [200, 200, 200, 200]),
        ("storekeeper", [200, 200, 200, 403]),
        ("inspector", [200, 200, 403, 403]),
        ("administrator", [403, 403, 403, 403]),
    ],
)
def test_each_role_asks_what_it_may_know(
    who: str, answers: list[int], client: Client, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))

    assert [client.get(address).status_code for address in ADDRESSES] == answers


def test_a_stranger_is_refused(client: Client) -> None:
    assert {client.get(address).status_code for address in ADDRESSES} <= {401, 403}


def test_stock_is_told_in_codes_and_grams(
    client: Client, storekeeper: User, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    client.force_login(storekeeper)

    (row,) = client.get("/api/v1/stock/").json()

    assert row["place"]["code"] == reception_store.code
    assert (row["term"], row["origin"], row["pieces"]) == ("HOR", "removal", 6)
    assert row["grams"] == sum(horn.mass_g for horn in horns)
    assert client.get("/api/v1/stock/?day=2025-11-01").json() == []
    assert client.get("/api/v1/stock/?origin=seizure").json() == []


def test_items_are_told_with_place_and_mark(client: Client, storekeeper: User, marked: list[Derivative]) -> None:
    client.force_login(storekeeper)

    listed = client.get("/api/v1/items/?term=HOR&page_size=4").json()
    alone = client.get(f"/api/v1/items/{marked[0].pk}/").json()

    assert [item["number"] for item in listed["results"]] == [horn.number for horn in reversed(marked[2:])]
    assert listed["next"]
    assert alone["mark"] == group(code_of(marked[0]))
    assert alone["grams"] == marked[0].mass_g
    assert alone["place"]["kind"] == "store"
    assert client.get("/api/v1/items/999999/").status_code == 404


def test_a_filter_that_cannot_be_read_is_a_problem(client: Client, auditor: User) -> None:
    client.force_login(auditor)

    answer = client.get("/api/v1/items/?store=nowhere")

    assert answer.status_code == 422
    assert "store" in answer.json()["fields"]


def test_a_statement_is_asked_for_followed_and_fetched(
    client: Client, auditor: User, horns: list[Derivative], reception_store: CustodyAccount, now: datetime
) -> None:
    client.force_login(auditor)
    wanted = {"store": reception_store.code, "starts_on": "2025-11-01", "ends_on": "2025-11-10", "language": "ru"}
    headers = {"Idempotency-Key": "one"}

    asked = client.post("/api/v1/statements/", wanted, content_type="application/json", headers=headers)
    again = client.post("/api/v1/statements/", wanted, content_type="application/json", headers=headers)

    assert asked.status_code == again.status_code == 202
    assert asked.json()["id"] == again.json()["id"]
    assert asked.json()["files"] == []
    statement = Statement.objects.get()
    execute_job(statement.job_id)
    told = client.get(f"/api/v1/statements/{statement.pk}/").json()
    assert told["state"] == "done"
    assert [file["format"] for file in told["files"]] == ["pdf", "xlsx", "csv", "movements"]
    for file in told["files"]:
        answer = client.get(f"/api/v1/statements/{statement.pk}/{file['format']}/")
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_a_statement_of_another_store_is_refused(
    client: Client, trader: User, trader_store: CustodyAccount, reception_store: CustodyAccount
) -> None:
    client.force_login(trader)
    wanted = {"store": reception_store.code, "starts_on": "2025-11-01", "ends_on": "2025-11-10"}

    answer = client.post("/api/v1/statements/", wanted, content_type="application/json")

    assert answer.status_code == 422
    assert not Statement.objects.exists()


def test_the_journal_is_told_newest_first(client: Client, auditor: User, marked: list[Derivative]) -> None:
    client.force_login(auditor)

    events = client.get("/api/v1/journal/?verb=marks.issued").json()["results"]

    assert [event["verb"] for event in events] == ["marks.issued"]
    assert events[0]["subject_kind"]


def test_a_store_is_asked_for_by_its_code_and_still_by_its_key(
    client: Client, auditor: User, marked: list[Derivative], reception_store: CustodyAccount
) -> None:
    client.force_login(auditor)

    for wanted in (reception_store.code, reception_store.pk):
        listed = client.get(f"/api/v1/items/?store={wanted}&page_size=1000").json()["results"]
        assert {item["number"] for item in listed} == {horn.number for horn in marked}
        assert client.get(f"/api/v1/intakes/?store={wanted}").json()["results"]
    assert client.get("/api/v1/items/?store=no-such-code").json()["fields"].keys() == {"store"}
