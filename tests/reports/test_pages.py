"""The pages of this room: who may see what, what they say, and what they cost."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.notices.models import Notice
from ledger.models import CustodyAccount, Handover, Hold
from ledger.services import dispatch_items, place_hold
from marking.codes import group
from permits.models import Application, Permit
from registry.models import Derivative, Intake, Outcome
from registry.services import DecisionFacts, Receiver, confirm_decision, record_decision, return_goods
from reports.filters import ItemFilter
from tests.builders import LOSS_TOLD, Receive, register
from tests.cast import give_role
from tests.files import scanned, scrawl
from tests.rights import code_of

pytestmark = pytest.mark.django_db

PAGES = ["/", "/find/", "/stock/", "/items/", "/items/totals/", "/journal/", "/statements/"]
FILES = ["/stock/stock.csv", "/stock/stock.xlsx", "/items/items.csv", "/items/items.xlsx"]
JOURNAL_FILES = ["/journal/journal.csv", "/journal/journal.xlsx"]
EVERYBODY = {"/", "/find/"}
STOCK = {"/stock/", "/items/", "/items/totals/", *FILES}
JOURNAL = {"/journal/", *JOURNAL_FILES}
ALLOWED: dict[str, set[str]] = {
    "inspector": EVERYBODY | STOCK,
    "storekeeper": EVERYBODY | STOCK | {"/statements/"},
    "trader": EVERYBODY | STOCK | {"/statements/"},
    "authority_officer": EVERYBODY | STOCK | {"/statements/"},
    "authority_head": EVERYBODY | STOCK | {"/statements/"},
    "scientific_reviewer": EVERYBODY | STOCK,
    "customs_officer": EVERYBODY,
    "auditor": EVERYBODY | STOCK | JOURNAL | {"/statements/"},
    "administrator": EVERYBODY,
    "stranger": EVERYBODY,
}


def body(answer: object) -> bytes:
    """The whole answer, streamed or not."""
    streamed = getattr(answer, "streaming_content", None)
    return b"".join(streamed) if streamed is not None else answer.content  # type: ignore[attr-defined]


def page(client: Client, person: User, address: str) -> str:
    client.force_login(person)
    answer = client.get(address)
    assert answer.status_code == 200, address
    return body(answer).decode()


@pytest.mark.parametrize("who", ALLOWED)
def test_each_role_opens_its_own_pages_and_no_others(who: str, client: Client, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(who))

    for address in [*PAGES, *FILES, *JOURNAL_FILES]:
        answer = client.get(address)
        assert answer.status_code == (200 if address in ALLOWED[who] else 403), address
        body(answer)


def test_a_visitor_is_asked_to_sign_in(client: Client) -> None:
    for address in [*PAGES, *FILES, *JOURNAL_FILES]:
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/accounts/login/"), address


def test_pages_only_answer_questions(client: Client, auditor: User) -> None:
    client.force_login(auditor)

    for address in [*PAGES, *FILES]:
        if address != "/statements/":
            assert client.post(address).status_code in (403, 405), address


# --- stock ------------------------------------------------------------------------------------------------------


def test_stock_shows_the_places_one_may_know_and_no_others(
    client: Client,
    storekeeper: User,
    trader: User,
    inspector_elsewhere: User,
    trader_store: CustodyAccount,
    reception_store: CustodyAccount,
    horns: list[Derivative],
) -> None:
    grams = sum(horn.mass_g for horn in horns)

    shown = page(client, storekeeper, "/stock/")
    assert reception_store.code in shown
    assert f"{grams / 1000:.3f}".replace(".", ",") in shown
    for person in (trader, inspector_elsewhere):
        assert reception_store.code not in page(client, person, "/stock/")


def test_stock_of_a_past_day_is_what_was_there_then(
    client: Client, storekeeper: User, horns: list[Derivative], reception_store: CustodyAccount, now: datetime
) -> None:
    before = (now - timedelta(days=1)).date().isoformat()

    client.force_login(storekeeper)
    then = client.get(f"/stock/?day={now.date().isoformat()}").context["by_store"]
    assert [(row.account, row.pieces) for row in then] == [(reception_store, 6)]
    assert client.get(f"/stock/?day={before}").context["by_store"] == []


def test_stock_counts_lead_to_as_many_items(
    client: Client, storekeeper: User, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    address = f"/items/?store={reception_store.pk}&term=HOR&origin=removal"

    assert address.replace("&", "&amp;") in page(client, storekeeper, "/stock/")
    shown = page(client, storekeeper, address)
    assert all(horn.number in shown for horn in horns)


def test_stock_files_say_what_the_page_says(
    client: Client, storekeeper: User, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    client.force_login(storekeeper)
    client.cookies["django_language"] = "en"

    table = list(csv.reader(io.StringIO(body(client.get("/stock/stock.csv")).decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(body(client.get("/stock/stock.xlsx"))), data_only=True).active

    grams = sum(horn.mass_g for horn in horns)
    assert table[1][1:2] + table[1][4:] == [reception_store.code, "horn (HOR)", "legal removal", "6", str(grams)]
    assert sheet is not None
    assert [reception_store.code, 6, grams / 1000] in [
        [row[1].value, row[6].value, row[7].value] for row in sheet.iter_rows()
    ]


def test_stock_costs_the_same_for_more_items(
    client: Client, storekeeper: User, horns: list[Derivative], receive: Receive, inspector: User, now: datetime
) -> None:
    client.force_login(storekeeper)
    client.get("/stock/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/stock/")
    register(receive(rows=80), actor=inspector, at=now)

    with CaptureQueriesContext(connection) as many:
        client.get("/stock/")

    assert len(many) == len(few) <= 14


# --- items ------------------------------------------------------------------------------------------------------


def numbers_on(client: Client, person: User, query: str = "") -> set[str]:
    """Registration numbers on the first page of the list."""
    shown = page(client, person, f"/items/{query}")
    known = Derivative.objects.values_list("number", flat=True)
    return {number for number in known if f">{number}<" in shown}


def test_items_are_those_in_places_one_may_know(
    client: Client,
    storekeeper: User,
    inspector: User,
    inspector_elsewhere: User,
    trader: User,
    auditor: User,
    horns: list[Derivative],
) -> None:
    everything = {horn.number for horn in horns}

    assert numbers_on(client, storekeeper) == numbers_on(client, inspector) == everything
    assert numbers_on(client, auditor) == everything
    assert numbers_on(client, inspector_elsewhere) == numbers_on(client, trader) == set()


def test_what_left_the_books_stays_visible_to_those_who_kept_it(
    client: Client,
    inspector: User,
    second_inspector: User,
    inspector_elsewhere: User,
    authority_officer: User,
    trader: User,
    seized_horns: list[Derivative],
    now: datetime,
) -> None:
    gone = seized_horns[0]
    case = gone.intake.case
    assert case is not None
    decision = record_decision(
        actor=inspector,
        at=now,
        case=case,
        facts=DecisionFacts("Court", "7", now.date(), now.date(), returned_to="Жақсылықов Нұрлан"),
        outcomes={Outcome.RETURNED: [gone.pk]},
        content=scanned(1),
        name="decision.jpg",
    )
    confirm_decision(actor=authority_officer, at=now, decision=decision)
    owner = Receiver(name="Жақсылықов Нұрлан", document="ЖК № 045871236")
    return_goods(
        actor=second_inspector,
        second=inspector,
        at=now,
        decision=decision,
        item_ids=[gone.pk],
        receiver=owner,
        picture=scrawl(),
    )

    assert gone.number not in numbers_on(client, inspector)
    of_intake = f"?gone=yes&intake={gone.intake.number}"
    for query in ("?gone=yes", "?place=returned", of_intake, f"?gone=yes&q={gone.number.lower()}"):
        assert numbers_on(client, inspector, query) == numbers_on(client, authority_officer, query) == {gone.number}
        assert numbers_on(client, inspector_elsewhere, query) == numbers_on(client, trader, query) == set()
    assert f"/items/{gone.pk}/" in page(client, inspector, f"/cases/{case.pk}/")
    assert gone.number in page(client, inspector, f"/items/{gone.pk}/")
    assert reverse("marking:bind-label", args=[gone.pk]) not in page(client, inspector, f"/items/{gone.pk}/")
    told = client.get(f"/api/v1/items/{gone.pk}/")
    listed = client.get("/api/v1/items/?gone=yes").json()["results"]
    assert (told.status_code, [row["number"] for row in listed]) == (200, [gone.number])
    for stranger in (inspector_elsewhere, trader):
        client.force_login(stranger)
        assert client.get(f"/items/{gone.pk}/").status_code == 404
        assert client.get(f"/api/v1/items/{gone.pk}/").status_code == 404


@pytest.mark.parametrize("who", ALLOWED)
def test_the_list_holds_exactly_what_its_reader_may_know(
    who: str,
    request: pytest.FixtureRequest,
    traders_horns: list[Derivative],
    second_batch: list[Derivative],
    seized_horns: list[Derivative],
) -> None:
    person = request.getfixturevalue(who)

    listed = ItemFilter({}, reader=person).qs

    assert set(listed) == set(Derivative.objects.visible_to(person))


def test_filters_find_what_they_say(
    client: Client,
    auditor: User,
    marked: list[Derivative],
    seized_horns: list[Derivative],
    reception_store: CustodyAccount,
    evidence_room: CustodyAccount,
    now: datetime,
) -> None:
    removed, seized = {horn.number for horn in marked}, {horn.number for horn in seized_horns}
    first = marked[0]
    intake: Intake = first.intake
    expected: dict[str, set[str]] = {
        "": removed | seized,
        f"?store={reception_store.pk}": removed,
        "?place=evidence": seized,
        "?place=store": removed,
        "?place=export": set(),
        "?term=HOR": removed | seized,
        "?term=MEA": set(),
        "?origin=seizure": seized,
        f"?store={reception_store.pk}&origin=seizure": set(),
        f"?store={reception_store.pk}&place=evidence": set(),
        "?held=yes": seized,
        "?held=no": removed,
        "?reserved=yes": set(),
        "?reserved=no": removed | seized,
        "?population=ural": removed,
        f"?season={intake.permit.season_id}": removed,  # type: ignore[union-attr]
        f"?intake={intake.number.lower()}": removed,
        "?intake=IN99": set(),
        f"?q={first.number.lower()}": {first.number},
        "?q=KZ25": removed | seized,
        f"?q={group(code_of(first))[:9].lower()}": {first.number},
        f"?since={now.date().isoformat()}": removed | seized,
        f"?until={(now - timedelta(days=1)).date().isoformat()}": set(),
    }

    assert {query: numbers_on(client, auditor, query) for query in expected} == expected


def test_reserved_items_are_found(client: Client, auditor: User, permit: Permit) -> None:
    reserved = set(permit.lines.values_list("item__number", flat=True))

    assert numbers_on(client, auditor, "?reserved=yes") == reserved
    assert numbers_on(client, auditor, "?reserved=no") == set()


def test_a_filter_that_cannot_be_read_shows_nothing_and_says_so(
    client: Client, auditor: User, horns: list[Derivative]
) -> None:
    shown = page(client, auditor, "/items/?store=999999")

    assert horns[0].number not in shown
    assert "error-summary" in shown
    client.force_login(auditor)
    assert client.get("/items/items.csv?store=999999").status_code == 400
    assert client.get("/items/totals/?store=999999").status_code == 400


def test_totals_are_exact_by_the_ledger_and_by_counting(
    client: Client,
    storekeeper: User,
    auditor: User,
    horns: list[Derivative],
    seized_horns: list[Derivative],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grams = sum(horn.mass_g for horn in horns)
    shown_mass = f"{grams // 1000},{grams % 1000:03d}"

    assert shown_mass in page(client, storekeeper, "/items/")
    assert shown_mass in page(client, auditor, "/items/?origin=removal")
    assert shown_mass in page(client, auditor, "/items/?population=ural")
    assert shown_mass in page(client, auditor, "/items/totals/?population=ural")
    monkeypatch.setattr("reports.views.items.COUNTED_AT_ONCE", 3)
    assert shown_mass not in page(client, auditor, "/items/?population=ural")
    assert shown_mass in page(client, auditor, "/items/?population=ural&count=all")


def test_pages_follow_one_another_without_loss(
    client: Client, auditor: User, receive: Receive, inspector: User, now: datetime
) -> None:
    everything = {horn.number for horn in register(receive(rows=120), actor=inspector, at=now)}
    client.force_login(auditor)
    seen: list[set[str]] = []
    address: str | None = "/items/"

    while address:
        answer: Any = client.get(address)
        seen.append({row.derivative.number for row in answer.context["rows"]})
        following = answer.context["page"].next_url
        address = f"/items/{following}" if following else None

    assert [len(numbers) for numbers in seen] == [50, 50, 20]
    assert set().union(*seen) == everything


def test_the_list_costs_the_same_for_any_number(
    client: Client, auditor: User, horns: list[Derivative], receive: Receive, inspector: User, now: datetime
) -> None:
    client.force_login(auditor)
    client.get("/items/")
    with CaptureQueriesContext(connection) as few:
        client.get("/items/")
    register(receive(rows=100), actor=inspector, at=now)

    with CaptureQueriesContext(connection) as many:
        client.get("/items/")

    assert len(many) == len(few) <= 15


def test_item_files_hold_every_item_that_matches(
    client: Client,
    auditor: User,
    marked: list[Derivative],
    seized_horns: list[Derivative],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reports.views.items.BATCH", 4)
    client.force_login(auditor)

    rows = list(csv.reader(io.StringIO(body(client.get("/items/items.csv")).decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(
        io.BytesIO(body(client.get("/items/items.xlsx?origin=removal"))), data_only=True
    ).active

    assert [row[0] for row in rows[1:]] == [horn.number for horn in [*marked, *seized_horns]]
    assert rows[1][1] == group(code_of(marked[0]))
    assert rows[1][7] == str(marked[0].mass_g)
    assert sheet is not None
    cells = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {horn.number for horn in marked} <= cells
    assert not {horn.number for horn in seized_horns} & cells


def test_a_file_speaks_the_language_of_its_request(client: Client, auditor: User, horns: list[Derivative]) -> None:
    client.force_login(auditor)
    client.cookies["django_language"] = "en"

    answer = client.get("/items/items.csv")
    with translation.override("ru"):
        text = body(answer).decode("utf-8-sig")

    assert "legal removal" in text
    assert text.startswith("Number,Mark,")


def test_too_many_rows_for_a_sheet_are_refused_with_advice(
    client: Client, auditor: User, horns: list[Derivative], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("reports.views.items", "reports.views.journal", "reports.downloads"):
        monkeypatch.setattr(f"{module}.XLSX_ROWS", 3)
    client.force_login(auditor)
    client.cookies["django_language"] = "en"

    for address, back in (("/items/items.xlsx?term=HOR", "/items/?term=HOR"), ("/journal/journal.xlsx", "/journal/?")):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer["Location"] == back
        assert "download the CSV" in client.get(back).content.decode()


# --- one item ---------------------------------------------------------------------------------------------------


def test_an_item_is_shown_to_those_who_may_know_it(
    client: Client,
    storekeeper: User,
    inspector: User,
    auditor: User,
    trader: User,
    inspector_elsewhere: User,
    administrator: User,
    horns: list[Derivative],
) -> None:
    address = f"/items/{horns[0].pk}/"
    answers = {}
    for person in (storekeeper, inspector, auditor, trader, inspector_elsewhere, administrator):
        client.force_login(person)
        answers[person.username] = client.get(address).status_code

    assert answers == {
        "storekeeper": 200,
        "inspector": 200,
        "auditor": 200,
        "trader": 404,
        "inspector_elsewhere": 404,
        "administrator": 403,
    }


def test_the_whole_story_is_told(
    client: Client, auditor: User, traders_horns: list[Derivative], permit: Permit, handover: Handover
) -> None:
    client.force_login(auditor)
    client.cookies["django_language"] = "en"

    answer = client.get(f"/items/{traders_horns[0].pk}/")

    steps = answer.context["steps"]
    moved = [step for step in steps if step.movement]
    assert len(moved) == 3
    assert [step.event is not None for step in moved] == [True, True, True]
    assert moved[0].came == permit.store.name_en
    assert moved[-1].left == "Removal from the wild"
    assert [step.at for step in steps] == sorted((step.at for step in steps), reverse=True)
    told = {str(step.deed) for step in steps}
    expected = {"Derivatives registered", "Marks issued", "Application submitted", "Permit issued", "Goods accepted"}
    assert expected <= told
    shown = answer.content.decode()
    assert group(code_of(traders_horns[0])) in shown
    assert permit.number in shown
    assert handover.number in shown
    assert all(step.who for step in steps)


def test_the_story_links_only_to_what_the_reader_may_open(
    client: Client, trader: User, traders_horns: list[Derivative], application: Application, permit: Permit
) -> None:
    shown = page(client, trader, f"/items/{traders_horns[0].pk}/")

    assert f'"/permits/{permit.pk}/"' in shown
    assert f'"/applications/{application.pk}/"' not in shown
    assert application.number in shown


def test_acts_are_offered_or_refused_with_the_reason(
    client: Client,
    storekeeper: User,
    auditor: User,
    marked: list[Derivative],
    now: datetime,
    inspector: User,
) -> None:
    client.force_login(storekeeper)
    client.cookies["django_language"] = "en"
    address = f"/items/{marked[0].pk}/"

    assert "/handovers/new/?" in client.get(address).content.decode()
    place_hold(actor=inspector, at=now, item_ids=[marked[0].pk], kind=Hold.Kind.DISPUTE, reference="12-2026")
    shown = client.get(address).content.decode()
    assert "/handovers/new/?" not in shown
    assert "In dispute: 12-2026" in shown
    client.force_login(auditor)
    client.cookies["django_language"] = "en"
    assert "Hand over" not in client.get(address).content.decode()


def test_a_loss_is_reported_from_the_item_page_once(
    client: Client, storekeeper: User, trader: User, marked: list[Derivative], now: datetime
) -> None:
    number, address = marked[0].number, f"/items/{marked[0].pk}/"
    link = f"{reverse('custody:report-loss')}?items={number}"
    client.cookies["django_language"] = "en"

    assert link in page(client, storekeeper, address)
    assert f">{number}</textarea>" in client.get(link).content.decode().replace("\n", "")
    reported = client.post(
        reverse("custody:report-loss"),
        {
            "items": number,
            "kind": "theft",
            "noticed_on": timezone.localdate().isoformat(),
            "last_seen_on": timezone.localdate().isoformat(),
            **LOSS_TOLD,
        },
    )
    assert reported.status_code == 302, reported.content.decode()
    shown = page(client, storekeeper, address)
    assert link not in shown
    assert "It was reported before, and that report is not settled yet." in shown


def test_the_receiver_of_goods_on_their_way_is_led_to_them(
    client: Client,
    storekeeper: User,
    inspector: User,
    horns: list[Derivative],
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
    now: datetime,
) -> None:
    handover = dispatch_items(
        carried_by="A courier",
        actor=inspector,
        at=now,
        key="go",
        source=reception_store,
        target=central_store,
        item_ids=[horns[0].pk],
    )

    assert f"/handovers/{handover.pk}/receive/" in page(client, storekeeper, f"/items/{horns[0].pk}/")


def test_an_items_page_costs_the_same_for_a_long_story(
    client: Client, auditor: User, marked: list[Derivative], storekeeper: User, request: pytest.FixtureRequest
) -> None:
    client.force_login(auditor)
    address = f"/items/{marked[0].pk}/"
    client.get(address)
    with CaptureQueriesContext(connection) as before:
        client.get(address)
    request.getfixturevalue("traders_horns")

    with CaptureQueriesContext(connection) as after:
        client.get(address)

    assert len(before) <= len(after) <= 40


# --- journal ----------------------------------------------------------------------------------------------------


def test_the_journal_tells_every_act_and_is_filtered(
    client: Client, auditor: User, inspector: User, marked: list[Derivative], permit: Permit
) -> None:
    client.force_login(auditor)

    def verbs(query: str) -> set[str]:
        return {row["event"].verb for row in client.get(f"/journal/{query}").context["rows"]}

    assert {"intake.registered", "marks.issued", "permit.issued", "application.submitted"} <= verbs("")
    assert verbs("?verb=permit.issued") == {"permit.issued"}
    assert verbs(f"?person={inspector.last_name}") <= {
        "intake.opened",
        "intake.registered",
        "marks.issued",
        "intake.rows_corrected",
    }
    assert verbs(f"?organisation={permit.holder_id}")
    assert verbs("?kind=permit") == {"permit.issued"}
    assert verbs(f"?subject={permit.number.lower()}") == {"permit.issued"}
    assert "intake.registered" in verbs(f"?subject={marked[0].intake.number}")
    assert verbs("?since=2030-01-01") == set()
    assert verbs("?until=2020-01-01") == set()


def test_the_journal_costs_the_same_for_any_number(
    client: Client, auditor: User, marked: list[Derivative], request: pytest.FixtureRequest
) -> None:
    client.force_login(auditor)
    client.get("/journal/")
    request.getfixturevalue("traders_horns")

    with CaptureQueriesContext(connection) as queries:
        client.get("/journal/")

    assert len(queries) <= 20


def test_the_journal_file_holds_every_event_oldest_first(
    client: Client, auditor: User, marked: list[Derivative], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.views.journal.BATCH", 2)
    client.force_login(auditor)

    rows = list(csv.reader(io.StringIO(body(client.get("/journal/journal.csv")).decode("utf-8-sig"))))

    keys = [int(row[0]) for row in rows[1:]]
    assert keys == sorted(keys)
    assert "marks.issued" in [row[4] for row in rows]


# --- first pages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "most"),
    [
        ("inspector", 18),
        ("storekeeper", 18),
        ("trader", 18),
        ("authority_officer", 18),
        ("authority_head", 18),
        ("scientific_reviewer", 12),
        ("customs_officer", 12),
        ("auditor", 16),
        ("administrator", 14),
        ("stranger", 8),
    ],
)
def test_a_first_page_asks_little_of_the_database(
    who: str, most: int, client: Client, request: pytest.FixtureRequest, traders_horns: list[Derivative]
) -> None:
    client.force_login(request.getfixturevalue(who))
    client.get("/")

    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/")

    assert answer.status_code == 200
    assert len(queries) <= most


def stats(client: Client, person: User) -> dict[str, int]:
    """Labels and counts of the person's first page."""
    client.force_login(person)
    client.cookies["django_language"] = "en"
    return {str(stat.label): stat.count for section in client.get("/").context["sections"] for stat in section.stats}


def test_what_waits_is_counted_and_every_count_leads_to_its_list(
    client: Client,
    inspector: User,
    storekeeper: User,
    authority_officer: User,
    open_intake: Intake,
    application: Application,
    receive: Receive,
) -> None:
    receive(rows=2)

    assert stats(client, inspector)["Receptions being weighed"] == 1
    assert stats(client, storekeeper)["Hand-overs to receive"] == 0
    assert stats(client, authority_officer)["Applications to decide"] == 1
    for person in (inspector, storekeeper, authority_officer):
        client.force_login(person)
        for section in client.get("/").context["sections"]:
            for stat in section.stats:
                assert client.get(stat.url).status_code == 200, stat.url


@pytest.mark.parametrize("who", ALLOWED)
def test_no_count_leads_to_a_closed_door(
    who: str, client: Client, request: pytest.FixtureRequest, traders_horns: list[Derivative]
) -> None:
    client.force_login(request.getfixturevalue(who))

    for section in client.get("/").context["sections"]:
        links = [stat.url for stat in section.stats]
        if section.chart is not None:
            links += [section.chart.url, *(bar.link for bar in section.chart.bars)]
        for url in filter(None, links):
            assert client.get(url).status_code == 200, url


def test_goods_on_their_way_wait_for_their_receiver(
    client: Client, handover: Handover, trader: User, storekeeper: User
) -> None:
    assert stats(client, trader)["Hand-overs to receive"] == 1
    assert stats(client, storekeeper)["Hand-overs on the way from here"] == 1


def test_a_trader_sees_the_own_stock_and_permits(
    client: Client, trader: User, other_trader: User, permit: Permit, traders_horns: list[Derivative]
) -> None:
    client.force_login(trader)
    chart = client.get("/").context["sections"][0].chart
    assert [bar.value for bar in chart.bars] == [sum(horn.mass_g for horn in traders_horns)]
    client.force_login(other_trader)
    assert client.get("/").context["sections"][0].chart is None


def test_a_person_of_two_roles_finds_both(
    client: Client, authority_officer: User, administrator: User, committee: Organisation, now: datetime
) -> None:
    give_role(authority_officer, Role.ADMINISTRATOR, committee, by=administrator, at=now)
    client.force_login(User.objects.get(pk=authority_officer.pk))

    sections = client.get("/").context["sections"]

    assert [section.role for section in sections] == [Role.AUTHORITY_OFFICER, Role.ADMINISTRATOR]


def test_a_stranger_is_told_whom_to_ask(client: Client, stranger: User) -> None:
    client.cookies["django_language"] = "en"

    assert "Ask the administrator" in page(client, stranger, "/")


def test_a_discrepancy_past_its_day_is_pressing(
    client: Client, auditor: User, reception_store: CustodyAccount, now: datetime
) -> None:
    assert reception_store.custodian is not None
    Notice.objects.create(
        kind=Notice.Kind.DISCREPANCY,
        code="handover.missing",
        subject_kind="handover",
        subject_id="1",
        organisation=reception_store.custodian,
        raised_at=now,
        due_on=now.date(),
    )
    client.force_login(auditor)

    (section,) = client.get("/").context["sections"]

    assert section.stats[0].count == 1
    assert section.stats[0].tone == "stop"


# --- find -------------------------------------------------------------------------------------------------------


def test_find_goes_straight_to_what_is_meant(
    client: Client, auditor: User, traders_horns: list[Derivative], permit: Permit, handover: Handover
) -> None:
    client.force_login(auditor)
    horn = traders_horns[0]
    code = code_of(horn)
    serial = int(horn.number.partition("-")[2])
    meant = {
        horn.number: f"/items/{horn.pk}/",
        horn.number.lower(): f"/items/{horn.pk}/",
        f" kz25 {serial} ": f"/items/{horn.pk}/",
        f"КZ25-{serial}": f"/items/{horn.pk}/",
        group(code): f"/items/{horn.pk}/",
        code.lower(): f"/items/{horn.pk}/",
        f"HTTPS://SAIGA.GOV.KZ/M/{code}": f"/items/{horn.pk}/",
        horn.intake.number: f"/intakes/{horn.intake_id}/",
        handover.number: f"/handovers/{handover.pk}/",
        permit.number: f"/permits/{permit.pk}/",
        permit.application.number or "": f"/applications/{permit.application_id}/",
    }

    answers = {text: client.get("/find/", {"q": text}) for text in meant}

    assert {text: answer.get("Location") for text, answer in answers.items()} == meant


def test_find_shows_nobody_what_is_not_theirs(client: Client, other_trader: User, marked: list[Derivative]) -> None:
    client.force_login(other_trader)
    code = code_of(marked[0])

    by_number = client.get("/find/", {"q": marked[0].number})
    by_mark = client.get("/find/", {"q": code})

    assert by_number.status_code == 200
    assert marked[0].intake.number not in by_number.content.decode()
    assert by_mark["Location"] == f"/m/{code}"


def test_find_offers_lists_for_words(
    client: Client, storekeeper: User, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    assert horns[0].intake.number in page(client, storekeeper, "/find/?q=IN25")
    assert horns[0].intake.number in page(client, storekeeper, "/find/?q=Бригада")
    assert reception_store.code in page(client, storekeeper, f"/find/?q={reception_store.name_ru}")
    client.cookies["django_language"] = "en"
    assert "Nothing was found" in page(client, storekeeper, "/find/?q=zzzz")


def test_a_visitor_with_a_mark_is_sent_to_the_public_check(client: Client, marked: list[Derivative]) -> None:
    code = code_of(marked[0])

    assert client.get("/find/", {"q": group(code)})["Location"] == f"/m/{code}"
    assert client.get("/find/", {"q": "KZ25-1"})["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("text", ["", " ", "%", "\x00", "'", "KZ", "K" * 5000, "HTTPS://EVIL.EXAMPLE/M/7H4Q9TX2MW8H"])
def test_find_takes_anything(text: str, client: Client, auditor: User) -> None:
    client.force_login(auditor)

    assert client.get("/find/", {"q": text}).status_code == 200


@pytest.fixture
def seized_horns(open_seizure: Intake, inspector: User, now: datetime) -> list[Derivative]:
    """Four seized horns on hold in the evidence room."""
    return register(open_seizure, actor=inspector, at=now)
