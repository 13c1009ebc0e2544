"""The same ways for programs: refusals as problems, writes done once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from core.accounts.models import User
from ledger.models import CustodyAccount, Handover
from permits.models import Application, Permit
from registry.models import Derivative
from tests.cast import PASSWORD
from tests.permits.test_pages import brigade, now, permit_to_remove
from tests.rights import code_of

__all__ = ["brigade", "now", "permit_to_remove"]

SIGNED = {"password": PASSWORD}
SENT = {**SIGNED, "carried_by": "Сейітов Ержан"}
V1 = "/api/v1"


def program_of(person: User) -> APIClient:
    client = APIClient(headers={"accept-language": "en"})
    client.force_authenticate(person)
    return client


@pytest.fixture
def wishes(trader_store: CustodyAccount) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "kind": "transport",
        "store": trader_store.code,
        "purpose": "Contract 7",
        "wished_from": today.isoformat(),
        "wished_until": (today + timedelta(days=9)).isoformat(),
    }


def test_from_the_wish_to_the_accepted_goods(
    storekeeper: User,
    authority_officer: User,
    trader: User,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    trader_store: CustodyAccount,
    wishes: dict[str, Any],
) -> None:
    applicant, officer, receiver = map(program_of, (storekeeper, authority_officer, trader))

    opened = applicant.post(f"{V1}/applications/", {**wishes, "items": [d.number for d in marked]}, format="json")
    application = f"{V1}/applications/{opened.data['id']}"
    lines = applicant.get(f"{application}/items/")
    submitted = applicant.post(f"{application}/submit/")
    officer.post(f"{application}/take-up/")
    decided = officer.post(f"{application}/decide/", {"outcome": "approved"}, format="json")
    permit = applicant.get(f"{V1}/permits/{decided.data['permit']}/")
    sent = applicant.post(
        f"{V1}/handovers/",
        {
            "source": reception_store.code,
            "target": trader_store.code,
            "items": [code_of(d) for d in marked],
            "permit": permit.data["number"],
            **SIGNED,
            "carried_by": "Сейітов Ержан",
        },
        format="json",
    )
    handover = f"{V1}/handovers/{sent.data['id']}"
    verdicts = [receiver.post(f"{handover}/scan/", {"code": d.number}, format="json").data for d in marked]
    accepted = receiver.post(f"{handover}/accept/", SIGNED, format="json")

    assert opened.status_code == 201
    assert (opened.data["state"], opened.data["number"], opened.data["pieces"]) == ("draft", "", 6)
    assert [line["problems"] for line in lines.data] == [[]] * 6
    assert submitted.data["state"] == "submitted"
    assert decided.data["state"] == "approved"
    assert (permit.data["state"], permit.data["pieces"]) == ("in_force", 6)
    assert sent.status_code == 201, sent.data
    assert [v["verdict"] for v in verdicts] == ["ok"] * 6
    assert (verdicts[-1]["received"], verdicts[-1]["missing"]) == (6, 0)
    assert accepted.data["state"] == "accepted"
    assert receiver.get(f"{V1}/permits/{permit.data['id']}/").data["state"] == "used"
    assert {line["outcome"] for line in receiver.get(f"{handover}/items/").data["results"]} == {"received"}


def test_a_refusal_is_a_problem_with_its_reason(
    storekeeper: User,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    trader_store: CustodyAccount,
) -> None:
    answer = program_of(storekeeper).post(
        f"{V1}/handovers/",
        {"source": reception_store.code, "target": trader_store.code, "items": [marked[0].number], **SENT},
        format="json",
    )

    assert answer.status_code == 409
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.data["code"] == "permit-needed"
    assert "Working rule of the registry" in answer.data["detail"]
    assert not Handover.objects.exists()


def test_what_stands_against_an_item_is_said_item_by_item(
    permit: Permit,
    storekeeper: User,
    marked: list[Derivative],
    second_batch: list[Derivative],
    wishes: dict[str, Any],
) -> None:
    client = program_of(storekeeper)
    items = [second_batch[0].number, marked[0].number]
    opened = client.post(f"{V1}/applications/", {**wishes, "items": items}, format="json")

    refused = client.post(f"{V1}/applications/{opened.data['id']}/submit/")

    assert refused.status_code == 409
    assert refused.data["code"] == "lines-refused"
    assert refused.data["fields"] == {f"item.{marked[0].pk}": [f"Reserved for permit {permit.number}."]}
    client.post(f"{V1}/applications/{opened.data['id']}/items/", {"remove": [marked[0].number]}, format="json")
    assert client.post(f"{V1}/applications/{opened.data['id']}/submit/").status_code == 200


def test_a_write_with_a_key_is_done_once(
    storekeeper: User, marked: list[Derivative], reception_store: CustodyAccount, central_store: CustodyAccount
) -> None:
    client = program_of(storekeeper)
    body = {"source": reception_store.code, "target": central_store.code, "items": [marked[0].number], **SENT}

    first = client.post(f"{V1}/handovers/", body, format="json", headers={"Idempotency-Key": "k-1"})
    second = client.post(f"{V1}/handovers/", body, format="json", headers={"Idempotency-Key": "k-1"})
    third = client.post(
        f"{V1}/handovers/",
        {**body, "items": [marked[1].number]},
        format="json",
        headers={"Idempotency-Key": "k-1"},
    )

    assert first.data == second.data
    assert second["Idempotent-Replay"] == "true"
    assert third.status_code == 422
    assert Handover.objects.count() == 1


def test_a_draft_is_changed_in_parts(storekeeper: User, marked: list[Derivative], wishes: dict[str, Any]) -> None:
    client = program_of(storekeeper)
    opened = client.post(f"{V1}/applications/", wishes, format="json")

    changed = client.patch(f"{V1}/applications/{opened.data['id']}/", {"purpose": "Contract 8"}, format="json")

    assert changed.data["purpose"] == "Contract 8"
    assert changed.data["store"] == opened.data["store"]
    assert changed.data["wished_until"] == wishes["wished_until"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": ["KZ25-7777777"]}, "items"),
        ({"store": "NOWHERE"}, "store"),
        ({"kind": "export"}, "kind"),
        ({"applicant": "000000000000"}, "applicant"),
    ],
)
def test_unusable_input_is_told_by_field(
    storekeeper: User, wishes: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    answer = program_of(storekeeper).post(f"{V1}/applications/", {**wishes, **change}, format="json")

    assert answer.data["status"] in (400, 422)
    assert field in answer.data["fields"]
    assert not Application.objects.exists()


def test_nobody_reads_or_decides_what_is_not_theirs(
    application: Application, permit: Permit, trader: User, other_trader: User, storekeeper: User, auditor: User
) -> None:
    stranger = program_of(other_trader)
    assert stranger.get(f"{V1}/applications/{application.pk}/").status_code == 404
    assert stranger.get(f"{V1}/permits/{permit.pk}/").status_code == 404
    assert stranger.get(f"{V1}/permits/").data["results"] == []
    assert program_of(trader).get(f"{V1}/permits/{permit.pk}/").status_code == 200
    for person in (storekeeper, trader, auditor):
        client = program_of(person)
        decided = client.post(f"{V1}/applications/{application.pk}/decide/", {"outcome": "approved"}, format="json")
        assert decided.status_code == 403
        assert client.post(f"{V1}/permits/{permit.pk}/revoke/", {"reason": "-"}, format="json").status_code == 403
    assert APIClient().get(f"{V1}/applications/").status_code == 401


def test_a_permit_is_revoked_and_goods_return(
    handover: Handover, permit: Permit, authority_head: User, storekeeper: User, trader: User
) -> None:
    revoked = program_of(authority_head).post(
        f"{V1}/permits/{permit.pk}/revoke/", {"reason": "Void, as told"}, format="json"
    )
    refused = program_of(trader).post(f"{V1}/handovers/{handover.pk}/accept/", SIGNED, format="json")
    returned = program_of(storekeeper).post(
        f"{V1}/handovers/{handover.pk}/return/", {"reason": "Permit revoked.", **SIGNED}, format="json"
    )

    assert revoked.data["state"] == "revoked"
    assert refused.data["code"] == "permit-revoked"
    assert returned.data["state"] == "returning"
