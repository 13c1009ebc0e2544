"""What counts as a signature drawn on a screen."""

import io

import pytest
from PIL import Image, ImageDraw

from core.base.errors import BadInput
from core.documents.signatures import is_drawn, require_drawn
from tests.files import dot, picture, scrawl


def line(*points: tuple[int, int], colour: str = "#14213d") -> bytes:
    out, image = io.BytesIO(), Image.new("RGBA", (600, 200), (0, 0, 0, 0))
    ImageDraw.Draw(image).line(points, fill=colour, width=3)
    image.save(out, "PNG")
    return out.getvalue()


def test_a_line_is_a_signature_on_paper_and_on_nothing() -> None:
    out = io.BytesIO()
    Image.alpha_composite(Image.new("RGBA", (220, 80), "white"), Image.open(io.BytesIO(scrawl()))).save(out, "PNG")

    assert is_drawn(scrawl())
    assert is_drawn(out.getvalue())
    assert is_drawn(line((10, 100), (90, 60), (160, 120)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        dot(),
        picture(),
        picture("black"),
        line((5, 5), (12, 14)),  # too small
        line((10, 50), (500, 50)),  # a ruler
        line((10, 100), (90, 60), (160, 120), colour="#eeeeee"),  # nobody sees it
    ],
)
def test_what_shows_no_line_is_none(content: bytes) -> None:
    assert not is_drawn(content)
    with pytest.raises(BadInput) as refusal:
        require_drawn(content)
    assert set(refusal.value.fields) == {"signature"}
