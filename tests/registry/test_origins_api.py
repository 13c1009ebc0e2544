"""Other origins, table files and certificates for programs; jobs on large files."""

from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

from core.accounts.models import Organisation, User
from core.jobs.models import Job
from core.jobs.services import execute_job
from ledger.models import CustodyAccount, Hold
from registry.measures import TableRow
from registry.models import Intake
from registry.services import importing, register_intake, save_rows
from tests.cast import PASSWORD
from tests.files import scanned

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(inspector: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(inspector)
    return client


def test_an_intake_of_an_import_is_opened_and_tells_its_fields(
    program: APIClient, reception_store: CustodyAccount, okhotzooprom: Organisation
) -> None:
    goods = {"origin": "imported", "term": "MED", "store": reception_store.code, "on": "2025-10-20"}
    papers = {
        "permit_number": "CN-1",
        "permit_on": "2025-10-01",
        "country": "CN",
        "declaration_number": "55/1",
        "declared_on": "2025-10-19",
        "importer": okhotzooprom.bin,
    }

    def send(**said: str) -> Any:
        parts = {f"importation.{name}": text for name, text in (papers | said).items()}
        scan = SimpleUploadedFile("papers.jpg", scanned(), "image/jpeg")
        return program.post("/api/v1/intakes/open/", goods | parts | {"scan": scan}, format="multipart")

    bare = program.post("/api/v1/intakes/open/", goods | {"importation": papers}, format="json")
    assert (bare.status_code, list(bare.json()["fields"])) == (422, ["scan"])

    answer = send()

    assert answer.status_code == 201, answer.content
    table = program.get(f"/api/v1/intakes/{answer.json()['id']}/rows/").json()
    assert table["fields_of_term"][:3] == ["product", "lot", "count"]
    nowhere = send(permit_number="CN-2", country="ZZ")
    assert (nowhere.status_code, list(nowhere.json()["fields"])) == (422, ["country"])
    unnumbered = send(permit_number="-", declaration_number="D")
    assert unnumbered.status_code == 422
    assert set(unnumbered.json()["fields"]) == {"permit_number", "declaration_number"}
    assert program.post("/api/v1/intakes/open/", goods, format="json").status_code == 422
    assert Intake.objects.count() == 1


def test_old_stock_comes_with_its_inventory_and_is_confirmed_by_another(
    program: APIClient, second_inspector: User, reception_store: CustodyAccount, inspector: User, now: datetime
) -> None:
    said = {"origin": "old_stock", "term": "HOR", "store": reception_store.code, "on": "2025-10-20"}
    sheet = {"sheet_number": "7", "sheet_on": "2025-10-20", "commission": "Ахметов А."}
    bare = program.post("/api/v1/intakes/open/", said | {"old_stock": sheet}, format="json")
    assert (bare.status_code, list(bare.json()["fields"])) == (422, ["scan"])
    parts = {f"old_stock.{name}": text for name, text in sheet.items()}
    scan = SimpleUploadedFile("sheet.jpg", scanned(), "image/jpeg")
    opened = program.post("/api/v1/intakes/open/", said | parts | {"scan": scan}, format="multipart")
    assert opened.status_code == 201, opened.content
    intake = Intake.objects.get()
    save_rows(actor=inspector, at=now, intake=intake, version=0, rows=[TableRow(1, "L", 215)])
    register_intake(actor=inspector, at=now, intake=intake)
    act = f"/api/v1/intakes/{intake.pk}/confirm/"

    alone = program.post(act, {"password": PASSWORD}, format="json")
    assert (alone.status_code, alone.json()["code"]) == (403, "second-person-needed")
    assert Hold.objects.active().exists()
    program.force_authenticate(second_inspector)
    assert program.post(act, {"password": "wrong"}, format="json").status_code == 422
    assert program.post(act, {"password": PASSWORD}, format="json").status_code == 200

    assert not Hold.objects.active().exists()


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
