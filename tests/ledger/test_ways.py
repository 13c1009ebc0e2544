"""Around the services: goods go only the ways of the table, and a movement of a load is the load's own."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.accounts.models import Organisation, Region, User
from core.base.clock import day_of
from core.base.errors import BadInput
from ledger.models import (
    WAYS,
    AccountKind,
    CustodyAccount,
    Handover,
    HandoverLine,
    Holding,
    Movement,
    MovementKind,
    Posting,
    goes,
)
from ledger.services import (
    accept_handover,
    dispatch_items,
    move_items,
    receive_later,
    reverse_movement,
    scan_received,
    turn_back,
)
from tests.goods import Enter, make_account

pytestmark = pytest.mark.django_db

Write = Callable[..., Movement]
NUMBERS = count()


@contextmanager
def refused(*constraints: str) -> Iterator[None]:
    """What is written here fails, at once or at commit, and the database names one of these constraints."""
    said = ""
    try:
        with transaction.atomic():
            yield
            commit_checks()
    except DatabaseError as refusal:
        diagnosis = getattr(refusal.__cause__, "diag", None)
        said = f"{getattr(diagnosis, 'constraint_name', '')} {refusal}"
    assert any(constraint in said for constraint in constraints), said


def commit_checks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def write(inspector: User, now: datetime) -> Write:
    """A movement and its postings in one statement, by hand."""

    def by_hand(
        kind: str,
        source: CustodyAccount,
        target: CustodyAccount,
        item: int,
        grams: int = 200,
        pieces: int = 1,
        **more: object,
    ) -> Movement:
        facts = {"key": f"hand {next(NUMBERS)}", "actor": inspector, "effective_on": day_of(now)} | more
        movement = Movement.objects.create(kind=kind, **facts)
        Posting.objects.bulk_create(
            Posting(
                movement=movement,
                account=account,
                item_id=item,
                stock_class="HOR:removal",
                pieces=sign * pieces,
                grams=sign * grams,
            )
            for account, sign in ((source, -1), (target, 1))
        )
        return movement

    return by_hand


@pytest.fixture
def places(okhotzooprom: Organisation, annex: CustodyAccount) -> dict[str, CustodyAccount]:
    """One account of each kind, another one than the central store."""
    evidence = make_account("EV", AccountKind.EVIDENCE, okhotzooprom)
    own = {AccountKind.STORE: annex, AccountKind.EVIDENCE: evidence}
    transit = CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=okhotzooprom)
    return {kind: own.get(kind) or CustodyAccount.objects.filter(kind=kind).first() or transit for kind in AccountKind}


@pytest.fixture
def sent(enter: Enter, inspector: User, now: datetime, reception: CustodyAccount, central: CustodyAccount) -> Handover:
    items = enter(reception, 200, 210)
    return dispatch_items(
        carried_by="Abai Kunanbaiuly",
        actor=inspector,
        at=now,
        key="d",
        source=reception,
        target=central,
        item_ids=items,
    )


def items_of(handover: Handover) -> list[int]:
    return list(handover.lines.order_by("item").values_list("item_id", flat=True))


# --- the table --------------------------------------------------------------------------------------------------


def test_every_kind_of_movement_has_its_ways() -> None:
    assert set(WAYS) == set(MovementKind) - {MovementKind.REVERSAL}


def test_the_database_and_the_services_know_the_same_ways(
    enter: Enter,
    write: Write,
    central: CustodyAccount,
    places: dict[str, CustodyAccount],
    inspector: User,
    now: datetime,
) -> None:
    (item,) = enter(central, 200)
    kinds = [kind for kind in MovementKind if kind != MovementKind.REVERSAL]
    boundaries = [kind for kind in AccountKind if not places[kind].is_physical]

    for kind in kinds:
        ways = [(central, places[target]) for target in AccountKind]
        ways += [(places[source], central) for source in boundaries]
        what = {"grams": 50, "pieces": 0} if kind == MovementKind.WEIGHING else {}
        for source, target in ways:
            went = _goes_by_hand(partial(write, kind, source, target, item, **what))
            assert went == goes(kind, AccountKind(source.kind), AccountKind(target.kind)), (kind, source, target)
            if not went and source.is_physical:
                with pytest.raises(BadInput):
                    move_items(
                        actor=inspector, at=now, key=f"{kind} {target}", kind=kind, item_ids=[item],
                        source=source, target=target, effective_on=day_of(now),
                    )  # fmt: skip
    assert Holding.objects.get(item=item, pieces=1).account == central


def _goes_by_hand(act: Callable[[], Movement]) -> bool:
    """Whether the database lets goods go this way: it refuses nothing else at once. Nothing stays, so that what the
    movement lacks besides, which is asked at commit, is not asked here.
    """
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except IntegrityError as refusal:
        if getattr(getattr(refusal.__cause__, "diag", None), "constraint_name", "") != "movement_goes_its_way":
            raise
        return False
    return True


def test_a_way_is_asked_for_though_each_side_comes_by_itself(
    enter: Enter, central: CustodyAccount, sold: CustodyAccount, inspector: User, now: datetime
) -> None:
    (item,) = enter(central, 200)

    with refused("movement_goes_its_way"):
        movement = Movement.objects.create(kind="accept", key="x", actor=inspector, effective_on=day_of(now))
        for account, sign in ((central, -1), (sold, 1)):
            Posting.objects.create(
                movement=movement,
                account=account,
                item_id=item,
                stock_class="HOR:removal",
                pieces=sign,
                grams=sign * 200,
            )


def test_goods_go_to_another_keeper_by_a_hand_over_only(
    enter: Enter,
    write: Write,
    central: CustodyAccount,
    reception: CustodyAccount,
    trader_store: CustodyAccount,
    inspector: User,
    now: datetime,
) -> None:
    (item,) = enter(central, 200)

    for elsewhere in (reception, trader_store):
        with refused("movement_goes_its_way"):
            write("transfer", central, elsewhere, item)
        with pytest.raises(BadInput):
            move_items(
                actor=inspector, at=now, key="there", kind=MovementKind.TRANSFER, item_ids=[item],
                source=central, target=elsewhere, effective_on=day_of(now),
            )  # fmt: skip

    assert Holding.objects.get(item=item, pieces=1).account == central


def test_goods_go_to_another_region_by_a_hand_over_only(
    enter: Enter, write: Write, central: CustodyAccount, region_elsewhere: Region, inspector: User, now: datetime
) -> None:
    (item,) = enter(central, 200)
    far = make_account("FAR", AccountKind.STORE, central.custodian, region_elsewhere)

    with refused("movement_goes_its_way"):
        write("transfer", central, far, item)
    with pytest.raises(BadInput):
        move_items(
            actor=inspector, at=now, key="there", kind=MovementKind.TRANSFER, item_ids=[item],
            source=central, target=far, effective_on=day_of(now),
        )  # fmt: skip

    assert Holding.objects.get(item=item, pieces=1).account == central


def test_items_move_whole_and_grams_alone_only_by_a_weighing(
    enter: Enter, write: Write, central: CustodyAccount, annex: CustodyAccount, places: dict[str, CustodyAccount]
) -> None:
    (item,) = enter(central, 200)

    with refused("items_move_whole"):
        write("transfer", central, annex, item, grams=50)
    # Grams alone leave here and come to where the item is not: either may be named first.
    with refused("only_a_weighing_moves_grams_alone", "physical_holding_not_negative"):
        write("transfer", central, annex, item, grams=50, pieces=0)
    with refused("only_a_weighing_moves_grams_alone"):
        write("weighing", central, places[AccountKind.DRYING_LOSS], item)


@pytest.mark.usefixtures("ledger_alone")
def test_a_reversal_is_the_mirror_of_its_movement(
    enter: Enter, write: Write, central: CustodyAccount, annex: CustodyAccount, inspector: User, now: datetime
) -> None:
    moved, other = enter(central, 200, 200)
    movement = write("transfer", central, annex, moved)

    with refused("reversal_mirrors_what_it_reverses"):
        write("reversal", central, annex, other, reverses=movement)
    with refused("reversal_mirrors_what_it_reverses"):
        write("reversal", annex, CustodyAccount.objects.boundary(AccountKind.EXPORT), moved, reverses=movement)
    reverse_movement(actor=inspector, at=now, key="back", movement=movement, effective_on=day_of(now))
    commit_checks()

    assert set(Holding.objects.filter(account=central).values_list("item_id", flat=True)) == {moved, other}


def test_the_architecture_tells_the_ways() -> None:
    told = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
    told = told.split("### Ways of movements")[1].split("###")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", told, flags=re.MULTILINE)
    ways = {
        (kind, source, target)
        for kind, sources, targets in rows
        for source in sources.split(", ")
        for target in targets.split(", ")
        if source != "–"
    }

    assert {kind for kind, _sources, _targets in rows} == {kind.value for kind in WAYS}
    assert ways == {
        (kind, source, target)
        for kind in WAYS
        for source in AccountKind
        for target in AccountKind
        if goes(kind, source, target)
    }


# --- loads ------------------------------------------------------------------------------------------------------


def test_nothing_is_dispatched_or_accepted_without_a_hand_over(
    sent: Handover, enter: Enter, write: Write, central: CustodyAccount, storekeeper: User, inspector: User
) -> None:
    (here,) = enter(central, 200)
    own = CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=central.custodian_id)
    said = {"reference": sent.number, "gave": inspector, "accepted": storekeeper, "actor": storekeeper}

    with refused("movement_of_a_load_is_named_by_it"):
        write("dispatch", central, own, here)
    with refused("movement_of_a_load_is_named_by_it"):
        write("accept", sent.transit, central, items_of(sent)[0])
    with refused("movement_of_a_load_is_named_by_it"):
        write("accept", sent.transit, central, items_of(sent)[0], key=f"accept:{sent.pk}", **said)
    with refused("movement_of_a_load_is_named_by_it"):
        write("accept", sent.transit, central, items_of(sent)[0], key=f"later:{sent.pk}:1", **said)
    with refused("movement_goes_its_way"):
        write("missing", sent.transit, central, items_of(sent)[0])

    assert Holding.objects.filter(account=sent.transit).count() == 2


def test_a_load_is_dispatched_with_a_line_for_each_item_and_none_of_them_received(
    enter: Enter,
    write: Write,
    reception: CustodyAccount,
    central: CustodyAccount,
    inspector: User,
    storekeeper: User,
    now: datetime,
) -> None:
    (item,) = enter(reception, 200)
    transit = CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=reception.custodian_id)

    def send() -> Handover:
        return Handover.objects.create(
            number="HO25-9",
            source=reception,
            target=central,
            transit=transit,
            carried_by="Abai Kunanbaiuly",
            expected_at=now + timedelta(days=1),
            due_at=now + timedelta(days=1),
            dispatched_by=inspector,
            dispatched_at=now,
            dispatch_movement=write("dispatch", reception, transit, item),
        )

    with refused("movement_of_a_load_is_named_by_it"):
        send()
    with refused("line_was_dispatched"):
        HandoverLine.objects.create(
            handover=send(), item_id=item, outcome="received", scanned_by=storekeeper, scanned_at=now
        )
    HandoverLine.objects.create(handover=send(), item_id=item)
    commit_checks()

    assert Holding.objects.get(item=item, pieces=1).account == transit


def test_a_load_closes_counted_and_with_what_was_received_in_its_place(
    sent: Handover, write: Write, central: CustodyAccount, storekeeper: User, inspector: User, now: datetime
) -> None:
    one, other = items_of(sent)
    commit_checks()

    def close() -> None:
        Handover.objects.filter(pk=sent.pk).update(state="accepted", closed_by=storekeeper, closed_at=now)

    def count_one(rest: str) -> None:
        sent.lines.filter(item=one).update(outcome="received", scanned_by=storekeeper, scanned_at=now)
        by = storekeeper if rest == "received" else None
        sent.lines.filter(item=other).update(outcome=rest, scanned_by=by, scanned_at=now if by else None)

    def take(item: int, grams: int) -> None:
        write(
            "accept", sent.transit, central, item, grams, key=f"accept:{sent.pk}", reference=sent.number,
            actor=storekeeper, gave=inspector, accepted=storekeeper,
        )  # fmt: skip

    with refused("handover_is_counted"):
        close()
    with refused("handover_is_counted"):
        sent.lines.update(outcome="received", scanned_by=storekeeper, scanned_at=now)
        close()
    with refused("handover_is_counted"):
        count_one("pending")
        take(one, 200)
        close()
    with refused("handover_is_counted"):
        count_one("missing")
        take(one, 200)
        close()
    with refused("handover_is_counted"):
        count_one("received")
        take(one, 200)
        close()
    with refused("handover_is_counted"):
        count_one("missing")
        take(other, 210)
        close()

    sent.refresh_from_db()
    assert sent.state == Handover.State.DISPATCHED


def test_what_is_received_was_in_the_hands_of_the_other_side(
    sent: Handover, inspector: User, storekeeper: User, auditor: User, now: datetime
) -> None:
    def receive(by: User | None) -> None:
        sent.lines.update(outcome="received", scanned_by=by, scanned_at=now if by else None)

    for person in (inspector, None):
        with refused("line_is_received_by_the_other_side"):
            receive(person)
    turn_back(actor=auditor, at=now, handover=sent, reason="Back, as told by the office")
    for person in (inspector, auditor, None):
        with refused("line_is_received_by_the_other_side"):
            receive(person)

    receive(storekeeper)
    assert set(sent.lines.values_list("outcome", flat=True)) == {"received"}


def test_what_became_of_a_line_stays_when_the_load_has_closed(
    sent: Handover, storekeeper: User, auditor: User, now: datetime, central: CustodyAccount
) -> None:
    one, other = items_of(sent)
    scan_received(actor=storekeeper, at=now, handover=sent, item_id=one)
    accept_handover(actor=storekeeper, at=now, handover=sent, difference_reason="One is not in the load")
    commit_checks()

    for item, outcome in ((one, "pending"), (one, "missing"), (other, "pending"), (other, "received")):
        with refused("line_stays_as_counted"):
            HandoverLine.objects.filter(handover=sent, item=item).update(outcome=outcome)
    receive_later(actor=auditor, at=now, handover=sent, item_ids=[other], reason="Found under the seat")
    commit_checks()

    assert Holding.objects.filter(account=central, pieces=1).count() == 2
