"""Jobs: started, run, cancelled, failed, taken over; and the database that lets none of it be forged."""

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition
from core.jobs.models import Job
from core.jobs.runners import RUNNERS, TITLES
from core.jobs.services import (
    MAX_ATTEMPTS,
    JobCancelled,
    Progress,
    cancel_job,
    execute_job,
    ring_again,
    start_job,
)
from core.jobs.tasks import run_job
from tests.jobs.slow import QUICK

pytestmark = pytest.mark.django_db

Runner = Callable[[Job, Progress], dict[str, Any]]


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been sent to the broker."""
    rung: list[Any] = []
    monkeypatch.setattr(run_job, "apply_async", lambda args, **_: rung.append(args[0]))
    return rung


@pytest.fixture
def job(inspector: User, now: datetime, bells: list[Any]) -> Job:
    return start_job(actor=inspector, at=now, kind=QUICK, params={"n": 1})


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Runner], None]:
    """Have the quick job do something else."""
    return lambda function: monkeypatch.setitem(RUNNERS, QUICK, function)


def test_it_is_written_down_and_rung_for_after_commit(
    inspector: User, now: datetime, bells: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = start_job(actor=inspector, at=now, kind=QUICK, params={})
        assert bells == []

    assert bells == [str(job.pk)]
    assert (job.state, job.queued_at, job.rung_at) == ("queued", now, now)
    assert Event.objects.about(("job", job.pk)).get().verb == "job.started"


def test_what_is_rolled_back_is_never_rung_for(
    inspector: User, now: datetime, bells: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    @transaction.atomic
    def start_and_fail() -> None:
        start_job(actor=inspector, at=now, kind=QUICK, params={})
        raise ZeroDivisionError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError):
        start_and_fail()

    assert bells == []
    assert not Job.objects.exists()


def test_a_broker_that_is_away_is_no_error(
    inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(run_job, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        job = start_job(actor=inspector, at=now, kind=QUICK, params={})

    assert ring_again(at=now + timedelta(minutes=1)) == [job.pk]


def test_a_kind_nobody_does_is_a_defect(inspector: User, now: datetime) -> None:
    with pytest.raises(KeyError):
        start_job(actor=inspector, at=now, kind="tests.unknown", params={})


def test_it_ends_with_its_result_and_all_of_it_done(job: Job) -> None:
    execute_job(job.pk)

    job.refresh_from_db()
    assert (job.state, job.result, job.done, job.total, job.percent) == ("done", {"seen": {"n": 1}}, 2, 2, 100)
    assert (job.attempts, job.error) == (1, "")
    verbs = Event.objects.about(("job", job.pk)).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["job.started", "job.finished"]


def test_a_second_bell_does_no_harm(job: Job) -> None:
    execute_job(job.pk)
    execute_job(job.pk)
    execute_job(uuid.uuid4())

    job.refresh_from_db()
    assert job.attempts == 1
    assert Event.objects.filter(verb="job.finished").count() == 1


def test_it_speaks_the_language_in_which_it_was_asked_for(
    inspector: User, now: datetime, bells: list[Any], doing: Callable[[Runner], None]
) -> None:
    spoken: list[str | None] = []

    def listen(job: Job, progress: Progress) -> dict[str, Any]:
        spoken.append(translation.get_language())
        return {}

    doing(listen)
    with translation.override("ru"):
        job = start_job(actor=inspector, at=now, kind=QUICK, params={})
    with translation.override("en"):
        execute_job(job.pk)

    assert spoken == ["ru"]


def test_a_refusal_is_told_to_the_owner(job: Job, doing: Callable[[Runner], None]) -> None:
    def refuse(job: Job, progress: Progress) -> dict[str, Any]:
        raise BadInput("The sheet is empty.")

    doing(refuse)
    execute_job(job.pk)

    job.refresh_from_db()
    assert (job.state, job.error, job.result) == ("failed", "The sheet is empty.", {})


def test_a_defect_is_told_without_its_insides(
    job: Job, doing: Callable[[Runner], None], caplog: pytest.LogCaptureFixture
) -> None:
    def fall(job: Job, progress: Progress) -> dict[str, Any]:
        raise ZeroDivisionError("the secret of the house")

    doing(fall)
    execute_job(job.pk)

    job.refresh_from_db()
    assert job.state == "failed"
    assert str(job.pk) in job.error
    assert "secret" not in job.error
    assert "the secret of the house" in caplog.text


def test_a_result_that_cannot_be_kept_is_a_failure(job: Job, doing: Callable[[Runner], None]) -> None:
    doing(lambda job, progress: {"object": object()})

    execute_job(job.pk)

    job.refresh_from_db()
    assert job.state == "failed"


def test_progress_is_saved_at_once_and_never_passes_the_whole(job: Job, doing: Callable[[Runner], None]) -> None:
    seen: list[tuple[int, int, str]] = []

    def work(job: Job, progress: Progress) -> dict[str, Any]:
        progress(3, 10, "x" * 500)
        now = Job.objects.get(pk=job.pk)
        seen.append((now.done, now.total, now.message))
        with pytest.raises(Error), transaction.atomic():
            progress(11, 10)
        return {}

    doing(work)
    execute_job(job.pk)

    assert seen == [(3, 10, "x" * 200)]


def test_a_waiting_job_is_cancelled_and_never_runs(job: Job, inspector: User, now: datetime) -> None:
    cancel_job(actor=inspector, at=now, job=job)
    execute_job(job.pk)

    job.refresh_from_db()
    assert (job.state, job.attempts, job.finished_at) == ("cancelled", 0, now)
    with pytest.raises(InvalidTransition):
        cancel_job(actor=inspector, at=now, job=job)


def test_a_running_job_notices_that_it_is_cancelled(
    job: Job, inspector: User, now: datetime, doing: Callable[[Runner], None]
) -> None:
    reached: list[str] = []

    def work(job: Job, progress: Progress) -> dict[str, Any]:
        cancel_job(actor=inspector, at=now, job=job)
        progress(1, 2)
        reached.append("beyond")
        return {}

    doing(work)
    execute_job(job.pk)

    job.refresh_from_db()
    assert (job.state, reached, job.result) == ("cancelled", [], {})


def test_a_worker_thought_dead_writes_nothing_when_it_wakes(
    job: Job, doing: Callable[[Runner], None], settings: Settings
) -> None:
    """While the first worker sleeps, a second takes the job over and finishes it."""
    settings.JOB_STALE_AFTER = 30
    told: list[type[BaseException]] = []

    def sleeper(job: Job, progress: Progress) -> dict[str, Any]:
        doing(lambda job, progress: {"by": "second"})
        execute_job(job.pk, clock=lambda: timezone.now() + timedelta(minutes=5))
        for act in (lambda: progress(1, 2), progress.hold):
            try:
                act()
            except JobCancelled as refusal:
                told.append(type(refusal))
        return {"by": "first"}

    doing(sleeper)
    execute_job(job.pk)

    job.refresh_from_db()
    assert told == [JobCancelled, JobCancelled]
    assert (job.state, job.result, job.attempts) == ("done", {"by": "second"}, 2)
    assert Event.objects.filter(verb="job.finished").count() == 1


def test_a_job_that_kills_its_workers_is_given_up(job: Job, settings: Settings) -> None:
    died = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(
        state="running",
        attempts=MAX_ATTEMPTS,
        claim=uuid.uuid4(),
        started_at=died,
        heartbeat_at=died,
    )

    execute_job(job.pk)

    job.refresh_from_db()
    assert job.state == "failed"
    assert str(MAX_ATTEMPTS) in job.error


def test_a_live_worker_keeps_its_job(job: Job) -> None:
    alive = timezone.now()
    claim = uuid.uuid4()
    Job.objects.filter(pk=job.pk).update(state="running", attempts=1, claim=claim, started_at=alive, heartbeat_at=alive)

    execute_job(job.pk)

    job.refresh_from_db()
    assert (job.claim, job.attempts) == (claim, 1)
    assert ring_again(at=alive + timedelta(seconds=20)) == []


@pytest.mark.django_db(transaction=True)
def test_the_heart_beats_while_a_long_step_says_nothing(
    job: Job, doing: Callable[[Runner], None], settings: Settings
) -> None:
    settings.JOB_HEARTBEAT = 0.05
    beats: list[datetime | None] = []

    def think_long(job: Job, progress: Progress) -> dict[str, Any]:
        for _ in range(2):
            beats.append(Job.objects.get(pk=job.pk).heartbeat_at)
            time.sleep(0.4)
        beats.append(Job.objects.get(pk=job.pk).heartbeat_at)
        return {}

    doing(think_long)
    execute_job(job.pk)

    first, second, third = (beat for beat in beats if beat is not None)
    assert first < second < third


def test_a_forgotten_job_is_rung_for_again_but_not_at_every_sweep(job: Job, now: datetime, settings: Settings) -> None:
    settings.JOB_RING_AGAIN_AFTER = 15

    rung = [ring_again(at=now + timedelta(seconds=seconds)) for seconds in (5, 16, 20, 30, 32)]

    assert rung == [[], [job.pk], [], [], [job.pk]]


def test_everybody_sees_the_own_jobs_only(job: Job, inspector: User, auditor: User, administrator: User) -> None:
    assert list(Job.objects.visible_to(inspector)) == [job]
    assert not Job.objects.visible_to(auditor).exists()
    assert not Job.objects.visible_to(administrator).exists()


def test_every_runner_has_a_title() -> None:
    assert RUNNERS.keys() == TITLES.keys()


# Around the services


@pytest.mark.parametrize(
    "change",
    [
        {"state": "done"},
        {"state": "running"},
        {"finished_at": "2025-01-01T00:00Z"},
        {"error": "x"},
        {"kind": "tests.slow"},
        {"params": {"n": 2}},
        {"queued_at": "2025-01-01T00:00Z"},
    ],
)
def test_the_database_refuses_half_states(job: Job, change: dict[str, Any]) -> None:
    before = Job.objects.values().get(pk=job.pk)

    with pytest.raises(Error), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**change)

    assert Job.objects.values().get(pk=job.pk) == before


@pytest.mark.parametrize("change", [{"result": {"forged": True}}, {"state": "queued", "finished_at": None}])
def test_what_has_ended_stays_as_it_ended(job: Job, change: dict[str, Any]) -> None:
    execute_job(job.pk)

    with pytest.raises(Error), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**change)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_job")

    job.refresh_from_db()
    assert job.state == "done"
