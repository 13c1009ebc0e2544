"""Keeping checks: from the stream into the table, and out of it when their time is over."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from core.accounts.models import Region
from core.base.heartbeat import open_redis
from core.base.maps import region_at
from marking.checklog import STREAM, Entry, moment_of, read_part

log = logging.getLogger(__name__)

AT_ONCE = 100  # parts
# One at a time: then what came later was also recorded later, which the watch for copies relies on.
_LOCK = 0x5A16A_0011
_COLUMNS = (
    "id, at, code, read_hash, verdict, reasons, is_signed, is_repeat, channel, who, organisation_id, lat, lon, regions,"
    " visitor"
)


def keep_checks() -> int:
    """Empty the stream into the table; how many checks are new there.

    A part leaves the stream only after its transaction, and a check that is in the table already is passed over: what
    breaks off between the two is done again, and nothing is kept twice. Safe to run at the same time.
    """
    kept = 0
    with open_redis(settings.REDIS_URL) as client:
        while entries := client.xrange(STREAM, count=AT_ONCE):
            kept += keep_entries(list(_readable(fields for _key, fields in entries)))
            client.xdel(STREAM, *[key for key, _fields in entries])
    return kept


def _readable(entries: Iterable[dict[bytes, bytes]]) -> Iterable[Entry]:
    for fields in entries:
        try:
            yield from read_part(fields[b"checks"])
        except (ValueError, KeyError):
            log.warning("a part of the stream holds no checks: %r", fields)


@transaction.atomic
def keep_entries(entries: Sequence[Entry]) -> int:
    """Keep these checks, each once; how many are new. A fixed number of statements."""
    known = frozenset(Region.objects.values_list("pk", flat=True))
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("CREATE TEMP TABLE coming (LIKE marking_check) ON COMMIT DROP")
        cursor.execute("ALTER TABLE coming ALTER recorded_at DROP NOT NULL")
        with cursor.copy(f"COPY coming ({_COLUMNS}) FROM STDIN") as copy:
            for entry in entries:
                copy.write_row(_row(entry, known))
        cursor.execute(
            f"INSERT INTO marking_check ({_COLUMNS}) SELECT {_COLUMNS} FROM coming ON CONFLICT (id) DO NOTHING"  # noqa: S608
        )
        kept = cursor.rowcount
        cursor.execute("DROP TABLE coming")
    return kept


def _row(entry: Entry, known: frozenset[str]) -> tuple[Any, ...]:
    if entry.lat is not None and entry.lon is not None:
        regions = list(regions_about(entry.lat, entry.lon))
    else:
        regions = [entry.region] if entry.region in known else []
    return (
        entry.id,
        moment_of(entry),
        entry.code,
        entry.read_hash,
        entry.verdict,
        entry.reasons,
        entry.is_signed,
        entry.is_repeat,
        entry.channel,
        entry.who,
        entry.organisation,
        entry.lat,
        entry.lon,
        regions,
        entry.visitor,
    )


@lru_cache(maxsize=10_000)
def regions_about(lat: float, lon: float) -> tuple[str, ...]:
    """The regions in which a place that was rounded to a tenth of a degree may lie; none when all of it is abroad."""
    near = (-0.1, 0.0, 0.1)
    found = {region_at(lon + east, lat + north) for north in near for east in near}
    return tuple(sorted(iso.removeprefix("KZ-") for iso in found if iso))


def forget_old_checks(*, at: datetime) -> int:
    """Delete what is older than CHECKS_KEPT_DAYS and no evidence of an alert; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM marking_check c WHERE c.at < %s
            AND NOT EXISTS (SELECT FROM marking_copyevidence e WHERE e.seen_id = c.id)
            """,
            [at - timedelta(days=settings.CHECKS_KEPT_DAYS)],
        )
        return cursor.rowcount
