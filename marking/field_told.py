"""What a phone sent, told to people at the office: values with their names, why it was not entered, what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.base.templatetags.fmt import grams, millimetres
from ledger.models import CustodyAccount
from marking.codes import CodeError, group, parse
from marking.field_acts import ROW_FIELDS, IntakeNotKnown, OpeningWaits, RowChanged, RowGone, RowNotEntered
from marking.models import FieldRecord
from marking.payload import PayloadError, looks_signed, read
from registry.fields import CONDITIONS, SIDES
from registry.models import Brigade, CaseWord, Intake
from registry.services import CaseKnown

Act = FieldRecord.Act
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Fact:
    """A named value; `now` is what the register says instead, where it says another thing."""

    name: str
    value: str
    url: str = ""
    now: str = ""


def names() -> dict[str, StrOrPromise]:
    """What the fields of a record are called."""
    return {
        "intake": _("Reception"),
        "opening": _("Reception"),
        "side": _("Side"),
        "mass_g": _("Mass"),
        "length_mm": _("Length"),
        "condition": _("Condition"),
        "note": _("Note"),
        "label": _("Blank label"),
        "confirm_foreign": _("The label of another office is right"),
        "store": _("Store"),
        "permit": _("Removal permit"),
        "brigade": _("Brigade"),
        "on": _("Day"),
        "males": _("Males"),
        "females": _("Females"),
        "young": _("Young"),
        "carcasses": _("Carcasses delivered"),
        "known_case": _("Case"),
        "case": _("Case"),
        "protocol_number": _("Number of the protocol"),
        "protocol_on": _("Date of the protocol"),
        "erdr_number": _("ERDR number"),
        "agency": _("Agency that seized"),
        "place": _("Place of the seizure"),
        "seized_on": _("Day of the seizure"),
        "detection": _("Method of detection"),
        "reason": _("Why"),
        "taken_back": _("Taken back on the phone"),
        "unread": _("Not readable"),
    }


def facts_of(reader: User, kept: FieldRecord) -> list[Fact]:
    """Everything that was sent, in the order in which people read it. Whatever shape it has, nothing breaks here."""
    sent = dict(kept.payload)
    facts: list[Fact] = []
    if kept.act in (Act.ROW, Act.CORRECT_ROW):
        facts += _reception(reader, kept, sent)
        facts += _row(kept, sent)
    else:
        facts += _opening(sent)
    facts += [_plain(name, value) for name, value in sent.items() if value not in (None, "", False, [], {})]
    return facts


def problems_of(kept: FieldRecord) -> list[tuple[str, str]]:
    """Which values were wrong and why, by the names that people use."""
    known = names()
    return [
        (str(known.get(str(name).rpartition(".")[2], "")), str(text)[:LONGEST])
        for name, text in dict(kept.answer.get("fields") or {}).items()
    ]


def advice_of(kept: FieldRecord) -> str:
    """What the person at the office does with a record that waits."""
    code, wrong = kept.answer.get("code"), dict(kept.answer.get("fields") or {})
    if code == OpeningWaits.code:
        return _("Decide the record that opens the reception first: this horn then follows by itself.")
    if code == CaseKnown.code:
        return _("Enter it as goods of the case that is in the register; its horns then follow by themselves.")
    if code in (RowChanged.code, RowGone.code):
        return _("Compare what was sent with what the table says now, and enter what is right, or set it aside.")
    if code == RowNotEntered.code:
        return _("Decide the record of the horn itself first.")
    if code == IntakeNotKnown.code:
        return _("Choose the reception that the horn belongs to, and enter it there.")
    if code == "label-refused" or any(str(name).endswith("label") for name in wrong):
        return _("Enter it without the label, or with the one that is on the horn. Keep the label that was refused.")
    if kept.state == FieldRecord.State.REFUSED:
        return _("Correct the values below and enter it, or set it aside with a reason.")
    if kept.act in (Act.OPEN_REMOVAL, Act.OPEN_SEIZURE):
        return _("Remove what is in the way and enter it again, or choose the reception that is open already.")
    return _("Enter it into another reception, or set it aside with a reason.")


def _record_named(kept: FieldRecord, name: object) -> FieldRecord | None:
    """The record of the same phone with this uuid."""
    try:
        return FieldRecord.objects.filter(device=kept.device_id, uuid=UUID(str(name))).select_related("intake").first()
    except ValueError:
        return None


def comes_first(kept: FieldRecord) -> FieldRecord | None:
    """The record that must be decided before this one, if it waits."""
    if not kept.is_waiting:
        return None
    first = _record_named(kept, kept.payload.get("opening") or kept.payload.get("record"))
    return first if first is not None and first.is_waiting else None


def _reception(reader: User, kept: FieldRecord, sent: dict[str, Any]) -> list[Fact]:
    name = _("Reception")
    intake, opening, first = sent.pop("intake", None), sent.pop("opening", None), sent.pop("record", None)
    if opening or first:
        of = _record_named(kept, opening or first)
        if of is None:
            return [Fact(name, _("not sent by this phone"))]
        if of.intake is not None:
            return [_of_intake(name, reader, of.intake_id, of.row)]
        told = _("opened on the phone, record № %(number)s") if opening else _("record № %(number)s")
        return [Fact(name, told % {"number": of.sequence}, reverse("marking:field-record", args=[of.pk]))]
    return [_of_intake(name, reader, intake)] if isinstance(intake, int) else []


def _of_intake(name: str, reader: User, pk: int | None, row: int | None = None) -> Fact:
    found = Intake.objects.visible_to(reader).filter(pk=pk if pk and pk < 2**62 else 0).first()
    if found is None:
        return Fact(name, _("none that you may know"))
    text = f"{found.number} · {found.get_state_display()}" + (f" · № {row}" if row else "")
    return Fact(name, text, reverse("registry:intake", args=[found.pk]))


def _row(kept: FieldRecord, sent: dict[str, Any]) -> list[Fact]:
    row, label, former = sent.pop("row", None), sent.pop("label", None), sent.pop("former", None)
    now = _row_now(kept)
    facts = []
    if kept.act == Act.CORRECT_ROW and row is None:
        facts.append(Fact(_("What was asked"), _("to take the horn off the table")))
    said = row if isinstance(row, Mapping) else {}
    for name in ROW_FIELDS:
        value, there = _measure(name, said.get(name)), _measure(name, now.get(name))
        is_other = bool(now) and there != value
        if value or is_other:
            facts.append(Fact(str(names()[name]), value or "—", now=(there or "—") if is_other else ""))
    facts += [_plain(str(name), value) for name, value in said.items() if name not in ROW_FIELDS and value]
    if row is not None and not said:
        facts.append(_plain("row", row))
    if label:
        facts.append(Fact(_("Blank label"), code_in(str(label))))
    for was in former if isinstance(former, list) else ():
        if isinstance(was, Mapping):
            told = ", ".join(filter(None, (_measure(name, was.get(name)) for name in ROW_FIELDS)))
            facts.append(Fact(_("Before it was changed on the phone"), told))
    return facts


def _row_now(kept: FieldRecord) -> dict[str, Any]:
    """What the table says of the row that a correction waits to change."""
    if kept.act != Act.CORRECT_ROW or not kept.is_waiting:
        return {}
    first = _record_named(kept, kept.payload.get("record"))
    if first is None or first.intake is None or first.row is None:
        return {}
    return dict(first.intake.rows.filter(row=first.row).values(*ROW_FIELDS).first() or {})


def code_in(label: str) -> str:
    """The code of a label as people read it; what is none stays as it was sent."""
    tail = label.strip().rpartition("/")[2]
    try:
        return group(read(tail).statement.code if looks_signed(tail) else parse(tail))
    except (CodeError, PayloadError):
        return label[:LONGEST]


def _opening(sent: dict[str, Any]) -> list[Fact]:
    case = sent.pop("case", None)
    said = sent | (dict(case) if isinstance(case, Mapping) else {})
    for name in [*sent]:
        if name in _READ:
            sent.pop(name)
    facts = []
    for name, reading in _READ.items():
        value = said.get(name)
        if value is not None and value != "":
            facts.append(Fact(str(names()[name]), reading(value)))
        elif name == "erdr_number" and isinstance(case, Mapping):
            facts.append(Fact(str(names()[name]), _("not yet")))
    return facts


def _plain(name: str, value: object) -> Fact:
    text = ", ".join(map(str, value)) if isinstance(value, list) else _("yes") if value is True else str(value)
    return Fact(str(names().get(name, name)), text[:LONGEST])


def _measure(name: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if name in ("mass_g", "length_mm"):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return (grams if name == "mass_g" else millimetres)(value) if is_number else str(value)[:LONGEST]  # type: ignore[arg-type]
    choices = {"side": SIDES, "condition": CONDITIONS}.get(name, {})
    choice = choices.get(str(value))
    return choice.names[{"kk": 0, "ru": 1}.get((get_language() or "kk")[:2], 2)] if choice else str(value)[:LONGEST]


def _text(value: object) -> str:
    return str(value)[:LONGEST]


def _day(value: object) -> str:
    try:
        return date_format(date.fromisoformat(str(value)), "SHORT_DATE_FORMAT")
    except ValueError:
        return _text(value)


def _store(value: object) -> str:
    found = CustodyAccount.objects.filter(code=_text(value)).first()
    return f"{found.code} {found.name}" if found else _text(value)


def _brigade(value: object) -> str:
    found = Brigade.objects.filter(pk=value).first() if isinstance(value, int) and 0 < value < 2**62 else None
    return found.name if found else _text(value)


def _agency(value: object) -> str:
    found = Organisation.objects.filter(bin=_text(value)).first()
    return found.name if found else _text(value)


def _detection(value: object) -> str:
    found = CaseWord.objects.filter(list=CaseWord.List.DETECTION, code=_text(value)).first()
    return found.name if found else _text(value)


_READ: dict[str, Callable[[Any], str]] = {
    "on": _day,
    "store": _store,
    "permit": _text,
    "brigade": _brigade,
    "males": _text,
    "females": _text,
    "young": _text,
    "carcasses": _text,
    "known_case": _text,
    "protocol_number": _text,
    "protocol_on": _day,
    "erdr_number": _text,
    "agency": _agency,
    "place": _text,
    "seized_on": _day,
    "detection": _detection,
}
