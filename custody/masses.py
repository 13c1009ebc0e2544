"""Masses in words, and what of a store is in question: the same for the page and for programs."""

from django.utils.translation import gettext as _

from core.base.templatetags import fmt
from ledger.drying import Judged
from ledger.models import CustodyAccount, Hold, WeighIn

MOST_SHOWN = 20


def why_odd(judged: Judged) -> str:
    """Why drying does not explain a mass."""
    if judged.verdict == WeighIn.Verdict.LOSS:
        return _("By drying it should weigh at least %(floor)s.") % {"floor": fmt.grams(judged.floor_g)}
    return _("It should weigh at most %(ceiling)s: things do not grow heavier in store.") % {
        "ceiling": fmt.grams(judged.ceiling_g)
    }


def held_masses(store: CustodyAccount) -> list[Hold]:
    """The items of a store whose mass waits for another person, the oldest first. Nobody is told what was found."""
    held = Hold.objects.active().filter(
        kind=Hold.Kind.MASS, item__holdings__account=store, item__holdings__pieces__gt=0
    )
    return list(held.select_related("item__derivative", "placed_by").order_by("pk")[:MOST_SHOWN])
