"""Two people at one box, and at one hand-over. Each race has a twin that shows what the lock is for."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from django.db import DatabaseError, transaction

from core.accounts.models import User
from core.base.errors import DomainError
from ledger import services
from ledger.models import Box, CustodyAccount, Handover, MovementKind, Packing
from ledger.selectors import find_differences
from ledger.services import boxes as packing
from tests.goods import Enter
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def two_boxes(storekeeper: User, now: datetime, central: CustodyAccount) -> list[Box]:
    return services.begin_boxes(actor=storekeeper, at=now, account=central, count=2)


def test_one_item_packed_by_two_people_lies_in_one_box(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, two_boxes: list[Box]
) -> None:
    items = enter(central, *[200] * 20)

    def pack(box: Box) -> Callable[[], int]:
        return lambda: services.pack_items(actor=storekeeper, at=now, box=box, item_ids=items)

    results = at_once(*(pack(box) for box in two_boxes))

    assert winners(results) == [20]
    assert [type(r) for r in results if isinstance(r, Exception)] == [services.AlreadyPacked]
    assert Packing.objects.present().count() == 20


def test_without_the_question_only_the_constraint_stands_between_two_packers(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, two_boxes: list[Box]
) -> None:
    """The twin: rows written with no lock on the holdings; the second gets a database error, still nothing leaks."""
    (item,) = enter(central, 200)
    barrier = threading.Barrier(2)

    def write(box: Box) -> Callable[[], None]:
        def act() -> None:
            with transaction.atomic():
                barrier.wait(10)
                Packing.objects.create(box=box, item_id=item, packed_by=storekeeper, packed_at=now)

        return act

    results = at_once(*(write(box) for box in two_boxes))

    assert sum(isinstance(result, DatabaseError) for result in results) == 1
    assert Packing.objects.present().count() == 1


def test_what_is_packed_while_the_seal_goes_on_is_under_it_or_refused(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, two_boxes: list[Box]
) -> None:
    first, more = enter(central, 200, 210)
    box = two_boxes[0]
    services.pack_items(actor=storekeeper, at=now, box=box, item_ids=[first])

    sealed, packed = at_once(
        lambda: services.seal_box(actor=storekeeper, at=now, box=box, seal_number="K-1"),
        lambda: services.pack_items(actor=storekeeper, at=now, box=box, item_ids=[more]),
    )

    assert isinstance(sealed, Box)
    inside = Packing.objects.present().filter(box=box).count()
    assert (packed, inside) == (1, 2) or (isinstance(packed, services.BoxIsSealed) and inside == 1)


def test_without_the_lock_the_packer_learns_of_the_seal_from_the_database(
    enter: Enter,
    storekeeper: User,
    now: datetime,
    central: CustodyAccount,
    two_boxes: list[Box],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: the box is read without its lock, so that the seal goes on in between; the trigger still refuses."""
    first, more = enter(central, 200, 210)
    box = two_boxes[0]
    services.pack_items(actor=storekeeper, at=now, box=box, item_ids=[first])
    locked = packing._lock_boxes

    def unlocked(keys: Sequence[int | None]) -> list[Box]:
        found = list(Box.objects.filter(pk__in=[key for key in keys if key is not None]))
        monkeypatch.setattr(packing, "_lock_boxes", locked)
        at_once(lambda: services.seal_box(actor=storekeeper, at=now, box=box, seal_number="K-1"))
        return found

    monkeypatch.setattr(packing, "_lock_boxes", unlocked)
    with pytest.raises(DatabaseError, match="sealed box"):
        services.pack_items(actor=storekeeper, at=now, box=box, item_ids=[more])

    assert Packing.objects.present().filter(box=box).count() == 1


@pytest.fixture
def on_its_way(
    enter: Enter, storekeeper: User, inspector: User, now: datetime, central: CustodyAccount, reception: CustodyAccount
) -> Handover:
    items = enter(central, *[200] * 10)
    sent = services.dispatch_items(
        carried_by="A courier", actor=storekeeper, at=now, key="race", source=central, target=reception, item_ids=items
    )
    for item in items:
        services.scan_received(actor=inspector, at=now, handover=sent, item_id=item)
    return sent


def test_of_accepting_and_turning_back_one_happens(
    on_its_way: Handover, auditor: User, inspector: User, now: datetime
) -> None:
    results = at_once(
        lambda: services.accept_handover(actor=inspector, at=now, handover=on_its_way),
        lambda: services.turn_back(
            actor=auditor, at=now, handover=on_its_way, reason="Back, as told", despite_scans=True
        ),
    )

    assert len(winners(results)) == 1
    on_its_way.refresh_from_db()
    assert on_its_way.state == winners(results)[0].state
    assert find_differences() == {}


def test_a_closed_hand_over_is_closed_even_without_the_lock(
    on_its_way: Handover, auditor: User, inspector: User, now: datetime
) -> None:
    """The twin: both write their rows as if they had read it open; the database lets only the first stand."""
    load = Handover.objects.filter(pk=on_its_way.pk)

    def accept() -> None:
        with transaction.atomic():
            services.move_items(
                actor=inspector, at=now, key=f"accept:{on_its_way.pk}", kind=MovementKind.ACCEPT,
                item_ids=list(on_its_way.lines.values_list("item_id", flat=True)), source=on_its_way.transit,
                target=on_its_way.target, effective_on=now.date(), reference=on_its_way.number,
                gave=on_its_way.dispatched_by, accepted=inspector,
            )  # fmt: skip
            load.update(state=Handover.State.ACCEPTED, closed_by=inspector, closed_at=now)

    def turn() -> None:
        load.update(state=Handover.State.RETURNING, turned_by=auditor, turned_at=now, turn_reason="Back, as told")

    results = at_once(accept, turn)

    assert sum(isinstance(result, DatabaseError) for result in results) == 1
    assert not any(isinstance(result, DomainError) for result in results)
