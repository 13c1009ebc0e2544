"""Stock-takes and weighing through the API: the same acts, refusals and signatures as on the pages."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from core.accounts.models import User
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, StockTake, Weighing
from ledger.services import NOT_THE_AUTHORITY
from marking.models import SigningKey
from registry.models import Derivative, Processing
from registry.services import Package, save_outputs
from tests.cast import PASSWORD
from tests.goods import put_into
from tests.rights import code_of

pytestmark = pytest.mark.django_db


def send(person: User, name: str, *args: object, **given: Any) -> Any:
    client = Client()
    client.force_login(person)
    return client.post(reverse(f"v1:{name}", args=args), given, content_type="application/json")


def read(person: User, name: str, *args: object) -> Any:
    client = Client()
    client.force_login(person)
    return client.get(reverse(f"v1:{name}", args=args))


# --- weighing -------------------------------------------------------------------------------------------------


def weigh(person: User, store: CustodyAccount, *rows: dict[str, Any]) -> Any:
    return send(person, "weighings", store=store.code, items=list(rows))


def test_an_odd_mass_is_asked_about_held_and_borne_out(
    marked: list[Derivative], storekeeper: User, inspector: User, reception_store: CustodyAccount
) -> None:
    item = marked[0]
    row = {"item": item.number, "grams": 20}

    asked = weigh(storekeeper, reception_store, row)
    assert (asked.status_code, asked.json()["code"]) == (409, "mass-not-confirmed")
    assert not Weighing.objects.exists()
    weighed = weigh(storekeeper, reception_store, {**row, "confirmed": True})
    assert weighed.status_code == 201

    detail = read(storekeeper, "weighing", weighed.json()["id"]).json()
    assert (detail["in_question"], detail["weighed_by"]) == ([item.number], storekeeper.full_name)
    line = read(storekeeper, "weighing-items", weighed.json()["id"]).json()["results"][0]
    assert (line["is_taken"], line["verdict"]) == (False, "loss")
    assert Holding.objects.get(item=item.pk, account=reception_store).grams == item.mass_g

    assert weigh(inspector, reception_store, {**row, "confirmed": True}).status_code == 201
    assert Holding.objects.get(item=item.pk, account=reception_store).grams == 20
    assert read(storekeeper, "weighing", weighed.json()["id"]).json()["in_question"] == []


def test_the_authority_judges_a_mass_under_a_password(
    marked: list[Derivative],
    storekeeper: User,
    inspector: User,
    authority_officer: User,
    stranger: User,
    auditor: User,
    reception_store: CustodyAccount,
) -> None:
    row = {"item": marked[0].number, "grams": 20, "confirmed": True}
    pk = weigh(storekeeper, reception_store, row).json()["id"]
    given = {"reason": "The scale stood askew", "password": PASSWORD}

    assert send(storekeeper, "weighing-settle", pk, **given).status_code == 403
    told = send(inspector, "weighing-settle", pk, **given)
    with translation.override("kk"):
        assert (told.status_code, told.json()["detail"]) == (403, str(NOT_THE_AUTHORITY))
    assert send(auditor, "weighing-settle", pk, **given).status_code == 403
    assert send(stranger, "weighing-settle", pk, **given).status_code == 403
    assert send(authority_officer, "weighing-settle", pk, **{**given, "password": "wrong"}).status_code == 422
    assert send(authority_officer, "weighing-settle", pk, **{**given, "items": [marked[1].number]}).status_code == 409
    assert Hold.objects.active().exists()
    settled = send(authority_officer, "weighing-settle", pk, **given)

    assert (settled.status_code, settled.json()["in_question"]) == (200, [])
    assert not Hold.objects.active().exists()


def test_an_item_named_twice_is_refused_by_its_name(
    marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount
) -> None:
    row = {"item": marked[0].number, "grams": marked[0].mass_g}

    refused = weigh(storekeeper, reception_store, row, {**row, "item": code_of(marked[0])})

    assert refused.status_code == 422
    assert code_of(marked[0]) in refused.content.decode()
    assert not Weighing.objects.exists()


# --- stock-takes ----------------------------------------------------------------------------------------------


def open_count(person: User, store: CustodyAccount, *commission: User, **more: Any) -> Any:
    names = [member.username for member in commission]
    return send(person, "stocktakes", store=store.code, commission=names, **{"kind": "full", **more})


def test_a_count_is_opened_scanned_ended_and_signed(
    marked: list[Derivative], storekeeper: User, auditor: User, reception_store: CustodyAccount
) -> None:
    opened = open_count(storekeeper, reception_store, storekeeper, auditor)
    assert opened.status_code == 201
    pk = opened.json()["id"]

    first = send(storekeeper, "stocktake-scan", pk, code=code_of(marked[0]), key="a").json()
    again = send(storekeeper, "stocktake-scan", pk, code=code_of(marked[0]), key="a").json()
    assert (first["verdict"], again["verdict"], again["repeats"]) == ("found", "found", 0)
    assert send(auditor, "stocktake-scan", pk, code=marked[1].number).json()["found"] == 2
    assert send(auditor, "stocktake-undo", pk).json()["found"] == 1
    assert read(auditor, "stocktake-counts", pk).json()["missing"] == len(marked) - 1
    ended = send(storekeeper, "stocktake-end", pk).json()
    assert (ended["state"], ended["result"]["missing"]) == ("signing", len(marked) - 1)

    digest = ended["result_digest"]
    assert send(storekeeper, "stocktake-sign", pk, digest=digest, password="wrong").status_code == 422
    assert send(storekeeper, "stocktake-sign", pk, digest="0" * 64, password=PASSWORD).status_code == 409
    assert send(storekeeper, "stocktake-sign", pk, digest=digest, password=PASSWORD).json()["state"] == "signing"
    assert send(auditor, "stocktake-sign", pk, digest=digest, password=PASSWORD).json()["state"] == "closed"
    rows = read(auditor, "stocktake-items", pk).json()["results"]
    assert [row["outcome"] for row in rows].count("missing") == len(marked) - 1
    assert send(storekeeper, "stocktake-cancel", pk, reason="Too late, as told").status_code == 409


def test_a_sample_is_announced_and_drawn(
    marked: list[Derivative], storekeeper: User, auditor: User, reception_store: CustodyAccount
) -> None:
    assert open_count(storekeeper, reception_store, storekeeper, auditor, kind="sample").status_code == 422
    announced = open_count(storekeeper, reception_store, storekeeper, auditor, kind="sample", wanted=2).json()
    assert (announced["state"], announced["secret"]) == ("announced", "")

    drawn = send(storekeeper, "stocktake-draw", announced["id"], words="Dollar 512.34 of today").json()

    assert (drawn["state"], drawn["expected_items"], drawn["frame_items"]) == ("counting", 2, len(marked))
    assert drawn["secret"]
    chosen = [row["is_chosen"] for row in read(auditor, "stocktake-items", drawn["id"]).json()["results"]]
    assert chosen.count(True) == 2


def test_what_is_named_wrong_is_said_in_a_sentence(
    marked: list[Derivative], storekeeper: User, auditor: User, trader: User, reception_store: CustodyAccount
) -> None:
    unknown = open_count(storekeeper, reception_store, storekeeper, trader)
    shelf = open_count(storekeeper, reception_store, storekeeper, auditor, shelf="Z-99")

    for answer, value in ((unknown, trader.username), (shelf, "Z-99")):
        said = answer.content.decode()
        assert answer.status_code == 422
        assert value in said
        assert len(said.split()) > 8
    assert not StockTake.objects.exists()


def test_who_may_not_know_a_count_gets_nothing_of_it(
    marked: list[Derivative], storekeeper: User, auditor: User, trader: User, reception_store: CustodyAccount
) -> None:
    pk = open_count(storekeeper, reception_store, storekeeper, auditor).json()["id"]

    assert open_count(trader, reception_store, storekeeper, auditor).status_code == 422
    assert read(trader, "stocktake", pk).status_code == 404
    assert send(trader, "stocktake-scan", pk, code=code_of(marked[0])).status_code == 404
    assert send(trader, "stocktake-end", pk).status_code == 404
    assert send(auditor, "stocktake-again", pk, reason="Count it, as told").status_code == 409
    assert StockTake.objects.get().state == "counting"


# --- processing beyond the norm ---------------------------------------------------------------------------------


def test_a_loss_beyond_the_norm_waits_for_the_password_of_the_authority(
    marked: list[Derivative],
    storekeeper: User,
    authority_officer: User,
    auditor: User,
    signing_key: SigningKey,
    reception_store: CustodyAccount,
) -> None:
    total = sum(item.mass_g for item in marked)
    run = send(storekeeper, "processings", recipe="slices", store=reception_store.code).json()["id"]
    send(storekeeper, "processing-inputs", run, items=[item.number for item in marked])
    client = Client()
    client.force_login(storekeeper)
    client.put(
        reverse("v1:processing-outputs", args=[run]),
        {"packages": [{"mass_g": total - 600}]},
        content_type="application/json",
    )
    asked = send(storekeeper, "processing-register", run, loss_g=600, explanation="The sieve was torn")
    assert (asked.status_code, asked.json()["state"], asked.json()["intake"]) == (200, "awaiting", None)
    assert Hold.objects.active().count() == len(marked)
    given = {"reason": "Seen on the spot", "password": PASSWORD}

    assert send(storekeeper, "processing-approve", run, **given).status_code == 403
    assert send(auditor, "processing-approve", run, **given).status_code == 403
    assert send(authority_officer, "processing-approve", run, **{**given, "password": "wrong"}).status_code == 422
    assert send(authority_officer, "processing-approve", run, **{**given, "reason": "ok"}).status_code == 422
    assert Holding.objects.filter(account=reception_store, pieces__gt=0).count() == len(marked)
    done = send(authority_officer, "processing-approve", run, **given).json()

    assert (done["state"], done["loss_g"], done["approval_reason"]) == ("done", 600, "Seen on the spot")
    assert send(storekeeper, "processing-return", run, reason="Not like this").status_code == 409


def test_a_waiting_run_is_judged_on_its_page(
    marked: list[Derivative],
    storekeeper: User,
    authority_officer: User,
    signing_key: SigningKey,
    reception_store: CustodyAccount,
) -> None:
    total = sum(item.mass_g for item in marked)
    client, officer = Client(), Client()
    client.force_login(storekeeper)
    officer.force_login(authority_officer)
    items = [item.pk for item in marked]
    given = {"recipe": "slices", "store": reception_store.pk, "on": "2025-11-28", "item": items}
    client.post(reverse("custody:processing-open"), given)
    run = Processing.objects.get()
    assert run.inputs.count() == len(marked)
    save_outputs(actor=storekeeper, at=timezone.now(), run=run, packages=[Package(1, total - 600)])
    run.refresh_from_db()
    act = {"loss_g": 600, "explanation": "The sieve was torn", "version": run.version}
    client.post(reverse("custody:processing-register", args=[run.pk]), act)

    page, approve, back = (
        reverse(f"custody:{name}", args=[run.pk]) for name in ("processing", "processing-approve", "processing-return")
    )
    mine, theirs = client.get(page).content.decode(), officer.get(page).content.decode()
    assert approve not in mine
    assert back in mine
    assert approve in theirs
    assert client.post(approve, {"reason": "Seen on the spot", "password": PASSWORD}).status_code == 403
    assert officer.post(approve, {"reason": "Seen on the spot", "password": "wrong"}).status_code == 422
    assert officer.post(back, {"return_reason": "Weigh the dust"}).status_code == 302
    run.refresh_from_db()
    assert run.is_draft
    client.post(reverse("custody:processing-register", args=[run.pk]), {**act, "version": run.version})
    assert officer.post(approve, {"reason": "Seen on the spot", "password": PASSWORD}).status_code == 302
    run.refresh_from_db()
    assert run.state == "done"
    assert officer.get(page).status_code == 200


def test_a_scan_says_what_it_is_that_the_books_have_elsewhere(
    marked: list[Derivative],
    storekeeper: User,
    auditor: User,
    reception_store: CustodyAccount,
    evidence_room: CustodyAccount,
    trader_store: CustodyAccount,
) -> None:
    pk = open_count(storekeeper, reception_store, storekeeper, auditor).json()["id"]
    ashes = CustodyAccount.objects.boundary(AccountKind.DESTRUCTION)
    for item, place in zip(marked, (ashes, evidence_room, trader_store), strict=False):
        put_into(item.pk, place)

    answers = [send(storekeeper, "stocktake-scan", pk, code=item.number).json() for item in marked[:3]]
    page = Client()
    page.force_login(storekeeper)
    shown = page.get(reverse("custody:stocktake", args=[pk])).content.decode()

    assert [answer["what"] for answer in answers] == ["destroyed", "evidence", "other_keeper"]
    assert {answer["verdict"] for answer in answers} == {"elsewhere"}
    assert {answer["tone"] for answer in answers} == {"stop"}
    assert len({answer["title"] for answer in answers}) == 3
    with translation.override("kk"):
        assert str(ashes.get_kind_display()) in shown
        assert trader_store.name not in shown
