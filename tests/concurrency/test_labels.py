"""Two bindings of one label, two approvals of one reprint, sending against binding. Each race has a twin that shows
what the lock is for.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction

from core.accounts.models import User
from core.base.errors import InvalidTransition
from marking.models import (
    LabelApplication,
    LabelEntry,
    LabelHolding,
    LabelMovement,
    LabelReel,
    LabelShipmentLine,
    Mark,
    MarkRequest,
)
from marking.selectors_stock import reels_that_differ
from marking.services.applying import LabelNotHere, LabelRefused, apply_blank
from marking.services.issue import register_and_mark
from marking.services.orders import LabelOrder
from marking.services.requests import approve_request, ask_for_mark
from marking.services.shipments import Counted, receive_reels, send_reels, turn_reels_back
from marking.services.stock import LabelsNotThere
from registry.models import Derivative, Intake
from tests.files import picture
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def unmarked(reel: LabelReel, open_intake: Intake, inspector: User, now: datetime) -> list[Derivative]:
    """Six horns without marks."""
    register_and_mark(actor=inspector, at=now, intake=open_intake, mark=False)
    return list(open_intake.derivatives.order_by("row"))


@pytest.fixture
def bind(inspector: User, now: datetime) -> Callable[[str, Derivative], Mark]:
    def act(code: str, item: Derivative) -> Mark:
        return apply_blank(
            actor=inspector, at=now, code=code, derivative=item, photo=ContentFile(picture(), "label.png")
        )

    return act


def held(reel: LabelReel) -> dict[str, int]:
    rows = LabelHolding.objects.filter(reel=reel).exclude(place="issued").exclude(pieces=0)
    return dict(rows.values_list("place", "pieces"))


def test_a_label_is_bound_to_one_of_two_items(
    reel: LabelReel, unmarked: list[Derivative], bind: Callable[[str, Derivative], Mark]
) -> None:
    code = Mark.objects.get(reel=reel, place_on_reel=1).code

    results = at_once(*(lambda item=item: bind(code, item) for item in unmarked[:4]))

    assert len(winners(results)) == 1
    assert sum(isinstance(result, LabelRefused) for result in results) == 3
    assert held(reel) == {"office": 9, "applied": 1}
    assert reels_that_differ() == []


def test_without_the_lock_the_database_still_binds_it_once(
    reel: LabelReel, unmarked: list[Derivative], inspector: User, now: datetime
) -> None:
    """The twin: both saw a blank label and write around the services; the second finds it bound."""
    mark = Mark.objects.get(reel=reel, place_on_reel=1)
    photo = _photo(inspector, now)
    seen = threading.Barrier(2)

    def bind_anyway(item: Derivative) -> None:
        with transaction.atomic():
            assert Mark.objects.get(pk=mark.pk).state == "blank"
            seen.wait(10)
            LabelApplication.objects.create(
                mark=mark, derivative=item, office=reel.series.office, photo=photo, applied_by=inspector, applied_at=now
            )
            movement = LabelMovement.objects.create(kind="applied", actor=inspector, at=now)
            for place, pieces in (("office", -1), ("applied", 1)):
                LabelEntry.objects.create(
                    movement=movement, reel=reel, place=place, organisation=reel.series.office, pieces=pieces
                )
            Mark.objects.filter(pk=mark.pk).update(state="active", derivative=item)

    results = at_once(*(lambda item=item: bind_anyway(item) for item in unmarked[:2]))

    assert sum(isinstance(result, DatabaseError) for result in results) == 1
    assert held(reel) == {"office": 9, "applied": 1}
    assert reels_that_differ() == []


def _photo(actor: User, at: datetime) -> Any:
    from core.documents.models import Document
    from core.documents.services import keep_document

    return keep_document(actor=actor, at=at, kind=Document.Kind.PHOTO, name="label.png", content=picture())


def test_a_reel_is_sent_with_what_is_left_on_it(
    reel: LabelReel,
    unmarked: list[Derivative],
    bind: Callable[[str, Derivative], Mark],
    inspector: User,
    now: datetime,
) -> None:
    codes = list(Mark.objects.filter(reel=reel).order_by("place_on_reel").values_list("code", flat=True))

    results = at_once(
        lambda: send_reels(actor=inspector, at=now, receiver=reel.series.printer, reels=[reel]),
        *(lambda n=n: bind(codes[n], unmarked[n]) for n in range(3)),
    )

    refused = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(result, (LabelNotHere, LabelsNotThere)) for result in refused)
    bound = Mark.objects.filter(reel=reel, state="active").count()
    assert LabelShipmentLine.objects.latest("pk").sent == 10 - bound
    assert held(reel) == {key: count for key, count in (("transit", 10 - bound), ("applied", bound)) if count}
    assert reels_that_differ() == []


def test_without_the_lock_a_label_leaves_that_was_counted_as_there(
    reel: LabelReel, unmarked: list[Derivative], bind: Callable[[str, Derivative], Mark], inspector: User, now: datetime
) -> None:
    """The twin: what is left is read without the lock, one label is bound, then all ten are written as sent; the
    database lets no more leave than there is.
    """
    code = Mark.objects.get(reel=reel, place_on_reel=1).code
    counted, bound = threading.Event(), threading.Event()
    office = reel.series.office

    def send_unlocked() -> None:
        with transaction.atomic():
            pieces = LabelHolding.objects.get(reel=reel, place="office", organisation=office).pieces
            counted.set()
            bound.wait(10)
            movement = LabelMovement.objects.create(kind="sent", actor=inspector, at=now)
            for place, change in (("office", -pieces), ("transit", pieces)):
                LabelEntry.objects.create(movement=movement, reel=reel, place=place, organisation=office, pieces=change)

    def bind_meanwhile() -> None:
        counted.wait(10)
        try:
            bind(code, unmarked[0])
        finally:
            bound.set()

    results = at_once(send_unlocked, bind_meanwhile)

    assert isinstance(results[0], DatabaseError)
    assert results[1] is None
    assert held(reel) == {"office": 9, "applied": 1}


def test_a_reprint_is_approved_once(
    marks: list[Mark], inspector: User, storekeeper: User, authority_officer: User, now: datetime
) -> None:
    asked = _asked(marks[0], inspector, now)

    results = at_once(
        lambda: approve_request(actor=storekeeper, at=now, asked=asked),
        lambda: approve_request(actor=authority_officer, at=now, asked=asked),
    )

    assert len(winners(results)) == 1
    assert sum(isinstance(result, InvalidTransition) for result in results) == 1
    marks[0].refresh_from_db()
    assert marks[0].generation == 2


def test_without_the_lock_the_database_raises_the_generation_once(
    marks: list[Mark], inspector: User, storekeeper: User, authority_officer: User, now: datetime
) -> None:
    """The twin: both saw the request waiting and write around the service."""
    asked = _asked(marks[0], inspector, now)
    seen = threading.Barrier(2)

    def approve_anyway(person: User) -> None:
        with transaction.atomic():
            assert MarkRequest.objects.get(pk=asked.pk).state == "asked"
            seen.wait(10)
            MarkRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=person, decided_at=now)
            Mark.objects.filter(pk=marks[0].pk).update(generation=2, payload=b"new", signature=b"new")

    results = at_once(lambda: approve_anyway(storekeeper), lambda: approve_anyway(authority_officer))

    assert sum(isinstance(result, DatabaseError) for result in results) == 1
    marks[0].refresh_from_db()
    assert marks[0].generation == 2


def _asked(mark: Mark, actor: User, at: datetime) -> MarkRequest:
    return ask_for_mark(
        actor=actor,
        at=at,
        kind=MarkRequest.Kind.REPRINT,
        mark=mark,
        reason="Torn in the store",
        order=LabelOrder("a4-65"),
    )


def test_labels_are_received_or_turned_back(
    reel: LabelReel, inspector: User, second_inspector: User, storekeeper: User, now: datetime
) -> None:
    sent = send_reels(actor=inspector, at=now, receiver=reel.series.printer, reels=[reel])

    results = at_once(
        lambda: receive_reels(actor=storekeeper, at=now, shipment=sent, counts={reel.pk: Counted(10)}),
        lambda: turn_reels_back(actor=storekeeper, at=now, shipment=sent, reason="They went the wrong way"),
    )

    assert len(winners(results)) == 1
    sent.refresh_from_db()
    assert held(reel) == ({"office": 10} if sent.state == "received" else {"transit": 10})
    assert reels_that_differ() == []
