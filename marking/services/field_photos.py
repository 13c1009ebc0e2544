"""Photos of the field notebook, coming in pieces over a connection that breaks: whole ones go to what they show."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput, DomainError
from core.documents.attaching import attach_files
from core.documents.models import Document
from core.documents.services import keep_document
from marking.models import FieldDevice, FieldPhoto, FieldPiece, FieldRecord
from marking.models.field import MOST_PHOTO_BYTES
from registry.models import Derivative, DerivativePhoto, Intake
from registry.services import attach_photo

MOST_PIECE_BYTES = 1024 * 1024
MOST_PHOTOS = 12


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
    """Make room for a photo; announced again, it says how much of it is here. Raises BadInput."""
    # The lock closes the race of one photo announced twice at once.
    FieldDevice.objects.select_for_update(no_key=True, of=("self",)).get(pk=device.pk)
    begun = FieldPhoto.objects.filter(device=device, uuid=announced.uuid).first()
    if begun is not None:
        return begun
    kept = FieldRecord.objects.filter(device=device, uuid=announced.record).first()
    if kept is None:
        raise BadInput(fields={"record": _("The record of this photo has not arrived. It is sent first.")})
    if not 1 <= announced.size <= MOST_PHOTO_BYTES:
        raise BadInput(fields={"size": _("The photo is larger than 20 MB.")})
    if kept.photos.count() >= MOST_PHOTOS:
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


@transaction.atomic
def take_piece(
    *, actor: User, at: datetime, device: FieldDevice, photo: UUID, start: int, content: bytes
) -> FieldPhoto:
    """Keep the bytes from `start` on if they come next; those that are here are passed over, so a piece may be sent
    again. With the last piece the photo goes to what it shows. Raises BadInput, PhotoBroken.
    """
    if not 1 <= len(content) <= MOST_PIECE_BYTES:
        raise BadInput(fields={"content": _("A piece has 1 to %(most)d bytes.") % {"most": MOST_PIECE_BYTES}})
    # The lock closes the race of one piece sent twice at once.
    found = FieldPhoto.objects.select_for_update(of=("self",)).filter(device=device, uuid=photo).first()
    if found is None:
        raise BadInput(fields={"photo": _("This photo was not announced.")})
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
