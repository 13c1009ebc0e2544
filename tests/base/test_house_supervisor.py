import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.base.stack import ROOT
from core.base.supervisor import Child, NotReady, Supervisor

SLEEP = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('up', 'w'); time.sleep(60)"


def python(name: str, code: str, folder: Path, **more: object) -> Child:
    return Child(name, [sys.executable, "-c", code], folder, **more)  # type: ignore[arg-type]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(said.append)
    yield supervisor
    supervisor.stop()


def test_a_fallen_child_is_started_again_and_its_last_words_are_shown(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    code = "import pathlib; f = open('runs', 'a'); f.write('x'); f.close(); print('the disk is full'); exit(3)"
    child = python("scribe", code, tmp_path, log=tmp_path / "log")

    supervisor.start(child)
    supervisor.wait_until(lambda: child.falls >= 2, within=10, name="second fall")

    assert (tmp_path / "runs").read_text() == "xx"
    assert "scribe ended with status 3; starting again in 0.5 s" in said[0]
    assert "the disk is full" in said[0]
    assert "starting again in 1 s" in said[1]


def test_a_killed_child_is_named_with_its_signal(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    child = python("sleeper", SLEEP, tmp_path)
    supervisor.start(child)
    assert child.process

    child.process.kill()
    supervisor.wait_until(lambda: bool(said), within=5, name="report")

    assert "sleeper was killed by SIGKILL" in said[0]


def test_waiting_ends_when_it_takes_too_long(supervisor: Supervisor) -> None:
    with pytest.raises(NotReady, match="the moon did not become ready"):
        supervisor.wait_until(lambda: False, within=0.1, name="the moon")


def test_children_stop_the_last_started_first(tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, sys, time\n"
        "def stop(*_):\n"
        "    open('order', 'a').write(sys.argv[1])\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "time.sleep(60)\n"
    )
    supervisor = Supervisor(lambda text: None)
    for name in "abc":
        supervisor.start(Child(name, [sys.executable, "-c", code, name], tmp_path))
    supervisor.wait_until(lambda: all((tmp_path / name).exists() for name in "abc"), within=10, name="three")

    supervisor.stop()

    assert (tmp_path / "order").read_text() == "cba"


def test_a_child_that_will_not_stop_is_killed(said: list[str], tmp_path: Path) -> None:
    supervisor = Supervisor(said.append)
    child = python("deaf", DEAF, tmp_path, patience=0.2)
    supervisor.start(child)
    supervisor.wait_until((tmp_path / "up").exists, within=10, name="deaf")

    supervisor.stop()

    assert child.process is None
    assert said == ["deaf did not stop within 0.2 s and was killed"]


def test_what_a_fallen_child_left_behind_is_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); print(p.pid, flush=True)"
    log = tmp_path / "log"
    child = python("parent", code, tmp_path, log=log)

    supervisor.start(child)
    supervisor.wait_until(lambda: child.falls >= 1, within=10, name="the fall")

    grandchild = int(log.read_text())
    supervisor.wait_until(lambda: not is_running(grandchild), within=5, name="the end of the grandchild")


def test_the_scratch_folder_goes_when_the_child_has_stopped(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda text: None)
    (tmp_path / "sockets").mkdir()
    supervisor.start(python("sleeper", SLEEP, tmp_path, scratch=tmp_path / "sockets"))

    supervisor.stop()

    assert not (tmp_path / "sockets").exists()


def test_run_waits_for_the_end_and_tells_the_status(supervisor: Supervisor, tmp_path: Path) -> None:
    assert supervisor.run(python("calculator", "exit(7)", tmp_path)) == 7
    assert supervisor.children == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's own")
def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time\n"
        "from core.base.supervisor import Child, Supervisor\n"
        f"child = Child('sleeper', [sys.executable, '-c', {SLEEP!r}], pathlib.Path('.'))\n"
        "Supervisor(print).start(child)\n"
        "print(child.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(number: int) -> bool:
    """Whether the process lives; a dead one that nobody has waited for counts as dead."""
    try:
        os.kill(number, signal.SIG_DFL)
        return ") Z" not in Path(f"/proc/{number}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
