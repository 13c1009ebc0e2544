"""Keeping documents as given, and giving numbers without gaps."""

import hashlib
import uuid
import zipfile
from datetime import datetime
from typing import IO, Any

import pypdfium2
from django.core.files.base import ContentFile, File
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.base.uploads import FILM_BYTES, PAPER_BYTES, PHOTO_BYTES
from core.documents.files import serve, serve_thumbnail
from core.documents.models import Document
from core.documents.pictures import (
    UnusableFile,
    film_type_or_none,
    photo_type,
    photo_type_or_none,
    refuse_unreadable_paper,
)

__all__ = [
    "MAX_PHOTO_BYTES",
    "UnusableFile",
    "keep_document",
    "keep_paper",
    "photo_type",
    "serve",
    "serve_thumbnail",
    "sha256_of",
    "take_numbers",
]

Kind = Document.Kind

# What people bring is limited; what the registry makes itself is as large as it is.
MAX_PHOTO_BYTES = PHOTO_BYTES
MAX_BYTES = {
    Kind.PHOTO: PHOTO_BYTES,
    Kind.SCAN: PAPER_BYTES,
    Kind.VIDEO: FILM_BYTES,
    Kind.SHEET: PAPER_BYTES,
    Kind.OTHER: PAPER_BYTES,
}
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
ZIP = "application/zip"
UNKNOWN = "application/octet-stream"


def keep_document(
    *, actor: User, at: datetime, kind: Document.Kind, name: str, content: bytes | File, media_type: str = ""
) -> Document:
    """Keep `content` byte for byte with its SHA-256. Its type is found from the bytes, never from its name.

    A photo is a JPEG, PNG, WebP or HEIC that opens; a scan is a photo or a PDF; a video is MP4 or MOV; a table is XLSX
    or text. `media_type` counts only where the bytes say nothing. Raises UnusableFile. The file is written before the
    row is committed, so a rollback leaves bytes that no row names (`manage.py check_documents` lists them).
    """
    file: File = ContentFile(content) if isinstance(content, bytes) else content
    if not file.size:
        raise UnusableFile(_("The file is empty."))
    if file.size > MAX_BYTES.get(kind, file.size):
        raise UnusableFile(_("The file is too large."))
    document = Document(
        id=uuid.uuid4(),
        kind=kind,
        name=_tidy(name),
        media_type=_type_for(kind, file, media_type),
        size=file.size,
        sha256=sha256_of(file),
        uploaded_by=actor,
        at=at,
    )
    document.file.save("", file, save=False)
    document.save(force_insert=True)
    return document


def keep_paper(*, actor: User, at: datetime, name: str, content: bytes | File) -> Document:
    """Keep the scan of a paper on which something rests: a PDF with a page, or a picture that can be read as a paper.

    Raises UnusableFile that says what to do.
    """
    file: File = ContentFile(content) if isinstance(content, bytes) else content
    if file.size and photo_type_or_none(file.file):  # type: ignore[arg-type]
        refuse_unreadable_paper(file.file)  # type: ignore[arg-type]
    return keep_document(actor=actor, at=at, kind=Kind.SCAN, name=name, content=file)


def sha256_of(file: File) -> str:
    """Hex SHA-256 of a whole file, read in pieces."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _type_for(kind: Document.Kind, file: File, given: str) -> str:
    stream: Any = file.file
    found = _type_by_content(stream)
    if kind == Kind.PHOTO:
        return photo_type(stream)
    if kind == Kind.SCAN:
        if found == PDF:
            refuse_broken_pdf(stream)
            return PDF
        if photo := photo_type_or_none(stream):
            return photo
        raise UnusableFile(_("This is neither a PDF nor a photo in JPEG, PNG, WebP or HEIC."))
    if kind == Kind.VIDEO:
        if film := film_type_or_none(stream):
            return film
        raise UnusableFile(_("This is not a video in MP4 or MOV."))
    if kind == Kind.SHEET:
        if found in (XLSX, CSV):
            return found
        raise UnusableFile(_("This is neither an XLSX table nor a CSV text."))
    if found in (CSV, UNKNOWN) and given:
        return given
    return found


def refuse_broken_pdf(stream: IO[bytes]) -> None:
    """A PDF opens and has a page. Raises UnusableFile."""
    stream.seek(0)
    try:
        with pypdfium2.PdfDocument(stream.read()) as paper:
            pages = len(paper)
    except pypdfium2.PdfiumError as error:
        raise UnusableFile(_("This PDF does not open. Scan or save it again.")) from error
    finally:
        stream.seek(0)
    if not pages:
        raise UnusableFile(_("This PDF has no page."))


def _type_by_content(stream: IO[bytes]) -> str:
    stream.seek(0)
    head = stream.read(4096)
    stream.seek(0)
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _type_of_archive(stream)
    return UNKNOWN if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) else CSV


def _type_of_archive(stream: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(stream) as archive:
            return XLSX if "xl/workbook.xml" in archive.namelist() else ZIP
    except zipfile.BadZipFile:
        return UNKNOWN
    finally:
        stream.seek(0)


def _tidy(name: str) -> str:
    """A file name to show and to offer on download: no folders, no control characters, at most 200 letters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-200:] or "document"


@transaction.atomic
def take_numbers(*, series: str, year: int, count: int = 1) -> range:
    """The next `count` numbers of a series: never given twice, and without a gap, because a rollback gives them back.

    Takes the series' row lock until commit, so call it late. Raises ValueError for a count below one.
    """
    if count < 1:
        raise ValueError(count)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO documents_numberseries AS s (series, year, last) VALUES (%s, %s, %s)
            ON CONFLICT (series, year) DO UPDATE SET last = s.last + excluded.last RETURNING last
            """,
            [series, year, count],
        )
        (last,) = cursor.fetchone()
    return range(last - count + 1, last + 1)
