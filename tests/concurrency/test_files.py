"""Files that come while others come, or while what they are for is closed. Each race has a twin without the lock."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, transaction
from rest_framework.test import APIClient

from core.accounts.models import User
from core.accounts.subjects import SUBJECTS
from core.documents.attaching import ClosedToFiles, FilesAreKept, attach_files, withdraw_file
from core.documents.models import Attachment, Withdrawal
from custody.models import DestructionOrder
from custody.services import destruction
from ledger.models import CustodyAccount
from registry.models import Derivative
from tests.files import picture, scanned
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

State = DestructionOrder.State


@pytest.fixture
def order(
    marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    reception_store: CustodyAccount, now: datetime,
) -> DestructionOrder:  # fmt: skip
    """One horn is scanned and photographed; the list may be closed."""
    made = destruction.order_destruction(
        actor=storekeeper, at=now, store=reception_store, basis=DestructionOrder.Basis.SPOILAGE, basis_paper="Act 5",
        basis_file=ContentFile(scanned(), "act.png"), planned_on=now.date(), item_ids=[marked[0].pk],
    )  # fmt: skip
    for person in (storekeeper, inspector, authority_officer):
        destruction.seat_member(actor=storekeeper, at=now, order=made, user=person, post="Member")
    destruction.scan_goods(actor=storekeeper, at=now, order=made, item_id=marked[0].pk)
    bring(made, storekeeper, now, 1)
    return made


def shot(number: int) -> "ContentFile[bytes]":
    """A picture whose bytes are its own."""
    return ContentFile(picture() + number.to_bytes(4, "big"), f"{number}.png")


def bring(order: DestructionOrder, actor: User, at: datetime, *numbers: int) -> list[Any]:
    files = [shot(number) for number in numbers]
    return attach_files(actor=actor, at=at, subject=("destruction", order.pk), files=files)


def close(order: DestructionOrder, actor: User, at: datetime) -> DestructionOrder:
    mass = order.lines.get().booked_g
    return destruction.close_list(
        actor=actor, at=at, order=order, place="Oral", method="Burning", mass_before_g=mass, mass_after_g=10
    )


def while_it_closes(order: DestructionOrder, actor: User, at: datetime, act: Callable[[], Any]) -> Any:
    """What the act answers that begins after the list was closed, and before that is committed."""
    closed, begun = threading.Event(), threading.Event()

    def closing() -> None:
        with transaction.atomic():
            close(order, actor, at)
            closed.set()
            begun.wait(10)
            threading.Event().wait(0.5)  # long enough for the other to look, and to wait

    def coming() -> Any:
        closed.wait(10)
        begun.set()
        return act()

    _closed, answer = at_once(closing, coming)
    order.refresh_from_db()
    assert order.state == State.SIGNING
    return answer


def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUBJECTS, "destruction", replace(SUBJECTS["destruction"], hold=None))


def test_a_file_that_comes_while_the_list_is_closed_is_refused_in_words(
    order: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    answer = while_it_closes(order, storekeeper, now, lambda: bring(order, inspector, now, 2))

    assert isinstance(answer, ClosedToFiles)
    assert Attachment.objects.count() == 1


def test_without_the_lock_the_database_alone_refuses_it(
    order: DestructionOrder, storekeeper: User, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: it looks before it waits, and meets the trigger."""
    without_the_lock(monkeypatch)

    answer = while_it_closes(order, storekeeper, now, lambda: bring(order, inspector, now, 2))

    assert isinstance(answer, IntegrityError)
    assert "belong to what is signed" in str(answer)
    assert Attachment.objects.count() == 1


def test_a_program_is_answered_with_a_conflict(
    order: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    client = APIClient(raise_request_exception=False, headers={"accept-language": "en"})
    client.force_authenticate(inspector)
    body = {"subject_kind": "destruction", "subject_id": str(order.pk), "files": [shot(2)]}

    answer = while_it_closes(
        order, storekeeper, now, lambda: client.post("/api/v1/files/", body, format="multipart", headers={})
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "closed-to-files")
    assert Attachment.objects.count() == 1


def test_a_file_that_is_withdrawn_while_the_list_is_closed_stays(
    order: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    file = Attachment.objects.get()

    answer = while_it_closes(
        order, storekeeper, now, lambda: withdraw_file(actor=inspector, at=now, attachment=file, reason="Blurred")
    )

    assert isinstance(answer, FilesAreKept)
    assert not Withdrawal.objects.exists()


def test_without_the_lock_a_withdrawal_meets_the_database(
    order: DestructionOrder, storekeeper: User, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    file = Attachment.objects.get()
    without_the_lock(monkeypatch)

    answer = while_it_closes(
        order, storekeeper, now, lambda: withdraw_file(actor=inspector, at=now, attachment=file, reason="Blurred")
    )

    assert isinstance(answer, IntegrityError)
    assert not Withdrawal.objects.exists()


def together(send: Callable[[list[int]], Any]) -> list[Any]:
    """Two who send the same files, each beginning at another end, each in one transaction."""
    numbers = list(range(10, 22))

    def in_one(order: list[int]) -> Any:
        with transaction.atomic():
            return send(order)

    return at_once(lambda: in_one(numbers), lambda: in_one(numbers[::-1]))


def test_two_who_send_the_same_files_at_once_keep_each_once(
    order: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    people = iter((storekeeper, inspector))

    results = together(lambda numbers: bring(order, next(people), now, *numbers))

    assert len(winners(results)) == 2
    assert Attachment.objects.count() == 1 + 12
    assert sorted(sum(outcome.attachment is not None for outcome in found) for found in results) == [0, 12]


def test_without_one_order_of_locks_one_of_them_fails(
    order: DestructionOrder, storekeeper: User, inspector: User, now: datetime
) -> None:
    """The twin: each takes them as they were given."""
    met = threading.Barrier(2)
    people = iter((storekeeper, inspector))

    def one_by_one(numbers: list[int]) -> None:
        person = next(people)
        for number in (numbers[0], numbers[-1]):
            bring(order, person, now, number)
            if number == numbers[0]:
                met.wait(10)

    results = together(one_by_one)

    assert len(winners(results)) == 1
    (failed,) = (result for result in results if isinstance(result, Exception))
    assert isinstance(failed, DatabaseError)
    assert "deadlock" in str(failed)
