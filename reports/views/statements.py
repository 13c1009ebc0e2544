"""Stock statements: asked for, made in the background, kept with their hash."""

from typing import Any

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
from core.documents.models import Document
from reports.forms import StatementForm, first_guess
from reports.models import Statement
from reports.services import ask_statement

FILES = {"pdf": "pdf", "xlsx": "xlsx", "csv": "csv", "movements": "movements_csv"}


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
    known = Statement.objects.visible_to(request.user).select_related(
        "account__custodian", "account__region", "asked_by", "job", "pdf", "xlsx", "csv", "movements_csv"
    )
    found = get_object_or_404(known, pk=pk)
    figures: dict[str, Any] = found.figures or {}
    context = {
        "statement": found,
        "is_mine": found.asked_by_id == request.user.pk,
        "files": _files(found),
        "balance": figures.get("balance", []),
        "changes": figures.get("changes", []),
        "movements": figures.get("movements", 0),
        "sums": _column_sums(figures.get("balance", [])),
    }
    return render(request, "reports/statement.html", context)


@requires(Can.SEE_STATEMENTS)
@require_safe
def statement_file(request: SignedInRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(Statement.objects.visible_to(request.user), pk=pk)
    document: Document | None = getattr(found, FILES[fmt])
    if document is None:
        raise Http404
    return serve(document, download=True)


def _files(statement: Statement) -> list[dict[str, object]]:
    """The files in the order of the page, each with what it is."""
    if not statement.is_published:
        return []
    labels = {
        "pdf": _("PDF, to read and sign"),
        "xlsx": _("XLSX, to reckon with"),
        "csv": _("CSV, balance"),
        "movements": _("CSV, movements"),
    }
    return [{"fmt": fmt, "label": label, "document": getattr(statement, FILES[fmt])} for fmt, label in labels.items()]


def _column_sums(balance: list[list[Any]]) -> list[int]:
    return [sum(row[index] for row in balance) for index in range(2, 10)] if balance else []
