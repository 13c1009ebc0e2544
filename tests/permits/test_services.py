"""From the wish to the right, and from the right to the goods."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.rules.models import Rule, RuleCode
from core.rules.services import cite_basis, draft_rule, enact_rule
from ledger import services as ledger
from ledger.models import CustodyAccount, Handover, Hold, Holding, Reservation
from ledger.selectors import find_differences
from permits import services
from permits.machine import State
from permits.models import Application, Decision, Kind, Permit, PermitEnding
from permits.selectors import PermitForOtherStore, PermitNeeded, PermitNotInForce, find_problems
from permits.tasks import end_outlived_permits
from registry.models import Derivative
from tests.cast import give_role
from tests.rights import approved, draft, keys, receive, submitted

Later = Callable[..., datetime]


def where(items: list[Derivative]) -> set[str]:
    return set(Holding.objects.filter(item__in=keys(items), pieces__gt=0).values_list("account__code", flat=True))


def rule_sale(officer: User, head: User, *, allowed: bool) -> Rule:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    basis = cite_basis(actor=officer, at=at, title_kk="Бұйрық", title_ru="Приказ", title_en="Order 12", number="12")
    rule = draft_rule(
        actor=officer,
        at=at,
        code=RuleCode.DOMESTIC_SALE,
        value={"allowed": allowed},
        starts_on=date(2025, 1, 1),
        ends_on=None,
        basis=basis,
    )
    return enact_rule(actor=head, at=at, rule=rule)


# --- the applicant ----------------------------------------------------------------------------------------------


def test_a_submitted_application_has_a_number_and_a_day_to_be_decided_by(
    application: Application, now: datetime
) -> None:
    assert application.number == "AP25-000001"
    assert application.state == State.SUBMITTED
    assert application.due_on == date(2025, 12, 1)
    assert application.receiver is not None
    assert list(Event.objects.about(("application", application.pk)).values_list("verb", flat=True)) == [
        "application.submitted",
        "application.items_added",
        "application.opened",
    ]


def test_a_draft_takes_only_what_is_in_the_own_stores(
    trader: User,
    now: datetime,
    marked: list[Derivative],
    trader_store: CustodyAccount,
    other_trader_store: CustodyAccount,
) -> None:
    application = draft(actor=trader, at=now, items=[], store=other_trader_store)

    with pytest.raises(services.NotInStock):
        services.add_lines(actor=trader, at=now, application=application, item_ids=keys(marked))

    assert application.lines.count() == 0


def test_an_incomplete_application_is_told_what_is_missing(storekeeper: User, now: datetime) -> None:
    application = services.open_application(
        actor=storekeeper,
        at=now,
        kind=Kind.TRANSPORT,
        applicant=storekeeper.appointments_in_force[0].organisation,
        wishes=services.Wishes(),
    )

    with pytest.raises(BadInput) as refusal:
        services.submit_application(actor=storekeeper, at=now, application=application)

    assert set(refusal.value.fields) == {"store", "purpose", "wished_from", "wished_until", "items"}
    application.refresh_from_db()
    assert (application.state, application.number) == (State.DRAFT, "")


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"wished_from": date(2025, 11, 20), "wished_until": date(2025, 11, 19)}, "wished_until"),
        ({"price_tenge": 100}, "price_tenge"),
    ],
)
def test_wishes_that_cannot_be_are_refused(
    storekeeper: User, now: datetime, wishes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        services.open_application(
            actor=storekeeper,
            at=now,
            kind=Kind.TRANSPORT,
            applicant=storekeeper.appointments_in_force[0].organisation,
            wishes=services.Wishes(**wishes),
        )

    assert set(refusal.value.fields) == {field}
    assert not Application.objects.exists()


def test_nobody_applies_to_their_own_store_nor_for_others(
    storekeeper: User, trader: User, now: datetime, central_store: CustodyAccount, trader_store: CustodyAccount
) -> None:
    own = storekeeper.appointments_in_force[0].organisation

    with pytest.raises(BadInput):
        services.open_application(
            actor=storekeeper,
            at=now,
            kind=Kind.TRANSPORT,
            applicant=own,
            wishes=services.Wishes(store=central_store),
        )
    with pytest.raises(NotAllowed):
        services.open_application(
            actor=trader, at=now, kind=Kind.TRANSPORT, applicant=own, wishes=services.Wishes(store=trader_store)
        )


def test_items_on_hold_cannot_be_submitted_and_the_reason_stands_beside_them(
    storekeeper: User, now: datetime, marked: list[Derivative], trader_store: CustodyAccount
) -> None:
    ledger.place_hold(
        actor=storekeeper, at=now, item_ids=[marked[0].pk], kind=Hold.Kind.DISPUTE, reference="case 12-2025"
    )
    application = draft(actor=storekeeper, at=now, items=marked, store=trader_store)

    with pytest.raises(services.LinesRefused) as refusal:
        services.submit_application(actor=storekeeper, at=now, application=application)

    assert set(refusal.value.problems) == {marked[0].pk}
    assert "case 12-2025" in str(refusal.value.problems[marked[0].pk][0].text)


def test_marks_are_asked_for_from_the_day_they_are_compulsory(
    storekeeper: User, horns: list[Derivative], now: datetime, trader_store: CustodyAccount
) -> None:
    application = draft(actor=storekeeper, at=now, items=horns, store=trader_store)

    assert find_problems(application, date(2025, 11, 30)) == {}
    problems = find_problems(application, date(2025, 12, 1))
    assert {found[0].code for found in problems.values()} == {"unmarked"}
    assert len(problems) == len(horns)


def test_without_a_rule_nothing_is_sold_and_with_one_it_is(
    storekeeper: User,
    authority_officer: User,
    authority_head: User,
    marked: list[Derivative],
    now: datetime,
    trader_store: CustodyAccount,
) -> None:
    application = draft(actor=storekeeper, at=now, items=marked, store=trader_store, kind=Kind.DOMESTIC_SALE)
    with pytest.raises(services.LinesRefused) as refusal:
        services.submit_application(actor=storekeeper, at=now, application=application)
    assert "No rule in force on 10 November 2025" in str(refusal.value.problems[marked[0].pk][0].text)

    rule_sale(authority_officer, authority_head, allowed=True)

    services.submit_application(actor=storekeeper, at=now, application=application)


def test_a_rule_that_forbids_sale_is_named(
    storekeeper: User,
    authority_officer: User,
    authority_head: User,
    marked: list[Derivative],
    now: datetime,
    trader_store: CustodyAccount,
) -> None:
    rule_sale(authority_officer, authority_head, allowed=False)
    application = draft(actor=storekeeper, at=now, items=marked, store=trader_store, kind=Kind.DOMESTIC_SALE)

    problems = find_problems(application, now.date())

    assert "forbidden since 1 January 2025: Order 12" in str(problems[marked[0].pk][0].text)


# --- the authority ------------------------------------------------------------------------------------------------


def test_approval_issues_a_permit_and_reserves_the_items(permit: Permit, marked: list[Derivative]) -> None:
    assert permit.number == "PM25-000001"
    assert permit.pieces == 6
    assert permit.grams == sum(derivative.mass_g for derivative in marked)
    assert set(permit.lines.values_list("item_id", flat=True)) == set(keys(marked))
    assert all(len(code) == 12 for code in permit.lines.values_list("mark_code", flat=True))
    assert set(Reservation.objects.active().values_list("reference", flat=True)) == {permit.reference}
    assert permit.application.state == State.APPROVED
    assert permit.state_on(date(2025, 11, 10)) == Permit.State.IN_FORCE
    assert permit.state_on(date(2025, 12, 1)) == Permit.State.EXPIRED


def test_an_item_promised_elsewhere_refuses_approval_and_changes_nothing(
    storekeeper: User,
    authority_officer: User,
    now: datetime,
    marked: list[Derivative],
    trader_store: CustodyAccount,
    other_trader_store: CustodyAccount,
) -> None:
    first = submitted(actor=storekeeper, at=now, items=marked[:3], store=trader_store)
    second = submitted(actor=storekeeper, at=now, items=marked[2:], store=other_trader_store)
    until = date(2025, 11, 30)
    permit = services.approve_application(actor=authority_officer, at=now, application=first, valid_until=until)

    with pytest.raises(services.LinesRefused) as refusal:
        services.approve_application(actor=authority_officer, at=now, application=second, valid_until=until)

    assert {item: [str(p.text) for p in found] for item, found in refusal.value.problems.items()} == {
        marked[2].pk: [f"Reserved for permit {permit.number}."]
    }
    second.refresh_from_db()
    assert second.state == State.SUBMITTED
    assert Permit.objects.count() == 1
    assert Decision.objects.count() == 1
    assert Reservation.objects.active().count() == 3


def test_a_refusal_needs_a_reason_and_an_article(
    application: Application, authority_officer: User, now: datetime
) -> None:
    with pytest.raises(BadInput) as refusal:
        services.refuse_application(actor=authority_officer, at=now, application=application, reason=" ", article="")
    assert set(refusal.value.fields) == {"reason", "article"}
    application.refresh_from_db()
    assert application.state == State.SUBMITTED

    services.refuse_application(
        actor=authority_officer, at=now, application=application, reason="No contract.", article="Art. 17"
    )

    application.refresh_from_db()
    assert application.state == State.REFUSED
    assert not Reservation.objects.exists()


def test_a_returned_application_comes_back_in_the_next_round(
    application: Application, storekeeper: User, authority_officer: User, later: Later, marked: list[Derivative]
) -> None:
    services.return_application(
        actor=authority_officer, at=later(days=1), application=application, reason="Take off the broken one."
    )
    services.remove_lines(actor=storekeeper, at=later(days=2), application=application, item_ids=[marked[0].pk])
    again = services.submit_application(actor=storekeeper, at=later(days=2), application=application)

    permit = services.approve_application(
        actor=authority_officer, at=later(days=3), application=again, valid_until=date(2025, 11, 30)
    )

    assert again.number == "AP25-000001"
    assert (again.round, permit.pieces) == (2, 5)
    assert list(Decision.objects.values_list("round", "outcome")) == [(1, "returned"), (2, "approved")]


def test_nobody_decides_for_their_own_organisation(
    application: Application,
    storekeeper: User,
    authority_officer: User,
    administrator: User,
    committee: Any,
    now: datetime,
) -> None:
    from core.accounts.roles import Role

    give_role(storekeeper, Role.AUTHORITY_OFFICER, committee, by=administrator, at=now)

    with pytest.raises(services.DeciderIsApplicant):
        services.approve_application(actor=storekeeper, at=now, application=application, valid_until=date(2025, 11, 30))
    with pytest.raises(services.DeciderIsApplicant):
        services.take_up_application(actor=storekeeper, at=now, application=application)

    application.refresh_from_db()
    assert application.state == State.SUBMITTED


def test_a_permit_is_not_given_for_a_day_that_has_passed(
    application: Application, authority_officer: User, later: Later
) -> None:
    with pytest.raises(BadInput):
        services.approve_application(
            actor=authority_officer, at=later(days=2), application=application, valid_until=date(2025, 11, 11)
        )


# --- goods --------------------------------------------------------------------------------------------------------


def test_state_bodies_pass_goods_to_each_other_by_the_rule(
    storekeeper: User,
    marked: list[Derivative],
    now: datetime,
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> None:
    handover = services.dispatch_goods(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="k",
        source=reception_store,
        target=central_store,
        item_ids=keys(marked),
    )

    assert handover.under == ""
    assert where(marked) == {handover.transit.code}


def test_goods_leave_an_organisation_only_under_a_permit(
    storekeeper: User,
    marked: list[Derivative],
    now: datetime,
    reception_store: CustodyAccount,
    trader_store: CustodyAccount,
) -> None:
    with pytest.raises(PermitNeeded) as refusal:
        services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="k",
            source=reception_store,
            target=trader_store,
            item_ids=keys(marked),
        )

    assert "1 March 2023" in str(refusal.value)
    assert "Working rule of the registry" in str(refusal.value)
    assert where(marked) == {reception_store.code}


def test_when_the_rule_ends_state_bodies_need_a_permit_too(
    storekeeper: User,
    inspectorate: Any,
    region: Any,
    marked: list[Derivative],
    now: datetime,
    reception_store: CustodyAccount,
) -> None:
    from tests.builders import build_store

    store = build_store("IN-27", inspectorate, region)
    Rule.objects.filter(code="custody.state_transfer").update(ends_on=date(2025, 11, 1))

    with pytest.raises(PermitNeeded, match="no rule in force on 10 November 2025"):
        services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="k",
            source=reception_store,
            target=store,
            item_ids=keys(marked),
        )


def test_a_permit_moves_its_items_to_its_receiver_and_is_used_up(
    handover: Handover, permit: Permit, trader: User, marked: list[Derivative], later: Later
) -> None:
    receive(handover, actor=trader, at=later(hours=3))

    assert where(marked) == {"TS-1"}
    permit = Permit.objects.get(pk=permit.pk)
    assert permit.state_on(date(2025, 11, 10)) == Permit.State.USED
    assert not Reservation.objects.active().exists()
    assert permit.lines.filter(handover=handover).count() == 6
    assert find_differences() == {}


def test_a_permit_is_used_in_parts(
    permit: Permit, storekeeper: User, trader: User, now: datetime, later: Later, reception_store: CustodyAccount
) -> None:
    items = list(permit.lines.values_list("item_id", flat=True))
    for number, part in enumerate((items[:2], items[2:])):
        handover = services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key=f"part-{number}",
            source=reception_store,
            target=permit.store,
            item_ids=part,
            permit=permit,
        )
        assert not PermitEnding.objects.exists()
        receive(handover, actor=trader, at=later(hours=number + 1))

    assert PermitEnding.objects.get().kind == PermitEnding.Kind.USED


def test_what_is_missing_keeps_the_permit_open_and_the_item_bound(
    handover: Handover, permit: Permit, trader: User, later: Later, marked: list[Derivative]
) -> None:
    receive(handover, actor=trader, at=later(hours=1), without=[marked[0].pk])

    assert not PermitEnding.objects.exists()
    assert Reservation.objects.active().get().item_id == marked[0].pk
    assert Notice.objects.get().code == "handover.missing"


@pytest.mark.parametrize("wrong", ["other_store", "before", "after", "uncovered"])
def test_a_permit_allows_nothing_else(
    permit: Permit,
    wrong: str,
    storekeeper: User,
    now: datetime,
    later: Later,
    reception_store: CustodyAccount,
    other_trader_store: CustodyAccount,
    second_batch: list[Derivative],
) -> None:
    items = list(permit.lines.values_list("item_id", flat=True))
    facts: dict[str, Any] = {"target": permit.store, "item_ids": items, "at": now}
    expected: type[Exception] = PermitNotInForce
    if wrong == "other_store":
        facts["target"], expected = other_trader_store, PermitForOtherStore
    elif wrong == "before":
        facts["at"] = now - timedelta(days=1)
    elif wrong == "after":
        facts["at"] = later(days=21)
    else:
        facts["item_ids"], expected = [*items[:2], second_batch[0].pk], services.NotCovered

    with pytest.raises(expected) as refusal:
        services.dispatch_goods(
            carried_by="A courier", actor=storekeeper, key="k", source=reception_store, permit=permit, **facts
        )

    if wrong == "uncovered":
        assert second_batch[0].number in str(refusal.value)
    assert not Handover.objects.exists()


def test_reserved_items_do_not_move_without_their_permit(
    permit: Permit, storekeeper: User, now: datetime, reception_store: CustodyAccount, central_store: CustodyAccount
) -> None:
    with pytest.raises(ledger.ItemsReserved):
        services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="k",
            source=reception_store,
            target=central_store,
            item_ids=list(permit.lines.values_list("item_id", flat=True)),
        )


def test_only_people_of_a_store_send_and_take(
    handover: Handover,
    trader: User,
    other_trader: User,
    storekeeper: User,
    now: datetime,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> None:
    with pytest.raises(NotAllowed):
        services.dispatch_goods(
            carried_by="A courier",
            actor=trader,
            at=now,
            key="k",
            source=reception_store,
            target=central_store,
            item_ids=keys(marked),
        )
    for stranger in (other_trader, storekeeper):
        with pytest.raises(NotAllowed):
            services.scan_goods(actor=stranger, at=now, handover=handover, item_id=marked[0].pk)
        with pytest.raises(NotAllowed):
            services.accept_goods(actor=stranger, at=now, handover=handover)
        with pytest.raises(NotAllowed):
            services.note_extra(actor=stranger, at=now, handover=handover, text="X", item=None)
    with pytest.raises(NotAllowed):
        services.turn_goods_back(actor=trader, at=now, handover=handover, reason="Wrong address")


def test_the_dispatcher_never_accepts(
    storekeeper: User,
    marked: list[Derivative],
    now: datetime,
    later: Later,
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> None:
    handover = services.dispatch_goods(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="k",
        source=reception_store,
        target=central_store,
        item_ids=keys(marked),
    )

    with pytest.raises(ledger.SecondPersonNeeded):
        services.scan_goods(actor=storekeeper, at=later(hours=1), handover=handover, item_id=marked[0].pk)
    with pytest.raises(ledger.SecondPersonNeeded):
        services.accept_goods(actor=storekeeper, at=later(hours=1), handover=handover)
    with pytest.raises(ledger.SecondPersonNeeded):
        services.note_extra(actor=storekeeper, at=now, handover=handover, text="X", item=None)


def test_what_arrives_beside_the_list_becomes_a_discrepancy(
    handover: Handover, trader: User, second_batch: list[Derivative], later: Later
) -> None:
    services.note_extra(
        actor=trader, at=later(hours=1), handover=handover, text=second_batch[0].number, item=second_batch[0]
    )
    _again, is_new = services.note_extra(
        actor=trader, at=later(hours=1), handover=handover, text=second_batch[0].number, item=second_batch[0]
    )

    receive(handover, actor=trader, at=later(hours=2))

    notice = Notice.objects.get()
    assert not is_new
    assert (notice.code, notice.params["extra"]) == ("handover.extra", 1)
    assert second_batch[0].number in notice.params["items"]


def test_the_last_scan_is_taken_back(handover: Handover, trader: User, marked: list[Derivative], later: Later) -> None:
    services.scan_goods(actor=trader, at=later(minutes=1), handover=handover, item_id=marked[0].pk)
    services.note_extra(actor=trader, at=later(minutes=2), handover=handover, text="STRANGE", item=None)

    assert services.undo_last_scan(actor=trader, handover=handover) == "STRANGE"
    assert services.undo_last_scan(actor=trader, handover=handover) == marked[0].number
    assert services.undo_last_scan(actor=trader, handover=handover) is None


def test_returned_goods_are_where_they_were_and_still_permitted(
    handover: Handover, permit: Permit, storekeeper: User, inspector: User, later: Later, marked: list[Derivative]
) -> None:
    services.turn_goods_back(actor=storekeeper, at=later(hours=1), handover=handover, reason="The road is closed.")
    assert where(marked) != {"RP-27-1"}
    handover.refresh_from_db()
    receive(handover, actor=inspector, at=later(hours=2))

    assert where(marked) == {"RP-27-1"}
    assert Reservation.objects.active().filter(reference=permit.reference).count() == 6


# --- the end of a permit --------------------------------------------------------------------------------------------


def test_a_revoked_permit_frees_its_items(permit: Permit, authority_head: User, now: datetime) -> None:
    services.revoke_permit(actor=authority_head, at=now, permit=permit, reason="The contract is void.")

    assert Permit.objects.get().state_on(now.date()) == Permit.State.REVOKED
    assert not Reservation.objects.active().exists()
    with pytest.raises(InvalidTransition):
        services.revoke_permit(actor=authority_head, at=now, permit=permit, reason="Again, as told")


def test_goods_under_a_revoked_permit_go_back(
    handover: Handover,
    permit: Permit,
    authority_head: User,
    trader: User,
    storekeeper: User,
    inspector: User,
    later: Later,
    marked: list[Derivative],
) -> None:
    services.scan_goods(actor=trader, at=later(hours=1), handover=handover, item_id=marked[0].pk)
    services.revoke_permit(actor=authority_head, at=later(hours=2), permit=permit, reason="The contract is void.")

    with pytest.raises(services.PermitRevoked, match="The contract is void"):
        services.accept_goods(actor=trader, at=later(hours=3), handover=handover, difference_reason="-")
    assert Notice.objects.filter(code="permit.revoked_under_way").count() == 2
    with pytest.raises(ledger.BeingReceived):
        services.turn_goods_back(actor=storekeeper, at=later(hours=4), handover=handover, reason="Permit revoked.")
    services.turn_goods_back(actor=trader, at=later(hours=4), handover=handover, reason="Permit revoked.")
    handover.refresh_from_db()
    receive(handover, actor=inspector, at=later(hours=5))

    assert where(marked) == {"RP-27-1"}
    assert not Reservation.objects.active().exists()


def test_an_outlived_permit_expires_and_frees_its_items(permit: Permit, later: Later) -> None:
    assert services.expire_permits(at=later(days=20)) == 0
    assert services.expire_permits(at=later(days=21)) == 1
    assert services.expire_permits(at=later(days=21)) == 0

    assert PermitEnding.objects.get().kind == PermitEnding.Kind.EXPIRED
    assert not Reservation.objects.active().exists()


def test_goods_under_way_keep_their_permit_until_they_arrive(
    handover: Handover, trader: User, later: Later, marked: list[Derivative]
) -> None:
    assert services.expire_permits(at=later(days=30)) == 0

    receive(handover, actor=trader, at=later(days=30))

    assert where(marked) == {"TS-1"}


# --- getting ready to go --------------------------------------------------------------------------------------------


def test_a_loading_list_takes_what_can_go_and_says_why_the_rest_cannot(
    permit: Permit,
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    second_batch: list[Derivative],
    marked: list[Derivative],
) -> None:
    loading = services.open_loading(actor=storekeeper, at=now, source=reception_store)

    added, problems = services.load_items(
        actor=storekeeper, at=now, loading=loading, item_ids=keys([*marked[:1], *second_batch])
    )

    assert added == 4
    assert [str(p.text) for p in problems[marked[0].pk]] == [f"Reserved for permit {permit.number}."]
    assert services.open_loading(actor=storekeeper, at=now, source=reception_store).pk == loading.pk


def test_a_list_is_dispatched_once_however_often_it_is_asked(
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
    marked: list[Derivative],
) -> None:
    loading = services.open_loading(actor=storekeeper, at=now, source=reception_store)
    services.load_items(actor=storekeeper, at=now, loading=loading, item_ids=keys(marked))
    services.change_loading(actor=storekeeper, loading=loading, target=central_store, permit=None)
    transport = services.Transport(vehicle="777 ABC 02", driver="Есен Серік", seals="S-1, S-2")

    first = services.dispatch_loading(actor=storekeeper, at=now, loading=loading, transport=transport)
    second = services.dispatch_loading(actor=storekeeper, at=now, loading=loading)

    assert first.pk == second.pk
    assert (first.vehicle, first.seals) == ("777 ABC 02", "S-1, S-2")
    assert [seal.number for seal in first.seal_checks.all()] == ["S-1", "S-2"]
    assert not loading.lines.exists()
    with pytest.raises(InvalidTransition):
        services.load_items(actor=storekeeper, at=now, loading=loading, item_ids=keys(marked))


def test_the_trader_sells_on_under_a_permit_of_his_own(
    traders_horns: list[Derivative],
    trader: User,
    other_trader: User,
    authority_officer: User,
    later: Later,
    trader_store: CustodyAccount,
    other_trader_store: CustodyAccount,
) -> None:
    at = later(days=1)
    permit = approved(officer=authority_officer, actor=trader, at=at, items=traders_horns[:2], store=other_trader_store)
    handover = services.dispatch_goods(
        carried_by="A courier",
        actor=trader,
        at=at,
        key="on",
        source=trader_store,
        target=other_trader_store,
        item_ids=keys(traders_horns[:2]),
        permit=permit,
    )
    receive(handover, actor=other_trader, at=later(days=2))

    assert where(traders_horns[:2]) == {"TS-2"}
    assert where(traders_horns[2:]) == {"TS-1"}


def test_an_act_costs_the_same_for_two_items_and_for_six(
    storekeeper: User,
    authority_officer: User,
    now: datetime,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    trader_store: CustodyAccount,
    trader: User,
    later: Later,
    second_batch: list[Derivative],
) -> None:
    def queries_for(items: list[Derivative]) -> list[int]:
        counts = []

        def counted(act: Callable[[], Any]) -> Any:
            with CaptureQueriesContext(connection) as queries:
                done = act()
            counts.append(len(queries))
            return done

        application = draft(actor=storekeeper, at=now, items=items, store=trader_store)
        counted(lambda: services.submit_application(actor=storekeeper, at=now, application=application))
        permit = counted(
            lambda: services.approve_application(
                actor=authority_officer, at=now, application=application, valid_until=date(2025, 11, 30)
            )
        )
        handover = counted(
            lambda: services.dispatch_goods(
                carried_by="A courier",
                actor=storekeeper,
                at=now,
                key=str(permit.pk),
                source=reception_store,
                target=trader_store,
                item_ids=keys(items),
                permit=permit,
            )
        )
        for item in items:
            services.scan_goods(actor=trader, at=later(hours=1), handover=handover, item_id=item.pk)
        counted(lambda: services.accept_goods(actor=trader, at=later(hours=2), handover=handover))
        return counts

    queries_for(second_batch[:1])
    assert queries_for(second_batch[1:3]) == queries_for(marked)


def test_the_hourly_task_ends_what_has_outlived_its_days(permit: Permit) -> None:
    assert end_outlived_permits() == 1

    assert PermitEnding.objects.get().permit_id == permit.pk
