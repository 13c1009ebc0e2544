"""A phone that sends the same thing twice at once, having heard no answer. Each race has its twin without the lock."""

import hashlib
import threading
import uuid
from datetime import datetime

import pytest
from django.db import IntegrityError, connection, transaction

from core.accounts.models import User
from marking.models import FieldDevice, FieldPhoto, FieldRecord
from marking.services.devices import DeviceRefused, register_device, revoke_device
from marking.services.field import Sent, take_record
from marking.services.field_photos import Announced, begin_photo, take_piece
from registry.models import Intake
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def device(inspector: User, now: datetime) -> FieldDevice:
    return register_device(actor=inspector, at=now, name="Phone")[0]


def a_row(intake: Intake, now: datetime, sequence: int = 1) -> Sent:
    said = {"intake": intake.pk, "row": {"side": "L", "mass_g": 214}}
    return Sent(uuid.uuid4(), sequence, "row", said, now)


def test_one_record_sent_twice_at_once_is_entered_once(
    device: FieldDevice, open_intake: Intake, inspector: User, now: datetime
) -> None:
    sent = a_row(open_intake, now)
    take = lambda: take_record(actor=inspector, at=now, device=device, sent=sent, own_hosts=())  # noqa: E731

    results = at_once(take, take, take, take)

    assert len(winners(results)) == 4
    assert sorted(replay for _kept, replay in results) == [False, True, True, True]
    assert len({kept.pk for kept, _replay in results}) == 1
    assert open_intake.rows.count() == 7


def test_without_the_lock_the_database_lets_one_through(
    device: FieldDevice, open_intake: Intake, now: datetime
) -> None:
    name = uuid.uuid4()

    def write() -> FieldRecord:
        return FieldRecord.objects.create(
            device=device,
            uuid=name,
            sequence=1,
            act="row",
            payload={},
            digest="",
            made_at=now,
            received_at=now,
            state="accepted",
            answer={},
            intake=open_intake,
        )

    results = at_once(write, write, write)

    assert len(winners(results)) == 1
    assert sum(isinstance(result, IntegrityError) for result in results) == 2


@pytest.mark.parametrize("door", ["begin", "piece"])
def test_a_photo_waits_for_a_revocation_and_is_refused(
    device: FieldDevice, open_intake: Intake, inspector: User, now: datetime, door: str
) -> None:
    """It came to the service while the revocation was not committed yet."""
    sent = a_row(open_intake, now)
    take_record(actor=inspector, at=now, device=device, sent=sent, own_hosts=())
    begun = Announced(uuid.uuid4(), sent.uuid, "a.jpg", hashlib.sha256(b"abc").hexdigest(), 3)
    if door == "piece":
        begin_photo(at=now, device=device, announced=begun)
    results: list[object] = []

    def come() -> None:
        try:
            if door == "begin":
                results.append(begin_photo(at=now, device=device, announced=begun))
            else:
                results.append(
                    take_piece(actor=inspector, at=now, device=device, photo=begun.uuid, start=0, content=b"abc")
                )
        except DeviceRefused as refusal:
            results.append(refusal)
        finally:
            connection.close()

    thread = threading.Thread(target=come)
    with transaction.atomic():
        revoke_device(actor=inspector, at=now, device=device, reason="The phone was lost")
        thread.start()
        thread.join(1)
        assert results == []
    thread.join(30)

    assert [type(one) for one in results] == [DeviceRefused]
    assert not FieldPhoto.objects.exclude(received=0).exists()
    assert FieldPhoto.objects.count() == (door == "piece")


def test_a_revocation_and_a_record_do_not_pass_each_other(
    device: FieldDevice, open_intake: Intake, inspector: User, now: datetime
) -> None:
    sent = a_row(open_intake, now)
    results = at_once(
        lambda: take_record(actor=inspector, at=now, device=device, sent=sent, own_hosts=()),
        lambda: revoke_device(actor=inspector, at=now, device=device, reason="The phone was lost"),
    )

    assert isinstance(results[1], FieldDevice)
    is_taken = not isinstance(results[0], Exception)
    assert open_intake.rows.count() == 6 + is_taken
    assert FieldRecord.objects.count() == is_taken
