"""Alerts of copies: what the checks of a label say against its being the only one."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import Region
from core.accounts.roles import Can
from core.base.paging import keyset_page
from core.rules.models import Rule
from core.rules.values import in_words
from marking.models import Check, CopyAlert

LATEST = 200


@requires(Can.SEE_EVERYTHING)
@require_safe
def copies(request: SignedInRequest) -> HttpResponse:
    """Alerts of copies, the newest first; by default those that wait for a decision."""
    found = CopyAlert.objects.visible_to(request.user).select_related("notice", "mark__derivative")
    shows_all = request.GET.get("all") == "1"
    if (notice := request.GET.get("notice", "")).isascii() and notice.isdigit():
        found = found.filter(notice=int(notice[:18]))
    page = keyset_page(found if shows_all else found.open(), request, order=("-found_at",))
    return render(request, "marking/copies.html", {"page": page, "shows_all": shows_all})


@requires(Can.SEE_EVERYTHING)
@require_safe
def copy(request: SignedInRequest, pk: str) -> HttpResponse:
    """One alert: its sentence, the rule, the map, the checks it rests on, and the others of this mark."""
    alerts = CopyAlert.objects.visible_to(request.user).select_related("notice", "mark__derivative")
    alert = get_object_or_404(alerts, pk=pk)
    evidence = frozenset(alert.evidence.values_list("seen", flat=True))
    rest = Check.objects.filter(code=alert.mark_id).exclude(pk__in=evidence)
    based_on = Check.objects.filter(pk__in=evidence).select_related("organisation")
    checks = [*based_on, *rest.select_related("organisation")[:LATEST]]
    names = {region.pk: region.name for region in Region.objects.all()}
    rows = [
        {
            "number": number,
            "check": check,
            "is_evidence": check.pk in evidence,
            "regions": " / ".join(names[code] for code in check.regions if code in names),
        }
        for number, check in enumerate(sorted(checks, key=lambda one: (one.at, str(one.pk)), reverse=True), 1)
    ]
    located = [
        (str(row["number"]), float(check.lat), float(check.lon))
        for row in reversed(rows)
        if isinstance(check := row["check"], Check) and check.lat is not None and check.lon is not None
    ]
    context = {
        "alert": alert,
        "rows": rows,
        "is_cut": len(checks) >= LATEST,
        "located": located,
        "marked": {code for check in based_on if check.lat is None for code in check.regions},
        "rule_in_words": in_words(Rule(code=alert.rule, value=alert.value)),
        "may_decide": request.user.can(Can.DECIDE_NOTICE),
        "others": alerts.filter(mark=alert.mark_id).exclude(pk=alert.pk)[:20],
    }
    return render(request, "marking/copy.html", context)
