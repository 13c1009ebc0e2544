"""Pages say which labels a horn bears, and how one is stuck on."""

import pytest
from django.conf import settings
from django.test import Client

from core.accounts.models import User
from core.jobs.services import execute_job
from marking.models import LabelRun, Mark
from registry.models import Intake

pytestmark = pytest.mark.django_db

WARNED = "Stuck round a horn, this symbol is not read well"


@pytest.mark.parametrize(
    ("chosen", "warned"),
    [
        ({"profile": "roll-50x25", "dpi": 300}, False),
        ({"profile": "a4-65", "dpi": 600}, False),
        ({"profile": "roll-50x25", "dpi": 203}, True),
        ({"profile": "a4-21", "dpi": 300}, True),
        ({"profile": "roll-50x25", "dpi": 300, "symbols": "datamatrix"}, True),
    ],
)
def test_the_picture_of_horn_labels_warns_of_those_a_horn_bends_too_far(
    marks: list[Mark], open_intake: Intake, inspector: User, client: Client, chosen: dict[str, str | int], warned: bool
) -> None:
    client.force_login(inspector)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    url = f"/intakes/{open_intake.pk}/labels/"

    picture = client.get(f"{url}preview/", {"start": 1, "language": "kk", **chosen}).content.decode()
    page = client.post(url, {"start": 1, "language": "kk", **chosen})["Location"]

    assert (WARNED in picture) == warned
    execute_job(LabelRun.objects.get().job_id)
    said = client.get(page).content.decode()
    assert (WARNED in said) == warned
    assert ("only the writing goes round" in said) != warned
    run = client.get(f"/api/v1/labels/{LabelRun.objects.get().pk}/").json()
    assert run["suits_horns"] != warned


def test_the_form_and_programs_are_told_which_labels_are_for_horns(
    marks: list[Mark], open_intake: Intake, inspector: User, client: Client
) -> None:
    client.force_login(inspector)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    page = client.get(f"/intakes/{open_intake.pk}/labels/").content.decode()
    stocks = {one["key"]: one["for_horns"] for one in client.get("/api/v1/label-stocks/").json()}

    assert page.count("· for horns") == 2
    assert stocks["roll-50x25"] == stocks["a4-65"] == [300, 600]
    assert stocks["a4-21"] == []
