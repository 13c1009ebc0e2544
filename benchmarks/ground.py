"""What benchmarks share."""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import connection

from core.base.stack import ROOT
from core.base.supervisor import Child, Supervisor


@contextmanager
def web_server(application: str = "config.wsgi:application", *, workers: int = 1) -> Iterator[str]:
    """The address of a web server as `make run` starts it, over the database of the benchmarks.

    `application` may be another WSGI application, to compare with; it must answer /healthz.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--blocking-threads", "1", "--no-ws"]
    options = {"GRANIAN_PORT": str(port), "GRANIAN_WORKERS": str(workers), "GRANIAN_LOG_LEVEL": "warning"}
    supervisor = Supervisor(print)
    try:
        supervisor.start(Child("web", [*command, application], ROOT, os.environ | options))
        supervisor.wait_until(lambda: _answers(address), within=30, name="the web server")
        yield address
    finally:
        supervisor.stop()


def cpu_seconds() -> float:
    """Seconds of a processor that this process and its session of the database have used so far.

    What else runs on the machine makes no difference to it, as it does to the time that passes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (session,) = cursor.fetchone()
    return time.process_time() + _used(session)


def cpu_of_children() -> float:
    """Seconds of a processor that all processes under this one have used: the web server's and the database's."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    ours = {os.getpid()}
    while fresh := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= fresh
    return sum(_used(pid) for pid in ours - {os.getpid()})


def _used(pid: int) -> float:
    """Seconds that a process of this machine and its ended children used; 0 when it cannot be seen."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # noqa: S310  our own address
            return True
    except OSError:
        return False
