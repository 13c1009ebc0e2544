"""Photos, papers and videos of anything the registry knows: added several at a time, withdrawn, found again."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.core.files.base import File
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.subjects import hold_still, kept_since, label_of, may_add, may_see, pages_of, place_of
from core.audit.services import record
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed, NotFound
from core.documents.models import Attachment, Document, Withdrawal
from core.documents.pictures import UnusableFile, film_type_or_none, foreign_tail, origin_of, photo_type_or_none
from core.documents.places import Origin
from core.documents.services import keep_document, refuse_broken_pdf, sha256_of

MOST_AT_ONCE = 50
LONGEST_CAPTION = 200
LONGEST_REASON = 400

Kind = Document.Kind
Subject = tuple[str, object]
Holder = Callable[[Collection[UUID]], dict[UUID, tuple[str, str]]]
_HOLDERS: list[Holder] = []


class FilesAreKept(DomainError):
    """The file belongs to something signed or closed."""

    code = "files-are-kept"
    message = _("This is signed or closed, and its files with it: none is withdrawn any more.")


class ClosedToFiles(InvalidTransition):
    """What the file was brought for takes none any more: it is signed or closed, perhaps since a moment."""

    code = "closed-to-files"
    message = _("This is signed or closed: no file is added to it any more. Reload the page.")


class AlreadyWithdrawn(InvalidTransition):
    """A file is withdrawn once."""

    code = "file-withdrawn"
    message = _("This file was withdrawn already. Reload the page.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: it is attached, or the problem says why not. `again` counts equal files elsewhere."""

    name: str
    attachment: Attachment | None = None
    problem: StrOrPromise = ""
    again: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where else in the register the same bytes are: the kind, and the page where the reader may open it."""

    label: StrOrPromise
    url: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One file as a page shows it; one that is kept is not withdrawn any more."""

    attachment: Attachment
    elsewhere: list[Sighting] = field(default_factory=list)
    is_kept: bool = False

    @property
    def document(self) -> Document:
        return self.attachment.document


def register_holder(holder: Holder) -> None:
    """Have a room say what its own documents belong to, so that a photo used twice is found there too."""
    if holder not in _HOLDERS:
        _HOLDERS.append(holder)


def attach_files(
    *, actor: User, at: datetime, subject: Subject, files: Sequence[File], caption: str = ""
) -> list[Outcome]:
    """Keep files as given and tie each to the subject. One that cannot be used does not lose the others.

    The same bytes are kept once for a subject.
    Photos are JPEG, PNG, WebP or HEIC, papers PDF, videos MP4 or MOV, known by their bytes. Place and moment are read
    from a photo; where the subject is said to be is kept beside them. Raises NotFound, NotAllowed, ClosedToFiles, and
    BadInput for no file, too many, or a caption that is too long.
    """
    kind, key = subject[0], str(subject[1])
    if not may_see(actor, kind, key):
        raise NotFound
    _refuse_closed((kind, key), at)
    if not may_add(actor, kind, key):
        raise NotAllowed
    if not files:
        raise BadInput(fields={"files": _("Choose at least one file.")})
    if len(files) > MOST_AT_ONCE:
        raise BadInput(fields={"files": _("At most %(most)d files at a time.") % {"most": MOST_AT_ONCE}})
    if len(caption.strip()) > LONGEST_CAPTION:
        raise BadInput(fields={"caption": _("At most %(most)d letters.") % {"most": LONGEST_CAPTION}})
    digests = [sha256_of(file) for file in files]
    if connection.in_atomic_block:
        # A door that holds them all in one transaction: two who send the same files at once stand in one line.
        for sha256 in sorted(digests):
            _stand_in_line((kind, key), sha256)
    return [
        _attach(actor, at, (kind, key), file, sha256, caption.strip())
        for file, sha256 in zip(files, digests, strict=True)
    ]


def _refuse_closed(subject: tuple[str, str], at: datetime) -> None:
    """A subject that is kept for longer than now takes nothing more. Raises ClosedToFiles."""
    since = kept_since(*subject)
    if since is not None and since > at:
        raise ClosedToFiles


def _attach(actor: User, at: datetime, subject: tuple[str, str], file: File, sha256: str, caption: str) -> Outcome:
    """One file in a transaction of its own."""
    name = str(file.name or "")
    try:
        with transaction.atomic():
            # Closes the race against whoever signs or closes the subject: one of the two waits, and looks again.
            hold_still(*subject)
            _refuse_closed(subject, at)
            kind = _kind_of(file)
            tail = foreign_tail(file.file) if kind == Kind.PHOTO else 0  # type: ignore[arg-type]
            _refuse_twice(subject, sha256)
            document = keep_document(actor=actor, at=at, kind=kind, name=name, content=file)
            origin = origin_of(file.file) if document.is_photo else Origin()  # type: ignore[arg-type]
            place = place_of(*subject)
            attachment = Attachment.objects.create(
                document=document,
                subject_kind=subject[0],
                subject_id=subject[1],
                caption=caption,
                taken_at=origin.taken_at,
                lat=origin.lat,
                lon=origin.lon,
                stated_lat=place.lat if place else None,
                stated_lon=place.lon if place else None,
                stated_place=place.name[:200] if place else "",
                added_by=actor,
                added_at=at,
            )
            again = Document.objects.filter(sha256=document.sha256).exclude(pk=document.pk).count()
            record(
                "file.added",
                actor=actor,
                at=at,
                subject=subject,
                document=str(document.pk),
                note=document.name,
                sha256=document.sha256,
                same_elsewhere=again,
                appended=tail or None,
            )
    except UnusableFile as refusal:
        return Outcome(name, problem=refusal.message)
    return Outcome(name, attachment, again=again)


def _refuse_twice(subject: tuple[str, str], sha256: str) -> None:
    """The same bytes belong to one subject once. Raises UnusableFile."""
    _stand_in_line(subject, sha256)
    if Attachment.objects.of(*subject).standing().filter(document__sha256=sha256).exists():
        raise UnusableFile(_("This file is here already; it is kept once."))


def _stand_in_line(subject: tuple[str, str], sha256: str) -> None:
    """Closes the race of a form that is sent twice: the second waits, and finds the first's file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [":".join((*subject, sha256))])


def _kind_of(file: File) -> Document.Kind:
    """A photo, a paper or a video, by its bytes. Raises UnusableFile that says what to do."""
    stream = file.file
    if stream is None or not file.size:
        raise UnusableFile(_("The file is empty."))
    if film_type_or_none(stream):
        return Kind.VIDEO
    stream.seek(0)
    head = stream.read(5)
    stream.seek(0)
    if head == b"%PDF-":
        refuse_broken_pdf(stream)
        return Kind.SCAN
    if photo_type_or_none(stream):
        return Kind.PHOTO
    raise UnusableFile(
        _("Only photos (JPEG, PNG, WebP, HEIC), papers (PDF) and videos (MP4, MOV) are kept. Save it as one of these.")
    )


@transaction.atomic
def withdraw_file(*, actor: User, at: datetime, attachment: Attachment, reason: str) -> Withdrawal:
    """Say that a file was added wrongly, and why. It stays, marked as withdrawn. Raises FilesAreKept, NotAllowed,
    BadInput, AlreadyWithdrawn.
    """
    if not may_see(actor, attachment.subject_kind, attachment.subject_id):
        raise NotFound
    # Closes the race against whoever signs or closes the subject meanwhile.
    hold_still(attachment.subject_kind, attachment.subject_id)
    if is_kept(attachment):
        raise FilesAreKept
    if not may_add(actor, attachment.subject_kind, attachment.subject_id):
        raise NotAllowed
    reason = reason.strip()
    if not reason:
        raise BadInput(fields={"reason": _("This must be said.")})
    if len(reason) > LONGEST_REASON:
        raise BadInput(fields={"reason": _("At most %(most)d letters.") % {"most": LONGEST_REASON}})
    # Of two who withdraw at once, the constraint lets one through.
    withdrawal, is_new = Withdrawal.objects.get_or_create(
        attachment=attachment, defaults={"reason": reason, "by": actor, "at": at}
    )
    if not is_new:
        raise AlreadyWithdrawn
    record(
        "file.withdrawn",
        actor=actor,
        at=at,
        subject=(attachment.subject_kind, attachment.subject_id),
        document=str(attachment.document_id),
        note=attachment.document.name,
        reason=reason,
    )
    return withdrawal


def is_kept(attachment: Attachment) -> bool:
    """Whether the file was part of its subject when that was signed or closed."""
    since = kept_since(attachment.subject_kind, attachment.subject_id)
    return since is not None and attachment.added_at <= since


def files_of(reader: User, kind: str, key: object) -> list[Shown]:
    """Files of a subject, withdrawn ones too, each with the other places of the same bytes that anybody has added."""
    found = list(
        Attachment.objects.of(kind, key).select_related("document", "added_by", "withdrawal", "withdrawal__by")
    )
    elsewhere = _sightings(reader, found)
    since = kept_since(kind, key) if found else None
    return [
        Shown(
            attachment,
            elsewhere[attachment.document.sha256],
            is_kept=since is not None and attachment.added_at <= since,
        )
        for attachment in found
    ]


def visible_attachment(reader: User, document: UUID) -> Attachment:
    """The attachment of this document, to whoever may see its subject. Raises NotFound."""
    found = Attachment.objects.select_related("document", "added_by").filter(document=document).first()
    if found is None or not may_see(reader, found.subject_kind, found.subject_id):
        raise NotFound
    return found


def _sightings(reader: User, attachments: Iterable[Attachment]) -> defaultdict[str, list[Sighting]]:
    """By hash, where else in the register the same bytes are; two or three queries, whatever the number of files."""
    own = {attachment.document_id: attachment.document.sha256 for attachment in attachments}
    twins = {
        pk: sha256
        for pk, sha256 in Document.objects.filter(sha256__in=set(own.values())).values_list("pk", "sha256")
        if pk not in own
    }
    inside: defaultdict[str, int] = defaultdict(int)
    for sha256 in own.values():
        inside[sha256] += 1
    found: defaultdict[str, list[Sighting]] = defaultdict(list)
    for sha256, count in inside.items():
        found[sha256] += [Sighting(_("here, once more"))] * (count - 1)
    if not twins:
        return found
    standing = Attachment.objects.filter(document__in=twins).values_list("document_id", "subject_kind", "subject_id")
    held = {pk: (kind, key) for pk, kind, key in standing}
    for holder in _HOLDERS:
        held |= holder([pk for pk in twins if pk not in held])
    pages = pages_of(reader, held.values())
    for pk, sha256 in twins.items():
        if pk in held:
            found[sha256].append(Sighting(label_of(held[pk][0]), pages.get(held[pk], "")))
    return found
