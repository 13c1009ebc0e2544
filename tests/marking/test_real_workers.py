"""Long work on labels with real workers: killed in the middle, done by another, nothing twice and nothing missing.

`NAME=label_runs make bench` does the same with a hundred thousand labels.
"""

import io
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone
from pypdf import PdfReader

from core.accounts.models import Organisation, User
from core.jobs.models import Job
from marking.labels import render_page
from marking.labels.reading import read_symbols
from marking.models import LabelPart, LabelRun, LabelSeries, Mark, SigningKey
from marking.selectors_stock import reels_that_differ
from marking.services.orders import LabelOrder
from marking.services.stock import order_series, print_reel, start_making
from tests.jobs.test_survival import _impatient, kill_9, wait_for, worker  # noqa: F401  thresholds of seconds
from tests.marks import build_series

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


# As in tests/marking/small_parts.py, which only the worker loads.
RUN_PART, SERIES_PART = 40, 20


@contextmanager
def small_worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker whose parts are small."""
    with worker(tmp_path, "tests.marking.small_parts") as process:
        yield process


def killed_and_resumed(job: Job, half: Callable[[], bool], tmp_path: Path) -> None:
    """Kill the worker when it has done some of the work; another one ends it."""
    with small_worker(tmp_path) as first:
        wait_for(half, tmp_path)
        kill_9(first)
    assert Job.objects.get(pk=job.pk).state == "running"
    with small_worker(tmp_path):
        wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, tmp_path, sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.done) == ("done", 2, job.total), job.error


def test_a_run_of_labels_is_ended_by_another_worker(
    signing_key: SigningKey,
    authority_officer: User,
    storekeeper: User,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    tmp_path: Path,
) -> None:
    at = timezone.now()
    series = build_series(authority_officer, storekeeper, inspectorate, okhotzooprom, at=at, reels=1, size=500)
    reel = series.reels.get()
    run = print_reel(actor=storekeeper, at=at, reel=reel, order=LabelOrder("roll-50x25"))
    kept: list[int] = []

    def some() -> bool:
        kept[:] = LabelPart.objects.filter(run=run).values_list("pk", flat=True)
        return len(kept) >= 2

    killed_and_resumed(run.job, some, tmp_path)

    parts = list(LabelRun.objects.get(pk=run.pk).parts.select_related("document"))
    assert {part.pk for part in parts} >= set(kept)
    assert [part.labels for part in parts] == [RUN_PART] * 12 + [20]
    assert all(part.read_back >= 3 for part in parts)
    codes: list[str] = []
    for part in parts:
        content = part.document.file.open("rb").read()
        texts = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
        codes += [line.replace("-", "") for text in texts for line in text.split("\n") if line.count("-") == 2]
        assert read_symbols(render_page(content, len(texts) - 1, dpi=300))
    wanted = Mark.objects.filter(reel=reel).order_by("place_on_reel").values_list("code", flat=True)
    assert codes == list(wanted)


def test_a_large_series_is_drawn_to_its_end_by_another_worker(
    signing_key: SigningKey,
    authority_officer: User,
    storekeeper: User,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    tmp_path: Path,
) -> None:
    at = timezone.now()
    series = order_series(
        actor=authority_officer,
        at=at,
        office=inspectorate,
        printer=okhotzooprom,
        purpose="Field season",
        profile="roll-50x25",
        reel_count=120,
        reel_size=10,
    )
    job = start_making(actor=storekeeper, at=at, series=series)

    killed_and_resumed(job, lambda: series.reels.count() >= 2 * SERIES_PART // 10, tmp_path)

    series.refresh_from_db()
    marks = Mark.objects.filter(reel__series=series)
    assert (series.state, series.reels.count(), marks.count()) == ("made", 120, 1_200)
    assert set(marks.values_list("reel__reel", flat=True)) == set(range(1, 121))
    assert not reels_that_differ()
    assert LabelSeries.objects.filter(state="making").count() == 0
