"""The verdict on one scan of a stock-take: the same for the page and for programs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.accounts.models import User
from core.base.errors import DomainError
from core.base.templatetags import fmt
from custody.scanning import Said, Scan, read_scan
from ledger.models import CustodyAccount, Holding, Shelf, StockTake, StockTakeScan
from ledger.selectors import items_in_boxes
from ledger.services import Taken, note_unknown, take_box, take_scan
from ledger.stocktaking import Stray, judge_stray
from registry.models import Derivative

Verdict = StockTakeScan.Verdict


@dataclass(frozen=True, slots=True)
class Counted:
    """The verdict for the big field, the code of the verdict for programs, the shelf that was scanned, if any, and what
    an item is that belongs elsewhere (`ledger.stocktaking.Stray`).
    """

    said: Said
    code: str
    shelf: Shelf | None = None
    what: str = ""


def count_scan(
    person: User,
    stocktake: StockTake,
    text: str,
    *,
    hosts: Collection[str],
    at: datetime,
    shelf_id: int | None = None,
    key: str = "",
) -> Counted:
    """Take what was scanned. A refusal is a verdict too; a misread code is told and not noted."""
    scan = read_scan(text, person=person, own_hosts=hosts)
    try:
        if scan.item is not None:
            return _count_item(person, stocktake, scan, at=at, shelf_id=shelf_id, key=key)
        if scan.box is not None:
            return _count_box(person, stocktake, scan, at=at, shelf_id=shelf_id, key=key)
        if scan.shelf is not None:
            return _stand_at(stocktake, scan.shelf)
        if scan.batch is not None:
            said = Said("attention", _("Scan every item"), _("A whole reception cannot be counted by its number."))
            return Counted(said, "refused")
        return _count_unknown(person, stocktake, scan, at=at, key=key)
    except DomainError as refusal:
        return Counted(Said("stop", _("Not possible"), str(refusal)), "refused")


def _count_item(
    person: User, stocktake: StockTake, scan: Scan, *, at: datetime, shelf_id: int | None, key: str
) -> Counted:
    item = scan.item
    if item is None:
        raise ValueError(scan)
    taken = take_scan(
        actor=person, at=at, stocktake=stocktake, item_id=item.pk, text=scan.text, shelf_id=shelf_id, key=key
    )
    # What it weighs now: a horn that has dried, or was weighed again, is not what its registration says.
    grams = Holding.objects.filter(item=item.pk, pieces__gt=0).values_list("grams", flat=True).first() or item.mass_g
    shown = f"{scan.text}, {item.get_term_display()}, {fmt.grams(grams)}"
    if taken is None:
        return Counted(Said("neutral", _("Not in the sample"), shown), "not_in_sample")
    if not taken.is_new:
        return Counted(Said("attention", _("Scanned before"), shown), "repeat")
    match taken.verdict:
        case Verdict.FOUND:
            return Counted(Said("ok", _("Found"), shown), taken.verdict)
        case Verdict.ARRIVED:
            said = Said(
                "attention", _("Came during the count"), _("%(item)s is not missing anywhere.") % {"item": shown}
            )
        case Verdict.MISPLACED:
            said = Said("attention", _("On another shelf"), _("%(item)s. The books are corrected.") % {"item": shown})
        case _:
            return _put_aside(stocktake, taken, shown)
    return Counted(said, taken.verdict)


def _put_aside(stocktake: StockTake, taken: Taken, shown: str) -> Counted:
    """Say what it is that the books have elsewhere, to whoever has it in hand."""
    place = CustodyAccount.objects.filter(pk=taken.place_id).first() if taken.place_id else None
    what = judge_stray(place, found_in=stocktake.account)
    item = {"item": shown, "kind": place.get_kind_display() if place else _("nowhere"), "place": place or ""}
    match what:
        case Stray.DESTROYED:
            said = (
                _("Destroyed by the books"),
                _("%(item)s was destroyed by an act. Lock it away: the authority is told."),
            )
        case Stray.GONE:
            said = _("Gone by the books"), _("%(item)s: %(kind)s. Lock it away: the authority is told.")
        case Stray.EVIDENCE:
            said = _("Evidence"), _("%(item)s is evidence kept in another place. Lock it away: the authority is told.")
        case Stray.IN_TRANSIT:
            said = _("On its way by the books"), _("%(item)s is in a load that has not arrived. Put it aside.")
        case Stray.OTHER_KEEPER:
            said = _("Another keeper's"), _("%(item)s is in the books of another keeper. Put it aside.")
        case _:
            said = _("Registered elsewhere"), _("%(item)s is in the books of %(place)s. Put it aside.")
    return Counted(Said("stop", said[0], said[1] % item), taken.verdict, what=what)


def _count_box(
    person: User, stocktake: StockTake, scan: Scan, *, at: datetime, shelf_id: int | None, key: str
) -> Counted:
    box = scan.box
    if box is None:
        raise ValueError(scan)
    if not stocktake.trusts_seals:
        text = _("In this stock-take seals are not trusted: open the box and scan every item.")
        return Counted(Said("attention", _("Scan every item"), text), "refused")
    if not box.is_sealed:
        return Counted(Said("attention", _("This box is not sealed"), _("Scan every item in it.")), "refused")
    items = items_in_boxes([box.pk]).get(box.pk, [])
    numbers = dict(Derivative.objects.filter(pk__in=items).values_list("pk", "number"))
    taken = take_box(
        actor=person,
        at=at,
        stocktake=stocktake,
        item_ids=items,
        texts=[numbers.get(item, "") for item in items],
        box_id=box.pk,
        shelf_id=shelf_id,
        key=key,
    )
    if not taken:
        return Counted(Said("neutral", _("Nothing of the sample in it"), scan.text), "not_in_sample")
    seal = _("Seal %(seal)s: look whether it is whole.") % {"seal": box.seal_number}
    found = sum(one.is_new and one.verdict == Verdict.FOUND for one in taken)
    others = sum(one.is_new and one.verdict != Verdict.FOUND for one in taken)
    if not found and not others:
        return Counted(Said("attention", _("Scanned before"), scan.text), "repeat")
    stray = next((one for one in taken if one.is_new and one.verdict == Verdict.ELSEWHERE), None)
    if stray is not None:
        # What is in one box is in one place.
        aside = _put_aside(stocktake, stray, scan.text)
        return Counted(aside.said, "differs", what=aside.what)
    if others:
        title = ngettext("%(count)d item is not as booked", "%(count)d items are not as booked", others)
        return Counted(Said("stop", title % {"count": others}, f"{scan.text}. {seal}"), "differs")
    title = ngettext("%(count)d item found", "%(count)d items found", found) % {"count": found}
    return Counted(Said("ok", title, f"{scan.text}. {seal}"), Verdict.FOUND)


def _stand_at(stocktake: StockTake, shelf: Shelf) -> Counted:
    if shelf.account_id != stocktake.account_id:
        return Counted(Said("stop", _("A shelf of another store"), shelf.words), "refused")
    if stocktake.shelf_id not in (None, shelf.pk):
        return Counted(Said("attention", _("Another shelf is counted"), shelf.words), "refused")
    said = Said("neutral", _("Shelf %(shelf)s") % {"shelf": shelf.code}, _("What you scan now stands here."))
    return Counted(said, "shelf", shelf)


def _count_unknown(person: User, stocktake: StockTake, scan: Scan, *, at: datetime, key: str) -> Counted:
    refused = scan.refused or Said("attention", _("Nothing read"))
    # A code that was misread is scanned again; one that reads well and means nothing, or a worthless mark, is noted.
    if not scan.text or (refused.tone != "stop" and not scan.is_foreign):
        return Counted(refused, "unreadable")
    taken = note_unknown(actor=person, at=at, stocktake=stocktake, text=scan.text, key=key)
    if not taken.is_new:
        return Counted(Said("attention", _("Scanned before"), scan.text), "repeat")
    text = f"{scan.text}. {refused.title}. " + _("Put it aside.")
    return Counted(Said("stop", _("Unknown label"), text), Verdict.UNKNOWN)
