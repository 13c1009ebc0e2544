"""The journal: written with the act, never changed."""

from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import Error, connection, transaction
from django.utils import translation

from core.accounts.models import Organisation, User
from core.audit.models import Event
from core.audit.services import VERBS, record, register_verbs
from core.audit.templatetags.journal import facts_in_words

pytestmark = pytest.mark.django_db


def test_an_event_is_written_in_the_transaction_of_its_act(administrator: User, now: datetime) -> None:
    before = Event.objects.count()

    @transaction.atomic
    def act_and_fail() -> None:
        record("user.changed", actor=administrator, at=now, subject=("user", 1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act_and_fail()

    assert Event.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_a_defect(administrator: User, now: datetime) -> None:
    with pytest.raises(RuntimeError):
        record("user.changed", actor=administrator, at=now, subject=("user", 1))


def test_a_verb_nobody_named_is_a_defect(now: datetime) -> None:
    with pytest.raises(KeyError):
        record("user.flattered", actor=None, at=now, subject=("user", 1))


def test_two_rooms_do_not_take_one_verb() -> None:
    with pytest.raises(ValueError):
        register_verbs({"user.created": "Something else"})
    assert VERBS["user.created"] != "Something else"


def test_it_names_the_actor_by_key_and_by_words(administrator: User, now: datetime) -> None:
    event = record("user.changed", actor=administrator, at=now, subject=("user", 7), subject_name="Ли Анна", note="x")
    event.refresh_from_db()

    assert (event.actor_id, event.actor_name) == (administrator.pk, administrator.full_name)
    assert (event.subject_kind, event.subject_id, event.facts) == ("user", "7", {"note": "x"})
    assert event.at == now < event.recorded_at


def test_it_finds_the_events_of_several_things(administrator: User, now: datetime) -> None:
    for subject in (("user", 901), ("user", 902), ("mark", 901)):
        record("user.changed", actor=administrator, at=now, subject=subject)

    found = Event.objects.about(("user", 901), ("mark", "901"))

    assert [(event.subject_kind, event.subject_id) for event in found] == [("mark", "901"), ("user", "901")]
    assert not Event.objects.about().exists()


def test_the_database_lets_nobody_rewrite_it(committee: Organisation) -> None:
    rows = list(Event.objects.values())

    with pytest.raises(Error), transaction.atomic():
        Event.objects.update(verb="user.changed")
    with pytest.raises(Error), transaction.atomic():
        Event.objects.all()._raw_delete(using="default")
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_event")

    assert list(Event.objects.values()) == rows != []


def test_every_verb_has_words_and_the_name_of_a_room(administrator: User) -> None:
    assert apps.ready
    for verb, words in VERBS.items():
        room, _dot, deed = verb.partition(".")
        assert all((room, deed, str(words))), verb


def test_facts_that_rooms_know_are_told_in_the_readers_language(trader: User) -> None:
    (given,) = Event.objects.about(("user", trader.pk)).filter(verb="user.appointed")

    with translation.override("en"):
        told = {str(label): value for label, value in facts_in_words(given)}

    assert told == {
        "Role": "Trader",
        "Organisation": "«Дала саудасы» ЖШС",
    }


def test_words_of_earlier_versions_are_told_in_the_readers_language(administrator: User, now: datetime) -> None:
    def tell(verb: str, **facts: Any) -> dict[str, str]:
        event = record(verb, actor=administrator, at=now, subject=("user", 1), **facts)
        with translation.override("ru"):
            return {str(label): value for label, value in facts_in_words(event)}

    counts = ["confiscated: 22", "HOR: 3", "by hand: 4"]
    told = tell("notice.decided", decision="Confirmed", reason="Confirmed")
    told |= tell("case.decision_confirmed", note=counts)
    by_a_person = tell("user.changed", decision="Confirmed", reason="HOR", note=counts)

    assert told.pop("Причина") == "Confirmed"
    assert list(by_a_person.values()) == ["Confirmed", "HOR", ", ".join(counts)]
    assert not {"Confirmed", "confiscated"} & set(" ".join(told.values()).replace(":", "").split())
    assert [part.rpartition(" ")[2] for part in told["Примечание"].split(", ")] == ["22", "3", "4"]
    assert "by hand: 4" in told["Примечание"]
