"""Issuing: never one code twice, one act or nothing, few statements; and what the database refuses by itself."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import DomainError, InvalidTransition
from ledger.models import Holding
from marking.codes import is_code, new_code
from marking.labels import PROFILES
from marking.models import OWN_PROFILE, LabelRun, Mark, MarkRequest, SigningKey
from marking.payload import read, to_text, verify
from marking.services.issue import AlreadyMarked, issue_marks, register_and_mark
from marking.services.keys import NoSigningKey
from marking.services.labels import LabelOrder
from registry.models import Derivative, Intake
from tests.builders import build_intake, register
from tests.marks import decide_key, end_mark, print_again

pytestmark = pytest.mark.django_db


def test_it_registers_and_marks_each_horn_in_one_act(marks: list[Mark], open_intake: Intake) -> None:
    open_intake.refresh_from_db()

    assert open_intake.state == Intake.State.REGISTERED
    assert len(marks) == 6
    assert all(is_code(mark.code) for mark in marks)
    assert [mark.item.row for mark in marks] == [1, 2, 3, 4, 5, 6]
    assert Holding.objects.filter(account=open_intake.store, pieces=1).count() == 6
    event = Event.objects.get(verb="marks.issued")
    assert (event.subject_kind, event.subject_id, event.facts["count"]) == ("intake", str(open_intake.pk), 6)


def test_it_signs_what_the_label_says(marks: list[Mark], signing_key: SigningKey) -> None:
    keys = {bytes.fromhex(signing_key.pk): bytes(signing_key.public_key)}
    for mark in marks:
        statement = verify(read(to_text(bytes(mark.payload), bytes(mark.signature))), keys)

        assert (statement.code, statement.generation) == (mark.code, 1)
        assert (statement.term, statement.origin) == ("HOR", "removal")
        assert statement.mass_g == mark.item.mass_g
        assert statement.dated_on == mark.item.intake.on


def test_it_orders_labels_in_the_same_act(
    signing_key: SigningKey, open_intake: Intake, inspector: User, now: datetime
) -> None:
    done = register_and_mark(actor=inspector, at=now, intake=open_intake, order=LabelOrder("a4-65"))

    assert done.count == 6
    assert done.label_run is not None
    assert done.label_run.run_marks.count() == 6


def test_it_leaves_nothing_behind_when_it_is_refused(
    signing_key: SigningKey, open_intake: Intake, inspector: User, inspector_elsewhere: User, now: datetime
) -> None:
    def attempts() -> list[Callable[[], object]]:
        order = LabelOrder("a4-65", start=66)
        return [
            lambda: register_and_mark(actor=inspector_elsewhere, at=now, intake=open_intake),
            lambda: register_and_mark(actor=inspector, at=now, intake=open_intake, order=order),
            lambda: register_and_mark(actor=inspector, at=now, intake=open_intake, version=0),
        ]

    for attempt in attempts():
        with pytest.raises(DomainError):
            attempt()

        open_intake.refresh_from_db()
        assert open_intake.is_open
        assert open_intake.rows.count() == 6
        assert not Derivative.objects.exists()
        assert not Mark.objects.exists()
        assert not LabelRun.objects.exists()
        assert not Event.objects.filter(verb__in=["marks.issued", "intake.registered"]).exists()


def test_it_does_nothing_without_a_key(open_intake: Intake, inspector: User, now: datetime) -> None:
    with pytest.raises(NoSigningKey):
        register_and_mark(actor=inspector, at=now, intake=open_intake)

    assert not Derivative.objects.exists()


def test_it_does_nothing_with_a_compromised_key(
    signing_key: SigningKey, open_intake: Intake, inspector: User, authority_head: User, now: datetime
) -> None:
    decide_key(signing_key, "compromise", asker=inspector, second=authority_head, at=now)

    with pytest.raises(NoSigningKey):
        register_and_mark(actor=inspector, at=now, intake=open_intake)


def test_it_registers_once(marks: list[Mark], open_intake: Intake, inspector: User, now: datetime) -> None:
    with pytest.raises(InvalidTransition):
        register_and_mark(actor=inspector, at=now, intake=open_intake)

    assert Mark.objects.count() == 6


def test_it_marks_a_derivative_once(marks: list[Mark], inspector: User, now: datetime) -> None:
    with pytest.raises(AlreadyMarked):
        issue_marks(actor=inspector, at=now, derivatives=[marks[0].item])

    assert Mark.objects.count() == 6


def test_it_passes_over_codes_that_exist(
    signing_key: SigningKey, horns: list[Derivative], inspector: User, now: datetime
) -> None:
    taken, free = new_code(), [new_code() for _ in range(6)]
    issue_marks(actor=inspector, at=now, derivatives=horns[:1], codes=iter([taken]))
    drawn = itertools.chain([taken, free[0], taken, free[1], free[1]], free[2:])

    issued = issue_marks(actor=inspector, at=now, derivatives=horns[1:], codes=drawn)

    assert len(set(issued)) == 5
    assert taken not in issued
    for horn, code in zip(horns[1:], issued, strict=True):
        mark = horn.marks.get()
        assert mark.code == code
        assert read(to_text(bytes(mark.payload), bytes(mark.signature))).statement.code == code


def test_it_asks_the_database_as_often_for_many_as_for_few(
    signing_key: SigningKey,
    open_intake: Intake,
    inspector: User,
    now: datetime,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    small, large = (open_more(inspector, open_intake, now, rows=rows) for rows in (6, 300))
    register(open_intake, actor=inspector, at=now)  # the first of a day finds no horns to lock
    counts = []
    for intake in (small, large):
        with django_assert_max_num_queries(85) as captured:
            register_and_mark(actor=inspector, at=now, intake=intake, order=LabelOrder("a4-65"))
        counts.append(len(captured))

    assert counts[0] == counts[1]


# What the database refuses, whoever writes.


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        act()


def test_the_database_keeps_a_mark_as_it_was_issued(marks: list[Mark]) -> None:
    mark, other = marks[0], marks[1]
    rows = Mark.objects.filter(pk=mark.pk)
    before = rows.values().get()

    refused(rows.delete)
    refused(lambda: rows.update(derivative=other.derivative))
    refused(lambda: rows.update(code=new_code()))
    refused(lambda: rows.update(payload=other.payload))
    refused(lambda: rows.update(signature=other.signature))
    refused(lambda: rows.update(generation=0))
    refused(lambda: rows.update(issued_at=mark.issued_at - timedelta(days=1)))
    refused(lambda: connection.cursor().execute("TRUNCATE marking_mark CASCADE"))

    assert rows.values().get() == before


def test_the_database_lets_a_new_generation_have_a_new_statement(
    marks: list[Mark], inspector: User, storekeeper: User, now: datetime
) -> None:
    rows = Mark.objects.filter(pk=marks[0].pk)
    refused(lambda: rows.update(generation=2, payload=b"new", signature=b"new"))

    print_again(marks[0], b"new", b"new", asker=inspector, approver=storekeeper, at=now)

    refused(lambda: rows.update(generation=1, payload=b"old", signature=b"old"))


def test_the_database_ends_a_mark_by_two_people_for_a_reason_and_for_good(
    marks: list[Mark], inspector: User, authority_officer: User, now: datetime
) -> None:
    rows = Mark.objects.filter(pk=marks[0].pk)
    ended = {"end_asked_by": inspector, "ended_by": authority_officer, "ended_at": now, "end_reason": "Torn off"}

    refused(lambda: rows.update(state="void"))
    for name in ended:
        partly = {other: value for other, value in ended.items() if other != name}
        refused(partial(rows.update, state="void", **partly))
    refused(lambda: rows.update(state="void", **ended | {"end_reason": ""}))
    refused(lambda: rows.update(state="void", **ended | {"ended_by": inspector}))
    refused(lambda: rows.update(**ended))
    refused(lambda: rows.update(state="void", **ended))  # nobody approved it
    end_mark(marks[0], "void", asker=inspector, approver=authority_officer, at=now)

    refused(lambda: rows.update(state="active", end_asked_by=None, ended_by=None, ended_at=None, end_reason=""))
    refused(lambda: rows.update(state="replaced"))


def test_the_database_ends_a_mark_only_as_the_approved_request_says(
    marks: list[Mark], inspector: User, storekeeper: User, authority_officer: User, now: datetime
) -> None:
    ended = {"end_asked_by": inspector, "ended_by": authority_officer, "ended_at": now, "end_reason": "Torn off"}
    rows = Mark.objects.filter(pk=marks[0].pk)

    def asked(mark: Mark, kind: str) -> None:
        request = MarkRequest.objects.create(
            kind=kind, mark=mark, reason="Torn in the store", asked_by=inspector, asked_at=now
        )
        MarkRequest.objects.filter(pk=request.pk).update(state="approved", decided_by=authority_officer, decided_at=now)

    def under(mark: Mark, kind: str, change: dict[str, object]) -> None:
        asked(mark, kind)
        rows.update(**ended | change)

    refused(lambda: under(marks[1], "void", {"state": "void"}))
    refused(lambda: under(marks[0], "replace", {"state": "void"}))
    refused(lambda: under(marks[0], "reprint", {"state": "replaced"}))
    refused(lambda: under(marks[0], "void", {"state": "void", "ended_by": storekeeper}))
    refused(lambda: under(marks[0], "void", {"state": "void", "end_asked_by": storekeeper}))
    waiting = MarkRequest.objects.create(
        kind="void", mark=marks[0], reason="Torn in the store", asked_by=inspector, asked_at=now
    )
    refused(lambda: rows.update(state="void", **ended))
    refused(lambda: MarkRequest.objects.filter(pk=waiting.pk).update(approved_in=1))
    assert rows.get().state == "active"
    with transaction.atomic():
        MarkRequest.objects.filter(pk=waiting.pk).update(state="approved", decided_by=authority_officer, decided_at=now)
        rows.update(state="void", **ended)


def test_the_database_knows_one_active_mark_of_a_derivative(
    marks: list[Mark], inspector: User, authority_officer: User, now: datetime
) -> None:
    mark = marks[0]

    def second() -> Mark:
        return Mark.objects.create(
            code=new_code(),
            derivative=mark.derivative,
            key_id=mark.key_id,
            payload=b"x",
            signature=b"x",
            issued_at=now,
        )

    with pytest.raises(IntegrityError), transaction.atomic():
        second()
    end_mark(mark, "replaced", asker=inspector, approver=authority_officer, at=now)
    assert second().derivative == mark.derivative


@pytest.mark.parametrize("code", ["7H4Q9TX2MW8", "7H4Q9TX2MW8HH", "7h4q9tx2mw8h", "7H4Q9TX2MWOH", "7H4Q9TX2MWUH", ""])
def test_the_database_takes_only_codes(marks: list[Mark], horns_more: Derivative, code: str, now: datetime) -> None:
    refused(
        lambda: Mark.objects.create(
            code=code, derivative=horns_more, key_id=marks[0].key_id, payload=b"x", signature=b"x", issued_at=now
        )
    )


@pytest.fixture
def horns_more(marks: list[Mark], open_intake: Intake, inspector: User, now: datetime) -> Derivative:
    """A horn without a mark beside those of `marks`."""
    return register(open_more(inspector, open_intake, now, rows=1), actor=inspector, at=now)[0]


def open_more(inspector: User, intake: Intake, at: datetime, *, rows: int) -> Intake:
    """Another intake of the same store, permit and brigade."""
    assert intake.permit is not None
    assert intake.brigade is not None
    return build_intake(
        actor=inspector, at=at, store=intake.store, permit=intake.permit, brigade=intake.brigade, rows=rows
    )


def test_profiles_are_those_the_database_knows() -> None:
    assert {key for key, _label in LabelRun._meta.get_field("profile").flatchoices} == {*PROFILES, OWN_PROFILE}
