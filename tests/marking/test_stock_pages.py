"""Pages and programs of label stock: the whole way of a reel."""

from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.documents.models import Document
from core.jobs.models import Job
from marking.models import LabelDestruction, LabelReel, LabelSeries, LabelShipment, Mark
from marking.services.keys import ensure_signing_key
from marking.services.shipments import send_reels, turn_reels_back
from tests.cast import PASSWORD, enter_person
from tests.files import picture
from tests.marks import build_series, print_out

pytestmark = pytest.mark.django_db


def test_the_way_of_a_reel(
    signing_key: object,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    authority_officer: User,
    storekeeper: User,
    inspector: User,
    authority_head: User,
    now: datetime,
    client: Client,
) -> None:
    client.force_login(authority_officer)
    order = {
        "office": inspectorate.pk,
        "printer": okhotzooprom.pk,
        "purpose": "Field season",
        "profile": "roll-50x25",
        "reel_count": 2,
        "reel_size": 5,
    }
    assert client.get("/labels/series/order/").status_code == 200
    assert client.post("/labels/series/order/", order | {"reel_size": 900}).status_code == 422
    page = client.post("/labels/series/order/", order)["Location"]
    series = LabelSeries.objects.get()
    assert client.get(page).status_code == 200
    assert client.post(f"{page}make/").status_code == 403

    client.force_login(storekeeper)
    assert f"{page}make/" in client.get(page).content.decode()
    client.post(f"{page}make/")
    client.post(f"{page}print/")
    first, second = series.reels.all()
    assert first.label_runs.count() == second.label_runs.count() == 1
    url = f"/labels/reels/{first.pk}/"
    assert client.post(f"{url}printed/", {"device": "Zebra"}).status_code == 422  # not drawn yet
    Job.objects.update(state="done", finished_at=now)
    assert client.get(url).status_code == 200
    assert client.get(f"{url}printed/").status_code == 200
    assert client.post(f"{url}printed/", {"device": "Zebra", "spoiled": "9"}).status_code == 422
    assert client.post(f"{url}printed/", {"device": "Zebra", "spoiled": "5"}).status_code == 302
    assert client.post(f"{url}print/", {"profile": ""}).status_code == 422
    assert client.get(f"/labels/shipments/send/?reel={first.pk}").status_code == 200
    send = {"receiver": inspectorate.pk, "reels": [first.pk], "password": PASSWORD}
    assert client.post("/labels/shipments/send/", send | {"password": "no"}).status_code == 422
    sent = client.post("/labels/shipments/send/", send)["Location"]
    assert client.get(sent).status_code == 200
    assert client.post(sent, {"password": PASSWORD}).status_code == 403

    client.force_login(inspector)
    assert LabelShipment.objects.get().number in client.get("/labels/stock/").content.decode()
    count = {f"counted_{first.pk}": 3, f"missing_{first.pk}": "2", "password": PASSWORD}
    assert client.post(sent, count | {f"missing_{first.pk}": ""}).status_code == 422
    assert client.post(sent, count).status_code == 302
    assert client.get("/labels/shipments/").status_code == 200
    off = {"kind": "spoiled", "places": "1", "reason": "Torn in the store"}
    assert client.get(f"{url}write-off/").status_code == 200
    photo = SimpleUploadedFile("torn.png", picture())
    assert client.post(f"{url}write-off/", off | {"places": "5", "photo": photo}).status_code in (409, 422)
    assert not Document.objects.filter(kind="photo").exists()
    assert client.post(f"{url}write-off/", off).status_code == 302
    assert client.get("/labels/destructions/ask/").status_code == 200
    destroy = {
        "organisation": inspectorate.pk,
        "reels": [first.pk],
        "reason": "Torn in the store",
        "method": "Shredded",
    }
    page = client.post("/labels/destructions/ask/", destroy)["Location"]
    assert b'name="password"' not in client.get(page).content  # nobody signs what they asked for
    client.force_login(authority_head)
    assert client.post(page, {"password": PASSWORD}).status_code == 302
    assert LabelDestruction.objects.get().state == "done"
    for language in ("kk", "ru"):
        assert client.get(f"{page}act-{language}.pdf")["Content-Type"] == "application/pdf"
    assert client.get(page).status_code == 200
    states = dict(Mark.objects.filter(reel=first).values_list("place_on_reel", "state"))
    assert states == {1: "destroyed", 2: "lost", 3: "blank", 4: "blank", 5: "spoiled"}
    for fmt in ("csv", "xlsx"):
        answer = client.get(f"/labels/stock/labels.{fmt}")
        assert answer.status_code == 200
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert fmt == "xlsx" or first.number in content.decode("utf-8-sig")


def test_strangers_see_nothing(
    reel: LabelReel, inspector_elsewhere: User, trader: User, auditor: User, client: Client
) -> None:
    client.force_login(inspector_elsewhere)
    for url in (f"/labels/reels/{reel.pk}/", f"/labels/series/{reel.series_id}/", "/labels/shipments/1/"):
        assert client.get(url).status_code == 404
    assert reel.number not in client.get("/labels/stock/").content.decode()
    client.force_login(auditor)
    assert client.get(f"/labels/reels/{reel.pk}/").status_code == 200
    client.force_login(trader)
    assert client.get("/labels/stock/").status_code == 403


def test_the_books_cost_few_queries_whatever_the_number_of_reels(
    authority_officer: User,
    storekeeper: User,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    now: datetime,
    client: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    ensure_signing_key(at=now)
    build_series(authority_officer, storekeeper, inspectorate, okhotzooprom, at=now, reels=30, size=1)
    client.force_login(storekeeper)
    client.get("/labels/stock/")
    with django_assert_max_num_queries(24):
        client.get("/labels/stock/")


@pytest.fixture
def second_keeper(okhotzooprom: Organisation, administrator: User) -> User:
    """Works beside the storekeeper."""
    return enter_person("second_keeper", "Ахметова Сәуле", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)


def test_labels_are_turned_back_on_the_page(
    series: LabelSeries,
    trader_company: Organisation,
    trader: User,
    storekeeper: User,
    second_keeper: User,
    inspector: User,
    now: datetime,
    client: Client,
) -> None:
    reel = series.reels.get(reel=1)
    print_out(reel, storekeeper, at=now)
    client.force_login(storekeeper)
    form = client.get("/labels/shipments/send/").content.decode()
    assert f'<option value="{series.office_id}"' in form
    assert f'<option value="{trader_company.pk}"' not in form
    send = {"receiver": series.office_id, "reels": [reel.pk], "expected_on": "", "password": PASSWORD}
    assert client.post("/labels/shipments/send/", send | {"receiver": trader_company.pk}).status_code == 422
    page = client.post("/labels/shipments/send/", send)["Location"]
    back = f"{page}turn-back/"
    assert back in client.get(page).content.decode()

    client.force_login(inspector)
    assert back in client.get(page).content.decode()
    assert client.get(back).status_code == 200
    said = {"reason": "Another inspection ordered them", "password": PASSWORD}
    assert client.post(back, said | {"password": "no"}).status_code == 422
    assert client.post(back, said | {"reason": "x"}).status_code == 422
    assert client.post(back, said).status_code == 302
    assert back not in client.get(page).content.decode()
    assert client.post(back, said).status_code == 422
    count = {f"counted_{reel.pk}": 10, "password": PASSWORD}
    assert client.post(page, count).status_code == 403
    client.force_login(second_keeper)
    number = LabelShipment.objects.get().number
    for listed in ("/labels/stock/", "/labels/shipments/"):
        assert number in client.get(listed).content.decode()
    assert client.post(page, count).status_code == 302
    assert LabelShipment.objects.get().state == "returned"


def test_no_page_tells_how_many_are_coming_to_whoever_counts_them(
    series: LabelSeries,
    storekeeper: User,
    second_keeper: User,
    inspector: User,
    authority_officer: User,
    now: datetime,
    client: Client,
) -> None:
    reel = series.reels.get(reel=1)
    print_out(reel, storekeeper, at=now)
    pages = ("/labels/stock/", f"/labels/reels/{reel.pk}/", f"/labels/series/{series.pk}/")
    shipment = send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])

    def told(person: User) -> list[bool]:
        """Whether the page tells the count, by what stands in its place."""
        client.force_login(person)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        found = [client.get(page).content.decode() for page in pages]
        return ["when your office has counted it" not in page for page in found]

    def in_file(person: User) -> str:
        client.force_login(person)
        answer = client.get("/labels/stock/labels.csv")
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        return next(line for line in text.decode("utf-8-sig").splitlines() if reel.number in line)

    assert told(inspector) == [False, False, False]
    assert "10" not in in_file(inspector)
    assert told(storekeeper) == told(authority_officer) == [True, True, True]
    turn_reels_back(actor=inspector, at=now, shipment=shipment, reason="Another inspection ordered them")
    assert told(inspector) == [True, True, True]
    assert told(storekeeper) == [False, False, False]
    assert "10" in in_file(inspector)


def test_programs_do_it_too(
    signing_key: object,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    authority_officer: User,
    storekeeper: User,
    second_keeper: User,
    inspector: User,
    now: datetime,
    client: Client,
) -> None:
    def post(path: str, **body: object) -> Any:
        answer = client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    client.force_login(authority_officer)
    made = post(
        "label-series/",
        office=inspectorate.bin,
        printer=okhotzooprom.bin,
        purpose="Season",
        profile="roll-50x25",
        reel_count=1,
        reel_size=4,
    )
    client.force_login(storekeeper)
    (reel,) = post(f"label-series/{made['id']}/make/")
    post(f"label-reels/{reel['id']}/print/", profile="roll-50x25")
    Job.objects.update(state="done", finished_at=now)
    post(f"label-reels/{reel['id']}/printed/", device="Zebra")
    sent = post("label-shipments/", receiver=inspectorate.bin, reels=[reel["number"]], password=PASSWORD)
    client.force_login(inspector)
    back = {"reason": "Another inspection ordered them", "password": PASSWORD}
    unsigned = client.post(
        f"/api/v1/label-shipments/{sent['id']}/turn-back/", back | {"password": "no"}, content_type="application/json"
    )
    assert unsigned.status_code == 422
    assert post(f"label-shipments/{sent['id']}/turn-back/", **back)["state"] == "returning"
    client.force_login(second_keeper)
    counted = [{"reel": reel["number"], "counted": 4}]
    assert post(f"label-shipments/{sent['id']}/receive/", reels=counted, password=PASSWORD)["state"] == "returned"
    client.force_login(storekeeper)
    day = "2030-01-01"
    far = {"receiver": inspectorate.bin, "reels": [reel["number"]], "expected_on": day, "password": PASSWORD}
    assert client.post("/api/v1/label-shipments/", far, content_type="application/json").status_code == 422
    sent = post("label-shipments/", receiver=inspectorate.bin, reels=[reel["number"]], password=PASSWORD)

    def told() -> list[int | None]:
        newest = client.get("/api/v1/label-shipments/").json()["results"][0]
        return [line["sent"] for line in newest["lines"]]

    assert (sent["lines"][0]["sent"], told()) == (4, [4])
    client.force_login(inspector)
    assert told() == [None]  # who counts does not know how many
    (coming,) = client.get("/api/v1/label-reels/").json()["results"]
    assert (coming["place"], coming["remaining"], coming["remaining_by_marks"], coming["issued"]) == (
        *("transit", None, None),
        None,
    )
    counted = [{"reel": reel["number"], "counted": 3, "missing": "4"}]
    done = post(f"label-shipments/{sent['id']}/receive/", reels=counted, password=PASSWORD)
    assert (done["state"], done["lines"][0]["sent"], told()) == ("received", 4, [4])
    post(f"label-reels/{reel['id']}/write-off/", kind="spoiled", places="1", reason="Torn in the store")
    found = client.get("/api/v1/label-reels/").json()["results"]
    assert [(one["remaining"], one["spoiled"], one["lost"], one["adds_up"]) for one in found] == [(2, 1, 1, True)]
    lines = [{"reel": reel["number"]}]
    asked = post(
        "label-destructions/", office=inspectorate.bin, lines=lines, reason="Torn in the store", method="Shredded"
    )
    client.force_login(authority_officer)
    signed = post(f"label-destructions/{asked['id']}/sign/", password=PASSWORD)
    assert signed["state"] == "done"
    for listed in ("label-series", "label-shipments", "label-destructions", "mark-requests"):
        assert client.get(f"/api/v1/{listed}/").status_code == 200
