"""The verdict on one scan of the receiver: the same for the page and for programs."""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.accounts.models import User
from core.base.errors import DomainError
from core.base.templatetags import fmt
from custody.scanning import Said, read_scan
from ledger.models import Box, Handover
from ledger.services import NotInHandover
from permits import services
from registry.models import Derivative


def take_scan(person: User, handover: Handover, text: str, *, hosts: Collection[str], at: datetime) -> Said:
    """Take what was scanned: received, received before, not in this hand-over, or not readable.

    What is not in the hand-over is noted for the discrepancy. A refusal is a verdict too.
    """
    scan = read_scan(text, person=person, own_hosts=hosts)
    try:
        if scan.item is not None:
            return _take_item(person, handover, scan.item, scan.text, at)
        if scan.box is not None:
            return _take_box(person, handover, scan.box, at)
        if scan.refused is not None and scan.is_foreign:
            services.note_extra(actor=person, at=at, handover=handover, text=scan.text, item=None)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    if scan.batch is not None:
        return Said("attention", _("Scan every item"), _("A whole reception cannot be accepted by its number."))
    return scan.refused or Said("attention", _("Nothing read"))


def _take_box(person: User, handover: Handover, box: Box, at: datetime) -> Said:
    """All that is in a sealed box, by one scan; an open one is scanned item by item."""
    count, fresh = services.scan_box_of_goods(actor=person, at=at, handover=handover, box=box)
    words = ngettext("%(count)d item in box %(box)s.", "%(count)d items in box %(box)s.", count)
    text = words % {"count": count, "box": box.shown}
    if not fresh:
        return Said("attention", _("Scanned before"), text)
    if not box.seal_number:
        return Said("ok", _("Received whole"), f"{text} {_('Check the seals of its boxes.')}")
    seal = _("Is its seal whole, with number %(seal)s? If not, open the box below.") % {"seal": box.seal_number}
    return Said("ok", _("Received whole"), f"{text} {seal}")


def _take_item(person: User, handover: Handover, item: Derivative, shown: str, at: datetime) -> Said:
    described = f"{shown}, {item.get_term_display()}, {fmt.grams(item.mass_g)}"
    try:
        _line, is_new = services.scan_goods(actor=person, at=at, handover=handover, item_id=item.pk)
    except NotInHandover:
        services.note_extra(actor=person, at=at, handover=handover, text=item.number, item=item)
        text = _("%(item)s is not on the list. Put it aside: it goes into the discrepancy.") % {"item": shown}
        return Said("stop", _("Not in this hand-over"), text)
    if is_new:
        return Said("ok", _("Received"), described)
    return Said("attention", _("Scanned before"), described)
