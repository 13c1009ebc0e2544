"""A run of 100,000 labels from the order to the last part, by real workers; one of them is killed in the middle.

Through the queue, as in production: a worker draws PDF in parts, reads a sample of each back and keeps it; at half it
is killed as by a loss of power, the sweep rings again, and another worker goes on. Before it, the same for a series of
as many blank labels, whose codes are drawn. Time is that of the wall, memory that of the process that works.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections
from django.db.models import Max, Sum

from benchmarks.figures import Figure, at_least, at_most, told
from benchmarks.goods import LONG_AGO, Reception, appointed_alone, open_reception
from core.accounts.bin import bin_from
from core.accounts.models import Appointment, Organisation, User
from core.accounts.roles import Role
from core.jobs.models import Job
from core.jobs.tasks import sweep_jobs
from marking.models import LabelRun, LabelSeries, Mark
from marking.services.issue import register_and_mark
from marking.services.labels import PART_LABELS, READ_BACK_ONE_IN, print_labels
from marking.services.orders import LabelOrder
from marking.services.stock import LARGEST_REEL, order_series, start_making
from registry.measures import TableRow
from registry.models import Intake
from registry.services import save_rows

LABELS = 100_000
QUICKLY = {"JOB_HEARTBEAT": "0.5", "JOB_STALE_AFTER": "3", "JOB_RING_AGAIN_AFTER": "1"}
LOOK_EVERY = 0.1
GIVEN_UP_AFTER = 1_200.0


class Worker:
    """A worker of production with one process for tasks."""

    def __init__(self) -> None:
        command = ["-m", "celery", "--quiet", "--app", "config", "worker", "--loglevel", "ERROR", "--concurrency", "1"]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, *command, "--without-gossip", "--without-mingle"],
            cwd=settings.ROOT,
            env=os.environ | QUICKLY | {"CELERY_SKIP_CHECKS": "yes"},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def memory(self) -> float:
        """Megabytes that the process which works holds now; the largest of the worker's."""
        held = [0.0]
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getpgid(int(entry.name)) == self._process.pid:
                    rows = (entry / "status").read_text().splitlines()
                    held += [int(row.split()[1]) / 1024 for row in rows if row.startswith("VmRSS")]
            except (OSError, ValueError):
                continue
        return max(held)

    def kill(self) -> str:
        """As when the machine loses power; what it said last."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-3000:]


def measure(n: int | None) -> Iterable[Figure]:
    count = (n or LABELS) // LARGEST_REEL * LARGEST_REEL
    for name, value in QUICKLY.items():
        setattr(settings, name, float(value))
    reception = open_reception()
    yield from _series(reception, count)
    yield from _run(reception, count)


def _series(reception: Reception, count: int) -> Iterable[Figure]:
    office = reception.store.custodian
    if office is None:
        raise ValueError("the store of the benchmarks has a keeper")
    orderer = _orderer()
    now = datetime.now(UTC)
    series = order_series(
        actor=orderer,
        at=now,
        office=office,
        printer=office,
        purpose="Benchmark",
        profile="roll-50x25",
        reel_count=count // LARGEST_REEL,
        reel_size=LARGEST_REEL,
    )
    job = start_making(actor=reception.inspector, at=now, series=series)
    took, grown, most = _through_a_kill(job, count)
    made = LabelSeries.objects.get(pk=series.pk)
    marks = Mark.objects.filter(reel__series=series).count()
    yield at_least("label_runs.series.labels", marks if made.state == "made" else 0, "labels", count)
    yield told("label_runs.series.pace", count / took, "labels/s")
    yield told("label_runs.series.memory", most, "MB")
    yield at_most("label_runs.series.memory_growth", grown, "MB", 32)


def _orderer() -> User:
    """Somebody of the authority, written past the services that appoint people."""
    found = User.objects.filter(username="bench-orderer").first()
    if found is None:
        name = {"name_kk": "Комитет", "name_ru": "Комитет", "name_en": "Committee"}
        authority = Organisation.objects.create(bin=bin_from("02084000077"), kind=Organisation.Kind.MINISTRY, **name)
        found = User.objects.create(username="bench-orderer")
        with appointed_alone():
            Appointment.objects.create(
                user=found,
                organisation=authority,
                role=Role.AUTHORITY_OFFICER,
                valid_from=LONG_AGO.date(),
                appointed_by=User.objects.get(username="bench-appointer"),
            )
    return found


def _run(reception: Reception, count: int) -> Iterable[Figure]:
    now = datetime.now(UTC)
    intake = _weigh(reception, count)
    register_and_mark(actor=reception.inspector, at=now, intake=intake)
    began = time.perf_counter()
    run = print_labels(actor=reception.inspector, at=now, intake=intake, order=LabelOrder("roll-50x25", second="ru"))
    yield told("label_runs.order", time.perf_counter() - began, "s")
    took, grown, most = _through_a_kill(run.job, count)
    parts = LabelRun.objects.get(pk=run.pk).parts
    sums = parts.aggregate(labels=Sum("labels"), read=Sum("read_back"), last=Max("part"))
    yield at_least("label_runs.labels", sums["labels"], "labels", count)
    yield at_least("label_runs.parts", sums["last"], "parts", -(-count // PART_LABELS))
    yield at_least("label_runs.read_back", sums["read"], "labels", count / READ_BACK_ONE_IN)
    yield told("label_runs.time", took, "s")
    yield told("label_runs.pace", count / took, "labels/s")
    yield told("label_runs.memory", most, "MB")
    yield at_most("label_runs.memory_growth", grown, "MB", 32)


def _weigh(reception: Reception, count: int) -> Intake:
    """An open intake with so many horns on its table, two of each animal: more animals one reception does not take."""
    intake = reception.open(count // 2)
    rows = [TableRow(row=row, side="LR"[row % 2], mass_g=180 + row * 7 % 51) for row in range(1, count + 1)]
    now = datetime.now(UTC)
    return save_rows(actor=reception.inspector, at=now, intake=intake, version=intake.version, rows=rows)


def _through_a_kill(job: Job, count: int) -> tuple[float, float, float]:
    """Seconds of the whole work with the pause of the kill; by how much the memory of the second half grew from its
    first part to its last; the most memory of all, both in megabytes."""
    began = time.perf_counter()
    held: list[tuple[int, float]] = []
    worker = Worker()
    try:
        _watch(worker, job, held, lambda seen: seen.done >= count // 2)
    finally:
        worker.kill()
    killed_at = held[-1][0]
    worker = Worker()
    try:
        _watch(worker, job, held, lambda seen: seen.is_finished, sweeping=True)
    finally:
        said = worker.kill()
    job.refresh_from_db()
    if job.state != Job.State.DONE or job.attempts != 2:
        raise RuntimeError(f"{job.kind} {job.state} at attempt {job.attempts}: {job.error}\n{said}")
    took = time.perf_counter() - began
    # A worker has warmed up when it has kept one part and draws the next.
    second = [(done, memory) for done, memory in held if done > killed_at + PART_LABELS]
    middle = [memory for done, memory in second if done <= killed_at + 3 * PART_LABELS]
    grown = max((memory for _done, memory in second), default=0) - max(middle, default=0)
    return took, grown, max(memory for _done, memory in held)


def _watch(
    worker: Worker,
    job: Job,
    held: list[tuple[int, float]],
    is_there: Callable[[Job], bool],
    *,
    sweeping: bool = False,
) -> None:
    """Note how far the job is and what its worker holds, until it is there."""
    deadline = time.monotonic() + GIVEN_UP_AFTER
    while True:
        close_old_connections()
        seen = Job.objects.get(pk=job.pk)
        held.append((seen.done, worker.memory()))
        if is_there(seen) or seen.is_finished:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{job.kind} is at {seen.done} of {seen.total}")
        if sweeping and seen.attempts < 2:
            sweep_jobs()
        time.sleep(LOOK_EVERY)
