"""The two demo registers: the small one that people look at, the large one that is measured."""

import random
import time
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from config.demo.boxes import pack_boxes
from config.demo.cases import try_cases
from config.demo.cast import Cast, enter_cast
from config.demo.checks import check_labels, take_tips
from config.demo.desks import fill_desks
from config.demo.field import record_in_field
from config.demo.keys import change_keys
from config.demo.labels import keep_labels
from config.demo.marks import ask_for_marks, bind_carriers
from config.demo.origins import take_in_other_origins
from config.demo.printing import set_up_printers
from config.demo.processing import live_processing
from config.demo.season import Autumn, horns, live_autumn, moment, open_autumn, receive_truck, seize
from config.demo.stock import keep_stores
from config.demo.trade import allow_sale, trade
from ledger.models import CustodyAccount, Holding
from ledger.services import dispatch_items
from marking.services.issue import register_and_mark
from marking.services.keys import ensure_signing_key
from marking.services.labels import LabelOrder, print_labels
from marking.services.snapshots import make_edition
from registry.measures import TableRow
from registry.models import Brigade, Derivative, Intake
from registry.services import open_removal_intake, save_rows

SEED = 1925
FOUNDED = moment(date(2025, 6, 2), 10)
BATCH = 5_000

Say = Callable[[str], object]


@transaction.atomic
def build_demo(*, now: datetime, say: Say) -> Cast:
    """The 2025 season of West Kazakhstan in small, and what was traded since, up to `now`: all of it or nothing."""
    chance = random.Random(SEED)  # noqa: S311  demo data repeat themselves on purpose
    cast = enter_cast(FOUNDED)
    ensure_signing_key(at=FOUNDED)
    autumn = open_autumn(cast, chance)
    live_autumn(autumn)
    seize(cast, chance)
    allow_sale(cast, FOUNDED)
    take_in_other_origins(cast, autumn.permits[1])
    change_keys(cast, moment(date(2025, 12, 22), 10), now)
    trade(cast, now)
    pack_boxes(cast, now)
    keep_stores(cast, chance, now)
    live_processing(cast, now)
    try_cases(cast, chance, now)
    set_up_printers(cast, now)
    latest = Intake.objects.filter(state=Intake.State.REGISTERED, origin="removal", term="HOR").latest("pk")
    print_labels(actor=latest.opened_by, at=now, intake=latest, order=LabelOrder(profile="a4-65"))
    reels = keep_labels(cast, now)
    record_in_field(cast, chance, reels[1], now)
    bind_carriers(cast, now)
    former = ask_for_marks(cast, now)
    fill_desks(cast, chance, now)
    take_tips(chance, now)
    check_labels(cast, chance, former, now)
    make_edition(at=now)
    say(f"{Derivative.objects.count()} horns registered in {Intake.objects.count()} intakes")
    return cast


def build_bulk(count: int, *, say: Say) -> Cast:
    """A register of `count` horns by the same set-based services, most of them in the central store.

    Batch by batch, each in transactions of its own: the memory does not grow with the count, and every batch costs the
    same number of statements.
    """
    chance = random.Random(SEED)  # noqa: S311
    cast = enter_cast(FOUNDED)
    ensure_signing_key(at=FOUNDED)
    # Nobody takes as many animals in one autumn; the limits must not be what is measured.
    autumn = open_autumn(cast, chance, times=1 + count // 20_000)
    table = horns(chance, BATCH)
    began = time.monotonic()
    for number, start in enumerate(range(0, count, BATCH)):
        rows = table[: min(BATCH, count - start)]
        day = date(2025, 10, 6) + timedelta(days=start * 50 // count)
        store = cast.places["RP-27-1" if number % 2 else "RP-27-2"]
        _receive_batch(autumn, store, autumn.brigades[number % len(autumn.brigades)], day, rows)
        if number % 3:
            _send_batch(cast, store, day)
        if number == 0:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        done = start + len(rows)
        say(f"{done:,} of {count:,} horns, {done / (time.monotonic() - began):,.0f} a second")
    return cast


def _receive_batch(autumn: Autumn, store: CustodyAccount, brigade: Brigade, day: date, rows: list[TableRow]) -> None:
    inspector = autumn.cast.people["inspector"]
    intake = open_removal_intake(
        actor=inspector,
        at=moment(day, 9),
        store=store,
        permit=autumn.permits[1],
        brigade=brigade,
        on=day,
        males=BATCH,
        females=BATCH,
        young=BATCH // 10,
        carcasses=2 * BATCH + BATCH // 10,
    )
    intake = save_rows(actor=inspector, at=moment(day, 10), intake=intake, version=intake.version, rows=rows)
    register_and_mark(
        actor=inspector,
        at=moment(day, 12),
        intake=intake,
        confirm_band=True,
        band_reason="Екінші таразымен қайта өлшенді",
    )


def _send_batch(cast: Cast, store: CustodyAccount, day: date) -> None:
    """Everything in the store goes to the central one, and arrives whole."""
    handover = dispatch_items(
        vehicle="430 KZA 27",
        driver="Есенғалиев Марат",
        expected_at=moment(day, 18),
        actor=cast.people["inspector"],
        at=moment(day, 14),
        key=uuid.uuid4().hex,
        source=store,
        target=cast.places["CS-75"],
        item_ids=list(Holding.objects.filter(account=store, pieces__gt=0).values_list("item_id", flat=True)),
    )
    receive_truck(handover, cast.people["storekeeper"], moment(day, 18), short=0)
