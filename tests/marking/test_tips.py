"""What people tell about a label: taken in without an account, kept without what the photo gives away."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.audit.models import Event
from core.base.ratelimit import allow
from core.notices.models import Notice
from marking.limits import TIPS
from marking.models import Mark, Tip
from marking.payload import to_text
from marking.services.tips import TOLD_A_DAY, forget_senders, take_tip
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


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_that_is_cut_off_is_refused_in_words(client: Client, kind: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((900, 700), 60).convert("RGB").save(out, kind)
    cut = SimpleUploadedFile("a.jpg", out.getvalue()[: out.tell() // 2])
    kept = list((Path(settings.MEDIA_ROOT) / "tips").glob("*"))

    answer = client.post("/m/tip/?lang=en", {"about": "copy", "photo": cut})

    assert answer.status_code == 422
    assert "photo" in answer.content.decode()
    assert not Tip.objects.exists()
    assert list((Path(settings.MEDIA_ROOT) / "tips").glob("*")) == kept


def test_a_photo_that_was_not_kept_leaves_no_file(photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError

    monkeypatch.setattr("marking.services.tips.record", fail)
    kept = set((Path(settings.MEDIA_ROOT) / "tips").glob("*"))
    with pytest.raises(DatabaseError):
        take_tip(at=timezone.now(), read="", about="copy", photo=io.BytesIO(photo))

    assert set((Path(settings.MEDIA_ROOT) / "tips").glob("*")) == kept


def test_a_turned_photo_is_kept_upright(client: Client, auditor: User) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (6_000, 3_000), "tan").save(out, "JPEG", exif=exif)
    send(client, photo=SimpleUploadedFile("a.jpg", out.getvalue()))
    client.force_login(auditor)
    kept = b"".join(client.get(f"/tips/{Tip.objects.get().pk}/photo/").streaming_content)  # type: ignore[attr-defined]

    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (1_000, 2_000)


def test_many_tips_of_a_mark_are_one_notice_and_a_flood_is_told_once(
    client: Client, marks: list[Mark], committee: object
) -> None:
    for mark in (marks[0], marks[0], marks[1]):
        send(client, read=mark.code)
    assert Notice.objects.filter(code="tip.taken").count() == 2
    for _ in range(TOLD_A_DAY):
        send(client, words="Buy my horns")

    assert Notice.objects.filter(code="tip.taken").count() == TOLD_A_DAY
    assert Notice.objects.filter(code="tip.many").count() == 1
    assert Tip.objects.count() == TOLD_A_DAY + 3


def test_it_is_counted_before_anything_is_read_of_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = iter([True, True, False])
    monkeypatch.setattr(views, "allow", lambda *_args, **_kwargs: next(counted))

    assert [send(client, about="nonsense") for _ in range(3)] == [422, 422, 429]


def test_a_form_that_is_corrected_uses_up_nobodys_tips(
    client: Client, one_window: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "allow", allow)
    address = {"REMOTE_ADDR": "10.77.8.9"}
    broken = lambda: SimpleUploadedFile("horn.jpg", b"\xff\xd8 no picture", "image/jpeg")  # noqa: E731
    refused = [send(client, about="nonsense", **address) for _ in range(TIPS)]
    refused += [send(client, photo=broken(), **address) for _ in range(2)]
    assert set(refused) == {422}

    assert [send(client, **address) for _ in range(TIPS + 1)] == [302] * TIPS + [429]
    assert Tip.objects.count() == TIPS


def test_forms_of_one_address_end_too(client: Client, one_window: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "allow", allow)
    monkeypatch.setattr(views, "TIP_FORMS", 3)
    address = {"REMOTE_ADDR": "10.77.8.10"}

    assert [send(client, about="nonsense", **address) for _ in range(4)] == [422, 422, 422, 429]
    assert send(client, **address) == 429


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

    for act in (
        Tip.objects.all().delete,
        lambda: Tip.objects.update(words="nothing"),
        lambda: Tip.objects.update(contact=""),
        lambda: Tip.objects.update(words="nothing", forgotten_at=timezone.now()),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_how_to_reach_the_sender_is_for_who_looks_into_it_and_noted(
    client: Client, auditor: User, scientific_reviewer: User, authority_officer: User
) -> None:
    send(client, contact="+7 701 000 00 01")
    tip = Tip.objects.get()
    for person in (auditor, scientific_reviewer):
        client.force_login(person)
        assert "+7 701" not in client.get(f"/tips/{tip.pk}/").content.decode()
        assert client.post(f"/tips/{tip.pk}/contact/").status_code == 403
    client.force_login(authority_officer)
    assert "+7 701" not in client.get(f"/tips/{tip.pk}/").content.decode()
    assert not Event.objects.filter(verb="tip.contact_seen").exists()

    shown = client.post(f"/tips/{tip.pk}/contact/")

    assert "+7 701 000 00 01" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    event = Event.objects.get(verb="tip.contact_seen")
    assert (event.actor_id, event.subject_id) == (authority_officer.pk, str(tip.pk))


def test_senders_are_forgotten_and_what_they_told_is_not(
    client: Client, photo: bytes, authority_officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TIP_SENDERS_KEPT_DAYS", 30)
    told = timezone.now()
    for _ in range(2):
        send(client, words="Two stalls", contact="me@example.kz", photo=SimpleUploadedFile("a.jpg", photo))
    send(client, words="No name")
    old, kept = Tip.objects.exclude(contact="").order_by("at")
    path = Path(old.photo.path)
    assert path.exists()

    assert forget_senders(at=told + timedelta(days=29)) == 0
    assert forget_senders(at=old.at + timedelta(days=30, microseconds=1)) == 1

    old.refresh_from_db()
    kept.refresh_from_db()
    assert (old.contact, old.photo.name, old.words) == ("", "", "Two stalls")
    assert (kept.contact, kept.forgotten_at) == ("me@example.kz", None)
    assert not path.exists()
    assert [event.subject_id for event in Event.objects.filter(verb="tip.sender_forgotten")] == [str(old.pk)]
    client.force_login(authority_officer)
    assert client.get(f"/tips/{old.pk}/photo/").status_code == 404
    for undone in ({"contact": "x"}, {"forgotten_at": None}, {"forgotten_at": told + timedelta(days=90)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Tip.objects.filter(pk=old.pk).update(**undone)
    with pytest.raises(DatabaseError), transaction.atomic():
        Tip.objects.filter(pk=kept.pk).update(forgotten_at=told + timedelta(days=90))


def test_a_photo_that_cannot_be_deleted_is_named_until_it_is(
    client: Client, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("One", "Two"):
        send(client, place=place, contact="me@example.kz", photo=SimpleUploadedFile("a.jpg", photo))
    first, second = Tip.objects.order_by("pk")
    later = timezone.now() + timedelta(days=settings.TIP_SENDERS_KEPT_DAYS + 1)
    path = Path(first.photo.path)
    aside = path.read_bytes()
    path.unlink()
    path.mkdir()  # no file of this name can be deleted
    (path / "in the way").touch()

    assert forget_senders(at=later) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (bool(first.photo), first.forgotten_at, bool(second.photo)) == (True, None, False)

    (path / "in the way").unlink()
    path.rmdir()
    path.write_bytes(aside)
    assert forget_senders(at=later) == 1
    assert not path.exists()


@pytest.mark.parametrize("language", ["kk", "ru", "en", "zh-hans"])
def test_the_public_pages_speak_four_languages(client: Client, marks: list[Mark], language: str) -> None:
    title = {"kk": "Түпнұсқа", "ru": "Подлинн", "en": "Genuine", "zh-hans": "真实有效"}[language]
    symbol = to_text(bytes(marks[0].payload), bytes(marks[0].signature))
    answer = client.get(f"/m/{symbol}", {"lang": language})
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
