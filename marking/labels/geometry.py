"""Label stock as data: sizes and pitches in millimetres from the top left corner, and what stands where on a label.

The layout of a label follows from its size, so that a person's own stock is drawn as carefully as ours. Sheets are
the usual A4 ones; a roll has one label a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH
# The finest module an imaging scanner reads; phones want 0.34 mm, which every stock here gives.
LEAST_MODULE_MM = 0.25
PHONE_MODULE_MM = 0.33

# The widest symbol that is still read round a horn 27 mm across when it is turned, blurred and dirty as well; the
# sides of wider ones turn away too far (benchmarks/print_quality.py).
HORN_SYMBOL_MM = 16.0

Field = Literal["caption", "term", "second", "code", "number", "mass", "dated", "said", "hidden"]
Face = Literal["regular", "bold", "mono", "mono_bold"]
Kind = Literal["qr", "datamatrix", "bars"]

# White modules around a symbol: ISO/IEC 18004 asks four, ISO/IEC 16022 one, ISO/IEC 15417 ten on both sides.
QUIET: dict[Kind, int] = {"qr": 4, "datamatrix": 1, "bars": 10}
QUIET_MODULES = QUIET["qr"]

# Modules a side of what marks say: the signed statement of 159 characters and the address with the code alone.
SIGNED_MODULES: dict[tuple[Kind, str], int] = {("qr", "M"): 45, ("qr", "Q"): 53, ("datamatrix", ""): 40}
SHORT_MODULES: dict[tuple[Kind, str], int] = {("qr", "Q"): 29, ("datamatrix", ""): 22}
# From this side on the signed QR symbol has level Q with a module that phones read, on every printer.
ROOM_FOR_Q = 23.0
# GS1-128 of an SSCC: FNC1, the application identifier 00 and eighteen digits.
BARS_MODULES = 156
BARS_MODULE_MM = 0.51
BARS_HEIGHT_MM = 30.0

# The least sizes of print in points, and the share of its size that a monospaced letter is wide.
LEAST_POINTS = 4.2
LEAST_CODE_POINTS = 5.0
MONO_WIDTH = 0.6
CODE_LETTERS = 14

# The strip along the lower edge that a flap or a scratch field covers: a share of the label, no less and no more.
FLAP_SHARE = 0.1
LEAST_FLAP_MM, MOST_FLAP_MM = 3.2, 6.0

# Which fields a label may leave out; the code is on every one.
CHOOSABLE: tuple[Field, ...] = ("caption", "term", "number", "mass", "dated")


@dataclass(frozen=True, slots=True)
class Line:
    """One text: baseline from the label's top, left and right edge from its left side; sizes in points.

    A text that is too wide shrinks to `least`; what is still too wide is cut and ends with an ellipsis.
    `repeated` says that few different texts stand here, so that each is written into a document only once.
    """

    field: Field
    face: Face
    size: float
    least: float
    baseline: float
    left: float
    right: float
    flush_right: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """Where a symbol stands with its quiet zone. `code_alone` says it carries nothing but the code."""

    kind: Kind
    left: float
    top: float
    width: float
    height: float
    code_alone: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where on a label. `fold` is where the strip to be covered begins, from the label's top; 0: none."""

    rooms: tuple[Room, ...]
    lines: tuple[Line, ...]
    fold: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of label stock.

    `symbol` is the side of the square kept for the symbol with its quiet zone. `dpi` is the printer this stock is
    usually printed on. `inset` is kept free of text along the edges. `short` chooses the address with the code alone
    instead of the signed statement, for labels without room for the signed symbol. `bars` keeps room for the
    GS1-128 symbol of a box. `flap` is the strip along the lower edge for the hidden code, which is covered after
    printing; nothing else stands there.
    """

    key: str
    page_width: float
    page_height: float
    label_width: float
    label_height: float
    columns: int
    rows: int
    margin_left: float
    margin_top: float
    pitch_x: float
    pitch_y: float
    symbol: float
    dpi: int
    fields: tuple[Field, ...] = CHOOSABLE
    inset: float = 1.5
    short: bool = False
    bars: bool = False
    flap: float = 0.0

    @property
    def per_page(self) -> int:
        """Labels on one page; 1 for a roll."""
        return self.columns * self.rows

    @property
    def is_roll(self) -> bool:
        """One row of labels after another, as printers of labels take them."""
        return self.rows == 1

    @property
    def error_correction(self) -> str:
        """Level Q where there is room; M for the signed statement on a small label, and for boxes."""
        if self.bars:
            return "M"
        return "Q" if self.short or self.symbol >= ROOM_FOR_Q else "M"

    def corner(self, position: int) -> tuple[float, float]:
        """Left and top of the label at this position, counted from 0, row by row."""
        row, column = divmod(position, self.columns)
        return self.margin_left + column * self.pitch_x, self.margin_top + row * self.pitch_y

    def modules(self, kind: Kind) -> int:
        """Modules a side of the main symbol, without quiet zone."""
        level = self.error_correction if kind == "qr" else ""
        return (SHORT_MODULES if self.short else SIGNED_MODULES)[kind, level]


def with_flap(profile: Profile) -> Profile:
    """The same stock with a strip for the hidden code."""
    return replace(profile, flap=round(min(max(profile.label_height * FLAP_SHARE, LEAST_FLAP_MM), MOST_FLAP_MM), 1))


def module_dots(room: float, modules: int, quiet: int, dpi: int, *, least: float = LEAST_MODULE_MM) -> int:
    """Printer dots of one module: the most that fit the room; 0 when the finest legal one is too large."""
    dots = int(room * dpi / MM_PER_INCH / (modules + 2 * quiet) + 1e-9)
    return dots if dots * MM_PER_INCH / dpi >= least - 1e-9 else 0


def suits_horns(profile: Profile, symbols: str, dpi: int) -> bool:
    """Whether a phone reads the main symbol round a horn: QR, narrow, of modules that are not too fine."""
    if symbols == "datamatrix":
        return False
    modules = profile.modules("qr")
    module = module_dots(profile.symbol, modules, QUIET_MODULES, dpi) * MM_PER_INCH / dpi
    return module >= PHONE_MODULE_MM and modules * module <= HORN_SYMBOL_MM


def least_room(modules: int, quiet: int, dpi: int) -> float:
    """The smallest room, in millimetres, that holds the symbol with a legal module of whole dots."""
    dots = -int(-LEAST_MODULE_MM * dpi // MM_PER_INCH)
    return dots * (modules + 2 * quiet) * MM_PER_INCH / dpi


@lru_cache(maxsize=256)
def lay_out(profile: Profile, symbols: str = "qr", *, bilingual: bool = False) -> Layout:
    """Rooms and lines of a label of this stock: text right of the symbol, or below it on a narrow or high label.

    `symbols` is qr, datamatrix or both.
    """
    width, inset, side = profile.label_width, profile.inset, profile.symbol
    height = profile.label_height - profile.flap
    main: Kind = "datamatrix" if symbols == "datamatrix" else "qr"
    beside = width - side - inset - _left(profile)
    bottom = height - inset - ((BARS_HEIGHT_MM + 8) if profile.bars else 0)
    if beside >= 16 and not profile.bars:
        rooms = [Room(main, _left(profile), (height - side) / 2, side, side)]
        left, top = _left(profile) + side + _gap(profile), inset
    elif profile.bars:
        rooms = [Room(main, width - inset - side, inset, side, side)]
        left, top = inset, inset + side + 2
    else:
        rooms = [Room(main, (width - side) / 2, _left(profile), side, side)]
        left, top = inset, _left(profile) + side + 0.3
    right = width - inset
    if symbols == "both":
        small = _small_side(profile)
        if profile.bars:
            rooms.append(Room("datamatrix", inset, inset, small, small, code_alone=True))
        else:
            rooms.append(Room("datamatrix", right - small, bottom - small, small, small, code_alone=True))
    lines = _lay_lines(profile, (left, top, right, bottom), rooms[1:], bilingual=bilingual)
    if profile.bars:
        rooms.append(Room("bars", 0, height - inset - BARS_HEIGHT_MM - 6, width, BARS_HEIGHT_MM))
        lines.append(Line("said", "mono", 13, 9, height - inset - 1.5, inset, right))
    if profile.flap:
        size = round(min((profile.flap - 1.2) * POINTS_PER_MM, 8), 1)
        below = round(height + profile.flap / 2 + size / POINTS_PER_MM * 0.36, 2)
        lines.append(Line("hidden", "mono_bold", size, LEAST_CODE_POINTS, below, inset, right))
    return Layout(tuple(rooms), tuple(lines), height if profile.flap else 0.0)


def _left(profile: Profile) -> float:
    """Room before the symbol; its quiet zone is inside it, so the edge may be near."""
    return min(profile.inset, 0.5)


def _gap(profile: Profile) -> float:
    return 0.3 if profile.label_width < 45 else 0.8


def _small_side(profile: Profile) -> float:
    """The side of the second symbol, the code alone in 16 modules: three dots a module at 203 dpi, or more."""
    return max(7.0, min(12.0, profile.label_height / 4))


# How high each line is in comparison, its face, and whether few different texts stand there.
_SHAPES: dict[Field, tuple[float, Face, bool]] = {
    "caption": (0.7, "regular", True),
    "term": (1.15, "bold", True),
    "second": (0.9, "regular", True),
    "code": (1.15, "mono_bold", False),
    "number": (0.95, "mono", False),
    "mass": (0.95, "bold", False),
    "dated": (0.95, "regular", False),
}


def _lay_lines(
    profile: Profile, box: tuple[float, float, float, float], small: Sequence[Room], *, bilingual: bool
) -> list[Line]:
    """Texts from the top of the box to its bottom; lines beside a second symbol end before it."""
    left, top, right, bottom = box
    shown: list[Field] = []
    if "caption" in profile.fields and bottom - top >= 21 and right - left >= 21:
        shown.append("caption")
    if "term" in profile.fields:
        shown.append("term")
        if bilingual:
            shown.append("second")
    shown.append("code")
    if "number" in profile.fields:
        shown.append("number")
    rows: list[tuple[Field, ...]] = [(field,) for field in shown]
    last: tuple[Field, ...] = tuple(field for field in profile.fields if field in ("mass", "dated"))
    beside_small = small[0].left if small and small[0].top > top else right
    rows += [last] if len(last) < 2 or beside_small - left >= 24 else [(field,) for field in last]
    weights = [max(_SHAPES[field][0] for field in row) for row in rows if row]
    unit = min((bottom - top) / sum(weights), 9 if profile.bars else 5.2)
    code_points = (right - left) * POINTS_PER_MM / CODE_LETTERS / MONO_WIDTH
    lines, y = [], top
    for row, weight in zip([row for row in rows if row], weights, strict=True):
        deep = (bottom - top) * weight / sum(weights)
        size = round(min(unit * weight / 1.3 * POINTS_PER_MM, 24 if profile.bars else 14), 1)
        baseline = round(y + deep / 2 + size / POINTS_PER_MM * 0.36, 2)
        ends = right
        for room in small:
            if baseline + size * 0.05 / POINTS_PER_MM > room.top > top:
                ends = room.left - 0.4
        for place, field in enumerate(row):
            _weight, face, repeated = _SHAPES[field]
            least = min(size, max(LEAST_POINTS, size * 0.6))
            own, right_of = size, ends
            if field == "code":
                own = round(min(size, code_points - 0.05), 1)
                least = min(own, LEAST_CODE_POINTS)
            begins = left
            if len(row) == 2:
                middle = left + (ends - left) * 0.46
                begins, right_of = (left, middle - 0.6) if place == 0 else (middle + 0.6, ends)
            flush = len(row) == 2 and place == 1
            lines.append(Line(field, face, own, least, baseline, begins, right_of, flush, repeated))
        y += deep
    return lines


@dataclass(frozen=True, slots=True)
class Fault:
    """Why labels cannot be printed on a stock. `reason`: page, overlap, symbol, small, bars, module or text;
    `need` is the least that would do, in millimetres (or dots an inch for none)."""

    field: str
    reason: str
    need: float = 0.0


def find_faults(profile: Profile, symbols: str, dpi: int) -> list[Fault]:
    """What keeps labels of this stock from being printed well at this resolution; empty when nothing does."""
    faults = []
    sides: tuple[tuple[str, float, int, float, float, float], ...] = (
        ("width", profile.margin_left, profile.columns, profile.pitch_x, profile.label_width, profile.page_width),
        ("height", profile.margin_top, profile.rows, profile.pitch_y, profile.label_height, profile.page_height),
    )
    for side, margin, count, pitch, label, page in sides:
        needed = margin + (count - 1) * pitch + label
        if needed > page + 0.051:
            faults.append(Fault(f"page_{side}", "page", needed))
        if count > 1 and pitch < label - 1e-9:
            faults.append(Fault("pitch_x" if side == "width" else "pitch_y", "overlap", label))
    within = min(profile.label_width, round(profile.label_height - profile.flap, 2))
    if profile.symbol > within + 1e-9:
        faults.append(Fault("symbol", "symbol", within))
    for kind in ("datamatrix",) if symbols == "datamatrix" else ("qr",):
        modules, quiet = profile.modules(kind), QUIET[kind]
        if not module_dots(profile.symbol, modules, quiet, dpi):
            faults.append(Fault("symbol", "module", least_room(modules, quiet, dpi)))
    faults += _find_faults_of_text(profile, symbols)
    return faults


def _find_faults_of_text(profile: Profile, symbols: str) -> list[Fault]:
    for line in lay_out(profile, symbols, bilingual=True).lines:
        height = line.size / POINTS_PER_MM
        if line.field == "code":
            need = CODE_LETTERS * MONO_WIDTH * LEAST_CODE_POINTS / POINTS_PER_MM
            if line.right - line.left < need or line.size < LEAST_CODE_POINTS:
                return [Fault("label_width" if line.right - line.left < need else "label_height", "text", need)]
        if line.size < LEAST_POINTS or line.baseline + height * 0.25 > profile.label_height or line.left >= line.right:
            return [Fault("label_height", "text")]
    return []


def _roll(key: str, width: float, height: float, symbol: float, dpi: int = 300, *, bars: bool = False) -> Profile:
    inset = 4 if bars else 1.5
    return Profile(key, width, height, width, height, 1, 1, 0, 0, width, height, symbol, dpi, inset=inset, bars=bars)


ROLL_50X25 = _roll("roll-50x25", 50, 25, 20)
ROLL_58X40 = _roll("roll-58x40", 58, 40, 22.5)
ROLL_100X150 = _roll("roll-100x150", 100, 150, 40, bars=True)
SHEET_65 = Profile("a4-65", 210, 297, 38.1, 21.2, 5, 13, 4.75, 10.7, 40.6, 21.2, 18, 300, inset=0.8)
SHEET_21 = Profile("a4-21", 210, 297, 63.5, 38.1, 3, 7, 7.21, 15.15, 66.04, 38.1, 28, 300)
SHEET_14 = Profile("a4-14", 210, 297, 99.1, 38.1, 2, 7, 4.67, 15.15, 101.6, 38.1, 33, 300)
SHEET_10 = Profile("a4-10", 210, 297, 99.1, 57, 2, 5, 4.67, 6, 101.6, 57, 42, 300, inset=2.5)

PROFILES = {
    profile.key: profile for profile in (ROLL_50X25, ROLL_58X40, ROLL_100X150, SHEET_65, SHEET_21, SHEET_14, SHEET_10)
}
