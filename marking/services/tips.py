"""Taking in what people tell about a label."""

import io
from datetime import datetime, timedelta
from typing import IO

from django.core.files.base import ContentFile
from django.db import transaction
from PIL import Image, ImageOps

from core.accounts.models import Organisation
from core.audit.services import record
from core.base.clock import day_of
from core.documents.pictures import PHOTO_FORMATS, photo_type
from core.notices.models import Notice
from core.notices.services import raise_notice
from marking.models import Tip
from marking.selectors import check_text

PHOTO_SIDE = 2_000  # pixels of the longer side: a label can be read, a face in the background hardly
MAX_PHOTO_BYTES = 20 * 1024 * 1024
DAYS_TO_LOOK = 3


@transaction.atomic
def take_tip(
    *,
    at: datetime,
    read: str,
    about: str,
    words: str = "",
    place: str = "",
    contact: str = "",
    language: str = "kk",
    photo: IO[bytes] | None = None,
    own_hosts: tuple[str, ...] = (),
) -> Tip:
    """Keep the tip and tell the authority; of the photo only what is seen, not place, time or camera.

    Raises UnusableFile; then nothing is kept.
    """
    answer = check_text(read, own_hosts=own_hosts) if read.strip() else None
    tip = Tip(
        code=answer.code if answer and answer.is_genuine else "",
        read=read.strip()[:500],
        about=about,
        words=words.strip(),
        place=place.strip(),
        contact=contact.strip(),
        language=language,
        at=at,
    )
    if photo is not None:
        tip.photo.save("", ContentFile(_redraw(photo)), save=False)
    tip.save(force_insert=True)
    record("tip.taken", actor=None, at=at, subject=("tip", tip.pk), about=about)
    authority = Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk").first()
    if authority is not None:
        raise_notice(
            at=at,
            kind=Notice.Kind.ALERT,
            code="tip.taken",
            organisation=authority,
            subject=("tip", tip.pk),
            due_on=day_of(at) + timedelta(days=DAYS_TO_LOOK),
            code_read=str(tip),
        )
    return tip


def _redraw(photo: IO[bytes]) -> bytes:
    photo_type(photo)
    photo.seek(0)
    with Image.open(photo, formats=list(PHOTO_FORMATS)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85)
    return out.getvalue()
