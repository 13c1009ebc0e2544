"""Stock, items, statements and the journal, for programs."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, re_path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.audit.models import Event
from core.base.api import KeysetPagination
from core.base.clock import day_of
from core.base.errors import BadInput
from core.documents.files import serve
from ledger.models import CustodyAccount
from registry.models import Derivative
from registry.processing import knowable
from reports.filters import ItemFilter, JournalFilter, StockFilter
from reports.models import Statement, statement_accounts
from reports.selectors import describe_items, place_one, stock_rows
from reports.serializers import (
    EventSerializer,
    ItemSerializer,
    StatementRequestSerializer,
    StatementSerializer,
    StockRowSerializer,
)
from reports.services import ask_statement

STOCK_PARAMETERS = [
    OpenApiParameter("day", OpenApiTypes.DATE, description="As of the end of this day; now, if left out."),
    OpenApiParameter("region", str, description="Only places in this region (two digits of KATO)."),
    OpenApiParameter("kind", str, description="Only places of this kind: store, evidence, transit."),
    OpenApiParameter("store", str, description="Only this place, by its code."),
    OpenApiParameter("custodian", int, description="Only places of this organisation."),
    OpenApiParameter("term", str, description="Only this CITES term."),
    OpenApiParameter("origin", str, description="Only this origin class."),
]
ITEM_PARAMETERS = [
    OpenApiParameter("q", str, description="Number or mark begins with."),
    OpenApiParameter("store", str, description="Only in this place, by its code."),
    OpenApiParameter("place", str, description="Only in places of this kind; boundaries too, such as export."),
    OpenApiParameter("term", str),
    OpenApiParameter("origin", str),
    OpenApiParameter("condition", str),
    OpenApiParameter("gone", str, enum=["yes"], description="Those that left the books from a place of yours."),
    OpenApiParameter("held", str, enum=["yes", "no"]),
    OpenApiParameter("reserved", str, enum=["yes", "no"]),
    OpenApiParameter("population", str),
    OpenApiParameter("season", int),
    OpenApiParameter("intake", str, description="Number of the intake begins with."),
    OpenApiParameter("since", OpenApiTypes.DATE, description="Taken in on this day or later."),
    OpenApiParameter("until", OpenApiTypes.DATE, description="Taken in on this day or earlier."),
]
JOURNAL_PARAMETERS = [
    OpenApiParameter("verb", str),
    OpenApiParameter("person", str, description="Family name begins with."),
    OpenApiParameter("organisation", int),
    OpenApiParameter("kind", str, description="Kind of the subject."),
    OpenApiParameter("subject", str, description="Number, mark or key of the subject."),
    OpenApiParameter("since", OpenApiTypes.DATE),
    OpenApiParameter("until", OpenApiTypes.DATE),
]


def _usable(chosen: Any) -> Any:
    """The filter, if all it was given can be used; raises BadInput."""
    if not chosen.is_valid():
        raise BadInput(fields={name: errors[0] for name, errors in chosen.form.errors.items()})
    return chosen


class Stock(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stock", parameters=STOCK_PARAMETERS, responses=StockRowSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What is where, by term and origin class, in the places you may know."""
        stores = CustodyAccount.objects.visible_to(person_of(request))
        chosen = _usable(StockFilter(request.query_params, stores=stores))
        wanted = chosen.form.cleaned_data
        is_past = wanted["day"] is not None and wanted["day"] < day_of(timezone.now())
        rows = stock_rows(
            chosen.qs.order_by("code"),
            day=wanted["day"] if is_past else None,
            term=wanted["term"] or "",
            origin=wanted["origin"] or "",
        )
        return Response(StockRowSerializer(rows, many=True).data)


@extend_schema(parameters=ITEM_PARAMETERS)
class Items(ListAPIView[Derivative]):
    """Items you may know, newest first, each with its place and what binds it."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = ItemSerializer
    pagination_class: type[CursorPagination] = KeysetPagination
    queryset = Derivative.objects.none()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = _usable(ItemFilter(request.query_params, reader=person_of(request))).qs
        page = self.paginate_queryset(found)
        rows = describe_items(list(page or []))
        return self.get_paginated_response(ItemSerializer(rows, many=True).data)


class OneItem(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="item", responses=ItemSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One item."""
        known = Derivative.objects.filter(pk__in=knowable(person_of(request), [pk])).select_related("intake")
        (row,) = describe_items([place_one(known, pk)])
        return Response(ItemSerializer(row).data)


@extend_schema(parameters=JOURNAL_PARAMETERS)
class Journal(ListAPIView[Event]):
    """Every act, newest first."""

    permission_classes = [granted(Can.SEE_JOURNAL)]
    serializer_class = EventSerializer
    pagination_class: type[CursorPagination] = KeysetPagination
    queryset = Event.objects.none()

    def get_queryset(self) -> QuerySet[Event]:
        chosen = _usable(JournalFilter(self.request.query_params, queryset=Event.objects.all()))
        found: QuerySet[Event] = chosen.qs
        return found


def _statements(request: Request) -> QuerySet[Statement]:
    return Statement.objects.visible_to(person_of(request)).with_files().select_related("account", "job")


class Statements(ListAPIView[Statement]):
    """Stock statements you may read, newest first."""

    permission_classes = [granted(Can.SEE_STATEMENTS)]
    serializer_class = StatementSerializer
    pagination_class: type[CursorPagination] = KeysetPagination
    queryset = Statement.objects.none()

    def get_queryset(self) -> QuerySet[Statement]:
        return _statements(self.request)

    @extend_schema(
        operation_id="statements_ask", request=StatementRequestSerializer, responses={202: StatementSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for a stock statement. It is made in the background: ask for it again until `state` is done."""
        wanted = StatementRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        facts = dict(wanted.validated_data)
        person = person_of(request)
        account = statement_accounts(person).filter(code=facts.pop("store")).first()
        if account is None:
            raise BadInput(fields={"store": _("There is no such store that you may ask for.")})
        statement = ask_statement(actor=person, at=timezone.now(), account=account, **facts)
        return Response(StatementSerializer(_statements(request).get(pk=statement.pk)).data, status=202)


class OneStatement(APIView):
    permission_classes = [granted(Can.SEE_STATEMENTS)]

    @extend_schema(operation_id="statement", responses=StatementSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One statement: how far it is, and its files with their SHA-256."""
        return Response(StatementSerializer(get_object_or_404(_statements(request), pk=pk)).data)


class StatementFile(APIView):
    permission_classes = [granted(Can.SEE_STATEMENTS)]

    @extend_schema(operation_id="statement_file", responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int, fmt: str) -> HttpResponseBase:
        """One file of a published statement."""
        document = get_object_or_404(_statements(request), pk=pk).file(fmt)
        if document is None:
            raise Http404
        return serve(document, download=True)


urlpatterns = [
    path("stock/", Stock.as_view(), name="stock"),
    path("items/", Items.as_view(), name="items"),
    path("items/<int:pk>/", OneItem.as_view(), name="item"),
    path("journal/", Journal.as_view(), name="journal"),
    path("statements/", Statements.as_view(), name="statements"),
    path("statements/<int:pk>/", OneStatement.as_view(), name="statement"),
    re_path(
        r"^statements/(?P<pk>\d+)/(?P<fmt>pdf|xlsx|csv|movements)/$", StatementFile.as_view(), name="statement-file"
    ),
]
