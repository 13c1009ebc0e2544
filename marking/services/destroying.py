"""Destroying labels: asked for by one person of an office, signed by another, with an act in two languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.reasons import NO_REASON, is_reason, require_reason
from core.base.templatetags.fmt import NOTHING, count, day
from core.documents.acts import Act, Column, Fact, Language, Party, Rows, Signatory, draw_act, save_act
from core.documents.services import take_numbers
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from ledger.services import SecondPersonNeeded
from marking.models import (
    LabelDestruction,
    LabelDestructionLine,
    LabelHolding,
    LabelMovement,
    LabelPlace,
    LabelReel,
    Mark,
    MarkQuerySet,
)
from marking.models.stock import offices_of, oversees_labels
from marking.places import write_places
from marking.services.stock import Change, end_labels, lock_reels, move_labels, places_from

LANGUAGES: tuple[Language, ...] = ("kk", "ru")


@dataclass(frozen=True, slots=True)
class ToDestroy:
    """What of a reel is destroyed: the spoiled labels the office keeps, what is left of it, lost labels found again."""

    reel: LabelReel
    spoiled: bool = True
    rest: bool = False
    found: str = ""


@transaction.atomic
def ask_destruction(
    *, actor: User, at: datetime, organisation: Organisation, lines: Sequence[ToDestroy], reason: str, method: str
) -> LabelDestruction:
    """Ask that labels of the person's office are destroyed. Raises NotAllowed, BadInput."""
    if organisation.pk not in offices_of(actor):
        raise NotAllowed
    wrong: dict[str, StrOrPromise] = {}
    if not is_reason(reason):
        wrong["reason"] = NO_REASON
    if not method.strip():
        wrong["method"] = _("Say how they are destroyed.")
    if not lines:
        wrong["reels"] = _("Choose at least one reel.")
    if wrong:
        raise BadInput(fields=wrong)
    lock_reels(line.reel.pk for line in lines)
    counted = [line for line in (_count(organisation.pk, line) for line in lines) if line.pieces]
    if not counted:
        raise BadInput(fields={"reels": _("Nothing of these reels is there to be destroyed.")})
    year = day_of(at).year
    (serial,) = take_numbers(series="LD", year=year)
    destruction = LabelDestruction.objects.create(
        number=f"LD{year % 100:02d}-{serial:06d}",
        organisation=organisation,
        reason=reason.strip()[:200],
        method=method.strip()[:200],
        asked_by=actor,
        asked_at=at,
    )
    for line in counted:
        line.destruction = destruction
    LabelDestructionLine.objects.bulk_create(counted)
    _record("labels.destruction_asked", destruction, actor, at, sum(line.pieces for line in counted))
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="labels.destruction_waits",
        organisation=organisation,
        subject=("label_destruction", destruction.pk),
        actor=actor,
        number=destruction.number,
        count=sum(line.pieces for line in counted),
    )
    return destruction


def _count(office: int, line: ToDestroy) -> LabelDestructionLine:
    """What is there of a reel to be destroyed. Raises BadInput for found labels that are not lost."""
    found = places_from(line.found, line.reel, field=f"found_{line.reel.pk}")
    if found and _lost(line.reel.pk, found).count() != len(found):
        raise BadInput(fields={f"found_{line.reel.pk}": _("Only labels that were reported lost are found again.")})
    held = dict(LabelHolding.objects.filter(reel=line.reel, organisation=office).values_list("place", "pieces"))
    return LabelDestructionLine(
        reel=line.reel,
        spoiled=held.get(LabelPlace.SPOILED, 0) if line.spoiled else 0,
        blank=held.get(LabelPlace.OFFICE, 0) if line.rest else 0,
        found=write_places(found),
        found_pieces=len(found),
    )


def _lost(reel: int, places: Sequence[int]) -> MarkQuerySet:
    return Mark.objects.filter(reel=reel, state=Mark.State.LOST, place_on_reel__in=places)


def can_sign(user: User, destruction: LabelDestruction) -> bool:
    """Who may be the second person: a colleague of the office, or the authority.

    The authority alone where labels are among them that another office lost: its loss is not ended without it.
    """
    if oversees_labels(user) and user.can(Can.APPROVE_MARKS):
        return True
    return destruction.organisation_id in offices_of(user) and not finds_of_others(destruction)


def finds_of_others(destruction: LabelDestruction) -> bool:
    """Whether labels are among them that another office lost."""
    return any(
        _lost(line.reel_id, places_from(line.found, line.reel, field="found"))
        .filter(reports__kind=LabelPlace.LOST)
        .exclude(reports__office=destruction.organisation_id)
        .exists()
        for line in destruction.lines.exclude(found="").select_related("reel")
    )


def can_refuse(user: User, destruction: LabelDestruction) -> bool:
    """Who may leave it undone, the person who asked among them."""
    return destruction.organisation_id in offices_of(user) or can_sign(user, destruction)


@transaction.atomic
def destroy_labels(*, actor: User, at: datetime, destruction: LabelDestruction) -> LabelDestruction:
    """The second person signs: the labels are destroyed, and the act is kept.

    Raises NotAllowed, SecondPersonNeeded, InvalidTransition when something of the reels changed since.
    """
    locked = _take(destruction)
    if not can_sign(actor, locked):
        raise NotAllowed(_("Another office lost some of these labels, so the authority signs as the second person."))
    if locked.asked_by_id == actor.pk:
        raise SecondPersonNeeded(_("You asked for this; another person decides."))
    require_independent(actor, locked.asked_by_id, at=at)
    lines = list(locked.lines.select_related("reel__series").order_by("reel"))
    lock_reels(line.reel_id for line in lines)
    office = locked.organisation_id
    changes: list[Change] = []
    codes: list[str] = []
    for line in lines:
        now = _count(office, ToDestroy(line.reel, bool(line.spoiled), bool(line.blank), line.found))
        if (now.spoiled, now.blank, now.found_pieces) != (line.spoiled, line.blank, line.found_pieces):
            raise InvalidTransition(_("Something of these reels has changed since. Refuse this, and ask anew."))
        marks = Mark.objects.filter(reel=line.reel)
        if line.spoiled:
            kept = marks.filter(state=Mark.State.SPOILED, reports__kind=LabelPlace.SPOILED, reports__office=office)
            codes += kept.values_list("code", flat=True)
            changes.append(Change(line.reel_id, LabelPlace.SPOILED, office, -line.spoiled))
        if line.blank:
            codes += marks.filter(state=Mark.State.BLANK).values_list("code", flat=True)
            changes.append(Change(line.reel_id, LabelPlace.OFFICE, office, -line.blank))
        if line.found:
            places = places_from(line.found, line.reel, field="found")
            found = _lost(line.reel_id, places)
            codes += found.values_list("code", flat=True)
            lost = found.filter(reports__kind=LabelPlace.LOST).values_list("reports__office", flat=True)
            changes += [Change(line.reel_id, LabelPlace.LOST, whose, -1) for whose in lost]
        changes.append(Change(line.reel_id, LabelPlace.DESTROYED, office, line.pieces))
    move_labels(
        actor=locked.asked_by,
        second=actor,
        at=at,
        kind=LabelMovement.Kind.DESTROYED,
        changes=changes,
        reference=locked.number,
        reason=locked.reason,
    )
    end_labels(codes, Mark.State.DESTROYED)
    locked.state, locked.ended_by, locked.ended_at = LabelDestruction.State.DONE, actor, at
    for language in LANGUAGES:
        content = draw_act(_act(locked, lines, language), language)
        paper = save_act(actor=actor, at=at, name=f"{locked.number}-{language}.pdf", content=content)
        setattr(locked, f"paper_{language}", paper)
    locked.save(update_fields=["state", "ended_by", "ended_at", "paper_kk", "paper_ru"])
    _record("labels.destroyed", locked, actor, at, len(codes))
    _settle(locked, actor, at)
    return locked


@transaction.atomic
def refuse_destruction(*, actor: User, at: datetime, destruction: LabelDestruction, reason: str) -> LabelDestruction:
    """Do not destroy; whoever asked may take it back so too. Raises NotAllowed, BadInput, InvalidTransition."""
    require_reason(reason)
    locked = _take(destruction)
    if not can_refuse(actor, locked):
        raise NotAllowed
    locked.state, locked.ended_by, locked.ended_at = LabelDestruction.State.REFUSED, actor, at
    locked.end_reason = reason.strip()[:200]
    locked.save(update_fields=["state", "ended_by", "ended_at", "end_reason"])
    _record("labels.destruction_refused", locked, actor, at, 0)
    _settle(locked, actor, at)
    return locked


def _take(destruction: LabelDestruction) -> LabelDestruction:
    # The lock closes the race of two who sign, and of signing against refusing.
    locked = (
        LabelDestruction.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organisation", "asked_by")
        .get(pk=destruction.pk)
    )
    if locked.state != LabelDestruction.State.ASKED:
        raise InvalidTransition(_("This was signed or refused already. Reload the page."))
    return locked


def _act(destruction: LabelDestruction, lines: Sequence[LabelDestructionLine], language: Language) -> Act:
    with translation.override(language):
        signed = date_format(localtime(destruction.ended_at), "SHORT_DATETIME_FORMAT")
        second = destruction.ended_by
        total = sum(line.pieces for line in lines)
        return Act(
            title=gettext("Act on destroying labels"),
            number=destruction.number,
            dated=day(destruction.ended_at),
            issuer=destruction.organisation.name,
            parties=(Party(gettext("Office"), destruction.organisation.name),),
            facts=(
                Fact(gettext("Reason"), destruction.reason),
                Fact(gettext("Method"), destruction.method),
                Fact(gettext("Labels destroyed"), count(total)),
            ),
            tables=(
                Rows(
                    columns=(
                        Column(gettext("Reel of labels"), 2.4),
                        Column(gettext("Spoiled"), 1.6, flush_right=True),
                        Column(gettext("Unused"), 2.2, flush_right=True),
                        Column(gettext("Lost and found again"), 3),
                        Column(gettext("Together"), 1.5, flush_right=True),
                    ),
                    rows=[
                        (
                            line.reel.number,
                            count(line.spoiled),
                            count(line.blank),
                            line.found or NOTHING,
                            count(line.pieces),
                        )
                        for line in lines
                    ],
                    totals=(gettext("Total"), "", "", "", count(total)),
                ),
            ),
            signatories=(
                Signatory(gettext("Destroyed by"), destruction.asked_by.full_name, signed=signed),
                Signatory(gettext("In the presence of"), second.full_name if second else "", signed=signed),
            ),
            link=f"https://{settings.PUBLIC_HOST}{reverse('marking:label-destruction', args=[destruction.pk])}",
        )


def _settle(destruction: LabelDestruction, actor: User, at: datetime) -> None:
    settle_notices(
        actor=actor,
        at=at,
        subject=("label_destruction", destruction.pk),
        decision=destruction.get_state_display(),
        reason=destruction.end_reason or destruction.reason,
    )


def _record(verb: str, destruction: LabelDestruction, actor: User, at: datetime, count: int) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("label_destruction", destruction.pk),
        subject_name=destruction.number,
        organisation_id=destruction.organisation_id,
        count=count,
        reason=destruction.end_reason or destruction.reason,
    )
