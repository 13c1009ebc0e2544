"""Printed labels read back after what happens to them: turned, blurred, wrapped round a horn, dirtied.

Labels are drawn to PDF, rasterised at the printer's resolution to black and white, as a label printer puts dots, and
seen by a camera of 400 pixels an inch (a phone at some 15 cm), once: a phone in the hand sees many pictures a second.
Everything is computed: real paper, ink and light are not in it. The same labels and the same dirt at every run.
"""

import base64
import io
import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from benchmarks.figures import Figure, at_least
from benchmarks.labels import FONTS
from marking.codes import from_number, group
from marking.labels import PROFILES, Label, Print, Profile, draw_labels, lay_out, render_page, suits_horns
from marking.labels.geometry import MM_PER_INCH
from marking.labels.raster import PAPER, whole_dots
from marking.labels.reading import read_all

SEED = 1925
HORN_MM = 27.0
CAMERA_DPI = 400
PER_MM = CAMERA_DPI / MM_PER_INCH
EDGE_MM = 4

Damage = Callable[[Image.Image, random.Random], Image.Image]


@dataclass(frozen=True)
class Case:
    """A kind of damage, and the share of labels, in percent, that must still be read: of the usual roll, and of every
    stock and printer that is said to suit horns."""

    name: str
    damage: Damage
    least: float
    on_horns: float = 0


def make_labels(count: int) -> list[Label]:
    """Labels with symbols as long as signed ones, the same at every run."""
    chance = random.Random(SEED)
    made = []
    for serial in range(count):
        code = from_number(chance.getrandbits(55))
        text = base64.b32encode(chance.randbytes(85)).decode()
        made.append(
            Label(
                symbol=f"HTTPS://SAIGA.GOV.KZ/M/{text}",
                code=group(code),
                number=f"KZ26-{serial + 1:07d}",
                term="Киік мүйізі",
                mass=f"{150 + serial % 90} г",
                dated="12.11.2025",
                caption="Киік дериваттарының тізілімі",
                second="Рог сайгака",
            )
        )
    return made


def print_symbols(profile: Profile, labels: Iterable[Label], how: Print) -> list[Image.Image]:
    """The main symbol of each label as printed, with what is around it, as a camera in front of it sees it."""
    roll = replace(profile, columns=1, rows=1, margin_left=0, margin_top=0)
    roll = replace(roll, page_width=profile.label_width, page_height=profile.label_height)
    room = lay_out(profile, how.symbols, bilingual=True).rooms[0]
    seen = []
    for label in labels:
        out = io.BytesIO()
        draw_labels(out, whole_dots(roll, how.dpi), [label], FONTS, how=how, title="", language="kk")
        grey = render_page(out.getvalue(), dpi=how.dpi)
        dots = grey.point(lambda level: 255 * (level >= PAPER))
        large = dots.resize([round(side * CAMERA_DPI / how.dpi) for side in dots.size], Image.Resampling.BOX)
        edges = (room.left, room.top, room.left + room.width, room.top + room.height)
        cut = large.crop(tuple(round(edge * PER_MM) for edge in edges))  # type: ignore[arg-type]
        edge = round(EDGE_MM * PER_MM)
        around = Image.new("L", (cut.width + 2 * edge, cut.height + 2 * edge), 255)
        around.paste(cut, (edge, edge))
        seen.append(around)
    return seen


def turned(degrees: float) -> Damage:
    """Seen at an angle in its plane."""
    return lambda seen, _chance: seen.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def blurred(millimetres: float) -> Damage:
    """Out of focus: each point is smeared over this radius."""
    return lambda seen, _chance: seen.filter(ImageFilter.GaussianBlur(millimetres * PER_MM))


def wrapped(*, axis_upright: bool = True) -> Damage:
    """Glued round a cylinder 27 mm across and seen from the front; the sides are narrower and darker."""

    def wrap(seen: Image.Image, _chance: random.Random) -> Image.Image:
        flat = seen if axis_upright else seen.transpose(Image.Transpose.ROTATE_90)
        radius = HORN_MM / 2 * PER_MM
        half = min(radius * math.sin(min(flat.width / 2 / radius, 1.5)), radius * 0.999)
        width = int(half * 2)
        mesh, shades = [], bytearray()
        for x in range(width):
            around = [
                flat.width / 2 + radius * math.asin(max(-1, min(1, (x + step - half) / radius))) for step in (0, 1)
            ]
            mesh.append(
                (
                    (x, 0, x + 1, flat.height),
                    (around[0], 0, around[0], flat.height, around[1], flat.height, around[1], 0),
                )
            )
            shades.append(int(255 * (1 - ((x - half) / radius) ** 2) ** 0.25))
        round_ = flat.transform(
            (width, flat.height), Image.Transform.MESH, mesh, Image.Resampling.BICUBIC, fillcolor=255
        )
        shade = Image.frombytes("L", (width, 1), bytes(shades)).resize((width, flat.height))
        return ImageChops.multiply(round_, shade)

    return wrap


def dirtied(percent: float) -> Damage:
    """Spots of 0.3 to 1.2 mm, dark and white in turn, over this share of the symbol's room."""

    def dirty(seen: Image.Image, chance: random.Random) -> Image.Image:
        soiled = seen.copy()
        pen = ImageDraw.Draw(soiled)
        edge = EDGE_MM * PER_MM
        side_x, side_y = seen.width - 2 * edge, seen.height - 2 * edge
        left, dark = side_x * side_y * percent / 100, True
        while left > 0:
            radius = chance.uniform(0.15, 0.6) * PER_MM
            x, y = edge + chance.uniform(0, side_x), edge + chance.uniform(0, side_y)
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=chance.randint(20, 70) if dark else 250)
            left, dark = left - math.pi * radius**2, not dark
        return soiled

    return dirty


def faded() -> Damage:
    """Black has become grey, paper yellowish grey, and the camera adds noise."""

    def fade(seen: Image.Image, chance: random.Random) -> Image.Image:
        grey = seen.point(lambda level: 105 + level * 85 // 255)
        noise = Image.frombytes("L", grey.size, chance.randbytes(grey.width * grey.height))
        return Image.blend(grey, noise, 0.08)

    return fade


def then(*damages: Damage) -> Damage:
    """One after another."""

    def all_of_them(seen: Image.Image, chance: random.Random) -> Image.Image:
        for damage in damages:
            seen = damage(seen, chance)
        return seen

    return all_of_them


# What symbols meant for horns must bear is held to; the others are told.
CASES = (
    Case("plain", then(), 100),
    Case("turned_8", turned(8), 100),
    Case("turned_45", turned(45), 100),
    Case("turned_193", turned(193), 100),
    Case("blurred_0.10mm", blurred(0.10), 100),
    Case("blurred_0.15mm", blurred(0.15), 100),
    Case("blurred_0.20mm", blurred(0.20), 0),
    Case("horn_27mm", wrapped(), 95, 95),
    Case("horn_27mm_lying", wrapped(axis_upright=False), 0, 95),
    Case("horn_27mm_lying_turned", then(wrapped(axis_upright=False), turned(8)), 0, 95),
    Case("dirt_1%", dirtied(1), 75),
    Case("dirt_3%", dirtied(3), 0),
    Case("dirt_5%", dirtied(5), 0),
    Case("faded", faded(), 100),
    Case("horn_turned_blurred_dirty", then(dirtied(1), wrapped(), turned(8), blurred(0.08)), 60, 50),
    Case(
        "horn_lying_turned_blurred_dirty",
        then(dirtied(1), wrapped(axis_upright=False), turned(8), blurred(0.08)),
        0,
        45,
    ),
)
STOCKS = (
    *(("roll-50x25", "qr"), ("roll-50x25", "datamatrix")),
    *(("a4-65", "qr"), ("roll-58x40", "qr"), ("a4-21", "qr")),
)


def pass_rate(printed: list[Image.Image], labels: list[Label], case: Case) -> float:
    """Percent of the labels that are read, each as what it says."""
    chance = random.Random(f"{SEED} {case.name}")
    seen = (case.damage(one, chance) for one in printed)
    read = sum(label.symbol in read_all(one) for one, label in zip(seen, labels, strict=True))
    return 100 * read / len(labels)


def measure(n: int | None) -> Iterable[Figure]:
    """The share of labels read after each kind of damage, for each stock and printer."""
    labels = make_labels(min(n or 100, 1_000))
    for name, symbols in STOCKS:
        for dpi in (203, 300):
            printed = print_symbols(PROFILES[name], labels, Print(dpi, symbols))
            for case in CASES:
                least = case.least if (name, symbols) == STOCKS[0] else 0
                if suits_horns(PROFILES[name], symbols, dpi):
                    least = max(least, case.on_horns)
                figure = f"print_quality.{name}.{symbols}.{dpi}dpi.{case.name}"
                yield at_least(figure, pass_rate(printed, labels, case), "%", least)


if __name__ == "__main__":
    for figure in measure(None):
        print(figure)
