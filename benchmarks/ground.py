"""What benchmarks share."""

import os
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

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


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # noqa: S310  our own address
            return True
    except OSError:
        return False
