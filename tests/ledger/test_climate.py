"""The log of a store: every reading once, every excursion told once, silence told once."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core.accounts.models import User
from core.base.errors import BadInput
from core.notices.models import Notice
from ledger import services
from ledger.models import ClimateExcursion, ClimateReading, CustodyAccount
from ledger.services import Reading

pytestmark = pytest.mark.django_db


def log(actor: User, account: CustodyAccount, at: datetime, *temperatures: float, humidity: float = 50.0) -> int:
    """Readings five minutes apart, the last of them at `at`."""
    first = at - timedelta(minutes=5 * (len(temperatures) - 1))
    readings = [
        Reading(first + timedelta(minutes=5 * index), round(10 * value), round(10 * humidity), "S1")
        for index, value in enumerate(temperatures)
    ]
    return services.log_climate(actor=actor, at=at, account=account, readings=readings)


def codes() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("code", flat=True))


def test_an_excursion_is_told_once_and_ends_with_the_first_good_reading(
    storekeeper: User, central: CustodyAccount, now: datetime
) -> None:
    log(storekeeper, central, now, 8, 13, 15)
    log(storekeeper, central, now + timedelta(minutes=10), 14, 11)

    excursion = ClimateExcursion.objects.get()
    assert codes() == ["climate.warm"]
    assert (excursion.kind, excursion.worst, excursion.limit) == ("warm", 150, 120)
    assert excursion.began_at == now - timedelta(minutes=5)
    assert excursion.ended_at == now + timedelta(minutes=10)

    log(storekeeper, central, now + timedelta(minutes=30), 13)
    assert codes() == ["climate.warm", "climate.warm"]


def test_cold_and_damp_are_excursions_of_their_own(storekeeper: User, central: CustodyAccount, now: datetime) -> None:
    log(storekeeper, central, now, -31, humidity=70)

    assert sorted(codes()) == ["climate.cold", "climate.damp"]


def test_a_batch_sent_twice_is_written_once(storekeeper: User, central: CustodyAccount, now: datetime) -> None:
    assert log(storekeeper, central, now, 8, 13) == 2
    assert log(storekeeper, central, now, 8, 13) == 0
    assert ClimateReading.objects.count() == 2
    assert codes() == ["climate.warm"]


def test_readings_that_come_late_are_judged_and_change_nothing_later(
    storekeeper: User, central: CustodyAccount, now: datetime
) -> None:
    log(storekeeper, central, now, 8)
    log(storekeeper, central, now - timedelta(hours=2), 8, 14, 14)

    excursion = ClimateExcursion.objects.get()
    assert excursion.ended_at == now - timedelta(hours=2)
    assert codes() == ["climate.warm"]


@pytest.mark.parametrize(
    "reading",
    [
        Reading(datetime.fromisoformat("2099-01-01T00:00:00+05:00"), 50, 500),
        Reading(datetime.fromisoformat("2025-11-01T00:00:00+05:00"), None, None),
        Reading(datetime.fromisoformat("2025-11-01T00:00:00+05:00"), 1000, None),
        Reading(datetime.fromisoformat("2025-11-01T00:00:00+05:00"), None, 1001),
    ],
)
def test_an_impossible_reading_is_refused_with_its_batch(
    storekeeper: User, central: CustodyAccount, now: datetime, reading: Reading
) -> None:
    with pytest.raises(BadInput):
        services.log_climate(actor=storekeeper, at=now, account=central, readings=[Reading(now, 50, 500), reading])
    assert not ClimateReading.objects.exists()


def test_silence_is_told_once_and_ends_when_the_sensor_speaks(
    storekeeper: User, central: CustodyAccount, now: datetime
) -> None:
    services.watch_climate(actor=storekeeper, at=now, account=central, minutes=30)
    log(storekeeper, central, now, 8)

    assert services.tell_silence(at=now + timedelta(minutes=20)) == 0
    assert services.tell_silence(at=now + timedelta(minutes=40)) == 1
    assert services.tell_silence(at=now + timedelta(minutes=50)) == 0
    assert codes() == ["climate.silent"]

    log(storekeeper, central, now + timedelta(minutes=60), 8)
    assert ClimateExcursion.objects.get().ended_at == now + timedelta(minutes=60)
    services.watch_climate(actor=storekeeper, at=now, account=central, minutes=None)
    assert services.tell_silence(at=now + timedelta(days=9)) == 0
    with pytest.raises(BadInput):
        services.watch_climate(actor=storekeeper, at=now, account=central, minutes=1)


def test_the_log_is_not_rewritten(storekeeper: User, central: CustodyAccount, now: datetime) -> None:
    log(storekeeper, central, now, 13)

    with pytest.raises(DatabaseError), transaction.atomic():
        ClimateReading.objects.update(temperature=50)
    with pytest.raises(DatabaseError), transaction.atomic():
        ClimateExcursion.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        ClimateExcursion.objects.create(account=central, kind="warm", began_at=now)
