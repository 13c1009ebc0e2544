"""Marks that were asked for again, and what else items carry: requests at every stage, state codes, seals and chips."""

from datetime import datetime, timedelta

from config.demo.cast import Cast
from core.accounts.models import User
from core.jobs.models import Job
from core.jobs.services import execute_job
from ledger.models import Packing
from marking.codes import group
from marking.models import Carrier, Mark, MarkRequest
from marking.payload import to_text
from marking.services.carrier_files import keep_and_check, start_binding
from marking.services.carriers import ask_end, bind_carrier, read_carrier
from marking.services.orders import LabelOrder
from marking.services.requests import approve_request, ask_for_mark, refuse_request
from marking.state_code import GS

ROLL = LabelOrder("roll-50x25")
GTIN = "04870000000012"
Kind = MarkRequest.Kind


def ask_for_marks(cast: Cast, now: datetime) -> str:
    """In the evidence room and in the central store: printed again, replaced, refused, waiting.

    Returns what the symbol of the label says that was printed again: that former print is still about.
    """
    inspector, second = cast.people["inspector"], cast.people["inspector2"]
    evidence = _marks_in("EV-27", 4)
    at = now - timedelta(days=12)
    reprint = _ask(inspector, at, evidence[0], Kind.REPRINT, "Заттаңба сызылып, символы оқылмайды")
    approve_request(actor=second, at=at + timedelta(hours=2), asked=reprint)
    void = _ask(inspector, at + timedelta(days=1), evidence[1], Kind.VOID, "Мүйіз сараптамада бөлшектенеді")
    refuse_request(actor=second, at=at + timedelta(days=2), asked=void, reason="Сараптама қорытындысы әлі жоқ")
    _ask(inspector, now - timedelta(hours=7), evidence[2], Kind.REPRINT, "Заттаңбаның бір шеті жыртылған")

    keeper, other = cast.people["storekeeper"], cast.people["storekeeper2"]
    stored = _marks_in("CS-75", 3)
    replaced = _ask(keeper, at, stored[0], Kind.REPLACE, "Заттаңба жоғалған, нөмірі мүйіздегі жазудан белгілі")
    approve_request(actor=other, at=at + timedelta(hours=5), asked=replaced)
    _ask(keeper, now - timedelta(days=1), stored[1], Kind.REPLACE, "Заттаңба суға тиіп, бояуы ағып кеткен")
    return to_text(bytes(evidence[0].payload), bytes(evidence[0].signature))


def _ask(actor: User, at: datetime, mark: Mark, kind: Kind, reason: str) -> MarkRequest:
    order = None if kind == Kind.VOID else ROLL
    return ask_for_mark(actor=actor, at=at, kind=kind, reason=reason, mark=mark, order=order)


def bind_carriers(cast: Cast, now: datetime) -> None:
    """A file for each of two stores, bound whole; a seal found on a second horn; a chip that is to be taken off."""
    at = now - timedelta(days=4)
    for person, place, first in (("storekeeper", "CS-75", 10), ("inspector", "EV-27", 10)):
        marks = _marks_in(place, 24)[first:]
        _import(cast.people[person], at, place, marks)
    inspector = cast.people["inspector"]
    *_rest, other, last = _marks_in("EV-27", 8)
    seal = Carrier.objects.bound().filter(kind=Carrier.Kind.SEAL, bound_by=inspector).latest("pk")
    bind_carrier(actor=inspector, at=at + timedelta(days=1), mark=other, raw=read_carrier("seal", seal.value))
    chip = read_carrier("rfid", f"E280 1160 6000 {0x0207_4A30_0000:012X}")
    pair = bind_carrier(actor=inspector, at=at + timedelta(days=1), mark=last, raw=chip)
    if pair.carrier is not None:
        ask_end(
            actor=inspector,
            at=now - timedelta(hours=4),
            carrier=pair.carrier,
            reason="Чип оқылмайды",
            replace_by=f"E280 1160 6000 {0x0207_4A30_0777:012X}",
        )


def _import(actor: User, at: datetime, place: str, marks: list[Mark]) -> None:
    """State codes for all, every second with a seal, every third with a chip, as the operator's file has them."""
    lines = ["mark;state code;seal;rfid"]
    for number, mark in enumerate(marks, start=1):
        serial = f"{place.replace('-', '')}{mark.code[:6]}{number:03d}"
        state_code = f"01{GTIN}21{serial}{GS}91EE06{GS}92dGVzdA=="
        seal = f"KZ{place[:2]}{880_000 + number}" if number % 2 else ""
        chip = f"E28011606000{int(place[-2:]) * 0x10000 + number:012X}" if number % 3 == 0 else ""
        lines.append(f"{group(mark.code)};{state_code};{seal};{chip}")
    content = "\n".join(lines).encode()
    checked = keep_and_check(actor=actor, at=at, name=f"{place}.csv", content=content, separator="")
    execute_job(checked.pk, clock=lambda: at + timedelta(minutes=1))
    checked = Job.objects.get(pk=checked.pk)
    binding = start_binding(actor=actor, at=at + timedelta(minutes=5), checked=checked)
    execute_job(binding.pk, clock=lambda: at + timedelta(minutes=6))


def _marks_in(place: str, count: int) -> list[Mark]:
    """Marks of horns that are in a store and in no box, in the order of their numbers."""
    there = Mark.objects.active().filter(
        derivative__item__holdings__account__code=place,
        derivative__item__holdings__pieces__gt=0,
        derivative__term="HOR",
    )
    loose = there.exclude(derivative__in=Packing.objects.present().values("item"))
    return list(loose.select_related("derivative").order_by("derivative__number")[:count])
