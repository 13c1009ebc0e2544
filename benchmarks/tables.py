"""Long tables as files: N rows (100,000) of ten columns to PDF, XLSX and CSV; seconds and memory."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.figures import Figure, at_most
from reports.tables import Column, Formats, Kind, Report, Row, Seal, Table, Words, write_csv, write_pdf, write_xlsx

ROOT = Path(__file__).resolve().parents[1]
ROWS = 100_000
WORDS = Words(
    registry="Киік дериваттарының мемлекеттік тізілімі",
    page="%(pages)d беттің %(page)d-беті",
    total="Барлығы",
    empty="Жол жоқ",
    kilograms="кг",
    grams="г",
    check_code="Тексеру коды",
    signature="қолы",
    signed_on="күні",
)
COLUMNS = (
    Column("Күні", Kind.DAY, 0.1),
    Column("Жазылды", Kind.MOMENT, 0.1),
    Column("Себебі", weight=2),
    Column("Құжат", Kind.CODE, 1.2),
    Column("Қайдан, қайда", weight=3),
    Column("Термин, шығу тегі", weight=2),
    Column("дана", Kind.NUMBER, 0.2, group="Кіріс", total=True),
    Column("масса", Kind.GRAMS, 0.3, group="Кіріс", total=True),
    Column("дана", Kind.NUMBER, 0.2, group="Шығыс", total=True),
    Column("масса", Kind.GRAMS, 0.3, group="Шығыс", total=True),
)
PLACES = ("Орал қабылдау пункті", "Алматы орталық тоңазытқыш қоймасы", "Казталовка қабылдау пункті")


def measure(n: int | None) -> Iterable[Figure]:
    """Each file in a process of its own, so that its memory is its own. Limits are those of 100,000 rows."""
    share = (n or ROWS) / ROWS
    for name, seconds, megabytes in (("pdf", 20.0, 160.0), ("xlsx", 15.0, 80.0), ("csv", 4.0, 80.0)):
        made = _write_elsewhere(name, n or ROWS)
        yield at_most(f"tables.{name}.time", made["seconds"], "s", max(seconds * share, 1.0))
        yield at_most(f"tables.{name}.memory", made["megabytes"], "MB", megabytes * max(share, 1.0))


def _write_elsewhere(name: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.tables", name, str(rows)]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    made: dict[str, float] = json.loads(ended.stdout)
    return made


def _write(name: str, count: int) -> dict[str, float]:
    report = Report(
        title="Қор туралы есептеме",
        tables=(Table("Қозғалыстар", COLUMNS, lambda: _rows(count)),),
        words=WORDS,
        formats=Formats(),
        seal=Seal("ST26-000001", "7H4Q-9TX2-MW8H", "https://saiga.gov.kz/statements/1/"),
        landscape=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        began = time.process_time()
        if name == "pdf":
            write_pdf(report, path)
        elif name == "xlsx":
            write_xlsx(report, path)
        else:
            with path.open("wb") as file:
                file.writelines(write_csv(report.tables[0], words=WORDS, formats=report.formats))
        seconds = time.process_time() - began
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _rows(count: int) -> Iterator[Row]:
    for number in range(count):
        pieces, grams = 1 + number % 300, 50 + number * 7919 % 4_000_000
        came = number % 2 == 0
        yield (
            date(2026, 1, 1 + number % 28),
            datetime(2026, 1, 1 + number % 28, number % 24, number % 60, tzinfo=UTC),
            "Қабылданды",
            f"HO26-{number:06d}",
            PLACES[number % 3],
            "мүйіз (HOR), заңды алу",
            pieces if came else None,
            grams if came else None,
            None if came else pieces,
            None if came else grams,
        )


if __name__ == "__main__":
    print(json.dumps(_write(sys.argv[1], int(sys.argv[2]))))
