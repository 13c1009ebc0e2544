"""Taking what phones recorded without network: each record once, in the phone's order, and nothing dropped.

Lock order: the phone, then what the act of the record locks. A phone is locked by its own records only.
"""

import hashlib
import json
import logging
import math
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import DomainError, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from ledger.models import CustodyAccount
from marking.field_acts import ORIGIN_OF, Entered, NotUsable, OpeningWaits, enter_record, join_reception
from marking.models import FieldDevice, FieldRecord
from marking.services.applying import telling_refused
from marking.services.devices import lock_device, may_keep_notebook
from marking.services.field_photos import place_photos
from registry.models import Intake

log = logging.getLogger(__name__)
MOST_AT_ONCE = 50
TAKEN_BACK = "taken_back"
"""In the payload of a record that its person took back before it was sent: why."""
State = FieldRecord.State
Act = FieldRecord.Act


class OutOfOrder(DomainError):
    """A record before this one has not arrived: send that one first."""

    code = "out-of-order"
    message = _("A record before this one has not arrived yet. It is sent first.")


class RecordDiffers(DomainError):
    """This record was sent before with other words: the first stays."""

    code = "record-differs"
    message = _("This record arrived before, with other content. The first one stays.")


@dataclass(frozen=True, slots=True)
class Sent:
    """One record as a phone sends it. `sequence` counts the records of that phone from 1, without a gap."""

    uuid: UUID
    sequence: int
    act: str
    payload: dict[str, Any]
    made_at: datetime
    lat: float | None = None
    lon: float | None = None
    accuracy_m: int | None = None
    unread: dict[str, Any] = field(default_factory=dict)
    """What was sent where nothing of the kind could be read, by field; the field itself then says what may stand in
    for it."""
    faults: dict[str, str] = field(default_factory=dict)
    """Of these, what the record cannot do without, and why: it is kept, not entered."""
    dropped: dict[str, str] = field(default_factory=dict)
    """What it can do without, and is told in the answer."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything that was sent; the order of the keys is no matter."""
        sent = asdict(self)
        del sent["unread"], sent["faults"], sent["dropped"]
        said = json.dumps(sent | self.unread, sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def kept(self) -> dict[str, Any]:
        """The payload as a database can hold it, and what could not be read beside it."""
        payload: dict[str, Any] = storable(self.payload | ({"unread": self.unread} if self.unread else {}))
        return payload


def storable(value: Any) -> Any:
    """The same without what PostgreSQL holds in no text or number: NUL goes, half of a sign becomes U+FFFD, and a
    number beyond all numbers its name."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {storable(str(name)): storable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


@transaction.atomic
def take_record(
    *, actor: User, at: datetime, device: FieldDevice, sent: Sent, own_hosts: tuple[str, ...]
) -> tuple[FieldRecord, bool]:
    """Keep a record and enter it, or keep it with the reason why it cannot be entered.

    Sent again it is only read: the record with its first answer, and True. Raises DeviceRefused, OutOfOrder,
    RecordDiffers; then nothing was kept, and the phone keeps it.
    """
    # The lock closes the race of one record sent twice at once: the second waits, and finds the first.
    locked = lock_device(device)
    first = FieldRecord.objects.filter(device=locked, uuid=sent.uuid).first()
    if first is not None:
        if first.digest != sent.digest:
            raise RecordDiffers
        return first, True
    if sent.sequence != locked.sequence + 1:
        raise OutOfOrder
    state, answer, entered = _try_to_enter(actor, at, locked, sent, own_hosts)
    if sent.dropped:
        answer["fields"] = answer.get("fields", {}) | sent.dropped
    by, when, decision = (actor, at, answer["detail"]) if state == State.SET_ASIDE else (None, None, "")
    kept = FieldRecord.objects.create(
        device=locked,
        uuid=sent.uuid,
        sequence=sent.sequence,
        act=sent.act,
        payload=sent.kept,
        digest=sent.digest,
        office_id=_office_of(actor, locked, sent.kept, entered),
        made_at=sent.made_at,
        lat=sent.lat,
        lon=sent.lon,
        accuracy_m=sent.accuracy_m,
        received_at=at,
        state=state,
        answer=answer,
        intake=entered.intake if entered else None,
        row=entered.row if entered else None,
        decided_by=by,
        decided_at=when,
        decision=decision,
    )
    FieldDevice.objects.filter(pk=locked.pk).update(sequence=sent.sequence, last_seen_at=at)
    if state == State.SET_ASIDE:
        _tell_set_aside(actor, at, kept)
    elif entered is None:
        _tell_office(actor, at, kept)
    return kept, False


def _try_to_enter(
    actor: User, at: datetime, device: FieldDevice, sent: Sent, own_hosts: tuple[str, ...]
) -> tuple[FieldRecord.State, dict[str, Any], Entered | None]:
    payload = sent.kept
    if TAKEN_BACK in payload:
        # Taken back on the phone before it was sent: what was weighed stays readable, and enters nothing.
        reason = str(payload[TAKEN_BACK]).strip()[:200] or _t("Taken back on the phone.")
        said = {"code": "taken-back", "detail": reason, "fields": {}, "advice": ""}
        return State.SET_ASIDE, {"state": State.SET_ASIDE.value, **said}, None
    if sent.faults:
        return State.REFUSED, _answer_of(State.REFUSED, NotUsable(fields=dict(sent.faults))), None
    try:
        # A refused act leaves nothing behind; the record of it stays.
        with telling_refused(actor, at), transaction.atomic():
            entered = enter_record(
                actor=actor, at=at, device=device, act=sent.act, payload=payload, own_hosts=own_hosts
            )
    except DomainError as refusal:
        state = State.REFUSED if isinstance(refusal, NotUsable) else State.CONFLICT
        return state, _answer_of(state, refusal), None
    except (OperationalError, InterfaceError):
        raise  # The database is away or busy: the phone sends it again.
    except Exception:
        # A fault of ours. The phone would send this record for ever, and nothing after it: it waits at the office.
        log.exception("record %s of phone %s was kept and not entered", sent.uuid, device.pk)
        return State.REFUSED, _answer_of(State.REFUSED, NotUsable()), None
    place = {"number": entered.intake.number, "intake": entered.intake.pk, "row": entered.row}
    return State.ACCEPTED, {"state": State.ACCEPTED.value, **place}, entered


def _answer_of(state: FieldRecord.State, refusal: DomainError) -> dict[str, Any]:
    return {
        "state": state.value,
        "code": refusal.code,
        "detail": str(refusal),
        "fields": {name: str(text) for name, text in refusal.fields.items()},
        "advice": _t("It is kept. Your office decides it on the page Field notebook; you need not record it again."),
    }


def _office_of(actor: User, device: FieldDevice, payload: dict[str, Any], entered: Entered | None) -> int | None:
    """Whose record it is: of the person's offices that which keeps the store it is for, or is of the store's region."""
    offices = actor.organisation_ids(Can.OPEN_INTAKE) or actor.organisation_ids(Can.REGISTER_SEIZURE)
    earlier = _uuid_or_none(payload.get("opening") or payload.get("record"))
    if entered is None and earlier is not None:
        first = FieldRecord.objects.filter(device=device, uuid=earlier, office__in=offices).first()
        if first is not None:
            return first.office_id
    store = entered.intake.store if entered else _store_named(actor, payload)
    every = offices | actor.organisation_ids(Can.REGISTER_SEIZURE)
    if store is not None and store.custodian_id in every:
        return store.custodian_id
    if store is not None and len(offices) > 1:
        near = Organisation.objects.filter(pk__in=offices, region=store.region_id).values_list("pk", flat=True)
        offices = frozenset(near) or offices
    return min(offices, default=None)


def _store_named(actor: User, payload: dict[str, Any]) -> CustodyAccount | None:
    """The store that the record names by its code, or that of the reception it names."""
    if isinstance(payload.get("store"), str):
        return CustodyAccount.objects.filter(code=payload["store"]).first()
    number = payload.get("intake")
    if not isinstance(number, int) or not 0 < number < 2**63:
        return None
    intake = Intake.objects.visible_to(actor).filter(pk=number).select_related("store").first()
    return intake.store if intake else None


def _uuid_or_none(text: object) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def _tell_office(actor: User, at: datetime, kept: FieldRecord) -> None:
    record(
        "field_record.kept",
        actor=actor,
        at=at,
        subject=("field_record", kept.pk),
        subject_name=str(kept.sequence),
        organisation_id=kept.office_id,
        note=str(kept.answer["detail"])[:200],
    )
    # Rows of a reception that could not be opened follow it: one notice for all of them is enough.
    if kept.office_id is None or kept.answer["code"] == OpeningWaits.code:
        return
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="field_record.conflict",
        organisation=Organisation.objects.get(pk=kept.office_id),
        subject=("field_record", kept.pk),
        actor=actor,
        sequence=kept.sequence,
        phone=kept.device.name,
    )


@transaction.atomic
def enter_waiting(
    *,
    actor: User,
    at: datetime,
    record_id: int,
    own_hosts: tuple[str, ...],
    intake: int | None = None,
    case: str = "",
    row: dict[str, Any] | None = None,
    label: str | None = None,
    confirm_foreign: bool = False,
) -> FieldRecord:
    """Enter a record that waits, after what was in its way is gone: as it was sent, or into another reception, with
    other values, or with another label or none. What was to be opened may be open already (`intake`), and a seizure
    may belong to a case of the register (`case`, its number). Photos go with it; rows of a reception follow it.

    What was sent stays as it was sent. Raises NotAllowed, InvalidTransition, and what the act raises.
    """
    waiting = _take_waiting(actor, record_id)
    if waiting.has_no_act:
        raise NotUsable
    is_opening = waiting.act in ORIGIN_OF
    if is_opening and intake is not None:
        entered = join_reception(actor=actor, act=waiting.act, intake=intake)
    else:
        payload = dict(waiting.payload)
        if intake is not None:
            payload |= {"intake": intake, "opening": None}
        if case:
            payload.pop("case", None)
            payload["known_case"] = case
        if row is not None:
            payload["row"] = row
        if label is not None:
            payload["label"] = label
        if confirm_foreign:
            payload["confirm_foreign"] = True
        entered = enter_record(
            actor=actor,
            at=at,
            device=waiting.device,
            act=waiting.act,
            payload=payload,
            own_hosts=own_hosts,
            is_decided=True,
        )
    _resolve(actor, at, waiting, entered)
    if is_opening:
        _follow(actor, at, waiting, own_hosts)
    return waiting


@transaction.atomic
def set_aside(*, actor: User, at: datetime, record_id: int, reason: str) -> FieldRecord:
    """Leave a record that waits unentered, for good, and say why. It stays readable, its photos with it.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    require_reason(reason)
    waiting = _take_waiting(actor, record_id)
    _end(actor, at, waiting, State.SET_ASIDE, reason.strip()[:200])
    _tell_set_aside(actor, at, waiting)
    return waiting


def _tell_set_aside(actor: User, at: datetime, kept: FieldRecord) -> None:
    record(
        "field_record.set_aside",
        actor=actor,
        at=at,
        subject=("field_record", kept.pk),
        subject_name=str(kept.sequence),
        organisation_id=kept.office_id,
        reason=kept.decision,
    )


def _take_waiting(actor: User, record_id: int) -> FieldRecord:
    if not may_keep_notebook(actor):
        raise NotAllowed
    # The lock closes the race of two who decide one record.
    locked = FieldRecord.objects.select_for_update(of=("self",)).select_related("device").get(pk=record_id)
    if not FieldRecord.objects.visible_to(actor).filter(pk=record_id).exists():
        raise NotAllowed
    if not locked.is_waiting:
        raise InvalidTransition(_("This record has been decided. Reload the page."))
    return locked


def _resolve(actor: User, at: datetime, waiting: FieldRecord, entered: Entered) -> None:
    waiting.intake, waiting.row = entered.intake, entered.row
    where = entered.intake.number if entered.row is None else f"{entered.intake.number} / {entered.row}"
    _end(actor, at, waiting, State.RESOLVED, where)
    record(
        "field_record.entered",
        actor=actor,
        at=at,
        subject=("field_record", waiting.pk),
        subject_name=str(waiting.sequence),
        organisation_id=waiting.office_id,
        number=entered.intake.number,
        note=where,
    )
    place_photos(actor=actor, at=at, kept=waiting)


def _end(actor: User, at: datetime, waiting: FieldRecord, state: FieldRecord.State, decision: str) -> None:
    waiting.state, waiting.decided_by, waiting.decided_at, waiting.decision = state, actor, at, decision
    waiting.save(update_fields=["state", "decided_by", "decided_at", "decision", "intake", "row"])
    settle_notices(
        actor=actor,
        at=at,
        subject=("field_record", waiting.pk),
        decision=waiting.get_state_display(),
        reason=decision,
    )


def _follow(actor: User, at: datetime, opening: FieldRecord, own_hosts: tuple[str, ...]) -> None:
    """Enter the rows that waited for their reception, in the order in which they were weighed."""
    rows = FieldRecord.objects.waiting().select_for_update(of=("self",)).select_related("device")
    for waiting in rows.filter(
        device=opening.device_id, act=Act.ROW, payload__opening=str(opening.uuid), answer__code=OpeningWaits.code
    ).order_by("sequence"):
        try:
            with transaction.atomic():
                entered = enter_record(
                    actor=actor,
                    at=at,
                    device=waiting.device,
                    act=waiting.act,
                    payload=waiting.payload,
                    own_hosts=own_hosts,
                )
                _resolve(actor, at, waiting, entered)
        except DomainError:
            continue  # It goes on waiting, and is decided by itself.
