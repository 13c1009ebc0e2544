"""Files of anything: several at a time, each with its own result, for those who may know the subject."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from PIL import ExifTags, Image

from core.accounts.models import User
from core.accounts.subjects import SUBJECTS, Place, may_add, may_see, register_subject
from core.audit.models import Event
from core.base.errors import BadInput, NotAllowed, NotFound
from core.documents.attaching import AlreadyWithdrawn, FilesAreKept, Outcome, attach_files, files_of, withdraw_file
from core.documents.models import Attachment, Document, Withdrawal
from core.documents.places import metres_between
from registry.models import Intake
from registry.services import cancel_intake
from tests.files import paper, picture

pytestmark = pytest.mark.django_db

MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 64


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def another_intake(receive: Callable[..., Intake]) -> Intake:
    return receive()


def photo(
    form: str = "JPEG", *, lat: float | None = None, lon: float | None = None, taken: str = "", red: int = 200
) -> bytes:
    """A small photo that may say where and when it was made."""
    image = Image.new("RGB", (64, 48), (red, 20, 20))
    exif = Image.Exif()
    if taken:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    if lat is not None and lon is not None:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "NS"[lat < 0], "EW"[lon < 0]
        gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = (abs(lat), 0.0, 0.0), (abs(lon), 0.0, 0.0)
    stream = io.BytesIO()
    image.save(stream, form, exif=exif)
    return stream.getvalue()


def given(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def attach(actor: User, at: datetime, intake: Intake, *files: SimpleUploadedFile, caption: str = "") -> list[Outcome]:
    return attach_files(actor=actor, at=at, subject=("intake", intake.pk), files=files, caption=caption)


def test_a_bad_file_does_not_lose_the_others(inspector: User, open_intake: Intake, now: datetime) -> None:
    files = [given("1.jpg", photo()), given("2.exe", b"MZ\x00"), given("3.pdf", paper()), given("4.mp4", MP4)]

    with translation.override("en"):
        outcomes = attach(inspector, now, open_intake, *files, caption="Жәшік 3")

    assert [bool(outcome.attachment) for outcome in outcomes] == [True, False, True, True]
    assert "PDF" in str(outcomes[1].problem)
    kinds = [one.document.kind for one in files_of(inspector, "intake", open_intake.pk)]
    assert kinds == ["photo", "scan", "video"]
    assert {one.attachment.caption for one in files_of(inspector, "intake", open_intake.pk)} == {"Жәшік 3"}
    assert Event.objects.filter(verb="file.added", subject_id=str(open_intake.pk)).count() == 3
    assert Document.objects.count() == 3


def test_heic_of_a_phone_is_kept_and_shown_small(
    client: Client, inspector: User, open_intake: Intake, now: datetime
) -> None:
    (outcome,) = attach(inspector, now, open_intake, given("IMG_1.HEIC", photo("HEIF")))
    assert outcome.attachment is not None
    client.force_login(inspector)

    answer = client.get(reverse("documents:thumbnail", args=[outcome.attachment.document_id]))

    assert outcome.attachment.document.media_type == "image/heic"
    assert b"".join(answer.streaming_content)[:3] == b"\xff\xd8\xff"  # type: ignore[attr-defined]


def test_place_and_moment_are_read_and_held_against_the_stated_place(
    inspector: User, open_intake: Intake, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Oral, where it is said to be, and a place a degree to the north: about 111 km.
    stated = Place(51.0, 51.0, "Орал")
    register_subject(
        "there",
        see=lambda user, key: True,
        add=lambda user, key: True,
        place=lambda key: stated,
    )
    file = given("1.jpg", photo(lat=52, lon=51, taken="2025:11:09 10:30:00"))
    try:
        (outcome,) = attach_files(actor=inspector, at=now, subject=("there", "7"), files=[file])
    finally:
        del SUBJECTS["there"]

    kept = Attachment.objects.get()
    assert outcome.attachment == kept
    assert (kept.lat, kept.lon, kept.stated_place) == (52.0, 51.0, "Орал")
    assert kept.taken_at == datetime(2025, 11, 9, 5, 30, tzinfo=UTC)
    assert kept.metres_away == metres_between(52, 51, 51, 51) == pytest.approx(111_195, abs=10)


@pytest.mark.parametrize(
    "exif", [{"lat": 0.0, "lon": 0.0}, {"lat": 91.0, "lon": 10.0}, {"taken": "0000:00:00 00:00:00"}]
)
def test_what_a_camera_cannot_mean_is_left_out(
    inspector: User, open_intake: Intake, now: datetime, exif: dict[str, Any]
) -> None:
    attach(inspector, now, open_intake, given("1.jpg", photo(**exif)))

    kept = Attachment.objects.get()
    assert (kept.lat, kept.lon, kept.taken_at, kept.metres_away) == (None, None, None, None)


def test_the_same_photo_twice_is_said(
    inspector: User, open_intake: Intake, another_intake: Intake, now: datetime
) -> None:
    attach(inspector, now, open_intake, given("1.jpg", photo()))

    (again,) = attach(inspector, now, another_intake, given("other name.jpg", photo()))

    assert again.again == 1
    (one,) = files_of(inspector, "intake", another_intake.pk)
    assert [sighting.url for sighting in one.elsewhere] == [reverse("registry:intake", args=[open_intake.pk])]


@pytest.mark.parametrize("name", ["documents:file", "documents:thumbnail", "documents:withdraw"])
def test_a_stranger_finds_nothing(
    client: Client, inspector: User, stranger: User, open_intake: Intake, now: datetime, name: str
) -> None:
    (outcome,) = attach(inspector, now, open_intake, given("1.jpg", photo()))
    assert outcome.attachment is not None
    address = reverse(name, args=[outcome.attachment.document_id])

    assert client.get(address).status_code == 302
    client.force_login(stranger)
    assert client.get(address).status_code == 404
    assert client.post(reverse("documents:add", args=["intake", open_intake.pk])).status_code == 404
    assert client.get(reverse("documents:gallery", args=["intake", open_intake.pk])).status_code == 404
    client.force_login(inspector)
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("kind", sorted(SUBJECTS) or ["derivative"])
def test_a_stranger_gets_404_for_a_file_of_any_kind_of_subject(
    client: Client, inspector: User, stranger: User, open_intake: Intake, now: datetime, kind: str
) -> None:
    (outcome,) = attach(inspector, now, open_intake, given("1.jpg", photo()))
    assert outcome.attachment is not None
    kept = outcome.attachment.document
    document = Document.objects.create(
        kind="photo",
        name="x",
        media_type="image/jpeg",
        size=kept.size,
        sha256=kept.sha256,
        file=kept.file.name,
        uploaded_by=inspector,
        at=now,
    )
    Attachment.objects.create(document=document, subject_kind=kind, subject_id="1", added_by=inspector, added_at=now)
    client.force_login(stranger)

    for name in ("documents:file", "documents:thumbnail"):
        assert client.get(reverse(name, args=[document.pk])).status_code == 404
    assert not may_see(stranger, kind, "1")
    assert not may_add(stranger, kind, "x" * 40)


def test_who_may_see_need_not_be_one_who_may_add(
    inspector: User, auditor: User, open_intake: Intake, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        attach(auditor, now, open_intake, given("1.jpg", photo()))

    assert not Document.objects.exists()


def test_a_subject_that_is_none_takes_no_files(inspector: User, now: datetime) -> None:
    for subject in (("intake", "no number"), ("intake", 10**30), ("nothing", 1)):
        with pytest.raises(NotFound):
            attach_files(actor=inspector, at=now, subject=subject, files=[given("1.jpg", photo())])


def test_no_file_and_too_many_are_refused(inspector: User, open_intake: Intake, now: datetime) -> None:
    for files in ([], [given("1.jpg", photo())] * 51):
        with pytest.raises(BadInput):
            attach(inspector, now, open_intake, *files)


def test_a_wrong_file_is_withdrawn_once_and_stays(inspector: User, open_intake: Intake, now: datetime) -> None:
    (outcome,) = attach(inspector, now, open_intake, given("1.jpg", photo()))
    assert outcome.attachment is not None

    withdraw_file(actor=inspector, at=now, attachment=outcome.attachment, reason="Басқа мүйіз")

    with pytest.raises(AlreadyWithdrawn):
        withdraw_file(actor=inspector, at=now, attachment=outcome.attachment, reason="Again")
    assert Withdrawal.objects.get().reason == "Басқа мүйіз"
    assert outcome.attachment.document.file.open("rb").read() == photo()
    assert not Attachment.objects.standing().exists()


def test_rows_are_kept_whoever_asks(inspector: User, open_intake: Intake, now: datetime) -> None:
    (outcome,) = attach(inspector, now, open_intake, given("1.jpg", photo()))
    assert outcome.attachment is not None
    withdraw_file(actor=inspector, at=now, attachment=outcome.attachment, reason="x")

    for change in (
        lambda: Attachment.objects.update(caption="other"),
        lambda: Attachment.objects.all().delete(),
        lambda: Withdrawal.objects.update(reason="other"),
        lambda: Withdrawal.objects.all().delete(),
        lambda: Attachment.objects.create(
            document=Document.objects.create(
                kind="photo", name="x", media_type="x", size=1, sha256="0" * 64, uploaded_by=inspector, at=now
            ),
            subject_kind="intake",
            subject_id="1",
            lat=100.0,
            lon=1.0,
            added_by=inspector,
            added_at=now,
        ),
    ):
        with pytest.raises((Error, IntegrityError)), transaction.atomic():
            change()


def test_the_page_takes_several_files_without_a_script(client: Client, inspector: User, open_intake: Intake) -> None:
    client.force_login(inspector)
    address = reverse("documents:add", args=["intake", open_intake.pk])
    page = reverse("registry:intake", args=[open_intake.pk])

    answer = client.post(
        address, {"files": [given("1.jpg", photo()), given("2.txt", b"text")], "next": page}, follow=True
    )

    assert answer.redirect_chain == [(page, 302)]
    said = [str(message) for message in answer.context["messages"]]
    assert len(said) == 2
    assert said[1].startswith("2.txt")
    assert Attachment.objects.count() == 1


def test_a_foreign_address_is_not_gone_back_to(client: Client, inspector: User, open_intake: Intake) -> None:
    client.force_login(inspector)

    answer = client.post(
        reverse("documents:add", args=["intake", open_intake.pk]),
        {"files": [given("1.jpg", photo())], "next": "https://elsewhere.example/"},
    )

    assert answer["Location"] == reverse("registry:intake", args=[open_intake.pk])


def test_with_a_script_the_gallery_renews_itself(client: Client, inspector: User, open_intake: Intake) -> None:
    client.force_login(inspector)

    answer = client.post(
        reverse("documents:add", args=["intake", open_intake.pk]),
        {"files": [given("1.jpg", photo(lat=51, lon=51)), given("2.txt", b"text")], "caption": "Таразы"},
        headers={"HX-Request": "true"},
    )

    text = answer.content.decode()
    assert text.count("gallery-file") == 1
    assert "2.txt" in text
    assert "Таразы" in text
    assert "51.00000" in text


def test_the_gallery_asks_the_database_a_fixed_number_of_times(
    client: Client,
    inspector: User,
    open_intake: Intake,
    another_intake: Intake,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    def count(many: int) -> int:
        attach(inspector, now, open_intake, *[given(f"{n}.jpg", photo(red=n + 50 * many)) for n in range(many)])
        with django_assert_max_num_queries(60) as found:
            client.get(reverse("documents:gallery", args=["intake", open_intake.pk]))
        return len(found)

    client.force_login(inspector)
    client.get(reverse("documents:gallery", args=["intake", open_intake.pk]))
    assert count(1) == count(4)


def test_a_program_that_sent_nothing_usable_is_told_by_the_status(
    client: Client, inspector: User, open_intake: Intake
) -> None:
    client.force_login(inspector)
    asked = {"subject_kind": "intake", "subject_id": str(open_intake.pk)}

    refused = client.post(
        "/api/v1/files/",
        asked | {"files": [given("a.jpg", b"no picture"), given("b.pdf", b"MZ")]},
        headers={"Idempotency-Key": "k1"},
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "nothing-kept")
    assert refused["Content-Type"] == "application/problem+json"
    assert [(name, said[0].partition(":")[0]) for name, said in refused.json()["fields"].items()] == [
        ("files.1", "a.jpg"),
        ("files.2", "b.pdf"),
    ]
    assert client.get("/api/v1/files/", asked).json() == []
    page = reverse("documents:add", args=["intake", open_intake.pk])
    assert client.post(page, {"files": given("a.jpg", b"no picture")}).status_code in (302, 422)
    mended = client.post("/api/v1/files/", asked | {"files": given("a.jpg", photo())})
    twice = client.post("/api/v1/files/", asked | {"files": given("a.jpg", photo())})
    assert (mended.status_code, twice.status_code) == (201, 422)
    assert len(client.get("/api/v1/files/", asked).json()) == 1


def test_the_api_adds_lists_hands_out_and_withdraws(
    client: Client, inspector: User, stranger: User, open_intake: Intake
) -> None:
    client.force_login(inspector)
    asked = {"subject_kind": "intake", "subject_id": str(open_intake.pk)}

    added = client.post(
        "/api/v1/files/",
        asked | {"files": [given("1.jpg", photo()), given("2.txt", b"x")]},
        headers={"Idempotency-Key": "k1"},
    )
    again = client.post(
        "/api/v1/files/",
        asked | {"files": [given("1.jpg", photo()), given("2.txt", b"x")]},
        headers={"Idempotency-Key": "k1"},
    )

    assert added.status_code == 201, added.content
    assert again.json() == added.json()
    first, second = added.json()
    assert (first["problem"], second["file"]) == ("", None)
    pk = first["file"]["id"]
    assert [file["id"] for file in client.get("/api/v1/files/", asked).json()] == [pk]
    assert client.get("/api/v1/files/").status_code == 422
    assert b"".join(client.get(f"/api/v1/files/{pk}/content/").streaming_content) == photo()  # type: ignore[attr-defined]
    assert client.get(f"/api/v1/files/{pk}/thumbnail/").status_code == 200
    gone = client.post(f"/api/v1/files/{pk}/withdraw/", {"reason": "Wrong"}, content_type="application/json")
    assert gone.json()["withdrawal_reason"] == "Wrong"
    client.force_login(stranger)
    assert client.get("/api/v1/files/", asked).status_code == 404
    for part in ("", "content/", "thumbnail/"):
        assert client.get(f"/api/v1/files/{pk}/{part}").status_code == 404


def test_the_same_file_is_kept_once_for_a_subject(open_intake: Intake, inspector: User, now: datetime) -> None:
    subject = ("intake", open_intake.pk)
    twice = [given("1.png", picture()), given("again.png", picture())]

    first, second = attach_files(actor=inspector, at=now, subject=subject, files=twice)
    (third,) = attach_files(actor=inspector, at=now, subject=subject, files=[given("1.png", picture())])

    assert first.attachment is not None
    assert second.attachment is None
    assert third.attachment is None
    assert third.problem
    assert Document.objects.count() == 1
    withdraw_file(actor=inspector, at=now, attachment=first.attachment, reason="Of another horn")
    (anew,) = attach_files(actor=inspector, at=now, subject=subject, files=[given("1.png", picture())])
    assert anew.attachment is not None


@pytest.mark.parametrize(
    ("tail", "is_kept"),
    [
        (b"", True),
        (b"\x00" * 20, True),
        (b"SEFH\x6b\x00\x00\x00", True),
        (picture("red", "JPEG"), True),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x01" * 40, True),
        (b"<html><script>alert(1)</script>", False),
        (b"\n\n<?php echo 1;", False),
        (b"PK\x03\x04archive", False),
        (b"%PDF-1.7", False),
    ],
)
def test_what_no_camera_appends_to_a_photo_is_refused(
    open_intake: Intake, inspector: User, now: datetime, tail: bytes, is_kept: bool
) -> None:
    files = [given(f"1.{form}", picture(form=form) + tail) for form in ("PNG", "JPEG")]

    outcomes = attach_files(actor=inspector, at=now, subject=("intake", open_intake.pk), files=files)

    assert [outcome.attachment is not None for outcome in outcomes] == [is_kept, is_kept]


def test_files_of_what_is_closed_are_not_withdrawn(
    client: Client, open_intake: Intake, inspector: User, now: datetime, later: Callable[..., datetime]
) -> None:
    subject = ("intake", open_intake.pk)
    (kept,) = attach_files(actor=inspector, at=now, subject=subject, files=[given("1.png", picture())])
    assert kept.attachment is not None
    cancel_intake(actor=inspector, at=later(hours=1), intake=open_intake, reason="Entered twice")
    (after,) = attach_files(actor=inspector, at=later(hours=2), subject=subject, files=[given("2.png", picture("red"))])
    assert after.attachment is not None

    with pytest.raises(FilesAreKept):
        withdraw_file(actor=inspector, at=later(hours=3), attachment=kept.attachment, reason="Not ours")
    withdraw_file(actor=inspector, at=later(hours=3), attachment=after.attachment, reason="Not ours")
    client.force_login(inspector)
    page = client.get(reverse("documents:withdraw", args=[kept.attachment.document_id]))

    assert b"<textarea" not in page.content
    assert not Withdrawal.objects.filter(attachment=kept.attachment).exists()
