"""Movements, their corrections and closed periods, for programs."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from custody.models import Correction
from custody.services import corrections
from ledger.models import Movement, PeriodClose
from ledger.services import close_period


class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    class Meta:
        model = Correction
        fields = ("id", "movement", "reason", "state", "asked_at", "decided_at", "decide_reason", "counter")


class CorrectionReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class PeriodSerializer(serializers.ModelSerializer[PeriodClose]):
    class Meta:
        model = PeriodClose
        fields = ("until", "closed_at")
        read_only_fields = ("closed_at",)
        extra_kwargs = {"until": {"validators": [], "help_text": "Last day of the period."}}


class Corrections(ListAPIView[Correction]):
    """Corrections of movements, newest first."""

    permission_classes = [granted(Can.SEE_EVERYTHING, Can.CORRECT_MOVEMENT)]
    serializer_class = CorrectionSerializer
    queryset = Correction.objects.all()


class AskCorrection(APIView):
    permission_classes = [granted(Can.CORRECT_MOVEMENT)]

    @extend_schema(
        operation_id="movements_ask_correction",
        request=CorrectionReasonSerializer,
        responses={201: CorrectionSerializer},
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Ask for the counter-movement of a mistake; another person confirms it."""
        given = CorrectionReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        movement = get_object_or_404(Movement, pk=pk)
        asked = corrections.ask_correction(
            actor=person_of(request), at=timezone.now(), movement=movement, reason=given.validated_data["reason"]
        )
        return Response(CorrectionSerializer(asked).data, status=201)


class ConfirmCorrection(APIView):
    permission_classes = [granted(Can.CORRECT_MOVEMENT)]

    @extend_schema(operation_id="corrections_confirm", request=None, responses=CorrectionSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Confirm a correction as the second person: everything moves back."""
        found = get_object_or_404(Correction, pk=pk)
        done = corrections.confirm_correction(actor=person_of(request), at=timezone.now(), correction=found)
        return Response(CorrectionSerializer(done).data)


class RefuseCorrection(APIView):
    permission_classes = [granted(Can.CORRECT_MOVEMENT)]

    @extend_schema(
        operation_id="corrections_refuse", request=CorrectionReasonSerializer, responses=CorrectionSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Leave the movement as it is, with the reason."""
        given = CorrectionReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = get_object_or_404(Correction, pk=pk)
        done = corrections.refuse_correction(
            actor=person_of(request), at=timezone.now(), correction=found, reason=given.validated_data["reason"]
        )
        return Response(CorrectionSerializer(done).data)


class Periods(ListAPIView[PeriodClose]):
    """Periods that are closed for new entries, latest first."""

    permission_classes = [granted(Can.SEE_EVERYTHING, Can.CLOSE_PERIOD)]
    serializer_class = PeriodSerializer

    def get_queryset(self) -> QuerySet[PeriodClose]:
        return PeriodClose.objects.order_by("-until")


class ClosePeriod(APIView):
    permission_classes = [granted(Can.CLOSE_PERIOD)]

    @extend_schema(operation_id="periods_close", request=PeriodSerializer, responses={201: PeriodSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Close every day up to and with this one for new entries. This is not undone."""
        given = PeriodSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        closed = close_period(actor=person_of(request), at=timezone.now(), until=given.validated_data["until"])
        return Response(PeriodSerializer(closed).data, status=201)


urlpatterns = [
    path("corrections/", Corrections.as_view(), name="corrections"),
    path("corrections/<int:pk>/confirm/", ConfirmCorrection.as_view(), name="correction-confirm"),
    path("corrections/<int:pk>/refuse/", RefuseCorrection.as_view(), name="correction-refuse"),
    path("movements/<int:pk>/correct/", AskCorrection.as_view(), name="movement-correct"),
    path("periods/", Periods.as_view(), name="periods"),
    path("periods/close/", ClosePeriod.as_view(), name="period-close"),
]
