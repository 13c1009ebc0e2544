"""What was asked for gets done: a worker killed in the middle, and a broker that forgot everything.

With real worker processes and the real broker; the sweep is called here as beat would call it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from core.accounts.models import User
from core.audit.models import Event
from core.documents.models import Document
from core.jobs.models import Job
from core.jobs.services import start_job
from core.jobs.tasks import sweep_jobs
from tests.jobs.slow import SLOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

PATIENCE = 40  # seconds; a busy machine starts a worker slowly
QUICKLY = {"JOB_HEARTBEAT": "0.2", "JOB_STALE_AFTER": "1.5", "JOB_RING_AGAIN_AFTER": "1"}


@pytest.fixture(autouse=True)
def _impatient(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """The thresholds of a minute in a second, here as in the workers; an empty broker before and after."""
    for name, value in QUICKLY.items():
        setattr(settings, name, float(value))
    settings.MEDIA_ROOT = tmp_path / "documents"
    with broker() as client:
        client.flushdb()
        yield
        client.flushdb()


@contextmanager
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


@contextmanager
def worker(tmp_path: Path, include: str = "tests.jobs.slow") -> Iterator[subprocess.Popen[bytes]]:
    """One real worker with one process for tasks, on the test's own database and broker."""
    base, question, options = os.environ["DATABASE_URL"].partition("?")
    own = {
        "DATABASE_URL": f"{base.rpartition('/')[0]}/{connection.settings_dict['NAME']}{question}{options}",
        "VAR_DIR": str(tmp_path),
        **QUICKLY,
    }
    command = ["-m", "celery", "-A", "config", "worker", "--concurrency", "1", "--include", include]
    with (tmp_path / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--loglevel", "INFO", "--without-mingle", "--without-gossip"],
            cwd=settings.ROOT,
            env=os.environ | own,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill_9(process)


def kill_9(process: subprocess.Popen[bytes]) -> None:
    """The worker and its children, as when the machine loses power."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(truth: Callable[[], bool], tmp_path: Path, *, sweeping: bool = False) -> None:
    deadline = time.monotonic() + PATIENCE
    while not truth():
        if time.monotonic() > deadline:
            pytest.fail((tmp_path / "worker.log").read_text()[-3000:])
        if sweeping:
            sweep_jobs()
        time.sleep(0.1)


def ask(inspector: User, tmp_path: Path, *, steps: int, pause: float) -> Job:
    tmp_path.mkdir(exist_ok=True)
    params = {"steps": steps, "pause": pause, "note": str(tmp_path / "runs")}
    return start_job(actor=inspector, at=timezone.now(), kind=SLOW, params=params)


def assert_done_once(job: Job, tmp_path: Path, *, runs: int) -> None:
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", runs)
    assert len((tmp_path / "runs").read_text().split()) == runs
    assert Event.objects.about(("job", job.pk)).filter(verb="job.finished").count() == 1
    paper = Document.objects.get()
    assert job.document_ids == {str(paper.pk)}


def test_a_job_whose_worker_is_killed_is_done_by_another(inspector: User, tmp_path: Path) -> None:
    job = ask(inspector, tmp_path, steps=5, pause=0.3)

    with worker(tmp_path) as first:
        wait_for(lambda: Job.objects.filter(pk=job.pk, state="running", done__gte=2).exists(), tmp_path)
        kill_9(first)
    assert Job.objects.get(pk=job.pk).state == "running"

    with worker(tmp_path):
        wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, tmp_path, sweeping=True)
    assert_done_once(job, tmp_path, runs=2)


def test_a_broker_that_forgets_everything_loses_no_job(inspector: User, tmp_path: Path) -> None:
    """Emptied while a job waits, and again while another runs and the next is yet to come."""
    forget_everything()  # the letters about the roles that the cast was given
    waiting = ask(inspector, tmp_path, steps=1, pause=0)
    forget_everything(expected=1)

    with worker(tmp_path):
        wait_for(lambda: Job.objects.get(pk=waiting.pk).is_finished, tmp_path, sweeping=True)
        assert_done_once(waiting, tmp_path, runs=1)

        running = ask(inspector, tmp_path / "second", steps=4, pause=0.2)
        wait_for(lambda: Job.objects.filter(pk=running.pk, state="running").exists(), tmp_path)
        forget_everything()
        following = ask(inspector, tmp_path / "third", steps=1, pause=0)
        wait_for(lambda: Job.objects.get(pk=following.pk).is_finished, tmp_path, sweeping=True)

    running.refresh_from_db()
    following.refresh_from_db()
    assert (running.state, running.attempts, following.state) == ("done", 1, "done")


def forget_everything(*, expected: int | None = None) -> None:
    with broker() as client:
        assert expected in (None, client.llen("celery"))
        client.flushdb()
