"""Files of labels: who takes one is written down, and nobody takes one once its labels are out of the printer."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.jobs.models import Job
from marking.models import LabelPart, LabelPlace, LabelRun, LabelRunEnd, Mark, SigningKey
from marking.models.stock import offices_of
from marking.services.labels import note_taken
from marking.services.stock import blank_holding, lock_reels

# How long whoever ordered labels has to print them, when nobody says that they came out of the printer.
FILE_DAYS = 7


class NotReleased(InvalidTransition):
    """Not the whole run was drawn and read back."""

    code = "labels-not-released"
    message = _("Files are given out when the whole run has been drawn and read back. This one has not.")


class FilesClosed(InvalidTransition):
    """The labels are out of the printer, or should be: a second copy of them must never be about."""

    code = "label-files-closed"
    message = _(
        "The files of this run are not given out any more: its labels were printed. Ask for a reprint: another person"
        " approves it, and the former prints are answered as old copies."
    )


class ReelFilesClosed(FilesClosed):
    """The same for a reel, whose labels are never printed again."""

    message = _(
        "The file of this reel is not given out any more: it was declared printed. Write off what came out spoiled and"
        " order a new series for it."
    )


class KeyNotSound(FilesClosed):
    """What these labels are signed with proves nothing any more."""

    message = _(
        "The key that signed these labels was declared compromised: the file is not given out. Ask for a reprint, which"
        " is signed with the key in use."
    )


class ReelKeyNotSound(FilesClosed):
    """The same for a reel."""

    message = _(
        "The key that signed these labels was declared compromised: the file is not given out. Declare the reel printed"
        " with all of its labels spoiled, and order a new series."
    )


@transaction.atomic
def take_part(*, actor: User, at: datetime, part: LabelPart) -> LabelPart:
    """Give the file of a part to a person who prints it; the journal says who took what and when.

    Raises NotAllowed, NotReleased, FilesClosed.
    """
    if not actor.can(Can.PRINT_LABELS):
        raise NotAllowed
    run = LabelRun.objects.visible_to(actor).select_related("job", "reel__series", "store").filter(pk=part.run_id)
    found = run.first()
    if found is None:
        raise NotAllowed
    refusal = why_closed(found, actor=actor, at=at, lock=True)
    if refusal is not None:
        raise refusal
    record(
        "labels.file_taken",
        actor=actor,
        at=at,
        subject=("label_run", found.pk),
        subject_name=str(found.intake or found.reel or found.pk),
        organisation_id=found.organisation_id,
        part=part.part,
        count=part.labels,
    )
    note_taken(actor=actor, at=at, part=part)
    return part


def why_closed(run: LabelRun, *, actor: User, at: datetime, lock: bool = False) -> InvalidTransition | None:
    """Why the files of this run are not given to this person now; None when they are. At most four queries."""
    if run.job.state != Job.State.DONE or run.job.finished_at is None:
        return NotReleased()
    compromised = run.run_marks.filter(
        mark__key__state=SigningKey.State.COMPROMISED, mark__generation=F("generation")
    ).exists()
    if run.reel_id is not None:
        if lock:
            # The lock closes the race with whoever declares the reel printed.
            lock_reels([run.reel_id])
        held = blank_holding(run.reel_id)
        to_print = held is not None and held.place == LabelPlace.TO_PRINT
        if not (held and to_print and held.organisation_id in offices_of(actor)):
            return ReelFilesClosed()
        return ReelKeyNotSound() if compromised else None
    if at > run.job.finished_at + timedelta(days=FILE_DAYS) or LabelRunEnd.objects.filter(run=run).exists():
        return FilesClosed()
    if compromised:
        return KeyNotSound()
    # What was printed anew or ended since is not printed once more from an older file.
    now_other = run.run_marks.exclude(
        mark__generation=F("generation"), mark__state__in=(Mark.State.BLANK, Mark.State.ACTIVE)
    )
    return FilesClosed() if now_other.exists() else None


@transaction.atomic
def declare_run_printed(*, actor: User, at: datetime, run: LabelRun) -> LabelRunEnd:
    """Say that the labels of a run for a store came out of the printer: its files are given to nobody any more.

    Raises NotAllowed, NotReleased, InvalidTransition; BadInput for a reel, which has an act of its own.
    """
    if not actor.can(Can.PRINT_LABELS) or not LabelRun.objects.visible_to(actor).filter(pk=run.pk).exists():
        raise NotAllowed
    # The lock closes the race of two who declare one run.
    locked = LabelRun.objects.select_for_update(no_key=True, of=("self",)).select_related("job", "store", "intake")
    run = locked.get(pk=run.pk)
    if run.reel_id is not None:
        raise BadInput(fields={"run": _("A reel is declared printed on its own page.")})
    if run.job.state != Job.State.DONE:
        raise NotReleased
    if LabelRunEnd.objects.filter(run=run).exists():
        raise InvalidTransition(_("These labels were declared printed before. Reload the page."))
    ended = LabelRunEnd.objects.create(run=run, ended_by=actor, ended_at=at)
    record(
        "labels.declared_printed",
        actor=actor,
        at=at,
        subject=("label_run", run.pk),
        subject_name=str(run.intake or run.pk),
        organisation_id=run.organisation_id,
        count=run.count,
    )
    return ended
