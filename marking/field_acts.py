"""What a phone may record in the field, and how each record is entered by the services that pages use too."""

from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.accounts.models import User
from core.base.errors import BadInput, DomainError
from marking.models import FieldDevice, FieldRecord, RowLabel
from marking.services.applying import name_row_labels, read_label
from registry.measures import ROW_COLUMNS, TableRow
from registry.models import CaseWord, Intake, IntakeRow, Origin
from registry.serializers import OpenRemovalSerializer, OpenSeizureSerializer, RowSerializer, known_case_of
from registry.services import CaseFacts, note_facts, open_removal_intake, open_seizure_intake, save_rows
from registry.services.locking import lock_open_intake

Act = FieldRecord.Act
ORIGIN_OF = {Act.OPEN_REMOVAL: Origin.REMOVAL, Act.OPEN_SEIZURE: Origin.SEIZURE}
ROW_FIELDS = ("side", "mass_g", "length_mm", "condition", "note")
"""What a phone says of a horn; the other columns of its row are the office's."""


class NotUsable(BadInput):
    """The record does not have the shape of its act."""

    code = "record-not-usable"
    message = _("This record cannot be entered as it is. Correct it at the office, or set it aside.")


class OpeningWaits(DomainError):
    """The reception of this row was opened in the field, and that record could not be entered."""

    code = "opening-waits"
    message = _(
        "The reception of this row could not be opened. Decide that record first: its rows follow by themselves."
    )


class IntakeNotKnown(DomainError):
    """The reception of this row is none that the person may know."""

    code = "intake-not-known"
    message = _("There is no such reception, or it is not yours. Choose another one at the office.")


class RowNotEntered(DomainError):
    """The record that is corrected has put no row on a table."""

    code = "row-not-entered"
    message = _("The horn that is corrected is on no table yet. Decide its own record first.")


class RowGone(DomainError):
    """The row that is corrected was taken off its table meanwhile."""

    code = "row-gone"
    message = _("The row that is corrected was taken off the table meanwhile.")


class RowChanged(DomainError):
    """The row that is corrected is not as the phone sent it: somebody has changed it meanwhile."""

    code = "row-changed"
    message = _("Somebody else has changed this row meanwhile. Compare both, and enter what is right.")


@dataclass(frozen=True, slots=True)
class Entered:
    """Where a record stands in the register now."""

    intake: Intake
    row: int | None = None


class FieldRowSerializer(RowSerializer):
    """A horn as the phone weighed it: the register gives the row its number."""

    row = None  # type: ignore[assignment]


class RowActSerializer(serializers.Serializer[Any]):
    """A row, for a reception of the register (`intake`) or one that this phone opened (`opening`, its uuid)."""

    intake = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    opening = serializers.UUIDField(required=False, allow_null=True, default=None)
    row = FieldRowSerializer()
    label = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)  # type: ignore[assignment]
    confirm_foreign = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["intake"] is None) == (attrs["opening"] is None):
            raise serializers.ValidationError({"intake": "Give either intake or opening."})
        return attrs


class FieldSeizureSerializer(OpenSeizureSerializer):
    """A seizure; `known_case` names a case by any number that its page shows. Of a new case how it was found, too."""

    detection = serializers.SlugRelatedField[CaseWord](
        slug_field="code",
        queryset=CaseWord.objects.filter(list=CaseWord.List.DETECTION),
        required=False,
        allow_null=True,
    )


class CorrectionSerializer(serializers.Serializer[Any]):
    """What a row of this phone's (`record`, the uuid of its record) should have said; without `row` it is taken off.

    Without `label` the row keeps the one it names; an empty one takes it off.
    """

    record = serializers.UUIDField()
    row = FieldRowSerializer(required=False, allow_null=True, default=None)
    label = serializers.CharField(required=False, allow_blank=True, allow_null=True, default=None, max_length=500)  # type: ignore[assignment]
    confirm_foreign = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["row"] is None and not attrs["reason"].strip():
            raise serializers.ValidationError({"reason": _("Say why.")})
        return attrs


def enter_record(
    *,
    actor: User,
    at: datetime,
    device: FieldDevice,
    act: str,
    payload: dict[str, Any],
    own_hosts: tuple[str, ...],
    is_decided: bool = False,
) -> Entered:
    """Carry out what was recorded, in the caller's transaction. `is_decided`: a person has looked at what is there now,
    so a correction may overwrite it. Raises NotUsable, and what the act's service raises.
    """
    match act:
        case Act.OPEN_REMOVAL:
            said = _shaped(OpenRemovalSerializer, actor, payload)
            return Entered(open_removal_intake(actor=actor, at=at, **said))
        case Act.OPEN_SEIZURE:
            return _open_seizure(actor, at, _shaped(FieldSeizureSerializer, actor, payload))
        case Act.ROW:
            return _enter_row(actor, at, device, _shaped(RowActSerializer, actor, payload), own_hosts)
        case Act.CORRECT_ROW:
            said = _shaped(CorrectionSerializer, actor, payload)
            return _correct_row(actor, at, device, said, own_hosts, is_decided=is_decided)
    raise NotUsable


def join_reception(*, actor: User, act: str, intake: int) -> Entered:
    """What a phone opened is open in the register already: this one. Raises IntakeNotKnown, what locking raises."""
    found = Intake.objects.visible_to(actor).filter(pk=intake, origin=ORIGIN_OF[Act(act)]).first()
    if found is None:
        raise IntakeNotKnown
    return Entered(lock_open_intake(actor=actor, intake=found))


def _open_seizure(actor: User, at: datetime, said: dict[str, Any]) -> Entered:
    case = CaseFacts(**said["case"]) if "case" in said else known_case_of(actor, said["known_case"])
    intake = open_seizure_intake(actor=actor, at=at, store=said["store"], on=said["on"], case=case)
    if isinstance(case, CaseFacts) and said.get("detection") and intake.case is not None:
        facts = {"detection": said["detection"]}
        note_facts(actor=actor, at=at, case=intake.case, version=intake.case.version, facts=facts)
    return Entered(intake)


def _shaped(kind: type[serializers.Serializer[Any]], actor: User, payload: dict[str, Any]) -> dict[str, Any]:
    shape = kind(data=payload, context={"request": SimpleNamespace(user=actor)})
    if not shape.is_valid():
        raise NotUsable(fields=_flat(shape.errors))
    said: dict[str, Any] = shape.validated_data
    return said


def _flat(errors: Any, name: str = "") -> dict[str, str]:
    """The errors of a serializer by the path of each field."""
    if isinstance(errors, dict):
        found: dict[str, str] = {}
        for key, inner in errors.items():
            found |= _flat(inner, f"{name}.{key}" if name else str(key))
        return found
    return {name: " ".join(str(one) for one in errors)}


def _enter_row(
    actor: User, at: datetime, device: FieldDevice, said: dict[str, Any], own_hosts: tuple[str, ...]
) -> Entered:
    """Below the last row of the table, with its blank label."""
    intake = lock_open_intake(actor=actor, intake=_intake_of(actor, device, said["intake"], said["opening"]))
    last = intake.rows.order_by("-row").values_list("row", flat=True).first() or 0
    line = TableRow(row=last + 1, **said["row"])
    save_rows(actor=actor, at=at, intake=intake, version=intake.version, rows=[line])
    if said["label"].strip():
        name_row_labels(
            actor=actor,
            at=at,
            intake=intake,
            labels={line.row: said["label"]},
            own_hosts=own_hosts,
            confirm_foreign=said["confirm_foreign"],
        )
    return Entered(intake, line.row)


def _correct_row(
    actor: User,
    at: datetime,
    device: FieldDevice,
    said: dict[str, Any],
    own_hosts: tuple[str, ...],
    *,
    is_decided: bool,
) -> Entered:
    """The row of an earlier record as it should have been, on the same line of the same table while that is open."""
    first = FieldRecord.objects.filter(device=device, uuid=said["record"], act=Act.ROW).select_related("intake").first()
    if first is None or first.intake is None or first.row is None:
        raise RowNotEntered
    intake = lock_open_intake(actor=actor, intake=first.intake)
    saved = intake.rows.filter(row=first.row).first()
    if saved is None:
        raise RowGone
    if not is_decided and not _is_as_sent(saved, first):
        raise RowChanged
    named = RowLabel.objects.filter(intake=intake, row=first.row).values_list("mark", flat=True).first() or ""
    label = said["label"] if said["row"] is not None else ""
    if label is not None and _code_of(label, actor, own_hosts) != named:
        name_row_labels(
            actor=actor,
            at=at,
            intake=intake,
            labels={first.row: label},
            own_hosts=own_hosts,
            confirm_foreign=said["confirm_foreign"],
        )
    if said["row"] is None:
        save_rows(actor=actor, at=at, intake=intake, version=intake.version, rows=[], removed=[first.row])
        return Entered(intake, first.row)
    now = {column: getattr(saved, column) for column in ROW_COLUMNS}
    line = TableRow(row=first.row, **now | {name: said["row"][name] for name in ROW_FIELDS})
    save_rows(actor=actor, at=at, intake=intake, version=intake.version, rows=[line])
    return Entered(intake, first.row)


def _is_as_sent(saved: IntakeRow, first: FieldRecord) -> bool:
    """Whether the row still says what this phone said of it last."""
    last = (
        FieldRecord.objects.filter(
            device=first.device_id, intake=first.intake_id, row=first.row, act__in=[Act.ROW, Act.CORRECT_ROW]
        )
        .filter(state__in=[FieldRecord.State.ACCEPTED, FieldRecord.State.RESOLVED])
        .order_by("-sequence")
        .first()
    )
    shape = FieldRowSerializer(data=(last or first).payload.get("row"))
    if not shape.is_valid():
        return False
    return all(getattr(saved, name) == shape.validated_data[name] for name in ROW_FIELDS)


def _code_of(label: str, actor: User, own_hosts: tuple[str, ...]) -> str:
    return read_label(label, actor=actor, own_hosts=own_hosts) if label.strip() else ""


def _intake_of(actor: User, device: FieldDevice, intake: int | None, opening: UUID | None) -> Intake:
    if opening is not None:
        first = FieldRecord.objects.filter(device=device, uuid=opening).select_related("intake").first()
        if first is None or first.intake is None:
            raise OpeningWaits
        return first.intake
    try:
        found = Intake.objects.visible_to(actor).filter(pk=intake or 0).first()
    except (ValidationError, OverflowError):
        found = None
    if found is None:
        raise IntakeNotKnown
    return found
