"""What else lies on the desks: statements, losses, goods to destroy, a correction, a closed period, a program's key."""

import random
from datetime import date, datetime, timedelta

from django.core.files.base import ContentFile

from config.demo.cast import Cast
from config.demo.drawing import draw_horn
from config.demo.season import moment
from core.accounts.services import create_token
from core.base.clock import day_of
from custody.models import DestructionOrder, LossAct, LossReport
from custody.services import destruction
from custody.services.corrections import ask_correction, confirm_correction
from custody.services.loss import propose_act, report_loss
from ledger.models import Hold, Holding, Movement, Packing, Reservation
from ledger.services import (
    add_shelves,
    begin_boxes,
    close_period,
    note_unknown,
    open_stocktake,
    pack_items,
    place_box,
    seal_box,
    take_scan,
    weigh_items,
)
from marking.services.printers import PrinterShape, add_printer
from reports.services import ask_statement


def fill_desks(cast: Cast, chance: random.Random, now: datetime) -> None:
    """Something real on every list of the menu, for each role that sees it."""
    close_period(actor=cast.people["head"], at=moment(date(2025, 9, 4), 10), until=date(2025, 8, 31))
    create_token(actor=cast.people["administrator"], at=now - timedelta(days=40), name="Көші-қон: ұйымдар тізімі")
    _keep_evidence(cast, chance, now)
    _keep_trade(cast, now)
    _keep_central(cast, chance, now)
    _ask_statements(cast, now)


def free_in(cast: Cast, store: str, count: int) -> list[int]:
    """Items of a store that nothing binds and that lie in no box."""
    there = Holding.objects.filter(account=cast.places[store], pieces__gt=0)
    there = there.exclude(item__in=Hold.objects.active().values("item"))
    there = there.exclude(item__in=Reservation.objects.active().values("item"))
    there = there.exclude(item__in=Packing.objects.present().values("item"))
    return list(there.order_by("-item_id").values_list("item_id", flat=True)[:count])


def _keep_evidence(cast: Cast, chance: random.Random, now: datetime) -> None:
    """The evidence room: a shelf, a sealed box, horns weighed again, a count that goes on."""
    room, inspector, second = cast.places["EV-27"], cast.people["inspector"], cast.people["inspector2"]
    at = now - timedelta(days=2)
    held = Holding.objects.filter(account=room, pieces__gt=0).exclude(item__in=Packing.objects.present().values("item"))
    grams = dict(held.order_by("item_id").values_list("item_id", "grams")[:40])
    items = list(grams)
    shelf, *_others = add_shelves(actor=inspector, at=at, account=room, codes=["Б-1", "Б-2"], name="Темір шкаф")
    (box,) = begin_boxes(actor=inspector, at=at, account=room, count=1)
    pack_items(actor=inspector, at=at, box=box, item_ids=items[:12])
    seal_box(actor=inspector, at=at + timedelta(minutes=20), box=box, seal_number="Ұ0271")
    place_box(actor=inspector, at=at + timedelta(minutes=25), shelf=shelf, box=box)
    weighed = {item: round(grams[item] * chance.uniform(0.96, 0.99)) for item in items[12:24]}
    weigh_items(
        actor=second,
        at=at + timedelta(hours=1),
        key="demo:evidence",
        account=room,
        grams=weighed,
        confirmed=list(weighed),
    )
    count = open_stocktake(actor=inspector, at=now - timedelta(hours=3), account=room, commission=[inspector, second])
    for item, number in count.lines.order_by("item_id").values_list("item_id", "item__derivative__number")[:20]:
        take_scan(actor=second, at=now - timedelta(hours=2), stocktake=count, item_id=item, text=number)


def _keep_trade(cast: Cast, now: datetime) -> None:
    """Boxes of the traders, and a horn that lost too much; one that was missed and found again, one that is missed
    still; a count."""
    for who, store, seal in (("trader", "TS-75", "Д0114"), ("trader2", "TS-27", "АЖ-077")):
        trader, at = cast.people[who], now - timedelta(days=8)
        light = free_in(cast, store, 3)
        masses = dict(
            Holding.objects.filter(account=cast.places[store], item__in=light).values_list("item_id", "grams")
        )
        weighed = {item: round(mass * (0.78 if item == light[0] else 0.96)) for item, mass in masses.items()}
        weigh_items(
            actor=trader, at=at, key=f"demo:{store}", account=cast.places[store], grams=weighed, confirmed=light
        )
        (box,) = begin_boxes(actor=trader, at=at, account=cast.places[store], count=1)
        pack_items(actor=trader, at=at, box=box, item_ids=free_in(cast, store, 5))
        seal_box(actor=trader, at=at + timedelta(minutes=30), box=box, seal_number=seal)
    trader, at = cast.people["trader"], now - timedelta(days=3)
    report = report_loss(
        actor=trader,
        at=at,
        kind=LossReport.Kind.LOSS,
        account=cast.places["TS-75"],
        item_ids=free_in(cast, "TS-75", 1),
        place="Көрмеге дайындық бөлмесі",
        last_seen_on=day_of(at - timedelta(days=5)),
        noticed_on=day_of(at),
        circumstances="Көрмеге іріктеу кезінде бір мүйіз табылмады",
        how_found="Тізім бойынша салыстырғанда",
        told="Компания директоры",
    )
    propose_act(
        actor=trader,
        at=now - timedelta(days=1),
        report=report,
        kind=LossAct.Kind.RECOVERY,
        item_ids=list(report.lines.values_list("item_id", flat=True)),
        reason="Басқа жәшікке салынған екен",
        target=cast.places["TS-75"],
    )
    other = cast.people["trader2"]
    report_loss(
        actor=other,
        at=at,
        kind=LossReport.Kind.LOSS,
        account=cast.places["TS-27"],
        item_ids=free_in(cast, "TS-27", 1),
        place="Қойма, 2-сөре",
        last_seen_on=day_of(at - timedelta(days=20)),
        noticed_on=day_of(at),
        circumstances="Сөрелерді қайта жинағанда бір мүйіз орнынан табылмады",
        how_found="Сөредегі мүйіздерді санағанда",
        told="Компания директоры",
    )
    count = open_stocktake(
        actor=other,
        at=now - timedelta(hours=6),
        account=cast.places["TS-27"],
        commission=[other, cast.people["officer2"]],
    )
    note_unknown(actor=other, at=now - timedelta(hours=5), stocktake=count, text="KZ25-0900001")


def _keep_central(cast: Cast, chance: random.Random, now: datetime) -> None:
    """The central store: a theft with a number of the police, spoiled horns to destroy, a weighing taken back."""
    keeper, store = cast.people["storekeeper"], cast.places["CS-75"]
    at = now - timedelta(days=10)
    free = free_in(cast, "CS-75", 12)
    report_loss(
        actor=keeper,
        at=at,
        kind=LossReport.Kind.THEFT,
        account=store,
        item_ids=free[:2],
        place="Тиеу алаңы",
        last_seen_on=day_of(at - timedelta(days=1)),
        noticed_on=day_of(at),
        circumstances="Түнгі ауысымнан кейін тиеу алаңында екі мүйіз жоқ болып шықты, құлып бұзылған",
        how_found="Таңғы ауысым қойманы қабылдап алғанда",
        told="Қауіпсіздік қызметінің бастығы, полиция",
        police_number="257100121004418",
    )
    picture = draw_horn(chance, side="L", length_mm=228, mass_g=172)
    destruction.order_destruction(
        actor=keeper,
        at=at + timedelta(days=3),
        store=store,
        basis=DestructionOrder.Basis.SPOILAGE,
        basis_paper="Ветеринариялық қорытынды № 88",
        planned_on=day_of(now) + timedelta(days=12),
        item_ids=free[2:8],
        basis_file=ContentFile(picture, "conclusion.jpg"),
        place="Алматы қ., № 2 өртеу пеші",
        method="Пеште өртеу",
    )
    masses = dict(Holding.objects.filter(account=store, item__in=free[8:]).values_list("item_id", "grams"))
    weighing = weigh_items(
        actor=keeper,
        at=at,
        key="demo:mistake",
        account=store,
        grams={item: round(mass * 0.94) for item, mass in masses.items()},
        confirmed=list(masses),
    )
    asked = ask_correction(
        actor=cast.people["officer"],
        at=at + timedelta(days=1),
        movement=Movement.objects.get(weighing=weighing),
        reason="Таразы тексерілмеген: қойма иесінің хаты № 12",
    )
    confirm_correction(actor=cast.people["head"], at=at + timedelta(days=2), correction=asked)
    shape = PrinterShape("TSC TE310, орталық қойма", language="zpl", dpi=300)
    add_printer(actor=keeper, at=at, organisation=cast.organisations["enterprise"], shape=shape)


def _ask_statements(cast: Cast, now: datetime) -> None:
    """A month of each store, for its keeper and for the authority; the worker makes the files."""
    today = day_of(now)
    for who, store in (("storekeeper", "CS-75"), ("trader", "TS-75"), ("trader2", "TS-27")):
        ask_statement(
            actor=cast.people[who],
            at=now - timedelta(minutes=30),
            account=cast.places[store],
            starts_on=today - timedelta(days=30),
            ends_on=today - timedelta(days=1),
            language="kk",
        )
