"""Pages of seizure cases, as people walk through them."""

import io
from datetime import datetime

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from core.accounts.models import Organisation, User
from core.audit.models import Event
from ledger.models import CustodyAccount, Hold
from registry.models import Case, CourtDecision, Derivative, Intake
from registry.services import DecisionFacts, record_decision
from tests.builders import register
from tests.cast import PASSWORD


@pytest.fixture
def goods(open_seizure: Intake, inspector: User, now: datetime) -> list[Derivative]:
    return register(open_seizure, actor=inspector, at=now)


@pytest.fixture
def case(goods: list[Derivative]) -> Case:
    return Case.objects.get(intakes__derivatives=goods[0])


def test_a_case_is_entered_from_the_road_and_weighed_by_one_tap(
    client: Client, inspector: User, police: Organisation, evidence_room: CustodyAccount
) -> None:
    client.force_login(inspector)
    form = client.get(reverse("registry:open-case"))
    assert form.content.decode().count('class="region"') == 20

    sent = {
        "protocol_number": "№ 41",
        "horns": "5",
        "place": "214-шақырым",
        "latitude": "49,42",
        "longitude": "46.85",
        "seized_on": "2025-11-09",
        "protocol_on": "2025-11-09",
        "agency": police.pk,
        "region": "27",
        "erdr_number": "",
    }
    opened = client.post(reverse("registry:open-case"), sent)

    case = Case.objects.get()
    assert opened["Location"] == reverse("registry:case", args=[case.pk])
    page = client.get(opened["Location"]).content.decode()
    assert f"{reverse('registry:open-seizure')}?case={case.pk}" in page
    assert 'class="place"' in page
    refused = client.post(reverse("registry:open-case"), sent | {"longitude": "", "protocol_on": "2025-11-08"})
    assert refused.status_code == 422
    assert Case.objects.count() == 1


def test_facts_counts_and_papers_are_written_on_their_pages(client: Client, inspector: User, case: Case) -> None:
    client.force_login(inspector)
    facts = {
        "version": "0",
        "agency": case.agency_id,
        "place": case.place,
        "latitude": "",
        "longitude": "",
        "seized_on": case.seized_on.isoformat(),
        "origin_country": "KZ",
        "destination_country": "CN",
        "transit_countries": ["KG"],
        "nationalities": ["KZ", "CN"],
        "males": "1",
        "articles": "ҚР ҚК 339-бап",
        "estimated_value": "1200000",
    }
    assert client.post(reverse("registry:case-facts", args=[case.pk]), facts).status_code == 302
    counts = {"HOR_pieces": "5", "HOR_grams": "1,05"}
    assert client.post(reverse("registry:case-counts", args=[case.pk]), counts).status_code == 302
    asked = {"institution": "Орталық", "requested_on": "2025-11-10"}
    assert client.post(reverse("registry:ask-expertise", args=[case.pk]), asked).status_code == 302

    case.refresh_from_db()
    page = client.get(reverse("registry:case", args=[case.pk])).content.decode()
    assert (case.destination_country_id, case.males, case.estimated_value) == ("CN", 1, 1_200_000)
    assert (case.counts.get().pieces, case.counts.get().grams) == (5, 1050)
    assert "row-attention" in page
    assert "3 932" in page.replace("\xa0", " ")
    assert client.post(reverse("registry:case-facts", args=[case.pk]), facts).status_code == 422


def test_persons_are_shown_to_few_and_every_look_is_noted(
    client: Client, inspector: User, auditor: User, case: Case
) -> None:
    client.force_login(inspector)
    url = reverse("registry:case-persons", args=[case.pk])
    client.post(url, {"full_name": "Сейтқали Асан", "part": "suspect"})
    page = client.get(url)
    assert "Сейтқали Асан" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert "Сейтқали" not in client.get(reverse("registry:case", args=[case.pk])).content.decode()

    client.force_login(auditor)
    assert client.get(url).status_code == 403
    assert "Сейтқали" not in client.get(reverse("registry:case", args=[case.pk])).content.decode()
    assert Event.objects.filter(verb="case.persons_seen").count() == 1


def test_a_decision_is_recorded_by_one_and_confirmed_by_another(
    client: Client, inspector: User, authority_officer: User, case: Case, goods: list[Derivative]
) -> None:
    client.force_login(inspector)
    form = {
        "court": "Орал қалалық соты",
        "number": "1-118",
        "decided_on": "2025-11-09",
        "in_force_on": "2025-11-10",
        "outcome": "confiscated",
        "others": f"{goods[0].number}\n{goods[1].number}",
        "other_outcome": "destroy",
    }
    wrong = client.post(reverse("registry:record-decision", args=[case.pk]), form | {"others": "KZ25-9999999"})
    assert wrong.status_code == 422
    assert client.post(reverse("registry:record-decision", args=[case.pk]), form).status_code == 302
    decision = CourtDecision.objects.get()
    assert sorted(decision.items.values_list("outcome", flat=True)) == ["confiscated"] * 2 + ["destroy"] * 2
    url = reverse("registry:confirm-decision", args=[case.pk, decision.pk])
    assert "act-refused" in client.get(url).content.decode()
    assert client.post(url, {"password": PASSWORD}).status_code == 422

    client.force_login(authority_officer)
    assert "1-118" in client.get(url).content.decode()
    assert client.post(url, {"password": "wrong"}).status_code == 422
    assert Hold.objects.active().filter(kind="evidence").count() == 4
    assert client.post(url, {"password": PASSWORD}).status_code == 302
    assert Hold.objects.active().filter(kind="evidence").count() == 0
    assert client.get(reverse("registry:case", args=[case.pk])).status_code == 200


def test_others_may_not_write_in_a_case(
    client: Client, inspector_elsewhere: User, auditor: User, storekeeper: User, case: Case
) -> None:
    pages = ("case-facts", "case-counts", "ask-expertise", "record-decision")
    client.force_login(inspector_elsewhere)
    assert {client.get(reverse(f"registry:{name}", args=[case.pk])).status_code for name in pages} == {404}
    for person in (auditor, storekeeper):
        client.force_login(person)
        assert {client.get(reverse(f"registry:{name}", args=[case.pk])).status_code for name in pages} == {403}


def test_the_list_is_filtered_by_stage_and_costs_the_same(
    client: Client,
    inspector: User,
    case: Case,
    goods: list[Derivative],
    now: datetime,
    django_assert_max_num_queries: object,
) -> None:
    client.force_login(inspector)
    url = reverse("registry:cases")
    assert case.name in client.get(url, {"stage": "evidence"}).content.decode()
    assert case.name not in client.get(url, {"stage": "waiting"}).content.decode()
    facts = DecisionFacts("Court", "1", now.date(), now.date())
    record_decision(actor=inspector, at=now, case=case, facts=facts, outcomes={"destroy": [goods[0].pk]})  # type: ignore[dict-item]

    with django_assert_max_num_queries(25):  # type: ignore[operator]
        page = client.get(url, {"stage": "waiting", "erdr": "given", "region": "27"})

    assert case.name in page.content.decode()


def test_the_illegal_trade_report_has_the_columns_of_its_form(
    client: Client, authority_officer: User, inspector: User, case: Case
) -> None:
    url = reverse("reports:illegal-trade", args=[2025])
    client.force_login(inspector)
    assert client.get(url).status_code == 403
    client.force_login(authority_officer)

    answer = client.get(url)
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]  # type: ignore[attr-defined]

    rows = [[cell for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]
    head = next(row for row in rows if row and row[0] == "Seizure number")
    assert len(head) == 21
    assert head[-1] == "Additional information"
    line = rows[rows.index(head) + 1]
    assert line[:6] == [case.number, case.seized_on.strftime("%d/%m/%Y"), "Saiga tatarica", "HOR", "4", "NAR"]
    assert "Evidence" in line
