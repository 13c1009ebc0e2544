"""Two people at once over one item, one application, one hand-over. Each race has a twin that shows its lock."""

import threading
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from core.accounts.models import User
from core.base.errors import DomainError, InvalidTransition
from ledger import services as ledger
from ledger.models import CustodyAccount, Handover, Holding, Reservation
from ledger.selectors import find_differences
from ledger.services import holding
from permits import services
from permits.models import Application, Decision, Permit, PermitEnding
from permits.selectors import PermitNotInForce
from permits.services import decisions
from registry.models import Derivative
from tests.concurrency.test_ledger import at_once, winners
from tests.rights import keys, receive, submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
UNTIL = date(2025, 11, 30)
Later = Callable[..., datetime]


def approve(application: Application, officer: User, at: datetime) -> Callable[[], Permit]:
    return lambda: services.approve_application(actor=officer, at=at, application=application, valid_until=UNTIL)


def test_two_officers_approve_two_applications_with_one_item_and_one_wins(
    storekeeper: User,
    authority_officer: User,
    second_officer: User,
    now: datetime,
    marked: list[Derivative],
    trader_store: CustodyAccount,
    other_trader_store: CustodyAccount,
) -> None:
    first = submitted(actor=storekeeper, at=now, items=marked[:4], store=trader_store)
    second = submitted(actor=storekeeper, at=now, items=marked[3:], store=other_trader_store)

    results = at_once(approve(first, authority_officer, now), approve(second, second_officer, now))

    (permit,) = winners(results)
    (loser,) = (result for result in results if isinstance(result, Exception))
    assert isinstance(loser, services.LinesRefused)
    assert set(loser.problems) == {marked[3].pk}
    assert set(Reservation.objects.active().values_list("reference", flat=True)) == {permit.reference}
    assert sorted(Application.objects.values_list("state", flat=True)) == ["approved", "submitted"]
    assert Decision.objects.count() == Permit.objects.count() == 1


def test_without_the_reservation_only_the_index_stands_between_two_approvals(
    storekeeper: User,
    authority_officer: User,
    second_officer: User,
    now: datetime,
    marked: list[Derivative],
    trader_store: CustodyAccount,
    other_trader_store: CustodyAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: with the ledger's lock taken out both reserve, and the database refuses one without a sentence."""
    first = submitted(actor=storekeeper, at=now, items=marked[:4], store=trader_store)
    second = submitted(actor=storekeeper, at=now, items=marked[3:], store=other_trader_store)
    barrier = threading.Barrier(2)

    def unlocked(item_ids: Any) -> int:
        barrier.wait(10)
        return len(item_ids)

    def unbound(item_ids: Any) -> tuple[int, dict[str, int]]:
        return 0, {}

    monkeypatch.setattr(holding, "lock_items", unlocked)
    monkeypatch.setattr(holding, "bound", unbound)

    results = at_once(approve(first, authority_officer, now), approve(second, second_officer, now))

    assert len(winners(results)) == 1
    assert any(isinstance(result, DatabaseError) for result in results)


def test_one_application_is_decided_once(
    application: Application, authority_officer: User, second_officer: User, authority_head: User, now: datetime
) -> None:
    def refuse(officer: User) -> Callable[[], Application]:
        return lambda: services.refuse_application(
            actor=officer, at=now, application=application, reason="As the act says", article="17"
        )

    results = at_once(approve(application, authority_officer, now), refuse(second_officer), refuse(authority_head))

    assert len(winners(results)) == 1
    assert all(isinstance(r, InvalidTransition) for r in results if isinstance(r, Exception))
    assert Decision.objects.count() == 1


def test_without_the_lock_the_database_takes_one_decision(
    application: Application,
    authority_officer: User,
    second_officer: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: unlocked, both officers believe the application waits; the trigger and its index keep one decision."""
    barrier = threading.Barrier(2)

    def unlocked(application: Application, act: Any) -> Application:
        found = Application.objects.select_related("applicant", "receiver", "store").get(pk=application.pk)
        barrier.wait(10)
        return found

    monkeypatch.setattr(decisions, "lock_application", unlocked)

    def give_back(officer: User) -> Callable[[], Application]:
        return lambda: services.return_application(
            actor=officer, at=now, application=application, reason="Mend it, as told"
        )

    results = at_once(give_back(authority_officer), give_back(second_officer))

    assert len(winners(results)) == 1
    assert any(isinstance(result, DatabaseError) for result in results)
    assert Decision.objects.count() == 1


def test_one_item_dispatched_twice_under_its_permit_leaves_once(
    permit: Permit, storekeeper: User, now: datetime, reception_store: CustodyAccount
) -> None:
    items = list(permit.lines.values_list("item_id", flat=True))

    def dispatch(key: str) -> Callable[[], Handover]:
        return lambda: services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key=key,
            source=reception_store,
            target=permit.store,
            item_ids=items,
            permit=permit,
        )

    results = at_once(*(dispatch(f"k{n}") for n in range(4)))

    assert len(winners(results)) == 1
    assert all(isinstance(r, ledger.ItemsNotThere) for r in results if isinstance(r, Exception))
    assert find_differences() == {}


def test_accepting_against_taking_back_ends_in_one_of_them(
    handover: Handover, permit: Permit, trader: User, storekeeper: User, later: Later, marked: list[Derivative]
) -> None:
    def receive() -> Handover:
        for item in keys(marked):
            services.scan_goods(actor=trader, at=later(hours=1), handover=handover, item_id=item)
        return services.accept_goods(actor=trader, at=later(hours=2), handover=handover)

    results = at_once(
        receive,
        lambda: services.turn_goods_back(
            actor=storekeeper, at=later(hours=2), handover=handover, reason="Come back, as told"
        ),
    )

    assert len(winners(results)) == 1
    handover.refresh_from_db()
    where = set(Holding.objects.filter(item__in=keys(marked), pieces__gt=0).values_list("account__kind", flat=True))
    assert (handover.state, where) in ((("accepted", {"store"})), (("returning", {"transit"})))
    assert Reservation.objects.active().exists() == (handover.state == "returning")
    assert find_differences() == {}


def test_revoking_against_dispatching_never_leaves_goods_on_a_dead_permit(
    permit: Permit, storekeeper: User, authority_head: User, now: datetime, reception_store: CustodyAccount
) -> None:
    items = list(permit.lines.values_list("item_id", flat=True))

    results = at_once(
        lambda: services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="k",
            source=reception_store,
            target=permit.store,
            item_ids=items,
            permit=permit,
        ),
        lambda: services.revoke_permit(actor=authority_head, at=now, permit=permit, reason="Void, as told"),
    )

    assert PermitEnding.objects.get().kind == PermitEnding.Kind.REVOKED
    under_way = Handover.objects.filter(state="dispatched").exists()
    assert under_way == (Reservation.objects.active().count() == len(items))
    assert under_way or any(isinstance(result, DomainError) for result in results)


def test_a_dispatch_that_waited_for_a_revocation_sees_it(
    permit: Permit, storekeeper: User, authority_head: User, now: datetime, reception_store: CustodyAccount
) -> None:
    revoked = threading.Event()

    def revoke_slowly() -> None:
        with transaction.atomic():
            services.revoke_permit(actor=authority_head, at=now, permit=permit, reason="Void, as told")
            revoked.set()
            time.sleep(0.5)

    def dispatch() -> Handover:
        revoked.wait(10)
        return services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="k",
            source=reception_store,
            target=permit.store,
            item_ids=list(permit.lines.values_list("item_id", flat=True)),
            permit=permit,
        )

    _revoked, refusal = at_once(revoke_slowly, dispatch)

    assert isinstance(refusal, PermitNotInForce)
    assert not Handover.objects.exists()


def test_one_list_dispatched_from_two_windows_is_one_handover(
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
    marked: list[Derivative],
) -> None:
    loading = services.open_loading(actor=storekeeper, at=now, source=reception_store)
    services.load_items(actor=storekeeper, at=now, loading=loading, item_ids=keys(marked))
    services.change_loading(
        actor=storekeeper,
        loading=loading,
        target=central_store,
        permit=None,
        transport=services.Transport(carried_by="A courier"),
    )

    results = at_once(
        *[lambda: services.dispatch_loading(actor=storekeeper, at=now, loading=loading) for _window in range(3)]
    )

    assert {handover.pk for handover in winners(results)} == {Handover.objects.get().pk}
    assert len(winners(results)) == 3


def test_the_last_parts_of_a_permit_arriving_at_once_end_it_once(
    permit: Permit, storekeeper: User, trader: User, now: datetime, later: Later, reception_store: CustodyAccount
) -> None:
    items = list(permit.lines.values_list("item_id", flat=True))
    parts = [
        services.dispatch_goods(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key=f"part-{number}",
            source=reception_store,
            target=permit.store,
            item_ids=part,
            permit=permit,
        )
        for number, part in enumerate((items[:3], items[3:]))
    ]

    results = at_once(*[lambda part=part: receive(part, actor=trader, at=later(hours=1)) for part in parts])

    assert len(winners(results)) == 2
    assert PermitEnding.objects.get().kind == PermitEnding.Kind.USED
    assert not Reservation.objects.active().exists()
