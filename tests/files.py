"""Files as people bring them: small, and whole."""

import io

import pypdfium2
from PIL import Image


def picture(colour: str = "white", form: str = "PNG") -> bytes:
    """A photo of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, form)
    return out.getvalue()


def paper() -> bytes:
    """A PDF of one empty page."""
    out = io.BytesIO()
    made = pypdfium2.PdfDocument.new()
    made.new_page(200, 100)
    made.save(out)
    return out.getvalue()
