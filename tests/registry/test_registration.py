"""Registration: derivatives, numbers, opening movement, hold; all or nothing."""

from datetime import date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import InvalidTransition, NotAllowed
from core.notices.models import Notice
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, Movement, MovementKind
from ledger.selectors import find_differences
from ledger.services import Arrival, ItemsOnHold, dispatch_items, enter_items, open_items
from registry.measures import TableRow
from registry.models import Derivative, Intake, IntakeRow
from registry.services import (
    BandNotConfirmed,
    ExplanationNeeded,
    NothingToRegister,
    TableChanged,
    cancel_intake,
    register_intake,
    save_rows,
)
from reports.story import tell_story
from tests.builders import Receive, register, some_rows


def test_registration_brings_every_row_into_the_store(open_intake: Intake, inspector: User, now: datetime) -> None:
    rows = {row.row: row.mass_g for row in open_intake.rows.all()}

    derivatives = register_intake(actor=inspector, at=now, intake=open_intake)

    assert [d.number for d in derivatives] == [f"KZ25-{serial:07d}" for serial in range(1, 7)]
    assert {d.row: d.mass_g for d in Derivative.objects.all()} == rows
    held = Holding.objects.filter(account=open_intake.store, item__in=[d.pk for d in derivatives])
    assert {(h.stock_class, h.pieces) for h in held} == {("HOR:removal", 1)}
    assert sum(h.grams for h in held) == sum(rows.values())
    assert {h.moved_on for h in held} == {open_intake.on}
    open_intake.refresh_from_db()
    assert (open_intake.state, open_intake.pieces, open_intake.grams) == ("registered", 6, sum(rows.values()))
    assert not IntakeRow.objects.exists()
    assert find_differences() == {}


def test_returned_derivatives_are_those_in_the_database(open_intake: Intake, inspector: User, now: datetime) -> None:
    derivatives = register_intake(actor=inspector, at=now, intake=open_intake)

    stored = list(Derivative.objects.values().order_by("row"))
    assert [{f: getattr(d, f) for f in stored[0]} for d in derivatives] == stored


def test_goods_come_from_the_boundary_of_their_origin(open_intake: Intake, inspector: User, now: datetime) -> None:
    register(open_intake, actor=inspector, at=now)

    movement = Movement.objects.get(kind=MovementKind.INTAKE)
    assert movement.effective_on == open_intake.on
    assert movement.reference == open_intake.number
    boundary = CustodyAccount.objects.boundary(AccountKind.REMOVAL)
    assert movement.postings.filter(account=boundary, pieces=-1).count() == 6


def test_numbers_go_on_without_a_gap(
    inspector: User,
    now: datetime,
    receive: Receive,
) -> None:
    first = receive(rows=3)
    second = receive(rows=2)
    refused = receive(rows=[TableRow(1, "L", 900)])

    register(first, actor=inspector, at=now)
    with pytest.raises(BandNotConfirmed):
        register_intake(actor=inspector, at=now, intake=refused)
    later = register(second, actor=inspector, at=now)

    assert [d.number for d in later] == ["KZ25-0000004", "KZ25-0000005"]


def test_seized_horns_come_into_evidence_and_cannot_leave(
    open_seizure: Intake, inspector: User, now: datetime, central_store: CustodyAccount
) -> None:
    derivatives = register(open_seizure, actor=inspector, at=now)

    assert open_seizure.case is not None
    assert {d.stock_class for d in derivatives} == {"HOR:seizure"}
    holds = Hold.objects.active()
    assert {(h.item_id, h.kind, h.reference) for h in holds} == {
        (d.pk, "evidence", open_seizure.case.erdr_number) for d in derivatives
    }
    with pytest.raises(ItemsOnHold):
        dispatch_items(
            actor=inspector,
            at=now,
            key="away",
            item_ids=[derivatives[0].pk],
            source=open_seizure.store,
            target=central_store,
            carried_by="Abai Kunanbaiuly",
        )
    transit = CustodyAccount.objects.get(kind=AccountKind.TRANSIT, custodian=open_seizure.store.custodian)
    with pytest.raises(IntegrityError, match="held_item_does_not_move"), transaction.atomic():
        _post_around_the_service(derivatives[0], open_seizure.store, transit, inspector, now)
    assert Holding.objects.filter(account=open_seizure.store).count() == 4


def _post_around_the_service(
    horn: Derivative, source: CustodyAccount, target: CustodyAccount, actor: User, at: datetime
) -> None:
    movement = Movement.objects.create(kind=MovementKind.DISPATCH, key="around", actor=actor, effective_on=at.date())
    movement.postings.bulk_create(
        movement.postings.model(
            movement=movement,
            account=account,
            item_id=horn.pk,
            stock_class=horn.stock_class,
            pieces=sign,
            grams=sign * horn.mass_g,
        )
        for account, sign in ((source, -1), (target, 1))
    )


def test_the_database_takes_nothing_in_without_an_intake(
    open_intake: Intake, inspector: User, now: datetime, reception_store: CustodyAccount
) -> None:
    register(open_intake, actor=inspector, at=now)

    def bring(**said: Any) -> None:
        with transaction.atomic():
            enter_items(
                actor=inspector,
                at=now,
                source=CustodyAccount.objects.boundary(AccountKind.REMOVAL),
                target=reception_store,
                arrivals=[Arrival(open_items(1)[0], "HOR:removal", 1, 210)],
                effective_on=open_intake.on,
                **said,
            )
            connection.check_constraints()

    other = f"intake:{open_intake.pk + 1}"
    for said in ({"key": "around"}, {"key": "around", "reference": open_intake.number}, {"key": other}):
        with pytest.raises(IntegrityError, match="belongs to no intake"):
            bring(**said)

    assert Holding.objects.filter(account=reception_store).count() == Derivative.objects.count() == 6


def test_unusual_masses_must_be_confirmed(
    inspector: User,
    now: datetime,
    receive: Receive,
) -> None:
    rows = [TableRow(1, "L", 49), TableRow(2, "R", 50), TableRow(3, "L", 400), TableRow(4, "R", 401)]
    intake = receive(rows=rows)

    with pytest.raises(BandNotConfirmed) as refusal:
        register_intake(actor=inspector, at=now, intake=intake)

    assert "1, 4" in str(refusal.value.fields["confirm_band"])
    assert not Derivative.objects.exists()
    assert intake.rows.count() == 4
    for reason in ("", ".", "aaaaaaaaaaaa"):
        with pytest.raises(BandNotConfirmed) as refusal:
            register_intake(actor=inspector, at=now, intake=intake, confirm_band=True, band_reason=reason)
        assert set(refusal.value.fields) == {"band_reason"}
    assert not Derivative.objects.exists()
    why = "Weighed again on another scale"
    horns = list(register_intake(actor=inspector, at=now, intake=intake, confirm_band=True, band_reason=f" {why} "))
    intake.refresh_from_db()
    assert (len(horns), intake.band_reason) == (4, why)
    told = [[fact.value for step in tell_story(horn, reader=inspector) for fact in step.facts] for horn in horns]
    assert [why in facts for facts in told] == [True, False, False, True]
    assert Event.objects.get(verb="intake.registered").facts["outside_band"] == [1, 4]


@pytest.mark.parametrize("males", [0, 2])
def test_more_horns_than_males_carry_need_an_explanation(
    males: int,
    inspector: User,
    now: datetime,
    receive: Receive,
) -> None:
    intake = receive(rows=5, males=males, females=9)

    with pytest.raises(ExplanationNeeded):
        register_intake(actor=inspector, at=now, intake=intake, explanation="  ")
    assert not Derivative.objects.exists()
    register_intake(actor=inspector, at=now, intake=intake, explanation="A broken horn of an earlier day.")

    intake.refresh_from_db()
    assert intake.explanation == "A broken horn of an earlier day."
    notice = Notice.objects.get(code="intake.horns_per_male")
    assert notice.organisation == intake.store.custodian
    assert (notice.kind, notice.due_on) == ("discrepancy", date(2025, 11, 20))
    assert (notice.params["pieces"], notice.params["males"]) == (5, males)


def test_exactly_two_horns_a_male_are_no_question(
    inspector: User,
    now: datetime,
    receive: Receive,
) -> None:
    intake = receive(rows=6, males=3)

    register_intake(actor=inspector, at=now, intake=intake, explanation="not asked for")

    assert not Notice.objects.exists()
    intake.refresh_from_db()
    assert intake.explanation == ""


def test_an_empty_table_is_refused(
    inspector: User,
    now: datetime,
    receive: Receive,
) -> None:
    intake = receive(rows=0, males=1)

    with pytest.raises(NothingToRegister):
        register_intake(actor=inspector, at=now, intake=intake)

    intake.refresh_from_db()
    assert intake.is_open


def test_a_table_changed_meanwhile_is_not_registered(open_intake: Intake, inspector: User, now: datetime) -> None:
    seen = open_intake.version
    save_rows(actor=inspector, at=now, intake=open_intake, version=seen, rows=some_rows(1, first=7))

    with pytest.raises(TableChanged):
        register_intake(actor=inspector, at=now, intake=open_intake, version=seen)

    assert not Derivative.objects.exists()


def test_registration_happens_once(open_intake: Intake, inspector: User, now: datetime) -> None:
    register(open_intake, actor=inspector, at=now)

    with pytest.raises(InvalidTransition):
        register(open_intake, actor=inspector, at=now)
    with pytest.raises(InvalidTransition):
        cancel_intake(actor=inspector, at=now, intake=open_intake, reason="too late, as told")

    assert Derivative.objects.count() == 6


def test_only_who_takes_in_there_registers(
    open_intake: Intake, inspector_elsewhere: User, storekeeper: User, trader: User, auditor: User, now: datetime
) -> None:
    for person in (inspector_elsewhere, storekeeper, trader, auditor):
        with pytest.raises(NotAllowed):
            register_intake(actor=person, at=now, intake=open_intake)

    assert not Derivative.objects.exists()


def test_the_number_of_queries_does_not_grow(
    inspector: User,
    now: datetime,
    receive: Receive,
) -> None:
    register_intake(actor=inspector, at=now, intake=receive(rows=1))  # the first of a day finds no horns to lock
    counts = []
    for size in (2, 200):
        intake = receive(rows=size)
        with CaptureQueriesContext(connection) as queries:
            register_intake(actor=inspector, at=now, intake=intake)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_an_event_tells_the_registration(open_intake: Intake, inspector: User, now: datetime) -> None:
    register(open_intake, actor=inspector, at=now)

    event = Event.objects.about(("intake", open_intake.pk)).get(verb="intake.registered")
    assert event.actor_id == inspector.pk
    assert event.facts["pieces"] == 6
    assert (event.facts["first"], event.facts["last"]) == ("KZ25-0000001", "KZ25-0000006")
