"""Alerts and discrepancies, for programs."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.base.errors import BadInput, NotAllowed
from core.notices.models import Notice
from core.notices.services import decide_notice


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    text = serializers.CharField(help_text="What it says, in the language of the request.")

    class Meta:
        model = Notice
        fields = [
            "id",
            "kind",
            "code",
            "params",
            "text",
            "subject_kind",
            "subject_id",
            "organisation",
            "raised_at",
            "due_on",
            "state",
            "decision",
            "reason",
            "decided_at",
        ]


class DecisionSerializer(serializers.Serializer[Any]):
    decision = serializers.CharField(max_length=200)
    reason = serializers.CharField(max_length=4000)


def _visible(request: Request) -> QuerySet[Notice]:
    return Notice.objects.visible_to(person_of(request))


@extend_schema(parameters=[OpenApiParameter("state", str, enum=Notice.State.values, description="Only these.")])
class Notices(ListAPIView[Notice]):
    """Notices of your organisations, newest first; all of them for those who oversee."""

    permission_classes = [granted(Can.DECIDE_NOTICE, Can.SEE_EVERYTHING)]
    serializer_class = NoticeSerializer
    queryset = Notice.objects.none()

    def get_queryset(self) -> QuerySet[Notice]:
        state = self.request.query_params.get("state")
        if state is None:
            return _visible(self.request)
        if state not in Notice.State.values:
            raise BadInput(fields={"state": ", ".join(Notice.State.values)})
        return _visible(self.request).filter(state=state)


class OneNotice(RetrieveAPIView[Notice]):
    """One notice."""

    permission_classes = [granted(Can.DECIDE_NOTICE, Can.SEE_EVERYTHING)]
    serializer_class = NoticeSerializer
    queryset = Notice.objects.none()

    def get_queryset(self) -> QuerySet[Notice]:
        return _visible(self.request)


class Decide(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="notices_decide", request=DecisionSerializer, responses=NoticeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Close an open notice with a decision and its reason; it cannot be changed afterwards."""
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = get_object_or_404(_visible(request), pk=pk)
        if found.is_open and not Notice.objects.decidable_by(person_of(request)).filter(pk=pk).exists():
            raise NotAllowed
        decided = decide_notice(actor=person_of(request), at=timezone.now(), notice=found, **given.validated_data)
        return Response(NoticeSerializer(decided).data)


urlpatterns = [
    path("notices/", Notices.as_view(), name="notices"),
    path("notices/<int:pk>/", OneNotice.as_view(), name="notice"),
    path("notices/<int:pk>/decide/", Decide.as_view(), name="notice-decide"),
]
