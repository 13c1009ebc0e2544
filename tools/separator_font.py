"""Draw static/fonts/separator.ttf: one letter, U+241D, for the sign GS that state codes carry.

Noto Sans Mono has no picture of it. Its own G and S, small and in a frame, are one; pages use it for this letter alone.

    .venv/bin/python tools/separator_font.py
"""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

STATIC = Path(__file__).resolve().parent.parent / "static"
SIGN = 0x241D
LICENCE = "SIL Open Font License 1.1; after Noto Sans Mono, see ../vendor/noto-sans-mono/LICENSE"


def main() -> None:
    noto = TTFont(STATIC / "vendor" / "noto-sans-mono" / "noto-sans-mono-600.ttf")
    letters, names = noto.getGlyphSet(), noto.getBestCmap()
    em, wide = noto["head"].unitsPerEm, noto["hmtx"][names[ord("G")]][0]
    # As wide as a letter and a half, so that both stay legible.
    width, high = round(wide * 1.5), round(em * 0.72)
    pen = TTGlyphPen(None)
    edge, line = round(em * 0.04), round(em * 0.05)
    left, right, low, top = edge, width - edge, -round(em * 0.12), high + round(em * 0.08)
    for x1, y1, x2, y2 in ((left, low, right, top), (right - line, low + line, left + line, top - line)):
        pen.moveTo((x1, y1))
        pen.lineTo((x1, y2))
        pen.lineTo((x2, y2))
        pen.lineTo((x2, y1))
        pen.closePath()
    scale = (right - left - 4 * line) / (2 * wide)
    for place, letter in enumerate("GS"):
        across = left + 2 * line + place * wide * scale
        letters[names[ord(letter)]].draw(TransformPen(pen, (scale, 0, 0, scale * 1.25, across, round(em * 0.05))))
    empty = TTGlyphPen(None).glyph()
    font = FontBuilder(em, isTTF=True)
    font.setupGlyphOrder([".notdef", "separator"])
    font.setupCharacterMap({SIGN: "separator"})
    font.setupGlyf({".notdef": empty, "separator": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (width, 0), "separator": (width, left)})
    font.setupHorizontalHeader(ascent=noto["hhea"].ascent, descent=noto["hhea"].descent)
    font.setupNameTable({"familyName": "Saiga Separator", "styleName": "Regular", "licenseDescription": LICENCE})
    font.setupOS2(sTypoAscender=noto["hhea"].ascent, sTypoDescender=noto["hhea"].descent)
    font.setupPost()
    font.font["head"].created = font.font["head"].modified = 0
    font.font.recalcTimestamp = False
    font.save(STATIC / "fonts" / "separator.ttf")


if __name__ == "__main__":
    main()
