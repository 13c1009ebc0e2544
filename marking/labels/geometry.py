"""Label stock as data: sizes, pitches and places of text, in millimetres from the top left corner.

Sheets are the usual A4 ones: 65 labels of 38.1 x 21.2 and 21 labels of 63.5 x 38.1. A roll has one label a
page.
"""

from dataclasses import dataclass
from typing import Literal

MM_PER_INCH = 25.4
# ISO/IEC 18004 asks four modules of quiet zone around a QR symbol.
QUIET_MODULES = 4
# The finest module an imaging scanner reads; phones want 0.34 mm, which every profile here gives.
LEAST_MODULE_MM = 0.25

Field = Literal["caption", "term", "code", "number", "mass", "dated"]
Face = Literal["regular", "bold", "mono", "mono_bold"]


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
class Profile:
    """One kind of label stock.

    `room` is the side of the square kept for the symbol with its quiet zone, `room_left` and `room_top` its
    corner on the label. `dpi` is the printer this stock is usually printed on. `short` chooses the address
    with the code alone instead of the signed statement, for labels without room for the signed symbol.
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
    room_left: float
    room_top: float
    room: float
    dpi: int
    lines: tuple[Line, ...]
    short: bool = False

    @property
    def per_page(self) -> int:
        """Labels on one page; 1 for a roll."""
        return self.columns * self.rows

    @property
    def error_correction(self) -> str:
        """Level Q for the short symbol, M for the signed one, whose text is long."""
        return "Q" if self.short else "M"

    def corner(self, position: int) -> tuple[float, float]:
        """Left and top of the label at this position, counted from 0, row by row."""
        row, column = divmod(position, self.columns)
        return self.margin_left + column * self.pitch_x, self.margin_top + row * self.pitch_y


def module_dots(profile: Profile, modules: int, dpi: int) -> int:
    """Printer dots of one module: the most that fit the room; 0 when the finest legal one is too large."""
    dots = int(profile.room * dpi / MM_PER_INCH / (modules + 2 * QUIET_MODULES) + 1e-9)
    return dots if dots * MM_PER_INCH / dpi >= LEAST_MODULE_MM else 0


ROLL_50X25 = Profile(
    key="roll-50x25",
    page_width=50, page_height=25, label_width=50, label_height=25,
    columns=1, rows=1, margin_left=0, margin_top=0, pitch_x=50, pitch_y=25,
    room_left=1.6, room_top=2.5, room=20, dpi=300,
    lines=(
        Line("caption", "regular", 5.2, 4.2, 4.6, 21.6, 48.4, repeated=True),
        Line("term", "bold", 9, 6, 9.2, 21.6, 48.4, repeated=True),
        Line("code", "mono_bold", 9, 7, 14.2, 21.6, 48.4),
        Line("number", "mono", 7.5, 6, 18.2, 21.6, 48.4),
        Line("mass", "bold", 7.5, 5.5, 22.2, 21.6, 34.4),
        Line("dated", "regular", 7, 5.5, 22.2, 35, 48.4, flush_right=True),
    ),
)  # fmt: skip

SHEET_65 = Profile(
    key="a4-65",
    page_width=210, page_height=297, label_width=38.1, label_height=21.2,
    columns=5, rows=13, margin_left=4.75, margin_top=10.7, pitch_x=40.6, pitch_y=21.2,
    room_left=0.5, room_top=1.6, room=18, dpi=300,
    lines=(
        Line("term", "bold", 7, 4.8, 5.2, 18.6, 37.5, repeated=True),
        Line("code", "mono_bold", 6.3, 5.5, 9.1, 18.6, 37.5),
        Line("number", "mono", 6, 5, 12.3, 18.6, 37.5),
        Line("mass", "bold", 6, 4.8, 15.5, 18.6, 37.5),
        Line("dated", "regular", 6, 4.8, 18.6, 18.6, 37.5),
    ),
)  # fmt: skip

SHEET_21 = Profile(
    key="a4-21",
    page_width=210, page_height=297, label_width=63.5, label_height=38.1,
    columns=3, rows=7, margin_left=7.21, margin_top=15.15, pitch_x=66.04, pitch_y=38.1,
    room_left=1.5, room_top=5.05, room=28, dpi=300,
    lines=(
        Line("caption", "regular", 6, 4.6, 7.2, 29.6, 62, repeated=True),
        Line("term", "bold", 11.5, 7, 13.6, 29.6, 62, repeated=True),
        Line("code", "mono_bold", 10.8, 9, 20.4, 29.6, 62),
        Line("number", "mono", 9, 7, 25.6, 29.6, 62),
        Line("mass", "bold", 9.5, 7, 31.4, 29.6, 44),
        Line("dated", "regular", 8.5, 7, 31.4, 44.5, 62, flush_right=True),
    ),
)  # fmt: skip

PROFILES = {profile.key: profile for profile in (ROLL_50X25, SHEET_65, SHEET_21)}
