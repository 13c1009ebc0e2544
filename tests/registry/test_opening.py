"""Opening, correcting and cancelling intakes."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from core.accounts.models import Organisation, Region, User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from ledger.models import CustodyAccount
from registry.models import Brigade, Case, Intake, RemovalPermit, Season
from registry.services import (
    CaseFacts,
    CaseKnown,
    cancel_intake,
    correct_removal_intake,
    open_removal_intake,
    open_seizure_intake,
)
from tests.builders import Receive, build_brigade, build_removal_permit, build_season, register

Facts = dict[str, Any]


@pytest.fixture
def facts(
    inspector: User, now: datetime, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> Facts:
    """A reception that may be opened."""
    return {
        "actor": inspector,
        "at": now,
        "store": reception_store,
        "permit": permit_to_remove,
        "brigade": brigade,
        "on": now.date(),
        "males": 4,
        "females": 2,
        "young": 0,
        "carcasses": 6,
    }


@pytest.fixture
def seizure(police: Organisation, today: date) -> CaseFacts:
    """A seizure whose protocol is right."""
    return CaseFacts(
        protocol_number="17/2025",
        protocol_on=today,
        erdr_number="25 2700 121000 345",
        agency=police,
        place="Жәнібек ауданы",
        seized_on=today - timedelta(days=2),
    )


def test_a_reception_takes_all_else_from_its_permit(facts: Facts) -> None:
    intake = open_removal_intake(**facts)

    intake.refresh_from_db()
    assert intake.number == "IN25-000001"
    assert (intake.origin, intake.state, intake.version) == ("removal", "open", 0)
    assert (intake.population, intake.region_id) == ("ural", "27")
    assert intake.animals == 6
    event = Event.objects.get(verb="intake.opened")
    assert (event.subject_name, event.facts["brigade"]) == ("IN25-000001", "Бригада №1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"on": date(2025, 11, 11)}, "on"),
        ({"on": date(2025, 6, 30)}, "on"),
        ({"males": -1}, "males"),
        ({"females": 100_001}, "females"),
        ({"males": 0, "females": 0, "carcasses": 0}, "males"),
        ({"carcasses": 7}, "carcasses"),
    ],
)
def test_nonsense_is_refused_at_its_field(changes: Facts, field: str, facts: Facts) -> None:
    with pytest.raises(BadInput) as refusal:
        open_removal_intake(**facts | changes)

    assert set(refusal.value.fields) == {field}
    assert not Intake.objects.exists()
    assert not Event.objects.filter(verb="intake.opened").exists()


def test_several_wrong_fields_are_told_at_once(facts: Facts) -> None:
    with pytest.raises(BadInput) as refusal:
        open_removal_intake(**facts | {"on": date(2026, 1, 1), "young": -3})

    assert set(refusal.value.fields) == {"on", "young"}


def test_a_day_before_the_permit_is_refused(facts: Facts, season: Season, region: Region) -> None:
    late = build_removal_permit(season, region, facts["store"].custodian, number="ИЖ-27/2025-2")
    RemovalPermit.objects.filter(pk=late.pk).update(issued_on=date(2025, 11, 10))
    late.refresh_from_db()

    with pytest.raises(BadInput) as refusal:
        open_removal_intake(**facts | {"permit": late, "on": date(2025, 11, 9)})

    assert set(refusal.value.fields) == {"on"}


def test_papers_of_another_region_or_season_do_not_fit(
    facts: Facts, season: Season, region: Region, region_elsewhere: Region, okhotzooprom: Organisation
) -> None:
    elsewhere = build_removal_permit(season, region_elsewhere, okhotzooprom, number="ИЖ-39/2025-1")
    last_year = build_season(date(2024, 7, 1), date(2024, 11, 30))
    of_last_year = build_brigade(last_year, region, contract="Д-24")

    with pytest.raises(BadInput) as refusal:
        open_removal_intake(**facts | {"permit": elsewhere})
    assert set(refusal.value.fields) == {"permit", "brigade"}
    with pytest.raises(BadInput) as refusal:
        open_removal_intake(**facts | {"brigade": of_last_year})
    assert set(refusal.value.fields) == {"brigade"}


def test_horns_are_taken_in_at_own_reception_points_only(
    facts: Facts,
    reception_store_elsewhere: CustodyAccount,
    central_store: CustodyAccount,
    evidence_room: CustodyAccount,
    trader_store: CustodyAccount,
) -> None:
    for store in (reception_store_elsewhere, central_store, evidence_room, trader_store):
        with pytest.raises(BadInput) as refusal:
            open_removal_intake(**facts | {"store": store})
        assert "store" in refusal.value.fields

    CustodyAccount.objects.filter(pk=facts["store"].pk).update(is_active=False)
    with pytest.raises(BadInput):
        open_removal_intake(**facts)
    assert not Intake.objects.exists()


def test_only_inspectors_open_receptions(facts: Facts, storekeeper: User, trader: User, auditor: User) -> None:
    for person in (storekeeper, trader, auditor):
        with pytest.raises(NotAllowed):
            open_removal_intake(**facts | {"actor": person})


def test_a_seizure_enters_its_case_once(
    seizure: CaseFacts, inspector: User, now: datetime, evidence_room: CustodyAccount
) -> None:
    intake = open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=now.date(), case=seizure)

    case = Case.objects.get()
    assert intake.case == case
    assert (case.erdr_number, case.region_id) == ("252700121000345", "27")
    with pytest.raises(CaseKnown) as refusal:
        open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=now.date(), case=seizure)
    assert "erdr_number" in refusal.value.fields
    again = open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=now.date(), case=case)
    assert again.case == case
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "on", "field"),
    [
        ({"protocol_on": date(2025, 11, 7)}, date(2025, 11, 10), "protocol_on"),
        ({"protocol_on": date(2025, 11, 11)}, date(2025, 11, 10), "protocol_on"),
        ({"seized_on": date(2025, 11, 11), "protocol_on": date(2025, 11, 12)}, date(2025, 11, 10), "seized_on"),
        ({"place": ""}, date(2025, 11, 10), "place"),
        ({}, date(2025, 11, 11), "on"),
        ({}, date(2025, 11, 7), "on"),
    ],
)
def test_a_seizure_that_makes_no_sense_is_refused(
    changes: Facts,
    on: date,
    field: str,
    seizure: CaseFacts,
    inspector: User,
    now: datetime,
    evidence_room: CustodyAccount,
) -> None:
    case = CaseFacts(**{name: getattr(seizure, name) for name in CaseFacts.__slots__} | changes)

    with pytest.raises(BadInput) as refusal:
        open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=on, case=case)

    assert field in refusal.value.fields
    assert not Case.objects.exists()
    assert not Intake.objects.exists()


def test_seized_goods_do_not_go_into_a_store(
    seizure: CaseFacts, inspector: User, now: datetime, reception_store: CustodyAccount, trader_company: Organisation
) -> None:
    with pytest.raises(BadInput) as refusal:
        open_seizure_intake(actor=inspector, at=now, store=reception_store, on=now.date(), case=seizure)

    assert set(refusal.value.fields) == {"store"}


def test_a_trader_seizes_nothing(
    seizure: CaseFacts,
    inspector: User,
    trader: User,
    trader_company: Organisation,
    now: datetime,
    evidence_room: CustodyAccount,
) -> None:
    facts = {name: getattr(seizure, name) for name in CaseFacts.__slots__} | {"agency": trader_company}
    with pytest.raises(BadInput) as refusal:
        open_seizure_intake(actor=inspector, at=now, store=evidence_room, on=now.date(), case=CaseFacts(**facts))
    assert set(refusal.value.fields) == {"agency"}
    with pytest.raises(NotAllowed):
        open_seizure_intake(actor=trader, at=now, store=evidence_room, on=now.date(), case=seizure)


def test_an_open_reception_is_corrected_and_its_rows_stay(
    open_intake: Intake, facts: Facts, inspector: User, now: datetime
) -> None:
    new = {name: facts[name] for name in ("permit", "brigade", "on", "females", "young")}

    correct_removal_intake(actor=inspector, at=now, intake=open_intake, males=30, carcasses=32, **new)

    open_intake.refresh_from_db()
    assert (open_intake.males, open_intake.carcasses) == (30, 32)
    assert open_intake.rows.count() == 6
    assert "males: 3 → 30" in Event.objects.get(verb="intake.corrected").facts["note"]


def test_a_correction_is_checked_like_an_opening(
    open_intake: Intake, facts: Facts, inspector: User, inspector_elsewhere: User, now: datetime
) -> None:
    new = {name: facts[name] for name in ("permit", "brigade", "on", "females", "young", "males")}

    with pytest.raises(BadInput) as refusal:
        correct_removal_intake(actor=inspector, at=now, intake=open_intake, carcasses=99, **new)
    assert set(refusal.value.fields) == {"carcasses"}
    with pytest.raises(NotAllowed):
        correct_removal_intake(actor=inspector_elsewhere, at=now, intake=open_intake, carcasses=1, **new)
    register(open_intake, actor=inspector, at=now)
    with pytest.raises(InvalidTransition):
        correct_removal_intake(actor=inspector, at=now, intake=open_intake, carcasses=1, **new)


def test_cancelling_needs_a_reason_and_registers_nothing(open_intake: Intake, inspector: User, now: datetime) -> None:
    with pytest.raises(BadInput) as refusal:
        cancel_intake(actor=inspector, at=now, intake=open_intake, reason=" ")
    assert set(refusal.value.fields) == {"reason"}

    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice.")

    open_intake.refresh_from_db()
    assert (open_intake.state, open_intake.cancel_reason, open_intake.closed_by) == (
        "cancelled",
        "Opened twice.",
        inspector,
    )
    assert open_intake.rows.count() == 6
    with pytest.raises(InvalidTransition):
        register(open_intake, actor=inspector, at=now)


def test_numbers_of_intakes_follow_one_another_each_year(receive: Receive, later: Callable[..., datetime]) -> None:
    numbers = [receive(rows=0, males=1).number for _ in range(3)]

    assert numbers == ["IN25-000001", "IN25-000002", "IN25-000003"]
