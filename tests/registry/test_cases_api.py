"""A seizure case from the road to the court, by programs."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.accounts.models import ApiRequest, Organisation, User
from core.notices.models import Notice
from ledger.models import CustodyAccount, Hold
from registry import services
from registry.models import Case, CourtDecision, Derivative, Intake, Outcome
from registry.services import DecisionFacts
from tests.builders import register, some_rows
from tests.cast import PASSWORD
from tests.files import scanned


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


def scan(name: str = "scan.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, scanned(), "image/jpeg")


def test_a_case_lives_its_whole_life(
    sign_in: SignIn, inspector: User, second_inspector: User, authority_officer: User, authority_head: User,
    evidence_room: CustodyAccount, police: Organisation, now: datetime, today: date,
) -> None:  # fmt: skip
    """Entered, weighed, counted, judged by an expert, decided by a court, given back: every act through the API."""
    by, head = sign_in(inspector), sign_in(authority_head)
    body = {
        "protocol_number": "№ 9",
        "protocol_on": today,
        "agency": police.bin,
        "region": "27",
        "place": "214-шақырым",
        "seized_on": today,
        "horns": 5,
        "latitude": "43.25",
        "longitude": "76.9",
    }
    asked = post(by, "open/", body)
    assert (asked.status_code, asked.json()["code"], list(asked.json()["fields"])) == (
        422,
        "place-not-confirmed",
        ["confirm_place"],
    )
    opened = post(by, "open/", body | {"confirm_place": True}, **{"Idempotency-Key": "open"})
    assert post(by, "open/", body | {"confirm_place": True}, **{"Idempotency-Key": "open"}).json() == opened.json()
    twice = post(by, "open/", body | {"confirm_place": True})
    assert (opened.status_code, twice.status_code, twice.json()["code"]) == (201, 422, "case-known")
    pk = opened.json()["id"]
    erdr = post(by, f"{pk}/facts/", {"version": 0, "erdr_number": "abc"})
    assert (erdr.status_code, list(erdr.json()["fields"])) == (422, ["erdr_number"])
    assert post(by, f"{pk}/facts/", {"version": 0, "erdr_number": "262700121000001", "males": 1}).status_code == 200
    assert post(by, f"{pk}/facts/", {"version": 0, "males": 2}).json()["code"] == "case-changed"
    assert post(by, f"{pk}/persons/", {"full_name": "Жақсылықов Нұрлан", "part": "owner"}).status_code == 201

    case = Case.objects.get(pk=pk)
    intake = services.open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=today, case=case)
    intake = services.save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=some_rows(4))
    horns = [horn.number for horn in register(intake, actor=inspector, at=now)]

    expertise = post(by, f"{pk}/expertises/", {"institution": "Орталық", "requested_on": today}).json()["id"]
    concluded = by.post(
        f"/api/v1/cases/{pk}/expertises/{expertise}/",
        {"number": "312", "done_on": today, "finding": "Saiga tatarica", "scan": scan()},
    )
    assert (concluded.status_code, bool(concluded.json()["document"])) == (200, True)

    decision = {"court": "Орал қалалық соты", "number": "1-9", "decided_on": today, "in_force_on": today}
    unknown = post(by, f"{pk}/decisions/", decision | {"returned": ["KZ99-1"]})
    assert (unknown.status_code, list(unknown.json()["fields"])) == (422, ["returned"])
    bare = post(by, f"{pk}/decisions/", decision | {"returned": horns[:1]})
    assert (bare.status_code, list(bare.json()["fields"])) == (422, ["scan"])
    recorded = by.post(
        f"/api/v1/cases/{pk}/decisions/",
        decision | {"returned": horns[:1], "confiscated": horns[1:], "scan": scan()},
    )
    assert recorded.status_code == 201, recorded.json()
    at = f"{pk}/decisions/{recorded.json()['id']}"
    officer = sign_in(authority_officer)
    unsettled = post(officer, f"{at}/confirm/", {"password": PASSWORD})
    assert (unsettled.status_code, unsettled.json()["code"]) == (409, "counts-not-settled")
    assert by.get(f"/api/v1/cases/{pk}/").json()["counts_settled"] is False
    notice = Notice.objects.get(code="case.counts_differ")
    judged = {"outcome": "corrected", "decision": "Miscounted", "reason": "The protocol counted a broken horn twice."}
    assert head.post(f"/api/v1/notices/{notice.pk}/decide/", judged, "application/json").status_code == 200
    assert post(officer, f"{at}/confirm/", {"password": PASSWORD}).status_code == 200

    frozen = post(by, f"{pk}/facts/", {"version": 1, "males": 9})
    assert (frozen.status_code, frozen.json()["code"]) == (409, "case-decided")
    receiver = {"receiver_name": "Жақсылықов Нұрлан", "receiver_document": "ЖК № 045871236", "password": PASSWORD}
    receiver |= {"second": "Inspector", "second_password": PASSWORD}
    hands = sign_in(second_inspector)
    itself = by.post(f"/api/v1/cases/{at}/return/", receiver | {"second": "second_inspector", "receipt": scan()})
    assert (itself.status_code, itself.json()["code"]) == (403, "second-person-needed")
    unsigned = post(hands, f"{at}/return/", receiver)
    assert (unsigned.status_code, list(unsigned.json()["fields"])) == (422, ["receipt"])
    wrong = hands.post(f"/api/v1/cases/{at}/return/", receiver | {"password": "no", "receipt": scan()})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["password"])
    forged = hands.post(f"/api/v1/cases/{at}/return/", receiver | {"second_password": "no", "receipt": scan()})
    assert (forged.status_code, list(forged.json()["fields"])) == (422, ["second_password"])
    sent = receiver | {"receiver_name": "Нотариусов Асан", "on_behalf": "№ 17"}
    for whom in ("", "decision", "999999"):  # this decision names nobody
        refused = hands.post(f"/api/v1/cases/{at}/return/", sent | {"for_whom": whom, "receipt": scan()})
        assert (refused.status_code, list(refused.json()["fields"])) == (422, ["for_whom"])
    key = {"Idempotency-Key": "return"}
    given = hands.post(f"/api/v1/cases/{at}/return/", receiver | {"receipt": scan()}, headers=key)
    again = hands.post(f"/api/v1/cases/{at}/return/", receiver | {"receipt": scan()}, headers=key)
    assert (given.status_code, given.json()["items"], again.json()) == (201, horns[:1], given.json())

    told = by.get(f"/api/v1/cases/{pk}/").json()
    assert {(line["outcome"], line["kind"], line["pieces"]) for line in told["goods"]} == {
        ("returned", "returned", 1),
        ("confiscated", "evidence", 3),
    }
    (decided,) = told["decisions"]
    acts = {line["item"]: line["return_act"] for line in decided["items"]}
    assert (decided["state"], acts) == ("confirmed", dict.fromkeys(horns[1:]) | {horns[0]: given.json()["number"]})
    assert told["expertises"][0]["finding"] == "Saiga tatarica"
    paper = f"/api/v1/cases/{pk}/returns/{given.json()['id']}/ru.pdf"
    assert b"".join(by.get(paper).streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    assert officer.get(paper).status_code == 403
    assert "Жақсылықов" not in str(told)


def test_strangers_are_told_nothing_of_a_case(
    decision: CourtDecision, sign_in: SignIn, inspector_elsewhere: User, trader: User, client: Client
) -> None:
    pk, elsewhere = decision.case_id, sign_in(inspector_elsewhere)
    acts = {
        "facts/": {"version": 0},
        "counts/": [],
        "expertises/": {"institution": "A", "requested_on": "2025-11-10"},
        f"decisions/{decision.pk}/confirm/": {"password": PASSWORD},
        f"decisions/{decision.pk}/withdraw/": {"reason": "a good reason"},
        f"decisions/{decision.pk}/return/": {},
    }

    assert elsewhere.get(f"/api/v1/cases/{pk}/").status_code == 404
    assert {post(elsewhere, f"{pk}/{act}", body).status_code for act, body in acts.items()} == {404}
    assert {post(sign_in(trader), f"{pk}/{act}", body).status_code for act, body in acts.items()} == {403}
    assert {post(client, f"{pk}/{act}", body).status_code for act, body in acts.items()} == {401}
    assert elsewhere.get(f"/api/v1/cases/{pk}/persons/").status_code == 404


def test_numbers_beyond_what_fits_are_refused_and_not_an_error(
    held_case: Case, sign_in: SignIn, inspector: User
) -> None:
    by, beyond = sign_in(inspector), 10**30

    counted = post(by, f"{held_case.pk}/counts/", [{"term": "HOR", "pieces": 4, "grams": beyond}])
    valued = post(by, f"{held_case.pk}/facts/", {"version": 0, "estimated_value": beyond})
    males = post(by, f"{held_case.pk}/facts/", {"version": 0, "males": beyond})

    assert {answer.status_code for answer in (counted, valued, males)} == {422}


def test_a_lower_count_says_why(held_case: Case, sign_in: SignIn, inspector: User) -> None:
    by, counts = sign_in(inspector), f"{held_case.pk}/counts/"
    assert post(by, counts, [{"term": "HOR", "pieces": 5}]).status_code == 200

    bare = post(by, counts, [{"term": "HOR", "pieces": 4}])
    said = post(by, counts, [{"term": "HOR", "pieces": 4, "reason": "One horn lies broken in two"}])

    assert (bare.status_code, list(bare.json()["fields"])) == (422, ["reason"])
    assert (said.status_code, said.json()["counts"], said.json()["counts_settled"]) == (
        200,
        [{"term": "HOR", "pieces": 4, "grams": None}],
        False,
    )
    assert Notice.objects.get(code="case.count_lowered").decides == "authority"


def test_the_facts_of_a_case_are_read_as_they_are_written(
    held_case: Case, sign_in: SignIn, inspector: User, trader: User, client: Client
) -> None:
    by = sign_in(inspector)
    lists = by.get("/api/v1/cases/lists/", headers={"accept-language": "en"}).json()
    codes = {name: {line["code"] for line in lines} for name, lines in lists.items()}
    facts = {name: sorted(codes[name])[0] for name in ("reason", "detection", "transport", "concealment")}
    facts |= {"origin_country": "KZ", "destination_country": "CN", "transit_countries": ["KG"], "nationalities": []}
    assert {"KZ", "CN", "KG"} <= codes["countries"]
    assert {"code": "KZ", "name": "Kazakhstan"} in lists["countries"]

    written = post(by, f"{held_case.pk}/facts/", facts | {"version": 0})
    read = by.get(f"/api/v1/cases/{held_case.pk}/").json()
    again = post(by, f"{held_case.pk}/facts/", read)

    assert written.status_code == 200, written.content
    assert {name: read[name] for name in facts} == facts
    assert (read["agency"], read["region"]) == (held_case.agency.bin, held_case.region_id)
    assert (again.status_code, again.json()) == (200, read)
    in_list = by.get("/api/v1/cases/").json()["results"]
    assert [case["agency"] for case in in_list] == [held_case.agency.bin]
    assert client.get("/api/v1/cases/lists/").status_code == 401


def test_the_damage_and_the_story_of_a_case_are_told(
    decision: CourtDecision, held_case: Case, sign_in: SignIn, inspector: User, inspector_elsewhere: User
) -> None:
    by, address = sign_in(inspector), f"/api/v1/cases/{held_case.pk}/"
    said = {"version": held_case.version, "males": 1, "females": 2, "offence_on": held_case.seized_on.isoformat()}
    assert post(by, f"{held_case.pk}/facts/", said).status_code == 200

    damage = by.get(address).json()["damage"]
    said_in = {"accept-language": "en"}
    story = by.get(f"{address}story/?page_size=1000", headers=said_in).json()["results"]
    page = by.get(f"{address}story/?page_size=2").json()

    lines = {line["what"]: line for line in damage["charges"]}
    assert (damage["on"], damage["mrp"], damage["horns_of_males"]) == (held_case.seized_on.isoformat(), 3932, 2)
    assert {what: line["count"] for what, line in lines.items()} == {"male": 1, "female": 2, "horn": 2}
    for line in lines.values():
        assert (line["units"], line["tenge"]) == (line["count"] * line["rate"], line["units"] * 3932)
    assert damage["tenge"] == sum(line["tenge"] for line in lines.values())
    deeds = {event["verb"]: event["deed"] for event in story}
    assert story[0]["verb"] == "case.facts_noted"
    assert deeds["case.decision_recorded"] == "Court decision recorded"
    assert {"case.opened", "intake.opened", "intake.registered"} <= deeds.keys()
    assert [event["id"] for event in page["results"]] == [event["id"] for event in story[:2]]
    assert by.get(page["next"]).json()["results"][0]["id"] == story[2]["id"]
    assert sign_in(inspector_elsewhere).get(f"{address}story/").status_code == 404


def test_a_case_costs_the_same_whatever_the_number_of_goods(
    decision: CourtDecision, sign_in: SignIn, inspector: User, django_assert_max_num_queries: Callable[..., object]
) -> None:
    by = sign_in(inspector)

    with django_assert_max_num_queries(24):  # type: ignore[attr-defined]
        told = by.get(f"/api/v1/cases/{decision.case_id}/").json()

    assert len(told["decisions"][0]["items"]) == 4
