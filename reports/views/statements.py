"""Stock statements: asked for, made in the background, kept with their hash."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal
from core.documents.files import serve
from reports.forms import StatementForm, first_guess
from reports.models import Figures, Statement
from reports.papers import balance_rows, change_rows
from reports.services import ask_statement
from reports.tables import Row


@requires(Can.SEE_STATEMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def statements(request: SignedInRequest) -> HttpResponseBase:
    """Ask for a statement; below, those asked for earlier, newest first."""
    now = timezone.now()
    form = StatementForm(
        request.POST or None,
        asker=request.user,
        initial=first_guess(request.user, today=day_of(now), language=get_language() or "kk"),
    )
    if request.method == "POST" and form.is_valid():
        try:
            statement = ask_statement(actor=request.user, at=now, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("reports:statement", pk=statement.pk)
    known = Statement.objects.visible_to(request.user).select_related("account", "asked_by", "job")
    page = keyset_page(known, request, size=25)
    context = {"form": form, "page": page}
    return render(request, "reports/statements.html", context, status=422 if form.errors else 200)


@requires(Can.SEE_STATEMENTS)
@require_safe
def statement(request: SignedInRequest, pk: int) -> HttpResponse:
    """One statement: the job while it is made; then its figures, its files and their hashes."""
    known = Statement.objects.visible_to(request.user).with_files()
    known = known.select_related("account__custodian", "account__region", "asked_by", "job")
    found = get_object_or_404(known, pk=pk)
    figures: Figures | None = found.figures
    balance = balance_rows(figures) if figures else []
    context = {
        "statement": found,
        "is_mine": found.asked_by_id == request.user.pk,
        "files": _files(found),
        "balance": balance,
        "changes": change_rows(figures) if figures else [],
        "movements": figures["movements"] if figures else 0,
        "sums": _column_sums(balance),
    }
    return render(request, "reports/statement.html", context)


@requires(Can.SEE_STATEMENTS)
@require_safe
def statement_file(request: SignedInRequest, pk: int, fmt: str) -> HttpResponseBase:
    document = get_object_or_404(Statement.objects.visible_to(request.user).with_files(), pk=pk).file(fmt)
    if document is None:
        raise Http404
    return serve(document, download=True)


def _files(statement: Statement) -> list[dict[str, object]]:
    """The files, each with what it is for."""
    labels = {
        "pdf": _("PDF, to read and sign"),
        "xlsx": _("XLSX, to calculate with"),
        "csv": _("CSV, balance"),
        "movements": _("CSV, movements"),
    }
    return [{"fmt": file.format, "label": labels[file.format], "document": file.document} for file in statement.files]


def _column_sums(balance: Sequence[Row]) -> list[int]:
    return [sum(value for row in balance if isinstance(value := row[index], int)) for index in range(2, 10)]
