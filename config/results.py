"""Files that jobs made, for the owners of the jobs.

Jobs know no documents and documents no jobs, so the two meet here, where the whole system is known.
"""

import uuid

from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
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


@require_safe
@requires()
def job_document(request: SignedInRequest, pk: uuid.UUID, document_id: uuid.UUID) -> FileResponse:
    """A file that this job made; 404 for anybody but the job's owner."""
    return serve(_made_by(request.user, pk, document_id), download=True)


class JobDocument(APIView):
    @extend_schema(
        operation_id="jobs_document",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file")},
    )
    def get(self, request: Request, pk: uuid.UUID, document_id: uuid.UUID) -> FileResponse:
        """A file that one of your jobs made."""
        return serve(_made_by(person_of(request), pk, document_id), download=True)


def _made_by(user: User, pk: uuid.UUID, document_id: uuid.UUID) -> Document:
    job = get_object_or_404(Job.objects.visible_to(user), pk=pk)
    if str(document_id) not in job.document_ids:
        raise Http404
    return get_object_or_404(Document, pk=document_id)
