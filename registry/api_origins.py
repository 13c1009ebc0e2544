"""Intakes of other origins, table files, veterinary certificates and sales under them, for programs."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.accounts.signature import SignedSerializer, sign_by_password
from core.base.errors import InvalidTransition, NotAllowed
from registry import services
from registry.models import Intake, Sale, VeterinaryCertificate
from registry.selectors import can_work_on
from registry.serializers import IntakeSerializer
from registry.serializers_origins import (
    CertificateSerializer,
    OpenOriginSerializer,
    SaleSerializer,
    SellSerializer,
    SheetSerializer,
    StartedSerializer,
)
from registry.services import importing


class OpenOrigin(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE)]
    parser_classes = [JSONParser, MultiPartParser]

    @extend_schema(operation_id="intakes_open", request=OpenOriginSerializer, responses={201: IntakeSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Open an intake of found, confiscated, old, imported or unknown goods, or of other parts than horns."""
        given = OpenOriginSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        opened = services.open_intake(actor=person_of(request), at=timezone.now(), **given.facts())
        return Response(IntakeSerializer(opened).data, status=201)


class ConfirmIntake(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE, Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="intakes_confirm", request=SignedSerializer, responses=IntakeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Confirm found, confiscated, old or imported goods against their paper as a second person: they are no longer
        held.
        """
        person = person_of(request)
        intake = get_object_or_404(Intake.objects.visible_to(person), pk=pk)
        given = SignedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        sign_by_password(person, given.validated_data["password"])
        services.confirm_intake(actor=person, at=timezone.now(), intake=intake)
        return Response(IntakeSerializer(intake).data)


class Sheets(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)]
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="intakes_add_sheet",
        request={"multipart/form-data": SheetSerializer},
        responses={202: StartedSerializer},
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Add the rows of a table file to an open intake, in the background; bad rows are listed with reasons."""
        given = SheetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        person, at = person_of(request), timezone.now()
        intake = get_object_or_404(Intake.objects.visible_to(person), pk=pk)
        if not can_work_on(person, intake):
            raise NotAllowed
        if not intake.is_open:
            raise InvalidTransition
        file = given.validated_data["file"]
        document = importing.keep_sheet(actor=person, at=at, name=file.name, content=file)
        job = importing.start_adding(
            actor=person, at=at, intake=intake, document=document, only_good=given.validated_data["only_good"]
        )
        return Response({"job": job.pk}, status=202)


class Certificates(ListAPIView[VeterinaryCertificate]):
    """Veterinary certificates that you may know, newest first."""

    permission_classes = [granted(Can.KEEP_CERTIFICATES, Can.SEE_STOCK)]
    serializer_class = CertificateSerializer
    queryset = VeterinaryCertificate.objects.none()

    def get_queryset(self) -> QuerySet[VeterinaryCertificate]:
        return VeterinaryCertificate.objects.visible_to(person_of(self.request)).select_related("issued_by", "point")

    @extend_schema(
        operation_id="certificates_enter", request=CertificateSerializer, responses={201: CertificateSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a veterinary certificate of a batch of meat."""
        given = CertificateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        entered = services.enter_certificate(actor=person_of(request), at=timezone.now(), **given.facts())
        return Response(CertificateSerializer(entered).data, status=201)


class Sales(ListAPIView[Sale]):
    """Sales under a certificate from your stores, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = SaleSerializer
    queryset = Sale.objects.none()

    def get_queryset(self) -> QuerySet[Sale]:
        return Sale.objects.visible_to(person_of(self.request)).select_related("store")

    @extend_schema(operation_id="sales_sell", request=SellSerializer, responses={201: SaleSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Hand whole batches under a good certificate to a buyer in the country."""
        given = SellSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        said = given.validated_data
        at = timezone.now()
        key = request.headers.get("Idempotency-Key") or at.isoformat()
        sold = services.sell_batches(
            actor=person_of(request), at=at, key=f"sale:{person_of(request).pk}:{key}"[:100], **said
        )
        return Response(SaleSerializer(sold).data, status=201)


urlpatterns = [
    path("intakes/open/", OpenOrigin.as_view(), name="intakes-open"),
    path("intakes/<int:pk>/confirm/", ConfirmIntake.as_view(), name="intake-confirm"),
    path("intakes/<int:pk>/sheets/", Sheets.as_view(), name="intake-sheets"),
    path("certificates/", Certificates.as_view(), name="certificates"),
    path("sales/", Sales.as_view(), name="sales"),
]
