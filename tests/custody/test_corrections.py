"""A mistaken movement is corrected by two persons; a closed period stays as it is."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from core.accounts.models import User
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from custody.models import Correction
from custody.services import corrections as services
from ledger.models import CustodyAccount, Holding, Movement, MovementKind, PeriodClose
from ledger.selectors import find_differences
from ledger.services import BackDated, ItemsNotThere, SecondPersonNeeded, dispatch_items, move_items, reverse_movement
from registry.models import Derivative
from tests.cast import PASSWORD


@pytest.fixture
def mistake(
    horns: list[Derivative],
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    other_reception_store: CustodyAccount,
) -> Movement:
    """Two horns booked into the wrong store."""
    return move_items(
        actor=storekeeper,
        at=now,
        key="wrong",
        kind=MovementKind.TRANSFER,
        item_ids=[horns[0].pk, horns[1].pk],
        source=reception_store,
        target=other_reception_store,
        effective_on=day_of(now),
    )


@pytest.fixture
def asked(mistake: Movement, authority_officer: User, now: datetime) -> Correction:
    return services.ask_correction(actor=authority_officer, at=now, movement=mistake, reason="The wrong store")


def in_english(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.cookies.load({"django_language": "en"})
    return client


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


def test_a_second_person_brings_everything_back(
    asked: Correction,
    mistake: Movement,
    authority_officer: User,
    authority_head: User,
    now: datetime,
    other_reception_store: CustodyAccount,
    reception_store: CustodyAccount,
) -> None:
    moved = Holding.objects.filter(account=other_reception_store, pieces__gt=0)
    assert moved.count() == 2
    assert Notice.objects.open().filter(code="correction.waits").count() == 1
    with pytest.raises(SecondPersonNeeded):
        services.confirm_correction(actor=authority_officer, at=now, correction=asked)
    assert moved.count() == 2

    done = services.confirm_correction(actor=authority_head, at=now, correction=asked)

    assert moved.count() == 0
    assert Holding.objects.filter(account=reception_store, pieces__gt=0).count() == 6
    assert done.counter is not None
    assert (done.counter.reverses_id, done.counter.actor) == (mistake.pk, authority_head)
    assert find_differences() == {}
    assert not Notice.objects.open().filter(code="correction.waits").exists()
    told = Event.objects.about(("movement", mistake.pk)).values_list("verb", flat=True)
    assert set(told) >= {"correction.asked", "correction.confirmed", "ledger.movement_reversed"}
    for act in (services.confirm_correction, lambda **who: services.refuse_correction(reason="As the act says", **who)):
        with pytest.raises(InvalidTransition):
            act(actor=authority_head, at=now, correction=asked)
    with pytest.raises(services.NotCorrectedHere):
        services.ask_correction(actor=authority_head, at=now, movement=mistake, reason="Again, as told")


def test_what_has_its_own_way_back_is_refused(
    horns: list[Derivative],
    authority_officer: User,
    storekeeper: User,
    inspector: User,
    now: datetime,
    reception_store: CustodyAccount,
    other_reception_store: CustodyAccount,
    mistake: Movement,
) -> None:
    sent = dispatch_items(
        carried_by="A courier",
        actor=inspector,
        at=now,
        key="go",
        source=reception_store,
        target=other_reception_store,
        item_ids=[horns[3].pk],
    )
    for movement in (sent.dispatch_movement, Movement.objects.get(kind=MovementKind.INTAKE)):
        with pytest.raises(services.NotCorrectedHere):
            services.ask_correction(actor=authority_officer, at=now, movement=movement, reason="Mistake, as told")
    with pytest.raises(NotAllowed):
        services.ask_correction(actor=storekeeper, at=now, movement=mistake, reason="Mistake, as told")
    with pytest.raises(BadInput):
        services.ask_correction(actor=authority_officer, at=now, movement=mistake, reason=" ")
    assert not Correction.objects.exists()


def test_every_kind_of_movement_is_corrected_here_or_says_why_not() -> None:
    for kind in MovementKind:
        assert kind in services.CORRECTED_HERE or services.refusal_to_correct(Movement(kind=kind))


def test_goods_that_went_on_are_not_brought_back(
    asked: Correction,
    horns: list[Derivative],
    authority_head: User,
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    other_reception_store: CustodyAccount,
) -> None:
    dispatch_items(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="on",
        source=other_reception_store,
        target=reception_store,
        item_ids=[horns[0].pk],
    )

    with pytest.raises(ItemsNotThere):
        services.confirm_correction(actor=authority_head, at=now, correction=asked)

    asked.refresh_from_db()
    assert asked.state == Correction.State.ASKED
    services.refuse_correction(actor=authority_head, at=now, correction=asked, reason="They went on")
    assert not Movement.objects.filter(kind=MovementKind.REVERSAL).exists()


def test_the_database_asks_for_two_persons_too(
    asked: Correction, mistake: Movement, authority_officer: User, authority_head: User, now: datetime
) -> None:
    one = Correction.objects.filter(pk=asked.pk)
    refused(
        lambda: one.update(state="confirmed", decided_by=authority_head, decided_at=now),
        "confirmed_correction_has_its_movement",
    )
    refused(
        lambda: one.update(state="confirmed", decided_by=authority_head, decided_at=now, counter=mistake),
        "correction_reverses_its_movement",
    )

    def alone() -> None:
        counter = reverse_movement(
            actor=authority_officer, at=now, key="alone", movement=mistake, effective_on=day_of(now)
        )
        one.update(state="confirmed", decided_by=authority_officer, decided_at=now, counter=counter)

    refused(alone, "correction_needs_two_persons")
    refused(lambda: one.update(reason="Other, as told"), "Cannot update")
    refused(one.delete, "Cannot delete")
    refused(
        lambda: Correction.objects.create(movement=mistake, reason="x", asked_by=authority_head, asked_at=now),
        "one_correction_of_a_movement",
    )
    services.refuse_correction(actor=authority_officer, at=now, correction=asked, reason="My mistake, as told")
    refused(lambda: one.update(decide_reason="Other"), "Cannot update")


def test_the_database_turns_nothing_round_without_a_confirmed_correction(
    asked: Correction, mistake: Movement, authority_head: User, now: datetime, other_reception_store: CustodyAccount
) -> None:
    refused(
        lambda: reverse_movement(actor=authority_head, at=now, key="back", movement=mistake, effective_on=day_of(now)),
        "reversal_is_of_a_correction",
    )

    assert Holding.objects.filter(account=other_reception_store, pieces__gt=0).count() == 2


def test_the_pages_lead_from_the_item_to_the_correction(
    mistake: Movement, horns: list[Derivative], authority_officer: User, authority_head: User, storekeeper: User
) -> None:
    officer, head, keeper = in_english(authority_officer), in_english(authority_head), in_english(storekeeper)
    page = reverse("custody:movement", args=[mistake.pk])
    assert page in officer.get(reverse("reports:item", args=[horns[0].pk])).content.decode()
    assert page not in keeper.get(reverse("reports:item", args=[horns[0].pk])).content.decode()
    assert keeper.get(page).status_code == 403
    assert horns[0].number in officer.get(page).content.decode()

    asking = reverse("custody:ask-correction", args=[mistake.pk])
    assert officer.post(asking, {"reason": ""}).status_code == 422
    assert officer.post(asking, {"reason": "The wrong store"})["Location"] == page
    asked = Correction.objects.get()
    confirming = reverse("custody:confirm-correction", args=[mistake.pk, asked.pk])
    assert f'{confirming}"' not in officer.get(page).content.decode()
    assert officer.get(confirming).status_code == 403
    assert f'{confirming}"' in head.get(page).content.decode()
    assert head.post(confirming, {"password": "wrong"}).status_code == 422
    assert head.post(confirming, {"password": PASSWORD})["Location"] == page
    shown = head.get(page).content.decode()
    assert "This movement was corrected before." in shown
    assert "The wrong store" in head.get(reverse("custody:corrections")).content.decode()
    intake = Movement.objects.get(kind=MovementKind.INTAKE)
    assert "A registration stays." in head.get(reverse("custody:movement", args=[intake.pk])).content.decode()


def test_a_program_asks_and_another_person_confirms(
    mistake: Movement, authority_officer: User, authority_head: User, storekeeper: User
) -> None:
    def program_of(person: User) -> APIClient:
        client = APIClient(headers={"accept-language": "en"})
        client.force_authenticate(person)
        return client

    officer, head = program_of(authority_officer), program_of(authority_head)
    address = f"/api/v1/movements/{mistake.pk}/correct/"
    assert program_of(storekeeper).post(address, {"reason": "x"}, format="json").status_code == 403
    asked = officer.post(address, {"reason": "The wrong store"}, format="json")
    assert (asked.status_code, asked.data["state"]) == (201, "asked")
    again = officer.post(address, {"reason": "The wrong store"}, format="json")
    assert (again.status_code, again.data["code"]) == (409, "not-corrected-here")
    confirm = f"/api/v1/corrections/{asked.data['id']}/confirm/"
    alone = officer.post(confirm, {}, format="json")
    assert alone.data["code"] == "second-person-needed"
    assert head.post(confirm, {}, format="json").data["state"] == "confirmed"
    assert len(officer.get("/api/v1/corrections/").data["results"]) == 1


def test_the_head_closes_a_period_for_good(
    mistake: Movement, authority_officer: User, authority_head: User, storekeeper: User, horns: list[Derivative]
) -> None:
    page = reverse("custody:periods")
    head, officer = in_english(authority_head), in_english(authority_officer)
    day = timezone.localdate() - timedelta(days=3)
    assert "A closed period is never opened again." in officer.get(page).content.decode()
    assert 'name="until"' not in officer.get(page).content.decode()
    assert officer.post(page, {"until": day.isoformat(), "password": PASSWORD}).status_code == 403
    assert in_english(storekeeper).get(page).status_code == 403
    assert head.post(page, {"until": day.isoformat(), "password": "wrong"}).status_code == 422
    today = timezone.localdate().isoformat()
    assert head.post(page, {"until": today, "password": PASSWORD}).status_code == 422
    assert not PeriodClose.objects.exists()

    assert head.post(page, {"until": day.isoformat(), "password": PASSWORD})["Location"] == page

    assert PeriodClose.objects.get().closed_by == authority_head
    earlier = (day - timedelta(days=1)).isoformat()
    assert head.post(page, {"until": earlier, "password": PASSWORD}).status_code == 422
    with pytest.raises(BackDated):
        reverse_movement(actor=authority_head, at=timezone.now(), key="late", movement=mistake, effective_on=day)
    client = APIClient(headers={"accept-language": "en"})
    client.force_authenticate(authority_head)
    assert client.get("/api/v1/periods/").data["results"][0]["until"] == day.isoformat()
    later = (day + timedelta(days=1)).isoformat()
    assert client.post("/api/v1/periods/close/", {"until": later}, format="json").status_code == 201
    assert client.post("/api/v1/periods/close/", {"until": later}, format="json").status_code == 409
