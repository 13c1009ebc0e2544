"""The pages of this room: who comes in, what a person with a scanner does there, what it costs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.accounts.models import User
from core.audit.models import Event
from core.notices.models import Notice
from core.notices.services import raise_notice
from ledger.models import CustodyAccount, Handover, HandoverLine, Hold, Reservation
from ledger.services import place_hold
from ledger.services.handovers import usual_arrival
from permits import services
from permits.machine import State
from permits.models import Application, ExtraScan, LoadingList, Permit
from permits.views import loading as loading_views
from registry.models import Brigade, Derivative, Intake, RemovalPermit
from tests.builders import build_intake
from tests.cast import PASSWORD
from tests.rights import approved, code_of, draft, keys, submitted

Later = Callable[..., datetime]


@pytest.fixture
def now() -> datetime:
    """Pages read the clock, so what they show happened an hour ago."""
    return timezone.now() - timedelta(hours=1)


@pytest.fixture
def permit_to_remove(season: Any, okhotzooprom: Any, region: Any, now: datetime) -> RemovalPermit:
    """For a season around today."""
    from tests.builders import build_removal_permit, build_season

    day = now.date()
    return build_removal_permit(
        build_season(day - timedelta(days=60), day + timedelta(days=60)), region, okhotzooprom, number="ИЖ-27/1"
    )


@pytest.fixture
def brigade(permit_to_remove: RemovalPermit, region: Any) -> Brigade:
    from tests.builders import build_brigade

    return build_brigade(permit_to_remove.season, region, contract="Д-9")


def sign_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.cookies.load({"django_language": "en"})
    return client


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- who comes in -----------------------------------------------------------------------------------------------


@pytest.fixture
def everybody(
    inspector: User,
    storekeeper: User,
    trader: User,
    other_trader: User,
    authority_officer: User,
    authority_head: User,
    scientific_reviewer: User,
    customs_officer: User,
    auditor: User,
    administrator: User,
    stranger: User,
) -> dict[str, User]:
    people = [
        inspector,
        storekeeper,
        trader,
        other_trader,
        authority_officer,
        authority_head,
        scientific_reviewer,
        customs_officer,
        auditor,
        administrator,
        stranger,
    ]
    return {person.username: person for person in people}


SEE_STOCK = {"inspector", "storekeeper", "trader", "other_trader", "authority_officer", "authority_head"} | {
    "scientific_reviewer",
    "auditor",
}
HOLDERS = {"storekeeper", "trader", "other_trader"}
OVERSEERS = {"authority_officer", "authority_head", "scientific_reviewer", "customs_officer", "auditor"}
OFFICERS = {"authority_officer", "authority_head"}
KNOW_HANDOVER = SEE_STOCK - {"other_trader"}


@pytest.mark.parametrize(
    ("page", "welcome", "unknown"),
    [
        ("/handovers/", SEE_STOCK, set()),
        ("/handovers/{handover}/", KNOW_HANDOVER, {"other_trader"}),
        ("/handovers/{handover}/papers/waybill.kk.pdf", KNOW_HANDOVER, {"other_trader"}),
        ("/handovers/{handover}/receive/", {"trader"}, {"other_trader"}),
        ("/handovers/{handover}/accept/", {"trader"}, {"other_trader"}),
        ("/handovers/new/", HOLDERS | {"inspector"}, set()),
        ("/applications/", HOLDERS | OVERSEERS, set()),
        ("/applications/new/transport/", HOLDERS, set()),
        ("/applications/{application}/", {"storekeeper"} | OVERSEERS, {"trader", "other_trader"}),
        ("/applications/{draft}/", {"storekeeper"}, {"trader", "other_trader"} | OVERSEERS),
        ("/applications/{draft}/edit/", {"storekeeper"}, {"trader", "other_trader"}),
        ("/applications/{draft}/check/", {"storekeeper"}, {"trader", "other_trader"}),
        ("/applications/{draft}/items/choose/", {"storekeeper"}, {"trader", "other_trader"}),
        ("/applications/{application}/approve/", OFFICERS, set()),
        ("/applications/{application}/refuse/", OFFICERS, set()),
        ("/applications/{application}/return/", OFFICERS, set()),
        ("/permits/", HOLDERS | OVERSEERS, set()),
        ("/permits/{permit}/", {"storekeeper", "trader"} | OVERSEERS, {"other_trader"}),
        ("/permits/{permit}/revoke/", OFFICERS, set()),
    ],
)
def test_each_role_comes_in_where_it_may(
    page: str,
    welcome: set[str],
    unknown: set[str],
    everybody: dict[str, User],
    handover: Handover,
    permit: Permit,
    second_batch: list[Derivative],
    storekeeper: User,
    now: datetime,
    trader_store: CustodyAccount,
    other_trader_store: CustodyAccount,
) -> None:
    waiting = submitted(actor=storekeeper, at=now, items=second_batch[:2], store=trader_store)
    begun = draft(actor=storekeeper, at=now, items=second_batch[2:], store=trader_store)
    address = page.format(handover=handover.pk, permit=permit.pk, application=waiting.pk, draft=begun.pk)

    answers = {name: sign_in(person).get(address).status_code for name, person in everybody.items()}

    expected = {name: 200 if name in welcome else 404 if name in unknown else 403 for name in everybody}
    assert answers == expected
    anonymous = Client().get(address)
    assert anonymous.status_code == 302
    assert "/accounts/login/" in anonymous["Location"]


# --- loading and dispatch ---------------------------------------------------------------------------------------


def test_goods_are_loaded_by_scanning_and_sent_by_one_button(
    storekeeper: User, marked: list[Derivative], reception_store: CustodyAccount, central_store: CustodyAccount
) -> None:
    client = sign_in(storekeeper)
    start = client.get(f"/handovers/new/?source={reception_store.pk}")
    assert "Where do the goods go?" in text_of(start)
    client.post("/handovers/new/", {"source": reception_store.pk, "destination": f"store:{central_store.pk}"})
    loading = LoadingList.objects.get()
    scan = f"/handovers/new/{loading.pk}/scan/"

    page = text_of(client.post(scan, {"code": code_of(marked[0])}))
    part = text_of(client.post(scan, {"code": marked[1].number}, headers={"X-Scan": "part"}))
    again = text_of(client.post(scan, {"code": marked[1].number}, headers={"X-Scan": "part"}))
    nothing = text_of(client.post(scan, {"code": "7H4Q9TX2MW8H"}, headers={"X-Scan": "part"}))

    assert "On the list" in page
    assert "<h1>" in page
    assert "autofocus" in page
    assert 'data-tone="ok"' in part
    assert "<h1>" not in part
    assert "2 pieces" in part
    assert "Already on the list" in again
    assert "Not in the registry" in nothing
    client.post(f"/handovers/new/{loading.pk}/load/", {"batch": marked[0].intake.number})
    assert loading.lines.count() == 6
    client.post(f"/handovers/new/{loading.pk}/unload/", {"item": marked[5].pk})

    sent = client.post(
        f"/handovers/new/{loading.pk}/dispatch/",
        {
            "vehicle": "777 ABC 02",
            "driver": "Есен Серік",
            "escort": "Ержан",
            "seals": "S-1",
            "route": "Орал – Алматы",
            "expected_at": (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"),
            "password": PASSWORD,
        },
    )

    handover = Handover.objects.get()
    assert sent["Location"] == f"/handovers/{handover.pk}/"
    assert (handover.vehicle, handover.lines.count()) == ("777 ABC 02", 5)
    repeated = client.post(f"/handovers/new/{loading.pk}/dispatch/", {})
    assert repeated["Location"] == f"/handovers/{handover.pk}/"
    assert Handover.objects.count() == 1


def test_a_refused_dispatch_says_why_and_keeps_the_list(
    permit: Permit,
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
    second_batch: list[Derivative],
    authority_head: User,
) -> None:
    client = sign_in(storekeeper)
    client.post("/handovers/new/", {"source": reception_store.pk, "destination": permit.reference})
    loading = LoadingList.objects.get()
    stranger = text_of(client.post(f"/handovers/new/{loading.pk}/scan/", {"code": second_batch[0].number}))
    assert f"Not on permit {permit.number}." in stranger
    client.post(f"/handovers/new/{loading.pk}/load/", {"permitted": "yes"})
    services.revoke_permit(actor=authority_head, at=timezone.now(), permit=permit, reason="Void, as told")

    when = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    said = {"password": PASSWORD, "carried_by": "Сейітов Ержан", "expected_at": when}
    assert client.post(f"/handovers/new/{loading.pk}/dispatch/", {"password": PASSWORD}).status_code == 422
    refused = client.post(f"/handovers/new/{loading.pk}/dispatch/", said)

    assert refused.status_code == 409
    assert "is not in force any more: Revoked" in text_of(refused)
    assert loading.lines.count() == 6
    assert not Handover.objects.exists()


def test_a_scan_counts_what_cannot_go_over_the_whole_list_and_not_over_what_it_shows(
    storekeeper: User,
    inspector: User,
    now: datetime,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loading = services.open_loading(actor=storekeeper, at=now, source=reception_store)
    services.change_loading(actor=storekeeper, loading=loading, target=central_store, permit=None)
    services.load_items(actor=storekeeper, at=now, loading=loading, item_ids=keys(marked)[:5])
    place_hold(actor=inspector, at=now, item_ids=keys(marked)[:2], kind=Hold.Kind.DISPUTE, reference="12-2026")
    monkeypatch.setattr(loading_views, "SHOWN", 2)
    client = sign_in(storekeeper)

    part = client.post(f"/handovers/new/{loading.pk}/scan/", {"code": marked[5].number}, headers={"X-Scan": "part"})

    for answer in (part, client.get(f"/handovers/new/?source={reception_store.pk}")):
        assert "2 items cannot go and keep the rest from leaving." in text_of(answer)
        assert {row.item.number for row in answer.context["bad_rows"]} == {horn.number for horn in marked[:2]}


def test_what_is_held_cannot_be_chosen_for_an_application(
    storekeeper: User, inspector: User, now: datetime, marked: list[Derivative], trader_store: CustodyAccount
) -> None:
    begun = draft(actor=storekeeper, at=now, items=marked[2:3], store=trader_store)
    place_hold(actor=inspector, at=now, item_ids=keys(marked)[:1], kind=Hold.Kind.DISPUTE, reference="12-2026")

    page = sign_in(storekeeper).get(f"/applications/{begun.pk}/items/choose/")

    against = {row.item.number: [str(problem.text) for problem in row.problems] for row in page.context["rows"]}
    assert "12-2026" in against[marked[0].number][0]
    assert not against[marked[1].number]
    assert f'id="item-{marked[0].pk}" disabled' in page.content.decode()
    assert f'id="item-{marked[1].pk}" disabled' not in page.content.decode()


def test_a_list_of_before_waybills_said_when_they_arrive_is_asked_and_goes(
    storekeeper: User, now: datetime, marked: list[Derivative], reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> None:  # fmt: skip
    """As the upgrade leaves it: a vehicle, and neither a driver nor a moment of arrival."""
    loading = LoadingList.objects.create(
        source=reception_store, target=central_store, vehicle="777 ABC 02", opened_by=storekeeper, opened_at=now
    )
    services.load_items(actor=storekeeper, at=now, loading=loading, item_ids=keys(marked))
    client = sign_in(storekeeper)
    page = client.get(f"/handovers/new/?source={reception_store.pk}")
    proposed = page.context["form"].initial["expected_at"]
    address = f"/handovers/new/{loading.pk}/dispatch/"

    refused = client.post(address, {"vehicle": "777 ABC 02", "password": PASSWORD})
    sent = client.post(
        address,
        {
            "vehicle": "777 ABC 02",
            "driver": "Есен Серік",
            "expected_at": timezone.localtime(proposed).strftime("%Y-%m-%dT%H:%M"),
            "password": PASSWORD,
        },
    )

    assert refused.status_code == 422
    assert {"driver", "expected_at"} & set(refused.context["form"].errors)
    handover = Handover.objects.get()
    assert sent["Location"] == f"/handovers/{handover.pk}/"
    assert handover.due_at is not None
    assert services.dispatch_loading(actor=storekeeper, at=now, loading=loading) == handover


def test_a_program_of_before_sends_such_a_list_by_the_time_of_the_rule(
    storekeeper: User, now: datetime, marked: list[Derivative], reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> None:  # fmt: skip
    loading = LoadingList.objects.create(
        source=reception_store, target=central_store, opened_by=storekeeper, opened_at=now
    )
    services.load_items(actor=storekeeper, at=now, loading=loading, item_ids=keys(marked))

    handover = services.dispatch_loading(
        actor=storekeeper, at=now, loading=loading, transport=services.Transport(carried_by="Сейітов Ержан")
    )

    assert handover.expected_at == usual_arrival(now)


def test_items_chosen_elsewhere_come_along(
    storekeeper: User, marked: list[Derivative], reception_store: CustodyAccount, central_store: CustodyAccount
) -> None:
    client = sign_in(storekeeper)
    address = f"/handovers/new/?source={reception_store.pk}&item={marked[0].pk}&item={marked[1].pk}"
    assert "2 chosen items come along" in text_of(client.get(address))

    client.post(
        "/handovers/new/",
        {
            "source": reception_store.pk,
            "destination": f"store:{central_store.pk}",
            "item": [marked[0].pk, marked[1].pk],
        },
    )

    assert set(LoadingList.objects.get().lines.values_list("item_id", flat=True)) == set(keys(marked[:2]))
    assert "2 items chosen elsewhere are not on the list yet" in text_of(client.get(address))


def test_the_count_of_alerts_in_the_bar_stays_out_of_the_page(
    storekeeper: User, inspector: User, reception_store: CustodyAccount, central_store: CustodyAccount, now: datetime
) -> None:
    """Both pages have things of their own that wait."""
    for person in (storekeeper, inspector):
        notice_for(person, now)
    sender = sign_in(storekeeper)
    sender.post("/handovers/new/", {"source": reception_store.pk, "destination": f"store:{central_store.pk}"})

    on_list = text_of(sender.get(f"/handovers/new/?source={reception_store.pk}"))
    reception = text_of(sign_in(inspector).get("/intakes/open/removal/"))

    for page in (on_list, reception):
        assert "1 alert waits for you" in page
    assert "chosen elsewhere" not in on_list
    assert "Daily sheets that wait" not in reception


def notice_for(person: User, at: datetime) -> None:
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="handover.extra",
        organisation=person.appointments_in_force[0].organisation,
        subject=("handover", 1),
        number="HO25-000001",
        extra=1,
        items="KZ25-0000001",
    )


def test_a_list_is_filled_from_the_stock_by_filters(
    storekeeper: User,
    marked: list[Derivative],
    second_batch: list[Derivative],
    now: datetime,
    reception_store: CustodyAccount,
) -> None:
    loading = services.open_loading(actor=storekeeper, at=now, source=reception_store)
    client = sign_in(storekeeper)
    choose = f"/handovers/new/{loading.pk}/choose/?batch={second_batch[0].intake.number}"
    assert "4 pieces" in text_of(client.get(choose))

    client.post(choose, {"all": "yes"})

    assert set(loading.lines.values_list("item_id", flat=True)) == set(keys(second_batch))


def test_nobody_sees_or_changes_the_list_of_another(
    storekeeper: User, inspector: User, now: datetime, reception_store: CustodyAccount, marked: list[Derivative]
) -> None:
    loading = services.open_loading(actor=storekeeper, at=now, source=reception_store)

    for act in ("scan", "load", "unload", "dispatch"):
        answer = sign_in(inspector).post(f"/handovers/new/{loading.pk}/{act}/", {"item": marked[0].pk})
        assert answer.status_code == 404
    assert sign_in(inspector).get(f"/handovers/new/{loading.pk}/choose/").status_code == 404


# --- receiving --------------------------------------------------------------------------------------------------


def test_goods_are_received_without_any_script(
    handover: Handover, trader: User, marked: list[Derivative], second_batch: list[Derivative]
) -> None:
    client = sign_in(trader)
    receive = f"/handovers/{handover.pk}/receive/"

    verdicts = [
        text_of(client.post(receive, {"code": code}))
        for code in (code_of(marked[0]), code_of(marked[0]), second_batch[0].number, "7H4Q9TX2MW8H", "IN25-000001")
    ]

    for page, said in zip(
        verdicts, ["Received", "Scanned before", "Not in this hand-over", "Not in the registry", ""], strict=True
    ):
        assert said in page
        assert "autofocus" in page
    assert ExtraScan.objects.count() == 2
    undone = text_of(client.post(f"{receive}undo/"))
    assert "Taken back" in undone
    assert ExtraScan.objects.count() == 1

    for derivative in marked[1:5]:
        client.post(receive, {"code": derivative.number})
    differing = text_of(client.get(f"/handovers/{handover.pk}/accept/"))
    assert "This becomes a discrepancy" in differing
    assert marked[5].number in differing
    assert second_batch[0].number in differing
    refused = client.post(
        f"/handovers/{handover.pk}/accept/", {"difference_reason": "", "carrier_said": "signs", "password": PASSWORD}
    )
    assert refused.status_code == 422
    assert "Say what differs and why" in text_of(refused)
    unsigned = client.post(f"/handovers/{handover.pk}/accept/", {"difference_reason": "A box came open."})
    assert unsigned.status_code == 422
    accepted = client.post(
        f"/handovers/{handover.pk}/accept/",
        {
            "difference_reason": "A box came open.",
            f"reason-{marked[5].pk}": "Fell out.",
            "carrier_said": "refuses",
            "password": PASSWORD,
        },
    )

    assert accepted["Location"] == f"/handovers/{handover.pk}/"
    handover.refresh_from_db()
    assert handover.state == Handover.State.ACCEPTED
    missing = handover.lines.get(outcome="missing")
    assert (missing.item_id, missing.reason) == (marked[5].pk, "Fell out.")
    assert {one.reason for one in handover.extra_scans.all()} == {"A box came open."}
    assert {one.side for one in handover.signatures.all()} == {"sender", "receiver"}
    assert client.get(receive)["Location"] == f"/handovers/{handover.pk}/"


def test_the_dispatcher_is_told_that_another_person_receives(
    storekeeper: User, marked: list[Derivative], reception_store: CustodyAccount, central_store: CustodyAccount
) -> None:
    handover = services.dispatch_goods(
        carried_by="A courier",
        actor=storekeeper,
        at=timezone.now(),
        key="k",
        source=reception_store,
        target=central_store,
        item_ids=keys(marked),
    )
    client = sign_in(storekeeper)

    page = text_of(client.get(f"/handovers/{handover.pk}/receive/"))
    scanned = text_of(client.post(f"/handovers/{handover.pk}/receive/", {"code": marked[0].number}))
    refused = client.post(f"/handovers/{handover.pk}/accept/", {"difference_reason": "-", "password": PASSWORD})

    assert "Another person must receive this" in page
    assert 'name="code"' not in page
    assert "Another person must receive this" in scanned
    assert refused.status_code == 422
    assert not HandoverLine.objects.exclude(scanned_at=None).exists()


def test_a_scan_costs_few_queries_however_large_the_load(
    handover: Handover, trader: User, marked: list[Derivative], django_assert_max_num_queries: Any
) -> None:
    client = sign_in(trader)
    receive = f"/handovers/{handover.pk}/receive/"
    code = code_of(marked[1])
    client.post(receive, {"code": marked[0].number}, headers={"X-Scan": "part"})

    with django_assert_max_num_queries(20):
        client.post(receive, {"code": code}, headers={"X-Scan": "part"})


def test_goods_come_back_with_a_reason(handover: Handover, storekeeper: User, trader: User) -> None:
    address = f"/handovers/{handover.pk}/return/"
    assert sign_in(trader).post(address, {"reason": "Mine, as told", "password": PASSWORD}).status_code == 422
    client = sign_in(storekeeper)
    assert client.post(address, {"reason": "The road is closed."}).status_code == 422

    client.post(address, {"reason": "The road is closed.", "password": PASSWORD})

    handover.refresh_from_db()
    assert handover.state == Handover.State.RETURNING
    assert "The road is closed." in text_of(client.get(f"/handovers/{handover.pk}/"))


# --- applications -----------------------------------------------------------------------------------------------


def test_an_application_goes_from_the_first_page_to_the_permit(
    storekeeper: User,
    authority_officer: User,
    marked: list[Derivative],
    trader_store: CustodyAccount,
) -> None:
    client, officer = sign_in(storekeeper), sign_in(authority_officer)
    today = timezone.localdate()
    begun = client.post("/applications/new/transport/", {"store": "", "purpose": "", "item": marked[0].pk})
    application = Application.objects.get()
    page = f"/applications/{application.pk}/"
    assert begun["Location"] == f"{page}edit/"
    assert officer.get(page).status_code == 404

    scanned = client.post(f"{page}items/scan/", {"code": code_of(marked[1])}, headers={"X-Scan": "part"})
    client.post(f"{page}items/add/", {"batch": marked[0].intake.number})
    client.post(f"{page}items/remove/", {"item": marked[5].pk})
    incomplete = client.post(f"{page}check/")
    client.post(
        f"{page}edit/",
        {
            "store": trader_store.pk,
            "purpose": "Contract 7",
            "wished_from": today.isoformat(),
            "wished_until": (today + timedelta(days=9)).strftime("%d.%m.%Y"),
            "go_on": "yes",
        },
    )

    assert 'data-tone="ok"' in text_of(scanned)
    assert incomplete.status_code == 422
    assert "Fill this in before you submit." in text_of(incomplete)
    assert "Nothing stands against these items today" in text_of(client.get(f"{page}check/"))
    client.post(f"{page}check/")
    application.refresh_from_db()
    assert application.state == State.SUBMITTED
    assert application.lines.count() == 5

    queue = text_of(officer.get("/applications/?state=waiting"))
    seen_by_officer = text_of(officer.get(page))
    assert application.number in queue
    for derivative in marked[:5]:
        assert derivative.number in seen_by_officer
    officer.post(f"{page}take-up/")
    wrong = officer.post(f"{page}approve/", {"valid_until": today.isoformat(), "password": "wrong"})
    assert wrong.status_code == 422
    assert not Permit.objects.exists()
    officer.post(f"{page}approve/", {"valid_until": today.isoformat(), "password": PASSWORD})

    permit = Permit.objects.get()
    assert permit.pieces == 5
    assert permit.number in text_of(client.get(page))
    assert "Dispatch under this permit" in text_of(client.get(f"/permits/{permit.pk}/"))


def test_what_stands_against_an_item_is_beside_it_for_both_sides(
    permit: Permit,
    storekeeper: User,
    authority_officer: User,
    now: datetime,
    marked: list[Derivative],
    second_batch: list[Derivative],
    other_trader_store: CustodyAccount,
) -> None:
    application = draft(actor=storekeeper, at=now, items=second_batch, store=other_trader_store)
    services.add_lines(actor=storekeeper, at=now, application=application, item_ids=[marked[0].pk])
    client = sign_in(storekeeper)
    page = f"/applications/{application.pk}/"

    checked = client.post(f"{page}check/")

    reason = f"Reserved for permit {permit.number}."
    assert checked.status_code == 422
    assert reason in text_of(checked)
    only_bad = text_of(client.get(f"{page}?problems=yes"))
    assert marked[0].number in only_bad
    assert second_batch[0].number not in only_bad
    client.post(f"{page}items/remove/", {"obstructed": "yes"})
    assert set(application.lines.values_list("item_id", flat=True)) == set(keys(second_batch))


def test_an_approval_that_became_impossible_shows_the_reason_and_changes_nothing(
    storekeeper: User,
    authority_officer: User,
    now: datetime,
    marked: list[Derivative],
    trader_store: CustodyAccount,
    other_trader_store: CustodyAccount,
) -> None:
    first = submitted(actor=storekeeper, at=now, items=marked[:3], store=trader_store)
    permit = approved(officer=authority_officer, actor=storekeeper, at=now, items=marked[2:], store=other_trader_store)
    day = timezone.localdate().isoformat()

    answer = sign_in(authority_officer).post(
        f"/applications/{first.pk}/approve/", {"valid_until": day, "password": PASSWORD}
    )

    assert answer.status_code == 422
    assert "1 item cannot go: see the reason beside it." in text_of(answer)
    assert f"Reserved for permit {permit.number}." in text_of(answer)
    assert Permit.objects.count() == 1


def test_a_returned_application_is_corrected_with_the_reason_in_sight(
    application: Application, storekeeper: User, authority_officer: User
) -> None:
    officer, client = sign_in(authority_officer), sign_in(storekeeper)
    page = f"/applications/{application.pk}/"

    officer.post(f"{page}return/", {"reason": "Name the contract."})

    assert "Name the contract." in text_of(client.get(f"{page}edit/"))
    client.post(f"{page}check/")
    application.refresh_from_db()
    assert (application.state, application.round) == (State.SUBMITTED, 2)
    officer.post(f"{page}refuse/", {"reason": "No contract.", "article": "Art. 17", "password": PASSWORD})
    assert "No contract. (Art. 17)" in text_of(client.get(page))
    assert client.get(f"{page}edit/")["Location"] == page


def test_a_withdrawn_application_is_over(application: Application, storekeeper: User, trader: User) -> None:
    address = f"/applications/{application.pk}/withdraw/"
    assert sign_in(trader).post(address).status_code == 404

    sign_in(storekeeper).post(address)

    application.refresh_from_db()
    assert application.state == State.WITHDRAWN


def test_a_permit_is_revoked_by_a_signed_decision(permit: Permit, authority_head: User) -> None:
    client = sign_in(authority_head)
    address = f"/permits/{permit.pk}/revoke/"
    assert client.post(address, {"reason": "Void, as told", "password": "wrong"}).status_code == 422
    assert Reservation.objects.active().exists()

    client.post(address, {"reason": "Void, as told", "password": PASSWORD})

    assert "Void, as told" in text_of(client.get(f"/permits/{permit.pk}/"))
    assert not Reservation.objects.active().exists()


def test_drafting_does_not_crowd_the_page_but_stays_in_the_journal(application: Application, storekeeper: User) -> None:
    page = text_of(sign_in(storekeeper).get(f"/applications/{application.pk}/"))

    assert "Items added to the application" not in page
    assert Event.objects.filter(verb="application.items_added").exists()


# --- lists ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/handovers/", "/applications/", "/applications/?state=waiting", "/permits/"])
def test_lists_cost_the_same_however_long(
    address: str,
    handover: Handover,
    permit: Permit,
    storekeeper: User,
    authority_officer: User,
    inspector: User,
    signing_key: Any,
    now: datetime,
    reception_store: CustodyAccount,
    permit_to_remove: RemovalPermit,
    brigade: Brigade,
    trader_store: CustodyAccount,
    django_assert_max_num_queries: Any,
) -> None:
    from marking.services.issue import register_and_mark

    intake = build_intake(
        actor=inspector, at=now, store=reception_store, permit=permit_to_remove, brigade=brigade, rows=12
    )
    register_and_mark(actor=inspector, at=now, intake=intake)
    items = list(Derivative.objects.filter(intake=Intake.objects.get(pk=intake.pk)))
    for one, two in zip(items[:6], items[6:], strict=True):
        submitted(actor=storekeeper, at=now, items=[one], store=trader_store)
        permitted = approved(officer=authority_officer, actor=storekeeper, at=now, items=[two], store=trader_store)
        services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key=str(two.pk),
            source=reception_store,
            target=trader_store,
            item_ids=[two.pk],
            permit=permitted,
        )
    client = sign_in(authority_officer)
    client.get(address)

    with django_assert_max_num_queries(14):
        page = client.get(address)

    assert page.status_code == 200


def test_filters_find_what_the_first_pages_point_at(
    handover: Handover, permit: Permit, trader: User, storekeeper: User
) -> None:
    client = sign_in(trader)
    assert handover.number in text_of(client.get("/handovers/?state=dispatched&direction=in"))
    assert handover.number not in text_of(client.get("/handovers/?state=dispatched&direction=out"))
    assert handover.number in text_of(sign_in(storekeeper).get("/handovers/?state=dispatched&direction=out"))
    assert permit.number in text_of(client.get("/permits/?state=in_force"))
    assert permit.number not in text_of(client.get("/permits/?state=expired"))
    assert permit.application.number in text_of(sign_in(storekeeper).get("/applications/?state=approved"))
