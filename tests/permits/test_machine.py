"""Every act in every state by every role: only what the table allows happens, anything else changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import DomainError, InvalidTransition, NotAllowed
from ledger.models import CustodyAccount, Reservation
from permits import services
from permits.machine import FINAL, TRANSITIONS, Act, Side, State, acts_of, draw, find_transition, state_pairs
from permits.models import Application, ApplicationLine, Decision, Permit
from registry.models import Derivative
from tests.rights import draft, submitted

DOC = Path(__file__).resolve().parents[2] / "docs" / "applications.md"
Deed = Callable[[User, datetime, Application], Any]

DEEDS: dict[Act, Deed] = {
    Act.CHANGE: lambda who, at, it: services.change_application(
        actor=who,
        at=at,
        application=it,
        wishes=services.Wishes(
            store=it.store, purpose="Another", wished_from=it.wished_from, wished_until=it.wished_until
        ),
    ),
    Act.SUBMIT: lambda who, at, it: services.submit_application(actor=who, at=at, application=it),
    Act.WITHDRAW: lambda who, at, it: services.withdraw_application(actor=who, at=at, application=it),
    Act.TAKE_UP: lambda who, at, it: services.take_up_application(actor=who, at=at, application=it),
    Act.APPROVE: lambda who, at, it: services.approve_application(
        actor=who, at=at, application=it, valid_until=at.date() + timedelta(days=9)
    ),
    Act.REFUSE: lambda who, at, it: services.refuse_application(
        actor=who, at=at, application=it, reason="As the act says", article="17"
    ),
    Act.RETURN: lambda who, at, it: services.return_application(
        actor=who, at=at, application=it, reason="Mend it, as told"
    ),
}


def try_and_undo(deed: Deed, who: User, at: datetime, application: Application) -> str | DomainError:
    """The state it leads to, or how it was refused; nothing of it stays."""
    try:
        with transaction.atomic():
            deed(who, at, application)
            state: str = Application.objects.get().state
            transaction.set_rollback(True)
    except DomainError as refusal:
        return refusal
    return state


@pytest.fixture
def people(
    storekeeper: User,
    inspector: User,
    trader: User,
    other_trader: User,
    authority_officer: User,
    second_officer: User,
    authority_head: User,
    scientific_reviewer: User,
    customs_officer: User,
    auditor: User,
    administrator: User,
    stranger: User,
) -> list[User]:
    return [
        storekeeper,
        inspector,
        trader,
        other_trader,
        authority_officer,
        second_officer,
        authority_head,
        scientific_reviewer,
        customs_officer,
        auditor,
        administrator,
        stranger,
    ]


def bring_to(state: State, *, applicant: User, officer: User, at: datetime, **facts: Any) -> Application:
    """An application in a state, reached by the acts that lead there."""
    if state == State.DRAFT:
        return draft(actor=applicant, at=at, **facts)
    application = submitted(actor=applicant, at=at, **facts)
    acts = {
        State.SUBMITTED: None,
        State.IN_REVIEW: (Act.TAKE_UP, officer),
        State.RETURNED: (Act.RETURN, officer),
        State.APPROVED: (Act.APPROVE, officer),
        State.REFUSED: (Act.REFUSE, officer),
        State.WITHDRAWN: (Act.WITHDRAW, applicant),
    }
    if step := acts[state]:
        DEEDS[step[0]](step[1], at, application)
    application.refresh_from_db()
    return application


def everything() -> tuple[Any, ...]:
    return (
        list(Application.objects.values_list()),
        list(ApplicationLine.objects.values_list()),
        list(Decision.objects.values_list()),
        list(Permit.objects.values_list("pk")),
        list(Reservation.objects.values_list()),
        Event.objects.count(),
    )


@pytest.mark.parametrize("state", State)
def test_only_what_the_table_allows_happens(
    state: State,
    people: list[User],
    storekeeper: User,
    authority_officer: User,
    now: datetime,
    marked: list[Derivative],
    trader_store: CustodyAccount,
) -> None:
    application = bring_to(
        state, applicant=storekeeper, officer=authority_officer, at=now, items=marked, store=trader_store
    )
    assert application.state == state
    before = everything()
    authority = {"authority_officer", "second_officer", "authority_head"}
    tried = allowed = 0

    for act, deed in DEEDS.items():
        row = find_transition(state, act)
        for person in people:
            tried += 1
            side = Side.APPLICANT if person == storekeeper else Side.AUTHORITY if person.username in authority else None
            is_allowed = row is not None and row.side == side
            outcome = try_and_undo(deed, person, now + timedelta(hours=1), application)
            if is_allowed and row is not None:
                allowed += 1
                assert outcome == row.target, (state, act, person.username, outcome)
            else:
                expected = NotAllowed if row else InvalidTransition
                assert isinstance(outcome, expected), (state, act, person.username, outcome)
            assert everything() == before

    assert tried == len(DEEDS) * len(people)
    assert allowed == len(acts_of(state, Side.APPLICANT)) + 3 * len(acts_of(state, Side.AUTHORITY))


def test_the_table_is_whole() -> None:
    assert set(DEEDS) == set(Act)
    assert {row.source for row in TRANSITIONS} == set(State) - set(FINAL)
    assert {target for _source, target in state_pairs()} == {state.value for state in State} - {"draft"}
    assert len({(row.source, row.act) for row in TRANSITIONS}) == len(TRANSITIONS)


def test_the_diagram_in_the_documentation_is_drawn_from_the_table() -> None:
    assert draw() in DOC.read_text(encoding="utf-8")
