"""Which files are pictures and films, known by their bytes. A name proves nothing."""

import io
from typing import IO

import pillow_heif
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from core.base.errors import BadInput
from core.documents.places import Origin, read_origin

# Phones of one large maker keep photos as HEIC unless told otherwise.
pillow_heif.register_heif_opener()

MAX_PIXELS = 60_000_000
PHOTO_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}
# The brand that the first box of an ISO media file names (ISO/IEC 14496-12, 4.3).
_FILMS = {
    b"qt  ": "video/quicktime",
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1"), "video/mp4"),
    **dict.fromkeys((b"M4V ", b"MSNV", b"3gp4", b"3gp5", b"3gp6", b"dash"), "video/mp4"),
}


class UnusableFile(BadInput):
    """The file is empty, too large, or not what it is brought as."""

    code = "unusable-file"
    message = _("This file cannot be used.")


def photo_type(content: bytes | IO[bytes]) -> str:
    """The media type of a photo that opens and is not absurdly large; raises UnusableFile."""
    found = photo_type_or_none(io.BytesIO(content) if isinstance(content, bytes) else content)
    if found is None:
        raise UnusableFile(_("This is not a photo in JPEG, PNG, WebP or HEIC."))
    return found


def photo_type_or_none(stream: IO[bytes]) -> str | None:
    """The same; None where it is no photo."""
    stream.seek(0)
    try:
        with Image.open(stream, formats=list(PHOTO_FORMATS)) as image:
            found, pixels = PHOTO_FORMATS.get(image.format or ""), image.width * image.height
            if pixels <= MAX_PIXELS:
                image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return None
    finally:
        stream.seek(0)
    if pixels > MAX_PIXELS:
        raise UnusableFile(_("The photo has too many points: send it smaller."))
    return found


def film_type_or_none(stream: IO[bytes]) -> str | None:
    """The media type of an MP4 or QuickTime film by the brand in its first box; None for anything else."""
    stream.seek(0)
    head = stream.read(32)
    stream.seek(0)
    return _FILMS.get(head[8:12]) if len(head) >= 16 and head[4:8] == b"ftyp" else None


def origin_of(stream: IO[bytes]) -> Origin:
    """Where and when a photo says it was made; nothing for what does not open."""
    stream.seek(0)
    try:
        with Image.open(stream, formats=list(PHOTO_FORMATS)) as image:
            return read_origin(image)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return Origin()
    finally:
        stream.seek(0)
