"""A large series of blank labels: its codes are drawn in the background, part by part, and the work goes on."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.accounts.models import Organisation, User
from core.base.errors import InvalidTransition, NotAllowed
from core.jobs.models import Job
from core.jobs.services import JobCancelled, Progress, cancel_job, execute_job
from marking.models import LabelHolding, LabelReel, LabelSeries, Mark, SigningKey
from marking.selectors_stock import reels_that_differ
from marking.services import stock
from marking.services.stock import make_series, order_series, run_making, start_making

pytestmark = pytest.mark.django_db

Order = Callable[..., LabelSeries]


@pytest.fixture
def order(
    signing_key: SigningKey,
    authority_officer: User,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    now: datetime,
) -> Order:
    """Orders a series that the state enterprise prints for the inspection."""

    def ordered(reels: int, size: int) -> LabelSeries:
        return order_series(
            actor=authority_officer,
            at=now,
            office=inspectorate,
            printer=okhotzooprom,
            purpose="Field season",
            profile="roll-50x25",
            reel_count=reels,
            reel_size=size,
        )

    return ordered


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reels of ten are a part; more than thirty labels are drawn in the background."""
    monkeypatch.setattr(stock, "MAKING_LABELS", 20)
    monkeypatch.setattr(stock, "MADE_AT_ONCE", 30)


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        act()


def run(job: Job) -> Job:
    execute_job(job.pk)
    job.refresh_from_db()
    return job


def is_whole(series: LabelSeries) -> bool:
    """Every label that was ordered is there once, in the ledger and as a mark."""
    series.refresh_from_db()
    places = Mark.objects.filter(reel__series=series, state="blank").values_list("reel__reel", "place_on_reel")
    wanted = {(reel, place) for reel in range(1, series.reel_count + 1) for place in range(1, series.reel_size + 1)}
    to_print = LabelHolding.objects.filter(reel__series=series, place="to_print").values_list("pieces", flat=True)
    return (
        series.state == "made"
        and len(places) == len(wanted)
        and set(places) == wanted
        and sum(to_print) == series.count
        and not reels_that_differ()
    )


def test_a_large_series_is_drawn_in_the_background(
    order: Order, small_parts: None, storekeeper: User, inspector: User, now: datetime
) -> None:
    series = order(7, 10)
    with pytest.raises(NotAllowed):
        start_making(actor=inspector, at=now, series=series)

    job = start_making(actor=storekeeper, at=now, series=series)

    series.refresh_from_db()
    assert (series.state, series.job, series.reels.count()) == ("making", job, 0)
    for again in (start_making, make_series):
        with pytest.raises(InvalidTransition):
            again(actor=storekeeper, at=now, series=series)
    assert run(job).state == "done"
    assert (job.done, job.total) == (70, 70)
    assert is_whole(series)
    assert (series.ended_by, series.job) == (storekeeper, job)
    with pytest.raises(InvalidTransition):
        start_making(actor=storekeeper, at=now, series=series)


def test_work_whose_worker_died_goes_on_behind_the_last_reel(
    order: Order, small_parts: None, storekeeper: User, now: datetime
) -> None:
    series = order(7, 10)
    job = start_making(actor=storekeeper, at=now, series=series)
    Job.objects.filter(pk=job.pk).update(
        state="running", claim="11111111-1111-1111-1111-111111111111", attempts=1, started_at=now, heartbeat_at=now
    )
    job.refresh_from_db()
    dying = Progress(job)
    seen: list[int] = []

    class Killed(Exception):
        pass

    def until_killed(done: int, total: int, message: str = "") -> None:
        seen.append(done)
        if done >= 40:
            raise Killed

    dying.__class__ = type("Dying", (Progress,), {"__call__": lambda _self, *said: until_killed(*said)})
    with pytest.raises(Killed):
        run_making(job, dying, clock=lambda: now)
    first = set(Mark.objects.values_list("code", flat=True))
    assert (seen, len(first), series.reels.count()) == ([0, 20, 40], 40, 4)
    assert LabelSeries.objects.get(pk=series.pk).state == "making"

    Job.objects.filter(pk=job.pk).update(heartbeat_at=now - timedelta(days=1))
    assert run(job).state == "done"

    assert is_whole(series)
    assert first <= set(Mark.objects.values_list("code", flat=True))
    with pytest.raises(JobCancelled):  # the worker that was only thought dead
        Progress(Job(pk=job.pk, claim="11111111-1111-1111-1111-111111111111")).hold()


def test_cancelled_work_is_begun_anew_and_nothing_is_drawn_twice(
    order: Order, small_parts: None, storekeeper: User, now: datetime
) -> None:
    series = order(5, 10)
    job = start_making(actor=storekeeper, at=now, series=series)
    cancel_job(actor=storekeeper, at=now, job=job)

    again = start_making(actor=storekeeper, at=now, series=series)

    assert run(again).state == "done"
    assert is_whole(series)
    assert run(job).state == "cancelled"


def test_a_part_takes_as_many_queries_whatever_its_size(
    order: Order, small_parts: None, storekeeper: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def queries(reels: int) -> int:
        series = order(reels, 10)
        job = start_making(actor=storekeeper, at=now, series=series)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert run(job).state == "done"
        return len(asked)

    monkeypatch.setattr(stock, "MAKING_LABELS", 10_000)
    one, many = queries(2), queries(40)
    monkeypatch.setattr(stock, "MAKING_LABELS", 20)
    parts = [queries(reels) for reels in (4, 6, 8)]

    assert one == many
    assert parts[2] - parts[1] == parts[1] - parts[0]


def test_the_database_wants_a_series_whole(order: Order, small_parts: None, storekeeper: User, now: datetime) -> None:
    series = order(4, 10)
    rows = LabelSeries.objects.filter(pk=series.pk)
    made = {"state": "made", "ended_by": storekeeper, "ended_at": now}

    refused(lambda: rows.update(**made))
    refused(lambda: rows.update(state="making"))  # no job
    job = start_making(actor=storekeeper, at=now, series=series)
    refused(lambda: rows.update(state="ordered"))
    refused(lambda: rows.update(state="cancelled", ended_by=storekeeper, ended_at=now))
    stock._lay_out_reels(storekeeper, now, series, 1, 3, None)
    refused(lambda: rows.update(**made))
    assert run(job).state == "done"
    refused(lambda: LabelReel.objects.filter(series=series).update(size=9))


def test_the_largest_series_is_counted_too(order: Order, storekeeper: User, now: datetime) -> None:
    series = order(200, 500)  # more than a small number of the database holds

    with pytest.raises(IntegrityError, match="not drawn as it was ordered"):
        LabelSeries.objects.filter(pk=series.pk).update(state="made", ended_by=storekeeper, ended_at=now)


def test_pages_and_programs_begin_it_and_see_how_far_it_is(
    order: Order, small_parts: None, storekeeper: User, inspector: User, client: Client
) -> None:
    series, other = order(4, 10), order(4, 10)
    page = f"/labels/series/{series.pk}/"
    client.force_login(storekeeper)

    assert client.post(f"{page}make/").headers["Location"] == page
    job = Job.objects.get()
    assert f"job-{job.pk}" in client.get(page).content.decode()
    assert f"{page}make/" not in client.get(page).content.decode()
    client.post(f"/jobs/{job.pk}/cancel/")
    assert f"{page}make/" in client.get(page).content.decode()
    client.post(f"{page}make/")
    execute_job(LabelSeries.objects.get(pk=series.pk).job_id)  # type: ignore[arg-type]
    assert is_whole(series)
    assert f"{series.number}/004" in client.get(page).content.decode()

    answer = client.post(f"/api/v1/label-series/{other.pk}/make/", headers={"Idempotency-Key": "one"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "making"
    execute_job(answer.json()["job"])
    assert is_whole(other)
    client.force_login(inspector)
    assert "job-" not in client.get(page).content.decode()
