"""Who am I, and the regions and organisations everybody refers to."""

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import person_of
from core.accounts.models import Organisation, Region
from core.accounts.serializers import MeSerializer, OrganisationSerializer, RegionSerializer


class Me(APIView):
    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who you are here, the roles you hold today, and what they let you do."""
        return Response(MeSerializer(person_of(request)).data)


class Regions(ListAPIView[Region]):
    """The 20 regions, by the first two digits of KATO, with their names in three languages."""

    queryset = Region.objects.all()
    serializer_class = RegionSerializer
    pagination_class = None


@extend_schema(parameters=[OpenApiParameter("bin", str, description="Only the organisation with this BIN.")])
class Organisations(ListAPIView[Organisation]):
    """Legal persons known to the registry, newest first."""

    queryset = Organisation.objects.all()
    serializer_class = OrganisationSerializer

    def filter_queryset(self, queryset):  # type: ignore[no-untyped-def]
        wanted = self.request.query_params.get("bin")
        return queryset.filter(bin=wanted) if wanted else queryset


class OneOrganisation(RetrieveAPIView[Organisation]):
    """One legal person."""

    queryset = Organisation.objects.all()
    serializer_class = OrganisationSerializer


urlpatterns = [
    path("me/", Me.as_view(), name="me"),
    path("regions/", Regions.as_view(), name="regions"),
    path("organisations/", Organisations.as_view(), name="organisations"),
    path("organisations/<int:pk>/", OneOrganisation.as_view(), name="organisation"),
]
