"""State codes, seals, chips and signing keys, for programs."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.accounts.signature import SignedSerializer, sign_by_password
from core.base.errors import BadInput
from core.base.visitors import own_hosts
from core.notices.services import text_of
from ledger.models import CustodyAccount
from marking.carrier_words import fault_in_words
from marking.carriers import find_carriers
from marking.limits import require_check_by_person
from marking.models import Carrier, KeyRequest, SigningKey
from marking.selectors_keys import unproven_by_store
from marking.services.carriers import Pair, approve_end, ask_end, bind_carrier, mark_of_scan, read_carrier, refuse_end
from marking.services.reprints import order_reprints
from marking.state_code import LONGEST, CarrierError


class CarrierSerializer(serializers.ModelSerializer[Carrier]):
    item = serializers.IntegerField(source="derivative_id")
    number = serializers.CharField(source="derivative.number", help_text="Registration number of the item.")
    mark = serializers.CharField(source="mark_id", help_text="The mark that was scanned beside it.")
    parts = serializers.DictField(child=serializers.CharField(), help_text="Of a state code: its parts by GS1 AI.")

    class Meta:
        model = Carrier
        fields = [
            "id",
            "kind",
            "identity",
            "value",
            "parts",
            "item",
            "number",
            "mark",
            "bound_at",
            "end_asked_at",
            "end_reason",
            "ended_at",
        ]


class BindSerializer(serializers.Serializer[None]):
    mark = serializers.CharField(max_length=500, help_text="Our mark: a code, a signed text, or its address.")
    kind = serializers.ChoiceField(choices=Carrier.Kind.choices)
    value = serializers.CharField(
        max_length=LONGEST, trim_whitespace=False, help_text="As the scanner sent it, with the sign GS (U+001D)."
    )
    separator = serializers.CharField(
        max_length=8,
        required=False,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="What the scanner sends for GS, if not GS.",
    )


class PairSerializer(serializers.Serializer[Pair]):
    outcome = serializers.SerializerMethodField(help_text="bound, bound_before or mismatch.")
    carrier = CarrierSerializer(allow_null=True)
    alarm = serializers.SerializerMethodField(help_text="Code of the alarm of a mismatch, else empty.")
    text = serializers.SerializerMethodField(help_text="What the alarm says.")

    @extend_schema_field(serializers.ChoiceField(choices=["bound", "bound_before", "mismatch"]))
    def get_outcome(self, pair: Pair) -> str:
        return "mismatch" if pair.alarm else "bound_before" if pair.was_bound else "bound"

    def get_alarm(self, pair: Pair) -> str:
        return pair.alarm.code if pair.alarm else ""

    def get_text(self, pair: Pair) -> str:
        return text_of(pair.alarm) if pair.alarm else ""


class AskEndSerializer(serializers.Serializer[None]):
    reason = serializers.CharField(max_length=200)
    replace_by = serializers.CharField(
        max_length=LONGEST, required=False, default="", allow_blank=True, trim_whitespace=False
    )
    separator = serializers.CharField(max_length=8, required=False, default="", allow_blank=True, trim_whitespace=False)


class DecideEndSerializer(SignedSerializer):
    approve = serializers.BooleanField()


class Carriers(ListAPIView[Carrier]):
    """What the items you may know carry beside their marks, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = CarrierSerializer
    queryset = Carrier.objects.none()

    @extend_schema(
        operation_id="carriers_list",
        parameters=[
            OpenApiParameter("item", int, description="Only of this item."),
            OpenApiParameter("value", str, description="Only what this scanned text names."),
            OpenApiParameter("bound", bool, description="Only those bound now."),
        ],
    )
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Carrier]:
        found = Carrier.objects.visible_to(person_of(self.request)).select_related("derivative")
        asked = self.request.query_params
        if "item" in asked:
            item = asked["item"]
            small = item.isascii() and item.isdecimal() and len(item) < 19
            found = found.filter(derivative=int(item)) if small else found.none()
        if "value" in asked:
            found = find_carriers(found, asked["value"][:LONGEST])
        if asked.get("bound", "").lower() in ("1", "true", "yes"):
            found = found.bound()
        return found


class Bind(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(
        operation_id="carriers_bind", request=BindSerializer, responses={200: PairSerializer, 201: PairSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Bind a state code, seal or chip to the item of a mark. A mismatch binds nothing and raises an alarm."""
        shape = BindSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        given, person = shape.validated_data, person_of(request)
        try:
            raw = read_carrier(given["kind"], given["value"], separator=given["separator"])
        except CarrierError as error:
            raise BadInput(fields={"value": fault_in_words(error)}) from None
        mark = mark_of_scan(
            require_check_by_person(given["mark"], person=person, own_hosts=own_hosts(request)), actor=person
        )
        pair = bind_carrier(actor=person, at=timezone.now(), mark=mark, raw=raw)
        return Response(PairSerializer(pair).data, status=201 if pair.carrier and not pair.was_bound else 200)


def _carrier(request: Request, pk: int) -> Carrier:
    known = Carrier.objects.visible_to(person_of(request)).select_related("derivative")
    return get_object_or_404(known, pk=pk)


class AskEnd(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="carriers_ask_end", request=AskEndSerializer, responses=CarrierSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Ask that it be taken off its item, or replaced; another person decides."""
        carrier = _carrier(request, pk)
        shape = AskEndSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        asked = ask_end(actor=person_of(request), at=timezone.now(), carrier=carrier, **shape.validated_data)
        return Response(CarrierSerializer(asked).data)


class DecideEnd(APIView):
    permission_classes = [granted(Can.APPROVE_MARKS)]

    @extend_schema(operation_id="carriers_decide_end", request=DecideEndSerializer, responses=CarrierSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take it off, or leave it; the new one that was named is bound in its place. Signed by password."""
        carrier, person = _carrier(request, pk), person_of(request)
        shape = DecideEndSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        sign_by_password(person, shape.validated_data["password"])
        if shape.validated_data["approve"]:
            pair = approve_end(actor=person, at=timezone.now(), carrier=carrier)
            return Response(CarrierSerializer(pair.carrier).data)
        return Response(CarrierSerializer(refuse_end(actor=person, at=timezone.now(), carrier=carrier)).data)


class SigningKeySerializer(serializers.ModelSerializer[SigningKey]):
    public_key = serializers.SerializerMethodField(help_text="Its 32 bytes in hexadecimal.")
    waiting = serializers.SerializerMethodField(help_text="Acts that wait for a second person: use, compromise.")

    class Meta:
        model = SigningKey
        fields = ["id", "state", "storage", "public_key", "created_at", "used_from", "ended_at", "waiting"]

    def get_public_key(self, key: SigningKey) -> str:
        return bytes(key.public_key).hex()

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=KeyRequest.Kind.choices)))
    def get_waiting(self, key: SigningKey) -> list[str]:
        return [asked.kind for asked in key.requests.all() if asked.state == KeyRequest.State.ASKED]


class SigningKeys(ListAPIView[SigningKey]):
    """Signing keys and their states; the private half is nowhere to be read."""

    permission_classes = [granted(Can.MANAGE_KEYS, Can.SEE_JOURNAL)]
    serializer_class = SigningKeySerializer
    queryset = SigningKey.objects.prefetch_related("requests")


class UnprovenSerializer(serializers.Serializer[Any]):
    """Labels of one reception in one store that a compromised key has signed."""

    store = serializers.CharField(source="store.code", help_text="Code of the store.")
    intake = serializers.CharField(source="row.intake.number")
    labels = serializers.IntegerField(source="row.count")
    reprint_asked = serializers.BooleanField(source="row.is_asked")
    ordered_until = serializers.DateField(source="until", allow_null=True)


class ReprintOrderSerializer(serializers.Serializer[Any]):
    store = serializers.CharField(max_length=40, help_text="Code of the store.")
    due_on = serializers.DateField(help_text="Until which day.")


class OrderedSerializer(serializers.Serializer[Any]):
    notice = serializers.IntegerField()
    store = serializers.CharField()
    due_on = serializers.DateField()


class Unproven(APIView):
    """Labels to print anew, because the key that signed them is compromised."""

    permission_classes = [granted(Can.SEE_EVERYTHING, Can.PRINT_LABELS)]

    @extend_schema(operation_id="unproven_labels", responses=UnprovenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Store by store and reception by reception; for a keeper, the own stores."""
        rows = [
            {"store": one.store, "row": row, "until": one.order.due_on if one.order else None}
            for one in unproven_by_store(person_of(request))
            for row in one.intakes
        ]
        return Response(UnprovenSerializer(rows, many=True).data)

    @extend_schema(
        operation_id="unproven_labels_order", request=ReprintOrderSerializer, responses={201: OrderedSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Order that a store print them anew; its keepers are told."""
        shape = ReprintOrderSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        given, person = shape.validated_data, person_of(request)
        store = get_object_or_404(CustodyAccount.objects.visible_to(person), code=given["store"])
        notice = order_reprints(actor=person, at=timezone.now(), store=store, due_on=given["due_on"])
        said = {"notice": notice.pk, "store": store.code, "due_on": notice.due_on}
        return Response(OrderedSerializer(said).data, status=201)


urlpatterns = [
    path("keys/labels/", Unproven.as_view(), name="unproven-labels"),
    path("carriers/", Carriers.as_view(), name="carriers"),
    path("carriers/bind/", Bind.as_view(), name="carriers-bind"),
    path("carriers/<int:pk>/ask-end/", AskEnd.as_view(), name="carriers-ask-end"),
    path("carriers/<int:pk>/decide-end/", DecideEnd.as_view(), name="carriers-decide-end"),
    path("keys/", SigningKeys.as_view(), name="signing-keys"),
]
