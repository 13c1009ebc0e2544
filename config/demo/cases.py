"""Cases and what became of them: one open with evidence, one decided, one destroyed; and horns lost on the way."""

import io
import random
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from config.demo.cast import Cast
from config.demo.drawing import draw_horn
from config.demo.season import horns
from core.base.clock import day_of
from core.documents.attaching import attach_files
from custody.models import DestructionOrder
from custody.services import destruction
from marking.services.issue import register_and_mark
from registry.models import Case, CaseWord, Country, Derivative, Outcome
from registry.services import (
    CaseFacts,
    DecisionFacts,
    confirm_decision,
    note_facts,
    open_case,
    open_seizure_intake,
    record_decision,
    request_expertise,
    save_rows,
)


def try_cases(cast: Cast, chance: random.Random, now: datetime) -> None:
    """A seizure of this week without its ERDR number yet, one whose court has decided, one whose horns are burned."""
    _seize(cast, chance, now - timedelta(days=4), erdr="", protocol="№ 27", count=14, horns_said=15)
    decided = _seize(cast, chance, now - timedelta(days=150), erdr="262700121000117", protocol="№ 11", count=22)
    _decide(cast, decided, now - timedelta(days=40), number="1-96/2026", outcome=Outcome.CONFISCATED)
    burned = _seize(cast, chance, now - timedelta(days=200), erdr="262700121000034", protocol="№ 3", count=9)
    _decide(cast, burned, now - timedelta(days=70), number="1-41/2026", outcome=Outcome.DESTROY)
    _burn(cast, chance, burned, now - timedelta(days=30))


def _seize(
    cast: Cast,
    chance: random.Random,
    at: datetime,
    *,
    erdr: str,
    protocol: str,
    count: int,
    horns_said: int | None = None,
) -> Case:
    inspector, room = cast.people["inspector"], cast.places["EV-27"]
    case = open_case(
        actor=inspector,
        at=at,
        facts=CaseFacts(
            protocol_number=protocol,
            protocol_on=day_of(at),
            erdr_number=erdr,
            agency=cast.organisations["police"],
            place="Жәнібек ауданы, Орал – Сайқын тас жолы, 214-км",
            seized_on=day_of(at),
            latitude=None,
            longitude=None,
            horns=horns_said or count,
        ),
        region=room.region,  # type: ignore[arg-type]
    )
    words = {name: CaseWord.objects.get(list=name, code=code) for name, code in WORDS.items()}
    note_facts(
        actor=inspector,
        at=at + timedelta(hours=1),
        case=case,
        version=0,
        facts=words
        | {
            "destination_country": Country.objects.get(pk="CN"),
            "origin_country": Country.objects.get(pk="KZ"),
            "articles": "ҚР ҚК 339-бап",
            "latitude": "49.421300",
            "longitude": "46.853100",
        },
        nationalities=[Country.objects.get(pk="KZ")],
    )
    intake = open_seizure_intake(actor=inspector, at=at + timedelta(hours=2), store=room, on=day_of(at), case=case)
    rows = horns(chance, count)
    intake = save_rows(actor=inspector, at=at + timedelta(hours=3), intake=intake, version=intake.version, rows=rows)
    register_and_mark(
        actor=inspector,
        at=at + timedelta(hours=4),
        intake=intake,
        confirm_band=True,
        band_reason="Екінші таразымен қайта өлшенді",
    )
    request_expertise(
        actor=inspector,
        at=at + timedelta(hours=5),
        case=case,
        institution="Сот сараптамалары орталығы, Орал қ.",
        requested_on=day_of(at),
        question="Мүйіздер киікке тиесілі ме?",
    )
    return Case.objects.get(pk=case.pk)


WORDS = {"reason": "possession", "detection": "patrol", "transport": "road", "concealment": "vehicle"}


def _decide(cast: Cast, case: Case, at: datetime, *, number: str, outcome: Outcome) -> None:
    decision = record_decision(
        actor=cast.people["inspector"],
        at=at,
        case=case,
        facts=DecisionFacts("Орал қалалық соты", number, day_of(at - timedelta(days=20)), day_of(at)),
        outcomes={outcome: list(Derivative.objects.filter(intake__case=case).values_list("pk", flat=True))},
    )
    confirm_decision(actor=cast.people["officer"], at=at + timedelta(hours=3), decision=decision)


def _burn(cast: Cast, chance: random.Random, case: Case, at: datetime) -> None:
    inspector, second = cast.people["inspector"], cast.people["inspector2"]
    goods = list(Derivative.objects.filter(intake__case=case).order_by("pk"))
    order = destruction.order_destruction(
        actor=inspector,
        at=at,
        store=cast.places["EV-27"],
        basis=DestructionOrder.Basis.COURT,
        basis_paper="Орал қалалық соты, № 1-41/2026",
        planned_on=day_of(at),
        item_ids=[horn.pk for horn in goods],
    )
    for user, post in (
        (inspector, "Инспекцияның бас маманы"),
        (second, "Инспектор"),
        (cast.people["officer"], "Комитеттің бас маманы"),
    ):
        destruction.seat_member(actor=inspector, at=at, order=order, user=user, post=post)
    destruction.seat_member(
        actor=inspector,
        at=at,
        order=order,
        user=None,
        full_name="Смағұлов Ербол Қанатұлы",
        identity="Жеке куәлік № 041237765",
        post="Орал қ. әкімдігі, бас маман",
    )
    for horn in goods:
        destruction.scan_goods(actor=second, at=at + timedelta(hours=1), order=order, item_id=horn.pk)
    picture = draw_horn(chance, side="L", length_mm=250, mass_g=210)
    files = [ContentFile(picture, "furnace.jpg")]
    attach_files(actor=inspector, at=at, subject=("destruction", order.pk), files=files, caption="Пеш алдында")
    before = sum(horn.mass_g for horn in goods)
    order = destruction.close_list(
        actor=inspector,
        at=at + timedelta(hours=2),
        order=order,
        place="Орал қ., «Батыс» жылу қазандығы",
        method="Пеште өртеу",
        mass_before_g=before,
        mass_after_g=before // 9,
    )
    for member in order.members.all():
        destruction.sign_destruction(
            actor=member.user or inspector,
            at=at + timedelta(hours=3),
            member=member,
            digest=order.digest,
            picture=None if member.user else _scrawl(),
        )
    destruction.execute_destruction(actor=inspector, at=at + timedelta(hours=4), order=order)


def _scrawl() -> bytes:
    """A signature as a finger draws it."""
    out, image = io.BytesIO(), Image.new("RGBA", (300, 100), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(20, 70), (70, 20), (90, 80), (150, 30), (180, 75), (280, 40)], fill="black", width=4)
    image.save(out, "PNG")
    return out.getvalue()
