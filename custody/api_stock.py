"""Stock-takes, climate and weighing, for programs: the same services as the pages."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import HEADER, idempotent
from core.accounts.models import User
from core.accounts.roles import Can
from core.accounts.signature import sign_by_password
from core.base.api import KeysetPagination
from core.base.errors import BadInput, NotAllowed
from core.base.visitors import own_hosts
from core.notices.models import is_authority
from custody.counting import count_scan
from custody.forms.stocktakes import commission_candidates
from custody.keeping import KEPT, kept_places, may_count
from custody.masses import why_odd
from custody.scanning import find_each
from custody.serializers_stock import (
    ClimateReadingSerializer,
    CountReasonSerializer,
    CountScanSerializer,
    CountsSerializer,
    CountVerdictSerializer,
    DrawSerializer,
    LoggedSerializer,
    NewStockTakeSerializer,
    NewWeighingSerializer,
    ReadingsSerializer,
    SettleMassesSerializer,
    SignSerializer,
    StockTakeLineSerializer,
    StockTakeSerializer,
    WeighingDetailSerializer,
    WeighingSerializer,
    WeighInSerializer,
)
from ledger import services
from ledger.models import ClimateReading, CustodyAccount, Shelf, StockTake, StockTakeLine, WeighIn, Weighing
from ledger.serializers import no_such_store
from ledger.services import Reading
from ledger.stocktaking import count_live

MOST_NAMED = 100

# --- stock-takes ------------------------------------------------------------------------------------------------


def _stocktakes(request: Request) -> QuerySet[StockTake]:
    known = StockTake.objects.visible_to(person_of(request)).select_related("account__custodian", "shelf")
    return known.prefetch_related("members__person")


def _counted(request: Request, pk: int) -> StockTake:
    found = get_object_or_404(_stocktakes(request), pk=pk)
    if not may_count(person_of(request), found):
        raise PermissionDenied
    return found


def _answer(request: Request, pk: int, status: int = 200) -> Response:
    return Response(StockTakeSerializer(_stocktakes(request).get(pk=pk)).data, status=status)


class StockTakes(ListAPIView[StockTake]):
    """Stock-takes of the stores you may know, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = StockTakeSerializer
    queryset = StockTake.objects.none()

    @extend_schema(parameters=[OpenApiParameter("state", str, enum=StockTake.State.values, description="Only these.")])
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[StockTake]:
        state = self.request.query_params.get("state")
        if state is not None and state not in StockTake.State.values:
            raise BadInput(fields={"state": _one_of(StockTake.State.values)})
        found = _stocktakes(self.request)
        return found.filter(state=state) if state else found

    @extend_schema(operation_id="stocktakes_open", request=NewStockTakeSerializer, responses={201: StockTakeSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Open a full count, or announce one by a sample, which is then drawn with words of the commission."""
        given, person = _read(NewStockTakeSerializer, request), person_of(request)
        account = _kept(person, given["store"])
        shelf = None
        if code := given.get("shelf"):
            shelf = Shelf.objects.filter(account=account, code=code.upper()).first()
            if shelf is None:
                raise BadInput(fields={"shelf": _no_such_shelf(code, account)})
        names = given["commission"]
        commission = list(commission_candidates(account).filter(username__in=names))
        if unknown := sorted(set(names) - {member.username for member in commission}):
            words = _("Nobody who may sit in a commission of this store: %(names)s. Give user names.")
            raise BadInput(fields={"commission": words % {"names": ", ".join(unknown[:20])}})
        facts: dict[str, Any] = {
            "actor": person,
            "at": timezone.now(),
            "account": account,
            "commission": commission,
            "shelf": shelf,
            "trusts_seals": given["trusts_seals"],
        }
        if given["kind"] == StockTake.Kind.SAMPLE:
            if "wanted" not in given:
                raise BadInput(fields={"wanted": _("Say how many items the sample has.")})
            made = services.announce_sample(wanted=given["wanted"], **facts)
        else:
            made = services.open_stocktake(**facts)
        return _answer(request, made.pk, 201)


class OneStockTake(RetrieveAPIView[StockTake]):
    """One stock-take, with its commission and, when counting has ended, its result."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = StockTakeSerializer
    queryset = StockTake.objects.none()

    def get_queryset(self) -> QuerySet[StockTake]:
        return _stocktakes(self.request)


class ByItem(KeysetPagination):
    ordering = "item_id"


class StockTakeItems(ListAPIView[StockTakeLine]):
    """What was expected, item by item, and what became of it."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = StockTakeLineSerializer
    pagination_class = ByItem
    queryset = StockTakeLine.objects.none()

    @extend_schema(
        parameters=[
            OpenApiParameter("pk", int, OpenApiParameter.PATH),
            OpenApiParameter("outcome", str, enum=StockTakeLine.Outcome.values, description="Only these."),
        ]
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[StockTakeLine]:
        found = get_object_or_404(_stocktakes(self.request), pk=self.kwargs["pk"])
        lines = StockTakeLine.objects.filter(stocktake=found).select_related("item__derivative")
        outcome = self.request.query_params.get("outcome")
        if outcome is not None and outcome not in StockTakeLine.Outcome.values:
            raise BadInput(fields={"outcome": _one_of(StockTakeLine.Outcome.values)})
        return lines.filter(outcome=outcome) if outcome else lines


class StockTakeCounts(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_counts", responses=CountsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How the count stands now, over everybody who scans."""
        found = get_object_or_404(_stocktakes(request), pk=pk)
        return Response(CountsSerializer(asdict(count_live(found))).data)


class DrawSample(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_draw", request=DrawSerializer, responses=StockTakeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Freeze the frame, draw the sample with the words of the commission, and begin to count."""
        found, given = _counted(request, pk), _read(DrawSerializer, request)
        services.draw_sample(actor=person_of(request), at=timezone.now(), stocktake=found, words=given["words"])
        return _answer(request, pk)


class ScanStockTake(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_scan", request=CountScanSerializer, responses=CountVerdictSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """One scan: its verdict, and how the count stands. `key` makes a scan that is sent again the same scan."""
        found = StockTake.objects.select_related("account__custodian").filter(pk=pk).first()
        person = person_of(request)
        if found is None or not may_count(person, found):
            raise Http404
        given = _read(CountScanSerializer, request)
        shelf_id = found.shelf_id
        if code := given.get("shelf"):
            shelf = Shelf.objects.filter(account=found.account_id, code=code.upper()).first()
            if shelf is None:
                raise BadInput(fields={"shelf": _no_such_shelf(code, found.account)})
            shelf_id = shelf.pk
        counted = count_scan(
            person,
            found,
            given["code"],
            hosts=own_hosts(request),
            at=timezone.now(),
            shelf_id=shelf_id,
            key=given.get("key", ""),
        )
        said = counted.said
        answer = {
            "verdict": counted.code,
            "what": counted.what,
            "tone": said.tone,
            "title": str(said.title),
            "text": str(said.text),
        }
        return Response(CountVerdictSerializer({**asdict(count_live(found)), **answer}).data)


class UndoScan(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_undo", request=None, responses=CountsSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take your own last scan back."""
        found = _counted(request, pk)
        services.undo_scan(actor=person_of(request), at=timezone.now(), stocktake=found)
        return Response(CountsSerializer(asdict(count_live(found))).data)


class EndCounting(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_end", request=None, responses=StockTakeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """End counting: what nobody scanned is missing and held, or it left during the count."""
        services.end_counting(actor=person_of(request), at=timezone.now(), stocktake=_counted(request, pk))
        return _answer(request, pk)


class CountAgain(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_again", request=CountReasonSerializer, responses=StockTakeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Go back for what is missing; what was found stays found, and every signature is void."""
        found, given = _counted(request, pk), _read(CountReasonSerializer, request)
        services.count_again(actor=person_of(request), at=timezone.now(), stocktake=found, reason=given["reason"])
        return _answer(request, pk)


class SignStockTake(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_sign", request=SignSerializer, responses=StockTakeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Sign the result you saw. With the last signature of the commission the stock-take is closed."""
        found, given, person = _counted(request, pk), _read(SignSerializer, request), person_of(request)
        sign_by_password(person, given["password"])
        services.sign_stocktake(actor=person, at=timezone.now(), stocktake=found, digest=given["digest"])
        return _answer(request, pk)


class CancelStockTake(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="stocktakes_cancel", request=CountReasonSerializer, responses=StockTakeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Call it off; its scans stay on record."""
        found, given = _counted(request, pk), _read(CountReasonSerializer, request)
        services.cancel_stocktake(actor=person_of(request), at=timezone.now(), stocktake=found, reason=given["reason"])
        return _answer(request, pk)


# --- climate ----------------------------------------------------------------------------------------------------


class ByMoment(KeysetPagination):
    ordering = "-at"


class StoreClimate(ListAPIView[ClimateReading]):
    """The log of a store, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = ClimateReadingSerializer
    pagination_class = ByMoment
    queryset = ClimateReading.objects.none()

    def get_queryset(self) -> QuerySet[ClimateReading]:
        known = CustodyAccount.objects.visible_to(person_of(self.request)).filter(kind__in=KEPT)
        return ClimateReading.objects.filter(account=get_object_or_404(known, code=self.kwargs["code"]))

    @extend_schema(operation_id="stores_climate_log", request=ReadingsSerializer, responses={201: LoggedSerializer})
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Write readings down, up to 5,000 at once. One that is known (store, sensor, moment) is not written twice."""
        given, person = _read(ReadingsSerializer, request), person_of(request)
        written = services.log_climate(
            actor=person,
            at=timezone.now(),
            account=_kept(person, code),
            readings=[Reading(**reading) for reading in given["readings"]],
        )
        return Response(LoggedSerializer({"written": written}).data, status=201)


# --- weighing ---------------------------------------------------------------------------------------------------


class Weighings(ListAPIView[Weighing]):
    """Weighings in the stores you may know, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = WeighingSerializer
    queryset = Weighing.objects.none()

    def get_queryset(self) -> QuerySet[Weighing]:
        return Weighing.objects.visible_to(person_of(self.request)).select_related("account")

    @extend_schema(operation_id="weighings_record", request=NewWeighingSerializer, responses={201: WeighingSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Give items of one store the masses they have now.

        What drying does not explain is refused (`mass-not-confirmed`) until it is sent as `confirmed`. Then the books
        stay, an alert is raised and the item is held, until another person has weighed it again, or the
        authority has judged.
        """
        given, person = _read(NewWeighingSerializer, request), person_of(request)
        account = _kept(person, given["store"])
        keys = find_each([row["item"] for row in given["items"]], person=person)
        key = f"api:{person.pk}:{request.headers.get(HEADER) or uuid.uuid4()}"[:90]
        try:
            weighing = services.weigh_items(
                actor=person,
                at=timezone.now(),
                key=key,
                account=account,
                grams={item: row["grams"] for item, row in zip(keys, given["items"], strict=True)},
                on=given.get("on"),
                confirmed=[item for item, row in zip(keys, given["items"], strict=True) if row["confirmed"]],
            )
        except services.MassNotConfirmed as refusal:
            odd = [(row, refusal.odd[item]) for row, item in enumerate(keys) if item in refusal.odd]
            refusal.fields = {f"items.{row}.confirmed": why_odd(judged) for row, judged in odd[:MOST_NAMED]}
            raise
        return Response(WeighingSerializer(weighing).data, status=201)


class OneWeighing(RetrieveAPIView[Weighing]):
    """One weighing, with what of it is still in question."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = WeighingDetailSerializer
    queryset = Weighing.objects.none()

    def get_queryset(self) -> QuerySet[Weighing]:
        return Weighing.objects.visible_to(person_of(self.request)).select_related("account", "weighed_by")


class SettleMasses(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="weighings_settle", request=SettleMassesSerializer, responses=WeighingDetailSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Judge masses in question for the authority: the books stay, the items are free.

        Keepers weigh again instead. Who weighed, or works where they do, is refused (`second-person-needed`).
        """
        person = person_of(request)
        known = Weighing.objects.visible_to(person).select_related("account__custodian", "weighed_by")
        found = get_object_or_404(known, pk=pk)
        if not is_authority(person):
            raise NotAllowed(services.NOT_THE_AUTHORITY)
        given = _read(SettleMassesSerializer, request)
        sign_by_password(person, given["password"])
        services.settle_masses(
            actor=person,
            at=timezone.now(),
            weighing=found,
            reason=given["reason"],
            item_ids=find_each(given["items"], person=person) if "items" in given else None,
        )
        return Response(WeighingDetailSerializer(found).data)


class ByKey(KeysetPagination):
    ordering = "pk"


class WeighingItems(ListAPIView[WeighIn]):
    """The items of one weighing."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = WeighInSerializer
    pagination_class = ByKey
    queryset = WeighIn.objects.none()

    def get_queryset(self) -> QuerySet[WeighIn]:
        known = Weighing.objects.visible_to(person_of(self.request))
        found = get_object_or_404(known, pk=self.kwargs["pk"])
        return WeighIn.objects.filter(weighing=found).select_related("item__derivative")


def _no_such_shelf(code: str, store: CustodyAccount) -> str:
    return _("“%(store)s” has no shelf with the code “%(code)s”.") % {"store": store.name, "code": code}


def _one_of(values: Sequence[str]) -> str:
    return _("One of: %(values)s.") % {"values": ", ".join(values)}


def _kept(person: User, code: str) -> CustodyAccount:
    """A store the person keeps; 403 for one that the person only knows, 422 for one that is none."""
    found = kept_places(person).filter(code=code).first()
    if found is not None:
        return found
    if CustodyAccount.objects.visible_to(person).filter(code=code).exists():
        raise PermissionDenied
    raise BadInput(fields={"store": no_such_store(code)})


def _read(shape: Any, request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    validated: dict[str, Any] = given.validated_data
    return validated


urlpatterns = [
    path("stocktakes/", StockTakes.as_view(), name="stocktakes"),
    path("stocktakes/<int:pk>/", OneStockTake.as_view(), name="stocktake"),
    path("stocktakes/<int:pk>/items/", StockTakeItems.as_view(), name="stocktake-items"),
    path("stocktakes/<int:pk>/counts/", StockTakeCounts.as_view(), name="stocktake-counts"),
    path("stocktakes/<int:pk>/draw/", DrawSample.as_view(), name="stocktake-draw"),
    path("stocktakes/<int:pk>/scan/", ScanStockTake.as_view(), name="stocktake-scan"),
    path("stocktakes/<int:pk>/undo/", UndoScan.as_view(), name="stocktake-undo"),
    path("stocktakes/<int:pk>/end/", EndCounting.as_view(), name="stocktake-end"),
    path("stocktakes/<int:pk>/again/", CountAgain.as_view(), name="stocktake-again"),
    path("stocktakes/<int:pk>/sign/", SignStockTake.as_view(), name="stocktake-sign"),
    path("stocktakes/<int:pk>/cancel/", CancelStockTake.as_view(), name="stocktake-cancel"),
    path("stores/<str:code>/climate/", StoreClimate.as_view(), name="store-climate"),
    path("weighings/", Weighings.as_view(), name="weighings"),
    path("weighings/<int:pk>/", OneWeighing.as_view(), name="weighing"),
    path("weighings/<int:pk>/settle/", SettleMasses.as_view(), name="weighing-settle"),
    path("weighings/<int:pk>/items/", WeighingItems.as_view(), name="weighing-items"),
]
