"""What a table is, before it is a file: typed columns, a source of rows that can be read again, and words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

Value = str | int | date | datetime | None
Row = Sequence[Value]


class Kind(StrEnum):
    """How a column is written. `GRAMS` holds whole grams; people read kilograms, machines read grams."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    GRAMS = "grams"
    DAY = "day"
    MOMENT = "moment"

    @property
    def is_quantity(self) -> bool:
        return self in (Kind.NUMBER, Kind.GRAMS)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `weight` is its share of the width; neighbours of one `group` share a head."""

    title: str
    kind: Kind = Kind.TEXT
    weight: float = 1.0
    group: str = ""
    total: bool = False

    def __post_init__(self) -> None:
        if self.total and not self.kind.is_quantity:
            raise ValueError(f"column {self.title!r} of kind {self.kind} has no total")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and the rows under them. `rows` opens the source anew at each call: several files agree."""

    caption: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Row]]

    @property
    def has_totals(self) -> bool:
        return any(column.total for column in self.columns)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the head: a label and what it says."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A line to be signed on paper: who signs, in which capacity."""

    capacity: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Seal:
    """What every page carries so that a print can be traced; `link` is what the QR says."""

    number: str
    code: str
    link: str


@dataclass(frozen=True, slots=True)
class Formats:
    """How numbers and days are written in one language. Moments are shown in `zone`."""

    decimal: str = ","
    thousands: str = "\u00a0"
    day: str = "%d.%m.%Y"
    moment: str = "%d.%m.%Y %H:%M"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Almaty"))

    def number(self, value: int) -> str:
        return f"{value:,}".replace("-", "\u2212").replace(",", self.thousands)

    def kilograms(self, grams: int) -> str:
        """Grams as kilograms with three decimals, exactly: no floating point on the way."""
        whole, rest = divmod(abs(grams), 1000)
        sign = "\u2212" if grams < 0 else ""
        return f"{sign}{self.number(whole)}{self.decimal}{rest:03d}"

    def local(self, moment: datetime) -> datetime:
        """The moment on the clock of `zone`. A moment without a zone is a mistake of the caller."""
        if moment.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return moment.astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed words of a file in one language; `page` names `%(page)d` and `%(pages)d` in any order."""

    registry: str
    page: str
    total: str
    empty: str
    kilograms: str
    grams: str
    check_code: str
    signature: str
    signed_on: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the paper: head, tables, signature lines, seal."""

    title: str
    tables: tuple[Table, ...]
    words: Words
    formats: Formats
    subtitle: str = ""
    facts: tuple[Fact, ...] = ()
    footer: str = ""
    signatures: tuple[Signature, ...] = ()
    seal: Seal | None = None
    landscape: bool = False


def text_of(value: Value, kind: Kind, formats: Formats) -> str:
    """The value as a person reads it in a printed table; nothing becomes an empty cell."""
    if value is None:
        return ""
    if isinstance(value, int):
        if kind is Kind.GRAMS:
            return formats.kilograms(value)
        return formats.number(value) if kind is Kind.NUMBER else str(value)
    if isinstance(value, datetime):
        local = formats.local(value)
        return local.strftime(formats.day if kind is Kind.DAY else formats.moment)
    if isinstance(value, date):
        return value.strftime(formats.day)
    return value


def title_of(column: Column, unit: str, *, with_group: bool = True) -> str:
    """The column's name with its group in front and its unit behind."""
    title = f"{column.group}: {column.title}" if with_group and column.group else column.title
    return f"{title}, {unit}" if column.kind is Kind.GRAMS else title


def add_to_totals(totals: list[int], columns: Sequence[Column], row: Row) -> None:
    """Adds one row in place; a total is always the sum of the rows that were written."""
    for index, column in enumerate(columns):
        if column.total:
            value = row[index]
            if isinstance(value, int):
                totals[index] += value


def column_groups(columns: Sequence[Column]) -> list[tuple[int, int, str]]:
    """Runs of neighbours with the same group as (first, one past the last, title)."""
    runs: list[tuple[int, int, str]] = []
    for index, column in enumerate(columns):
        if runs and column.group and runs[-1][2] == column.group:
            runs[-1] = (runs[-1][0], index + 1, column.group)
        else:
            runs.append((index, index + 1, column.group))
    return runs
