"""A stock-take of N scans (50,000) with ten people scanning at once, over the real web server, as the page does it.

The last ON_THE_WEB scans go over the web, when all others have been counted already by ten threads through the service:
a scan must cost as much at the end as at the beginning. Ten people are signed in; each sends the next scan a breath
after the last was answered, five a second: faster than any gun is pulled and any horn is turned. Every scan reads the
mark, the holding and the frame, writes one row, and answers with the verdict and the live counts of everybody.
"""

import os
import statistics
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.goods import open_reception
from benchmarks.ground import web_server
from core.accounts.models import Appointment, User
from core.accounts.roles import Role
from ledger.models import Holding, StockTake
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
    reception = open_reception()
    now = datetime.now(UTC)
    there = Holding.objects.filter(account=reception.store, pieces__gt=0).count()
    while there < count:
        intake = reception.weigh(min(BATCH, count - there))
        register_and_mark(actor=reception.inspector, at=now, intake=intake, confirm_band=True)
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
    taken: list[list[float]] = [[] for _person in people]
    with web_server(workers=2) as address:
        path = f"/stock-takes/{stocktake.pk}/scan/"
        threads = [
            threading.Thread(target=_scan_all, args=(address, path, session, codes[index::PEOPLE], taken[index], index))
            for index, session in enumerate(sessions)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
    waits = sorted(wait for own in taken for wait in own)
    live = count_live(stocktake)
    yield at_least("stocktake.scans_counted", live.found, "scans", len(pairs))
    yield at_least("stocktake.scans_a_second", len(waits) / took, "1/s", 30)
    yield at_most("stocktake.scan_p50", 1000 * statistics.median(waits), "ms", 50)
    yield at_most("stocktake.scan_p95", 1000 * waits[int(len(waits) * 0.95)], "ms", 50)
    late = sorted(wait for own in taken for wait in own[-max(len(own) // 10, 1) :])
    yield at_most("stocktake.scan_p95_of_last_tenth", 1000 * late[int(len(late) * 0.95)], "ms", 50)
    began = time.perf_counter()
    end_counting(actor=people[0], at=datetime.now(UTC), stocktake=stocktake)
    yield at_most("stocktake.end", time.perf_counter() - began, "s", max(1.0, 10.0 * count / SCANS))


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


def _scan_all(address: str, path: str, session: str, codes: Sequence[str], waits: list[float], number: int) -> None:
    """One person's scans over one kept connection; RuntimeError unless each is answered by its verdict."""
    parts = urlsplit(address)
    server = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    token = "a" * 32
    headers = {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}",
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Scan": "part",
        "X-CSRFToken": token,
        "X-Forwarded-For": f"10.0.0.{number + 1}",
    }
    for index, code in enumerate(codes):
        body = urlencode({"code": code, "scan": f"{number}-{index}", "csrfmiddlewaretoken": token})
        began = time.perf_counter()
        server.request("POST", path, body=body, headers=headers)
        answer = server.getresponse()
        text = answer.read()
        waits.append(time.perf_counter() - began)
        if answer.status != 200 or b'data-tone="ok"' not in text:
            raise RuntimeError(f"{answer.status} {text[:300]!r}")
        time.sleep(BREATH)
    server.close()
