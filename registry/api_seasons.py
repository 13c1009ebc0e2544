"""Seasons, decisions, removal permits, brigades and daily sheets, for programs."""

from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.base.errors import BadInput
from registry import services
from registry.days import animals_signed, animals_taken
from registry.filters import SlaughterPointFilter
from registry.filters_sheets import sheets_of
from registry.models import Brigade, DailySheet, RemovalDecision, RemovalLimit, RemovalPermit, Season, SlaughterPoint
from registry.selectors import limits_seen, permits_seen, seasons_seen
from registry.serializers import IntakeSerializer
from registry.serializers_seasons import (
    BrigadeSerializer,
    DailySheetSerializer,
    NewDecisionSerializer,
    NewRemovalPermitSerializer,
    NewSheetSerializer,
    RemovalDecisionSerializer,
    RemovalPermitSerializer,
    SeasonSerializer,
    SheetCorrectionSerializer,
    SheetReceptionSerializer,
    SlaughterPointSerializer,
    WhySerializer,
)
from registry.services import papers

DAY = "Day as 2026-03-05."
OF_SEASON = OpenApiParameter("season", int, description="Key of the season.")


def _of_season(request: Request, found: QuerySet[Any]) -> QuerySet[Any]:
    key = request.query_params.get("season")
    if key is None:
        return found
    if not (key.isdecimal() and len(key) < 19):
        raise BadInput(fields={"season": _("Give the key of the season: a whole number.")})
    return found.filter(season=int(key))


class Seasons(ListAPIView[Season]):
    """Removal seasons in which you have a part, newest first; all of them for those who oversee."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = SeasonSerializer
    queryset = Season.objects.none()

    def get_queryset(self) -> QuerySet[Season]:
        return seasons_seen(person_of(self.request))

    @extend_schema(operation_id="seasons_open", request=SeasonSerializer, responses={201: SeasonSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a season. For the authority."""
        return _entered(request, SeasonSerializer, papers.open_season, SeasonSerializer)


@extend_schema(parameters=[OF_SEASON])
class Decisions(ListAPIView[RemovalDecision]):
    """Decisions on regulation with their limits, and what permits let of them: the lines of your regions and
    permits, or all for those who oversee.
    """

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = RemovalDecisionSerializer
    queryset = RemovalDecision.objects.none()

    def get_queryset(self) -> QuerySet[RemovalDecision]:
        return _of_season(self.request, _decisions(limits_seen(person_of(self.request))))

    @extend_schema(
        operation_id="removal_decisions_enter",
        request=NewDecisionSerializer,
        responses={201: RemovalDecisionSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a decision with all its limits. For the authority."""
        given = NewDecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = papers.enter_removal_decision(actor=person_of(request), at=timezone.now(), **given.facts())
        return Response(
            RemovalDecisionSerializer(_decisions(RemovalLimit.objects.all()).get(pk=made.pk)).data, status=201
        )


def _decisions(limits: QuerySet[RemovalLimit]) -> QuerySet[RemovalDecision]:
    """Decisions that have some of these lines, with these lines only."""
    given = Coalesce(Sum("permits__animals_limit", filter=Q(permits__withdrawn_at=None)), 0)
    lines = RemovalLimit.objects.filter(pk__in=limits.values("pk")).annotate(given=given)
    known = RemovalDecision.objects.filter(pk__in=limits.values("decision"))
    return known.prefetch_related(Prefetch("limits", lines))


@extend_schema(parameters=[OF_SEASON])
class RemovalPermits(ListAPIView[RemovalPermit]):
    """Removal permits of your regions and organisations, with the animals taken under each."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = RemovalPermitSerializer
    queryset = RemovalPermit.objects.none()

    def get_queryset(self) -> QuerySet[RemovalPermit]:
        return _of_season(self.request, permits_seen(person_of(self.request)))

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        if getattr(self, "swagger_fake_view", False):
            return context
        seen = self.get_queryset()
        return context | {"taken": animals_taken(seen), "signed": animals_signed(seen)}

    @extend_schema(
        operation_id="removal_permits_enter",
        request=NewRemovalPermitSerializer,
        responses={201: RemovalPermitSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a permit under one line of a decision. For the authority."""
        return _entered(request, NewRemovalPermitSerializer, papers.enter_removal_permit, RemovalPermitSerializer)


class WithdrawPermit(APIView):
    permission_classes = [granted(Can.KEEP_SEASONS)]

    @extend_schema(operation_id="removal_permits_withdraw", request=WhySerializer, responses=RemovalPermitSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take back a permit under which nothing was removed yet."""
        given = WhySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        permit = get_object_or_404(permits_seen(person_of(request)), pk=pk)
        done = papers.withdraw_removal_permit(
            actor=person_of(request), at=timezone.now(), permit=permit, **given.validated_data
        )
        return Response(RemovalPermitSerializer(done).data)


@extend_schema(parameters=[OF_SEASON])
class Brigades(ListAPIView[Brigade]):
    """Brigades with their contracts: of your regions, or all for those who oversee."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = BrigadeSerializer
    queryset = Brigade.objects.none()

    def get_queryset(self) -> QuerySet[Brigade]:
        person = person_of(self.request)
        found = Brigade.objects.all()
        if not person.can(Can.SEE_EVERYTHING):
            found = found.filter(region__in=permits_seen(person).values("region"))
        return _of_season(self.request, found)

    @extend_schema(operation_id="brigades_enter", request=BrigadeSerializer, responses={201: BrigadeSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a brigade with its contract. For the authority."""
        return _entered(request, BrigadeSerializer, papers.enter_brigade, BrigadeSerializer)


class SlaughterPoints(ListAPIView[SlaughterPoint]):
    """Attested slaughter points that deliveries and veterinary certificates can name."""

    permission_classes = [granted(Can.SEE_INTAKES, Can.KEEP_CERTIFICATES)]
    serializer_class = SlaughterPointSerializer
    queryset = SlaughterPoint.objects.none()

    @extend_schema(parameters=[OpenApiParameter("region", str, description="KATO code of the region.")])
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[SlaughterPoint]:
        chosen = SlaughterPointFilter(self.request.query_params)
        if not chosen.is_valid():
            raise BadInput(fields={name: " ".join(map(str, texts)) for name, texts in chosen.errors.items()})
        found: QuerySet[SlaughterPoint] = chosen.qs
        return found

    @extend_schema(
        operation_id="slaughter_points_enter",
        request=SlaughterPointSerializer,
        responses={201: SlaughterPointSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter an attested slaughter point. For the authority."""
        return _entered(request, SlaughterPointSerializer, papers.enter_slaughter_point, SlaughterPointSerializer)


def _entered(
    request: Request, shape: type[BaseSerializer[Any]], act: Callable[..., Any], told: type[BaseSerializer[Any]]
) -> Response:
    """Validate the shape, let the service write, and tell what was written."""
    given = shape(data=request.data, context={"request": request})
    given.is_valid(raise_exception=True)
    made = act(actor=person_of(request), at=timezone.now(), **given.validated_data)
    return Response(told(made).data, status=201)


def _sheets(request: Request) -> QuerySet[DailySheet]:
    known = DailySheet.objects.visible_to(person_of(request)).select_related("permit", "brigade")
    return known.prefetch_related("deliveries__store", "deliveries__slaughter_point")


@extend_schema(
    parameters=[
        OpenApiParameter("state", str, enum=DailySheet.State.values),
        OF_SEASON,
        OpenApiParameter("region", str, description="KATO code of the region."),
        OpenApiParameter("brigade", int, description="Key of the brigade."),
        OpenApiParameter("since", str, description=f"From this day. {DAY}"),
        OpenApiParameter("until", str, description=f"Until this day. {DAY}"),
    ]
)
class DailySheets(ListAPIView[DailySheet]):
    """Daily sheets that you may know, newest first."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = DailySheetSerializer
    queryset = DailySheet.objects.none()

    def get_queryset(self) -> QuerySet[DailySheet]:
        chosen = sheets_of(self.request.query_params, request=self.request, reader=person_of(self.request))
        if not chosen.is_valid():
            raise BadInput(fields={name: " ".join(map(str, texts)) for name, texts in chosen.errors.items()})
        found: QuerySet[DailySheet] = chosen.qs.prefetch_related("deliveries__store", "deliveries__slaughter_point")
        return found

    @extend_schema(operation_id="daily_sheets_enter", request=NewSheetSerializer, responses={201: DailySheetSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter the sheet of a brigade and day. What does not fit together is asked about: repeat it with `confirm`."""
        given = NewSheetSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        made = services.enter_daily_sheet(actor=person_of(request), at=timezone.now(), **given.facts())
        return Response(DailySheetSerializer(made).data, status=201)


class OneDailySheet(RetrieveAPIView[DailySheet]):
    """One daily sheet."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = DailySheetSerializer
    queryset = DailySheet.objects.none()

    def get_queryset(self) -> QuerySet[DailySheet]:
        return _sheets(self.request)

    @extend_schema(operation_id="daily_sheets_correct", request=SheetCorrectionSerializer)
    @idempotent
    def put(self, request: Request, pk: int) -> Response:
        """Correct the figures of an open sheet."""
        given = SheetCorrectionSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        done = services.correct_daily_sheet(
            actor=person_of(request),
            at=timezone.now(),
            sheet=get_object_or_404(_sheets(request), pk=pk),
            **given.facts(),
        )
        return Response(DailySheetSerializer(done).data)


class SignSheet(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE)]

    @extend_schema(operation_id="daily_sheets_sign", request=None, responses=DailySheetSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Sign the sheet: it stays as it is, and is compared with what was registered."""
        sheet = get_object_or_404(_sheets(request), pk=pk)
        done = services.sign_daily_sheet(actor=person_of(request), at=timezone.now(), sheet=sheet)
        return Response(DailySheetSerializer(done).data)


class WithdrawSheet(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE)]

    @extend_schema(operation_id="daily_sheets_withdraw", request=WhySerializer, responses=DailySheetSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take back an open sheet that no reception rests on."""
        return _with_reason(request, pk, services.withdraw_daily_sheet)


class ReopenSheet(APIView):
    permission_classes = [granted(Can.KEEP_SEASONS)]

    @extend_schema(operation_id="daily_sheets_reopen", request=WhySerializer, responses=DailySheetSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Open a signed sheet for correction. For the authority."""
        return _with_reason(request, pk, services.reopen_daily_sheet)


def _with_reason(request: Request, pk: int, act: Callable[..., DailySheet]) -> Response:
    given = WhySerializer(data=request.data)
    given.is_valid(raise_exception=True)
    sheet = get_object_or_404(_sheets(request), pk=pk)
    done = act(actor=person_of(request), at=timezone.now(), sheet=sheet, **given.validated_data)
    return Response(DailySheetSerializer(done).data)


class SheetReception(APIView):
    permission_classes = [granted(Can.OPEN_INTAKE)]

    @extend_schema(
        operation_id="daily_sheets_open_reception",
        request=SheetReceptionSerializer,
        responses={201: IntakeSerializer},
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Open the reception of a sheet's horns at a reception point; the figures are the sheet's."""
        given = SheetReceptionSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        sheet = get_object_or_404(_sheets(request), pk=pk)
        opened = services.open_sheet_reception(
            actor=person_of(request), at=timezone.now(), sheet=sheet, store=given.validated_data["store"]
        )
        return Response(IntakeSerializer(opened).data, status=201)


urlpatterns = [
    path("seasons/", Seasons.as_view(), name="seasons"),
    path("removal-decisions/", Decisions.as_view(), name="removal-decisions"),
    path("removal-permits/", RemovalPermits.as_view(), name="removal-permits"),
    path("removal-permits/<int:pk>/withdraw/", WithdrawPermit.as_view(), name="removal-permit-withdraw"),
    path("brigades/", Brigades.as_view(), name="brigades"),
    path("slaughter-points/", SlaughterPoints.as_view(), name="slaughter-points"),
    path("daily-sheets/", DailySheets.as_view(), name="daily-sheets"),
    path("daily-sheets/<int:pk>/", OneDailySheet.as_view(), name="daily-sheet"),
    path("daily-sheets/<int:pk>/sign/", SignSheet.as_view(), name="daily-sheet-sign"),
    path("daily-sheets/<int:pk>/withdraw/", WithdrawSheet.as_view(), name="daily-sheet-withdraw"),
    path("daily-sheets/<int:pk>/reopen/", ReopenSheet.as_view(), name="daily-sheet-reopen"),
    path("daily-sheets/<int:pk>/reception/", SheetReception.as_view(), name="daily-sheet-reception"),
]
