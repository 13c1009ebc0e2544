"""What people tell about a label: taken in without an account, kept without what the photo gives away."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.notices.models import Notice
from marking.models import Mark, Tip
from marking.views import tips as views

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "allow", lambda *_args, **_kwargs: True)


@pytest.fixture
def photo() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Maker of phones"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 13.0, 0.0), 3: "E", 4: (51.0, 22.0, 0.0)})
    out = io.BytesIO()
    Image.new("RGB", (3_000, 1_500), "tan").save(out, "JPEG", exif=exif)
    return out.getvalue()


def send(client: Client, **fields: object) -> int:
    return client.post("/m/tip/?lang=en", {"about": "copy", **fields}).status_code


def test_anybody_tells_and_the_authority_reads(
    client: Client, marks: list[Mark], photo: bytes, committee: object, auditor: User
) -> None:
    status = send(
        client,
        read=marks[0].code.lower(),
        words="Two stalls, one label",
        place="Altyn Orda",
        photo=SimpleUploadedFile("IMG_1.jpg", photo),
    )

    assert status == 302
    tip = Tip.objects.get()
    assert (tip.code, tip.about, tip.place, tip.contact) == (marks[0].code, "copy", "Altyn Orda", "")
    notice = Notice.objects.get(code="tip.taken")
    assert (notice.subject_id, notice.params["code_read"]) == (str(tip.pk), tip.shown_code)
    client.force_login(auditor)
    page = client.get(f"/tips/{tip.pk}/").content.decode()
    assert "Two stalls, one label" in page
    assert marks[0].item.number in page
    assert tip.shown_code in client.get("/tips/").content.decode()


def test_the_photo_says_nothing_of_who_took_it(client: Client, photo: bytes, auditor: User) -> None:
    send(client, photo=SimpleUploadedFile("IMG_1.jpg", photo))
    client.force_login(auditor)
    kept = b"".join(client.get(f"/tips/{Tip.objects.get().pk}/photo/").streaming_content)  # type: ignore[attr-defined]

    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (2_000, 1_000)
        assert not image.getexif()
    assert b"Maker of phones" not in kept


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"%PDF-1.4", b"\xff\xd8\xff\xe0 half"])
def test_it_refuses_what_is_no_photo(client: Client, content: bytes) -> None:
    assert send(client, photo=SimpleUploadedFile("a.jpg", content)) == 422
    assert send(client, about="nonsense") == 422
    assert not Tip.objects.exists()
    assert not Notice.objects.exists()


def test_one_address_cannot_fill_the_store(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "allow", lambda *_args, **_kwargs: False)

    assert send(client) == 429
    assert not Tip.objects.exists()


def test_only_those_who_see_everything_read_tips(client: Client, inspector: User) -> None:
    send(client)
    tip = Tip.objects.get()
    for path in ("/tips/", f"/tips/{tip.pk}/", f"/tips/{tip.pk}/photo/"):
        assert client.get(path).status_code == 302
    client.force_login(inspector)
    for path in ("/tips/", f"/tips/{tip.pk}/", f"/tips/{tip.pk}/photo/"):
        assert client.get(path).status_code == 403


def test_the_list_asks_the_database_as_often_for_many(
    client: Client, auditor: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(auditor)
    counts = []
    for more in (1, 20):
        for _ in range(more):
            send(client)
        with django_assert_max_num_queries(12) as captured:
            client.get("/tips/")
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_database_keeps_a_tip_as_it_was(client: Client) -> None:
    send(client)

    for act in (Tip.objects.all().delete, lambda: Tip.objects.update(words="nothing")):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


@pytest.mark.parametrize("language", ["kk", "ru", "en", "zh-hans"])
def test_the_public_pages_speak_four_languages(client: Client, marks: list[Mark], language: str) -> None:
    title = {"kk": "Түпнұсқа", "ru": "Подлинн", "en": "Genuine", "zh-hans": "真实有效"}[language]
    answer = client.get(f"/m/{marks[0].code}", {"lang": language})
    form = client.get("/m/tip/", {"lang": language, "text": marks[0].code})

    assert title in answer.content.decode()
    assert marks[0].code in form.content.decode()
    for page in (answer, form):
        assert page["Content-Language"] == language
        assert f'<html lang="{language}"' in page.content.decode()


def test_it_says_when_a_permit_is_needed_to_leave(client: Client, marks: list[Mark]) -> None:
    page = client.get(f"/m/{marks[0].code}", {"lang": "en"}).content.decode()

    assert "only with a CITES permit" in page
    assert "only with a CITES permit" not in client.get("/m/7H4Q9TX2MW8H", {"lang": "en"}).content.decode()
