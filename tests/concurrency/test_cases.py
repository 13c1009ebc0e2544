"""Two people at once over one case, and a destruction against a dispatch. Each race has a twin that shows its lock."""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import QuerySet

from core.accounts.models import Organisation, User
from core.notices.models import Notice
from custody.models import DestructionOrder
from custody.services import destruction
from ledger.models import CustodyAccount, Handover, Hold, Holding
from ledger.selectors import find_differences
from ledger.services import dispatch_items
from registry import services
from registry.models import Case, CourtDecision, Derivative, Intake, Outcome
from registry.services import CaseFacts, DecisionFacts, cases
from tests.builders import register, some_rows
from tests.concurrency.test_ledger import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def _record(actor: User, at: datetime, goods: list[Derivative], number: str, outcome: Outcome) -> Callable[[], Any]:
    case = goods[0].intake.case
    assert case is not None
    facts = DecisionFacts("Court", number, at.date(), at.date())
    outcomes = {outcome: [horn.pk for horn in goods]}
    return lambda: services.record_decision(actor=actor, at=at, case=case, facts=facts, outcomes=outcomes)


def test_of_two_decisions_recorded_at_once_one_waits(open_seizure: Intake, inspector: User, now: datetime) -> None:
    goods = register(open_seizure, actor=inspector, at=now)

    results = at_once(
        _record(inspector, now, goods, "1", Outcome.CONFISCATED), _record(inspector, now, goods, "2", Outcome.DESTROY)
    )

    assert len(winners(results)) == 1
    assert any(isinstance(result, services.DecisionWaits) for result in results)
    assert CourtDecision.objects.count() == 1


def test_without_the_lock_only_the_index_stands_between_two_decisions(
    open_seizure: Intake, inspector: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: with the lock taken out the database refuses one without a sentence."""
    goods = register(open_seizure, actor=inspector, at=now)
    barrier = threading.Barrier(2)

    def unlocked(actor: User, case: Any) -> Any:
        return case

    def meet(*args: Any, **kwargs: Any) -> dict[str, Any]:
        barrier.wait(10)
        return {}

    monkeypatch.setattr(cases, "_take_in_hand", unlocked)
    monkeypatch.setattr(cases, "_wrong_decision", meet)

    results = at_once(
        _record(inspector, now, goods, "1", Outcome.CONFISCATED), _record(inspector, now, goods, "2", Outcome.DESTROY)
    )

    assert any(isinstance(result, DatabaseError) for result in results)
    assert CourtDecision.objects.count() == 1


def test_of_two_confirmations_one_takes_effect(
    open_seizure: Intake, inspector: User, authority_officer: User, second_officer: User, now: datetime
) -> None:
    goods = register(open_seizure, actor=inspector, at=now)
    decision = _record(inspector, now, goods, "1", Outcome.CONFISCATED)()

    results = at_once(
        lambda: services.confirm_decision(actor=authority_officer, at=now, decision=decision),
        lambda: services.confirm_decision(actor=second_officer, at=now, decision=decision),
    )

    assert len(winners(results)) == 1
    assert not Hold.objects.active().exists()
    assert find_differences() == {}


def test_without_the_lock_both_confirmations_begin(
    open_seizure: Intake, inspector: User, authority_officer: User, second_officer: User, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The twin: with the locks taken out both see a decision that waits, and the database refuses one unsaid."""
    goods = register(open_seizure, actor=inspector, at=now)
    decision = _record(inspector, now, goods, "1", Outcome.CONFISCATED)()
    barrier = threading.Barrier(2)

    def settled(case: Any) -> bool:
        barrier.wait(10)
        return True

    monkeypatch.setattr(cases, "lock_case", lambda pk: Case.objects.get(pk=pk))
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_how: self)
    monkeypatch.setattr(cases, "counts_are_settled", settled)

    results = at_once(
        lambda: services.confirm_decision(actor=authority_officer, at=now, decision=decision),
        lambda: services.confirm_decision(actor=second_officer, at=now, decision=decision),
    )

    assert len(winners(results)) == 1
    assert any(isinstance(result, DatabaseError) for result in results)


def _two_receptions(
    inspector: User, room: CustodyAccount, police: Organisation, at: datetime
) -> list[Callable[[], Any]]:
    """Two receptions of one case with a protocol of five horns, four of them weighed."""
    facts = CaseFacts("№ 8", at.date(), "", police, "Жәнібек", at.date(), horns=5)
    assert room.region is not None
    case = services.open_case(actor=inspector, at=at, facts=facts, region=room.region)
    registrations: list[Callable[[], Any]] = []
    for _time in range(2):
        intake = services.open_seizure_intake(actor=inspector, at=at, store=room, on=at.date(), case=case)
        intake = services.save_rows(actor=inspector, at=at, intake=intake, version=intake.version, rows=some_rows(2))
        registrations.append(partial(register, intake, actor=inspector, at=at))
    return registrations


def test_of_two_receptions_registered_at_once_the_last_tells_the_difference(
    inspector: User, evidence_room: CustodyAccount, police: Organisation, now: datetime
) -> None:
    results = at_once(*_two_receptions(inspector, evidence_room, police, now))

    assert len(winners(results)) == 2
    assert Notice.objects.filter(code="case.counts_differ").count() == 1


def test_goods_are_listed_for_destruction_or_dispatched_but_not_both(
    horns: list[Derivative], storekeeper: User, reception_store: CustodyAccount, central_store: CustodyAccount,
    now: datetime,
) -> None:  # fmt: skip
    items = [horn.pk for horn in horns]

    results = at_once(
        lambda: destruction.order_destruction(
            actor=storekeeper,
            at=now,
            store=reception_store,
            basis=DestructionOrder.Basis.UNFIT,
            basis_paper="Act 5",
            planned_on=now.date(),
            item_ids=items,
        ),
        lambda: dispatch_items(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="d",
            source=reception_store,
            target=central_store,
            item_ids=items,
        ),
    )

    assert len(winners(results)) == 1
    held = Hold.objects.active().filter(kind="to_destroy").count()
    moved = Handover.objects.count()
    assert (held, moved) in [(len(items), 0), (0, 1)]
    assert Holding.objects.filter(item__in=items, pieces__gt=0).count() == len(items)
