"""A brigade's day under one permit: what was taken, delivered and cut, and what receptions registered of it.

A day is named by permit, brigade and calendar day. Its sheet and its receptions find each other by that name, so a
reception that was opened before the sheet belongs to it too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from core.notices.models import Notice
from core.rules.models import Rule, RuleCode
from registry.models import Brigade, DailySheet, Intake, Origin, RemovalPermit, Sex, Term

Key = tuple[int, int, date]  # permit, brigade, day
KINDS_TAKEN = {Sex.MALE: "males", Sex.FEMALE: "females", Sex.YOUNG: "young"}
PREFIX = "removal."  # of all notice codes about days, permits and decisions


@dataclass(slots=True)
class Day:
    """One brigade's day. Animals are the sheet's; without one, what the receptions themselves counted."""

    permit_id: int
    brigade_id: int
    on: date
    brigade_name: str = ""
    sheet_id: int | None = None
    sheet_number: str = ""
    is_signed: bool = False
    males: int = 0
    females: int = 0
    young: int = 0
    carcasses: int = 0
    unusable: int = 0
    horns_cut: int = 0
    receptions: int = 0
    open_receptions: int = 0
    registered: int = 0
    grams: int = 0
    received_apart: int | None = None  # animals that receptions counted without the sheet
    intake_ids: list[int] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.permit_id, self.brigade_id, self.on

    @property
    def animals(self) -> int:
        return self.males + self.females + self.young

    def fault(self, code: str, kind: Notice.Kind = Notice.Kind.DISCREPANCY, **figures: Any) -> "Fault":
        """Something about this day that does not add up, in the figures that its sentence says."""
        named = {"brigade": self.brigade_name, "day": f"{self.on:%d.%m.%Y}", "number": self.sheet_number or "—"}
        return Fault(f"{PREFIX}{code}", kind, named | figures)

    @property
    def is_settled(self) -> bool:
        """Signed, and every reception closed: nothing more is expected of this day."""
        return self.is_signed and self.receptions > 0 and self.open_receptions == 0


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What the rules of a day let differ; None where no rule limits the horns of a male."""

    per_male: int | None
    carcasses: int
    horns: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not add up: the code of its notice and the figures that the notice says."""

    code: str
    kind: Notice.Kind
    params: Mapping[str, Any]


def days_of(permits: Iterable[int] | QuerySet[Any], *, on: date | None = None, brigade: int | None = None) -> list[Day]:
    """All days under these permits, in order; of one brigade or calendar day if told so. Two queries."""
    which: dict[str, Any] = {"permit__in": permits}
    if on is not None:
        which["on"] = on
    if brigade is not None:
        which["brigade"] = brigade
    found: dict[Key, Day] = {}
    names = ("males", "females", "young", "carcasses", "unusable", "horns_cut")
    sheets = DailySheet.objects.standing().filter(**which)
    for row in sheets.values("pk", "number", "state", "permit", "brigade", "brigade__name", "on", *names):
        day = Day(row["permit"], row["brigade"], row["on"], row["brigade__name"], row["pk"], row["number"])
        day.is_signed = row["state"] == DailySheet.State.SIGNED
        for name in names:
            setattr(day, name, row[name])
        found[day.key] = day
    receptions = Intake.objects.filter(origin=Origin.REMOVAL, term=Term.HORN, **which).exclude(
        state=Intake.State.CANCELLED
    )
    for row in receptions.order_by("pk").values(
        *("pk", "state", "permit", "brigade", "brigade__name", "on", "sheet"),
        *("males", "females", "young", "carcasses", "pieces", "grams"),
    ):
        key = row["permit"], row["brigade"], row["on"]
        day = found.setdefault(key, Day(*key, row["brigade__name"]))
        day.intake_ids.append(row["pk"])
        day.receptions += 1
        day.open_receptions += row["state"] == Intake.State.OPEN
        day.registered += row["pieces"] or 0
        day.grams += row["grams"] or 0
        if row["sheet"] is None:
            day.received_apart = (day.received_apart or 0) + row["males"] + row["females"] + row["young"]
            if day.sheet_id is None:
                day.males += row["males"]
                day.females += row["females"]
                day.young += row["young"]
                day.carcasses += row["carcasses"]
    return sorted(found.values(), key=lambda day: (day.on, day.permit_id, day.brigade_id))


def animals_taken(permits: QuerySet[RemovalPermit], by: str = "pk") -> dict[Any, int]:
    """Animals taken under each permit, or under each value of the permit's field `by`. Two queries.

    Each day counts once: by its sheet; where there is none, by what its receptions counted.
    """
    animals = Sum(F("males") + F("females") + F("young"))
    name = f"permit__{by}"
    sheets = DailySheet.objects.standing().filter(permit__in=permits)
    same_day = sheets.filter(permit=OuterRef("permit"), brigade=OuterRef("brigade"), on=OuterRef("on"))
    apart = (
        Intake.objects.filter(permit__in=permits, sheet=None, males__isnull=False)
        .exclude(state=Intake.State.CANCELLED)
        .filter(~Exists(same_day))
    )
    taken: dict[Any, int] = {}
    for counted in (sheets, apart):
        for value, count in counted.order_by().values_list(name).annotate(n=animals):
            taken[value] = taken.get(value, 0) + count
    return taken


def animals_signed(permits: QuerySet[RemovalPermit], by: str = "pk") -> dict[Any, int]:
    """Of the animals taken, those that stand on signed sheets. One query."""
    name = f"permit__{by}"
    signed = DailySheet.objects.filter(permit__in=permits, state=DailySheet.State.SIGNED)
    counted = signed.order_by().values_list(name).annotate(n=Sum(F("males") + F("females") + F("young")))
    return dict(counted)


class DayRules:
    """The rules about removal of any day, read once: two queries, whatever the number of days."""

    def __init__(self) -> None:
        codes = (RuleCode.REMOVAL_TOLERANCE, RuleCode.HORN_PER_MALE)
        self._rules = list(Rule.objects.enacted().filter(code__in=codes, scope=""))

    def on(self, day: date) -> Tolerances:
        """What may differ on the day; where no rule is in force nothing may."""
        tolerance = self._value(RuleCode.REMOVAL_TOLERANCE, day)
        return Tolerances(
            per_male=self._value(RuleCode.HORN_PER_MALE, day).get("max"),
            carcasses=tolerance.get("carcasses", 0),
            horns=tolerance.get("horns", 0),
        )

    def _value(self, code: RuleCode, day: date) -> dict[str, int]:
        found: dict[str, int] = next((rule.value for rule in self._rules if rule.code == code and rule.covers(day)), {})
        return found


def faults_of(day: Day, *, permit: RemovalPermit, brigade: Brigade, rules: DayRules, today: date) -> list[Fault]:
    """What does not add up on this day, as far as it can be said `today`.

    Facts against the papers are said at once. Animals, carcasses and horns cut are compared once the sheet is
    signed; horns cut and horns registered once every reception of the day is closed as well. What somebody left
    undone is said from the next day on. The tolerance covers what nature may explain (a carcass lost, a horn broken
    off long ago); a horn that was cut and counted must be registered, to the last one.
    """
    return [
        *_against_the_papers(day, permit, brigade),
        *(_in_itself(day, rules.on(day.on)) if day.is_signed else []),
        *(_left_undone(day, permit) if today > day.on else []),
    ]


def undecided(day: Day) -> set[str]:
    """Codes of what cannot be said about the day now: neither that it adds up nor that it does not."""
    registered = f"{PREFIX}horns_registered"
    if day.sheet_id is not None and not day.is_signed:
        return {f"{PREFIX}{code}" for code in ("carcasses", "horns_too_many", "horns_too_few", "counts")} | {registered}
    return set() if day.is_settled else {registered}


def _against_the_papers(day: Day, permit: RemovalPermit, brigade: Brigade) -> Iterator[Fault]:
    other = _of_another_sex(day, permit)
    if other:
        yield day.fault("sex", Notice.Kind.ALERT, permit=permit.number, count=other)
    if not brigade.has_contract_on(day.on):
        yield day.fault("contract", Notice.Kind.ALERT, contract=brigade.contract_number)


def _in_itself(day: Day, may: Tolerances) -> Iterator[Fault]:
    if abs(day.animals - day.carcasses - day.unusable) > may.carcasses:
        yield day.fault("carcasses", animals=day.animals, carcasses=day.carcasses, unusable=day.unusable)
    if may.per_male is not None:
        most = day.males * may.per_male
        if day.horns_cut > most:
            yield day.fault("horns_too_many", horns=day.horns_cut, males=day.males, most=most)
        elif most - day.horns_cut > may.horns:
            yield day.fault("horns_too_few", horns=day.horns_cut, males=day.males, most=most)
    if day.received_apart is not None and day.received_apart != day.animals:
        yield day.fault("counts", animals=day.animals, received=day.received_apart)
    if day.is_settled and day.registered != day.horns_cut:
        yield day.fault("horns_registered", cut=day.horns_cut, registered=day.registered)


def _left_undone(day: Day, permit: RemovalPermit) -> Iterator[Fault]:
    if day.sheet_id is None:
        # Permits from before the decisions had no daily sheets: nobody is late with one.
        if permit.limit_id is not None:
            yield day.fault("no_sheet")
    elif not day.is_signed:
        yield day.fault("sheet_open")
    if day.open_receptions:
        yield day.fault("reception_open")
    if day.sheet_id is not None and day.horns_cut and not day.receptions:
        yield day.fault("no_reception", cut=day.horns_cut)


def _of_another_sex(day: Day, permit: RemovalPermit) -> int:
    """Animals taken that the permit is not for."""
    if permit.sex == Sex.ANY:
        return 0
    allowed: int = getattr(day, KINDS_TAKEN[Sex(permit.sex)])
    return day.animals - allowed


def open_notices_by_day(days: Iterable[Day]) -> dict[Key, int]:
    """How many notices about each day still wait for an explanation; days without any are left out. One query."""
    key_of: dict[tuple[str, str], Key] = {}
    for day in days:
        if day.sheet_id is not None:
            key_of["daily_sheet", str(day.sheet_id)] = day.key
        key_of |= {("intake", str(pk)): day.key for pk in day.intake_ids}
    waiting: dict[Key, int] = {}
    about = Notice.objects.open().filter(
        Q(subject_kind="daily_sheet") | Q(subject_kind="intake"),
        subject_id__in={key for _kind, key in key_of},
    )
    for kind, key, count in about.order_by().values_list("subject_kind", "subject_id").annotate(n=Count("pk")):
        if (day_key := key_of.get((kind, key))) is not None:
            waiting[day_key] = waiting.get(day_key, 0) + count
    return waiting
