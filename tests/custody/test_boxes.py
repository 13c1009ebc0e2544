"""Pages and API of boxes and shelves: packing by scanning, seals, labels, putting away."""

import io
from datetime import datetime

import pypdfium2
import pytest
import zxingcpp
from django.test import Client
from PIL import Image

from core.accounts.models import User
from ledger import services
from ledger.models import Box, CustodyAccount, Packing, Placement
from ledger.sscc import parse_sscc
from marking.labels.zpl_reading import draw_format, split_formats
from registry.models import Derivative


def sign_in(person: User) -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    client.force_login(person)
    return client


@pytest.fixture
def box(inspector: User, now: datetime, reception_store: CustodyAccount) -> Box:
    (made,) = services.begin_boxes(actor=inspector, at=now, account=reception_store)
    return made


def test_a_box_is_begun_packed_sealed_and_opened_on_its_page(
    inspector: User, marked: list[Derivative], reception_store: CustodyAccount
) -> None:
    client = sign_in(inspector)
    begun = client.post("/boxes/new/", {"store": reception_store.pk, "kind": "box", "count": "1"})
    box = Box.objects.get()
    page = f"/boxes/{box.sscc}/"
    assert begun["Location"] == page

    packed = client.post(f"{page}scan/", {"code": marked[0].number}, headers={"X-Scan": "part"}).content.decode()
    again = client.post(f"{page}scan/", {"code": marked[0].number}).content.decode()
    client.post(f"{page}scan/", {"code": marked[1].number})
    assert 'data-tone="ok"' in packed
    assert "<h1>" not in packed
    assert "In this box already" in again
    client.post(f"{page}seal/", {"seal_number": "K-77"})
    box.refresh_from_db()
    assert box.seal_number == "K-77"
    refused = client.post(f"{page}scan/", {"code": marked[2].number}).content.decode()
    assert 'data-tone="stop"' in refused
    client.post(f"{page}open/", {"reason": ""})
    box.refresh_from_db()
    assert box.is_sealed
    client.post(f"{page}open/", {"reason": "To count, as told"})
    client.post(f"{page}unpack/", {"item": marked[0].pk})

    assert list(Packing.objects.present().values_list("item", flat=True)) == [marked[1].pk]
    shown = client.get(page).content.decode()
    assert marked[1].number in shown
    assert "Seal opened" in shown
    assert client.get("/boxes/?state=open").content.decode().count("K-77") == 0


def test_the_label_is_read_back_and_found(inspector: User, now: datetime, marked: list[Derivative], box: Box) -> None:
    services.pack_items(actor=inspector, at=now, box=box, item_ids=[marked[0].pk])
    client = sign_in(inspector)

    pdf = client.get(f"/boxes/{box.sscc}/label.pdf")
    batch = client.get(f"/boxes/labels.pdf?box={box.sscc}")

    for answer in (pdf, batch):
        sheet = pypdfium2.PdfDocument(answer.content)[0].render(scale=3).to_pil()
        read = [found.text for found in zxingcpp.read_barcodes(sheet)]
        assert {parse_sscc(text) for text in read} == {box.sscc}
    found = client.get(f"/boxes/?q={read[0]}").content.decode()
    assert box.sscc in found


@pytest.mark.parametrize("dpi", [203, 300])
def test_label_printers_get_the_label_in_whole_dots(inspector: User, box: Box, dpi: int) -> None:
    client = sign_in(inspector)

    zpl = client.get(f"/boxes/{box.sscc}/label.pdf?form=zpl&dpi={dpi}")
    png = client.get(f"/boxes/{box.sscc}/label.pdf?form=png&dpi={dpi}")

    assert zpl["Content-Type"] == "application/zpl"
    for picture in (draw_format(split_formats(zpl.content)[0]), Image.open(io.BytesIO(png.content)).convert("L")):
        read = [found.text for found in zxingcpp.read_barcodes(picture)]
        assert len(read) == 2
        assert {parse_sscc(text) for text in read} == {box.sscc}


def test_who_works_elsewhere_neither_sees_nor_touches_a_box(box: Box, trader: User, marked: list[Derivative]) -> None:
    client = sign_in(trader)

    assert client.get(f"/boxes/{box.sscc}/").status_code == 404
    assert client.post(f"/boxes/{box.sscc}/scan/", {"code": marked[0].number}).status_code == 404
    assert client.get("/boxes/labels.pdf").status_code == 404
    assert not Packing.objects.exists()


def test_things_are_put_away_by_scanning(
    inspector: User, now: datetime, reception_store: CustodyAccount, marked: list[Derivative], box: Box
) -> None:
    client = sign_in(inspector)
    made = client.post(f"/stores/{reception_store.pk}/shelves/", {"name": "Room 1", "codes": "A-1..3"})
    assert made.status_code == 302
    first, second, _third = reception_store.shelves.all()
    services.pack_items(actor=inspector, at=now, box=box, item_ids=[marked[0].pk])

    client.post(f"/shelves/{first.pk}/", {"code": box.sscc})
    client.post(f"/shelves/{first.pk}/", {"code": marked[1].number})
    inside = client.post(f"/shelves/{first.pk}/", {"code": marked[0].number}).content.decode()
    moved = client.post(f"/shelves/{first.pk}/", {"code": second.number})

    assert "What is in a box stands where its box stands" in inside
    assert moved["Location"] == f"/shelves/{second.pk}/"
    assert Placement.objects.present().filter(shelf=first).count() == 2
    listed = client.get(f"/stores/{reception_store.pk}/shelves/").content.decode()
    assert "A-3" in listed
    assert client.get(f"/stores/{reception_store.pk}/shelves/labels.pdf")["Content-Type"] == "application/pdf"
