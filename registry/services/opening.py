"""Opening, correcting and cancelling intakes."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from core.documents.services import take_numbers
from ledger.models import CustodyAccount
from registry.models import Brigade, Case, DailySheet, Intake, Origin, RemovalPermit
from registry.selectors import stores_for_intake
from registry.services.cases import CaseFacts, enter_case, wrong_case
from registry.services.locking import lock_open_intake
from registry.services.reconciling import hold_against_limits, lock_brigade, lock_permit, reconcile_day
from registry.services.table import TableChanged

MOST_ANIMALS = 100_000

Fields = dict[str, StrOrPromise]


@transaction.atomic
def open_removal_intake(
    *,
    actor: User,
    at: datetime,
    store: CustodyAccount,
    permit: RemovalPermit,
    brigade: Brigade,
    on: date,
    males: int,
    females: int,
    young: int,
    carcasses: int,
) -> Intake:
    """Open the reception of what one brigade brought on one day. Season, population and region follow from the permit.

    For a brigade whose daily sheet is not in the register yet: the reception counts the animals itself. Animals
    beyond the permit's limit are recorded, and an alert is raised.
    Raises NotAllowed, or BadInput with the fields that are wrong.
    """
    if not actor.can(Can.OPEN_INTAKE):
        raise NotAllowed
    animals = {"males": males, "females": females, "young": young, "carcasses": carcasses}
    wrong = _wrong_removal(permit=permit, brigade=brigade, on=on, today=day_of(at), animals=animals)
    if not stores_for_intake(actor, Origin.REMOVAL).filter(pk=store.pk).exists():
        wrong["store"] = _("This is not a reception point of yours.")
    elif store.region_id != permit.region_id:
        wrong["permit"] = _("This permit is for another region than the reception point.")
    if wrong:
        raise BadInput(fields=wrong)
    lock_brigade(brigade.pk)
    # A withdrawal of the permit at the same moment waits for this, or is seen here.
    if lock_permit(permit.pk).is_withdrawn:
        raise BadInput(fields={"permit": _("This permit was withdrawn.")})
    intake = begin_intake(
        actor=actor,
        at=at,
        origin=Origin.REMOVAL,
        store=store,
        on=on,
        facts={"permit": permit.number, "brigade": brigade.name, "day": on.isoformat(), **animals},
        region_id=permit.region_id,
        population=permit.population,
        permit=permit,
        brigade=brigade,
        **animals,
    )
    reconcile_day(actor=actor, at=at, permit=permit.pk, brigade=brigade.pk, on=on)
    hold_against_limits(actor=actor, at=at, permit=permit.pk)
    return intake


@transaction.atomic
def correct_removal_intake(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    permit: RemovalPermit,
    brigade: Brigade,
    on: date,
    males: int,
    females: int,
    young: int,
    carcasses: int,
    version: int | None = None,
) -> Intake:
    """Correct what was entered when a reception was opened, while its table is still open. The store stays.

    `version`, where given, is the state the person saw. Raises NotAllowed, InvalidTransition, TableChanged, BadInput.
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    if version is not None and version != intake.version:
        raise TableChanged
    if intake.origin != Origin.REMOVAL:
        raise InvalidTransition
    if intake.sheet_id is not None:
        raise InvalidTransition(_("The figures are those of the daily sheet. Correct them there."))
    animals = {"males": males, "females": females, "young": young, "carcasses": carcasses}
    wrong = _wrong_removal(permit=permit, brigade=brigade, on=on, today=day_of(at), animals=animals)
    if intake.store.region_id != permit.region_id:
        wrong["permit"] = _("This permit is for another region than the reception point.")
    if wrong:
        raise BadInput(fields=wrong)
    # As at opening: brigades, then the permit; its withdrawal at the same moment waits for this, or is seen here.
    for key in sorted({brigade.pk, intake.brigade_id or brigade.pk}):
        lock_brigade(key)
    if lock_permit(permit.pk).is_withdrawn:
        raise BadInput(fields={"permit": _("This permit was withdrawn.")})
    new = {"permit": permit, "brigade": brigade, "on": on, **animals}
    old = {name: getattr(intake, name) for name in new}
    days = {(intake.permit_id or 0, intake.brigade_id or 0, intake.on), (permit.pk, brigade.pk, on)}
    changes = [f"{name}: {old[name]} → {value}" for name, value in new.items() if old[name] != value]
    if not changes:
        return intake
    for name, value in new.items():
        setattr(intake, name, value)
    intake.region_id, intake.population = permit.region_id, permit.population
    intake.version += 1
    intake.save(update_fields=[*new, "region", "population", "version"])
    record(
        "intake.corrected",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        note=changes,
    )
    for of_permit, of_brigade, day in sorted(days):  # the day it was taken for, and the day it is of
        reconcile_day(actor=actor, at=at, permit=of_permit, brigade=of_brigade, on=day)
    for of_permit in sorted({of_permit for of_permit, _brigade, _day in days}):
        hold_against_limits(actor=actor, at=at, permit=of_permit)
    return intake


@transaction.atomic
def open_seizure_intake(
    *, actor: User, at: datetime, store: CustodyAccount, on: date, case: Case | CaseFacts
) -> Intake:
    """Open the intake of seized goods into an evidence room: for a case in the register, or one entered now.

    `on` is the day the goods came into the room. Raises NotAllowed, CaseKnown, or BadInput with the wrong fields.
    """
    if not actor.can(Can.REGISTER_SEIZURE):
        raise NotAllowed
    seized_on = case.seized_on
    wrong: Fields = {} if isinstance(case, Case) else wrong_case(case, today=day_of(at))
    room = stores_for_intake(actor, Origin.SEIZURE).filter(pk=store.pk).first()
    if room is None or room.region is None:
        wrong["store"] = _("This is not an evidence room of yours.")
    if on > day_of(at):
        wrong["on"] = _("This day lies in the future.")
    elif on < seized_on:
        wrong["on"] = _("The goods cannot come in before they were seized.")
    if wrong or room is None or room.region is None:
        raise BadInput(fields=wrong)
    if isinstance(case, CaseFacts):
        case = enter_case(actor=actor, at=at, facts=case, region=room.region)
    elif not Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        raise NotAllowed
    return begin_intake(
        actor=actor,
        at=at,
        origin=Origin.SEIZURE,
        store=room,
        on=on,
        facts={"case": case.pk, "reference": case.name, "day": on.isoformat()},
        region_id=room.region_id,
        case=case,
    )


@transaction.atomic
def cancel_intake(*, actor: User, at: datetime, intake: Intake, reason: str) -> Intake:
    """Close an intake without registering anything. What was weighed stays readable. The reason is required.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    reason = require_reason(reason)
    intake = lock_open_intake(actor=actor, intake=intake)
    intake.state, intake.cancel_reason = Intake.State.CANCELLED, reason.strip()
    intake.closed_by, intake.closed_at = actor, at
    intake.save(update_fields=["state", "cancel_reason", "closed_by", "closed_at"])
    record(
        "intake.cancelled",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        reason=intake.cancel_reason,
    )
    if intake.permit_id is not None and intake.brigade_id is not None:
        reconcile_day(actor=actor, at=at, permit=intake.permit_id, brigade=intake.brigade_id, on=intake.on)
        hold_against_limits(actor=actor, at=at, permit=intake.permit_id)
    return intake


def begin_intake(
    *,
    actor: User,
    at: datetime,
    origin: Origin,
    store: CustodyAccount,
    on: date,
    facts: Mapping[str, object],
    **papers: Any,
) -> Intake:
    """An open intake with the next number and an empty table; `facts` are told to readers of the journal.

    Inside the act that opens it, which has asked whether the person may and what the `papers` say.
    """
    (serial,) = take_numbers(series="IN", year=on.year)
    intake = Intake.objects.create(
        number=f"IN{on:%y}-{serial:06d}", origin=origin, store=store, on=on, opened_by=actor, opened_at=at, **papers
    )
    record(
        "intake.opened",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=store.custodian_id,
        number=intake.number,
        origin=intake.origin,
        target=store.code,
        **facts,
    )
    return intake


def wrong_papers(*, permit: RemovalPermit, brigade: Brigade, on: date, today: date) -> Fields:
    """What does not fit together of a removal's permit, brigade and day, by field."""
    wrong: Fields = {}
    season = permit.season
    if on > today:
        wrong["on"] = _("This day lies in the future.")
    elif not season.starts_on <= on <= season.ends_on:
        wrong["on"] = _("This day is outside the season of the permit: %(first)s – %(last)s.") % {
            "first": season.starts_on.strftime("%d.%m.%Y"),
            "last": season.ends_on.strftime("%d.%m.%Y"),
        }
    elif on < permit.issued_on:
        wrong["on"] = _("The permit was not issued yet on this day.")
    if (brigade.season_id, brigade.region_id) != (permit.season_id, permit.region_id):
        wrong["brigade"] = _("This brigade has no contract for the season and region of the permit.")
    return wrong


def _wrong_removal(
    *, permit: RemovalPermit, brigade: Brigade, on: date, today: date, animals: Mapping[str, int]
) -> Fields:
    """What does not fit together, by field."""
    wrong = wrong_papers(permit=permit, brigade=brigade, on=on, today=today)
    if permit.is_withdrawn:
        wrong["permit"] = _("This permit was withdrawn.")
    known = DailySheet.objects.standing().filter(permit=permit, brigade=brigade, on=on).first()
    if known is not None:
        wrong["brigade"] = _(
            "The daily sheet %(number)s of this day is in the register: open the reception from it."
        ) % {"number": known.number}
    for name, count in animals.items():
        if not 0 <= count <= MOST_ANIMALS:
            wrong[name] = _("Enter a number from 0 to %(most)s.") % {"most": MOST_ANIMALS}
    taken = animals["males"] + animals["females"] + animals["young"]
    if not wrong.keys() & animals.keys():
        if taken == 0:
            wrong["males"] = _("Enter how many animals were taken.")
        elif animals["carcasses"] > taken:
            wrong["carcasses"] = _("There cannot be more carcasses than animals taken.")
    return wrong
