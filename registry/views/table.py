"""Writing the weighing table: by a script while one types, by a plain form, and photos of its rows."""

import json
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import BadInput, DomainError
from registry import services
from registry.models import Intake, RowPhoto
from registry.serializers import ChangedRowsSerializer, SavedRowSerializer
from registry.services import TableChanged
from registry.sheet import after_others, read_posted, whole_number
from registry.views.intakes import known_intakes, redirect_to_table, show_intake

MOST_SENT = 5_000  # rows that one answer to the script holds


@requires(Can.SEE_INTAKES)
@require_http_methods(["GET", "HEAD", "POST"])
def intake_rows(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rows of the table for the script (GET), changes from the script (JSON), or the whole page of a plain form."""
    intake = get_object_or_404(known_intakes(request), pk=pk)
    if request.method != "POST":
        return _send_rows(request, intake)
    if request.content_type == "application/json":
        return _save_json(request, intake)
    return _save_form(request, intake)


def _send_rows(request: HttpRequest, intake: Intake) -> JsonResponse:
    """The rows from ?first= to ?last=, and the version of the table they belong to."""
    first, last = (request.GET.get(name, "") for name in ("first", "last"))
    rows = intake.rows.order_by("row").filter(row__gte=whole_number(first) or 1)
    if (upto := whole_number(last)) is not None:
        rows = rows.filter(row__lte=upto)
    end = intake.rows.order_by("-row").values_list("row", flat=True).first() or 0
    body = {
        "version": intake.version,
        "state": intake.state,
        "last": end,
        "rows": _with_photos(intake, list(SavedRowSerializer(rows[:MOST_SENT], many=True).data)),
    }
    return JsonResponse(body, headers={"Cache-Control": "no-store"})


def _with_photos(intake: Intake, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each with the keys of its photos."""
    photos: dict[int, list[str]] = {}
    if rows:
        of_rows = RowPhoto.objects.filter(intake=intake, row__gte=rows[0]["row"], row__lte=rows[-1]["row"])
        for row, document in of_rows.values_list("row", "document"):
            photos.setdefault(row, []).append(str(document))
    return [{**row, "photos": photos.get(row["row"], [])} for row in rows]


def _save_json(request: SignedInRequest, intake: Intake) -> JsonResponse:
    try:
        sent = json.loads(request.body)
    except ValueError:
        return _refuse(BadInput())
    changed = ChangedRowsSerializer(data=sent)
    if not changed.is_valid():
        return _refuse(BadInput(fields=_wrong_cells(sent, changed.errors)))
    try:
        saved = services.save_rows(
            actor=request.user,
            at=timezone.now(),
            intake=intake,
            version=changed.validated_data["version"],
            rows=changed.table_rows(),
            removed=changed.validated_data["removed"],
        )
    except DomainError as refusal:
        return _refuse(refusal)
    return JsonResponse({"version": saved.version})


def _wrong_cells(sent: Any, errors: Any) -> dict[str, str]:
    """The errors of a shape, named as the service names cells: "rows.7.mass_g"."""
    rows = errors.get("rows")
    named: dict[str, str] = {}
    for place, wrong in rows.items() if isinstance(rows, dict) and isinstance(sent["rows"], list) else ():
        row = sent["rows"][place]
        number = row.get("row", place) if isinstance(row, dict) else place
        named |= {f"rows.{number}.{column}": str(texts[0]) for column, texts in wrong.items()}
    return named


def _refuse(refusal: DomainError) -> JsonResponse:
    body = {
        "code": refusal.code,
        "detail": str(refusal),
        "fields": {name: str(text) for name, text in refusal.fields.items()},
    }
    return JsonResponse(body, status=refusal.status)


def _save_form(request: SignedInRequest, intake: Intake) -> HttpResponse:
    """What people without scripts send: every line of the page, and photos beside them."""
    posted = read_posted(request.POST, intake.term)
    if not posted.is_right:
        messages.error(request, _("Some rows cannot be saved. Nothing was saved; correct the cells that are marked."))
        return show_intake(request, intake, typed=posted.lines, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    version = whole_number(request.POST.get("version", ""))
    try:
        services.save_rows(
            actor=request.user,
            at=timezone.now(),
            intake=intake,
            version=-1 if version is None else version,
            rows=posted.rows,
            removed=posted.removed,
        )
    except TableChanged as refusal:
        said = _("Your lines are below as you typed them, your new ones after theirs. Save again to keep them.")
        messages.error(request, f"{refusal} {said}")
        intake.refresh_from_db(fields=["version"])
        lines = after_others(posted.lines, intake)
        return show_intake(request, intake, typed=lines, status=refusal.status)
    except DomainError as refusal:
        messages.error(request, " ".join([str(refusal), *(str(text) for text in refusal.fields.values())]))
        return show_intake(request, intake, typed=posted.lines, status=refusal.status)
    _attach_photos(request, intake)
    messages.success(request, _("Saved."))
    return redirect_to_table(intake, request.POST.get("page", ""))


def _attach_photos(request: SignedInRequest, intake: Intake) -> None:
    """Photos chosen in a plain form; one that cannot be used is told and the others are kept."""
    for name, files in request.FILES.lists():
        kind, _dash, text = name.partition("-")
        row = whole_number(text)
        if kind != "photo" or row is None:
            continue
        for file in files:
            _attach_photo(request, intake, row, file)


def _attach_photo(request: SignedInRequest, intake: Intake, row: int, file: UploadedFile) -> None:
    try:
        services.attach_photo(
            actor=request.user,
            at=timezone.now(),
            intake=intake,
            row=row,
            name=file.name or "",
            content=file,
            has_scale_bar="scale_bar" in request.POST,
        )
    except DomainError as refusal:
        detail = " ".join([str(refusal), *(str(text) for text in refusal.fields.values())])
        messages.error(request, _("Photo of row %(row)s: %(reason)s") % {"row": row, "reason": detail})


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_POST
def row_photo(request: SignedInRequest, pk: int, row: int) -> JsonResponse:
    """A photo of the horn in one saved row, sent by the script."""
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    file = request.FILES.get("photo")
    if file is None:
        return _refuse(BadInput(_("There is no photo.")))
    try:
        photo = services.attach_photo(
            actor=request.user,
            at=timezone.now(),
            intake=intake,
            row=row,
            name=file.name or "",
            content=file,
            has_scale_bar="scale_bar" in request.POST,
        )
    except DomainError as refusal:
        return _refuse(refusal)
    return JsonResponse({"photo": str(photo.pk), "url": reverse("registry:photo", args=[photo.pk])})
