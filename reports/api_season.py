"""The progress of a season, for programs."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.roles import Can
from registry.selectors import seasons_seen
from reports.season import Progress, season_progress


class ProgressSerializer(serializers.Serializer[Progress]):
    """Counts of all days that belong together. `asked` is how many notices still wait for an explanation."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the serializer's own label
    limit = serializers.IntegerField(allow_null=True)
    animals = serializers.IntegerField()
    unsigned = serializers.IntegerField(help_text="Of the animals, those whose sheet is not signed yet.")
    males = serializers.IntegerField()
    carcasses = serializers.IntegerField()
    horns_cut = serializers.IntegerField()
    registered = serializers.IntegerField(help_text="Horns registered.")
    grams = serializers.IntegerField()
    horns_a_male = serializers.FloatField(allow_null=True)
    asked = serializers.IntegerField()


class SeasonProgressSerializer(serializers.Serializer[Any]):
    season = serializers.IntegerField(source="season.pk")
    total = ProgressSerializer()
    regions = ProgressSerializer(many=True)
    brigades = ProgressSerializer(many=True)
    by_day = ProgressSerializer(many=True)


class SeasonFigures(APIView):
    permission_classes = [granted(Can.SEE_INTAKES)]

    @extend_schema(
        operation_id="seasons_progress",
        responses=SeasonProgressSerializer,
        parameters=[OpenApiParameter("region", str, description="KATO code: only this region.")],
    )
    def get(self, request: Request, pk: int) -> Response:
        """How far a season has come, in total, by region, by brigade and by day."""
        season = get_object_or_404(seasons_seen(person_of(request)), pk=pk)
        found = season_progress(season, person_of(request), region=request.query_params.get("region", ""))
        return Response(SeasonProgressSerializer(found).data)


urlpatterns = [path("seasons/<int:pk>/progress/", SeasonFigures.as_view(), name="season-progress")]
