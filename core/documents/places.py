"""Where and when a picture says it was made (EXIF), and how far that is from where it should have been."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from PIL import ExifTags, Image

from core.base.clock import ALMATY

EARTH_M = 6_371_008.8
_ALLOWED: list[Callable[[date], int | None]] = []


def allow_distance(rule: Callable[[date], int | None]) -> None:
    """Say who knows the kilometres beyond which a picture must be looked at; the room of rules is not below us."""
    _ALLOWED[:] = [rule]


def allowed_kilometres(on: date) -> int | None:
    """Kilometres from the stated place beyond which a picture is told in amber; None where nothing is in force."""
    return _ALLOWED[0](on) if _ALLOWED else None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a picture says of itself; None for what it does not say, or says so that it cannot be."""

    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


def metres_between(lat: float, lon: float, other_lat: float, other_lon: float) -> int:
    """Length of the great circle between two points, in whole metres (haversine)."""
    one, other = math.radians(lat), math.radians(other_lat)
    half = (
        math.sin((other - one) / 2) ** 2
        + math.cos(one) * math.cos(other) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return round(2 * EARTH_M * math.asin(min(1.0, math.sqrt(half))))


def read_origin(image: Image.Image) -> Origin:
    """The moment and the place in the EXIF of an opened picture. Whatever cannot be read is left out."""
    try:
        exif = image.getexif()
        taken = _moment(exif.get_ifd(ExifTags.IFD.Exif), exif)
        place = _place(exif.get_ifd(ExifTags.IFD.GPSInfo))
    except Exception:
        # The bytes come from anybody; a picture without a place is better than a photo refused.
        return Origin()
    return Origin(taken, *place)


def _moment(details: Any, exif: Any) -> datetime | None:
    """By the camera's own clock; a camera that names no offset is taken to be in Kazakhstan."""
    written = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    offset = str(details.get(ExifTags.Base.OffsetTimeOriginal) or "").strip("\x00 ")
    if not written:
        return None
    text = str(written).strip("\x00 ")
    try:
        if offset:
            return datetime.strptime(f"{text} {offset}", "%Y:%m:%d %H:%M:%S %z")
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=ALMATY)
    except (ValueError, OverflowError):
        return None


def _place(gps: Any) -> tuple[float | None, float | None]:
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    # Cameras without a fix write zeros: no one photographs a horn in the Gulf of Guinea.
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180 or (lat == 0 and lon == 0):
        return None, None
    return lat, lon


def _degrees(parts: Any, reference: Any, negative: str) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        return None
    letter = reference.decode() if isinstance(reference, bytes) else str(reference or "")
    return round(-value if letter.strip("\x00 ").upper() == negative else value, 6)
