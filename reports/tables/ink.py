"""Text measured and encoded for one PDF document, fast enough for a million cells.

The canvas measures and encodes each string anew, a character at a time, which is nine tenths of the work of a
long table. Here each character is looked up once per document (PDF 32000-1, 9.4.3: hexadecimal strings).
"""

from reportlab.pdfbase.pdfdoc import PDFDocument
from reportlab.pdfbase.ttfonts import TTFont

KEPT_LINES = 20_000


class Ink:
    """One font in one document: widths, line breaks, and the operators that show a text."""

    def __init__(self, font: TTFont, document: PDFDocument) -> None:
        self.font = font
        self.name: str = font.fontName
        self._document = document
        self._codes: dict[str, str] = {}
        self._widths: dict[str, float] = {}
        self._lines: dict[tuple[str, float, float], list[str]] = {}

    def width(self, text: str, size: float) -> float:
        """The width of one line in points."""
        widths = self._widths
        try:
            return sum([widths[character] for character in text]) * size
        except KeyError:
            for character in set(text).difference(widths):
                widths[character] = self.font.stringWidth(character, 1.0)
            return self.width(text, size)

    def select(self, size: float, subset: int = 0) -> str:
        """The operator that makes this font the current one."""
        self.font.splitString(" ", self._document)
        return f"{self.font.getSubsetInternalName(subset, self._document)} {size:g} Tf"

    def show(self, text: str, size: float) -> str:
        """The operators that draw `text` at the pen; the font must be selected, and stays so."""
        codes = self._codes
        try:
            return f"<{''.join([codes[character] for character in text])}> Tj"
        except KeyError:
            pass
        runs = self.font.splitString(text, self._document)
        if any(subset for subset, _ in runs):
            shown = [f"{self.select(size, subset)} <{chunk.hex()}> Tj" for subset, chunk in runs]
            return f"{' '.join(shown)} {self.select(size)}"
        for character in set(text).difference(codes):
            codes[character] = self.font.splitString(character, self._document)[0][1].hex()
        return self.show(text, size)

    def fit(self, text: str, size: float, room: float) -> str:
        """The text, cut with an ellipsis where it is wider than `room`."""
        if self.width(text, size) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle].rstrip() + "…", size) <= room:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + "…"

    def wrap(self, text: str, size: float, room: float) -> list[str]:
        """Lines no wider than `room`; a word wider than the room is cut where it must be."""
        key = (text, size, room)
        lines = self._lines.get(key)
        if lines is None:
            lines = self._wrap(text, size, room)
            if len(self._lines) >= KEPT_LINES:
                self._lines.clear()
            self._lines[key] = lines
        return lines

    def _wrap(self, text: str, size: float, room: float) -> list[str]:
        lines: list[str] = []
        line = ""
        for word in text.split():
            longer = f"{line} {word}" if line else word
            if self.width(longer, size) <= room:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while len(line) > 1 and self.width(line, size) > room:
                cut = len(line) - 1
                while cut > 1 and self.width(line[:cut], size) > room:
                    cut -= 1
                lines.append(line[:cut])
                line = line[cut:]
        return [*lines, line] if line or not lines else lines
