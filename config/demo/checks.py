"""Checks of the demo: people ask of labels for weeks, in towns; some labels seem to be two. And what people tell."""

import io
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from config.demo.cast import Cast
from config.demo.drawing import draw_horn
from core.notices.models import Notice
from core.notices.services import decide_notice
from marking.checklog import Asker, Entry, Place, entry_of
from marking.models import CopyAlert, Mark, Tip
from marking.selectors import check_text, check_texts
from marking.services.checks import keep_entries
from marking.services.copies import find_copies
from marking.services.tips import take_tip

ALMATY, ORAL, ASTANA, SHYMKENT = Place(43.2, 76.9), Place(51.2, 51.4), Place(51.2, 71.4), Place(42.3, 69.6)
ZHANIBEK, BEIJING, NOWHERE = Place(49.4, 46.9), Place(39.9, 116.4), Place()
# Where the labels of a store are checked when all is well: there, or the asker does not say.
NEAR = {
    "CS-75": (ALMATY, ALMATY, NOWHERE),
    "TS-75": (ALMATY, NOWHERE),
    "TS-27": (ORAL, ORAL, NOWHERE),
    "EV-27": (ORAL, ZHANIBEK, NOWHERE),
}
WEEKS = 6
CHECKS = 320
PUBLIC = Asker()


def check_labels(cast: Cast, chance: random.Random, former: str, now: datetime) -> list[CopyAlert]:
    """Six weeks of checks near the stores, and six labels that were seen where, when or as often as one cannot be; the
    authority has looked into one of them.
    """
    marks = {store: _marks_in(store, 12, issued_before=now - timedelta(weeks=WEEKS)) for store in NEAR}
    keep_entries([*_all_is_well(cast, chance, marks, now), *_all_is_not(marks, former, now)])
    alerts = find_copies(at=now)
    officer = cast.people["officer"]
    for alert in alerts[-1:]:
        decide_notice(
            actor=officer,
            at=now,
            notice=alert.notice,
            outcome=Notice.Outcome.EXPLAINED,
            decision="Көшірме емес",
            reason="Бұрынғы заттаңба инспекцияда сақтаулы, тексеруші оны салыстыру үшін сканерлеген",
        )
    return alerts


def _all_is_well(cast: Cast, chance: random.Random, marks: dict[str, list[Mark]], now: datetime) -> Iterator[Entry]:
    inspection = cast.organisations["inspection"]
    askers = [PUBLIC, PUBLIC, PUBLIC, Asker(inspection.kind, inspection.pk), Asker("trader")]
    stores = sorted(store for store in marks if marks[store])
    codes = [mark.code for store in stores for mark in marks[store]]
    answers = dict(zip(codes, check_texts(codes, own_hosts=()), strict=True))
    for _number in range(CHECKS):
        store = chance.choice(stores)
        # Six stand for each store: the others stay for what is not well.
        code = chance.choice(marks[store][6:] or marks[store]).code
        asker = chance.choice(askers)
        yield entry_of(
            answers[code],
            code,
            at=now - timedelta(minutes=chance.randint(30, WEEKS * 7 * 24 * 60)),
            channel="web" if asker.who == "public" else chance.choice(["app", "api"]),
            asker=asker,
            place=chance.choice(NEAR[store]),
        )


def _all_is_not(marks: dict[str, list[Mark]], former: str, now: datetime) -> Iterator[Entry]:
    far, elsewhere, burst, carried = marks["CS-75"][:4]
    ago = lambda **past: now - timedelta(**past)  # noqa: E731
    seen = [
        (far.code, ago(days=6), ALMATY),
        (far.code, ago(days=1, hours=5), ALMATY),
        (far.code, ago(days=1, hours=3), ORAL),
        (far.code, ago(hours=20), BEIJING),
        (elsewhere.code, ago(days=9), SHYMKENT),
        (elsewhere.code, ago(days=8, hours=22), SHYMKENT),
        (carried.code, ago(days=3, hours=2), ASTANA),
    ]
    # A crowd before one stall.
    seen += [(burst.code, ago(days=2, minutes=9) + timedelta(seconds=20 * one), ALMATY) for one in range(24)]
    gone = Mark.objects.filter(derivative__item__holdings__account__kind="destruction").order_by("code").first()
    blank = Mark.objects.filter(state=Mark.State.BLANK).order_by("code").first()
    seen += [(gone.code, ago(days=4), ORAL)] if gone else []
    seen += [(blank.code, ago(days=1, hours=1), ORAL)] if blank else []
    for number, (code, at, place) in enumerate(seen):
        answer = check_text(code, own_hosts=())
        # Scanned, all but the crowd's: who types a code only raises a question.
        scanned = replace(answer, signed=code != burst.code)
        yield entry_of(scanned, code, at=at, channel="web", place=place, visitor=f"10.0.{number}.0/24")
    # What a phone reads on the former print: genuine, and an old copy.
    yield entry_of(check_text(former, own_hosts=()), former, at=ago(days=5), channel="app", place=ORAL)


def take_tips(chance: random.Random, now: datetime) -> list[Tip]:
    """What people told of labels: in three languages, one with a photo, one that names no label of ours."""
    codes = [mark.code for mark in _marks_in("CS-75", 5, issued_before=now - timedelta(weeks=WEEKS))]
    photo = io.BytesIO(draw_horn(chance, side="R", length_mm=243, mass_g=208))
    told: list[tuple[int, str, str, str, str, str, io.BytesIO | None]] = [
        (9, codes[0], "copy", "Базарда екі мүйізде бірдей заттаңба тұр", "Алматы, «Алтын Орда» базары", "kk", None),
        (5, codes[3], "other_thing", "По метке рог 215 г, а продают распиленные куски", "Шымкент", "ru", photo),
        (3, "", "no_papers", "在集市上有人出售羚羊角，没有任何文件", "霍尔果斯", "zh-hans", None),
        (1, codes[4], "damaged", "Заттаңба жуылып кеткен, коды әрең оқылады", "", "kk", None),
    ]
    return [
        take_tip(
            at=now - timedelta(days=days, hours=3),
            read=read,
            about=about,
            words=words,
            place=place,
            language=language,
            photo=picture,
        )
        for days, read, about, words, place, language, picture in told
    ]


def _marks_in(store: str, count: int, *, issued_before: datetime) -> list[Mark]:
    there = Mark.objects.active().filter(
        issued_at__lt=issued_before,
        derivative__item__holdings__account__code=store,
        derivative__item__holdings__pieces__gt=0,
    )
    return list(there.order_by("code")[:count])
