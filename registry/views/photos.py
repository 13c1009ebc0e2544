"""Photos of horns, for those who may know the horn."""

from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.documents.files import serve, serve_thumbnail
from registry.selectors import visible_photos


@requires()
@require_safe
def photo(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """The photo as it was given, or with ?small a thumbnail of it."""
    document = get_object_or_404(visible_photos(request.user), pk=pk)
    return serve_thumbnail(document) if "small" in request.GET else serve(document)
