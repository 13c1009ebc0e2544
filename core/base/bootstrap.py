"""Make the virtual environment of this folder, install the locked dependencies, and run a module there.

    python3 -m core.base.bootstrap [--dev] MODULE [ARGUMENT ...]

Uses the standard library alone: it runs before anything is installed. Does nothing when all is in place.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
RUNNING = ("base", "embedded")
DEVELOPING = (*RUNNING, "dev")


def main() -> None:
    arguments = sys.argv[1:]
    sets = DEVELOPING if arguments[:1] == ["--dev"] else RUNNING
    if arguments[:1] == ["--dev"]:
        del arguments[0]
    if sys.version_info < OLDEST:
        sys.exit(f"Python {'.'.join(map(str, OLDEST))} or newer is needed; this is {sys.version.split()[0]}.")
    os.chdir(ROOT)
    install(sets)
    os.execv(PYTHON, [str(PYTHON), "-m", *arguments])  # noqa: S606  the caller's own command line


def install(sets: tuple[str, ...]) -> None:
    """Bring the environment in step with the locked files; quick when they have not changed."""
    files = [ROOT / "requirements" / f"{name}.txt" for name in ("tools", *sets)]
    wanted = {file.stem: _digest(file) for file in files}
    if all(_stamp(name).exists() and _stamp(name).read_text() == wanted[name] for name in wanted):
        return
    if not _venv_works():
        make_venv()
    print("installing the locked dependencies", flush=True)
    _run(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", files[0])
    locked = [argument for file in files[1:] for argument in ("-r", file)]
    _run(PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes", *locked)
    for name, digest in wanted.items():
        _stamp(name).write_text(digest)


def make_venv() -> None:
    """Make .venv with pip in it. A bare Debian's Python cannot: then use its pip, or say what to do."""
    print("making the virtual environment .venv", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    if find_spec("ensurepip"):
        _run(sys.executable, "-m", "venv", VENV)
    elif find_spec("pip"):
        _run(sys.executable, "-m", "venv", "--without-pip", VENV)
        _run(sys.executable, "-m", "pip", "--python", PYTHON, "install", "--quiet", "pip")
    else:
        version = ".".join(map(str, sys.version_info[:2]))
        sys.exit(
            f"This Python has neither ensurepip nor pip, so it cannot make a virtual environment.\n"
            f"On Debian or Ubuntu: apt install python{version}-venv (or python3-pip), then try again."
        )


def _venv_works() -> bool:
    """Whether .venv has a Python of our version and pip."""
    test = f"import pip, sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    try:
        return subprocess.run([PYTHON, "-c", test], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(*command: str | Path) -> None:
    ended = subprocess.run(command, check=False)
    if ended.returncode:
        sys.exit(f"this failed: {' '.join(map(str, command))}")


def _digest(file: Path) -> str:
    return hashlib.sha256(f"{sys.version_info[:2]} {ROOT}\n".encode() + file.read_bytes()).hexdigest()


def _stamp(name: str) -> Path:
    return VENV / f".installed-{name}"


if __name__ == "__main__":
    main()
