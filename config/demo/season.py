"""The autumn of 2025 in West Kazakhstan, in small: 14 brigades, eight weeks, about 3,000 horns."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from config.demo.cast import Cast
from config.demo.drawing import draw_horn
from core.accounts.models import Region, User
from core.base.clock import ALMATY
from ledger.models import CustodyAccount, Handover, HandoverLine, HandoverSeal, Hold, Holding
from ledger.services import accept_handover, check_seals
from marking.services.issue import register_and_mark
from permits.services import dispatch_goods
from registry.measures import TableRow
from registry.models import Brigade, Intake, Population, RemovalPermit, SlaughterPoint
from registry.services import (
    CaseFacts,
    Delivered,
    attach_photo,
    enter_daily_sheet,
    open_seizure_intake,
    open_sheet_reception,
    save_rows,
    sign_daily_sheet,
)
from registry.services.papers import (
    Limit,
    enter_brigade,
    enter_removal_decision,
    enter_removal_permit,
    enter_slaughter_point,
    open_season,
)

FIRST_WEEK = date(2025, 10, 6)
WEEKS = 8
LEADERS = (
    "Тасболатов Ерхан", "Ғұмаров Сәкен", "Қадыров Жандос", "Ищанов Марат", "Сұлтанов Арман", "Бекешев Талғат",
    "Жұмағалиев Серік", "Утепов Қайрат", "Хамзин Ринат", "Ермеков Данияр", "Нұрпейісов Абай", "Шынтаев Бауыржан",
    "Досмұхамбетов Ілияс", "Кереев Нұржан",
)  # fmt: skip
# The one brigade and day that does not add up: four horns fewer reached the reception than the sheet says were cut.
WEEK_SHORT, BRIGADE_SHORT, HORNS_SHORT = 5, 6, 4


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day in Kazakhstan."""
    return datetime.combine(day, time(hour, minute), ALMATY)


@dataclass
class Autumn:
    """What the season needs to know while it goes on."""

    cast: Cast
    chance: random.Random
    permits: list[RemovalPermit] = field(default_factory=list)
    brigades: list[Brigade] = field(default_factory=list)
    slaughter_point: SlaughterPoint | None = None


def horns(chance: random.Random, count: int) -> list[TableRow]:
    """As they come to the scale: 0.20–0.23 kg mostly, rarely beyond 0.05–0.40 kg; 20–30 cm; whole, now and then not."""
    rows = []
    for number in range(1, count + 1):
        length = round(min(max(chance.gauss(252, 22), 180), 330))
        mass = round(max(chance.gauss(215, 14) + (length - 252) * 0.35, 60))
        if chance.random() < 0.002:
            mass = chance.choice([41, 47, 408, 415])
        condition = chance.choices(["whole", "cracked", "broken"], [94, 4, 2])[0]
        if condition == "broken":
            mass, length = round(mass * 0.6), round(length * 0.55)
        rows.append(TableRow(number, "L" if number % 2 else "R", mass, length, condition))
    return rows


def open_autumn(cast: Cast, chance: random.Random, *, times: int = 1) -> Autumn:
    """The papers of the season: decision, removal permits, brigades with contracts; `times` as many animals."""
    officer, at = cast.people["officer"], moment(date(2025, 6, 25), 10)
    season = open_season(
        actor=officer,
        at=at,
        starts_on=date(2025, 7, 1),
        ends_on=date(2025, 11, 30),
        name_kk="2025 жылғы реттеу маусымы",
        name_ru="Сезон регулирования 2025 года",
        name_en="2025 removal season",
    )
    region = Region.objects.get(pk="27")
    autumn = Autumn(cast, chance)
    decision = enter_removal_decision(
        actor=officer,
        at=at,
        season=season,
        number="27-5-6/214",
        decided_on=date(2025, 6, 24),
        title="Киіктің санын реттеу туралы",
        legal_basis="«Жануарлар дүниесін қорғау, өсімін молайту және пайдалану туралы» Заңның 26-бабы",
        basis_by="Зоология институты",
        basis_number="БН-2025/07",
        basis_on=date(2025, 5, 30),
        limits=[
            Limit(Population.URAL, region, 130_000 * times),
            Limit(Population.URAL, Region.objects.get(pk="15"), 40_000 * times),
            Limit(Population.BETPAKDALA, Region.objects.get(pk="35"), 90_000 * times),
        ],
    )
    line = decision.limits.get(region=region)
    for number, (issued, limit) in enumerate([(date(2025, 6, 25), 60_000), (date(2025, 9, 29), 50_000)], start=1):
        autumn.permits.append(
            enter_removal_permit(
                actor=officer,
                at=moment(issued, 11),
                limit=line,
                number=f"БҚО-2025/{number:02d}",
                issued_on=issued,
                holder=cast.organisations["enterprise"],
                animals_limit=limit * times,
            )
        )
    autumn.slaughter_point = enter_slaughter_point(
        actor=officer,
        at=moment(date(2025, 9, 30), 12),
        name_kk="Сайқын сою пункті",
        name_ru="Убойный пункт Сайхин",
        name_en="Saikhin slaughter point",
        region=region,
        attestation_number="УП-27/018",
        attested_on=date(2025, 9, 12),
    )
    for number, leader in enumerate(LEADERS, start=1):
        autumn.brigades.append(
            enter_brigade(
                actor=officer,
                at=moment(date(2025, 9, 30), 12),
                season=season,
                name=f"№ {number} бригада",
                region=region,
                contract_number=f"Ш-27/{number:02d}-2025",
                contract_on=date(2025, 9, 30),
                leader=leader,
                members=6 + number % 4,
                valid_from=date(2025, 10, 1),
                valid_until=date(2025, 11, 30),
            )
        )
    return autumn


def live_autumn(autumn: Autumn) -> None:
    """Week by week: brigades bring animals, horns are registered, the truck goes to Almaty."""
    for week in range(WEEKS):
        monday = FIRST_WEEK + timedelta(weeks=week)
        for index, brigade in enumerate(autumn.brigades):
            day = monday + timedelta(days=index % 5)
            store = autumn.cast.places["RP-27-1" if index % 2 else "RP-27-2"]
            receive_day(
                autumn,
                brigade,
                store,
                day,
                leave_open=week == WEEKS - 1 and index in (3, 8),
                photos=2 if index == 0 else 0,
                short=HORNS_SHORT if (week, index) == (WEEK_SHORT, BRIGADE_SHORT) else 0,
            )
        if week < WEEKS - 1:
            for code, hour in (("RP-27-1", 8), ("RP-27-2", 9)):
                send_week(autumn, autumn.cast.places[code], moment(monday + timedelta(days=6), hour), week)


def receive_day(
    autumn: Autumn, brigade: Brigade, store: CustodyAccount, day: date, *, leave_open: bool, photos: int, short: int
) -> Intake:
    """One brigade and day: its sheet, horns weighed, registered and marked; `short` of those cut never arrive."""
    chance, people = autumn.chance, autumn.cast.people
    inspector = people["inspector" if store.code == "RP-27-1" else "inspector2"]
    males = chance.randint(12, 17)
    females, young = chance.randint(10, 17), chance.randint(1, 5)
    # A horn or two may have been broken off long ago; that is what the tolerance is for.
    cut = 2 * males - chance.choices([0, 1, 2], [5, 3, 2])[0]
    to_slaughter = chance.choice([0, 0, 4, 6])
    deliveries = [Delivered(store, males + females + young - to_slaughter)]
    if to_slaughter and autumn.slaughter_point is not None:
        deliveries.append(Delivered(autumn.slaughter_point, to_slaughter))
    sheet = enter_daily_sheet(
        actor=inspector,
        at=moment(day, 8, 30),
        brigade=brigade,
        permit=autumn.permits[1],
        on=day,
        males=males,
        females=females,
        young=young,
        horns_cut=cut,
        deliveries=deliveries,
        confirm=True,
    )
    intake = open_sheet_reception(actor=inspector, at=moment(day, 9), sheet=sheet, store=store)
    rows = horns(chance, cut - short)
    intake = save_rows(actor=inspector, at=moment(day, 10), intake=intake, version=intake.version, rows=rows)
    for row in rows[:photos]:
        attach_photo(
            actor=inspector,
            at=moment(day, 10, row.row),
            intake=intake,
            row=row.row,
            name=f"horn-{day:%m%d}-{row.row}.jpg",
            content=draw_horn(chance, side=row.side, length_mm=row.length_mm or 250, mass_g=row.mass_g),
        )
    if not leave_open:
        intake.refresh_from_db()
        register_and_mark(
            actor=inspector,
            at=moment(day, 12),
            intake=intake,
            confirm_band=True,
            band_reason="Екінші таразымен қайта өлшенді",
        )
        sign_daily_sheet(actor=inspector, at=moment(day, 12, 30), sheet=sheet)
    return intake


def send_week(autumn: Autumn, store: CustodyAccount, at: datetime, week: int) -> None:
    """The week's horns go to the central store, but for those of a day that is judged still; now and then one is
    missing; the last truck is still on the road.
    """
    people = autumn.cast.people
    inspector = people["inspector" if store.code == "RP-27-1" else "inspector2"]
    there = Holding.objects.filter(account=store, pieces__gt=0).exclude(item__in=Hold.objects.active().values("item"))
    items = list(there.values_list("item_id", flat=True))
    handover = dispatch_goods(
        actor=inspector,
        at=at,
        key=f"demo:{store.code}:{week}",
        source=store,
        target=autumn.cast.places["CS-75"],
        item_ids=items,
        vehicle=f"{412 + week} KZA 27",
        driver="Есенғалиев Марат",
        seals=f"К{27000 + week * 2}, К{27001 + week * 2}",
        escort="Қайырғалиев Н., Сейітов Д.",
        route="Орал – Ақтөбе – Қызылорда – Шымкент – Алматы",
        expected_at=at + timedelta(days=3),
    )
    if week == WEEKS - 2 and store.code == "RP-27-2":
        return
    short = 1 if week in (2, 5) and store.code == "RP-27-1" else 0
    receive_truck(handover, people["storekeeper"], at + timedelta(days=2), short=short)


def receive_truck(handover: Handover, storekeeper: User, at: datetime, *, short: int) -> None:
    """The storekeeper has had every item in hand, or all but `short` of them."""
    lines = HandoverLine.objects.filter(handover=handover)
    in_hand = list(lines.order_by("item_id").values_list("pk", flat=True))[short:]
    lines.filter(pk__in=in_hand).update(outcome=HandoverLine.Outcome.RECEIVED, scanned_by=storekeeper, scanned_at=at)
    seals = HandoverSeal.objects.filter(handover=handover).values_list("pk", flat=True)
    check_seals(actor=storekeeper, at=at, handover=handover, found=dict.fromkeys(seals, HandoverSeal.State.INTACT))
    accept_handover(
        actor=storekeeper,
        at=at,
        handover=handover,
        difference_reason="№ 3 жәшіктің пломбасы бүлінген, бір мүйіз жоқ" if short else "",
    )


def seize(cast: Cast, chance: random.Random) -> None:
    """Two seizures wait for their courts in the evidence room."""
    facts = [
        ("252700121000345", "Хаттама № 118", date(2025, 9, 18), "Казталов ауданы, А-28 трассасы, 41-км", 128),
        ("252700121000902", "Хаттама № 164", date(2025, 11, 12), "Орал қ., теміржол вокзалы", 36),
    ]
    for erdr, protocol, day, place, count in facts:
        intake = open_seizure_intake(
            actor=cast.people["inspector"],
            at=moment(day, 15),
            store=cast.places["EV-27"],
            on=day,
            case=CaseFacts(
                protocol_number=protocol,
                protocol_on=day,
                erdr_number=erdr,
                agency=cast.organisations["police"],
                place=place,
                seized_on=day,
            ),
        )
        intake = save_rows(
            actor=cast.people["inspector"],
            at=moment(day, 16),
            intake=intake,
            version=intake.version,
            rows=horns(chance, count),
        )
        register_and_mark(
            actor=cast.people["inspector"],
            at=moment(day, 18),
            intake=intake,
            confirm_band=True,
            band_reason="Екінші таразымен қайта өлшенді",
        )
