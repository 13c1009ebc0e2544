"""Label stock and marks on items, for programs. What two people sign, each signs with the own password."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.models import Organisation
from core.accounts.roles import Can
from core.accounts.signature import SignedSerializer, sign_by_password
from core.base.api import IDEMPOTENCY_KEY
from core.base.visitors import own_hosts
from marking.labels import PROFILES
from marking.models import LabelDestruction, LabelMovement, LabelReel, LabelSeries, LabelShipment, Mark, MarkRequest
from marking.selectors_stock import ReelRow, reel_rows
from marking.serializers import LabelOrderSerializer, LabelRunSerializer, MarkSerializer
from marking.services import destroying, requests, shipments, stock
from marking.services.applying import apply_blank, name_row_labels, read_label, telling_refused
from marking.services.orders import LabelOrder
from registry.models import Derivative, Intake

SEES = (Can.PRINT_LABELS, Can.ORDER_LABELS, Can.SEE_EVERYTHING)


class OfficeByBin(serializers.SlugRelatedField[Organisation]):
    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", Organisation.objects.active())
        super().__init__(slug_field="bin", **kwargs)


class LabelSeriesSerializer(serializers.ModelSerializer[LabelSeries]):
    office = OfficeByBin(read_only=True, help_text="BIN of the office the labels are for.")
    printer = OfficeByBin(read_only=True, help_text="BIN of the office that prints them.")

    class Meta:
        model = LabelSeries
        fields = (
            "id",
            "number",
            "office",
            "printer",
            "purpose",
            "profile",
            "reel_count",
            "reel_size",
            "count",
            "state",
            "ordered_at",
            "ended_at",
            "job",
        )


class OrderSeriesSerializer(serializers.Serializer[Any]):
    office = OfficeByBin(help_text="BIN of the office the labels are for.")
    printer = OfficeByBin(help_text="BIN of the office that prints them.")
    purpose = serializers.CharField(max_length=200)
    profile = serializers.ChoiceField(choices=list(PROFILES))
    reel_count = serializers.IntegerField(min_value=1)
    reel_size = serializers.IntegerField(min_value=1)


class ReelSerializer(serializers.Serializer[ReelRow]):
    """One reel: how many of its labels are where by the ledger, and how many are unused by the marks.

    Counts are null while your own office is to count the reel: who counts does not know how many.
    """

    COUNTS = ("issued", "printed", "applied", "spoiled", "destroyed", "lost", "remaining", "remaining_by_marks")

    id = serializers.IntegerField(source="reel.pk")
    number = serializers.CharField(source="reel.number")
    series = serializers.CharField(source="reel.series.number")
    office = serializers.SerializerMethodField(help_text="BIN of the office with the unused labels; empty: none left.")
    place = serializers.SerializerMethodField(help_text="to_print, office, transit, or empty.")
    issued = serializers.IntegerField(source="balance.issued", allow_null=True)
    printed = serializers.IntegerField(source="balance.printed", allow_null=True)
    applied = serializers.SerializerMethodField()
    spoiled = serializers.SerializerMethodField()
    destroyed = serializers.SerializerMethodField()
    lost = serializers.SerializerMethodField()
    remaining = serializers.IntegerField(
        source="balance.remaining", allow_null=True, help_text="Unused, by the ledger."
    )
    remaining_by_marks = serializers.IntegerField(source="balance.remaining_by_marks", allow_null=True)
    adds_up = serializers.BooleanField(source="balance.adds_up")

    def get_office(self, row: ReelRow) -> str:
        return row.holder.organisation.bin if row.holder else ""

    def get_place(self, row: ReelRow) -> str:
        return str(row.holder.place) if row.holder else ""

    def get_applied(self, row: ReelRow) -> int | None:
        return row.balance.places["applied"]

    def get_spoiled(self, row: ReelRow) -> int | None:
        return row.balance.places["spoiled"]

    def get_destroyed(self, row: ReelRow) -> int | None:
        return row.balance.places["destroyed"]

    def get_lost(self, row: ReelRow) -> int | None:
        return row.balance.places["lost"]

    def to_representation(self, instance: ReelRow) -> dict[str, Any]:
        told = super().to_representation(instance)
        if instance.is_blind:
            told.update(dict.fromkeys(self.COUNTS))
        return told


class PrintedSerializer(serializers.Serializer[Any]):
    device = serializers.CharField(max_length=100, help_text="Name or inventory number of the printer.")
    spoiled = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="Places that came out spoiled: 17, 40-52."
    )


class WriteOffSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["spoiled", "lost"])
    places = serializers.CharField(max_length=2000, help_text="Places on the reel: 17, 40-52.")
    reason = serializers.CharField(max_length=200)


class SendSerializer(SignedSerializer):
    receiver = OfficeByBin(help_text="BIN of the receiving office.")
    reels = serializers.ListField(child=serializers.CharField(), min_length=1, help_text="Numbers of reels.")
    note = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    expected_on = serializers.DateField(
        required=False, default=None, help_text="The day by which they should arrive; a week from now if not said."
    )


class TurnLabelsBackSerializer(SignedSerializer):
    reason = serializers.CharField(max_length=200)


class CountedSerializer(serializers.Serializer[Any]):
    reel = serializers.CharField(help_text="Number of the reel.")
    counted = serializers.IntegerField(min_value=0)
    missing = serializers.CharField(required=False, default="", allow_blank=True, help_text="Places: 17, 40-52.")


class ReceiveSerializer(SignedSerializer):
    reels = CountedSerializer(many=True)


class ShipmentLineSerializer(serializers.Serializer[Any]):
    reel = serializers.CharField(source="reel.number")
    sent = serializers.IntegerField(
        allow_null=True, help_text="Null while your own office is to count them: who counts does not know how many."
    )
    counted = serializers.IntegerField(allow_null=True)
    missing = serializers.CharField()


class ShipmentSerializer(serializers.ModelSerializer[LabelShipment]):
    sender = OfficeByBin(read_only=True)
    receiver = OfficeByBin(read_only=True)
    lines = ShipmentLineSerializer(many=True, read_only=True)

    def to_representation(self, instance: LabelShipment) -> dict[str, Any]:
        told = super().to_representation(instance)
        if instance.is_counted_by(person_of(self.context["request"])):
            for line in told["lines"]:
                line["sent"] = None
        return told

    class Meta:
        model = LabelShipment
        fields = (
            "id",
            "number",
            "sender",
            "receiver",
            "note",
            "state",
            "sent_at",
            "expected_on",
            "due_on",
            "turned_at",
            "turn_reason",
            "received_at",
            "lines",
        )


class ApplySerializer(serializers.Serializer[Any]):
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=500, help_text="Code of a blank label, its signed text, or the address."
    )
    item = serializers.CharField(max_length=16, help_text="Registration number of the item.")
    photo = serializers.FileField(help_text="A photo of the label on the item.")
    confirm_foreign = serializers.BooleanField(
        required=False, default=False, help_text="The label is right although it belongs to another office."
    )


class RowLabelSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(min_value=1)
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=500, allow_blank=True, help_text="Empty takes the label off the row."
    )


class RowLabelsSerializer(serializers.Serializer[Any]):
    labels = RowLabelSerializer(many=True)
    confirm_foreign = serializers.BooleanField(required=False, default=False)


class RowLabelsDoneSerializer(serializers.Serializer[Any]):
    named = serializers.IntegerField(help_text="Rows of the table that name a label now.")


class MarkRequestSerializer(serializers.ModelSerializer[MarkRequest]):
    intake = serializers.IntegerField(source="intake_id", allow_null=True)
    mark = serializers.CharField(source="mark_id", allow_null=True)
    blank = serializers.CharField(source="blank_id", allow_null=True, help_text="The blank label in its place.")
    new_mark = serializers.CharField(source="new_mark_id", allow_null=True)
    label_run = serializers.IntegerField(source="run_id", allow_null=True)
    left_out = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="In the answer to an approval: items whose labels were left alone, because they left the store.",
    )

    class Meta:
        model = MarkRequest
        fields = (
            "id",
            "kind",
            "mark",
            "intake",
            "reason",
            "state",
            "asked_at",
            "decided_at",
            "refusal",
            "blank",
            "new_mark",
            "label_run",
            "left_out",
        )


class AskSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=MarkRequest.Kind.choices)
    mark = serializers.CharField(
        max_length=12,
        required=False,
        help_text="Code of an active mark; to replace, also the last of an item, where it is void.",
    )
    intake = serializers.IntegerField(required=False, help_text="A reprint of all labels of this intake.")
    reason = serializers.CharField(max_length=200)
    order = LabelOrderSerializer(required=False, help_text="How it is printed; not for a void mark or a blank label.")
    blank = serializers.CharField(
        max_length=500,
        required=False,
        help_text="To replace: a blank label that hangs on the item already, as multipart with its photo.",
    )
    photo = serializers.FileField(required=False, help_text="A photo of the blank label on the item.")
    confirm_foreign = serializers.BooleanField(
        required=False, default=False, help_text="The label is right although it belongs to another office."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("blank") and not attrs.get("photo"):
            raise serializers.ValidationError({"photo": [_("Take a photo that shows the label on the horn.")]})
        return attrs


class RefuseSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class LabelDestructionLineSerializer(serializers.Serializer[Any]):
    reel = serializers.CharField(help_text="Number of the reel.")
    spoiled = serializers.BooleanField(required=False, default=True, help_text="Spoiled labels that the office keeps.")
    rest = serializers.BooleanField(required=False, default=False, help_text="Unused labels too.")
    found = serializers.CharField(required=False, default="", allow_blank=True, help_text="Lost places found again.")


class AskDestructionSerializer(serializers.Serializer[Any]):
    office = OfficeByBin()
    lines = LabelDestructionLineSerializer(many=True)
    reason = serializers.CharField(max_length=200)
    method = serializers.CharField(max_length=200)


class LabelDestructionSerializer(serializers.ModelSerializer[LabelDestruction]):
    office = OfficeByBin(source="organisation", read_only=True)

    class Meta:
        model = LabelDestruction
        fields = ("id", "number", "office", "reason", "method", "state", "asked_at", "ended_at", "end_reason")


class SeriesList(ListAPIView[LabelSeries]):
    permission_classes = [granted(*SEES)]
    serializer_class = LabelSeriesSerializer
    queryset = LabelSeries.objects.none()

    def get_queryset(self) -> QuerySet[LabelSeries]:
        return LabelSeries.objects.visible_to(person_of(self.request)).select_related("office", "printer")

    @extend_schema(operation_id="label_series_list")
    def get(self, request: Request) -> Response:
        """Series of blank labels that you may know, newest first."""
        return self.list(request)

    @extend_schema(
        operation_id="label_series_order", request=OrderSeriesSerializer, responses={201: LabelSeriesSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Order a series of blank labels."""
        shape = OrderSeriesSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        series = stock.order_series(actor=person_of(request), at=timezone.now(), **shape.validated_data)
        return Response(LabelSeriesSerializer(series).data, status=201)


class MakeSeries(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(
        operation_id="label_series_make",
        request=None,
        responses={200: ReelSerializer(many=True), 202: LabelSeriesSerializer},
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Draw the codes of an ordered series; answers its reels.

        Of more than 2,000 labels they are drawn in the background: 202 with the series, whose `job` tells how far it
        is. Where that failed or was cancelled, the same call goes on behind the last reel.
        """
        person = person_of(request)
        series = get_object_or_404(LabelSeries.objects.visible_to(person), pk=pk)
        if series.count > stock.MADE_AT_ONCE:
            stock.start_making(actor=person, at=timezone.now(), series=series)
            series.refresh_from_db()
            return Response(LabelSeriesSerializer(series).data, status=202)
        reels = stock.make_series(actor=person, at=timezone.now(), series=series)
        rows: Any = reel_rows(reels, reader=person)
        return Response(ReelSerializer(rows, many=True).data)


class Reels(ListAPIView[LabelReel]):
    permission_classes = [granted(*SEES)]
    serializer_class = ReelSerializer  # type: ignore[assignment]
    queryset = LabelReel.objects.none()

    @extend_schema(operation_id="label_reels_list", responses=ReelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Reels of labels that you may know, each with what became of its labels, by the ledger and by the marks."""
        known = LabelReel.objects.visible_to(person_of(request)).select_related("series")
        page = self.paginate_queryset(known)
        rows: Any = reel_rows(page or [], reader=person_of(request))
        return self.get_paginated_response(ReelSerializer(rows, many=True).data)


def _reel(request: Request, pk: int) -> LabelReel:
    return get_object_or_404(LabelReel.objects.visible_to(person_of(request)).select_related("series"), pk=pk)


class PrintReel(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="label_reels_print", request=LabelOrderSerializer, responses={201: LabelRunSerializer})
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Order the labels of a reel; they are drawn in the background."""
        shape = LabelOrderSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        order = LabelOrder(**shape.validated_data)
        run = stock.print_reel(actor=person_of(request), at=timezone.now(), reel=_reel(request, pk), order=order)
        return Response(LabelRunSerializer(run).data, status=201)


class ReelPrinted(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="label_reels_printed", request=PrintedSerializer, responses=ReelSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Say that a reel came out of the printer: its labels are stock from now on."""
        shape = PrintedSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        reel = _reel(request, pk)
        stock.confirm_printed(actor=person_of(request), at=timezone.now(), reel=reel, **shape.validated_data)
        return Response(ReelSerializer(reel_rows([reel], reader=person_of(request))[0]).data)


class WriteOff(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="label_reels_write_off", request=WriteOffSerializer, responses=ReelSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Report labels of a reel spoiled or lost."""
        shape = WriteOffSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said, reel = shape.validated_data, _reel(request, pk)
        stock.write_off(
            actor=person_of(request),
            at=timezone.now(),
            reel=reel,
            places=stock.places_from(said["places"], reel, field="places"),
            kind=LabelMovement.Kind(said["kind"]),
            reason=said["reason"],
        )
        return Response(ReelSerializer(reel_rows([reel], reader=person_of(request))[0]).data)


def _named_reels(request: Request, numbers: list[str]) -> dict[str, LabelReel]:
    """The reels of these numbers. Raises a refusal that names the others."""
    known = LabelReel.objects.visible_to(person_of(request)).filter(number__in=numbers).select_related("series")
    found = {reel.number: reel for reel in known}
    if unknown := sorted(set(numbers) - set(found)):
        raise serializers.ValidationError({"reels": [f"Not known: {', '.join(unknown[:20])}"]})
    return found


class Shipments(ListAPIView[LabelShipment]):
    permission_classes = [granted(*SEES)]
    serializer_class = ShipmentSerializer
    queryset = LabelShipment.objects.none()

    def get_queryset(self) -> QuerySet[LabelShipment]:
        known = LabelShipment.objects.visible_to(person_of(self.request))
        return known.select_related("sender", "receiver").prefetch_related("lines__reel")

    @extend_schema(operation_id="label_shipments_list")
    def get(self, request: Request) -> Response:
        """Hand-overs of labels from or to your office, newest first."""
        return self.list(request)

    @extend_schema(operation_id="label_shipments_send", request=SendSerializer, responses={201: ShipmentSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Send reels, or what is left of them, to another office where somebody else may receive them."""
        person = person_of(request)
        shape = SendSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = shape.validated_data
        sign_by_password(person, said["password"])
        reels = list(_named_reels(request, said["reels"]).values())
        sent = shipments.send_reels(
            actor=person,
            at=timezone.now(),
            receiver=said["receiver"],
            reels=reels,
            note=said["note"],
            expected_on=said["expected_on"],
        )
        return Response(ShipmentSerializer(sent, context={"request": request}).data, status=201)


class Receive(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="label_shipments_receive", request=ReceiveSerializer, responses=ShipmentSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Receive every reel as counted, or count what was turned back; missing labels are lost from now on."""
        person = person_of(request)
        shipment = get_object_or_404(LabelShipment.objects.visible_to(person), pk=pk)
        shape = ReceiveSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = shape.validated_data
        sign_by_password(person, said["password"])
        found = _named_reels(request, [one["reel"] for one in said["reels"]])
        counts = {found[one["reel"]].pk: shipments.Counted(one["counted"], one["missing"]) for one in said["reels"]}
        done = shipments.receive_reels(actor=person, at=timezone.now(), shipment=shipment, counts=counts)
        return Response(ShipmentSerializer(done, context={"request": request}).data)


class TurnBack(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(
        operation_id="label_shipments_turn_back", request=TurnLabelsBackSerializer, responses=ShipmentSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Turn labels back that nobody has received yet: a third person counts them at the office that sent them."""
        person = person_of(request)
        shipment = get_object_or_404(LabelShipment.objects.visible_to(person), pk=pk)
        shape = TurnLabelsBackSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = shape.validated_data
        sign_by_password(person, said["password"])
        done = shipments.turn_reels_back(actor=person, at=timezone.now(), shipment=shipment, reason=said["reason"])
        return Response(ShipmentSerializer(done, context={"request": request}).data)


class Apply(APIView):
    permission_classes = [granted(Can.PRINT_LABELS, Can.OPEN_INTAKE)]
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="marks_apply", request=ApplySerializer, responses=MarkSerializer, parameters=[IDEMPOTENCY_KEY]
    )
    def post(self, request: Request) -> Response:
        """Bind a blank label to an item that never had a mark, with a photo of it there.

        409 `marked-before` where a mark was ended: ask for a new one, with the label and the photo.
        """
        with telling_refused(person_of(request), timezone.now()):
            return self._apply(request)

    @idempotent
    def _apply(self, request: Request) -> Response:
        person = person_of(request)
        shape = ApplySerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = shape.validated_data
        item = get_object_or_404(Derivative.objects.visible_to(person), number=said["item"])
        mark = apply_blank(
            actor=person,
            at=timezone.now(),
            code=read_label(said["label"], actor=person, own_hosts=own_hosts(request)),
            derivative=item,
            photo=said["photo"],
            confirm_foreign=said["confirm_foreign"],
        )
        return Response(MarkSerializer(mark).data)


class NameRowLabels(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)]
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="intakes_blank_labels",
        request=RowLabelsSerializer,
        responses=RowLabelsDoneSerializer,
        parameters=[IDEMPOTENCY_KEY],
    )
    def put(self, request: Request, pk: int) -> Response:
        """Say which blank labels are tied to the horns of these rows; registering the table binds them."""
        with telling_refused(person_of(request), timezone.now()):
            return self._name(request, pk)

    @idempotent
    def _name(self, request: Request, pk: int) -> Response:
        person = person_of(request)
        intake = get_object_or_404(Intake.objects.visible_to(person), pk=pk)
        shape = RowLabelsSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = shape.validated_data
        count = name_row_labels(
            actor=person,
            at=timezone.now(),
            intake=intake,
            labels={one["row"]: one["label"] for one in said["labels"]},
            own_hosts=own_hosts(request),
            confirm_foreign=said["confirm_foreign"],
        )
        return Response({"named": count})


class MarkRequests(ListAPIView[MarkRequest]):
    permission_classes = [granted(Can.PRINT_LABELS, Can.APPROVE_MARKS, Can.SEE_EVERYTHING)]
    parser_classes = [JSONParser, MultiPartParser]
    serializer_class = MarkRequestSerializer
    queryset = MarkRequest.objects.none()

    def get_queryset(self) -> QuerySet[MarkRequest]:
        return MarkRequest.objects.visible_to(person_of(self.request))

    @extend_schema(operation_id="mark_requests_list")
    def get(self, request: Request) -> Response:
        """Requests to print again, void or replace marks, newest first."""
        return self.list(request)

    @extend_schema(
        operation_id="mark_requests_ask",
        request=AskSerializer,
        responses={201: MarkRequestSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        """Ask for a reprint, an end, or a new mark; another person approves it."""
        with telling_refused(person_of(request), timezone.now()):
            return self._ask(request)

    @idempotent
    def _ask(self, request: Request) -> Response:
        person = person_of(request)
        shape = AskSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = shape.validated_data
        mark = intake = None
        if said.get("mark"):
            mark = get_object_or_404(Mark.objects.visible_to(person), pk=said["mark"])
        elif said.get("intake"):
            intake = get_object_or_404(Intake.objects.visible_to(person), pk=said["intake"])
        asked = requests.ask_for_mark(
            actor=person,
            at=timezone.now(),
            kind=MarkRequest.Kind(said["kind"]),
            reason=said["reason"],
            mark=mark,
            intake=intake,
            order=LabelOrder(**said["order"]) if said.get("order") else None,
            label=_tied(request, said),
        )
        return Response(MarkRequestSerializer(asked).data, status=201)


def _tied(request: Request, said: dict[str, Any]) -> requests.TiedLabel | None:
    if not said.get("blank"):
        return None
    code = read_label(said["blank"], actor=person_of(request), own_hosts=own_hosts(request))
    return requests.TiedLabel(code, said["photo"], said["confirm_foreign"])


def _request(request: Request, pk: int) -> MarkRequest:
    return get_object_or_404(MarkRequest.objects.visible_to(person_of(request)), pk=pk)


class ApproveRequest(APIView):
    permission_classes = [granted(Can.APPROVE_MARKS)]

    @extend_schema(
        operation_id="mark_requests_approve",
        request=SignedSerializer,
        responses=MarkRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Approve as the second person, and carry it out."""
        with telling_refused(person_of(request), timezone.now()):
            return self._approve(request, pk)

    @idempotent
    def _approve(self, request: Request, pk: int) -> Response:
        person = person_of(request)
        asked = _request(request, pk)
        shape = SignedSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        sign_by_password(person, shape.validated_data["password"])
        done = requests.approve_request(actor=person, at=timezone.now(), asked=asked)
        return Response(MarkRequestSerializer(done).data)


class RefuseRequest(APIView):
    permission_classes = [granted(Can.PRINT_LABELS, Can.APPROVE_MARKS)]

    @extend_schema(operation_id="mark_requests_refuse", request=RefuseSerializer, responses=MarkRequestSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Not approve it, or take back the own request."""
        shape = RefuseSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        done = requests.refuse_request(
            actor=person_of(request), at=timezone.now(), asked=_request(request, pk), **shape.validated_data
        )
        return Response(MarkRequestSerializer(done).data)


class Destructions(ListAPIView[LabelDestruction]):
    permission_classes = [granted(*SEES)]
    serializer_class = LabelDestructionSerializer
    queryset = LabelDestruction.objects.none()

    def get_queryset(self) -> QuerySet[LabelDestruction]:
        return LabelDestruction.objects.visible_to(person_of(self.request)).select_related("organisation")

    @extend_schema(operation_id="label_destructions_list")
    def get(self, request: Request) -> Response:
        """Destructions of labels that you may know, newest first."""
        return self.list(request)

    @extend_schema(
        operation_id="label_destructions_ask",
        request=AskDestructionSerializer,
        responses={201: LabelDestructionSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask that labels of your office are destroyed; another person signs."""
        shape = AskDestructionSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = shape.validated_data
        found = _named_reels(request, [one["reel"] for one in said["lines"]])
        lines = [
            destroying.ToDestroy(found[one["reel"]], one["spoiled"], one["rest"], one["found"]) for one in said["lines"]
        ]
        asked = destroying.ask_destruction(
            actor=person_of(request),
            at=timezone.now(),
            organisation=said["office"],
            lines=lines,
            reason=said["reason"],
            method=said["method"],
        )
        return Response(LabelDestructionSerializer(asked).data, status=201)


class SignDestruction(APIView):
    permission_classes = [granted(*SEES)]

    @extend_schema(
        operation_id="label_destructions_sign", request=SignedSerializer, responses=LabelDestructionSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Sign as the second person that the labels were destroyed."""
        person = person_of(request)
        asked = get_object_or_404(LabelDestruction.objects.visible_to(person), pk=pk)
        shape = SignedSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        sign_by_password(person, shape.validated_data["password"])
        done = destroying.destroy_labels(actor=person, at=timezone.now(), destruction=asked)
        return Response(LabelDestructionSerializer(done).data)


urlpatterns = [
    path("label-series/", SeriesList.as_view(), name="label-series"),
    path("label-series/<int:pk>/make/", MakeSeries.as_view(), name="label-series-make"),
    path("label-reels/", Reels.as_view(), name="label-reels"),
    path("label-reels/<int:pk>/print/", PrintReel.as_view(), name="label-reel-print"),
    path("label-reels/<int:pk>/printed/", ReelPrinted.as_view(), name="label-reel-printed"),
    path("label-reels/<int:pk>/write-off/", WriteOff.as_view(), name="label-reel-write-off"),
    path("label-shipments/", Shipments.as_view(), name="label-shipments"),
    path("label-shipments/<int:pk>/receive/", Receive.as_view(), name="label-shipment-receive"),
    path("label-shipments/<int:pk>/turn-back/", TurnBack.as_view(), name="label-shipment-turn-back"),
    path("label-destructions/", Destructions.as_view(), name="label-destructions"),
    path("label-destructions/<int:pk>/sign/", SignDestruction.as_view(), name="label-destruction-sign"),
    path("marks/apply/", Apply.as_view(), name="mark-apply"),
    path("intakes/<int:pk>/blank-labels/", NameRowLabels.as_view(), name="intake-blank-labels"),
    path("mark-requests/", MarkRequests.as_view(), name="mark-requests"),
    path("mark-requests/<int:pk>/approve/", ApproveRequest.as_view(), name="mark-request-approve"),
    path("mark-requests/<int:pk>/refuse/", RefuseRequest.as_view(), name="mark-request-refuse"),
]
