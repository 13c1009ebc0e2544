"""Taking in what people tell about a label."""

import io
import logging
import struct
from datetime import datetime, timedelta
from typing import IO, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from core.accounts.models import Organisation, User
from core.audit.services import Told, record, record_many
from core.base.clock import day_of
from core.base.errors import NotAllowed
from core.base.uploads import PHOTO_BYTES
from core.documents.pictures import PHOTO_FORMATS, UnusableFile, photo_type
from core.notices.models import Notice
from core.notices.services import raise_notice
from marking.models import Tip
from marking.models.tips import may_see_contacts
from marking.selectors import check_text

log = logging.getLogger(__name__)

PHOTO_SIDE = 2_000  # pixels of the longer side: a label can be read, a face in the background hardly
MAX_PHOTO_BYTES = PHOTO_BYTES
DAYS_TO_LOOK = 3
FORGOTTEN_AT_ONCE = 1_000
TOLD_A_DAY = 30  # tips of which the authority is told one by one


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

    The authority is told once while a tip of the same mark is open, and of so many a day: all of them are in the list.
    Raises UnusableFile; then nothing is kept.
    """
    drawn = _redraw(photo) if photo is not None else None
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
    try:
        with transaction.atomic():
            if drawn is not None:
                tip.photo.save("", ContentFile(drawn), save=False)
            tip.save(force_insert=True)
            record("tip.taken", actor=None, at=at, subject=("tip", tip.pk), about=about)
            _tell(tip, at)
    except BaseException:
        if tip.photo.name:
            tip.photo.storage.delete(tip.photo.name)
        raise
    return tip


@transaction.atomic
def look_at_contact(*, actor: User, at: datetime, tip: Tip) -> str:
    """How to reach the sender; the journal says who has seen it. Raises NotAllowed."""
    if not may_see_contacts(actor):
        raise NotAllowed
    record("tip.contact_seen", actor=actor, at=at, subject=("tip", tip.pk))
    return tip.contact


def forget_senders(*, at: datetime) -> int:
    """Take contact and photo out of tips older than TIP_SENDERS_KEPT_DAYS; of how many.

    The file goes first, and the tip names it until it is gone: where that fails, the next day tries again.
    """
    outlived = Tip.objects.outlived(at - timedelta(days=settings.TIP_SENDERS_KEPT_DAYS)).order_by("pk")
    gone = [tip.pk for tip in outlived[:FORGOTTEN_AT_ONCE] if _is_photo_gone(tip)]
    with transaction.atomic():
        # The lock closes the race of two workers that forget at once.
        old = [tip.pk for tip in outlived.filter(pk__in=gone).select_for_update(no_key=True, skip_locked=True)]
        Tip.objects.filter(pk__in=old).update(contact="", photo="", forgotten_at=at)
        record_many("tip.sender_forgotten", [Told(("tip", pk), None, {}) for pk in old], actor=None, at=at)
    return len(old)


def _is_photo_gone(tip: Tip) -> bool:
    """Delete the photo of a tip; false where the store of files refused."""
    if not tip.photo.name:
        return True
    try:
        tip.photo.storage.delete(tip.photo.name)
    except Exception:
        log.exception("the photo of tip %s is not deleted", tip.pk)
        return False
    return True


def _tell(tip: Tip, at: datetime) -> None:
    authority = Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk").first()
    if authority is None:
        return
    if tip.code and Notice.objects.open().filter(code="tip.taken", params__code_read=str(tip)).exists():
        return
    today = Notice.objects.filter(raised_at__gt=at - timedelta(days=1))
    is_many = today.filter(code="tip.taken").count() >= TOLD_A_DAY
    if is_many and today.filter(code="tip.many").exists():
        return
    said: dict[str, Any] = {"day": f"{day_of(at):%d.%m.%Y}"} if is_many else {"code_read": str(tip)}
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="tip.many" if is_many else "tip.taken",
        organisation=authority,
        subject=("tip", tip.pk),
        due_on=day_of(at) + timedelta(days=DAYS_TO_LOOK),
        **said,
    )


def _redraw(photo: IO[bytes]) -> bytes:
    photo_type(photo)
    photo.seek(0)
    try:
        with Image.open(photo, formats=list(PHOTO_FORMATS)) as image:
            # Made small before it is turned: a large photo takes hundreds of megabytes at full size.
            image.draft("", (PHOTO_SIDE, PHOTO_SIDE))
            whole = image if image.mode == "RGB" else image.convert("RGB")
            whole.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
            upright = ImageOps.exif_transpose(whole)
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        raise UnusableFile(_("The photo is broken or cut off. Send it again.")) from None
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85)
    return out.getvalue()
