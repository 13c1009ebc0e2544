"""Photos for the demo, drawn: a ringed horn on a bench with a scale bar."""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter


def draw_horn(chance: random.Random, *, side: str, length_mm: int, mass_g: int) -> bytes:
    """A JPEG of 1200×900: a horn of the given length beside a bar of 10 cm, its mass on the display of the scale."""
    ground = tuple(round(150 + chance.random() * 40) for _ in range(3))
    picture = Image.new("RGB", (1200, 900), ground)
    draw = ImageDraw.Draw(picture)
    for line in range(0, 900, 6):
        shade = chance.randint(-8, 8)
        draw.line([(0, line), (1200, line)], fill=tuple(max(0, min(255, c + shade)) for c in ground), width=6)
    points = 60
    turn = -1 if side == "L" else 1
    scale = 2.4  # picture points per millimetre
    for step in range(points):
        part = step / points
        x = 600 + turn * 170 * math.sin(part * math.pi * 0.9) - turn * 60
        y = 800 - part * length_mm * scale
        radius = 34 * (1 - part) ** 0.8 + 4
        ring = 0.82 if step % 5 == 0 and part < 0.75 else 1.0
        colour = tuple(round(value * ring) for value in (214 - 70 * part, 178 - 70 * part, 120 - 55 * part))
        draw.ellipse([x - radius, y - radius * 0.7, x + radius, y + radius * 0.7], fill=colour)
    draw.rectangle([90, 820, 90 + 100 * scale, 836], fill="black")
    draw.rectangle([90 + 50 * scale, 820, 90 + 100 * scale, 836], fill="white", outline="black")
    draw.text((90, 842), "10 cm", fill="black", font_size=28)
    draw.rectangle([880, 60, 1130, 160], fill=(30, 40, 36))
    draw.text((905, 80), f"{mass_g} g", fill=(150, 240, 170), font_size=56)
    picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()
