"""Processing in the browser and through the API."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from custody.views import processing as views
from ledger.models import CustodyAccount, Hold, Holding
from ledger.services import place_hold
from marking.models import LabelRun, Mark, SigningKey
from registry.models import Derivative, Processing, Recipe
from registry.services import choose_inputs, open_processing
from tests.registry.test_processing import keys, mass

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _keeper(client: Client, storekeeper: User, signing_key: SigningKey) -> None:
    client.force_login(storekeeper)


@pytest.fixture
def run(storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]) -> Processing:
    return open_processing(actor=storekeeper, at=now, recipe=Recipe.SLICES, store=reception_store)


def url(name: str, run: Processing) -> str:
    return reverse(f"custody:processing{name}", args=[run.pk])


def test_it_is_begun_filled_and_registered_without_a_script(
    client: Client, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    opened = client.post(
        reverse("custody:processing-open"),
        {"recipe": "slices", "store": reception_store.pk, "on": "2025-11-10", "item": [horns[0].pk]},
    )
    run = Processing.objects.get()
    assert opened["Location"] == url("", run)
    assert run.inputs.count() == 1

    client.post(url("-scan", run), {"code": horns[1].number})
    client.post(url("-scan", run), {"code": horns[0].intake.number})
    assert run.inputs.count() == 6
    rest = str(mass(horns) - 510)
    client.post(url("-outputs", run), {"count": ["1", ""], "mass_g": ["500", rest], "note": ["А", ""]})
    assert client.get(url("", run)).context["loss"] == 10
    run.refresh_from_db()
    done = client.post(url("-register", run), {"loss_g": "10", "print": "on", "version": run.version})

    run.refresh_from_db()
    assert run.state == "done"
    assert done["Location"] == reverse("marking:label-run", args=[LabelRun.objects.get().pk])
    assert Mark.objects.active().filter(derivative__intake=run.made).count() == 2
    assert horns[0].number in client.get(url("", run)).content.decode()
    assert client.get(reverse("registry:intake", args=[run.made.pk]))["Location"] == url("", run)


def test_a_scan_says_what_stands_against_it(client: Client, run: Processing, horns: list[Derivative]) -> None:
    said = [
        client.post(url("-scan", run), {"code": code}, headers={"X-Scan": "part"}).context["said"].tone
        for code in (horns[0].number, horns[0].number, "KZ25-9999999", "")
    ]

    assert said == ["ok", "attention", "stop", "attention"]
    assert run.inputs.count() == 1


def test_the_list_of_the_store_is_ticked_or_taken_whole(
    client: Client, run: Processing, horns: list[Derivative]
) -> None:
    address = url("-choose", run)
    assert len(client.get(address).context["rows"]) == 6

    client.post(address, {"item": [horns[0].pk]})
    assert run.inputs.count() == 1
    client.post(address, {"all": "yes"})
    assert run.inputs.count() == 6
    client.post(url("-drop", run), {"item": [horns[0].pk]})
    assert run.inputs.count() == 5
    client.post(url("-drop", run), {"everything": "yes"}, headers={"X-Scan": "part"})
    assert run.inputs.count() == 0


def test_rows_that_cannot_be_read_are_shown_again_and_nothing_is_written(client: Client, run: Processing) -> None:
    answer = client.post(url("-outputs", run), {"count": ["2", "x"], "mass_g": ["100", "0"], "note": ["", ""]})

    assert answer.status_code == 422
    assert answer.content.decode().count("field-error") == 2
    assert not run.outputs.exists()


def test_a_script_saves_every_change_and_gets_the_balance(client: Client, run: Processing) -> None:
    answer = client.post(
        url("-outputs", run), {"count": ["2"], "mass_g": ["100"], "note": [""]}, headers={"HX-Request": "true"}
    )

    assert answer.context["came_out"] == 200
    assert "<html" not in answer.content.decode()


def test_a_refusal_shows_the_same_page_again_with_what_to_do(
    client: Client, run: Processing, storekeeper: User, now: datetime, horns: list[Derivative]
) -> None:
    choose_inputs(actor=storekeeper, at=now, run=run, item_ids=keys(horns))
    half = mass(horns) // 2
    client.post(url("-outputs", run), {"count": ["1"], "mass_g": [str(half)], "note": [""]})
    run.refresh_from_db()

    wrong = client.post(url("-register", run), {"loss_g": "1", "version": run.version})
    unexplained = client.post(url("-register", run), {"loss_g": mass(horns) - half, "version": run.version})

    assert wrong.status_code == unexplained.status_code == 422
    assert wrong.context["finish"].errors["loss_g"]
    assert unexplained.context["finish"].errors["explanation"]
    assert Holding.objects.filter(item__in=keys(horns), is_physical=True).count() == 6


def test_a_draft_is_given_up(client: Client, run: Processing) -> None:
    assert client.get(url("-cancel", run)).status_code == 200
    client.post(url("-cancel", run), {"reason": "Қате, as told"})

    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "Қате" in client.get(url("", run)).content.decode()


def test_strangers_and_other_roles_stay_outside(
    client: Client, run: Processing, trader: User, auditor: User, stranger: User
) -> None:
    client.force_login(stranger)
    assert client.get(url("", run)).status_code == 403
    client.force_login(trader)
    assert client.get(url("", run)).status_code == 404
    client.force_login(auditor)
    page = client.get(url("", run))
    assert page.status_code == 200
    assert "data-scan" not in page.content.decode()
    assert client.post(url("-scan", run), {"code": "x"}).status_code == 403


def test_the_page_asks_a_fixed_number_of_times(
    client: Client,
    run: Processing,
    storekeeper: User,
    now: datetime,
    horns: list[Derivative],
    django_assert_max_num_queries: Any,
) -> None:
    def count(items: int) -> int:
        choose_inputs(actor=storekeeper, at=now, run=run, item_ids=keys(horns)[:items])
        with django_assert_max_num_queries(60) as asked:
            client.get(url("", run))
        return len(asked)

    client.get(url("", run))
    assert count(1) == count(6)


def test_a_scan_counts_what_cannot_go_in_over_the_whole_list_and_not_over_what_it_shows(
    client: Client,
    run: Processing,
    storekeeper: User,
    inspector: User,
    now: datetime,
    horns: list[Derivative],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose_inputs(actor=storekeeper, at=now, run=run, item_ids=keys(horns)[:-1])
    place_hold(actor=inspector, at=now, item_ids=keys(horns)[:2], kind=Hold.Kind.DISPUTE, reference="12-2026")
    monkeypatch.setattr(views, "SHOWN", 1)

    scanned = client.post(url("-scan", run), {"code": horns[-1].number}, headers={"X-Scan": "part"})
    saved = client.post(url("-outputs", run), {"form-0-count": "1"}, headers={"HX-Request": "true"})

    for answer in (scanned, saved, client.get(url("", run))):
        assert (answer.context["bad_count"], answer.context["count"]) == (2, len(horns))
        assert len(answer.context["rows"]) + answer.context["more"] == len(horns)
    assert horns[1].number in scanned.content.decode()


def test_programs_do_the_same(
    client: Client, reception_store: CustodyAccount, horns: list[Derivative], trader: User
) -> None:
    def send(method: str, address: str, body: Any) -> Any:
        return getattr(client, method)(f"/api/v1/processing/{address}", body, content_type="application/json")

    opened = send("post", "", {"recipe": "slices", "store": reception_store.code, "on": "2025-11-10"})
    assert opened.status_code == 201, opened.content
    pk = opened.json()["id"]
    chosen = send("post", f"{pk}/inputs/", {"items": [horn.number for horn in horns]})
    assert chosen.json() == {"added": 6, "refused": []}
    packages = [{"count": 2, "mass_g": 500}, {"mass_g": mass(horns) - 1001}]
    filled = send("put", f"{pk}/outputs/", {"packages": packages})
    assert filled.json()["outputs"][0] == {"count": 2, "mass_g": 500, "note": ""}
    refused = send("post", f"{pk}/register/", {"loss_g": 2})
    assert (refused.status_code, refused.json()["code"]) == (422, "mass-differs")
    done = send("post", f"{pk}/register/", {"loss_g": 1})
    assert (done.json()["state"], done.json()["output_pieces"]) == ("done", 3)
    assert client.get("/api/v1/processing/").json()["results"][0]["id"] == pk
    client.force_login(trader)
    assert client.get(f"/api/v1/processing/{pk}/").status_code == 404
    assert send("post", f"{pk}/inputs/", {"items": ["x"]}).status_code == 403
