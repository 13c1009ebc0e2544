"""Goods leave an evidence room when nothing holds them, and are what the court made of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.accounts.models import Organisation, User
from ledger.models import CustodyAccount, Handover, Holding
from ledger.services import ItemsOnHold
from marking.models import SigningKey
from marking.services.issue import register_and_mark
from permits import services
from permits.models import LoadingList
from permits.selectors import describe_items
from registry.models import Case, Derivative, Intake, Outcome
from registry.services import DecisionFacts, confirm_decision, record_decision
from tests.builders import build_seizure
from tests.cast import PASSWORD
from tests.permits.test_api import V1, program_of
from tests.permits.test_pages import sign_in, text_of


@pytest.fixture
def now() -> datetime:
    """Pages read the clock, so what they show happened an hour ago."""
    return timezone.now() - timedelta(hours=1)


@pytest.fixture
def evidence(
    signing_key: SigningKey, inspector: User, now: datetime, evidence_room: CustodyAccount, police: Organisation
) -> list[Derivative]:
    """Four seized and marked horns, held for the court."""
    intake: Intake = build_seizure(actor=inspector, at=now, store=evidence_room, agency=police)
    register_and_mark(actor=inspector, at=now, intake=intake)
    return list(Derivative.objects.filter(intake=intake).order_by("row"))


@pytest.fixture
def decided(evidence: list[Derivative], inspector: User, authority_officer: User, now: datetime) -> list[Derivative]:
    """The court gave three to the State and ordered the fourth to be destroyed."""
    keys = [horn.pk for horn in evidence]
    decision = record_decision(
        actor=inspector,
        at=now,
        case=Case.objects.get(intakes__derivatives=keys[0]),
        facts=DecisionFacts("Орал қалалық соты", "1-118/2026", now.date(), now.date()),
        outcomes={Outcome.CONFISCATED: keys[:3], Outcome.DESTROY: keys[3:]},
    )
    confirm_decision(actor=authority_officer, at=now, decision=decision)
    return evidence


def test_an_evidence_room_is_offered_as_a_source_and_a_store_of_the_state_as_the_target(
    decided: list[Derivative], inspector: User, evidence_room: CustodyAccount, reception_store: CustodyAccount
) -> None:
    client = sign_in(inspector)

    chosen = text_of(client.get("/handovers/new/", {"choose": "source"}))
    page = text_of(client.get("/handovers/new/", {"source": evidence_room.pk}))

    assert f"?source={evidence_room.pk}&" in chosen.replace("&amp;", "&") or evidence_room.name in chosen
    assert f'value="store:{reception_store.pk}"' in page


def test_confiscated_goods_go_from_the_evidence_room_to_a_store(
    decided: list[Derivative],
    inspector: User,
    storekeeper: User,
    evidence_room: CustodyAccount,
    reception_store: CustodyAccount,
) -> None:
    client, keeper = sign_in(inspector), sign_in(storekeeper)
    client.post(
        "/handovers/new/",
        {"source": evidence_room.pk, "destination": f"store:{reception_store.pk}", "item": [d.pk for d in decided]},
    )
    loading = LoadingList.objects.get(source=evidence_room)
    on_list = set(loading.lines.values_list("item_id", flat=True))
    shown = text_of(client.get("/handovers/new/", {"source": evidence_room.pk}))

    # What the court ordered to be destroyed stays, and the list says what the others are now.
    assert on_list == {horn.pk for horn in decided[:3]}
    assert "confiscated" in shown
    assert "seized, court pending" not in shown

    when = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    said = {"password": PASSWORD, "carried_by": "Сейітов Ержан", "expected_at": when}
    client.post(f"/handovers/new/{loading.pk}/dispatch/", said)
    handover = Handover.objects.get()
    assert handover.source == evidence_room
    assert "confiscated" in text_of(keeper.get(f"/handovers/{handover.pk}/"))
    found = text_of(client.get("/handovers/", {"direction": "out"}))
    assert handover.number in found

    for horn in decided[:3]:
        services.scan_goods(actor=storekeeper, at=timezone.now(), handover=handover, item_id=horn.pk)
    services.accept_goods(actor=storekeeper, at=timezone.now(), handover=handover)
    there = Holding.objects.filter(account=reception_store, pieces__gt=0)
    assert set(there.values_list("item_id", "stock_class")) == {(d.pk, "HOR:confiscated") for d in decided[:3]}


def test_a_program_sends_from_an_evidence_room(
    decided: list[Derivative], inspector: User, evidence_room: CustodyAccount, reception_store: CustodyAccount
) -> None:
    program = program_of(inspector)
    wanted: dict[str, Any] = {
        "source": evidence_room.code,
        "target": reception_store.code,
        "items": [decided[0].number],
        "password": PASSWORD,
        "carried_by": "Сейітов Ержан",
    }

    sent = program.post(f"{V1}/handovers/", wanted, format="json")
    held = program.post(f"{V1}/handovers/", {**wanted, "items": [decided[3].number]}, format="json")
    back = program.post(
        f"{V1}/handovers/",
        {**wanted, "source": reception_store.code, "target": evidence_room.code, "items": [decided[1].number]},
        format="json",
    )

    assert (sent.status_code, sent.data["source"]["code"]) == (201, evidence_room.code)
    assert (held.status_code, held.data["code"]) == (409, "items-on-hold")
    assert back.status_code in (400, 403, 409, 422)
    assert Handover.objects.count() == 1


def test_evidence_under_hold_stays_where_it_is(
    evidence: list[Derivative], inspector: User, evidence_room: CustodyAccount, reception_store: CustodyAccount
) -> None:
    with pytest.raises(ItemsOnHold):
        services.dispatch_goods(
            carried_by="A courier",
            actor=inspector,
            at=timezone.now(),
            key="too-early",
            source=evidence_room,
            target=reception_store,
            item_ids=[evidence[0].pk],
        )
    shown = text_of(sign_in(inspector).get(f"/items/{evidence[0].pk}/"))

    assert "<strong>Hand over:</strong> On hold" in shown
    assert not Handover.objects.exists()


def test_the_item_page_leads_from_the_evidence_room(
    decided: list[Derivative], inspector: User, evidence_room: CustodyAccount
) -> None:
    shown = text_of(sign_in(inspector).get(f"/items/{decided[0].pk}/"))

    assert f"/handovers/new/?source={evidence_room.pk}" in shown


def test_tables_say_what_an_item_is_now(decided: list[Derivative]) -> None:
    assert {str(row.origin) for row in describe_items(decided)} == {"confiscated"}
    assert {horn.origin for horn in decided} == {"seizure"}
