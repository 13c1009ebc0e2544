"""Starting, running, cancelling and recovering jobs."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import DomainError, InvalidTransition
from core.base.queue import after_commit
from core.jobs.models import Job, JobQuerySet
from core.jobs.runners import RUNNERS, runner

__all__ = ["JobCancelled", "Progress", "cancel_job", "execute_job", "ring_again", "runner", "start_job"]

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
RING_AT_ONCE = 500


class JobCancelled(Exception):
    """The owner cancelled while it ran, or another worker took it over: stop at once, keep nothing."""


class AlreadyFinished(InvalidTransition):
    """What has ended cannot be cancelled."""

    code = "job-finished"
    message = _("This work has ended already.")


class Progress:
    """Tells the owner how far a job is."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, done: int, total: int, message: StrOrPromise = "") -> None:
        """Save `done` of `total` at once, so not inside a transaction of the work itself.

        Raises JobCancelled when the job is no longer this worker's.
        """
        if not _mine(self._job).update(done=done, total=total, message=str(message)[:200], heartbeat_at=timezone.now()):
            raise JobCancelled

    def hold(self) -> None:
        """Lock the job until the end of the present transaction, which writes its results.

        A worker that was only thought dead cannot write beside the one that took over. Raises JobCancelled.
        """
        if not list(_mine(self._job).select_for_update().values_list("pk")):
            raise JobCancelled


def _mine(job: Job) -> JobQuerySet:
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, claim=job.claim)


@transaction.atomic
def start_job(*, actor: User, at: datetime, kind: str, params: dict[str, Any]) -> Job:
    """Write the job down and ring for a worker after commit; what was written is never lost.

    It speaks the language in force now. A kind without a runner is a defect: KeyError.
    """
    from core.jobs.tasks import run_job

    if kind not in RUNNERS:
        raise KeyError(kind)
    job = Job.objects.create(
        kind=kind,
        owner=actor,
        params=params,
        queued_at=at,
        rung_at=at,
        language=(translation.get_language() or actor.language)[:2],
    )
    record("job.started", actor=actor, at=at, subject=("job", job.pk), kind=kind)
    after_commit(run_job, str(job.pk))
    return job


def execute_job(job_id: uuid.UUID, *, clock: Callable[[], datetime] = timezone.now) -> None:
    """Run a job that waits, or one whose worker died; a job that another worker holds is left alone.

    Ends with the state saved, failure included; only a database that is away leaves it to the sweep.
    Must not be called inside a transaction.
    """
    job = _claim(job_id, at=clock())
    if job is None:
        return
    with translation.override(job.language):
        if job.attempts > MAX_ATTEMPTS:
            sentence = ngettext(
                "Given up: the worker died %(count)d time.", "Given up: the worker died %(count)d times.", MAX_ATTEMPTS
            )
            _finish(job, Job.State.FAILED, at=clock(), error=sentence % {"count": MAX_ATTEMPTS})
            return
        try:
            with _heart(job):
                result = RUNNERS[job.kind](job, Progress(job))
            _finish(job, Job.State.DONE, at=clock(), result=result)
        except JobCancelled:
            log.info("job %s (%s) is no longer ours", job.pk, job.kind)
        except DomainError as refusal:
            _finish(job, Job.State.FAILED, at=clock(), error=str(refusal))
        except Exception:
            log.exception("job %s (%s) failed", job.pk, job.kind)
            sentence = gettext("Something went wrong on our side. Number of the case: %(id)s") % {"id": job.pk}
            _finish(job, Job.State.FAILED, at=clock(), error=sentence)


def _claim(job_id: uuid.UUID, *, at: datetime) -> Job | None:
    """Take the job for this worker. Update-where: of two workers woken for the same job only one gets it."""
    died = Q(state=Job.State.RUNNING, heartbeat_at__lt=at - _seconds(settings.JOB_STALE_AFTER))
    claimed = Job.objects.filter(Q(state=Job.State.QUEUED) | died, pk=job_id).update(
        state=Job.State.RUNNING,
        claim=uuid.uuid4(),
        attempts=F("attempts") + 1,
        started_at=at,
        heartbeat_at=at,
        done=0,
        total=0,
        message="",
    )
    return Job.objects.select_related("owner").get(pk=job_id) if claimed else None


@contextmanager
def _heart(job: Job) -> Iterator[None]:
    """Show that the worker lives while a long step reports nothing, on a connection of its own."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.JOB_HEARTBEAT):
                try:
                    if not _mine(job).update(heartbeat_at=timezone.now()):
                        return
                except DatabaseError:
                    log.warning("job %s: no heartbeat", job.pk, exc_info=True)
                    connections.close_all()
        finally:
            connections.close_all()

    thread = threading.Thread(target=beat, name=f"heart of {job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@transaction.atomic
def _finish(job: Job, state: Job.State, *, at: datetime, error: str = "", result: dict[str, Any] | None = None) -> None:
    final: dict[str, Any] = {"state": state, "finished_at": at, "error": error, "result": result or {}}
    if state == Job.State.DONE:
        final |= {"done": F("total")}
    if _mine(job).update(**final):
        record("job.finished", actor=None, at=at, subject=("job", job.pk), kind=job.kind, state=state.value)


@transaction.atomic
def cancel_job(*, actor: User, at: datetime, job: Job) -> Job:
    """Stop a job that has not finished; a running one notices at its next step. Raises AlreadyFinished."""
    if not Job.objects.unfinished().filter(pk=job.pk).update(state=Job.State.CANCELLED, finished_at=at, claim=None):
        raise AlreadyFinished
    job.refresh_from_db()
    record("job.cancelled", actor=actor, at=at, subject=("job", job.pk), kind=job.kind)
    return job


def ring_again(*, at: datetime) -> list[uuid.UUID]:
    """Jobs that wait though nobody may ring for them any more: the broker was emptied, or their worker died.

    Each is named at most once in `JOB_RING_AGAIN_AFTER` seconds, so that a long queue does not fill up with bells.
    """
    died = Q(state=Job.State.RUNNING, heartbeat_at__lt=at - _seconds(settings.JOB_STALE_AFTER))
    silent = (Q(state=Job.State.QUEUED) | died) & Q(rung_at__lt=at - _seconds(settings.JOB_RING_AGAIN_AFTER))
    found = list(Job.objects.filter(silent).order_by("queued_at").values_list("pk", flat=True)[:RING_AT_ONCE])
    Job.objects.unfinished().filter(pk__in=found).update(rung_at=at)
    return found


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
