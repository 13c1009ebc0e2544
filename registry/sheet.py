"""The weighing table as a page shows it and as a plain form sends it back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from registry.fields import FIELDS, HORN, Field, Kind
from registry.measures import TableRow, Unreadable, as_text, contradictions, reader
from registry.models import Intake, IntakeRow, RowPhoto, Side
from registry.selectors import Plausibility, Tally
from registry.wording import value_in_words, words_of_problem

WINDOW = 100  # saved rows on one page
BLANK_LINES = 12  # empty lines for people without scripts


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table in the reader's language; `choices` are codes with their words."""

    field: Field
    heading: str
    choices: list[tuple[str, str]]

    @property
    def key(self) -> str:
        return self.field.key

    @property
    def is_choice(self) -> bool:
        return self.field.kind == Kind.CHOICE

    @property
    def is_number(self) -> bool:
        return self.field.kind in (Kind.MASS, Kind.LENGTH, Kind.COUNT)

    @property
    def letters(self) -> int:
        """The longest text of its cells."""
        return self.field.most if self.field.kind == Kind.TEXT else 20

    @property
    def place(self) -> str:
        """Which part of a line it stands in: what is weighed, what is said, or what not everyone measures."""
        if self.field.is_extra:
            return "extra"
        return self.key if self.key in ("side", "mass", "length", "condition", "note") else "other"


def columns_of(term: str) -> list[Column]:
    """The columns of a term's table, named in the reader's language."""
    language = get_language() or "kk"
    return [
        Column(
            one,
            one.heading(language),
            [(code, one.choice_name(code, language)) for code in one.choices or {} if code != "U"],
        )
        for one in FIELDS[term]
    ]


@dataclass(frozen=True, slots=True)
class LineCell:
    """One cell: its column, what is written in it, and whether that cannot be kept."""

    column: Column
    value: str
    is_wrong: bool


@dataclass(slots=True)
class Line:
    """One line of the table: what is written in its cells, and what is wrong or unusual."""

    row: int
    columns: Sequence[Column]
    values: dict[str, str] = field(default_factory=dict)
    photos: list[RowPhoto] = field(default_factory=list)
    is_saved: bool = False
    wrong: dict[str, str] = field(default_factory=dict)
    unusual: str = ""
    # A row as it was read, or as the database has it: both answer the same names.
    read: TableRow | IntakeRow | None = None

    def text(self, key: str) -> str:
        """What is written in a cell; where nothing is, what stands there from the beginning."""
        default = next((c.field.default for c in self.columns if c.key == key), "")
        return self.values.get(key, "" if default == "U" else default)

    @property
    def cells(self) -> list[LineCell]:
        return [LineCell(column, self.text(column.key), column.key in self.wrong) for column in self.columns]

    @property
    def said(self) -> list[tuple[Column, str]]:
        """The cells in words, for those who only read."""
        return [
            (column, value_in_words(column.field, getattr(self.read, column.field.column)) if self.read else "")
            for column in self.columns
        ]

    @property
    def is_empty(self) -> bool:
        """Nothing is written that would make it something weighed."""
        return not any(self.text(column.key).strip() for column in self.columns if column.key != "condition")


@dataclass(frozen=True, slots=True)
class Window:
    """A page of the table: its lines, where it lies, and what the rows outside it add up to."""

    lines: list[Line]
    number: int
    count: int
    next_row: int

    @property
    def is_last(self) -> bool:
        return self.number == self.count


def read_window(intake: Intake, band: Plausibility, *, rows: int, number: int | None) -> Window:
    """One page of the table of `rows` rows; the last one, where weighing goes on, unless another is asked for."""
    count = max(1, -(-rows // WINDOW))
    number = min(max(number or count, 1), count)
    shown = list(intake.rows.order_by("row")[(number - 1) * WINDOW : number * WINDOW])
    columns = columns_of(intake.term)
    photos: dict[int, list[RowPhoto]] = {}
    if shown:
        of_rows = RowPhoto.objects.filter(intake=intake, row__gte=shown[0].row, row__lte=shown[-1].row)
        for photo in of_rows:
            photos.setdefault(photo.row, []).append(photo)
    lines = [saved_line(row, columns, band, photos.get(row.row, [])) for row in shown]
    return Window(lines, number, count, _last_row(intake) + 1)


def saved_line(row: IntakeRow, columns: Sequence[Column], band: Plausibility, photos: list[RowPhoto]) -> Line:
    return Line(
        row=row.row,
        columns=columns,
        values={column.key: as_text(column.field, getattr(row, column.field.column)) for column in columns},
        photos=photos,
        is_saved=True,
        unusual=unusual_in_words(row, columns, band),
        read=row,
    )


def unusual_in_words(row: Any, columns: Sequence[Column], band: Plausibility) -> str:
    """Why a row is asked about; empty for a usual one."""
    names = {column.field.column: column for column in columns}
    said = []
    for column in band.unusual(row):
        if column in band.bands:
            least, most = band.bands[column]
            said.append(
                _("%(measure)s is usually %(min)s–%(max)s.")
                % {"measure": names[column].heading, "min": number_format(least), "max": number_format(most)}
            )
        else:
            said.append(_("The straight length is less than half of the outer length."))
    return " ".join([_("Unusual:"), *said, _("Measure again, or confirm it at the end.")]) if said else ""


def tally_of(lines: Iterable[Line], band: Plausibility) -> Tally:
    """What saved lines add up to."""
    saved = [line.read for line in lines if line.is_saved and line.read is not None]
    return Tally(
        pieces=len(saved),
        grams=sum(row.mass_g for row in saved),
        left=sum(row.side == Side.LEFT for row in saved),
        right=sum(row.side == Side.RIGHT for row in saved),
        outside=sum(band.is_outside(row) for row in saved),
    )


@dataclass(frozen=True, slots=True)
class Posted:
    """What a plain form sent: the lines as typed, the rows they say, and the saved rows that were emptied."""

    lines: list[Line]
    rows: list[TableRow]
    removed: list[int]

    @property
    def is_right(self) -> bool:
        return not any(line.wrong for line in self.lines)


def read_posted(data: QueryDict, term: str = HORN) -> Posted:
    """The table of a plain form. A line that cannot be read says what is wrong with it, and nothing is lost."""
    numbers = sorted({number for text in data.getlist("line") if (number := whole_number(text)) is not None})
    saved = set(data.getlist("saved"))
    posted = Posted([], [], [])
    columns = columns_of(term)
    for number in numbers:
        line = Line(
            row=number,
            columns=columns,
            values={
                column.key: data.get(f"{column.key}-{number}", "")
                for column in columns
                if f"{column.key}-{number}" in data
            },
            is_saved=str(number) in saved,
        )
        posted.lines.append(line)
        if not line.is_empty:
            row = _read_line(line, term)
            if row is not None:
                posted.rows.append(row)
        elif line.is_saved:
            posted.removed.append(number)
    return posted


def _read_line(line: Line, term: str) -> TableRow | None:
    """The row of a line, or None with the reasons in `line.wrong`."""
    found: dict[str, Any] = {}
    for column in line.columns:
        try:
            found[column.field.column] = reader(column.field, is_horn=term == HORN)(line.text(column.key))
        except Unreadable as reason:
            line.wrong[column.key] = words_of_problem(reason.code, column.key, term)
    if line.wrong:
        return None
    row = TableRow(row=line.row, **found)
    line.wrong |= {key: words_of_problem(code, key, term) for key, code in contradictions(row)}
    return None if line.wrong else row


def after_others(lines: Sequence[Line], intake: Intake) -> list[Line]:
    """Typed lines with the new ones numbered after the rows that somebody else has saved meanwhile."""
    last = max([*(line.row for line in lines if line.is_saved), _last_row(intake)])
    kept = [line for line in lines if line.is_saved]
    new = [line for line in lines if not line.is_saved and not line.is_empty]
    for place, line in enumerate(new, start=1):
        line.row = last + place
    return kept + new + take_blank_lines(last + len(new) + 1, columns_of(intake.term))


def _last_row(intake: Intake) -> int:
    return intake.rows.order_by("-row").values_list("row", flat=True).first() or 0


def horns_a_male(pieces: int, males: int | None) -> str:
    """How many horns there are for each male; a dash where there is none."""
    return number_format(pieces / males, decimal_pos=2) if males else "—"


def whole_number(text: str) -> int | None:
    """A number of a page, a row or a version as an address or a form gives it; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def take_blank_lines(first: int, columns: Sequence[Column], count: int = BLANK_LINES) -> list[Line]:
    """Empty lines to write on."""
    return [Line(row=number, columns=columns) for number in range(first, first + count)]
