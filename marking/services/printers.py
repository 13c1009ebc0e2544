"""Printers of an organisation, and what their calibration pages say."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from marking.models import Printer
from marking.models.printing import FARTHEST_MOVE_MM

KNOWN_DPI = (203, 300, 600)
# How well a person reads a ruler.
READ_WITHIN_MM = Decimal("0.3")


class PrinterChangesSize(DomainError):
    """The calibration page of the printer came out too large or too small."""

    code = "printer-changes-size"
    message = _(
        "This printer prints larger or smaller than true size, so its symbols may not be read. Set “actual size” or "
        "100 % in its print window and print the calibration page again."
    )


@dataclass(frozen=True, slots=True)
class PrinterShape:
    """A printer as a person describes it."""

    name: str
    language: str = Printer.Language.PDF
    dpi: int = 300
    zpl_way: str = Printer.ZplWay.COMMANDS


@dataclass(frozen=True, slots=True)
class Measured:
    """What a person measured on a calibration page, in millimetres.

    `left` and `top`: from the paper's edges to the cross that should be `due_left` and `due_top` from them.
    `ruler_x` and `ruler_y`: the rulers that should be `due_x` and `due_y` long.
    """

    left: Decimal
    top: Decimal
    ruler_x: Decimal
    ruler_y: Decimal
    due_left: Decimal
    due_top: Decimal
    due_x: Decimal
    due_y: Decimal


@transaction.atomic
def add_printer(*, actor: User, at: datetime, organisation: Organisation, shape: PrinterShape) -> Printer:
    """Enter a printer of an organisation for which the person prints. Raises BadInput, NotAllowed."""
    _require_own(actor, organisation.pk)
    name = _checked(shape, organisation.pk)
    printer = Printer.objects.create(
        organisation=organisation,
        name=name,
        language=shape.language,
        zpl_way=shape.zpl_way,
        dpi=shape.dpi,
        added_by=actor,
        added_at=at,
    )
    _record("printer.added", actor, at, printer)
    return printer


@transaction.atomic
def change_printer(*, actor: User, at: datetime, printer: Printer, shape: PrinterShape) -> Printer:
    """Give a printer another name, language or resolution; runs ordered before keep theirs. Raises BadInput."""
    locked = _locked(actor, printer)
    locked.name = _checked(shape, locked.organisation_id, but=locked.pk)
    locked.language, locked.zpl_way, locked.dpi = shape.language, shape.zpl_way, shape.dpi
    locked.save(update_fields=["name", "language", "zpl_way", "dpi"])
    _record("printer.changed", actor, at, locked)
    return locked


@transaction.atomic
def calibrate_printer(*, actor: User, at: datetime, printer: Printer, measured: Measured) -> Printer:
    """Keep offsets and scale as measured on the calibration page, which is printed with the offsets in force.

    Offsets add to those that the page was printed with. Raises BadInput when the page can hardly have been measured so.
    """
    locked = _locked(actor, printer)
    scale_x = _scale(measured.ruler_x, measured.due_x)
    scale_y = _scale(measured.ruler_y, measured.due_y)
    move_x = locked.move_x + measured.due_left - measured.left
    move_y = locked.move_y + measured.due_top - measured.top
    wrong: dict[str, StrOrPromise] = {}
    for name, scale in (("ruler_x", scale_x), ("ruler_y", scale_y)):
        if not 50 <= scale <= 200:
            wrong[name] = _("Measure again: the ruler cannot be so long.")
    for name, move in (("left", move_x), ("top", move_y)):
        if abs(move) > FARTHEST_MOVE_MM:
            wrong[name] = _("Measure again: a printer is moved by %(most)d mm at most.") % {"most": FARTHEST_MOVE_MM}
    if wrong:
        raise BadInput(fields=wrong)
    locked.move_x, locked.move_y, locked.scale_x, locked.scale_y = move_x, move_y, scale_x, scale_y
    locked.calibrated_by, locked.calibrated_at = actor, at
    locked.save(update_fields=["move_x", "move_y", "scale_x", "scale_y", "calibrated_by", "calibrated_at"])
    _record("printer.calibrated", actor, at, locked)
    return locked


@transaction.atomic
def end_printer(*, actor: User, at: datetime, printer: Printer) -> Printer:
    """Offer this printer no longer. Raises InvalidTransition."""
    locked = _locked(actor, printer)
    locked.ended_by, locked.ended_at = actor, at
    locked.save(update_fields=["ended_by", "ended_at"])
    _record("printer.ended", actor, at, locked)
    return locked


def _scale(measured: Decimal, due: Decimal) -> Decimal:
    """Percent of true size; what a ruler cannot tell from true is true."""
    if abs(measured - due) <= READ_WITHIN_MM:
        return Decimal(100)
    return (measured / due * 100).quantize(Decimal("0.01"))


def _locked(actor: User, printer: Printer) -> Printer:
    _require_own(actor, printer.organisation_id)
    # The row lock closes the race of two changes of one printer: offsets add up.
    locked = Printer.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=printer.pk)
    if locked.ended_at is not None:
        raise InvalidTransition(_("This printer is no longer in use."))
    return locked


def _require_own(actor: User, organisation_id: int) -> None:
    if organisation_id not in actor.organisation_ids(Can.PRINT_LABELS):
        raise NotAllowed


def _checked(shape: PrinterShape, organisation_id: int, *, but: int = 0) -> str:
    """The name, tidied. Raises BadInput with a sentence for each field that is wrong."""
    wrong: dict[str, StrOrPromise] = {}
    name = shape.name.strip()
    if not name:
        wrong["name"] = _("Give this printer a name.")
    # The unique index closes the race of two printers of one name; this is its message.
    elif Printer.objects.in_use().filter(organisation=organisation_id, name=name).exclude(pk=but).exists():
        wrong["name"] = _("There is a printer of this name already.")
    if shape.language not in Printer.Language.values:
        wrong["language"] = _("Choose what the printer understands.")
    if shape.zpl_way not in Printer.ZplWay.values:
        wrong["zpl_way"] = _("Choose how labels are sent.")
    if shape.dpi not in KNOWN_DPI:
        wrong["dpi"] = _("Choose the resolution of your printer.")
    if wrong:
        raise BadInput(fields=wrong)
    return name


def _record(verb: str, actor: User, at: datetime, printer: Printer) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("printer", printer.pk),
        subject_name=printer.name,
        organisation_id=printer.organisation_id,
        dpi=printer.dpi,
        language=printer.language,
        move=[str(printer.move_x), str(printer.move_y)],
        scale=[str(printer.scale_x), str(printer.scale_y)] if printer.scale_x is not None else None,
    )
