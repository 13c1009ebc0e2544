"""Applications, permits and hand-overs, for programs: the same services as the pages."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
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
from core.accounts.models import Organisation
from core.accounts.roles import Can
from core.accounts.signature import sign_by_password
from core.base.api import KeysetPagination
from core.base.clock import day_of
from core.base.errors import BadInput, NotFound
from core.documents.files import serve
from custody.scanning import find_items, read_scan
from ledger.models import CustodyAccount, Handover, HandoverLine, HandoverPaper, HandoverSeal
from ledger.serializers import no_such_store
from permits import services
from permits.arrivals import take_scan
from permits.filters import HandoverFilter
from permits.machine import State
from permits.models import Application, Decision, Permit, PermitLine
from permits.papers import LANGUAGES, paper_of
from permits.selectors import (
    count_lines,
    describe_items,
    find_problems,
    missing_on_the_way,
    places_of_goods,
    receiving_stores,
)
from permits.serializers import (
    AcceptSerializer,
    ApplicationDetailSerializer,
    ApplicationSerializer,
    DecideSerializer,
    DispatchSerializer,
    HandoverDetailSerializer,
    HandoverLineSerializer,
    HandoverSerializer,
    LineSerializer,
    LinesSerializer,
    MissingSerializer,
    NewApplicationSerializer,
    OpenArrivedSerializer,
    PermitLineSerializer,
    PermitReasonSerializer,
    PermitSerializer,
    ReceiveMissingSerializer,
    SampleDrawnSerializer,
    SampleSerializer,
    ScanSerializer,
    TurnBackSerializer,
    VerdictSerializer,
    WeighSerializer,
    WishesSerializer,
)
from permits.views.said import own_hosts
from registry.models import Derivative

# --- applications -----------------------------------------------------------------------------------------------


def _applications(request: Request) -> QuerySet[Application]:
    return Application.objects.visible_to(person_of(request)).select_related("applicant", "receiver", "store")


class Applications(ListAPIView[Application]):
    """Applications of your organisations, newest first; for those who oversee, all that were submitted."""

    permission_classes = [granted(Can.SEE_APPLICATIONS)]
    serializer_class = ApplicationSerializer
    queryset = Application.objects.none()

    @extend_schema(parameters=[OpenApiParameter("state", str, enum=State.values, description="Only these.")])
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Application]:
        state = self.request.query_params.get("state")
        if state is not None and state not in State.values:
            raise BadInput(fields={"state": ", ".join(State.values)})
        found = _applications(self.request)
        return found.filter(state=state) if state else found

    @extend_schema(
        operation_id="applications_open",
        request=NewApplicationSerializer,
        responses={201: ApplicationDetailSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Begin a draft, with its items if you know them. It is nobody else's until you submit it."""
        given = _read(NewApplicationSerializer, request)
        person = person_of(request)
        applicant = _applicant(request, given.get("applicant"))
        now = timezone.now()
        opened = services.open_application(
            actor=person, at=now, kind=given["kind"], applicant=applicant, wishes=_wishes(given)
        )
        if given.get("items"):
            services.add_lines(
                actor=person, at=now, application=opened, item_ids=find_items(given["items"], person=person)
            )
        return Response(ApplicationDetailSerializer(opened).data, status=201)


class OneApplication(RetrieveAPIView[Application]):
    """One application with its decisions."""

    permission_classes = [granted(Can.SEE_APPLICATIONS)]
    serializer_class = ApplicationDetailSerializer
    queryset = Application.objects.none()

    def get_queryset(self) -> QuerySet[Application]:
        return _applications(self.request).prefetch_related("decisions")

    @extend_schema(operation_id="applications_change", request=WishesSerializer, responses=ApplicationDetailSerializer)
    @idempotent
    def patch(self, request: Request, pk: int) -> Response:
        """Change what a draft or a returned application says; what you leave out stays as it is."""
        found = get_object_or_404(_applications(request), pk=pk)
        given = _read(WishesSerializer, request)
        kept = {
            "store": found.store.code if found.store else None,
            "purpose": found.purpose,
            "wished_from": found.wished_from,
            "wished_until": found.wished_until,
            "price_tenge": found.price_tenge,
        }
        services.change_application(
            actor=person_of(request), at=timezone.now(), application=found, wishes=_wishes({**kept, **given})
        )
        return _application(request, pk)


class ApplicationItems(APIView):
    permission_classes = [granted(Can.SEE_APPLICATIONS)]

    @extend_schema(operation_id="applications_items", responses=LineSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Every item, with what stands against it today."""
        found = get_object_or_404(_applications(request), pk=pk)
        is_open = found.is_waiting or found.is_changeable
        problems = find_problems(found, day_of(timezone.now())) if is_open else {}
        items = Derivative.objects.filter(application_lines__application=found).order_by("pk")
        return Response([LineSerializer(row).data for row in describe_items(list(items), problems)])

    @extend_schema(
        operation_id="applications_change_items", request=LinesSerializer, responses=ApplicationDetailSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Put items on a draft or take them off."""
        found = get_object_or_404(_applications(request), pk=pk)
        given, now = _read(LinesSerializer, request), timezone.now()
        if given.get("remove"):
            services.remove_lines(
                actor=person_of(request),
                at=now,
                application=found,
                item_ids=find_items(given["remove"], person=person_of(request)),
            )
        if given.get("add"):
            services.add_lines(
                actor=person_of(request),
                at=now,
                application=found,
                item_ids=find_items(given["add"], person=person_of(request)),
            )
        return _application(request, pk)


class SubmitApplication(APIView):
    permission_classes = [granted(Can.APPLY)]

    @extend_schema(operation_id="applications_submit", request=None, responses=ApplicationDetailSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Hand it to the authority. Refused with the reasons when something stands against an item."""
        found = get_object_or_404(_applications(request), pk=pk)
        services.submit_application(actor=person_of(request), at=timezone.now(), application=found)
        return _application(request, pk)


class WithdrawApplication(APIView):
    permission_classes = [granted(Can.APPLY)]

    @extend_schema(operation_id="applications_withdraw", request=None, responses=ApplicationDetailSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take it back, for good."""
        found = get_object_or_404(_applications(request), pk=pk)
        services.withdraw_application(actor=person_of(request), at=timezone.now(), application=found)
        return _application(request, pk)


class TakeUpApplication(APIView):
    permission_classes = [granted(Can.DECIDE_APPLICATION)]

    @extend_schema(operation_id="applications_take_up", request=None, responses=ApplicationDetailSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Say that you work on it."""
        found = get_object_or_404(_applications(request), pk=pk)
        services.take_up_application(actor=person_of(request), at=timezone.now(), application=found)
        return _application(request, pk)


class DecideApplication(APIView):
    permission_classes = [granted(Can.DECIDE_APPLICATION)]

    @extend_schema(operation_id="applications_decide", request=DecideSerializer, responses=ApplicationDetailSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Approve (issues the permit), refuse (reason and article) or return for correction (reason)."""
        found = get_object_or_404(_applications(request), pk=pk)
        given = _read(DecideSerializer, request)
        person, now = person_of(request), timezone.now()
        match given["outcome"]:
            case Decision.Outcome.APPROVED:
                valid_until = given.get("valid_until") or found.wished_until
                if valid_until is None:
                    raise BadInput(fields={"valid_until": _("Say it.")})
                services.approve_application(actor=person, at=now, application=found, valid_until=valid_until)
            case Decision.Outcome.REFUSED:
                services.refuse_application(
                    actor=person, at=now, application=found, reason=given["reason"], article=given["article"]
                )
            case _:
                services.return_application(actor=person, at=now, application=found, reason=given["reason"])
        return _application(request, pk)


def _application(request: Request, pk: int) -> Response:
    found = _applications(request).prefetch_related("decisions").get(pk=pk)
    return Response(ApplicationDetailSerializer(found).data)


def _applicant(request: Request, bin_: str | None) -> Organisation:
    mine = Organisation.objects.filter(pk__in=person_of(request).organisation_ids(Can.APPLY))
    found = list(mine.filter(bin=bin_) if bin_ else mine)
    if len(found) != 1:
        raise BadInput(fields={"applicant": ", ".join(mine.values_list("bin", flat=True))})
    return found[0]


def _wishes(given: dict[str, Any]) -> services.Wishes:
    code = given.get("store")
    store = receiving_stores().filter(code=code).first() if code else None
    if code and store is None:
        raise BadInput(fields={"store": no_such_store(code)})
    return services.Wishes(
        store=store,
        purpose=given.get("purpose") or "",
        wished_from=given.get("wished_from"),
        wished_until=given.get("wished_until"),
        price_tenge=given.get("price_tenge"),
    )


# --- permits ----------------------------------------------------------------------------------------------------


def _permits(request: Request) -> QuerySet[Permit]:
    return Permit.objects.visible_to(person_of(request)).select_related("holder", "receiver", "store", "ending")


class WithToday:
    """Serialises permits by what they are worth today."""

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()  # type: ignore[misc]
        return {**context, "today": day_of(timezone.now())}


class Permits(WithToday, ListAPIView[Permit]):
    """Permits that your organisations hold or receive under, newest first; for those who oversee, all."""

    permission_classes = [granted(Can.SEE_APPLICATIONS)]
    serializer_class = PermitSerializer
    queryset = Permit.objects.none()

    def get_queryset(self) -> QuerySet[Permit]:
        return _permits(self.request)


class OnePermit(WithToday, RetrieveAPIView[Permit]):
    """One permit."""

    permission_classes = [granted(Can.SEE_APPLICATIONS)]
    serializer_class = PermitSerializer
    queryset = Permit.objects.none()

    def get_queryset(self) -> QuerySet[Permit]:
        return _permits(self.request)


class ByRow(KeysetPagination):
    ordering = "row"


class PermitItems(ListAPIView[PermitLine]):
    """The items a permit covers, as they were on the day of issue, and what used them."""

    permission_classes = [granted(Can.SEE_APPLICATIONS)]
    serializer_class = PermitLineSerializer
    pagination_class = ByRow
    queryset = PermitLine.objects.none()

    def get_queryset(self) -> QuerySet[PermitLine]:
        found = get_object_or_404(_permits(self.request), pk=self.kwargs["pk"])
        return PermitLine.objects.filter(permit=found).select_related("item")


class RevokePermit(APIView):
    permission_classes = [granted(Can.DECIDE_APPLICATION)]

    @extend_schema(operation_id="permits_revoke", request=PermitReasonSerializer, responses=PermitSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """End a permit before its time. Goods on their way under it can only be returned."""
        found = get_object_or_404(_permits(request), pk=pk)
        given, now = _read(PermitReasonSerializer, request), timezone.now()
        services.revoke_permit(actor=person_of(request), at=now, permit=found, reason=given["reason"])
        ended = _permits(request).get(pk=pk)
        return Response(PermitSerializer(ended, context={"today": day_of(now)}).data)


# --- hand-overs -------------------------------------------------------------------------------------------------


def _handovers(request: Request) -> QuerySet[Handover]:
    return Handover.objects.visible_to(person_of(request)).select_related("source", "target", "dispatched_by")


class Handovers(ListAPIView[Handover]):
    """Hand-overs from and to the stores you may know, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = HandoverSerializer
    queryset = Handover.objects.none()

    @extend_schema(
        parameters=[
            OpenApiParameter("state", str, enum=Handover.State.values, description="Only these."),
            OpenApiParameter("q", str, description="Number begins with."),
            OpenApiParameter("direction", str, enum=["in", "out"], description="To or from your stores."),
            OpenApiParameter("way", str, enum=["open"], description="Under way, there or back."),
            OpenApiParameter("late", str, enum=["yes"], description="Under way, past the time when it was expected."),
        ]
    )
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Handover]:
        chosen = HandoverFilter(self.request.query_params, reader=person_of(self.request))
        if not chosen.is_valid():
            raise BadInput(fields={name: " ".join(map(str, texts)) for name, texts in chosen.errors.items()})
        found: QuerySet[Handover] = chosen.qs.select_related("source", "target", "dispatched_by")
        return found

    @extend_schema(operation_id="handovers_dispatch", request=DispatchSerializer, responses={201: HandoverSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Send items to another store, under the State's rule or a permit. They are in transit until accepted."""
        given = _read(DispatchSerializer, request)
        person = person_of(request)
        sign_by_password(person, given.pop("password"))
        permit = None
        if number := given.pop("permit", None):
            permit = get_object_or_404(_permits(request), number=number)
        handover = services.dispatch_goods(
            actor=person,
            at=timezone.now(),
            key=f"api:{person.pk}:{request.headers.get(HEADER) or uuid.uuid4()}"[:100],
            source=_place(given.pop("source"), "source"),
            target=_place(given.pop("target"), "target"),
            item_ids=find_items(given.pop("items"), person=person_of(request)),
            permit=permit,
            **given,
        )
        return Response(HandoverSerializer(handover).data, status=201)


class OneHandover(RetrieveAPIView[Handover]):
    """One hand-over, with its seals."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = HandoverDetailSerializer
    queryset = Handover.objects.none()

    def get_queryset(self) -> QuerySet[Handover]:
        return _handovers(self.request).prefetch_related("seal_checks__box")


class MissingGoods(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="handovers_missing", responses=MissingSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Everything that is missing on the way, the oldest first: until it is found, or written off."""
        rows = missing_on_the_way(person_of(request), at=timezone.now())
        return Response([MissingSerializer(row).data for row in rows])


class ReceiveMissing(APIView):
    permission_classes = [granted(Can.RECEIVE)]

    @extend_schema(
        operation_id="handovers_receive_missing", request=ReceiveMissingSerializer, responses=HandoverSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take in what was missing on arrival and has turned up."""
        found = get_object_or_404(_handovers(request), pk=pk)
        given = _read(ReceiveMissingSerializer, request)
        sign_by_password(person_of(request), given["password"])
        services.receive_missing_goods(
            actor=person_of(request),
            at=timezone.now(),
            handover=found,
            item_ids=find_items(given["items"], person=person_of(request)),
            reason=given["reason"],
        )
        return Response(HandoverSerializer(_handovers(request).get(pk=pk)).data)


class ByKey(KeysetPagination):
    ordering = "pk"


class HandoverItems(ListAPIView[HandoverLine]):
    """The items of a hand-over, and which of them arrived."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = HandoverLineSerializer
    pagination_class = ByKey
    queryset = HandoverLine.objects.none()

    def get_queryset(self) -> QuerySet[HandoverLine]:
        found = get_object_or_404(_handovers(self.request), pk=self.kwargs["pk"])
        return HandoverLine.objects.filter(handover=found).select_related("item__derivative", "box")


class ScanHandover(APIView):
    permission_classes = [granted(Can.RECEIVE)]

    @extend_schema(operation_id="handovers_scan", request=ScanSerializer, responses=VerdictSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """One scan of the receiver: its verdict, and what is still missing."""
        found = get_object_or_404(_handovers(request), pk=pk)
        code = _read(ScanSerializer, request)["code"]
        services.require_receiver(person_of(request), found)
        said = take_scan(person_of(request), found, code, hosts=own_hosts(request), at=timezone.now())
        answer = {"verdict": said.tone, "title": said.title, "text": said.text, **count_lines(found)}
        return Response(VerdictSerializer(answer).data)


class AcceptHandover(APIView):
    permission_classes = [granted(Can.RECEIVE)]

    @extend_schema(operation_id="handovers_accept", request=AcceptSerializer, responses=HandoverSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take what was scanned into the receiving store; what is missing needs a reason and becomes a discrepancy."""
        found = get_object_or_404(_handovers(request), pk=pk)
        given = _read(AcceptSerializer, request)
        sign_by_password(person_of(request), given["password"])
        services.accept_goods(
            actor=person_of(request),
            at=timezone.now(),
            handover=found,
            difference_reason=given["difference_reason"],
            reasons=_by_item(found, given["reasons"]),
            seals=_by_seal(found, given["seals"]),
            carrier_said=given["carrier_said"],
        )
        return Response(HandoverSerializer(_handovers(request).get(pk=pk)).data)


class SampleOfHandover(APIView):
    permission_classes = [granted(Can.RECEIVE)]

    @extend_schema(operation_id="handovers_sample", request=SampleSerializer, responses=SampleDrawnSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Choose by a published seed which items are weighed on arrival."""
        found = get_object_or_404(_handovers(request), pk=pk)
        size = _read(SampleSerializer, request)["size"]
        drawn = services.draw_sample_of_goods(actor=person_of(request), at=timezone.now(), handover=found, size=size)
        lines = HandoverLine.objects.filter(handover=drawn, in_sample=True).order_by("item__derivative__number")
        items = list(lines.values_list("item__derivative__number", flat=True))
        return Response(SampleDrawnSerializer({"seed": drawn.sample_seed, "size": size, "items": items}).data)


class WeighHandover(APIView):
    permission_classes = [granted(Can.RECEIVE)]

    @extend_schema(operation_id="handovers_weigh", request=WeighSerializer, responses=HandoverLineSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Note what one item weighed on arrival."""
        found = get_object_or_404(_handovers(request), pk=pk)
        given = _read(WeighSerializer, request)
        items = find_items([given["code"]], person=person_of(request))
        if len(items) != 1:
            raise BadInput(fields={"code": _("Scan one item.")})
        line = services.weigh_goods(
            actor=person_of(request),
            at=timezone.now(),
            handover=found,
            item_id=items[0],
            grams=given["grams"],
            confirmed=given["confirmed"],
            reason=given["reason"],
        )
        return Response(HandoverLineSerializer(line).data)


class OpenBoxOfHandover(APIView):
    permission_classes = [granted(Can.RECEIVE)]

    @extend_schema(operation_id="handovers_open_box", request=OpenArrivedSerializer, responses=HandoverSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Open the seal of a box that arrived; its items are then scanned one by one."""
        found = get_object_or_404(_handovers(request), pk=pk)
        given = _read(OpenArrivedSerializer, request)
        scan = read_scan(given["box"], person=person_of(request), own_hosts=own_hosts(request))
        if scan.box is None:
            raise BadInput(fields={"box": given["box"]})
        services.open_box_of_goods(
            actor=person_of(request),
            at=timezone.now(),
            handover=found,
            box=scan.box,
            reason=given["reason"],
            seal=HandoverSeal.State(given["seal"]),
        )
        return Response(HandoverSerializer(found).data)


class HandoverPapers(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="handovers_paper", responses={(200, "application/pdf"): bytes})
    def get(self, request: Request, pk: int, kind: str, language: str) -> HttpResponseBase:
        """Waybill, hand-over act or discrepancy act as PDF, in Kazakh, Russian or English."""
        known = _handovers(request).select_related("source__custodian", "target__custodian")
        found = get_object_or_404(known, pk=pk)
        if kind not in HandoverPaper.Kind.values or language not in LANGUAGES:
            raise NotFound
        paper = HandoverPaper.Kind(kind)
        document = paper_of(found, paper, LANGUAGES[language], actor=person_of(request), at=timezone.now())
        return serve(document)


def _by_item(handover: Handover, reasons: dict[str, str]) -> dict[int, str]:
    lines = HandoverLine.objects.filter(handover=handover, item__derivative__number__in=reasons)
    keys = dict(lines.values_list("item__derivative__number", "item_id"))
    if unknown := sorted(set(reasons) - keys.keys()):
        raise BadInput(fields={"reasons": ", ".join(unknown[:20])})
    return {keys[number]: text for number, text in reasons.items()}


def _by_seal(handover: Handover, seals: dict[str, str]) -> dict[int, HandoverSeal.State]:
    keys = dict(handover.seal_checks.values_list("number", "pk"))
    if unknown := sorted(set(seals) - keys.keys()):
        raise BadInput(fields={"seals": ", ".join(unknown[:20])})
    return {keys[number]: HandoverSeal.State(state) for number, state in seals.items()}


class ReturnHandover(APIView):
    permission_classes = [granted(Can.DISPATCH)]

    @extend_schema(operation_id="handovers_return", request=TurnBackSerializer, responses=HandoverSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Turn a load on its way back: it is scanned and accepted at the store that sent it, by another person."""
        found = get_object_or_404(_handovers(request), pk=pk)
        given = _read(TurnBackSerializer, request)
        sign_by_password(person_of(request), given["password"])
        services.turn_goods_back(actor=person_of(request), at=timezone.now(), handover=found, reason=given["reason"])
        return Response(HandoverSerializer(_handovers(request).get(pk=pk)).data)


def _place(code: str, field: str) -> CustodyAccount:
    found = places_of_goods().filter(code=code).first()
    if found is None:
        raise BadInput(fields={field: no_such_store(code)})
    return found


def _read(shape: Any, request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    validated: dict[str, Any] = given.validated_data
    return validated


urlpatterns = [
    path("applications/", Applications.as_view(), name="applications"),
    path("applications/<int:pk>/", OneApplication.as_view(), name="application"),
    path("applications/<int:pk>/items/", ApplicationItems.as_view(), name="application-items"),
    path("applications/<int:pk>/submit/", SubmitApplication.as_view(), name="application-submit"),
    path("applications/<int:pk>/withdraw/", WithdrawApplication.as_view(), name="application-withdraw"),
    path("applications/<int:pk>/take-up/", TakeUpApplication.as_view(), name="application-take-up"),
    path("applications/<int:pk>/decide/", DecideApplication.as_view(), name="application-decide"),
    path("permits/", Permits.as_view(), name="permits"),
    path("permits/<int:pk>/", OnePermit.as_view(), name="permit"),
    path("permits/<int:pk>/items/", PermitItems.as_view(), name="permit-items"),
    path("permits/<int:pk>/revoke/", RevokePermit.as_view(), name="permit-revoke"),
    path("handovers/", Handovers.as_view(), name="handovers"),
    path("handovers/missing/", MissingGoods.as_view(), name="handovers-missing"),
    path("handovers/<int:pk>/receive-missing/", ReceiveMissing.as_view(), name="handover-receive-missing"),
    path("handovers/<int:pk>/", OneHandover.as_view(), name="handover"),
    path("handovers/<int:pk>/items/", HandoverItems.as_view(), name="handover-items"),
    path("handovers/<int:pk>/scan/", ScanHandover.as_view(), name="handover-scan"),
    path("handovers/<int:pk>/sample/", SampleOfHandover.as_view(), name="handover-sample"),
    path("handovers/<int:pk>/weigh/", WeighHandover.as_view(), name="handover-weigh"),
    path("handovers/<int:pk>/open-box/", OpenBoxOfHandover.as_view(), name="handover-open-box"),
    path("handovers/<int:pk>/papers/<slug:kind>/<slug:language>/", HandoverPapers.as_view(), name="handover-paper"),
    path("handovers/<int:pk>/accept/", AcceptHandover.as_view(), name="handover-accept"),
    path("handovers/<int:pk>/return/", ReturnHandover.as_view(), name="handover-return"),
]
