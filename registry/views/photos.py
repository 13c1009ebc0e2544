"""Photos of horns, for those who may know the horn."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from core.documents.files import serve, serve_thumbnail
from registry import services
from registry.models import Intake, RowPhoto
from registry.selectors import can_work_on, visible_photos


@requires()
@require_safe
def photo(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """The photo as it was given, or with ?small a thumbnail of it."""
    document = get_object_or_404(visible_photos(request.user), pk=pk)
    return serve_thumbnail(document) if "small" in request.GET else serve(document)


@requires(Can.SEE_INTAKES)
@require_http_methods(["GET", "HEAD", "POST"])
def row_photos(request: SignedInRequest, pk: int, row: int) -> HttpResponse:
    """The photos of a row before it is registered: which show a scale bar, and which do not belong."""
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    photos = RowPhoto.objects.filter(intake=intake, row=row).select_related("document")
    if request.method == "POST":
        shown = get_object_or_404(photos, document=request.POST.get("document") or UUID(int=0))
        try:
            services.change_photo(
                actor=request.user,
                at=timezone.now(),
                intake=intake,
                document=shown.document,
                has_scale_bar="scale_bar" in request.POST,
                removed="remove" in request.POST,
            )
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Saved."))
        return redirect("registry:row-photos", pk, row)
    context = {
        "intake": intake,
        "row": row,
        "photos": photos,
        "may_change": intake.is_open and can_work_on(request.user, intake),
    }
    return render(request, "registry/row_photos.html", context)
