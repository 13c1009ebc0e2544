"""Processing in the central store: horns into slices and powder, some lost beyond the norm; photos and an inbox that is
worked on."""

import random
from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from config.demo.cast import Cast
from config.demo.drawing import draw_horn
from core.documents.attaching import attach_files
from core.notices.models import Notice
from core.notices.services import assign_notices, escalate_overdue, explain_notice
from ledger.models import Hold, Holding, Packing, Reservation
from marking.services.issue import process_and_mark
from registry.models import Derivative, Processing, Recipe
from registry.services import Package, choose_inputs, open_processing, save_outputs

HORNS = 24


def live_processing(cast: Cast, now: datetime) -> None:
    """A run that is done, one that waits for the authority, a draft, photos of the first, the alert of the second."""
    keeper, store = cast.people["storekeeper"], cast.places["CS-75"]
    at = now - timedelta(days=6)
    free = Holding.objects.filter(account=store, stock_class="HOR:removal", pieces__gt=0, moved_on__lt=at)
    free = free.exclude(item__in=Hold.objects.active().values("item"))
    free = free.exclude(item__in=Reservation.objects.active().values("item"))
    free = free.exclude(item__in=Packing.objects.present().values("item"))
    items = list(free.order_by("item_id").values_list("item_id", flat=True)[: HORNS + 6])
    if len(items) < HORNS + 6:
        return
    slices = _run(cast, at, Recipe.SLICES, items[:HORNS], packages=4, loss_percent=2)
    chance = random.Random(slices.pk)  # noqa: S311  demo data repeat themselves on purpose
    attach_files(
        actor=keeper,
        at=at + timedelta(hours=1),
        subject=("processing", slices.pk),
        files=[
            ContentFile(draw_horn(chance, side="L", length_mm=250 + step, mass_g=210), name=f"IMG_20{step}.jpg")
            for step in range(2)
        ],
        caption="Кесу алдындағы мүйіздер",
    )
    made = list(Derivative.objects.filter(intake=slices.made).order_by("row").values_list("pk", flat=True))
    _run(
        cast,
        at + timedelta(days=2),
        Recipe.POWDER,
        made[:3],
        packages=6,
        loss_percent=9,
        explanation="Диірмен сүзгісі жыртылған, ұнтақтың бір бөлігі шаңға кетті",
    )
    draft = open_processing(actor=keeper, at=now - timedelta(hours=3), recipe=Recipe.SLICES, store=store)
    choose_inputs(actor=keeper, at=now - timedelta(hours=3), run=draft, item_ids=items[HORNS:])
    alert = Notice.objects.open().filter(code="processing.loss").latest("pk")
    assign_notices(actor=keeper, at=now - timedelta(days=3), notices=[alert], person=keeper)
    explain_notice(
        actor=keeper, at=now - timedelta(days=3), notice=alert, explanation="Сүзгі ауыстырылды, № 4 акт қоса берілді"
    )
    escalate_overdue(at=now)


def _run(
    cast: Cast,
    at: datetime,
    recipe: Recipe,
    items: list[int],
    *,
    packages: int,
    loss_percent: int,
    explanation: str = "",
) -> Processing:
    """One run from the list to the marks: equal packages, the rest in the last one."""
    keeper, store = cast.people["storekeeper"], cast.places["CS-75"]
    run = open_processing(actor=keeper, at=at, recipe=recipe, store=store)
    choose_inputs(actor=keeper, at=at, run=run, item_ids=items)
    went_in = sum(Holding.objects.filter(account=store, item__in=items, pieces__gt=0).values_list("grams", flat=True))
    loss = went_in * loss_percent // 100
    each = (went_in - loss) // packages
    rest = went_in - loss - each * (packages - 1)
    save_outputs(actor=keeper, at=at, run=run, packages=[Package(packages - 1, each), Package(1, rest)])
    run.refresh_from_db()
    process_and_mark(actor=keeper, at=at, run=run, loss_g=loss, explanation=explanation)
    run.refresh_from_db()
    return run
