"""Filters of the API: what a list does not know is refused, on every list, and told with what it knows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from core.accounts.models import User
from core.accounts.services import create_token
from ledger.models import Handover

pytestmark = pytest.mark.django_db

CAST = ("inspector", "storekeeper", "authority_officer", "authority_head", "auditor", "administrator", "trader")
STANDS_FOR = {"sscc": "048700000000000017", "code": "CS-75"}


def reading_operations() -> dict[str, dict[str, Any]]:
    """Every address of the schema that is read, with its operation."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return {address: operations["get"] for address, operations in schema["paths"].items() if "get" in operations}


def is_list(operation: dict[str, Any]) -> bool:
    answer = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema", {})
    return answer.get("type") == "array" or "/Paginated" in answer.get("$ref", "")


def with_keys(address: str, operation: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            name = parameter["name"]
            address = address.replace(f"{{{name}}}", STANDS_FOR.get(name, "1"))
    return address


def in_query(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}


@pytest.fixture
def programs(request: pytest.FixtureRequest) -> list[APIClient]:
    """Programs that speak for one person of each kind, in English."""
    found = []
    for name in CAST:
        person: User = request.getfixturevalue(name)
        _token, secret = create_token(actor=person, at=datetime.now(UTC), name="program")
        found.append(APIClient(headers={"authorization": f"Bearer {secret}", "accept-language": "en"}))
    return found


def ask(programs: list[APIClient], address: str) -> Any:
    """The answer to the first of them who may ask there at all."""
    for program in programs:
        answer = program.get(address)
        if answer.status_code != 403:
            return answer
    raise AssertionError(f"nobody may read {address}")


def test_every_list_refuses_a_filter_it_does_not_know_and_names_those_it_knows(programs: list[APIClient]) -> None:
    lists = {address: operation for address, operation in reading_operations().items() if is_list(operation)}
    assert len(lists) > 50

    for address, operation in lists.items():
        answer = ask(programs, f"{with_keys(address, operation)}?colour=red")

        assert answer.status_code == 400, address
        told = answer.json()
        assert told["code"] == "unknown-filter"
        assert told["fields"].keys() == {"colour"}
        assert "colour" in told["detail"]
        assert all(name in told["detail"] for name in in_query(operation)), address


def test_every_filter_that_the_schema_names_is_known(programs: list[APIClient]) -> None:
    for address, operation in reading_operations().items():
        if names := in_query(operation):
            query = "&".join(f"{name}=1" for name in sorted(names))
            answer = ask(programs, f"{with_keys(address, operation)}?{query}")
            assert answer.status_code != 400, (address, answer.content)


def test_reading_one_thing_takes_no_filters(programs: list[APIClient]) -> None:
    answer = ask(programs, "/api/v1/me/?colour=red&size=2")

    assert answer.status_code == 400
    assert answer.json()["detail"] == "Not known here: colour, size. This address takes no parameters."


def test_who_may_not_ask_is_told_that_and_not_what_is_known(stranger: User) -> None:
    client = APIClient()
    assert client.get("/api/v1/stock/?colour=red").status_code == 401

    client.force_authenticate(stranger)
    assert client.get("/api/v1/stock/?colour=red").status_code == 403


def test_a_write_does_not_mind(inspector: User) -> None:
    client = APIClient()
    client.force_authenticate(inspector)

    assert client.post("/api/v1/marks/check/?colour=red", {"texts": ["x"]}, format="json").status_code == 200


def test_hand_overs_are_listed_by_what_their_page_filters_by(handover: Handover, storekeeper: User) -> None:
    client = APIClient(headers={"accept-language": "en"})
    client.force_authenticate(storekeeper)

    def numbers(query: str) -> list[str]:
        return [row["number"] for row in client.get(f"/api/v1/handovers/?{query}").json()["results"]]

    assert numbers("way=open") == numbers("state=dispatched") == [handover.number]
    assert numbers("late=yes") == [handover.number]  # sent long ago, by the clock of today
    assert numbers("state=accepted") == numbers("q=XX") == []
    assert client.get("/api/v1/handovers/?late=perhaps").json()["fields"].keys() == {"late"}
