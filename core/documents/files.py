"""Handing out documents: the bytes as given, and small pictures of photos. Who may see them the caller knows.

Everything goes through the storage, so that a disk here and an object store elsewhere are the same to us.
"""

import io
import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile
from django.http import FileResponse
from PIL import Image, ImageOps

from core.documents.models import Document
from core.documents.pictures import PHOTO_FORMATS

THUMBNAIL_SIDE = 480  # pixels of the longer side
# The browser may show these by itself; anything else is saved.
SHOWN = frozenset({"application/pdf", "image/jpeg", "image/png", "image/webp"})


def serve(document: Document, *, download: bool = False) -> FileResponse:
    """The document byte for byte, under its own name; for the eyes of this reader only."""
    response = FileResponse(
        document.file.open("rb"),
        as_attachment=download or document.media_type not in SHOWN,
        filename=document.name,
        content_type=document.media_type,
    )
    response["Content-Length"] = str(document.size)
    return _keep_private(response, seconds=3600)


def serve_thumbnail(document: Document) -> FileResponse:
    """A small JPEG of a photo, made when it is first asked for."""
    response = FileResponse(document.file.storage.open(thumbnail(document)), content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    return _keep_private(response, seconds=24 * 3600)


def thumbnail(document: Document) -> str:
    """Name in the storage of a small JPEG: upright, at most 480 pixels, without place, time or camera. Made once.

    Raises ValueError for what is no photo.
    """
    if not document.is_photo:
        raise ValueError(document.media_type)
    storage = document.file.storage
    name = f"thumbnails/{document.sha256[:2]}/{document.pk}.jpg"
    if storage.exists(name):
        return name
    made = _draw_thumbnail(document)
    try:
        target = Path(storage.path(name))
    except NotImplementedError:
        # An object store shows an object when it is whole; two that are made at once are the same picture.
        return str(storage.save(name, ContentFile(made)))
    # On a disk it is renamed when whole, so that nobody is given half a picture.
    target.parent.mkdir(parents=True, exist_ok=True)
    number, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
    with os.fdopen(number, "wb") as half:
        half.write(made)
    Path(part).replace(target)
    return name


def _draw_thumbnail(document: Document) -> bytes:
    with document.file.open("rb") as source, Image.open(source, formats=list(PHOTO_FORMATS)) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        # Drawn onto a new picture, so that only points go along.
        bare = Image.new("RGB", upright.size)
        bare.paste(upright)
        drawn = io.BytesIO()
        bare.save(drawn, "JPEG", quality=82)
    return drawn.getvalue()


def _keep_private(response: FileResponse, *, seconds: int) -> FileResponse:
    response["Cache-Control"] = f"private, max-age={seconds}"
    response["X-Content-Type-Options"] = "nosniff"
    if response["Content-Type"] == "application/pdf":
        # A browser's PDF reader is a plug-in, which the policy of our pages and any sandbox would refuse.
        response._csp_exempt = True  # type: ignore[attr-defined]
    else:
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
