"""The pages of one's own jobs, and the files they made."""

import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from core.documents.models import Document
from core.documents.services import keep_document
from core.jobs.models import Job
from core.jobs.services import execute_job, start_job
from core.jobs.tasks import run_job
from tests.jobs.slow import QUICK, SLOW

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda **_: None)
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def job(inspector: User, now: datetime, tmp_path: Path) -> Job:
    note = str(tmp_path / "runs")
    return start_job(actor=inspector, at=now, kind=SLOW, params={"steps": 2, "pause": 0, "note": note})


@pytest.fixture
def own(client: Client, inspector: User) -> Client:
    client.force_login(inspector)
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def test_a_waiting_job_renews_itself_and_can_be_cancelled(own: Client, job: Job) -> None:
    page = own.get(reverse("jobs:job", args=[job.pk])).content.decode()

    assert f'hx-get="/jobs/{job.pk}/"' in page
    assert reverse("jobs:cancel", args=[job.pk]) in page

    answer = own.post(reverse("jobs:cancel", args=[job.pk]), follow=True)
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert "hx-get" not in answer.content.decode().split("<main")[1]

    again = own.post(reverse("jobs:cancel", args=[job.pk]), follow=True)
    assert "has ended already" in again.content.decode()


def test_to_htmx_it_gives_only_the_card(own: Client, job: Job) -> None:
    card = own.get(reverse("jobs:job", args=[job.pk]), headers=HTMX)

    assert card.content.decode().lstrip().startswith("<section")
    assert "no-store" in card["Cache-Control"]


def test_a_finished_job_offers_its_file_to_its_owner(own: Client, job: Job) -> None:
    execute_job(job.pk)
    job.refresh_from_db()
    (paper,) = job.document_ids
    address = reverse("jobs:document", args=[job.pk, paper])

    assert address in own.get(reverse("jobs:job", args=[job.pk])).content.decode()
    answer = own.get(address)
    assert b"".join(answer.streaming_content) == b"1;2;3"  # type: ignore[attr-defined]
    assert answer["Content-Disposition"] == 'attachment; filename="count.csv"'
    through_api = own.get(f"/api/v1/jobs/{job.pk}/documents/{paper}/")
    assert b"".join(through_api.streaming_content) == b"1;2;3"  # type: ignore[attr-defined]


def test_nobody_else_sees_the_job_or_its_file(client: Client, job: Job, administrator: User, auditor: User) -> None:
    execute_job(job.pk)
    job.refresh_from_db()
    (paper,) = job.document_ids

    for person in (administrator, auditor):
        client.force_login(person)
        for address in (
            reverse("jobs:job", args=[job.pk]),
            reverse("jobs:document", args=[job.pk, paper]),
            f"/api/v1/jobs/{job.pk}/",
            f"/api/v1/jobs/{job.pk}/documents/{paper}/",
        ):
            assert client.get(address).status_code == 404, address
        assert client.post(reverse("jobs:cancel", args=[job.pk])).status_code == 404
        assert str(job.pk) not in client.get(reverse("jobs:jobs")).content.decode()


def test_a_job_opens_no_other_document(own: Client, job: Job, inspector: User, now: datetime) -> None:
    execute_job(job.pk)
    secret = keep_document(actor=inspector, at=now, kind=Document.Kind.OTHER, name="secret.txt", content=b"secret")

    for other in (secret.pk, uuid.uuid4()):
        assert own.get(reverse("jobs:document", args=[job.pk, other])).status_code == 404


def test_the_list_shows_the_newest_first(
    own: Client, inspector: User, later: Callable[..., datetime], django_assert_max_num_queries: Any
) -> None:
    made = [start_job(actor=inspector, at=later(hours=hour), kind=QUICK, params={}) for hour in range(3)]

    with django_assert_max_num_queries(10):
        page = own.get(reverse("jobs:jobs"))

    assert list(page.context["page"]) == made[::-1]


def test_a_program_follows_and_cancels_its_jobs(own: Client, job: Job) -> None:
    listed = own.get("/api/v1/jobs/").json()["results"]
    assert [(row["id"], row["title"], row["state"]) for row in listed] == [(str(job.pk), "A slow test", "queued")]

    assert own.post(f"/api/v1/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"
    refused = own.post(f"/api/v1/jobs/{job.pk}/cancel/")
    assert (refused.status_code, refused.json()["code"]) == (409, "job-finished")
