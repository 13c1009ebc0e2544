"""Boxes, pallets and shelves: what is in a box goes with it, what is sealed goes whole, and the database keeps both."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from core.accounts.models import User
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition
from ledger import services
from ledger.models import (
    Box,
    CustodyAccount,
    Handover,
    HandoverSeal,
    Holding,
    Movement,
    MovementKind,
    Packing,
    Placement,
    Shelf,
    UsedSeal,
)
from ledger.selectors import find_differences, items_in_boxes, items_on_shelves, whereabouts
from tests.goods import Enter

Move = Callable[..., Movement]


@pytest.fixture
def box(storekeeper: User, now: datetime, central: CustodyAccount) -> Box:
    (made,) = services.begin_boxes(actor=storekeeper, at=now, account=central)
    return made


@pytest.fixture
def pallet(storekeeper: User, now: datetime, central: CustodyAccount) -> Box:
    (made,) = services.begin_boxes(actor=storekeeper, at=now, account=central, kind=Box.Kind.PALLET)
    return made


@pytest.fixture
def packed(storekeeper: User, now: datetime, central: CustodyAccount, enter: Enter, box: Box) -> list[int]:
    items = enter(central, 210, 220, 230)
    services.pack_items(actor=storekeeper, at=now, box=box, item_ids=items)
    return items


@pytest.fixture
def reception(annex: CustodyAccount) -> CustodyAccount:
    """Of the same keeper as the central store, for goods that go without a hand-over."""
    return annex


@pytest.fixture
def move(storekeeper: User, now: datetime) -> Move:
    def send(
        items: list[int],
        source: CustodyAccount,
        target: CustodyAccount,
        kind: MovementKind = MovementKind.TRANSFER,
    ) -> Movement:
        return services.move_items(
            actor=storekeeper,
            at=now,
            key=uuid.uuid4().hex,
            kind=kind,
            item_ids=items,
            source=source,
            target=target,
            effective_on=day_of(now),
        )

    return send


def seal(box: Box, person: User, at: datetime, number: str = "K-1") -> Box:
    return services.seal_box(actor=person, at=at, box=box, seal_number=number)


def refuses(words: str, sql: str, *params: Any) -> None:
    with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


# --- packing ---------------------------------------------------------------------------------------------------


def test_a_box_has_a_number_of_its_own_and_holds_what_is_packed(box: Box, packed: list[int]) -> None:
    assert len(box.sscc) == 18
    assert items_in_boxes([box.pk]) == {box.pk: packed}
    assert not find_differences()


def test_packing_again_changes_nothing(storekeeper: User, now: datetime, box: Box, packed: list[int]) -> None:
    assert services.pack_items(actor=storekeeper, at=now, box=box, item_ids=packed) == 0
    assert Packing.objects.count() == 3


def test_an_item_elsewhere_or_in_another_box_is_not_packed(
    storekeeper: User,
    now: datetime,
    central: CustodyAccount,
    reception: CustodyAccount,
    enter: Enter,
    packed: list[int],
) -> None:
    (other,) = services.begin_boxes(actor=storekeeper, at=now, account=central)
    elsewhere = enter(reception, 200)

    for items in (packed, elsewhere):
        with pytest.raises(DomainError):
            services.pack_items(actor=storekeeper, at=now, box=other, item_ids=items)

    assert not other.packings.exists()


def test_a_sealed_box_takes_nothing_in_and_gives_nothing_out(
    storekeeper: User, now: datetime, central: CustodyAccount, enter: Enter, box: Box, packed: list[int]
) -> None:
    more = enter(central, 200)
    seal(box, storekeeper, now)

    with pytest.raises(services.BoxIsSealed):
        services.pack_items(actor=storekeeper, at=now, box=box, item_ids=more)
    with pytest.raises(services.BoxIsSealed):
        services.unpack_items(actor=storekeeper, at=now, box=box, item_ids=packed[:1])
    with pytest.raises(services.BoxIsSealed):
        seal(box, storekeeper, now, "K-2")

    opened = services.open_seal(actor=storekeeper, at=now, box=box, reason="Тексеру үшін")
    assert not opened.is_sealed
    assert services.unpack_items(actor=storekeeper, at=now, box=box, item_ids=packed[:1]) == 1


def test_a_seal_needs_content_a_number_of_its_own_and_a_reason_to_be_opened(
    storekeeper: User, now: datetime, central: CustodyAccount, enter: Enter, box: Box
) -> None:
    with pytest.raises(services.BoxIsEmpty):
        seal(box, storekeeper, now)
    with pytest.raises(InvalidTransition):
        services.open_seal(actor=storekeeper, at=now, box=box, reason="As the act says")
    (other,) = services.begin_boxes(actor=storekeeper, at=now, account=central)
    for one, grams in ((box, 200), (other, 210)):
        services.pack_items(actor=storekeeper, at=now, box=one, item_ids=enter(central, grams))
    seal(box, storekeeper, now, "k - 1")
    with pytest.raises(services.SealKnown):
        seal(other, storekeeper, now, "K - 1")
    with pytest.raises(BadInput):
        services.open_seal(actor=storekeeper, at=now, box=box, reason="  ")


def test_a_seal_is_used_once_however_it_is_written(
    storekeeper: User, now: datetime, central: CustodyAccount, enter: Enter, box: Box
) -> None:
    (other,) = services.begin_boxes(actor=storekeeper, at=now, account=central)
    for one, grams in ((box, 200), (other, 210)):
        services.pack_items(actor=storekeeper, at=now, box=one, item_ids=enter(central, grams))
    seal(box, storekeeper, now, "K-77")
    services.open_seal(actor=storekeeper, at=now, box=box, reason="To look inside")

    for one, number in ((box, "K-77"), (other, "к 77"), (other, "К77")):
        with pytest.raises(services.SealKnown):
            seal(one, storekeeper, now, number)
        with pytest.raises(DatabaseError, match="seal_is_used_once"), transaction.atomic():
            Box.objects.filter(pk=one.pk).update(seal_number=number, sealed_by=storekeeper, sealed_at=now)
    with pytest.raises(BadInput):
        seal(other, storekeeper, now, "-")
    with pytest.raises(DatabaseError, match="not written by hand"), transaction.atomic():
        UsedSeal.objects.all().delete()

    assert not Box.objects.exclude(seal_number="").exists()
    assert seal(other, storekeeper, now, "K-78").is_sealed


def test_a_seal_is_on_one_load_that_is_under_way(
    storekeeper: User, inspector: User, now: datetime, central: CustodyAccount, annex: CustodyAccount, enter: Enter,
    box: Box, packed: list[int],
) -> None:  # fmt: skip
    first, second, third = enter(central, 200, 205, 207)

    def send(key: str, item: int, seals: str) -> Handover:
        return services.dispatch_items(
            actor=storekeeper, at=now, key=key, source=central, target=annex, item_ids=[item], seals=seals,
            carried_by="A courier",
        )  # fmt: skip

    seal(box, storekeeper, now, "K-9")
    sent = send("one", first, "E-1")
    for seals in ("E-2, е 1", "K-9"):
        with pytest.raises(services.SealKnown):
            send("two", second, seals)
    assert Handover.objects.count() == 1
    services.open_seal(actor=storekeeper, at=now, box=box, reason="To look inside")
    with pytest.raises(services.SealKnown):
        seal(box, storekeeper, now, "E-1")
    other = send("three", third, "E-3")
    with pytest.raises(DatabaseError, match="in use elsewhere"), transaction.atomic():
        HandoverSeal.objects.create(handover=other, number="E1")

    services.scan_received(actor=inspector, at=now, handover=sent, item_id=first)
    services.accept_handover(actor=inspector, at=now, handover=sent, seals=intact(sent))
    assert send("two", second, "E-1").seals == "E-1"


# --- moving ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ledger_alone")
def test_a_box_goes_where_all_that_is_in_it_goes(
    central: CustodyAccount, reception: CustodyAccount, box: Box, packed: list[int], move: Move
) -> None:
    movement = move(packed, central, reception)

    box.refresh_from_db()
    assert box.account_id == reception.pk
    assert items_in_boxes([box.pk]) == {box.pk: packed}
    services.reverse_movement(
        actor=movement.actor, at=movement.recorded_at, key="back", movement=movement, effective_on=movement.effective_on
    )
    box.refresh_from_db()
    assert box.account_id == central.pk
    assert not find_differences()


def test_what_leaves_an_open_box_alone_is_out_of_it(
    central: CustodyAccount, reception: CustodyAccount, box: Box, packed: list[int], move: Move
) -> None:
    move(packed[:1], central, reception)

    box.refresh_from_db()
    assert box.account_id == central.pk
    assert items_in_boxes([box.pk]) == {box.pk: packed[1:]}
    assert not find_differences()


def test_an_item_of_a_sealed_box_does_not_move_without_the_rest(
    storekeeper: User,
    now: datetime,
    central: CustodyAccount,
    reception: CustodyAccount,
    box: Box,
    packed: list[int],
    move: Move,
) -> None:
    seal(box, storekeeper, now)

    with pytest.raises(services.BoxIsSealed, match=r"\(00\)"):
        move(packed[:2], central, reception)
    assert Holding.objects.filter(account=central, item__in=packed).count() == 3

    move(packed, central, reception)
    box.refresh_from_db()
    assert (box.account_id, box.is_sealed) == (reception.pk, True)


@pytest.mark.usefixtures("ledger_alone")
def test_a_box_whose_content_left_the_system_is_empty_and_has_no_seal(
    storekeeper: User,
    now: datetime,
    central: CustodyAccount,
    sold: CustodyAccount,
    box: Box,
    packed: list[int],
    move: Move,
) -> None:
    seal(box, storekeeper, now)

    move(packed, central, sold, MovementKind.SALE)

    box.refresh_from_db()
    assert (box.account_id, box.is_sealed) == (central.pk, False)
    assert not items_in_boxes([box.pk])
    assert not find_differences()


def test_a_pallet_goes_with_its_boxes_and_an_open_one_lets_a_box_go(
    storekeeper: User,
    now: datetime,
    central: CustodyAccount,
    reception: CustodyAccount,
    enter: Enter,
    box: Box,
    pallet: Box,
    packed: list[int],
    move: Move,
) -> None:
    other, empty = services.begin_boxes(actor=storekeeper, at=now, account=central, count=2)
    more = enter(central, 200, 205)
    services.pack_items(actor=storekeeper, at=now, box=other, item_ids=more)
    for one in (box, other, empty):
        services.stack_box(actor=storekeeper, at=now, pallet=pallet, box=one)
    seal(pallet, storekeeper, now)
    box.refresh_from_db()

    with pytest.raises(services.BoxIsSealed):
        services.unstack_box(actor=storekeeper, at=now, box=box)
    with pytest.raises(services.BoxIsSealed):
        move(packed, central, reception)
    move(packed + more, central, reception)
    places = set(Box.objects.filter(pk__in=[pallet.pk, box.pk, other.pk, empty.pk]).values_list("account", "parent"))
    assert places == {(reception.pk, None), (reception.pk, pallet.pk)}

    services.open_seal(actor=storekeeper, at=now, box=pallet, reason="Бөлу, as told")
    move(packed, reception, central)
    box.refresh_from_db()
    pallet.refresh_from_db()
    assert (box.account_id, box.parent_id, pallet.account_id) == (central.pk, None, reception.pk)
    assert not find_differences()


def test_a_box_costs_no_more_statements_however_much_is_in_it(
    storekeeper: User,
    now: datetime,
    central: CustodyAccount,
    reception: CustodyAccount,
    enter: Enter,
    box: Box,
    packed: list[int],
    move: Move,
) -> None:
    (large,) = services.begin_boxes(actor=storekeeper, at=now, account=central)
    many = enter(central, *[200] * 60)
    services.pack_items(actor=storekeeper, at=now, box=large, item_ids=many)

    with CaptureQueriesContext(connection) as few:
        move(packed, central, reception)
    with CaptureQueriesContext(connection) as more:
        move(many, central, reception)

    assert len(more) == len(few)


def test_two_hundred_boxes_begin_by_as_many_statements_as_two(
    storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    with CaptureQueriesContext(connection) as few:
        services.begin_boxes(actor=storekeeper, at=now, account=central, count=2)
    with CaptureQueriesContext(connection) as more:
        boxes = services.begin_boxes(actor=storekeeper, at=now, account=central, count=200)

    assert len(more) == len(few)
    told = Event.objects.filter(verb="box.begun", subject_name__in=[box.sscc for box in boxes])
    assert set(told.values_list("organisation_id", "facts__store")) == {(central.custodian_id, central.code)}
    assert told.count() == 200


def test_the_database_takes_a_sealed_box_along_with_postings_around_the_services(
    storekeeper: User, now: datetime, central: CustodyAccount, reception: CustodyAccount, box: Box, packed: list[int]
) -> None:
    seal(box, storekeeper, now)

    with transaction.atomic(), connection.cursor() as cursor:
        movement = Movement.objects.create(kind="transfer", key="on", actor=storekeeper, effective_on=day_of(now))
        cursor.execute(
            "INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)"
            " SELECT %s, side.account, h.item_id, h.stock_class, side.sign * h.pieces, side.sign * h.grams"
            " FROM ledger_holding h, (VALUES (%s::bigint, -1), (%s::bigint, 1)) AS side (account, sign)"
            " WHERE h.account_id = %s",
            [movement.pk, central.pk, reception.pk, central.pk],
        )

    box.refresh_from_db()
    assert (box.account, box.is_sealed) == (reception, True)
    assert items_in_boxes([box.pk]) == {box.pk: packed}


# --- hand-overs ------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(
    storekeeper: User, now: datetime, central: CustodyAccount, reception: CustodyAccount, box: Box, packed: list[int]
) -> Handover:
    seal(box, storekeeper, now)
    return services.dispatch_items(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="box",
        source=central,
        target=reception,
        item_ids=packed,
        seals="S-1",
    )


def test_a_seal_told_for_the_load_and_on_a_box_is_the_seal_of_the_box(
    storekeeper: User, now: datetime, central: CustodyAccount, reception: CustodyAccount, box: Box, packed: list[int]
) -> None:
    seal(box, storekeeper, now)
    box.refresh_from_db()

    sent = services.dispatch_items(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="twice",
        source=central,
        target=reception,
        item_ids=packed,
        seals=f"S-1, {box.seal_number}",
    )

    assert list(sent.seal_checks.values_list("number", "box")) == [("S-1", None), (box.seal_number, box.pk)]


def intact(sent: Handover) -> dict[int, HandoverSeal.State]:
    """Every seal that nobody has looked at yet holds."""
    unseen = sent.seal_checks.filter(state="unchecked").values_list("pk", flat=True)
    return dict.fromkeys(unseen, HandoverSeal.State.INTACT)


def test_a_sealed_box_is_received_by_one_scan(
    inspector: User, now: datetime, sent: Handover, box: Box, packed: list[int], reception: CustodyAccount
) -> None:
    assert services.scan_box_received(actor=inspector, at=now, handover=sent, box=box) == (3, 3)
    assert services.scan_box_received(actor=inspector, at=now, handover=sent, box=box) == (3, 0)

    with pytest.raises(BadInput):
        services.accept_handover(actor=inspector, at=now, handover=sent)
    services.accept_handover(actor=inspector, at=now, handover=sent, seals=intact(sent))

    box.refresh_from_db()
    assert (box.account_id, box.is_sealed) == (reception.pk, True)


def test_a_box_one_short_arrives_with_the_rest(
    inspector: User, now: datetime, sent: Handover, box: Box, packed: list[int], reception: CustodyAccount
) -> None:
    services.scan_box_received(actor=inspector, at=now, handover=sent, box=box)
    services.open_arrived_box(actor=inspector, at=now, handover=sent, box=box, reason="Пломба бүлінген")
    assert not sent.lines.filter(outcome="received").exists()
    with pytest.raises(services.BoxNotSealed):
        services.scan_box_received(actor=inspector, at=now, handover=sent, box=box)
    for item in packed[:2]:
        services.scan_received(actor=inspector, at=now, handover=sent, item_id=item)

    services.accept_handover(
        actor=inspector,
        at=now,
        handover=sent,
        difference_reason="Біреуі жоқ, as told",
        reasons={packed[2]: "Жәшікте жоқ"},
        seals=intact(sent),
    )

    box.refresh_from_db()
    assert box.account_id == reception.pk
    assert items_in_boxes([box.pk]) == {box.pk: packed[:2]}
    assert Holding.objects.get(item=packed[2], is_physical=True).account_id == sent.transit_id
    assert sent.lines.get(outcome="missing").reason == "Жәшікте жоқ"
    assert not find_differences()


def test_nothing_is_missing_from_a_box_whose_seal_holds(
    inspector: User, now: datetime, sent: Handover, box: Box, packed: list[int]
) -> None:
    services.scan_received(actor=inspector, at=now, handover=sent, item_id=packed[0])

    with translation.override("en"), pytest.raises(services.BoxIsSealed, match="open its seal"):
        services.accept_handover(
            actor=inspector, at=now, handover=sent, difference_reason="One is missing", seals=intact(sent)
        )

    sent.refresh_from_db()
    assert sent.state == Handover.State.DISPATCHED


# --- shelves ---------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(storekeeper: User, now: datetime, central: CustodyAccount) -> Shelf:
    return services.add_shelves(actor=storekeeper, at=now, account=central, codes=["a-1", "A-2"], name="Зал 1")[0]


def test_items_and_boxes_stand_on_shelves_until_they_leave(
    storekeeper: User,
    now: datetime,
    central: CustodyAccount,
    reception: CustodyAccount,
    enter: Enter,
    shelf: Shelf,
    box: Box,
    packed: list[int],
    move: Move,
) -> None:
    loose = enter(central, 190)
    services.place_items(actor=storekeeper, at=now, shelf=shelf, item_ids=loose)
    services.place_box(actor=storekeeper, at=now, shelf=shelf, box=box)
    with pytest.raises(services.AlreadyPacked):
        services.place_items(actor=storekeeper, at=now, shelf=shelf, item_ids=packed)

    assert items_on_shelves([shelf.pk]) == dict.fromkeys([*loose, *packed], shelf.pk)
    found = whereabouts([*loose, packed[0]])
    assert (found[loose[0]].shelf, found[packed[0]].box, found[packed[0]].shelf) == (shelf, box, shelf)

    move(loose + packed, central, reception)
    assert not Placement.objects.present().exists()
    assert Placement.objects.count() == 2
    assert not find_differences()


def test_a_shelf_is_set_up_once(storekeeper: User, now: datetime, central: CustodyAccount, shelf: Shelf) -> None:
    with pytest.raises(services.ShelfKnown):
        services.add_shelves(actor=storekeeper, at=now, account=central, codes=["A-1", "A-3"])

    assert Shelf.objects.count() == 2


# --- around the services -----------------------------------------------------------------------------------------


def test_the_database_moves_a_sealed_box_whole_or_not_at_all(
    storekeeper: User, now: datetime, central: CustodyAccount, sold: CustodyAccount, box: Box, packed: list[int]
) -> None:
    seal(box, storekeeper, now)

    refuses(
        "sealed_box_moves_whole",
        """
        WITH made AS (
            INSERT INTO ledger_movement (kind, key, actor_id, effective_on, reference, under)
            VALUES ('sale', 'around', %s, %s, '', '') RETURNING id
        )
        INSERT INTO ledger_posting (movement_id, account_id, item_id, stock_class, pieces, grams)
        SELECT made.id, a, item_id, stock_class, s * pieces, s * grams FROM made, ledger_holding,
            (VALUES (%s::bigint, -1), (%s::bigint, 1)) side (a, s) WHERE item_id = %s AND account_id = %s
        """,
        storekeeper.pk,
        day_of(now),
        central.pk,
        sold.pk,
        packed[0],
        central.pk,
    )


def test_the_database_keeps_a_box_where_its_content_is(
    central: CustodyAccount, reception: CustodyAccount, box: Box, packed: list[int]
) -> None:
    refuses("goes where its content goes", "UPDATE ledger_box SET account_id = %s WHERE id = %s", reception.pk, box.pk)


def test_the_database_packs_nothing_into_a_sealed_box_or_from_elsewhere(
    storekeeper: User, now: datetime, central: CustodyAccount, reception: CustodyAccount, enter: Enter, box: Box,
    packed: list[int],
) -> None:  # fmt: skip
    insert = "INSERT INTO ledger_packing (box_id, item_id, packed_by_id, packed_at) VALUES (%s, %s, %s, now())"
    (elsewhere,), (here,) = enter(reception, 200), enter(central, 201)

    refuses("packed into a box of the account", insert, box.pk, elsewhere, storekeeper.pk)
    refuses("item_in_one_box", insert, box.pk, packed[0], storekeeper.pk)
    seal(box, storekeeper, now)
    refuses("into or out of a sealed box", insert, box.pk, here, storekeeper.pk)
    refuses("into or out of a sealed box", "UPDATE ledger_packing SET taken_out_at = now() WHERE box_id = %s", box.pk)
    refuses("never_deleted|Cannot delete", "DELETE FROM ledger_packing WHERE box_id = %s", box.pk)


def test_the_database_knows_what_stands_on_a_shelf(
    storekeeper: User, central: CustodyAccount, reception: CustodyAccount, enter: Enter, shelf: Shelf, packed: list[int]
) -> None:
    insert = "INSERT INTO ledger_placement (shelf_id, item_id, placed_by_id, placed_at) VALUES (%s, %s, %s, now())"
    (elsewhere,) = enter(reception, 200)

    for item in (elsewhere, packed[0]):
        refuses("loose in the account of the shelf", insert, shelf.pk, item, storekeeper.pk)


def test_the_database_begins_a_box_open_and_in_a_store(storekeeper: User, now: datetime, sold: CustodyAccount) -> None:
    refuses(
        "begun open and empty",
        "INSERT INTO ledger_box (sscc, kind, account_id, seal_number, begun_by_id, begun_at)"
        " VALUES ('376104250021234569', 'box', %s, '', %s, now())",
        sold.pk,
        storekeeper.pk,
    )
