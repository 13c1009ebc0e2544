"""What is served is ours or vendored with its licence, whole, and used; pages hold nothing the browser would refuse."""

import hashlib
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from reportlab.pdfbase.ttfonts import TTFont

from config.navigation import MENUS
from core.base.templatetags.ui import TONE_ICONS

ROOT: Path = settings.ROOT
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OWN_SCRIPTS = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)

TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
LETTERS = "ӘәҒғҚқҢңӨөҰұҮүҺһІіЁёЪъЫыЭэ₸№«»—–…· 0123456789"


@cache
def classes_with_a_look() -> frozenset[str]:
    sheets = (VENDOR / "tabler/tabler.min.css", *(STATIC / "css").glob("*.css"))
    text = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    return frozenset(re.findall(r"\.(-?[_a-zA-Z][\w-]*)", text))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_manifest_names_every_vendored_file_with_its_digest() -> None:
    manifest = (VENDOR / "manifest").read_text(encoding="utf-8")
    listed = {name: digest for digest, name in re.findall(r"^sha256 ([0-9a-f]{64}) (.+)$", manifest, re.MULTILINE)}

    kept = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest"
    }

    assert kept == listed


def test_every_vendored_library_has_a_version_and_a_licence() -> None:
    manifest = (VENDOR / "manifest").read_text(encoding="utf-8")

    for block in manifest.split("\n\n")[1:]:
        assert re.search(r"^version = \d", block, re.MULTILINE), block
        assert re.search(r"^licence = \w", block, re.MULTILINE), block
        assert re.search(r"^(npm|pypi) = \S", block, re.MULTILINE), block


@pytest.mark.parametrize("font", sorted(VENDOR.rglob("*.ttf")), ids=lambda path: path.stem)
def test_a_font_has_all_kazakh_and_russian_letters(font: Path) -> None:
    face = TTFont(font.stem, str(font)).face

    assert [letter for letter in LETTERS if ord(letter) not in face.charToGlyph] == []


def test_every_icon_that_is_drawn_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'id="([^"]+)"', (VENDOR / "tabler-icons/sprite.svg").read_text(encoding="utf-8")))
    asked = {
        icon
        for path in TEMPLATES
        for icon in re.findall(r'{% icon "([^"]+)"|\bicon="([^"]+)"', path.read_text(encoding="utf-8"))
        for icon in icon
        if icon
    }
    asked |= set(TONE_ICONS.values()) | {line.icon for menu in MENUS.values() for line in menu if line.icon}

    assert asked - sprite == set(), "add them: see docs/ui.md, Icons"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_holds_nothing_inline_and_no_foreign_address(path: Path) -> None:
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert not re.search(r"\sstyle=|<style\b", text)
    assert not re.search(r"\son[a-z]+=\"", text)
    assert not re.search(r"javascript:", text)
    assert not re.search(r"\bhx-on|hx-vals=.js:|hx-vars", text)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text)
    for opening in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in opening or 'type="application/json"' in opening, opening


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_asks_only_for_static_files_that_exist(path: Path) -> None:
    for name in re.findall(r"{% static [\"']([^\"'{]+)[\"'] %}", path.read_text(encoding="utf-8")):
        assert (STATIC / name).is_file() or name.startswith(("mfa/", "account/")), name


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_uses_only_classes_that_have_a_look(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used: set[str] = set()
    for value in re.findall(r'\bclass="((?:[^"{]|{%.*?%}|{{.*?}})*)"', text):
        used |= {name for name in TAG.sub("\0", value).split() if "\0" not in name}

    assert used - classes_with_a_look() == set()


@pytest.mark.parametrize("path", OWN_SCRIPTS, ids=name_of)
def test_a_script_of_ours_calls_nobody_else_and_makes_no_inline_styles(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"[\"'`](https?:)?//[a-z]", text)
    assert not re.search(r"\beval\(|new Function\(|setAttribute\([\"']style|innerHTML\s*=.*style=", text)
