"""The papers of a removal season: the season, decisions with their limits, permits, brigades, slaughter points."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_stubs_ext import StrOrPromise

from core.accounts.identity import problem_of_name
from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.duplicates import refuse_known
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from registry.models import (
    Brigade,
    DailySheet,
    Intake,
    Population,
    RemovalDecision,
    RemovalLimit,
    RemovalPermit,
    Season,
    Sex,
    SlaughterPoint,
)
from registry.numbers import alike


class LimitExceeded(BadInput):
    """The permits of a line would let more animals than the decision does."""

    code = "limit-exceeded"


@dataclass(frozen=True, slots=True)
class Limit:
    """One line of a decision."""

    population: Population
    region: Region
    animals: int
    sex: Sex = Sex.ANY


@transaction.atomic
def open_season(
    *, actor: User, at: datetime, name_kk: str, name_ru: str, name_en: str, starts_on: date, ends_on: date
) -> Season:
    """Enter a season as the decision on regulation names it. Raises NotAllowed, BadInput."""
    _require_keeper(actor)
    if ends_on < starts_on:
        raise BadInput(fields={"ends_on": _("The season cannot end before it starts.")})
    names = {"name_kk": name_kk, "name_ru": name_ru, "name_en": name_en}
    known = _("A season with this name is in the register already.")
    wrong: dict[str, StrOrPromise] = {
        field: known
        for field, name in names.items()
        if Season.objects.alias(alike=alike(F(field))).filter(alike=alike(name)).exists()
    }
    if wrong:
        raise BadInput(fields=wrong)
    with refuse_known({"season_named_once": BadInput(fields={"name_kk": known})}):
        season = Season.objects.create(**names, starts_on=starts_on, ends_on=ends_on)
    _record("season.opened", season, actor=actor, at=at, name=season.name_kk)
    return season


@transaction.atomic
def enter_removal_decision(
    *,
    actor: User,
    at: datetime,
    season: Season,
    number: str,
    decided_on: date,
    title: str,
    legal_basis: str,
    basis_by: str,
    basis_number: str,
    basis_on: date,
    limits: Sequence[Limit],
) -> RemovalDecision:
    """Enter a decision on regulation with all its limits. It is never edited: another decision adds to it.

    Raises NotAllowed, or BadInput with the fields that are wrong.
    """
    _require_keeper(actor)
    wrong: dict[str, StrOrPromise] = {}
    if decided_on > min(day_of(at), season.ends_on):
        wrong["decided_on"] = _("A decision is taken before the season ends, and not in the future.")
    elif basis_on > decided_on:
        wrong["basis_on"] = _("The justification cannot be younger than the decision.")
    lines = [(line.population, line.region.pk, line.sex) for line in limits]
    if not limits:
        wrong["limits"] = _("Enter at least one limit.")
    elif len(set(lines)) != len(lines):
        wrong["limits"] = _("Two limits are for the same population, region and sex. Put them together.")
    elif any((place, region, Sex.ANY) in lines for place, region, sex in lines if sex != Sex.ANY):
        wrong["limits"] = _(
            "One limit is for animals of any sex, another for one sex of the same population and region. "
            "Give a limit for each sex, or one for all."
        )
    elif any(line.animals < 1 for line in limits):
        wrong["limits"] = _("Say how many animals may be removed.")
    elif twin := _season_of_same_days(season, limits):
        wrong["limits"] = _("%(season)s has the same days, and limits for this population and region.") % {
            "season": twin.name
        }
    if wrong:
        raise BadInput(fields=wrong)
    authority = Organisation.objects.filter(pk__in=actor.organisation_ids(Can.KEEP_SEASONS)).order_by("pk").first()
    if authority is None:
        raise NotAllowed
    known = BadInput(fields={"number": _("A decision with this number is in the register already.")})
    with refuse_known({"_number_": known}):
        decision = RemovalDecision.objects.create(
            season=season,
            number=number,
            decided_on=decided_on,
            title=title,
            authority=authority,
            legal_basis=legal_basis,
            basis_by=basis_by,
            basis_number=basis_number,
            basis_on=basis_on,
            entered_by=actor,
            entered_at=at,
        )
    twice = BadInput(fields={"limits": _("Another season of the same days has limits for this population and region.")})
    with refuse_known({"one_season_per_days_and_place": twice}):
        RemovalLimit.objects.bulk_create(
            RemovalLimit(
                decision=decision, population=line.population, region=line.region, sex=line.sex, animals=line.animals
            )
            for line in limits
        )
    animals = sum(line.animals for line in limits)
    _record("season.decision_entered", season, actor=actor, at=at, number=number, lines=len(limits), limit=animals)
    return decision


@transaction.atomic
def enter_removal_permit(
    *,
    actor: User,
    at: datetime,
    limit: RemovalLimit,
    number: str,
    issued_on: date,
    holder: Organisation,
    animals_limit: int,
) -> RemovalPermit:
    """Enter a permit to remove animals under one line of a decision: season, population, region and sex follow.

    All permits of a line together never exceed it. Raises NotAllowed, LimitExceeded, or BadInput with the fields.
    """
    _require_keeper(actor)
    limit = lock_limit(limit.pk)
    season = limit.decision.season
    wrong: dict[str, StrOrPromise] = {}
    if issued_on > min(day_of(at), season.ends_on):
        wrong["issued_on"] = _("A permit is issued before the season ends, and not in the future.")
    elif issued_on < limit.decision.decided_on:
        wrong["issued_on"] = _("A permit cannot be older than the decision it rests on.")
    if animals_limit < 1:
        wrong["animals_limit"] = _("Say how many animals may be removed.")
    if wrong:
        raise BadInput(fields=wrong)
    left = limit.animals - permitted_under(limit)
    if animals_limit > left:
        said = ngettext(
            "The decision leaves %(left)s animal on this line.",
            "The decision leaves %(left)s animals on this line.",
            left,
        ) % {"left": left}
        raise LimitExceeded(said, fields={"animals_limit": said})
    known = BadInput(fields={"number": _("A permit with this number is in the register already.")})
    if RemovalPermit.objects.filter(number_alike=alike(number)).exists():
        raise known
    with refuse_known({"_number_": known}):
        permit = RemovalPermit.objects.create(
            season=season,
            limit=limit,
            number=number,
            issued_on=issued_on,
            population=limit.population,
            region_id=limit.region_id,
            sex=limit.sex,
            holder=holder,
            animals_limit=animals_limit,
        )
    _record(
        "season.permit_entered",
        season,
        actor=actor,
        at=at,
        number=number,
        limit=animals_limit,
        region=permit.region_id,
        decision=limit.decision.number,
    )
    return permit


@transaction.atomic
def withdraw_removal_permit(*, actor: User, at: datetime, permit: RemovalPermit, reason: str) -> RemovalPermit:
    """Take back a permit under which nothing was removed yet; its animals are free on the line again.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    _require_keeper(actor)
    reason = require_reason(reason)
    # A sheet or reception written at the same moment names the permit, and waits for this lock.
    permit = RemovalPermit.objects.select_for_update(of=("self",)).select_related("season").get(pk=permit.pk)
    if permit.is_withdrawn:
        raise InvalidTransition(_("This permit was withdrawn already."))
    used = DailySheet.objects.standing().filter(permit=permit).exists()
    if used or Intake.objects.filter(permit=permit).exclude(state=Intake.State.CANCELLED).exists():
        raise InvalidTransition(_("Animals were removed under this permit. It stays."))
    permit.withdrawn_by, permit.withdrawn_at, permit.withdraw_reason = actor, at, reason.strip()
    permit.save(update_fields=["withdrawn_by", "withdrawn_at", "withdraw_reason"])
    _record(
        "season.permit_withdrawn",
        permit.season,
        actor=actor,
        at=at,
        number=permit.number,
        reason=permit.withdraw_reason,
    )
    return permit


@transaction.atomic
def enter_brigade(
    *,
    actor: User,
    at: datetime,
    season: Season,
    name: str,
    region: Region,
    contract_number: str,
    contract_on: date,
    leader: str,
    members: int,
    valid_from: date,
    valid_until: date,
) -> Brigade:
    """Enter a brigade with its contract. Raises NotAllowed, BadInput."""
    _require_keeper(actor)
    wrong: dict[str, StrOrPromise] = {}
    if problem := problem_of_name(leader):
        wrong["leader"] = problem
    if members < 1:
        wrong["members"] = _("Say how many people the brigade has.")
    if valid_until < valid_from:
        wrong["valid_until"] = _("The last day is before the first.")
    elif valid_until < season.starts_on or valid_from > season.ends_on:
        wrong["valid_from"] = _("The contract does not cover any day of the season.")
    elif valid_from < contract_on:
        wrong["valid_from"] = _("A brigade cannot work before the day of its contract.")
    if wrong:
        raise BadInput(fields=wrong)
    known = BadInput(fields={"contract_number": _("A brigade with this contract is in this season already.")})
    with refuse_known({"one_brigade_per_contract": known}):
        brigade = Brigade.objects.create(
            season=season,
            name=name,
            region=region,
            contract_number=contract_number,
            contract_on=contract_on,
            leader=leader,
            members=members,
            valid_from=valid_from,
            valid_until=valid_until,
        )
    _record("season.brigade_entered", season, actor=actor, at=at, name=name, number=contract_number, region=region.pk)
    return brigade


@transaction.atomic
def enter_slaughter_point(
    *,
    actor: User,
    at: datetime,
    name_kk: str,
    name_ru: str,
    name_en: str,
    region: Region,
    attestation_number: str,
    attested_on: date,
) -> SlaughterPoint:
    """Enter an attested slaughter point, so that deliveries can name it. Raises NotAllowed, BadInput."""
    _require_keeper(actor)
    if attested_on > day_of(at):
        raise BadInput(fields={"attested_on": _("This day lies in the future.")})
    known = BadInput(fields={"attestation_number": _("A slaughter point with this attestation is in the register.")})
    with refuse_known({"_attestation_number_": known}):
        point = SlaughterPoint.objects.create(
            name_kk=name_kk,
            name_ru=name_ru,
            name_en=name_en,
            region=region,
            attestation_number=attestation_number,
            attested_on=attested_on,
        )
    record(
        "slaughter_point.entered",
        actor=actor,
        at=at,
        subject=("slaughter_point", point.pk),
        subject_name=point.name_kk[:120],
        number=attestation_number,
        region=region.pk,
    )
    return point


def lock_limit(pk: int) -> RemovalLimit:
    """The line, locked until commit: closes the race of two permits that only together exceed it."""
    return (
        RemovalLimit.objects.select_for_update(of=("self",), no_key=True).select_related("decision__season").get(pk=pk)
    )


def permitted_under(limit: RemovalLimit) -> int:
    """Animals that the permits of a line let so far."""
    standing = limit.permits.filter(withdrawn_at=None)
    given: int = standing.aggregate(n=Sum("animals_limit", default=0))["n"]
    return given


def _season_of_same_days(season: Season, limits: Sequence[Limit]) -> Season | None:
    """Another season with the same days that has limits for a population and region of these."""
    here = Q()
    for line in limits:
        here |= Q(population=line.population, region=line.region)
    taken = RemovalLimit.objects.filter(here).values("decision__season")
    twins = Season.objects.filter(starts_on=season.starts_on, ends_on=season.ends_on).exclude(pk=season.pk)
    return twins.filter(pk__in=taken).first()


def _require_keeper(actor: User) -> None:
    if not actor.can(Can.KEEP_SEASONS):
        raise NotAllowed


def _record(verb: str, season: Season, *, actor: User, at: datetime, **facts: Any) -> None:
    record(verb, actor=actor, at=at, subject=("season", season.pk), subject_name=season.name_kk[:120], **facts)
