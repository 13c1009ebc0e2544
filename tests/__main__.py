"""Everything CI checks, stage by stage; with arguments, pytest alone with these.

python -m tests [--lint | PYTEST ARGUMENTS...]
"""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from core.base.stack import ROOT, throw_away_servers

LINT = {
    "types": ["mypy"],
    "style": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
}
MANAGE = {
    "migrations": ["makemigrations", "--check", "--dry-run"],
    "translations": ["check_translations"],
}
NO_XGETTEXT = "no xgettext here. On Debian or Ubuntu: apt install gettext."


@dataclass(frozen=True)
class Stage:
    name: str
    outcome: str
    seconds: float
    output: str = ""

    def __str__(self) -> str:
        return f"{self.name:<14}{self.outcome:<8}{self.seconds:6.1f} s"


def main() -> int:
    arguments = sys.argv[1:]
    with throw_away_servers():
        if arguments and arguments != ["--lint"]:
            return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
        commands = {name: [sys.executable, "-m", *command] for name, command in LINT.items()}
        # Its module is silent when run by -m; the script answers by its return code.
        commands["imports"] = [str(Path(sys.executable).with_name("lint-imports"))]
        if not arguments:
            commands |= {name: [sys.executable, "manage.py", *command] for name, command in MANAGE.items()}
        # Types take as long as all the others together.
        with ThreadPoolExecutor(2) as pool:
            stages = list(pool.map(_run, commands, commands.values()))
        failed = any(stage.outcome == "failed" for stage in stages)
        if arguments:
            return int(failed)
        environment = os.environ | {"STAGES": "\n".join(map(str, stages))}
        # One more than there are processors: journeys and races wait as much as they work.
        processes = str((os.cpu_count() or 1) + 1)
        pytest = [sys.executable, "-m", "pytest", "-n", processes, "-q"]
        tests = subprocess.run(pytest, cwd=ROOT, env=environment, check=False)
        return tests.returncode or int(failed)


def _run(name: str, command: list[str]) -> Stage:
    """Run one stage and tell how it ended; what it printed is shown only when it failed."""
    if name == "translations" and not shutil.which("xgettext") and not os.environ.get("CI"):
        stage = Stage(name, "skipped", 0, NO_XGETTEXT)
    else:
        started = time.monotonic()
        ended = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        outcome = "failed" if ended.returncode else "ok"
        stage = Stage(name, outcome, time.monotonic() - started, ended.stdout)
    print(stage, flush=True)
    if stage.outcome != "ok":
        print(stage.output.rstrip(), flush=True)
    return stage


if __name__ == "__main__":
    sys.exit(main())
