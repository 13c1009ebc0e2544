"""Which files are pictures and films, known by their bytes. A name proves nothing."""

import io
import re
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


LEAST_PAPER_SIDE = 480  # dots of the shorter side: a page in fewer cannot be read
LEAST_CONTRAST = 24  # of 255, between the lightest and the darkest of a paper
READ_AT = 200  # dots of the picture in which the contrast is looked for


def refuse_unreadable_paper(stream: IO[bytes]) -> None:
    """A picture that stands for a paper shows enough of it to be read. Raises UnusableFile that says what to do."""
    stream.seek(0)
    try:
        with Image.open(stream, formats=list(PHOTO_FORMATS)) as image:
            shorter = min(image.size)
            image.thumbnail((READ_AT, READ_AT))
            seen = image.convert("RGBA")
            paper = Image.new("RGBA", seen.size, "white")  # what is seen through a scan without a ground
            lights = Image.alpha_composite(paper, seen).convert("L").histogram()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise UnusableFile(_("This is neither a PDF nor a photo in JPEG, PNG, WebP or HEIC.")) from error
    finally:
        stream.seek(0)
    if shorter < LEAST_PAPER_SIDE:
        words = _("This picture is too small to read: photograph the whole page, at least %(least)d dots each side.")
        raise UnusableFile(words % {"least": LEAST_PAPER_SIDE})
    found = [light for light, dots in enumerate(lights) if dots]
    if found[-1] - found[0] < LEAST_CONTRAST:
        raise UnusableFile(_("This picture shows nothing but one colour: scan or photograph the paper again."))


# What begins so after the end of a picture is no trailer of a camera: a page, a program, an archive, a paper.
_FOREIGN = re.compile(
    rb"<(?:!doctype|html|head|body|script|svg|iframe|\?php)|%PDF-|PK\x03\x04|\x7fELF|MZ\x90|Rar!|7z\xbc\xaf",
    re.IGNORECASE,
)
_CAMERAS = (b"\xff\xd8\xff", b"SEFH", b"MotionPhoto_Data")


def foreign_tail(stream: IO[bytes]) -> int:
    """How many bytes follow the end of a JPEG or PNG, which cameras do add: a second picture, a short film.

    Raises UnusableFile where a page, a program, an archive or a paper follows.
    """
    stream.seek(0)
    content = stream.read()
    stream.seek(0)
    tail = content[_end_of_picture(content) :].lstrip(b"\x00")
    is_of_camera = tail.startswith(_CAMERAS) or tail[4:8] == b"ftyp"
    if not is_of_camera and _FOREIGN.search(tail[:4096].lstrip()):
        raise UnusableFile(
            _("Something that is no picture is appended to this photo. Send the photo as the camera made it.")
        )
    return len(tail)


def _end_of_picture(content: bytes) -> int:
    """Where a JPEG (ISO/IEC 10918-1, B.1) or PNG ends; the end of the file for anything else."""
    if content.startswith(b"\x89PNG"):
        end = content.find(b"IEND")
        return end + 8 if end >= 0 else len(content)
    if not content.startswith(b"\xff\xd8"):
        return len(content)
    place = 2
    while (place := content.find(b"\xff", place)) >= 0 and place + 1 < len(content):
        marker = content[place + 1]
        if marker == 0xD9:
            return place + 2
        # Stuffed bytes, restarts and fill stand alone; every other marker is followed by its length.
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:
            place += 1 if marker == 0xFF else 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return len(content)


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
