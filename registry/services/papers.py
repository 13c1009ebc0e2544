"""The papers of a removal season: the season itself, permits to remove, brigades with their contracts."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, NotAllowed
from registry.models import Brigade, Population, RemovalPermit, Season


@transaction.atomic
def open_season(
    *, actor: User, at: datetime, name_kk: str, name_ru: str, name_en: str, starts_on: date, ends_on: date
) -> Season:
    """Enter a season as the decision on regulation names it. Raises NotAllowed, BadInput."""
    _require_keeper(actor)
    if ends_on < starts_on:
        raise BadInput(fields={"ends_on": _("The season cannot end before it starts.")})
    season = Season.objects.create(
        name_kk=name_kk, name_ru=name_ru, name_en=name_en, starts_on=starts_on, ends_on=ends_on
    )
    _record("season.opened", season, actor=actor, at=at, name=season.name_kk)
    return season


@transaction.atomic
def enter_removal_permit(
    *,
    actor: User,
    at: datetime,
    season: Season,
    number: str,
    issued_on: date,
    population: Population,
    region: Region,
    holder: Organisation,
    animals_limit: int,
) -> RemovalPermit:
    """Enter a permit to remove animals in a season. Raises NotAllowed, BadInput."""
    _require_keeper(actor)
    wrong = {}
    if RemovalPermit.objects.filter(number=number).exists():
        wrong["number"] = _("A permit with this number is in the register already.")
    if issued_on > min(day_of(at), season.ends_on):
        wrong["issued_on"] = _("A permit is issued before the season ends, and not in the future.")
    if animals_limit < 1:
        wrong["animals_limit"] = _("Say how many animals may be removed.")
    if wrong:
        raise BadInput(fields=wrong)
    permit = RemovalPermit.objects.create(
        season=season,
        number=number,
        issued_on=issued_on,
        population=population,
        region=region,
        holder=holder,
        animals_limit=animals_limit,
    )
    _record("season.permit_entered", season, actor=actor, at=at, number=number, limit=animals_limit, region=region.pk)
    return permit


@transaction.atomic
def enter_brigade(
    *, actor: User, at: datetime, season: Season, name: str, region: Region, contract_number: str
) -> Brigade:
    """Enter a brigade with its contract. Raises NotAllowed, BadInput."""
    _require_keeper(actor)
    if season.brigades.filter(contract_number=contract_number).exists():
        raise BadInput(fields={"contract_number": _("A brigade with this contract is in this season already.")})
    brigade = Brigade.objects.create(season=season, name=name, region=region, contract_number=contract_number)
    _record("season.brigade_entered", season, actor=actor, at=at, name=name, number=contract_number, region=region.pk)
    return brigade


def _require_keeper(actor: User) -> None:
    if not actor.can(Can.KEEP_SEASONS):
        raise NotAllowed


def _record(verb: str, season: Season, *, actor: User, at: datetime, **facts: Any) -> None:
    record(verb, actor=actor, at=at, subject=("season", season.pk), subject_name=season.name_kk[:120], **facts)
