"""Loss and theft: held at once, settled by two persons."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.documents.attaching import FilesAreKept, attach_files, withdraw_file
from core.documents.models import Attachment, Withdrawal
from core.notices.models import Notice
from core.notices.services import decide_notice
from custody.missing import lines_of_found, read_found
from custody.models import LossAct, LossLine, LossReport
from custody.papers import loss_paper
from custody.services import loss
from ledger.models import CustodyAccount, Handover, Hold, Holding, Movement
from ledger.selectors import find_differences
from ledger.services import (
    ItemsNotThere,
    ItemsOnHold,
    SecondPersonNeeded,
    dispatch_items,
    end_counting,
    lift_hold,
    open_stocktake,
    sign_stocktake,
)
from marking.models import Mark
from marking.selectors import Reason, check_text
from permits.models import Permit
from permits.selectors import count_lines, count_still_missing
from registry.models import Brigade, Derivative, Find, Origin, Outcome, Recipe, RemovalPermit, Term
from registry.services import (
    DecisionFacts,
    Delivered,
    InputsRefused,
    Package,
    approve_processing,
    choose_inputs,
    confirm_decision,
    confirm_intake,
    enter_daily_sheet,
    open_processing,
    record_decision,
    register_processing,
    return_processing,
    save_outputs,
    save_rows,
    sign_daily_sheet,
)
from registry.services.origins import Scan, open_intake
from tests.builders import LOSS_TOLD, register, some_rows
from tests.cast import enter_person
from tests.files import picture, scanned
from tests.rights import receive

Later = Callable[..., datetime]
EARLY = "The river took the whole truck"


def refused(write: Callable[[], object], by: str) -> None:
    with pytest.raises(DatabaseError) as refusal:
        _try_whole(write)
    diagnosis = getattr(refusal.value.__cause__, "diag", None)
    assert by in f"{getattr(diagnosis, 'constraint_name', '')} {refusal.value}"


def _try_whole(write: Callable[[], object]) -> None:
    with transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def say(actor: User, at: datetime, account: CustodyAccount, items: list[int], **facts: object) -> LossReport:
    told = {
        "kind": LossReport.Kind.THEFT,
        **LOSS_TOLD,
        "last_seen_on": at.date() - timedelta(days=1),
        "noticed_on": at.date(),
        "police_number": "KUI-114",
    }
    return loss.report_loss(actor=actor, at=at, account=account, item_ids=items, **(told | facts))  # type: ignore[arg-type]


def seen(items: list[int], grams: int | None = None) -> dict[int, loss.Found]:
    """What a person who has these in hand reads and weighs: by default what the register says."""
    booked = dict(Derivative.objects.filter(pk__in=items).values_list("pk", "mass_g"))
    marks = dict(Mark.objects.active().filter(derivative__in=items).values_list("derivative_id", "pk"))
    return {item: loss.Found(marks[item], grams or booked[item]) for item in items}


@pytest.fixture
def second_storekeeper(okhotzooprom: Organisation, administrator: User) -> User:
    return enter_person("storekeeper2", "Сағынтай Дәулет", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)


@pytest.fixture
def report(
    marked: list[Derivative], storekeeper: User, authority_officer: User, reception_store: CustodyAccount, now: datetime
) -> LossReport:
    """Two of six horns of the reception store were stolen."""
    return say(storekeeper, now, reception_store, [horn.pk for horn in marked[:2]])


def test_what_is_reported_is_held_at_once_and_the_authority_is_told(
    report: LossReport, marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount,
    central_store: CustodyAccount, now: datetime,
) -> None:  # fmt: skip
    items = [horn.pk for horn in marked[:2]]

    with pytest.raises(ItemsOnHold) as refusal, translation.override("en"):
        dispatch_items(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="x",
            source=reception_store,
            target=central_store,
            item_ids=items[:1],
        )
    with translation.override("en"):
        assert str(refusal.value).startswith(f"Some of these items are reported lost or stolen ({report.number})")

    notice = Notice.objects.get(code="loss.reported")
    assert notice.organisation.kind == "ministry"
    code = Mark.objects.get(derivative=items[0]).code
    assert Reason.LOST in check_text(code, own_hosts=()).reasons
    with pytest.raises(loss.ReportedBefore):
        say(storekeeper, now, reception_store, items)


def test_only_those_who_work_there_report(
    marked: list[Derivative], trader: User, auditor: User, reception_store: CustodyAccount,
    trader_store: CustodyAccount, now: datetime,
) -> None:  # fmt: skip
    for person in (trader, auditor):
        with pytest.raises(NotAllowed):
            say(person, now, reception_store, [marked[0].pk])
    with pytest.raises(ItemsNotThere):
        say(trader, now, trader_store, [marked[0].pk])
    assert not LossReport.objects.exists()
    assert not Hold.objects.exists()


def test_found_again_frees_the_items_by_two_persons(
    report: LossReport, marked: list[Derivative], storekeeper: User, inspector: User, reception_store: CustodyAccount,
    later: Later,
) -> None:  # fmt: skip
    act = loss.propose_act(
        actor=storekeeper,
        at=later(hours=1),
        report=report,
        kind=LossAct.Kind.RECOVERY,
        item_ids=[marked[0].pk],
        reason="Behind the shelf",
        target=reception_store,
    )
    with pytest.raises(SecondPersonNeeded):
        loss.approve_act(actor=storekeeper, at=later(hours=2), act=act)
    refused(
        lambda: LossAct.objects.filter(pk=act.pk).update(
            state="approved", decided_by=storekeeper, decided_at=later(hours=2)
        ),
        "loss_act_needs_two_persons",
    )

    approved = loss.approve_act(actor=inspector, at=later(hours=2), act=act)

    assert list(Hold.objects.active().values_list("item_id", flat=True)) == [marked[1].pk]
    assert not Movement.objects.filter(kind="recovery").exists()
    paper = loss_paper(approved, "ru", actor=inspector, at=later(hours=3))
    assert paper.file.read().startswith(b"%PDF")
    approved.refresh_from_db()
    assert approved.paper_ru == paper
    refused(lambda: LossAct.objects.filter(pk=act.pk).update(paper_ru=None), "loss_act_decided_for_good")


def test_a_write_off_is_approved_by_the_authority_and_takes_the_items_out(
    report: LossReport, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    later: Later,
) -> None:  # fmt: skip
    items = [horn.pk for horn in marked[:2]]
    act = loss.propose_act(
        actor=storekeeper,
        at=later(hours=1),
        report=report,
        kind=LossAct.Kind.WRITE_OFF,
        item_ids=items,
        reason="Gone without a trace",
        early_reason=EARLY,
    )
    with pytest.raises(NotAllowed):
        loss.approve_act(actor=inspector, at=later(hours=2), act=act)

    loss.approve_act(actor=authority_officer, at=later(hours=2), act=act)

    assert set(Holding.objects.filter(item__in=items, pieces__gt=0).values_list("account__kind", flat=True)) == {"loss"}
    assert not Hold.objects.active().exists()
    assert set(report.lines.values_list("outcome", flat=True)) == {"written_off"}
    assert not Notice.objects.open().filter(code="loss.reported").exists()
    assert find_differences() == {}
    with pytest.raises(InvalidTransition):
        loss.approve_act(actor=authority_officer, at=later(hours=2), act=act)


def write_off(report: LossReport, by: User, approver: User, at: datetime) -> LossAct:
    act = loss.propose_act(
        actor=by, at=at, report=report, kind=LossAct.Kind.WRITE_OFF, reason="Gone without a trace", early_reason=EARLY,
        item_ids=list(report.lines.values_list("item_id", flat=True)),
    )  # fmt: skip
    return loss.approve_act(actor=approver, at=at, act=act)


def test_what_was_stolen_is_written_off_though_its_day_is_in_question(
    report: LossReport, marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade, now: datetime, later: Later,
) -> None:  # fmt: skip
    sheet = enter_daily_sheet(
        actor=inspector, at=now, brigade=brigade, permit=permit_to_remove, on=now.date(), males=4, females=2, young=1,
        horns_cut=9, deliveries=[Delivered(reception_store, 7)], confirm=True,
    )  # fmt: skip
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)
    asked = Notice.objects.open().filter(subject_kind="daily_sheet").count()
    held = Hold.objects.active().filter(kind=Hold.Kind.REMOVAL)
    assert (asked > 0, held.count()) == (True, 6)

    act = write_off(report, storekeeper, authority_officer, later(hours=1))

    stays = {horn.pk for horn in marked[2:]}
    assert set(held.values_list("item_id", flat=True)) == stays
    assert not Hold.objects.active().exclude(item__in=stays).exists()
    assert Notice.objects.open().filter(subject_kind="daily_sheet").count() == asked
    for reason in (act.number, "Never mind, as told"):
        refused(
            lambda reason=reason: lift_hold(  # type: ignore[misc]
                actor=authority_officer, at=now, item_ids=list(stays), kind=Hold.Kind.REMOVAL, reason=reason
            ),
            "horns_of_a_day_wait_for_its_judgement",
        )


def test_goods_written_off_before_anybody_confirmed_them_leave_no_notice_that_waits_for_ever(
    inspector: User, storekeeper: User, second_inspector: User, authority_officer: User,
    reception_store: CustodyAccount, permit_to_remove: RemovalPermit, now: datetime, later: Later,
) -> None:  # fmt: skip
    day = now.date()
    paper = Find(
        place="Қазталов ауданы", found_on=day - timedelta(days=2), finder="Бисенов Асан", act_number="3", act_on=day
    )
    intake = open_intake(
        actor=inspector, at=now, origin=Origin.FOUND, term=Term.HORN, store=reception_store, on=day, paper=paper,
        scan=Scan("act.jpg", scanned()),
    )  # fmt: skip
    horns = register(
        save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=some_rows(2)),
        actor=inspector, at=now,
    )  # fmt: skip
    waits = Notice.objects.get(code="intake.found_waits")
    decide = partial(
        decide_notice, actor=authority_officer, notice=waits, outcome="other", decision="-", reason="Both were stolen"
    )
    stolen = say(storekeeper, now, reception_store, [horn.pk for horn in horns])
    with pytest.raises(InvalidTransition):
        decide(at=now)

    write_off(stolen, storekeeper, authority_officer, later(hours=1))

    with pytest.raises(InvalidTransition):
        confirm_intake(actor=second_inspector, at=later(hours=2), intake=intake)
    assert decide(at=later(hours=2)).decided_by == authority_officer


def test_what_was_stolen_is_written_off_though_a_run_waits_for_it(
    report: LossReport, marked: list[Derivative], storekeeper: User, authority_officer: User,
    reception_store: CustodyAccount, later: Later,
) -> None:  # fmt: skip
    """The run is not approved any more: it is given back, and registered anew with what is there."""
    at = later(hours=1)
    stolen = {horn.pk for horn in marked[:2]}
    found = loss.propose_act(
        actor=storekeeper, at=at, report=report, kind=LossAct.Kind.RECOVERY, item_ids=list(stolen),
        reason="Behind the shelf", target=reception_store,
    )  # fmt: skip
    loss.approve_act(actor=authority_officer, at=at, act=found)
    run = open_processing(actor=storekeeper, at=at, recipe=Recipe.SLICES, store=reception_store)
    choose_inputs(actor=storekeeper, at=at, run=run, item_ids=[horn.pk for horn in marked])
    grams = sum(horn.mass_g for horn in marked)
    save_outputs(actor=storekeeper, at=at, run=run, packages=[Package(1, grams // 2)])
    run.refresh_from_db()
    register_processing(
        actor=storekeeper, at=at, run=run, loss_g=grams - grams // 2, explanation="The saw was blunt, as told"
    )
    run.refresh_from_db()
    assert run.is_awaiting
    again = say(storekeeper, at, reception_store, list(stolen))

    write_off(again, storekeeper, authority_officer, later(hours=2))

    held = Hold.objects.active().values_list("item_id", "kind")
    assert set(held) == {(horn.pk, "processing") for horn in marked[2:]}
    with pytest.raises(InputsRefused):
        approve_processing(actor=authority_officer, at=later(hours=3), run=run, reason="The saw was blunt indeed")
    return_processing(actor=storekeeper, at=later(hours=3), run=run, reason="Two of them were stolen")
    assert not Hold.objects.active().exists()
    assert find_differences() == {}


def test_nothing_is_called_written_off_before_it_is() -> None:
    headings = [
        str(LossAct(kind=LossAct.Kind.WRITE_OFF, state=state).heading) for state in ("proposed", "approved", "refused")
    ]

    assert headings[1] == str(LossAct.Kind.WRITE_OFF.label)
    assert headings[0] == headings[2] != headings[1]


def test_a_refused_act_leaves_the_items_missing(
    report: LossReport, marked: list[Derivative], storekeeper: User, authority_head: User, later: Later
) -> None:
    act = loss.propose_act(
        actor=storekeeper,
        at=later(hours=1),
        report=report,
        kind=LossAct.Kind.WRITE_OFF,
        item_ids=[marked[0].pk],
        reason="Gone without a trace",
        early_reason=EARLY,
    )

    loss.refuse_act(actor=authority_head, at=later(hours=2), act=act, reason="Search once more")

    assert set(report.lines.values_list("outcome", flat=True)) == {"open"}
    assert not report.lines.exclude(act=None).exists()
    assert Hold.objects.active().count() == 2


def test_what_was_missing_on_arrival_is_settled_here(
    permit: Permit, handover: Handover, trader: User, storekeeper: User, second_storekeeper: User,
    authority_officer: User, reception_store: CustodyAccount, later: Later,
) -> None:  # fmt: skip
    lines = list(handover.lines.values_list("item_id", flat=True).order_by("item_id"))
    receive(handover, actor=trader, at=later(hours=3), without=lines[:2])
    handover.refresh_from_db()
    assert loss.missing_of_handover(handover) == lines[:2]
    report = say(
        storekeeper,
        later(hours=4),
        handover.transit,
        lines[:2],
        kind=LossReport.Kind.TRANSIT,
        reference=handover.number,
    )
    found = loss.propose_act(
        actor=storekeeper,
        at=later(hours=5),
        report=report,
        kind=LossAct.Kind.RECOVERY,
        item_ids=lines[:1],
        reason="Left in the truck",
        target=reception_store,
        found=seen(lines[:1]),
    )
    for party in (trader, second_storekeeper):
        assert (party.pk in loss.who_declared(report, lines)) is (party == trader)
    loss.approve_act(actor=authority_officer, at=later(hours=6), act=found)
    gone = loss.propose_act(
        actor=storekeeper,
        at=later(hours=7),
        report=report,
        kind=LossAct.Kind.WRITE_OFF,
        item_ids=lines[1:2],
        reason="Fell from the truck",
        early_reason=EARLY,
    )
    loss.approve_act(actor=authority_officer, at=later(hours=8), act=gone)

    assert Holding.objects.get(item=lines[0], pieces__gt=0).account == reception_store
    assert Holding.objects.get(item=lines[1], pieces__gt=0).account.kind == "loss"
    assert loss.missing_of_handover(handover) == []
    assert (count_lines(handover)["missing"], count_still_missing(handover)) == (2, 0)
    assert find_differences() == {}


def test_lost_evidence_waits_for_the_court_and_is_carried_out_when_found(
    open_seizure: object, inspector: User, authority_officer: User, evidence_room: CustodyAccount, now: datetime
) -> None:
    goods = register(open_seizure, actor=inspector, at=now)  # type: ignore[arg-type]
    keys = [horn.pk for horn in goods]
    report = say(inspector, now, evidence_room, keys[:2])
    gone = loss.propose_act(
        actor=inspector,
        at=now,
        report=report,
        kind=LossAct.Kind.WRITE_OFF,
        item_ids=keys[:1],
        reason="Gone without a trace",
        early_reason=EARLY,
    )
    with pytest.raises(ItemsOnHold):
        loss.approve_act(actor=authority_officer, at=now, act=gone)
    case = goods[0].intake.case
    assert case is not None
    decision = record_decision(
        actor=inspector,
        at=now,
        case=case,
        facts=DecisionFacts("Court", "7", now.date(), now.date()),
        outcomes={Outcome.CONFISCATED: keys},
    )
    confirm_decision(actor=authority_officer, at=now, decision=decision)
    assert set(Hold.objects.active().filter(kind="court").values_list("item_id", flat=True)) == set(keys[:2])

    loss.approve_act(actor=authority_officer, at=now, act=gone)
    found = loss.propose_act(
        actor=inspector, at=now, report=report, kind=LossAct.Kind.RECOVERY, item_ids=keys[1:2],
        reason="Behind the shelf", target=evidence_room,
    )  # fmt: skip
    loss.approve_act(actor=authority_officer, at=now, act=found)

    there = dict(Holding.objects.filter(account=evidence_room).values_list("item_id", "stock_class"))
    assert there == dict.fromkeys(keys[1:], "HOR:confiscated")
    assert not Hold.objects.active().exists()
    assert find_differences() == {}


def test_the_database_lets_lost_goods_go_by_an_approved_act_only(
    report: LossReport, marked: list[Derivative], storekeeper: User, now: datetime
) -> None:
    items = [marked[0].pk]
    refused(
        lambda: lift_hold(actor=storekeeper, at=now, item_ids=items, kind=Hold.Kind.LOSS, reason="Never mind"),
        "hold_is_lifted_by_its_act",
    )
    refused(
        lambda: LossLine.objects.filter(report=report).update(outcome="written_off"),
        "loss_is_settled_by_an_approved_act",
    )
    refused(lambda: LossReport.objects.filter(pk=report.pk).update(circumstances="-"), "Cannot update")
    refused(lambda: LossLine.objects.filter(report=report)._raw_delete("default"), "delete rows")


def test_the_database_approves_an_act_that_is_carried_out_and_by_who_may(
    report: LossReport, marked: list[Derivative], storekeeper: User, inspector: User, trader: User, stranger: User,
    authority_officer: User, reception_store: CustodyAccount, central_store: CustodyAccount, later: Later,
) -> None:  # fmt: skip
    ask = {"actor": storekeeper, "report": report, "item_ids": [marked[0].pk], "reason": "It lay behind the scale"}

    def write(act: LossAct, by: User, outcome: str = "") -> None:
        LossAct.objects.filter(pk=act.pk).update(state="approved", decided_by=by, decided_at=later(hours=2))
        if outcome:
            act.lines.update(outcome=outcome)

    found = loss.propose_act(at=later(hours=1), kind=LossAct.Kind.RECOVERY, target=reception_store, **ask)  # type: ignore[arg-type]
    refused(lambda: write(found, inspector), "loss_act_settles_its_items")
    for person in (trader, stranger):
        refused(lambda person=person: write(found, person, "recovered"), "loss_act_is_approved_by_who_may")  # type: ignore[misc]
    loss.refuse_act(actor=inspector, at=later(hours=2), act=found, reason="Nothing lay there, I looked")

    gone = loss.propose_act(at=later(days=40), kind=LossAct.Kind.WRITE_OFF, early_reason=EARLY, **ask)  # type: ignore[arg-type]
    refused(lambda: write(gone, authority_officer, "written_off"), "loss_act_moves_its_items")
    bare = {"number": "FA25-9", "report": report, "kind": "recovery", "reason": "-", "target": central_store}
    bare |= {"proposed_by": storekeeper, "proposed_at": later(hours=1)}
    bare |= {"state": "approved", "decided_by": inspector, "decided_at": later(hours=2)}
    refused(lambda: LossAct.objects.create(**bare), "Cannot insert")
    assert Holding.objects.get(item=marked[0].pk, pieces=1).account == reception_store

    loss.approve_act(actor=authority_officer, at=later(days=41), act=gone)
    assert not Holding.objects.filter(item=marked[0].pk, account=reception_store).exists()


def test_a_report_says_what_happened(
    marked: list[Derivative], storekeeper: User, reception_store: CustodyAccount, now: datetime, later: Later
) -> None:
    with pytest.raises(BadInput) as refusal:
        say(storekeeper, now, reception_store, [], circumstances=" ", noticed_on=later(days=1).date())
    assert set(refusal.value.fields) == {"circumstances", "noticed_on", "items"}
    nothing = {"place": "-", "circumstances": "ab", "how_found": "xxxxxxxxxx", "told": "ab"}
    with pytest.raises(BadInput) as refusal:
        say(storekeeper, now, reception_store, [marked[0].pk], last_seen_on=later(days=1).date(), **nothing)
    assert set(refusal.value.fields) == set(nothing) | {"last_seen_on"}
    assert not LossReport.objects.exists()
    bare = {"number": "LR25-9", "kind": "loss", "account": reception_store, "place": "A-2", "noticed_on": now.date()}
    bare |= {"circumstances": "ab", "reported_by": storekeeper, "reported_at": now}
    refused(lambda: LossReport.objects.create(**bare), "loss_report_is_told_whole")


def test_a_write_off_stands_on_the_police_and_on_a_search_or_says_why_not(
    marked: list[Derivative], storekeeper: User, authority_officer: User, reception_store: CustodyAccount,
    now: datetime, later: Later,
) -> None:  # fmt: skip
    items = [marked[0].pk]
    report = say(storekeeper, now, reception_store, items, police_number="")
    ask = {
        "actor": storekeeper,
        "report": report,
        "kind": LossAct.Kind.WRITE_OFF,
        "item_ids": items,
        "reason": "Gone without a trace",
    }

    with pytest.raises(BadInput) as refusal:
        loss.propose_act(at=later(days=1), **ask)  # type: ignore[arg-type]
    assert set(refusal.value.fields) == {"no_police_reason", "early_reason"}
    bare = {"number": "WO25-9", "report": report, "kind": "write_off", "reason": "-", "proposed_by": storekeeper}
    for said in ({"early_reason": "-"}, {"no_police_reason": "-"}):
        refused(
            lambda said=said: LossAct.objects.create(proposed_at=later(days=1), **bare, **said),  # type: ignore[misc]
            "write_off_says_what_it_stands_on",
        )
    assert not LossAct.objects.exists()

    loss.note_police(actor=storekeeper, at=later(days=1), report=report, police_number="KUI-9")
    act = loss.propose_act(at=later(days=10), **ask)  # type: ignore[arg-type]

    assert (act.no_police_reason, act.early_reason) == ("", "")


def test_what_was_lost_on_the_way_comes_back_to_one_of_the_two_sides_only(
    handover: Handover, trader: User, storekeeper: User, other_trader_store: CustodyAccount,
    trader_store: CustodyAccount, reception_store: CustodyAccount, later: Later,
) -> None:  # fmt: skip
    lines = list(handover.lines.values_list("item_id", flat=True).order_by("item_id"))
    receive(handover, actor=trader, at=later(hours=3), without=lines[:1])
    report = say(storekeeper, later(hours=4), handover.transit, lines[:1], kind=LossReport.Kind.TRANSIT)

    places = set(loss.places_for_found(report))

    assert {reception_store, trader_store} <= places
    assert other_trader_store not in places
    with pytest.raises(BadInput):
        loss.propose_act(
            actor=storekeeper, at=later(hours=5), report=report, kind=LossAct.Kind.RECOVERY, item_ids=lines[:1],
            reason="Behind the shelf", target=other_trader_store,
        )  # fmt: skip


def test_files_that_an_act_stands_on_are_not_withdrawn(
    report: LossReport, marked: list[Derivative], storekeeper: User, later: Later
) -> None:
    subject = ("loss", report.pk)
    files = [ContentFile(picture(), "lock.png")]
    attach_files(actor=storekeeper, at=later(minutes=1), subject=subject, files=files)
    before = Attachment.objects.get()
    loss.propose_act(
        actor=storekeeper, at=later(hours=1), report=report, kind=LossAct.Kind.WRITE_OFF, item_ids=[marked[0].pk],
        reason="Gone without a trace", early_reason=EARLY,
    )  # fmt: skip
    attach_files(actor=storekeeper, at=later(hours=2), subject=subject, files=[ContentFile(picture("red"), "b.png")])
    after = Attachment.objects.latest("pk")

    with pytest.raises(FilesAreKept):
        withdraw_file(actor=storekeeper, at=later(hours=3), attachment=before, reason="Not ours")
    refused(
        lambda: Withdrawal.objects.create(attachment=before, reason="-", by=storekeeper, at=later(hours=3)),
        "files_of_acts_stay",
    )
    withdraw_file(actor=storekeeper, at=later(hours=3), attachment=after, reason="Not ours")

    assert Withdrawal.objects.get().attachment == after


def test_what_two_declared_missing_does_not_come_back_by_the_two(
    handover: Handover, trader: User, storekeeper: User, second_storekeeper: User, authority_officer: User,
    trader_store: CustodyAccount, reception_store: CustodyAccount, later: Later,
) -> None:  # fmt: skip
    lines = list(handover.lines.values_list("item_id", flat=True).order_by("item_id"))
    receive(handover, actor=trader, at=later(hours=3), without=lines[:2])
    report = say(storekeeper, later(hours=4), handover.transit, lines[:2], kind=LossReport.Kind.TRANSIT)
    ask: dict[str, Any] = {
        "at": later(hours=5), "report": report, "kind": LossAct.Kind.RECOVERY, "item_ids": lines[:1],
        "reason": "It lay behind the scale there", "target": reception_store,
    }  # fmt: skip
    with pytest.raises(BadInput) as refusal:
        loss.propose_act(actor=second_storekeeper, **ask)
    assert set(refusal.value.fields) == {"found"}

    act = loss.propose_act(actor=second_storekeeper, found=seen(lines[:1], grams=1), **ask)

    handover.refresh_from_db()
    assert handover.dispatched_by == storekeeper
    with pytest.raises(SecondPersonNeeded):
        loss.approve_act(actor=storekeeper, at=later(hours=6), act=act)
    for party in (storekeeper, trader):
        refused(
            lambda party=party: LossAct.objects.filter(pk=act.pk).update(  # type: ignore[misc]
                state="approved", decided_by=party, decided_at=later(hours=6)
            ),
            "declared_goods_return_by_a_third",
        )
    assert Hold.objects.active().filter(kind="loss", item=lines[0]).exists()

    loss.approve_act(actor=authority_officer, at=later(hours=6), act=act)

    assert Holding.objects.get(item=lines[0], pieces__gt=0).account == reception_store
    odd = Notice.objects.get(code="loss.mass_differs")
    assert (odd.decides, odd.params["pieces"]) == ("authority", 1)


def test_the_database_asks_what_was_found_of_goods_declared_missing(
    handover: Handover, trader: User, storekeeper: User, authority_officer: User, reception_store: CustodyAccount,
    later: Later,
) -> None:  # fmt: skip
    lines = list(handover.lines.values_list("item_id", flat=True).order_by("item_id"))
    receive(handover, actor=trader, at=later(hours=3), without=lines[:1])
    report = say(storekeeper, later(hours=4), handover.transit, lines[:1], kind=LossReport.Kind.TRANSIT)
    act = loss.propose_act(
        actor=storekeeper, at=later(hours=5), report=report, kind=LossAct.Kind.RECOVERY, item_ids=lines[:1],
        reason="Behind the shelf", target=reception_store, found=seen(lines[:1]),
    )  # fmt: skip
    LossLine.objects.filter(act=act).update(found_mark="", found_g=None)  # as an act of an earlier version

    with pytest.raises(InvalidTransition):
        loss.approve_act(actor=authority_officer, at=later(hours=6), act=act)
    refused(
        lambda: LossAct.objects.filter(pk=act.pk).update(
            state="approved", decided_by=authority_officer, decided_at=later(hours=6)
        ),
        "declared_goods_return_by_a_third",
    )
    refused(lambda: LossLine.objects.filter(act=act).update(found_g=5), "found_by_mark_and_mass")


def test_a_find_names_its_mark_and_not_its_number(marked: list[Derivative], storekeeper: User) -> None:
    horn = marked[0]
    code = Mark.objects.get(derivative=horn).code
    for number in (horn.number, horn.number.replace("-", "").lower()):
        with pytest.raises(BadInput) as refusal:
            read_found([(number, 200)], person=storekeeper)
        assert set(refusal.value.fields) == {"found"}
    for text in ("200", code, f"{code} many"):
        with pytest.raises(BadInput):
            lines_of_found(text)

    assert read_found(lines_of_found(f"{code} 200\n\n"), person=storekeeper) == {horn.pk: loss.Found(code, 200)}


def test_what_a_commission_did_not_find_does_not_come_back_by_its_members(
    marked: list[Derivative], storekeeper: User, inspector: User, authority_officer: User,
    reception_store: CustodyAccount, now: datetime, later: Later,
) -> None:  # fmt: skip
    count = open_stocktake(actor=storekeeper, at=now, account=reception_store, commission=[storekeeper, inspector])
    count = end_counting(actor=storekeeper, at=later(hours=1), stocktake=count)
    for member in (storekeeper, inspector):
        count = sign_stocktake(actor=member, at=later(hours=2), stocktake=count, digest=count.result_digest)
    missing = loss.missing_of_stocktake(count)
    report = say(storekeeper, later(hours=3), reception_store, missing, kind=LossReport.Kind.STOCKTAKE)
    act = loss.propose_act(
        actor=storekeeper, at=later(hours=4), report=report, kind=LossAct.Kind.RECOVERY, item_ids=missing[:1],
        reason="It lay behind the scale there", target=reception_store, found=seen(missing[:1]),
    )  # fmt: skip

    with pytest.raises(SecondPersonNeeded):
        loss.approve_act(actor=inspector, at=later(hours=5), act=act)
    refused(
        lambda: LossAct.objects.filter(pk=act.pk).update(
            state="approved", decided_by=inspector, decided_at=later(hours=5)
        ),
        "declared_goods_return_by_a_third",
    )
    loss.approve_act(actor=authority_officer, at=later(hours=5), act=act)

    assert not Hold.objects.active().filter(item=missing[0]).exists()
    assert not Notice.objects.filter(code="loss.mass_differs").exists()
