"""Files that jobs made, for the owners of the jobs.

Jobs know no documents and documents no jobs, so the two meet here, where the whole system is known.
"""

import uuid

from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from core.accounts.doors import SignedInRequest, person_of, requires
from core.accounts.models import User
from core.documents.models import Document
from core.documents.services import serve
from core.jobs.models import Job
from marking.models import LabelPart
from marking.services.files import take_part
from marking.views.labels import serve_labels


@require_safe
@requires()
def job_document(request: SignedInRequest, pk: uuid.UUID, document_id: uuid.UUID) -> HttpResponseBase:
    """A file that this job made; 404 for anybody but the job's owner. Labels are taken on the page of their run."""
    document = _made_by(request.user, pk, document_id)
    part = LabelPart.objects.filter(document=document).first()
    if part is not None:
        return redirect(f"{reverse('marking:label-file', args=[part.run_id])}?part={part.part}&download")
    return serve(document, download=True)


class JobDocument(APIView):
    @extend_schema(
        operation_id="jobs_document",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file")},
    )
    def get(self, request: Request, pk: uuid.UUID, document_id: uuid.UUID) -> FileResponse:
        """A file that one of your jobs made. Labels only as at `labels/{id}/parts/{part}/`."""
        person = person_of(request)
        document = _made_by(person, pk, document_id)
        part = LabelPart.objects.filter(document=document).select_related("run").first()
        if part is None:
            return serve(document, download=True)
        take_part(actor=person, at=timezone.now(), part=part)
        return serve_labels(document, download=True)


def _made_by(user: User, pk: uuid.UUID, document_id: uuid.UUID) -> Document:
    job = get_object_or_404(Job.objects.visible_to(user), pk=pk)
    if str(document_id) not in job.document_ids:
        raise Http404
    return get_object_or_404(Document, pk=document_id)
