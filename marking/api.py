"""Registering, marks and labels, for programs."""

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.base.api import KeysetPagination
from marking.models import LabelRun, Mark
from marking.serializers import (
    LabelOrderSerializer,
    LabelRunSerializer,
    MarkSerializer,
    RegisterSerializer,
    RegistrationSerializer,
)
from marking.services.files import declare_run_printed, take_part
from marking.services.issue import register_and_mark
from marking.services.labels import print_labels
from marking.services.orders import LabelOrder
from marking.views.labels import serve_labels
from registry.models import Intake


class ByCode(KeysetPagination):
    ordering = "code"


class Marks(ListAPIView[Mark]):
    """Marks of the items you may know, in the order of their codes."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = MarkSerializer
    pagination_class: type[CursorPagination] = ByCode
    queryset = Mark.objects.none()

    @extend_schema(
        parameters=[
            OpenApiParameter("intake", int, description="Only of this intake."),
            OpenApiParameter("item", int, description="Only of this item."),
        ]
    )
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Mark]:
        found = Mark.objects.visible_to(person_of(self.request)).select_related("derivative")
        for parameter, field in (("intake", "derivative__intake"), ("item", "derivative")):
            value = self.request.query_params.get(parameter)
            if value is not None:
                found = found.filter(**{field: int(value)}) if value.isdecimal() else found.none()
        return found


class Register(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)]

    @extend_schema(operation_id="intakes_register", request=RegisterSerializer, responses=RegistrationSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Register everything on the weighing table of an intake and mark each horn, all of it or nothing."""
        person = person_of(request)
        intake = get_object_or_404(Intake.objects.visible_to(person), pk=pk)
        shape = RegisterSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        done = register_and_mark(actor=person, at=timezone.now(), intake=intake, **shape.validated_data)
        return Response({"intake": done.intake.pk, "count": done.count})


class OrderLabels(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="intakes_labels", request=LabelOrderSerializer, responses={201: LabelRunSerializer})
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Order the labels of a registered intake; they are drawn in the background."""
        person = person_of(request)
        intake = get_object_or_404(Intake.objects.visible_to(person), pk=pk)
        shape = LabelOrderSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        order = LabelOrder(**shape.validated_data)
        run = print_labels(actor=person, at=timezone.now(), intake=intake, order=order)
        return Response(LabelRunSerializer(run).data, status=201)


def _runs(request: Request) -> QuerySet[LabelRun]:
    runs = LabelRun.objects.visible_to(person_of(request))
    return runs.select_related("job", "own_stock").prefetch_related("parts__document")


class LabelRuns(ListAPIView[LabelRun]):
    """Orders of labels for your stores, newest first."""

    permission_classes = [granted(Can.PRINT_LABELS)]
    serializer_class = LabelRunSerializer
    queryset = LabelRun.objects.none()

    def get_queryset(self) -> QuerySet[LabelRun]:
        return _runs(self.request)


class OneLabelRun(RetrieveAPIView[LabelRun]):
    """One order of labels and its finished parts."""

    permission_classes = [granted(Can.PRINT_LABELS)]
    serializer_class = LabelRunSerializer
    queryset = LabelRun.objects.none()

    def get_queryset(self) -> QuerySet[LabelRun]:
        return _runs(self.request)


class LabelFile(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(
        operation_id="labels_file",
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "application/zpl"): OpenApiTypes.BINARY,
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "application/zip"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, pk: int, part: int) -> FileResponse:
        """The file of a finished part: PDF, ZPL, a PNG, or a zip of PNGs.

        The journal says who took it. 409 until the whole run is drawn, and once its labels were declared printed.
        """
        run = get_object_or_404(_runs(request), pk=pk)
        found = run.parts.select_related("document", "run").filter(part=part).first()
        if found is None:
            raise Http404
        take_part(actor=person_of(request), at=timezone.now(), part=found)
        return serve_labels(found.document, download=True)


class DeclareRunPrinted(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="labels_printed", request=None, responses=LabelRunSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """The labels came out of the printer: the files of the run are given to nobody any more."""
        run = get_object_or_404(_runs(request), pk=pk)
        declare_run_printed(actor=person_of(request), at=timezone.now(), run=run)
        return Response(LabelRunSerializer(get_object_or_404(_runs(request), pk=pk)).data)


urlpatterns = [
    path("marks/", Marks.as_view(), name="marks"),
    path("intakes/<int:pk>/register/", Register.as_view(), name="intake-register"),
    path("intakes/<int:pk>/labels/", OrderLabels.as_view(), name="intake-labels"),
    path("labels/", LabelRuns.as_view(), name="label-runs"),
    path("labels/<int:pk>/", OneLabelRun.as_view(), name="label-run"),
    path("labels/<int:pk>/parts/<int:part>/", LabelFile.as_view(), name="label-file"),
    path("labels/<int:pk>/printed/", DeclareRunPrinted.as_view(), name="label-run-printed"),
]
