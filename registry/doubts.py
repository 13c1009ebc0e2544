"""What of a daily sheet does not fit together, said while the paper is in hand; it is asked about, not refused."""

from collections.abc import Iterator

from django.utils.translation import ngettext

from registry.days import Day, Tolerances
from registry.models import Brigade, RemovalPermit

# Animals a day for each person of a brigade. No rule: the figure decides nothing, it only has the paper read again.
PLENTY_A_PERSON = 50


def doubts_about(day: Day, *, permit: RemovalPermit, brigade: Brigade, may: Tolerances, taken_before: int) -> list[str]:
    """Questions about the figures of a day, as sentences; none where all fits. `taken_before` under the permit."""
    return [*_in_itself(day, may), *_too_many(day, permit, brigade, taken_before)]


def _in_itself(day: Day, may: Tolerances) -> Iterator[str]:
    if abs(day.animals - day.carcasses - day.unusable) > may.carcasses:
        words = ngettext(
            "%(animals)s animal taken, but %(carcasses)s carcasses delivered and %(unusable)s unusable.",
            "%(animals)s animals taken, but %(carcasses)s carcasses delivered and %(unusable)s unusable.",
            day.animals,
        )
        yield words % {"animals": day.animals, "carcasses": day.carcasses, "unusable": day.unusable}
    if may.per_male is None:
        return
    most = day.males * may.per_male
    figures = {"horns": day.horns_cut, "males": day.males, "most": most}
    if day.horns_cut > most:
        words = ngettext(
            "%(horns)s horn cut, but males are %(males)s and can have %(most)s horns at most.",
            "%(horns)s horns cut, but males are %(males)s and can have %(most)s horns at most.",
            day.horns_cut,
        )
        yield words % figures
    elif most - day.horns_cut > may.horns:
        words = ngettext(
            "Only %(horns)s horn cut, but males are %(males)s and %(most)s horns are expected.",
            "Only %(horns)s horns cut, but males are %(males)s and %(most)s horns are expected.",
            day.horns_cut,
        )
        yield words % figures


def _too_many(day: Day, permit: RemovalPermit, brigade: Brigade, taken_before: int) -> Iterator[str]:
    if taken_before + day.animals > permit.animals_limit:
        figures = {"permit": permit.number, "limit": permit.animals_limit, "before": taken_before}
        words = ngettext(
            "The permit %(permit)s lets %(limit)s animal, %(before)s were taken before this day.",
            "The permit %(permit)s lets %(limit)s animals, %(before)s were taken before this day.",
            permit.animals_limit,
        )
        yield words % figures
    if brigade.members and day.animals > brigade.members * PLENTY_A_PERSON:
        words = ngettext(
            "%(animals)s animals on one day by a brigade of %(people)s person.",
            "%(animals)s animals on one day by a brigade of %(people)s people.",
            brigade.members,
        )
        yield words % {"animals": day.animals, "people": brigade.members}
