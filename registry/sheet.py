"""The weighing table as a page shows it and as a plain form sends it back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from registry.measures import TableRow, Unreadable, read_condition, read_length, read_mass, read_note, read_side
from registry.models import Condition, Intake, IntakeRow, Side
from registry.selectors import Plausibility, Tally
from registry.wording import LIMITS, PROBLEMS

WINDOW = 100  # saved rows on one page
BLANK_LINES = 12  # empty lines for people without scripts


@dataclass(slots=True)
class Line:
    """One line of the table: what is written in its cells, and what is wrong or unusual."""

    row: int
    side: str = ""
    mass: str = ""
    length: str = ""
    condition: str = Condition.WHOLE.value
    note: str = ""
    photo_id: UUID | None = None
    is_saved: bool = False
    wrong: dict[str, str] = field(default_factory=dict)
    unusual: str = ""

    @property
    def side_in_words(self) -> str:
        return str(Side(self.side or Side.UNKNOWN).label)

    @property
    def condition_in_words(self) -> str:
        return str(Condition(self.condition).label)

    @property
    def is_empty(self) -> bool:
        """Nothing is written that would make it a horn."""
        return not (self.side or self.mass.strip() or self.length.strip() or self.note.strip())


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

    @property
    def first_row(self) -> int:
        return self.lines[0].row if self.lines else self.next_row


def read_window(intake: Intake, band: Plausibility, *, rows: int, number: int | None) -> Window:
    """One page of the table of `rows` rows; the last one, where weighing goes on, unless another is asked for."""
    count = max(1, -(-rows // WINDOW))
    number = min(max(number or count, 1), count)
    shown = intake.rows.order_by("row")[(number - 1) * WINDOW : number * WINDOW]
    lines = [saved_line(row, band) for row in shown]
    return Window(lines, number, count, _last_row(intake) + 1)


def saved_line(row: IntakeRow, band: Plausibility) -> Line:
    return Line(
        row=row.row,
        side="" if row.side == "U" else row.side,
        mass=str(row.mass_g),
        length="" if row.length_mm is None else str(row.length_mm),
        condition=row.condition,
        note=row.note,
        photo_id=row.photo_id,
        is_saved=True,
        unusual=unusual_in_words(row.mass_g, band),
    )


def unusual_in_words(mass_g: int, band: Plausibility) -> str:
    """Why a mass is asked about; empty for a usual one."""
    if not band.is_outside(mass_g):
        return ""
    limits = {"min": number_format(band.min_g or 0), "max": number_format(band.max_g or 0)}
    return _("Unusual: a horn weighs %(min)s–%(max)s g. Weigh it again, or confirm it at the end.") % limits


def tally_of(lines: Iterable[Line], band: Plausibility) -> Tally:
    """What saved lines add up to."""
    saved = [line for line in lines if line.is_saved]
    masses = [int(line.mass) for line in saved]
    return Tally(
        pieces=len(saved),
        grams=sum(masses),
        left=sum(line.side == "L" for line in saved),
        right=sum(line.side == "R" for line in saved),
        outside=sum(band.is_outside(mass) for mass in masses),
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


def read_posted(data: QueryDict) -> Posted:
    """The table of a plain form. A line that cannot be read says what is wrong with it, and nothing is lost."""
    numbers = sorted({number for text in data.getlist("line") if (number := whole_number(text)) is not None})
    saved = set(data.getlist("saved"))
    posted = Posted([], [], [])
    for number in numbers:
        line = Line(
            row=number,
            side=data.get(f"side-{number}", ""),
            mass=data.get(f"mass-{number}", ""),
            length=data.get(f"length-{number}", ""),
            condition=data.get(f"condition-{number}", Condition.WHOLE.value),
            note=data.get(f"note-{number}", ""),
            is_saved=str(number) in saved,
        )
        posted.lines.append(line)
        if not line.is_empty:
            row = _read_line(line)
            if row is not None:
                posted.rows.append(row)
        elif line.is_saved:
            posted.removed.append(number)
    return posted


def _read_line(line: Line) -> TableRow | None:
    """The row of a line, or None with the reasons in `line.wrong`."""
    found: dict[str, str | int | None] = {}
    for column, read in (
        ("side", read_side),
        ("mass", read_mass),
        ("length", read_length),
        ("condition", read_condition),
        ("note", read_note),
    ):
        try:
            found[column] = read(getattr(line, column))
        except Unreadable as reason:
            line.wrong[column] = str(PROBLEMS[reason.code]) % LIMITS
    if line.wrong:
        return None
    length = found["length"]
    return TableRow(
        row=line.row,
        side=str(found["side"]),
        mass_g=int(found["mass"] or 0),
        length_mm=None if length is None else int(length),
        condition=str(found["condition"]),
        note=str(found["note"]),
    )


def after_others(lines: Sequence[Line], intake: Intake) -> list[Line]:
    """Typed lines with the new ones numbered after the rows that somebody else has saved meanwhile."""
    last = max([*(line.row for line in lines if line.is_saved), _last_row(intake)])
    kept = [line for line in lines if line.is_saved]
    new = [line for line in lines if not line.is_saved and not line.is_empty]
    for place, line in enumerate(new, start=1):
        line.row = last + place
    return kept + new + take_blank_lines(last + len(new) + 1)


def _last_row(intake: Intake) -> int:
    return intake.rows.order_by("-row").values_list("row", flat=True).first() or 0


def horns_a_male(pieces: int, males: int | None) -> str:
    """How many horns there are for each male; a dash where there is none."""
    return number_format(pieces / males, decimal_pos=2) if males else "—"


def whole_number(text: str) -> int | None:
    """A number of a page, a row or a version as an address or a form gives it; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def take_blank_lines(first: int, count: int = BLANK_LINES) -> list[Line]:
    """Empty lines to write on."""
    return [Line(row=number) for number in range(first, first + count)]
