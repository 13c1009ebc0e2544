"""Label stock of the demo: a series for the inspection, printed and handed over; one reel in use, one on its way."""

from datetime import datetime, timedelta

from config.demo.cast import Cast
from core.jobs.services import execute_job
from marking.models import LabelMovement, LabelReel
from marking.services.destroying import ToDestroy, ask_destruction
from marking.services.orders import LabelOrder
from marking.services.shipments import Counted, receive_reels, send_reels
from marking.services.stock import confirm_printed, make_series, order_series, print_reel, write_off


def keep_labels(cast: Cast, now: datetime) -> list[LabelReel]:
    """Four reels of 25 ordered by the Committee, printed by the enterprise; two received, one label missing.

    Spoiled ones are to be destroyed; another series was just ordered. Returns the reels.
    """
    officer, keeper, inspector = cast.people["officer"], cast.people["storekeeper"], cast.people["inspector"]
    at = now - timedelta(days=12)
    series = order_series(
        actor=officer,
        at=at,
        office=cast.organisations["inspection"],
        printer=cast.organisations["enterprise"],
        purpose="Далалық маусым: мүйіздерді жинау орнында таңбалау",
        profile="roll-50x25",
        reel_count=4,
        reel_size=25,
    )
    reels = make_series(actor=keeper, at=at + timedelta(hours=1), series=series)
    for reel in reels[:3]:
        _print(reel, cast, at + timedelta(hours=2))
    receiver = series.office
    first = send_reels(actor=keeper, at=at + timedelta(days=1), receiver=receiver, reels=reels[:2])
    receive_reels(
        actor=inspector,
        at=at + timedelta(days=2),
        shipment=first,
        counts={reels[0].pk: Counted(25), reels[1].pk: Counted(24, "7")},
    )
    write_off(
        actor=inspector,
        at=at + timedelta(days=3),
        reel=reels[0],
        places=[1, 2],
        kind=LabelMovement.Kind.SPOILED,
        reason="Жел жұлып кетті",
    )
    send_reels(actor=keeper, at=now - timedelta(hours=5), receiver=receiver, reels=reels[2:3])
    ask_destruction(
        actor=inspector,
        at=at + timedelta(days=4),
        organisation=receiver,
        lines=[ToDestroy(reels[0])],
        reason="Бүлінген заттаңбалар",
        method="Ұсақтағышта",
    )
    order_series(
        actor=officer,
        at=now - timedelta(hours=20),
        office=cast.organisations["enterprise"],
        printer=cast.organisations["enterprise"],
        purpose="Орталық қойма: қаптамаларды таңбалау",
        profile="roll-58x40",
        reel_count=2,
        reel_size=100,
    )
    return reels


def _print(reel: LabelReel, cast: Cast, at: datetime) -> None:
    keeper = cast.people["storekeeper"]
    run = print_reel(actor=keeper, at=at, reel=reel, order=LabelOrder("roll-50x25"))
    execute_job(run.job_id, clock=lambda: at + timedelta(minutes=1))
    confirm_printed(actor=keeper, at=at + timedelta(minutes=9), reel=reel, device="Zebra ZD421 № 2")
