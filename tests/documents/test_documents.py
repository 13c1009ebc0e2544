"""Documents: kept byte for byte, known by their bytes, private; and numbers without gaps."""

import hashlib
import io
import threading
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.utils import translation
from PIL import Image, ImageDraw

from core.accounts.models import User
from core.documents import pictures, services
from core.documents.files import THUMBNAIL_SIDE, serve, serve_thumbnail, thumbnail
from core.documents.models import Document, NumberSeries
from core.documents.services import UnusableFile, keep_document, take_numbers
from tests.files import paper

pytestmark = pytest.mark.django_db

Kind = Document.Kind


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def picture(
    form: str = "JPEG", size: tuple[int, int] = (1200, 800), *, orientation: int | None = None, place: bool = False
) -> bytes:
    """A picture whose left half is red, as bytes."""
    image = Image.new("RGB", size, "white")
    image.paste((200, 0, 0), (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    if place:
        exif.get_ifd(0x8825)[1] = "N"
        exif[0x010F] = "Camera of the inspector"
    stream = io.BytesIO()
    image.save(stream, form, exif=exif)
    return stream.getvalue()


def xlsx() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return stream.getvalue()


def keep(
    actor: User, at: datetime, kind: Document.Kind, content: bytes | File, name: str = "file", **more: str
) -> Document:
    return keep_document(actor=actor, at=at, kind=kind, name=name, content=content, **more)


def test_it_is_kept_byte_for_byte_with_its_hash(inspector: User, now: datetime) -> None:
    content = picture(place=True)

    document = keep(inspector, now, Kind.PHOTO, content, "horn 1.jpg")

    assert document.file.open("rb").read() == content
    assert (document.sha256, document.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (document.name, document.uploaded_by, document.at) == ("horn 1.jpg", inspector, now)


def test_the_path_owes_nothing_to_the_persons_file_name(inspector: User, now: datetime, tmp_path: Path) -> None:
    document = keep(inspector, now, Kind.OTHER, b"text", "../../etc/passwd\n.txt")

    assert Path(document.file.path).is_relative_to(tmp_path)
    assert Path(document.file.path).name == str(document.pk)
    assert document.name == "passwd.txt"


def test_a_large_file_is_kept_without_being_read_into_memory(inspector: User, now: datetime, tmp_path: Path) -> None:
    source = tmp_path / "report.bin"
    source.write_bytes(b"\x00" * (60 * 1024 * 1024))

    with source.open("rb") as stream:
        document = keep(inspector, now, Kind.REPORT, File(stream), media_type="application/pdf")

    assert document.size == 60 * 1024 * 1024
    assert document.media_type == "application/pdf"


@pytest.mark.parametrize(
    ("kind", "content", "media_type"),
    [
        (Kind.PHOTO, picture("JPEG"), "image/jpeg"),
        (Kind.PHOTO, picture("PNG"), "image/png"),
        (Kind.PHOTO, picture("WEBP"), "image/webp"),
        (Kind.SCAN, paper(), "application/pdf"),
        (Kind.SCAN, picture("PNG"), "image/png"),
        (Kind.SHEET, xlsx(), services.XLSX),
        (Kind.SHEET, "сторона;масса\n".encode(), "text/csv"),
        (Kind.SHEET, "сторона;масса\n".encode("utf-16"), "text/csv"),
        (Kind.OTHER, b"\x00\x01", "application/octet-stream"),
    ],
)
def test_its_type_is_found_from_its_bytes(
    inspector: User, now: datetime, kind: Document.Kind, content: bytes, media_type: str
) -> None:
    assert keep(inspector, now, kind, content, "x.exe").media_type == media_type


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Kind.PHOTO, b""),
        (Kind.PHOTO, b"\xff\xd8\xff not a photo"),
        (Kind.PHOTO, b"%PDF-1.7"),
        (Kind.PHOTO, picture()[:200]),
        (Kind.PHOTO, picture("GIF")),
        (Kind.PHOTO, b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        (Kind.SCAN, b"<html><script>alert(1)</script>"),
        (Kind.SCAN, xlsx()),
        (Kind.SCAN, b"%PDF-1.4\n<script>"),
        (Kind.SCAN, paper()[:200]),
        (Kind.SHEET, picture()),
        (Kind.SHEET, b"PK\x03\x04 broken"),
    ],
)
def test_it_refuses_what_is_not_what_it_is_brought_as(
    inspector: User, now: datetime, kind: Document.Kind, content: bytes, tmp_path: Path
) -> None:
    with pytest.raises(UnusableFile):
        keep(inspector, now, kind, content, "photo.jpg")

    assert not Document.objects.exists()
    assert list(tmp_path.rglob("*")) == []


def test_it_refuses_what_is_too_large(inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(services.MAX_BYTES, Kind.SCAN, 10)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1000)

    for kind, content in ((Kind.SCAN, paper()), (Kind.PHOTO, picture())):
        with translation.override("en"), pytest.raises(UnusableFile, match=r"large|points"):
            keep(inspector, now, kind, content)


def test_a_file_is_handed_out_as_it_came_for_one_reader_only(inspector: User, now: datetime) -> None:
    content = picture()
    document = keep(inspector, now, Kind.PHOTO, content, "мүйіз.jpg")

    answer = serve(document)

    assert b"".join(answer.streaming_content) == content  # type: ignore[arg-type]
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Disposition"].startswith("inline; filename*=utf-8''")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"].startswith("private")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_what_a_browser_might_run_is_always_saved(inspector: User, now: datetime) -> None:
    document = keep(inspector, now, Kind.OTHER, b"<script>alert(1)</script>", "x.html", media_type="text/html")

    assert serve(document)["Content-Disposition"].startswith("attachment")


def test_a_thumbnail_is_small_upright_and_tells_nothing_else(inspector: User, now: datetime) -> None:
    document = keep(inspector, now, Kind.PHOTO, picture(orientation=6, place=True))

    path = Path(document.file.storage.path(thumbnail(document)))

    with Image.open(path) as small:
        # Orientation 6 is turned a quarter to the right: what was left is now on top.
        assert small.size == (320, THUMBNAIL_SIDE)
        top, bottom = small.getpixel((160, 20)), small.getpixel((160, 460))
        assert isinstance(top, tuple)
        assert isinstance(bottom, tuple)
        assert top[1] < 60 < 200 < bottom[1]
        assert not small.getexif()
    assert b"Camera" in document.file.open("rb").read()
    assert b"Camera" not in path.read_bytes()


def test_a_thumbnail_is_made_once(inspector: User, now: datetime) -> None:
    document = keep(inspector, now, Kind.PHOTO, picture("PNG"))

    path = Path(document.file.storage.path(thumbnail(document)))
    made = path.stat().st_mtime_ns
    answer = serve_thumbnail(document)

    assert document.file.storage.path(thumbnail(document)) == str(path)
    assert path.stat().st_mtime_ns == made
    assert answer["Content-Type"] == "image/jpeg"
    assert list(path.parent.glob("*.part")) == []


def test_what_is_no_photo_has_no_thumbnail(inspector: User, now: datetime) -> None:
    with pytest.raises(ValueError):
        thumbnail(keep(inspector, now, Kind.SCAN, paper()))


def test_altered_and_missing_files_are_found(
    inspector: User, now: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, altered, missing = (keep(inspector, now, Kind.OTHER, f"{n}".encode(), f"{n}.txt") for n in range(3))
    stray = tmp_path / "aa" / "bb" / "stray"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"of a rollback")

    Path(altered.file.path).write_bytes(b"other")
    Path(missing.file.path).unlink()
    with pytest.raises(CommandError, match="2 of 3"):
        call_command("check_documents")

    said = capsys.readouterr()
    assert f"{altered.pk} changed" in said.err
    assert f"{missing.pk} missing" in said.err
    assert str(good.pk) not in said.err
    assert "aa/bb/stray" in said.out


def test_the_database_lets_nobody_change_a_document(inspector: User, now: datetime) -> None:
    keep(inspector, now, Kind.OTHER, b"text")
    before = list(Document.objects.values())

    with pytest.raises(Error), transaction.atomic():
        Document.objects.update(sha256="0" * 64)
    with pytest.raises(Error), transaction.atomic():
        Document.objects.all()._raw_delete(using="default")

    assert list(Document.objects.values()) == before


# Numbers


def test_numbers_follow_one_another_by_series_and_year() -> None:
    assert list(take_numbers(series="KZ", year=2026, count=3)) == [1, 2, 3]
    assert list(take_numbers(series="KZ", year=2026)) == [4]
    assert list(take_numbers(series="KZ", year=2027)) == [1]
    assert list(take_numbers(series="IN", year=2026)) == [1]
    with pytest.raises(ValueError):
        take_numbers(series="KZ", year=2026, count=0)


def test_a_rollback_gives_the_numbers_back() -> None:
    @transaction.atomic
    def take_and_fail() -> None:
        take_numbers(series="KZ", year=2026, count=10)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take_and_fail()

    assert list(take_numbers(series="KZ", year=2026)) == [1]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_different_numbers_without_a_gap() -> None:
    taken: list[int] = []

    def take() -> None:
        for _ in range(20):
            taken.extend(take_numbers(series="KZ", year=2026, count=2))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == list(range(1, 161))


def test_the_database_lets_no_number_come_twice() -> None:
    take_numbers(series="KZ", year=2026, count=5)

    for change in ({"last": 4}, {"last": 5}, {"year": 2030}, {"series": "XX"}):
        with pytest.raises(Error), transaction.atomic():
            NumberSeries.objects.update(**change)
    with pytest.raises(Error), transaction.atomic():
        NumberSeries.objects.all()._raw_delete(using="default")

    assert list(take_numbers(series="KZ", year=2026)) == [6]


def test_a_document_keeps_the_moment_the_database_saw_it(inspector: User, now: datetime) -> None:
    document = keep(inspector, now, Kind.OTHER, ContentFile(b"text"))
    document.refresh_from_db()

    assert document.at == now < document.recorded_at


def test_a_scan_without_a_ground_is_read_on_white() -> None:
    out, image = io.BytesIO(), Image.new("RGBA", (600, 800), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(50, 100), (550, 700)], fill=(0, 0, 0, 255), width=20)
    image.save(out, "PNG")

    pictures.refuse_unreadable_paper(out)


def test_a_picture_with_nothing_on_it_is_no_paper() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (600, 800), (0, 0, 0, 0)).save(out, "PNG")

    with pytest.raises(UnusableFile):
        pictures.refuse_unreadable_paper(out)
