"""Pages of seizure cases, as people walk through them."""

import io
import re
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from core.accounts.models import Organisation, User
from core.audit.models import Event
from core.notices.models import Notice
from ledger.models import CustodyAccount, Hold, Holding
from registry.models import Case, CasePerson, CourtDecision, Derivative, Intake, Outcome, ReturnAct, Term
from registry.selectors_cases import compare_counts_of, standing_goods_of
from registry.services import DecisionFacts, add_person, confirm_decision, count_goods, record_decision
from tests.builders import register
from tests.cast import PASSWORD
from tests.files import scanned


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
    unsaid = client.post(reverse("registry:case-counts", args=[case.pk]), counts | {"HOR_pieces": "4"})
    assert (unsaid.status_code, list(unsaid.context["form"].errors)) == (422, ["reason"])
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

    act = reverse("registry:intake", args=[goods[0].intake_id])
    assert "notice-stop" in client.get(act).text

    client.force_login(authority_officer)
    assert "1-118" in client.get(url).content.decode()
    assert client.post(url, {"password": "wrong"}).status_code == 422
    assert Hold.objects.active().filter(kind="evidence").count() == 4
    assert client.post(url, {"password": PASSWORD}).status_code == 302
    assert Hold.objects.active().filter(kind="evidence").count() == 0
    assert "notice-stop" not in client.get(act).text  # they are evidence no more
    assert client.get(reverse("registry:case", args=[case.pk])).status_code == 200


def test_the_second_person_is_warned_before_a_decision_takes_effect(
    client: Client, inspector: User, second_inspector: User, case: Case, goods: list[Derivative], now: datetime
) -> None:
    count_goods(actor=inspector, at=now, case=case, counts={Term.HORN: (5, None)})
    facts = DecisionFacts("Court", "7", now.date(), now.date())
    decision = record_decision(
        actor=inspector,
        at=now,
        case=case,
        facts=facts,
        outcomes={Outcome.RETURNED: [horn.pk for horn in goods]},
        content=scanned(1),
        name="a.jpg",
    )
    client.force_login(second_inspector)
    url = reverse("registry:confirm-decision", args=[case.pk, decision.pk])

    page = client.get(url).content.decode()
    refused = client.post(url, {"password": PASSWORD})

    assert "notice-stop" in page
    assert re.search(r"\b5\b[^<]*\b4\b", page)
    with translation.override("kk"):
        assert _("Goods go back to an owner: somebody of another organisation confirms this.") in page
    notice = Notice.objects.get(code="case.counts_differ")
    assert reverse("notices:notice", args=[notice.pk]) in page
    assert refused.status_code == 422
    assert Hold.objects.active().filter(kind="evidence").count() == 4


def test_goods_are_given_back_by_an_act_on_its_page(
    client: Client,
    inspector: User,
    second_inspector: User,
    authority_officer: User,
    case: Case,
    goods: list[Derivative],
    now: datetime,
) -> None:
    facts = DecisionFacts("Court", "7", now.date(), now.date(), returned_to="Жақсылықов Нұрлан")
    outcomes = {Outcome.RETURNED: [horn.pk for horn in goods]}
    decision = record_decision(
        actor=inspector, at=now, case=case, facts=facts, outcomes=outcomes, content=scanned(1), name="a.jpg"
    )
    confirm_decision(actor=authority_officer, at=now, decision=decision)
    owner = add_person(actor=inspector, at=now, case=case, full_name="Иванов Сергей", part=CasePerson.Part.OWNER)
    client.force_login(second_inspector)
    url = reverse("registry:return-goods", args=[case.pk, decision.pk])
    looked = Event.objects.filter(verb="case.persons_seen")
    asked = client.get(url)
    assert (f'<option value="{owner.pk}">Иванов Сергей' in asked.content.decode(), looked.count()) == (True, 1)
    assert asked["Cache-Control"] == "no-store"
    assert url in client.get(reverse("registry:case", args=[case.pk])).content.decode()
    form = {"receiver_name": "Жақсылықов Нұрлан", "receiver_document": "ЖК № 045871236", "password": PASSWORD}
    assert client.post(url, form | {"receipt": receipt()}).status_code == 422  # alone
    form |= {"second": "inspector", "second_password": PASSWORD}
    assert client.post(url, form).status_code == 422
    assert client.post(url, form | {"second_password": "no", "receipt": receipt()}).status_code == 422
    assert client.post(url, form | {"only": "KZ99-1", "receipt": receipt()}).status_code == 422
    assert Holding.objects.filter(account__kind="returned", pieces__gt=0).count() == 0

    given = client.post(url, form | {"only": f"{goods[0].number} {goods[1].number}", "receipt": receipt()})

    assert given["Location"] == reverse("registry:case", args=[case.pk])
    assert Holding.objects.filter(account__kind="returned", pieces__gt=0).count() == 2
    page = client.get(given["Location"]).content.decode()
    paper = reverse("registry:return-paper", args=[case.pk, ReturnAct.objects.get().pk, "kk"])
    assert paper in page
    assert "Жақсылықов" not in page
    assert b"".join(client.get(paper).streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    assert looked.filter(facts__has_key="number").count() == 1
    form |= {"receiver_name": "Нотариусов Асан", "on_behalf": "№ 17", "for_whom": str(owner.pk)}
    assert client.post(url, form | {"for_whom": "", "receipt": receipt()}).status_code == 422
    assert client.post(url, form | {"receipt": receipt()}).status_code == 302  # the rest
    assert list(ReturnAct.objects.values_list("owner", flat=True)) == [None, owner.pk]
    client.force_login(authority_officer)
    assert client.get(paper).status_code == 403


def receipt() -> SimpleUploadedFile:
    return SimpleUploadedFile("receipt.jpg", scanned(2), "image/jpeg")


def test_a_place_elsewhere_is_asked_about_at_its_own_field(
    client: Client, inspector: User, police: Organisation, evidence_room: CustodyAccount
) -> None:
    client.force_login(inspector)
    sent = {
        "protocol_number": "№ 41", "place": "A", "latitude": "0", "longitude": "0", "seized_on": "2025-11-09",
        "protocol_on": "2025-11-09", "agency": police.pk, "region": "27",
    }  # fmt: skip
    assert "confirm_place" not in client.get(reverse("registry:open-case")).content.decode()

    asked = client.post(reverse("registry:open-case"), sent)

    assert asked.status_code == 422
    assert 'name="confirm_place"' in asked.content.decode()
    assert client.post(reverse("registry:open-case"), sent | {"confirm_place": "on"}).status_code == 302


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


@pytest.mark.usefixtures("goods")
def test_many_cases_are_counted_by_as_many_queries_as_one(case: Case, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(4):
        alone = compare_counts_of([case]), standing_goods_of([case])
    again, other = Case.objects.get(pk=case.pk), Case.objects.get(pk=case.pk)
    other.pk = 0
    with django_assert_num_queries(4):
        together = compare_counts_of([again, other]), standing_goods_of([again, other])

    assert together == ({**alone[0], 0: []}, {**alone[1], 0: []})
    assert sum(line.taken for line in alone[0][case.pk]) == sum(line.pieces for line in alone[1][case.pk]) > 0


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
