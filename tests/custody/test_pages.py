"""Pages of loss and destruction, as people walk through them."""

import base64
from datetime import datetime

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from custody.models import DestructionOrder, LossAct, LossReport
from ledger.models import CustodyAccount, Hold
from registry.models import Derivative
from tests.builders import LOSS_TOLD
from tests.cast import PASSWORD
from tests.files import paper, picture, scrawl


def test_a_loss_is_reported_and_settled_on_its_pages(
    client: Client, marked: list[Derivative], storekeeper: User, authority_officer: User, now: datetime
) -> None:
    client.force_login(storekeeper)
    numbers = " ".join(horn.number for horn in marked[:2])
    form = {"kind": "theft", "items": numbers, "noticed_on": "2025-11-10", "last_seen_on": "2025-11-09", **LOSS_TOLD}
    assert client.post(reverse("custody:report-loss"), form | {"items": ""}).status_code == 422
    assert client.post(reverse("custody:report-loss"), form).status_code == 302
    report = LossReport.objects.get()
    assert Hold.objects.active().filter(kind="loss").count() == 2
    assert report.number in client.get(reverse("custody:losses"), {"state": "open"}).content.decode()
    assert client.get(reverse("custody:loss", args=[report.pk])).status_code == 200
    assert client.post(reverse("custody:loss-police", args=[report.pk]), {"police_number": "KUI 7"}).status_code == 302
    write_off = {"items": marked[0].number, "reason": "Gone without a trace"}
    assert client.post(reverse("custody:propose-write-off", args=[report.pk]), write_off).status_code == 422
    write_off |= {"early_reason": "Seen in the river"}
    assert client.post(reverse("custody:propose-write-off", args=[report.pk]), write_off).status_code == 302
    act = LossAct.objects.get()
    assert client.get(reverse("custody:decide-loss-act", args=[report.pk, act.pk])).status_code == 403

    client.force_login(authority_officer)
    url = reverse("custody:decide-loss-act", args=[report.pk, act.pk])
    seen = client.get(url).content.decode()
    for said in (
        marked[0].number,
        "The lock of the door is broken.",
        "Seen on the morning round",
        "KUI 7",
        "Seen in the river",
    ):
        assert said in seen
    assert client.post(url, {"password": "no"}).status_code == 422
    assert client.post(url, {"password": PASSWORD}).status_code == 302
    kept = client.get(reverse("custody:loss-paper", args=[report.pk, act.pk, "kk"]))
    assert kept["Content-Type"] == "application/pdf"
    assert "KUI 7" in client.get(reverse("custody:loss", args=[report.pk])).content.decode()


def test_a_destruction_goes_from_order_to_act_on_its_pages(
    client: Client, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    reception_store: CustodyAccount,
) -> None:  # fmt: skip
    client.force_login(storekeeper)
    form = {
        "store": reception_store.pk,
        "basis": "spoilage",
        "basis_paper": "Act 5",
        "planned_on": "2025-11-10",
        "items": "\n".join(horn.number for horn in marked[:3]),
    }
    assert client.post(reverse("custody:order-destruction"), form).status_code == 422
    form["basis_file"] = SimpleUploadedFile("act.pdf", paper())
    assert client.post(reverse("custody:order-destruction"), form).status_code == 302
    order = DestructionOrder.objects.get()

    def page(name: str, *more: int) -> str:
        return reverse(f"custody:{name}", args=[order.pk, *more])

    for member in (
        {"username": "storekeeper", "post": "Keeper"},
        {"username": "inspector", "post": "Inspector"},
        {"username": authority_officer.username, "post": "Officer"},
        {"full_name": "Смағұлов Ербол", "identity": "№ 041237765", "post": "Akimat"},
    ):
        assert client.post(page("destruction-commission"), member).status_code == 302
    assert client.post(page("destruction-commission"), {"username": "nobody", "post": "-"}).status_code == 422
    for horn in marked[:2]:
        assert 'data-tone="ok"' in client.post(page("destruction-scan"), {"code": horn.number}).content.decode()
    stop = client.post(page("destruction-scan"), {"code": marked[5].number}, headers={"X-Scan": "part"})
    assert 'data-tone="stop"' in stop.content.decode()
    horn = marked[0]
    odd = {"item": horn.number, "weighed_g": "1"}
    assert client.post(page("destruction-weigh"), odd).status_code == 422
    weighed = {"item": horn.number, "weighed_g": str(horn.mass_g)}
    assert client.post(page("destruction-weigh"), weighed).status_code == 302
    after = {"place": "Oral", "method": "Burned", "mass_before_g": "0,2", "mass_after_g": "0,05"}
    file = SimpleUploadedFile("fire.png", picture())
    client.post(reverse("documents:add", args=["destruction", order.pk]), {"files": file, "caption": "Fire"})
    assert client.post(page("destruction-close"), after).status_code == 422
    after["mass_reason"] = "One horn was burned to ash before it was weighed"
    assert client.post(page("destruction-close"), after).status_code == 302
    order.refresh_from_db()
    seats = list(order.members.all())
    shown = client.get(page("destruction")).content.decode()
    assert "act-refused" in shown
    digest = {"digest": order.digest}
    assert client.post(page("destruction-sign", seats[0].pk), digest | {"password": PASSWORD}).status_code == 302
    drawn = {"signature": f"data:image/png;base64,{base64.b64encode(scrawl()).decode()}"}
    assert client.post(page("destruction-sign", seats[3].pk), digest | drawn).status_code == 302
    assert client.post(page("destruction-sign", seats[1].pk), digest | {"password": PASSWORD}).status_code == 403
    for seat, person in ((seats[1], inspector), (seats[2], authority_officer)):
        client.force_login(person)
        assert client.post(page("destruction-sign", seat.pk), digest | {"password": PASSWORD}).status_code == 302
    client.post(page("destruction-execute"))

    order.refresh_from_db()
    assert order.state == "executed"
    for language in ("kk", "ru", "en"):
        assert client.get(reverse("custody:destruction-paper", args=[order.pk, language])).status_code == 200
    assert client.get(page("destruction")).status_code == 200
    assert client.get(reverse("custody:destructions")).status_code == 200


def test_strangers_find_nothing(client: Client, marked: list[Derivative], trader: User, stranger: User) -> None:
    client.force_login(trader)
    assert client.get(reverse("custody:loss", args=[1])).status_code == 404
    assert client.get(reverse("custody:destruction", args=[1])).status_code == 404
    assert client.get(reverse("custody:order-destruction")).status_code == 403
    client.force_login(stranger)
    assert client.get(reverse("custody:losses")).status_code == 403
