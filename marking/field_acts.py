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
from marking.models import FieldDevice, FieldRecord
from marking.services.applying import name_row_labels
from registry.measures import TableRow
from registry.models import Case, Intake
from registry.serializers import OpenRemovalSerializer, OpenSeizureSerializer, RowSerializer
from registry.services import CaseFacts, open_removal_intake, open_seizure_intake, save_rows
from registry.services.locking import lock_open_intake

Act = FieldRecord.Act


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


def enter_record(
    *, actor: User, at: datetime, device: FieldDevice, act: str, payload: dict[str, Any], own_hosts: tuple[str, ...]
) -> Entered:
    """Carry out what was recorded, in the caller's transaction. Raises NotUsable, and what the act's service raises."""
    match act:
        case Act.OPEN_REMOVAL:
            said = _shaped(OpenRemovalSerializer, actor, payload)
            return Entered(open_removal_intake(actor=actor, at=at, **said))
        case Act.OPEN_SEIZURE:
            said = _shaped(OpenSeizureSerializer, actor, payload)
            case = CaseFacts(**said["case"]) if "case" in said else _known_case(actor, said["known_case"])
            return Entered(open_seizure_intake(actor=actor, at=at, store=said["store"], on=said["on"], case=case))
        case Act.ROW:
            return _enter_row(actor, at, device, _shaped(RowActSerializer, actor, payload), own_hosts)
    raise NotUsable


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


def _known_case(actor: User, erdr_number: str) -> Case:
    case = Case.objects.visible_to(actor).filter(erdr_number=erdr_number).first()
    if case is None:
        raise BadInput(fields={"known_case": _("There is no such case, or it is not yours.")})
    return case


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
