"""Photos of the field notebook, coming in pieces over a connection that breaks: whole ones go to what they show."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput, DomainError
from core.documents.attaching import attach_files
from core.documents.models import Document
from core.documents.services import keep_document
from ledger.models import Holding
from marking.models import FieldDevice, FieldPhoto, FieldPiece, FieldRecord
from marking.models.field import MOST_PHOTO_BYTES
from marking.services.devices import lock_device
from registry.models import Derivative, DerivativePhoto, Intake
from registry.services import attach_photo

MOST_PIECE_BYTES = 1024 * 1024
MOST_PHOTOS = 12
FOLLOW_WITHIN = timedelta(days=30)
"""How long after its registration a horn still takes photos of its weighing."""
BROKEN = Q(document=None) & ~Q(problem="")
"""Photos that did not arrive as they were taken: none of their bytes is kept, and they count for nothing."""


class PhotoBroken(DomainError):
    """The bytes that came are not the bytes that were announced."""

    code = "photo-broken"
    message = _("The photo did not arrive as it was taken. It is sent again.")


@dataclass(frozen=True, slots=True)
class Announced:
    """A photo before its bytes."""

    uuid: UUID
    record: UUID
    name: str
    sha256: str
    size: int


@transaction.atomic
def begin_photo(*, at: datetime, device: FieldDevice, announced: Announced) -> FieldPhoto:
    """Make room for a photo; announced again, it says how much of it is here.

    Raises DeviceRefused, BadInput, and PhotoBroken for one that has arrived broken: it comes under another name.
    """
    # The lock closes the races of one photo announced twice at once, and of a photo with the revocation of its phone.
    lock_device(device)
    begun = FieldPhoto.objects.filter(device=device, uuid=announced.uuid).first()
    if begun is not None:
        if begun.is_broken:
            raise PhotoBroken
        return begun
    kept = FieldRecord.objects.filter(device=device, uuid=announced.record).first()
    if kept is None:
        raise BadInput(fields={"record": _("The record of this photo has not arrived. It is sent first.")})
    if not 1 <= announced.size <= MOST_PHOTO_BYTES:
        raise BadInput(fields={"size": _("The photo is larger than 20 MB.")})
    if kept.photos.exclude(BROKEN).count() >= MOST_PHOTOS:
        raise BadInput(fields={"record": _("A row has at most %(most)d photos.") % {"most": MOST_PHOTOS}})
    return FieldPhoto.objects.create(
        device=device,
        uuid=announced.uuid,
        record=kept,
        name=announced.name[:200] or "photo.jpg",
        sha256=announced.sha256,
        size=announced.size,
        begun_at=at,
    )


def take_piece(
    *, actor: User, at: datetime, device: FieldDevice, photo: UUID, start: int, content: bytes
) -> FieldPhoto:
    """Keep the bytes from `start` on if they come next; those that are here are passed over, so a piece may be sent
    again. With the last piece the photo goes to what it shows.

    Raises DeviceRefused, BadInput, and PhotoBroken: then what came of it is thrown away, and it comes anew.
    """
    try:
        return _take_piece(actor, at, device, photo, start, content)
    except PhotoBroken:
        # A transaction of its own: that of the piece was rolled back.
        _throw_away(device, photo)
        raise


@transaction.atomic
def _throw_away(device: FieldDevice, photo: UUID) -> None:
    lock_device(device)
    broken = FieldPhoto.objects.filter(device=device, uuid=photo, document=None).first()
    if broken is not None:
        broken.problem = str(PhotoBroken.message)[:300]
        broken.save(update_fields=["problem"])
        broken.pieces.all().delete()


@transaction.atomic
def _take_piece(actor: User, at: datetime, device: FieldDevice, photo: UUID, start: int, content: bytes) -> FieldPhoto:
    if not 1 <= len(content) <= MOST_PIECE_BYTES:
        raise BadInput(fields={"content": _("A piece has 1 to %(most)d bytes.") % {"most": MOST_PIECE_BYTES}})
    # The locks close the races of one piece sent twice at once, and of a piece with the revocation of its phone.
    lock_device(device)
    found = FieldPhoto.objects.select_for_update(of=("self",)).filter(device=device, uuid=photo).first()
    if found is None:
        raise BadInput(fields={"photo": _("This photo was not announced.")})
    if found.is_broken:
        raise PhotoBroken
    if start != found.received or found.document_id is not None:
        return found
    if start + len(content) > found.size:
        raise PhotoBroken
    FieldPiece.objects.create(photo=found, start=start, content=content)
    found.received += len(content)
    found.save(update_fields=["received"])
    if found.is_whole:
        _finish(actor, at, found)
    return found


def _finish(actor: User, at: datetime, photo: FieldPhoto) -> None:
    content = b"".join(bytes(piece.content) for piece in photo.pieces.order_by("start"))
    if hashlib.sha256(content).hexdigest() != photo.sha256:
        raise PhotoBroken
    kept = FieldRecord.objects.select_related("intake").get(pk=photo.record_id)
    photo.document, photo.problem = _place(actor, at, kept, photo.name, content)
    photo.save(update_fields=["document", "problem"])
    photo.pieces.all().delete()


def place_photos(*, actor: User, at: datetime, kept: FieldRecord) -> None:
    """Give the photos of a record that was just entered to the row that it has become."""
    for photo in kept.photos.exclude(document=None).select_related("document"):
        if photo.document is None:
            continue
        with photo.document.file.open("rb") as stream:
            content = stream.read()
        _to_row(actor, at, kept, photo.name, content)


def _place(actor: User, at: datetime, kept: FieldRecord, name: str, content: bytes) -> tuple[Document, str]:
    """The document, and what was in the way of giving it to the row: it is kept in any case."""
    document, problem = _to_row(actor, at, kept, name, content)
    if document is not None:
        return document, ""
    file = ContentFile(content, name=name)
    (outcome,) = attach_files(actor=actor, at=at, subject=("field_record", kept.pk), files=[file])
    if outcome.attachment is not None:
        return outcome.attachment.document, problem[:300]
    # No photo at all, or the same one twice: the bytes are kept as they came.
    as_sent = keep_document(actor=actor, at=at, kind=Document.Kind.OTHER, name=name, content=content)
    return as_sent, str(outcome.problem)[:300]


def _to_row(actor: User, at: datetime, kept: FieldRecord, name: str, content: bytes) -> tuple[Document | None, str]:
    if kept.intake_id is None or kept.row is None:
        return None, ""
    try:
        with transaction.atomic():
            intake = Intake.objects.get(pk=kept.intake_id)
            if intake.state == Intake.State.REGISTERED:
                return _to_horn(actor, at, intake, kept.row, name, content), ""
            return (
                attach_photo(actor=actor, at=at, intake=intake, row=kept.row, name=name, content=content),
                "",
            )
    except DomainError as refusal:
        return None, " ".join([str(refusal), *(str(text) for text in refusal.fields.values())])


def _to_horn(actor: User, at: datetime, intake: Intake, row: int, name: str, content: bytes) -> Document:
    """The table was registered before its photos came: they belong to the horn now."""
    horn = Derivative.objects.filter(intake=intake, row=row).first()
    if horn is None:
        raise BadInput(_("The row was taken off the table."))
    # Read under no lock: a horn that leaves at this moment was there when its photo came.
    is_here = Holding.objects.filter(item=horn.item_id, account=intake.store_id, pieces__gt=0).exists()
    is_late = intake.closed_at is None or at > intake.closed_at + FOLLOW_WITHIN
    if is_late or not is_here or not Derivative.objects.visible_to(actor).filter(pk=horn.pk).exists():
        raise BadInput(_("The horn is registered and has left, or this came too late: it stays with the record."))
    photo = keep_document(actor=actor, at=at, kind=Document.Kind.PHOTO, name=name, content=content)
    DerivativePhoto.objects.create(derivative=horn, document=photo)
    record(
        "intake.photo_added",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        note=f"№ {row}",
        document=str(photo.pk),
        sha256=photo.sha256,
    )
    return photo
