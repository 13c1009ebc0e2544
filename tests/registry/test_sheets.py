"""Daily sheets: what a brigade took, delivered and cut, and what it does not add up to."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import Organisation, Region, User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import decide_notice, explain_notice, raise_notice
from ledger.models import CustodyAccount, Hold
from ledger.services import ItemsOnHold, dispatch_items, lift_hold
from registry.models import (
    Brigade,
    DailySheet,
    Delivery,
    Derivative,
    Intake,
    RemovalPermit,
    Season,
    Sex,
    SlaughterPoint,
)
from registry.services import (
    Delivered,
    ExplanationNeeded,
    SheetChanged,
    SheetDoubtful,
    SheetKnown,
    cancel_intake,
    correct_daily_sheet,
    correct_removal_intake,
    enter_daily_sheet,
    open_removal_intake,
    open_sheet_reception,
    register_intake,
    reopen_daily_sheet,
    save_rows,
    sign_daily_sheet,
    withdraw_daily_sheet,
)
from registry.services.papers import withdraw_removal_permit
from registry.services.reconciling import check_days
from tests.builders import Receive, build_brigade, build_limit, build_removal_permit, register, some_rows

Facts = dict[str, Any]
Enter = Callable[..., DailySheet]


@pytest.fixture
def facts(
    inspector: User, now: datetime, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> Facts:
    """Four males, two females and a young one; seven carcasses at the reception point, eight horns cut."""
    return {
        "actor": inspector,
        "at": now,
        "brigade": brigade,
        "permit": permit_to_remove,
        "on": now.date(),
        "males": 4,
        "females": 2,
        "young": 1,
        "horns_cut": 8,
        "deliveries": [Delivered(reception_store, 7)],
        "confirm": True,
    }


@pytest.fixture
def enter(facts: Facts) -> Enter:
    return lambda **changes: enter_daily_sheet(**facts | changes)


@pytest.fixture
def receive_sheet(inspector: User, now: datetime, reception_store: CustodyAccount) -> Callable[..., Intake]:
    """The reception of a sheet with so many horns registered."""

    def receive(sheet: DailySheet, horns: int, *, registered: bool = True) -> Intake:
        intake = open_sheet_reception(actor=inspector, at=now, sheet=sheet, store=reception_store)
        intake = save_rows(actor=inspector, at=now, intake=intake, version=intake.version, rows=some_rows(horns))
        if registered:
            register(intake, actor=inspector, at=now)
            intake.refresh_from_db()
        return intake

    return receive


def open_codes() -> list[str]:
    return sorted(Notice.objects.open().values_list("code", flat=True))


def test_a_sheet_is_entered_signed_and_its_day_adds_up(
    enter: Enter, receive_sheet: Callable[..., Intake], inspector: User, now: datetime
) -> None:
    sheet = enter()
    intake = receive_sheet(sheet, 8)
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)

    sheet.refresh_from_db()
    assert (sheet.number, sheet.state, sheet.carcasses, sheet.animals) == ("DS25-000001", "signed", 7, 7)
    assert (intake.males, intake.counted, intake.animals) == (None, sheet, 7)
    assert open_codes() == []
    assert list(Event.objects.about(("daily_sheet", sheet.pk)).values_list("verb", flat=True)) == [
        "sheet.signed",
        "sheet.entered",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"horns_cut": 9}, "9 horns cut, but males are 4 and can have 8 horns at most."),
        ({"males": 40, "horns_cut": 10}, "Only 10 horns cut, but males are 40 and 80 horns are expected."),
        ({"unusable": 2}, "7 animals taken, but 7 carcasses delivered and 2 unusable."),
        ({"females": 60_000}, "were taken before this day."),
        ({"males": 49_000, "horns_cut": 98_000}, "49003 animals on one day by a brigade of 8 people."),
    ],
)
def test_what_does_not_fit_is_asked_before_it_is_kept(
    enter: Enter, brigade: Brigade, changes: Facts, said: str
) -> None:
    brigade.members = 8
    with translation.override("en"), pytest.raises(SheetDoubtful) as asked:
        enter(confirm=False, **changes)

    assert said in str(asked.value.fields["confirm"])
    assert not DailySheet.objects.exists()
    sheet = enter(**changes)
    event = Event.objects.about(("daily_sheet", sheet.pk)).get(verb="sheet.entered")
    assert event.facts["confirmed"]


def test_one_that_fits_is_not_asked_about(enter: Enter) -> None:
    assert enter(confirm=False).animals == 7


def test_one_sheet_for_a_brigade_permit_and_day(enter: Enter, facts: Facts) -> None:
    first = enter()

    with pytest.raises(SheetKnown):
        enter()
    withdraw_daily_sheet(actor=facts["actor"], at=facts["at"], sheet=first, reason="Another brigade.")
    enter()

    assert DailySheet.objects.standing().count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"males": 0, "females": 0, "young": 0}, "males"),
        ({"males": -1}, "males"),
        ({"unusable": 8}, "unusable"),
        ({"on": date(2026, 1, 1)}, "on"),
        ({"on": date(2025, 6, 1)}, "on"),
    ],
)
def test_nonsense_is_refused_at_its_field(changes: Facts, field: str, enter: Enter) -> None:
    with pytest.raises(BadInput) as refusal:
        enter(**changes)

    assert set(refusal.value.fields) == {field}
    assert not DailySheet.objects.exists()


def test_carcasses_go_to_a_reception_point_of_the_region_or_a_slaughter_point(
    enter: Enter,
    reception_store: CustodyAccount,
    reception_store_elsewhere: CustodyAccount,
    central_store: CustodyAccount,
    region: Region,
) -> None:
    point = SlaughterPoint.objects.create(
        name_kk="a", name_ru="b", name_en="c", region=region, attestation_number="1", attested_on=date(2025, 9, 1)
    )
    for wrong in (
        [Delivered(reception_store_elsewhere, 1)],
        [Delivered(central_store, 1)],
        [Delivered(reception_store, 1), Delivered(reception_store, 1)],
        [Delivered(reception_store, 0)],
    ):
        with pytest.raises(BadInput) as refusal:
            enter(deliveries=wrong)
        assert set(refusal.value.fields) == {"deliveries"}

    sheet = enter(deliveries=[Delivered(reception_store, 4), Delivered(point, 3)])
    assert sheet.carcasses == 7


def test_others_enter_no_sheet(
    enter: Enter, inspector_elsewhere: User, storekeeper: User, authority_officer: User
) -> None:
    for person in (inspector_elsewhere, storekeeper, authority_officer):
        with pytest.raises(NotAllowed):
            enter(actor=person)

    assert not DailySheet.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"horns_cut": 9}, "removal.horns_too_many"),
        ({"horns_cut": 5}, "removal.horns_too_few"),
        ({"males": 0, "females": 6, "horns_cut": 2}, "removal.horns_too_many"),
        ({"unusable": 1}, "removal.carcasses"),
        ({"young": 2}, "removal.carcasses"),
    ],
)
def test_what_does_not_add_up_is_asked_when_the_sheet_is_signed(
    changes: Facts, code: str, enter: Enter, facts: Facts, inspectorate: Organisation
) -> None:
    sheet = enter(**changes)
    assert open_codes() == []

    sign_daily_sheet(actor=facts["actor"], at=facts["at"], sheet=sheet)

    notice = Notice.objects.open().get()
    assert (notice.code, notice.organisation, notice.kind) == (code, inspectorate, "discrepancy")
    assert notice.decides == "authority"
    assert notice.due_on is not None
    assert notice.due_on > facts["on"]
    assert sheet.number in notice.text


def test_horns_of_a_day_that_does_not_add_up_stay_until_the_authority_has_judged(
    enter: Enter, receive_sheet: Callable[..., Intake], inspector: User, authority_officer: User,
    reception_store: CustodyAccount, central_store: CustodyAccount, now: datetime,
) -> None:  # fmt: skip
    sheet = enter(horns_cut=9)
    intake = receive_sheet(sheet, 8)
    horns = list(Derivative.objects.filter(intake=intake).order_by("pk").values_list("pk", flat=True))
    assert not Hold.objects.exists()  # nothing is said of a sheet before it is signed

    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)

    assert open_codes() == ["removal.horns_registered", "removal.horns_too_many"]
    held = Hold.objects.active().filter(kind=Hold.Kind.REMOVAL)
    assert set(held.values_list("item_id", "reference")) == {(horn, sheet.number) for horn in horns}
    send = {"at": now, "source": reception_store, "target": central_store, "item_ids": horns, "carried_by": "A courier"}
    with pytest.raises(ItemsOnHold):
        dispatch_items(actor=inspector, key="early", **send)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="horns_of_a_day_wait_for_its_judgement"), transaction.atomic():
        lift_hold(actor=authority_officer, at=now, item_ids=horns, kind=Hold.Kind.REMOVAL, reason="Never mind")

    for notice in Notice.objects.open().order_by("pk"):
        assert held.count() == len(horns)
        decide_notice(
            actor=authority_officer, at=now, notice=notice, outcome="corrected", decision="Heard",
            reason="The ninth was a broken tip of another horn.",
        )  # fmt: skip

    assert not held.exists()
    assert dispatch_items(actor=inspector, key="late", **send).lines.count() == 8  # type: ignore[arg-type]


def test_horns_registered_after_the_question_are_held_too(
    enter: Enter, receive_sheet: Callable[..., Intake], inspector: User, authority_officer: User, now: datetime
) -> None:
    sheet = enter(horns_cut=8, unusable=1)
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)

    intake = receive_sheet(sheet, 8)

    assert open_codes() == ["removal.carcasses"]
    assert Hold.objects.active().filter(kind=Hold.Kind.REMOVAL, item__derivative__intake=intake).count() == 8
    reopen_daily_sheet(actor=authority_officer, at=now, sheet=sheet, reason="Counted again.")
    correct_daily_sheet(actor=inspector, at=now, sheet=sheet, **figures(sheet, unusable=0))
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)
    assert open_codes() == []
    assert not Hold.objects.active().exists()


def test_a_question_about_a_reception_that_is_open_or_cancelled_holds_the_horns_of_the_others(
    receive: Receive, inspector: User, inspectorate: Organisation, authority_officer: User, now: datetime
) -> None:
    """Also once the question about their own reception is judged."""
    first = receive(rows=2)
    ask = {"at": now, "kind": Notice.Kind.ALERT, "organisation": inspectorate, "actor": inspector}
    says = {"brigade": "B", "day": "01.11.2025", "number": "-", "contract": "12"}
    judge = {"at": now, "outcome": "corrected", "decision": "Heard", "reason": "The contract was shown, as told."}
    about_first = raise_notice(code="removal.contract", subject=("intake", first.pk), **ask, **says)  # type: ignore[arg-type]
    explain_notice(actor=inspector, at=now, notice=about_first, explanation="The contract is in the office.")
    held = Hold.objects.active().filter(kind=Hold.Kind.REMOVAL)

    second = receive(rows=3)
    register_intake(actor=inspector, at=now, intake=second)

    assert held.filter(item__derivative__intake=second).count() == held.count() == 3
    own = raise_notice(code="removal.contract", subject=("intake", second.pk), **ask, **says)  # type: ignore[arg-type]
    decide_notice(actor=authority_officer, notice=own, **judge)  # type: ignore[arg-type]
    assert held.count() == 3
    cancel_intake(actor=inspector, at=now, intake=first, reason="Opened twice, as told.")
    assert held.count() == 3
    decide_notice(actor=authority_officer, notice=about_first, **judge)  # type: ignore[arg-type]
    assert not held.exists()


def test_the_tolerance_is_a_rule(enter: Enter, facts: Facts) -> None:
    sheet = enter(horns_cut=6)
    sign_daily_sheet(actor=facts["actor"], at=facts["at"], sheet=sheet)

    assert open_codes() == []


@pytest.mark.parametrize("horns", [7, 9])
def test_every_horn_cut_is_registered(
    horns: int, enter: Enter, receive_sheet: Callable[..., Intake], inspector: User, now: datetime
) -> None:
    sheet = enter()
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)
    receive_sheet(sheet, horns)

    assert "removal.horns_registered" in open_codes()
    notice = Notice.objects.get(code="removal.horns_registered")
    assert (notice.params["cut"], notice.params["registered"]) == (8, horns)


def test_a_correction_closes_what_it_mends_and_keeps_the_day_it_was_due(
    enter: Enter,
    receive_sheet: Callable[..., Intake],
    inspector: User,
    authority_officer: User,
    now: datetime,
    later: Callable[..., datetime],
) -> None:
    sheet = enter(horns_cut=8)
    receive_sheet(sheet, 6)
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)
    first = Notice.objects.open().get()

    with pytest.raises(InvalidTransition):
        correct_daily_sheet(actor=inspector, at=now, sheet=sheet, **figures(sheet, horns_cut=7))
    with pytest.raises(NotAllowed):
        reopen_daily_sheet(actor=inspector, at=now, sheet=sheet, reason="x")
    reopen_daily_sheet(actor=authority_officer, at=now, sheet=sheet, reason="Counted again.")
    correct_daily_sheet(actor=inspector, at=later(days=2), sheet=sheet, **figures(sheet, horns_cut=7))
    sign_daily_sheet(actor=inspector, at=later(days=2), sheet=sheet)
    second = Notice.objects.open().get(code="removal.horns_registered")
    assert second.pk != first.pk
    assert (second.params["cut"], second.due_on) == (7, first.due_on)

    reopen_daily_sheet(actor=authority_officer, at=later(days=2), sheet=sheet, reason="Counted again.")
    correct_daily_sheet(actor=inspector, at=later(days=2), sheet=sheet, **figures(sheet, horns_cut=6))
    sign_daily_sheet(actor=inspector, at=later(days=2), sheet=sheet)

    assert open_codes() == []
    second.refresh_from_db()
    assert (second.state, second.decided_by) == ("decided", inspector)


def figures(sheet: DailySheet, **changes: Any) -> Facts:
    names = ("males", "females", "young", "horns_cut", "unusable", "note")
    went = [Delivered(line.store, line.carcasses) for line in sheet.deliveries.all() if line.store is not None]
    return {name: getattr(sheet, name) for name in names} | {"deliveries": went, "confirm": True} | changes


def test_what_was_explained_is_not_asked_again(
    enter: Enter,
    receive_sheet: Callable[..., Intake],
    inspector: User,
    authority_officer: User,
    now: datetime,
    later: Callable[..., datetime],
) -> None:
    sheet = enter()
    receive_sheet(sheet, 6)
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)
    decide_notice(
        actor=authority_officer,
        at=now,
        notice=Notice.objects.get(),
        outcome="corrected",
        decision="Broken",
        reason="Two were dust.",
    )

    assert check_days(at=later(days=3)) == 0
    assert Notice.objects.count() == 1


def test_animals_over_the_permit_are_recorded_and_told_the_same_day(
    enter: Enter,
    facts: Facts,
    season: Season,
    region: Region,
    okhotzooprom: Organisation,
    committee: Organisation,
    reception_store: CustodyAccount,
) -> None:
    small = build_removal_permit(season, region, okhotzooprom, number="ИЖ-27/2025-9", animals_limit=10)
    enter(permit=small)
    assert open_codes() == []

    enter(permit=small, on=facts["on"] - timedelta(days=1))

    alerts = Notice.objects.filter(kind="alert").order_by("code")
    assert [(alert.code, alert.params["animals"], alert.organisation) for alert in alerts] == [
        ("removal.over_decision", 14, committee),
        ("removal.over_permit", 14, committee),
    ]
    assert DailySheet.objects.count() == 2


def test_a_reception_without_a_sheet_counts_against_the_permit_too(
    facts: Facts, season: Season, region: Region, okhotzooprom: Organisation, reception_store: CustodyAccount
) -> None:
    small = build_removal_permit(season, region, okhotzooprom, number="ИЖ-27/2025-9", animals_limit=6)
    papers = {name: facts[name] for name in ("actor", "at", "brigade", "on", "males", "females", "young")}
    intake = open_removal_intake(**papers, permit=small, store=reception_store, carcasses=7)
    assert "removal.over_permit" in open_codes()

    correction = {name: facts[name] for name in ("actor", "at", "brigade", "on", "males", "females")}
    correct_removal_intake(**correction, intake=intake, permit=small, young=0, carcasses=6)

    assert open_codes() == []


def test_another_sex_than_the_permits_is_an_alert(
    enter: Enter, season: Season, region: Region, okhotzooprom: Organisation
) -> None:
    line = build_limit(season, region, animals=100, number="Р-м", sex=Sex.MALE)
    males = RemovalPermit.objects.create(
        number="27/м",
        issued_on=season.starts_on,
        season=season,
        limit=line,
        population="ural",
        region=region,
        sex=Sex.MALE,
        holder=okhotzooprom,
        animals_limit=50,
    )

    enter(permit=males)

    assert Notice.objects.open().get().params["count"] == 3


def test_a_day_outside_the_contract_is_an_alert(enter: Enter, season: Season, region: Region, now: datetime) -> None:
    late = build_brigade(season, region, name="№ 9", contract="Д-9")
    Brigade.objects.filter(pk=late.pk).update(valid_until=now.date() - timedelta(days=1))
    late.refresh_from_db()

    enter(brigade=late)

    assert open_codes() == ["removal.contract"]


def test_a_reception_that_is_weighed_already_takes_its_figures_from_the_sheet(
    enter: Enter, receive: Receive, inspector: User, now: datetime
) -> None:
    waiting = receive(rows=8, males=4, females=2, young=1)
    sheet = enter()

    waiting.refresh_from_db()
    assert (waiting.sheet, waiting.males, waiting.counted.males) == (sheet, None, 4)
    with pytest.raises(BadInput):
        receive(rows=1)
    with pytest.raises(InvalidTransition):
        correct_removal_intake(
            actor=inspector,
            at=now,
            intake=waiting,
            permit=sheet.permit,
            brigade=sheet.brigade,
            on=sheet.on,
            males=1,
            females=1,
            young=1,
            carcasses=1,
        )


def test_counts_of_a_reception_that_was_registered_before_its_sheet_are_compared(
    enter: Enter, receive: Receive, inspector: User, now: datetime
) -> None:
    register(receive(rows=8, males=4, females=3, young=1), actor=inspector, at=now)
    sheet = enter()
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)

    notice = Notice.objects.open().get()
    assert (notice.code, notice.params["received"], notice.params["animals"]) == ("removal.counts", 8, 7)


def test_the_next_day_asks_for_what_nobody_closed(
    enter: Enter, receive: Receive, facts: Facts, season: Season, region: Region, later: Callable[..., datetime]
) -> None:
    enter()
    other = build_brigade(season, region, name="№ 2", contract="Д-2")
    receive(rows=2, brigade=other)
    assert check_days(at=facts["at"]) == 0

    assert check_days(at=later(days=1)) == 2
    assert check_days(at=later(days=1)) == 0

    assert open_codes() == [
        "removal.no_reception",
        "removal.no_sheet",
        "removal.reception_open",
        "removal.sheet_open",
    ]
    enter(brigade=other, at=later(days=1))
    assert "removal.no_sheet" not in open_codes()


def test_permits_older_than_the_decisions_are_not_asked_for_sheets(
    receive: Receive, season: Season, region: Region, okhotzooprom: Organisation, later: Callable[..., datetime]
) -> None:
    old = RemovalPermit.objects.create(
        season=season,
        number="old",
        issued_on=season.starts_on,
        population="ural",
        region=region,
        sex="any",
        holder=okhotzooprom,
        animals_limit=100,
    )
    receive(rows=2, permit=old)

    check_days(at=later(days=1))

    assert open_codes() == ["removal.reception_open"]


def test_nothing_is_taken_in_under_a_withdrawn_permit(
    enter: Enter, facts: Facts, receive: Receive, authority_officer: User, now: datetime
) -> None:
    permit = facts["permit"]
    withdraw_removal_permit(actor=authority_officer, at=now, permit=permit, reason="Not needed, as told")

    for act in (enter, lambda: receive(rows=2)):
        with pytest.raises(BadInput) as refusal:
            act()
        assert set(refusal.value.fields) == {"permit"}
    sheet = DailySheet(
        number="DS25-000009",
        brigade=facts["brigade"],
        permit=permit,
        on=now.date(),
        males=1,
        organisation=permit.holder,
        entered_by=facts["actor"],
        entered_at=now,
    )
    refused(lambda: sheet.save(), "withdrawn")
    standing = build_removal_permit(facts["brigade"].season, permit.region, permit.holder, number="ИЖ-27/2025-2")
    intake = receive(rows=2, permit=standing)
    refused(lambda: Intake.objects.filter(pk=intake.pk).update(permit=permit), "withdrawn")
    intake.refresh_from_db()
    assert intake.permit == standing


def test_two_receptions_of_a_sheet_share_its_males(
    enter: Enter,
    receive_sheet: Callable[..., Intake],
    inspector: User,
    now: datetime,
    other_reception_store: CustodyAccount,
) -> None:
    sheet = enter()
    receive_sheet(sheet, 6)
    second = open_sheet_reception(actor=inspector, at=now, sheet=sheet, store=other_reception_store)
    second = save_rows(actor=inspector, at=now, intake=second, version=second.version, rows=some_rows(3))

    with pytest.raises(ExplanationNeeded):
        register_intake(actor=inspector, at=now, intake=second)
    save_rows(actor=inspector, at=now, intake=second, version=second.version, rows=[], removed=[3])
    second.refresh_from_db()
    register_intake(actor=inspector, at=now, intake=second)
    sign_daily_sheet(actor=inspector, at=now, sheet=sheet)

    assert open_codes() == []


def test_a_cancelled_reception_counts_no_more(
    enter: Enter, receive_sheet: Callable[..., Intake], inspector: User, now: datetime, later: Callable[..., datetime]
) -> None:
    sheet = enter()
    intake = receive_sheet(sheet, 3, registered=False)
    with pytest.raises(InvalidTransition):
        withdraw_daily_sheet(actor=inspector, at=now, sheet=sheet, reason="Wrong day, as told")
    cancel_intake(actor=inspector, at=now, intake=intake, reason="Opened twice.")

    check_days(at=later(days=1))
    assert open_codes() != []

    withdraw_daily_sheet(actor=inspector, at=later(days=1), sheet=sheet, reason="Wrong day, as told")

    assert DailySheet.objects.standing().count() == 0
    assert open_codes() == []


def test_an_older_sheet_is_not_written_over(enter: Enter, facts: Facts) -> None:
    sheet = enter()
    correct_daily_sheet(actor=facts["actor"], at=facts["at"], sheet=sheet, version=0, **figures(sheet, males=5))

    with pytest.raises(SheetChanged):
        correct_daily_sheet(actor=facts["actor"], at=facts["at"], sheet=sheet, version=0, **figures(sheet, males=6))
    with pytest.raises(SheetChanged):
        sign_daily_sheet(actor=facts["actor"], at=facts["at"], sheet=sheet, version=0)

    sheet.refresh_from_db()
    assert (sheet.males, sheet.state) == (5, "open")


# --- what the database refuses --------------------------------------------------------------------------------


def refused(act: Callable[[], object], reason: str) -> None:
    """The act fails at the latest when its constraints are asked, and leaves nothing."""
    with pytest.raises(DatabaseError, match=reason):
        _do_and_ask(act)


@transaction.atomic
def _do_and_ask(act: Callable[[], object]) -> None:
    act()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_around_the_service_a_signed_sheet_stays(enter: Enter, facts: Facts, reception_store: CustodyAccount) -> None:
    sheet = sign_daily_sheet(actor=facts["actor"], at=facts["at"], sheet=enter())
    mine = DailySheet.objects.filter(pk=sheet.pk)

    refused(lambda: mine.update(males=5), "is closed")
    refused(lambda: mine.update(on=date(2025, 11, 1)), "Cannot")
    refused(lambda: mine.delete(), "Cannot|foreign|protected|referenced")
    refused(lambda: Delivery.objects.filter(sheet=sheet).update(carcasses=9), "closed sheet")


def test_around_the_service_a_sheet_adds_up_and_fits(
    enter: Enter, facts: Facts, season: Season, region_elsewhere: Region
) -> None:
    sheet = enter()
    mine = DailySheet.objects.filter(pk=sheet.pk)
    elsewhere = build_brigade(season, region_elsewhere, contract="Д-39")
    copy: Facts = {
        **{name: facts[name] for name in ("permit", "brigade", "on", "males", "females", "young", "horns_cut")},
        "number": "DS25-000099",
        "carcasses": 0,
        "organisation": sheet.organisation,
        "entered_by": sheet.entered_by,
        "entered_at": sheet.entered_at,
    }

    refused(lambda: mine.update(carcasses=6), "deliveries of sheet")
    refused(lambda: Delivery.objects.filter(sheet=sheet).update(carcasses=6), "deliveries of sheet")
    refused(lambda: Delivery.objects.filter(sheet=sheet).update(store=None), "delivery_goes_to_one_place")
    refused(lambda: DailySheet.objects.create(**copy), "one_sheet_per_brigade_permit_and_day")
    refused(lambda: DailySheet.objects.create(**copy | {"brigade": elsewhere}), "does not fit")
    refused(lambda: DailySheet.objects.create(**copy | {"on": date(2025, 12, 1)}), "does not fit")
    refused(lambda: mine.update(state="signed"), "sheet_closed_all_or_none")


def test_around_the_service_a_reception_fits_its_sheet(
    enter: Enter, receive: Receive, receive_sheet: Callable[..., Intake], facts: Facts
) -> None:
    alone = receive(rows=1, on=facts["on"] - timedelta(days=1))
    sheet = enter()
    intake = receive_sheet(sheet, 1, registered=False)

    refused(lambda: Intake.objects.filter(pk=intake.pk).update(males=3), "removal_intake_has_its_papers")
    refused(lambda: Intake.objects.filter(pk=alone.pk).update(males=None), "removal_intake_has_its_papers")
    refused(
        lambda: Intake.objects.filter(pk=alone.pk).update(
            sheet=sheet, males=None, females=None, young=None, carcasses=None
        ),
        "does not fit its daily sheet",
    )
    refused(
        lambda: DailySheet.objects.filter(pk=sheet.pk).update(
            state="withdrawn", withdraw_reason="x", closed_by=facts["actor"], closed_at=facts["at"]
        ),
        "has receptions",
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        DailySheet.objects.filter(pk=sheet.pk).update(state="withdrawn")


# --- pages ----------------------------------------------------------------------------------------------------


def test_an_inspector_enters_corrects_and_signs_a_sheet(
    client: Client,
    inspector: User,
    permit_to_remove: RemovalPermit,
    brigade: Brigade,
    reception_store: CustodyAccount,
    today: date,
) -> None:
    client.force_login(inspector)
    sent = {
        "permit": permit_to_remove.pk,
        "brigade": brigade.pk,
        "on": "2025-11-10",
        "males": "4",
        "females": "2",
        "young": "1",
        "horns_cut": "8",
        "place_0": f"store-{reception_store.pk}",
        "carcasses_0": "7",
    }
    answer = client.post(reverse("registry:enter-daily-sheet"), sent | {"place_0": ""})
    assert answer.status_code == 422
    answer = client.post(reverse("registry:enter-daily-sheet"), sent)
    sheet = DailySheet.objects.get()
    page = reverse("registry:daily-sheet", args=[sheet.pk])
    assert answer.url == page  # type: ignore[attr-defined]

    assert client.get(reverse("registry:daily-sheet-correct", args=[sheet.pk])).status_code == 200
    more = sent | {"females": "3", "version": "0"}
    asked_first = client.post(reverse("registry:daily-sheet-correct", args=[sheet.pk]), more)
    assert (asked_first.status_code, asked_first.context["form"].is_asked) == (422, True)
    assert "confirm" in asked_first.context["form"].errors
    client.post(reverse("registry:daily-sheet-correct", args=[sheet.pk]), more | {"confirm": "on"})
    opened = client.post(
        reverse("registry:daily-sheet-reception", args=[sheet.pk]), {"store": reception_store.pk}, follow=True
    )
    client.post(reverse("registry:daily-sheet-sign", args=[sheet.pk]), {"version": "1"})

    sheet.refresh_from_db()
    assert (sheet.females, sheet.state) == (3, "signed")
    assert sheet.number in opened.content.decode()
    told = client.get(page).content.decode()
    assert Intake.objects.get().number in told
    asked = Notice.objects.open().get(code="removal.carcasses")
    assert reverse("notices:notice", args=[asked.pk]) in told
    # The next sheet begins with what was chosen last.
    assert (
        f'value="store-{reception_store.pk}" selected'
        in client.get(reverse("registry:enter-daily-sheet")).content.decode()
    )


def test_the_list_of_sheets_asks_the_same_number_of_queries_whatever_its_length(
    client: Client, enter: Enter, inspector: User, facts: Facts, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(inspector)
    enter()
    with connection_queries() as few:
        client.get(reverse("registry:daily-sheets"))
    for back in range(1, 6):
        enter(on=facts["on"] - timedelta(days=back))

    with django_assert_num_queries(len(few)):
        answer = client.get(reverse("registry:daily-sheets"))

    assert answer.content.decode().count("DS25-") >= 6


def connection_queries() -> Any:
    from django.test.utils import CaptureQueriesContext

    return CaptureQueriesContext(connection)


def test_sheets_of_another_region_are_not_there(client: Client, enter: Enter, inspector_elsewhere: User) -> None:
    sheet = enter()
    client.force_login(inspector_elsewhere)

    assert client.get(reverse("registry:daily-sheet", args=[sheet.pk])).status_code == 404
    assert sheet.number not in client.get(reverse("registry:daily-sheets")).content.decode()


def test_a_sheet_for_a_reception_begins_with_its_counts(client: Client, receive: Receive, inspector: User) -> None:
    intake = receive(rows=2, males=17, females=19, young=3)
    client.force_login(inspector)

    page = client.get(f"{reverse('registry:enter-daily-sheet')}?intake={intake.pk}").content.decode()

    assert 'value="17"' in page
    assert 'value="19"' in page


def test_programs_do_the_same(
    client: Client,
    inspector: User,
    authority_officer: User,
    permit_to_remove: RemovalPermit,
    brigade: Brigade,
    reception_store: CustodyAccount,
    season: Season,
    region: Region,
    okhotzooprom: Organisation,
) -> None:
    def post(address: str, body: Facts, key: str) -> Any:
        return client.post(
            f"/api/v1/{address}", body, content_type="application/json", headers={"Idempotency-Key": key}
        )

    client.force_login(inspector)
    body = {
        "brigade": brigade.pk,
        "permit": permit_to_remove.number,
        "on": "2025-11-10",
        "males": 4,
        "females": 2,
        "young": 1,
        "horns_cut": 8,
        "deliveries": [{"store": reception_store.code, "carcasses": 7}],
    }
    first, again = post("daily-sheets/", body, "a"), post("daily-sheets/", body, "a")
    assert (first.status_code, again.json()) == (201, first.json())
    key = first.json()["id"]
    assert post("daily-sheets/", body, "b").json()["code"] == "sheet-known"
    figures = {name: body[name] for name in ("males", "females", "young", "horns_cut", "deliveries")}
    doubted = client.put(f"/api/v1/daily-sheets/{key}/", figures | {"females": 3}, content_type="application/json")
    assert (doubted.status_code, doubted.json()["code"]) == (422, "sheet-not-confirmed")
    corrected = client.put(
        f"/api/v1/daily-sheets/{key}/", figures | {"females": 3, "confirm": True}, content_type="application/json"
    )
    assert (corrected.status_code, corrected.json()["version"]) == (200, 1)
    opened = post(f"daily-sheets/{key}/reception/", {"store": reception_store.code}, "c")
    assert (opened.status_code, opened.json()["males"], opened.json()["sheet"]) == (201, 4, key)
    assert post(f"daily-sheets/{key}/sign/", {}, "d").json()["state"] == "signed"
    assert client.get("/api/v1/daily-sheets/?state=signed").json()["results"][0]["carcasses"] == 7
    assert client.get("/api/v1/removal-permits/").json()["results"][0]["taken"] == 8
    total = client.get(f"/api/v1/seasons/{season.pk}/progress/").json()["total"]
    assert (total["animals"], total["unsigned"]) == (8, 0)
    assert client.get("/api/v1/removal-permits/").json()["results"][0]["signed"] == 8
    assert post(f"daily-sheets/{key}/reopen/", {"reason": "x"}, "e").status_code == 403

    client.force_login(authority_officer)
    decision = {
        "season": season.pk,
        "number": "Р-7",
        "decided_on": "2025-10-01",
        "title": "t",
        "legal_basis": "l",
        "basis_by": "b",
        "basis_number": "n",
        "basis_on": "2025-09-01",
        "limits": [{"population": "ural", "region": region.pk, "animals": 50}],
    }
    entered = post("removal-decisions/", decision, "f")
    assert entered.status_code == 201
    line = entered.json()["limits"][0]["id"]
    permit = {"limit": line, "number": "П-7", "issued_on": "2025-10-02", "holder": okhotzooprom.bin}
    too_many = post("removal-permits/", permit | {"animals_limit": 51}, "g")
    assert (too_many.status_code, too_many.json()["code"]) == (422, "limit-exceeded")
    assert post("removal-permits/", permit | {"animals_limit": 50}, "h").status_code == 201
    assert post(f"daily-sheets/{key}/reopen/", {"reason": "Counted again."}, "i").json()["state"] == "open"
