from datetime import datetime, timedelta
from typing import Any

import pytest

from core.accounts.models import User
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition
from core.notices.models import Notice
from ledger.models import (
    AccountKind,
    AccountTotal,
    CustodyAccount,
    Handover,
    Hold,
    Holding,
    Movement,
    MovementKind,
    Posting,
    Reservation,
)
from ledger.selectors import Position, as_of, find_differences, positions
from ledger.services import (
    BackDated,
    ItemsNotThere,
    ItemsOnHold,
    ItemsReserved,
    KeyReused,
    NotInHandover,
    SecondPersonNeeded,
    accept_handover,
    close_period,
    dispatch_items,
    lift_hold,
    move_items,
    place_hold,
    release_items,
    reserve_items,
    reverse_movement,
    scan_received,
    turn_back,
    unscan_received,
    weigh_items,
)
from tests.goods import Enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def reception(annex: CustodyAccount) -> CustodyAccount:
    """Of the same keeper as the central store, for goods that go without a hand-over."""
    return annex


def move(
    actor: User, at: datetime, items: list[int], source: CustodyAccount, target: CustodyAccount, **more: Any
) -> Movement:
    facts: dict[str, Any] = {"kind": MovementKind.TRANSFER, "key": f"{at}{items}{target}", "effective_on": day_of(at)}
    return move_items(actor=actor, at=at, item_ids=items, source=source, target=target, **(facts | more))


def in_account(account: CustodyAccount) -> set[int]:
    return set(Holding.objects.filter(account=account).values_list("item_id", flat=True))


def test_it_moves_items_with_all_they_weigh(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225, 190)

    move(inspector, now, items[:2], reception, central)

    assert in_account(reception) == {items[2]}
    assert in_account(central) == set(items[:2])
    assert positions([reception, central]) == [
        Position(central.pk, "HOR:removal", 2, 435),
        Position(reception.pk, "HOR:removal", 1, 190),
    ]
    assert find_differences() == {}


def test_it_sums_to_zero_over_the_whole_country(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)

    move(inspector, now, items, reception, central)

    every = AccountTotal.objects.values_list("pieces", "grams")
    assert [sum(column) for column in zip(*every, strict=True)] == [0, 0]


def test_it_refuses_items_that_are_elsewhere_and_changes_nothing(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    move(inspector, now, items[:1], reception, central)
    before = Posting.objects.count()

    with pytest.raises(ItemsNotThere):
        move(inspector, now, items, reception, central)

    assert Posting.objects.count() == before
    assert in_account(reception) == {items[1]}


def test_it_answers_a_repeated_key_with_the_first_movement(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    first = move(inspector, now, items, reception, central, key="once")

    again = move(inspector, now, items, reception, central, key="once")

    assert again.pk == first.pk
    assert Posting.objects.filter(movement=first).count() == 4


def test_it_refuses_a_key_used_for_other_items(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    move(inspector, now, items[:1], reception, central, key="once")

    with pytest.raises(KeyReused):
        move(inspector, now, items[1:], reception, central, key="once")

    assert in_account(reception) == {items[1]}


@pytest.mark.parametrize(("days", "why"), [(-3, "before they arrived"), (1, "in the future")])
def test_it_refuses_a_day_before_arrival_or_in_the_future(
    days: int,
    why: str,
    enter: Enter,
    inspector: User,
    now: datetime,
    reception: CustodyAccount,
    central: CustodyAccount,
) -> None:
    items = enter(reception, 210)

    with pytest.raises(BackDated):
        move(inspector, now, items, reception, central, effective_on=day_of(now + timedelta(days=days)))

    assert in_account(reception) == set(items), why


def test_it_takes_no_movement_into_a_closed_period(
    enter: Enter, inspector: User, auditor: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210)
    yesterday = day_of(now - timedelta(days=1))
    close_period(actor=auditor, at=now, until=yesterday)

    with pytest.raises(BackDated):
        move(inspector, now, items, reception, central, effective_on=yesterday)
    move(inspector, now, items, reception, central)

    assert in_account(central) == set(items)


def test_it_closes_only_past_days_and_only_forward(auditor: User, now: datetime) -> None:
    close_period(actor=auditor, at=now, until=day_of(now - timedelta(days=2)))

    with pytest.raises(BadInput):
        close_period(actor=auditor, at=now, until=day_of(now))
    with pytest.raises(InvalidTransition):
        close_period(actor=auditor, at=now, until=day_of(now - timedelta(days=3)))


def test_a_hold_keeps_an_item_where_it_is_until_lifted(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    place_hold(actor=inspector, at=now, item_ids=items[:1], kind=Hold.Kind.DISPUTE, reference="claim 1")

    with pytest.raises(ItemsOnHold):
        move(inspector, now, items, reception, central)
    assert in_account(reception) == set(items)

    with pytest.raises(BadInput):
        lift_hold(actor=inspector, at=now, item_ids=items, kind=Hold.Kind.DISPUTE, reason=" ")
    assert lift_hold(actor=inspector, at=now, item_ids=items, kind=Hold.Kind.DISPUTE, reason="settled, as told") == 1
    move(inspector, now, items, reception, central)
    assert in_account(central) == set(items)


def test_a_second_hold_of_the_same_kind_adds_nothing(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount
) -> None:
    items = enter(reception, 210)

    assert place_hold(actor=inspector, at=now, item_ids=items, kind=Hold.Kind.COURT, reference="a") == 1
    assert place_hold(actor=inspector, at=now, item_ids=items, kind=Hold.Kind.COURT, reference="b") == 0


def test_a_reserved_item_moves_only_under_its_right(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    reserve_items(at=now, item_ids=items[:1], reference="permit:1")

    for under, chosen in (("", items[:1]), ("permit:2", items[:1]), ("permit:1", items)):
        with pytest.raises(ItemsReserved):
            move(inspector, now, chosen, reception, central, under=under)
    assert in_account(reception) == set(items)

    move(inspector, now, items[:1], reception, central, under="permit:1")
    assert release_items(at=now, reference="permit:1") == 1
    move(inspector, now, items[:1], central, reception)
    assert in_account(reception) == set(items)


def test_it_reserves_all_or_none(enter: Enter, inspector: User, now: datetime, reception: CustodyAccount) -> None:
    items = enter(reception, 210, 225)
    reserve_items(at=now, item_ids=items[:1], reference="permit:1")

    with pytest.raises(ItemsReserved):
        reserve_items(at=now, item_ids=items, reference="permit:2")
    place_hold(actor=inspector, at=now, item_ids=items[1:], kind=Hold.Kind.DISPUTE, reference="x")
    with pytest.raises(ItemsOnHold):
        reserve_items(at=now, item_ids=items[1:], reference="permit:2")

    assert Reservation.objects.count() == 1


@pytest.mark.usefixtures("ledger_alone")
def test_a_reversal_restores_what_was(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    before = positions([reception, central])
    movement = move(inspector, now, items, reception, central)

    reverse_movement(actor=inspector, at=now, key="back", movement=movement, effective_on=day_of(now))

    assert positions([reception, central]) == before
    with pytest.raises(InvalidTransition):
        reverse_movement(actor=inspector, at=now, key="twice", movement=movement, effective_on=day_of(now))
    assert Event.objects.filter(verb="ledger.movement_reversed").count() == 1
    assert find_differences() == {}


@pytest.mark.usefixtures("ledger_alone")
def test_a_reversal_is_refused_once_the_items_went_on(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210)
    entered = Movement.objects.get()
    move(inspector, now, items, reception, central)

    with pytest.raises(ItemsNotThere):
        reverse_movement(actor=inspector, at=now, key="back", movement=entered, effective_on=day_of(now))

    assert in_account(central) == set(items)


def test_as_of_tells_any_day(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    move(inspector, now, items[:1], reception, central)
    both = [reception, central]

    assert as_of(both, day_of(now - timedelta(days=2))) == []
    assert as_of(both, day_of(now - timedelta(days=1))) == [Position(reception.pk, "HOR:removal", 2, 435)]
    assert as_of(both, day_of(now)) == positions(both)


def test_goods_are_in_transit_until_another_person_accepts_them(
    enter: Enter, inspector: User, storekeeper: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    handover = dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d1", source=reception, target=central, item_ids=items
    )

    assert handover.number == "HO25-000001"
    assert in_account(handover.transit) == set(items)
    for item in items:
        scan_received(actor=storekeeper, at=now, handover=handover, item_id=item)
    accept_handover(actor=storekeeper, at=now, handover=handover)

    assert in_account(central) == set(items)
    movement = Movement.objects.get(kind=MovementKind.ACCEPT)
    assert (movement.gave, movement.accepted) == (inspector, storekeeper)
    assert not Notice.objects.exists()


def test_one_missing_horn_becomes_a_discrepancy_and_stays_in_transit(
    enter: Enter, inspector: User, storekeeper: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225, 230)
    handover = dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d1", source=reception, target=central, item_ids=items
    )
    for item in items[:2]:
        scan_received(actor=storekeeper, at=now, handover=handover, item_id=item)

    with pytest.raises(BadInput):
        accept_handover(actor=storekeeper, at=now, handover=handover)
    assert in_account(handover.transit) == set(items)
    accept_handover(actor=storekeeper, at=now, handover=handover, difference_reason="Box 3 was open")

    assert in_account(central) == set(items[:2])
    assert in_account(handover.transit) == {items[2]}
    notice = Notice.objects.get()
    assert (notice.kind, notice.organisation) == (Notice.Kind.DISCREPANCY, reception.custodian)
    assert notice.due_on is not None
    assert handover.lines.get(item=items[2]).outcome == "missing"


def test_nobody_accepts_what_they_dispatched(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210)
    handover = dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d1", source=reception, target=central, item_ids=items
    )

    with pytest.raises(SecondPersonNeeded):
        scan_received(actor=inspector, at=now, handover=handover, item_id=items[0])
    with pytest.raises(SecondPersonNeeded):
        accept_handover(actor=inspector, at=now, handover=handover)

    assert Handover.objects.get().state == Handover.State.DISPATCHED


def test_a_scan_counts_once_can_be_undone_and_knows_what_is_extra(
    enter: Enter, inspector: User, storekeeper: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    handover = dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d1", source=reception, target=central, item_ids=items[:1]
    )

    assert scan_received(actor=storekeeper, at=now, handover=handover, item_id=items[0])[1] is True
    assert scan_received(actor=storekeeper, at=now, handover=handover, item_id=items[0])[1] is False
    with pytest.raises(NotInHandover):
        scan_received(actor=storekeeper, at=now, handover=handover, item_id=items[1])
    unscan_received(actor=storekeeper, handover=handover, item_id=items[0])

    assert handover.lines.get().outcome == "pending"
    with pytest.raises(BadInput):
        accept_handover(actor=storekeeper, at=now, handover=handover)


def test_a_dispatch_can_be_taken_back_whole_and_only_once(
    enter: Enter, inspector: User, storekeeper: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210, 225)
    handover = dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d1", source=reception, target=central, item_ids=items
    )

    turn_back(actor=inspector, at=now, handover=handover, reason="Road closed")

    assert in_account(reception) == set()
    with pytest.raises(SecondPersonNeeded):
        scan_received(actor=inspector, at=now, handover=handover, item_id=items[0])
    for item in items:
        scan_received(actor=storekeeper, at=now, handover=handover, item_id=item)
    accept_handover(actor=storekeeper, at=now, handover=handover)
    assert in_account(reception) == set(items)
    with pytest.raises(InvalidTransition):
        turn_back(actor=inspector, at=now, handover=handover, reason="again, as told")
    with pytest.raises(InvalidTransition):
        scan_received(actor=storekeeper, at=now, handover=handover, item_id=items[0])


def test_a_repeated_dispatch_is_the_first_one(
    enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount
) -> None:
    items = enter(reception, 210)
    facts: dict[str, Any] = {"key": "d1", "source": reception, "target": central, "item_ids": items}

    first = dispatch_items(carried_by="A courier", actor=inspector, at=now, **facts)
    again = dispatch_items(carried_by="A courier", actor=inspector, at=now, **facts)

    assert first == again
    assert Handover.objects.count() == 1


def test_what_is_in_a_store_does_not_become_evidence_by_being_sent(
    enter: Enter, inspector: User, now: datetime, central: CustodyAccount, reception: CustodyAccount
) -> None:
    room = CustodyAccount.objects.create(
        code="EV", kind=AccountKind.EVIDENCE, custodian=reception.custodian, name_kk="e", name_ru="e", name_en="e"
    )
    items, held = enter(central, 210), enter(room, 215, stock_class="HOR:confiscated")

    with pytest.raises(BadInput):
        dispatch_items(
            carried_by="A courier", actor=inspector, at=now, key="d", source=central, target=room, item_ids=items
        )
    place_hold(actor=inspector, at=now, item_ids=held, kind=Hold.Kind.DISPUTE, reference="Claim")
    with pytest.raises(ItemsOnHold):
        dispatch_items(
            carried_by="A courier", actor=inspector, at=now, key="e", source=room, target=reception, item_ids=held
        )
    assert (in_account(central), in_account(room)) == (set(items), set(held))

    lift_hold(actor=inspector, at=now, item_ids=held, kind=Hold.Kind.DISPUTE, reason="Settled, as told")
    dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="f", source=room, target=reception, item_ids=held
    )
    assert not in_account(room)


def test_a_movement_takes_the_same_number_of_queries_whatever_its_size(
    enter: Enter,
    inspector: User,
    now: datetime,
    reception: CustodyAccount,
    central: CustodyAccount,
    django_assert_max_num_queries: Any,
) -> None:
    few, many = enter(reception, 200), enter(reception, *[200] * 500)

    with django_assert_max_num_queries(30) as first:
        dispatch_items(
            carried_by="A courier", actor=inspector, at=now, key="few", source=reception, target=central, item_ids=few
        )
    with django_assert_max_num_queries(30) as second:
        dispatch_items(
            carried_by="A courier", actor=inspector, at=now, key="many", source=reception, target=central, item_ids=many
        )

    assert len(first) == len(second)


@pytest.mark.usefixtures("ledger_alone")
def test_a_weighing_is_corrected_whatever_binds_the_item(
    inspector: User, now: datetime, reception: CustodyAccount, enter: Enter
) -> None:
    (item,) = enter(reception, 200)
    weighing = weigh_items(actor=inspector, at=now, key="w", account=reception, grams={item: 199})
    place_hold(actor=inspector, at=now, item_ids=[item], kind=Hold.Kind.DISPUTE, reference="d")
    assert weighing.movement is not None

    reverse_movement(actor=inspector, at=now, key="back", movement=weighing.movement, effective_on=day_of(now))

    assert Holding.objects.get(item=item, account=reception).grams == 200


def test_a_weighing_is_not_corrected_once_the_item_has_gone(
    inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount, enter: Enter
) -> None:
    (item,) = enter(reception, 200)
    weighing = weigh_items(actor=inspector, at=now, key="w", account=reception, grams={item: 199})
    assert weighing.movement is not None
    dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d", source=reception, target=central, item_ids=[item]
    )

    with pytest.raises(ItemsNotThere):
        reverse_movement(actor=inspector, at=now, key="back", movement=weighing.movement, effective_on=day_of(now))

    assert not Holding.objects.filter(item=item, account=reception).exists()
