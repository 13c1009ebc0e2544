"""The pages of the marking room: who may come in, and what happens there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.jobs.services import execute_job
from marking import limits
from marking.codes import new_code
from marking.limits import UNKNOWN_CODES
from marking.models import LabelRun, Mark, MarkRequest, SigningKey
from marking.services.labels import LabelOrder, print_labels
from marking.services.requests import approve_request, ask_for_mark
from registry.models import Derivative, Intake
from registry.services import cancel_intake

pytestmark = pytest.mark.django_db(transaction=True)

MAY_PRINT = {"inspector", "storekeeper"}
OVERSEERS = {"authority_officer", "authority_head", "scientific_reviewer", "auditor"}
OTHERS = {"trader", "customs_officer", "administrator", "stranger"}
ORDER = {"profile": "a4-65", "dpi": "300", "start": "1", "language": "kk"}


@pytest.fixture(autouse=True)
def _run_jobs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.services.after_commit", lambda *args: None)


@pytest.fixture
def run(marks: list[Mark], open_intake: Intake, inspector: User, now: datetime) -> LabelRun:
    """A finished order of labels."""
    ordered = print_labels(actor=inspector, at=now, intake=open_intake, order=LabelOrder("a4-65"))
    execute_job(ordered.job_id)
    return ordered


def test_the_button_registers_and_goes_back_to_the_intake(
    signing_key: SigningKey, open_intake: Intake, inspector: User, client: Client
) -> None:
    client.force_login(inspector)

    response = client.post(reverse("marking:register", args=[open_intake.pk]), {"version": open_intake.version})

    assert response.status_code == 302
    assert response["Location"] == reverse("registry:intake", args=[open_intake.pk])
    assert Mark.objects.filter(derivative__intake=open_intake).count() == 6


def test_the_button_that_prints_orders_labels_as_the_person_did_last(
    signing_key: SigningKey, open_intake: Intake, inspector: User, client: Client
) -> None:
    client.force_login(inspector)

    response = client.post(
        reverse("marking:register", args=[open_intake.pk]), {"version": open_intake.version, "print": "yes"}
    )

    run = LabelRun.objects.get(intake=open_intake)
    assert response["Location"] == reverse("marking:label-run", args=[run.pk])
    assert (run.profile, run.ordered_by) == ("roll-50x25", inspector)


def test_a_refusal_is_told_on_the_page_of_the_intake(
    signing_key: SigningKey, open_intake: Intake, inspector: User, client: Client
) -> None:
    client.force_login(inspector)
    client.cookies["django_language"] = "en"

    client.post(reverse("marking:register", args=[open_intake.pk]), {"version": open_intake.version + 5})
    response = client.get(reverse("registry:intake", args=[open_intake.pk]))

    assert not Derivative.objects.exists()
    assert [message.level_tag for message in response.context["messages"]] == ["error"]


@pytest.mark.parametrize("role", sorted(OTHERS | OVERSEERS | {"storekeeper", "inspector_elsewhere"}))
def test_only_inspectors_of_the_region_register(
    signing_key: SigningKey, open_intake: Intake, client: Client, request: pytest.FixtureRequest, role: str
) -> None:
    client.force_login(request.getfixturevalue(role))

    response = client.post(reverse("marking:register", args=[open_intake.pk]))

    assert response.status_code == (404 if role == "inspector_elsewhere" else 403)
    assert not Derivative.objects.exists()


def test_registering_is_a_post(open_intake: Intake, inspector: User, client: Client) -> None:
    client.force_login(inspector)

    assert client.get(reverse("marking:register", args=[open_intake.pk])).status_code == 405


def pages_of(run: LabelRun) -> dict[str, str]:
    return {
        "list": reverse("marking:label-runs"),
        "run": reverse("marking:label-run", args=[run.pk]),
        "file": reverse("marking:label-file", args=[run.pk]),
        "order": reverse("marking:intake-labels", args=[run.intake_id]),
        "preview": reverse("marking:label-preview", args=[run.intake_id])
        + "?profile=a4-21&dpi=203&start=2&language=kk",
    }


@pytest.mark.parametrize("role", sorted(MAY_PRINT))
def test_who_prints_sees_the_pages(run: LabelRun, client: Client, request: pytest.FixtureRequest, role: str) -> None:
    client.force_login(request.getfixturevalue(role))

    for name, address in pages_of(run).items():
        response = client.get(address)
        assert response.status_code == 200, name
        if name == "file":
            assert response["Content-Type"] == "application/pdf"
            assert "private" in response["Cache-Control"]
        if name == "preview":
            assert b"data:image/png;base64," in response.content


@pytest.mark.parametrize("role", sorted(OVERSEERS))
def test_who_oversees_sees_what_was_printed_and_prints_nothing(
    run: LabelRun, client: Client, request: pytest.FixtureRequest, role: str
) -> None:
    client.force_login(request.getfixturevalue(role))
    pages = pages_of(run)

    for shown in (client.get(pages.pop("list")), client.get(pages.pop("run"))):
        assert shown.status_code == 200
        assert not any(pages[name] in shown.content.decode() for name in ("file", "order"))
    assert {client.get(address).status_code for address in pages.values()} == {403}
    assert client.post(pages["order"], ORDER).status_code == 403


@pytest.mark.parametrize("role", sorted(OTHERS))
def test_others_are_refused(run: LabelRun, client: Client, request: pytest.FixtureRequest, role: str) -> None:
    client.force_login(request.getfixturevalue(role))

    assert {client.get(address).status_code for address in pages_of(run).values()} == {403}
    assert client.post(pages_of(run)["order"], ORDER).status_code == 403


@pytest.mark.parametrize("role", ["inspector_elsewhere", "storekeeper_elsewhere"])
def test_those_elsewhere_know_nothing_of_it(
    run: LabelRun, client: Client, request: pytest.FixtureRequest, role: str
) -> None:
    client.force_login(request.getfixturevalue(role))

    pages = pages_of(run)
    assert str(run.intake) not in client.get(pages.pop("list")).content.decode()
    assert {client.get(address).status_code for address in pages.values()} == {404}
    assert client.post(pages["order"], ORDER).status_code == 404


def test_whoever_is_not_signed_in_is_asked_to(run: LabelRun, client: Client) -> None:
    for address in pages_of(run).values():
        assert client.get(address)["Location"].startswith(reverse("account_login"))


def order_page(client: Client, intake: Intake, **changes: str) -> Any:
    return client.post(reverse("marking:intake-labels", args=[intake.pk]), ORDER | changes)


def test_an_order_leads_to_the_page_of_its_run(
    marks: list[Mark], open_intake: Intake, inspector: User, client: Client
) -> None:
    client.force_login(inspector)

    response = order_page(client, open_intake, profile="roll-50x25", dpi="203", language="ru")

    (made,) = LabelRun.objects.all()
    assert response["Location"] == reverse("marking:label-run", args=[made.pk])
    assert (made.profile, made.dpi, made.start, made.language) == ("roll-50x25", 203, 1, "ru")
    # The next order begins with what was chosen last.
    form = client.get(reverse("marking:intake-labels", args=[open_intake.pk])).context["form"]
    assert (form["profile"].value(), form["dpi"].value(), form["language"].value()) == ("roll-50x25", 203, "ru")


def test_a_wrong_order_is_told_beside_its_field(run: LabelRun, inspector: User, client: Client) -> None:
    client.force_login(inspector)
    intake = run.intake
    assert intake is not None

    for field, response in {
        "reason": order_page(client, intake),
        "start": order_page(client, intake, profile="a4-21", start="22", reason="The printer jammed"),
        "dpi": order_page(client, intake, dpi="72", reason="The printer jammed"),
        "profile": order_page(client, intake, profile="a5", reason="The printer jammed"),
    }.items():
        assert response.status_code == 422
        assert set(response.context["form"].errors) == {field}
    assert LabelRun.objects.count() == 1


@pytest.mark.parametrize("query", ["", "?profile=a4-65", "?profile=a4-65&dpi=300&start=66&language=kk", "?profile=x"])
def test_instead_of_a_picture_of_nothing_it_says_why(
    run: LabelRun, inspector: User, client: Client, query: str
) -> None:
    client.force_login(inspector)

    response = client.get(reverse("marking:label-preview", args=[run.intake_id]) + query)

    assert response.status_code == 200
    assert b"notice-attention" in response.content
    assert b"<img" not in response.content


def test_only_finished_parts_are_handed_out(run: LabelRun, inspector: User, client: Client) -> None:
    client.force_login(inspector)
    address = reverse("marking:label-file", args=[run.pk])

    assert {client.get(address, {"part": part}).status_code for part in ("2", "0", "x", "-1", "9" * 30)} == {404}
    assert "attachment" in client.get(address, {"download": ""})["Content-Disposition"]


def test_an_intake_that_is_not_registered_has_no_labels(
    open_intake: Intake, inspector: User, client: Client, now: datetime
) -> None:
    client.force_login(inspector)
    address = reverse("marking:intake-labels", args=[open_intake.pk])
    assert client.get(address).status_code == 404

    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Entered twice")

    assert client.get(address).status_code == 404


def test_a_long_list_costs_no_more_than_a_short_one(
    run: LabelRun,
    open_intake: Intake,
    inspector: User,
    storekeeper: User,
    client: Client,
    now: datetime,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(inspector)
    counts = []
    for _round in range(2):
        with django_assert_max_num_queries(20) as captured:
            client.get(reverse("marking:label-runs"))
        counts.append(len(captured))
        for _more in range(5):
            asked = ask_for_mark(
                actor=inspector,
                at=now,
                kind=MarkRequest.Kind.REPRINT,
                intake=open_intake,
                reason="The printer jammed",
                order=LabelOrder("a4-65"),
            )
            approve_request(actor=storekeeper, at=now, asked=asked)

    assert counts[0] == counts[1]


# The API.


@pytest.fixture
def ask(client: Client) -> Callable[..., Any]:
    """Send JSON to the API as a person."""

    def send(person: User | None, method: str, path: str, body: object = None, **headers: str) -> Any:
        if person is not None:
            client.force_login(person)
        if method == "get":
            return client.get(f"/api/v1{path}")
        return client.post(f"/api/v1{path}", body or {}, content_type="application/json", headers=headers)

    return send


def test_a_program_registers_once_and_orders_labels(
    signing_key: SigningKey, open_intake: Intake, inspector: User, ask: Callable[..., Any]
) -> None:
    key = {"idempotency-key": "register-1"}
    first = ask(inspector, "post", f"/intakes/{open_intake.pk}/register/", {}, **key)
    again = ask(inspector, "post", f"/intakes/{open_intake.pk}/register/", {}, **key)
    other = ask(inspector, "post", f"/intakes/{open_intake.pk}/register/", {})

    assert (first.status_code, first.json()) == (200, {"intake": open_intake.pk, "count": 6})
    assert again.json() == first.json()
    assert again["Idempotent-Replay"] == "true"
    assert other.status_code == 409

    ordered = ask(inspector, "post", f"/intakes/{open_intake.pk}/labels/", {"profile": "a4-65", "start": 7})
    assert ordered.status_code == 201
    assert ordered.json()["state"] == "queued"
    execute_job(ordered.json()["job"])
    seen = ask(inspector, "get", f"/labels/{ordered.json()['id']}/").json()
    assert (seen["state"], [part["labels"] for part in seen["parts"]]) == ("done", [6])
    assert ask(inspector, "get", f"/labels/{seen['id']}/parts/1/")["Content-Type"] == "application/pdf"
    assert ask(inspector, "get", f"/labels/{seen['id']}/parts/2/").status_code == 404
    refused = ask(inspector, "post", f"/intakes/{open_intake.pk}/labels/", {"profile": "a4-65"})
    assert (refused.status_code, refused.json()["code"]) == (409, "printed-before")


def test_a_program_lists_marks_and_checks_one(
    marks: list[Mark], inspector: User, customs_officer: User, inspector_elsewhere: User, ask: Callable[..., Any]
) -> None:
    listed = ask(inspector, "get", f"/marks/?intake={marks[0].item.intake_id}").json()["results"]
    assert [row["code"] for row in listed] == sorted(mark.code for mark in marks)
    assert ask(inspector, "get", f"/marks/?item={marks[0].item.pk}").json()["results"][0]["code"] == marks[0].code
    assert ask(inspector, "get", "/marks/?item=x").json()["results"] == []
    assert ask(inspector_elsewhere, "get", "/marks/").json()["results"] == []
    assert ask(customs_officer, "get", "/marks/").status_code == 403

    answer = ask(customs_officer, "get", f"/marks/check/?text={marks[0].code}").json()
    assert (answer["verdict"], answer["term"], answer["year"]) == ("genuine", "HOR", 2025)
    assert ask(customs_officer, "get", "/marks/check/").json()["verdict"] == "mistyped"


def test_a_program_without_rights_is_refused(run: LabelRun, trader: User, ask: Callable[..., Any]) -> None:
    for path in ("/labels/", f"/labels/{run.pk}/", f"/labels/{run.pk}/parts/1/"):
        assert ask(trader, "get", path).status_code == 403
    for path in (f"/intakes/{run.intake_id}/register/", f"/intakes/{run.intake_id}/labels/"):
        assert ask(trader, "post", path).status_code == 403


def test_a_program_that_nobody_knows_is_refused(run: LabelRun, ask: Callable[..., Any]) -> None:
    for path in ("/marks/", "/marks/check/?text=x", "/labels/"):
        assert ask(None, "get", path).status_code == 401


@pytest.mark.usefixtures("one_window")
def test_a_program_that_searches_is_stopped(
    customs_officer: User, trader: User, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CHECKS_SIGNED_IN", limits.CHECKS)
    statuses = [
        ask(customs_officer, "get", f"/marks/check/?text={new_code()}").status_code for _ in range(UNKNOWN_CODES + 1)
    ]

    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert ask(trader, "get", f"/marks/check/?text={new_code()}").status_code == 200
