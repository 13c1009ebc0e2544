"""The palette reads: colours that meet on a page have the contrast WCAG 2.2 AA asks for, light and dark."""

import re

import pytest
from django.conf import settings

THEME = (settings.ROOT / "static/css/theme.css").read_text(encoding="utf-8")
PALETTE = dict(re.findall(r"--([a-z-]+): (light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\));", THEME))

TEXT, SHAPE = 4.5, 3.0
GROUNDS = ("ground", "surface", "sunken")
TONES = ("ok", "wait", "attention", "stop", "neutral")
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-soft", "action", "action-strong") for ground in GROUNDS),
    *((tone, ground, TEXT) for tone in TONES for ground in (*GROUNDS, f"{tone}-soft")),
    *((ink, f"{tone}-soft", TEXT) for ink in ("ink", "ink-soft", "action") for tone in TONES),
    *(("on-field", f"{tone}-field", TEXT) for tone in TONES if tone != "attention"),
    ("on-attention-field", "attention-field", TEXT),
    ("on-action", "action", TEXT),
    ("on-action", "action-strong", TEXT),
    ("on-action-soft", "action-soft", TEXT),
    *((ink, bar, TEXT) for ink in ("on-bar", "on-bar-soft") for bar in ("bar", "bar-field")),
    *(("line-field", ground, SHAPE) for ground in ("ground", "surface")),
    *(("focus", ground, SHAPE) for ground in GROUNDS),
    ("focus-on-bar", "bar", SHAPE),
    ("focus-on-bar", "bar-field", SHAPE),
]


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS, ids=[f"{ink}-on-{ground}" for ink, ground, _ in PAIRS])
def test_colours_that_meet_have_enough_contrast(ink: str, ground: str, least: float, scheme: int) -> None:
    one, other = (re.findall(r"#[0-9a-f]{6}", PALETTE[name])[scheme] for name in (ink, ground))

    assert contrast(one, other) >= least


def test_every_colour_is_named_in_the_palette() -> None:
    screen, _, _paper = THEME.partition("@media print")
    rules = screen.partition("/* ---- The framework takes our names ---- */")[2]

    strays = set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", rules)) - {"#ffffff"}

    assert strays == set()
