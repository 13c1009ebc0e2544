"""The field notebook speaks here: it greets, fetches its pack, sends records and photos. Each record is done once."""

import io
import math
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import ParseError, Throttled
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError
from core.base.ratelimit import allow
from core.base.visitors import address_of, own_hosts
from marking.limits import GREETINGS, WINDOW_SECONDS
from marking.models import FieldDevice, FieldPhoto, FieldRecord
from marking.models.field import MOST_PHOTO_BYTES
from marking.phone_sessions import leave_cookie, note_phone
from marking.refusals import note_refusal
from marking.selectors_field import news_for, pack_for
from marking.services.devices import SignInNeeded, device_of, greet_device, register_device
from marking.services.field import MOST_AT_ONCE, OutOfOrder, RecordDiffers, Sent, storable, take_record
from marking.services.field_photos import MOST_PIECE_BYTES, Announced, begin_photo, take_piece


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Device srf_…`: a phone of the notebook, while its person has signed in on it lately."""

    def authenticate(self, request: Request) -> tuple[User, FieldDevice] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"device":
            return None
        device = device_of(parts[1].decode("latin-1") if len(parts) == 2 else "")
        if device.signed_until <= timezone.now():
            raise SignInNeeded
        return device.person, device

    def authenticate_header(self, request: Request) -> str:
        return "Device"


class DeviceScheme(OpenApiAuthenticationExtension):
    """How the schema tells about the keys of phones."""

    target_class = "marking.api_field.DeviceAuthentication"
    name = "device"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "device",
            "description": "The key of a phone: /api/v1/field/devices/.",
        }


class SmallJSON(JSONParser):
    """JSON of phones: a batch of records is a small part of this, and what is nested without end is refused."""

    most_bytes = 4 * 1024 * 1024

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        content = stream.read(self.most_bytes + 1)
        if len(content) > self.most_bytes:
            raise ParseError(_("This is too much at once."))
        try:
            return super().parse(io.BytesIO(content), media_type, parser_context)
        except RecursionError as error:
            raise ParseError from error


class KeyJSON(SmallJSON):
    """What anybody may send."""

    most_bytes = 4 * 1024


class DeviceView(APIView):
    """A door for phones alone."""

    parser_classes = [SmallJSON]
    authentication_classes = [DeviceAuthentication]
    permission_classes = [granted(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)]


def _device(request: Request) -> FieldDevice:
    return cast("FieldDevice", request.auth)


class DeviceNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)


class NewDeviceSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Told once, and kept as its SHA-256 only.")
    name = serializers.CharField()
    sequence = serializers.IntegerField(help_text="The number of the last record that was taken.")
    signed_until = serializers.DateTimeField()


class KeySerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=100)


class GreetingSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    sequence = serializers.IntegerField(help_text="The number of the last record that was taken.")
    signed_until = serializers.DateTimeField()


def _of_our_time(moment: datetime) -> None:
    # A clock may be of another zone; what is recorded tomorrow was not recorded.
    if moment.year < 2000 or moment > timezone.now() + timedelta(days=1):
        raise serializers.ValidationError(_("This moment cannot be right."))


def _finite(number: float) -> None:
    if not math.isfinite(number):
        raise serializers.ValidationError(_("This is not a number."))


class FieldSentSerializer(serializers.Serializer[Any]):
    """One record. `sequence` counts the records of this phone from 1, without a gap; `uuid` names it for good."""

    uuid = serializers.UUIDField()
    sequence = serializers.IntegerField(min_value=1, max_value=2**53)
    act = serializers.ChoiceField(choices=FieldRecord.Act.choices)
    payload = serializers.DictField()
    made_at = serializers.DateTimeField(validators=[_of_our_time])
    lat = serializers.FloatField(min_value=-90, max_value=90, allow_null=True, default=None, validators=[_finite])
    lon = serializers.FloatField(min_value=-180, max_value=180, allow_null=True, default=None, validators=[_finite])
    accuracy_m = serializers.IntegerField(min_value=0, max_value=10_000_000, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["lat"] is None) != (attrs["lon"] is None):
            attrs |= {"lat": None, "lon": None}
        return attrs


class FieldRecordsSerializer(serializers.Serializer[Any]):
    """As the schema tells it."""

    records = serializers.ListField(child=FieldSentSerializer(), allow_empty=False, max_length=MOST_AT_ONCE)


class FieldBatchSerializer(serializers.Serializer[Any]):
    """As it is read: each record by itself, so that one without shape is kept as it is and stops no other."""

    records = serializers.ListField(allow_empty=False, max_length=MOST_AT_ONCE)


PLACE = ("lat", "lon", "accuracy_m")


def read_sent(given: Any, at: datetime) -> Sent:
    """A record as it was sent. What cannot be read is kept in `unread`; where it was taken is not worth refusing it.

    Raises ValidationError for one that has no uuid or number: there is nothing to keep it under.
    """
    shape = FieldSentSerializer(data=given)
    if shape.is_valid():
        return Sent(**shape.validated_data, dropped=_dropped(given, shape.validated_data))
    errors: dict[str, Any] = dict(shape.errors)
    if not isinstance(given, dict) or not errors.keys() <= {"act", "payload", "made_at", *PLACE}:
        raise serializers.ValidationError(errors)
    unread = {name: given.get(name) for name in errors}
    stand_in: dict[str, Any] = {"payload": {}, "made_at": at.isoformat(), "act": FieldRecord.Act.ROW}
    whole = FieldSentSerializer(data=given | {name: stand_in.get(name) for name in errors})
    whole.is_valid(raise_exception=True)
    faults = {name: " ".join(str(one) for one in errors[name]) for name in errors if name not in PLACE}
    return Sent(**whole.validated_data, unread=unread, faults=faults, dropped=_dropped(given, whole.validated_data))


def _dropped(given: dict[str, Any], read: dict[str, Any]) -> dict[str, str]:
    """What of the place was sent and is not kept: half a place is none."""
    words = str(_("The place that the phone sent cannot be right. The record is kept without it."))
    return {name: words for name in PLACE if given.get(name) is not None and read[name] is None}


class Unreadable(BadInput):
    """A record without uuid or number: there is nothing to keep it under."""

    message = _("This record cannot be read, so nothing of it was kept.")


class FieldAnswerSerializer(serializers.Serializer[Any]):
    """What became of one record: `accepted` with the number of its reception and row; `conflict` or `refused` with the
    reason and what to do; `resolved` or `set_aside` once the office has decided; `unsent` when it was not taken."""

    uuid = serializers.CharField(help_text="As it was sent.")
    sequence = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[*FieldRecord.State.values, "unsent"])
    replay = serializers.BooleanField(help_text="It had arrived before; this is its first answer.")
    number = serializers.CharField(allow_blank=True)
    intake = serializers.IntegerField(allow_null=True)
    row = serializers.IntegerField(allow_null=True)
    code = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    advice = serializers.CharField(allow_blank=True)
    fields_wrong = serializers.DictField(child=serializers.CharField())


class FieldAnswersSerializer(serializers.Serializer[Any]):
    answers = FieldAnswerSerializer(many=True)
    sequence = serializers.IntegerField(help_text="The number of the last record that was taken.")


class FileName(serializers.CharField):
    """Whatever a phone calls its file, no photo waits for it."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(storable(data) if isinstance(data, str) else data)


class FieldPhotoSerializer(serializers.Serializer[Any]):
    uuid = serializers.UUIDField()
    record = serializers.UUIDField(help_text="The uuid of the record that it belongs to.")
    name = FileName(allow_blank=True)
    sha256 = serializers.RegexField(r"^[0-9a-f]{64}$")
    size = serializers.IntegerField(min_value=1, max_value=MOST_PHOTO_BYTES)


class FieldPhotoStateSerializer(serializers.Serializer[Any]):
    uuid = serializers.UUIDField()
    received = serializers.IntegerField(help_text="Bytes that are here: the next piece begins there.")
    is_kept = serializers.BooleanField()
    problem = serializers.CharField(allow_blank=True)


class Bytes(BaseParser):
    """A body as it is."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream.read(MOST_PIECE_BYTES + 1)


class Devices(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)]

    @extend_schema(
        operation_id="field_devices_register", request=DeviceNameSerializer, responses={201: NewDeviceSerializer}
    )
    def post(self, request: Request) -> Response:
        """Make this phone a notebook of yours. The key is told once."""
        given = DeviceNameSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        device, key = register_device(actor=person_of(request), at=timezone.now(), **given.validated_data)
        note_phone(request._request, device)
        response = Response(NewDeviceSerializer(_greeting(device) | {"key": key}).data, status=201)
        leave_cookie(response, device)
        return response


class Hello(APIView):
    permission_classes = [AllowAny]
    parser_classes = [KeyJSON]

    @extend_schema(operation_id="field_hello", request=KeySerializer, responses=GreetingSerializer)
    def post(self, request: Request) -> Response:
        """The person has signed in on this phone: it may send for as long as a session lasts.

        410 `device-revoked`: the phone must wipe itself. 401 `sign-in-needed`: its person signs in first.
        """
        if not allow(f"hello:{address_of(request)}", limit=GREETINGS, seconds=WINDOW_SECONDS):
            note_refusal("hello", address_of(request))
            raise Throttled(wait=WINDOW_SECONDS)
        given = KeySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key = given.validated_data["key"]
        # A phone that must wipe itself hears so even when nobody is signed in on it.
        device_of(key)
        if not isinstance(request.user, User):
            raise SignInNeeded
        device = greet_device(actor=request.user, at=timezone.now(), key=key)
        note_phone(request._request, device)
        response = Response(GreetingSerializer(_greeting(device)).data)
        leave_cookie(response, device)
        return response


class Pack(DeviceView):
    @extend_schema(operation_id="field_pack", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """What the notebook needs without network. No names of persons; labels as cut hashes."""
        pack = pack_for(person_of(request), day_of(timezone.now()), get_language() or settings.LANGUAGE_CODE)
        return Response(pack, headers={"Cache-Control": "no-store"})


class Records(DeviceView):
    @extend_schema(operation_id="field_records", responses=FieldAnswersSerializer)
    def get(self, request: Request) -> Response:
        """Records of this phone that could not be entered at once, and what became of them."""
        device = _device(request)
        return _answers(device, [_told(one, replay=True) for one in news_for(device)])

    @extend_schema(operation_id="field_records_send", request=FieldRecordsSerializer, responses=FieldAnswersSerializer)
    def post(self, request: Request) -> Response:
        """Send records in their order; each is answered by itself, and once: sent again it gets its first answer.

        At the first that cannot be taken (`unsent`, with the reason) the batch ends: what follows is `out-of-order`.
        """
        given = FieldBatchSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        device, actor, at = _device(request), person_of(request), timezone.now()
        hosts = own_hosts(request)
        answers: list[dict[str, Any]] = []
        has_ended = False
        for said in given.validated_data["records"]:
            if has_ended:
                answers.append(_unsent(said, OutOfOrder()))
                continue
            try:
                sent = read_sent(said, at)
            except serializers.ValidationError as fault:
                if not answers:
                    raise
                answers.append(_unsent(said, Unreadable(fields=_texts_of(fault))))
                has_ended = True
                continue
            try:
                kept, is_replay = take_record(actor=actor, at=at, device=device, sent=sent, own_hosts=hosts)
            except DomainError as refusal:
                if refusal.status == 410:
                    raise
                answers.append(_unsent(said, refusal))
                # The first of that name is here, and what follows it can be taken.
                has_ended = not isinstance(refusal, RecordDiffers)
                continue
            answers.append(_first(kept) if is_replay else _told(kept, replay=False))
        return _answers(device, answers)


class Photos(DeviceView):
    @extend_schema(operation_id="field_photos_begin", request=FieldPhotoSerializer, responses=FieldPhotoStateSerializer)
    def post(self, request: Request) -> Response:
        """Announce a photo; announced again, it says how much of it has arrived."""
        given = FieldPhotoSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        begun = begin_photo(at=timezone.now(), device=_device(request), announced=Announced(**given.validated_data))
        return _photo(begun)


class Piece(DeviceView):
    parser_classes = [Bytes]

    @extend_schema(
        operation_id="field_photos_piece",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=FieldPhotoStateSerializer,
    )
    def put(self, request: Request, uuid: Any, start: int) -> Response:
        """The bytes from `start` on, at most 1 MB. The last piece makes it a document."""
        taken = take_piece(
            actor=person_of(request),
            at=timezone.now(),
            device=_device(request),
            photo=uuid,
            start=start,
            content=cast("bytes", request.data),
        )
        return _photo(taken)


def _greeting(device: FieldDevice) -> dict[str, Any]:
    return {"name": device.name, "sequence": device.sequence, "signed_until": device.signed_until}


def _told(kept: FieldRecord, *, replay: bool) -> dict[str, Any]:
    said = kept.answer
    return {
        "uuid": kept.uuid,
        "sequence": kept.sequence,
        "state": kept.state,
        "replay": replay,
        "number": kept.intake.number if kept.intake else "",
        "intake": kept.intake_id,
        "row": kept.row,
        "code": said.get("code", ""),
        "detail": kept.decision if kept.state == FieldRecord.State.SET_ASIDE else said.get("detail", ""),
        "advice": said.get("advice", ""),
        "fields_wrong": said.get("fields", {}),
    }


def _first(kept: FieldRecord) -> dict[str, Any]:
    """The answer that the record was given when it arrived, whatever the office has decided since."""
    told = _told(kept, replay=True)
    if kept.state in (FieldRecord.State.RESOLVED, FieldRecord.State.SET_ASIDE):
        said = kept.answer
        told |= {"state": said["state"], "number": "", "intake": None, "row": None, "detail": said["detail"]}
    return told


def _unsent(said: Any, refusal: DomainError) -> dict[str, Any]:
    """For one that was not taken: what it called itself, whatever that was, and why."""
    given = said if isinstance(said, dict) else {}
    name, number = given.get("uuid"), given.get("sequence")
    return {
        "uuid": storable(name)[:100] if isinstance(name, str) else "",
        "sequence": number if isinstance(number, int) else 0,
        "state": "unsent",
        "replay": False,
        "number": "",
        "intake": None,
        "row": None,
        "code": refusal.code,
        "detail": str(refusal),
        "advice": "",
        "fields_wrong": {storable(name): str(text) for name, text in refusal.fields.items()},
    }


def _texts_of(fault: serializers.ValidationError) -> dict[str, StrOrPromise]:
    wrong = fault.detail if isinstance(fault.detail, dict) else {}
    return {name: " ".join(str(one) for one in texts) for name, texts in wrong.items()}


def _answers(device: FieldDevice, answers: list[dict[str, Any]]) -> Response:
    last = FieldDevice.objects.values_list("sequence", flat=True).get(pk=device.pk)
    return Response(FieldAnswersSerializer({"answers": answers, "sequence": last}).data)


def _photo(photo: FieldPhoto) -> Response:
    said = {
        "uuid": photo.uuid,
        "received": photo.received,
        "is_kept": photo.document_id is not None,
        "problem": photo.problem,
    }
    return Response(FieldPhotoStateSerializer(said).data)


urlpatterns = [
    path("field/devices/", Devices.as_view(), name="field-devices"),
    path("field/hello/", Hello.as_view(), name="field-hello"),
    path("field/pack/", Pack.as_view(), name="field-pack"),
    path("field/records/", Records.as_view(), name="field-records"),
    path("field/photos/", Photos.as_view(), name="field-photos"),
    path("field/photos/<uuid:uuid>/<int:start>/", Piece.as_view(), name="field-photo-piece"),
]
