"""Pages over a register of N horns (a million): first pages and lists, in milliseconds, 19 of 20 at most so long.

The time of the whole request inside Django, queries and template included; the network is not.
"""

import time
from collections.abc import Iterable

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from benchmarks.figures import Figure, at_least, at_most
from config.demo.build import build_bulk
from core.accounts.models import User
from ledger.models import CustodyAccount
from registry.models import Derivative

HORNS = 1_000_000
LIMIT = 200.0
TIMES = 20
WARM = 3
PLAIN_FILES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def measure(n: int | None) -> Iterable[Figure]:
    count = n or HORNS
    if not User.objects.filter(username="storekeeper").exists():
        build_bulk(count, say=lambda _words: None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    yield at_least("pages.horns", Derivative.objects.count(), "horns", count)
    with override_settings(STORAGES=settings.STORAGES | PLAIN_FILES, ALLOWED_HOSTS=["testserver"]):
        yield from _measure_pages()


def _measure_pages() -> Iterable[Figure]:
    central = CustodyAccount.objects.get(code="CS-75").pk
    item = Derivative.objects.order_by("-pk").values_list("pk", flat=True)[1000]
    number = Derivative.objects.order_by("pk").values_list("number", flat=True)[1000]
    pages: dict[str, dict[str, str]] = {
        "storekeeper": {
            "first": "/",
            "stock": "/stock/",
            "items": "/items/",
            "items_of_class": f"/items/?store={central}&term=HOR&origin=removal",
            "items_by_population": "/items/?population=ural",
            "items_of_first_days": "/items/?until=2025-10-08",
            "item": f"/items/{item}/",
        },
        "auditor": {
            "first": "/",
            "stock": "/stock/",
            "items": "/items/",
            "items_by_number": f"/items/?q={number[:9]}",
            "items_on_hold": "/items/?held=yes",
            "journal": "/journal/",
            "find": f"/find/?q={number}",
        },
        "inspector": {"first": "/", "stock": "/stock/", "items": "/items/"},
        "trader": {"first": "/", "stock": "/stock/"},
        "officer": {"first": "/", "stock": "/stock/"},
        "head": {"first": "/"},
        "administrator": {"first": "/"},
    }
    for person, addresses in pages.items():
        client = Client()
        client.force_login(User.objects.get(username=person))
        for name, address in addresses.items():
            yield at_most(f"pages.{person}.{name}", _milliseconds(client, address), "ms", LIMIT)


def _milliseconds(client: Client, address: str) -> float:
    """How long 19 of 20 requests take at most; a page that does not answer is a defect, not a figure."""
    taken = []
    for attempt in range(WARM + TIMES):
        began = time.perf_counter()
        answer = client.get(address)
        answer.content  # noqa: B018  rendered
        if attempt >= WARM:
            taken.append(1000 * (time.perf_counter() - began))
        if answer.status_code not in (200, 302):
            raise RuntimeError(f"{address} answers {answer.status_code}")
    return sorted(taken)[-2]
