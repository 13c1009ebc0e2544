"""Files as people bring them: small, and whole."""

import io

import pypdfium2
from PIL import Image, ImageDraw


def picture(colour: str = "white", form: str = "PNG") -> bytes:
    """A photo of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, form)
    return out.getvalue()


def scanned(seed: int = 0, size: tuple[int, int] = (640, 900)) -> bytes:
    """A photographed paper: lines of dark words on a light ground; another one for each seed."""
    out, image = io.BytesIO(), Image.new("RGB", size, "#f4f1e8")
    drawn = ImageDraw.Draw(image)
    for line, top in enumerate(range(60, size[1] - 60, 40)):
        drawn.line([(60, top), (size[0] - 60 - (line * 37 + seed * 11) % 200, top)], fill="#222222", width=6)
    image.save(out, "JPEG")
    return out.getvalue()


def scrawl() -> bytes:
    """A signature as a finger draws it, cut to its ink as the pad sends it."""
    out, image = io.BytesIO(), Image.new("RGBA", (220, 80), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(8, 60), (60, 10), (80, 70), (130, 20), (160, 65), (212, 30)], fill="#14213d", width=3)
    image.save(out, "PNG")
    return out.getvalue()


def dot() -> bytes:
    """One black point, which some would take for a signature."""
    out = io.BytesIO()
    Image.new("RGB", (1, 1), "black").save(out, "PNG")
    return out.getvalue()


def paper() -> bytes:
    """A PDF of one empty page."""
    out = io.BytesIO()
    made = pypdfium2.PdfDocument.new()
    made.new_page(200, 100)
    made.save(out)
    return out.getvalue()
