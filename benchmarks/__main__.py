"""Every benchmark of this folder, or the one that NAME names; sizes by N.

Prints a line for each figure: name value unit limit PASS|FAIL. The exit status is 1 when one fails.
Each module has `measure(n: int | None) -> Iterable[Figure]`; all share one migrated database on embedded servers
that are as careful with the disk as real ones.
"""

import os
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from core.base.catalogues import compile_catalogues
from core.base.stack import throw_away_servers

NOT_BENCHMARKS = {"__init__", "__main__", "bare", "figures", "goods", "ground"}


def main() -> int:
    names = [path.stem for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in NOT_BENCHMARKS]
    if chosen := os.environ.get("NAME"):
        if chosen not in names:
            sys.exit(f"there is no benchmark {chosen}; there are {', '.join(names)}")
        names = [chosen]
    # While the register is young yet.
    names.sort(key=lambda name: name != "movement")
    with throw_away_servers(durable=True):
        prepare_django()
        size = os.environ.get("N")
        oks = [ok for name in names for ok in measure(name, int(size) if size else None)]
        return int(not all(oks))


def measure(name: str, n: int | None) -> Iterator[bool]:
    """Print what one module measures; a module that breaks fails, and the others still run."""
    try:
        for figure in import_module(f"benchmarks.{name}").measure(n):
            print(figure, flush=True)
            yield figure.ok
    except Exception:
        traceback.print_exc()
        print(f"{name} nan - - FAIL", flush=True)
        yield False


def prepare_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    compile_catalogues()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
