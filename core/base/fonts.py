"""The printed family: which files, and which characters they can draw. Each file is one font of the process.

Two fonts of one file would name their parts alike in a document, which reportlab refuses.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

ROOT = Path(__file__).resolve().parents[2]
NOT_DRAWN = frozenset("\n\r\t\u00a0\u200b\ufeff\u2060\u00ad")


SANS = ROOT / "static" / "vendor" / "noto-sans"
MONO = ROOT / "static" / "vendor" / "noto-sans-mono" / "noto-sans-mono-600.ttf"


@dataclass(frozen=True, slots=True)
class Fonts:
    """Two TrueType files with every Kazakh and Russian letter; reportlab refuses CFF outlines."""

    regular: Path = SANS / "noto-sans-400.ttf"
    bold: Path = SANS / "noto-sans-700.ttf"


@lru_cache(maxsize=8)
def load_font(path: Path) -> TTFont:
    """Registers the file once in this process; raises TTFError where it cannot be read."""
    font = TTFont(f"Registry-{path.stem}", str(path), asciiReadable=False)
    pdfmetrics.registerFont(font)
    return font


def missing_glyphs(text: str, path: Path) -> set[str]:
    """The characters of `text` that the font at `path` cannot draw; blanks do not count."""
    known = load_font(path).face.charToGlyph
    return {character for character in set(text) - NOT_DRAWN if ord(character) not in known}
