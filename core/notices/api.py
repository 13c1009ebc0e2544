"""Alerts and discrepancies, for programs."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.errors import BadInput, NotFound
from core.notices.models import Notice, NoticeNote
from core.notices.services import assign_notices, comment_notice, decide_notice, explain_notice, return_notice


class PersonField(serializers.SlugRelatedField[User]):
    """A person by the user name."""

    def __init__(self) -> None:
        super().__init__(slug_field="username", read_only=True)


class NoteSerializer(serializers.ModelSerializer[NoticeNote]):
    """A comment, an explanation, or why it was returned. People are named by their user names."""

    by = PersonField()

    class Meta:
        model = NoticeNote
        fields = ["kind", "text", "by", "at"]


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    text = serializers.CharField(help_text="What it says, in the language of the request.")
    advice = serializers.CharField(help_text="What whoever is told does next, in the language of the request.")
    caused_by = PersonField()
    assigned_to = PersonField()
    explained_by = PersonField()
    notes = NoteSerializer(many=True, read_only=True)

    class Meta:
        model = Notice
        fields = [
            "id",
            "kind",
            "code",
            "params",
            "text",
            "advice",
            "subject_kind",
            "subject_id",
            "organisation",
            "decides",
            "caused_by",
            "assigned_to",
            "raised_at",
            "due_on",
            "escalated_at",
            "explained_by",
            "explained_at",
            "state",
            "outcome",
            "decision",
            "reason",
            "decided_at",
            "notes",
        ]


class DecisionSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(
        [choice for choice in Notice.Outcome.choices if choice[0] != Notice.Outcome.SETTLED],
        help_text="What came of it; of goods that are missing an explanation alone is no end.",
    )
    decision = serializers.CharField(max_length=200)
    reason = serializers.CharField(max_length=4000)


def _visible(request: Request) -> QuerySet[Notice]:
    known = Notice.objects.visible_to(person_of(request))
    return known.select_related("caused_by", "assigned_to", "explained_by").prefetch_related("notes__by")


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
        """Close an open notice, but none that you raised, with a decision and its reason; it stays as decided."""
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = get_object_or_404(_visible(request), pk=pk)
        decided = decide_notice(actor=person_of(request), at=timezone.now(), notice=found, **given.validated_data)
        return Response(NoticeSerializer(decided).data)


class ExplanationSerializer(serializers.Serializer[Any]):
    explanation = serializers.CharField(max_length=4000)


class ReturnSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)
    due_on = serializers.DateField(required=False, allow_null=True, default=None)


class CommentSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=4000)


class AssignmentSerializer(serializers.Serializer[Any]):
    notices = serializers.ListField(child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=500)
    person = serializers.CharField(
        max_length=150, allow_null=True, help_text="Whom to, by the user name; null for nobody in particular."
    )


class AssignedSerializer(serializers.Serializer[Any]):
    assigned = serializers.IntegerField(help_text="How many changed hands.")


class Explain(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="notices_explain", request=ExplanationSerializer, responses=NoticeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Explain a notice of your organisation that the authority decides."""
        return _acted(request, pk, ExplanationSerializer, explain_notice)


class Return(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="notices_return", request=ReturnSerializer, responses=NoticeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Not accept an explanation; it is open again."""
        return _acted(request, pk, ReturnSerializer, return_notice)


class Comment(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="notices_comment", request=CommentSerializer, responses=NoticeSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Write something beside a notice, for all who see it."""
        return _acted(request, pk, CommentSerializer, comment_notice)


class Assign(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="notices_assign", request=AssignmentSerializer, responses=AssignedSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        """Say who acts on several notices."""
        given = AssignmentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        found = list(_visible(request).filter(pk__in=asked["notices"]))
        if len(found) != len(set(asked["notices"])):
            raise NotFound
        person = None
        if (username := asked["person"]) is not None:
            person = User.objects.filter(username=username).first()
            if person is None:
                raise BadInput(fields={"person": _("No person of the register has this user name.")})
        count = assign_notices(actor=person_of(request), at=timezone.now(), notices=found, person=person)
        return Response({"assigned": count})


def _acted(
    request: Request, pk: int, shape: type[serializers.Serializer[Any]], service: Callable[..., object]
) -> Response:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    found = get_object_or_404(_visible(request), pk=pk)
    service(actor=person_of(request), at=timezone.now(), notice=found, **given.validated_data)
    return Response(NoticeSerializer(get_object_or_404(_visible(request), pk=pk)).data)


urlpatterns = [
    path("notices/", Notices.as_view(), name="notices"),
    path("notices/<int:pk>/", OneNotice.as_view(), name="notice"),
    path("notices/assign/", Assign.as_view(), name="notices-assign"),
    path("notices/<int:pk>/explain/", Explain.as_view(), name="notice-explain"),
    path("notices/<int:pk>/return/", Return.as_view(), name="notice-return"),
    path("notices/<int:pk>/comment/", Comment.as_view(), name="notice-comment"),
    path("notices/<int:pk>/decide/", Decide.as_view(), name="notice-decide"),
]
