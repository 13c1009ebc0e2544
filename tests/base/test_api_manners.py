"""Manners of the API: errors, tokens, the schema, and writes that are done once."""

import json
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from core.accounts.idempotency import REPLAY
from core.accounts.models import ApiRequest, ApiToken, Organisation, User
from core.accounts.services import create_token
from core.accounts.tasks import forget_old_requests
from core.audit.models import Event
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.notices.texts import TEXTS
from core.rules.models import Rule

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    """A program that speaks for a person, by token, in English."""

    def for_person(person: User) -> APIClient:
        _token, secret = create_token(actor=person, at=datetime.now().astimezone(), name="program")
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}", HTTP_ACCEPT_LANGUAGE="en")
        return client

    return for_person


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS, "test.count", "%(missing)d missing")


@pytest.fixture
def notice(trader_company: Organisation, now: datetime) -> Notice:
    return raise_notice(
        at=now,
        kind=Notice.Kind.DISCREPANCY,
        code="test.count",
        organisation=trader_company,
        subject=("handover", 1),
        missing=1,
    )


DECISION = {"outcome": "found", "decision": "Found behind the scale", "reason": "Act 12 of 10 November"}


def decide(client: APIClient, notice: Notice, key: str | None = "k1", body: dict[str, Any] | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(f"/api/v1/notices/{notice.pk}/decide/", body or DECISION, format="json", headers=headers)


# Errors


def test_without_a_token_it_says_so(client: Client) -> None:
    answer = client.get("/api/v1/me/")

    assert (answer.status_code, answer["Content-Type"], answer["WWW-Authenticate"]) == (401, PROBLEM, "Bearer")
    assert answer.json()["type"] == "urn:saiga:problem:not-authenticated"
    assert answer.json().keys() == {"type", "title", "status", "code", "detail"}


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Bearer a b c", "Bearer \xff"])
def test_a_wrong_token_is_refused(client: Client, header: str) -> None:
    answer = client.get("/api/v1/me/", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, "authentication-failed")


def test_a_token_that_is_revoked_expired_or_of_a_closed_account_is_refused(
    api: Callable[[User], APIClient], trader: User, inspector: User, auditor: User
) -> None:
    expired, revoked, closed = api(trader), api(inspector), api(auditor)
    past = datetime.now().astimezone() - timedelta(days=40)
    ApiToken.objects.filter(user=inspector).update(revoked_at=past)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE accounts_apitoken SET created_at = %s, expires_at = %s", [past, past + timedelta(1)])
        cursor.execute("SET LOCAL session_replication_role = origin")
    User.objects.filter(pk=auditor.pk).update(is_active=False)

    assert [client.get("/api/v1/me/").status_code for client in (expired, revoked, closed)] == [401, 401, 401]


def test_the_day_a_token_was_last_used_is_noted(api: Callable[[User], APIClient], trader: User) -> None:
    client = api(trader)
    client.get("/api/v1/me/")

    assert ApiToken.objects.get().last_used_on is not None


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/api/v1/nothing/", 404, "not-found"),
        ("get", "/api/v1/me", 404, "not-found"),
        ("post", "/api/nothing/at/all", 404, "not-found"),
        ("get", "/api/v1/notices/999999/", 404, "not-found"),
        ("get", "/api/v1/organisations/999999/", 404, "not-found"),
        ("delete", "/api/v1/me/", 405, "method-not-allowed"),
        ("get", "/api/v1/notices/1/decide/", 405, "method-not-allowed"),
        ("get", "/api/v1/rules/?on=yesterday", 422, "bad-input"),
        ("get", "/api/v1/notices/?state=x", 422, "bad-input"),
    ],
)
def test_every_error_is_a_problem(
    api: Callable[[User], APIClient], trader: User, method: str, path: str, status: int, code: str
) -> None:
    answer = getattr(api(trader), method)(path)

    body = answer.json()
    assert (answer.status_code, answer["Content-Type"], body["code"]) == (status, PROBLEM, code)
    assert body["status"] == status
    assert body["detail"]
    assert "matches the given query" not in body["detail"]


def test_a_body_that_is_no_json_and_one_of_another_kind(
    api: Callable[[User], APIClient], trader: User, notice: Notice
) -> None:
    path = f"/api/v1/notices/{notice.pk}/decide/"

    broken = api(trader).post(path, "{", content_type="application/json")
    foreign = api(trader).post(path, "<a/>", content_type="application/xml")

    assert (broken.status_code, broken.json()["code"]) == (400, "parse-error")
    assert (foreign.status_code, foreign.json()["code"]) == (415, "unsupported-media-type")


def test_wrong_fields_are_named(api: Callable[[User], APIClient], trader: User, notice: Notice) -> None:
    answer = decide(api(trader), notice, body={"decision": ""})

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-input")
    assert answer.json()["fields"].keys() == {"outcome", "decision", "reason"}


def test_what_nobody_foresaw_is_a_problem_too_and_is_logged(
    api: Callable[[User], APIClient], trader: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr("core.accounts.api.MeSerializer", fall)

    answer = api(trader).get("/api/v1/me/")

    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (500, PROBLEM, "internal-error")
    assert "secret" not in answer.content.decode()
    assert "the secret of the house" in caplog.text


def test_whoever_may_not_gets_403(api: Callable[[User], APIClient], stranger: User, notice: Notice) -> None:
    assert api(stranger).get("/api/v1/rules/").json()["code"] == "permission-denied"
    assert decide(api(stranger), notice).status_code == 403


def test_errors_speak_the_language_of_the_request(client: Client) -> None:
    russian = client.get("/api/v1/nothing/", headers={"Accept-Language": "ru"})

    assert russian["Content-Language"] == "ru"


# What is told


def test_it_tells_who_one_is(api: Callable[[User], APIClient], inspector: User, inspectorate: Organisation) -> None:
    body = api(inspector).get("/api/v1/me/").json()

    assert body["full_name"] == inspector.full_name
    assert [(role["role"], role["organisation"]["bin"]) for role in body["roles"]] == [("inspector", inspectorate.bin)]
    assert "open_intake" in body["can"]


def test_it_lists_the_twenty_regions(api: Callable[[User], APIClient], stranger: User) -> None:
    regions = api(stranger).get("/api/v1/regions/").json()

    assert len(regions) == 20
    assert regions[5] == {
        "code": "27",
        "iso": "KZ-27",
        "name_kk": "Батыс Қазақстан облысы",
        "name_ru": "Западно-Казахстанская область",
        "name_en": "West Kazakhstan Region",
    }


def test_organisations_come_in_pages_and_by_bin(
    api: Callable[[User], APIClient], inspector: User, trader_company: Organisation
) -> None:
    client = api(inspector)

    first = client.get("/api/v1/organisations/?page_size=1").json()
    second = client.get(first["next"]).json()
    by_bin = client.get(f"/api/v1/organisations/?bin={trader_company.bin}").json()

    assert first["results"] != second["results"]
    assert [row["id"] for row in by_bin["results"]] == [trader_company.pk]


def test_rules_in_force_on_a_day(api: Callable[[User], APIClient], trader: User) -> None:
    client = api(trader)

    before = client.get("/api/v1/rules/?on=2025-11-30&code=marking.compulsory").json()
    after = client.get("/api/v1/rules/?on=2025-12-01&code=marking.compulsory").json()

    assert [rule["value"] for rule in before + after] == [{"terms": []}, {"terms": ["HOR"]}]
    assert len(client.get("/api/v1/rules/?on=2026-06-01").json()) == Rule.objects.on(date(2026, 6, 1)).count()


def test_notices_of_others_are_not_there(
    api: Callable[[User], APIClient], trader: User, other_trader: User, auditor: User, notice: Notice
) -> None:
    def seen(person: User) -> list[int]:
        return [row["id"] for row in api(person).get("/api/v1/notices/").json()["results"]]

    assert (seen(trader), seen(other_trader), seen(auditor)) == ([notice.pk], [], [notice.pk])
    assert api(other_trader).get(f"/api/v1/notices/{notice.pk}/").status_code == 404
    assert decide(api(other_trader), notice).status_code == 404


# Done once


def test_a_write_without_a_key_is_done_and_nothing_is_kept(
    api: Callable[[User], APIClient], trader: User, notice: Notice
) -> None:
    assert decide(api(trader), notice, key=None).status_code == 200
    assert not ApiRequest.objects.exists()


def test_a_repeat_gets_the_first_answer_and_nothing_is_done_twice(
    api: Callable[[User], APIClient], trader: User, notice: Notice
) -> None:
    client = api(trader)

    first, again = decide(client, notice), decide(client, notice)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert (first.get(REPLAY), again.get(REPLAY)) == (None, "true")
    assert Event.objects.filter(verb="notice.decided").count() == 1


def test_the_order_of_the_bodys_keys_is_no_matter(
    api: Callable[[User], APIClient], trader: User, notice: Notice
) -> None:
    client = api(trader)

    decide(client, notice)

    assert decide(client, notice, body=dict(reversed(DECISION.items())))[REPLAY] == "true"


def test_the_same_key_for_another_body_or_address_is_refused(
    api: Callable[[User], APIClient], trader: User, notice: Notice
) -> None:
    client = api(trader)
    decide(client, notice)

    other_body = decide(client, notice, body=DECISION | {"reason": "Another reason than that"})
    other_place = client.post("/api/v1/notices/999/decide/", DECISION, format="json", headers={"Idempotency-Key": "k1"})

    for answer in (other_body, other_place):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")


def test_two_people_may_use_one_key(
    api: Callable[[User], APIClient], trader: User, authority_officer: User, notice: Notice
) -> None:
    decide(api(trader), notice)

    answer = decide(api(authority_officer), notice)

    assert (answer.status_code, answer.json()["code"]) == (409, "notice-decided")


def test_a_refused_act_keeps_no_answer_and_may_be_sent_again(
    api: Callable[[User], APIClient], trader: User, notice: Notice
) -> None:
    client = api(trader)

    assert decide(client, notice, body={"decision": "", "reason": ""}).status_code == 422
    assert not ApiRequest.objects.exists()
    assert decide(client, notice).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 101, "tab\there", "мүйіз"])
def test_a_key_is_short_plain_text(api: Callable[[User], APIClient], trader: User, notice: Notice, key: str) -> None:
    answer = decide(api(trader), notice, key=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-idempotency-key")
    notice.refresh_from_db()
    assert notice.is_open


def test_a_key_is_forgotten_after_thirty_days(trader: User) -> None:
    now = datetime.now().astimezone()
    for days in (29, 31):
        ApiRequest.objects.create(
            user=trader, key=f"{days}", fingerprint="f", status=200, at=now - timedelta(days=days)
        )

    forget_old_requests()

    assert list(ApiRequest.objects.values_list("key", flat=True)) == ["29"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_equal_requests_at_once_one_is_done_and_one_is_told_to_wait(
    api: Callable[[User], APIClient], trader: User, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(trader)
    answers: list[int] = []
    at_work, go_on = threading.Event(), threading.Event()
    from core.notices import api as notices_api

    real = notices_api.decide_notice

    def slowly(**facts: Any) -> Notice:
        at_work.set()
        go_on.wait(10)
        return real(**facts)

    monkeypatch.setattr(notices_api, "decide_notice", slowly)

    def first() -> None:
        answers.append(decide(client, notice).status_code)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert at_work.wait(10)
    second = decide(api(trader), notice)
    go_on.set()
    thread.join()

    assert (answers, second.status_code, second.json()["code"]) == ([200], 409, "request-in-progress")
    assert decide(client, notice)[REPLAY] == "true"
    assert Event.objects.filter(verb="notice.decided").count() == 1


def test_an_act_whose_answer_is_lost_before_commit_is_not_done(
    api: Callable[[User], APIClient], trader: User, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer and the act live in one transaction: if keeping the answer fails, the act is undone."""

    def fall(*args: object, **kwargs: object) -> None:
        raise OSError("the machine goes down")

    monkeypatch.setattr(ApiRequest.objects, "create", fall)
    with transaction.atomic():
        assert decide(api(trader), notice).status_code == 500

    notice.refresh_from_db()
    assert notice.is_open


# The schema


def test_the_schema_is_valid_and_complete(tmp_path: Any) -> None:
    path = tmp_path / "schema.yml"

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(path))

    schema = yaml.safe_load(path.read_text())
    for address, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert PROBLEM in operation["responses"]["default"]["content"], (address, method)
    decide_it = schema["paths"]["/api/v1/notices/{id}/decide/"]["post"]
    assert "Idempotency-Key" in [parameter["name"] for parameter in decide_it["parameters"]]


def test_the_schema_can_be_looked_through_under_a_policy_of_its_own(client: Client) -> None:
    page, script = client.get("/api/"), client.get("/api/?script=")

    assert (page.status_code, script.status_code) == (200, 200)
    assert "'unsafe-inline'" in page["Content-Security-Policy"].split("style-src")[1].split(";")[0]
    assert "script-src" not in page["Content-Security-Policy"]
    assert "<script>" not in page.content.decode()
    assert "unsafe-inline" not in client.get("/accounts/login/")["Content-Security-Policy"]
    assert client.get("/api/schema/?format=json").status_code == 200


def test_a_session_may_ask_too_but_writes_need_its_token(trader: User, notice: Notice) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(trader)

    assert client.get("/api/v1/me/").status_code == 200
    path = f"/api/v1/notices/{notice.pk}/decide/"
    refused = client.post(path, json.dumps(DECISION), content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, PROBLEM)
