"""Starting, running, cancelling and recovering jobs."""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import DomainError, InvalidTransition
from core.base.queue import after_commit
from core.jobs.models import Job

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
STALE = timedelta(seconds=45)

type_of_runner = Callable[[Job, "Progress"], dict[str, Any]]
RUNNERS: dict[str, type_of_runner] = {}
TITLES: dict[str, StrOrPromise] = {}


class JobCancelled(Exception):
    """The owner cancelled while it ran, or another worker took it over: stop at once, keep nothing."""


def runner(kind: str, title: StrOrPromise) -> Callable[[type_of_runner], type_of_runner]:
    """Declare the function that does jobs of this kind; it must be safe to run again from the start."""

    def register(function: type_of_runner) -> type_of_runner:
        RUNNERS[kind] = function
        TITLES[kind] = title
        return function

    return register


class Progress:
    """Tells the owner how far a job is. Saved at once, outside any transaction of the work itself."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, done: int, total: int, message: StrOrPromise = "") -> None:
        """Save `done` of `total`; raises JobCancelled when the job is no longer this worker's."""
        mine = Job.objects.filter(pk=self._job.pk, state=Job.State.RUNNING, claim=self._job.claim)
        if not mine.update(done=done, total=total, message=str(message)[:200], heartbeat_at=timezone.now()):
            raise JobCancelled


@transaction.atomic
def start_job(*, actor: User, at: datetime, kind: str, params: dict[str, Any]) -> Job:
    """Write the job down and ring for a worker after commit; what was written is never lost."""
    from core.jobs.tasks import run_job

    if kind not in RUNNERS:
        raise KeyError(kind)
    job = Job.objects.create(
        kind=kind, owner=actor, params=params, queued_at=at, language=translation.get_language() or actor.language
    )
    record("job.started", actor=actor, at=at, subject=("job", job.pk), kind=kind)
    after_commit(run_job, str(job.pk))
    return job


def execute_job(job_id: uuid.UUID, *, clock: Callable[[], datetime] = timezone.now) -> None:
    """Run a job that waits, or one whose worker died; a job that another worker holds is left alone.

    Ends with the state saved, failure included. Must not be called inside a transaction.
    """
    claim = uuid.uuid4()
    waiting = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, heartbeat_at__lt=clock() - STALE)
    # Update-where: of two workers woken for the same job only one gets it.
    claimed = Job.objects.filter(waiting, pk=job_id).update(
        state=Job.State.RUNNING,
        claim=claim,
        attempts=F("attempts") + 1,
        started_at=clock(),
        heartbeat_at=clock(),
        done=0,
        total=0,
        message="",
    )
    if not claimed:
        return
    job = Job.objects.select_related("owner").get(pk=job_id)
    if job.attempts > MAX_ATTEMPTS:
        _finish(job, Job.State.FAILED, at=clock(), error=str(_("Given up: the worker died too many times.")))
        return
    with translation.override(job.language):
        try:
            result = RUNNERS[job.kind](job, Progress(job))
        except JobCancelled:
            return
        except DomainError as refusal:
            _finish(job, Job.State.FAILED, at=clock(), error=str(refusal))
        except Exception:
            log.exception("job %s (%s) failed", job.pk, job.kind)
            sentence = _("Something went wrong on our side. Number of the case: %(id)s") % {"id": job.pk}
            _finish(job, Job.State.FAILED, at=clock(), error=sentence)
        else:
            _finish(job, Job.State.DONE, at=clock(), result=result)


@transaction.atomic
def _finish(job: Job, state: Job.State, *, at: datetime, error: str = "", result: dict[str, Any] | None = None) -> None:
    mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, claim=job.claim)
    final: dict[str, Any] = {"state": state, "finished_at": at, "error": error, "result": result or {}}
    if state == Job.State.DONE:
        final |= {"done": F("total")}
    if mine.update(**final):
        record("job.finished", actor=None, at=at, subject=("job", job.pk), kind=job.kind, state=state.value)


@transaction.atomic
def cancel_job(*, actor: User, at: datetime, job: Job) -> Job:
    """Stop a job that has not finished; a running one notices at its next step. Raises InvalidTransition."""
    if not Job.objects.unfinished().filter(pk=job.pk).update(state=Job.State.CANCELLED, finished_at=at, claim=None):
        raise InvalidTransition
    job.refresh_from_db()
    record("job.cancelled", actor=actor, at=at, subject=("job", job.pk), kind=job.kind)
    return job


def forgotten_jobs(*, at: datetime) -> list[uuid.UUID]:
    """Jobs that wait though nobody rings for them any more: the broker was emptied, or their worker died."""
    waits = Q(state=Job.State.QUEUED, queued_at__lt=at - timedelta(seconds=15))
    died = Q(state=Job.State.RUNNING, heartbeat_at__lt=at - STALE)
    return list(Job.objects.filter(waits | died).order_by("queued_at").values_list("pk", flat=True)[:500])
