"""Rows from a table file: a sample to fill in, a preview of everything, and only then the rows."""

from django.contrib import messages
from django.core import signing
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from core.documents.files import serve
from core.documents.models import Document
from core.documents.services import keep_document
from registry import services
from registry.forms import SheetFileForm
from registry.importing import MAX_BYTES, FileRefused, Sheet, read_sheet
from registry.models import Intake, IntakeSheet, Side
from registry.samples import HEADERS, csv_sample, xlsx_sample
from registry.selectors import Tally, can_work_on, plausibility
from registry.wording import column_in_words, problem_in_words, refusal_in_words

SALT = "registry.import"
PREVIEW_HOLDS = 12 * 3600  # seconds


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_http_methods(["GET", "HEAD", "POST"])
def intake_import(request: SignedInRequest, pk: int) -> HttpResponse:
    intake = get_object_or_404(Intake.objects.visible_to(request.user).select_related("store"), pk=pk)
    if not can_work_on(request.user, intake):
        raise Http404
    if not intake.is_open:
        messages.error(request, _("This reception is closed: its table takes no more rows."))
        return redirect("registry:intake", pk)
    if "token" in request.POST:
        return _add(request, intake)
    form = SheetFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        content = file.read(MAX_BYTES + 1)
        try:
            sheet = read_sheet(content, intake.term)
            document = keep_document(
                actor=request.user,
                at=timezone.now(),
                kind=Document.Kind.SHEET,
                name=file.name,
                content=content,
                media_type="text/csv",
            )
        except FileRefused as refusal:
            form.add_error("file", refusal_in_words(refusal))
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return _preview(request, intake, document, sheet)
    return render(request, "registry/import.html", {"intake": intake, "form": form}, status=422 if form.errors else 200)


def _preview(request: SignedInRequest, intake: Intake, document: Document, sheet: Sheet) -> HttpResponse:
    """Everything the file says, before anything of it is on the table."""
    rules = plausibility(intake.on, intake.term)
    problems: dict[int, list[tuple[object, str, str]]] = {}
    for problem in sheet.problems:
        words = (
            column_in_words(problem.column, intake.term),
            problem_in_words(problem, intake.term),
            problem.value,
        )
        problems.setdefault(problem.line, []).append(words)
    good = Tally(
        pieces=len(sheet.rows),
        grams=sum(row.mass_g for row in sheet.rows),
        left=sum(row.side == Side.LEFT for row in sheet.rows),
        right=sum(row.side == Side.RIGHT for row in sheet.rows),
        outside=sum(rules.is_outside(row) for row in sheet.rows),
    )
    earlier = IntakeSheet.objects.filter(intake=intake, document__sha256=document.sha256).first()
    context = {
        "intake": intake,
        "document": document,
        "problems": sorted(problems.items()),
        "good": good,
        "ignored": sheet.ignored_columns,
        "earlier": earlier,
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
    with document.file.open("rb") as file:
        sheet = read_sheet(file.read(), intake.term)
    if sheet.problems and "only_good" not in request.POST:
        messages.error(request, _("The file has rows that cannot be taken: choose what to do with them."))
        return _preview(request, intake, document, sheet)
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
    said = ngettext("%(count)d row added to the table.", "%(count)d rows added to the table.", len(sheet.rows))
    messages.success(request, said % {"count": len(sheet.rows)})
    return redirect("registry:intake", intake.pk)


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
@require_safe
def import_sample(request: SignedInRequest, fmt: str) -> HttpResponse:
    """An empty table file whose columns are named in the reader's language."""
    language = get_language() or "kk"
    language = language if language in HEADERS else "kk"
    if fmt == "csv":
        content, kind = csv_sample(language), "text/csv; charset=utf-8"
    else:
        content, kind = xlsx_sample(language), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(
        content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="horns.{fmt}"'}
    )


@requires(Can.SEE_INTAKES)
@require_safe
def intake_sheet(request: SignedInRequest, pk: int, sheet: int) -> HttpResponseBase:
    """A table file that was added to an intake, as it was given."""
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    found = get_object_or_404(IntakeSheet.objects.select_related("document"), pk=sheet, intake=intake)
    response: FileResponse = serve(found.document, download=True)
    return response
