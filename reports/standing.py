"""Where an item is and what binds it there, in the words that head its page."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from custody.models import LossLine, LossReport
from ledger.models import AccountKind, CustodyAccount, Hold
from registry.models import Outcome

# How each kind of report names what is still looked for, and what was given up.
LOOKED_FOR = {
    LossReport.Kind.LOSS: gettext_lazy("Reported lost: %(reference)s"),
    LossReport.Kind.THEFT: gettext_lazy("Reported stolen: %(reference)s"),
    LossReport.Kind.TRANSIT: gettext_lazy("Reported missing on arrival: %(reference)s"),
    LossReport.Kind.STOCKTAKE: gettext_lazy("Reported missing in a stock-take: %(reference)s"),
}
WRITTEN_OFF = {
    LossReport.Kind.LOSS: gettext_lazy("Lost, written off: %(reference)s"),
    LossReport.Kind.THEFT: gettext_lazy("Stolen, written off: %(reference)s"),
    LossReport.Kind.TRANSIT: gettext_lazy("Missing on arrival, written off: %(reference)s"),
    LossReport.Kind.STOCKTAKE: gettext_lazy("Missing in a stock-take, written off: %(reference)s"),
}
GONE = {
    AccountKind.EXPORT: gettext_lazy("Exported"),
    AccountKind.DOMESTIC_SALE: gettext_lazy("Sold inside the country"),
    AccountKind.PROCESSING: gettext_lazy("Consumed in processing"),
    AccountKind.DESTRUCTION: gettext_lazy("Destroyed"),
    AccountKind.RETURNED: gettext_lazy("Given back to the owner"),
}
# An item that is at none of these places any more: where it was registered from has it back.
TAKEN_BACK = gettext_lazy("Its registration was taken back")
# Whoever looks for it does not find it where the books have it.
NOT_THERE = frozenset({Hold.Kind.MISSING, Hold.Kind.LOSS, Hold.Kind.IN_TRANSIT})

# What each kind of hold says, and what ends it.
HELD = {
    Hold.Kind.EVIDENCE: (
        gettext_lazy("Held as evidence: %(reference)s"),
        gettext_lazy("It stays where it is until the decision in this case is confirmed."),
    ),
    Hold.Kind.COURT: (
        gettext_lazy("A court has decided: %(reference)s"),
        gettext_lazy("It leaves as the court decided."),
    ),
    Hold.Kind.DISPUTE: (
        gettext_lazy("In dispute: %(reference)s"),
        gettext_lazy("It stays where it is until the dispute is settled."),
    ),
    Hold.Kind.MISSING: (
        gettext_lazy("Missing in a stock-take: %(reference)s"),
        gettext_lazy("Find it, or report its loss."),
    ),
    Hold.Kind.ORIGIN: (
        gettext_lazy("Goods to be confirmed: %(reference)s"),
        gettext_lazy("It stays where it is until a second person has confirmed where it comes from."),
    ),
    Hold.Kind.REMOVAL: (
        gettext_lazy("The day of its removal does not add up: %(reference)s"),
        gettext_lazy("It stays where it is until the authority has judged."),
    ),
    Hold.Kind.TO_DESTROY: (
        gettext_lazy("On a list of destruction: %(reference)s"),
        gettext_lazy("It leaves by the act of the commission."),
    ),
    Hold.Kind.MASS: (
        gettext_lazy("Its mass is in question: %(reference)s"),
        gettext_lazy("Another person weighs it again, or judges."),
    ),
    Hold.Kind.PROCESSING: (
        gettext_lazy("In processing: %(reference)s"),
        gettext_lazy("It waits there for the decision of the authority."),
    ),
    Hold.Kind.IN_TRANSIT: (
        gettext_lazy("Did not arrive: %(reference)s"),
        gettext_lazy("Find it, or report its loss."),
    ),
}
DECIDED = {
    Outcome.RETURNED: (
        gettext_lazy("To be given back to the owner, as a court decided: %(reference)s"),
        gettext_lazy("It leaves by an act of return."),
    ),
    Outcome.DESTROY: (
        gettext_lazy("To be destroyed, as a court decided: %(reference)s"),
        gettext_lazy("It leaves by the act of a commission."),
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A state in words, with its tone, and what to do about it."""

    tone: str
    label: str
    advice: str = ""


def standings(
    item_id: int, place: CustodyAccount, holds: Sequence[Hold], *, decided: str = "", reserved_for: str = ""
) -> list[Standing]:
    """Where the item is, then what binds it there; `decided` is what a court has decided of it.

    At most one query, and only of what was reported lost.
    """
    kinds = {hold.kind for hold in holds}
    report = None
    if Hold.Kind.LOSS in kinds or place.kind == AccountKind.LOSS:
        report = LossLine.objects.filter(item=item_id).select_related("report", "act").order_by("-pk").first()
    found = [_place_in_words(place, report, is_missing=not kinds.isdisjoint(NOT_THERE))]
    found += [_hold_in_words(hold, decided, report) for hold in holds]
    if reserved_for:
        found.append(
            Standing(
                "wait", _("Reserved for %(right)s") % {"right": reserved_for}, _("It moves only under this permit.")
            )
        )
    return found


def _place_in_words(place: CustodyAccount, report: LossLine | None, *, is_missing: bool) -> Standing:
    if place.kind in (AccountKind.STORE, AccountKind.EVIDENCE) and is_missing:
        return Standing("attention", _("Not found where it should be: %(store)s") % {"store": place.name})
    match place.kind:
        case AccountKind.STORE:
            return Standing("ok", _("In store: %(store)s") % {"store": place.name})
        case AccountKind.EVIDENCE:
            return Standing("attention", _("In the evidence room: %(store)s") % {"store": place.name})
        case AccountKind.TRANSIT if is_missing:
            return Standing("attention", _("Lost from sight between stores"))
        case AccountKind.TRANSIT:
            return Standing("wait", _("On the way between stores"))
        case AccountKind.LOSS if report is not None:
            paper = report.act.number if report.act else report.report.number
            return Standing("stop", WRITTEN_OFF[LossReport.Kind(report.report.kind)] % {"reference": paper})
        case AccountKind.LOSS:
            return Standing("stop", _("Lost or stolen"))
        case _:
            return Standing("neutral", str(GONE.get(AccountKind(place.kind), TAKEN_BACK)))


def _hold_in_words(hold: Hold, decided: str, report: LossLine | None) -> Standing:
    names = {"reference": hold.reference}
    if hold.kind == Hold.Kind.LOSS:
        label = (
            LOOKED_FOR[LossReport.Kind(report.report.kind)] if report else _("Reported lost or stolen: %(reference)s")
        )
        return Standing(
            "stop", label % names, _("It is searched for until an act settles the report: found again, or written off.")
        )
    label, advice = HELD[Hold.Kind(hold.kind)]
    if hold.kind == Hold.Kind.COURT and decided in DECIDED:
        label, advice = DECIDED[Outcome(decided)]
    return Standing("stop", label % names, str(advice))
