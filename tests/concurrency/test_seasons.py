"""Two people at the papers and sheets of a season. Each race has a twin that shows what the lock is for."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from core.accounts.models import Organisation, Region, User
from core.base.errors import BadInput, InvalidTransition
from core.notices.models import Notice
from ledger.models import CustodyAccount
from registry.models import Brigade, DailySheet, RemovalLimit, RemovalPermit, Season
from registry.services import Delivered, SheetKnown, correct_daily_sheet, enter_daily_sheet
from registry.services import papers as papers_module
from registry.services import reconciling as reconciling_module
from registry.services import sheets as sheets_module
from registry.services.papers import LimitExceeded, enter_removal_permit, withdraw_removal_permit
from tests.builders import build_brigade, build_limit, build_removal_permit
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def enter_permit(
    authority_officer: User, now: datetime, season: Season, region: Region, okhotzooprom: Organisation
) -> Callable[[str], Callable[[], RemovalPermit]]:
    """Enter a permit for 70 of the 100 animals of one line."""
    line = build_limit(season, region, animals=100)
    return lambda number: (
        lambda: enter_removal_permit(
            actor=authority_officer,
            at=now,
            limit=line,
            number=number,
            issued_on=season.starts_on,
            holder=okhotzooprom,
            animals_limit=70,
        )
    )


def test_two_permits_do_not_both_take_the_rest_of_a_line(
    enter_permit: Callable[[str], Callable[[], RemovalPermit]],
) -> None:
    results = at_once(*[enter_permit(f"П-{number}") for number in range(3)])

    assert len(winners(results)) == 1
    assert all(isinstance(r, LimitExceeded) for r in results if isinstance(r, Exception))


def test_without_the_lock_the_database_still_keeps_the_limit(
    enter_permit: Callable[[str], Callable[[], RemovalPermit]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: with the lock taken out both find room, and one of them gets a database error for a sentence."""
    barrier = threading.Barrier(2)

    def unlocked(pk: int) -> RemovalLimit:
        return RemovalLimit.objects.select_related("decision__season").get(pk=pk)

    def counted(limit: RemovalLimit) -> int:
        barrier.wait(10)
        return 0

    monkeypatch.setattr(papers_module, "lock_limit", unlocked)
    monkeypatch.setattr(papers_module, "permitted_under", counted)

    results = at_once(enter_permit("П-1"), enter_permit("П-2"))

    assert len(winners(results)) == 1
    assert any(isinstance(r, IntegrityError) for r in results)
    assert RemovalPermit.objects.count() == 1


def test_a_permit_number_entered_twice_at_once_is_told(
    enter_permit: Callable[[str], Callable[[], RemovalPermit]],
) -> None:
    results = at_once(enter_permit("П-1"), enter_permit("П-1"))

    assert len(winners(results)) == 1
    assert not any(isinstance(r, IntegrityError) for r in results)


@pytest.fixture
def sheet_of(
    inspector: User,
    now: datetime,
    season: Season,
    region: Region,
    okhotzooprom: Organisation,
    brigade: Brigade,
    reception_store: CustodyAccount,
) -> Callable[[int], Callable[[], DailySheet]]:
    """Enter a sheet of six animals, so many days ago, under a permit for ten."""
    permit = build_removal_permit(season, region, okhotzooprom, animals_limit=10)
    facts: dict[str, Any] = {"males": 3, "females": 3, "young": 0, "horns_cut": 6}
    return lambda back: (
        lambda: enter_daily_sheet(
            actor=inspector,
            at=now,
            brigade=brigade,
            permit=permit,
            on=now.date() - timedelta(days=back),
            deliveries=[Delivered(reception_store, 6)],
            confirm=True,
            **facts,
        )
    )


def test_one_sheet_is_entered_once(sheet_of: Callable[[int], Callable[[], DailySheet]]) -> None:
    results = at_once(*[sheet_of(0)] * 3)

    assert len(winners(results)) == 1
    assert all(isinstance(r, SheetKnown) for r in results if isinstance(r, Exception))


@pytest.fixture
def grow(
    sheet_of: Callable[[int], Callable[[], DailySheet]], inspector: User, now: datetime, reception_store: CustodyAccount
) -> Callable[[int], Callable[[], DailySheet]]:
    """Correct a sheet that said two animals: there were six. Corrections take no number, which would queue them."""
    facts: dict[str, Any] = {"actor": inspector, "at": now, "young": 0, "horns_cut": 4, "confirm": True}

    def correct(sheet: DailySheet, animals: int) -> DailySheet:
        delivered = [Delivered(reception_store, animals)]
        half = animals // 2
        return correct_daily_sheet(sheet=sheet, males=half, females=animals - half, deliveries=delivered, **facts)

    def grown(back: int) -> Callable[[], DailySheet]:
        sheet = correct(sheet_of(back)(), 2)
        return lambda: correct(sheet, 6)

    return grown


@pytest.fixture
def of_two_brigades(season: Season, region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """The brigade's lock would queue two days of one brigade; limits hold for two brigades just the same."""
    monkeypatch.setattr(reconciling_module, "lock_brigade", lambda pk: Brigade.objects.get(pk=pk))


@pytest.mark.usefixtures("of_two_brigades")
def test_sheets_that_only_together_exceed_the_limit_are_told(grow: Callable[[int], Callable[[], DailySheet]]) -> None:
    results = at_once(grow(0), grow(1))

    assert len(winners(results)) == 2
    assert Notice.objects.open().filter(code="removal.over_permit").count() == 1


@pytest.mark.usefixtures("of_two_brigades")
def test_without_the_lock_nobody_sees_the_excess(
    grow: Callable[[int], Callable[[], DailySheet]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: each counts before the other has written down, and twelve animals of ten pass unnoticed."""
    acts = grow(0), grow(1)
    barrier = threading.Barrier(2)
    taken = reconciling_module.animals_taken

    def counted(permits: Any, by: str = "pk") -> dict[Any, int]:
        found = taken(permits, by)
        barrier.wait(10)
        return found

    lines = RemovalLimit.objects.select_related("decision__authority")
    monkeypatch.setattr(reconciling_module, "lock_permit", lambda pk: RemovalPermit.objects.get(pk=pk))
    monkeypatch.setattr(reconciling_module, "lock_line", lambda pk: lines.get(pk=pk))
    monkeypatch.setattr(reconciling_module, "animals_taken", counted)

    results = at_once(*acts)

    assert [type(result) for result in results] == [DailySheet, DailySheet]
    assert not Notice.objects.filter(code="removal.over_permit").exists()


@pytest.fixture
def sheet_and_withdrawal(
    sheet_of: Callable[[int], Callable[[], DailySheet]], authority_officer: User, now: datetime
) -> tuple[Callable[[], DailySheet], Callable[[], RemovalPermit]]:
    permit = RemovalPermit.objects.get()
    withdraw = lambda: withdraw_removal_permit(  # noqa: E731
        actor=authority_officer, at=now, permit=permit, reason="Not needed, as told"
    )
    return sheet_of(0), withdraw


Pair = tuple[Callable[[], DailySheet], Callable[[], RemovalPermit]]


def test_no_sheet_comes_under_a_permit_withdrawn_at_the_same_moment(sheet_and_withdrawal: Pair) -> None:
    results = at_once(*sheet_and_withdrawal)

    assert len(winners(results)) == 1
    assert all(isinstance(r, BadInput | InvalidTransition) for r in results if isinstance(r, Exception))
    assert RemovalPermit.objects.filter(withdrawn_at=None).exists() == DailySheet.objects.exists()


def test_without_the_lock_the_database_still_refuses_the_sheet(
    sheet_and_withdrawal: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the sheet is checked while the permit stands, and written when it is withdrawn."""
    barrier = threading.Barrier(2)
    recorded = papers_module._record

    def unlocked(pk: int) -> RemovalPermit:
        found = RemovalPermit.objects.get(pk=pk)
        barrier.wait(10)
        return found

    def withdrawn(*args: Any, **facts: Any) -> None:
        barrier.wait(10)
        recorded(*args, **facts)

    monkeypatch.setattr(sheets_module, "lock_permit", unlocked)
    monkeypatch.setattr(papers_module, "_record", withdrawn)

    results = at_once(*sheet_and_withdrawal)

    assert [type(result) for result in results] == [IntegrityError, RemovalPermit]
    assert not DailySheet.objects.exists()


def test_sheets_under_two_permits_of_a_line_see_each_other(two_permits: Any) -> None:
    results = at_once(*two_permits)

    assert len(winners(results)) == 2
    assert Notice.objects.open().filter(code="removal.over_decision").count() == 1


def test_without_the_lock_of_the_line_nobody_sees_the_excess(two_permits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: each counts the line before the other has written down."""
    barrier = threading.Barrier(2)
    taken = reconciling_module.animals_taken

    def counted(permits: Any, by: str = "pk") -> dict[Any, int]:
        found = taken(permits, by)
        barrier.wait(10)
        return found

    lines = RemovalLimit.objects.select_related("decision__authority")
    monkeypatch.setattr(reconciling_module, "lock_line", lambda pk: lines.get(pk=pk))
    monkeypatch.setattr(reconciling_module, "animals_taken", counted)

    results = at_once(*two_permits)

    assert [type(result) for result in results] == [DailySheet, DailySheet]
    assert not Notice.objects.filter(code="removal.over_decision").exists()


@pytest.fixture
def two_permits(
    authority_officer: User,
    inspector: User,
    now: datetime,
    season: Season,
    region: Region,
    okhotzooprom: Organisation,
    reception_store: CustodyAccount,
) -> list[Callable[[], DailySheet]]:
    """Two brigades correct their sheets under two permits of one line of ten: each took two animals, it was six."""
    line = build_limit(season, region, animals=10)
    acts: list[Callable[[], DailySheet]] = []
    for number in ("1", "2"):
        permit = enter_removal_permit(
            actor=authority_officer,
            at=now,
            limit=line,
            number=f"П-{number}",
            issued_on=season.starts_on,
            holder=okhotzooprom,
            animals_limit=5,
        )
        brigade = build_brigade(season, region, name=f"№ {number}", contract=f"Д-{number}")
        facts: dict[str, Any] = {"actor": inspector, "at": now, "young": 0, "confirm": True}
        sheet = enter_daily_sheet(
            permit=permit,
            brigade=brigade,
            on=now.date(),
            males=1,
            females=1,
            horns_cut=2,
            deliveries=[Delivered(reception_store, 2)],
            **facts,
        )
        delivered = [Delivered(reception_store, 6)]
        acts.append(
            partial(correct_daily_sheet, sheet=sheet, males=3, females=3, horns_cut=6, deliveries=delivered, **facts)
        )
    return acts
