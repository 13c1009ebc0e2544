"""Printers, label sizes and pictures of labels, for programs."""

import io
from decimal import Decimal

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone, translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.models import Organisation
from core.accounts.roles import Can
from core.base.errors import BadInput
from marking.labels import PROFILES
from marking.labels.calibration import due_on
from marking.models import OwnStock, Printer
from marking.serializers import LabelOrderSerializer
from marking.serializers_printing import (
    MeasuredSerializer,
    OwnStockNewSerializer,
    OwnStockSerializer,
    PrinterChangeSerializer,
    PrinterNewSerializer,
    PrinterSerializer,
    StockSerializer,
)
from marking.services.labels import picture_of_sheet, preview_sheet
from marking.services.orders import LabelOrder
from marking.services.printers import (
    Measured,
    PrinterShape,
    add_printer,
    calibrate_printer,
    change_printer,
    end_printer,
)
from marking.services.samples import draw_calibration_of
from marking.services.stocks import StockShape, add_stock, end_stock, profile_of
from marking.words import STOCK
from registry.models import Intake

PDF = {(200, "application/pdf"): OpenApiTypes.BINARY, (200, "application/zpl"): OpenApiTypes.BINARY}


class Printers(ListAPIView[Printer]):
    """Printers of your organisations, those put away too, newest first."""

    permission_classes = [granted(Can.PRINT_LABELS)]
    serializer_class = PrinterSerializer
    queryset = Printer.objects.none()

    def get_queryset(self) -> QuerySet[Printer]:
        return Printer.objects.visible_to(person_of(self.request))

    @extend_schema(operation_id="printers_add", request=PrinterNewSerializer, responses={201: PrinterSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a printer of an organisation for which you print."""
        shape = PrinterNewSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        given = shape.validated_data
        organisation = get_object_or_404(Organisation, pk=given.pop("organisation"))
        printer = add_printer(
            actor=person_of(request), at=timezone.now(), organisation=organisation, shape=PrinterShape(**given)
        )
        return Response(PrinterSerializer(printer).data, status=201)


def _printer(request: Request, pk: int) -> Printer:
    return get_object_or_404(Printer.objects.visible_to(person_of(request)), pk=pk)


class OnePrinter(RetrieveAPIView[Printer]):
    """One printer: its resolution, offsets and scale."""

    permission_classes = [granted(Can.PRINT_LABELS)]
    serializer_class = PrinterSerializer
    queryset = Printer.objects.none()

    def get_queryset(self) -> QuerySet[Printer]:
        return Printer.objects.visible_to(person_of(self.request))

    @extend_schema(operation_id="printers_change", request=PrinterChangeSerializer, responses=PrinterSerializer)
    @idempotent
    def put(self, request: Request, pk: int) -> Response:
        """Change name, language and resolution; runs ordered before keep theirs."""
        shape = PrinterChangeSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        printer = change_printer(
            actor=person_of(request),
            at=timezone.now(),
            printer=_printer(request, pk),
            shape=PrinterShape(**shape.validated_data),
        )
        return Response(PrinterSerializer(printer).data)


class CalibratePrinter(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="printers_calibrate", request=MeasuredSerializer, responses=PrinterSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Keep what was measured on the calibration page; offsets add to those it was printed with."""
        shape = MeasuredSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        given = shape.validated_data
        stock = profile_of(person_of(request), given.pop("stock"))
        due = due_on(stock)
        sides = {"due_left": due.left, "due_top": due.top, "due_x": due.x, "due_y": due.y}
        measured = Measured(**given, **{name: Decimal(side) for name, side in sides.items()})
        printer = calibrate_printer(
            actor=person_of(request), at=timezone.now(), printer=_printer(request, pk), measured=measured
        )
        return Response(PrinterSerializer(printer).data)


class EndPrinter(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="printers_end", request=None, responses=PrinterSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Offer the printer no longer."""
        printer = end_printer(actor=person_of(request), at=timezone.now(), printer=_printer(request, pk))
        return Response(PrinterSerializer(printer).data)


class Calibration(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(
        operation_id="printers_calibration",
        parameters=[
            OpenApiParameter("stock", str, description="The label that is in the printer; a4-21 without."),
            OpenApiParameter("form", str, enum=["pdf", "zpl"], description="The printer's own language without."),
        ],
        responses=PDF,
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The calibration page, printed with the offsets in force. ZPL for rolls only."""
        printer = _printer(request, pk)
        stock = profile_of(person_of(request), request.query_params.get("stock", "a4-21"))
        form = request.query_params.get("form", printer.language)
        if form not in Printer.Language.values or (form == Printer.Language.ZPL and not stock.is_roll):
            raise BadInput(fields={"form": "pdf, or zpl for a roll"})
        content = draw_calibration_of(printer, stock, translation.get_language() or "kk", form=form)
        return HttpResponse(content, content_type=f"application/{form}")


class Stocks(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="label_stocks", responses=StockSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Labels that everybody can print on, with their geometry."""
        return Response([StockSerializer(stock, context={"names": STOCK}).data for stock in PROFILES.values()])


class OwnStocks(ListAPIView[OwnStock]):
    """Labels that your organisations described, those put away too, newest first."""

    permission_classes = [granted(Can.PRINT_LABELS)]
    serializer_class = OwnStockSerializer
    queryset = OwnStock.objects.none()

    def get_queryset(self) -> QuerySet[OwnStock]:
        return OwnStock.objects.visible_to(person_of(self.request))

    @extend_schema(operation_id="own_stocks_add", request=OwnStockNewSerializer, responses={201: OwnStockSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Describe a label; what could not be printed so that it is read is refused, field by field."""
        shape = OwnStockNewSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        given = shape.validated_data
        person = person_of(request)
        organisation = get_object_or_404(Organisation, pk=given.pop("organisation"))
        former = given.pop("former")
        replaced = None if former is None else get_object_or_404(OwnStock.objects.visible_to(person), pk=former)
        fields = sorted(given.pop("shown"))
        stock = add_stock(
            actor=person,
            at=timezone.now(),
            organisation=organisation,
            shape=StockShape(**given, fields=fields),
            former=replaced,
        )
        return Response(OwnStockSerializer(stock).data, status=201)


class EndOwnStock(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="own_stocks_end", request=None, responses=OwnStockSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Offer this label no longer."""
        person = person_of(request)
        stock = get_object_or_404(OwnStock.objects.visible_to(person), pk=pk)
        return Response(OwnStockSerializer(end_stock(actor=person, at=timezone.now(), stock=stock)).data)


class LabelPicture(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(
        operation_id="intakes_labels_picture",
        parameters=[LabelOrderSerializer],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The first page as it would be printed, as PNG at the resolution of the order.

        Specimens: every symbol and code on it is refused wherever it is checked.
        """
        person = person_of(request)
        intake = get_object_or_404(Intake.objects.visible_to(person), pk=pk)
        shape = LabelOrderSerializer(data=request.query_params)
        shape.is_valid(raise_exception=True)
        pdf, setting = preview_sheet(actor=person, intake=intake, order=LabelOrder(**shape.validated_data))
        picture = io.BytesIO()
        drawn = picture_of_sheet(pdf, setting.stock, dpi=setting.how.dpi, how=setting.how)
        drawn.quantize(32).save(picture, "PNG")
        return HttpResponse(
            picture.getvalue(), content_type="image/png", headers={"Cache-Control": "private, no-store"}
        )


urlpatterns = [
    path("printers/", Printers.as_view(), name="printers"),
    path("printers/<int:pk>/", OnePrinter.as_view(), name="printer"),
    path("printers/<int:pk>/calibrate/", CalibratePrinter.as_view(), name="printer-calibrate"),
    path("printers/<int:pk>/calibration/", Calibration.as_view(), name="printer-calibration"),
    path("printers/<int:pk>/end/", EndPrinter.as_view(), name="printer-end"),
    path("label-stocks/", Stocks.as_view(), name="label-stocks"),
    path("label-stocks/own/", OwnStocks.as_view(), name="own-stocks"),
    path("label-stocks/own/<int:pk>/end/", EndOwnStock.as_view(), name="own-stock-end"),
    path("intakes/<int:pk>/labels/picture/", LabelPicture.as_view(), name="label-picture"),
]
