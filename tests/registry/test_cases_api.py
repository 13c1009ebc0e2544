"""A seizure case from the road to the court, by programs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from core.accounts.models import ApiRequest, User
from ledger.models import Hold
from registry import services
from registry.models import Case, CourtDecision, Derivative, Intake, Outcome
from registry.services import DecisionFacts
from tests.builders import register
from tests.cast import PASSWORD


@pytest.fixture
def evidence(open_seizure: Intake, inspector: User, now: datetime) -> list[Derivative]:
    return register(open_seizure, actor=inspector, at=now)


@pytest.fixture
def held_case(evidence: list[Derivative]) -> Case:
    return Case.objects.get(intakes__derivatives=evidence[0])


@pytest.fixture
def decision(held_case: Case, evidence: list[Derivative], inspector: User, now: datetime) -> CourtDecision:
    paper = DecisionFacts("Орал қалалық соты", "1-118/2025", now.date(), now.date())
    outcomes = {Outcome.CONFISCATED: [horn.pk for horn in evidence]}
    return services.record_decision(actor=inspector, at=now, case=held_case, facts=paper, outcomes=outcomes)


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    def signed_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return signed_in


SignIn = Callable[[User], Client]


def post(client: Client, address: str, body: Any, **headers: str) -> Any:
    return client.post(f"/api/v1/cases/{address}", body, content_type="application/json", headers=headers)


def test_a_decision_is_confirmed_with_the_password_of_the_second_person(
    decision: CourtDecision, sign_in: SignIn, authority_officer: User
) -> None:
    officer, confirm = sign_in(authority_officer), f"{decision.case_id}/decisions/{decision.pk}/confirm/"

    unsigned = post(officer, confirm, {})
    wrong = post(officer, confirm, {"password": "not mine"})
    assert (unsigned.status_code, wrong.status_code) == (422, 422)
    assert (list(unsigned.json()["fields"]), list(wrong.json()["fields"])) == (["password"], ["password"])
    assert Hold.objects.active().filter(kind="evidence").count() == 4

    signed = post(officer, confirm, {"password": PASSWORD}, **{"Idempotency-Key": "confirm-1"})
    again = post(officer, confirm, {"password": PASSWORD}, **{"Idempotency-Key": "confirm-1"})

    assert (signed.status_code, signed.json()["state"]) == (200, "confirmed")
    assert (again.json(), again.headers["Idempotent-Replay"]) == (signed.json(), "true")
    assert not Hold.objects.active().exists()


def test_the_kept_fingerprint_of_a_request_is_not_one_to_try_passwords_on(
    decision: CourtDecision, sign_in: SignIn, authority_officer: User
) -> None:
    """The digest of a signed act does not depend on its password."""
    officer, confirm = sign_in(authority_officer), f"{decision.case_id}/decisions/{decision.pk}/confirm/"
    post(officer, confirm, {"password": PASSWORD}, **{"Idempotency-Key": "confirm-1"})

    replayed = post(officer, confirm, {"password": "another"}, **{"Idempotency-Key": "confirm-1"})

    assert replayed.headers["Idempotent-Replay"] == "true"
    assert ApiRequest.objects.count() == 1
