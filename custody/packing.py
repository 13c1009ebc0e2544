"""The verdict on one scan at a box or a shelf: the same for the page and for programs."""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.accounts.models import User
from core.base.errors import DomainError
from core.base.templatetags import fmt
from custody.scanning import Said, Scan, read_scan
from ledger import services
from ledger.models import Box, Shelf


def pack_scan(person: User, box: Box, text: str, *, hosts: Collection[str], at: datetime) -> Said:
    """Put what was scanned into the box, or a scanned box onto the pallet. A refusal is a verdict too."""
    scan = read_scan(text, person=person, own_hosts=hosts)
    try:
        if box.is_pallet and scan.box is not None:
            fresh = services.stack_box(actor=person, at=at, pallet=box, box=scan.box)
            if not fresh:
                return Said("attention", _("There already"), scan.text)
            return Said("ok", _("On the pallet"), scan.text)
        if not box.is_pallet and scan.item is not None:
            fresh = bool(services.pack_items(actor=person, at=at, box=box, item_ids=[scan.item.pk]))
            said = f"{scan.text}, {scan.item.get_term_display()}, {fmt.grams(scan.item.mass_g)}"
            return Said("ok", _("In the box"), said) if fresh else Said("attention", _("In this box already"), said)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), f"{scan.text}. {refusal}")
    if scan.refused is not None:
        return scan.refused
    words = _("A pallet takes boxes: scan a box.") if box.is_pallet else _("A box takes items: scan a mark.")
    return Said("attention", _("Not for this box"), words)


def take_out_scan(person: User, box: Box, text: str, *, hosts: Collection[str], at: datetime) -> Said:
    """Take what was scanned out of the box, or a scanned box off the pallet."""
    scan = read_scan(text, person=person, own_hosts=hosts)
    try:
        if box.is_pallet and scan.box is not None:
            if scan.box.parent_id != box.pk:
                return Said("attention", _("Not on this pallet"), scan.text)
            services.unstack_box(actor=person, at=at, box=scan.box)
            return Said("ok", _("Off the pallet"), scan.text)
        if scan.item is not None:
            services.unpack_items(actor=person, at=at, box=box, item_ids=[scan.item.pk])
            return Said("ok", _("Taken out"), scan.text)
    except DomainError as refusal:
        return Said("stop", _("Not possible"), f"{scan.text}. {refusal}")
    return scan.refused or Said("attention", _("Nothing read"))


def place_scan(person: User, shelf: Shelf, scan: Scan, *, at: datetime) -> Said:
    """Put what was scanned onto the shelf: an item, or a box with all that is in it."""
    try:
        if scan.box is not None:
            fresh = services.place_box(actor=person, at=at, shelf=shelf, box=scan.box)
            inside = services.count_content([scan.box.pk]).get(scan.box.pk, 0)
            words = ngettext("%(box)s, %(count)d item", "%(box)s, %(count)d items", inside)
            text = words % {"box": scan.text, "count": inside}
            return Said("ok", _("On the shelf"), text) if fresh else Said("attention", _("There already"), text)
        if scan.item is not None:
            fresh = bool(services.place_items(actor=person, at=at, shelf=shelf, item_ids=[scan.item.pk]))
            return (
                Said("ok", _("On the shelf"), scan.text) if fresh else Said("attention", _("There already"), scan.text)
            )
    except DomainError as refusal:
        return Said("stop", _("Not possible"), f"{scan.text}. {refusal}")
    return scan.refused or Said("attention", _("Nothing read"), _("Scan an item, a box or a shelf."))
