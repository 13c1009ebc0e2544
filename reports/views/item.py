"""One item: what it is, where it is, what may be done next, and everything that happened."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from custody.services.corrections import may_see_movements
from ledger.selectors import whereabouts
from marking.carriers import item_carriers
from marking.models import Mark
from registry.models import Derivative
from registry.processing import knowable
from reports.acts import next_acts
from reports.selectors import describe_items, place_one
from reports.standing import standings
from reports.story import name_right, tell_story
from reports.tree import tree_of
from reports.weighings import weigh_history


@require_safe
@requires(Can.SEE_STOCK)
def item(request: SignedInRequest, pk: int) -> HttpResponse:
    known = Derivative.objects.filter(pk__in=knowable(request.user, [pk])).select_related(
        "intake__store",
        "intake__region",
        "intake__permit__season",
        "intake__brigade",
        "intake__case__agency",
        "intake__processing",
    )
    derivative = place_one(known, pk)
    (row,) = describe_items([derivative])
    right, right_url = name_right(row.reserved_for) if row.reserved_for else ("", "")
    acts = next_acts(request.user, row)
    context: dict[str, Any] = {
        "item": derivative,
        "row": row,
        "standings": standings(pk, row.place, row.holds, decided=row.decided, reserved_for=right),
        "right": right,
        "right_url": right_url,
        "acts": [act for act in acts if not act.refused],
        "refused_acts": [act for act in acts if act.refused],
        "marks": Mark.objects.filter(derivative=derivative).order_by("-issued_at", "code"),
        "photos": derivative.photos.select_related("document").order_by("pk"),
        "tree": tree_of(pk, request.user),
        "whereabouts": whereabouts([pk]).get(pk),
        "steps": tell_story(derivative, reader=request.user),
        "may_ask_for_mark": request.user.can(Can.PRINT_LABELS),
        "sees_movements": may_see_movements(request.user),
        "sees_intake": request.user.can(Can.SEE_INTAKES),
        **item_carriers(request.user, pk),
        **weigh_history(derivative.pk),
    }
    return render(request, "reports/item.html", context)
