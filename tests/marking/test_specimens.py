"""Pictures of labels before they are printed: they look like the print, and no symbol of theirs is ours to accept."""

import base64
import io
import re
from datetime import datetime

import pytest
import zxingcpp
from django.test import Client
from PIL import Image, ImageChops

from core.accounts.models import Organisation, User
from marking import codes
from marking.labels import PROFILES
from marking.labels.specimens import CODE
from marking.models import Mark
from marking.selectors import Verdict, check_text
from marking.services.labels import LabelOrder, preview_sheet, print_labels
from registry.models import Intake

pytestmark = pytest.mark.django_db

HOSTS = ("saiga.gov.kz", "testserver")


def texts_in(picture: bytes) -> list[str]:
    image = Image.open(io.BytesIO(picture)).convert("L")
    return [barcode.text for barcode in zxingcpp.read_barcodes(image)]


def pictures_in(page: bytes) -> list[bytes]:
    return [base64.b64decode(found) for found in re.findall(rb'data:image/png;base64,([^"]+)"', page)]


def assert_none_is_ours(texts: list[str], marks: list[Mark]) -> None:
    answers = [check_text(text, own_hosts=HOSTS) for text in texts]
    assert not [
        answer for answer in answers if answer.signed or answer.verdict in (Verdict.GENUINE, Verdict.GENUINE_BUT)
    ]
    for text in texts:
        assert not [mark.code for mark in marks if mark.code in text]


@pytest.mark.parametrize("symbols", ["qr", "datamatrix", "both"])
@pytest.mark.parametrize("profile", ["a4-65", "roll-50x25", "a4-21"])
def test_no_symbol_of_a_picture_is_genuine(
    marks: list[Mark], open_intake: Intake, inspector: User, storekeeper: User, client: Client, now: datetime,
    profile: str, symbols: str,
) -> None:  # fmt: skip
    print_labels(actor=inspector, at=now, intake=open_intake, order=LabelOrder("a4-65"))
    client.force_login(storekeeper)
    asked = {"profile": profile, "dpi": "600", "symbols": symbols, "start": "1", "language": "kk"}

    by_program = client.get(f"/api/v1/intakes/{open_intake.pk}/labels/picture/", asked)
    on_page = client.get(f"/intakes/{open_intake.pk}/labels/preview/", asked)
    in_form = client.get(f"/intakes/{open_intake.pk}/labels/")

    assert "no-store" in by_program["Cache-Control"]
    seen = [by_program.content, *pictures_in(on_page.content), *pictures_in(in_form.content)]
    assert len(seen) == 3
    for picture in seen:
        assert_none_is_ours(texts_in(picture), marks)


def test_the_picture_of_ones_own_size_is_a_specimen_too(
    marks: list[Mark], storekeeper: User, client: Client, okhotzooprom: Organisation
) -> None:
    client.force_login(storekeeper)
    size = {
        "page_width": "58", "page_height": "40", "label_width": "58", "label_height": "40", "symbol": "24",
        "columns": "1", "rows": "1", "margin_left": "0", "margin_top": "0", "inset": "1.5", "symbols": "qr",
        "dpi": "300", "fields": ["term", "number"], "organisation": okhotzooprom.pk, "name": "x",
        "pitch_x": "58", "pitch_y": "40",
    }  # fmt: skip
    page = client.post("/labels/sizes/preview/", size)

    assert page.status_code == 200
    (picture,) = pictures_in(page.content) or pytest.fail(page.content.decode()[-800:])
    assert_none_is_ours(texts_in(picture), marks)


def test_a_specimen_says_so_in_three_languages_and_keeps_the_size_of_the_symbol(
    marks: list[Mark], open_intake: Intake, inspector: User, client: Client
) -> None:
    assert not codes.is_code(CODE)
    pdf, setting = preview_sheet(actor=inspector, intake=open_intake, order=LabelOrder("roll-50x25"))
    assert setting.stock == PROFILES["roll-50x25"]
    client.force_login(inspector)

    picture = client.get(f"/api/v1/intakes/{open_intake.pk}/labels/picture/", {"profile": "roll-50x25"}).content

    red, green, _blue = Image.open(io.BytesIO(picture)).convert("RGB").split()
    assert ImageChops.subtract(red, green, offset=-60).getbbox() is not None
    assert marks[0].code.encode() not in pdf
