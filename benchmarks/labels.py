"""Labels drawn to PDF with the signed payload: labels a second and core, bytes a label, memory from 1,000 to N."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.figures import Figure, at_least, at_most
from marking.codes import group, new_codes
from marking.labels import PROFILES, Fonts, Label, draw_labels
from marking.payload import Statement, key_id_of, sign, to_address

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "static" / "vendor"
FONTS = Fonts(
    regular=VENDOR / "noto-sans" / "noto-sans-400.ttf",
    bold=VENDOR / "noto-sans" / "noto-sans-700.ttf",
    mono=VENDOR / "noto-sans-mono" / "noto-sans-mono-400.ttf",
    mono_bold=VENDOR / "noto-sans-mono" / "noto-sans-mono-700.ttf",
)
FEW = 1_000
MANY = 100_000
PACE = 10_000


def measure(n: int | None) -> Iterable[Figure]:
    """Each profile's pace over a tenth of N labels; memory over all N of them, in a process of its own."""
    many = n or MANY
    for name in PROFILES:
        drawn = _draw_elsewhere(name, min(PACE, many))
        yield at_least(f"labels.{name}.pace", drawn["pace"], "labels/s/core", 800)
        yield at_most(f"labels.{name}.size", drawn["bytes"], "bytes/label", 800)
    few, all_of_them = (_draw_elsewhere("roll-50x25", count)["memory"] for count in (FEW, many))
    yield at_most("labels.memory_growth", all_of_them - few, "MB", 16)


def _draw_elsewhere(profile: str, count: int) -> dict[str, float]:
    """What a fresh process needs to draw so many labels."""
    command = [sys.executable, "-m", "benchmarks.labels", profile, str(count)]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def _draw(profile: str, count: int) -> dict[str, float]:
    stock = PROFILES[profile]
    with tempfile.TemporaryFile() as out:
        # Time of this process alone: neighbours on the machine are no matter.
        began = time.process_time()
        draw_labels(out, stock, _labels(count), FONTS, dpi=stock.dpi, title="Белгілер", language="kk")
        took = time.process_time() - began
        size = out.tell()
    return {"pace": count / took, "bytes": size / count, "memory": _most_memory()}


def _most_memory() -> float:
    """The most memory this program has held, in MB. Linux tells it of the program alone; elsewhere of the process."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _labels(count: int) -> Iterator[Label]:
    """Labels of horns, each signed as it is drawn."""
    key = Ed25519PrivateKey.generate()
    key_id = key_id_of(key.public_key().public_bytes_raw())
    day = date(2025, 11, 12)
    for serial, code in zip(range(1, count + 1), new_codes(), strict=False):
        mass = 150 + serial * 7 % 90
        signed = sign(Statement(key_id, code, 1, "HOR", "removal", mass, day), key)
        yield Label(
            symbol=to_address("HTTPS://SAIGA.GOV.KZ/M/", signed.body, signed.signature),
            code=group(code),
            number=f"KZ25-{serial:07d}",
            term="Киік мүйізі",
            mass=f"{mass} г",
            dated="12.11.2025",
            caption="Киік дериваттарының тізілімі",
        )


if __name__ == "__main__":
    print(json.dumps(_draw(sys.argv[1], int(sys.argv[2]))))
