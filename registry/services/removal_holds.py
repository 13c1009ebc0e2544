"""Horns of a day of removal that does not add up stay where they are until the authority has judged.

What is in question is what was taken: too many or too few horns, animals of another sex, carcasses that are gone,
counts that differ. What is only late (a sheet not signed, a reception left open) holds nothing. What has gone, or is on
its way, is not called back; the notice stays.

Locks are taken in the order of docs/architecture.md.
"""

from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q

from core.accounts.models import User
from core.notices.models import Notice, NoticeQuerySet
from ledger.models import AccountKind, Hold, Holding
from ledger.services import lift_hold, place_hold
from ledger.services.locking import lock_items
from registry.models import DailySheet, Derivative, Intake, Origin, Term
from registry.triggers import IN_QUESTION


def lock_questions(permit: int, brigade: int, on: date) -> None:
    """Keep the questions about a brigade's day as they are until this transaction ends.

    Closes the race of the last question that is judged while another one is raised: one sees the other. To be asked
    before goods are locked: closing a question locks them.
    """
    about = _questions(permit, brigade, on)
    list(about.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk"))


def lock_horns(intakes: list[int]) -> None:
    """Keep the horns of these receptions where they are until this transaction ends."""
    horns = Derivative.objects.filter(intake__in=intakes).order_by("pk")
    lock_items(list(horns.values_list("pk", flat=True)))


def hold_day_in_question(
    *, actor: User | None, at: datetime, permit: int, brigade: int, on: date, concerned: User | None
) -> None:
    """Hold the horns of a brigade's day while one of IN_QUESTION about it is open; let them go once none is.

    Without an actor (the daily check) they are held in the name of the person `concerned`, and none is let go.
    """
    intakes = registered_of(permit, brigade, on)
    if not intakes:
        return
    if not _questions(permit, brigade, on).exists():
        if actor is not None:
            _let_go(intakes, actor=actor, at=at, reason=_name_of(permit, brigade, on, intakes))
        return
    holder = actor or concerned
    if holder is None:
        return
    # The lock closes the race of horns that a dispatch takes away: what is in a store is asked when it has ended.
    lock_horns(intakes)
    held = Hold.objects.active().filter(kind=Hold.Kind.REMOVAL, item=OuterRef("item"))
    here = Holding.objects.filter(
        ~Exists(held),
        item__derivative__intake__in=intakes,
        account__kind=AccountKind.STORE,
        is_physical=True,
        pieces__gt=0,
    )
    if items := list(here.order_by("item_id").values_list("item_id", flat=True)):
        name = _name_of(permit, brigade, on, intakes)
        place_hold(actor=holder, at=at, item_ids=items, kind=Hold.Kind.REMOVAL, reference=name)


def let_go_when_judged(notice: Notice, actor: User, at: datetime) -> None:
    """Once nothing about the day of this notice is in question any more, its horns are free."""
    if notice.subject_kind == "daily_sheet":
        day = DailySheet.objects.filter(pk=notice.subject_id).values_list("permit", "brigade", "on").first()
    else:
        day = Intake.objects.filter(pk=notice.subject_id).values_list("permit", "brigade", "on").first()
    if day is None or None in day:
        return
    # The lock closes the race of two who judge the last two questions: one sees that the other has, and lets go.
    lock_items(_held_of(registered_of(*day)))
    intakes = registered_of(*day)
    if intakes and not _questions(*day).exists():
        _let_go(intakes, actor=actor, at=at, reason=_name_of(*day, intakes))


def _let_go(intakes: list[int], *, actor: User, at: datetime, reason: str) -> None:
    if items := _held_of(intakes):
        lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.REMOVAL, reason=reason)


def _held_of(intakes: list[int]) -> list[int]:
    held = Hold.objects.active().filter(kind=Hold.Kind.REMOVAL)
    of_day = held.filter(item__in=Derivative.objects.filter(intake__in=intakes).values("pk"))
    return list(of_day.order_by("item_id").values_list("item_id", flat=True))


def registered_of(permit: int, brigade: int, on: date) -> list[int]:
    """Registered receptions of horns of a brigade's day."""
    day = Intake.objects.filter(permit=permit, brigade=brigade, on=on, origin=Origin.REMOVAL, term=Term.HORN)
    return list(day.filter(state=Intake.State.REGISTERED).order_by("pk").values_list("pk", flat=True))


def _sheets_of(permit: int, brigade: int, on: date) -> list[tuple[int, str]]:
    sheets = DailySheet.objects.filter(permit=permit, brigade=brigade, on=on).order_by("pk")
    return list(sheets.values_list("pk", "number"))


def _questions(permit: int, brigade: int, on: date) -> NoticeQuerySet:
    """Open notices that keep the horns of this day where they are: about any of its sheets and receptions, also one
    that is weighed still or was cancelled. The trigger `horns_of_a_day_wait_for_its_judgement` asks the same.
    """
    receptions = Intake.objects.filter(permit=permit, brigade=brigade, on=on).values_list("pk", flat=True)
    about = Q(subject_kind="intake", subject_id__in=[str(pk) for pk in receptions])
    about |= Q(subject_kind="daily_sheet", subject_id__in=[str(pk) for pk, _number in _sheets_of(permit, brigade, on)])
    return Notice.objects.open().filter(about, code__in=IN_QUESTION)


def _name_of(permit: int, brigade: int, on: date, intakes: list[int]) -> str:
    """The number of the sheet of the day, else of its first reception."""
    sheets = _sheets_of(permit, brigade, on)
    return sheets[-1][1] if sheets else Intake.objects.values_list("number", flat=True).get(pk=intakes[0])
