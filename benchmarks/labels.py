"""Labels drawn to PDF, signed and with Kazakh text: pace, bytes, memory, and the same sheet by WeasyPrint."""

import base64
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

import qrcode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from benchmarks.figures import Figure, at_least, at_most
from marking.codes import group, new_codes
from marking.labels import PROFILES, Fonts, Label, Print, Profile, draw_labels
from marking.labels.drawing import draw_symbol
from marking.payload import Statement, key_id_of, sign, to_address

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "static" / "vendor"
FONTS = Fonts(
    regular=VENDOR / "noto-sans" / "noto-sans-400.ttf",
    bold=VENDOR / "noto-sans" / "noto-sans-700.ttf",
    mono=VENDOR / "noto-sans-mono" / "noto-sans-mono-400.ttf",
    mono_bold=VENDOR / "noto-sans-mono" / "noto-sans-mono-700.ttf",
)
FEW = 1_000
MANY = 100_000
PACE = 10_000
WOVEN = 65 * 2
# For every stock, those too whose symbol of level Q is half as large again to compute.
LEAST_PACE = 1_300
LARGEST = 800


def measure(n: int | None) -> Iterable[Figure]:
    """Each stock's pace over a tenth of N labels, by processor time; memory over all N of them, each in a process of
    its own; the sheet of 65 beside WeasyPrint's."""
    many = n or MANY
    paces = {}
    for name in PROFILES:
        drawn = _elsewhere("ours", name, min(PACE, many))
        paces[name] = drawn["pace"]
        yield at_least(f"labels.{name}.pace", drawn["pace"], "labels/s/core", LEAST_PACE)
        yield at_most(f"labels.{name}.size", drawn["bytes"], "bytes/label", LARGEST)
    few, all_of_them = (_elsewhere("ours", "roll-50x25", count)["memory"] for count in (FEW, many))
    yield at_most("labels.memory_growth", all_of_them - few, "MB", 16)
    for by, limit in (("weasyprint", 20), ("weasyprint_quickest", 10)):
        woven = _elsewhere(by, "a4-65", min(WOVEN, many))
        yield at_least(f"labels.times_{by}", paces["a4-65"] / woven["pace"], "times", limit)


def _elsewhere(by: str, profile: str, count: int) -> dict[str, float]:
    """What a fresh process needs to draw so many labels."""
    command = [sys.executable, "-m", "benchmarks.labels", by, profile, str(count)]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def _draw(profile: str, count: int) -> dict[str, float]:
    stock = PROFILES[profile]
    with tempfile.TemporaryFile() as out:
        # Time of this process alone: neighbours on the machine are no matter.
        began = time.process_time()
        draw_labels(out, stock, _labels(count), FONTS, how=Print(stock.dpi), title="Белгілер", language="kk")
        took = time.process_time() - began
        size = out.tell()
    return {"pace": count / took, "bytes": size / count, "memory": _most_memory()}


def _most_memory() -> float:
    """The most memory this program has held, in MB. Linux tells it of the program alone; elsewhere of the process."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _labels(count: int) -> Iterator[Label]:
    """Labels of horns, each signed as it is drawn."""
    key = Ed25519PrivateKey.generate()
    key_id = key_id_of(key.public_key().public_bytes_raw())
    day = date(2025, 11, 12)
    for serial, code in zip(range(1, count + 1), new_codes(), strict=False):
        mass = 150 + serial * 7 % 90
        signed = sign(Statement(key_id, code, 1, "HOR", "removal", mass, day), key)
        yield Label(
            symbol=to_address("HTTPS://SAIGA.GOV.KZ/M/", signed.body, signed.signature),
            code=group(code),
            number=f"KZ25-{serial:07d}",
            term="Киік мүйізі",
            mass=f"{mass} г",
            dated="12.11.2025",
            caption="Киік дериваттарының тізілімі",
        )


def _weave(profile: str, count: int, *, quickest: bool = False) -> dict[str, float]:
    """The same labels on the same sheets as HTML, drawn by WeasyPrint; all the work counts, as in ours.

    Symbols are PNG of the qrcode library, as pages of this registry use it; the quickest way known takes those of
    zxing-cpp instead. Vector symbols (SVG) are slower by far.
    """
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    stock = PROFILES[profile]
    began = time.process_time()
    pages, made = [], list(_labels(count))
    picture = _quick_png if quickest else _png
    for first in range(0, count, stock.per_page):
        on_page = enumerate(made[first : first + stock.per_page])
        pages.append(
            "<section>" + "".join(_div(stock, place, label, picture) for place, label in on_page) + "</section>"
        )
    faces = "".join(
        f"@font-face{{font-family:{family};font-weight:{weight};src:url({path.as_uri()})}}"
        for family, weight, path in (
            ("plain", 400, FONTS.regular),
            ("plain", 700, FONTS.bold),
            ("mono", 400, FONTS.mono),
            ("mono", 700, FONTS.mono_bold),
        )
    )
    html = f"""<html lang="kk"><style>{faces}@page{{size:{stock.page_width}mm {stock.page_height}mm;margin:0}}
    section{{position:relative;height:{stock.page_height}mm;break-after:page}} div,img,p{{position:absolute;margin:0}}
    img{{width:14mm;left:2mm;top:3mm;image-rendering:pixelated}} p{{left:18.8mm;white-space:nowrap}}
    </style>{"".join(pages)}</html>"""
    out = io.BytesIO()
    HTML(string=html).write_pdf(out, font_config=FontConfiguration())
    took = time.process_time() - began
    return {"pace": count / took, "bytes": out.tell() / count, "memory": _most_memory()}


def _div(stock: Profile, place: int, label: Label, picture: Callable[[str], bytes]) -> str:
    left, top = stock.corner(place)
    lines = (
        ("bold 7pt plain", label.term),
        ("bold 6pt mono", label.code),
        ("6pt mono", label.number),
        ("6pt plain", f"{label.mass} · {label.dated}"),
    )
    texts = "".join(f'<p style="top:{3 + 4 * row}mm;font:{font}">{text}</p>' for row, (font, text) in enumerate(lines))
    png = base64.b64encode(picture(label.symbol)).decode()
    return (
        f'<div style="left:{left}mm;top:{top}mm;width:{stock.label_width}mm;height:{stock.label_height}mm">'
        f'<img src="data:image/png;base64,{png}">{texts}</div>'
    )


def _png(text: str) -> bytes:
    symbol = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, box_size=4, border=0)
    symbol.add_data(text)
    png = io.BytesIO()
    symbol.make_image().save(png)
    return png.getvalue()


def _quick_png(text: str) -> bytes:
    symbol = draw_symbol(text, "qr", "M")
    png = io.BytesIO()
    Image.frombytes("1", (symbol.width, symbol.height), symbol.packed).save(png, "PNG")
    return png.getvalue()


if __name__ == "__main__":
    ways: dict[str, Callable[[str, int], dict[str, float]]] = {
        "ours": _draw,
        "weasyprint": _weave,
        "weasyprint_quickest": partial(_weave, quickest=True),
    }
    print(json.dumps(ways[sys.argv[1]](sys.argv[2], int(sys.argv[3]))))
