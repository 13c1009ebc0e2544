"""Rows from a table file: a sample to fill in, a preview of everything, and only then the rows."""

import csv
import io
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from core.documents.files import serve
from core.documents.models import Document
from core.jobs.models import Job
from registry import services
from registry.fields import FIELDS, HORN
from registry.forms import SheetFileForm
from registry.importing import FileRefused, read_sheet
from registry.models import Intake, IntakeSheet
from registry.samples import HEADERS, csv_sample, xlsx_sample
from registry.selectors import can_work_on
from registry.services import importing
from registry.sheet import columns_of
from registry.wording import refusal_in_words

SALT = "registry.import"
PREVIEW_HOLDS = 12 * 3600  # seconds


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_http_methods(["GET", "HEAD", "POST"])
def intake_import(request: SignedInRequest, pk: int) -> HttpResponse:
    """The form, what a file says, or how far the work on it is."""
    intake = _intake(request, pk)
    if "job" in request.GET:
        return _show_job(request, intake)
    if not intake.is_open:
        messages.error(request, _("This reception is closed: its table takes no more rows."))
        return redirect("registry:intake", pk)
    if "token" in request.POST:
        return _add(request, intake)
    form = SheetFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > importing.LARGE:
                return _read_later(request, intake, file)
            content = file.read()
            sheet = read_sheet(content, intake.term)
            document = importing.keep_sheet(actor=request.user, at=timezone.now(), name=file.name, content=content)
        except FileRefused as refusal:
            form.add_error("file", refusal_in_words(refusal))
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return _preview(request, intake, document, importing.findings(sheet, intake))
    context = {"intake": intake, "form": form, "columns": columns_of(intake.term)}
    return render(request, "registry/import.html", context, status=422 if form.errors else 200)


def _intake(request: SignedInRequest, pk: int) -> Intake:
    intake = get_object_or_404(Intake.objects.visible_to(request.user).select_related("store"), pk=pk)
    if not can_work_on(request.user, intake):
        raise Http404
    return intake


def _read_later(request: SignedInRequest, intake: Intake, file: Any) -> HttpResponse:
    document = importing.keep_sheet(actor=request.user, at=timezone.now(), name=file.name, content=file)
    job = importing.start_reading(actor=request.user, at=timezone.now(), intake=intake, document=document)
    return _to_job(intake, job)


def _to_job(intake: Intake, job: Job) -> HttpResponse:
    answer = redirect("registry:intake-import", intake.pk)
    answer["Location"] += f"?job={job.pk}"
    return answer


def _show_job(request: SignedInRequest, intake: Intake) -> HttpResponse:
    """How far a job on a file of this intake is; once it has ended, what came of it."""
    try:
        key = UUID(request.GET["job"])
    except ValueError:
        raise Http404 from None
    kinds = (importing.JOB_READ, importing.JOB_ADD)
    known = Job.objects.visible_to(request.user).filter(kind__in=kinds, params__intake=intake.pk)
    job = get_object_or_404(known, pk=key)
    if job.state != Job.State.DONE:
        return render(request, "registry/import_job.html", {"intake": intake, "job": job})
    if "refused" in job.result:
        messages.error(request, job.result["refused"])
        return redirect("registry:intake-import", intake.pk)
    document = get_object_or_404(Document, pk=job.params["document"], uploaded_by=request.user)
    if job.kind == importing.JOB_ADD and job.result["added"]:
        return _added(request, intake, job.result["added"])
    return _preview(request, intake, document, job.result)


def _added(request: SignedInRequest, intake: Intake, count: int) -> HttpResponse:
    said = ngettext("%(count)d row added to the table.", "%(count)d rows added to the table.", count)
    messages.success(request, said % {"count": count})
    return redirect("registry:intake", intake.pk)


def _preview(request: SignedInRequest, intake: Intake, document: Document, found: dict[str, Any]) -> HttpResponse:
    """Everything the file says, before anything of it is on the table."""
    problems: dict[int, list[tuple[str, str, str]]] = {}
    for line, column, value, reason in found["problems"]:
        problems.setdefault(line, []).append((column, reason, value))
    context = {
        "intake": intake,
        "document": document,
        "problems": sorted(problems.items()),
        "bad": found["bad"],
        "more": found["bad_cells"] > len(found["problems"]),
        "good": found["good"],
        "is_horn": intake.term == HORN,
        "ignored": found["ignored"],
        "earlier": IntakeSheet.objects.filter(intake=intake, document__sha256=document.sha256).first(),
        "token": signing.dumps(
            {"intake": intake.pk, "document": str(document.pk), "person": request.user.pk}, salt=SALT
        ),
    }
    return render(request, "registry/import_preview.html", context)


def _add(request: SignedInRequest, intake: Intake) -> HttpResponse:
    """Read the kept file again and put its good rows on the table; the person saw which are not good."""
    document = _previewed(request, intake)
    if document is None:
        messages.error(request, _("This preview is no longer valid. Send the file again."))
        return redirect("registry:intake-import", intake.pk)
    only_good = "only_good" in request.POST
    if document.size > importing.LARGE:
        job = importing.start_adding(
            actor=request.user, at=timezone.now(), intake=intake, document=document, only_good=only_good
        )
        return _to_job(intake, job)
    sheet = importing.read_kept(document, intake.term)
    if sheet.problems and not only_good:
        messages.error(request, _("The file has rows that cannot be taken: choose what to do with them."))
        return _preview(request, intake, document, importing.findings(sheet, intake))
    try:
        services.add_sheet_rows(
            actor=request.user,
            at=timezone.now(),
            intake=intake,
            document=document,
            rows=sheet.rows,
            rows_refused=len(sheet.bad_lines),
        )
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("registry:intake", intake.pk)
    return _added(request, intake, len(sheet.rows))


def _previewed(request: SignedInRequest, intake: Intake) -> Document | None:
    """The file of the preview that the token names, if this person saw it for this intake."""
    try:
        seen = signing.loads(request.POST["token"], salt=SALT, max_age=PREVIEW_HOLDS)
    except signing.BadSignature:
        return None
    if (seen["intake"], seen["person"]) != (intake.pk, request.user.pk):
        return None
    return Document.objects.filter(pk=seen["document"]).first()


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_POST
def import_problems(request: SignedInRequest, pk: int) -> HttpResponse:
    """Every bad row of a previewed file as a table, to correct them by."""
    intake = _intake(request, pk)
    document = _previewed(request, intake) if "token" in request.POST else None
    if document is None:
        raise Http404
    out = io.StringIO()
    table = csv.writer(out, delimiter=";", lineterminator="\r\n")
    table.writerow([_("Row of the file"), _("Column"), _("What stands there"), _("Reason")])
    sheet = importing.read_kept(document, intake.term)
    for line, column, value, reason in importing.problems_in_words(sheet.problems, intake.term):
        # A spreadsheet must not take what stands there for a formula.
        table.writerow([line, column, f"'{value}" if value[:1] in "=+-@\t\r" and value else value, reason])
    return HttpResponse(
        out.getvalue().encode("utf-8-sig"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="bad-rows.csv"'},
    )


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_safe
def import_sample(request: SignedInRequest, fmt: str) -> HttpResponse:
    """An empty table file whose columns are named in the reader's language."""
    language = get_language() or "kk"
    language = language if language in HEADERS else "kk"
    term = request.GET.get("term", HORN)
    if term not in FIELDS:
        raise Http404
    if fmt == "csv":
        content, kind = csv_sample(language, term), "text/csv; charset=utf-8"
    else:
        content, kind = xlsx_sample(language, term), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(
        content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{term}.{fmt}"'}
    )


@requires(Can.SEE_INTAKES)
@require_safe
def intake_sheet(request: SignedInRequest, pk: int, sheet: int) -> HttpResponseBase:
    """A table file that was added to an intake, as it was given."""
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    found = get_object_or_404(IntakeSheet.objects.select_related("document"), pk=sheet, intake=intake)
    response: FileResponse = serve(found.document, download=True)
    return response
