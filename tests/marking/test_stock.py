"""Blank labels as stock: what may be done with them, and what the database refuses of them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from ledger.services import SecondPersonNeeded
from marking.codes import new_code
from marking.models import (
    LabelCount,
    LabelEntry,
    LabelHolding,
    LabelMovement,
    LabelReel,
    LabelSeries,
    LabelShipment,
    Mark,
    SigningKey,
)
from marking.selectors import Reason, check_text
from marking.services import stock as stock_services
from marking.services.orders import LabelOrder
from marking.services.shipments import Counted, receive_reels, send_reels, tell_late_labels, turn_reels_back
from marking.services.stock import LabelsNotThere, make_series, order_series, print_series, write_off
from tests.cast import enter_person, give_role
from tests.marks import print_out

pytestmark = pytest.mark.django_db


def refused(act: Callable[[], object], by: str) -> None:
    """The database refuses it, at the latest at commit, by the constraint or trigger of this name."""

    def act_and_commit() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            act()
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with connection.cursor() as cursor:  # what the fixtures did is asked now, so that it is not refused in place of it
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    with pytest.raises(DatabaseError) as refusal:
        act_and_commit()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    diagnosis = getattr(refusal.value.__cause__, "diag", None)
    assert diagnosis is not None, "refused before it came to the database"
    # The triggers of pgtrigger name no constraint, but their function is named after them.
    assert by in f"{diagnosis.constraint_name} {diagnosis.message_primary} {diagnosis.context}"


def held(reel: LabelReel) -> dict[tuple[str, str], int]:
    rows = LabelHolding.objects.filter(reel=reel).exclude(place="issued").exclude(pieces=0)
    return {(row.place, row.organisation.kind): row.pieces for row in rows.select_related("organisation")}


def add_up(reel: LabelReel) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return sum(LabelHolding.objects.filter(reel=reel).values_list("pieces", flat=True)) == 0


def test_a_series_has_random_codes_in_no_order(series: LabelSeries) -> None:
    assert series.number == "LS25-0001"
    marks = Mark.objects.filter(reel__series=series).order_by("reel", "place_on_reel")
    codes = [mark.code for mark in marks]

    assert [(mark.reel.number, mark.place_on_reel) for mark in marks if mark.reel] == [
        (f"LS25-0001/{reel:03d}", place) for reel in (1, 2) for place in range(1, 11)
    ]
    assert {mark.state for mark in marks} == {"blank"}
    assert codes != sorted(codes)
    assert len(set(codes)) == 20


def test_programs_list_marks_and_blank_labels(
    series: LabelSeries, marks: list[Mark], authority_officer: User, client: Client
) -> None:
    client.force_login(authority_officer)

    listed = client.get("/api/v1/marks/", {"page_size": 200})

    assert listed.status_code == 200
    found = {one["code"]: one for one in listed.json()["results"]}
    assert len(found) == series.count + len(marks)
    blank = series.reels.get(reel=1).marks.order_by("pk")[0]
    assert (found[blank.pk]["item"], found[blank.pk]["number"], found[blank.pk]["state"]) == (None, None, "blank")
    assert found[marks[0].pk]["number"] == marks[0].item.number


def test_a_reel_goes_from_the_printer_to_the_office(
    series: LabelSeries, storekeeper: User, inspector: User, now: datetime
) -> None:
    reel, other = series.reels.all()
    assert held(reel) == {("to_print", "enterprise"): 10}

    print_out(reel, storekeeper, at=now)
    assert held(reel) == {("office", "enterprise"): 10}

    shipment = send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])
    assert held(reel) == {("transit", "enterprise"): 10}

    receive_reels(actor=inspector, at=now, shipment=shipment, counts={reel.pk: Counted(10)})
    assert held(reel) == {("office", "inspectorate"): 10}
    assert held(other) == {("to_print", "enterprise"): 10}
    assert add_up(reel)
    assert add_up(other)


def test_what_does_not_arrive_is_lost_and_refused_at_every_check(
    series: LabelSeries, storekeeper: User, inspector: User, now: datetime
) -> None:
    reel = series.reels.get(reel=1)
    print_out(reel, storekeeper, at=now)
    shipment = send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])

    for counted in (Counted(8), Counted(8, "3"), Counted(10, "3, 4"), Counted(11), Counted(8, "3, 11")):
        with pytest.raises(BadInput):
            receive_reels(actor=inspector, at=now, shipment=shipment, counts={reel.pk: counted})
    receive_reels(actor=inspector, at=now, shipment=shipment, counts={reel.pk: Counted(7, "3, 5-6")})

    assert held(reel) == {("office", "inspectorate"): 7, ("lost", "enterprise"): 3}
    lost = Mark.objects.get(reel=reel, place_on_reel=5)
    assert lost.state == "lost"
    assert check_text(lost.code, own_hosts=()).reasons == (Reason.LABEL_LOST,)
    notice = Notice.objects.get(code="labels.missing")
    assert notice.kind == Notice.Kind.DISCREPANCY
    assert "3, 5-6" in notice.text
    assert shipment.lines.get().missing == "3, 5-6"
    assert add_up(reel)


def test_a_hand_over_has_two_sides(
    series: LabelSeries, storekeeper: User, inspector: User, inspector_elsewhere: User, now: datetime
) -> None:
    reel = series.reels.get(reel=1)
    with pytest.raises(LabelsNotThere):
        send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])  # not printed
    print_out(reel, storekeeper, at=now)
    with pytest.raises(LabelsNotThere):
        send_reels(actor=inspector, at=now, receiver=series.office, reels=[reel])
    shipment = send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])
    with pytest.raises(LabelsNotThere):
        send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])
    for person in (storekeeper, inspector_elsewhere):
        with pytest.raises(NotAllowed):
            receive_reels(actor=person, at=now, shipment=shipment, counts={reel.pk: Counted(10)})
    receive_reels(actor=inspector, at=now, shipment=shipment, counts={reel.pk: Counted(10)})
    with pytest.raises(InvalidTransition):
        receive_reels(actor=inspector, at=now, shipment=shipment, counts={reel.pk: Counted(10)})


def test_the_database_lets_nobody_receive_what_they_sent(
    on_its_way: LabelShipment, storekeeper: User, administrator: User, now: datetime
) -> None:
    rows = LabelShipment.objects.filter(pk=on_its_way.pk)
    give_role(storekeeper, Role.STOREKEEPER, on_its_way.receiver, by=administrator)  # in both offices

    refused(
        lambda: rows.update(state="received", received_by=storekeeper, received_at=now), "nobody_receives_own_labels"
    )


def test_labels_are_ordered_by_the_authority_and_made_by_the_printing_office(
    signing_key: SigningKey,
    inspector: User,
    storekeeper: User,
    authority_officer: User,
    inspectorate: Organisation,
    okhotzooprom: Organisation,
    now: datetime,
) -> None:
    def order(actor: User, **other: object) -> LabelSeries:
        said = {"purpose": "Season", "profile": "roll-50x25", "reel_count": 1, "reel_size": 5} | other
        return order_series(actor=actor, at=now, office=inspectorate, printer=okhotzooprom, **said)  # type: ignore[arg-type]

    with pytest.raises(NotAllowed):
        order(inspector)
    for wrong in ({"purpose": " "}, {"profile": "none"}, {"reel_size": 501}, {"reel_count": 0}):
        with pytest.raises(BadInput):
            order(authority_officer, **wrong)
    series = order(authority_officer)
    with pytest.raises(NotAllowed):
        make_series(actor=inspector, at=now, series=series)
    make_series(actor=storekeeper, at=now, series=series)
    with pytest.raises(InvalidTransition):
        make_series(actor=storekeeper, at=now, series=series)
    assert Mark.objects.filter(reel__series=series).count() == 5


def test_a_code_that_exists_is_passed_over(
    blank: Mark, authority_officer: User, storekeeper: User, now: datetime
) -> None:
    assert blank.reel is not None
    old = blank.reel.series
    again = order_series(
        actor=authority_officer,
        at=now,
        office=old.office,
        printer=old.printer,
        purpose="More",
        profile="roll-50x25",
        reel_count=1,
        reel_size=3,
    )
    fresh = [new_code() for _ in range(5)]
    make_series(actor=storekeeper, at=now, series=again, codes=iter([fresh[0], blank.code, fresh[0], *fresh[1:]]))

    assert Mark.objects.filter(reel__series=again).count() == 3
    assert Mark.objects.get(pk=blank.pk).reel == blank.reel


def test_spoiled_and_lost_labels_leave_the_stock_with_a_reason(
    reel: LabelReel, inspector: User, storekeeper: User, now: datetime
) -> None:
    def off(
        places: list[int], kind: LabelMovement.Kind, actor: User = inspector, reason: str = "Torn in the store"
    ) -> None:
        write_off(actor=actor, at=now, reel=reel, places=places, kind=kind, reason=reason)

    spoiled, lost = LabelMovement.Kind.SPOILED, LabelMovement.Kind.LOST
    off([1, 2, 3], spoiled)
    off([3, 4], lost)
    for places, kind, actor, reason in (
        ([1], spoiled, inspector, "Torn in the store"),
        ([4], lost, inspector, "Torn in the store"),
        ([5], spoiled, storekeeper, "Torn in the store"),
        ([11], spoiled, inspector, "Torn in the store"),
    ):
        with pytest.raises(LabelsNotThere):
            off(places, kind, actor, reason)
    with pytest.raises(BadInput):
        off([5], spoiled, inspector, "Torn")

    assert held(reel) == {
        ("office", "inspectorate"): 6,
        ("spoiled", "inspectorate"): 2,
        ("lost", "inspectorate"): 2,
    }
    assert Notice.objects.filter(code="labels.lost").count() == 1
    assert add_up(reel)


def test_the_database_refuses_what_does_not_add_up(reel: LabelReel, inspector: User, now: datetime) -> None:
    office = reel.series.office_id

    def move(*changes: tuple[str, int, int], **other: object) -> None:
        said = {"kind": "spoiled", "reason": "Around the services"} | other
        movement = LabelMovement.objects.create(actor=inspector, at=now, **said)
        for place, organisation, pieces in changes:
            LabelEntry.objects.create(
                movement=movement, reel=reel, place=place, organisation_id=organisation, pieces=pieces
            )

    marks = Mark.objects.filter(reel=reel)
    refused(
        lambda: marks.filter(place_on_reel=1).update(state="spoiled"), "label_stock_adds_up"
    )  # marks without the ledger
    refused(
        lambda: move(("office", office, -1), ("spoiled", office, 1)), "label_stock_adds_up"
    )  # the ledger without marks
    refused(lambda: move(("office", office, -1)), "label_movement_balances")  # does not balance
    refused(move, "label_movement_balances")  # says nothing
    refused(
        lambda: move(("office", office, -11), ("spoiled", office, 11)), "label_holding_not_negative"
    )  # more than there is
    refused(
        lambda: move(("office", office, -1), ("transit", office, 1)), "reel_is_in_one_place"
    )  # a reel in two places
    refused(lambda: LabelHolding.objects.filter(reel=reel).update(pieces=5), "written_by_trigger_only")
    refused(lambda: LabelCount.objects.filter(reel=reel).update(pieces=5), "written_by_trigger_only")
    refused(lambda: LabelEntry.objects.filter(reel=reel).update(pieces=5), "append_only")
    refused(lambda: LabelEntry.objects.filter(reel=reel).delete(), "append_only")
    received = LabelMovement.objects.filter(kind="received")
    assert received.exists()
    refused(lambda: received._raw_delete(received.db), "append_only")
    refused(lambda: connection.cursor().execute("TRUNCATE marking_labelentry"), "truncate")
    with transaction.atomic():  # both together are in order
        move(("office", office, -1), ("spoiled", office, 1))
        marks.filter(place_on_reel=1).update(state="spoiled")
    assert add_up(reel)


def test_the_database_keeps_every_label_on_its_reel(reel: LabelReel, marks: list[Mark], now: datetime) -> None:
    labels = Mark.objects.filter(reel=reel)

    refused(lambda: labels.filter(place_on_reel=1).update(place_on_reel=77), "mark_stays_on_its_reel")
    refused(lambda: labels.filter(place_on_reel=1).update(reel=None, place_on_reel=None), "mark_stays_on_its_reel")
    refused(lambda: Mark.objects.filter(pk=marks[0].pk).update(reel=reel, place_on_reel=77), "mark_stays_on_its_reel")
    with connection.cursor() as cursor:
        columns = "key_id, payload, signature, issued_at, end_reason, generation"
        copy = f"INSERT INTO marking_mark (code, state, {columns}, reel_id, place_on_reel)"
        for reel_id, place, by in (
            (None, None, "blank_label_is_on_a_reel"),
            (reel.pk, 1, "one_label_at_a_place_of_a_reel"),
            (reel.pk, 11, "label_stock_adds_up"),
            (reel.pk, None, "label_stock_adds_up"),
        ):
            refused(
                lambda reel_id=reel_id, place=place: cursor.execute(  # type: ignore[misc]
                    f"{copy} SELECT %s, 'blank', {columns}, %s, %s FROM marking_mark LIMIT 1",
                    [new_code(), reel_id, place],
                ),
                by,
            )


def test_a_large_series_is_ordered_to_be_printed_some_reels_at_a_time(
    series: LabelSeries, storekeeper: User, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_services, "REELS_AT_ONCE", 1)
    order = LabelOrder("roll-50x25")
    with pytest.raises(NotAllowed):
        print_series(actor=inspector, at=now, series=series, order=order)

    ordered = [print_series(actor=storekeeper, at=now, series=series, order=order) for _ in range(3)]

    assert [[run.reel.reel for run in runs if run.reel] for runs in ordered] == [[1], [2], []]


def test_labels_go_only_where_somebody_may_receive_them(
    series: LabelSeries, storekeeper: User, authority_officer: User, trader_company: Organisation, now: datetime
) -> None:
    reel = series.reels.get(reel=1)
    print_out(reel, storekeeper, at=now)

    with pytest.raises(BadInput) as caught:
        send_reels(actor=storekeeper, at=now, receiver=trader_company, reels=[reel])
    assert set(caught.value.fields) == {"receiver"}
    with pytest.raises(BadInput) as caught:
        order_series(
            actor=authority_officer,
            at=now,
            office=series.office,
            printer=trader_company,
            purpose="Season",
            profile="roll-50x25",
            reel_count=1,
            reel_size=10,
        )
    assert set(caught.value.fields) == {"printer"}
    assert held(reel) == {("office", "enterprise"): 10}


def test_a_count_stays_blind_whatever_is_typed(
    series: LabelSeries, storekeeper: User, inspector: User, now: datetime
) -> None:
    reel = series.reels.get(reel=1)
    print_out(reel, storekeeper, at=now)
    write_off(
        actor=storekeeper, at=now, reel=reel, places=[7], kind=LabelMovement.Kind.SPOILED, reason="Torn in the store"
    )
    shipment = send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])

    said: set[str] = set()
    for counted in (
        Counted(0),
        Counted(8),
        Counted(10),
        Counted(300),
        Counted(8, "7"),
        Counted(5, "3, 7"),
        Counted(5, "3"),
    ):
        with pytest.raises(BadInput) as caught:
            receive_reels(actor=inspector, at=now, shipment=shipment, counts={reel.pk: counted})
        said.update(str(text) for text in caught.value.fields.values())

    assert len(said) == 1
    assert not {"9", "10", "7"} & set(said.pop())


@pytest.fixture
def second_keeper(okhotzooprom: Organisation, administrator: User) -> User:
    """Works beside the storekeeper."""
    return enter_person("second_keeper", "Ахметова Сәуле", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)


@pytest.fixture
def on_its_way(series: LabelSeries, storekeeper: User, inspector: User, now: datetime) -> LabelShipment:
    """The first reel of the series, sent to the inspection and not received yet."""
    reel = series.reels.get(reel=1)
    print_out(reel, storekeeper, at=now)
    return send_reels(actor=storekeeper, at=now, receiver=series.office, reels=[reel])


def test_labels_that_are_turned_back_are_counted_where_they_came_from_by_a_third_person(
    on_its_way: LabelShipment,
    storekeeper: User,
    second_keeper: User,
    inspector: User,
    second_inspector: User,
    inspector_elsewhere: User,
    now: datetime,
) -> None:
    reel = on_its_way.lines.get().reel

    def count(actor: User, counted: Counted | None = None) -> LabelShipment:
        return receive_reels(actor=actor, at=now, shipment=on_its_way, counts={reel.pk: counted or Counted(10)})

    with pytest.raises(NotAllowed):
        turn_reels_back(actor=inspector_elsewhere, at=now, shipment=on_its_way, reason="They went the wrong way")
    with pytest.raises(BadInput):
        turn_reels_back(actor=inspector, at=now, shipment=on_its_way, reason="xx")
    turned = turn_reels_back(actor=inspector, at=now, shipment=on_its_way, reason="Another inspection ordered them")
    assert (turned.state, turned.turned_by) == ("returning", inspector)
    assert held(reel) == {("transit", "enterprise"): 10}
    with pytest.raises(InvalidTransition):
        turn_reels_back(actor=storekeeper, at=now, shipment=on_its_way, reason="Another inspection ordered them")
    for person in (inspector, second_inspector):
        with pytest.raises(NotAllowed):
            count(person)
    with pytest.raises(SecondPersonNeeded):
        count(storekeeper)
    done = count(second_keeper, Counted(9, "4"))

    assert (done.state, done.received_by) == ("returned", second_keeper)
    assert held(reel) == {("office", "enterprise"): 9, ("lost", "enterprise"): 1}
    told = Notice.objects.filter(code="labels.missing").values_list("organisation", flat=True)
    assert set(told) == {on_its_way.sender_id, on_its_way.receiver_id}
    assert add_up(reel)
    assert send_reels(actor=storekeeper, at=now, receiver=on_its_way.receiver, reels=[reel]).lines.get().sent == 9


def test_the_sender_takes_labels_back_where_a_colleague_can_count_them(
    on_its_way: LabelShipment,
    storekeeper: User,
    inspector: User,
    okhotzooprom: Organisation,
    administrator: User,
    now: datetime,
) -> None:
    said = {"actor": storekeeper, "at": now, "shipment": on_its_way, "reason": "The wrong reel was in the box"}
    with pytest.raises(BadInput) as caught:
        turn_reels_back(**said)  # type: ignore[arg-type]
    assert set(caught.value.fields) == {"reason"}
    on_its_way.refresh_from_db()
    assert on_its_way.state == "sent"

    colleague = enter_person("colleague", "Ахметова Сәуле", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)
    turn_reels_back(**said)  # type: ignore[arg-type]
    reel = on_its_way.lines.get().reel
    receive_reels(actor=colleague, at=now, shipment=on_its_way, counts={reel.pk: Counted(10)})
    assert held(reel) == {("office", "enterprise"): 10}
    assert add_up(reel)


def test_labels_that_do_not_come_are_told_to_both_sides_once(
    on_its_way: LabelShipment, storekeeper: User, second_keeper: User, inspector: User, now: datetime
) -> None:
    sides = {on_its_way.sender_id, on_its_way.receiver_id}
    open_ones = Notice.objects.open()

    def told(code: str) -> set[int]:
        return set(open_ones.filter(code=code).values_list("organisation", flat=True))

    assert tell_late_labels(at=now + timedelta(days=7)) == 0
    assert tell_late_labels(at=now + timedelta(days=8)) == 1
    assert tell_late_labels(at=now + timedelta(days=9)) == 0
    assert told("labels.late") == sides
    later = now + timedelta(days=9)
    turn_reels_back(actor=inspector, at=later, shipment=on_its_way, reason="Nobody is in the office this month")
    assert told("labels.late") == set()
    assert tell_late_labels(at=later + timedelta(days=8)) == 1
    assert told("labels.late_back") == sides
    reel = on_its_way.lines.get().reel
    receive_reels(actor=second_keeper, at=later, shipment=on_its_way, counts={reel.pk: Counted(10)})
    assert told("labels.late_back") == set()


@pytest.mark.parametrize("days", [-1, 61])
def test_labels_arrive_on_a_day_that_can_be(
    series: LabelSeries,
    storekeeper: User,
    inspector: User,
    now: datetime,
    days: int,
) -> None:
    reel = series.reels.get(reel=1)
    print_out(reel, storekeeper, at=now)

    with pytest.raises(BadInput) as caught:
        send_reels(
            actor=storekeeper, at=now, receiver=series.office, reels=[reel], expected_on=now.date() + timedelta(days)
        )
    assert set(caught.value.fields) == {"expected_on"}
    assert held(reel) == {("office", "enterprise"): 10}


def test_the_database_holds_the_way_of_labels(
    on_its_way: LabelShipment,
    storekeeper: User,
    inspector: User,
    trader_company: Organisation,
    trader: User,
    administrator: User,
    now: datetime,
) -> None:
    rows = LabelShipment.objects.filter(pk=on_its_way.pk)
    turned = {"state": "returning", "turned_by": inspector, "turned_at": now, "turn_reason": "Wrong office altogether"}

    def send(**other: object) -> LabelShipment:
        said = {"sender_id": on_its_way.sender_id, "receiver_id": on_its_way.receiver_id, "due_on": now.date()} | other
        said = {"number": "LH25-900000", "sent_by": storekeeper, "sent_at": now} | said
        return LabelShipment.objects.create(**said)

    def end(state: str, person: User) -> Callable[[], int]:
        return lambda: rows.update(state=state, received_by=person, received_at=now)

    goes, arrives = "labels_go_where_somebody_receives", "labels_are_received_where_they_arrive"
    refused(lambda: send(receiver_id=trader_company.pk), goes)
    refused(lambda: send(sent_at=now - timedelta(days=3000)), goes)  # nobody was appointed then
    refused(lambda: send(due_on=None), "labels_under_way_have_a_due_day")
    refused(lambda: send(state="received", received_by=trader, received_at=now), arrives)
    refused(end("received", trader), arrives)
    refused(lambda: rows.update(**turned), goes)  # nobody but the sender to count them
    refused(end("returned", inspector), "label_shipment_goes_its_way")
    refused(lambda: rows.update(expected_on=now.date()), "label_shipment_is_fixed")
    refused(lambda: rows.update(due_on=None), "labels_under_way_have_a_due_day")
    colleague, third = (
        enter_person(name, names, Role.STOREKEEPER, on_its_way.sender, appointed_by=administrator)
        for name, names in (("colleague", "Ахметова Сәуле"), ("third", "Оспанов Ерлан"))
    )
    turned["turned_by"] = colleague
    refused(lambda: rows.update(**turned | {"turn_reason": ""}), "label_shipment_turned_all_or_none")
    rows.update(**turned)
    refused(lambda: rows.update(turn_reason="Another reason altogether"), "labels_are_turned_once")
    refused(end("received", inspector), "label_shipment_goes_its_way")
    refused(end("returned", storekeeper), "nobody_receives_own_labels")
    refused(end("returned", colleague), "nobody_counts_labels_they_turned_back")
    for person in (inspector, trader):  # of the office that was to get them, and of a third
        refused(end("returned", person), arrives)
    end("returned", third)()
    refused(lambda: rows.update(state="sent"), "label_shipment_ends_once")
