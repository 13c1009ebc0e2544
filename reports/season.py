"""How far a season has come: animals against their limit, carcasses, horns, mass; by region, brigade and day."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.base.templatetags import fmt
from registry.days import Day, days_of, open_notices_by_day
from registry.models import RemovalPermit, Season
from registry.selectors import permits_seen
from reports.charts import Bar, draw_columns
from reports.papers import formats
from reports.tables import Column, Kind, Table

DAYS_AS_COLUMNS = 21  # a longer season is drawn by week


@dataclass(slots=True)
class Progress:
    """What belongs together: counts of all its days. `limit` is None where nothing limits it by itself;
    `unsigned` are the animals whose sheet nobody has signed yet.
    """

    label: str
    url: str = ""
    limit: int | None = None
    animals: int = 0
    males: int = 0
    carcasses: int = 0
    horns_cut: int = 0
    registered: int = 0
    grams: int = 0
    asked: int = 0
    unsigned: int = 0

    def add(self, day: Day, asked: int) -> None:
        self.animals += day.animals
        self.unsigned += 0 if day.is_signed else day.animals
        self.males += day.males
        self.carcasses += day.carcasses
        self.horns_cut += day.horns_cut
        self.registered += day.registered
        self.grams += day.grams
        self.asked += asked

    @property
    def percent(self) -> int | None:
        """Animals of the limit, in whole per cent."""
        return None if not self.limit else round(100 * self.animals / self.limit)

    @property
    def is_over(self) -> bool:
        return self.limit is not None and self.animals > self.limit

    @property
    def horns_a_male(self) -> float | None:
        """Horns registered for each male taken."""
        return self.registered / self.males if self.males else None


@dataclass(slots=True)
class SeasonProgress:
    """A season as one reader may see it."""

    season: Season
    permits: dict[int, RemovalPermit]
    days: list[Day]
    asked: dict[tuple[int, int, date], int]
    total: Progress
    regions: list[Progress] = field(default_factory=list)
    brigades: list[Progress] = field(default_factory=list)
    by_day: list[Progress] = field(default_factory=list)


def season_progress(season: Season, reader: User, *, region: str = "") -> SeasonProgress:
    """The figures of a season, in one region if told so. The number of queries does not depend on the days."""
    seen = permits_seen(reader).filter(season=season).select_related("region")
    if region:
        seen = seen.filter(region=region)
    permits = {permit.pk: permit for permit in seen}
    days = days_of(list(permits))
    asked = open_notices_by_day(days)
    in_force = [permit for permit in permits.values() if not permit.is_withdrawn]
    total = Progress(_("Total"), limit=sum(permit.animals_limit for permit in in_force))
    for day in days:
        total.add(day, asked.get(day.key, 0))
    found = SeasonProgress(season, permits, days, asked, total)
    limits: dict[str, int] = {}
    for permit in in_force:
        limits[permit.region_id] = limits.get(permit.region_id, 0) + permit.animals_limit
    names = {permit.region_id: permit.region.name for permit in permits.values()}
    found.regions = [
        Progress(names[code], _sheets(season, region=code), limit=limits.get(code, 0)) for code in sorted(names)
    ]
    rows = dict(zip(sorted(names), found.regions, strict=True))
    for day in days:
        rows[permits[day.permit_id].region_id].add(day, asked.get(day.key, 0))
    found.brigades = _gather(
        found,
        lambda day: day.brigade_id,
        lambda day: Progress(day.brigade_name, _sheets(season, brigade=day.brigade_id)),
    )
    found.brigades.sort(key=lambda row: row.label)
    found.by_day = _gather(
        found,
        lambda day: day.on,
        lambda day: Progress(f"{day.on:%d.%m.%Y}", _sheets(season, since=day.on, until=day.on)),
    )
    return found


def _gather(found: SeasonProgress, key: Callable[[Day], Hashable], start: Callable[[Day], Progress]) -> list[Progress]:
    rows: dict[Hashable, Progress] = {}
    for day in found.days:
        if key(day) not in rows:
            rows[key(day)] = start(day)
        rows[key(day)].add(day, found.asked.get(day.key, 0))
    return list(rows.values())


def _sheets(season: Season, **wanted: object) -> str:
    return f"{reverse('registry:daily-sheets')}?{urlencode({'season': season.pk} | wanted)}"


@dataclass(frozen=True, slots=True)
class SeasonChart:
    """Animals taken, drawn; the same figures stand in a table."""

    title: str
    drawing: SafeString
    bars: Sequence[Bar]
    url: str = ""
    url_label: str = ""


def season_chart(found: SeasonProgress) -> SeasonChart | None:
    """Animals taken by day, or by week where the days are many."""
    if not found.days:
        return None
    first, last = found.days[0].on, found.days[-1].on
    by_week = (last - first).days >= DAYS_AS_COLUMNS
    first -= timedelta(days=first.weekday() if by_week else 0)
    step = timedelta(days=7 if by_week else 1)
    counted: dict[date, int] = {}
    for day in found.days:
        begin = first + (day.on - first) // step * step
        counted[begin] = counted.get(begin, 0) + day.animals
    bars = []
    begin = first
    while begin <= last:
        animals = counted.get(begin, 0)
        link = _sheets(found.season, since=begin, until=begin + step - timedelta(days=1))
        bars.append(Bar(f"{begin:%d.%m}", animals, fmt.count(animals), link=link))
        begin += step
    said = _("Animals taken, by week since %(day)s") if by_week else _("Animals taken, by day since %(day)s")
    title = said % {"day": date_format(first, "SHORT_DATE_FORMAT")}
    description = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars if bar.value)
    drawing = draw_columns(bars, name="season", title=title, description=description)
    marked = mark_safe(drawing)  # noqa: S308  escaped by the drawing
    return SeasonChart(title, marked, bars)


def season_table(found: SeasonProgress) -> Table:
    """Every brigade's day as a row, for a file."""
    number = Kind.NUMBER
    columns = (
        Column(_("Day"), Kind.DAY),
        Column(_("Region")),
        Column(_("Removal permit"), Kind.CODE),
        Column(_("Brigade")),
        Column(_("Sheet"), Kind.CODE),
        Column(_("Signed")),
        *(Column(title, number, total=True) for title in (_("Males"), _("Females"), _("Young"))),
        *(Column(title, number, total=True) for title in (_("Carcasses delivered"), _("Unusable, not delivered"))),
        *(Column(title, number, total=True) for title in (_("Horns cut"), _("Horns registered"))),
        Column(_("Mass"), Kind.GRAMS, total=True),
        Column(_("To explain"), number, total=True),
    )

    def rows() -> Iterable[tuple[str | int | date, ...]]:
        for day in found.days:
            permit = found.permits[day.permit_id]
            counts = (day.males, day.females, day.young, day.carcasses, day.unusable, day.horns_cut, day.registered)
            signed = _("yes") if day.is_signed else _("no")
            said = (day.on, permit.region.name, permit.number, day.brigade_name, day.sheet_number, signed)
            yield *said, *counts, day.grams, found.asked.get(day.key, 0)

    return Table(_("Season by brigade and day"), columns, lambda: iter(rows()))


def season_days(season: Season) -> str:
    """From which day to which."""
    written = formats()
    return f"{season.starts_on.strftime(written.day)} – {season.ends_on.strftime(written.day)}"
