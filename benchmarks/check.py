"""The public check of a mark beside a bare Django view that reads one row by key: same server, same run."""

import os
import selectors
import socket
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import cycle
from urllib.parse import urlsplit

from django.core.management import call_command
from django.db import connection

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.goods import FULL, STEP, Reception, open_reception
from benchmarks.ground import web_server
from marking.models import Mark
from marking.payload import to_text
from marking.services.issue import register_and_mark

YOUNG = 10_000
ASKED = 2_000
ROUNDS = 5
SECONDS = 2.0
CONNECTIONS = 4


def measure(n: int | None) -> Iterable[Figure]:
    """Requests a second of the check by code and by signed text against the bare view, in rounds by turns.

    Over a young register, and over a full one: their two paces are compared by the pace of a view that asks no
    database, which tells how fast the machine itself was in either part of the run.
    """
    reception = open_reception()
    call_command("collectstatic", interactive=False, verbosity=0)
    # Visitors come through a proxy and from many addresses, so that none of them is asked to slow down.
    os.environ["TRUSTED_PROXY_COUNT"] = "1"
    paces = []
    for count in (YOUNG, n or FULL):
        _fill(reception, count)
        yield at_least("check.register", Mark.objects.count(), "marks", count)
        pace, waits = _paces()
        for name in ("code", "signed"):
            ratios = [own / bare for own, bare in zip(pace[name], pace["bare"], strict=True)]
            yield at_least(f"check.{name}", statistics.median(ratios), "x bare view", 0.5)
        spread = statistics.quantiles(waits["code"], n=100)
        yield at_most("check.p99_over_p50", spread[98] / spread[49], "x", 5)
        paces.append(statistics.median(code / still for code, still in zip(pace["code"], pace["still"], strict=True)))
    young, full = paces
    yield at_most("check.full_over_young", young / full, "x", 1.2)


def _fill(reception: Reception, count: int) -> None:
    """Let there be so many marks at least, each on a horn that was registered."""
    while (missing := count - Mark.objects.count()) > 0:
        intake = reception.weigh(min(missing, STEP))
        register_and_mark(
            actor=reception.inspector,
            at=datetime.now(UTC),
            intake=intake,
            confirm_band=True,
            band_reason="Weighed again on another scale",
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _paces() -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Of the two bare views and the check by code and by signed text.

    Requests a second of each round, and seconds of each wait.
    """
    chosen = Mark.objects.filter(state=Mark.State.ACTIVE).order_by("code")
    marks = list(chosen.only("code", "payload", "signature")[:ASKED])
    paths = {
        "still": [f"/still/{mark.code}" for mark in marks],
        "bare": [f"/bare/{mark.code}" for mark in marks],
        "code": [f"/m/{mark.code}" for mark in marks],
        "signed": [f"/M/{to_text(bytes(mark.payload), bytes(mark.signature))}" for mark in marks],
    }
    paces: dict[str, list[float]] = {name: [] for name in paths}
    waits: dict[str, list[float]] = {name: [] for name in paths}
    with web_server("benchmarks.bare:application") as address:
        for _round in range(ROUNDS):
            for name, asked in paths.items():
                took = list(_ask(address, asked, SECONDS))
                paces[name].append(len(took) / SECONDS)
                waits[name] += took
    return paces, waits


def _ask(address: str, paths: list[str], seconds: float) -> Iterator[float]:
    """Ask for the paths in turn over a few kept connections; how long each answer took. RuntimeError unless 200."""
    parts = urlsplit(address)
    requests = cycle(
        f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Forwarded-For: {index % 250}.1.1.1\r\n\r\n".encode()
        for index, path in enumerate(paths)
    )
    until = time.perf_counter() + seconds
    with _connections((parts.hostname or "", parts.port or 80)) as (selector, began):
        for connection in list(began):
            connection.sendall(next(requests))
            began[connection] = time.perf_counter()
        while (now := time.perf_counter()) < until:
            for key, _events in selector.select(1):
                answered: socket.socket = key.data
                _read_answer(answered)
                now = time.perf_counter()
                yield now - began[answered]
                began[answered] = now
                answered.sendall(next(requests))


@contextmanager
def _connections(where: tuple[str, int]) -> Iterator[tuple[selectors.BaseSelector, dict[socket.socket, float]]]:
    with closing(selectors.DefaultSelector()) as selector:
        opened = {socket.create_connection(where, timeout=10): 0.0 for _number in range(CONNECTIONS)}
        try:
            for connection in opened:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ, connection)
            yield selector, opened
        finally:
            for connection in opened:
                connection.close()


def _read_answer(connection: socket.socket) -> None:
    answer = connection.recv(65536)
    head, _blank, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode(errors="replace"))
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    missing = length - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
