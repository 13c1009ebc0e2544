"""One's own background work, for programs."""

import uuid

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import person_of
from core.accounts.idempotency import idempotent
from core.base.api import KeysetPagination
from core.jobs.models import Job
from core.jobs.services import cancel_job


class JobSerializer(serializers.ModelSerializer[Job]):
    title = serializers.CharField(help_text="What people call this work, in the language of the request.")
    percent = serializers.IntegerField()
    result = serializers.DictField(help_text="When done; `documents` lists files to fetch, by id and name.")

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "title",
            "state",
            "done",
            "total",
            "percent",
            "message",
            "error",
            "result",
            "queued_at",
            "started_at",
            "finished_at",
        ]


class NewestFirst(KeysetPagination):
    ordering = "-queued_at"


def _mine(request: Request) -> QuerySet[Job]:
    return Job.objects.visible_to(person_of(request))


class Jobs(ListAPIView[Job]):
    """Your background work, newest first."""

    serializer_class = JobSerializer
    pagination_class: type[CursorPagination] = NewestFirst
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        return _mine(self.request)


class OneJob(RetrieveAPIView[Job]):
    """How far one of your jobs is. Ask again until `finished_at` is there."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        return _mine(self.request)


class Cancel(APIView):
    @extend_schema(operation_id="jobs_cancel", request=None, responses=JobSerializer)
    @idempotent
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop one of your jobs that has not finished."""
        found = get_object_or_404(_mine(request), pk=pk)
        return Response(JobSerializer(cancel_job(actor=person_of(request), at=timezone.now(), job=found)).data)


urlpatterns = [
    path("jobs/", Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:pk>/", OneJob.as_view(), name="job"),
    path("jobs/<uuid:pk>/cancel/", Cancel.as_view(), name="job-cancel"),
]
