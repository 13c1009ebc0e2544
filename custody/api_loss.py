"""Loss and destruction, for programs. Signing is done by people on its page."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from custody.models import DestructionOrder, LossAct, LossReport
from custody.scanning import find_items
from custody.services import destruction, loss
from ledger.models import CustodyAccount


class LossReportSerializer(serializers.ModelSerializer[LossReport]):
    account = serializers.SlugRelatedField[CustodyAccount](slug_field="code", read_only=True)

    class Meta:
        model = LossReport
        fields = (
            "id",
            "number",
            "kind",
            "account",
            "place",
            "noticed_on",
            "circumstances",
            "police_number",
            "reference",
            "reported_at",
        )


class ReportLossSerializer(serializers.Serializer[Any]):
    """Items by registration number, mark or box; all in the place named by its code."""

    kind = serializers.ChoiceField(choices=LossReport.Kind.choices)
    account = serializers.SlugRelatedField[CustodyAccount](
        slug_field="code", queryset=CustodyAccount.objects.physical()
    )
    items = serializers.ListField(child=serializers.CharField(), min_length=1)
    place = serializers.CharField(max_length=200, allow_blank=True, default="")
    noticed_on = serializers.DateField()
    circumstances = serializers.CharField(max_length=4000)
    police_number = serializers.CharField(max_length=60, allow_blank=True, default="")


class ProposeSerializer(serializers.Serializer[Any]):
    """Items found again, with the code of the store they are in, or to be written off."""

    kind = serializers.ChoiceField(choices=LossAct.Kind.choices)
    items = serializers.ListField(child=serializers.CharField(), min_length=1)
    reason = serializers.CharField(max_length=4000)
    target = serializers.SlugRelatedField[CustodyAccount](
        slug_field="code", queryset=CustodyAccount.objects.physical(), required=False, allow_null=True
    )


class LossActSerializer(serializers.ModelSerializer[LossAct]):
    class Meta:
        model = LossAct
        fields = ("id", "number", "report", "kind", "reason", "state", "proposed_at", "decided_at")


class DestructionSerializer(serializers.ModelSerializer[DestructionOrder]):
    store = serializers.SlugRelatedField[CustodyAccount](slug_field="code", read_only=True)

    class Meta:
        model = DestructionOrder
        fields = (
            "id",
            "number",
            "store",
            "basis",
            "basis_paper",
            "planned_on",
            "place",
            "method",
            "quorum",
            "state",
            "mass_before_g",
            "mass_after_g",
            "digest",
            "ordered_at",
            "ended_at",
        )


class OrderSerializer(serializers.Serializer[Any]):
    store = serializers.SlugRelatedField[CustodyAccount](slug_field="code", queryset=CustodyAccount.objects.physical())
    basis = serializers.ChoiceField(choices=DestructionOrder.Basis.choices)
    basis_paper = serializers.CharField(max_length=200)
    planned_on = serializers.DateField()
    items = serializers.ListField(child=serializers.CharField(), default=list)


class CommissionScanSerializer(serializers.Serializer[Any]):
    item = serializers.CharField(max_length=400)
    weighed_g = serializers.IntegerField(min_value=1, allow_null=True, default=None)


class MassesSerializer(serializers.Serializer[Any]):
    pieces = serializers.IntegerField()
    grams = serializers.IntegerField()
    scanned = serializers.IntegerField()
    scanned_grams = serializers.IntegerField()
    weighed_grams = serializers.IntegerField()


class Losses(ListAPIView[LossReport]):
    """Reports of loss that you may know, newest first."""

    permission_classes = [granted(Can.REPORT_LOSS, Can.SEE_EVERYTHING)]
    serializer_class = LossReportSerializer
    queryset = LossReport.objects.none()

    def get_queryset(self) -> QuerySet[LossReport]:
        return LossReport.objects.visible_to(person_of(self.request)).select_related("account")


class ReportLoss(APIView):
    permission_classes = [granted(Can.REPORT_LOSS)]

    @extend_schema(operation_id="losses_report", request=ReportLossSerializer, responses={201: LossReportSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Report items as lost or stolen: they are held at once and the authority is told."""
        given = ReportLossSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        items = find_items(said.pop("items"))
        kind = LossReport.Kind(said.pop("kind"))
        report = loss.report_loss(actor=person_of(request), at=timezone.now(), item_ids=items, kind=kind, **said)
        return Response(LossReportSerializer(report).data, status=201)


class ProposeAct(APIView):
    permission_classes = [granted(Can.REPORT_LOSS)]

    @extend_schema(operation_id="losses_propose", request=ProposeSerializer, responses={201: LossActSerializer})
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Propose that items were found again, or are written off; another person decides."""
        given = ProposeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        report = get_object_or_404(LossReport.objects.visible_to(person_of(request)), pk=pk)
        act = loss.propose_act(
            actor=person_of(request),
            at=timezone.now(),
            report=report,
            kind=LossAct.Kind(said["kind"]),
            item_ids=find_items(said["items"]),
            reason=said["reason"],
            target=said.get("target"),
        )
        return Response(LossActSerializer(act).data, status=201)


class ApproveAct(APIView):
    permission_classes = [granted(Can.REPORT_LOSS, Can.APPROVE_WRITE_OFF)]

    @extend_schema(operation_id="losses_approve", request=None, responses=LossActSerializer)
    @idempotent
    def post(self, request: Request, pk: int, act: int) -> Response:
        """Approve an act that another person proposed."""
        seen = LossReport.objects.visible_to(person_of(request)).filter(pk=pk)
        waiting = get_object_or_404(LossAct, pk=act, report__in=seen)
        done = loss.approve_act(actor=person_of(request), at=timezone.now(), act=waiting)
        return Response(LossActSerializer(done).data)


class Destructions(ListAPIView[DestructionOrder]):
    """Destructions that you may know, newest first."""

    permission_classes = [granted()]
    serializer_class = DestructionSerializer
    queryset = DestructionOrder.objects.none()

    def get_queryset(self) -> QuerySet[DestructionOrder]:
        return DestructionOrder.objects.visible_to(person_of(self.request)).select_related("store")


class OneDestruction(RetrieveAPIView[DestructionOrder]):
    """One destruction."""

    permission_classes = [granted()]
    serializer_class = DestructionSerializer
    queryset = DestructionOrder.objects.none()

    def get_queryset(self) -> QuerySet[DestructionOrder]:
        return DestructionOrder.objects.visible_to(person_of(self.request)).select_related("store")


class OrderDestruction(APIView):
    permission_classes = [granted(Can.ORDER_DESTRUCTION)]

    @extend_schema(operation_id="destructions_order", request=OrderSerializer, responses={201: DestructionSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Open the list of goods to destroy; they are held from this moment."""
        given = OrderSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        texts = said.pop("items")
        order = destruction.order_destruction(
            actor=person_of(request),
            at=timezone.now(),
            item_ids=find_items(texts) if texts else [],
            **said | {"basis": DestructionOrder.Basis(said["basis"])},
        )
        return Response(DestructionSerializer(order).data, status=201)


class ScanAtAct(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="destructions_scan", request=CommissionScanSerializer, responses=MassesSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Note that an item of the list is in hand at the act; the counts of the list."""
        given = CommissionScanSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        order = get_object_or_404(DestructionOrder.objects.visible_to(person_of(request)), pk=pk)
        for item in find_items([given.validated_data["item"]]):
            destruction.scan_goods(
                actor=person_of(request),
                at=timezone.now(),
                order=order,
                item_id=item,
                weighed_g=given.validated_data["weighed_g"],
            )
        return Response(destruction.masses(order))


urlpatterns = [
    path("losses/", Losses.as_view(), name="losses"),
    path("losses/report/", ReportLoss.as_view(), name="loss-report"),
    path("losses/<int:pk>/acts/", ProposeAct.as_view(), name="loss-propose"),
    path("losses/<int:pk>/acts/<int:act>/approve/", ApproveAct.as_view(), name="loss-approve"),
    path("destructions/", Destructions.as_view(), name="destructions"),
    path("destructions/order/", OrderDestruction.as_view(), name="destruction-order"),
    path("destructions/<int:pk>/", OneDestruction.as_view(), name="destruction"),
    path("destructions/<int:pk>/scan/", ScanAtAct.as_view(), name="destruction-scan"),
]
