"""Handing out documents: the bytes as given, and small pictures of photos. Who may see them the caller knows."""

import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.http import FileResponse
from PIL import Image, ImageOps

from core.documents.models import Document

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
    return _keep_private(response, seconds=3600)


def serve_thumbnail(document: Document) -> FileResponse:
    """A small JPEG of a photo, made when it is first asked for."""
    response = FileResponse(thumbnail(document).open("rb"), content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    return _keep_private(response, seconds=24 * 3600)


def thumbnail(document: Document) -> Path:
    """Path of a small JPEG: upright, at most 480 pixels, without place, time or camera. Made once and kept.

    Raises ValueError for what is no photo.
    """
    if not document.media_type.startswith("image/"):
        raise ValueError(document.media_type)
    target = Path(settings.MEDIA_ROOT) / "thumbnails" / document.sha256[:2] / f"{document.pk}.jpg"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with document.file.open("rb") as source, Image.open(source) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        # Drawn onto a new picture, so that only points go along; renamed when whole.
        bare = Image.new("RGB", upright.size)
        bare.paste(upright)
        number, made = tempfile.mkstemp(dir=target.parent, suffix=".part")
        with os.fdopen(number, "wb") as half:
            bare.save(half, "JPEG", quality=82)
        Path(made).replace(target)
    return target


def _keep_private(response: FileResponse, *, seconds: int) -> FileResponse:
    response["Cache-Control"] = f"private, max-age={seconds}"
    response["X-Content-Type-Options"] = "nosniff"
    if response["Content-Type"] == "application/pdf":
        # A browser's PDF reader is a plug-in, which the policy of our pages and any sandbox would refuse.
        response._csp_exempt = True  # type: ignore[attr-defined]
    else:
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
