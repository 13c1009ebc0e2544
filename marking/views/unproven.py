"""Labels that a compromised key has signed: where they are, and having them printed anew."""

import csv
import io
from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from ledger.models import CustodyAccount
from marking.forms_keys import ReprintOrderForm
from marking.selectors_keys import unproven_by_store, unproven_reels, unproven_rows
from marking.services.reprints import order_reprints

SEES = (Can.SEE_EVERYTHING, Can.PRINT_LABELS)


@requires(*SEES)
@require_safe
def unproven(request: SignedInRequest) -> HttpResponse:
    """Store by store, what has to be printed anew; for a keeper, the own stores."""
    user = request.user
    context = {
        "stores": unproven_by_store(user),
        "reels": unproven_reels(user),
        "orders": user.can(Can.ORDER_LABELS) and user.can(Can.SEE_EVERYTHING),
        "prints": user.can(Can.PRINT_LABELS),
    }
    return render(request, "marking/unproven.html", context)


@requires(*SEES)
@require_safe
def unproven_csv(request: SignedInRequest) -> StreamingHttpResponse:
    """The same, label by label."""
    heads = (_("Store"), _("Reception"), _("Item"), _("Mark"), _("Key"))

    def lines() -> Iterator[str]:
        yield "\ufeff" + _line(heads)
        for row in unproven_rows(request.user):
            yield _line(row)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="labels-to-print-anew.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


@requires(Can.ORDER_LABELS)
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: SignedInRequest, pk: int) -> HttpResponse:
    """Order that a store print them anew until a day."""
    store = get_object_or_404(CustodyAccount.objects.visible_to(request.user), pk=pk)
    form = ReprintOrderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            order_reprints(actor=request.user, at=timezone.now(), store=store, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Ordered. The keepers of the store have been told."))
            return redirect("marking:unproven")
    return render(
        request, "marking/order_reprints.html", {"form": form, "store": store}, status=422 if form.errors else 200
    )
