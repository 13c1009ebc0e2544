"""What became of some of the horns: sales under permits, a refusal, applications that wait."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from config.demo.cast import Cast
from core.base.clock import day_of
from core.rules.models import LegalBasis, RuleCode
from core.rules.services import cite_basis, draft_rule, enact_rule
from ledger.models import CustodyAccount, Handover, HandoverLine, Holding, Reservation
from permits.models import Application, Kind, Permit
from permits.services import (
    Wishes,
    accept_goods,
    add_lines,
    approve_application,
    dispatch_goods,
    open_application,
    refuse_application,
    return_application,
    submit_application,
    take_up_application,
)


def allow_sale(cast: Cast, at: datetime) -> None:
    """Put in force, by two persons, that marked horn and certified meat may be sold inside the country: a demo rule."""
    basis: LegalBasis = cite_basis(
        actor=cast.people["officer"],
        at=at,
        title_kk="Көрсетілім деректері: таңбаланған мүйіз бен сертификаты бар етті ел ішінде сатуға рұқсат",
        title_ru="Демонстрационные данные: продажа маркированных рогов и мяса с сертификатом внутри страны разрешена",
        title_en="Demo data: sale of marked horn and of meat with a certificate inside the country is allowed",
        number="DEMO-1",
        issued_on=day_of(at),
        is_confirmed=False,
    )
    rule = draft_rule(
        actor=cast.people["officer"],
        at=at,
        code=RuleCode.DOMESTIC_SALE,
        value={"allowed": True},
        starts_on=date(2025, 10, 1),
        ends_on=None,
        basis=basis,
    )
    enact_rule(actor=cast.people["head"], at=at + timedelta(hours=1), rule=rule)


def free_items(store: CustodyAccount, count: int) -> list[int]:
    """So many items of a store that are promised to nobody."""
    promised = Reservation.objects.active().values("item")
    there = Holding.objects.filter(account=store, pieces__gt=0).exclude(item__in=promised)
    return list(there.order_by("item_id").values_list("item_id", flat=True)[:count])


def apply_for(
    cast: Cast, kind: Kind, who: str, source: str, target: str, purpose: str, at: datetime, *, count: int
) -> Application:
    """An application of the keeper of `source`, submitted at `at`."""
    actor, store = cast.people[who], cast.places[source]
    wishes = Wishes(
        store=cast.places[target],
        purpose=purpose,
        wished_from=day_of(at),
        wished_until=day_of(at) + timedelta(days=60),
        price_tenge=count * 95_000 if kind == Kind.DOMESTIC_SALE else None,
    )
    applicant = cast.organisations[{"CS-75": "enterprise", "TS-75": "trader", "TS-27": "other_trader"}[source]]
    application = open_application(actor=actor, at=at, kind=kind, applicant=applicant, wishes=wishes)
    add_lines(actor=actor, at=at, application=application, item_ids=free_items(store, count))
    return submit_application(actor=actor, at=at + timedelta(minutes=20), application=application)


def approve(cast: Cast, application: Application, at: datetime, *, days: int = 60) -> Permit:
    officer = cast.people["officer"]
    application = take_up_application(actor=officer, at=at, application=application)
    return approve_application(
        actor=officer,
        at=at + timedelta(hours=2),
        application=application,
        valid_until=day_of(at) + timedelta(days=days),
    )


def deliver(
    cast: Cast, permit: Permit, who: str, source: str, receiver: str, at: datetime, items: Sequence[int]
) -> None:
    """Send items under a permit; two days later the receiver has them in hand and accepts."""
    handover = dispatch_goods(
        actor=cast.people[who],
        at=at,
        key=f"demo:{permit.number}",
        source=cast.places[source],
        target=permit.store,
        item_ids=items,
        permit=permit,
        vehicle="871 ABN 05",
        driver="Төлеуов Қанат",
    )
    arrived = at + timedelta(days=2)
    HandoverLine.objects.filter(handover=handover).update(
        outcome=HandoverLine.Outcome.RECEIVED, scanned_by=cast.people[receiver], scanned_at=arrived
    )
    accept_goods(actor=cast.people[receiver], at=arrived, handover=Handover.objects.get(pk=handover.pk))


def trade(cast: Cast, now: datetime) -> None:
    """A year of dealings up to `now`: permits used and in force, an application refused, one returned, two waiting."""
    ago = lambda days: now - timedelta(days=days)  # noqa: E731
    for days, count in ((220, 60), (150, 40)):
        sale = apply_for(
            cast, Kind.DOMESTIC_SALE, "storekeeper", "CS-75", "TS-75", "Аукцион хаттамасы бойынша сату", ago(days),
            count=count,
        )  # fmt: skip
        permit = approve(cast, sale, ago(days - 4))
        items = list(permit.lines.values_list("item_id", flat=True))
        deliver(cast, permit, "storekeeper", "CS-75", "trader", ago(days - 10), items)

    resale = apply_for(cast, Kind.DOMESTIC_SALE, "trader", "TS-75", "TS-27", "Өңдеушіге қайта сату", ago(60), count=15)
    permit = approve(cast, resale, ago(57), days=50)
    deliver(cast, permit, "trader", "TS-75", "trader2", ago(50), list(permit.lines.values_list("item_id", flat=True)))

    refused = apply_for(cast, Kind.TRANSPORT, "trader", "TS-75", "TS-27", "Уақытша сақтауға беру", ago(40), count=10)
    refuse_application(
        actor=cast.people["officer2"],
        at=ago(36),
        application=refused,
        reason="Қабылдаушы қойманың күзеті туралы құжат ұсынылмаған",
        article="Жануарлар дүниесін қорғау туралы заң, 15-бап",
    )
    returned = apply_for(cast, Kind.TRANSPORT, "trader2", "TS-27", "TS-75", "Қайтару", ago(9), count=3)
    return_application(
        actor=cast.people["officer"], at=ago(7), application=returned, reason="Қайтару себебін нақтылаңыз"
    )
    in_force = apply_for(
        cast, Kind.DOMESTIC_SALE, "trader", "TS-75", "TS-27", "№ 14 шарт бойынша сату", ago(6), count=12
    )
    approve(cast, in_force, ago(4))
    apply_for(cast, Kind.DOMESTIC_SALE, "storekeeper", "CS-75", "TS-75", "2026 жылғы № 3 лот", ago(5), count=80)
    apply_for(cast, Kind.TRANSPORT, "trader", "TS-75", "TS-27", "Көрмеге жеткізу", ago(1), count=4)
