"""Around the services: what the database itself refuses."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from core.accounts.models import User
from core.base.clock import day_of
from ledger.models import (
    AccountKind,
    AccountTotal,
    CustodyAccount,
    Handover,
    HandoverLine,
    Hold,
    Holding,
    Movement,
    MovementKind,
    Posting,
)
from ledger.services import close_period, dispatch_items, place_hold, reserve_items
from tests.goods import Enter

pytestmark = pytest.mark.django_db

Post = Callable[..., Movement]


@pytest.fixture
def reception(annex: CustodyAccount) -> CustodyAccount:
    """Of the same keeper as the central store, for goods that go without a hand-over."""
    return annex


@pytest.fixture
def post(inspector: User, now: datetime) -> Post:
    """Write a movement and its postings by hand, without any service, and run the checks of commit."""

    def write(*postings: tuple[CustodyAccount, int, int, int], **facts: object) -> Movement:
        with transaction.atomic():
            movement = Movement.objects.create(
                **{"kind": MovementKind.TRANSFER, "key": "hand", "actor": inspector, "effective_on": day_of(now)}
                | facts
            )
            for account, item, pieces, grams in postings:
                Posting.objects.create(
                    movement=movement,
                    account=account,
                    item_id=item,
                    stock_class="HOR:removal",
                    pieces=pieces,
                    grams=grams,
                )
            commit_checks()
        return movement

    return write


def commit_checks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def refused(constraint: str) -> "pytest.RaisesExc[DatabaseError]":
    return pytest.raises(DatabaseError, match=constraint)


def test_balanced_postings_by_hand_keep_holdings_and_totals(
    enter: Enter, post: Post, reception: CustodyAccount, central: CustodyAccount
) -> None:
    (item,) = enter(reception, 210)

    post((reception, item, -1, -210), (central, item, 1, 210))

    assert Holding.objects.get(account=central).grams == 210
    assert not Holding.objects.filter(account=reception).exists()
    assert AccountTotal.objects.get(account=reception).pieces == 0


def test_it_refuses_a_movement_that_does_not_balance(
    enter: Enter, post: Post, reception: CustodyAccount, central: CustodyAccount
) -> None:
    (item,) = enter(reception, 210)

    with refused("does not balance"):
        post((reception, item, -1, -210), (central, item, 1, 200))
    with refused("does not balance"):
        post((reception, item, -1, -210))
    with refused("has no postings"):
        post()

    assert Holding.objects.get(account=reception).grams == 210


def test_it_refuses_a_one_sided_posting_after_the_balance_was_checked(
    enter: Enter, post: Post, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 220)

    with transaction.atomic():
        movement = post((reception, items[0], -1, -210), (central, items[0], 1, 210))
        with refused("takes no one-sided posting"), transaction.atomic():
            Posting.objects.create(
                movement=movement, account=reception, item_id=items[1], stock_class="HOR:removal", pieces=-1, grams=-220
            )

    assert Holding.objects.filter(account=reception, item=items[1]).exists()


def test_it_refuses_to_take_what_is_not_there(
    enter: Enter, post: Post, reception: CustodyAccount, central: CustodyAccount
) -> None:
    (item,) = enter(reception, 210)

    with refused("physical_holding_not_negative"):
        post((central, item, -1, -210), (reception, item, 1, 210))
    with refused("physical_holding_not_negative"):
        post((reception, item, -1, -211), (central, item, 1, 211))
    with refused("physical_holding_not_negative"):
        post((reception, item, -2, -210), (central, item, 2, 210))


def test_an_item_is_in_one_place(enter: Enter, post: Post, reception: CustodyAccount, central: CustodyAccount) -> None:
    (item,) = enter(reception, 210)

    with refused("item_is_in_one_place"):
        post(
            (CustodyAccount.objects.boundary(AccountKind.REMOVAL), item, -1, -10), (central, item, 1, 10), kind="intake"
        )


def test_holds_and_reservations_bind_the_hand_too(
    enter: Enter, post: Post, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    held, promised = enter(reception, 210, 220)
    place_hold(actor=inspector, at=now, item_ids=[held], kind=Hold.Kind.EVIDENCE, reference="ERDR")
    reserve_items(at=now, item_ids=[promised], reference="permit:1")

    with refused("held_item_does_not_move"):
        post((reception, held, -1, -210), (central, held, 1, 210))
    with refused("reserved_item_moves_under_its_right"):
        post((reception, promised, -1, -220), (central, promised, 1, 220))
    post((reception, promised, -1, -220), (central, promised, 1, 220), under="permit:1")


def test_it_refuses_another_class_than_the_holding_has(
    enter: Enter, post: Post, reception: CustodyAccount, central: CustodyAccount
) -> None:
    (item,) = enter(reception, 210, stock_class="HOR:seizure")

    with refused("posting_keeps_stock_class"):
        post((reception, item, -1, -210), (central, item, 1, 210))


def test_it_refuses_days_that_are_closed_future_or_before_arrival(
    enter: Enter, post: Post, auditor: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    (item,) = enter(reception, 210)
    both = ((reception, item, -1, -210), (central, item, 1, 210))

    with refused("movement_not_before_arrival"):
        post(*both, effective_on=day_of(now - timedelta(days=5)))
    with refused("cannot take effect in the future"):
        post(*both, effective_on=day_of(now) + timedelta(days=36500))
    close_period(actor=auditor, at=now, until=day_of(now - timedelta(days=1)))
    with refused("is closed"):
        post(*both, effective_on=day_of(now - timedelta(days=1)))


def test_it_refuses_postings_to_what_does_not_exist(enter: Enter, post: Post, reception: CustodyAccount) -> None:
    (item,) = enter(reception, 210)
    nowhere = CustodyAccount(pk=10**9)

    with refused("does not exist"):
        post((reception, item, -1, -210), (nowhere, item, 1, 210))
    with refused("posting_references"):
        removal = CustodyAccount.objects.boundary(AccountKind.REMOVAL)
        post((reception, 10**12, 1, 1), (removal, 10**12, -1, -1), kind="intake")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET grams = grams + 1",
        "DELETE FROM ledger_posting",
        "TRUNCATE ledger_posting CASCADE",
        "UPDATE ledger_movement SET effective_on = effective_on - 1",
        "DELETE FROM ledger_movement",
        "DELETE FROM ledger_item",
        "UPDATE ledger_holding SET grams = 0",
        "DELETE FROM ledger_holding",
        "TRUNCATE ledger_holding",
        "UPDATE ledger_accounttotal SET pieces = pieces + 1",
        "INSERT INTO ledger_accounttotal VALUES (1, 'X', false, 1, 1)",
        "UPDATE ledger_custodyaccount SET kind = 'export', custodian_id = NULL WHERE code = 'CEN'",
        "DELETE FROM ledger_custodyaccount",
    ],
)
def test_it_refuses_to_rewrite_history(statement: str, enter: Enter, reception: CustodyAccount) -> None:
    enter(reception, 210)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert Posting.objects.count() == 2
    assert Holding.objects.get(account=reception).grams == 210


def test_no_setting_makes_a_trigger_look_away(enter: Enter, reception: CustodyAccount) -> None:
    enter(reception, 210)

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger")
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Posting.objects.update(grams=1)

    assert set(Posting.objects.values_list("grams", flat=True)) == {-210, 210}


@pytest.mark.parametrize("table", ["ledger_hold", "ledger_custodyaccount", "ledger_holding"])
def test_no_temporary_table_stands_before_one_that_a_trigger_asks(
    table: str,
    enter: Enter,
    post: Post,
    inspector: User,
    now: datetime,
    reception: CustodyAccount,
    central: CustodyAccount,
) -> None:
    (held,) = enter(reception, 210)
    place_hold(actor=inspector, at=now, item_ids=[held], kind=Hold.Kind.EVIDENCE, reference="ERDR")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table})")

    with refused("held_item_does_not_move"):
        post((reception, held, -1, -210), (central, held, 1, 210))

    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id FROM public.ledger_holding WHERE item_id = %s AND is_physical", [held])
        assert cursor.fetchall() == [(reception.pk,)]


def test_the_database_keeps_the_lines_of_a_handover_to_what_it_sent(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    sent, other = enter(reception, 210, 215)
    handover = dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d", source=reception, target=central, item_ids=[sent]
    )

    for item in (other, 999_999_999):
        with refused("line_was_dispatched"), transaction.atomic():
            HandoverLine.objects.create(handover=handover, item_id=item)
    with refused("line_was_dispatched"), transaction.atomic():
        HandoverLine.objects.create(handover_id=999_999_999, item_id=sent)
    with pytest.raises(DatabaseError), transaction.atomic():
        HandoverLine.objects.filter(handover=handover).update(item_id=other)


def test_the_database_refuses_that_one_person_dispatches_and_accepts(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210)
    handover = dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d", source=reception, target=central, item_ids=items
    )

    with refused("nobody_accepts_own_dispatch"), transaction.atomic():
        Handover.objects.filter(pk=handover.pk).update(state="accepted", closed_by=inspector, closed_at=now)
    with refused("giver_is_not_receiver"), transaction.atomic():
        Movement.objects.create(
            kind="accept", key="x", actor=inspector, gave=inspector, accepted=inspector, effective_on=day_of(now)
        )
