"""The verdict on one scan of the receiver: the same for the page and for programs."""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from core.accounts.models import User
from core.base.errors import DomainError
from core.base.templatetags import fmt
from custody.scanning import Said, read_scan
from ledger.models import Handover
from ledger.services import NotInHandover
from permits import services
from registry.models import Derivative


def take_scan(person: User, handover: Handover, text: str, *, hosts: Collection[str], at: datetime) -> Said:
    """Take what was scanned: received, received before, not in this hand-over, or not readable.

    What is not in the hand-over is noted for the discrepancy. A refusal is a verdict too.
    """
    scan = read_scan(text, own_hosts=hosts)
    try:
        if scan.item is not None:
            return _take_item(person, handover, scan.item, scan.text, at)
        if scan.refused is not None and scan.is_foreign:
            services.note_extra(actor=person, at=at, handover=handover, text=scan.text, item=None)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), str(refusal))
    if scan.batch is not None:
        return Said("attention", _("Scan every item"), _("A whole reception cannot be accepted by its number."))
    return scan.refused or Said("attention", _("Nothing read"))


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
