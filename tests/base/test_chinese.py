"""The Chinese of the public check: every letter of it is in the font that is kept."""

from pathlib import Path

import polib
from django.conf import settings

ROOT = Path(settings.ROOT)


def test_the_kept_font_has_every_letter() -> None:
    catalogue = polib.pofile(str(ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"))
    said = "".join(entry.msgstr + "".join(entry.msgstr_plural.values()) for entry in catalogue)
    kept = (ROOT / "static/vendor/noto-sans-sc/letters").read_text(encoding="utf-8").strip().split(",")

    assert {f"{ord(letter):X}" for letter in said if ord(letter) >= 0x2E80} <= set(kept)
