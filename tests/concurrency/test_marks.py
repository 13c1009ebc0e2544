"""Two people at once in the marking room. Each race has a twin that shows what its guard is for."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import DomainError
from marking.codes import new_code
from marking.models import LabelRun, Mark, SigningKey
from marking.services.issue import issue_marks, register_and_mark
from marking.services.keys import ensure_signing_key
from marking.services.labels import LabelOrder, PrintedBefore, print_labels
from registry.models import Derivative, Intake
from tests.marks import decide_key
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_one_code_drawn_by_two_is_issued_once(
    signing_key: SigningKey, horns: list[Derivative], inspector: User, now: datetime
) -> None:
    shared = [new_code() for _ in range(3)]

    def issue(mine: list[Derivative]) -> Callable[[], list[str]]:
        drawn = iter([*shared, *[new_code() for _ in range(3)]])
        return lambda: issue_marks(actor=inspector, at=now, derivatives=mine, codes=drawn)

    first, second = at_once(issue(horns[:3]), issue(horns[3:]))

    assert len({*first, *second}) == 6
    assert set(shared) <= {*first, *second}
    assert Mark.objects.count() == 6


def test_without_passing_over_one_of_the_two_would_fail(
    signing_key: SigningKey, horns: list[Derivative], now: datetime
) -> None:
    code = new_code()

    def insert(horn: Derivative) -> Callable[[], Mark]:
        return lambda: Mark.objects.create(
            code=code, derivative=horn, key=signing_key, payload=b"x", signature=b"x", issued_at=now
        )

    results = at_once(*[insert(horn) for horn in horns])

    assert len(winners(results)) == 1
    assert all(isinstance(result, IntegrityError | Mark) for result in results)


def test_one_intake_registered_twice_at_once_is_registered_once(
    signing_key: SigningKey, open_intake: Intake, inspector: User, now: datetime
) -> None:
    register = lambda: register_and_mark(actor=inspector, at=now, intake=Intake.objects.get(pk=open_intake.pk))  # noqa: E731

    results = at_once(*[register] * 4)

    assert len(winners(results)) == 1
    assert all(isinstance(result, DomainError) for result in results if result not in winners(results))
    assert Derivative.objects.count() == 6
    assert Mark.objects.count() == 6
    assert Event.objects.filter(verb="intake.registered").count() == 1
    assert Event.objects.filter(verb="marks.issued").count() == 1


def test_one_derivative_marked_twice_at_once_has_one_mark(
    signing_key: SigningKey, horns: list[Derivative], inspector: User, now: datetime
) -> None:
    issue = lambda: issue_marks(actor=inspector, at=now, derivatives=horns)  # noqa: E731

    results = at_once(issue, issue, issue)

    assert len(winners(results)) == 1
    assert Mark.objects.count() == 6


def test_first_labels_ordered_twice_at_once_are_ordered_once(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime
) -> None:
    order = lambda: print_labels(actor=inspector, at=now, intake=open_intake, order=LabelOrder("a4-65"))  # noqa: E731

    results = at_once(order, order, order)

    assert len(winners(results)) == 1
    assert all(isinstance(result, PrintedBefore | LabelRun) for result in results)


def test_without_the_lock_first_labels_would_be_ordered_twice(
    marks: list[Mark], open_intake: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_looked = threading.Barrier(2)
    monkeypatch.setattr(Intake.objects.all().__class__, "select_for_update", lambda self, **options: self)

    def look_and_wait(intake: Intake) -> bool:
        answer = LabelRun.objects.filter(intake=intake).exists()
        both_looked.wait(10)
        return answer

    monkeypatch.setattr("marking.services.labels.was_printed", look_and_wait)
    order = lambda: print_labels(actor=inspector, at=now, intake=open_intake, order=LabelOrder("a4-65"))  # noqa: E731

    assert len(winners(at_once(order, order))) == 2


def test_two_first_starts_make_one_key(db: None, now: datetime) -> None:
    keys = at_once(*[lambda: ensure_signing_key(at=now)] * 4)

    assert len({key.pk for key in keys}) == 1
    assert SigningKey.objects.count() == 1


def test_a_key_is_not_ended_while_it_signs(
    signing_key: SigningKey, horns: list[Derivative], inspector: User, authority_head: User, now: datetime
) -> None:
    signed, order = threading.Event(), []

    def issue() -> None:
        with transaction.atomic():
            issue_marks(actor=inspector, at=now, derivatives=horns)
            signed.set()
            # Ending the key waits; this transaction is not disturbed by it.
            threading.Event().wait(0.5)
            order.append("issued")

    def end() -> None:
        signed.wait(10)
        decide_key(signing_key, "compromise", asker=inspector, second=authority_head, at=now)
        order.append("ended")

    assert at_once(issue, end) == [None, None]
    assert order == ["issued", "ended"]
