"""A table file of N rows (100,000), CSV and XLSX, into a full register: rows a second, and memory.

Measured is what a person waits for, from the upload to the registered derivatives: the file is sent, kept and read
through to the list of bad rows, then its rows are
added, then registered; the reading and the adding by the runners of their jobs. Marking is measured beside it. Each
format runs in a process of its own, and the memory is what that process grew by over what it held when all was loaded
and a small table had been registered: the greatest resident size, as the kernel saw it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, at_least, at_most, told

ROOT = Path(__file__).resolve().parents[1]
ROWS = 100_000
SMALL = 200
BAD_EVERY = 10_000
HEADER = (
    "Сторона", "Масса, г", "Наружная длина, мм", "Прямая длина, мм", "Обхват основания, мм", "Кольца", "Состояние"
)  # fmt: skip


def measure(n: int | None) -> Iterable[Figure]:
    from benchmarks.goods import full_register

    full_register()
    count = n or ROWS
    for name in ("csv", "xlsx"):
        made = _in_a_process(name, count)
        yield at_least(f"imports.{name}.rows_per_second", count / made["registered"], "rows/s", 4000)
        yield told(f"imports.{name}.rows_per_cpu_second", count / made["cpu"], "rows/s")
        yield at_most(f"imports.{name}.memory", made["megabytes"], "MB", 300)
        yield at_most(f"imports.{name}.found_bad_rows", made["found"], "s", count / 4000)
        yield at_least(f"imports.{name}.bad_rows_listed", made["listed"], "rows", made["bad"])
        yield at_most(f"imports.{name}.written_when_one_is_bad", made["written"], "rows", 0)
        yield at_least(f"imports.{name}.marked_too", count / made["marked"], "rows/s", 2500)


def _in_a_process(name: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.imports", name, str(count)]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env=os.environ)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-3000:])
    made: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return made


def _lines(count: int, *, bad: bool) -> Iterable[tuple[Any, ...]]:
    for row in range(1, count + 1):
        mass: Any = "heavy" if bad and row % BAD_EVERY == 0 else 180 + row * 7 % 51
        length = 220 + row * 11 % 71
        yield ("сол" if row % 2 else "оң", mass, length, length - 20, 80 + row % 20, 12 + row % 6, "бүтін")


def _write_csv(path: Path, count: int, *, bad: bool) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for line in (HEADER, *_lines(count, bad=bad)):
            file.write(";".join(str(value) for value in line) + "\r\n")


def _write_xlsx(path: Path, count: int, *, bad: bool) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    for place, line in enumerate((HEADER, *_lines(count, bad=bad))):
        sheet.write_row(place, 0, line)
    book.close()


def _run(name: str, count: int) -> dict[str, float]:
    """The whole way once, in a process that does nothing else."""
    folder = Path(os.environ.get("VAR_DIR", "/tmp")) / f"imports-{os.getpid()}"  # noqa: S108
    folder.mkdir(parents=True)
    files = {kind: folder / f"{kind}.{name}" for kind in ("small", "bad", "good")}
    write = _write_csv if name == "csv" else _write_xlsx
    # In a child, so that the memory of writing files is not ours.
    if not (child := os.fork()):
        write(files["small"], SMALL, bad=False)
        write(files["bad"], count, bad=True)
        write(files["good"], count, bad=False)
        os._exit(0)
    os.waitpid(child, 0)
    return _measured(files, count)


def _measured(files: dict[str, Path], count: int) -> dict[str, float]:
    import django

    django.setup()
    from django.core.files.base import File

    from benchmarks.goods import Reception, open_reception
    from benchmarks.ground import cpu_seconds
    from core.jobs.models import Job
    from core.jobs.services import Progress
    from marking.services.issue import issue_marks
    from registry.models import Intake
    from registry.services import importing, register_intake

    reception: Reception = open_reception()
    person = reception.inspector

    def start(kind: str, path: Path, intake: Intake) -> Job:
        """The file sent, and a job about it that is ours, as the worker would hold it."""
        at = datetime.now(UTC)
        with path.open("rb") as file:
            document = importing.keep_sheet(actor=person, at=at, name=path.name, content=File(file, name=path.name))
        return job_about(kind, str(document.pk), intake)

    def job_about(kind: str, document: str, intake: Intake) -> Job:
        import uuid

        at = datetime.now(UTC)
        return Job.objects.create(
            kind=kind,
            owner=person,
            params={"intake": intake.pk, "document": document, "only_good": False},
            state=Job.State.RUNNING,
            claim=uuid.uuid4(),
            queued_at=at,
            rung_at=at,
            started_at=at,
            heartbeat_at=at,
        )

    def take_in(path: Path, males: int) -> tuple[dict[str, float], Intake]:
        intake = reception.open(males)
        began, used = time.perf_counter(), cpu_seconds()
        reading = start(importing.JOB_READ, path, intake)
        found = importing.run_reading(reading, Progress(reading))
        known = time.perf_counter()
        adding = job_about(importing.JOB_ADD, reading.params["document"], intake)
        importing.run_adding(adding, Progress(adding))
        rows = intake.rows.count()
        if not found["bad"]:
            intake.refresh_from_db()
            register_intake(
                actor=person,
                at=datetime.now(UTC),
                intake=intake,
                confirm_band=True,
                band_reason="Weighed again on another scale",
            )
        ended = time.perf_counter()
        cpu = cpu_seconds() - used
        return {"found": known - began, "registered": ended - began, "cpu": cpu, "rows": rows, "bad": found["bad"]} | {
            "listed": len({line for line, *_rest in found["problems"]})
        }, intake

    take_in(files["small"], SMALL // 2)
    before = _peak(reset=True)
    refused, _intake = take_in(files["bad"], count // 2)
    taken, intake = take_in(files["good"], count // 2)
    grown = _peak() - before
    began = time.perf_counter()
    issue_marks(actor=person, at=datetime.now(UTC), derivatives=_markable(intake))
    marked = taken["registered"] + time.perf_counter() - began
    return {
        "registered": taken["registered"],
        "cpu": taken["cpu"],
        "found": refused["found"],
        "bad": refused["bad"],
        "listed": refused["listed"],
        "written": refused["rows"],
        "megabytes": grown,
        "marked": marked,
    }


def _markable(intake: Any) -> Any:
    from marking.services.issue import lines_to_mark

    return lines_to_mark(intake)


def _peak(*, reset: bool = False) -> float:
    """The greatest resident size of this process in megabytes, or from now on."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps(_run(sys.argv[1], int(sys.argv[2]))))
