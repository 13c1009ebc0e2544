"""What is too large, or comes too often, is refused before a byte of it is read."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.multipartparser import MultiPartParser
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from core.base.stack import ROOT
from core.base.uploads import FILMS_BYTES, MEGABYTE, PAPER_BYTES, PEOPLE_BYTES
from core.documents.models import Attachment, Document
from core.documents.services import MAX_BYTES
from marking.models import Tip
from marking.views import once as once_views
from marking.views import tips as tip_views
from registry.models import Intake

pytestmark = pytest.mark.django_db

MADE_UP = {"HTTP_COOKIE": f"csrftoken={'a' * 32}"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each form that was read."""
    known: list[str] = []
    parse = MultiPartParser.parse

    def noted(self: MultiPartParser) -> Any:
        known.append("read")
        return parse(self)

    monkeypatch.setattr(MultiPartParser, "parse", noted)
    return known


@pytest.fixture
def outsider() -> Client:
    """As a browser: with the protection against forged requests."""
    return Client(enforce_csrf_checks=True)


def sized(size: int) -> dict[str, object]:
    return {"photo": SimpleUploadedFile("a.jpg", bytes(size)), "about": "copy"}


def large(megabytes: int) -> dict[str, object]:
    return {"photo": SimpleUploadedFile("a.jpg", bytes(megabytes * 1_000_000)), "about": "copy"}


@pytest.mark.parametrize("door", ["/accounts/login/", "/m/once/", "/labels/reels/1/write-off/", "/carriers/file/"])
def test_files_of_a_stranger_are_not_read_where_nobody_asks_for_them(
    outsider: Client, read: list[str], door: str
) -> None:
    answer = outsider.post(door, large(3), **MADE_UP)  # type: ignore[arg-type]

    assert answer.status_code == 413
    assert read == []


@pytest.mark.parametrize(("views", "door"), [(tip_views, "/m/tip/"), (once_views, "/m/once/")])
def test_what_comes_too_often_is_not_read(
    outsider: Client, read: list[str], monkeypatch: pytest.MonkeyPatch, views: Any, door: str
) -> None:
    monkeypatch.setattr(views, "allow", lambda *_args, **_kwargs: False)

    answer = outsider.post(door, {"about": "copy", "photo": SimpleUploadedFile("a.jpg", b"x")}, **MADE_UP)  # type: ignore[arg-type]

    assert answer.status_code == 429
    assert read == []


@pytest.mark.parametrize("door", ["/m/tip/", "/m/once/"])
def test_a_form_made_up_elsewhere_is_refused(outsider: Client, monkeypatch: pytest.MonkeyPatch, door: str) -> None:
    for views in (tip_views, once_views):
        monkeypatch.setattr(views, "allow", lambda *_args, **_kwargs: True)

    assert outsider.post(door, {"about": "copy"}, **MADE_UP).status_code == 403  # type: ignore[arg-type]
    assert not Tip.objects.exists()


def test_a_photo_with_a_tip_is_read_and_more_is_not(
    client: Client, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tip_views, "allow", lambda *_args, **_kwargs: True)

    assert client.post("/m/tip/", large(3)).status_code == 422  # no photo, but it was looked at
    assert read == ["read"]
    assert client.post("/m/tip/", large(23)).status_code == 413
    assert read == ["read"]


def test_who_is_signed_in_sends_papers_anywhere_and_no_more(inspector: User, client: Client, read: list[str]) -> None:
    client.force_login(inspector)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    answer = client.post("/m/tip/", sized(PAPER_BYTES + 2 * MEGABYTE))
    assert (answer.status_code, "51 MB" in answer.content.decode()) == (413, True)
    answer = client.post("/api/v1/intakes/", sized(PAPER_BYTES + 2 * MEGABYTE))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert read == []


@pytest.mark.parametrize("door", ["/m/tip/", "/m/once/"])
@pytest.mark.parametrize(
    ("status", "size", "origin"),
    [(413, 23 * MEGABYTE, "http://testserver"), (403, 1, "http://testserver"), (403, 1, "https://evil.example")],
)
@pytest.mark.parametrize(("accepted", "language"), [("ru-RU,ru;q=0.9", "ru"), ("zh-CN", "en"), ("de", "kk")])
def test_a_stranger_is_refused_in_the_own_language(
    outsider: Client, door: str, status: int, size: int, origin: str, accepted: str, language: str
) -> None:
    answer = outsider.post(door, sized(size), headers={"accept-language": accepted, "origin": origin})

    assert (answer.status_code, answer["Content-Language"]) == (status, language)
    assert f'<html lang="{language}"' in answer.content.decode()


@pytest.mark.parametrize(("views", "door"), [(tip_views, "/m/tip/"), (once_views, "/m/once/")])
@pytest.mark.parametrize(
    "sent",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_what_another_site_has_a_browser_send_uses_nothing_up(
    outsider: Client, monkeypatch: pytest.MonkeyPatch, views: Any, door: str, sent: dict[str, str], read: list[str]
) -> None:
    counted: list[str] = []

    def allow(counter: str, **_limits: int) -> bool:
        counted.append(counter)
        return True

    monkeypatch.setattr(views, "allow", allow)

    assert outsider.post(door, {"about": "copy"}, headers=sent).status_code == 403
    assert (counted, read) == ([], [])
    for own in ({}, {"sec-fetch-site": "same-origin", "origin": "http://testserver"}, {"origin": "http://testserver"}):
        outsider.post(door, {"about": "copy"}, headers=own)
    assert len(counted) == 3


@pytest.mark.parametrize("length", ["9" * 5_000, "0" * 30 + "99000000"])
def test_a_length_of_any_length_is_refused(client: Client, read: list[str], length: str) -> None:
    answer = client.post("/m/tip/", {"about": "copy"}, CONTENT_LENGTH=length)

    assert (answer.status_code, read) == (413, [])


def test_a_film_comes_in_where_films_are_taken(
    inspector: User, receive: Callable[..., Intake], client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    intake = receive()
    client.force_login(inspector)
    head = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
    film = head + bytes(PAPER_BYTES + 2 * MEGABYTE)
    page, subject = reverse("documents:add", args=["intake", intake.pk]), {"subject_kind": "intake"}

    sent = client.post(page, {"files": SimpleUploadedFile("a.mp4", film)})
    again = client.post(
        "/api/v1/files/", {**subject, "subject_id": intake.pk, "files": SimpleUploadedFile("b.mp4", film + b"1")}
    )

    assert (sent.status_code, again.status_code) == (302, 201)
    assert [one.document.media_type for one in Attachment.objects.all()] == ["video/mp4"] * 2


@pytest.mark.parametrize("door", ["/api/v1/field/hello/", "/files/of/intake/1/add/"])
def test_a_stranger_sends_little_also_there(outsider: Client, read: list[str], door: str) -> None:
    answer = outsider.post(door, large(3), **MADE_UP)  # type: ignore[arg-type]

    assert answer.status_code == 413
    assert read == []


def test_no_file_is_larger_than_its_request_may_be() -> None:
    papers = {size for kind, size in MAX_BYTES.items() if kind != Document.Kind.VIDEO}

    assert max(papers) < PEOPLE_BYTES
    assert max(MAX_BYTES.values()) < FILMS_BYTES


def test_the_proxy_takes_as_much_as_the_registry() -> None:
    said = (ROOT / "deploy" / "Caddyfile").read_text()
    films, others = re.findall(r"max_size (\d+)MiB", said)

    assert (int(films) * MEGABYTE, int(others) * MEGABYTE) == (FILMS_BYTES, PEOPLE_BYTES)
    (for_films,) = re.findall(r"@films path (.+)", said)
    assert f"@others not path {for_films}\n" in said
    begun = [address.rstrip("*") for address in for_films.split()]
    assert reverse("documents:add", args=["intake", 1]).startswith(begun[0])
    assert begun[1] == "/api/v1/files/"
