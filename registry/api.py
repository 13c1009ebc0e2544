"""Intakes, their weighing tables, cases and derivatives, for programs. Registration itself belongs to marking."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.base.errors import BadInput
from registry import api_cases, api_origins, services
from registry.filters import intakes_of
from registry.models import Case, Derivative, Intake, Origin, Term
from registry.serializers import (
    CancellationSerializer,
    CaseSerializer,
    ChangedRowsSerializer,
    DerivativeSerializer,
    IntakeSerializer,
    OpenRemovalSerializer,
    OpenSeizureSerializer,
    TableSerializer,
    known_case_of,
)
from registry.services import CaseFacts

DAY = "Day as 2026-03-05."


def _visible(request: Request) -> QuerySet[Intake]:
    return Intake.objects.visible_to(person_of(request)).select_related("store", "sheet")


def _answer(intake: Intake, *, status: int = 200) -> Response:
    return Response(IntakeSerializer(intake).data, status=status)


@extend_schema(
    parameters=[
        OpenApiParameter("state", str, enum=Intake.State.values),
        OpenApiParameter("origin", str, enum=Origin.values),
        OpenApiParameter("term", str, enum=Term.values),
        OpenApiParameter("store", str, description="Code of the place."),
        OpenApiParameter("brigade", int, description="Key of the brigade."),
        OpenApiParameter("since", str, description=f"From this day. {DAY}"),
        OpenApiParameter("until", str, description=f"Until this day. {DAY}"),
    ]
)
class Intakes(ListAPIView[Intake]):
    """Receptions and seizures that you may know, newest first."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = IntakeSerializer
    queryset = Intake.objects.none()

    def get_queryset(self) -> QuerySet[Intake]:
        chosen = intakes_of(self.request.query_params, request=self.request, reader=person_of(self.request))
        if not chosen.is_valid():
            raise BadInput(fields={name: " ".join(map(str, texts)) for name, texts in chosen.errors.items()})
        return chosen.qs


class OneIntake(RetrieveAPIView[Intake]):
    """One reception or seizure."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = IntakeSerializer
    queryset = Intake.objects.none()

    def get_queryset(self) -> QuerySet[Intake]:
        return _visible(self.request)


class OpenRemoval(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE)]

    @extend_schema(
        operation_id="intakes_open_removal", request=OpenRemovalSerializer, responses={201: IntakeSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Open a reception of what one brigade brought on one day."""
        given = OpenRemovalSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        opened = services.open_removal_intake(actor=person_of(request), at=timezone.now(), **given.validated_data)
        return _answer(opened, status=201)


class OpenSeizure(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]

    @extend_schema(
        operation_id="intakes_open_seizure", request=OpenSeizureSerializer, responses={201: IntakeSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Open the intake of seized goods into an evidence room, with its case or for one in the register."""
        given = OpenSeizureSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        said = given.validated_data
        case = CaseFacts(**said["case"]) if "case" in said else known_case_of(person_of(request), said["known_case"])
        opened = services.open_seizure_intake(
            actor=person_of(request), at=timezone.now(), store=said["store"], on=said["on"], case=case
        )
        return _answer(opened, status=201)


class Rows(APIView):
    permission_classes = [granted(Can.SEE_INTAKES)]

    @extend_schema(operation_id="intakes_rows", responses=TableSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The weighing table of an intake: all its rows, until it is registered."""
        return Response(TableSerializer(get_object_or_404(_visible(request), pk=pk), context={}).data)

    @extend_schema(operation_id="intakes_put_rows", request=ChangedRowsSerializer, responses=IntakeSerializer)
    @idempotent
    def put(self, request: Request, pk: int) -> Response:
        """Write rows of the table by number, take rows out, or, with `whole`, put another table in its place."""
        given = ChangedRowsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said: dict[str, Any] = given.validated_data
        saved = services.save_rows(
            actor=person_of(request),
            at=timezone.now(),
            intake=get_object_or_404(_visible(request), pk=pk),
            version=said["version"],
            rows=given.table_rows(),
            removed=said["removed"],
            whole=said["whole"],
        )
        return _answer(saved)


class Cancel(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)]

    @extend_schema(operation_id="intakes_cancel", request=CancellationSerializer, responses=IntakeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Close an intake without registering anything."""
        given = CancellationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = get_object_or_404(_visible(request), pk=pk)
        closed = services.cancel_intake(
            actor=person_of(request), at=timezone.now(), intake=found, reason=given.validated_data["reason"]
        )
        return _answer(closed)


class Cases(ListAPIView[Case]):
    """Seizure cases that you may know, newest first."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = CaseSerializer
    queryset = Case.objects.none()

    def get_queryset(self) -> QuerySet[Case]:
        return Case.objects.visible_to(person_of(self.request)).select_related("agency")


@extend_schema(
    parameters=[
        OpenApiParameter("intake", int, description="Only of this intake."),
        OpenApiParameter("number", str, description="Only the one with this registration number."),
    ]
)
class Derivatives(ListAPIView[Derivative]):
    """Registered derivatives that you may know, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = DerivativeSerializer
    queryset = Derivative.objects.none()

    def get_queryset(self) -> QuerySet[Derivative]:
        found = Derivative.objects.visible_to(person_of(self.request))
        intake, number = (self.request.query_params.get(name) for name in ("intake", "number"))
        if intake is not None:
            found = found.filter(intake=int(intake)) if intake.isdecimal() and len(intake) < 19 else found.none()
        return found if number is None else found.filter(number=number.upper())


class OneDerivative(RetrieveAPIView[Derivative]):
    """One registered derivative."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = DerivativeSerializer
    queryset = Derivative.objects.none()

    def get_queryset(self) -> QuerySet[Derivative]:
        return Derivative.objects.visible_to(person_of(self.request))


urlpatterns = [
    *api_cases.urlpatterns,
    *api_origins.urlpatterns,
    path("intakes/", Intakes.as_view(), name="intakes"),
    path("intakes/removal/", OpenRemoval.as_view(), name="intakes-open-removal"),
    path("intakes/seizure/", OpenSeizure.as_view(), name="intakes-open-seizure"),
    path("intakes/<int:pk>/", OneIntake.as_view(), name="intake"),
    path("intakes/<int:pk>/rows/", Rows.as_view(), name="intake-rows"),
    path("intakes/<int:pk>/cancel/", Cancel.as_view(), name="intake-cancel"),
    path("cases/", Cases.as_view(), name="cases"),
    path("derivatives/", Derivatives.as_view(), name="derivatives"),
    path("derivatives/<int:pk>/", OneDerivative.as_view(), name="derivative"),
]
