"""Tables sent to the browser: CSV as it is made, XLSX from a file on disk."""

import tempfile
from collections.abc import Iterator
from typing import IO

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language, ngettext

from reports.tables import Report, write_csv, write_xlsx

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSX_ROWS = 50_000
CSV_TYPE = "text/csv; charset=utf-8"


def too_many_for_a_sheet(request: HttpRequest, url_name: str) -> HttpResponseBase:
    """Back to the list, where a message says what to do instead."""
    text = ngettext(
        "There is more than %(count)d row, too many for one sheet: download the CSV, or filter the list.",
        "There are more than %(count)d rows, too many for one sheet: download the CSV, or filter the list.",
        XLSX_ROWS,
    )
    messages.error(request, text % {"count": XLSX_ROWS})
    return redirect(f"{reverse(url_name)}?{request.GET.urlencode()}")


def _spoken(language: str | None, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces made in the language of the request, though they are made after it was answered."""
    while True:
        with translation.override(language):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def send_report(report: Report, *, fmt: str, name: str) -> HttpResponseBase:
    """The first table of the report as a CSV of any length, or the report as a workbook; never cached."""
    response: HttpResponseBase
    if fmt == "csv":
        table = report.tables[0]
        pieces: Iterator[bytes] = write_csv(table, words=report.words, formats=report.formats)
        response = StreamingHttpResponse(_spoken(get_language(), pieces), content_type=CSV_TYPE)
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    else:
        file: IO[bytes] = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115  closed by the response
        write_xlsx(report, file)
        file.seek(0)
        response = FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX_TYPE)
    response["Cache-Control"] = "private, no-store"
    return response
