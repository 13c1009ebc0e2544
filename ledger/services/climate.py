"""The log of a store's temperature and humidity, and the alerts that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.clock import ALMATY, day_of
from core.base.errors import BadInput
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from ledger.models import ClimateExcursion, ClimateReading, ClimateWatch, CustodyAccount

Kind = ClimateExcursion.Kind
MOST = 5_000
AHEAD = timedelta(minutes=10)  # a sensor's clock may be ahead of ours


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading as it is brought: tenths of a degree Celsius, tenths of a per cent of relative humidity."""

    at: datetime
    temperature: int | None
    humidity: int | None
    sensor: str = ""


@transaction.atomic
def log_climate(*, actor: User, at: datetime, account: CustodyAccount, readings: Sequence[Reading]) -> int:
    """Write readings down; how many were new. One that is known (store, sensor, moment) is not written twice.

    An excursion is told once, as its first reading comes in, and ends with the first reading back in the band. Readings
    that come late are kept and judged by themselves, and change nothing that is later than they are.
    Raises BadInput for readings from the future or of nothing.
    """
    _refuse_unusable(readings, at)
    # One log of a store at a time: two batches at once cannot both open the same excursion.
    CustodyAccount.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)
    latest = ClimateReading.objects.filter(account=account).order_by("-at").values_list("at", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_climatereading (account_id, sensor, at, temperature, humidity, entered_by_id, entered_at)
            SELECT %s, r.sensor, r.at, r.temperature, r.humidity, %s, %s
            FROM unnest(%s::text[], %s::timestamptz[], %s::smallint[], %s::smallint[])
                AS r (sensor, at, temperature, humidity)
            ON CONFLICT (account_id, at, sensor) DO NOTHING RETURNING sensor, at
            """,
            [
                account.pk,
                actor.pk,
                at,
                [reading.sensor for reading in readings],
                [reading.at for reading in readings],
                [reading.temperature for reading in readings],
                [reading.humidity for reading in readings],
            ],
        )
        new = set(cursor.fetchall())
    written = [reading for reading in readings if (reading.sensor, reading.at) in new]
    if not written:
        return 0
    record(
        "climate.logged",
        actor=actor,
        at=at,
        subject=("store", account.pk),
        subject_name=account.code,
        organisation_id=account.custodian_id,
        readings=len(written),
    )
    fresh = sorted((r for r in written if latest is None or r.at > latest), key=lambda reading: reading.at)
    late = sorted((r for r in written if latest is not None and r.at <= latest), key=lambda reading: reading.at)
    if fresh:
        _end(account, Kind.SILENT, at=fresh[0].at)
        _judge(account, fresh, actor=actor, at=at, goes_on=True)
    if late:
        _judge(account, late, actor=actor, at=at, goes_on=False)
    return len(written)


def _refuse_unusable(readings: Sequence[Reading], at: datetime) -> None:
    if not readings:
        raise BadInput(fields={"readings": _("There is no reading.")})
    if len(readings) > MOST:
        raise BadInput(fields={"readings": _("At most %(count)d readings at once.") % {"count": MOST}})
    for reading in readings:
        if reading.at > at + AHEAD:
            raise BadInput(fields={"at": _("The moment lies in the future.")})
        if reading.temperature is None and reading.humidity is None:
            raise BadInput(fields={"temperature": _("Enter the temperature, the humidity, or both.")})
        if reading.temperature is not None and not -900 <= reading.temperature <= 900:
            raise BadInput(fields={"temperature": _("A temperature is from −90 to 90 °C.")})
        if reading.humidity is not None and not 0 <= reading.humidity <= 1000:
            raise BadInput(fields={"humidity": _("A relative humidity is from 0 to 100 %.")})


def _judge(account: CustodyAccount, readings: Sequence[Reading], *, actor: User, at: datetime, goes_on: bool) -> None:
    """Open and end excursions along the readings, which are in the order of time."""
    try:
        band = in_force(RuleCode.STORE_CLIMATE, day_of(readings[-1].at)).value
    except NoRuleInForce:
        return
    limits = {Kind.WARM: 10 * band["max_c"], Kind.COLD: 10 * band["min_c"], Kind.DAMP: 10 * band["max_humidity"]}
    walk = _Walk(account, limits)
    if goes_on:
        for excursion in ClimateExcursion.objects.filter(account=account, ended_at=None).exclude(kind=Kind.SILENT):
            walk.under_way[Kind(excursion.kind)] = excursion
    for reading in readings:
        walk.step(reading)
    if not goes_on:
        # What came late ends with its own last reading: later readings have been judged already.
        for excursion in walk.under_way.values():
            excursion.ended_at = readings[-1].at
    for excursion in (*walk.ended, *walk.under_way.values()):
        if excursion.pk:
            excursion.save(update_fields=["worst", "ended_at"])
    for excursion in walk.begun:
        excursion.save()
        _tell(excursion, account, actor=actor, at=at)


class _Walk:
    """Excursions as they open and end along readings in the order of time."""

    def __init__(self, account: CustodyAccount, limits: dict[Kind, int]) -> None:
        self.account, self.limits = account, limits
        self.under_way: dict[Kind, ClimateExcursion] = {}
        self.begun: list[ClimateExcursion] = []
        self.ended: list[ClimateExcursion] = []

    def step(self, reading: Reading) -> None:
        for kind, limit in self.limits.items():
            value = reading.humidity if kind == Kind.DAMP else reading.temperature
            if value is None:
                continue
            if value < limit if kind == Kind.COLD else value > limit:
                self._out(kind, limit, reading.at, value)
            elif kind in self.under_way:
                excursion = self.under_way.pop(kind)
                excursion.ended_at = reading.at
                self.ended.append(excursion)

    def _out(self, kind: Kind, limit: int, at: datetime, value: int) -> None:
        excursion = self.under_way.get(kind)
        if excursion is None:
            excursion = ClimateExcursion(account=self.account, kind=kind, began_at=at, limit=limit, worst=value)
            self.under_way[kind] = excursion
            self.begun.append(excursion)
        elif excursion.worst is not None:
            excursion.worst = (min if kind == Kind.COLD else max)(excursion.worst, value)


def _tell(excursion: ClimateExcursion, account: CustodyAccount, *, actor: User | None, at: datetime) -> None:
    if account.custodian is None:
        return
    facts: dict[str, Any] = {"store": account.code, "began": _local(excursion.began_at)}
    if excursion.kind != Kind.SILENT:
        facts |= {"worst": _tenths(excursion.worst), "limit": _tenths(excursion.limit)}
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=f"climate.{excursion.kind}",
        organisation=account.custodian,
        subject=("store", account.pk),
        due_on=day_of(at),
        actor=actor,
        **facts,
    )


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(ALMATY):%d.%m.%Y %H:%M}"


def _tenths(value: int | None) -> str:
    return "" if value is None else f"{value / 10:.1f}".replace("-", "\u2212")


def _end(account: CustodyAccount, kind: ClimateExcursion.Kind, *, at: datetime) -> None:
    for excursion in ClimateExcursion.objects.filter(account=account, kind=kind, ended_at=None):
        excursion.ended_at = max(at, excursion.began_at)
        excursion.save(update_fields=["ended_at"])


@transaction.atomic
def watch_climate(*, actor: User, at: datetime, account: CustodyAccount, minutes: int | None) -> None:
    """Have silence of a store's sensors told after so many minutes; None ends the watch. Raises BadInput."""
    if minutes is not None and not 5 <= minutes <= 10_080:
        raise BadInput(fields={"minutes": _("From 5 minutes to a week (10,080 minutes).")})
    if minutes is None:
        ClimateWatch.objects.filter(account=account).delete()
        _end(account, Kind.SILENT, at=at)
    else:
        ClimateWatch.objects.update_or_create(
            account=account, defaults={"minutes": minutes, "since": at, "set_by": actor}
        )
    record(
        "climate.watched",
        actor=actor,
        at=at,
        subject=("store", account.pk),
        subject_name=account.code,
        organisation_id=account.custodian_id,
        minutes=minutes,
    )


@transaction.atomic
def tell_silence(*, at: datetime) -> int:
    """Tell of every watched store whose sensors have been silent too long, once for each silence; how many."""
    told = 0
    readings = ClimateReading.objects.filter(account=OuterRef("account")).order_by("-at").values("at")[:1]
    told_before = ClimateExcursion.objects.filter(account=OuterRef("account"), kind=Kind.SILENT, ended_at=None)
    watches = (
        ClimateWatch.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("account__custodian")
        .filter(~Exists(told_before), account__is_active=True)
        .annotate(latest=Subquery(readings))
    )
    for watch in watches.order_by("pk"):
        heard = max(filter(None, (watch.latest, watch.since)))
        if at - heard <= timedelta(minutes=watch.minutes):
            continue
        excursion = ClimateExcursion.objects.create(account=watch.account, kind=Kind.SILENT, began_at=heard)
        _tell(excursion, watch.account, actor=None, at=at)
        told += 1
    return told
