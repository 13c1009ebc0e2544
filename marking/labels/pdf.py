"""A PDF writer for many small pages: each page leaves memory when it is written.

It writes PDF 1.7 with a page tree, one set of TrueType fonts (only the glyphs used, with their Unicode
values, so that text can be searched and copied) and compressed contents. Sizes are in points, y grows up.
"""

import zlib
from array import array
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from reportlab.pdfbase.ttfonts import TTFontFile

_PAGES_A_NODE = 256


class MissingGlyphError(ValueError):
    """The font has no glyph for a character; `character` says which."""

    def __init__(self, character: str) -> None:
        super().__init__(character)
        self.character = character


@lru_cache(maxsize=8)
def _open_font(path: Path) -> TTFontFile:
    return TTFontFile(str(path))


class Font:
    """A TrueType font as one document uses it: characters get numbers in the order of their first use."""

    def __init__(self, path: Path, resource: str) -> None:
        self.resource = resource
        self._file = _open_font(path)
        self._number: dict[str, str] = {}

    def width(self, text: str, size: float) -> float:
        """Width of the text in points. Raises MissingGlyphError."""
        widths = self._file.charWidths
        try:
            thousandths: float = sum([widths[ord(character)] for character in text])
        except KeyError:
            raise MissingGlyphError(self._first_missing(text)) from None
        return thousandths * size / 1000

    def encode(self, text: str) -> str:
        """The text as the operand of Tj. Raises MissingGlyphError."""
        number = self._number
        try:
            return "<" + "".join([number[character] for character in text]) + ">"
        except KeyError:
            if missing := self._first_missing(text):
                raise MissingGlyphError(missing) from None
        for character in text:
            number.setdefault(character, f"{len(number) + 1:04x}")
        return "<" + "".join([number[character] for character in text]) + ">"

    def _first_missing(self, text: str) -> str:
        return next((character for character in text if ord(character) not in self._file.charToGlyph), "")

    def write(self, document: "PdfWriter", number: int) -> None:
        """Write the font and its parts; `number` is the object reserved for it."""
        face = self._file
        characters = list(self._number)
        glyphs = {0: 0}
        for character in characters:
            glyphs.setdefault(face.charToGlyph[ord(character)], len(glyphs))
        program = face.makeSubset([ord(character) for character in characters])
        name = b"/SAIGAX+" + (face.name if isinstance(face.name, bytes) else face.name.encode())
        to_glyph = b"\0\0" + b"".join(
            glyphs[face.charToGlyph[ord(character)]].to_bytes(2, "big") for character in characters
        )
        widths = " ".join(f"{face.charWidths[ord(character)]:.0f}" for character in characters)
        box = " ".join(f"{edge:.0f}" for edge in face.bbox)
        program_ref = document.write_stream(program, f"/Length1 {len(program)}")
        to_glyph_ref = document.write_stream(to_glyph)
        to_unicode_ref = document.write_stream(_to_unicode(characters))
        heights = (face.ascent, face.descent, face.capHeight)
        descriptor = document.write_object(
            b"<</Type/FontDescriptor/FontName%b/Flags 4/FontBBox[%b]/ItalicAngle %d/Ascent %d/Descent %d"
            b"/CapHeight %d/StemV %d/FontFile2 %d 0 R>>"
            % (name, box.encode(), face.italicAngle, *heights, face.stemV, program_ref)
        )
        descendant = document.write_object(
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont%b/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            b"/Supplement 0>>/FontDescriptor %d 0 R/W[1[%b]]/CIDToGIDMap %d 0 R>>"
            % (name, descriptor, widths.encode(), to_glyph_ref)
        )
        document.write_object(
            b"<</Type/Font/Subtype/Type0/BaseFont%b/Encoding/Identity-H/DescendantFonts[%d 0 R]"
            b"/ToUnicode %d 0 R>>" % (name, descendant, to_unicode_ref),
            number,
        )


def _to_unicode(characters: list[str]) -> bytes:
    lines = [
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def",
        "/CMapName/Adobe-Identity-UCS def/CMapType 2 def",
        "1 begincodespacerange <0000><ffff> endcodespacerange",
    ]
    for start in range(0, len(characters), 100):
        some = characters[start : start + 100]
        lines.append(f"{len(some)} beginbfchar")
        lines += [
            f"<{number:04x}><{character.encode('utf-16-be').hex()}>" for number, character in enumerate(some, start + 1)
        ]
        lines.append("endbfchar")
    lines.append("endcmap CMapName currentdict/CMap defineresource pop end end")
    return "\n".join(lines).encode()


class PdfWriter:
    """One PDF being written to a binary file, page by page; memory holds eight bytes an object.

    `page_size` is width and height of every page in points. Without `close` at the end the file is no PDF.
    """

    def __init__(self, out: BinaryIO, page_size: tuple[float, float], *, title: str, language: str) -> None:
        self._out = out
        self._at = 0
        self._offsets = array("Q", [0])
        self._page_size = page_size
        self._fonts: list[tuple[Font, int]] = []
        self._forms: list[tuple[str, int]] = []
        self._nodes: list[int] = []
        self._node_pages: list[int] = []
        self.pages = 0
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._root = self._reserve()
        self._node = 0
        self._catalog = self.write_object(
            b"<</Type/Catalog/Pages %d 0 R/Lang%b"
            b"/ViewerPreferences<</DisplayDocTitle true/PrintScaling/None>>>>" % (self._root, _text_string(language))
        )
        about = (_text_string(title), _text_string("saiga registry"))
        self._about = self.write_object(b"<</Title%b/Producer%b>>" % about)

    def add_font(self, path: Path) -> Font:
        """A font that every page of the document may use."""
        font = Font(path, f"/F{len(self._fonts) + 1}")
        self._fonts.append((font, self._reserve()))
        return font

    def add_form(self, box: tuple[float, float, float, float], contents: bytes) -> str:
        """A drawing within this box that pages repeat by name with the operator Do."""
        name = f"/X{len(self._forms) + 1}"
        edges = " ".join(f"{edge:.2f}" for edge in box)
        entries = f"/Type/XObject/Subtype/Form/BBox[{edges}]/Resources<<{self._font_resources()}>>"
        self._forms.append((name, self.write_stream(contents, entries)))
        return name

    def add_page(self, contents: bytes) -> None:
        """Write one page with these content operators."""
        self._node = self._node or self._reserve()
        stream = self.write_stream(contents)
        self._node_pages.append(
            self.write_object(b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (self._node, stream))
        )
        self.pages += 1
        if len(self._node_pages) == _PAGES_A_NODE:
            self._close_node()

    def close(self) -> None:
        """Write fonts, page tree and cross-reference table; the file is complete after it."""
        self._close_node()
        for font, number in self._fonts:
            font.write(self, number)
        forms = "".join(f"{name} {number} 0 R" for name, number in self._forms)
        kids = " ".join(f"{node} 0 R" for node in self._nodes)
        width, height = self._page_size
        self.write_object(
            f"<</Type/Pages/Count {self.pages}/Kids[{kids}]/MediaBox[0 0 {width:.4f} {height:.4f}]"
            f"/Resources<<{self._font_resources()}/XObject<<{forms}>>>>>>".encode(),
            self._root,
        )
        start = self._at
        count = len(self._offsets)
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        for first in range(1, count, 4096):
            some = self._offsets[first : first + 4096]
            self._write(b"".join([b"%010d 00000 n \n" % offset for offset in some]))
        self._write(
            b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
            % (count, self._catalog, self._about, start)
        )

    def write_stream(self, contents: bytes, entries: str = "") -> int:
        """Write a compressed stream; its object number."""
        # Most of a page is a symbol, which packs no better at higher levels: a tenth of the time for one byte in fifty.
        packed = zlib.compress(contents, 2)
        head = f"<</Filter/FlateDecode/Length {len(packed)}{entries}>>stream\n".encode()
        return self.write_object(head + packed + b"\nendstream")

    def write_object(self, body: bytes, number: int = 0) -> int:
        """Write an object under a new number or a reserved one; its number."""
        number = number or self._reserve()
        self._offsets[number] = self._at
        self._write(b"%d 0 obj%b%b\nendobj\n" % (number, b"" if body[:1] in b"<[(/" else b" ", body))
        return number

    def _font_resources(self) -> str:
        fonts = "".join(f"{font.resource} {number} 0 R" for font, number in self._fonts)
        return f"/Font<<{fonts}>>"

    def _close_node(self) -> None:
        if not self._node:
            return
        kids = b" ".join(b"%d 0 R" % page for page in self._node_pages)
        count = len(self._node_pages)
        self.write_object(b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (self._root, count, kids), self._node)
        self._nodes.append(self._node)
        self._node, self._node_pages = 0, []

    def _reserve(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _write(self, content: bytes) -> None:
        self._out.write(content)
        self._at += len(content)


def _text_string(text: str) -> bytes:
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"
