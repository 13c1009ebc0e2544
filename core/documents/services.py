"""Keeping documents and giving numbers."""

import hashlib
import io
import uuid
from datetime import datetime

from django.core.files.base import File
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from core.accounts.models import User
from core.base.errors import BadInput
from core.documents.models import Document

MAX_BYTES = 50 * 1024 * 1024
MAX_PHOTO_BYTES = 20 * 1024 * 1024
PHOTO_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_MAGIC = {b"%PDF-": "application/pdf", b"PK\x03\x04": "application/zip"}


class UnusableFile(BadInput):
    """The file is empty, too large, or not what it claims to be."""

    code = "unusable-file"
    message = _("This file cannot be used.")


def keep_document(
    *, actor: User, at: datetime, kind: Document.Kind, name: str, content: bytes, media_type: str = ""
) -> Document:
    """Keep `content` byte for byte with its SHA-256; the type of a photo is found from the bytes, not the name.

    Raises UnusableFile. The file is written before the row is committed: a rollback leaves bytes that no row names.
    """
    if not content:
        raise UnusableFile(_("The file is empty."))
    if len(content) > (MAX_PHOTO_BYTES if kind == Document.Kind.PHOTO else MAX_BYTES):
        raise UnusableFile(_("The file is too large."))
    found = photo_type(content) if kind == Document.Kind.PHOTO else _type_by_content(content) or media_type
    document = Document(
        id=uuid.uuid4(),
        kind=kind,
        name=name[-200:],
        media_type=found or "application/octet-stream",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        uploaded_by=actor,
        at=at,
    )
    document.file.save("", File(io.BytesIO(content)), save=False)
    document.save(force_insert=True)
    return document


def photo_type(content: bytes) -> str:
    """The media type of a photo that can be opened; raises UnusableFile."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
            return PHOTO_TYPES[image.format or ""]
    except (UnidentifiedImageError, KeyError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnusableFile(_("This is not a photo in JPEG, PNG or WebP.")) from error


def _type_by_content(content: bytes) -> str:
    return next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), "")


@transaction.atomic
def take_numbers(*, series: str, year: int, count: int = 1) -> range:
    """The next `count` numbers of a series: never given twice, and without a gap, because a rollback gives them back.

    Takes the series' row lock until commit, so call it late.
    """
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
