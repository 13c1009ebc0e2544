"""Daily sheets of brigades: entered, corrected while open, signed; reopened or withdrawn with a reason.

Locks are taken in the order of docs/architecture.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.duplicates import refuse_known
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.documents.services import take_numbers
from ledger.models import AccountKind, CustodyAccount
from registry.days import Day, DayRules, animals_taken, days_of
from registry.doubts import doubts_about
from registry.models import Brigade, DailySheet, Delivery, Intake, Origin, RemovalPermit, SlaughterPoint
from registry.selectors import stores_for_intake
from registry.services.opening import MOST_ANIMALS, Fields, begin_intake, wrong_papers
from registry.services.reconciling import hold_against_limits, lock_brigade, lock_permit, organisation_of, reconcile_day

COUNTS = ("males", "females", "young", "unusable", "horns_cut")


class SheetKnown(BadInput):
    """The sheet of this brigade, permit and day is in the register."""

    code = "sheet-known"
    message = _("The daily sheet of this brigade, permit and day is in the register already.")


class SheetDoubtful(BadInput):
    """The figures do not fit together, and nobody has said that the paper has them so."""

    code = "sheet-not-confirmed"
    message = _("Some figures do not fit together. Check them against the paper, or confirm that it says so.")


class SheetChanged(InvalidTransition):
    """Somebody corrected the sheet meanwhile."""

    code = "sheet-changed"
    message = _("Somebody else corrected this sheet meanwhile. Reload the page.")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Carcasses brought to one place."""

    place: CustodyAccount | SlaughterPoint
    carcasses: int


@transaction.atomic
def enter_daily_sheet(
    *,
    actor: User,
    at: datetime,
    brigade: Brigade,
    permit: RemovalPermit,
    on: date,
    males: int,
    females: int,
    young: int,
    horns_cut: int,
    deliveries: Sequence[Delivered],
    unusable: int = 0,
    note: str = "",
    confirm: bool = False,
) -> DailySheet:
    """Enter what a brigade took, delivered and cut on one day under one permit.

    Receptions of that day that are still weighed rest on the sheet from now on. Figures that do not fit together are
    asked about and, once `confirm` says that the paper has them so, recorded; animals beyond the permit's limit raise
    an alert. Raises NotAllowed, SheetKnown, SheetDoubtful, or BadInput with the fields that are wrong.
    """
    _require_region(actor, permit)
    counts = {"males": males, "females": females, "young": young, "unusable": unusable, "horns_cut": horns_cut}
    wrong = wrong_papers(permit=permit, brigade=brigade, on=on, today=day_of(at))
    wrong |= _wrong_figures(counts, deliveries, permit)
    if wrong:
        raise BadInput(fields=wrong)
    organisation = organisation_of(actor, permit.region_id)
    if organisation is None:
        raise NotAllowed
    asked = _ask(Day(permit.pk, brigade.pk, on), counts, deliveries, permit=permit, brigade=brigade, confirm=confirm)
    known = SheetKnown(fields={"brigade": SheetKnown.message})
    same_day = {"brigade": brigade, "permit": permit, "on": on}
    # Receptions being weighed are locked first: one that is registered meanwhile keeps its own counts.
    waiting = list(
        Intake.objects.open()
        .filter(sheet=None, males__isnull=False, **same_day)
        .select_for_update()
        .order_by("pk")
        .values_list("pk")
    )
    lock_brigade(brigade.pk)
    # A withdrawal of the permit at the same moment waits for this, or is seen here.
    if lock_permit(permit.pk).is_withdrawn:
        raise BadInput(fields={"permit": _("This permit was withdrawn.")})
    with refuse_known({"one_sheet_per_brigade_permit_and_day": known}):
        sheet = DailySheet.objects.create(
            number=_next_number(on),
            carcasses=sum(line.carcasses for line in deliveries),
            note=note.strip(),
            organisation=organisation,
            entered_by=actor,
            entered_at=at,
            **same_day,
            **counts,
        )
    _write_deliveries(sheet, deliveries)
    if waiting:
        Intake.objects.filter(pk__in=[pk for (pk,) in waiting]).update(
            sheet=sheet, males=None, females=None, young=None, carcasses=None
        )
    _record(
        "sheet.entered",
        sheet,
        actor=actor,
        at=at,
        brigade=brigade.name,
        permit=permit.number,
        day=on.isoformat(),
        carcasses=sheet.carcasses,
        **counts,
        **asked,
    )
    _compare(sheet, actor=actor, at=at)
    return sheet


@transaction.atomic
def correct_daily_sheet(
    *,
    actor: User,
    at: datetime,
    sheet: DailySheet,
    males: int,
    females: int,
    young: int,
    horns_cut: int,
    deliveries: Sequence[Delivered],
    unusable: int = 0,
    note: str = "",
    version: int | None = None,
    confirm: bool = False,
) -> DailySheet:
    """Correct the figures of an open sheet. Brigade, permit and day stay: a sheet of the wrong day is withdrawn.

    `version`, where given, is the sheet the person saw; `confirm` as when it was entered. Raises NotAllowed,
    InvalidTransition, SheetChanged, SheetDoubtful, BadInput.
    """
    sheet = _lock_sheet(actor, sheet, DailySheet.State.OPEN)
    if version is not None and version != sheet.version:
        raise SheetChanged
    counts = {"males": males, "females": females, "young": young, "unusable": unusable, "horns_cut": horns_cut}
    wrong = _wrong_figures(counts, deliveries, sheet.permit)
    if wrong:
        raise BadInput(fields=wrong)
    new: dict[str, Any] = counts | {"carcasses": sum(line.carcasses for line in deliveries), "note": note.strip()}
    changes = [
        f"{name}: {getattr(sheet, name)} → {value}" for name, value in new.items() if getattr(sheet, name) != value
    ]
    went = {(line.store_id, line.slaughter_point_id): line.carcasses for line in sheet.deliveries.all()}
    goes = {_place_key(line.place): line.carcasses for line in deliveries}
    if not changes and went == goes:
        return sheet
    day = Day(sheet.permit_id, sheet.brigade_id, sheet.on, sheet_id=sheet.pk)
    asked = _ask(day, counts, deliveries, permit=sheet.permit, brigade=sheet.brigade, confirm=confirm)
    for name, value in new.items():
        setattr(sheet, name, value)
    sheet.version += 1
    sheet.save(update_fields=[*new, "version"])
    if went != goes:
        sheet.deliveries.all().delete()
        _write_deliveries(sheet, deliveries)
        changes.append("deliveries")
    _record("sheet.corrected", sheet, actor=actor, at=at, note=changes, **asked)
    _compare(sheet, actor=actor, at=at)
    return sheet


@transaction.atomic
def sign_daily_sheet(*, actor: User, at: datetime, sheet: DailySheet, version: int | None = None) -> DailySheet:
    """Sign the sheet: from now on it stays as it is, and is compared with what receptions registered.

    Raises NotAllowed, InvalidTransition, SheetChanged.
    """
    sheet = _lock_sheet(actor, sheet, DailySheet.State.OPEN)
    if version is not None and version != sheet.version:
        raise SheetChanged
    sheet.state, sheet.closed_by, sheet.closed_at = DailySheet.State.SIGNED, actor, at
    sheet.save(update_fields=["state", "closed_by", "closed_at"])
    counts = {name: getattr(sheet, name) for name in COUNTS}
    _record("sheet.signed", sheet, actor=actor, at=at, carcasses=sheet.carcasses, **counts)
    _compare(sheet, actor=actor, at=at, limits=False)
    return sheet


@transaction.atomic
def reopen_daily_sheet(*, actor: User, at: datetime, sheet: DailySheet, reason: str) -> DailySheet:
    """Open a signed sheet for correction again. Only the authority does, and says why.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    if not actor.can(Can.KEEP_SEASONS):
        raise NotAllowed
    reason = require_reason(reason)
    sheet = DailySheet.objects.select_for_update(of=("self",)).select_related("permit", "brigade").get(pk=sheet.pk)
    if sheet.state != DailySheet.State.SIGNED:
        raise InvalidTransition
    sheet.state, sheet.closed_by, sheet.closed_at = DailySheet.State.OPEN, None, None
    sheet.save(update_fields=["state", "closed_by", "closed_at"])
    _record("sheet.reopened", sheet, actor=actor, at=at, reason=reason.strip())
    return sheet


@transaction.atomic
def withdraw_daily_sheet(*, actor: User, at: datetime, sheet: DailySheet, reason: str) -> DailySheet:
    """Take back an open sheet that was entered for the wrong brigade, permit or day; no reception may rest on it.

    It stays readable and counts no more. Raises NotAllowed, InvalidTransition, BadInput.
    """
    reason = require_reason(reason)
    sheet = _lock_sheet(actor, sheet, DailySheet.State.OPEN)
    if sheet.intakes.exclude(state=Intake.State.CANCELLED).exists():
        raise InvalidTransition(_("A reception rests on this sheet. Correct the sheet instead."))
    sheet.state, sheet.withdraw_reason = DailySheet.State.WITHDRAWN, reason.strip()
    sheet.closed_by, sheet.closed_at = actor, at
    sheet.save(update_fields=["state", "withdraw_reason", "closed_by", "closed_at"])
    _record("sheet.withdrawn", sheet, actor=actor, at=at, reason=sheet.withdraw_reason)
    reconcile_day(actor=actor, at=at, permit=sheet.permit_id, brigade=sheet.brigade_id, on=sheet.on, withdrawn=sheet)
    hold_against_limits(actor=actor, at=at, permit=sheet.permit_id)
    return sheet


@transaction.atomic
def open_sheet_reception(*, actor: User, at: datetime, sheet: DailySheet, store: CustodyAccount) -> Intake:
    """Open the reception of a sheet's horns at one reception point. All figures are the sheet's.

    Raises NotAllowed, InvalidTransition, or BadInput with the field that is wrong.
    """
    # Locked against a withdrawal at the same moment.
    sheet = DailySheet.objects.select_for_update(of=("self",)).select_related("permit", "brigade").get(pk=sheet.pk)
    if not actor.can(Can.OPEN_INTAKE):
        raise NotAllowed
    if sheet.state == DailySheet.State.WITHDRAWN:
        raise InvalidTransition(_("This sheet was withdrawn."))
    if not stores_for_intake(actor, Origin.REMOVAL).filter(pk=store.pk).exists():
        raise BadInput(fields={"store": _("This is not a reception point of yours.")})
    if store.region_id != sheet.permit.region_id:
        raise BadInput(fields={"store": _("This reception point is in another region than the permit of the sheet.")})
    intake = begin_intake(
        actor=actor,
        at=at,
        origin=Origin.REMOVAL,
        store=store,
        on=sheet.on,
        facts={
            "permit": sheet.permit.number,
            "brigade": sheet.brigade.name,
            "day": sheet.on.isoformat(),
            "sheet": sheet.number,
        },
        region_id=sheet.permit.region_id,
        population=sheet.permit.population,
        permit=sheet.permit,
        brigade=sheet.brigade,
        sheet=sheet,
    )
    _compare(sheet, actor=actor, at=at, limits=False)
    return intake


def _next_number(on: date) -> str:
    (serial,) = take_numbers(series="DS", year=on.year)
    return f"DS{on:%y}-{serial:06d}"


def _require_region(actor: User, permit: RemovalPermit) -> None:
    if not actor.can(Can.OPEN_INTAKE) or permit.region_id not in actor.region_codes(Can.OPEN_INTAKE):
        raise NotAllowed


def _lock_sheet(actor: User, sheet: DailySheet, state: str) -> DailySheet:
    """The sheet, locked until commit while it is in this state: two people do not both close or correct it."""
    sheet = DailySheet.objects.select_for_update(of=("self",)).select_related("permit", "brigade").get(pk=sheet.pk)
    _require_region(actor, sheet.permit)
    if sheet.state != state:
        raise InvalidTransition(_("This sheet is closed. Reload the page."))
    return sheet


def _wrong_figures(counts: Mapping[str, int], deliveries: Sequence[Delivered], permit: RemovalPermit) -> Fields:
    wrong: Fields = {
        name: _("Enter a number from 0 to %(most)s.") % {"most": MOST_ANIMALS}
        for name, count in counts.items()
        if not 0 <= count <= MOST_ANIMALS
    }
    taken = counts["males"] + counts["females"] + counts["young"]
    if not wrong and taken == 0:
        wrong["males"] = _("Enter how many animals were taken.")
    if not wrong and counts["unusable"] > taken:
        wrong["unusable"] = _("There cannot be more unusable animals than animals taken.")
    places = [_place_key(line.place) for line in deliveries]
    if any(not 0 < line.carcasses <= MOST_ANIMALS for line in deliveries):
        wrong["deliveries"] = _("Say how many carcasses were brought to each place.")
    elif len(set(places)) != len(places):
        wrong["deliveries"] = _("Name each place once.")
    elif any(not _may_receive(line.place, permit) for line in deliveries):
        wrong["deliveries"] = _("Carcasses go to a reception point of the permit's region or to a slaughter point.")
    return wrong


def _ask(
    day: Day,
    counts: Mapping[str, int],
    deliveries: Sequence[Delivered],
    *,
    permit: RemovalPermit,
    brigade: Brigade,
    confirm: bool,
) -> dict[str, list[str]]:
    """What was asked and confirmed, for the journal. Raises SheetDoubtful where nobody confirmed it."""
    for name, count in counts.items():
        setattr(day, name, count)
    day.carcasses = sum(line.carcasses for line in deliveries)
    taken = animals_taken(RemovalPermit.objects.filter(pk=permit.pk)).get(permit.pk, 0)
    before = taken - sum(known.animals for known in days_of([permit.pk], on=day.on, brigade=brigade.pk))
    doubts = doubts_about(day, permit=permit, brigade=brigade, may=DayRules().on(day.on), taken_before=before)
    if doubts and not confirm:
        raise SheetDoubtful(fields={"confirm": " ".join(doubts)})
    return {"confirmed": doubts} if doubts else {}


def _may_receive(place: CustodyAccount | SlaughterPoint, permit: RemovalPermit) -> bool:
    if isinstance(place, SlaughterPoint):
        return place.is_active
    return place.kind == AccountKind.STORE and place.is_reception_point and place.region_id == permit.region_id


def _place_key(place: CustodyAccount | SlaughterPoint) -> tuple[int | None, int | None]:
    return (None, place.pk) if isinstance(place, SlaughterPoint) else (place.pk, None)


def _write_deliveries(sheet: DailySheet, deliveries: Sequence[Delivered]) -> None:
    lines = []
    for line in deliveries:
        store, point = _place_key(line.place)
        lines.append(Delivery(sheet=sheet, store_id=store, slaughter_point_id=point, carcasses=line.carcasses))
    Delivery.objects.bulk_create(lines)


def _compare(sheet: DailySheet, *, actor: User, at: datetime, limits: bool = True) -> None:
    reconcile_day(actor=actor, at=at, permit=sheet.permit_id, brigade=sheet.brigade_id, on=sheet.on)
    if limits:
        hold_against_limits(actor=actor, at=at, permit=sheet.permit_id)


def _record(verb: str, sheet: DailySheet, *, actor: User, at: datetime, **facts: Any) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("daily_sheet", sheet.pk),
        subject_name=sheet.number,
        organisation_id=sheet.organisation_id,
        number=sheet.number,
        **facts,
    )
