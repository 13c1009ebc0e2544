"""The .mo files are made from the .po files wherever the system starts, and are never committed.

python -m core.base.catalogues     makes them
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import polib

LOCALES = Path(__file__).resolve().parents[2] / "locale"


def compile_catalogues() -> None:
    """Make each .mo file that is older than its .po file; readers never see half a file."""
    for source in LOCALES.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with TemporaryDirectory(dir=source.parent) as folder:
            unfinished = Path(folder) / target.name
            polib.pofile(str(source)).save_as_mofile(str(unfinished))
            unfinished.replace(target)


if __name__ == "__main__":
    compile_catalogues()
