"""Life in the stores: stock taken with one horn missing, a count that goes on, a month of cold, horns weighed again."""

import math
import random
from datetime import datetime, timedelta

from django.db import connection

from config.demo.cast import Cast
from config.demo.trade import free_items
from core.accounts.models import User
from ledger.models import CustodyAccount, Holding, StockTake
from ledger.services import (
    Reading,
    end_counting,
    log_climate,
    note_unknown,
    open_stocktake,
    sign_stocktake,
    take_box,
    take_scan,
    watch_climate,
    weigh_items,
)

SENSOR = "TH-01"


def keep_stores(cast: Cast, chance: random.Random, now: datetime) -> None:
    """Everything of the central store, and a count in a trader's that is not done."""
    central = cast.places["CS-75"]
    log_month(cast, chance, central, now)
    count_trader(cast, now)
    weigh_again(cast, chance, central, now - timedelta(days=3))
    count_central(cast, central, now - timedelta(days=1))


def log_month(cast: Cast, chance: random.Random, store: CustodyAccount, now: datetime) -> None:
    """A reading an hour for a month: cold, but for one afternoon when the compressor stood still."""
    keeper = cast.people["storekeeper"]
    watch_climate(actor=keeper, at=now - timedelta(days=30), account=store, minutes=180)
    start = (now - timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
    readings = []
    for hour in range(30 * 24):
        moment = start + timedelta(hours=hour)
        warm = 22 if 13 * 24 + 11 <= hour < 13 * 24 + 17 else 0
        celsius = 3 + 1.5 * math.sin(moment.hour / 24 * 2 * math.pi) + chance.uniform(-0.5, 0.5) + warm / 2
        readings.append(Reading(moment, round(10 * celsius), round(10 * (52 + chance.uniform(-4, 4))), SENSOR))
    log_climate(actor=keeper, at=now, account=store, readings=readings)


def weigh_again(cast: Cast, chance: random.Random, store: CustodyAccount, at: datetime) -> None:
    """A hundred and twenty horns a little lighter than a year ago, one of them by too much."""
    items = free_items(store, 400)[280:400]
    held = dict(Holding.objects.filter(account=store, item__in=items).values_list("item_id", "grams"))
    grams = {item: round(mass * chance.uniform(0.91, 0.97)) for item, mass in held.items()}
    odd = min(held)
    grams[odd] = round(held[odd] * 0.8)
    weigh_items(
        actor=cast.people["storekeeper2"], at=at, key="demo:weighing", account=store, grams=grams, confirmed=list(grams)
    )


def count_central(cast: Cast, store: CustodyAccount, at: datetime) -> None:
    """All but one horn are found, and a label that nobody knows; the commission has signed."""
    keeper, second = cast.people["storekeeper"], cast.people["storekeeper2"]
    stocktake = open_stocktake(actor=keeper, at=at, account=store, commission=[keeper, second, cast.people["auditor"]])
    missing = free_items(store, 250)[-1]
    items = list(stocktake.lines.exclude(item=missing).values_list("item_id", flat=True))
    half = len(items) // 2
    for person, own in ((keeper, items[:half]), (second, items[half:])):
        take_all(stocktake, person, own, at + timedelta(hours=2))
    note_unknown(actor=second, at=at + timedelta(hours=3), stocktake=stocktake, text="KZ25-9999999")
    with connection.cursor() as cursor:
        # What PostgreSQL does by itself where rows are committed before they are counted.
        cursor.execute("ANALYZE ledger_stocktakeline, ledger_stocktakescan")
    stocktake = end_counting(actor=keeper, at=at + timedelta(hours=5), stocktake=stocktake)
    for hours, member in enumerate((keeper, second, cast.people["auditor"]), start=6):
        stocktake = sign_stocktake(
            actor=member, at=at + timedelta(hours=hours), stocktake=stocktake, digest=stocktake.result_digest
        )


def count_trader(cast: Cast, now: datetime) -> None:
    """Half a trader's horns are scanned; the rest is to be done."""
    trader, store = cast.people["trader"], cast.places["TS-75"]
    stocktake = open_stocktake(
        actor=trader,
        at=now - timedelta(hours=2),
        account=store,
        commission=[trader, cast.people["officer"]],
    )
    items = list(stocktake.lines.order_by("item_id").values_list("item_id", "item__derivative__number"))
    for item, number in items[: len(items) // 2][:30]:
        take_scan(actor=trader, at=now - timedelta(hours=1), stocktake=stocktake, item_id=item, text=number)


def take_all(stocktake: StockTake, person: User, items: list[int], at: datetime) -> None:
    """Scans of many horns in one statement, as of a box."""
    take_box(actor=person, at=at, stocktake=stocktake, item_ids=items, box_id=None)
