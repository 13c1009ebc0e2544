"""The field notebook of the demo: a seizure in the steppe recorded without network, conflicts, and a lost phone."""

import hashlib
import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from config.demo.cast import Cast
from config.demo.drawing import draw_horn
from core.base.clock import day_of
from marking.models import FieldDevice, FieldRecord, LabelReel, Mark
from marking.services.devices import register_device, revoke_device
from marking.services.field import Sent, enter_waiting, set_aside, take_record
from marking.services.field_photos import Announced, begin_photo, take_piece
from marking.services.issue import register_and_mark
from registry.models import Intake

STEPPE = (49.3871, 47.2140)
Act = FieldRecord.Act


def record_in_field(cast: Cast, chance: random.Random, reel: LabelReel, now: datetime) -> None:
    """One phone of each inspector and one that was lost: six horns under blank labels of `reel`, of which the office
    registers four; of what contradicted the register one record was entered, one set aside, two wait.
    """
    inspector, second = cast.people["inspector"], cast.people["inspector2"]
    at = now - timedelta(days=3)
    phone, _key = register_device(actor=inspector, at=now - timedelta(days=30), name="Samsung XCover 7, Жәнібек")
    lost, _key = register_device(actor=second, at=now - timedelta(days=55), name="Redmi Note 12")
    revoke_device(actor=second, at=now - timedelta(days=18), device=lost, reason="Далада жоғалды, Қазталов ауданы")
    other, _key = register_device(actor=second, at=now - timedelta(days=17), name="Samsung XCover 7, Казталовка")
    labels = list(Mark.objects.filter(reel=reel, state=Mark.State.BLANK).order_by("place_on_reel")[:6])

    seizure = _open(cast, phone, chance, at, protocol="№ 31/Д", place="Жәнібек ауданы, Ұзынкөл қыстағы маңы")
    rows = [_row(phone, chance, at, seizure.uuid, label.code) for label in labels[:4]]
    for kept in rows:
        _photograph(phone, chance, at, kept)
    register_and_mark(
        actor=inspector,
        at=at + timedelta(hours=6),
        intake=Intake.objects.get(pk=seizure.intake_id or 0),
        confirm_band=True,
        band_reason="Екінші таразымен қайта өлшенді",
    )
    _row(phone, chance, at, seizure.uuid, labels[4].code, hours=8)  # the table is closed: it waits
    twice = _row(phone, chance, at, seizure.uuid, labels[0].code, hours=8)
    set_aside(actor=second, at=at + timedelta(hours=20), record_id=twice.pk, reason="Сол мүйіз екі рет жазылған")

    day = now - timedelta(days=1)
    open_one = _open(cast, other, chance, day, protocol="№ 33/Д", place="Қазталов ауданы, Көктерек ауылы")
    _row(other, chance, day, open_one.uuid, labels[5].code)
    strange = _row(other, chance, day, uuid.UUID(int=chance.getrandbits(128)), "")
    enter_waiting(
        actor=second,
        at=day + timedelta(hours=5),
        record_id=strange.pk,
        own_hosts=(settings.PUBLIC_HOST,),
        intake=open_one.intake_id,
    )
    _row(other, chance, day, uuid.UUID(int=chance.getrandbits(128)), "", hours=3)


def _open(
    cast: Cast, phone: FieldDevice, chance: random.Random, at: datetime, *, protocol: str, place: str
) -> FieldRecord:
    on = day_of(at).isoformat()
    case = {
        "protocol_number": protocol,
        "protocol_on": on,
        "erdr_number": "",
        "agency": cast.organisations["police"].bin,
        "place": place,
        "seized_on": on,
    }
    return _send(phone, chance, at, Act.OPEN_SEIZURE, {"store": "EV-27", "on": on, "case": case})


def _row(
    phone: FieldDevice, chance: random.Random, at: datetime, opening: uuid.UUID, label: str, *, hours: int = 1
) -> FieldRecord:
    length = chance.randint(228, 275)
    row = {"side": chance.choice("LR"), "mass_g": 215 + (length - 252) // 3, "length_mm": length}
    said = {"opening": str(opening), "row": row, "label": label}
    return _send(phone, chance, at + timedelta(hours=hours), Act.ROW, said)


def _send(phone: FieldDevice, chance: random.Random, at: datetime, act: Act, payload: dict[str, Any]) -> FieldRecord:
    """The phone's next record, made in the steppe and sent two hours later."""
    phone.refresh_from_db()
    sent = Sent(
        uuid=uuid.UUID(int=chance.getrandbits(128)),
        sequence=phone.sequence + 1,
        act=act,
        payload=payload,
        made_at=at - timedelta(hours=2),
        lat=round(STEPPE[0] + chance.uniform(-0.02, 0.02), 5),
        lon=round(STEPPE[1] + chance.uniform(-0.02, 0.02), 5),
        accuracy_m=chance.randint(4, 20),
    )
    kept, _again = take_record(actor=phone.person, at=at, device=phone, sent=sent, own_hosts=(settings.PUBLIC_HOST,))
    return kept


def _photograph(phone: FieldDevice, chance: random.Random, at: datetime, kept: FieldRecord) -> None:
    row = kept.payload["row"]
    picture = draw_horn(chance, side=row["side"], length_mm=row["length_mm"], mass_g=row["mass_g"])
    announced = Announced(
        uuid=uuid.UUID(int=chance.getrandbits(128)),
        record=kept.uuid,
        name=f"field-{kept.sequence}.jpg",
        sha256=hashlib.sha256(picture).hexdigest(),
        size=len(picture),
    )
    begin_photo(at=at + timedelta(hours=2), device=phone, announced=announced)
    take_piece(
        actor=phone.person, at=at + timedelta(hours=2), device=phone, photo=announced.uuid, start=0, content=picture
    )
