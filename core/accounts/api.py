"""Who am I, the regions and organisations everybody refers to, and roles that two persons give."""

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.granting import ask_role, confirm_role, refuse_role
from core.accounts.idempotency import idempotent
from core.accounts.models import Organisation, Region, RoleRequest
from core.accounts.roles import Can, Role
from core.accounts.serializers import (
    AskRoleSerializer,
    DecideRoleSerializer,
    MeSerializer,
    OrganisationSerializer,
    RegionSerializer,
    RoleRequestSerializer,
)
from core.accounts.signature import sign_by_password


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


class RoleRequests(ListAPIView[RoleRequest]):
    """Roles that decide, asked for by one person: what waits and what was decided, newest first."""

    permission_classes = [granted(Can.CONFIRM_ROLES)]
    queryset = RoleRequest.objects.select_related("user", "organisation", "asked_by", "decided_by")
    serializer_class = RoleRequestSerializer

    @extend_schema(operation_id="role_requests_ask", request=AskRoleSerializer, responses={201: RoleRequestSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask that a person be given a role that decides; another person confirms or refuses it."""
        person = person_of(request)
        shape = AskRoleSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        said = dict(shape.validated_data)
        sign_by_password(person, said.pop("password"))
        role = Role(said.pop("role"))
        asked = ask_role(actor=person, at=timezone.now(), person=said.pop("user"), role=role, **said)
        return Response(RoleRequestSerializer(asked).data, status=201)


class DecideRoleRequest(APIView):
    permission_classes = [granted(Can.CONFIRM_ROLES)]

    @extend_schema(operation_id="role_requests_decide", request=DecideRoleSerializer, responses=RoleRequestSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Give the role that another person asked for, or do not; whoever asked may take it back."""
        person = person_of(request)
        asked = get_object_or_404(RoleRequest, pk=pk)
        shape = DecideRoleSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        sign_by_password(person, shape.validated_data["password"])
        decide = confirm_role if shape.validated_data["confirm"] else refuse_role
        decide(actor=person, at=timezone.now(), asked=asked)
        decided = RoleRequests.queryset.get(pk=pk)
        return Response(RoleRequestSerializer(decided).data)


urlpatterns = [
    path("role-requests/", RoleRequests.as_view(), name="role-requests"),
    path("role-requests/<int:pk>/decide/", DecideRoleRequest.as_view(), name="role-requests-decide"),
    path("me/", Me.as_view(), name="me"),
    path("regions/", Regions.as_view(), name="regions"),
    path("organisations/", Organisations.as_view(), name="organisations"),
    path("organisations/<int:pk>/", OneOrganisation.as_view(), name="organisation"),
]
