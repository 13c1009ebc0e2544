"""What is too large, or comes too often, is refused before a byte of it is read."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.multipartparser import MultiPartParser
from django.test import Client

from core.accounts.models import User
from marking.models import Tip
from marking.views import once as once_views
from marking.views import tips as tip_views

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


def test_who_is_signed_in_may_send_25_megabytes_and_no_more(inspector: User, client: Client, read: list[str]) -> None:
    client.force_login(inspector)

    assert client.post("/m/tip/?lang=en", large(26)).status_code == 413
    answer = client.post("/api/v1/intakes/", large(26))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert read == []


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


@pytest.mark.parametrize("length", ["9" * 5_000, "0" * 30 + "26000000"])
def test_a_length_of_any_length_is_refused(client: Client, read: list[str], length: str) -> None:
    answer = client.post("/m/tip/", {"about": "copy"}, CONTENT_LENGTH=length)

    assert (answer.status_code, read) == (413, [])
