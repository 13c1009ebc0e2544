"""Loss and destruction by programs: the same acts as on the pages, the same refusals."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.accounts.models import User
from custody.models import DestructionOrder, LossAct, LossReport
from ledger.models import CustodyAccount, Hold, Holding
from registry.models import Derivative
from tests.builders import LOSS_TOLD
from tests.cast import PASSWORD
from tests.files import paper, picture, scrawl

Send = Callable[..., Any]


@pytest.fixture
def send() -> Send:
    def sent(person: User, address: str, body: Any = None, **more: Any) -> Any:
        client = Client()
        client.force_login(person)
        if body is None:
            return client.get(f"/api/v1/{address}")
        return client.post(f"/api/v1/{address}", body, **({"content_type": "application/json"} | more))

    return sent


def lost(items: list[Derivative], **said: Any) -> dict[str, Any]:
    told = {"kind": "theft", "account": "RP-27-1", "noticed_on": "2025-11-10", "last_seen_on": "2025-11-09"}
    return told | LOSS_TOLD | {"items": [horn.number for horn in items]} | said


def test_a_loss_is_reported_read_and_written_off_with_the_second_persons_password(
    send: Send, marked: list[Derivative], storekeeper: User, authority_officer: User, reception_store: CustodyAccount
) -> None:
    made = send(storekeeper, "losses/report/", lost(marked[:2]))
    assert (made.status_code, made.json()["reported_by"]) == (201, "storekeeper")
    report = f"losses/{made.json()['id']}/"
    bare = {"kind": "write_off", "items": [marked[0].number], "reason": "Gone without a trace"}
    refused = send(storekeeper, f"{report}acts/", bare)
    assert refused.status_code == 422
    assert set(refused.json()["fields"]) == {"no_police_reason", "early_reason"}
    assert send(storekeeper, f"{report}police/", {"police_number": "KUI 7"}).json()["police_number"] == "KUI 7"
    proposed = send(storekeeper, f"{report}acts/", bare | {"early_reason": "Seen in the river"})
    assert proposed.status_code == 201
    act = f"{report}acts/{proposed.json()['id']}/"

    seen = send(authority_officer, report).json()
    assert (seen["police_number"], seen["acts"][0]["early_reason"]) == ("KUI 7", "Seen in the river")
    assert seen["acts"][0]["proposed_by"] == "storekeeper"
    assert send(storekeeper, f"{act}approve/", {"password": PASSWORD}).status_code == 403
    for body in ({}, {"password": "wrong"}):
        unsigned = send(authority_officer, f"{act}approve/", body)
        assert (unsigned.status_code, list(unsigned.json()["fields"])) == (422, ["password"])
    assert LossAct.objects.get().state == "proposed"
    approved = send(authority_officer, f"{act}approve/", {"password": PASSWORD})

    assert (approved.status_code, approved.json()["decided_by"]) == (200, authority_officer.username)
    assert [line["outcome"] for line in send(storekeeper, f"{report}items/").json()["results"]] == [
        "written_off",
        "open",
    ]
    assert send(authority_officer, f"{act}approve/", {"password": PASSWORD}).status_code == 409
    assert b"".join(send(storekeeper, f"{act[:-1]}/ru.pdf")).startswith(b"%PDF")


def test_an_act_is_refused_with_a_reason_and_a_stranger_finds_no_report(
    send: Send, marked: list[Derivative], storekeeper: User, authority_officer: User, trader: User,
    reception_store: CustodyAccount,
) -> None:  # fmt: skip
    report = f"losses/{send(storekeeper, 'losses/report/', lost(marked[:1])).json()['id']}/"
    found = {"kind": "recovery", "items": [marked[0].number], "reason": "Behind the shelf", "target": "CS-75"}
    elsewhere = send(storekeeper, f"{report}acts/", found)
    assert (elsewhere.status_code, list(elsewhere.json()["fields"])) == (422, ["target"])
    act = send(storekeeper, f"{report}acts/", found | {"target": "RP-27-1"}).json()

    assert send(authority_officer, f"{report}acts/{act['id']}/refuse/", {"reason": ""}).status_code == 422
    refused = send(authority_officer, f"{report}acts/{act['id']}/refuse/", {"reason": "Show it first"})

    assert (refused.status_code, refused.json()["state"]) == (200, "refused")
    assert Hold.objects.active().filter(kind="loss").count() == 1
    for address, body in ((report, None), (f"{report}police/", {"police_number": "1"}), (f"{report}items/", None)):
        assert send(trader, address, body).status_code == 404
    assert send(trader, "losses/report/", lost(marked[:1])).status_code == 422
    assert LossReport.objects.count() == 1


def test_a_destruction_goes_from_order_to_act(
    send: Send, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User, trader: User,
    reception_store: CustodyAccount,
) -> None:  # fmt: skip
    numbers = [horn.number for horn in marked]
    order = {"store": "RP-27-1", "basis": "spoilage", "basis_paper": "Act 5", "planned_on": "2025-11-10"}
    unproved = send(storekeeper, "destructions/order/", order)
    assert (unproved.status_code, list(unproved.json()["fields"])) == (422, ["basis_file"])
    with_file = order | {"items": numbers[:1], "basis_file": SimpleUploadedFile("act.pdf", paper())}
    client = Client()
    client.force_login(storekeeper)
    made = client.post("/api/v1/destructions/order/", with_file)
    assert made.status_code == 201, made.content
    one = f"destructions/{made.json()['id']}/"

    assert send(storekeeper, f"{one}goods/", {"items": numbers[1:3]}).json()["masses"]["pieces"] == 3
    assert send(trader, one).status_code == 404
    assert send(inspector, f"{one}commission/", {"username": "nobody", "post": "-"}).status_code == 422
    witness = {"full_name": "Смағұлов Ербол", "post": "Akimat"}
    assert list(send(storekeeper, f"{one}commission/", witness).json()["fields"]) == ["identity"]
    seats = [
        send(storekeeper, f"{one}commission/", said | {"post": "Member"}).json()["id"]
        for said in (
            {"username": "storekeeper"},
            {"username": "inspector"},
            {"username": authority_officer.username},
            witness | {"identity": "№ 041237765"},
            {"full_name": "Other Man", "identity": "Passport N12345678"},
        )
    ]
    assert len(send(storekeeper, f"{one}commission/{seats[4]}/leave/", {}).json()["members"]) == 4

    off_list = send(storekeeper, f"{one}scan/", {"item": numbers[5]})
    assert (off_list.status_code, off_list.json()["code"]) == (409, "not-on-the-list")
    odd = send(storekeeper, f"{one}scan/", {"item": numbers[0], "weighed_g": 1})
    assert (odd.status_code, odd.json()["code"]) == (422, "mass-not-confirmed")
    sure = send(storekeeper, f"{one}scan/", {"item": numbers[0], "weighed_g": 1, "is_confirmed": True})
    assert (sure.status_code, list(sure.json()["fields"])) == (422, ["mass_reason"])
    assert send(storekeeper, f"{one}scan/", {"item": numbers[0], "weighed_g": 10**20}).status_code == 422
    assert send(storekeeper, f"{one}scan/", {"item": "rubbish"}).status_code == 422
    assert DestructionOrder.objects.get().lines.filter(scanned_at__isnull=False).count() == 0
    assert send(inspector, f"{one}scan/", {"item": numbers[0], "weighed_g": marked[0].mass_g}).json()["scanned"] == 1

    after = {"place": "Oral", "method": "Burned", "mass_before_g": marked[0].mass_g, "mass_after_g": 9}
    assert send(storekeeper, f"{one}close/", after).json()["code"] == "pictures-needed"
    photo = {"subject_kind": "destruction", "subject_id": made.json()["id"], "caption": "Fire"}
    client.post("/api/v1/files/", photo | {"files": SimpleUploadedFile("fire.png", picture())})
    closed = send(storekeeper, f"{one}close/", after)
    assert (closed.status_code, closed.json()["state"]) == (200, "signing")
    assert len(closed.json()["files"]) == 1
    assert send(storekeeper, f"{one}open/", {"reason": "Look again, as told"}).json()["state"] == "planned"
    said = {"digest": send(storekeeper, f"{one}close/", after).json()["digest"]}

    assert list(send(storekeeper, f"{one}sign/", said).json()["fields"]) == ["password"]
    assert send(storekeeper, f"{one}sign/", said | {"password": "wrong"}).status_code == 422
    assert send(inspector, f"{one}sign/", {"digest": "other", "password": PASSWORD}).status_code == 409
    assert send(trader, f"{one}sign/", said | {"password": PASSWORD}).status_code == 404
    assert send(storekeeper, f"{one}execute/", {}).json()["code"] == "not-signed-by-all"
    for person in (storekeeper, inspector, authority_officer):
        assert send(person, f"{one}sign/", said | {"password": PASSWORD}).status_code == 200
    drawn = {"signature": f"data:image/png;base64,{base64.b64encode(scrawl()).decode()}", "witness": seats[3]}
    assert send(inspector, f"{one}sign/", said | {"password": PASSWORD, "witness": seats[3]}).status_code == 422
    assert send(inspector, f"{one}sign/", said | drawn | {"password": PASSWORD}).status_code == 200
    done = send(inspector, f"{one}execute/", {})

    assert (done.status_code, done.json()["state"]) == (200, "executed")
    assert Holding.objects.get(item=marked[0].pk, pieces__gt=0).account.kind == "destruction"
    assert [line["outcome"] for line in send(inspector, f"{one}items/").json()["results"]] == [
        "destroyed",
        "left",
        "left",
    ]
    assert b"".join(send(inspector, f"{one}act-en.pdf")).startswith(b"%PDF")
    assert send(storekeeper, f"{one}cancel/", {"reason": "Too late, as told"}).status_code == 409


def test_a_destruction_is_given_up_with_a_reason(
    marked: list[Derivative], send: Send, storekeeper: User, reception_store: CustodyAccount
) -> None:
    client = Client()
    client.force_login(storekeeper)
    order: dict[str, Any] = {"store": "RP-27-1", "basis": "unfit", "basis_paper": "Act 5", "planned_on": "2025-11-10"}
    order |= {"items": marked[0].number, "basis_file": SimpleUploadedFile("act.pdf", paper())}
    one = f"destructions/{client.post('/api/v1/destructions/order/', order).json()['id']}/"
    assert (
        send(storekeeper, f"{one}close/", {"place": "-", "method": "-", "mass_before_g": 1, "mass_after_g": 0}).json()[
            "code"
        ]
        == "invalid-transition"
    )
    assert send(storekeeper, f"{one}cancel/", {"reason": " "}).status_code == 422

    cancelled = send(storekeeper, f"{one}cancel/", {"reason": "Not rotten, as told"}).json()

    assert (cancelled["state"], cancelled["cancel_reason"]) == ("cancelled", "Not rotten, as told")
    assert not Hold.objects.active().exists()
