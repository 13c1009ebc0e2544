"""A stock-take of N scans (50,000) in a full register, ten people scanning at once, over the real
web server, as the page does it.

The last ON_THE_WEB scans go over the web, when all others have been counted already by ten threads through the service:
a scan must cost as much at the end as at the beginning. Ten people are signed in; each sends the next scan a breath
after the last was answered, five a second: faster than any gun is pulled and any horn is turned. Every scan reads the
mark, the holding and the frame, writes one row, and answers with the verdict and the live counts of everybody.
"""

import os
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection

from benchmarks.figures import Figure, at_least, at_most, told
from benchmarks.goods import FULL, Reception, appointed_alone, full_register, open_reception
from benchmarks.ground import cpu_of_children, web_server
from core.accounts.models import Appointment, User
from core.accounts.roles import Role
from ledger.models import CustodyAccount, Holding, Item, StockTake
from ledger.services import cancel_stocktake, end_counting, open_stocktake, take_scan
from ledger.stocktaking import count_live
from marking.models import Mark
from marking.services.issue import register_and_mark

SCANS = 50_000
PEOPLE = 10
BREATH = 0.2  # seconds between an answer and the next scan
ON_THE_WEB = 10_000
BATCH = 5_000


def measure(n: int | None) -> Iterable[Figure]:
    count = n or SCANS
    full_register()
    yield at_least("stocktake.register", Item.objects.count(), "items", FULL)
    reception = _own_store(open_reception())
    now = datetime.now(UTC)
    there = Holding.objects.filter(account=reception.store, pieces__gt=0).count()
    while there < count:
        intake = reception.weigh(min(BATCH, count - there))
        register_and_mark(
            actor=reception.inspector,
            at=now,
            intake=intake,
            confirm_band=True,
            band_reason="Weighed again on another scale",
        )
        there += intake.derivatives.count()
    people = _people(reception.inspector)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for earlier in StockTake.objects.open().filter(account=reception.store):
        cancel_stocktake(actor=people[0], at=now, stocktake=earlier, reason="measured anew")
    began = time.perf_counter()
    stocktake = open_stocktake(actor=people[0], at=now, account=reception.store, commission=people[:2])
    yield at_most("stocktake.freeze", time.perf_counter() - began, "s", max(0.5, 3.0 * stocktake.frame_items / 100_000))

    marks = Mark.objects.active().filter(derivative__item__stocktake_lines__stocktake=stocktake).order_by("pk")
    pairs = list(marks.values_list("pk", "derivative_id")[:count])
    first, last = pairs[:-ON_THE_WEB], pairs[-ON_THE_WEB:]
    codes = [code for code, _item in last]
    _scan_by_service(stocktake, people, [item for _code, item in first])
    call_command("collectstatic", interactive=False, verbosity=0)
    # Ten people come from ten addresses.
    os.environ["TRUSTED_PROXY_COUNT"] = "1"
    sessions = [_sign_in(person) for person in people]
    with web_server(workers=2) as address:
        began, used = time.perf_counter(), cpu_of_children()
        taken = _scan_all(address, f"/stock-takes/{stocktake.pk}/scan/", sessions, codes)
        took, cpu = time.perf_counter() - began, cpu_of_children() - used
    waits = sorted(wait for own in taken for wait in own)
    live = count_live(stocktake)
    yield at_least("stocktake.scans_counted", live.found, "scans", len(pairs))
    yield at_least("stocktake.scans_a_second", len(waits) / took, "1/s", 30)
    yield told("stocktake.cpu_a_scan", 1000 * cpu / len(waits), "ms")
    yield at_most("stocktake.scan_p50", 1000 * statistics.median(waits), "ms", 50)
    yield at_most("stocktake.scan_p95", 1000 * waits[int(len(waits) * 0.95)], "ms", 50)
    late = sorted(wait for own in taken for wait in own[-max(len(own) // 10, 1) :])
    yield at_most("stocktake.scan_p95_of_last_tenth", 1000 * late[int(len(late) * 0.95)], "ms", 50)
    began = time.perf_counter()
    end_counting(actor=people[0], at=datetime.now(UTC), stocktake=stocktake)
    yield at_most("stocktake.end", time.perf_counter() - began, "s", max(1.0, 10.0 * count / SCANS))


def _own_store(reception: Reception) -> Reception:
    """The same reception with a store of its own, in which everything has a mark."""
    known = reception.store
    facts = {name: getattr(known, name) for name in ("kind", "custodian", "region", "is_reception_point")}
    names = {f"name_{language}": getattr(known, f"name_{language}") for language in ("kk", "ru", "en")}
    store, _is_new = CustodyAccount.objects.get_or_create(code="BENCH-ST", defaults=facts | names)
    return replace(reception, store=store)


def _scan_by_service(stocktake: StockTake, people: Sequence[User], items: Sequence[int]) -> None:
    """Count these items, ten people at once, without the web."""

    def scan(person: User, own: Sequence[int]) -> None:
        for item in own:
            take_scan(actor=person, at=datetime.now(UTC), stocktake=stocktake, item_id=item, text=str(item))
        connection.close()

    threads = [
        threading.Thread(target=scan, args=(person, items[index::PEOPLE])) for index, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _people(first: User) -> list[User]:
    """Ten inspectors of one organisation, made past the services as the first of them was."""
    appointment = Appointment.objects.get(user=first)
    people = [first]
    for number in range(1, PEOPLE):
        person, is_new = User.objects.get_or_create(username=f"bench-counter-{number}")
        if is_new:
            with appointed_alone():
                Appointment.objects.create(
                    user=person,
                    organisation_id=appointment.organisation_id,
                    role=Role.INSPECTOR,
                    valid_from=appointment.valid_from,
                    appointed_by_id=appointment.appointed_by_id,
                )
        people.append(person)
    return people


def _sign_in(person: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return str(session.session_key)


@dataclass(slots=True)
class _Gun:
    """One person's scanner: the connection it keeps, the requests it sends, and how long each answer took."""

    connection: socket.socket
    requests: Iterator[bytes]
    waits: list[float]
    sent: float = 0.0
    next_at: float = 0.0


def _scan_all(address: str, path: str, sessions: Sequence[str], codes: Sequence[str]) -> list[list[float]]:
    """Everybody's scans, each a breath after the answer to the last; how long each person waited.

    One thread for all of them, and bare sockets, so that whoever asks takes little from the machine that answers.
    RuntimeError unless each scan is answered by its verdict.
    """
    parts = urlsplit(address)
    where = (parts.hostname or "", parts.port or 80)
    with selectors.DefaultSelector() as selector:
        guns = []
        for number, session in enumerate(sessions):
            requests = _requests(parts.netloc, path, session, codes[number::PEOPLE], number)
            gun = _Gun(socket.create_connection(where, timeout=30), requests, [])
            gun.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # They do not begin all at once, as people do not.
            gun.next_at = time.perf_counter() + BREATH * number / PEOPLE
            guns.append(gun)
        resting, answering = list(guns), 0
        while resting or answering:
            now = time.perf_counter()
            for gun in [gun for gun in resting if gun.next_at <= now]:
                resting.remove(gun)
                request = next(gun.requests, None)
                if request is None:
                    gun.connection.close()
                    continue
                gun.sent = time.perf_counter()
                gun.connection.sendall(request)
                selector.register(gun.connection, selectors.EVENT_READ, gun)
                answering += 1
            pause = min((gun.next_at for gun in resting), default=now + 1) - time.perf_counter()
            for key, _events in selector.select(max(pause, 0)) if answering else _sleep(pause):
                gun = key.data
                _read_answer(gun.connection)
                now = time.perf_counter()
                gun.waits.append(now - gun.sent)
                gun.next_at = now + BREATH
                selector.unregister(gun.connection)
                resting.append(gun)
                answering -= 1
    return [gun.waits for gun in guns]


def _sleep(seconds: float) -> tuple[()]:
    time.sleep(max(seconds, 0))
    return ()


def _requests(host: str, path: str, session: str, codes: Sequence[str], number: int) -> Iterator[bytes]:
    token = "a" * 32
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Scan: part\r\nX-CSRFToken: {token}\r\n"
        f"Cookie: {settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}\r\n"
        f"X-Forwarded-For: 10.0.0.{number + 1}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    )
    for index, code in enumerate(codes):
        body = urlencode({"code": code, "scan": f"{number}-{index}", "csrfmiddlewaretoken": token})
        yield f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def _read_answer(connection: socket.socket) -> None:
    """The whole answer, which must be the verdict that the item was found."""
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _blank, body = answer.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    if not head.startswith(b"HTTP/1.1 200") or b'data-tone="ok"' not in body:
        raise RuntimeError(f"{head.decode(errors='replace')} {body[:300]!r}")
