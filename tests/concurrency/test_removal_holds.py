"""A question about a day of removal is raised or judged while another one is, or while its horns leave. Each race has a
twin without the lock.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from psycopg.errors import DeadlockDetected

from core.accounts.models import Organisation, User
from core.notices.models import Notice
from core.notices.services import decide_notice, raise_notice
from ledger.models import CustodyAccount, Handover, Hold, Holding
from ledger.services import ItemsOnHold, accept_handover, dispatch_items, lock_items, scan_received
from registry.models import Brigade, DailySheet, Derivative, RemovalPermit
from registry.services import (
    Delivered,
    correct_daily_sheet,
    enter_daily_sheet,
    open_sheet_reception,
    registration,
    removal_holds,
    save_rows,
    sign_daily_sheet,
)
from tests.builders import register, some_rows
from tests.races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

Act = Callable[..., Any]
TOO_MANY, REGISTERED = "removal.horns_too_many", "removal.horns_registered"


@pytest.fixture
def receive(inspector: User, now: datetime, sheet: DailySheet, reception_store: CustodyAccount) -> Act:
    """Four more horns of the day of the sheet."""

    def four() -> list[Derivative]:
        intake = open_sheet_reception(actor=inspector, at=now, sheet=sheet, store=reception_store)
        intake = save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=some_rows(4))
        return register(intake, actor=inspector, at=now)

    return four


@pytest.fixture
def sheet(
    inspector: User, now: datetime, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> DailySheet:
    """Nine horns of four males."""
    return enter_daily_sheet(
        actor=inspector, at=now, brigade=brigade, permit=permit_to_remove, on=now.date(), males=4, females=2, young=1,
        horns_cut=9, deliveries=[Delivered(reception_store, 7)], confirm=True,
    )  # fmt: skip


@pytest.fixture
def asked(receive: Act, sheet: DailySheet, inspector: User, now: datetime) -> None:
    """Four horns are registered and held: nine are too many of four males, and four are not nine."""
    receive()
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)
    assert (open_codes(), held()) == ([REGISTERED, TOO_MANY], 4)


@pytest.fixture
def dispatch(inspector: User, now: datetime, reception_store: CustodyAccount, central_store: CustodyAccount) -> Act:
    """Horns leave the reception store for the central one; all, if no others are named."""
    return lambda items=None: dispatch_items(
        actor=inspector, at=now, key="race", source=reception_store, target=central_store, carried_by="A courier",
        item_ids=items or list(Derivative.objects.order_by("pk").values_list("pk", flat=True)),
    )  # fmt: skip


@pytest.fixture
def judge(asked: None, authority_officer: User, now: datetime) -> Callable[[str], Act]:
    def of(code: str) -> Act:
        return lambda: decide_notice(
            actor=authority_officer, at=now, notice=Notice.objects.open().get(code=code), outcome="corrected",
            decision="Heard", reason="The ninth was a broken tip of another horn.",
        )  # fmt: skip

    return of


def open_codes() -> list[str]:
    return sorted(Notice.objects.open().values_list("code", flat=True))


def held() -> int:
    return Hold.objects.active().filter(kind=Hold.Kind.REMOVAL).count()


def nothing() -> None:
    """What most first acts still do once the second waits."""


def one_within_the_other(first: Act, second: Act, *, at_last: Act = nothing) -> list[Any]:
    """The second acts when the first has, and the first ends, after what it does `at_last`, when the second has, or
    waits for it. What each returned, or was refused with.
    """
    acted, ended = threading.Event(), threading.Event()

    def outer() -> None:
        try:
            with transaction.atomic():
                first()
                acted.set()
                _wait_until_it_waits(ended)
                at_last()
        finally:
            acted.set()

    def inner() -> None:
        acted.wait(10)
        try:
            second()
        finally:
            ended.set()

    return at_once(outer, inner)


def _wait_until_it_waits(ended: threading.Event) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and not ended.wait(0.05):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return


@pytest.mark.parametrize("judged_first", [True, False])
def test_horns_stay_when_one_question_is_judged_while_another_is_raised(
    judged_first: bool, judge: Callable[[str], Act], receive: Act
) -> None:
    judge(REGISTERED)()
    acts = [judge(TOO_MANY), receive]

    assert one_within_the_other(*(acts if judged_first else reversed(acts))) == [None, None]

    assert (open_codes(), held()) == ([REGISTERED], 8)


def test_horns_are_free_when_the_last_two_questions_are_judged_at_once(judge: Callable[[str], Act]) -> None:
    assert one_within_the_other(judge(REGISTERED), judge(TOO_MANY)) == [None, None]

    assert (open_codes(), held()) == ([], 0)


def test_without_the_lock_horns_go_free_while_a_question_is_open(
    judge: Callable[[str], Act], sheet: DailySheet, inspector: User, inspectorate: Organisation, now: datetime
) -> None:
    """The twin: a question is written as a row, and what is held already is not held again."""
    judge(REGISTERED)()

    def ask() -> None:
        assert held() == 4
        raise_notice(
            at=now, kind=Notice.Kind.DISCREPANCY, code=REGISTERED, organisation=inspectorate, actor=inspector,
            subject=("daily_sheet", sheet.pk), brigade="B", day="01.11.2025", cut=9, registered=8, number=sheet.number,
        )  # fmt: skip

    assert one_within_the_other(judge(TOO_MANY), ask) == [None, None]

    assert (open_codes(), held()) == ([REGISTERED], 0)


def test_horns_that_have_just_left_are_not_held_on_the_road(
    receive: Act, dispatch: Act, sheet: DailySheet, inspector: User, storekeeper: User, now: datetime
) -> None:
    """The question comes while the load leaves: it is asked all the same, and the load is received whole."""
    horns = receive()

    assert one_within_the_other(dispatch, partial(sign_daily_sheet, actor=inspector, at=now, sheet=sheet)) == [None] * 2

    assert (open_codes(), held()) == ([REGISTERED, TOO_MANY], 0)
    load = Handover.objects.get()
    for horn in horns:
        scan_received(actor=storekeeper, at=now, handover=load, item_id=horn.pk)
    accept_handover(actor=storekeeper, at=now, handover=load)
    assert set(Holding.objects.filter(is_physical=True, pieces=1).values_list("account", flat=True)) == {load.target_id}


def test_without_the_lock_they_are_held_on_the_road(
    receive: Act,
    dispatch: Act,
    sheet: DailySheet,
    inspector: User,
    storekeeper: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: what is in a store is asked before the load has left, and the truck waits for the authority."""
    horns = receive()
    monkeypatch.setattr(removal_holds, "lock_horns", lambda intakes: None)

    one_within_the_other(dispatch, partial(sign_daily_sheet, actor=inspector, at=now, sheet=sheet))

    assert held() == 4
    load = Handover.objects.get()
    for horn in horns:
        scan_received(actor=storekeeper, at=now, handover=load, item_id=horn.pk)
    with pytest.raises(ItemsOnHold):
        accept_handover(actor=storekeeper, at=now, handover=load)


@pytest.fixture
def last_reception(
    receive: Act, sheet: DailySheet, inspector: User, now: datetime, reception_store: CustodyAccount
) -> Act:
    """Eight horns were cut and four are registered; the act registers three, the last ones of the day."""
    correct_daily_sheet(
        actor=inspector, at=now, sheet=sheet, males=4, females=2, young=1, horns_cut=8,
        deliveries=[Delivered(reception_store, 7)], confirm=True,
    )  # fmt: skip
    receive()
    intake = open_sheet_reception(actor=inspector, at=now, sheet=sheet, store=reception_store)
    intake = save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=some_rows(3))
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)
    assert (open_codes(), held()) == ([], 0)
    return lambda: register(intake, actor=inspector, at=now)


@pytest.fixture
def dispatch_within(dispatch: Act, last_reception: Act) -> Callable[[], list[Any]]:
    """A dispatch has locked the first horns and posts them once the last reception waits for them."""
    first = list(Derivative.objects.order_by("pk").values_list("pk", flat=True))
    return lambda: one_within_the_other(partial(lock_items, first), last_reception, at_last=partial(dispatch, first))


def test_the_last_reception_waits_for_horns_that_leave_and_keeps_nothing_from_them(
    dispatch_within: Callable[[], list[Any]],
) -> None:
    assert dispatch_within() == [None, None]

    assert (open_codes(), held()) == ([REGISTERED], 3)
    assert Handover.objects.count() == 1


def test_without_the_lock_the_last_reception_and_the_truck_wait_for_each_other(
    dispatch_within: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the reception keeps the totals and waits for the horns, the truck has the horns and waits for them."""
    monkeypatch.setattr(registration, "lock_day", lambda permit, brigade, on: None)

    refused = [one for one in dispatch_within() if one is not None]

    assert [type(one.__cause__) for one in refused] == [DeadlockDetected]
