"""Other origins, table files and certificates for programs; jobs on large files."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

from core.accounts.models import Organisation, User
from core.jobs.models import Job
from core.jobs.services import execute_job
from ledger.models import CustodyAccount
from registry.models import Intake
from registry.services import importing

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(inspector: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(inspector)
    return client


def test_an_intake_of_an_import_is_opened_and_tells_its_fields(
    program: APIClient, reception_store: CustodyAccount, okhotzooprom: Organisation
) -> None:
    said: dict[str, Any] = {
        "origin": "imported",
        "term": "MED",
        "store": reception_store.code,
        "on": "2025-10-20",
        "importation": {
            "permit_number": "CN-1",
            "permit_on": "2025-10-01",
            "country": "CN",
            "declaration_number": "55/1",
            "declared_on": "2025-10-19",
            "importer": okhotzooprom.bin,
        },
    }

    answer = program.post("/api/v1/intakes/open/", said, format="json")

    assert answer.status_code == 201, answer.content
    table = program.get(f"/api/v1/intakes/{answer.json()['id']}/rows/").json()
    assert table["fields_of_term"][:3] == ["product", "lot", "count"]
    del said["importation"]
    assert program.post("/api/v1/intakes/open/", said, format="json").status_code == 422
    assert Intake.objects.count() == 1


@pytest.mark.parametrize(("only_good", "added"), [(False, 0), (True, 2)])
def test_a_file_with_a_bad_row_adds_nothing_unless_only_the_good_are_wished(
    only_good: bool, added: int, open_intake: Intake, inspector: User, now: datetime
) -> None:
    content = b"side;mass\nL;210\nR;heavy\nR;205\n"
    document = importing.keep_sheet(actor=inspector, at=now, name="a.csv", content=content)
    before = open_intake.rows.count()
    with translation.override("en"):
        job = importing.start_adding(
            actor=inspector, at=now, intake=open_intake, document=document, only_good=only_good
        )

    execute_job(job.pk)

    job.refresh_from_db()
    assert (job.state, job.result["added"], job.result["bad"]) == (Job.State.DONE, added, 1)
    assert open_intake.rows.count() == before + added
    if not only_good:
        assert job.result["problems"] == [[3, "mass", "heavy", "The mass is not a number."]]


def test_a_stranger_sees_no_certificates(client: Client, trader: User) -> None:
    program = APIClient()
    program.force_authenticate(trader)

    assert program.get("/api/v1/certificates/").json()["results"] == []
    assert program.post("/api/v1/certificates/", {}, format="json").status_code in (403, 422)
