"""A few programs kept running together: started in order, restarted when they fall, stopped in reverse."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_PAUSE = 30.0  # seconds between two attempts to start what keeps falling
STEADY_AFTER = 60.0  # seconds of running after which earlier falls are forgotten


class NotReady(Exception):
    """What was started did not become ready in time."""


@dataclass
class Child:
    """One program and what is known about its present run.

    Without `log` it writes where we write. `patience`: seconds it may take to stop before it is killed.
    `scratch`: a folder that is removed when it has stopped.
    """

    name: str
    command: Sequence[str | Path]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    uid: int | None = None
    gid: int | None = None
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 20.0
    scratch: Path | None = None

    process: subprocess.Popen[bytes] | None = None
    falls: int = 0
    started_at: float = 0.0
    start_again_at: float = 0.0


class Supervisor:
    """Runs children in sessions of their own, so that Ctrl-C reaches us alone and we stop them in order.

    On Linux they also stop when we are killed. `held`: a file descriptor all of them keep open (a lock).
    """

    def __init__(self, say: Callable[[str], None], held: int | None = None) -> None:
        self.say = say
        self.children: list[Child] = []
        self._held = () if held is None else (held,)

    def start(self, *children: Child) -> None:
        for child in children:
            self.children.append(child)
            self._launch(child)

    def run(self, child: Child) -> int:
        """Run one program to its end and return its exit status; it is stopped if we are."""
        self.children.append(child)
        status = self._launch(child).wait()
        self.children.remove(child)
        return status

    def tend(self, *, quietly: bool = False) -> None:
        """Start again what has fallen, after a pause that doubles with each fall."""
        for child in self.children:
            now = time.monotonic()
            if child.process is None:
                if now >= child.start_again_at:
                    self._launch(child)
            elif (status := child.process.poll()) is not None:
                _kill_group(child.process)
                child.process = None
                child.falls = 1 if now - child.started_at > STEADY_AFTER else child.falls + 1
                pause = min(0.5 * 2 ** (child.falls - 1), LONGEST_PAUSE)
                child.start_again_at = now + pause
                if not quietly:
                    last_words = f"\n{read_tail(child.log)}" if child.log else ""
                    self.say(f"{child.name} {_describe(status)}; starting again in {pause:g} s{last_words}")

    def wait_until(self, is_ready: Callable[[], bool], *, within: float, name: str, quietly: bool = False) -> None:
        """Tend the children until `is_ready`. Raises NotReady after `within` seconds."""
        deadline = time.monotonic() + within
        while not is_ready():
            if time.monotonic() > deadline:
                raise NotReady(f"{name} did not become ready within {within:g} s")
            self.tend(quietly=quietly)
            time.sleep(0.05)

    def tend_forever(self) -> None:
        while True:
            self.tend()
            time.sleep(0.25)

    def stop(self) -> None:
        """Stop the children, the last started first; whoever loses our patience is killed."""
        for child in reversed(self.children):
            if child.process is None:
                continue
            _send(child.process, child.stop_signal)
            try:
                child.process.wait(child.patience)
            except subprocess.TimeoutExpired:
                self.say(f"{child.name} did not stop within {child.patience:g} s and was killed")
            _kill_group(child.process)
            child.process = None
            if child.scratch:
                shutil.rmtree(child.scratch, ignore_errors=True)

    def _launch(self, child: Child) -> subprocess.Popen[bytes]:
        output = child.log.open("ab") if child.log else None
        try:
            child.process = subprocess.Popen(
                child.command,
                cwd=child.directory,
                env=os.environ | child.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=child.uid,
                group=child.gid,
                extra_groups=None if child.uid is None else [],
                start_new_session=True,
                pass_fds=self._held,
                preexec_fn=_die_with_parent(child.stop_signal),
            )
        finally:
            if output:
                output.close()
        child.started_at = time.monotonic()
        return child.process


def read_tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file, indented."""
    text = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join(f"    {line}" for line in text)


def _describe(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a child's session, itself included."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Linux: have the kernel send `number` to the child when its parent is gone (prctl PR_SET_PDEATHSIG)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, int(number))
