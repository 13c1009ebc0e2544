"""Files of anything, for programs: cameras, partner systems."""

from typing import Any
from uuid import UUID

from django.http import FileResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import person_of
from core.accounts.idempotency import idempotent
from core.accounts.subjects import may_see
from core.base.errors import BadInput, NotFound
from core.base.uploads import takes_films
from core.documents.attaching import (
    LONGEST_CAPTION,
    LONGEST_REASON,
    attach_files,
    files_of,
    visible_attachment,
    withdraw_file,
)
from core.documents.files import serve, serve_thumbnail
from core.documents.models import Attachment


class FileSerializer(serializers.ModelSerializer[Attachment]):
    """A file of something; its `id` names it in the other addresses."""

    id = serializers.UUIDField(source="document_id")
    name = serializers.CharField(source="document.name")
    media_type = serializers.CharField(source="document.media_type")
    size = serializers.IntegerField(source="document.size", help_text="Bytes.")
    sha256 = serializers.CharField(source="document.sha256")
    metres_away = serializers.IntegerField(
        allow_null=True, help_text="From where the subject was said to be to where the camera says it was."
    )
    withdrawn_at = serializers.DateTimeField(source="withdrawal.at", default=None, allow_null=True)
    withdrawal_reason = serializers.CharField(source="withdrawal.reason", default="")

    class Meta:
        model = Attachment
        fields = [
            "id",
            "subject_kind",
            "subject_id",
            "name",
            "media_type",
            "size",
            "sha256",
            "caption",
            "taken_at",
            "lat",
            "lon",
            "stated_lat",
            "stated_lon",
            "stated_place",
            "metres_away",
            "added_by",
            "added_at",
            "withdrawn_at",
            "withdrawal_reason",
        ]


class NewFilesSerializer(serializers.Serializer[Any]):
    subject_kind = serializers.CharField(max_length=30)
    subject_id = serializers.CharField(max_length=40)
    caption = serializers.CharField(max_length=LONGEST_CAPTION, required=False, allow_blank=True, default="")
    files = serializers.ListField(child=serializers.FileField(), allow_empty=False)


class NothingKept(BadInput):
    """None of the files that were sent could be kept: a program that reads the status alone must not believe it."""

    code = "nothing-kept"
    message = _("No file was kept.")


class OutcomeSerializer(serializers.Serializer[Any]):
    """What became of one file: `file` when it is kept, `problem` when not. `again`: equal files elsewhere."""

    name = serializers.CharField()
    file = FileSerializer(source="attachment", allow_null=True)
    problem = serializers.CharField(allow_blank=True)
    again = serializers.IntegerField()


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_REASON)


@takes_films
class Files(APIView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="files_list",
        parameters=[
            OpenApiParameter("subject_kind", str, required=True, description="Such as derivative, intake, case."),
            OpenApiParameter("subject_id", str, required=True),
        ],
        responses=FileSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """All files of one subject, withdrawn ones too."""
        kind, key = (request.query_params.get(name, "") for name in ("subject_kind", "subject_id"))
        if not kind or not key:
            raise BadInput(
                fields={
                    "subject_kind": _("Say of what kind of thing, such as case or handover."),
                    "subject_id": _("Say of which one, by its id."),
                }
            )
        if not may_see(person_of(request), kind, key):
            raise NotFound
        shown = files_of(person_of(request), kind, key)
        return Response(FileSerializer([one.attachment for one in shown], many=True).data)

    @extend_schema(
        operation_id="files_add",
        request={"multipart/form-data": NewFilesSerializer},
        responses={201: OutcomeSerializer(many=True)},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Add several files to one subject; each has its own result, and a bad one does not lose the others.

        Where none is kept the answer is a problem (`nothing-kept`), whose `fields` say why: `files.1` is the first.
        """
        given = NewFilesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        outcomes = attach_files(
            actor=person_of(request),
            at=timezone.now(),
            subject=(asked["subject_kind"], asked["subject_id"]),
            files=asked["files"],
            caption=asked["caption"],
        )
        if not any(one.attachment for one in outcomes):
            raise NothingKept(
                fields={f"files.{at}": f"{one.name}: {one.problem}" for at, one in enumerate(outcomes, start=1)}
            )
        return Response(OutcomeSerializer(outcomes, many=True).data, status=201)


class OneFile(APIView):
    @extend_schema(operation_id="files_retrieve", responses=FileSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """What is known of one file."""
        return Response(FileSerializer(visible_attachment(person_of(request), pk)).data)


BYTES = {(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file")}


class Content(APIView):
    @extend_schema(operation_id="files_content", responses=BYTES)
    def get(self, request: Request, pk: UUID) -> FileResponse:
        """The file byte for byte as it was given."""
        return serve(visible_attachment(person_of(request), pk).document, download=True)


class Thumbnail(APIView):
    @extend_schema(operation_id="files_thumbnail", responses={(200, "image/jpeg"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: UUID) -> FileResponse:
        """A small picture of a photo, upright, without place or time."""
        document = visible_attachment(person_of(request), pk).document
        if not document.is_photo:
            raise NotFound
        return serve_thumbnail(document)


class Withdraw(APIView):
    @extend_schema(operation_id="files_withdraw", request=ReasonSerializer, responses=FileSerializer)
    @idempotent
    def post(self, request: Request, pk: UUID) -> Response:
        """Mark a file that was added wrongly as withdrawn; it stays readable."""
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        attachment = visible_attachment(person_of(request), pk)
        withdraw_file(actor=person_of(request), at=timezone.now(), attachment=attachment, **given.validated_data)
        return Response(FileSerializer(visible_attachment(person_of(request), pk)).data)


urlpatterns = [
    path("files/", Files.as_view(), name="files"),
    path("files/<uuid:pk>/", OneFile.as_view(), name="file"),
    path("files/<uuid:pk>/content/", Content.as_view(), name="file-content"),
    path("files/<uuid:pk>/thumbnail/", Thumbnail.as_view(), name="file-thumbnail"),
    path("files/<uuid:pk>/withdraw/", Withdraw.as_view(), name="file-withdraw"),
]
