"""The journal of all acts, for the auditor."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import Organisation
from core.accounts.roles import Can
from core.accounts.subjects import label_of, pages_of
from core.audit.models import Event
from core.audit.services import VERBS
from core.base.paging import keyset_page
from reports.downloads import XLSX_ROWS, send_report, too_many_for_a_sheet
from reports.filters import JournalFilter
from reports.papers import journal_table, table_report
from reports.tables import Row

BATCH = 2_000


@requires(Can.SEE_JOURNAL)
@require_safe
def journal(request: SignedInRequest) -> HttpResponse:
    chosen = JournalFilter(request.GET, queryset=Event.objects.all())
    page = keyset_page(chosen.qs if chosen.is_valid() else Event.objects.none(), request)
    organisations = Organisation.objects.in_bulk({event.organisation_id for event in page.rows})
    pages = pages_of(request.user, ((event.subject_kind, event.subject_id) for event in page.rows))
    context: dict[str, Any] = {
        "filter": chosen,
        "page": page,
        "rows": [
            {
                "event": event,
                "organisation": organisations.get(event.organisation_id),
                "subject": _kind_label(event),
                "name": event.subject_name or event.subject_id.partition("-")[0],
                "url": pages.get((event.subject_kind, event.subject_id), ""),
            }
            for event in page.rows
        ],
        "query": request.GET.urlencode(),
    }
    return render(request, "reports/journal.html", context)


@requires(Can.SEE_JOURNAL)
@require_safe
def journal_file(request: SignedInRequest, fmt: str) -> HttpResponseBase:
    """Every event that matches, oldest first: CSV of any length, XLSX while it is small enough."""
    chosen = JournalFilter(request.GET, queryset=Event.objects.all())
    if not chosen.is_valid():
        raise BadRequest
    found: QuerySet[Event] = chosen.qs
    if fmt == "xlsx" and found.order_by()[: XLSX_ROWS + 1].count() > XLSX_ROWS:
        return too_many_for_a_sheet(request, "reports:journal")
    report = table_report(journal_table(lambda: _file_rows(found)), title=_("Journal of all acts"))
    return send_report(report, fmt=fmt, name="journal")


def _kind_label(event: Event) -> str:
    return str(label_of(event.subject_kind))


def _file_rows(found: QuerySet[Event]) -> Iterator[Row]:
    names = {organisation.pk: organisation.name for organisation in Organisation.objects.all()}
    batch = list(found.order_by("pk")[:BATCH])
    while batch:
        for event in batch:
            yield (
                str(event.pk),
                event.at,
                event.recorded_at,
                str(VERBS.get(event.verb, event.verb)),
                event.verb,
                event.actor_name,
                names.get(event.organisation_id or 0, ""),
                _kind_label(event),
                event.subject_id,
                event.subject_name,
                json.dumps(event.facts, ensure_ascii=False, sort_keys=True) if event.facts else "",
            )
        batch = list(found.filter(pk__gt=batch[-1].pk).order_by("pk")[:BATCH])
