"""Loads that are turned back, what is missing on the way, and what a waybill must say."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import decide_notice
from ledger.models import CustodyAccount, Handover, Hold, Holding
from ledger.services import BeingReceived, SecondPersonNeeded, lift_hold, tell_late
from permits import services
from permits.selectors import missing_on_the_way
from registry.models import Derivative
from tests.cast import enter_person
from tests.rights import keys, receive


def test_a_load_turned_back_is_counted_by_somebody_else(
    handover: Handover, storekeeper: User, inspector: User, later: Any, marked: list[Derivative]
) -> None:
    services.turn_goods_back(actor=storekeeper, at=later(hours=1), handover=handover, reason="The road is closed.")
    handover.refresh_from_db()
    assert handover.state == Handover.State.RETURNING
    assert not Holding.objects.filter(item__in=keys(marked), account=handover.source, pieces__gt=0).exists()
    assert tell_late(at=later(days=3)) == 0
    assert tell_late(at=later(days=4)) == 1
    with pytest.raises(SecondPersonNeeded):
        services.scan_goods(actor=storekeeper, at=later(days=4), handover=handover, item_id=marked[0].pk)

    receive(handover, actor=inspector, at=later(days=4), without=[marked[5].pk])

    handover.refresh_from_db()
    assert handover.state == Handover.State.RETURNED
    there = Holding.objects.filter(account=handover.source, item__in=keys(marked), pieces__gt=0)
    assert set(there.values_list("item_id", flat=True)) == set(keys(marked[:5]))
    assert Hold.objects.active().get(kind=Hold.Kind.IN_TRANSIT).item_id == marked[5].pk
    assert Notice.objects.filter(code="handover.missing").exists()


def test_who_turns_a_load_back_does_not_count_it(
    handover: Handover, okhotzooprom: Organisation, administrator: User, later: Any
) -> None:
    """Nor in the database: a load turned back and found complete by one person could hide what never came back."""
    colleague = enter_person("second", "Ибраев Саят", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)
    services.turn_goods_back(actor=colleague, at=later(hours=1), handover=handover, reason="The road is closed.")
    handover.refresh_from_db()
    with pytest.raises(SecondPersonNeeded):
        receive(handover, actor=colleague, at=later(hours=2), without=[])
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_handover SET state = 'returned', closed_by_id = turned_by_id, closed_at = now()"
            " WHERE id = %s",
            [handover.pk],
        )


def test_what_is_being_received_is_not_turned_back(
    handover: Handover, storekeeper: User, trader: User, later: Any, marked: list[Derivative]
) -> None:
    services.scan_goods(actor=trader, at=later(minutes=1), handover=handover, item_id=marked[0].pk)

    with pytest.raises(BeingReceived):
        services.turn_goods_back(actor=storekeeper, at=later(hours=1), handover=handover, reason="As the act says")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_handover SET state = 'returning', turned_by_id = dispatched_by_id, turned_at = now(),"
            " turn_reason = 'x' WHERE id = %s",
            [handover.pk],
        )
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_handover SET state = 'cancelled', closed_by_id = dispatched_by_id, closed_at = now()"
        )


def test_missing_goods_are_not_forgotten(
    handover: Handover,
    trader: User,
    storekeeper: User,
    authority_officer: User,
    later: Any,
    marked: list[Derivative],
    trader_company: Organisation,
    administrator: User,
) -> None:
    lost = marked[5].pk
    receive(handover, actor=trader, at=later(hours=1), without=[lost])
    notice = Notice.objects.get(code="handover.missing")

    assert [(row.item.pk, row.days, row.report) for row in missing_on_the_way(trader, at=later(days=9))] == [
        (lost, 9, "")
    ]
    with pytest.raises((InvalidTransition, NotAllowed)):
        decide_notice(
            actor=authority_officer, at=later(days=1), notice=notice, outcome="other", decision="all fine",
            reason="Nothing to be seen here",
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError), transaction.atomic():
        lift_hold(actor=trader, at=later(days=1), item_ids=[lost], kind=Hold.Kind.IN_TRANSIT, reason="x")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    with pytest.raises(NotAllowed):
        services.receive_missing_goods(
            actor=storekeeper, at=later(days=2), handover=handover, item_ids=[lost], reason="Under the seat"
        )
    with pytest.raises(SecondPersonNeeded):
        services.receive_missing_goods(
            actor=trader, at=later(days=2), handover=handover, item_ids=[lost], reason="Under the seat"
        )
    colleague = enter_person("colleague", "Пак Илья", Role.TRADER, trader_company, appointed_by=administrator)
    services.receive_missing_goods(
        actor=colleague, at=later(days=2), handover=handover, item_ids=[lost], reason="Under the seat"
    )
    assert missing_on_the_way(trader, at=later(days=9)) == []
    assert Holding.objects.get(item=lost, pieces__gt=0, is_physical=True).account_id == handover.target_id
    assert not Hold.objects.active().exists()


@pytest.mark.parametrize(
    "said",
    [
        {"vehicle": "512 KZA 27"},
        {"carried_by": " "},
        {"carried_by": "xxxxxxxx"},
        {"vehicle": "777 ABC 02", "driver": "x"},
        {"carried_by": "Сейітов Ержан", "expected_at": timedelta(hours=-1)},
        {"carried_by": "Сейітов Ержан", "expected_at": timedelta(days=365)},
    ],
)
def test_a_waybill_names_who_carries_and_when_it_arrives(
    storekeeper: User,
    later: Any,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
    said: dict[str, Any],
) -> None:
    at = later(hours=1)
    if "expected_at" in said:
        said = {**said, "expected_at": at + said["expected_at"]}
    facts: dict[str, Any] = {"actor": storekeeper, "at": at, "key": "w", "item_ids": keys(marked)}
    facts |= {"source": reception_store, "target": central_store}

    with pytest.raises(BadInput):
        services.dispatch_goods(**facts, **said)
    sent = services.dispatch_goods(**facts, carried_by="Сейітов Ержан")

    assert sent.expected_at == sent.due_at == at + timedelta(hours=72)
