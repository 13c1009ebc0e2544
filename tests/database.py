"""The database of the tests: made quickly, and emptied after tests that commit.

All migrations together take a dozen seconds. They run once into a template, which every process copies; what they
made is kept as SQL text and loaded instead for as long as migrations and server stay the same. CI starts afresh.

Django empties by TRUNCATE, which the registry's tables refuse, and it would take the regions and rules along
that migrations brought. Here the triggers sleep for that one transaction, and what migrations brought is put
back from a copy.
"""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connection

from core.base.embedded import find_postgres_program
from core.base.stack import ROOT

OLDEST_FOR_TEXT = 180000  # what pg_dump of the wheel writes, older servers may not read

REMEMBER = """
DROP SCHEMA IF EXISTS reference CASCADE;
CREATE SCHEMA reference;

DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    FOR name IN
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE reference.%I AS TABLE public.%I', name, name);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION reference.restore() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
    columns text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL lock_timeout = '20s';  -- a test that left a transaction open fails instead of waiting for ever
    FOR name IN
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations'
    LOOP
        EXECUTE format('DELETE FROM public.%I', name);
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'reference' LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
            FROM pg_attribute
            WHERE attrelid = format('public.%I', name)::regclass
                AND attnum > 0 AND attgenerated = '' AND NOT attisdropped;
        EXECUTE format(
            'INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM reference.%I',
            name, columns, columns, name
        );
    END LOOP;
END $$;
"""


def remember_reference_data() -> None:
    """Copy what migrations brought; to be called once, on a fresh database."""
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER)


def make_database(name: str, *, texts: Path, lock: Path) -> str:
    """Make a migrated database beside that of DATABASE_URL, in place of an older one; return its URL.

    Each database of DATABASE_URL has a template of its own, so that several people may share a server.

    `texts`: the folder where the SQL text of earlier runs is kept. `lock`: a file shared by the processes of this run.
    """
    with lock.open("w") as handle, _connect() as server:
        fcntl.flock(handle, fcntl.LOCK_EX)
        family = own_name("template_")
        template = family + _digest(server)
        found = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [family])
        if template not in (names := {str(row[0]) for row in found}):
            for other in names:
                server.execute(f"DROP DATABASE {other} WITH (FORCE)")
            unfinished = f"{family}unfinished"
            server.execute(f"CREATE DATABASE {unfinished}")
            text = texts / f"{template}.sql" if server.info.server_version >= OLDEST_FOR_TEXT else None
            _fill(unfinished, text)
            server.execute(f"ALTER DATABASE {unfinished} RENAME TO {template}")
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return _url(name)


def own_name(purpose: str) -> str:
    """The name of a database for this purpose, after that of DATABASE_URL."""
    return f"{os.environ['DATABASE_URL'].partition('?')[0].rpartition('/')[2]}_{purpose}"


def use_database(name: str) -> None:
    """Have Django use this database from now on."""
    connection.close()
    connection.settings_dict["NAME"] = name


def drop_database(name: str) -> None:
    connection.close()
    with _connect() as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def restore_reference_data() -> None:
    """Leave exactly what migrations brought. Needs a superuser: it sets session_replication_role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reference.restore()")


def _fill(name: str, text: Path | None) -> None:
    """Migrate an empty database, or load what migrations made before."""
    if text and text.exists():
        load = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--file={text}"]
        _run("psql", *load, f"--output={os.devnull}", _url(name))
        return
    before = str(connection.settings_dict["NAME"])
    use_database(name)
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER)
    use_database(before)
    if text:
        for old in text.parent.glob("*.sql"):
            old.unlink()
        _run("pg_dump", "--no-owner", f"--file={text.with_suffix('.new')}", _url(name))
        text.with_suffix(".new").rename(text)


def _run(program: str, *arguments: str) -> None:
    subprocess.run([find_postgres_program(program), *arguments], check=True)


def _digest(server: psycopg.Connection) -> str:
    """Of everything that migrations depend on: themselves, the libraries they come from, the server."""
    digest = hashlib.sha256(f"{server.info.server_version} {REMEMBER}".encode())
    migrations = sorted(path for path in ROOT.glob("*/migrations/*.py"))
    migrations += sorted(path for path in ROOT.glob("core/*/migrations/*.py"))
    base = ROOT / "core" / "base"
    migrations += [base / "management" / "commands" / "migrate.py", base / "triggers.py"]
    for path in (*migrations, ROOT / "requirements" / "base.txt"):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:20]


def _connect() -> psycopg.Connection:
    return psycopg.connect(_url("postgres"), autocommit=True)


def _url(name: str) -> str:
    """DATABASE_URL with another database."""
    base, question, options = os.environ["DATABASE_URL"].partition("?")
    return f"{base.rpartition('/')[0]}/{name}{question}{options}"
