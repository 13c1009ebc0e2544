"""The head of an item's page: where it is and what binds it, in words that are true for every state."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from core.accounts.models import User
from custody.models import LossAct, LossReport
from custody.services import loss
from ledger.models import AccountKind, CustodyAccount, Hold
from registry.models import Derivative, Intake, Outcome
from registry.services import DecisionFacts, Receiver, confirm_decision, record_decision, return_goods
from reports.standing import DECIDED, GONE, HELD, NOT_THERE, standings
from tests.builders import register
from tests.custody.test_loss import say
from tests.files import scanned, scrawl
from tests.registry.test_processing import chain

pytestmark = pytest.mark.django_db

Later = Callable[..., datetime]


def said(place: str, *holds: str, decided: str = "", reserved_for: str = "") -> list[tuple[str, str]]:
    """Tone and words for an item at a place of this kind, under holds of these kinds."""
    account = CustodyAccount(kind=place, name_en="Store 1", name_kk="1-қойма", name_ru="Склад 1")
    with translation.override("en"):
        found = standings(
            0, account, [Hold(kind=kind, reference="N-1") for kind in holds], decided=decided, reserved_for=reserved_for
        )
        return [(one.tone, str(one.label)) for one in found]


STORE, EVIDENCE, TRANSIT = AccountKind.STORE, AccountKind.EVIDENCE, AccountKind.TRANSIT
ROOM = ("attention", "In the evidence room: Store 1")


@pytest.mark.parametrize(
    ("place", "holds", "decided", "words"),
    [
        (STORE, [], "", [("ok", "In store: Store 1")]),
        (EVIDENCE, [], "", [("attention", "In the evidence room: Store 1")]),
        (TRANSIT, [], "", [("wait", "On the way between stores")]),
        (AccountKind.EXPORT, [], "", [("neutral", "Exported")]),
        (AccountKind.DOMESTIC_SALE, [], "", [("neutral", "Sold inside the country")]),
        (AccountKind.PROCESSING, [], "", [("neutral", "Consumed in processing")]),
        (AccountKind.DESTRUCTION, [], Outcome.DESTROY, [("neutral", "Destroyed")]),
        (AccountKind.RETURNED, [], Outcome.RETURNED, [("neutral", "Given back to the owner")]),
        (AccountKind.LOSS, [], "", [("stop", "Lost or stolen")]),
        (AccountKind.REMOVAL, [], "", [("neutral", "Its registration was taken back")]),
        (AccountKind.SEIZURE, [], "", [("neutral", "Its registration was taken back")]),
        (
            EVIDENCE,
            ["evidence"],
            "",
            [("attention", "In the evidence room: Store 1"), ("stop", "Held as evidence: N-1")],
        ),
        (STORE, ["court"], "", [("ok", "In store: Store 1"), ("stop", "A court has decided: N-1")]),
        (
            EVIDENCE,
            ["court"],
            Outcome.RETURNED,
            [
                ("attention", "In the evidence room: Store 1"),
                ("stop", "To be given back to the owner, as a court decided: N-1"),
            ],
        ),
        (
            STORE,
            ["court"],
            Outcome.DESTROY,
            [("ok", "In store: Store 1"), ("stop", "To be destroyed, as a court decided: N-1")],
        ),
        (STORE, ["dispute"], "", [("ok", "In store: Store 1"), ("stop", "In dispute: N-1")]),
        (
            STORE,
            ["missing"],
            "",
            [("attention", "Not found where it should be: Store 1"), ("stop", "Missing in a stock-take: N-1")],
        ),
        (
            STORE,
            ["loss"],
            "",
            [("attention", "Not found where it should be: Store 1"), ("stop", "Reported lost or stolen: N-1")],
        ),
        (
            TRANSIT,
            ["in_transit"],
            "",
            [("attention", "Lost from sight between stores"), ("stop", "Did not arrive: N-1")],
        ),
        (STORE, ["to_destroy"], "", [("ok", "In store: Store 1"), ("stop", "On a list of destruction: N-1")]),
        (STORE, ["origin"], "", [("ok", "In store: Store 1"), ("stop", "Goods to be confirmed: N-1")]),
        (STORE, ["mass"], "", [("ok", "In store: Store 1"), ("stop", "Its mass is in question: N-1")]),
        (STORE, ["processing"], "", [("ok", "In store: Store 1"), ("stop", "In processing: N-1")]),
    ],
)
def test_each_state_says_the_truth(place: str, holds: list[str], decided: str, words: list[tuple[str, str]]) -> None:
    assert said(place, *holds, decided=decided) == words


def test_no_kind_of_hold_or_boundary_is_without_words() -> None:
    assert set(HELD) | {Hold.Kind.LOSS} == set(Hold.Kind)
    assert set(Hold.Kind) >= NOT_THERE
    assert set(DECIDED) == {Outcome.RETURNED, Outcome.DESTROY}
    ends = {AccountKind.EXPORT, AccountKind.DOMESTIC_SALE, AccountKind.PROCESSING, AccountKind.DESTRUCTION}
    assert set(GONE) == ends | {AccountKind.RETURNED}


@pytest.fixture
def seized_horns(open_seizure: Intake, inspector: User, now: datetime) -> list[Derivative]:
    return register(open_seizure, actor=inspector, at=now)


def head(client: Client, person: User, item: Derivative) -> str:
    """The page of the item in English, down to its facts."""
    client.force_login(person)
    client.cookies["django_language"] = "en"
    answer = client.get(reverse("reports:item", args=[item.pk]))
    assert answer.status_code == 200
    return answer.content.decode().split('id="facts"')[0]


def test_what_was_given_back_is_pending_before_no_court(
    client: Client,
    inspector: User,
    second_inspector: User,
    authority_officer: User,
    seized_horns: list[Derivative],
    now: datetime,
) -> None:
    gone = seized_horns[0]
    case = gone.intake.case
    assert case is not None
    assert "seized, court pending" in head(client, inspector, gone)
    assert "Held as evidence" in head(client, inspector, gone)

    decision = record_decision(
        actor=inspector,
        at=now,
        case=case,
        facts=DecisionFacts("Court", "7", now.date(), now.date(), returned_to="Жақсылықов Нұрлан"),
        outcomes={Outcome.RETURNED: [gone.pk]},
        content=scanned(1),
        name="decision.jpg",
    )
    assert "seized, court pending" in head(client, inspector, gone)
    confirm_decision(actor=authority_officer, at=now, decision=decision)

    waiting = head(client, inspector, gone)
    assert "seized, a court has decided" in waiting
    assert "court pending" not in waiting
    assert "To be given back to the owner, as a court decided: 7" in waiting
    assert client.get(f"/api/v1/items/{gone.pk}/").json()["decided"] == "returned"

    owner = Receiver(name="Жақсылықов Нұрлан", document="ЖК № 045871236")
    return_goods(
        actor=second_inspector,
        second=inspector,
        at=now,
        decision=decision,
        item_ids=[gone.pk],
        receiver=owner,
        picture=scrawl(),
    )

    returned = head(client, inspector, gone)
    assert "Given back to the owner" in returned
    assert "seized, a court has decided" in returned
    assert "pending" not in returned
    listed = client.get("/items/?gone=yes").content.decode()
    assert "seized, a court has decided" in listed


def test_what_one_run_made_and_another_consumed_has_a_page(
    client: Client, storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    steps = chain(storekeeper, now, reception_store, horns)

    for consumed in (horns[0], steps[1][0], steps[2][0]):
        assert "Consumed in processing" in head(client, storekeeper, consumed)
        assert client.get(f"/api/v1/items/{consumed.pk}/").json()["place"]["kind"] == "processing"
    assert f"In store: {reception_store.name_en}" in head(client, storekeeper, steps[-1][0])


def test_what_was_reported_says_how_and_what_became_of_it(
    client: Client,
    marked: list[Derivative],
    storekeeper: User,
    authority_officer: User,
    reception_store: CustodyAccount,
    later: Later,
    now: datetime,
) -> None:
    def report(item: Derivative, kind: LossReport.Kind) -> LossReport:
        return say(storekeeper, now, reception_store, [item.pk], kind=kind)

    stolen, lost = report(marked[0], LossReport.Kind.THEFT), report(marked[1], LossReport.Kind.LOSS)

    assert f"Reported stolen: {stolen.number}" in head(client, storekeeper, marked[0])
    assert "In store" not in head(client, storekeeper, marked[0])
    assert f"Reported lost: {lost.number}" in head(client, storekeeper, marked[1])

    act = loss.propose_act(
        actor=storekeeper,
        at=later(hours=1),
        report=stolen,
        kind=LossAct.Kind.WRITE_OFF,
        item_ids=[marked[0].pk],
        reason="Never found",
        early_reason="The police closed the case.",
    )
    loss.approve_act(actor=authority_officer, at=later(hours=2), act=act)

    assert f"Stolen, written off: {act.number}" in head(client, storekeeper, marked[0])
    assert "Reported" not in head(client, storekeeper, marked[0])
